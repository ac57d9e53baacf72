"""Nothing is lost: processes killed at any moment, full disks, locked gradebooks.

What must hold after each: a submission has all the points of one run or of another one, never some
of each; the next run ends every submission graded once, or needing a person with a reason; no
process and no temporary file is left.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import nbformat
import nbgrader.utils
import psutil
import pytest
import small_course as small
from light import marked, new_marker
from nbformat.v4 import new_notebook
from small_course import ANSWERS, POINTS, a_course, contents

from course_lib import grading
from course_lib.grading import NEEDS_A_PERSON, GradingError, Report
from course_lib.grading.recording import digests, gradebook
from course_lib.grading.submissions import files

pytestmark = pytest.mark.slow

HERE = Path(__file__).parents[1]
# Other answers of the same students, who get other points for them.
CHANGED = {"ann": {}, "bob": ANSWERS["ann"], "cem": ANSWERS["dan"], "dan": ANSWERS["bob"]}
CHANGED_POINTS = {
    "ann": [0, 0, 0, 0],
    "bob": [3, 2, 2, 0],
    "cem": [0, 2, 2, 0],
    "dan": [3, 0, 1, 0],
}


def points(report: Report) -> dict[str, list[float]]:
    return {row.student: list(row.points().values()) for row in report.students}


class Graders:
    """Processes that grade, to be killed; see `graders.py`."""

    def __init__(self, folder: Path) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.marker = new_marker()
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "graders.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"TMPDIR": str(self.temporary)},
        )

    def start(self, folder: Path, **order: Any) -> int:
        """Start a run; return the number of its process."""
        assert self._process.stdin is not None
        order |= {"folder": str(folder), "marker": self.marker}
        print(json.dumps(order), file=self._process.stdin, flush=True)
        return int(self._hear())

    def end(self) -> dict[str, Any]:
        """Return how the run ended, when it has."""
        answer = json.loads(self._hear())
        assert "traceback" not in answer, answer["traceback"]
        if "report" in answer:
            answer["report"] = Report.from_dict(answer["report"])
        return answer

    def run(self, folder: Path, **order: Any) -> dict[str, Any]:
        self.start(folder, **order)
        return self.end()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "graders.py ended"
        return line

    def nothing_is_left(self) -> None:
        """Make sure that every process is gone, and every temporary file."""
        deadline = time.monotonic() + 120
        while (left := marked(self.marker)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert left == []
        assert list(self.temporary.iterdir()) == []

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)


@pytest.fixture(scope="module")
def graders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graders]:
    made = Graders(tmp_path_factory.mktemp("graders"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def ungraded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_course(tmp_path_factory.mktemp("ungraded") / "course", ANSWERS)


@pytest.fixture(scope="module")
def undisturbed(
    ungraded: Path, graders: Graders, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, float]:
    """The class graded without any trouble, and how many seconds that took."""
    folder = tmp_path_factory.mktemp("undisturbed") / "course"
    shutil.copytree(ungraded, folder)
    begin = time.monotonic()
    assert points(graders.run(folder)["report"]) == POINTS
    seconds = time.monotonic() - begin
    graders.nothing_is_left()
    return folder, seconds


@pytest.fixture
def course(ungraded: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "course"
    shutil.copytree(ungraded, folder)
    return folder


def graded(folder: Path) -> set[str]:
    return {path.parts[-3] for path in folder.glob("autograded/*/*/*.ipynb")}


# Killed


@pytest.mark.parametrize("seed", range(int(os.environ.get("KILLS", "2"))))
def test_a_run_that_is_killed_goes_on(
    course: Path, graders: Graders, undisturbed: tuple[Path, float], seed: int
) -> None:
    moments = random.Random(seed)
    for _ in range(2):
        pid = graders.start(course)
        time.sleep(moments.uniform(0.2, 1.1) * undisturbed[1])
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        graders.end()
        graders.nothing_is_left()
        assert small.agrees_with_notebooks(course)
    before = graded(course)
    answer = graders.run(course)
    assert points(answer["report"]) == POINTS
    assert {row.student for row in answer["report"].students if row.seconds is None} == before
    assert contents(course) == contents(undisturbed[0])
    assert small.agrees_with_notebooks(course)
    assert not list(course.rglob("*.part"))
    graders.nothing_is_left()


# How many of them a run of the class has, and somewhat less.
STEPS = {"statement": 150, "commit": 8, "write_text": 5, "replace": 5, "unlink": 20}


@pytest.mark.parametrize("place", STEPS)
def test_a_run_that_dies_while_it_writes_leaves_no_halves(
    course: Path, graders: Graders, undisturbed: tuple[Path, float], place: str
) -> None:
    shutil.rmtree(course)
    shutil.copytree(undisturbed[0], course)
    for student, answers in CHANGED.items():
        small.hand_in(course, student, small.answered(course, **answers))
    moments = random.Random(place)
    for _ in range(int(os.environ.get("KILLS", "2"))):
        died = graders.run(course, force=True, dies_at=[place, moments.randint(1, STEPS[place])])
        assert died["status"] == -signal.SIGKILL
        graders.nothing_is_left()
        # Right after it, and before anything is put right: all old points or all new ones.
        found = contents(course)
        for student, new in CHANGED_POINTS.items():
            names = [f"{student}/sums/{name}" for name in ("test-total", "test-mean")]
            now = [found[name][0] for name in [*names, f"{student}/sums/test-mean-parts"]]
            assert now in (POINTS[student][:3], new[:3])
        assert small.agrees_with_notebooks(course)
    assert points(graders.run(course)["report"]) == POINTS | CHANGED_POINTS
    assert small.agrees_with_notebooks(course)
    assert not list(course.rglob("*.part"))
    graders.nothing_is_left()


@pytest.mark.parametrize("seed", range(int(os.environ.get("KILLS", "3"))))
def test_a_killed_process_around_a_submission_costs_nobody_anything(
    course: Path, graders: Graders, undisturbed: tuple[Path, float], seed: int
) -> None:
    """The zygote, the makers of rooms, a student, a judge, a cell: whichever chance picks."""
    moments = random.Random(seed)
    pid = graders.start(course)
    time.sleep(moments.uniform(0.3, 0.9) * undisturbed[1])
    with contextlib.suppress(psutil.Error, IndexError):
        moments.choice(psutil.Process(pid).children(recursive=True)).kill()
    answer = graders.end()
    assert answer["status"] == 0
    if "refused" in answer:
        # It was killed before it was warm.
        answer = graders.run(course)
    report = answer["report"]
    for row in report.failed:
        assert row.status == NEEDS_A_PERSON
        assert row.reason
    assert points(graders.run(course)["report"]) == POINTS
    assert contents(course) == contents(undisturbed[0])
    graders.nothing_is_left()


def test_a_run_with_kernels_that_dies_goes_on(course: Path, graders: Graders) -> None:
    for student in set(ANSWERS) - {"ann", "bob"}:
        shutil.rmtree(course / "submitted" / student)
    with (course / "nbgrader_config.py").open("a") as file:
        file.write('c.Execute.engine = "kernel"\n')
    graders.run(course)
    # A notebook is written when it is mended, and again when it has run.
    assert graders.run(course, force=True, dies_at=["write_text", 2])["status"] == -signal.SIGKILL
    answer = graders.run(course)
    assert points(answer["report"]) == {name: POINTS[name] for name in ("ann", "bob")}
    assert [row.student for row in answer["report"].students if row.seconds is not None] == ["ann"]
    assert small.agrees_with_notebooks(course)


# Full


def test_a_file_that_does_not_fit_costs_one_submission(course: Path, graders: Graders) -> None:
    (course / "submitted" / "bob" / small.SLUG / "data.bin").write_bytes(bytes(9 << 20))
    report = graders.run(course, largest_file=8 << 20)["report"]
    assert [row.student for row in report.failed] == ["bob"]
    assert "File too large" in report["bob"].reason
    assert "make room, then run the same command again" in report["bob"].reason
    assert points(report) == POINTS | {"bob": []}
    assert "bob" not in graded(course)
    assert not list(course.rglob("*.part"))
    again = graders.run(course)["report"]
    assert points(again) == POINTS
    assert [row.student for row in again.students if row.seconds is not None] == ["bob"]


@pytest.mark.parametrize("room", [4_000, 100_000, 400_000])
def test_a_disk_that_gets_full_leaves_no_halves(
    course: Path, graders: Graders, undisturbed: tuple[Path, float], room: int
) -> None:
    answer = graders.run(course, room=room)
    first = answer["first"]
    if "refused" in first:
        assert "Make room. What was graded is kept" in first["refused"]
        assert "sqlite:///" in first["refused"]
    else:
        failed = [row for row in first["report"]["students"] if row["failed"]]
        assert failed
        assert all("No space left" in row["reason"] for row in failed)
        assert all("make room" in row["reason"] for row in failed)
    assert answer["agreed"]
    assert answer["left"] == [], answer
    assert points(Report.from_dict(answer["second"]["report"])) == POINTS
    expected = json.loads(json.dumps(contents(undisturbed[0])))
    assert answer["contents"] == expected
    graders.nothing_is_left()


# Locked, read-only


LOCK = """
import os, sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def locked(course: Path) -> Iterator[IO[str]]:
    """Let another program write to the gradebook until what is returned is closed."""
    with subprocess.Popen(
        [sys.executable, "-c", LOCK, str(course / "gradebook.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "locked\n"
        yield other.stdin
        other.stdin.close()


@pytest.mark.usefixtures("light_zygote")
def test_a_locked_gradebook_is_waited_for(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradebook, "SAY_AFTER", 0.1)
    said: list[str] = []
    with locked(course) as lock:

        def say(sentence: str) -> None:
            said.append(sentence)
            lock.close()

        assert points(grading.grade(small.SLUG, course, say=say)) == POINTS
    assert len(said) == 1
    assert "another program is writing to it" in said[0]
    assert "30 seconds" in said[0]


@pytest.mark.usefixtures("light_zygote")
def test_a_gradebook_that_stays_locked_ends_the_run(course: Path) -> None:
    with (course / "nbgrader_config.py").open("a") as file:
        file.write("c.Gradebook.wait = 0.2\n")
    with locked(course):
        with pytest.raises(GradingError, match=r"gradebook\.db is locked: .* 0\.2 sec") as caught:
            grading.grade(small.SLUG, course)
        assert graded(course) == set()
    assert "run the same command again" in str(caught.value)
    assert contents(course) == {}
    assert points(grading.grade(small.SLUG, course)) == POINTS


def test_a_wait_that_is_no_number_is_explained(course: Path) -> None:
    with (course / "nbgrader_config.py").open("a") as file:
        file.write("c.Gradebook.wait = 'long'\n")
    with pytest.raises(GradingError, match=r"c\.Gradebook\.wait is 'long'.*number of seconds"):
        grading.grade(small.SLUG, course)


def test_a_read_only_gradebook_is_explained(course: Path) -> None:
    url = f"sqlite:///file:{course}/gradebook.db?mode=ro&uri=true"
    with (course / "nbgrader_config.py").open("a") as file:
        file.write(f"c.CourseDirectory.db_url = {url!r}\n")
    with pytest.raises(GradingError, match=r"is read-only here .*right to write to it"):
        grading.grade(small.SLUG, course)
    assert graded(course) == set()


def test_a_read_only_disk_is_explained(course: Path, graders: Graders) -> None:
    refused = graders.run(course, read_only=True)["refused"]
    assert "is read-only here" in refused
    assert "run the same command again" in refused
    graders.nothing_is_left()


def test_a_gradebook_in_no_folder_is_explained(course: Path) -> None:
    with (course / "nbgrader_config.py").open("a") as file:
        file.write("c.CourseDirectory.db_url = 'sqlite:////nowhere/at/all.db'\n")
    with pytest.raises(GradingError, match=r"all\.db cannot be opened .*Its folder must be there"):
        grading.grade(small.SLUG, course)


# Submissions that come and go


@pytest.mark.usefixtures("light_zygote")
def test_submissions_that_vanish_or_change_in_the_middle(course: Path) -> None:
    def meddle(student: str, done: int, count: int) -> None:
        if done:
            return
        submitted = course / "submitted"
        # Not read yet; read, and perhaps run; the same, and handed in anew.
        shutil.rmtree(submitted / "fay")
        (submitted / "bob" / small.SLUG / "sums.ipynb").unlink()
        small.hand_in(course, "cem", small.answered(course, **ANSWERS["ann"]))

    report = grading.grade(small.SLUG, course, workers=1, progress=meddle)
    assert [row.student for row in report.failed] == ["bob", "fay"]
    assert "moved or deleted while it was being graded" in report["bob"].reason
    assert "cannot be read" in report["fay"].reason
    assert all("Put it back" in r.reason or "put it back" in r.reason for r in report.failed)
    assert points(report) == POINTS | {"bob": [], "fay": []}

    small.hand_in(course, "bob", small.answered(course, **ANSWERS["bob"]))
    again = grading.grade(small.SLUG, course)
    # What was handed in while the older one was running is graded now.
    now = {name: POINTS[name] for name in ("ann", "bob", "cem", "dan", "eve")}
    assert points(again) == now | {"cem": POINTS["ann"]}
    assert [r.student for r in again.students if r.seconds is not None] == ["bob", "cem"]


@pytest.mark.usefixtures("light_zygote")
def test_a_folder_whose_name_is_no_text_stops_nobody(course: Path) -> None:
    # As an archive from another system unpacks it: Latin-1, and not UTF-8.
    shutil.copytree(course / "submitted" / "ann", course / "submitted" / os.fsdecode(b"jos\xe9"))
    report = grading.grade(small.SLUG, course)
    (row,) = report.failed
    assert row.student == "jos\\xe9"
    assert "not written in UTF-8" in row.reason
    assert "Rename the folder" in row.reason
    assert points(report) == POINTS | {"jos\\xe9": []}
    json.dumps(report.to_dict()).encode()
    assert [row.student for row in grading.read_report(small.SLUG, course).failed] == ["jos\\xe9"]
    assert grading.export(course, small.SLUG, to=course / "grades.csv").is_file()


@pytest.mark.usefixtures("light_zygote")
def test_a_graded_notebook_that_is_damaged_is_made_again(course: Path) -> None:
    grading.grade(small.SLUG, course)
    path = course / "autograded" / "ann" / small.SLUG / "sums.ipynb"
    path.chmod(0o644)
    path.write_text(path.read_text()[:500])
    assert "not been graded" in grading.read_report(small.SLUG, course)["ann"].reason
    assert points(grading.grade(small.SLUG, course)) == POINTS


# What is graded as it stands


@pytest.fixture(scope="module")
def graded_pair(
    ungraded: Path, light_zygote: None, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Two students of the class, graded."""
    folder = tmp_path_factory.mktemp("pair") / "course"
    shutil.copytree(ungraded, folder)
    for student in set(ANSWERS) - {"ann", "cem"}:
        shutil.rmtree(folder / "submitted" / student)
    grading.grade(small.SLUG, folder)
    return folder


@pytest.fixture
def pair(graded_pair: Path, tmp_path: Path) -> Path:
    """A copy of the two, to be changed."""
    return shutil.copytree(graded_pair, tmp_path / "pair")


def graded_now(folder: Path) -> list[str]:
    report = grading.grade(small.SLUG, folder)
    return [row.student for row in report.students if row.seconds is not None]


def hand_in_anew(folder: Path, student: str, *, ns: int, **answers: str) -> Path:
    """Put another notebook in the place of a student's, with a time of its own, as archives do."""
    path = folder / "submitted" / student / small.SLUG / "sums.ipynb"
    path.unlink()
    small.hand_in(folder, student, small.answered(folder, **answers))
    os.utime(path, ns=(ns, ns))
    return path


def test_what_is_handed_in_anew_with_an_older_time_is_graded(pair: Path) -> None:
    assert graded_now(pair) == []
    hand_in_anew(pair, "cem", ns=10**18, **ANSWERS["ann"])
    assert grading.export(pair, small.SLUG, to=pair / "grades.csv").read_text().count(",7.0,") == 1
    assert graded_now(pair) == ["cem"]
    report = grading.read_report(small.SLUG, pair)
    assert points(report) == {"ann": POINTS["ann"], "cem": POINTS["ann"]}
    assert graded_now(pair) == []


def test_another_answer_of_the_same_size_and_time_is_graded(pair: Path) -> None:
    # An archive whose files all bear the same time, and one digit that is another.
    before = hand_in_anew(pair, "cem", ns=10**18, total="def total(n):\n    return 6").stat()
    assert graded_now(pair) == ["cem"]
    after = hand_in_anew(pair, "cem", ns=10**18, total="def total(n):\n    return 7").stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert graded_now(pair) == ["cem"]


def test_a_new_time_alone_is_nothing_new(pair: Path) -> None:
    path = pair / "submitted" / "cem" / small.SLUG / "sums.ipynb"
    later = path.stat().st_mtime + 3600
    os.utime(path, (later, later))
    shutil.copy2(path, path.with_name("copied"))
    path.with_name("copied").replace(path)
    checkpoint = path.parent / ".ipynb_checkpoints" / "sums-checkpoint.ipynb"
    checkpoint.parent.mkdir()
    shutil.copy(path, checkpoint)
    assert graded_now(pair) == []


def test_a_file_beside_the_notebook_counts_whatever_its_time(pair: Path) -> None:
    for name in ("timestamp.txt", "data.csv", "data/rows.csv"):
        path = pair / "submitted" / "cem" / small.SLUG / name
        path.parent.mkdir(exist_ok=True)
        for text in ("2026-01-01 09:00:00 UTC", "2026-01-01 10:00:00 UTC"):
            path.write_text(text)
            os.utime(path, (10**9, 10**9))
            assert graded_now(pair) == ["cem"], (name, text)
    assert graded_now(pair) == []
    path.unlink()
    assert graded_now(pair) == ["cem"]


def test_what_is_too_large_to_be_read_is_known_by_its_times(
    pair: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "_MOST_READ", 100)
    # A copy has times of its own.
    grading.grade(small.SLUG, pair)
    assert graded_now(pair) == []
    (pair / "submitted" / "cem" / small.SLUG / "sums.ipynb").touch()
    assert graded_now(pair) == ["cem"]
    assert graded_now(pair) == []


def test_nbgraders_own_command_is_taken_for_what_it_did(
    pair: Path, over_files: Callable[[Path], None]
) -> None:
    over_files(pair)
    hand_in_anew(pair, "cem", ns=10**18, **ANSWERS["ann"])
    command = [sys.executable, "-m", "nbgrader", "autograde", small.SLUG, "--student=cem"]
    subprocess.run([*command, "--force"], cwd=pair, capture_output=True, check=True, timeout=300)
    assert graded_now(pair) == []
    assert points(grading.read_report(small.SLUG, pair))["cem"] == POINTS["ann"]
    # What the note was of is here again, but it is not what was graded last.
    hand_in_anew(pair, "cem", ns=time.time_ns(), **ANSWERS["cem"])
    assert graded_now(pair) == ["cem"]
    assert points(grading.read_report(small.SLUG, pair))["cem"] == POINTS["cem"]


def test_without_a_note_the_times_count(pair: Path) -> None:
    # An earlier version of this course graded it, or a copy of the course left out hidden files.
    (pair / "autograded" / "cem" / ".sums.graded.json").unlink()
    path = hand_in_anew(pair, "cem", ns=10**18, **ANSWERS["ann"])
    assert graded_now(pair) == []
    path.touch()
    assert graded_now(pair) == ["cem"]


def test_a_damaged_note_of_what_was_graded_is_none(pair: Path) -> None:
    (note,) = (pair / "autograded" / "cem").glob(".*")
    for damaged in (b"", b"{", b"[]", b"null", b'{"graded": 1}', b"\xff"):
        note.write_bytes(damaged)
        assert graded_now(pair) == [], damaged
    hand_in_anew(pair, "cem", ns=time.time_ns(), **ANSWERS["ann"])
    assert graded_now(pair) == ["cem"]


def test_a_note_of_the_students_own_says_nothing(pair: Path) -> None:
    path = hand_in_anew(pair, "cem", ns=10**18, **ANSWERS["ann"])
    (note,) = (pair / "autograded" / "cem").glob(".*")
    for place in (path.parent / note.name, path.parent / small.SLUG / note.name):
        place.parent.mkdir(exist_ok=True)
        shutil.copy(note, place)
    before = note.read_text()
    assert graded_now(pair) == ["cem"]
    assert note.read_text() != before
    hand_in_anew(pair, "cem", ns=10**18)
    assert graded_now(pair) == ["cem"]


def test_nothing_of_it_comes_to_a_student(pair: Path) -> None:
    grading.feedback(small.SLUG, pair)
    found = {path.name for path in (pair / "feedback").rglob("*") if path.is_file()}
    assert found == {"sums.html"}


def test_with_kernels_an_older_time_is_graded_too(pair: Path) -> None:
    with (pair / "nbgrader_config.py").open("a") as file:
        file.write('c.Execute.engine = "kernel"\n')
    hand_in_anew(pair, "cem", ns=10**18, **ANSWERS["ann"])
    assert graded_now(pair) == ["cem"]
    assert graded_now(pair) == []
    hand_in_anew(pair, "cem", ns=10**18 + 1, **ANSWERS["dan"])
    assert graded_now(pair) == ["cem"]
    # What a kill leaves that comes before a notebook has run; its archive knew no time at all.
    os.utime(hand_in_anew(pair, "cem", ns=0, **ANSWERS["dan"]).parent / "sums.ipynb", (0, 0))
    os.utime(pair / "autograded" / "cem" / small.SLUG / "sums.ipynb", (0, 0))
    assert graded_now(pair) == ["cem"]


# Notebooks that come later


def with_a_task(folder: Path) -> Path:
    """Return a course of two notebooks, of which ann has handed in the one without a task."""
    folder.mkdir()
    small.build(folder)
    task = small.cell("markdown", "draw", "Draw it.", task=True, locked=True, points=3)
    answer = small.cell("markdown", "say", "Say it.", grade=True, solution=True, points=2)
    notebook = new_notebook(cells=[task, answer], metadata={"kernelspec": small.KERNELSPEC})
    nbformat.write(notebook, folder / "source" / small.SLUG / "essay.ipynb")
    grading.release([small.SLUG], folder)
    small.hand_in(folder, "ann", small.answered(folder, **ANSWERS["bob"]))
    return folder


def score_as_missing(folder: Path, *cells: str) -> None:
    """Score cells of ann's essay as nbgrader does where it was not handed in."""
    with grading.Course(folder).gradebook() as gradebook:
        for cell in cells:
            grade = gradebook.find_grade(cell, "essay", small.SLUG, "ann")
            grade.auto_score, grade.needs_manual_grade = 0, False
        gradebook.db.commit()


def hand_in_essay(folder: Path) -> None:
    release = folder / "release" / small.SLUG / "essay.ipynb"
    notebook = nbformat.read(release, as_version=4)
    small.named(notebook, "say").source = "It is said."
    nbformat.write(notebook, folder / "submitted" / "ann" / small.SLUG / "essay.ipynb")


@pytest.mark.usefixtures("light_zygote")
@pytest.mark.parametrize("engine", ["sandboxed", "kernel"])
def test_a_task_in_a_notebook_that_comes_later_waits(tmp_path: Path, engine: str) -> None:
    folder = with_a_task(tmp_path / "course")
    with (folder / "nbgrader_config.py").open("a") as file:
        file.write(f'c.Execute.engine = "{engine}"\n')
    row = grading.grade(small.SLUG, folder)["ann"]
    assert row.notes == ["essay.ipynb was not handed in and scores 0."]
    assert not [cell for cell in row.cells if cell.waiting]

    hand_in_essay(folder)
    row = grading.grade(small.SLUG, folder)["ann"]
    assert [cell.name for cell in row.cells if cell.waiting] == ["essay/draw", "essay/say"]
    assert row.status == NEEDS_A_PERSON
    assert "2 answers wait to be marked (5 points): essay/draw, essay/say" in row.reason
    # As if both had come together.
    together = with_a_task(tmp_path / "together")
    hand_in_essay(together)
    grading.grade(small.SLUG, together)
    assert contents(folder) == contents(together)

    for cell in ("draw", "say"):
        grading.mark(small.SLUG, "ann", cell, 1.5, folder, notebook="essay")
    row = grading.grade(small.SLUG, folder, force=True)["ann"]
    assert row.status == grading.GRADED
    assert row.score == sum(POINTS["bob"]) + 3


@pytest.mark.usefixtures("light_zygote")
def test_a_task_that_nbgrader_left_at_0_waits(tmp_path: Path) -> None:
    """nbgrader's own command scores the task of a missing notebook, and never looks again."""
    folder = with_a_task(tmp_path / "course")
    hand_in_essay(folder)
    grading.grade(small.SLUG, folder)
    score_as_missing(folder, "draw")
    row = grading.grade(small.SLUG, folder)["ann"]
    assert [cell.name for cell in row.cells if cell.waiting] == ["essay/draw", "essay/say"]
    assert graded_now(folder) == []


@pytest.mark.usefixtures("light_zygote")
def test_a_mark_from_before_the_notebook_came_is_looked_at_again(tmp_path: Path) -> None:
    folder = with_a_task(tmp_path / "course")
    grading.grade(small.SLUG, folder)
    grading.mark(small.SLUG, "ann", "draw", 0.5, folder, notebook="essay")
    hand_in_essay(folder)
    row = grading.grade(small.SLUG, folder)["ann"]
    assert [cell.name for cell in row.cells if cell.waiting] == ["essay/draw", "essay/say"]
    assert row.points()["essay/draw"] == 0.5


# What somebody can hand in beside a notebook


def made_deep(folder: Path) -> None:
    """Make more folders in each other than Python recurses."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(1000):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


def test_a_tree_that_is_too_much_costs_its_author_alone(pair: Path) -> None:
    before = grading.export(pair, small.SLUG, to=pair / "grades.csv").read_text()
    folder = pair / "submitted" / "cem" / small.SLUG
    made_deep(folder)
    try:
        (row,) = grading.grade(small.SLUG, pair).failed
        assert row.student == "cem"
        assert "folders in each other" in row.reason
        after = grading.export(pair, small.SLUG, to=pair / "grades.csv").read_text()
    finally:
        # shutil.rmtree recurses, too.
        subprocess.run(["rm", "-rf", str(folder / "d")], check=True)
    lines = zip(before.splitlines(), after.splitlines(), strict=True)
    assert [old.split(",")[3] for old, new in lines if old != new] == ["cem"]
    for number in range(files.MOST_ENTRIES):
        (folder / str(number)).touch()
    assert "10,000 files" in grading.grade(small.SLUG, pair)["cem"].reason


def test_many_files_are_copied_without_a_look_at_all_for_each(
    pair: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_ignored(*_: Any) -> bool:
        raise AssertionError("nbgrader's own reads the whole folder for each file")

    monkeypatch.setattr(nbgrader.utils, "is_ignored", is_ignored)
    folder = pair / "submitted" / "cem" / small.SLUG / "data"
    folder.mkdir()
    for name in ("a.csv", "b.pyc", ".c"):
        (folder / name).touch()
    assert graded_now(pair) == ["cem"]
    copied = pair / "autograded" / "cem" / small.SLUG / "data"
    assert sorted(path.name for path in copied.iterdir()) == [".c", "a.csv"]


@pytest.mark.parametrize("size", [10**6, 1 << 36])
def test_a_time_of_any_length_is_none(pair: Path, size: int) -> None:
    with (pair / "submitted" / "cem" / small.SLUG / "timestamp.txt").open("wb") as file:
        file.write(b"1." * 500_000)
        file.truncate(size)  # a hole, which takes no room
    assert "timestamp.txt holds no time" in grading.grade(small.SLUG, pair)["cem"].reason


def test_what_is_ignored_does_not_hide_a_notebook(pair: Path) -> None:
    with (pair / "nbgrader_config.py").open("a") as file:
        file.write('c.CourseDirectory.ignore = ["s*", "*.txt"]\n')
    grading.grade(small.SLUG, pair, force=True)
    hand_in_anew(pair, "cem", ns=10**18, **ANSWERS["ann"])
    assert graded_now(pair) == ["cem"]
    time_of = pair / "submitted" / "cem" / small.SLUG / "timestamp.txt"
    time_of.write_text("2026-01-01 09:00:00 UTC")
    os.utime(time_of, (10**9, 10**9))
    assert graded_now(pair) == ["cem"]


def test_a_name_that_is_a_pattern_is_a_name(pair: Path) -> None:
    small.hand_in(pair, "a[n]n", small.answered(pair))
    report = grading.grade(small.SLUG, pair)
    assert points(report) == {"a[n]n": [0] * 4, "ann": POINTS["ann"], "cem": POINTS["cem"]}
    assert set(grading.feedback(small.SLUG, pair)) == {"a[n]n", "ann", "cem"}


def test_a_copy_of_the_course_knows_what_was_graded(pair: Path, tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(pair, copied)
    for path in copied.glob("autograded/*/*/*.ipynb"):
        whole = int(path.stat().st_mtime)  # as tar keeps it
        os.utime(path, (whole, whole))
    assert graded_now(copied) == []
    hand_in_anew(copied, "cem", ns=10**18, **ANSWERS["ann"])
    assert graded_now(copied) == ["cem"]


# Marks of what is another now


@pytest.mark.usefixtures("light_zygote")
def test_marks_of_a_task_and_of_a_picture_wait_when_they_change(tmp_path: Path) -> None:
    folder = with_a_task(tmp_path / "course")
    path = folder / "submitted" / "ann" / small.SLUG / "essay.ipynb"

    def draw(picture: str, beside: bytes) -> None:
        hand_in_essay(folder)
        notebook = nbformat.read(path, as_version=4)
        answer = small.named(notebook, "say")
        answer.source = "![](attachment:a.png)"
        answer.attachments = {"a.png": {"image/png": picture}}
        nbformat.write(notebook, path)
        path.with_name("drawing.png").write_bytes(beside)

    def settle() -> None:
        for cell in ("draw", "say"):
            grading.mark(small.SLUG, "ann", cell, 1.5, folder, notebook="essay")

    def waiting(*, force: bool = False) -> list[str]:
        row = grading.grade(small.SLUG, folder, force=force)["ann"]
        return [cell.name for cell in row.cells if cell.waiting]

    draw("AAAA", b"1")
    assert waiting() == ["essay/draw", "essay/say"]
    settle()
    assert waiting(force=True) == []
    draw("BBBB", b"1")
    assert waiting() == ["essay/draw", "essay/say"]
    settle()
    draw("BBBB", b"2")
    assert waiting() == ["essay/draw", "essay/say"]
    settle()
    path.unlink()
    assert sorted(waiting()) == ["essay/draw", "essay/say"]
    settle()
    assert waiting(force=True) == []


@pytest.mark.usefixtures("light_zygote")
def test_a_task_that_nbgrader_left_at_0_is_not_exported(tmp_path: Path) -> None:
    folder = with_a_task(tmp_path / "course")
    hand_in_essay(folder)
    grading.grade(small.SLUG, folder)
    score_as_missing(folder, "draw", "say")
    table = grading.export(folder, small.SLUG, format="json", to=folder / "grades.json")
    assert [row["score"] for row in json.loads(table.read_text())] == [None]
