"""Solve, read the result, print a table: python3 results.py [MILP [INSTANCE [FOLDER]]]

Python's standard library alone. The cells between `# %%` are those of a notebook: Jupyter, VS Code and Spyder run
them one by one.
"""

# %% What is asked, and who answers
import csv
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

MILP = sys.argv[1] if len(sys.argv) > 1 else "milp"
INSTANCE = sys.argv[2] if len(sys.argv) > 2 else "instances/dbft2/n4-stall-nspcc.yaml"
OUT = Path(sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp() + "/result")


def milp(*arguments):
    """What a command found. 0 is proved or harmless, 12 something bad, 10 not settled; 1 and 2 are failures."""
    command = [MILP, *arguments, "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    document = json.loads(ran.stdout)
    if document["error"]:
        raise SystemExit(document["error"]["message"])
    return document["result"]


# %% Solve: the answer, and what it rests on
found = milp("solve", INSTANCE, "--out", str(OUT), "--quiet")
print(found["sentence"].split(". Left out: ")[0])
print(f"value {found['primal']}, bound {found['dual']}, proved: {found['proved']}, {found['seconds']:.1f} s\n")

# %% The schedule: one choice of the adversary a row (docs/SCHEDULE.md)
with open(OUT / "schedule.csv", encoding="utf-8", newline="") as file:
    choices = list(csv.DictReader(file))
counts = Counter((row["kind"] or "–", row["choice"], int(row["delay"] or 0) > 1) for row in choices)
print(f"{'message':<16} {'choice':<8} {'late':<5} {'copies':>6}")
for (kind, choice, late), copies in sorted(counts.items()):
    print(f"{kind:<16} {choice:<8} {'yes' if late else '':<5} {copies:>6}")

# %% What replicas do with it
[verdict] = milp("replay", str(OUT), "--dry-run")["verdicts"]
print(f"\nreplay: {verdict['termination']}, {verdict['divergences']} divergences")
print("\n".join(verdict["notes"]))
