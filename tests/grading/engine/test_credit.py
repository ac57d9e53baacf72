"""What the last line of a test is worth, as nbgrader counts it after `settle`."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output
from nbgrader.utils import determine_grade

from course_lib.grading.engine.credit import settle, shown


def ended_with(text: str | None, source: str = "f()", points: float = 2) -> NotebookNode:
    """Return a test cell that showed a text as its value, or none."""
    outputs = []
    if text is not None:
        outputs = [new_output("execute_result", data={"text/plain": text})]
    flags = {"grade": True, "solution": False, "locked": True, "task": False}
    metadata = {"nbgrader": flags | {"grade_id": "t", "points": points, "schema_version": 3}}
    return new_code_cell(source, metadata=metadata, outputs=outputs)


@pytest.mark.parametrize(
    ("value", "points"),
    [
        (0, 0),
        (1.5, 1.5),
        (np.float64(1), 1),
        (np.float32(0.5), 0.5),
        (np.int64(2), 2),
        (np.array(0.5), 0.5),
        (Fraction(1, 2), 0.5),
        (Decimal("0.25"), 0.25),
        (torch.tensor(1 / 3), np.float32(1 / 3)),
        (torch.tensor(1), 1),
        (torch.ones(1, requires_grad=True).sum(), 1),
        (torch.nn.Parameter(torch.tensor(0.5)), 0.5),
        (True, 2),
        (np.bool_(True), 2),
        (False, 0),
        (np.bool_(False), 0),
        (torch.tensor(False), 0),
        # Rounding.
        (2 + 4e-16, 2),
        (0.3 - 3 * 0.1, 0),
    ],
)
def test_a_real_number_counts_as_itself(value: Any, points: float) -> None:
    cell = ended_with(shown(value))
    assert settle(cell) == ""
    assert determine_grade(cell) == (points, 2)


def test_a_rounding_gives_no_more_than_all_points() -> None:
    cell = ended_with(repr(0.1 + 0.2), points=0.3)
    assert settle(cell) == ""
    assert determine_grade(cell) == (0.3, 0.3)


@pytest.mark.parametrize(
    "value", [float("nan"), np.float64("nan"), "1.5", [1.0], 1j, torch.ones(1), "", ..., "True"]
)
def test_what_is_no_number_is_the_teachers_to_mend(value: Any) -> None:
    fault = settle(ended_with(shown(value)))
    assert "which is no number of points (0 to 2)" in fault
    assert shown(value)[:20] in fault


@pytest.mark.parametrize("value", [-0.5, 2.1, float("inf"), np.float64(3)])
def test_what_a_test_cannot_give_is_the_teachers_to_mend(value: Any) -> None:
    assert "its points lie between 0 and 2" in settle(ended_with(shown(value)))


@pytest.mark.parametrize(
    ("source", "good"),
    [
        ("f()", True),
        ("await f()", True),
        ("assert f()", True),
        ("points = f()", True),
        ("points;  # quiet", True),
        ("%matplotlib inline", True),
        ("", True),
        ("points = f()\npoints", False),
        ("points[0]\n### END HIDDEN TESTS", False),
        ("%time f()\npoints", False),
    ],
)
def test_a_value_that_is_none_shows_nothing(source: str, good: bool) -> None:
    assert (settle(ended_with(None, source)) == "") == good


def test_a_failure_stays_one() -> None:
    cell = ended_with("nan")
    cell.outputs.insert(0, new_output("stream", name="stderr", text="oh"))
    assert settle(cell) == ""
    assert determine_grade(cell) == (0, 2)
