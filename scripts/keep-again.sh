#!/usr/bin/env bash
# Solves kept results again by the commands they name and keeps them anew, certificates included:
# scripts/keep-again.sh [RESULT...], by default all below results/. A result whose schedule would
# change stays as it is and is named, unless CHANGES=1.
set -uo pipefail

milp=target/debug/milp
mkdir -p out
if [ $# -eq 0 ]; then
    mapfile -t kept < <(find results -name expected.yaml -printf '%h\n' | sort)
else
    kept=("$@")
fi
code=0
for dir in "${kept[@]}"; do
    name=${dir#results/}
    command=$(sed -n 's/^command: milp //p' "$dir/outcome.yaml")
    engines=$(sed -n 's/^- as: //p' "$dir/expected.yaml" | paste -sd,)
    read -ra arguments <<<"$command"
    # 0 is proved; whatever else a solve ends with is nothing to keep.
    if ! "$milp" "${arguments[@]}" --out "out/$name" >/dev/null 2>"out/keep-again.log"; then
        echo "$name: not solved, see out/keep-again.log" >&2
        code=1
    elif [ -z "${CHANGES:-}" ] && ! cmp -s "out/$name/schedule.csv" "$dir/schedule.csv"; then
        echo "$name: another schedule, left as it is" >&2
        code=1
    else
        # The command line is kept as it was: where it was written to says nothing.
        sed -i "s|^command: .*|command: milp $command|" "out/$name/outcome.yaml"
        "$milp" promote "out/$name" --force ${engines:+--engine "$engines"} || code=1
    fi
done
exit "$code"
