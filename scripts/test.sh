#!/usr/bin/env bash
# What `make test` runs after set-up, cheapest first; stops at the first step that fails.
#
# test.sh [STEP...]: these steps only.
. "$(dirname "$0")/lib.sh"
exec </dev/null

format() { cargo fmt --check; }
layering() { python3 scripts/checks/layering.py --self-test && python3 scripts/checks/layering.py; }
header_sections() { python3 scripts/checks/header_sections.py --self-test && python3 scripts/checks/header_sections.py; }
lints() {
  cargo clippy --quiet --locked --all-targets -- -D warnings &&
    cargo clippy --quiet --locked --all-targets --features test-hooks -- -D warnings
}
header_drift() { bash scripts/checks/header_drift.sh; }
unit() { cargo test --quiet --locked; }
library() { cargo build --release --locked; }
exports() { bash scripts/checks/exports.sh "$RELEASE_LIB_DIR/$LIB_FILE"; }
examples() { bash scripts/checks/examples.sh; }
demo() { bash scripts/demo.sh; }

steps=(format layering header_sections lints header_drift unit library exports examples demo)
[ $# -eq 0 ] || steps=("$@")
for step in "${steps[@]}"; do
  say "== $step"
  start=$SECONDS
  "$step" || die "$step failed"
  say "== $step: $((SECONDS - start)) s"
done
say "passed: ${steps[*]}"
