"""The examples in the docstrings of exercises say what a right answer gives."""

import doctest
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from course_lib.assignments.sources import is_solution, source_notebook
from course_lib.paths import exercise_slugs

ROOT = Path(__file__).resolve().parents[2]

_NUMBER = re.compile(r"-?(?:\d+\.\d*|\.\d+|\d+)(?:e[-+]?\d+)?")
_SCALAR = re.compile(r"np\.(?:float64|int64|bool_?)\(([^()]*)\)")


class _NearlyEqual(doctest.OutputChecker):
    """Takes numbers for equal that differ in their last digits; NumPy's scalars are Python's."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        want, got = (" ".join(_SCALAR.sub(r"\1", text).split()) for text in (want, got))
        if self._words(want) != self._words(got):
            return False
        pairs = zip(_NUMBER.findall(want), _NUMBER.findall(got), strict=True)
        return all(float(w) == pytest.approx(float(g), rel=1e-6, abs=1e-12) for w, g in pairs)

    @staticmethod
    def _words(text: str) -> str:
        """Return a text without its numbers, and without blanks, which arrays pad them with."""
        return _NUMBER.sub("#", text).replace(" ", "")


def examples(slug: str) -> list[doctest.DocTest]:
    """Return the examples of an exercise, with the solutions and what is given at hand."""
    names: dict[str, object] = {"__name__": slug}
    for cell in source_notebook(ROOT, slug).cells:
        given = cell.metadata.get("nbgrader", {})
        # Without tests, and without what trains and draws at the end.
        if cell.cell_type == "code" and given and not given["grade"]:
            exec(compile(cell.source, slug, "exec"), names)
    finder = doctest.DocTestFinder(exclude_empty=True)
    return [
        test
        for name, made in list(names.items())
        # A loop over functions, in a locked cell, leaves the last of them a second name.
        if getattr(made, "__module__", None) == slug and getattr(made, "__name__", name) == name
        for test in finder.find(made, name, module=False, globs=names)
        if test.examples
    ]


@pytest.fixture(autouse=True)
def _print_options_end_with_the_test() -> Iterator[None]:
    with np.printoptions():
        yield


@pytest.mark.parametrize("slug", exercise_slugs(ROOT))
def test_examples_give_what_they_say(slug: str) -> None:
    said: list[str] = []
    found = examples(slug)
    assert found, "an exercise without an example"
    # As many as are written: a class in a class, say, would be passed over in silence.
    text = "".join(c.source for c in source_notebook(ROOT, slug).cells if is_solution(c))
    assert sum(len(test.examples) for test in found) == text.count(">>>")
    runner = doctest.DocTestRunner(_NearlyEqual(), verbose=False)
    for test in found:
        runner.run(test, out=said.append)
    assert said == []


@pytest.mark.parametrize(
    ("want", "got", "equal"),
    [
        ("0.5", "np.float64(0.5000000001)", True),
        ("(array([1., 1.]), 0.0, [2, 1, 0])", "(array([1., 1.]), 0.0, [1, 2, 1, 0])", False),
        ("[2, 1]", "[2, 2]", False),
        ("array([[1., 2.],\n       [3., 4.]])", "array([[1. , 2. ],\n       [3. , 4. ]])", True),
        ("True", "np.True_", False),
    ],
)
def test_what_is_nearly_equal(want: str, got: str, equal: bool) -> None:
    assert _NearlyEqual().check_output(want, got, 0) is equal
