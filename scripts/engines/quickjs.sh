#!/usr/bin/env bash
# The sources of both QuickJS engines for tests and the mini host, below target/engines: quickjs-ng and
# quickjs-bellard. They come through cargo out of the crates that bindings/tests/quickjs/engine pins. Says
# nothing if there is nothing to do.
#
# engines/quickjs.sh

. "$(dirname "$0")/../lib.sh"
exec </dev/null

from=bindings/tests/quickjs/engine
to=$T/engines
sum=$(cat "$from/Cargo.toml" "$from/Cargo.lock" "${BASH_SOURCE[0]}" | sha256sum)
if [ -f "$to/.quickjs" ] && [ "$(cat "$to/.quickjs")" = "$sum" ]; then
  exit
fi
say "setup: engines of $from/Cargo.lock into $to"
# Only for this machine's system: the lock names crates for others too.
host=$(rustc -vV | sed -n 's/^host: //p')
run cargo fetch --quiet --locked --manifest-path "$from/Cargo.toml" --target "$host"

# Where cargo has unpacked a crate is in its metadata only.
folder_of() { # folder_of CRATE
  cargo metadata --format-version 1 --locked --offline --filter-platform "$host" --manifest-path "$from/Cargo.toml" |
    grep -o "\"manifest_path\":\"[^\"]*/$1-[0-9][^\"]*/Cargo.toml\"" | sed 's/^"manifest_path":"//; s|/Cargo.toml"$||'
}

take() { # take CRATE FOLDER NAME
  local crate
  crate=$(folder_of "$1")
  [ -f "$crate/$2/quickjs.c" ] || die "there is no $2/quickjs.c in the crate $1"
  rm -rf "${to:?}/$3"
  mkdir -p "$to/$3"
  cp "$crate/$2"/*.c "$crate/$2"/*.h "$to/$3/"
  [ ! -f "$crate/$2/VERSION" ] || cp "$crate/$2/VERSION" "$to/$3/"
}

mkdir -p "$to"
take libquickjs-ng-sys embed/quickjs quickjs-ng
take hirofa-quickjs-sys bellard/quickjs quickjs-bellard
printf '%s\n' "$sum" >"$to/.quickjs"
