"""The action, and the workflow that docs/INSTALL.md shows, are what GitHub's schemas ask for.

The schemas lie beside this file; they are those of schemastore.org. Broken ones are refused.
"""

import copy
import json
import re
import subprocess
import tempfile
from pathlib import Path

import yaml
from jsonschema import Draft7Validator

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def validator(name):
    return Draft7Validator(json.loads((HERE / name).read_text()))


def problems(schema, document):
    return [error.message for error in schema.iter_errors(document)]


def main():
    page = (ROOT / "docs/INSTALL.md").read_text()
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    schema = validator("github-action.schema.json")
    assert not problems(schema, action), problems(schema, action)
    broken = copy.deepcopy(action)
    del broken["runs"]["using"]
    assert problems(schema, broken)
    workflows = re.findall(r"```yaml\n(.*?)```", page, re.S)
    assert len(workflows) == 1
    schema = validator("github-workflow.schema.json")
    workflow = yaml.safe_load(workflows[0].replace("\non:", '\n"on":'))
    assert not problems(schema, workflow), problems(schema, workflow)
    broken = copy.deepcopy(workflow)
    del broken["jobs"]["gate"]["runs-on"]
    assert problems(schema, broken)
    # What it hands to the action is what the action takes.
    uses = [step for job in workflow["jobs"].values() for step in job["steps"] if "with" in step]
    given = [key for step in uses if "milp" in step["uses"] for key in step["with"]]
    assert given and set(given) <= set(action["inputs"]), given
    runs(action)
    print("stage: the action and its workflow satisfy GitHub's schemas; the gate opens and shuts")


def runs(action):
    """The script of the gate on a `milp` that ends as it is told."""
    script = action["runs"]["steps"][1]["run"]
    with tempfile.TemporaryDirectory() as scratch:
        milp = Path(scratch) / "milp"
        milp.write_text('#!/bin/sh\nexit "$2"\n')
        milp.chmod(0o755)
        for code, codes, passes in [(0, "0", True), (12, "0", False), (12, "0 12", True)]:
            output = Path(scratch) / "output"
            environment = {"PATH": f"{scratch}:/usr/bin:/bin", "GITHUB_OUTPUT": str(output),
                           "RUN": f"regress {code}", "CODES": codes}
            ran = subprocess.run(["bash", "-e", "-c", script], env=environment,
                                 stdout=subprocess.DEVNULL)
            assert (ran.returncode == 0) == passes, (code, codes, ran)
            assert f"code={code}" in output.read_text()


if __name__ == "__main__":
    main()
