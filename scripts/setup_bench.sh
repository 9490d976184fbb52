#!/usr/bin/env bash
# Installs what is missing for `make bench`: system packages with apt-get. The Rust peers come with cargo.
# Says what it does, and nothing if there is nothing to do.
#
# setup_bench.sh all|check: for every client, or for counting ours alone
. "$(dirname "$0")/lib.sh"
exec </dev/null

goal=${1:-all}
case $goal in
  all | check) ;;
  *) die "setup_bench.sh all|check, not \`$goal\`" ;;
esac
[ "$(uname -s)" = Linux ] || die "the benchmark counts and pins by what only Linux has"

missing=()
need() { # need PACKAGE COMMAND...: the command tells whether the package's work can be done
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || missing+=("$package")
}
has() { command -v "$1"; }
compiles() { # compiles COMPILER SUFFIX
  printf '#include <stdlib.h>\nint main(void) { return 0; }\n' >"$T/setup_probe.$2" &&
    "$1" "$T/setup_probe.$2" -o "$T/setup_probe"
}
includes() { # includes LANGUAGE HEADER
  printf '#include <%s>\n' "$2" | "${CC:-cc}" -E -x "$1" -
}

need gcc compiles cc c
need libc6-dev compiles cc c
need python3 has python3
need openssl has openssl
need binutils has strip
need util-linux has taskset
need valgrind has valgrind
need strace has strace
need libssl-dev includes c openssl/ssl.h
if [ "$goal" = all ]; then
  need g++ compiles c++ cc
  need libwebsockets-dev includes c libwebsockets.h
  need libboost-dev includes c++ boost/version.hpp
fi

if [ ${#missing[@]} -gt 0 ]; then
  say "setup: missing: ${missing[*]}"
  has apt-get >/dev/null || die "install these with this system's package manager, then run it again: ${missing[*]}"
  sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    has sudo >/dev/null || die "run as root, or install sudo: apt-get install ${missing[*]}"
    sudo=(sudo)
  fi
  apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
  # A list of packages of yesterday may name files that are gone.
  run "${apt[@]}" update
  run "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
fi
has cargo >/dev/null || die "there is no cargo: install Rust with rustup (https://rustup.rs)"
