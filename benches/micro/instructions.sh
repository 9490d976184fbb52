#!/usr/bin/env bash
# Instructions that protocol work costs, each time that it is done, without any I/O: counted by callgrind, as the
# difference between doing it more often and less. Fails if one is over its bound.
#
# instructions.sh [NAME...]: these only
. "$(dirname "$0")/../../scripts/lib.sh"
exec </dev/null

command -v valgrind >/dev/null || die "there is no valgrind: see scripts/setup.sh"
home=$T/micro
export CARGO_TARGET_DIR=$home
cargo build --quiet --release --locked --manifest-path benches/micro/Cargo.toml --bin instructions
program=$home/release/instructions

count() { # count NAME TIMES
  valgrind -q --tool=callgrind --callgrind-out-file="$home/callgrind.out" "$program" "$1" "$2"
  awk '$1 == "totals:" {print $2}' "$home/callgrind.out"
}

less=16 more=176 over=0
printf '%-36s %14s %8s\n' "" instructions "at most"
while read -r name bound; do
  if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then
    continue
  fi
  cost=$((($(count "$name" $more) - $(count "$name" $less) + (more - less) / 2) / (more - less)))
  mark=
  if [ "$bound" != - ] && [ "$cost" -gt "$bound" ]; then
    mark=" over" over=1
  fi
  printf '%-36s %14s %8s%s\n' "$name" "$cost" "$bound" "$mark"
done < <("$program")
exit $over
