"""Which tests must run again after a change, and which give what they gave."""

import ast

import pytest

from course_lib.grading.engine import influence

ONE = "def one(x):\n    return x + 1"
TWO = "def two(x):\n    return one(one(x))"
OTHER = "def other(x):\n    return -x"


def needed(notebook, *cells, **changed):
    """Return the tests that must run when some cells are others, given by their places."""
    theirs = notebook(*cells)
    ours = notebook(
        *((kind, changed.get(f"c{place}", code)) for place, (kind, code) in enumerate(cells))
    )
    found = influence.needed(ours.cells, theirs.cells)
    if found is None:
        return None
    assert found >= {i for i, (kind, _) in enumerate(cells) if kind != "test"}
    return {i for i in found if cells[i][0] == "test"}


@pytest.mark.parametrize(
    ("test", "runs"),
    [
        ("assert other(1) == -1", False),
        ("assert one(1) == 2", True),
        ("assert two(1) == 3", True),
        ("assert probe(lambda f: f(1), two) == 3", True),
        ("with given(one=abs):\n    assert other(1) == -1", True),
        ("check('one', [1])", True),
        ("check('neither', [1])", False),
        ("assert globals()['on' + 'e'](1) == 2", True),
        ("one = abs\nassert one(1) == 1", False),  # which two, before it, is not handed
        ("if other(1):\n    one = abs\nassert one(1) == 1", True),
        ("def check(one):\n    assert one(1) == -1\ncheck(other)", False),
        ("def check():\n    assert one(1) == -1\ncheck()", True),
        ("assert [one for one in [1]] == [1]", False),
        ("assert X == 1", False),
        ("assert state == []", True),
    ],
)
def test_a_test_runs_if_the_change_can_reach_it(notebook, test, runs):
    found = needed(
        notebook,
        ("locked", "state = []\nX = 1"),
        ("solution", ONE),
        ("solution", TWO),
        ("solution", OTHER),
        ("test", test),
        c1="def one(x):\n    state.append(x)\n    return x",
    )
    assert found == ({4} if runs else set())


def test_changes_travel_from_test_to_test(notebook):
    cells = [
        ("solution", ONE),
        ("solution", OTHER),
        ("test", "import math\nX = [1]\nassert one(X[0]) == 2"),
        ("test", "assert other(X[0]) == -1"),
        ("test", "X = [3]\nassert other(X[0]) == -3"),
        ("test", "assert math.pi > 3"),
        ("test", "Y = 2\nassert other(Y) == -2"),
        ("test", "assert other(Y) == -2"),
    ]
    changed = "def one(x):\n    return 2 * x"
    # The test that fails may not come to its end: what it would have defined is reached, too.
    assert needed(notebook, *cells, c0=changed) == {2, 3, 5}
    # A test that runs takes a name from one that would not have to.
    cells[7] = ("test", "assert one(Y) == 3")
    assert needed(notebook, *cells, c0=changed) == {2, 3, 5, 6, 7}


def test_names_that_a_test_hands_to_the_student_are_there(notebook):
    cells = [
        ("solution", ONE),
        ("test", "made = 3\nassert one(1) == 2"),
        ("test", "other_made = 3"),
        ("solution", "def later():\n    return other_made"),
        ("test", "assert later() == 3"),
        ("test", "hint = 'unused'"),
    ]
    assert needed(notebook, *cells, c0="def one(x):\n    return 2 * x") == {1, 2}


def test_values_that_a_changed_function_may_write_into_are_reached(notebook):
    cells = [
        ("locked", "data = [1, 2]\nmore = [3]"),
        ("solution", "def total():\n    return sum(data)"),
        ("solution", "class Box:\n    kept = []"),
        ("test", "assert total() == 3"),
        ("test", "assert data == [1, 2]"),
        ("test", "assert more == [3]"),
        ("test", "assert Box.kept == []"),
    ]
    assert needed(notebook, *cells, c1="def total():\n    return data[0] + 2") == {3, 4}
    fills = "def total():\n    Box.kept.append(1)\n    return 3"
    # The reference's version takes data.
    assert needed(notebook, *cells, c1=fills) == {3, 4, 6}


@pytest.mark.parametrize(
    "code",
    [
        "def one(x):\n    global state\n    state = x",
        "def one(x):\n    np.random.seed(0)",
        "np.seterr(all='raise')",
        "from numpy import seterr",
        "import os\ndef one(x):\n    return x",
        "def one(x):\n    open('x', 'w')",
        "def one(x):\n    exec('two = 1')",
        "def one(x):\n    two.count = 1",
        "def one(x):\n    module = np\n    module.pi = 3",
        "def one(x):\n    np.linalg.norm.__defaults__ = None",
        "def one(x):\n    one.__globals__['two'] = 1",
        "def one(x):\n    find()[0] = 1",
        "del two",
        "def one(x:",
    ],
)
def test_what_acts_in_other_ways_than_by_names_makes_nothing_certain(notebook, code):
    assert not influence.stays_within(code)
    cells = [("solution", ONE), ("solution", OTHER), ("test", "assert other(1) == -1")]
    assert needed(notebook, *cells, c0=code) is None
    # Nor may the reference do so, as the other one does not.
    cells[0] = ("solution", code)
    assert needed(notebook, *cells, c0=ONE) is None


@pytest.mark.parametrize(
    "code",
    [
        "def one(x):\n    y = x.copy()\n    y[0] = 1\n    return y",
        "class Net:\n    def __init__(self, w):\n        self.w = w\n        w[0] = 1",
        "def one(nodes):\n    for node in nodes:\n        node.grad = None",
        "import numpy as np\ndef one(x):\n    with np.errstate(all='ignore'):\n        return x",
    ],
)
def test_ordinary_answers_stay_within(code):
    assert influence.stays_within(code)


def test_modules_that_act_on_their_own_make_nothing_certain(notebook):
    cells = [
        ("locked", "from matplotlib import pyplot as plt"),
        ("solution", ONE),
        ("solution", OTHER),
        ("test", "assert other(1) == -1"),
    ]
    assert needed(notebook, *cells, c1="def one(x):\n    return 2 * x") == set()
    assert needed(notebook, *cells, c1="def one(x):\n    plt.ion()\n    return x") is None


def test_notebooks_that_cannot_be_compared(notebook):
    one = notebook(("solution", ONE), ("test", "assert one(1) == 2"))
    more = notebook(("solution", ONE), ("test", "assert one(1) == 2"), ("test", "pass"))
    assert influence.needed(one.cells, more.cells) is None
    tests = [("solution", ONE), ("test", "assert one(1) == 2")]
    assert needed(notebook, *tests, c1="assert one(1) == 3") is None
    stars = [("locked", "from math import *"), ("solution", ONE), ("test", "assert pi > 3")]
    assert needed(notebook, *stars, c1=OTHER) is None


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("x = 1\ny = x + z", {"z"}),
        ("x = x + 1", {"x"}),
        ("x += 1", {"x"}),
        ("for x in range(3):\n    y = x\nprint(y)", {"y", "range", "print"}),
        ("if a:\n    x = 1\nelse:\n    x = 2\nx", {"a"}),
        ("if a:\n    x = 1\nx", {"a", "x"}),
        ("with a as b:\n    x = b\nx", {"a", "x"}),
        ("try:\n    x = 1\nexcept E as e:\n    y = e\nx", {"E", "x"}),
        ("while a:\n    x = 1\nelse:\n    b\nx", {"a", "b", "x"}),
        ("import a.b\nfrom c import d as e\na, e, d", {"d"}),
        ("def f(x, y=z):\n    return x + w\nf(1)", {"z", "w"}),
        ("x: int = 1\ny: int\nx, y", {"y", "int"}),
        ("(a, [b, *c]) = d\na, b, c", {"d"}),
        ("print(x := 1)\nx", {"print", "x"}),
        ("match a:\n    case [x]:\n        x", {"a", "x"}),
    ],
)
def test_names_taken_before_they_have_a_meaning(code, names):
    # What is more than necessary costs time; what is less would be wrong.
    assert influence.taken(ast.parse(code).body) == names
