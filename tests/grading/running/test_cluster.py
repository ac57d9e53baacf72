"""A Dask cluster gives the same gradebook, whoever of it is missing, other than us, or dead."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import small_course as small
from light import marked, new_marker
from small_course import a_course, contents

from course_lib import grading
from course_lib.grading import NEEDS_A_PERSON, GradingError, Report
from course_lib.grading.running import pool

pytestmark = pytest.mark.slow

HERE = Path(__file__).parents[1]
STUDENTS = ("ann", "bob", "cem", "dan")
ANSWERS = {name: small.ANSWERS[name] for name in STUDENTS}
POINTS = {name: small.POINTS[name] for name in STUDENTS}
SETTINGS = {
    # How often Dask itself gives what a dead worker had to another one. Each start of a worker
    # takes seconds.
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "5s",
}


class Cluster:
    """A scheduler and workers, each a process of its own, as on many machines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.marker = new_marker()
        self.workers: list[subprocess.Popen[bytes]] = []
        # Bound, so that nobody else takes the port; the scheduler listens on it all the same.
        self.held = socket.socket()
        self.held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.held.bind(("127.0.0.1", 0))
        self.port = self.held.getsockname()[1]
        self.start_scheduler()

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def _start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        path = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
        said = (self.folder / "dask.log").open("ab")
        with said:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments],
                cwd=self.folder,
                env={**os.environ, **SETTINGS, "PYTHONPATH": path, **environment},
                stdout=said,
                stderr=said,
            )

    def start_scheduler(self) -> None:
        place = ["--host", "127.0.0.1", "--port", str(self.port)]
        self.scheduler = self._start("scheduler", *place, "--no-dashboard")
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.05)
        raise AssertionError("the scheduler did not start")

    def add_worker(self, *options: str, trouble: str = "") -> subprocess.Popen[bytes]:
        """Start a worker; it is there a while later."""
        process = self._start(
            "worker",
            self.address,
            *("--nthreads", "1", "--no-dashboard", "--preload", "dask_worker_setup"),
            # Its share of a machine with many processors may be less than it needs.
            *("--memory-limit", "0"),
            *("--local-directory", str(self.folder)),
            *options,
            GRADING_MARKER=self.marker,
            GRADING_TEST=trouble,
        )
        self.workers.append(process)
        return process

    def stop_workers(self) -> None:
        for process in self.workers:
            stop(process)
        self.workers = []

    def close(self) -> None:
        self.stop_workers()
        stop(self.scheduler)
        self.held.close()


def stop(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and what it has started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("dask"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def ungraded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_course(tmp_path_factory.mktemp("ungraded") / "course", ANSWERS)


@pytest.fixture
def course(ungraded: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "course"
    shutil.copytree(ungraded, folder)
    return folder


@pytest.fixture
def few(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster without workers, before and after."""
    cluster.stop_workers()
    wait_for_workers(cluster, 0)
    yield cluster
    cluster.stop_workers()


def wait_for_workers(cluster: Cluster, count: int) -> None:
    from distributed import Client

    with Client(cluster.address, set_as_default=False) as client:
        deadline = time.monotonic() + 300
        while len(client.scheduler_info(n_workers=-1)["workers"]) != count:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def wait_for_nannies(cluster: Cluster) -> None:
    """Wait until the nannies know that their workers run: before, they do not mind a death."""
    from distributed import Client

    def status(dask_worker: Any) -> str:
        return dask_worker.status.name

    with Client(cluster.address, set_as_default=False) as client:
        deadline = time.monotonic() + 300
        while set(client.run(status, nanny=True, on_error="return").values()) != {"running"}:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def grade(cluster: Cluster, folder: Path, **options: object) -> Report:
    return grading.grade(small.SLUG, folder, scheduler=cluster.address, **options)


def points(report: Report) -> dict[str, list[float]]:
    return {row.student: list(row.points().values()) for row in report.students}


def no_zygote_is_left(cluster: Cluster) -> None:
    deadline = time.monotonic() + 120
    while left := marked(cluster.marker):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def test_one_two_and_four_workers_give_the_same_gradebook(few: Cluster, course: Path) -> None:
    found = []
    for more in (1, 1, 2):
        for _ in range(more):
            few.add_worker("--no-nanny")
        wait_for_workers(few, len(few.workers))
        report = grade(few, course, force=True)
        assert points(report) == POINTS
        assert not report.failed
        found.append(contents(course))
    assert found[0] == found[1] == found[2]
    assert small.agrees_with_notebooks(course)
    few.stop_workers()
    no_zygote_is_left(few)


@pytest.mark.parametrize(
    ("trouble", "meaning"),
    [
        ("old", r"has other versions: Python 3\.9 \(here .*course_lib 00000000 \(here .*same"),
        ("no course", r"has no course_lib that this one can talk to .*same requirements\.txt"),
        ("no sandbox", r"cannot keep submissions in a sandbox: User namespaces .* start it again"),
    ],
)
def test_a_worker_that_cannot_do_the_work_is_named(
    few: Cluster, course: Path, trouble: str, meaning: str
) -> None:
    few.add_worker("--no-nanny", trouble=trouble)
    wait_for_workers(few, 1)
    with pytest.raises(GradingError, match=rf"The Dask worker tcp://127\.0\.0\.1:\d+ {meaning}"):
        grade(few, course)
    assert contents(course) == {}


def test_a_worker_with_other_versions_that_joins_late_is_found_by_its_first_job() -> None:
    from course_lib.grading.engine import jobs

    expected = jobs.environment() | {"torch": "1.0"}
    with pytest.raises(jobs.WorkerDiffers, match=r"torch .* \(here 1\.0\)"):
        jobs.run_jobs({}, expected)


def test_a_cluster_without_workers_is_said_and_waited_for(
    few: Cluster, course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(pool, "WORKER_WITHIN", 0.5)
    with pytest.raises(GradingError, match=r"has no workers, and none came within 0\.5 seconds"):
        grade(few, course, say=said.append)
    assert "has no workers yet" in said[0]
    assert "`dask worker tcp://" in said[0]
    monkeypatch.undo()

    def say(sentence: str) -> None:
        few.add_worker("--no-nanny")

    assert points(grade(few, course, say=say)) == POINTS


@pytest.fixture(params=[1, 2])
def few_in_flight(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep half of the class back, so that some is left to do when the first is recorded."""
    monkeypatch.setattr(pool.Pool, "in_flight", lambda _: request.param)


@pytest.mark.races
@pytest.mark.usefixtures("few_in_flight")
def test_workers_that_all_go_are_said_and_waited_for(
    few: Cluster, course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "LOOK_EVERY", 0.2)
    few.add_worker("--no-nanny")
    wait_for_workers(few, 1)
    said: list[str] = []

    def kill(student: str, done: int, count: int) -> None:
        if done == 0:
            few.stop_workers()

    def say(sentence: str) -> None:
        said.append(sentence)
        few.add_worker("--no-nanny")

    report = grade(few, course, progress=kill, say=say)
    assert points(report) == POINTS
    assert "has no worker any more" in said[0]
    few.stop_workers()
    no_zygote_is_left(few)


@pytest.mark.races
@pytest.mark.usefixtures("few_in_flight")
def test_workers_that_never_come_back_end_the_run(
    few: Cluster, course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "LOOK_EVERY", 0.1)
    monkeypatch.setattr(pool, "WORKER_WITHIN", 20)
    few.add_worker("--no-nanny")
    wait_for_workers(few, 1)

    def kill(student: str, done: int, count: int) -> None:
        if done == 1:
            few.stop_workers()
            monkeypatch.setattr(pool, "WORKER_WITHIN", 0.5)

    with pytest.raises(GradingError, match=r"has had no worker for 0\.5 seconds"):
        grade(few, course, progress=kill)
    assert small.agrees_with_notebooks(course)
    again = grading.grade(small.SLUG, course)
    assert points(again) == POINTS
    assert any(row.seconds is None for row in again.students)


# A nanny's family: the nanny, what keeps count of what it shares, the worker, its warm process, and
# what that has started.
FAMILY = {
    "nanny": lambda nanny: [nanny],
    "worker": lambda nanny: [p for p in nanny.children() if "spawn_main" in " ".join(p.cmdline())],
    "what it started": lambda nanny: [
        p for p in nanny.children(recursive=True) if p not in nanny.children()
    ],
}


@pytest.mark.races
@pytest.mark.parametrize("seed", range(int(os.environ.get("KILLS", "1"))))
@pytest.mark.parametrize("kind", FAMILY)
def test_killed_workers_are_replaced_by_their_nannies(
    few: Cluster, course: Path, monkeypatch: pytest.MonkeyPatch, kind: str, seed: int
) -> None:
    moments = random.Random(seed)
    nannies = [psutil.Process(few.add_worker("--nanny").pid) for _ in range(2)]
    wait_for_workers(few, 2)
    wait_for_nannies(few)
    begun, over = threading.Event(), threading.Event()
    submit = pool.Pool.submit

    def submit_and_tell(self: pool.Pool, work: Any) -> Any:
        begun.set()
        return submit(self, work)

    monkeypatch.setattr(pool.Pool, "submit", submit_and_tell)
    killed: list[int] = []

    def kill() -> None:
        """Kill one of them at some moment after the first submission was handed over."""
        begun.wait()
        over.wait(moments.uniform(0, 1))
        deadline = time.monotonic() + 60
        while not killed and time.monotonic() < deadline:
            time.sleep(0.01)
            with contextlib.suppress(psutil.Error, IndexError):
                victim = moments.choice(FAMILY[kind](moments.choice(nannies)))
                victim.kill()
                killed.append(victim.pid)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        report = grade(few, course)
    finally:
        begun.set()
        over.set()
        killer.join()
    assert killed
    assert all(row.status == NEEDS_A_PERSON and row.reason for row in report.failed)
    assert points(grade(few, course)) == POINTS
    assert small.agrees_with_notebooks(course)
    few.stop_workers()
    no_zygote_is_left(few)


@pytest.mark.races
def test_a_submission_that_kills_its_workers_needs_a_person(few: Cluster, course: Path) -> None:
    hungry = ANSWERS["ann"] | {"total": f"# TAKES ALL MEMORY\n{small.TOTAL}"}
    small.hand_in(course, "cem", small.answered(course, **hungry))
    few.add_worker("--nanny")
    wait_for_workers(few, 1)
    wait_for_nannies(few)
    report = grade(few, course)
    assert [row.student for row in report.failed] == ["cem"]
    assert "Dask workers that ran it died" in report["cem"].reason
    # Who waited beside it at each of its deaths is graded all the same.
    assert points(report) == POINTS | {"cem": []}


@pytest.mark.races
@pytest.mark.usefixtures("few_in_flight")
def test_a_scheduler_that_dies_loses_nothing(few: Cluster, course: Path) -> None:
    few.add_worker("--no-nanny")
    wait_for_workers(few, 1)

    def kill(student: str, done: int, count: int) -> None:
        if done == 1:
            few.scheduler.send_signal(signal.SIGKILL)
            few.scheduler.wait()

    with pytest.raises(GradingError, match=r"scheduler tcp://\S+ is gone.*run the same command"):
        grade(few, course, progress=kill)
    assert small.agrees_with_notebooks(course)
    few.stop_workers()
    no_zygote_is_left(few)
    few.start_scheduler()
    few.add_worker("--no-nanny")
    again = grade(few, course)
    assert points(again) == POINTS
    assert any(row.seconds is None for row in again.students)


@pytest.mark.races
def test_a_client_that_gave_its_scheduler_up_says_that_it_is_gone(
    few: Cluster, course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Dask's client closes itself when a scheduler stays away while a gradebook is waited for.
    clients: list[Any] = []
    make = pool._Cluster.__init__

    def make_and_remember(self: Any, client: Any, *rest: Any) -> None:
        clients.append(client)
        make(self, client, *rest)

    def close(student: str, done: int, count: int) -> None:
        if done == 1:
            clients[0].close()

    monkeypatch.setattr(pool._Cluster, "__init__", make_and_remember)
    # Nothing is under way then whose end could say it.
    monkeypatch.setattr(pool.Pool, "in_flight", lambda place: min(1, place.places()))
    monkeypatch.setattr(pool, "LOOK_EVERY", 0)
    few.add_worker("--no-nanny")
    wait_for_workers(few, 1)
    with pytest.raises(GradingError, match=r"scheduler tcp://\S+ is gone.*run the same command"):
        grade(few, course, progress=close)
    assert small.agrees_with_notebooks(course)
