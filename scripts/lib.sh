# What every script here shares. Sourced, with bash, from the repository's scripts.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"

# Everything that is made stands here, so that `make clean` is one rm.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$ROOT/target}
T=$CARGO_TARGET_DIR
mkdir -p "$T"

# rustup's folder is not on the PATH of a shell that was started before rustup was.
if ! command -v cargo >/dev/null && [ -f "$HOME/.cargo/env" ]; then
  . "$HOME/.cargo/env"
fi

# Tools speak English: checks read what they print.
export LC_ALL=C.UTF-8
# Python leaves no caches in the source tree.
export PYTHONDONTWRITEBYTECODE=1

say() { printf '%s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
# Shows a command, then runs it.
run() { printf '+ %s\n' "$*"; "$@"; }

RELEASE_LIB_DIR=$T/release
HOOKS_LIB_DIR=$T/hooks/release
VENV=$T/venv
NODE_DIR=$T/node

case $(uname -s) in
  Darwin) LIB_FILE=libtaro_socket.dylib ;;
  *) LIB_FILE=libtaro_socket.so ;;
esac
