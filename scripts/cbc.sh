#!/usr/bin/env bash
# Runs the tests that search again with CBC. Only good_lp and the crates here compile again for
# this feature; HiGHS does not.
set -uo pipefail

scripts/setup.sh cbc || exit
log=$(mktemp)
trap 'rm -f "$log"' EXIT
code=0
cargo test --locked --workspace --features milp-cli/cbc,milp-published/cbc --test cbc >"$log" 2>&1 || code=$?
[ "$code" -eq 0 ] || cat "$log"
awk '/^test result:/ { passed += $4 }
     END { printf "stage: %d passed with CBC\n", passed; exit passed == 0 }' "$log" || code=1
exit "$code"
