"""Solves an MPS file with CBC or CP-SAT and prints one JSON line: lp.py SOLVER FILE SECONDS.

Its own process for each solve, because one Python process cannot load every solver, and so that
peak memory is that of one solve. An exported file always minimises: where the goal is maximised its
objective row is the negative of the goal.
"""

import json
import sys
import time


def sign(path):
    """What the optimum of the file is multiplied by to be the goal's value."""
    with open(path, encoding="ascii") as lines:
        objective = next(line.split()[1] for line in lines if line.startswith(" N "))
    return {"minus_objective": -1, "objective": 1}[objective]


def with_cbc(path, seconds):
    """CBC as the published model calls it: python-mip, one thread, its defaults."""
    from importlib.metadata import version

    import mip

    model = mip.Model(solver_name=mip.CBC)
    model.verbose = 0
    model.read(path)
    model.sense = mip.MINIMIZE
    model.threads = 1
    began = time.monotonic()
    status = model.optimize(max_seconds=seconds)
    taken = time.monotonic() - began
    found = status in (mip.OptimizationStatus.OPTIMAL, mip.OptimizationStatus.FEASIBLE)
    words = {
        mip.OptimizationStatus.OPTIMAL: "optimal",
        mip.OptimizationStatus.FEASIBLE: "feasible",
        mip.OptimizationStatus.INFEASIBLE: "infeasible",
    }
    # Where the limit comes before the first relaxation is solved, this version says infeasible.
    word = words.get(status, "undecided")
    if word == "infeasible" and taken >= seconds:
        word = "undecided"
    bound = model.objective_bound
    return {
        "solver": "CBC, mip " + version("mip"),
        "termination": word,
        "primal": sign(path) * model.objective_value if found else None,
        "dual": None if bound is None or word == "undecided" else sign(path) * bound,
        "nodes": None,
        "root_bound": None,
        "seconds": taken,
    }


def with_cp_sat(path, seconds):
    """CP-SAT, one worker."""
    from ortools import __version__
    from ortools.linear_solver.python import model_builder

    model = model_builder.Model()
    if not model.import_from_mps_file(path):
        raise SystemExit("OR-tools cannot read " + path)
    solver = model_builder.Solver("cp_sat")
    solver.set_time_limit_in_seconds(seconds)
    solver.set_solver_specific_parameters("num_workers:1")
    began = time.monotonic()
    status = solver.solve(model)
    taken = time.monotonic() - began
    words = {"OPTIMAL": "optimal", "FEASIBLE": "feasible", "INFEASIBLE": "infeasible"}
    found = status.name in ("OPTIMAL", "FEASIBLE")
    return {
        "solver": "CP-SAT, ortools " + __version__,
        "termination": words.get(status.name, "undecided"),
        "primal": sign(path) * solver.objective_value if found else None,
        "dual": sign(path) * solver.best_objective_bound if found else None,
        "nodes": None,
        "root_bound": None,
        "seconds": taken,
    }


if __name__ == "__main__":
    solve = {"cbc": with_cbc, "cp-sat": with_cp_sat}[sys.argv[1]]
    print(json.dumps(solve(sys.argv[2], float(sys.argv[3]))))
