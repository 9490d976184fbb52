#!/usr/bin/env bash
# What `make test` runs after set-up, cheapest first; stops at the first step that fails.
#
# test.sh [STEP...]: these steps only. TEST_JOBS: tests at a time, the number of processors by default.
# TEST_AUTOBAHN=quick leaves the suite's many cases of compression out, TEST_FUZZ_SECONDS is how long each target is
# fuzzed.
#
# A step that cannot be run here says so and is named again at the end.
. "$(dirname "$0")/lib.sh"
exec </dev/null

jobs=${TEST_JOBS:-$(getconf _NPROCESSORS_ONLN)}

format() { cargo fmt --check; }
layering() { python3 scripts/checks/layering.py --self-test && python3 scripts/checks/layering.py; }
header_sections() { python3 scripts/checks/header_sections.py --self-test && python3 scripts/checks/header_sections.py; }
lints() {
  cargo clippy --quiet --locked --all-targets -- -D warnings &&
    cargo clippy --quiet --locked --all-targets --features test-hooks -- -D warnings
}
header_drift() { bash scripts/checks/header_drift.sh; }
unit() { cargo test --quiet --locked; }
library() {
  cargo build --release --locked &&
  # A folder of its own, so that neither build takes the other's place.
  cargo build --release --locked --features test-hooks --target-dir "$T/hooks"
}
exports() { bash scripts/checks/exports.sh "$RELEASE_LIB_DIR/$LIB_FILE"; }
readme() { python3 scripts/checks/readme.py "$RELEASE_LIB_DIR" "$(bash scripts/checks/native_libs.sh)"; }
demo() { bash scripts/demo.sh && bash scripts/demo.sh c; }
# Instructions and system calls for each message, against committed bounds.
bounds() { bash scripts/bench.sh --check --library "$RELEASE_LIB_DIR/$LIB_FILE"; }
autobahn() { bash scripts/autobahn.sh "${TEST_AUTOBAHN:-full}"; }
fuzz() { bash scripts/fuzz.sh "${TEST_FUZZ_SECONDS:-30}"; }

# The C and C++ tests, once for each way in which a host gets the library or looks after its memory.
shared() { ctest_of ffi-tests shared; }
static() { ctest_of ffi-tests static -DTARO_LINK=static; }
dlopen() { ctest_of ffi-tests dlopen -DTARO_LINK=dlopen; }
sanitize() { ctest_of ffi-tests sanitize -DTARO_SANITIZE=address,undefined; }
memcheck() { ctest_of ffi-tests memcheck -DTARO_VALGRIND=ON; }
# The script engines, and what runs on them: real clients, a browser beside the mini host.
bindings() { ctest_of bindings plain "${fetched[@]}"; }
bindings_sanitize() { ctest_of bindings sanitize "${fetched[@]}" -DTARO_SANITIZE=address,undefined; }
# Where set-up has put what they need.
fetched=(-DQUICKJS_SOURCE_DIR="$T/engines/quickjs-ng" -DQUICKJS_BELLARD_SOURCE_DIR="$T/engines/quickjs-bellard"
  -DTARO_QUICKJS_DIR="$T/engines/quickjs-ng" -DTARO_CLIENTS_NODE_PATH="$T/clients/node_modules" -DTARO_TEST_H5_NPM="$T/h5")

ctest_of() { # ctest_of FOLDER NAME [CMAKE_OPTION...]
  local from=$1 home=$T/$1/$2
  shift 2
  cmake -G Ninja -S "$from" -B "$home" -DTARO_LIB_DIR="$RELEASE_LIB_DIR" -DTARO_HOOKS_LIB_DIR="$HOOKS_LIB_DIR" \
    -DTARO_TEST_PYTHON="$VENV/bin/python" -DTARO_TEST_NODE_PATH="$NODE_DIR/node_modules" "$@" >"$T/cmake.log" ||
    { cat "$T/cmake.log"; return 1; }
  cmake --build "$home" -- --quiet || return 1
  ctest --test-dir "$home" --output-on-failure --no-tests=error --parallel "$jobs"
}

steps=(format layering header_sections lints header_drift unit library exports readme
  shared static dlopen sanitize bindings bindings_sanitize memcheck demo bounds autobahn fuzz)
[ $# -eq 0 ] || steps=("$@")
passed=() skipped=()
for step in "${steps[@]}"; do
  say "== $step"
  start=$SECONDS
  status=0
  "$step" || status=$?
  case $status in
    0) passed+=("$step") ;;
    77) skipped+=("$step") ;;
    *) die "$step failed" ;;
  esac
  say "== $step: $((SECONDS - start)) s"
done
say "passed: ${passed[*]}"
[ ${#skipped[@]} -eq 0 ] || say "SKIPPED, see above: ${skipped[*]}"
