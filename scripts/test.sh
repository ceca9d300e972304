#!/usr/bin/env bash
# Runs every test, or those that the arguments choose, and says how many there were; the complete
# output only if one fails.
set -uo pipefail

log=$(mktemp)
trap 'rm -f "$log"' EXIT

code=0
cargo test --locked --workspace --no-fail-fast "$@" >"$log" 2>&1 || code=$?
[ "$code" -eq 0 ] || cat "$log"
awk '/^test result:/ { passed += $4; failed += $6; skipped += $8 }
     END { printf "stage: %d passed, %d failed, %d skipped\n", passed, failed, skipped
           exit (passed == 0 || skipped > 0) }' "$log" || code=1
exit "$code"
