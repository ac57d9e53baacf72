"""Notebooks that begin alike: what comes out is what each gives by itself."""

import dataclasses

import pytest

from course_lib.grading.engine import runner
from course_lib.grading.engine.shared import Shared, Unshared, _Branch

# Real processes.
pytestmark = pytest.mark.slow

REFERENCE = (
    ("locked", "import random\nimport numpy as np\nX = np.arange(4.0)"),
    ("solution", "def double(z):\n    return 2 * z"),
    ("test", "assert double(3) == 6\nlog_of_test = [double(1)]"),
    (
        "solution",
        "log = []\nclass Counter:\n    count = 0\n    def step(self):\n        self.count += 1",
    ),
    ("test", "c = Counter()\nc.step()\nassert c.count == 1"),
    ("test", "c.step()\nassert c.count == 2, 'what an earlier test made is still there'"),
    ("solution", "def quad(z):\n    log.append(z)\n    return double(double(z))"),
    ("test", "assert quad(2) == 8\nassert len(log) == 1, f'{len(log)} entries'"),
    ("test", "print(round(quad(1.25), 2))\n0.5"),
)


def changed(**cells):
    """Return the reference with other code in some cells, by their places: ``c1="..."``."""
    return [
        (kind, cells.get(f"c{place}", source)) for place, (kind, source) in enumerate(REFERENCE)
    ]


OTHERS = {
    "the reference": {},
    "wrong": {"c1": "def double(z):\n    return z + 2"},
    "fails": {"c1": "def double(z):\n    raise ValueError(f'no {z}')"},
    "warns": {"c6": "import warnings\ndef quad(z):\n    warnings.warn('hm')\n    return 4 * z"},
    "counts by two": {
        "c3": "log = []\nclass Counter:\n    count = 0\n    def step(self): self.count += 2"
    },
    "logs twice": {"c6": "def quad(z):\n    log.extend([z, z])\n    return 4 * z"},
    "changes two cells": {"c1": "def double(z):\n    return z + z", "c6": "quad = None"},
    "takes what a test made": {
        "c6": "def quad(z):\n    log.append(z)\n    return z * sum(log_of_test) * 2"
    },
    "says something": {"c3": REFERENCE[3][1] + "\nprint('hello')\nCounter"},
}


def told(runs):
    """Return what runs say, without the time that they took."""
    return [dataclasses.replace(run, seconds=0.0) for run in runs]


@pytest.fixture
def shared(zygote, notebook):
    with Shared(notebook(*REFERENCE), zygote, source=notebook(*REFERENCE)) as sharing:
        yield sharing


def alone(zygote, notebook, cells):
    return runner.run(notebook(*cells), zygote, source=notebook(*REFERENCE))


def test_each_gives_what_it_gives_by_itself(shared, zygote, notebook):
    # Forwards, backwards, and the reference once more: none of them leaves anything behind.
    for name in [*OTHERS, *reversed(OTHERS)]:
        cells = changed(**OTHERS[name])
        assert told(shared.run(notebook(*cells))) == told(alone(zygote, notebook, cells)), name
    assert shared.alone == 0
    assert {run.status for run in shared.run(notebook(*REFERENCE))} == {"ok"}


def test_what_is_common_runs_once(shared, notebook):
    shared.trunk = notebook(*changed(c0="import time\nstamp = time.time_ns()\nprint(stamp)"))
    stamps = set()
    for code in ("def double(z):\n    return z", "def double(z):\n    return 3 * z"):
        runs = shared.run(notebook(*changed(c0=shared.trunk.cells[0].source, c1=code)))
        assert runs[2].status == "error"
        stamps.add(runs[0].outputs[0].text)
    assert len(stamps) == 1
    assert shared.alone == 0


def test_random_numbers_go_on_as_by_themselves(shared, zygote, notebook):
    draws = "import random\nrandom.seed(3)\nfirst = random.random()"
    shared.trunk = notebook(*changed(c0=draws))
    for code in ("print(random.random())", "random.random()\nprint(random.random())"):
        cells = changed(c0=draws, c3=code)
        assert told(shared.run(notebook(*cells))) == told(alone(zygote, notebook, cells))
    assert shared.alone == 0


@pytest.mark.parametrize(
    "deed",
    [
        "import os\nos._exit(3)",
        "def double(z):\n    import os\n    os._exit(3)",
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n"
        "def double(z):\n    import os\n    os._exit(3)",
    ],
    ids=["in its cell", "in a test", "with a thread"],
)
def test_who_loses_a_process_is_run_alone_and_nobody_else(shared, zygote, notebook, deed):
    cells = changed(c1=deed)
    by_itself = alone(zygote, notebook, cells)
    assert {run.status for run in by_itself} >= {"died"}
    assert told(shared.run(notebook(*cells))) == told(by_itself)
    assert shared.alone == 1
    others = changed(**OTHERS["wrong"])
    assert told(shared.run(notebook(*others))) == told(alone(zygote, notebook, others))
    assert shared.alone == 1


def test_a_beginning_with_a_thread_is_not_shared(zygote, notebook):
    thread = "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()"
    cells = changed(c0=f"{REFERENCE[0][1]}\n{thread}")
    with Shared(notebook(*cells), zygote, source=notebook(*REFERENCE)) as sharing:
        runs = sharing.run(notebook(*cells))
    assert [run.status for run in runs] == ["ok"] * len(cells)
    assert sharing.alone == 1


def test_files_are_there(zygote, notebook):
    cells = [("solution", "text = open('data.txt').read()"), ("test", "assert text == 'here'")]
    with Shared(notebook(*cells), zygote, files={"data.txt": b"here"}) as sharing:
        assert [run.status for run in sharing.run(notebook(*cells))] == ["ok", "ok"]
    assert sharing.alone == 0


def test_files_of_one_are_not_there_for_the_next(shared, zygote, notebook):
    writes = changed(c1="def double(z):\n    open('left', 'w').close()\n    return 2 * z")
    looks = changed(c1="import os\nprint(os.listdir())\ndef double(z):\n    return 2 * z")
    shared.run(notebook(*writes))
    assert told(shared.run(notebook(*looks))) == told(alone(zygote, notebook, looks))
    assert shared.alone == 1
    # From then on with processes, and a folder, of another beginning.
    assert told(shared.run(notebook(*looks))) == told(alone(zygote, notebook, looks))
    assert shared.alone == 1


def test_nothing_is_left_when_it_is_closed(zygote, notebook):
    sharing = Shared(notebook(*REFERENCE), zygote, source=notebook(*REFERENCE))
    sharing.run(notebook(*changed(**OTHERS["wrong"])))
    children = sharing._waiting[0].children
    assert len(children) == 2
    sharing.close()
    assert all(child.wait(60) is not None for child in children)


def test_a_process_that_cannot_fork_is_not_shared(shared, notebook):
    first = _Branch(notebook(*REFERENCE), shared.zygote, None, shared.times, {}, b"")
    with pytest.raises(Unshared, match="not there"):
        first.branch(shared._new(notebook(*REFERENCE)))
