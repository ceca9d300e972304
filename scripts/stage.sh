#!/usr/bin/env bash
# Runs one stage of a build: scripts/stage.sh NAME COMMAND [ARGUMENT...]
# Prints one line with the stage's name, result and time; its output only when it fails.
set -uo pipefail

name=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT

start=$SECONDS
if "$@" >"$log" 2>&1; then
    printf '%-10s ok      %5d s\n' "$name" $((SECONDS - start))
    # A stage may have one thing to say even when it passes, say the number of tests.
    grep -E '^stage: ' "$log" | sed 's/^stage: //' || true
else
    code=$?
    cat "$log"
    printf '%-10s FAILED  %5d s   (exit %d: %s)\n' "$name" $((SECONDS - start)) "$code" "$*"
    exit "$code"
fi
