"""Submissions as jobs: bytes go in, bytes come out, and whoever runs one knows nothing else.

A job holds a notebook whose test cells are already the teacher's, the teacher's notebook, and the
files that lie beside the submission. It names no path and no gradebook, so that it runs the same
in a thread here and on a Dask worker elsewhere. Each process that runs jobs has one warm zygote,
started with its first job; any number of threads may run jobs on it.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import json
import os
import platform
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_lib.paths import CourseError

# The engine itself needs Linux. What describes jobs can be imported everywhere, so that the engine
# is imported where a job is run; and quickly, so that the warm process starts before anything else
# is imported.
if TYPE_CHECKING:
    from nbformat import NotebookNode

    from course_lib.grading.engine.zygote import Child, Zygote

__all__ = [
    "Job",
    "JobRefused",
    "WorkerDied",
    "WorkerDiffers",
    "begin",
    "close",
    "environment",
    "missing_for_sandbox",
    "run_job",
    "run_jobs",
    "warm_up",
]

#: How nbgrader tells cells where they run.
AUTOGRADE = {"NBGRADER_EXECUTION": "autograde"}


class JobRefused(CourseError):
    """The submission cannot be run, though others can: its files do not fit, for example."""


class WorkerDied(CourseError):
    """The processes around a submission died, and did so again when it was tried once more."""


class WorkerDiffers(CourseError):
    """The process that should run a job has other versions than the one that made it."""


@dataclass(frozen=True)
class Job:
    """One notebook of one submission.

    Parameters
    ----------
    notebook : bytes
        The notebook to run, as JSON, after it was repaired.
    source : bytes, optional
        The teacher's notebook, as JSON.
    files : mapping of str to bytes
        What lies beside the notebook.
    course_files : mapping of str to bytes
        What lies beside the teacher's: what the tests read.
    cell_seconds, notebook_seconds : float
        Time limits of a cell and of the whole notebook.
    memory : int
        Bytes that the student's processes may use together.
    seed : bytes
        What the hidden inputs of the tests follow from (`course_lib.exercises.rng`). It reaches the
        judge alone; without, they are those of a plain notebook.
    """

    notebook: bytes
    source: bytes | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    course_files: Mapping[str, bytes] = field(default_factory=dict)
    cell_seconds: float = 30.0
    notebook_seconds: float = 300.0
    memory: int = 1 << 30
    seed: bytes = b""


def run_job(job: Job) -> bytes:
    """Run a job; return what its cells did, as JSON.

    Returns
    -------
    bytes
        A list with an entry for each code cell: ``index``, ``status``, ``error``, ``outputs``,
        ``seconds``, and last an entry ``{"seconds": ..., "cpu_seconds": ..., "max_rss": ...}`` for
        the whole.

    Raises
    ------
    SandboxError
        If no sandbox can be built here.
    JobRefused
        If the submission itself is the obstacle.
    WorkerDied
        If the zygote died while it ran, twice.
    """
    import nbformat

    from course_lib.grading.engine.sandbox import SandboxError
    from course_lib.grading.engine.zygote import ZygoteDied

    # Notebooks of format 4, as nbformat wrote them: there is nothing to convert or validate.
    notebook = nbformat.v4.reads(job.notebook.decode())
    source = None if job.source is None else _teachers(job.source)
    cause: Exception | None = None
    closed = _the_worker.closed
    for attempt in range(2):
        if _the_worker.closed != closed:
            break
        zygote: Zygote | None = None
        try:
            zygote = _the_worker.zygote()
            done = _run(zygote, job, notebook, source)
        except SandboxError as error:
            # Without a sandbox there is no zygote. With one it can be built, and what is refused is
            # this submission: unless the machine had no process or no memory left just then.
            if zygote is None:
                raise
            if attempt == 1:
                raise JobRefused(str(error)) from error
            cause = error
        except (ZygoteDied, OSError) as error:
            # It was somebody's fault, not necessarily this submission's: others ran beside it.
            cause = error
            if zygote is not None:
                _the_worker.forget(zygote)
        else:
            # A machine that runs out of memory kills whom it likes, and one that has too much to do
            # keeps a judge waiting. What a cell does to itself, it does a second time.
            if attempt == 1 or not done.may_be_chance:
                return done.answer
            cause = None
    raise WorkerDied(f"The process that ran it ended twice ({cause}).") from cause


@functools.lru_cache(maxsize=16)
def _teachers(source: bytes) -> NotebookNode:
    """Return the teacher's notebook, which a class has in common; nobody changes it."""
    import nbformat

    return nbformat.v4.reads(source.decode())


def run_jobs(
    jobs: Mapping[str, Job], expected: Mapping[str, str] | None = None
) -> dict[str, bytes]:
    """Run the notebooks of one submission, one after the other.

    Parameters
    ----------
    jobs : mapping of str to Job
        The notebooks by their names.
    expected : mapping of str to str, optional
        What `environment` says where the jobs were made.

    Raises
    ------
    WorkerDiffers
        If it says something else here.
    """
    if expected is not None and expected != environment():
        raise WorkerDiffers(differences(environment(), expected))
    return {name: run_job(job) for name, job in jobs.items()}


@functools.cache
def environment() -> dict[str, str]:
    """Return the versions on which scores may depend: they must be the same on all machines."""
    found = {"Python": ".".join(platform.python_version_tuple()[:2])}
    for name in ("numpy", "torch"):
        try:
            # Without the label that says how it was built.
            found[name] = metadata.version(name).partition("+")[0]
        except metadata.PackageNotFoundError:
            found[name] = "none"
    library = Path(__file__).resolve().parents[2]
    text = hashlib.sha256()
    for path in sorted([*Path(__file__).parent.glob("*.py"), *library.glob("exercises/*.py")]):
        text.update(path.read_bytes())
    return found | {"course_lib": text.hexdigest()[:8]}


def differences(there: Mapping[str, str], here: Mapping[str, str]) -> str:
    """Return in words what another machine has, and this one has otherwise."""
    return ", ".join(
        f"{name} {there.get(name, 'unknown')} (here {version})"
        for name, version in here.items()
        if there.get(name) != version
    )


def missing_for_sandbox() -> list[str]:
    """Return why no sandbox can be built where this is called."""
    from course_lib.grading.engine import sandbox_check

    return sandbox_check.missing_for_sandbox()


def warm_up() -> None:
    """Start this process's zygote, if it does not run yet; return when it is warm."""
    _the_worker.zygote()


def begin() -> None:
    """Start this process's zygote, if it does not run yet; do not wait for it."""
    _the_worker.begun()


def close() -> None:
    """End this process's zygote, if it has one."""
    _the_worker.close()


@dataclass(frozen=True)
class _Done:
    """What a notebook came to."""

    answer: bytes
    may_be_chance: bool
    """Whether a process was ended by SIGKILL, and no limit was why; or a judge hung or died; or a
    cell that went well did not when it was run again."""


def _run(zygote: Zygote, job: Job, notebook: NotebookNode, source: NotebookNode | None) -> _Done:
    from course_lib.grading.engine import runner

    begin = time.monotonic()
    spawner = _Spawner(zygote, job)
    times = runner.Times(cell=job.cell_seconds, notebook=job.notebook_seconds)
    try:
        runs = runner.run(
            notebook, spawner, source=source, times=times, files=job.files, seed=job.seed
        )
    finally:
        # A child that is asked how it ended says so if the zygote died under it; what a cell did
        # then says nothing of the student's work.
        exits = spawner.end()
    answer: list[dict[str, Any]] = [
        {
            "index": run.index,
            "status": run.status,
            "error": run.error,
            "outputs": run.outputs,
            "seconds": round(run.seconds, 4),
        }
        for run in runs
    ]
    whole = {
        "seconds": round(time.monotonic() - begin, 4),
        "cpu_seconds": round(sum(end.cpu_seconds for end in exits), 4),
        "max_rss": max((end.max_rss for end in exits), default=0),
        "reasons": sorted({end.reason for end in exits}),
    }
    was_killed = any(
        end.signal == signal.SIGKILL and end.reason == "signal" for end in exits
    ) or any(run.status == "died" and "SIGKILL" in run.error for run in runs)
    failed_by_chance = any(run.status == "judge" or run.forgotten for run in runs)
    return _Done(json.dumps([*answer, whole]).encode(), was_killed or failed_by_chance)


class _Spawner:
    """A zygote with the limits of a job, and a memory of what it started for it."""

    def __init__(self, zygote: Zygote, job: Job) -> None:
        from course_lib.grading.engine.sandbox import Limits

        self.zygote = zygote
        # The clock of a cell is the wall's; processor time only stops what escapes from it.
        cpu = int(job.notebook_seconds) + 30
        self.limits = Limits(memory=job.memory, cpu_seconds=cpu)
        self.course_files = job.course_files
        self.children: list[Child] = []

    def spawn(self, target: str, sockets: Any, *, sandboxed: bool, scratch: Any) -> Child:
        # The judge never sees a file that a student may have written.
        files = scratch if sandboxed else self.course_files
        child = self.zygote.spawn(
            target,
            sockets,
            sandboxed=sandboxed,
            limits=self.limits,
            scratch=files,
            environment=AUTOGRADE,
        )
        self.children.append(child)
        return child

    def end(self) -> list[Any]:
        from course_lib.grading.engine.runner import GONE_WITHIN

        for child in self.children:
            child.kill()
        return [end for child in self.children if (end := child.wait(GONE_WITHIN)) is not None]


class _Worker:
    """The zygote of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._zygote: Zygote | None = None
        self._owner = 0
        # How often it was closed: a job that fails because of that is not tried again.
        self.closed = 0

    def zygote(self) -> Zygote:
        """Return a living zygote, warm; start one if there is none."""
        zygote = self.begun()
        try:
            zygote.wait_until_warm()
        except BaseException:
            self.forget(zygote)
            raise
        return zygote

    def begun(self) -> Zygote:
        """Return a zygote that is warm or getting so; start one if there is none."""
        from course_lib.grading.engine.zygote import Zygote

        with self._lock:
            if self._zygote is not None and self._owner != os.getpid():
                # This process was forked from one that has a zygote: that one is not ours to use.
                self._zygote = None
            if self._zygote is not None and not self._zygote.is_alive():
                self._zygote.close()
                self._zygote = None
            if self._zygote is None:
                self._zygote = Zygote(wait=False)
                self._owner = os.getpid()
            return self._zygote

    def forget(self, zygote: Zygote) -> None:
        """Let the next job start another zygote than this one, which failed."""
        with self._lock:
            if self._zygote is zygote:
                zygote.close()
                self._zygote = None

    def close(self) -> None:
        with self._lock:
            self.closed += 1
            if self._zygote is not None and self._owner == os.getpid():
                self._zygote.close()
            self._zygote = None


_the_worker = _Worker()
atexit.register(close)
