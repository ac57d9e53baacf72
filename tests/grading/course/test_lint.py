"""What a release says of tests that ask for luck."""

import pytest
import small_course as small
from nbformat.v4 import new_code_cell, new_notebook

from course_lib.grading.course.lint import faults

HIDDEN = "### BEGIN HIDDEN TESTS\n{}\n### END HIDDEN TESTS"


def notebook(test, *before, free="tolerance = 0.1\ndef helper():\n    return 1"):
    """Return a teacher's notebook with a test."""
    return new_notebook(
        cells=[
            *[small.cell("code", f"locked{i}", text, locked=True) for i, text in enumerate(before)],
            new_code_cell(free),
            small.cell("code", "f", "def f(x):\n    return x", solution=True),
            small.cell("code", "test-f", test, grade=True, locked=True, points=1),
            small.cell("code", "later", "def later(x):\n    return x", solution=True),
        ]
    )


@pytest.mark.parametrize(
    ("test", "before", "words"),
    [
        ("x = np.random.rand(3)", (), "np.random.rand"),
        ("x = np.random.default_rng().normal(size=3)", (), "np.random.default_rng()"),
        ("x = torch.randn(3)", ("import torch",), "torch.randn"),
        (HIDDEN.format("assert f(1) < tolerance"), (), "takes tolerance from a cell"),
        (HIDDEN.format("def f(x):\n    return 2"), (), "gives f another meaning"),
        (HIDDEN.format("f = reference.f"), (), "gives f another meaning"),
    ],
)
def test_what_is_worth_a_look_is_said_with_the_cell(test, before, words):
    (sentence,) = faults(notebook(test, *before))
    assert words in sentence
    assert "test-f" in sentence


@pytest.mark.parametrize(
    ("test", "before"),
    [
        ("np.random.seed(0)\nx = np.random.rand(3)", ()),
        ("x = torch.randn(3)", ("torch.manual_seed(0)",)),
        ("x = np.random.default_rng(3).normal(size=3)", ()),
        ("x = rng().normal(size=3)\ny = torch.rand(3, generator=g)", ()),
        ("assert f(1) < tolerance", ()),
        (HIDDEN.format("assert f(1) == helper()"), ()),
        (HIDDEN.format("tolerance = 0.1\nassert f(1) < tolerance"), ()),
        (HIDDEN.format("assert f(1) < tolerance"), ("tolerance = 0.2",)),
        ("f = 1", ()),
        (HIDDEN.format("later = 1"), ()),
    ],
)
def test_what_is_not(test, before):
    if "tolerance = 0.1" in test:
        # The name is the test's own.
        assert faults(notebook(test, free="x = 1")) == []
    else:
        assert faults(notebook(test, *before)) == []
