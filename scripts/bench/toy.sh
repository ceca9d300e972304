#!/usr/bin/env bash
# The benchmarks at a toy size, so that they keep working: solves, table and plot. Asserts no time.
set -euo pipefail

toy=target/bench/toy
mkdir -p "$toy"
python3 scripts/bench/run.py --toy
python3 scripts/bench/page.py target/bench/toy.ndjson "$toy"
first=$(cat "$toy"/*)
python3 scripts/bench/page.py target/bench/toy.ndjson "$toy"
[ "$first" = "$(cat "$toy"/*)" ] || { echo "the page differs between two runs on one history"; exit 1; }
