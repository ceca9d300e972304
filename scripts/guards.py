"""Makes the tables of the protocols' pages that say which guard carries what.

    python3 scripts/guards.py [--views N] [--limit SECONDS] [PROTOCOL ...]

For each protocol, all that have such a table if none is named, `milp explain --guards` is asked, for views and seconds
as its page says unless others are given, and what it prints is written between the two marks. Standard library only.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MILP = Path(os.environ.get("MILP", ROOT / "target" / "debug" / "milp"))
MARKS = ("<!-- guards: scripts/guards.py writes it anew -->\n", "<!-- end of guards -->\n")
ASKED = re.compile(r"--views (\d+) --time-limit (\d+)")


def page(name):
    """The page of a protocol: what is before its table, the table, what is behind."""
    lines = (ROOT / "protocols" / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    path = ROOT / next(line for line in lines if line.startswith("page: ")).removeprefix("page: ")
    before, rest = path.read_text(encoding="utf-8").split(MARKS[0])
    return path, before, *rest.split(MARKS[1])


def write(name, arguments, printed):
    """Puts what was printed on the page."""
    path, before, _, after = page(name)
    says = f"`milp {' '.join(arguments)}` takes each rule away by itself, and each single guard, and asks again: {SETTING}"
    path.write_text(f"{before}{MARKS[0]}{says}\n\n{printed.strip()}\n{MARKS[1]}{after}", encoding="utf-8")


SETTING = (
    "the most blocks of a height, and the most good views without a decision after a bad one, with gossip; "
    "one Byzantine replica of the fewest from 4 on in which every count can be reached ([EXPLAIN.md](../EXPLAIN.md))."
)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--views", help="views within which is looked")
    parser.add_argument("--limit", help="seconds for each protocol")
    parser.add_argument("protocol", nargs="*")
    asked = parser.parse_args()
    names = asked.protocol
    if not names:
        names = [path.stem for path in sorted((ROOT / "docs" / "protocols").glob("*.md")) if MARKS[0] in path.read_text(encoding="utf-8")]
    for name in names:
        views, limit = ASKED.search(page(name)[2]).groups() if ASKED.search(page(name)[2]) else ("3", "600")
        arguments = ["explain", "--guards", f"protocols/{name}.yaml", "--views", asked.views or views, "--time-limit", asked.limit or limit]
        ran = subprocess.run([MILP, *arguments, "--markdown", "--quiet"], cwd=ROOT, capture_output=True, text=True, check=False)
        if ran.returncode not in (0, 10):
            sys.exit(f"milp {' '.join(arguments)}: {ran.stderr}")
        write(name, arguments, ran.stdout)
        print(name, ran.stdout.strip().splitlines()[-2:], flush=True)


if __name__ == "__main__":
    main()
