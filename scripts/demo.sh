#!/usr/bin/env bash
# What `make demo` runs after set-up: builds the library and the mini host of examples/mini-host, starts a server on
# this machine, with a certificate made on the spot, and runs both examples of Taro's documentation of connectSocket,
# word for word, each as an app of the mini host.
#
# demo.sh [quickjs|jsc|c]: with another engine than QuickJS; c: examples/demo.c in place of the mini host.

# Also as `sh scripts/demo.sh`.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"

kind=${1:-quickjs}
case $kind in
  quickjs | jsc | c) ;;
  *) die "demo.sh [quickjs|jsc|c], not \`$kind\`" ;;
esac
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

build_host() {
  local from=examples/mini-host to=$T/mini-host jsc=OFF
  [ "$kind" != jsc ] || jsc=ON
  scripts/engines/quickjs.sh
  run cmake -S "$from" -B "$to" -DTARO_LIB_DIR="$RELEASE_LIB_DIR" -DTARO_QUICKJS_DIR="$T/engines/quickjs-ng" \
    -DTARO_JSC="$jsc" >"$home/log" 2>&1 &&
    run cmake --build "$to" --parallel 2 >>"$home/log" 2>&1 && return
  cat "$home/log" >&2
  die "the mini host was not built"
}

say "+ cargo build --release --locked"
cargo build --release --locked
if [ "$kind" = c ]; then
  run "${CC:-cc}" -std=c11 -O2 -Wall -Wextra -Wpedantic -I include examples/demo.c -o "$home/demo" -lpthread -ldl
else
  say "+ the mini host, with $kind (the engine takes half a minute the first time)"
  build_host
fi

say "+ a server on 127.0.0.1, with a certificate for echo.websocket.org and example.qq.com"
# A certificate authority of its own, and a certificate that it signs: as with real ones, the client trusts
# the first and checks the second.
make_certificates() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=demo CA" \
    -addext basicConstraints=critical,CA:TRUE -keyout "$home/ca.key" -out "$home/ca.pem"
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=echo.websocket.org" \
    -keyout "$home/server.key" -out "$home/server.csr"
  printf 'subjectAltName=DNS:echo.websocket.org,DNS:example.qq.com\nextendedKeyUsage=serverAuth\n' >"$home/server.ext"
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
ws=${ports% *} wss=${ports#* }

if [ "$kind" = c ]; then
  run "$home/demo" "$RELEASE_LIB_DIR/$LIB_FILE" "$ws" "$wss" "$home/ca.pem"
  exit
fi

# Shows an app's script, runs it, and checks that its output has each of the lines, in this order.
show() { # show APP LINE...
  local app=examples/mini-host/apps/$1 line
  shift
  printf '\n--- %s/app.js\n\n' "$app"
  cat "$app/app.js"
  printf '\n%9s  %-12s %-8s\n' ms app what
  "$T/mini-host/mini-host" --engine "$kind" --timeline --ca "$home/ca.pem" \
    --resolve "example.qq.com:443=127.0.0.1:$wss" --resolve "echo.websocket.org:80=127.0.0.1:$ws" "$app" |
    tee "$home/log"
  exec 5<"$home/log"
  for line; do
    local found=
    while [ -z "$found" ] && IFS= read -r found <&5; do
      case $found in *"$line"*) ;; *) found= ;; esac
    done
    [ -n "$found" ] || die "the demo's output has no \`$line\`, or not in its place"
  done
  exec 5<&-
}
show taro-doc-1 'connect wss://example.qq.com' 'ms with protocol1' 'close 1000 "goodbye"'
show taro-doc-2 'connect ws://echo.websocket.org/echo' 'log     connect success' 'log     onOpen' \
  'log     onMessage:  { data: "xxx"' 'log     onClose:  { code: 1000'
printf '\nAll done: both apps ended by themselves, and the library was shut down.\n'
