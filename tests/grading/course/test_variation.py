"""Hidden inputs that are each student's own: `course_lib.exercises.rng`."""

from __future__ import annotations

import copy
import hmac
import json
import os
import pickle
from pathlib import Path
from typing import Any

import cloudpickle
import nbformat
import numpy as np
import pytest
import small_course as small
from numpy.random import Generator

from course_lib import grading
from course_lib.exercises import asserts, rng
from course_lib.grading import GradingError
from course_lib.grading.course import secret
from course_lib.grading.engine.judge import Names, There
from course_lib.grading.engine.runner import seed_of_cell

# Whoever fails is told the numbers, so that the tests here can read them.
TEST = """\
from course_lib.exercises import rng
generator = rng()
numbers = [int(n) for n in generator.integers(0, 10**12, size=3)]
assert total(numbers) == sum(numbers), f"drawn: {numbers}"
"""
SECOND = (
    "import course_lib.exercises as e\nn = int(e.rng().integers(10**12))\nassert mean([n]) == n"
)

WRONG = "def total(numbers):\n    return -1"

# What a student can know: the numbers of a plain notebook, drawn where the student's code runs.
HARD_CODED = """\
from course_lib.exercises import rng
known = [int(n) for n in rng().integers(0, 10**12, size=3)]
def total(numbers):
    return sum(known)
"""

# Looks for what the numbers follow from in everything that its process holds.
SPY = """\
import gc, os, sys
from course_lib.exercises import asserts
import numpy as np

def total(numbers):
    found = []
    for thing in gc.get_objects():
        if isinstance(thing, np.random.Generator):
            found.append(thing.integers(0, 10**12, size=3).tolist())
    there = type(asserts.student).__name__
    found.append([there, asserts.student.seed().decode(), sorted(os.environ)])
    frame = sys._getframe()
    while frame:
        found += [v.hex() for v in frame.f_locals.values() if type(v) is bytes and len(v) == 32]
        frame = frame.f_back
    open("seen.txt", "w").write(repr(found))
    return 0
"""
SHOW = "print(open('seen.txt').read())"


def a_course(folder: Path, answers: dict[str, str]) -> Path:
    """Return the small course whose tests draw their inputs, with submissions to it."""
    folder.mkdir()
    small.build(folder)
    path = folder / "source" / small.SLUG / f"{small.SLUG}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    small.named(notebook, "test-total").source = TEST
    small.named(notebook, "test-mean").source = SECOND
    nbformat.write(notebook, path)
    grading.release([small.SLUG], folder)
    for student, answer in answers.items():
        notebook = small.answered(folder, total=answer, mean=small.MEAN)
        notebook.cells.append(small.cell("code", "", SHOW if student == "spy" else "pass"))
        notebook.cells[-1].metadata.pop("nbgrader")
        small.hand_in(folder, student, notebook)
    return folder


def drawn(report: grading.Report, student: str) -> str:
    """Return the numbers that a student's code was given."""
    (cell,) = [cell for cell in report[student].cells if cell.name == "test-total"]
    assert cell.score == 0
    return cell.message.partition("drawn: ")[2]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, grading.Report]:
    answers = {"ann": WRONG, "bob": WRONG, "cem": small.TOTAL, "dan": HARD_CODED, "spy": SPY}
    folder = a_course(tmp_path_factory.mktemp("variation") / "course", answers)
    return folder, grading.grade(small.SLUG, folder, workers=2)


@pytest.mark.slow
def test_each_student_meets_other_numbers_and_meets_them_again(
    graded: tuple[Path, grading.Report],
) -> None:
    folder, report = graded
    first, second = drawn(report, "ann"), drawn(report, "bob")
    assert len(json.loads(first)) == len(json.loads(second)) == 3
    assert first != second
    assert report["cem"].points()["test-total"] == 3
    assert report["cem"].points()["test-mean"] == 2
    notebook = small.answered(folder, total=f"{WRONG} - 1", mean=small.MEAN)
    small.hand_in(folder, "bob", notebook)
    again = grading.grade(small.SLUG, folder, students="[ab]*", force=True, workers=1)
    assert drawn(again, "ann") == first
    # Another answer meets other numbers: those of the first try are known by now.
    assert drawn(again, "bob") != second


@pytest.mark.slow
def test_hard_coded_answers_fail(graded: tuple[Path, grading.Report]) -> None:
    _, report = graded
    assert drawn(report, "dan")


@pytest.mark.slow
def test_the_students_process_holds_nothing_of_the_seed(
    graded: tuple[Path, grading.Report],
) -> None:
    folder, report = graded
    path = folder / "autograded" / "spy" / small.SLUG / f"{small.SLUG}.ipynb"
    seen = nbformat.read(path, as_version=4).cells[-1].outputs[0].text
    assert "['Here', 'notebook 1'" in seen
    graded_notebook = nbformat.read(path, as_version=4)
    answers = secret.digest_of(graded_notebook.cells, {})
    seed = secret.seed_for(folder, small.SLUG, small.SLUG, "spy", answers)
    cell = small.named(graded_notebook, "test-total")
    for known in (seed, seed_of_cell(seed, cell), bytes.fromhex(the_secret(folder))):
        assert known.hex() not in seen
    assert drawn(report, "spy") not in seen


def the_secret(folder: Path) -> str:
    return (folder / secret.FILE).read_text().strip()


def test_the_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    place = ("sums", "sums", "ann")
    seed = secret.seed_for(tmp_path, *place)
    assert seed == secret.seed_for(tmp_path, *place)
    assert (tmp_path / secret.FILE).stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == [secret.FILE]
    assert seed == hmac.digest(
        bytes.fromhex(the_secret(tmp_path)), json.dumps([*place, ""]).encode(), "sha256"
    )
    others = [("sum", "ssums", "ann"), ("sums", "sums", "bob"), ("sums", "more", "ann")]
    assert len({seed, *(secret.seed_for(tmp_path, *other) for other in others)}) == 4
    assert secret.seed_for(tmp_path, *place, "another answer") != seed


def test_rights_that_a_copy_widened_are_narrowed(tmp_path: Path) -> None:
    seed = secret.seed_for(tmp_path, "a", "a", "ann")
    (tmp_path / secret.FILE).chmod(0o644)
    assert secret.seed_for(tmp_path, "a", "a", "ann") == seed
    assert (tmp_path / secret.FILE).stat().st_mode & 0o777 == 0o600


def test_a_secret_that_is_none_is_explained(tmp_path: Path) -> None:
    (tmp_path / secret.FILE).write_text("cut off")
    with pytest.raises(GradingError, match=r"course\.secret does not hold.*copy.*delete the file"):
        secret.seed_for(tmp_path, "a", "a", "ann")
    with pytest.raises(GradingError, match="cannot be read or made: No such file"):
        secret.seed_for(tmp_path / "nowhere", "a", "a", "ann")


def test_a_course_that_draws_nothing_gets_no_secret(tmp_path: Path) -> None:
    cell = nbformat.v4.new_code_cell("assert total([1]) == 1")
    assert not secret.asks_for_seed([cell], {"data.csv": b"rng"})
    assert secret.asks_for_seed([cell], {"helper.py": b"from course_lib.exercises import rng"})
    cell.source = "from course_lib.exercises import rng as draw"
    assert secret.asks_for_seed([cell], {})


# In a notebook, and in the judge


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asserts, "student", asserts.Here())


def numbers(generator: Generator) -> list[int]:
    return generator.integers(10**9, size=4).tolist()


@pytest.mark.usefixtures("at_home")
def test_in_a_notebook_everybody_meets_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    class Shell:
        execution_count = 1

    monkeypatch.setattr("IPython.get_ipython", lambda: Shell)
    first, second = numbers(rng()), numbers(rng())
    assert first != second
    # The next cell, or the same one again.
    Shell.execution_count = 2
    assert numbers(rng()) == first


@pytest.mark.slow
def test_course_check_draws_the_same_numbers_each_time() -> None:
    from course_lib.assignments.running import run_notebook

    source = "from course_lib.exercises import rng\nprint(rng().integers(10**9))"
    cells = [nbformat.v4.new_code_cell(source) for _ in range(2)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    first, second = ([run.outputs[0].text for run in run_notebook(notebook)] for _ in range(2))
    assert first == second
    assert first[0] != first[1]


def test_in_the_judge_numbers_follow_from_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    def draws(seed: bytes) -> list[list[int]]:
        link: Any = None
        monkeypatch.setattr(asserts, "student", There(link, Names(), seed))
        return [numbers(rng()), numbers(rng())]

    one, two, none = draws(b"a" * 32), draws(b"b" * 32), draws(b"")
    assert one == draws(b"a" * 32)
    assert len({str(row) for row in (*one, *two, *none)}) == 6
    monkeypatch.setattr(asserts, "student", asserts.Here())
    assert numbers(rng()) == none[0]


def test_each_test_cell_has_a_seed_of_its_own() -> None:
    cells = [small.cell("code", name, "", grade=True) for name in ("a", "b")]
    assert len({seed_of_cell(b"x" * 32, cell) for cell in cells}) == 2
    assert seed_of_cell(b"", cells[0]) == b""


@pytest.mark.usefixtures("at_home")
def test_the_generator_does_not_travel_and_values_do() -> None:
    generator = rng()
    for dumps in (pickle.dumps, cloudpickle.dumps):
        with pytest.raises(TypeError, match="draw the values, and hand those"):
            dumps(generator)
    with pytest.raises(TypeError, match="stays with the tests"):
        cloudpickle.dumps(lambda: generator.normal())
    assert numbers(copy.deepcopy(generator)) == numbers(generator)
    assert isinstance(cloudpickle.loads(cloudpickle.dumps(generator.normal(size=2))), np.ndarray)


def test_what_travels_to_the_student_carries_no_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    link: Any = None
    monkeypatch.setattr(asserts, "student", There(link, Names(), b"s" * 32))
    # A function that draws beside the student's objects draws a plain notebook's numbers there.
    text = cloudpickle.dumps(lambda: rng().normal())
    assert b"s" * 32 not in text
    monkeypatch.setattr(asserts, "student", asserts.Here())
    assert cloudpickle.loads(text)() == rng_of_a_notebook()


def rng_of_a_notebook() -> float:
    asserts.student.calls = 0
    return float(rng().normal())
