"""Forty solves on a scheduler and two worker processes, one of them killed in the middle: the
table is complete and, seconds aside, has the bytes of a local run.

Usage: dask_sweep.py MILP, with a Python that has dask.distributed.
"""

import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KIT = Path(__file__).resolve().parents[1]
ROOT = KIT.parents[1]
# The number of Byzantine replicas follows n.
SWEEP = """\
format: milp-sweep/2.0
base: base.yaml
over:
  n: [4, 7, 10, 13]
  views: [2, 3]
  budget.timeouts: [0, 2, 3, 5, 8]
"""
SECONDS = "seconds"


def base():
    text = (ROOT / "instances/dbft2/n7-views.yaml").read_text()
    text = text.replace("replicas: 7", "replicas: 4").replace("count: 2", "count: f")
    assert "count: f" in text, "the number of faults is to follow n"
    return text


def start(program, *arguments, **options):
    command = [sys.executable, "-m", "distributed.cli." + program, *arguments]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, **options)


def until(what, so, patience=120):
    for _ in range(patience * 10):
        if so():
            return
        time.sleep(0.1)
    raise SystemExit(f"still not: {what}")


def lasting(path):
    """The table without the column of seconds."""
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    at = rows[0].index(SECONDS)
    return [row[:at] + row[at + 1:] for row in rows]


def main(milp, folder):
    (folder / "base.yaml").write_text(base())
    (folder / "forty.yaml").write_text(SWEEP)

    def sweep(*arguments):
        return subprocess.run([milp, "sweep", "forty.yaml", *arguments], cwd=folder, text=True,
                              stdout=subprocess.PIPE)

    local = sweep("--out", "local", "--jobs", "2")
    assert local.returncode == 0 and "40 combinations: 40 solved and proved" in local.stdout, local
    tasks = sweep("--tasks", "--out", "dask").stdout.splitlines()
    assert len(tasks) == 40, len(tasks)
    nothing = sweep("--collect", "--out", "dask")
    assert nothing.returncode == 10 and nothing.stdout.count("missing: ") == 40, nothing

    ended = folder / "dask/ended"
    count = lambda: len(list(ended.glob("*.yaml"))) if ended.exists() else 0
    address = folder / "scheduler.json"
    processes = [start("dask_scheduler", "--port", "0", "--no-dashboard",
                       "--scheduler-file", str(address))]
    try:
        until("a scheduler", address.exists)
        workers = [start("dask_worker", "--scheduler-file", str(address), "--no-nanny",
                         "--nthreads", "1", "--no-dashboard", cwd=folder) for _ in range(2)]
        processes += workers
        where = json.loads(address.read_text())["address"]
        runner = subprocess.Popen(
            [sys.executable, str(KIT / "milp_dask.py"), "forty.yaml", "--scheduler", where,
             "--milp", milp, "--", "--out", "dask"],
            cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        processes.append(runner)
        until("the middle", lambda: count() >= 15 or runner.poll() is not None)
        os.kill(workers[0].pid, signal.SIGKILL)
        at = count()
        assert at < 40, "the sweep ended before a worker was killed"
        said, noise = runner.communicate(timeout=300)
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
    assert runner.returncode == 0, (said, noise)
    assert "40 combinations: 40 solved and proved" in said, said
    assert lasting(folder / "local/sweep.csv") == lasting(folder / "dask/sweep.csv")
    for name in ("sweep.html", "sweep.svg"):
        same = (folder / "local" / name).read_bytes() == (folder / "dask" / name).read_bytes()
        assert same, f"{name} differs"
    assert sweep("--tasks", "--out", "dask").stdout == ""
    again = subprocess.run(tasks[0], shell=True, stdout=subprocess.PIPE, text=True)
    assert again.returncode == 0, again
    print(f"stage: 40 solves, a worker of two killed after {at}: the bytes of a local run")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        main(str(Path(sys.argv[1]).resolve()), Path(scratch))
