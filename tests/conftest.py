"""What many tests share: the course, small courses to break, and the `course` command."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# No time is asserted in tests. CI draws the same examples each time, so that what it says of a
# change is about the change; elsewhere every run looks at new ones.
settings.register_profile("course", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "course")

os.environ.setdefault("MPLBACKEND", "agg")
# nbgrader calls alembic by its name.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "tests" / "data"


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture
def tiny_course(tmp_path):
    """Return a course with one small exercise, `tiny`, in a folder of its own."""
    folder = tmp_path / "course"
    shutil.copytree(DATA / "tiny_course", folder)
    return folder


@pytest.fixture
def course():
    """Return a function that runs the `course` command and gives the finished process."""

    def run(*arguments, cwd, **environment):
        return subprocess.run(
            [sys.executable, "-m", "course_lib", *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, "COLUMNS": "160", "NO_COLOR": "1", **environment},
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run
