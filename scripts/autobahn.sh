#!/usr/bin/env bash
# Runs the Autobahn WebSocket test suite: its fuzzing server, and ffi-tests/autobahn/testee.c over the C ABI.
#
# autobahn.sh [quick|full] [LIB_DIR]: quick, the default, leaves compression out. LIB_DIR has the library, which is
# target/release by default. Exits with 77 where the suite cannot be had.
. "$(dirname "$0")/lib.sh"
exec </dev/null

goal=${1:-quick}
lib_dir=${2:-$RELEASE_LIB_DIR}
case $goal in
  quick | full) ;;
  *) die "autobahn.sh quick|full, not \`$goal\`" ;;
esac
[ -f "$lib_dir/$LIB_FILE" ] || die "there is no $lib_dir/$LIB_FILE: cargo build --release"

python3 ffi-tests/autobahn/compare.py --self-test
bash scripts/autobahn_setup.sh

home=$T/autobahn
# The testee loads a copy, under the SONAME: what is built meanwhile does not matter.
abi=$(awk '$2 == "TARO_ABI_VERSION" {print $3}' include/taro_socket.h)
library=$home/$LIB_FILE.$abi
cp "$lib_dir/$LIB_FILE" "$library.new"
mv "$library.new" "$library"
"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Wpedantic -Werror -I include ffi-tests/autobahn/testee.c \
  "$library" -Wl,-rpath,"$home" -lpthread -o "$home/testee"

# In place of this shell: it ends what it started, also when it is told to end.
exec python3 ffi-tests/autobahn/run.py "$goal" "$home/suite/bin/python2" "$home/testee" "$home/$goal"
