#!/usr/bin/env bash
# The examples and C tests as a host builds them, linked with the shared and the static library, and under valgrind,
# against an echo server that others wrote (Python's websockets).
. "$(dirname "$0")/../lib.sh"

home=$(mktemp -d "$T/examples.XXXXXX")
server=
clean_up() {
  local status=$?
  exec 3>&- 4<&-
  [ -z "$server" ] || wait "$server" || true
  rm -rf "$home"
  exit "$status"
}
trap clean_up EXIT

mkfifo "$home/in" "$home/out"
"$VENV/bin/python" ffi-tests/support/echo_websockets.py <"$home/in" >"$home/out" &
server=$!
exec 3>"$home/in" 4<"$home/out"
IFS= read -r port <&4 || die "the echo server did not start"
url=ws://127.0.0.1:$port/echo

# Programs look for the library under its SONAME.
ln -s "$RELEASE_LIB_DIR/$LIB_FILE" "$home/libtaro_socket.so.1"
flags=(-Wall -Wextra -Wpedantic -Werror -O1 -g -I include)
private=(-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc)

for source in ffi-tests/c/*.c examples/minimal.c examples/host_loop.c examples/echo.cpp; do
  name=$(basename "${source%.*}")
  case $source in
    *.c) compiler=(cc -std=c11) ;;
    *) compiler=(c++ -std=c++17) ;;
  esac
  "${compiler[@]}" "${flags[@]}" "$source" -o "$home/$name.shared" -L"$RELEASE_LIB_DIR" -ltaro_socket -Wl,-rpath,"$home" -lpthread
  "${compiler[@]}" "${flags[@]}" "$source" -o "$home/$name.static" "$RELEASE_LIB_DIR/libtaro_socket.a" "${private[@]}"
  for kind in shared static; do
    say "+ $name, $kind"
    timeout 60 "$home/$name.$kind" "$url" >"$home/log" 2>&1 || { cat "$home/log"; die "$name, $kind failed"; }
  done
  say "+ $name, under valgrind"
  timeout 120 valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite,indirect,possible \
    --error-exitcode=99 "$home/$name.shared" "$url" >"$home/log" 2>&1 || { cat "$home/log"; die "$name, valgrind"; }
done
