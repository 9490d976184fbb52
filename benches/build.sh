#!/usr/bin/env bash
# Builds the server and the clients of the benchmark into target/bench.
#
# build.sh [PROGRAM...]: these only; all that there are by default.
. "$(dirname "$0")/../scripts/lib.sh"
exec </dev/null

out=$T/bench
mkdir -p "$out"
warnings=(-g -O3 -Wall -Wextra -Wpedantic -Werror)
c=("${CC:-cc}" -std=c11 "${warnings[@]}")
cxx=("${CXX:-c++}" -std=c++17 "${warnings[@]}")

compile() { # compile SOURCE LIBRARIES COMMAND...: unless the program is newer than its source and every header
  local source=benches/c/$1 libraries program
  read -ra libraries <<<"$2"
  program=$(basename "${1%.*}")
  shift 2
  if [ ! -x "$out/$program" ] ||
    [ -n "$(find "$source" benches/c/*.h benches/build.sh include -newer "$out/$program" -print -quit)" ]; then
    run "$@" "$source" -o "$out/$program.new" "${libraries[@]}" && mv "$out/$program.new" "$out/$program"
  fi
}

# Clients of the library find it when they start, by LD_LIBRARY_PATH: any build of it can be measured.
library=${BENCH_LIBRARY:-$RELEASE_LIB_DIR/$LIB_FILE}
taro() { compile taro.c "$library -lpthread" "${c[@]}" -I include; }
start() { compile start.c "" "${c[@]}"; }
server() { compile server.c "-lssl -lcrypto" "${c[@]}"; }
floor() { compile floor.c -lpthread "${c[@]}"; }
epoll_floor() { compile epoll_floor.c -lpthread "${c[@]}"; }
lws() { compile lws.c "-lwebsockets -lpthread" "${c[@]}"; }
beast() { compile beast.cc "-lssl -lcrypto -lpthread" "${cxx[@]}"; }
rust_peers() {
  local peer
  run cargo build --release --locked --manifest-path benches/rust/Cargo.toml --target-dir "$out/rust" || return 1
  for peer in benches/rust/src/bin/*.rs; do
    peer=$(basename "$peer" .rs)
    ln -sf "rust/release/$peer" "$out/$peer" || return 1
  done
}

programs=(server start taro floor epoll_floor lws beast rust_peers)
[ $# -eq 0 ] || programs=("$@")
for program in "${programs[@]}"; do
  "$program" || die "$program was not built"
done
