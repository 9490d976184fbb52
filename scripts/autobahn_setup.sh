#!/usr/bin/env bash
# Puts the Autobahn WebSocket test suite below target/autobahn, and nothing anywhere else. The suite runs on Python
# 2.7 alone, which current systems do not have: it comes from packages of Debian 11, unpacked, not installed.
#
# Exits with 77, and says why, where the suite cannot be had.
. "$(dirname "$0")/lib.sh"
exec </dev/null

wanted=ffi-tests/autobahn/requirements.txt
suite=$T/autobahn/suite
release=bullseye
# OpenSSL and libffi of that release are what its Python is linked with; the headers are for wsaccel.
packages=(python2.7-minimal libpython2.7-minimal libpython2.7-stdlib libpython2.7-dev libffi7 libssl1.1 libexpat1)

skip() { printf '\nSKIPPED: the Autobahn suite: %s\n\n' "$*" >&2; exit 77; }
has() { command -v "$1" >/dev/null; }
quietly() { # quietly COMMAND...: its output goes to the log, and is shown if it fails
  "$@" >"$log" 2>&1 || { tail -n 20 "$log" >&2; return 1; }
}

sum=$({ cat "$wanted" "$0"; } | sha256sum)
if [ "$(cat "$suite/.stamp" 2>/dev/null)" = "$sum" ]; then
  exit 0
fi

# A compiler, and a pip that fetches another.
if ! has cc || [ ! -x "$VENV/bin/pip" ]; then
  bash scripts/setup.sh test
fi
for tool in apt-get dpkg; do
  has "$tool" || skip "there is no $tool, and Python 2.7 comes from Debian's packages"
done
keyring=
for file in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
  [ ! -f "$file" ] || keyring=$file
done
[ -n "$keyring" ] || skip "there is no key of Debian's archive (package debian-archive-keyring)"

say "setup: the Autobahn suite into $suite"
rm -rf "$suite"
mkdir -p "$suite"
work=$(mktemp -d "$T/autobahn/setup.XXXXXX")
trap 'rm -rf "$work"' EXIT
log=$work/log
mkdir -p "$work"/{debs,lists/partial,cache/archives/partial}
: >"$work/status"

# apt with a configuration of its own: it sees one source and no installed package, and needs no root.
own_apt() {
  (cd "$work/debs" && quietly apt-get -q \
    -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null -o Dir::State::Lists="$work/lists" \
    -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" -o APT::Sandbox::User="$(id -un)" \
    -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Update::Error-Mode=any "$@")
}

# The archives that this system gets its own packages from, Debian's if apt knows whose they are.
archives() {
  local format='$(REPO_URI)' all=('Created-By: Packages' 'Component: main')
  local known
  known=$(apt-get indextargets --format "$format" "${all[@]}" 'Origin: Debian')
  [ -n "$known" ] || known=$(apt-get indextargets --format "$format" "${all[@]}")
  printf '%s\n' "$known" | awk 'NF && !seen[$0]++'
}

fetch_python() {
  local archive
  for archive in $(archives); do
    printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$archive" "$release" >"$work/sources.list"
    say "setup: Python 2.7 of Debian $release from $archive"
    if own_apt update && own_apt download "${packages[@]}"; then
      return 0
    fi
  done
  return 1
}

fetch_python || skip "Python 2.7 could not be fetched (package python2.7-minimal of Debian $release)"
for deb in "$work"/debs/*.deb; do
  dpkg -x "$deb" "$suite/root"
done

mkdir "$suite/bin"
python=$suite/bin/python2
cat >"$python" <<END
#!/bin/sh
root=\$(cd "\$(dirname "\$0")/../root" && pwd) || exit 1
for folder in "\$root"/usr/lib/*-linux-* "\$root"/lib/*-linux-*; do
  LD_LIBRARY_PATH=\$folder\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}
done
unset PYTHONPATH
export LD_LIBRARY_PATH PYTHONHOME="\$root/usr" PYTHONNOUSERSITE=1
exec "\$root/usr/bin/python2.7" "\$@"
END
chmod +x "$python"
quietly "$python" -c 'import ssl, zlib' || skip "Python 2.7 of Debian $release does not run here"

say "setup: Python packages of $wanted into $suite"
fetch_packages() {
  local site=$suite/root/usr/lib/python2.7/dist-packages include=$suite/root/usr/include
  local first='^(pip|setuptools|wheel)=='
  grep -E "$first" "$wanted" >"$work/first.txt"
  grep -vE "$first" "$wanted" >"$work/others.txt"
  quietly "$VENV/bin/pip" download --no-deps --only-binary :all: --dest "$work" "$(grep '^pip==' "$wanted")" || return 1
  local wheels=("$work"/pip-*.whl)
  # pip runs out of its own archive, and installs what builds the others, and itself, first.
  local install=("$python" -W ignore "${wheels[0]}/pip" --disable-pip-version-check --no-input install --no-deps
    --no-python-version-warning --no-build-isolation --target "$site")
  export CFLAGS="-O2 -fno-strict-aliasing -I$include -I$include/python2.7"
  quietly "${install[@]}" -r "$work/first.txt" && quietly "${install[@]}" -r "$work/others.txt"
}
fetch_packages || skip "its Python packages could not be installed"
quietly "$python" ffi-tests/autobahn/fuzzing_server.py --check || die "the Autobahn suite does not run"
printf '%s\n' "$sum" >"$suite/.stamp"
