"""Which cells import the modules that an exercise names as holding its answers."""

import nbformat
import pytest
import small_course as small
from nbformat.v4 import new_notebook

from course_lib.grading.submissions.answers import (
    Answers,
    imported_answers,
    read_answers,
    without_answers,
)

ANSWERS = Answers(frozenset({"course_lib.scratch.layers"}), refused=True)
SOLUTION = {"solution": True}


@pytest.mark.parametrize(
    "source",
    [
        "import course_lib.scratch.layers",
        "import course_lib.scratch.layers as l",
        "from course_lib.scratch import losses, layers",
        "from course_lib.scratch.layers import linear",
        "from course_lib.scratch.layers import *",
        "import course_lib.scratch as s\ns.layers.linear(1)",
        "def f():\n    from course_lib import scratch\n    return scratch.layers.linear",
        "import importlib\nimportlib.import_module('course_lib.scratch.layers')",
        "%time from course_lib.scratch.layers import linear\nimport course_lib.scratch.layers",
    ],
)
def test_an_import_of_answers_is_seen(source: str) -> None:
    cell = small.cell("code", "a", source, **SOLUTION)
    assert imported_answers(cell, ANSWERS) == ["course_lib.scratch.layers"]
    (refused,) = without_answers(new_notebook(cells=[cell]), ANSWERS).cells
    assert refused.source.startswith("raise ImportError(")
    assert cell.source == source


@pytest.mark.parametrize(
    "source",
    [
        "from course_lib.scratch import losses",
        "import course_lib.scratch.layers_of_paint",
        "# import course_lib.scratch.layers",
        "layers = 3\nprint('course_lib.scratch.layers holds the answers')",
    ],
)
def test_what_is_no_import_of_answers(source: str) -> None:
    notebook = new_notebook(cells=[small.cell("code", "a", source, **SOLUTION)])
    assert imported_answers(notebook.cells[0], ANSWERS) == []
    assert without_answers(notebook, ANSWERS) is notebook


def test_the_teacher_s_own_cells_may_import_them() -> None:
    imports = "from course_lib.scratch import layers, losses"
    notebook = new_notebook(
        cells=[
            small.cell("code", "test", imports, grade=True, locked=True, points=1),
            small.cell("code", "a", "from course_lib.scratch import losses", **SOLUTION),
        ]
    )
    assert imported_answers(notebook.cells[0], ANSWERS) == []
    # What the solution itself imports is nobody's answer.
    named = ["course_lib.scratch.layers", "course_lib.scratch.losses"]
    notebook.metadata["course"] = {"answers_in": named}
    assert read_answers(nbformat.writes(notebook).encode()) == Answers(frozenset(named[:1]))
