"""PostgreSQL as the gradebook, on a real server: the same as SQLite, also when it goes wrong."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import small_course as small
from postgres_server import PASSWORD, QUOTED, USER, PostgresServer
from small_course import a_course, contents
from sqlalchemy import event, make_url
from sqlalchemy.engine import Engine

from course_lib import grading
from course_lib.grading import NEEDS_A_PERSON, GradingError
from course_lib.grading.course.faults import without_password
from course_lib.grading.recording import gradebook

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("light_zygote")]

STUDENTS = {name: small.ANSWERS[name] for name in ("ann", "bob", "cem", "dan")}


def on(url: str, wait: float = 30) -> str:
    """Return the settings that make a database the gradebook."""
    return f"c.CourseDirectory.db_url = {url!r}\nc.Gradebook.wait = {wait}\n"


def points(report: grading.Report) -> dict[str, list[float]]:
    return {row.student: list(row.points().values()) for row in report.students}


EXPECTED = {name: small.POINTS[name] for name in STUDENTS}


@pytest.fixture(scope="module")
def ungraded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course, released into SQLite; other tests copy it."""
    return a_course(tmp_path_factory.mktemp("ungraded") / "course", STUDENTS)


def database_of(folder: Path) -> str:
    return make_url(grading.Course(folder).coursedir.db_url).database


def with_database(folder: Path, to: Path, url: str, **settings: Any) -> Path:
    """Copy a course, and make a database its gradebook."""
    shutil.copytree(folder, to)
    (to / "gradebook.db").unlink()
    with (to / "nbgrader_config.py").open("a") as file:
        file.write(on(url, **settings))
    return to


@pytest.fixture(scope="module")
def released(
    ungraded: Path, tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer
) -> str:
    """The name of a database into which the course was released, and nothing more."""
    folder = tmp_path_factory.mktemp("released") / "course"
    grading.release([small.SLUG], with_database(ungraded, folder, postgres.new_database()))
    return database_of(folder)


@pytest.fixture
def course(
    ungraded: Path, released: str, tmp_path: Path, postgres: PostgresServer
) -> Callable[..., Path]:
    """Return a function that makes the course anew, released into a database of its own."""

    def make(**settings: Any) -> Path:
        url = postgres.new_database(like=released)
        return with_database(ungraded, tmp_path / "course", url, **settings)

    return make


@pytest.fixture(scope="module")
def both(
    ungraded: Path, released: str, tmp_path_factory: pytest.TempPathFactory, postgres: Any
) -> tuple[Path, Path]:
    """The same class graded into SQLite and into PostgreSQL, with its feedback."""
    folders = tmp_path_factory.mktemp("both")
    shutil.copytree(ungraded, folders / "sqlite")
    with_database(ungraded, folders / "postgres", postgres.new_database(like=released))
    for folder in (folders / "sqlite", folders / "postgres"):
        assert points(grading.grade(small.SLUG, folder, workers=2)) == EXPECTED
        grading.feedback(small.SLUG, folder)
    return folders / "sqlite", folders / "postgres"


# The same


def test_all_entries_are_the_same(both: tuple[Path, Path]) -> None:
    sqlite, postgres = map(contents, both)
    assert len(sqlite) == 36
    assert postgres == sqlite
    assert not (both[1] / "gradebook.db").exists()
    assert all(map(small.agrees_with_notebooks, both))


def test_feedback_pages_are_the_same(both: tuple[Path, Path]) -> None:
    for student in STUDENTS:
        one, other = (
            (folder / "feedback" / student / small.SLUG / "sums.html").read_text()
            for folder in both
        )
        assert one == other


def test_exported_tables_are_the_same(both: tuple[Path, Path], tmp_path: Path) -> None:
    tables = []
    for number, folder in enumerate(both):
        path = grading.export(folder, small.SLUG, to=tmp_path / f"{number}.csv")
        with path.open(newline="") as file:
            tables.append(sorted(csv.DictReader(file), key=lambda row: row["student_id"]))
    assert tables[0] == tables[1]
    assert [row["raw_score"] for row in tables[1]] == ["7.0", "4.0", "0.0", "4.0"]
    # Ann's written answer waits for a person.
    assert [row["score"] for row in tables[1]] == ["", "4.0", "0.0", "4.0"]


def test_a_second_run_grades_nothing_and_reads_the_same(both: tuple[Path, Path]) -> None:
    reports = [grading.grade(small.SLUG, folder) for folder in both]
    assert all(row.seconds is None for report in reports for row in report.students)
    assert reports[0].students == reports[1].students
    assert grading.read_report(small.SLUG, both[1]).students == reports[1].students


def test_nbgraders_own_commands_use_the_same_gradebook(both: tuple[Path, Path]) -> None:
    command = [sys.executable, "-m", "nbgrader", "export", "--to", "stock.csv"]
    done = subprocess.run(command, cwd=both[1], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert len((both[1] / "stock.csv").read_text().splitlines()) == 1 + len(STUDENTS)
    assert PASSWORD not in done.stdout + done.stderr
    # Its tables are those of its newest version: there is nothing to upgrade.
    command = [sys.executable, "-m", "nbgrader", "db", "student", "list"]
    done = subprocess.run(command, cwd=both[1], capture_output=True, text=True, timeout=600)
    assert "ann" in done.stdout + done.stderr


def test_regrading_keeps_what_a_person_gave(course: Callable[..., Path]) -> None:
    folder = course()
    grading.grade(small.SLUG, folder, students="[ab]*")
    grading.mark(small.SLUG, "ann", "why", 1.5, folder, comment="Which sum?")
    grading.mark(small.SLUG, "bob", "test-mean", 1, folder)
    again = grading.grade(small.SLUG, folder, students="[ab]*", force=True)
    assert again["ann"].points() == {
        "test-total": 3,
        "test-mean": 2,
        "test-mean-parts": 2,
        "why": 1.5,
    }
    assert again["bob"].points()["test-mean"] == 1
    (page,) = grading.feedback(small.SLUG, folder, students="ann")["ann"]
    assert "Which sum?" in page.read_text()


# Others at the same time


def seen_halves(connection: Any) -> set[str]:
    """Return who has some, and not all, of the points that tests give."""
    counts = connection.execute(
        "SELECT a.student_id, count(g.auto_score) FROM grade g JOIN submitted_notebook n "
        "ON n.id = g.notebook_id JOIN submitted_assignment a ON a.id = n.assignment_id "
        "GROUP BY a.student_id"
    ).fetchall()
    connection.rollback()
    # The written answer has none, unless it was left out: then it has 0.
    return {student for student, count in counts if count not in (3, 4)}


def test_a_reader_disturbs_nobody_and_never_sees_half_a_submission(
    course: Callable[..., Path], postgres: PostgresServer
) -> None:
    folder = course()
    halves: set[str] = set()
    looks = 0
    # After each statement of the writer's, and right before what it wrote is there for everybody.
    moments = ("after_cursor_execute", "commit")
    with postgres.connect(database_of(folder)) as reader:

        def look(*_: object) -> None:
            nonlocal looks
            looks += 1
            halves.update(seen_halves(reader))

        for moment in moments:
            event.listen(Engine, moment, look)
        try:
            report = grading.grade(small.SLUG, folder, workers=2)
        finally:
            for moment in moments:
                event.remove(Engine, moment, look)
    assert points(report) == EXPECTED
    assert looks > 20
    assert halves == set()


def test_a_second_machine_cannot_grade_into_the_same_gradebook(
    course: Callable[..., Path], tmp_path: Path
) -> None:
    folder = course()
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(folder, elsewhere)
    refused: list[str] = []

    def try_elsewhere(student: str, done: int, count: int) -> None:
        if not refused:
            with pytest.raises(GradingError) as caught:
                grading.grade(small.SLUG, elsewhere)
            refused.append(str(caught.value))

    grading.grade(small.SLUG, folder, progress=try_elsewhere)
    assert "Another run is grading into the gradebook postgresql://grader:***@/" in refused[0]
    # It ends with the run.
    assert points(grading.grade(small.SLUG, elsewhere)) == EXPECTED


def lock(postgres: PostgresServer, folder: Path) -> Any:
    """Hold all grades of a course, as a program that writes them does."""
    connection = postgres.connect(database_of(folder))
    connection.execute("LOCK TABLE grade IN EXCLUSIVE MODE")
    return connection


def test_a_locked_gradebook_is_waited_for(
    course: Callable[..., Path], postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradebook, "SAY_AFTER", 0.1)
    folder = course()
    said: list[str] = []
    with lock(postgres, folder) as connection:

        def say(sentence: str) -> None:
            said.append(sentence)
            connection.rollback()

        assert points(grading.grade(small.SLUG, folder, say=say)) == EXPECTED
    assert "another program is writing to it" in said[0]


def test_a_gradebook_that_stays_locked_ends_the_run(
    course: Callable[..., Path], postgres: PostgresServer
) -> None:
    folder = course(wait=0.3)
    with lock(postgres, folder):
        with pytest.raises(GradingError, match=r"is locked: another program .* 0.3 seconds"):
            grading.grade(small.SLUG, folder)
        assert not list(folder.rglob("autograded/*/*/*.ipynb"))
    assert contents(folder) == {}
    assert points(grading.grade(small.SLUG, folder)) == EXPECTED


# Indexes


def indexes(postgres: PostgresServer, folder: Path) -> set[str]:
    """Return the indexes of the gradebook that are ours."""
    with postgres.connect(database_of(folder)) as connection:
        names = connection.execute("SELECT indexname FROM pg_indexes WHERE indexname LIKE 'ix_%'")
        return {name for (name,) in names}


def test_entries_of_a_submission_are_found_by_an_index(
    both: tuple[Path, Path], postgres: PostgresServer
) -> None:
    assert indexes(postgres, both[1]) == {
        "ix_grade_notebook_id",
        "ix_comment_notebook_id",
        "ix_submitted_notebook_assignment_id",
    }


def test_who_does_not_own_the_tables_grades_without_indexes(
    course: Callable[..., Path], postgres: PostgresServer
) -> None:
    folder = course()
    name = database_of(folder)
    with postgres.connect(name, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name}_clerk LOGIN PASSWORD 'clerk'")
        for what in ("TABLES", "SEQUENCES"):
            connection.execute(f"GRANT ALL ON ALL {what} IN SCHEMA public TO {name}_clerk")
    clerk = f"postgresql://{name}_clerk:clerk@/{name}?host={postgres.folder}"
    with (folder / "nbgrader_config.py").open("a") as file:
        file.write(on(clerk))
    assert points(grading.grade(small.SLUG, folder)) == EXPECTED
    assert indexes(postgres, folder) == set()


# The server goes


def test_a_server_that_stops_in_the_middle_loses_nothing(
    course: Callable[..., Path], postgres: PostgresServer, both: tuple[Path, Path]
) -> None:
    folder = course()

    def stop(student: str, done: int, count: int) -> None:
        if done == 1:
            postgres.stop()

    try:
        with pytest.raises(GradingError, match="cannot be reached") as caught:
            grading.grade(small.SLUG, folder, workers=1, progress=stop)
        assert "run the same command again" in str(caught.value)
        with pytest.raises(GradingError, match=r"cannot be reached.*No such file"):
            grading.grade(small.SLUG, folder)
    finally:
        # The other tests' as well.
        postgres.start()
    report = grading.grade(small.SLUG, folder)
    assert points(report) == EXPECTED
    assert any(row.seconds is None for row in report.students)
    assert any(row.seconds is not None for row in report.students)
    assert contents(folder) == contents(both[0])
    assert small.agrees_with_notebooks(folder)
    assert not list(folder.rglob("*.part"))


# What a teacher can get wrong


def test_what_does_not_fit_concerns_one_submission(course: Callable[..., Path]) -> None:
    folder = course()
    long = "x" * 200
    shutil.copytree(folder / "submitted" / "ann", folder / "submitted" / long)
    report = grading.grade(small.SLUG, folder)
    assert [row.student for row in report.failed] == [long]
    assert report[long].status == NEEDS_A_PERSON
    assert "too long" in report[long].reason
    assert points(report)["ann"] == EXPECTED["ann"]


def test_a_password_is_never_shown(
    ungraded: Path, tmp_path: Path, postgres: PostgresServer
) -> None:
    folder = tmp_path / "course"
    shutil.copytree(ungraded, folder)
    config = (folder / "nbgrader_config.py").read_text()
    wrong = {
        postgres.url("postgres", "open%2Fsesame"): "does not let this user in",
        postgres.url("nowhere"): "is not there .*createdb",
        f"postgresql://{USER}:open%2Fsesame@127.0.0.1:1/x": "cannot be reached",
        f"postgresql://{USER}@127.0.0.1:1/x?password=open%2Fsesame": "cannot be reached",
        f"postgresql+none://{USER}:open%2Fsesame@/x": "cannot be used.*pip install 'psycopg",
        f"postgresql://{USER}:open/sesame@x:y:z/x": "cannot be used.*must be a URL",
        "open/sesame": "cannot be used.*must be a URL",
    }
    for url, meaning in wrong.items():
        (folder / "nbgrader_config.py").write_text(config + on(url))
        with pytest.raises(GradingError, match=meaning) as caught:
            grading.grade(small.SLUG, folder)
        for part in ("sesame", PASSWORD, QUOTED):
            assert part not in str(caught.value)
        if "nowhere" in url:
            command = [sys.executable, "-m", "course_lib", "grade", small.SLUG]
            done = subprocess.run(
                [*command, "--course-dir", str(folder)],
                capture_output=True,
                text=True,
                timeout=600,
            )
            assert done.returncode == 1
            assert "createdb" in done.stderr
            assert "Traceback" not in done.stderr
            assert PASSWORD not in done.stderr + done.stdout
            assert QUOTED not in done.stderr + done.stdout


def test_a_password_is_crossed_out_in_each_of_its_forms() -> None:
    url = "postgresql://me:a%2Fb%20c@host/x?sslpassword=dd"
    text = "a/b c a%2Fb%20c a%2Fb+c dd"
    assert without_password(text, url) == "*** *** *** ***"
    assert without_password("x", "sqlite:///gradebook.db") == "x"
