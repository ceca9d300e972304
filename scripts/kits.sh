#!/usr/bin/env bash
# Tries what kits/python has for work on many machines: scripts/kits.sh
#
# Dask is fetched in pinned versions into an environment of its own below target/kits.
set -euo pipefail
cd "$(dirname "$0")/.."

lock=scripts/kits/dask.txt
environment=$PWD/target/kits/dask
if ! cmp -s "$lock" "$environment/ready"; then
    rm -rf "$environment"
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes \
        --only-binary=:all: -r "$lock"
    cp "$lock" "$environment/ready"
fi
"$environment/bin/python" kits/python/tests/dask_sweep.py target/debug/milp
