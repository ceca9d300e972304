#!/usr/bin/env bash
# Finds the solver HiGHS for the build: scripts/highs.sh
#
# PyPI has it compiled, with its headers: that takes seconds and lies below target/, where it
# bothers nobody. Compiling it from source takes 6 to 13 minutes; it is done where there is no
# compiled one, or where MILP_HIGHS=source asks for it. Cargo learns which one it is from
# .cargo/config.toml, which is written here and nowhere else.
# Exit code 0: a compiled library is ready. 3: it will be compiled from source.
set -uo pipefail
cd "$(dirname "$0")/.."

folder=target/highs
library=$folder/highsbox/highs_dist/lib
wanted=scripts/highs.txt
config=.cargo/config.toml
mark="# Written by scripts/highs.sh."

# A configuration of somebody else is left alone.
ours() { [ ! -e "$config" ] || [ "$(head -n 1 "$config")" = "$mark" ]; }

from_source() {
    ours && rm -f "$config"
    echo "HiGHS: compiled from source, which takes 6 to 13 minutes once ($1)." >&2
    exit 3
}

say_library() {
    echo "HiGHS: $(sed -n 's/^highsbox==\([^ ]*\).*/\1/p' $wanted) of PyPI's highsbox, in $library." >&2
}

case "${MILP_HIGHS:-}" in
"") ;;
source) from_source "MILP_HIGHS=source" ;;
*)
    echo "MILP_HIGHS=$MILP_HIGHS: it may be 'source' or be left out." >&2
    exit 1
    ;;
esac
ours || {
    echo "HiGHS: as $config says, which is not ours to change." >&2
    exit 3
}
if [ -e "$config" ] && cmp -s "$wanted" "$folder/ready"; then
    say_library
    exit 0
fi
command -v pkg-config >/dev/null || from_source "there is no pkg-config"
command -v python3 >/dev/null || from_source "there is no python3 to fetch a compiled one with"

# Fetched beside its place, so that a fetch that is killed leaves nothing that looks ready.
new=$folder.new.$$
trap 'rm -rf "$new"' EXIT
mkdir -p target
python3 -m pip --version >/dev/null 2>&1 || from_source "python3 has no pip to fetch a compiled one with"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps \
    --require-hashes --only-binary=:all: --target "$new" -r "$wanted" >&2 ||
    from_source "pip could not fetch a compiled one, see above"
pc=$new/highsbox/highs_dist/lib/pkgconfig/highs.pc
# The file still says where it was compiled.
sed -i.orig -e 's|^prefix=.*|prefix=${pcfiledir}/../..|' -e 's|^libdir=.*|libdir=${prefix}/lib|' \
    -e 's|^includedir=.*|includedir=${prefix}/include/highs|' "$pc"
rm -f "$pc.orig"
PKG_CONFIG_PATH=${pc%/*} pkg-config --exists highs || from_source "pkg-config does not read $pc"
cp "$wanted" "$new/ready"
rm -rf "$folder"
mv "$new" "$folder"

mkdir -p .cargo
cat >"$config.new" <<END
$mark
[env]
HOST_PKG_CONFIG_PATH = { value = "$library/pkgconfig", relative = true }
LIBCLANG_PATH = { value = "$folder/clang/native", relative = true }
END
mv "$config.new" "$config"
say_library
