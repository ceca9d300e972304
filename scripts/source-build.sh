#!/usr/bin/env bash
# Compiles HiGHS from source, as on a machine that cannot fetch it, and solves with it.
#
# It takes 6 to 13 minutes, so a machine does it once for each set of packages that others made.
# The files of this checkout are copied, to where Cargo does not see its configuration.
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${XDG_CACHE_HOME:-$HOME/.cache}/milp
packages=$(grep "^checksum" Cargo.lock | sort | sha256sum | cut -c 1-16)
stamp=$cache/source-build-$packages
if [ -e "$stamp" ]; then
    echo "stage: HiGHS was compiled from source with these packages here before"
    exit 0
fi

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z | tar --null --files-from - --create --file - | tar --extract --directory "$copy"
cd "$copy"
MILP_HIGHS=source scripts/setup.sh
# The library is compiled as always, the rest as fast as can be.
env -u CARGO_TARGET_DIR CARGO_PROFILE_DEV_OPT_LEVEL=0 cargo build --locked --package milp-cli
target/debug/milp solve instances/n4.yaml | grep -F 'proved by a bound in exact integers'
! ldd target/debug/milp | grep -F libhighs
mkdir -p "$cache"
touch "$stamp"
echo "stage: HiGHS compiled from source"
