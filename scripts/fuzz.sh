#!/usr/bin/env bash
# Fuzzes the protocol: each target of fuzz/ for some seconds, from its seeds and what earlier runs have found.
#
# fuzz.sh [SECONDS] [TARGET...]: 30 seconds for each of all targets by default. Needs Rust's nightly toolchain, of
# which the sanitizers are part, and a C++ compiler; exits with 77 where they or cargo-fuzz cannot be had.
# FUZZ_TOOLCHAIN: another name of such a toolchain.
. "$(dirname "$0")/lib.sh"
exec </dev/null

CARGO_FUZZ=0.13.2
# What made the corpus so far stays below this; longer inputs are slower, and patterns in them are repeated anyway.
MAX_INPUT_BYTES=1024

seconds=30
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
  seconds=$1
  shift
fi
targets=("$@")
if [ $# -eq 0 ]; then
  for file in fuzz/fuzz_targets/*.rs; do
    targets+=("$(basename "$file" .rs)")
  done
fi
for target in "${targets[@]}"; do
  [ -f "fuzz/fuzz_targets/$target.rs" ] || die "there is no fuzz target \`$target\`"
done

skip() {
  say "SKIPPED, nothing was fuzzed: $*"
  exit 77
}

toolchain=${FUZZ_TOOLCHAIN:-nightly}
cargo "+$toolchain" --version >/dev/null 2>&1 ||
  skip "there is no toolchain \`$toolchain\`: rustup toolchain install $toolchain --profile minimal"
command -v c++ >/dev/null || skip "there is no C++ compiler"

home=$T/fuzz
tools=$home/tools
mkdir -p "$home"
if [ "$("$tools/bin/cargo-fuzz" --version 2>/dev/null)" != "cargo-fuzz $CARGO_FUZZ" ]; then
  export CARGO_TARGET_DIR=$tools/build
  run cargo install --quiet --locked --root "$tools" --version "=$CARGO_FUZZ" cargo-fuzz ||
    skip "cargo-fuzz $CARGO_FUZZ could not be installed"
  rm -rf "$tools/build"
fi

# Other versions of the crates than the library has would be fuzzed in vain.
packages() { awk '$1 == "name" {name = $3} $1 == "version" && $2 == "=" {print name, $3}' "$1" | sort; }
other=$(comm -13 <(packages Cargo.lock) <(packages fuzz/Cargo.lock) |
  while read -r name version; do
    ! grep -q "^name = $name$" Cargo.lock || printf '%s %s ' "$name" "$version"
  done)
[ -z "$other" ] || die "fuzz/Cargo.lock differs from Cargo.lock in: $other"
cargo metadata --quiet --locked --format-version 1 --manifest-path fuzz/Cargo.toml >/dev/null

export CARGO_TARGET_DIR=$home
RUSTUP_TOOLCHAIN=$toolchain "$tools/bin/cargo-fuzz" build --fuzz-dir fuzz >"$home/build.log" 2>&1 ||
  { cat "$home/build.log"; die "the fuzz targets do not build"; }
programs=$home/$(rustc "+$toolchain" -vV | awk '$1 == "host:" {print $2}')/release

# Memory that is given back is forgotten soon: a quarantine of hundreds of MiB costs half of the speed.
export ASAN_OPTIONS=quarantine_size_mb=8:detect_odr_violation=0

failed=()
for target in "${targets[@]}"; do
  corpus=$home/corpus/$target artifacts=$home/artifacts/$target log=$home/$target.log
  mkdir -p "$corpus" "$artifacts"
  options=(-max_total_time="$seconds" -timeout=20 -max_len="$MAX_INPUT_BYTES" -print_final_stats=1
    -artifact_prefix="$artifacts/")
  dictionary=fuzz/dictionaries/$target.dict
  [ ! -f "$dictionary" ] || options+=(-dict="$dictionary")
  if "$programs/$target" "${options[@]}" "$corpus" "fuzz/corpus/$target" >"$log" 2>&1; then
    runs=$(awk '$1 == "stat::number_of_executed_units:" {print $2}' "$log")
    [ "${runs:-0}" -gt 0 ] || { tail "$log"; die "$target ran nothing"; }
    say "$target: $runs inputs, $(grep -c . <(ls "$corpus")) found in all, clean"
    continue
  fi
  failed+=("$target")
  awk '!/^(#|INFO|Dictionary)/ && ++lines <= 40' "$log"
  input=$(awk '/Test unit written to/ {print $NF}' "$log")
  say "$target: FAILED; the whole output is in $log"
  [ -z "$input" ] || say "the input, $input, in Base64: $(base64 -w 0 "$input")"
  say "to see it again: ASAN_OPTIONS=$ASAN_OPTIONS $programs/$target $input"
done
[ ${#failed[@]} -eq 0 ] || die "fuzzing found something in: ${failed[*]}"
say "clean, $seconds seconds each: ${targets[*]}"
