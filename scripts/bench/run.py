"""Measures: every question with every formulation and solver, one child process for each solve.

    python3 scripts/bench/run.py [--limit S] [--replicas 4,7] [--goals fork,views] [--resume] [--toy]

Appends one JSON line per solve to results/bench/history.ndjson (--toy and --history: elsewhere).
`page.py` makes the page and the plot from that file. Standard library only; what CBC and CP-SAT
need is installed into target/bench/venv, in the versions of requirements.txt.
"""

import argparse
import datetime
import json
import os
import platform
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MILP = ROOT / "target" / "debug" / "milp"
PUBLISHED_MILP = ROOT / "target" / "debug" / "milp-published"
WORK = ROOT / "target" / "bench"
HERE = ROOT / "scripts" / "bench"

# Largest address space of a child: what needs more is said to.
MEMORY = 6 << 30
# Seconds that a child gets beyond its own limit, for building and for a solver that is slow to stop.
GRACE = 120

# Replicas and the views asked about: all of them, as in the published model, but for n = 100.
VIEWS = {4: 4, 7: 7, 10: 10, 13: 13, 31: 31, 100: 7}
# The published model has eight slots per view; six are more than any goal here needs.
SLOTS_PER_VIEW = 6
PUBLISHED_SLOTS = 8

GOALS = {
    "fork": "fork",
    "finality": "finality",
    "stall": "stall",
    "views": "views",
    "blocks": "{weighted: {sense: maximize, blocks: 1000, views: -100, messages: 0}}",
    "messages": "{weighted: {sense: maximize, blocks: 1000, views: 100, messages: 1}}",
}
# The goals that the published model has, asked with a network like its own, where copies may be
# lost, and the sizes it is asked for: it grows with the square of
# n times the square of the views.
PUBLISHED = ("blocks", "messages")
PUBLISHED_REPLICAS = (4, 7, 10, 13)
# Beyond so many the program of `timed` outgrows the memory a child may take.
TIMED_REPLICAS = 10
# The published solver on the published program and goal of four replicas gets the ten minutes that
# it was given there: it is what everything else is compared with.
PUBLISHED_SECONDS = 600.0

FORMULATIONS = ("timed", "counting", "causal")


def instance(n, views, goal, formulation):
    """The text of an instance."""
    f = (n - 1) // 3
    if formulation == "published":
        weights = GOALS[goal].removeprefix("{weighted: ").removesuffix("}")
        return f"""format: milp-published/2.0
protocol: dbft2
model: liveness
replicas: {n}
views: {views}
slots: {PUBLISHED_SLOTS}
goal: {weights}
"""
    slots = SLOTS_PER_VIEW * views
    return f"""format: milp-instance/2.0
protocol: dbft2
replicas: {n}
faults: {{kind: byzantine, count: {f}}}
heights: 1
views: {views}
blocks_per_proposal: 1
slots: {slots}
network: {"asynchronous" if goal in PUBLISHED else "eventual"}
timers: free
goal: {GOALS[goal]}
formulation: {formulation}
"""


def child(command, seconds):
    """Runs a command: exit code, output, what it says on the side, seconds, CPU seconds, peak."""
    out, side = WORK / "stdout", WORK / "stderr"

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    with open(out, "wb") as stdout, open(side, "wb") as stderr:
        began = time.monotonic()
        process = subprocess.Popen(
            [str(word) for word in command], stdout=stdout, stderr=stderr, preexec_fn=limit
        )
        timer = threading.Timer(seconds + GRACE, process.kill)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        taken = time.monotonic() - began
    # Popen would wait for a child that is gone.
    process.returncode = os.waitstatus_to_exitcode(status)
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "code": process.returncode,
        "out": out.read_text(errors="replace"),
        "side": side.read_text(errors="replace"),
        "wall_seconds": round(taken, 3),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "peak_bytes": usage.ru_maxrss * unit,
    }


def last_json(text):
    """The last line of a text that is a JSON object; solvers write around it."""
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            return json.loads(line)
    return None


def measured(row, ran):
    """A line of the history from what a child left."""
    row |= {key: ran[key] for key in ("wall_seconds", "cpu_seconds", "peak_bytes")}
    found = last_json(ran["out"]) if ran["code"] == 0 else None
    if found:
        return row | {"state": "measured"} | found
    words = (ran["side"].strip() or ran["out"].strip()).splitlines()
    why = words[-1][:200] if words else f"exit {ran['code']}"
    # Exit 2 is bad input: a formulation that does not take the question.
    state = "not available" if ran["code"] == 2 else "failed"
    return row | {"state": state, "why": why}


def ours(row, path, formulation, limit):
    command = [MILP, "bench", path, "--formulation", formulation, "--time-limit", limit]
    if formulation == "published":
        command = [PUBLISHED_MILP, path, "--json", "--time-limit", limit]
    return measured(row, child(command, limit))


def theirs(row, path, solver, python, limit):
    """A program as a file, solved by a solver that is not ours."""
    if python is None:
        return row | {"state": "not available", "why": "no Python environment with it"}
    program = WORK / "program.mps"
    written = child([PUBLISHED_MILP, path, "--mps", program], limit)
    if written["code"] != 0:
        return measured(row, written)
    began = time.monotonic()
    line = measured(row, child([python, HERE / "lp.py", solver, program, limit], limit))
    line.setdefault("seconds", round(time.monotonic() - began, 3))
    return line | size(program)


def size(program):
    """Columns, rows and non-zeros of an MPS file of ours."""
    columns, rows, nonzeros, section = set(), 0, 0, ""
    with open(program, encoding="ascii") as lines:
        for line in lines:
            words = line.split()
            if not line.startswith(" "):
                section = words[0]
            elif section == "ROWS":
                rows += words[0] != "N"
            elif section == "COLUMNS" and words[1] != "'MARKER'":
                columns.add(words[0])
                nonzeros += words[1] != "objective"
    return {"columns": len(columns), "rows": rows, "nonzeros": nonzeros}


def environment():
    """A Python with the pinned packages, or None and a word about it."""
    python = WORK / "venv" / "bin" / "python"
    pins = HERE / "requirements.txt"
    stamp = WORK / "venv" / "requirements.txt"
    if python.exists() and stamp.exists() and stamp.read_text() == pins.read_text():
        return python
    try:
        subprocess.run([sys.executable, "-m", "venv", WORK / "venv"], check=True, capture_output=True)
        install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
        install += ["--requirement", pins]
        subprocess.run(install, check=True, capture_output=True)
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"stage: CBC and CP-SAT are left out: no Python environment ({error})")
        return None
    stamp.write_text(pins.read_text())
    return python


def machine():
    """What the seconds depend on."""
    cpu = ""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        cpu = platform.processor()
    return f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def commit():
    said = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], capture_output=True, text=True)
    return said.stdout.strip()


def questions(options):
    """Every solve as the columns that name it, its instance's path, and how it is done."""
    for n in options.replicas:
        views = 2 if options.toy else VIEWS[n]
        for goal in options.goals:
            base = {"replicas": n, "views": views, "goal": goal}
            if goal in PUBLISHED and n in PUBLISHED_REPLICAS:
                path = write(n, views, goal, "published")
                base["program"] = "published"
                yield base | {"by": "HiGHS"}, path, ("ours", "published")
                yield base | {"by": "CBC"}, path, ("theirs", "cbc")
                yield base | {"by": "CP-SAT"}, path, ("theirs", "cp-sat")
            for formulation in FORMULATIONS:
                if formulation == "timed" and n > TIMED_REPLICAS:
                    continue
                path = write(n, views, goal, formulation)
                yield base | {"program": formulation, "by": "HiGHS"}, path, ("ours", formulation)


def question(row):
    """What tells the lines of a run apart."""
    return row["replicas"], row["goal"], row["program"], row["by"]


def write(n, views, goal, formulation):
    path = WORK / f"n{n}-{goal}-{formulation}.yaml"
    path.write_text(instance(n, views, goal, formulation))
    return path


def arguments():
    parser = argparse.ArgumentParser(description="Measures; see the head of this file.")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for one solve")
    parser.add_argument("--replicas", default="4,7,10,13,31,100")
    parser.add_argument("--goals", default=",".join(GOALS))
    parser.add_argument("--history", type=Path, default=ROOT / "results" / "bench" / "history.ndjson")
    parser.add_argument("--resume", action="store_true", help="go on with the last run")
    parser.add_argument("--toy", action="store_true", help="two views of four replicas, elsewhere")
    options = parser.parse_args()
    options.replicas = [int(n) for n in options.replicas.split(",")]
    options.goals = options.goals.split(",")
    if options.toy:
        options.limit, options.replicas = min(options.limit, 5.0), [4]
        options.history = WORK / "toy.ndjson"
    unknown = [n for n in options.replicas if n not in VIEWS] + [g for g in options.goals if g not in GOALS]
    if unknown:
        parser.error(f"not known: {unknown}")
    return options


def main():
    options = arguments()
    WORK.mkdir(parents=True, exist_ok=True)
    options.history.parent.mkdir(parents=True, exist_ok=True)
    if options.toy:
        options.history.unlink(missing_ok=True)
    python = environment()
    now = datetime.datetime.now(datetime.timezone.utc)
    run = {
        "run": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": commit(),
        "machine": machine(),
        "limit_seconds": options.limit,
    }
    done = set()
    if options.resume and options.history.exists():
        earlier = [json.loads(line) for line in options.history.read_text().splitlines()]
        run["run"] = earlier[-1]["run"]
        done = {question(line) for line in earlier if line["run"] == run["run"]}
    lines = []
    for row, path, (who, what) in questions(options):
        row = run | row
        if question(row) in done:
            continue
        if who == "ours":
            line = ours(row, path, what, options.limit)
        else:
            patient = (what, row["replicas"], row["goal"]) == ("cbc", 4, "blocks") and not options.toy
            limit = max(options.limit, PUBLISHED_SECONDS) if patient else options.limit
            line = theirs(row | {"limit_seconds": limit}, path, what, python, limit)
        lines.append(line)
        with open(options.history, "a", encoding="utf-8") as history:
            history.write(json.dumps(line) + "\n")
        words = [line["state"], line.get("termination"), line.get("primal"), line.get("seconds")]
        words = " ".join(str(word) for word in words if word is not None)
        print(f"n = {row['replicas']}, {row['goal']}, {row['program']} by {row['by']}: {words}", flush=True)
    failed = [line for line in lines if line["state"] == "failed"]
    for line in failed:
        print(f"failed: {line['program']} by {line['by']}, {line['goal']}: {line['why']}")
    if options.toy:
        check(lines, failed)


def check(lines, failed):
    """What a toy run must show, seconds aside: solves happen, and proofs agree."""
    proofs = {}
    for line in lines:
        if line["state"] == "measured" and line.get("termination") == "optimal":
            # The published model is another one: its optima are its own.
            question = (line["goal"], line["program"] == "published")
            proofs.setdefault(question, {})[f"{line['program']} by {line['by']}"] = line["primal"]
    differing = {question: found for question, found in proofs.items() if len(set(found.values())) > 1}
    solved = sum(len(found) for found in proofs.values())
    left_out = sum(line["state"] == "not available" for line in lines)
    print(f"stage: {solved} toy solves ended optimal, {left_out} are not available, {len(failed)} failed")
    if failed or differing or solved == 0:
        sys.exit(f"the toy run is not as it should be: {differing or 'see above'}")


if __name__ == "__main__":
    main()
