#!/usr/bin/env bash
# The way of the data once, on a small instance: solve, replay, verify. The replay confirms a fork
# of dBFT 1.0, so it ends with 12.
set -euo pipefail
cd "$(dirname "$0")/.."

milp=$PWD/target/debug/milp
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

"$milp" solve instances/dbft1/n4-delays-fork.yaml --out "$out/fork"
code=0
"$milp" replay "$out/fork" || code=$?
[ "$code" -eq 12 ]
"$milp" verify "$out/fork"
