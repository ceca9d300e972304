#!/usr/bin/env bash
# Installs milp for a user: scripts/install/user.sh [PREFIX], ~/.local unless said.
#
# Builds it by the profile `release` in a folder of its own, puts the command into PREFIX/bin and the
# solver's library into PREFIX/lib/milp, and takes the build away: the checkout need not stay. The
# last line says how long the build took, how large it was and what stays. BUILD=FOLDER builds there
# and leaves it.
set -euo pipefail
cd "$(dirname "$0")/../.."

prefix=${1:-$HOME/.local}
scripts/setup.sh
export PATH=$PATH:$HOME/.cargo/bin
mkdir -p target
build=${BUILD:-$(mktemp -d target/install.XXXXXX)}
[ -n "${BUILD:-}" ] || trap 'rm -rf "$build"' EXIT

start=$SECONDS
cargo build --locked --release --package milp-cli --target-dir "$build"
seconds=$((SECONDS - start))
install -D "$build/release/milp" "$prefix/bin/milp"
# Where HiGHS was compiled from source it is inside of the command.
library=target/highs/highsbox/highs_dist/lib/libhighs.so
[ ! -e "$library" ] || install -D "$library" "$prefix/lib/milp/libhighs.so"

megabytes() { du -sm --apparent-size "$@" | awk '{ sum += $1 } END { print sum }'; }
stays=("$prefix/bin/milp")
[ ! -e "$prefix/lib/milp" ] || stays+=("$prefix/lib/milp")
echo "stage: $prefix/bin/milp: built in $seconds s; $(megabytes "$prefix/bin/milp") MB," \
    "$(megabytes "${stays[@]}") MB with its library, and the build took $(megabytes "$build") MB"
