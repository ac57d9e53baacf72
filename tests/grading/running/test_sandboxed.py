"""The sandbox in nbgrader's pipeline: the same points, and what happens when things die."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
import small_course as small
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.utils import determine_grade
from small_course import ANSWERS, POINTS, a_course, contents
from traitlets.config import Config

from course_lib import grading
from course_lib.assignments.checking import grade_notebook
from course_lib.assignments.sample import build_class, load_class
from course_lib.grading import GradingError
from course_lib.grading.engine import jobs, runner, sandbox, sandbox_check, zygote
from course_lib.grading.engine.runner import OVER_MEMORY, OVER_PROCESSOR_TIME
from course_lib.grading.pages.feedback import failure_message
from course_lib.grading.reports.report import GRADED, NEEDS_A_PERSON
from course_lib.grading.running import sandboxed
from course_lib.grading.running.kernel import KERNEL_DIED, NOT_RUN, TIMED_OUT
from course_lib.grading.running.sandboxed import TEST_FAULT, Execute, digest
from course_lib.grading.submissions.files import files_beside
from course_lib.grading.submissions.preprocessors import wanted_cells
from course_lib.grading.submissions.repair import wanted_in
from course_lib.paths import CourseError

# Real processes. What a warm process with PyTorch gives is compared in `test_unrelated_course.py`;
# nbgrader's own command below has one as well.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("light_zygote")]

ROOT = Path(__file__).resolve().parents[3]
KERNEL = 'c.Execute.engine = "kernel"\n'
# What a cell may ask that wants to do less where it is graded.
WHERE = "import os\nassert os.environ['NBGRADER_EXECUTION'] == 'autograde'\n"


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, light_zygote: None) -> Path:
    """The small class, graded by two workers."""
    folder = a_course(tmp_path_factory.mktemp("sandboxed") / "course", ANSWERS)
    report = grading.grade(small.SLUG, folder, workers=2)
    assert {row.student: list(row.points().values()) for row in report.students} == POINTS
    return folder


# The same points


def test_a_foreign_course_gets_the_points_of_stock_nbgrader(graded: Path, stock: Path) -> None:
    expected = contents(stock)
    assert len(expected) > 50
    found = contents(graded)
    # Stock nbgrader asks for marks where a written answer is as it was released (see
    # `OverwriteCells`): an untouched one differs in this, and in nothing else.
    for name in [name for name in expected if name.endswith("/why")]:
        if not name.startswith("ann"):
            assert found.pop(name)[0] == 0
            expected.pop(name)
            found.pop(f"{name} comment")
            expected.pop(f"{name} comment")
    assert found == expected


def test_the_sample_class_gets_the_points_of_kernels(course_root: Path, tmp_path: Path) -> None:
    root = tmp_path / "course"
    shutil.copytree(course_root, root, ignore=shutil.ignore_patterns("sample_class", "*.db"))
    # Waiting for endless loops and dead kernels is tried elsewhere.
    honest = [
        entry
        for entry in load_class(ROOT / "sample_class" / "activations.py")
        if entry.loses != {"*"} and not _hangs_or_dies(entry)
    ]
    assert len(honest) >= 2
    folder = build_class(root / "_build", "activations", honest)
    sandboxed_points = grading.grade("activations", folder, workers=2)
    found = contents(folder, "activations")
    # A kernel imports anew what a warm process has: its limits are no part of what is compared.
    limits = ("timeout", "notebook_timeout", "startup_timeout", "iopub_timeout")
    with (folder / "nbgrader_config.py").open("a") as file:
        file.write(KERNEL + "".join(f"c.Execute.{name} = 600\n" for name in limits))
    kernel_points = grading.grade("activations", folder, force=True)
    assert contents(folder, "activations") == found
    for row in sandboxed_points.students:
        assert row.points() == kernel_points[row.student].points()
        assert row.status == kernel_points[row.student].status


def test_the_old_name_of_the_sandbox_is_read_and_told(caplog: pytest.LogCaptureFixture) -> None:
    execute = sandboxed.Execute(config=Config({"Execute": {"engine": "walled"}}))
    execute.log = logging.getLogger("renamed")
    with caplog.at_level("WARNING"):
        execute.engine = "walled"
    assert execute.engine == "sandboxed"
    assert "is called 'sandboxed' now" in caplog.text


def _hangs_or_dies(entry: Any) -> bool:
    code = entry.answer.code if entry.answer is not None else ""
    return "_exit" in code or "while " in code


def test_nbgraders_own_command_is_sandboxed_and_agrees(graded: Path, tmp_path: Path) -> None:
    settings = (
        "from course_lib.grading.course.config import configure\nconfigure(c)\n"
        "c.CourseDirectory.source_directory = 'source'\n"
        "c.CourseDirectory.release_directory = 'release'\n"
    )
    spy = "import os\n\ndef total(numbers):\n    return os.listdir('/').count('work')"
    folder = a_course(tmp_path / "ours", ANSWERS | {"spy": {"total": spy}}, settings)
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "autograde", small.SLUG],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found = {name: value for name, value in contents(folder).items() if name[:3] != "spy"}
    assert found == contents(graded)


def test_one_worker_and_two_and_no_gradebook_of_ones_own(graded: Path, tmp_path: Path) -> None:
    folder = a_course(tmp_path / "one", ANSWERS)
    grading.grade(small.SLUG, folder, workers=1)
    assert contents(folder) == contents(graded)
    # What was graded is what was handed in, and carries what its cells did.
    for student in ANSWERS:
        one, two = (
            nbformat.read(path / "autograded" / student / small.SLUG / "sums.ipynb", as_version=4)
            for path in (folder, graded)
        )
        assert one.cells == two.cells


def test_a_check_wants_the_cells_that_the_gradebook_wants(graded: Path) -> None:
    source = nbformat.read(graded / "source" / small.SLUG / f"{small.SLUG}.ipynb", as_version=4)
    with grading.Course(graded).gradebook() as gradebook:
        known = wanted_cells(gradebook, small.SLUG, small.SLUG)
    wanted = wanted_in(source)
    assert list(wanted) == list(known)
    for name, cell in known.items():
        # A gradebook has no solutions.
        kept = {"points", "checksum"} if cell["metadata"]["solution"] else {"points"}
        one, two = (
            {key: value for key, value in found["metadata"].items() if key not in kept}
            for found in (wanted[name], cell)
        )
        assert one == two
        assert wanted[name]["metadata"].get("points") == cell["metadata"].get("points")


# At home there may be widgets, and what only one machine has.
OWN = """\
%matplotlib widget
import asyncio, logging, warnings

class Two:
    def __repr__(self):
        return '0.3'

two = Two()

def f():
    return 2

logging.basicConfig(level=logging.INFO)

def warns():
    warnings.warn('hm')
    return 0.3

def logs():
    logging.getLogger('mine').info('hm')
    return 0.3

async def later():
    await asyncio.sleep(0)
    return 0.3

task = asyncio.create_task(later())"""
HOME = """
from google.colab import drive

def gone():
    return 0.3"""


@pytest.mark.parametrize("engine", ["sandboxed", "kernel", "check"])
def test_what_a_test_ends_with_is_worth_the_same_in_every_engine(engine: str) -> None:
    # The last line of a test of 0.3 points, and what it gives; None: the teacher is told.
    worth = {
        "np.float64(0.1)": 0.1,
        "0.1 + 0.2": 0.3,
        "f() < 0": 0,
        "f() > 0": 0.3,
        "f()": None,
        "[f()]": None,
        # Beside the tests, how it prints is the student's to say.
        "two": None if engine == "sandboxed" else 0.3,
        "np.nan": None,
        "nothing": None,
        "nothing;": 0.3,
        "-f()": None,
        # What is shown once is shown in each cell, and what keeps a stream keeps it.
        "warns()": 0,
        "0 + warns()": 0,
        "logs()": 0,
        "await later()": 0.3,
        "assert await later() ==": None,
        "gone()": 0,
    }
    locked = small.cell("code", "tools", "import numpy as np\nnothing = None", locked=True)
    notebook = new_notebook(metadata={"kernelspec": small.KERNELSPEC})
    # What the teacher tags so is not run, and what students do is.
    skipped = small.cell("code", "long", "raise SystemExit", locked=True)
    answers = [
        small.cell("code", name, text, solution=True)
        for name, text in (("own", OWN), ("home", HOME))
    ]
    notebook.cells = [locked, skipped, *answers]
    for cell in notebook.cells[1:]:
        cell.metadata["tags"] = ["skip-execution"]
    for number, source in enumerate(worth):
        flags = {"grade": True, "locked": True, "points": 0.3}
        notebook.cells.append(small.cell("code", f"test-{number}", source, **flags))
    if engine == "check":
        checked = grade_notebook(notebook)
        assert list(checked.broken) == ["home"]
        found = [result.points for result in checked.results]
        messages = [result.message for result in checked.results]
    else:
        Execute(engine=engine, startup_timeout=600).preprocess(notebook, {})
        found = [determine_grade(cell)[0] for cell in notebook.cells[4:]]
        messages = [failure_message(cell) for cell in notebook.cells[4:]]
    assert found == [points or 0 for points in worth.values()]
    told = ["Ask your teacher" in message for message in messages]
    assert told == [points is None for points in worth.values()]
    assert "UserWarning: hm" in messages[list(worth).index("warns()")]
    assert (
        "The cell home, which should define it, stopped at its line 2 (from google.colab import "
        "drive) with ModuleNotFoundError: No module named 'google" in messages[-1]
    )


# Dask


def test_a_dask_cluster_gives_the_same_gradebook(graded: Path, tmp_path: Path) -> None:
    from distributed import LocalCluster

    folder = a_course(tmp_path / "dask", ANSWERS)
    # Several workers are in `test_cluster.py`; this one gets warm as they are on other machines.
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        report = grading.grade(small.SLUG, folder, scheduler=cluster.scheduler_address)
    assert not report.failed
    assert contents(folder) == contents(graded)


def test_a_scheduler_that_is_not_there_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("course_lib.grading.running.pool.SCHEDULER_WITHIN", 1)
    folder = a_course(tmp_path / "course", {"ann": {}})
    with pytest.raises(GradingError, match=r"scheduler tcp://127.0.0.1:9 cannot be used.*dask"):
        grading.grade(small.SLUG, folder, scheduler="tcp://127.0.0.1:9")


def test_kernels_do_not_travel(tmp_path: Path) -> None:
    folder = a_course(tmp_path / "course", {"ann": {}}, KERNEL)
    with pytest.raises(GradingError, match="on this machine only"):
        grading.grade(small.SLUG, folder, scheduler="tcp://127.0.0.1:9")


# Deaths


class _Runs:
    """In the place of the engine's `run`: some runs lose their zygote when they have begun."""

    def __init__(self, dies: Callable[[int], bool]) -> None:
        self.count = 0
        self.dies = dies
        self.original = runner.run

    def __call__(self, notebook: NotebookNode, spawner: Any, **kwargs: Any) -> Any:
        self.count += 1
        if self.dies(self.count):
            spawner = _Dying(spawner)
        return self.original(notebook, spawner, **kwargs)


class _Dying:
    """A zygote that starts one process, and then is gone with it."""

    def __init__(self, spawner: Any) -> None:
        self.spawner = spawner
        self.zygote = spawner.zygote

    def spawn(self, *arguments: Any, **options: Any) -> Any:
        child = self.spawner.spawn(*arguments, **options)
        os.killpg(self.zygote.pid, signal.SIGKILL)
        # So that the next job does not meet it while it dies.
        deadline = time.monotonic() + 60
        while self.zygote.is_alive() and time.monotonic() < deadline:
            time.sleep(0.01)
        return child


def test_a_submission_whose_zygote_dies_is_tried_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = _Runs(lambda number: number == 2)
    monkeypatch.setattr(runner, "run", runs)
    students = {name: ANSWERS[name] for name in ("ann", "bob", "dan")}
    folder = a_course(tmp_path / "course", students)
    report = grading.grade(small.SLUG, folder, workers=1)
    assert {row.student: list(row.points().values()) for row in report.students} == {
        name: POINTS[name] for name in students
    }
    assert runs.count == 4


def test_a_submission_that_loses_two_zygotes_needs_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Beside others, and alone after them.
    runs = _Runs(lambda number: number in (2, 3, 5, 6))
    monkeypatch.setattr(runner, "run", runs)
    students = {name: ANSWERS[name] for name in ("ann", "bob", "dan")}
    folder = a_course(tmp_path / "course", students)
    report = grading.grade(small.SLUG, folder, workers=1)
    assert [row.student for row in report.failed] == ["bob"]
    assert report["bob"].status == NEEDS_A_PERSON
    assert "ended twice" in report["bob"].reason
    assert report["dan"].status == GRADED
    # The next run takes up what is left, and only that.
    monkeypatch.undo()
    again = grading.grade(small.SLUG, folder)
    assert list(again["bob"].points().values()) == POINTS["bob"]
    assert [row.student for row in again.students if row.seconds is not None] == ["bob"]


def first_run_with(
    monkeypatch: pytest.MonkeyPatch, cell: int, status: str, error: str
) -> list[list[runner.CellRun]]:
    """Let a cell of the first notebook that is run end so; return the list of all runs to come."""
    original = runner.run
    runs: list[list[runner.CellRun]] = []

    def run(*arguments: Any, **options: Any) -> list[runner.CellRun]:
        found = original(*arguments, **options)
        runs.append(found)
        if len(runs) == 1:
            found[cell].status, found[cell].error = status, error
        return found

    monkeypatch.setattr(runner, "run", run)
    return runs


def test_a_notebook_with_a_killed_process_is_run_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a machine does that runs out of memory.
    runs = first_run_with(monkeypatch, 0, "died", "ended by SIGKILL")
    suicidal = "import os\n\ndef total(numbers):\n    os.kill(os.getpid(), 9)"
    students = {"ann": ANSWERS["ann"], "bob": {"total": suicidal, "mean": small.MEAN}}
    folder = a_course(tmp_path / "course", students)
    report = grading.grade(small.SLUG, folder, workers=1)
    assert list(report["ann"].points().values()) == POINTS["ann"]
    # What a cell does to itself, it does a second time.
    assert list(report["bob"].points().values()) == [0, 2, 2, 0]
    assert len(runs) == 4


def test_a_zygote_that_does_not_start_is_tried_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = []

    def refuse(**options: Any) -> Any:
        # The one that gets warm ahead of all jobs, and the first job's own.
        if len(refusals) < 2:
            refusals.append(1)
            raise zygote.ZygoteDied("It did not start.")
        return original(**options)

    original = zygote.Zygote
    jobs.close()
    monkeypatch.setattr(zygote, "Zygote", refuse)
    folder = a_course(tmp_path / "course", {"ann": ANSWERS["ann"]})
    row = grading.grade(small.SLUG, folder, workers=1)["ann"]
    assert list(row.points().values()) == POINTS["ann"]
    assert len(refusals) == 2


@pytest.mark.parametrize("times", [1, 2])
def test_a_machine_that_has_no_process_left_for_a_moment_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    refusals = []

    def spawn(self: Any, *arguments: Any, **options: Any) -> Any:
        if len(refusals) < times:
            refusals.append(1)
            raise sandbox.SandboxError("A child cannot be started: no process is left.")
        return original(self, *arguments, **options)

    original = zygote.Zygote.spawn
    monkeypatch.setattr(zygote.Zygote, "spawn", spawn)
    folder = a_course(tmp_path / "course", {"ann": ANSWERS["ann"]})
    row = grading.grade(small.SLUG, folder, workers=1)["ann"]
    assert len(refusals) == times
    if times == 1:
        assert list(row.points().values()) == POINTS["ann"]
    else:
        assert row.failed
        assert "no process is left" in row.reason


def test_what_nobody_had_thought_of_is_tried_once_more_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = runner.run
    ran: list[str] = []

    def run(notebook: NotebookNode, *arguments: Any, **options: Any) -> Any:
        ran.append("dan" if any("return 6" in c.source for c in notebook.cells) else "ann")
        if ran.count("dan") == 1 and ran[-1] == "dan":
            raise RuntimeError("nobody had thought of this")
        return original(notebook, *arguments, **options)

    monkeypatch.setattr(runner, "run", run)
    folder = a_course(tmp_path / "course", {name: ANSWERS[name] for name in ("dan", "ann")})
    report = grading.grade(small.SLUG, folder, workers=1)
    assert {row.student: list(row.points().values()) for row in report.students} == {
        name: POINTS[name] for name in ("ann", "dan")
    }
    assert sorted(ran) == ["ann", "dan", "dan"]
    assert ran[-1] == "dan"


def test_where_many_fail_it_is_no_chance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[int] = []

    def run(*_: Any, **__: Any) -> Any:
        ran.append(1)
        raise RuntimeError("nobody had thought of this")

    monkeypatch.setattr(runner, "run", run)
    monkeypatch.setattr("course_lib.grading.steps.grade.MOST_TRIED_AGAIN", 1)
    folder = a_course(tmp_path / "course", {name: ANSWERS[name] for name in ("ann", "bob", "dan")})
    report = grading.grade(small.SLUG, folder, workers=1)
    assert [row.student for row in report.failed] == ["ann", "bob", "dan"]
    # Each of the three, and one of them again.
    assert len(ran) == 4


def test_a_judge_that_fails_by_chance_costs_nobody_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    why = "the test itself could not be run: it hung"
    runs = first_run_with(monkeypatch, 1, "judge", why)
    folder = a_course(tmp_path / "course", {"bob": ANSWERS["bob"]})
    row = grading.grade(small.SLUG, folder)["bob"]
    assert list(row.points().values()) == POINTS["bob"]
    assert row.status == GRADED
    assert len(runs) == 2


def test_a_test_that_could_not_be_run_needs_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = runner.run

    def run(*arguments: Any, **options: Any) -> list[runner.CellRun]:
        found = original(*arguments, **options)
        found[1].status, found[1].error = "judge", "the test itself could not be run: it hung"
        return found

    monkeypatch.setattr(runner, "run", run)
    folder = a_course(tmp_path / "course", {"bob": ANSWERS["bob"]})
    row = grading.grade(small.SLUG, folder)["bob"]
    assert list(row.points().values()) == [0, 0, 1, 0]
    assert row.status == NEEDS_A_PERSON
    assert not row.failed
    assert "The tests test-total could not be run or counted" in row.reason
    assert "--force" in row.reason
    monkeypatch.undo()
    row = grading.grade(small.SLUG, folder, force=True)["bob"]
    assert row.status == GRADED
    assert list(row.points().values()) == POINTS["bob"]


def test_an_engine_that_fails_on_one_notebook_goes_on_with_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = runner.run

    def run(notebook: NotebookNode, spawner: Any, **kwargs: Any) -> Any:
        if any("return 6" in cell.source for cell in notebook.cells):
            raise RuntimeError("nobody had thought of this")
        return original(notebook, spawner, **kwargs)

    monkeypatch.setattr(runner, "run", run)
    folder = a_course(tmp_path / "course", {name: ANSWERS[name] for name in ("ann", "dan")})
    report = grading.grade(small.SLUG, folder)
    assert "nobody had thought of this" in report["dan"].reason
    assert not report["ann"].failed


def test_a_killed_command_leaves_nothing_and_goes_on_when_it_is_run_again(tmp_path: Path) -> None:
    # All but two take an hour while the file says so, and no time when the command is run again.
    slow = (
        "import time\n\ndef total(numbers):\n    time.sleep(float(open('pause.txt').read()))\n"
        "    return sum(numbers)"
    )
    students = {
        f"s{number}": {"total": small.TOTAL if number < 2 else slow, "mean": small.MEAN}
        for number in range(8)
    }
    patient = "c.Execute.timeout = 3600\nc.Execute.notebook_timeout = 3600\n"
    folder = a_course(tmp_path / "course", students, patient)
    pause = folder / "source" / small.SLUG / "pause.txt"
    pause.write_text("3600")
    command = [sys.executable, "-m", "course_lib", "grade", small.SLUG, "--workers", "2"]
    first = subprocess.Popen([*command, "--course-dir", str(folder)], stderr=subprocess.DEVNULL)
    done = folder / "autograded"
    deadline = time.monotonic() + 120
    while len(list(done.rglob("sums.ipynb"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    family = _descendants(first.pid)
    first.kill()
    assert first.wait() == -signal.SIGKILL
    before = {path: path.stat().st_mtime_ns for path in done.rglob("sums.ipynb")}
    assert {path.parts[-3] for path in before} == {"s0", "s1"}
    pause.write_text("0")
    deadline = time.monotonic() + 300
    while any(map(_runs, family)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [pid for pid in family if _runs(pid)]

    second = subprocess.run(
        [*command, "--course-dir", str(folder), "--json"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert second.returncode == 0, second.stderr
    report = grading.Report.from_dict(json.loads(second.stdout))
    assert {row.student for row in report.students} == set(students)
    assert all(row.status == GRADED and row.score == 7 for row in report.students)
    # What had come to its end was not graded a second time.
    kept = [path for path in before if path.stat().st_mtime_ns == before[path]]
    assert len(kept) >= len(before) - 1
    graded_now = [row for row in report.students if row.seconds is not None]
    assert len(graded_now) == len(students) - len(kept)
    assert not list(folder.rglob("*.part"))


def _descendants(pid: int) -> list[int]:
    import psutil

    return [child.pid for child in psutil.Process(pid).children(recursive=True)]


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_two_runs_at_once_are_refused(tmp_path: Path) -> None:
    folder = a_course(tmp_path / "course", {"ann": {}})
    other = (
        "import fcntl, os, sys\n"
        "fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX)\n"
        "print('locked', flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", other, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        with pytest.raises(GradingError, match="Another run is grading"):
            grading.grade(small.SLUG, folder)
        process.stdin.close()


def test_links_and_huge_notebooks_need_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("course_lib.grading.submissions.opening.LARGEST_NOTEBOOK", 10_000)
    folder = a_course(tmp_path / "course", {"ann": {}, "bob": {"total": "#" * 20_000}})
    path = folder / "submitted" / "ann" / small.SLUG / "sums.ipynb"
    path.unlink()
    path.symlink_to(folder / "source" / small.SLUG / "sums.ipynb")
    report = grading.grade(small.SLUG, folder)
    assert "holds a link (sums.ipynb)" in report["ann"].reason
    assert "sums.ipynb is larger than" in report["bob"].reason
    assert not (folder / "autograded").exists()


# No sandbox


@pytest.fixture
def no_walls(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = "User namespaces are switched off: allow them with sysctl x=1."
    monkeypatch.setattr(sandbox_check, "missing_for_sandbox", lambda: [reason])
    monkeypatch.setattr(sandboxed, "_sandbox_stands", False)
    monkeypatch.setattr(jobs, "warm_up", lambda: None)


def test_without_walls_nothing_of_the_class_is_run(no_walls: None, tmp_path: Path) -> None:
    folder = a_course(tmp_path / "course", {"ann": ANSWERS["ann"]})
    with pytest.raises(GradingError, match=r"namespaces are switched off.*sysctl.*\"kernel\""):
        grading.grade(small.SLUG, folder)
    assert not list((folder / "autograded").rglob("*.ipynb"))
    notebook = new_notebook(cells=[new_code_cell("1")])
    with pytest.raises(GradingError, match="namespaces are switched off"):
        Execute().preprocess(notebook, {})


def test_without_walls_a_teacher_may_choose_to_trust(no_walls: None, tmp_path: Path) -> None:
    total = WHERE + ANSWERS["ann"]["total"]
    folder = a_course(tmp_path / "course", {"ann": ANSWERS["ann"] | {"total": total}}, KERNEL)
    report = grading.grade(small.SLUG, folder)
    assert list(report["ann"].points().values()) == POINTS["ann"]


# One notebook


def ran(*sources: str, results: list[dict[str, Any]], **options: int) -> NotebookNode:
    """Return a notebook into which what its cells did was written."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    for index, result in enumerate(results):
        empty = {"index": index, "status": "ok", "error": "", "outputs": [], "seconds": 0.1}
        results[index] = empty | result
    Execute(**options).write(notebook, [*results, {"seconds": 1.0}])
    return notebook


def message(notebook: NotebookNode, index: int) -> tuple[str, str]:
    """Return the error of a cell."""
    (output,) = [o for o in notebook.cells[index].outputs if o.output_type == "error"]
    return output.ename, output.evalue


def test_what_ended_a_cell_is_said_as_ever() -> None:
    stream = {"output_type": "stream", "name": "stdout", "text": "begun\n"}
    notebook = ran(
        *"abcdefgh",
        results=[
            {"status": "timeout", "error": "stopped after 5 s", "seconds": 5.0},
            {"status": "died", "error": "it ended the Python process", "outputs": [stream]},
            {"status": "died", "error": "ended by SIGSEGV"},
            {"status": "not run", "error": "the student's process had ended before"},
            {"status": "judge", "error": "the test itself could not be run: it hung"},
            {"status": "timeout", "error": "the notebook's time was over"},
            {"status": "died", "error": OVER_MEMORY},
            {"status": "died", "error": OVER_PROCESSOR_TIME},
        ],
        timeout=5,
        notebook_timeout=9,
    )
    assert message(notebook, 0) == (
        TIMED_OUT,
        "This cell ran longer than 5 seconds and was stopped.",
    )
    assert message(notebook, 1)[0] == KERNEL_DIED
    assert "ended the Python process" in message(notebook, 1)[1]
    assert notebook.cells[1].outputs[0].text == "begun\n"
    assert "SIGSEGV" in message(notebook, 2)[1]
    assert message(notebook, 3)[0] == NOT_RUN
    assert message(notebook, 4)[0] == TEST_FAULT
    assert message(notebook, 5) == (
        NOT_RUN,
        "This cell was not run: the notebook had used up its 9 seconds.",
    )
    assert notebook.cells[5].execution_count is None
    assert message(notebook, 6)[0] == message(notebook, 7)[0] == KERNEL_DIED
    assert "used more memory than the 1,024 MiB" in message(notebook, 6)[1]
    assert "used more processor time than" in message(notebook, 7)[1]


def test_outputs_are_bounded_and_numbered() -> None:
    long = {"output_type": "stream", "name": "stdout", "text": "x" * 5000}
    error = {"output_type": "stream", "name": "stderr", "text": "oh"}
    page = {"output_type": "display_data", "metadata": {}, "data": {"text/html": "y" * 5000}}
    value = {"output_type": "execute_result", "metadata": {}, "data": {"text/plain": "0.5"}}
    notebook = ran(
        "a",
        "  ",
        "b",
        results=[{"outputs": [long, page, error]}, {}, {"outputs": [value]}],
        max_output_bytes=1000,
    )
    first = notebook.cells[0].outputs
    assert len(str(first)) < 3000
    assert "truncated" in first[0].text
    # stderr costs points in nbgrader: that something came there is never dropped.
    assert first[-1].name == "stderr"
    assert [cell.execution_count for cell in notebook.cells] == [1, None, 2]
    assert notebook.cells[2].outputs[0].execution_count == 2
    nbformat.validate(notebook)


@pytest.mark.parametrize(("costs", "points"), [(True, 0), (False, 2)])
def test_a_course_may_let_stderr_cost_nothing(costs: bool, points: int) -> None:
    test = small.cell("code", "t", "f()", grade=True, locked=True, points=2)
    outputs = [{"output_type": "stream", "name": "stderr", "text": "hm"}]
    run = {"index": 0, "status": "ok", "error": "", "outputs": outputs, "seconds": 0.1}
    Execute(stderr_costs_points=costs).write(new_notebook(cells=[test]), [run])
    assert determine_grade(test)[0] == points
    assert test.outputs[0].text == "hm"


def test_results_belong_to_the_cells_that_were_run() -> None:
    notebook = new_notebook(cells=[new_code_cell("1"), new_code_cell("2")])
    before = digest(notebook)
    notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text="x")]
    assert digest(notebook) == before
    notebook.cells[1].source = "3"
    assert digest(notebook) != before


def test_other_languages_are_refused() -> None:
    notebook = new_notebook(
        metadata={"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}}
    )
    with pytest.raises(GradingError, match=r"written in R.*\"kernel\""):
        Execute().job(notebook, {}, {}, {})


def test_files_beside_are_files_and_no_links(tmp_path: Path) -> None:
    (tmp_path / "handed" / "sub").mkdir(parents=True)
    (tmp_path / "handed" / "data.csv").write_text("theirs")
    (tmp_path / "handed" / "sub" / "more.txt").write_text("more")
    (tmp_path / "handed" / "x.ipynb").write_text("{}")
    (tmp_path / "handed" / "link").symlink_to("/etc/hostname")
    (tmp_path / "handed" / "folder").symlink_to("/etc")
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "data.csv").write_text("ours")
    found = files_beside([tmp_path / "handed", tmp_path / "source"])
    assert found == {"data.csv": b"ours", "sub/more.txt": b"more"}
    with pytest.raises(CourseError, match="too large"):
        files_beside([tmp_path / "handed"], most=5)


def test_data_files_are_the_courses_and_lie_beside_the_notebook(tmp_path: Path) -> None:
    read = WHERE + "def total(numbers):\n    return int(open('six.txt').read()) and sum(numbers)"
    folder = tmp_path / "course"
    folder.mkdir()
    small.build(folder)
    path = folder / "source" / small.SLUG / f"{small.SLUG}.ipynb"
    path.with_name("six.txt").write_text("6")
    notebook = nbformat.read(path, as_version=4)
    # A test may read them, too, and reads the course's.
    small.named(notebook, "test-mean").source = (
        WHERE + "with open('six.txt') as file:\n    assert mean([6]) == int(file.read())"
    )
    nbformat.write(notebook, path)
    grading.release([small.SLUG], folder)
    path = small.hand_in(folder, "ann", small.answered(folder, total=read, mean=small.MEAN))
    path.with_name("six.txt").write_text("0")
    report = grading.grade(small.SLUG, folder)
    assert list(report["ann"].points().values()) == [3, 2, 2, 0]
    assert (folder / "autograded" / "ann" / small.SLUG / "six.txt").read_text() == "6"
