"""Where submissions run: threads over this machine's warm process, or a Dask cluster."""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import (
    FIRST_COMPLETED,
    CancelledError,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager, suppress
from typing import Any

from course_lib.grading.course.folder import GradingError, Say
from course_lib.grading.engine import jobs
from course_lib.grading.engine.jobs import Job, JobRefused, WorkerDied, WorkerDiffers
from course_lib.grading.running.sandboxed import require_sandbox

__all__ = ["LostError", "NotRunError", "Pool", "pool"]

# How often Dask tries a submission again that failed for another reason than its worker's death.
RETRIES = 1

# Seconds to wait for a scheduler's answer, and for a worker where there is none: clusters that
# grow with their work take minutes to get their first.
SCHEDULER_WITHIN = 20
WORKER_WITHIN = 300

# Seconds after which a cluster is looked at again.
LOOK_EVERY = 5

_ON_ALL_MACHINES = (
    "Make the course's environment there with the same requirements.txt and the same course_lib, "
    "then start the worker again."
)


class NotRunError(Exception):
    """One submission could not be run; the others go on."""


class LostError(NotRunError):
    """It failed for a reason that need not be there a second time.

    The worker died, for example, under this submission or another one that ran beside it.
    """


class Pool:
    """A number of places at which submissions run."""

    # What a job is called with besides its notebooks.
    _further: tuple[Any, ...] = ()

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def places(self) -> int:
        """Return how many submissions run at a time."""
        raise NotImplementedError

    def in_flight(self) -> int:
        """Return how many submissions to have handed over: some wait, so that no place does."""
        return 2 * self.places() + 2

    def submit(self, work: Mapping[str, Job]) -> Future[dict[str, bytes]]:
        """Hand over the notebooks of one submission."""
        made: Future[dict[str, bytes]] = Future()
        inner = self._executor.submit(jobs.run_jobs, work, *self._further)
        inner.add_done_callback(lambda done: self._pass_on(done, made))
        return made

    def wait(self, running: Iterable[Future[dict[str, bytes]]]) -> set[Future[dict[str, bytes]]]:
        """Wait until at least one has ended; return those that have."""
        return wait(running, return_when=FIRST_COMPLETED).done

    def _pass_on(self, done: Any, made: Future[dict[str, bytes]]) -> None:
        """Give a result on, or say what its failure means."""
        try:
            made.set_result(done.result())
        except WorkerDied as error:
            made.set_exception(LostError(str(error)))
        except JobRefused as error:
            made.set_exception(NotRunError(str(error)))
        except (Exception, CancelledError) as error:
            made.set_exception(self._meaning(error))

    def _meaning(self, error: BaseException) -> BaseException:
        """Return what a failure means: the end of this submission, or of the run."""
        from course_lib.grading.engine.sandbox import SandboxError

        if isinstance(error, SandboxError | CancelledError):
            return error
        # Something that nobody had thought of, in this notebook or around it, must not stop the
        # others.
        return LostError(f"{type(error).__name__}: {error}")


class _Threads(Pool):
    """Threads that each talk to two processes of this machine's zygote."""

    def __init__(self, executor: ThreadPoolExecutor, workers: int) -> None:
        super().__init__(executor)
        self._workers = workers

    def places(self) -> int:
        return self._workers


class _Cluster(Pool):
    """The workers of a Dask scheduler, however many there are at a time."""

    def __init__(self, client: Any, address: str, say: Say) -> None:
        super().__init__(client.get_executor(pure=False, retries=RETRIES))
        # A worker that joins later is looked at by its first job.
        self._further = (jobs.environment(),)
        self._client = client
        self._address = address
        self._say = say
        self._threads = 0
        self._looked: float | None = None
        self._alone_since: float | None = None

    def submit(self, work: Mapping[str, Job]) -> Future[dict[str, bytes]]:
        # A client whose scheduler stays away for long enough closes itself, and takes no more.
        if self._client.status in ("closing", "closed"):
            raise GradingError(self._is_gone())
        return super().submit(work)

    def places(self) -> int:
        if self._looked is None or time.monotonic() - self._looked > LOOK_EVERY:
            self._look()
        return max(1, self._threads)

    def wait(self, running: Iterable[Future[dict[str, bytes]]]) -> set[Future[dict[str, bytes]]]:
        while True:
            done = wait(running, timeout=LOOK_EVERY, return_when=FIRST_COMPLETED).done
            if done:
                return done
            self._look()
            self._mind_the_workers()

    def _look(self) -> None:
        """Count the workers' threads. A scheduler that is gone ends the jobs, which say so."""
        if self._client.status not in ("closing", "closed"):
            with suppress(OSError):
                self._threads = sum(self._client.nthreads().values())
        self._looked = time.monotonic()

    def _mind_the_workers(self) -> None:
        """Say that there is no worker, and give up when none comes."""
        if self._threads:
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = time.monotonic()
            self._say(_no_worker(self._address, "has no worker any more"))
        elif time.monotonic() - self._alone_since > WORKER_WITHIN:
            raise GradingError(
                f"The Dask scheduler {self._address} has had no worker for {WORKER_WITHIN} "
                "seconds. What was graded is kept: start workers, then run the same command again."
            )

    def _meaning(self, error: BaseException) -> BaseException:
        from distributed.scheduler import KilledWorker

        from course_lib.grading.engine.sandbox import SandboxError

        if isinstance(error, KilledWorker):
            return LostError(
                "The Dask workers that ran it died, one after the other: it may have taken more "
                "memory than they have. Look at their logs."
            )
        if isinstance(error, SandboxError):
            return GradingError(f"A Dask worker cannot keep submissions in a sandbox: {error}")
        if isinstance(error, WorkerDiffers | ImportError):
            return GradingError(f"A Dask worker has other versions: {error}. {_ON_ALL_MACHINES}")
        if isinstance(error, CancelledError | OSError):
            return GradingError(self._is_gone())
        return super()._meaning(error)

    def _is_gone(self) -> str:
        return (
            f"The Dask scheduler {self._address} is gone. What was graded is kept: start a "
            "scheduler and workers, then run the same command again."
        )


@contextmanager
def pool(
    workers: int | None = None, scheduler: str | None = None, say: Say = lambda _: None
) -> Iterator[Pool]:
    """Return where submissions run.

    Parameters
    ----------
    workers : int, optional
        How many run at a time here; by default, one for each processor.
    scheduler : str, optional
        The address of a Dask scheduler to use instead.
    say : callable, optional
        Called with a sentence when there is no worker to be waited for.

    Raises
    ------
    GradingError
        If no sandbox can be built here, or the scheduler does not answer, or has no workers, or
        workers that cannot do the work.
    """
    with _cluster(scheduler, say) if scheduler else _threads(workers) as place:
        yield place


@contextmanager
def _threads(workers: int | None) -> Iterator[Pool]:
    if workers is not None and workers < 1:
        raise GradingError("There must be at least one worker.")
    workers = workers or _processors()
    executor = ThreadPoolExecutor(workers, thread_name_prefix="grade")
    try:
        # The zygote gets warm while the sandbox is tried, and the first submissions are mended.
        executor.submit(_warm_quietly)
        require_sandbox()
        yield _Threads(executor, workers)
    except BaseException:
        # What still runs is not waited for: its process ends, and so does the thread.
        executor.shutdown(wait=False, cancel_futures=True)
        jobs.close()
        raise
    finally:
        executor.shutdown()


def _processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _warm_quietly() -> None:
    try:
        jobs.warm_up()
    except Exception:
        # The first job meets the same obstacle, and has somebody to tell.
        return


@contextmanager
def _cluster(address: str, say: Say) -> Iterator[Pool]:
    from distributed import Client

    with _quiet_dask():
        try:
            client = Client(address, timeout=SCHEDULER_WITHIN, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise GradingError(
                f"The Dask scheduler {address} cannot be used ({error}). Start one with `dask "
                f"scheduler`, and workers with `dask worker {address}` in this course's "
                "environment."
            ) from error
        try:
            try:
                _await_worker(client, address, say)
                _check_workers(client)
            except OSError as error:
                raise GradingError(f"The Dask scheduler {address} is gone ({error}).") from error
            yield _Cluster(client, address, say)
        finally:
            client.close()


@contextmanager
def _quiet_dask() -> Iterator[None]:
    """Keep Dask's own log and warnings from the screen: what goes wrong is said here."""
    log = logging.getLogger("distributed")
    before = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="distributed")
            warnings.filterwarnings("ignore", message="Mismatched versions found")
            yield
    finally:
        log.setLevel(before)


def _await_worker(client: Any, address: str, say: Say) -> None:
    """Wait for the first worker of a scheduler.

    Raises
    ------
    GradingError
        If there is none in time.
    """
    try:
        if not client.nthreads():
            say(_no_worker(address, "has no workers yet"))
        client.wait_for_workers(1, timeout=WORKER_WITHIN)
    except TimeoutError as error:
        raise GradingError(
            f"The Dask scheduler {address} has no workers, and none came within {WORKER_WITHIN} "
            f"seconds. Start some with `dask worker {address}` in this course's environment."
        ) from error


def _no_worker(address: str, state: str) -> str:
    return (
        f"The Dask scheduler {address} {state}. Waiting up to {WORKER_WITHIN} seconds for one: "
        f"start it with `dask worker {address}`."
    )


def _check_workers(client: Any) -> None:
    """Make sure that every worker has what this machine has, and can build a sandbox.

    Raises
    ------
    GradingError
        If one does not; it names the worker and the difference.
    """
    here = jobs.environment()
    for worker, there in client.run(jobs.environment, on_error="return").items():
        if isinstance(there, OSError):
            continue  # it is gone again
        if isinstance(there, BaseException):
            raise GradingError(
                f"The Dask worker {worker} has no course_lib that this one can talk to ({there}). "
                f"{_ON_ALL_MACHINES}"
            )
        if there != here:
            raise GradingError(
                f"The Dask worker {worker} has other versions: {jobs.differences(there, here)}. "
                f"{_ON_ALL_MACHINES}"
            )
    for worker, missing in client.run(jobs.missing_for_sandbox, on_error="return").items():
        if missing and not isinstance(missing, OSError):
            why = missing if isinstance(missing, BaseException) else " ".join(missing)
            raise GradingError(
                f"The Dask worker {worker} cannot keep submissions in a sandbox: {why} Stop it, or "
                "mend that and start it again."
            )
