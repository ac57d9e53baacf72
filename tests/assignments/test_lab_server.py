"""*Validate* with the engine of `course check`, and the formgrader without a needless warning."""

import json
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
from traitlets.config import Config

from course_lib.assignments import lab_server, sources
from course_lib.assignments.lab_server import failed_cells, has_exchange, validate
from course_lib.paths import release_path


@pytest.fixture
def exercise(tiny_course):
    sources.generate(tiny_course)
    mine = tiny_course / "work" / "tiny" / "tiny.ipynb"
    mine.parent.mkdir(parents=True)
    shutil.copy(release_path(tiny_course, "tiny"), mine)
    return mine


def a_test(name, points, most, message=""):
    return {"grade_id": name, "points": points, "max_points": most, "message": message}


def test_the_cells_that_failed_are_shown_with_points_and_hints():
    told = {
        "broken": {"double": "NameError: <b>", "quad": "NotImplementedError"},
        "results": [
            a_test("test-double", 0.0, 2.0, "double(2) is 3 & not <4>"),
            a_test("test-double-hidden", 2.0, 2.0),
            a_test("test-quad", 0.5, 1.0, "Not written yet."),
            a_test("why", None, 3.0),
        ],
    }
    assert [(cell["source"], cell["error"]) for cell in failed_cells(told)] == [
        ("double", "The cell stops with NameError: &lt;b&gt;"),
        ("test-double: 0 of 2 points", "double(2) is 3 &amp; not &lt;4&gt;"),
        ("test-quad: 0.5 of 1 points", "Not written yet."),
    ]


def test_validate_asks_course_check(exercise, monkeypatch):
    answers = [
        SimpleNamespace(returncode=0, stdout=json.dumps({"broken": {}, "results": []})),
        SimpleNamespace(returncode=1, stderr="course: It is no notebook.\n"),
    ]
    asked = []

    def run(command, **given):
        asked.append((command, given["cwd"]))
        return answers.pop(0)

    monkeypatch.setattr(subprocess, "run", run)
    assert validate(exercise) == {"success": True, "value": {}}
    assert validate(exercise) == {"success": False, "value": "It is no notebook."}
    root = exercise.parents[2]
    check = [sys.executable, "-m", "course_lib", "check", "tiny", "--notebook", str(exercise)]
    assert asked == [([*check, "--json"], root)] * 2


def test_what_is_no_answer_to_an_exercise_is_told_or_left_to_nbgrader(exercise):
    root = exercise.parents[2]
    told = validate(root / "solutions" / "tiny.py")
    assert not told["success"] and "`course check tiny`" in told["value"]
    shutil.copy(exercise, root / "notes.ipynb")
    assert validate(root / "notes.ipynb") is None
    # No course is anywhere above it.
    assert validate(root.parent / "tiny.ipynb") is None


def test_an_exchange_is_missed_only_where_somebody_uses_one(monkeypatch, tmp_path):
    monkeypatch.delenv("JUPYTERHUB_USER", raising=False)
    monkeypatch.setattr(lab_server, "USUAL_EXCHANGE", tmp_path / "exchange")
    assert not has_exchange(Config())
    assert has_exchange(Config({"Exchange": {"root": "/srv/exchange"}}))
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")
    assert has_exchange(Config())
    monkeypatch.delenv("JUPYTERHUB_USER")
    (tmp_path / "exchange").mkdir()
    assert has_exchange(Config())
