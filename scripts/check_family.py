#!/usr/bin/env python3
"""Checks attacks for every n, in whole numbers and without any code of milp.

    scripts/check_family.py DIR      (or PROGRAM.json FAMILY.csv)

What is checked: base + k1 step1 + k2 step2 + ... satisfies all rows and bounds of the program and
gives the goal `at_least`, for all whole k >= 0. Binaries and units stay what they are in the base, so
that every row is linear in 1, n, f, b and the counts: it holds for all k if it holds for the base, and
for each step with 0 in place of 1. That nothing bad exists elsewhere is in rest.json and rest.csv, for
scripts/check_every_n.py. docs/CERTIFICATES.md says what each name means.
"""
import csv
import json
import os
import sys

from check_every_n import Wrong, hashes, need

PARAMETERS = ("n", "f", "b")


def check(program, at_least, base, step, one):
    """`point` satisfies everything, 1 being `one`; of a step the binaries are those of the base."""
    point = step if step is not None else base
    binaries, units = set(program["binaries"]), set(program["units"])
    at = [one] + [point.get(it, 0) for it in PARAMETERS]

    def value(four):
        return sum(k * it for k, it in zip(four, at))

    need(set(point) <= set(program["columns"]) | set(PARAMETERS), "an unknown column")
    need(all(value(it) >= 0 for it in program["region"]), "the region")
    for column, upper in program["columns"].items():
        fixed = one == 0 and column in binaries | units
        need(0 <= point.get(column, 0) <= (0 if fixed else value(upper)), column)
    for name, row in program["rows"].items():
        total = -value(row["upper"])
        for column, four in row["terms"].items():
            if column in binaries:
                total += value(four) * base.get(column, 0)
            else:
                need(four[1:] == [0, 0, 0], "a product with a count")
                total += four[0] * point.get(column, 0)
        need(total <= 0, f"row {name}")
    need(one == 0 or sum(base.get(it, 0) for it in program["goal"]) >= at_least, "the goal")


def families(lines):
    need(lines and lines[0] == ["part", "name", "value"], "another header")
    found = []
    for part, name, value in lines[1:]:
        need(part in ("base", "step"), "neither base nor step")
        if name == "n" and part == "base":
            found.append([{}])
        elif name == "n":
            found[-1].append({})
        need(found and (part == "base") == (len(found[-1]) == 1), "a part at the wrong place")
        need(name not in found[-1][-1], "a value twice")
        found[-1][-1][name] = int(value)
    return found


def main(paths):
    if len(paths) == 1:
        hashes(paths[0], "family.yaml", {"program": "program.json", "members": "family.csv"})
        paths = [os.path.join(paths[0], it) for it in ("program.json", "family.csv")]
    with open(paths[0], encoding="utf-8") as file:
        said = json.load(file)
    with open(paths[1], encoding="utf-8", newline="") as file:
        found = families(list(csv.reader(file)))
    (program,) = said["programs"]
    need(found and said["at_least"] > 0, "nothing is claimed")
    for base, *steps in found:
        check(program, said["at_least"], base, None, 1)
        for step in steps:
            need(step["n"] > 0, "a step that does not grow")
            check(program, said["at_least"], base, step, 0)
    places = ("(%d, %d, %d)" % tuple(base.get(it, 0) for it in PARAMETERS) for base, *_ in found)
    return f"verified: an attack for every n from (n, f, b) = {', '.join(places)} on"


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:]))
    except (Wrong, KeyError, ValueError) as error:
        sys.exit(f"not verified: {error}")
