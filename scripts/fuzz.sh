#!/usr/bin/env bash
# What is hostile, at the size that CI asks for: 10,000 damaged files, 500 pairs of an instance and
# a start, adapters that misbehave in sixty ways. No panic, no hang, no more memory than a gigabyte.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/test.sh --package milp-study --test hostile_files
scripts/test.sh --package milp-cli --test adapters --test hostile
