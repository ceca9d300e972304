"""Solves an MPS file with CBC or CP-SAT and prints one JSON line: lp.py SOLVER FILE SECONDS.

Its own process for each solve, because one Python process cannot load every solver, and so that
peak memory is that of one solve. python-mip's reader loses the sense of the objective and both
readers may lose its constant, so both are taken from the file's text.
"""

import json
import sys
import time


def sense_and_constant(path):
    """The two things of an MPS file that readers get wrong."""
    sense, constant, section = "MIN", 0.0, ""
    with open(path, encoding="ascii") as lines:
        for line in lines:
            words = line.split()
            if not line.startswith(" "):
                section = words[0]
            elif section == "OBJSENSE":
                sense = words[0]
            elif section == "RHS" and words[1] == "objective":
                constant = -float(words[2])
    return sense, constant


def without_sense_and_constant(path):
    """A copy of the file with neither, written beside it."""
    copy = path + ".plain.mps"
    with open(path, encoding="ascii") as lines, open(copy, "w", encoding="ascii") as out:
        section = ""
        for line in lines:
            if not line.startswith(" "):
                section = line.split()[0]
            if section == "OBJSENSE" or (section == "RHS" and line.split()[1:2] == ["objective"]):
                continue
            out.write(line)
    return copy


def with_cbc(path, seconds):
    """CBC as the published model calls it: python-mip, one thread, its defaults."""
    from importlib.metadata import version

    import mip

    sense, constant = sense_and_constant(path)
    model = mip.Model(solver_name=mip.CBC)
    model.verbose = 0
    model.read(without_sense_and_constant(path))
    model.sense = mip.MAXIMIZE if sense == "MAX" else mip.MINIMIZE
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
        "primal": model.objective_value + constant if found else None,
        "dual": None if bound is None or word == "undecided" else bound + constant,
        "nodes": None,
        "root_bound": None,
        "seconds": taken,
    }


def with_cp_sat(path, seconds):
    """CP-SAT, one worker."""
    from ortools import __version__
    from ortools.linear_solver.python import model_builder

    sense, constant = sense_and_constant(path)
    model = model_builder.Model()
    if not model.import_from_mps_file(without_sense_and_constant(path)):
        raise SystemExit("OR-tools cannot read " + path)
    model.helper.set_maximize(sense == "MAX")
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
        "primal": solver.objective_value + constant if found else None,
        "dual": solver.best_objective_bound + constant if found else None,
        "nodes": None,
        "root_bound": None,
        "seconds": taken,
    }


if __name__ == "__main__":
    solve = {"cbc": with_cbc, "cp-sat": with_cp_sat}[sys.argv[1]]
    print(json.dumps(solve(sys.argv[2], float(sys.argv[3]))))
