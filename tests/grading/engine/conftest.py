"""A warm zygote for all tests of the engine, and notebooks made of a few lines."""

import textwrap

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course_lib.grading.engine import runner
from course_lib.grading.engine.zygote import Zygote

KINDS = {
    "solution": {"grade": False, "solution": True, "locked": False},
    "test": {"grade": True, "solution": False, "locked": True, "points": 1},
    "locked": {"grade": False, "solution": False, "locked": True},
    "free": None,
}


def _notebook(*cells):
    """Return a notebook of (kind, source) pairs; the third cell is called c2."""
    made = []
    for place, (kind, source) in enumerate(cells):
        cell = new_code_cell(textwrap.dedent(source).strip())
        if KINDS[kind] is not None:
            cell.metadata["nbgrader"] = {
                **KINDS[kind],
                "grade_id": f"c{place}",
                "schema_version": 3,
                "task": False,
            }
        made.append(cell)
    return new_notebook(cells=made)


@pytest.fixture
def notebook():
    """Return the function that makes a notebook of (kind, source) pairs."""
    return _notebook


@pytest.fixture(scope="session")
def zygote():
    """Return a warm zygote with a sandbox."""
    with Zygote() as warm:
        yield warm


@pytest.fixture
def run(zygote):
    """Return a function that runs (kind, source) pairs and gives their statuses and errors."""

    def run(*cells, source=None, seconds=20.0, files=None):
        return runner.run(
            _notebook(*cells),
            zygote,
            source=_notebook(*source) if source is not None else None,
            times=runner.Times(cell=seconds, notebook=300),
            files=files,
        )

    return run
