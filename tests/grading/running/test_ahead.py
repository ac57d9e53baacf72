"""The warm process begins before anything else, where there is something to grade."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from course_lib.grading.engine import jobs
from course_lib.grading.running import ahead

SLUG = "warm[up]"


@pytest.fixture
def begun(monkeypatch):
    """Return the list of what was begun."""
    calls: list[None] = []
    monkeypatch.setattr(ahead.sys, "platform", "linux")
    monkeypatch.setattr(jobs, "begin", lambda: calls.append(None))
    return calls


def handed_in(folder, student):
    place = folder / "submitted" / student / SLUG
    place.mkdir(parents=True)
    (place / "notebook.ipynb").write_text("{}")
    return place


def graded(folder, student, *, later):
    place = folder / "autograded" / student / SLUG
    place.mkdir(parents=True)
    (place / "notebook.ipynb").write_text("{}")
    handed = (folder / "submitted" / student / SLUG / "notebook.ipynb").stat().st_ctime
    os.utime(place / "notebook.ipynb", (handed + later, handed + later))


def test_a_submission_that_was_not_graded_begins_it(tmp_path, begun):
    assert not ahead.begin(tmp_path, SLUG)
    handed_in(tmp_path, "ada")
    assert ahead.begin(tmp_path, SLUG)
    assert len(begun) == 1


@pytest.mark.parametrize(("later", "new"), [(10, False), (-10, True)])
def test_one_that_was_graded_counts_if_it_is_younger(tmp_path, begun, later, new):
    handed_in(tmp_path, "ada")
    graded(tmp_path, "ada", later=later)
    assert ahead.begin(tmp_path, SLUG) is new
    assert ahead.begin(tmp_path, SLUG, force=True)
    assert len(begun) == 1 + new


def test_only_the_students_who_are_asked_for_count(tmp_path, begun):
    handed_in(tmp_path, "ada")
    assert not ahead.begin(tmp_path, SLUG, "b*")
    assert ahead.begin(tmp_path, SLUG, "a*")


def test_where_there_is_no_sandbox_nothing_begins(tmp_path, begun, monkeypatch):
    monkeypatch.setattr(ahead.sys, "platform", "darwin")
    handed_in(tmp_path, "ada")
    assert not ahead.begin(tmp_path, SLUG)
    assert not begun


def test_what_begins_it_imports_neither_nbgrader_nor_numpy():
    code = (
        "import sys\nfrom course_lib.grading.running import ahead\n"
        "from course_lib.grading.engine import jobs, zygote\n"
        "print([name for name in ('nbgrader', 'nbformat', 'numpy', 'sqlalchemy', 'torch') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
