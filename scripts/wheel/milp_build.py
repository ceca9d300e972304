"""The build of `pip install .`: fetches the solver's library, then has maturin make the wheel.

A build backend of PEP 517. maturin puts what lies below target/wheel/data into the wheel, from where
pip installs it below the prefix.
"""

import shutil
import subprocess
from pathlib import Path

import maturin
from maturin import get_requires_for_build_wheel  # noqa: F401

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "target/wheel/data/lib/milp"


def empty():
    """The folder that maturin looks for, whatever will be in it."""
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)


def solver():
    """The library of HiGHS, where the command looks for it; none if it is compiled into it."""
    subprocess.run([ROOT / "scripts/setup.sh"], check=True)
    empty()
    for library in (ROOT / "target/highs/highsbox/highs_dist/lib").glob("libhighs.so*"):
        shutil.copy(library, PLACE)


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    empty()
    return maturin.prepare_metadata_for_build_wheel(metadata_directory, config_settings)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    solver()
    return maturin.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_sdist(sdist_directory, config_settings=None):
    return maturin.build_sdist(sdist_directory, config_settings)
