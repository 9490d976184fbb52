#!/usr/bin/env bash
# What `make demo` runs after set-up: builds the library, starts an echo server on this machine, with a
# certificate made on the spot, and runs examples/demo.c against it.

# Also as `sh scripts/demo.sh`.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"

home=$(mktemp -d "$T/demo.XXXXXX")
server=

clean_up() {
  local status=$?
  trap - EXIT
  # The server ends when its standard input does.
  exec 3>&- 4<&-
  [ -z "$server" ] || wait "$server" || true
  rm -rf "$home"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

run cargo build --release --locked
run "${CC:-cc}" -std=c11 -O2 -Wall -Wextra -Wpedantic -I include examples/demo.c -o "$home/demo" -lpthread -ldl

say "+ an echo server on 127.0.0.1, with a certificate for echo.websocket.org"
if ! ffi-tests/support/certs.sh "$home/certs" >"$home/log" 2>&1; then
  cat "$home/log" >&2
  die "no certificates were made"
fi
mkfifo "$home/in" "$home/out"
python3 ffi-tests/support/server.py "$home/certs" <"$home/in" >"$home/out" &
server=$!
exec 3>"$home/in" 4<"$home/out"
# The line comes when the server listens, or the pipe ends with the server.
IFS= read -r line <&4 || die "the echo server did not start"
read_ports='import json, sys; ports = json.loads(sys.argv[1]); print(ports["ws"], ports["wss"])'
ports=$(python3 -c "$read_ports" "$line" 2>/dev/null) ||
  die "the echo server said no ports: $line"

run "$home/demo" "$RELEASE_LIB_DIR/$LIB_FILE" "${ports% *}" "${ports#* }" "$home/certs/ca.pem"
