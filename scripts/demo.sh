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
# A certificate authority of its own, and a certificate that it signs: as with real ones, the client trusts
# the first and checks the second.
make_certificates() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=demo CA" \
    -addext basicConstraints=critical,CA:TRUE -keyout "$home/ca.key" -out "$home/ca.pem"
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=echo.websocket.org" \
    -keyout "$home/server.key" -out "$home/server.csr"
  printf 'subjectAltName=DNS:echo.websocket.org\nextendedKeyUsage=serverAuth\n' >"$home/server.ext"
  openssl x509 -req -in "$home/server.csr" -CA "$home/ca.pem" -CAkey "$home/ca.key" -CAcreateserial -days 2 \
    -extfile "$home/server.ext" -out "$home/server.pem"
}
if ! make_certificates >"$home/log" 2>&1; then
  cat "$home/log" >&2
  die "no certificates were made"
fi
mkfifo "$home/in" "$home/out"
python3 examples/echo_server.py "$home/server.pem" "$home/server.key" <"$home/in" >"$home/out" &
server=$!
exec 3>"$home/in" 4<"$home/out"
# The line comes when the server listens, or the pipe ends with the server.
IFS= read -r line <&4 || die "the echo server did not start"
read_ports='import json, sys; ports = json.loads(sys.argv[1]); print(ports["ws"], ports["wss"])'
ports=$(python3 -c "$read_ports" "$line" 2>/dev/null) ||
  die "the echo server said no ports: $line"

run "$home/demo" "$RELEASE_LIB_DIR/$LIB_FILE" "${ports% *}" "${ports#* }" "$home/ca.pem"
