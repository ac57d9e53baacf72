"""How grading scales: with the size of the class, and with the number of workers.

    python benchmarks/scaling.py [--students 1000] [--workers 2] [--dask-workers 1 2 4]
                                 [--dask-students 100] [--canned 500]
                                 [--slow 0.5] [--slow-workers 1 2 4 8]

Small notebooks (two solution cells, three test cells), made by the thousand. Three things are
measured, each can be left out with a size of 0.

The class (--students): what one submission costs in wall and processor time, in the first and in
the last tenth of the class, and the memory of the command and of its workers there. Both must be
flat within 20 %. The search for similar submissions comes after the last, and is told apart.

The writer (--canned): one process alone writes the gradebook. With canned results in the place of
runs, it is all that is left, and its rate is the limit of a cluster of any size.

The cluster (--dask-students): the class on Dask workers of this machine; and on slow ones, which
sleep for --slow seconds in the place of a run, so that there may be more of them than processors.
Efficiency is the rate as a part of what so many workers could do, or of the writer's limit.

The exit status is 1 if a limit that the project has set itself is broken.
"""

# ruff: noqa: E402
import os

# Before NumPy and PyTorch are imported, which read it once.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import functools
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import nbformat
import psutil
from grading import cell, counted, tree_seconds
from nbformat import NotebookNode
from nbformat.v4 import new_notebook

SLUG = "vectors"
FLAT_WITHIN = 0.2

SOURCE = [
    ("imports", "import numpy as np", {"locked": True}),
    ("norm", "def norm(x):\n    return np.sqrt((x**2).sum())", {"solution": True}),
    ("test-norm", "assert norm(np.array([3.0, 4.0])) == 5", {"grade": True, "points": 1}),
    (
        "test-norm-hidden",
        "### BEGIN HIDDEN TESTS\nassert abs(norm(np.ones(100)) - 10) < 1e-9\n### END HIDDEN TESTS",
        {"grade": True, "points": 2},
    ),
    ("unit", "def unit(x):\n    return x / np.sqrt((x**2).sum())", {"solution": True}),
    (
        "test-unit",
        "assert np.allclose(unit(np.array([3.0, 4.0])), [0.6, 0.8])",
        {"grade": True, "points": 2},
    ),
]

# Right, wrong, and not written.
ANSWERS = [
    {},
    {"norm": "def norm(x):\n    return abs(x).sum()"},
    {"unit": "def unit(x):\n    raise NotImplementedError"},
]


def source_notebook() -> NotebookNode:
    """Return the teacher's notebook."""
    cells = []
    for name, text, flags in SOURCE:
        if flags.get("solution"):
            text = f"### BEGIN SOLUTION\n{text}\n### END SOLUTION"
        cells.append(cell(name, text, **({"locked": True} if "grade" in flags else {}), **flags))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def build(folder: Path, count: int) -> Path:
    """Write a course with a released assignment and so many submissions to it."""
    from course_lib import grading

    path = folder / "source" / SLUG / f"{SLUG}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(source_notebook(), path)
    (folder / "nbgrader_config.py").write_text("c = get_config()\n", encoding="utf-8")
    release = grading.release([SLUG], folder)[SLUG] / f"{SLUG}.ipynb"
    solved = {name: text for name, text, _ in SOURCE}
    kinds = []
    for answers in ANSWERS:
        notebook = nbformat.read(release, as_version=4)
        for part in notebook.cells:
            own = part.metadata.nbgrader
            if own.solution:
                part.source = "# ANSWER\n" + (solved | answers)[own.grade_id]
        kinds.append(nbformat.writes(notebook))
    for number in range(count):
        path = folder / "submitted" / f"s{number:06}" / SLUG / f"{SLUG}.ipynb"
        path.parent.mkdir(parents=True)
        text = kinds[number % len(kinds)].replace("# ANSWER", f"# answer {number}")
        path.write_text(text, encoding="utf-8")
    return folder


# ---------------------------------------------------------------- what is looked at


def workers_memory() -> float:
    """Return the MiB that workers have between them; what they share is counted once."""
    total = 0
    for process in psutil.Process().children(recursive=True):
        try:
            total += process.memory_full_info().pss
        except psutil.Error:  # it has ended
            continue
    return total / 2**20


@dataclass
class Part:
    """What was seen while the submissions from one number to another one ended."""

    begin: int
    end: int
    wall: float = 0.0
    cpu: float = 0.0
    command: float = 0.0
    """The most MiB that the command had in memory."""
    workers: float = 0.0

    def look(self, done: int) -> None:
        """Be called as submissions end; look at memory at some of them."""
        if done == self.begin:
            self.wall -= time.perf_counter()
            self.cpu -= tree_seconds()
        if done == self.end:
            self.wall += time.perf_counter()
            self.cpu += tree_seconds()
        if self.begin < done <= self.end and (done % 5 == 0 or done == self.end):
            self.command = max(self.command, psutil.Process().memory_info().rss / 2**20)
            self.workers = max(self.workers, workers_memory())

    def each(self, seconds: float) -> float:
        """Return milliseconds for each submission."""
        return 1000 * seconds / (self.end - self.begin)


def graded(folder: Path, count: int, **options: Any) -> float:
    """Grade a class; return submissions in a second, once the first one is done."""
    from course_lib import grading

    seen: list[float] = []
    watch = options.pop("progress", None)

    def progress(*what: Any) -> None:
        seen.append(time.perf_counter())
        if watch:
            watch(*what)

    report = grading.grade(SLUG, folder, force=True, progress=progress, **options)
    rate = (count - 1) / (seen[-1] - seen[0]) if count > 1 else 0.0
    if report.failed:
        sys.exit("not graded: " + "; ".join(f"{r.student}: {r.reason}" for r in report.failed[:5]))
    return rate


def the_class(folder: Path, count: int, workers: int) -> bool:
    """Grade a large class; print what its ends cost; return whether that is the same."""
    from course_lib.grading.engine import jobs

    build(folder, count)
    jobs.warm_up()
    tenth = max(1, count // 10)
    # What follows the last submission, to the end, is done once for the whole class.
    first, last, end = Part(0, tenth), Part(count - 1 - tenth, count - 1), Part(count - 1, count)

    def progress(_: str, done: int, __: int) -> None:
        for part in (first, last, end):
            part.look(done)

    rate = graded(folder, count, workers=workers, progress=progress)
    jobs.close()
    print(f"{count} submissions, {workers} workers: {rate:.1f} in a second")
    print(f"\n{'':<24}{'first tenth':>12}{'last tenth':>12}{'ratio':>8}")
    flat = True
    for name, judged, values in (
        ("wall, ms each", False, [part.each(part.wall) for part in (first, last)]),
        ("CPU, ms each", True, [part.each(part.cpu) for part in (first, last)]),
        ("command, MiB at most", True, [first.command, last.command]),
        ("workers, MiB at most", True, [first.workers, last.workers]),
    ):
        ratio = values[1] / values[0]
        kept = not judged or ratio <= 1 + FLAT_WITHIN
        flat = flat and kept
        print(f"{name:<24}{values[0]:12.1f}{values[1]:12.1f}{ratio:8.2f}{'' if kept else '  !'}")
    print(f"\nat most {1 + FLAT_WITHIN:g}, but for wall time, which others on this machine change")
    print(f"comparing all with each other, at the end: {1000 * end.cpu / count:.1f} ms of CPU each")
    return flat


# ---------------------------------------------------------------- the writer, the cluster


def canned_result(folder: Path) -> bytes:
    """Run one submission; return what its cells did."""
    from course_lib.grading.engine import jobs

    taken: list[bytes] = []
    original = jobs.run_job
    with mock.patch.object(jobs, "run_job", lambda job: taken.append(original(job)) or taken[-1]):
        graded(folder, 1, students="s000000", workers=1)
    return taken[0]


def instead_of_running(result: bytes, seconds: float) -> None:
    """Let this process answer jobs with a canned result after a while."""
    import time

    from course_lib.grading.engine import jobs

    def run_job(_: Any) -> bytes:
        time.sleep(seconds)
        return result

    jobs.run_job = run_job


def the_writer(folder: Path, count: int, result: bytes) -> float:
    """Print how fast one process reads, mends and records; return submissions in a second."""
    from course_lib.grading.engine import jobs

    cpu = -time.process_time()
    with (
        mock.patch.object(jobs, "run_job", return_value=result),
        mock.patch.object(jobs, "warm_up"),
    ):
        rate = graded(folder, count, workers=1)
    cpu += time.process_time()
    each = cpu / count
    print(f"\nthe writer alone: {rate:.1f} in a second; {1000 * each:.1f} ms of CPU each, which is")
    print(f"{1 / each:.1f} in a second on a processor of its own: it keeps so many workers busy as")
    print("there are, if a submission takes them a second")
    return rate


@contextmanager
def cluster(workers: int, prepare: Callable[[], None] | None) -> Iterator[str]:
    """Start a Dask scheduler and workers on this machine; yield its address."""
    from distributed import Client, LocalCluster

    from course_lib.grading.engine import jobs

    options = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(processes=True, **options) as made, Client(made, set_as_default=False) as us:
        us.run(prepare or jobs.warm_up)
        yield made.scheduler_address


def the_cluster(
    folder: Path,
    count: int,
    workers: list[int],
    prepare: Callable[[], None] | None,
    most: Callable[[int], float],
) -> None:
    """Print the rate on so many workers, and what part that is of what there could be."""
    first = 0.0
    for number in workers:
        with cluster(number, prepare) as address:
            rate = graded(folder, count, scheduler=address)
        first = first or rate
        part = f"{rate / most(number):12.2f}" if most(number) else f"{'':12}"
        print(f"{number:>8}{rate:14.1f}{rate / first:12.2f}{part}")


def main() -> int:
    """Measure what is asked for."""
    with counted():
        return measured()


def measured() -> int:
    """Do so, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--students", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--dask-workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--dask-students", type=int, default=100)
    parser.add_argument("--canned", type=int, default=500)
    parser.add_argument("--slow", type=float, default=0.5)
    parser.add_argument("--slow-workers", type=int, nargs="+", default=[1, 2, 4, 8])
    options = parser.parse_args()
    logging.disable(logging.WARNING)

    flat = True
    with tempfile.TemporaryDirectory(prefix="scaling-") as place:
        if options.students:
            flat = the_class(Path(place, "class"), options.students, options.workers)
        few = Path(place, "few")
        count = max(options.canned, options.dask_students)
        if count:
            build(few, count)
            result = canned_result(few)
        limit = the_writer(few, options.canned, result) if options.canned else 0.0
        if options.dask_students:
            head = f"{'workers':>8}{'in a second':>14}{'times one':>12}"
            for number in range(options.dask_students, count):
                path = few / "submitted" / f"s{number:06}" / SLUG / f"{SLUG}.ipynb"
                path.unlink()
                path.parent.rmdir()
                path.parents[1].rmdir()
            print(f"\nDask on this machine's {os.cpu_count()} processors\n{head}")
            the_cluster(few, options.dask_students, options.dask_workers, None, lambda _: 0.0)
            sleeping = functools.partial(instead_of_running, result, options.slow)
            print(f"\nDask with workers that sleep {options.slow:g} s\n{head}{'efficiency':>12}")

            def most(number: int) -> float:
                could = number / options.slow
                return min(could, limit) if limit else could

            the_cluster(few, options.dask_students, options.slow_workers, sleeping, most)
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
