"""Makes docs/ATLAS.md's table: solves every case and its fix, counts the acts of the smallest attack.

    python3 scripts/atlas/atlas.py [--limit SECONDS] [--only T2,H3] [--kept] [--check]

`cases.csv` beside it has the cases: the protocol's instance with the defect and the one with the fix.
Nothing of an attack stands there; the optimiser finds it. The rows
of other cases stay. --kept takes the values of results that are kept
in place of solving. --check compares values with the table that is there and writes nothing. Standard library only.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MILP = Path(os.environ.get("MILP", ROOT / "target" / "debug" / "milp"))
PAGE = ROOT / "docs" / "ATLAS.md"
CASES = Path(__file__).resolve().parent / "cases.csv"
MARKS = ("<!-- atlas: make atlas writes it anew -->", "<!-- end -->")
HEADER = ["case", "what breaks", "property", "n", "faulty", "views", "with the defect", "with the fix", "acts of the smallest attack", "s"]


def milp(*arguments):
    """The document of a command, whatever its exit code."""
    ran = subprocess.run([MILP, *arguments, "--json", "--quiet"], capture_output=True, text=True, check=False)
    document = json.loads(ran.stdout)
    if document["error"]:
        sys.exit(f"milp {' '.join(map(str, arguments))}: {document['error']}")
    return document["result"], document["facts"]


def fields(instance):
    """n, who is faulty and the views of an instance file."""
    lines = [line.split("#")[0] for line in (ROOT / instance).read_text(encoding="utf-8").splitlines()]
    keys = dict(line.split(":", 1) for line in lines if ":" in line)
    faults = keys.get("faults", "").strip(" {}")
    count = dict(part.split(":") for part in faults.split(", ") if part.count(":") == 1)
    who = {key.strip(): value.strip() for key, value in count.items()}
    if "replicas" in who:
        number = who["replicas"].count(",") + 1
    else:
        number = who.get("count", "0")
    kind = who.get("kind", "none").replace("byzantine", "Byzantine")
    faulty = "nobody" if kind == "none" else f"{number} {kind}"
    return keys["replicas"].strip(), faulty, keys["views"].strip()


def words(result, facts):
    """The value and what it rests on; seconds."""
    value = result.get("value") or facts[0].get("value") or result["termination"]
    proved = "proved" if result["proved"] else f"not proved, {result['termination']}"
    return f"{value}, {proved}"


def answered(instance, out, limit, kept):
    """Where the answer to an instance is, its words, and seconds: solved, or as it is kept."""
    there = ROOT / "results" / Path(instance).relative_to("instances").with_suffix("")
    if not kept:
        result, facts = milp("solve", str(ROOT / instance), "--out", out, "--time-limit", limit)
        return out, words(result, facts), result["seconds"]
    _, facts = milp("verify", str(there))
    lines = (there / "outcome.yaml").read_text(encoding="utf-8").splitlines()
    outcome = dict(line.split(": ", 1) for line in lines if ": " in line and not line.startswith(" "))
    outcome["proved"] = outcome["proved"] == "true"
    return str(there), words(outcome, facts), float(outcome["seconds"])


def acts(folder, small, limit):
    """The acts of the smallest attack."""
    result, _ = milp("minimize", folder, "--out", small, "--time-limit", limit)
    counted = [f"{it['after']} {it['act'].replace('faulty replicas', 'faulty')}" for it in result["stages"] if it["after"]]
    return ", ".join(counted) + ("" if result["proved"] else " (not proved fewest)")


def row(case, limit, kept, check):
    """A row of the table."""
    if not case["defect"]:
        return [case["case"], case["what"], case["property"], "", "", "", case["fix"], "", "", ""]
    seconds, found, places = 0.0, [], []
    with tempfile.TemporaryDirectory() as folder:
        for which in ("defect", "fix"):
            if not case[which].startswith("instances/"):
                found.append(case[which])
                continue
            place, said, spent = answered(case[which], f"{folder}/{which}", limit, kept)
            places.append(place)
            seconds += spent
            found.append(said)
        smallest = "" if check else acts(places[0], f"{folder}/small", limit)
    n, faulty, views = fields(case["defect"])
    return [case["case"], case["what"], case["property"], n, faulty, views, *found, smallest, f"{seconds:.1f}"]


def written(rows):
    """The lines of the table."""
    return [f"| {' | '.join(cells)} |" for cells in [HEADER, ["---"] * len(HEADER), *rows]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", default="600", help="seconds for each instance")
    parser.add_argument("--only", default="", help="cases, separated by commas")
    parser.add_argument("--kept", action="store_true", help="values of kept results, nothing is solved")
    parser.add_argument("--check", action="store_true", help="compare values with the table, write nothing")
    asked = parser.parse_args()
    with CASES.open(encoding="utf-8", newline="") as file:
        cases = list(csv.DictReader(file))
    only = set(filter(None, asked.only.split(",")))
    unknown = only - {case["case"] for case in cases}
    if unknown:
        sys.exit(f"no case {', '.join(sorted(unknown))} in {CASES.relative_to(ROOT)}")
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(MARKS[0])
    table, after = rest.split(MARKS[1])
    there = [line[2:-2].split(" | ") for line in table.splitlines() if line.startswith("|")]
    kept = {cells[0]: cells for cells in there}
    rows, wrong = [], []
    for case in cases:
        if only and case["case"] not in only:
            if case["case"] in kept:
                rows.append(kept[case["case"]])
            continue
        cells = row(case, asked.limit, asked.kept, asked.check)
        rows.append(cells)
        print(" | ".join(cells), flush=True)
        says = kept.get(case["case"], [])[6:8]
        if asked.check and says != cells[6:8]:
            wrong.append(f"{case['case']}: the page says {says}")
    if wrong:
        sys.exit("\n".join(wrong))
    if not asked.check:
        PAGE.write_text(before + "\n".join([MARKS[0], *written(rows), MARKS[1]]) + after, encoding="utf-8")


main()
