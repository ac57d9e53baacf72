"""Mutants: which are made, which tests kill them, and what the author is told."""

import textwrap
from pathlib import Path

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course_lib.assignments import mutants, slips
from course_lib.assignments.answers import Answer
from course_lib.assignments.mutants import Mutant, Outcome
from course_lib.paths import CourseError

KINDS = {
    "solution": {"grade": False, "solution": True, "locked": False},
    "test": {"grade": True, "solution": False, "locked": True, "points": 1},
    "locked": {"grade": False, "solution": False, "locked": True},
}


def notebook(*cells):
    """Return a source notebook of (kind, source) pairs; the third cell is called c2."""
    made = [new_code_cell("import numpy as np\nimport copy")]
    made[0].metadata["nbgrader"] = {**KINDS["locked"], "grade_id": "setup"}
    for place, (kind, source) in enumerate(cells):
        cell = new_code_cell(textwrap.dedent(source).strip())
        cell.metadata["nbgrader"] = {**KINDS[kind], "grade_id": f"c{place}"}
        made.append(cell)
    return new_notebook(cells=made)


def ran(*cells):
    """Return what becomes of all mutants: name to outcome."""
    return {outcome.mutant.name: outcome for outcome in mutants.outcomes(notebook(*cells))}


def alive(*cells):
    """Return the names of the mutants that survive."""
    return {name for name, outcome in ran(*cells).items() if outcome.survives}


SCALED = '''
def scaled(X, factor, shift=0.0):
    """Scale.

    Parameters
    ----------
    X : array_like, shape (n,)
        Numbers.
    factor : float
    shift : float

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        If factor is 0.
    """
    ### BEGIN SOLUTION
    if factor == 0:
        raise ValueError("factor is 0")
    return np.asarray(X) * factor + shift
    ### END SOLUTION
'''

CAREFUL = """
def check(X, factor, shift, expected):
    before, n = copy.deepcopy(X), len(X)
    got = scaled(X, factor, shift=shift)
    assert np.array_equal(X, before)
    assert got.dtype == float and got.shape == (n,)
    assert np.allclose(got, expected, rtol=1e-12, atol=0)


check(np.array([0.5, 2.0, 3.0]), 0.5, 0.0, [0.25, 1.0, 1.5])
check(np.array([1, 2, 3]), 0.25, 1.0, [1.25, 1.5, 1.75])
check([1, 2, 3], 0.5, 0.0, [0.5, 1.0, 1.5])
try:
    scaled(np.ones(2), 0)
except ValueError:
    pass
else:
    raise AssertionError("nothing was raised")
"""


@pytest.mark.slow
def test_a_careful_test_kills_all_that_a_function_gets():
    found = ran(("solution", SCALED), ("test", CAREFUL))
    assert {kind for _, kind in found} == {
        "changes X",
        "whole numbers X",
        "lists X",
        "first factor",
        "ignores shift",
        "float32",
        "truncated",
        "a tenth more",
        "extra axis",
        "last element",
        "None",
        "no error",
    }
    assert {outcome.killed_by for outcome in found.values()} == {"c1"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("careful", "careless", "kind"),
    [
        ("assert np.array_equal(X, before)", "", "changes X"),
        ("got.dtype == float and ", "", "float32"),
        ("np.array([1, 2, 3])", "np.array([1.0, 2, 3])", "whole numbers X"),
        ("check([1, 2, 3]", "check(np.array([1, 2, 3])", "lists X"),
        ("0.25, 1.0, [1.25, 1.5, 1.75]", "0.25, 0.0, [0.25, 0.5, 0.75]", "ignores shift"),
        ("scaled(np.ones(2), 0)", "raise ValueError", "no error"),
        ("got.shape == (n,)", "True", "none at all"),
        ("rtol=1e-12", "rtol=0.2", "a tenth more"),
    ],
)
def test_each_gap_is_found(careful, careless, kind):
    assert careful in CAREFUL
    test = CAREFUL.replace(careful, careless)
    found = alive(("solution", SCALED), ("test", test))
    assert found == (set() if kind == "none at all" else {("scaled", kind)})


@pytest.mark.slow
def test_parts_of_a_result_are_changed_one_by_one():
    solution = """
    def halves(words):
        middle = len(words) // 2
        return words[:middle], middle, np.eye(2) + [[0, 1], [0, 0]], {"n": 1.5}
    """
    test = """
    first, middle, table, more = halves(["a", "b", "c", "d"])
    assert middle == 2
    """
    found = ran(("solution", solution), ("test", test))
    assert {kind for _, kind in found} == {
        "changes words",
        "one more [0]",
        "one less [0]",
        "one more [1]",
        "one less [1]",
        "extra axis [1]",
        "float32 [2]",
        "a tenth more [2]",
        "transposed [2]",
        "extra axis [2]",
        "last element [2]",
        "truncated [2]",
        "a tenth more [3]",
        "truncated [3]",
        "None",
    }
    killed = {kind for (_, kind), outcome in found.items() if outcome.killed_by}
    # An array of one element is equal to a number, so the extra axis is not noticed.
    assert killed == {"one more [1]", "one less [1]", "None"}
    # Whole numbers cannot be cut off: that is the reference itself.
    assert not found["halves", "truncated [2]"].survives
    assert found["halves", "truncated [3]"].survives


MEAN = """
class Mean:
    def __init__(self, weights, beta=0.5):
        self.weights = weights
        self.beta = beta
        self.means = [np.zeros_like(w) for w in weights]
        self.last = None

    def step(self, slopes):
        for w, m, s in zip(self.weights, self.means, slopes):
            m *= self.beta
            m += s
            w -= m
        self.last = [s.copy() for s in slopes]
"""


@pytest.mark.slow
def test_objects_one_after_the_other_do_not_show_what_two_side_by_side_do():
    one = """
    w, s = [np.ones(2)], [np.full(2, 0.25)]
    mean = Mean(w)
    mean.step(s)
    assert w[0][0] == 0.75 and s[0][0] == 0.25
    mean.step([np.full(2, 0.5)])
    assert w[0][0] == 0.125
    """
    found = ran(("solution", MEAN), ("test", one))
    assert {name for name, outcome in found.items() if outcome.survives} == {
        ("Mean", "ignores beta"),
        ("Mean.step", "keeps slopes"),
    }
    assert found["Mean", "not in place weights"].killed_by == "c1"
    assert found["Mean.step", "changes slopes"].killed_by == "c1"
    # With one object there is nobody to share with.
    assert not found["Mean", "shared state"].acted

    two = """
    w, s = [np.ones(2)], [np.full(2, 0.25)]
    mean, other = Mean(w, beta=0.25), Mean([np.ones(2)])
    for _ in range(2):
        mean.step(s)
        other.step(s)
    s[0][:] = 7
    assert w[0][0] == 1 - 0.25 - 0.3125 and mean.last[0][0] == 0.25
    """
    assert alive(("solution", MEAN), ("test", one), ("test", two)) == set()


@pytest.mark.slow
def test_only_tests_that_call_a_step_run_on_its_mutants():
    found = ran(
        ("solution", "def one():\n    return 1"),
        ("test", "value = 1\nassert one() == value"),
        ("solution", "def two():\n    return one() + 1"),
        ("test", "assert two() == 2 * value"),
        ("test", "assert two() > 0"),
    )
    assert found["one", "one more"].mutant.tests == ("c1", "c3", "c4")
    # The first of them takes a name from a test that does not call it.
    assert found["two", "one more"].mutant.tests == ("c3", "c4")
    assert found["two", "one more"].killed_by == "c3"


@pytest.mark.slow
def test_an_end_without_a_word_kills():
    found = ran(
        ("solution", "def down(n):\n    return n - 1"),
        ("test", "import os\nn = down(3)\nif n != 2:\n    os._exit(1)"),
        ("test", "import warnings\nif down(1) != 0:\n    warnings.warn('not 0')"),
    )
    assert found["down", "one more"].killed_by == "its end"
    assert found["down", "first n"].killed_by == "c2"


@pytest.mark.slow
def test_a_reference_that_fails_is_named():
    with pytest.raises(CourseError, match="The reference fails at c1: AssertionError: two"):
        ran(("solution", "def one():\n    return 2"), ("test", "assert one() == 1, 'two'"))


def test_helpers_of_a_solution_are_no_steps():
    source = notebook(
        ("solution", "def step():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"),
        ("solution", "### BEGIN SOLUTION\ndef helper():\n    return 1\n### END SOLUTION"),
        (
            "solution",
            "class Net:\n    def _own(self):\n        pass\n    def run(self):\n        pass",
        ),
    )
    assert [step.name for step in mutants.steps(source)] == ["step", "Net.run"]


# What is said --------------------------------------------------------------------------------


def outcome(step, kind, killed_by="", acted=True, untried=""):
    mutant = Mutant(step, kind, "does it.", Answer(step, kind, ""), untried, ("c1", "c2"))
    return Outcome(mutant, killed_by, acted)


def test_a_survivor_is_told_with_the_tests_that_ran():
    (said,) = mutants.compare([outcome("softmax", "changes z")], {})
    assert said == ("No test kills ('softmax', 'changes z'): does it. Tests that ran: c1, c2.")


def test_what_no_test_tries_is_said():
    tried = outcome("softmax", "lists z", acted=False, untried="No test gives a list for z.")
    (said,) = mutants.compare([tried], {})
    assert "does it. No test gives a list for z. Tests that ran" in said
    # What never does anything else than the reference is no mutant.
    assert mutants.compare([outcome("softmax", "truncated", acted=False)], {}) == []


def test_accepted_mutants_are_not_told():
    found = [outcome("softmax", "float32"), outcome("relu", "float32 [1]")]
    exact = {("softmax", "float32"): "why", ("relu", "float32 [1]"): "why"}
    assert mutants.compare(found, exact) == []
    # All parts of a result, and all steps of an exercise.
    assert mutants.compare(found, {("softmax", "float32"): "w", ("relu", "float32"): "w"}) == []
    assert mutants.compare(found, {("*", "float32"): "why"}) == []


def test_accepted_mutants_that_are_killed_or_not_there_are_told():
    found = [outcome("softmax", "float32", killed_by="c2"), outcome("relu", "float32")]
    accepted = {
        ("softmax", "float32"): "why",
        ("relu", "float32"): "why",
        ("relu", "float64"): "why",
        ("*", "None"): "why",
    }
    killed, absent, none = mutants.compare(found, accepted)
    assert killed.startswith("('softmax', 'float32') is accepted, but c2 kills it")
    assert absent.startswith("('relu', 'float64') is accepted, but there is no such mutant")
    assert none.startswith("('*', 'None') is accepted, but there is no such mutant that survives")


def write(folder: Path, text: str) -> Path:
    path = folder / "answers.py"
    path.write_text(text)
    return path


def test_reasons_are_loaded(tmp_path):
    path = write(tmp_path, 'accepted = {("softmax", "float32"): "The text leaves it open."}')
    assert mutants.load_accepted(path) == {("softmax", "float32"): "The text leaves it open."}
    assert mutants.load_accepted(write(tmp_path, "")) == {}


@pytest.mark.parametrize(
    "text", ['accepted = {("softmax", "float32"): ""}', 'accepted = {"softmax": "It is so."}']
)
def test_reasons_are_asked_for(tmp_path, text):
    with pytest.raises(CourseError, match="answers.py accepts"):
        mutants.load_accepted(write(tmp_path, text))


@pytest.mark.slow
def test_an_exercise_is_looked_at_with_what_it_accepts(tiny_course):
    (first, *rest) = mutants.problems(tiny_course, "tiny")
    assert all(said.startswith("No test kills") for said in [first, *rest])
    folder = tiny_course / "tests" / "misconceptions"
    folder.mkdir(parents=True, exist_ok=True)
    text = "accepted = {('double', 'None'): 'Nobody returns nothing, ever.'}"
    (folder / "tiny.py").write_text(text)
    assert any(
        "('double', 'None') is accepted, but" in s for s in mutants.problems(tiny_course, "tiny")
    )


# Slips ---------------------------------------------------------------------------------------


def test_a_slip_that_changes_nothing_does_not_act():
    slips.begin()
    assert slips.changed(np.array([1.0, 0.0]), "", slips.zero_last).tolist() == [1, 0]
    assert slips.instead(2.0, 2.0) == 2
    slips.change(3.0)
    slips.change([])
    assert not slips.has_acted()
    assert slips.changed((1, np.array([1.0, 2.0])), 1, slips.zero_last)[1].tolist() == [1, 0]
    assert slips.has_acted()


def test_results_are_changed_in_containers_of_their_own_kind():
    w = np.array([[1.5, 2.0], [3.0, 4.0]])
    assert slips.truncated([w, (w, 2.5)])[1][1] == 2.0
    assert slips.float32({"w": w})["w"].dtype == np.float32
    assert slips.transposed([w])[0].tolist() == w.T.tolist()
    assert slips.one_less(["a", "b"]) == ["a"]
    assert slips.one_more(np.int64(3)) == 4
    assert slips.one_more(True) is True
    assert slips.like(w, np.arange(4).reshape(2, 2)).tolist() == [[1, 2], [3, 4]]
    assert w[0, 0] == 1.5


def test_arguments_of_all_kinds_are_changed():
    for value in (
        np.array([1, 2]),
        np.array([True, False]),
        np.array(["a", "b"]),
        [1, 2],
        [np.ones(2), np.ones(3)],
        {"a": 1},
        ([1.0],),
    ):
        before = slips.frozen(value)
        slips.begin()
        slips.change(value)
        assert slips.has_acted()
        assert slips.frozen(value) != before
