"""Solves a sweep of `milp` on Dask: on this machine, on Slurm, on Kubernetes.

    python3 -m venv dask && dask/bin/pip install distributed
    dask/bin/python kits/python/milp_dask.py instances/sweep.yaml --workers 8
    dask/bin/python kits/python/milp_dask.py instances/sweep.yaml --scheduler tcp://10.0.0.1:8786

Every combination is a command (`milp sweep FILE --tasks`) that a worker runs; workers must see the
folder of the sweep and `milp` under the same paths. Commands are idempotent, so a worker that is
lost costs what it was solving, and its command goes to another one. What comes behind `--` goes to
`milp sweep`, say `-- --time-limit 60 --out /shared/sweep`. The last thing printed is the table.

For Slurm start the scheduler with dask-jobqueue, for Kubernetes with dask-kubernetes, and give its
address, or call `solve(client, commands)` from a script of your own.
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile

STOP_WITH_STDIN = "MILP_STOP_WITH_STDIN"


def run(command):
    """Runs a task to its end on a worker; whoever ends the worker ends the task."""
    with tempfile.TemporaryFile() as said:
        task = subprocess.Popen(shlex.split(command), stdin=subprocess.PIPE, stdout=said,
                                stderr=subprocess.STDOUT, env={**os.environ, STOP_WITH_STDIN: "1"})
        code = task.wait()  # its standard input stays open as long as this process lives
        said.seek(0)
        return code, said.read().decode(errors="replace").strip()


def solve(client, commands):
    """Runs every command on the workers of a Dask client; yields (command, code, words)."""
    from distributed import as_completed

    futures = {client.submit(run, command, pure=False): command for command in commands}
    for future in as_completed(futures):
        command = futures[future]
        if future.status == "finished":
            yield (command, *future.result())
        else:  # it took several workers with it
            yield command, None, str(future.exception())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0],
                                     epilog="Options of `milp sweep` come behind --.")
    parser.add_argument("file", help="sweep file")
    parser.add_argument("--scheduler", help="address of a scheduler [default: one of its own]")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes of its own")
    parser.add_argument("--milp", default="milp", help="the command")
    given = [*sys.argv[1:], "--"]
    at = given.index("--")
    args, rest = parser.parse_args(given[:at]), given[at + 1:-1]
    from distributed import Client, LocalCluster

    sweep = [args.milp, "sweep", args.file, *rest]
    listed = subprocess.run([*sweep, "--tasks"], stdout=subprocess.PIPE, text=True)
    if listed.returncode:
        return listed.returncode
    commands = listed.stdout.splitlines()
    where = args.scheduler or LocalCluster(args.workers, threads_per_worker=1)
    with Client(where) as client:
        for at, (command, code, words) in enumerate(solve(client, commands), start=1):
            print(f"{at} of {len(commands)}: {words}", file=sys.stderr)
    return subprocess.run([*sweep, "--collect"]).returncode


if __name__ == "__main__":
    sys.exit(main())
