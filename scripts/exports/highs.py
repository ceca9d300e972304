"""HiGHS reads an exported program and our solution of it: highs.py DIR"""

import sys

import highspy


def reader(path):
    highs = highspy.Highs()
    highs.setOptionValue("log_to_console", False)
    highs.setOptionValue("mip_rel_gap", 0.0)
    status = highs.readModel(path)
    assert status == highspy.HighsStatus.kOk, f"{path}: {status}"
    return highs


def objective(highs, what):
    """The objective of the solution read, which must satisfy the program as HiGHS holds it."""
    lp, point = highs.getLp(), list(highs.getSolution().col_value)
    starts, rows, factors = (
        list(lp.a_matrix_.start_),
        list(lp.a_matrix_.index_),
        list(lp.a_matrix_.value_),
    )
    # Every access to an array of HiGHS copies it.
    lower, upper = list(lp.col_lower_), list(lp.col_upper_)
    least, most = list(lp.row_lower_), list(lp.row_upper_)
    activity = [0.0] * lp.num_row_
    for column, value in enumerate(point):
        assert value == round(value), f"{what}: column {column} is {value}"
        assert lower[column] <= value <= upper[column], f"{what}: {column}"
        for entry in range(starts[column], starts[column + 1]):
            activity[rows[entry]] += factors[entry] * value
    for row, value in enumerate(activity):
        assert least[row] <= value <= most[row], f"{what}: row {row}"
    costs = zip(lp.col_cost_, point)
    return round(lp.offset_ + sum(cost * value for cost, value in costs), 6)


def main(folder):
    objectives = set()
    for program in ("program.lp", "program.mps"):
        highs = reader(f"{folder}/{program}")
        status = highs.readSolution(f"{folder}/ours.sol", 0)
        assert status == highspy.HighsStatus.kOk, f"ours.sol: {status}"
        # Comments of an MPS file say when it is the negative of what is maximised.
        with open(f"{folder}/{program}", encoding="ascii") as file:
            sign = -1 if "* value of the goal = -1 *" in file.read() else 1
        objectives.add(sign * objective(highs, f"{program}: ours.sol"))
    highs = reader(f"{folder}/program.lp")
    assert highs.run() == highspy.HighsStatus.kOk
    assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    objectives.add(round(highs.getInfo().objective_function_value, 6))
    # Our results are optimal, so all are the same.
    assert len(objectives) == 1, objectives
    print(f"{folder}: {objectives.pop()}")


main(sys.argv[1])
