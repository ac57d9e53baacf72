"""The dry run of a warm process: it goes well, and leaves nothing that a child could notice."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest

from course_lib.grading.engine import (
    notebooks,
    protocol,
    randomness,
    runner,
    sandbox,
    shells,
    student,
    zygote,
)

np = pytest.importorskip("numpy")

# Real processes.
pytestmark = pytest.mark.slow

PLAYED = """
import builtins, json, os, sys
import matplotlib, torch
from course_lib.grading.engine import judge, dry_run, student

def seen():
    return [sorted(vars(builtins)), sys.path, sys.modules["__main__"].__file__,
            repr(sys.displayhook), repr(sys.excepthook), matplotlib.get_backend(),
            sorted(os.environ), hasattr(sys, "ps1"), os.getcwd(), len(os.listdir("/proc/self/fd"))]

said = {"student": [], "judge": []}

def noted(role, function):
    def noting(*arguments):
        answer = function(*arguments)
        said[role].append(answer[:2])
        return answer
    return noting

student.run_cell = noted("student", student.run_cell)
judge.Judge.test = noted("judge", judge.Judge.test)
before = seen()
dry_run.play()
shell = "IPython.core.interactiveshell"
print(json.dumps([said, before, seen(), sys.modules[shell].InteractiveShell.initialized()]))
"""


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    script = tmp_path_factory.mktemp("dry-run") / "played.py"
    script.write_text(PLAYED)
    home = script.parent
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"HOME": str(home), "OMP_NUM_THREADS": "1", "MPLBACKEND": shells.INLINE},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), sorted(path.name for path in home.iterdir())


def test_it_goes_as_it_is_written(played):
    said = played[0][0]
    assert [error.partition(" (")[0] for status, error in said["student"] if status != "ok"] == [
        "NameError: name 'undefined' is not defined",
        "SyntaxError: invalid syntax",
    ]
    assert [error.partition(":")[0] for status, error in said["judge"] if status != "ok"] == [
        "CheckFailed",
        "NotImplementedError",
        "AssertionError",
    ]


def test_it_leaves_nothing(played):
    (_, before, after, shell), files = played
    assert before == after
    assert not shell
    assert ".ipython" not in files


# What makes a submission quick, and must change nothing


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def f(x, y=z):\n    t = x\n    return t + u", {"u", "z"}),
        ("x = 1\nprint(x)", {"print", "x"}),
        ("def f():\n    global k\n    return k", {"k"}),
        ("class A(B):\n    def m(self):\n        return self.n, q", {"B", "q"}),
        ("[a + b for a in c]", {"a", "b", "c"}),
        ("f = lambda a: a + b", {"b"}),
        ("%matplotlib inline\nplot(x)", {"plot", "x"}),
        ("def f(:", set()),
    ],
)
def test_names_that_a_cell_takes_from_the_notebook(source, names):
    found = notebooks.loaded_names([SimpleNamespace(source=source)])
    assert found - {"a"} == names - {"a"}


def test_random_numbers_go_on_wherever_they_were():
    """The states between two draws differ, also where only a number in store was taken."""
    draws = [
        random.random,
        lambda: random.gauss(0, 1),
        lambda: np.random.rand(3).tolist(),
        lambda: float(np.random.randn()),
        lambda: float(np.random.randn()),
        lambda: float(np.random.randn()),
    ]
    states, drawn = [randomness.random_state()], []
    for draw in draws:
        drawn.append(draw())
        states.append(randomness.random_state())
    assert len(set(states)) == len(states)
    for draw, state, value in [*zip(draws, states, drawn, strict=False)][::-1]:
        randomness.set_random_state(state)
        assert randomness.random_state() == state
        assert draw() == value


@pytest.mark.parametrize(
    ("place", "broken"),
    [
        # What draws a normal number from zeros alone draws without end.
        ((0, 1), lambda words: np.zeros_like(words)),
        ((0, 1), lambda words: np.append(words[:-1], 900).astype(np.uint32)),
        ((0, 2), lambda _: "soon"),
        ((1, 1), lambda words: 0 * words + np.eye(1, 624, dtype=np.uint32)[0]),
        ((1, 2), lambda _: 700),
        ((1, 2), lambda _: 1.5),
        ((1, 4), lambda _: float("nan")),
        ((2,), lambda words: 0 * words),
        ((2,), lambda words: words[:100]),
    ],
)
def test_a_state_that_no_drawing_leads_to_is_refused(place, broken):
    pytest.importorskip("torch").manual_seed(1)
    before = randomness.random_state()
    state = protocol.unpack(before, tuple)
    inner = state if len(place) == 1 else state[place[0]]
    inner[place[-1]] = broken(inner[place[-1]])
    with pytest.raises((protocol.WireError, ValueError, TypeError)):
        randomness.set_random_state(protocol.pack(state, tuple))
    assert randomness.random_state() == before


def test_outside_walls_nobody_s_processes_are_ended(monkeypatch):
    ended = []
    monkeypatch.setattr(student.os, "kill", lambda *what: ended.append(what))
    student.Student.end_strangers(SimpleNamespace(first=os.getpid(), sandboxed=sandbox.entered()))
    assert ended == []


# A shell made ahead is a shell made where it is used

LOOKS = (
    "first = 1\nfirst + 1",
    "import builtins, os, sys\nshell = get_ipython()\nprint(sorted(globals()))\n"
    "print(sorted(vars(builtins)), sys.path)\n"
    "print(type(sys.displayhook), sys.excepthook == shell.excepthook, hasattr(sys, 'ps1'))",
    "print(sys.modules['__main__'].__dict__ is globals(), builtins.get_ipython() is shell)",
    "print(shell.ipython_dir, shell.profile_dir.location, sorted(os.listdir(shell.ipython_dir)))\n"
    "print(sorted(os.listdir(shell.profile_dir.location)))",
    "print(_dh, os.getcwd(), shell.execution_count, shell.history_manager.enabled, In, Out)",
    "from IPython import get_ipython as ask\nprint(ask() is shell, len(shell.configurables))",
    "print(type(shell).__mro__, [kind._instance is shell for kind in type(shell)._walk_mro()])",
    "%matplotlib inline\nshell.db['kept'] = 1\nprint(shell.db['kept'])",
    "%cd /\n%pwd",
    "1 / 0",
    "import pickle\nclass Mine:\n    pass\ntype(pickle.loads(pickle.dumps(Mine()))) is Mine",
    "from IPython.display import display\ndisplay('shown')\n'value'",
)


def test_a_shell_made_ahead_is_a_shell_like_any_other():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(look) for look in LOOKS])
    seen = []
    without = [name for name in zygote.DEFAULT_PRELOAD if not name.endswith(".dry_run")]
    for preload in (without, zygote.DEFAULT_PRELOAD):
        with zygote.Zygote(preload) as warm:
            for _ in range(2):
                ran = runner.run(notebook, warm)
                seen.append([(one.status, one.error, one.outputs) for one in ran])
    made_there = seen[0]
    assert [error for _, error, _ in made_there if error] == ["ZeroDivisionError: division by zero"]
    # Nothing of one notebook is in the next.
    for other in seen:
        assert other == made_there
