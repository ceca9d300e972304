#!/usr/bin/env bash
# Solves kept results again by the commands they name and keeps them anew, certificates included:
# scripts/keep-again.sh [RESULT...], by default all below results/, those that others are made of
# first. A result whose schedule would change stays as it is and is named, unless CHANGES=1.
# MINIMAL=1 also keeps, below results/minimal/, the fewest acts with which something breaks or
# stops, where they are proved the fewest within two minutes and the schedule is another one.
set -uo pipefail

milp=${MILP:-target/debug/milp}
mkdir -p out
if [ $# -eq 0 ]; then
    mapfile -t kept < <(find results -name expected.yaml -printf '%h\n' | sort | awk '/^results.minimal/{later = later $0 "\n"; next} {print} END{printf "%s", later}')
else
    kept=("$@")
fi
code=0

# The command line is kept as it was: where it was written to says nothing.
keep() { # NAME COMMAND ENGINES
    sed -i "s|^command: .*|command: milp $2|" "out/$1/outcome.yaml"
    "$milp" promote "out/$1" --force ${3:+--engine "$3"}
}

for dir in "${kept[@]}"; do
    name=${dir#results/}
    command=$(sed -n 's/^command: milp //p' "$dir/outcome.yaml")
    engines=$(sed -n 's/^- as: //p' "$dir/expected.yaml" | paste -sd,)
    read -ra arguments <<<"$command"
    # 0 is proved; whatever else a run ends with is nothing to keep.
    if ! "$milp" "${arguments[@]}" --out "out/$name" >/dev/null 2>"out/keep-again.log"; then
        echo "$name: not solved, see out/keep-again.log" >&2
        code=1
    elif [ -z "${CHANGES:-}" ] && ! cmp -s "out/$name/schedule.csv" "$dir/schedule.csv"; then
        echo "$name: another schedule, left as it is" >&2
        code=1
    else
        keep "$name" "$command" "$engines" || code=1
    fi
    if [ -n "${MINIMAL:-}" ] && grep -qE 'violated|stuck' "$dir/expected.yaml" &&
        [ "${name#minimal/}" = "$name" ]; then
        fewest="minimize results/$name --time-limit 120 --quiet"
        read -ra arguments <<<"$fewest"
        ended=0
        "$milp" "${arguments[@]}" --out "out/minimal/$name" >/dev/null 2>"out/keep-again.log" ||
            ended=$?
        if [ "$ended" -eq 10 ]; then
            echo "$name: not proved minimal in time" >&2
        elif [ "$ended" -ne 0 ]; then
            echo "$name: not minimised, $(tail -n 1 out/keep-again.log)" >&2
        elif ! cmp -s "out/minimal/$name/schedule.csv" "$dir/schedule.csv" ||
            ! cmp -s "out/minimal/$name/predictions.csv" "$dir/predictions.csv"; then
            keep "minimal/$name" "$fewest" "$engines" || code=1
        else
            echo "$name: as few acts as can be already" >&2
        fi
    fi
done
exit "$code"
