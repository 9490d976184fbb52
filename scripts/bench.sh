#!/usr/bin/env bash
# What `make bench` runs: sets up, builds the library, the server and the clients, and measures.
#
# bench.sh [OPTION...]: those of benches/run.py. With --library FILE that build is measured and none is made.
. "$(dirname "$0")/lib.sh"
exec </dev/null

goal=all
library=
previous=
for argument in "$@"; do
  case $argument in
    --check | --set-bounds) goal=check ;;
    --library=*) library=${argument#*=} ;;
    -h | --help) exec python3 benches/run.py --help ;;
  esac
  [ "$previous" != --library ] || library=$argument
  previous=$argument
done

bash scripts/setup_bench.sh "$goal"
if [ -z "$library" ]; then
  run cargo build --release --locked
  library=$RELEASE_LIB_DIR/$LIB_FILE
fi
export BENCH_LIBRARY=$library
if [ "$goal" = check ]; then
  bash benches/build.sh server taro
else
  bash benches/build.sh
fi
exec python3 benches/run.py "$@"
