#!/usr/bin/env bash
# Tries what kits/python has for work on many machines, and the action: scripts/kits.sh
#
# Dask and a validator of JSON Schema are fetched in pinned versions into an environment of its own below target/kits.
set -euo pipefail
cd "$(dirname "$0")/.."

lock=scripts/kits/python.txt
environment=$PWD/target/kits/python
if ! cmp -s "$lock" "$environment/ready"; then
    rm -rf "$environment"
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes \
        --only-binary=:all: -r "$lock"
    cp "$lock" "$environment/ready"
fi
"$environment/bin/python" scripts/install/check.py
"$environment/bin/python" kits/python/tests/dask_sweep.py target/debug/milp
