#!/usr/bin/env bash
# Installs what is missing for `make demo` or `make test`: system packages with apt-get, the rest below target/.
# Says what it does, and nothing if there is nothing to do.
#
# setup.sh demo|test|check

. "$(dirname "$0")/lib.sh"
exec </dev/null

goal=${1:-test}
case $goal in
  demo | test | check) ;;
  *) die "setup.sh demo|test|check, not \`$goal\`" ;;
esac

missing=()
need() { # need PACKAGE COMMAND...: the command tells whether the package's work can be done
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || missing+=("$package")
}
has() { command -v "$1"; }
compiles() { # compiles COMPILER SUFFIX
  printf '#include <stdlib.h>\nint main(void) { return 0; }\n' >"$T/setup_probe.$2" && "$1" "$T/setup_probe.$2" -o "$T/setup_probe"
}
has_node_api() {
  local home
  home=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
  [ -f "$home/include/node/node_api.h" ] || [ -f /usr/include/node/node_api.h ] || [ -f /usr/include/nodejs/src/node_api.h ]
}
# Daemons are not on everybody's PATH.
has_server() { has "$1" || [ -x "/usr/sbin/$1" ]; }
has_browser() { has chromium || has chromium-browser || has google-chrome; }
has_venv() { python3 -c 'import ensurepip, venv'; }

install_packages() {
  [ ${#missing[@]} -eq 0 ] && return
  say "setup: missing: ${missing[*]}"
  has apt-get >/dev/null || die "install these with this system's package manager, then run it again: ${missing[*]}"
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    has sudo >/dev/null || die "run as root, or install sudo: apt-get install ${missing[*]}"
    sudo=(sudo)
  fi
  local apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
  # A list of packages of yesterday may name files that are gone.
  run "${apt[@]}" update
  run "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
}

check_rust() {
  has cargo >/dev/null || die "there is no cargo: install Rust with rustup (https://rustup.rs)"
  [ "$goal" = demo ] && return
  local component
  for component in rustfmt clippy; do
    cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1 || run rustup component add "$component"
  done
}

# A stamp holds the checksum of all that its folder was made from.
stamped() { [ -f "$1/.stamp" ] && [ "$(cat "$1/.stamp")" = "$2" ]; }

make_venv() {
  local wanted=ffi-tests/support/requirements.txt sum
  sum=$({ python3 --version; command -v python3; cat "$wanted"; } | sha256sum)
  stamped "$VENV" "$sum" && return
  say "setup: Python packages of $wanted into $VENV"
  rm -rf "$VENV"
  run python3 -m venv "$VENV"
  run "$VENV/bin/pip" install --quiet --disable-pip-version-check --no-input -r "$wanted"
  printf '%s\n' "$sum" >"$VENV/.stamp"
}

make_npm() { # make_npm FROM TO: the packages that FROM pins into TO/node_modules
  local from=$1 to=$2 sum
  sum=$({ node --version; cat "$from/package.json" "$from/package-lock.json"; } | sha256sum)
  stamped "$to" "$sum" && return
  say "setup: npm packages of $from/package-lock.json into $to"
  rm -rf "$to"
  mkdir -p "$to"
  cp "$from/package.json" "$from/package-lock.json" "$to/"
  (cd "$to" && run npm ci --no-audit --no-fund --loglevel=error)
  printf '%s\n' "$sum" >"$to/.stamp"
}

need gcc compiles cc c
need libc6-dev compiles cc c
need python3 has python3
if [ "$goal" != check ]; then
  need openssl has openssl
  need g++ compiles c++ cc
  need cmake has cmake
fi
if [ "$goal" = test ]; then
  need ninja-build has ninja
  need valgrind has valgrind
  # memcheck reads the dynamic loader's symbols, which are in a package of their own.
  need libc6-dbg valgrind --quiet --error-exitcode=1 "$T/setup_probe"
  need binutils has readelf
  need python3-venv has_venv
  need nodejs has node
  need npm has npm
  # Headers of Node-API: beside the program, or in a package of Debian's.
  need libnode-dev has_node_api
  need pkg-config has pkg-config
  need libjavascriptcoregtk-4.1-dev pkg-config --exists javascriptcoregtk-4.1
  need mosquitto has_server mosquitto
  need chromium has_browser
fi
install_packages
check_rust
if [ "$goal" = test ]; then
  make_venv
  make_npm ffi-tests/support "$NODE_DIR"
  make_npm bindings/tests/clients "$T/clients"
  python3 bindings/tests/h5/run.py --install --npm "$T/h5"
fi
# `make demo` runs a script engine.
if [ "$goal" != check ]; then
  scripts/engines/quickjs.sh
fi
