#!/usr/bin/env bash
# Where a client spends its instructions, for each message: see profile_run.py.
#
# profile.sh [--client NAME] [--library FILE] [--counts LESS,MORE] [--top N] [--keep DIR] SCENARIO...
. "$(dirname "$0")/../scripts/lib.sh"

bash benches/build.sh server taro
exec python3 benches/profile_run.py "$@"
