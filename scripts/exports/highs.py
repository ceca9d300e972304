"""HiGHS reads an exported program and our solution of it, and writes its own: highs.py DIR"""

import sys

import highspy


def reader(path):
    highs = highspy.Highs()
    highs.setOptionValue("log_to_console", False)
    highs.setOptionValue("mip_rel_gap", 0.0)
    status = highs.readModel(path)
    assert status == highspy.HighsStatus.kOk, f"{path}: {status}"
    return highs


def main(folder):
    objectives = set()
    for program in ("program.lp", "program.mps"):
        highs = reader(f"{folder}/{program}")
        status = highs.readSolution(f"{folder}/ours.sol", 0)
        assert status == highspy.HighsStatus.kOk, f"ours.sol: {status}"
        assessed = highs.assessPrimalSolution()
        assert assessed[1:] == (True, True, True), f"{program}: ours.sol is {assessed}"
        ours = sum(
            cost * value
            for cost, value in zip(highs.getLp().col_cost_, highs.getSolution().col_value)
        )
        objectives.add(round(ours + highs.getLp().offset_, 6))
    highs = reader(f"{folder}/program.lp")
    assert highs.run() == highspy.HighsStatus.kOk
    assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    objectives.add(round(highs.getInfo().objective_function_value, 6))
    # Our results are optimal, so all are the same.
    assert len(objectives) == 1, objectives
    for style, name in ((0, "raw"), (1, "pretty")):
        status = highs.writeSolution(f"{folder}/{name}.sol", style)
        assert status == highspy.HighsStatus.kOk, f"{name}.sol: {status}"
    print(f"{folder}: {objectives.pop()}")


main(sys.argv[1])
