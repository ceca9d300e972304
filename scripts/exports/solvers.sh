#!/usr/bin/env bash
# Solves exported programs with GLPK, CBC and HiGHS: solvers.sh OUT TOOLS
#
# Every file of five instances, LP and MPS, in every solver: the optimum is the one that is kept,
# and the solver's own solution file becomes a result whose replay follows its predictions.
set -euo pipefail
cd "$(dirname "$0")/../.."

out=$1 tools=$2
milp=$PWD/target/debug/milp
# Two senses, two formulations, one goal with a constant (n7-views).
instances=(dbft1/n4-delays-fork dbft2/n4-stall dbft2/n7-views dbft2/n4-finality
    mutants/n4-small-quorum-fork)

# The command of HiGHS: beside the library that the build takes, or fetched.
highs=$PWD/target/highs/highsbox/highs_dist
if [ ! -x "$highs/bin/highs" ]; then
    highs=$tools/highsbox/highsbox/highs_dist
    [ -x "$highs/bin/highs" ] || python3 -m pip install --quiet --disable-pip-version-check \
        --root-user-action ignore --no-deps --require-hashes --only-binary=:all: \
        --target "$tools/highsbox" -r scripts/highs.txt
fi
export LD_LIBRARY_PATH=$highs/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}

# Solves a file and prints the optimum; the solver's solution file is FILE.SOLVER. HiGHS writes
# each of its styles with names once, the last one stays.
glpk() {
    local kind=--lp
    [[ $1 == *.mps ]] && kind=--freemps
    glpsol "$kind" "$1" --output "$1.glpk" >"$1.log"
    grep -q "^Status: *INTEGER OPTIMAL" "$1.glpk" && awk '/^Objective:/ {print $4}' "$1.glpk"
}
cbc_() {
    cbc "$1" solve solution "$1.cbc" quit >"$1.log"
    sed -n '1s/^Optimal - objective value //p' "$1.cbc"
}
highs_() {
    # HiGHS keeps a log where it is run unless it is told where.
    printf 'write_solution_style = %s\nlog_file = %s\n' "${2:-0}" "$1.highs.log" >"$1.options"
    "$highs/bin/highs" "$1" --options_file "$1.options" --solution_file "$1.highs$2" >"$1.log"
    awk '/^  Status/ && $2 != "Optimal" {exit} /^  Primal bound/ {print $3}' "$1.log"
}

# What the instance's goal is worth by a file's optimum: comments of MPS files say when it is the
# negative of what is maximised.
value() {
    local sign=1
    grep -q "^\* value of the goal = -1 \* the optimum" "$1" && sign=-1
    awk -v optimum="$2" -v sign="$sign" 'BEGIN {if (optimum == "") exit 1; printf "%d", sign * optimum}'
}

# Whether a file's optimum is the value that is kept.
compare() {
    local file=$1 solver=$2 optimum=$3 kept=$4 found
    found=$(value "$file" "$optimum") && [ "$found" = "$kept" ] || {
        echo "$file: $solver finds an optimum of '$optimum', and the value kept is $kept." >&2
        return 1
    }
}

# The solution file becomes a result with that value, and replicas follow it.
back() {
    local instance=$1 solution=$2 kept=$3 dir=$2.result code=0
    "$milp" import "$solution" --instance "instances/$instance.yaml" --out "$dir" >"$solution.log"
    grep -qx "primal: $kept" "$dir/outcome.yaml" || {
        echo "$solution became a result of another value than $kept." >&2
        return 1
    }
    "$milp" replay "$dir" --dry-run >"$solution.replay" || code=$?
    if { [ "$code" -ne 0 ] && [ "$code" -ne 12 ]; } || ! grep -q "divergences  0" "$solution.replay"; then
        cat "$solution.replay"
        echo "The replay of $solution ended with $code." >&2
        return 1
    fi
}

rm -rf "$out"
solved=0 imported=0
for instance in "${instances[@]}"; do
    dir=$out/$instance
    mkdir -p "$dir"
    kept=$(sed -n 's/^primal: //p' "results/$instance/outcome.yaml")
    "$milp" export "instances/$instance.yaml" --lp --out "$dir/program.lp"
    "$milp" export "instances/$instance.yaml" --mps --out "$dir/program.mps" 2>>"$dir/notes"
    if [ "$solved" -eq 0 ]; then
        # A comparison that takes everything proves nothing: a maximisation that is minimised.
        sed 's/ minus_objective -/ minus_objective /' "$dir/program.mps" >"$dir/broken.mps"
        for solver in glpk cbc_ highs_; do
            optimum=$($solver "$dir/broken.mps" "")
            ! compare "$dir/broken.mps" $solver "$optimum" "$kept" 2>/dev/null || {
                echo "$solver: the optimum of a broken file is taken." >&2
                exit 1
            }
        done
    fi
    for file in "$dir/program.lp" "$dir/program.mps"; do
        for run in "glpk" "cbc_" "highs_ 0" "highs_ 1" "highs_ 4"; do
            read -r solver style <<<"$run"
            optimum=$($solver "$file" "${style:-}")
            compare "$file" "$solver" "$optimum" "$kept"
            back "$instance" "$file.${solver%_}${style:-}" "$kept"
            solved=$((solved + 1)) imported=$((imported + 1))
        done
    done
done
echo "${#instances[@]} programs as LP and MPS in GLPK, CBC and HiGHS: $solved optima as kept," \
    "$imported solution files back"
