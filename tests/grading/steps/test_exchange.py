"""A JupyterHub's exchange, walked through with two students: from the list to the feedback.

The steps are those behind the buttons of JupyterLab's *Assignment List* and of the formgrader. All
run as one user of the system, as in a hub of containers: `JUPYTERHUB_USER` says who is who.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import nbgrader.utils
import pytest
import small_course as small
from nbgrader.apps.api import NbGraderAPI
from nbgrader.server_extensions.assignment_list.handlers import AssignmentList

from course_lib import grading
from course_lib.grading.course.folder import course_in

CLASS = "sums-class"

#: What the operator's page says, for students and for the course.
SETTINGS = """\
c.CourseDirectory.course_id = "{course_id}"
c.Exchange.root = "{exchange}"
c.ExchangeCollect.check_owner = False
"""


@pytest.fixture
def exchange(tmp_path: Path) -> Path:
    folder = tmp_path / "exchange"
    folder.mkdir()
    # As the operator's page says: nbgrader wants to write, and gives each part its own rights.
    folder.chmod(0o777)
    return folder


@pytest.fixture
def course(tmp_path: Path, exchange: Path) -> Path:
    """The teacher's folder, with an assignment that is released."""
    folder = tmp_path / "course"
    folder.mkdir()
    small.build(folder)
    with (folder / "nbgrader_config.py").open("a") as file:
        file.write(SETTINGS.format(course_id=CLASS, exchange=exchange))
    (folder / "roster.csv").write_text("id,first_name\nada,Ada\nben,Ben\n")
    grading.release([small.SLUG], folder)
    return folder


@pytest.fixture
def student(
    tmp_path: Path, exchange: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], AssignmentList]:
    """Return a function that makes somebody the user, in their server with their own home."""
    settings = tmp_path / "etc"
    settings.mkdir()
    text = SETTINGS.format(course_id=CLASS, exchange=exchange)
    (settings / "nbgrader_config.py").write_text(f"c = get_config()\n{text}")
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(settings))
    # The name of everybody in Jupyter's containers.
    monkeypatch.setattr(nbgrader.utils, "get_osusername", lambda: "jovyan")

    def become(name: str) -> AssignmentList:
        home = tmp_path / "home" / name
        home.mkdir(parents=True, exist_ok=True)
        for variable, place in (
            ("HOME", home),
            ("JUPYTER_DATA_DIR", home / ".jupyter-data"),
            ("JUPYTER_CONFIG_DIR", home / ".jupyter"),
            ("JUPYTERHUB_USER", name),
        ):
            monkeypatch.setenv(variable, str(place))
        monkeypatch.chdir(home)
        server = AssignmentList()
        server.root_dir = str(home)
        return server

    return become


def states(listed: dict[str, Any]) -> dict[str, str]:
    """Return what is listed, by its state: released, fetched, submitted."""
    assert listed["success"], listed["value"]
    return {entry["status"]: entry["assignment_id"] for entry in listed["value"]}


def teacher(course: Path) -> NbGraderAPI:
    """Return what the formgrader's buttons call."""
    coursedir = course_in(course).coursedir
    return NbGraderAPI(coursedir, parent=coursedir)


def test_two_students_and_a_teacher_walk_through_the_exchange(
    course: Path,
    student: Callable[[str], AssignmentList],
    exchange: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert states(student("ada").list_assignments(CLASS)) == {}
    student("teacher")
    monkeypatch.chdir(course)
    assert teacher(course).release_assignment(small.SLUG)["success"]

    answers = {"ada": {"total": small.TOTAL, "mean": small.MEAN}, "ben": {"total": small.TOTAL}}
    for name, texts in answers.items():
        server = student(name)
        assert states(server.list_assignments(CLASS)) == {"released": small.SLUG}
        assert server.fetch_assignment(CLASS, small.SLUG) == {"success": True}
        mine = Path(os.environ["HOME"], small.SLUG, f"{small.SLUG}.ipynb")
        notebook = nbformat.read(mine, as_version=4)
        got = mine.read_text()
        assert "END HIDDEN TESTS" not in got and "One point for" not in got
        for cell, text in texts.items():
            small.named(notebook, cell).source = text
        nbformat.write(notebook, mine)
        assert server.submit_assignment(CLASS, small.SLUG) == {"success": True}
        assert states(server.list_assignments(CLASS))["submitted"] == small.SLUG
    handed_in = exchange / CLASS / "inbound"
    assert sorted(path.name.split("+")[0] for path in handed_in.iterdir()) == ["ada", "ben"]
    # A student may put something in, and may not see what others did.
    assert handed_in.stat().st_mode & 0o007 == 0o003

    student("teacher")
    monkeypatch.chdir(course)
    assert grading.collect(small.SLUG, course) == ["ada", "ben"]
    report = grading.grade(small.SLUG, course)
    assert {name: sum(report[name].points().values()) for name in answers} == {"ada": 7, "ben": 3}
    grading.feedback(small.SLUG, course)
    assert teacher(course).release_feedback(small.SLUG)["success"]

    for name in answers:
        server = student(name)
        assert server.fetch_feedback(CLASS, small.SLUG) == {"success": True}
        (page,) = Path(os.environ["HOME"], small.SLUG, "feedback").rglob("*.html")
        text = " ".join(page.read_text(encoding="utf-8").split())
        points = "7" if name == "ada" else "3"
        assert f"{name}:" in text and f"<strong>{points} of 9 points</strong>" in text
        assert "One point for the word" not in text
