"""Makes docs/BENCHMARKS.md's table and docs/benchmarks.svg from the history: page.py [HISTORY [FOLDER]]

Both show the last run in the history and are the same bytes whenever they are made from it.
"""

import json
import math
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MARKS = ("<!-- benchmarks -->", "<!-- end -->")
SERIES = [
    ("published", "CBC", "#b2182b"),
    ("published", "CP-SAT", "#ef8a62"),
    ("published", "HiGHS", "#d6a000"),
    ("timed", "CBC", "#999999"),
    ("timed", "CP-SAT", "#bbbbbb"),
    ("timed", "HiGHS", "#67a9cf"),
    ("counting", "HiGHS", "#1b7837"),
    ("causal", "HiGHS", "#762a83"),
]


def last_run(history):
    """The lines of the last run, in their order."""
    lines = [json.loads(line) for line in history.read_text(encoding="utf-8").splitlines()]
    solves = [line for line in lines if "program" in line]
    if not solves:
        sys.exit(f"there is no run in {history}")
    return [line for line in solves if line["run"] == solves[-1]["run"]]


def ended(line):
    """Whether a solve answered its question within its limit."""
    return line["state"] == "measured" and line.get("termination") in ("optimal", "infeasible")


def number(value, digits=0):
    if value is None:
        return "–"
    rounded = round(value, digits) if digits else round(value)
    return f"{rounded:,}" if abs(rounded) >= 10000 else f"{rounded:g}" if digits else str(rounded)


def seconds(value):
    return "–" if value is None else f"{value:.2f}" if value < 100 else f"{value:.0f}"


def said(line):
    """The result of a solve in words."""
    if line["state"] != "measured":
        return line["state"]
    primal, dual = line.get("primal"), line.get("dual")
    words = line["termination"] + (f" {number(primal)}" if primal is not None else "")
    if line["termination"] in ("feasible", "undecided") and dual is not None:
        words += f", bound {number(dual, 1)}"
    return words + (", proved" if line.get("proved") else "")


def table(lines):
    """One row per solve; seconds as ratio to the fastest that answered the same question."""
    head = (
        "| n | views | goal | program | by | result | times the fastest | seconds | CPU s | nodes |"
        " root bound | columns | rows | non-zeros | build s | peak MiB |"
    )
    rows = [head, "|---:|---:|---|---|---|---|" + "---:|" * 10]
    fastest = {}
    for line in lines:
        if ended(line):
            key = (line["replicas"], line["goal"])
            fastest[key] = min(fastest.get(key, math.inf), line["seconds"])
    for line in lines:
        best = fastest.get((line["replicas"], line["goal"]))
        taken = line.get("seconds") if line["state"] == "measured" else None
        ratio = "–"
        if taken is not None and best:
            ratio = ("" if ended(line) else "> ") + number(taken / best, 1)
        cells = [
            line["replicas"],
            line["views"],
            line["goal"],
            f"`{line['program']}`",
            line["by"],
            said(line),
            ratio,
            seconds(taken),
            seconds(line["cpu_seconds"] if taken is not None else None),
            number(line.get("nodes")),
            number(line.get("root_bound"), 2),
            number(line.get("columns")),
            number(line.get("rows")),
            number(line.get("nonzeros")),
            seconds(line.get("build_seconds")),
            number(line["peak_bytes"] / 2**20) if taken is not None else "–",
        ]
        rows.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return rows


def facts(lines):
    first = lines[0]
    solvers = sorted({line["solver"] for line in lines if "solver" in line})
    return [
        f"Run of {first['run']} at commit `{first['commit'][:10]}`, {first['machine']}, one thread,"
        f" {first['limit_seconds']:g} s for each solve; {', '.join(solvers)}.",
        "",
    ]


def generated(page, text):
    """The page with what stands between the marks replaced."""
    before, rest = page.split(MARKS[0], 1)
    after = rest.split(MARKS[1], 1)[1]
    return before + MARKS[0] + "\n" + text + "\n" + MARKS[1] + after


WIDTH, HEIGHT, LEFT, TOP, GAP = 300, 200, 56, 70, 56
LOW, HIGH = -2, 3


def place(column, row, x, decade):
    """Coordinates of a point in a panel: x from 0 to 1, seconds as a power of ten."""
    decade = min(max(decade, LOW), HIGH)
    across = LEFT + column * (WIDTH + GAP) + x * WIDTH
    down = TOP + row * (HEIGHT + GAP) + (HIGH - decade) / (HIGH - LOW) * HEIGHT
    return round(across, 1), round(down, 1)


def panel(goal, lines, sizes, column, row):
    """Seconds over n for one goal, one line per program and solver."""
    out = []
    left, top = place(column, row, 0, HIGH)
    out.append(f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#888"/>')
    out.append(f'<text x="{left}" y="{top - 8}" font-weight="bold">{goal}</text>')
    at = {n: (k + 0.5) / len(sizes) for k, n in enumerate(sizes)}
    for n in sizes:
        x, y = place(column, row, at[n], LOW)
        out.append(f'<text x="{x}" y="{y + 15}" text-anchor="middle">n = {n}</text>')
    for decade in range(LOW, HIGH + 1):
        x, y = place(column, row, 0, decade)
        out.append(f'<path d="M{x} {y}h{WIDTH}" stroke="#ddd"/>')
        out.append(f'<text x="{x - 5}" y="{y + 4}" text-anchor="end">{10.0**decade:g} s</text>')
    for program, by, colour in SERIES:
        points = []
        for line in lines:
            if (line["goal"], line["program"], line["by"]) != (goal, program, by):
                continue
            if line["state"] == "measured":
                decade = math.log10(max(line["seconds"], 10.0**LOW))
                points.append((*place(column, row, at[line["replicas"]], decade), ended(line)))
        path = " ".join(f"{x},{y}" for x, y, _ in points)
        if len(points) > 1:
            out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        for x, y, solved in points:
            fill = colour if solved else "white"
            out.append(f'<circle cx="{x}" cy="{y}" r="4" fill="{fill}" stroke="{colour}" stroke-width="1.5"/>')
    return out


def plot(lines):
    goals = list(dict.fromkeys(line["goal"] for line in lines))
    sizes = sorted({line["replicas"] for line in lines})
    columns = min(3, len(goals))
    wide = LEFT + columns * (WIDTH + GAP)
    tall = TOP + -(-len(goals) // columns) * (HEIGHT + GAP)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {tall}" width="{wide}" height="{tall}"'
        ' font-family="sans-serif" font-size="11">',
        f'<rect width="{wide}" height="{tall}" fill="white"/>',
        f'<text x="{LEFT}" y="20" font-size="14">Seconds to the answer; hollow: the limit came first</text>',
    ]
    x = LEFT
    seen = {(line["program"], line["by"]) for line in lines if line["state"] == "measured"}
    for program, by, colour in SERIES:
        if (program, by) in seen:
            out.append(f'<circle cx="{x + 5}" cy="38" r="4" fill="{colour}"/>')
            out.append(f'<text x="{x + 13}" y="42">{program}, {by}</text>')
            x += 130
    for k, goal in enumerate(goals):
        out += panel(goal, lines, sizes, k % columns, k // columns)
    return "\n".join([*out, "</svg>", ""])


def main():
    history = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "results" / "bench" / "history.ndjson"
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "docs"
    lines = last_run(history)
    page = (ROOT / "docs" / "BENCHMARKS.md").read_text(encoding="utf-8")
    text = "\n".join([*facts(lines), *table(lines)])
    (folder / "BENCHMARKS.md").write_text(generated(page, text), encoding="utf-8")
    (folder / "benchmarks.svg").write_text(plot(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
