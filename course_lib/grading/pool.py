"""Where submissions run: threads over this machine's warm process, or a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import (
    FIRST_COMPLETED,
    CancelledError,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager
from typing import Any

from course_lib.grading.course import GradingError
from course_lib.grading.engine import jobs
from course_lib.grading.engine.jobs import Job, JobRefused, WorkerDied
from course_lib.grading.walled import require_walls

__all__ = ["NotRunError", "Pool", "pool"]

# How often Dask gives a submission to another worker when one died under it.
RETRIES = 1

# Seconds to wait for a scheduler's answer, and for its first worker.
SCHEDULER_WITHIN = 20


class NotRunError(Exception):
    """One submission could not be run; the others go on."""


class Pool:
    """A number of places at which submissions run."""

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
        inner = self._executor.submit(jobs.run_jobs, work)
        inner.add_done_callback(lambda done: self._pass_on(done, made))
        return made

    def wait(self, running: Iterable[Future[dict[str, bytes]]]) -> set[Future[dict[str, bytes]]]:
        """Wait until at least one has ended; return those that have."""
        return wait(running, return_when=FIRST_COMPLETED).done

    def _pass_on(self, done: Any, made: Future[dict[str, bytes]]) -> None:
        """Give a result on, or say what its failure means."""
        try:
            made.set_result(done.result())
        except (JobRefused, WorkerDied) as error:
            made.set_exception(NotRunError(str(error)))
        except (Exception, CancelledError) as error:
            made.set_exception(self._meaning(error))

    def _meaning(self, error: BaseException) -> BaseException:
        """Return what a failure means: the end of this submission, or of the run."""
        from course_lib.grading.engine.walls import WallsError

        if isinstance(error, WallsError | CancelledError):
            return error
        # Something in this notebook that nobody had thought of must not stop the others.
        return NotRunError(f"{type(error).__name__}: {error}")


class _Threads(Pool):
    """Threads that each talk to two processes of this machine's zygote."""

    def __init__(self, executor: ThreadPoolExecutor, workers: int) -> None:
        super().__init__(executor)
        self._workers = workers

    def places(self) -> int:
        return self._workers


class _Cluster(Pool):
    """The workers of a Dask scheduler."""

    def __init__(self, client: Any) -> None:
        super().__init__(client.get_executor(pure=False, retries=RETRIES))
        self._client = client

    def places(self) -> int:
        return max(1, sum(self._client.nthreads().values()))

    def _meaning(self, error: BaseException) -> BaseException:
        from distributed.scheduler import KilledWorker

        from course_lib.grading.engine.walls import WallsError

        if isinstance(error, KilledWorker):
            return NotRunError("The Dask workers that ran it died, one after the other.")
        if isinstance(error, WallsError):
            return GradingError(f"A Dask worker cannot keep submissions behind walls: {error}")
        if isinstance(error, CancelledError | OSError):
            return GradingError(
                "The Dask scheduler is gone. What was graded is kept; start a scheduler and say "
                "the same again for the rest."
            )
        return super()._meaning(error)


@contextmanager
def pool(workers: int | None = None, scheduler: str | None = None) -> Iterator[Pool]:
    """Return where submissions run.

    Parameters
    ----------
    workers : int, optional
        How many run at a time here; by default, one for each processor.
    scheduler : str, optional
        The address of a Dask scheduler to use instead.

    Raises
    ------
    GradingError
        If walls cannot be built here, or the scheduler does not answer.
    """
    with _cluster(scheduler) if scheduler else _threads(workers) as place:
        yield place


@contextmanager
def _threads(workers: int | None) -> Iterator[Pool]:
    if workers is not None and workers < 1:
        raise GradingError("There must be at least one worker.")
    workers = workers or _processors()
    executor = ThreadPoolExecutor(workers, thread_name_prefix="grade")
    try:
        # The zygote gets warm while the walls are tried, and the first submissions are mended.
        executor.submit(_warm_quietly)
        require_walls()
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
def _cluster(address: str) -> Iterator[Pool]:
    from distributed import Client

    try:
        client = Client(address, timeout=SCHEDULER_WITHIN, set_as_default=False)
        client.wait_for_workers(1, timeout=SCHEDULER_WITHIN)
    except (OSError, ValueError, TimeoutError) as error:
        raise GradingError(
            f"The Dask scheduler {address} cannot be used ({error}). Start one with `dask "
            f"scheduler`, and workers with `dask worker {address}` in this course's environment."
        ) from error
    try:
        yield _Cluster(client)
    finally:
        client.close()
