"""Many notebooks that begin alike: what they have in common is run once.

To prove the tests of an exercise some fifty answers are graded, of which each differs from the
reference in a few cells. Before the first cell in which two notebooks differ, the processes of the
student and of the judge wait; for each notebook both of them fork, and the forks go on with its own
cells. Tests that its changes certainly cannot reach (see `influence`) do not run once more: they
give what they give in the reference. Nothing else is different from `runner.run`: where anything
happens that could make it so (a process is lost or leaves threads), the notebook is run by itself,
from the beginning.

The forks of one exercise share a sandbox, so that this is for the course's own answers alone, and
never for what students hand in.
"""

from __future__ import annotations

import copy
import pickle
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from course_lib.grading.engine import influence, notebooks, protocol, runner
from course_lib.grading.engine.randomness import random_state
from course_lib.grading.engine.runner import CellRun, Lost, Spawner, Times
from course_lib.grading.engine.sandbox import Limits
from course_lib.grading.engine.student import send_with_descriptors


def grade_id(cell: NotebookNode) -> str | None:
    """Return a cell's grade id, or None if nbgrader does not know the cell."""
    return cell.metadata.get("nbgrader", {}).get("grade_id")


#: What the processes of all notebooks may use together, as they are in one sandbox.
LIMITS = Limits(memory=8 << 30, processes=1024, files=1024, cpu_seconds=24 * 3600)


class Unshared(Exception):
    """Something happened after which a notebook must be run by itself."""


class Shared:
    """Runs notebooks that begin as another one does, and the beginnings once.

    Parameters
    ----------
    trunk : NotebookNode
        The notebook whose beginnings they share: an exercise's reference.
    zygote : Spawner
        Starts the processes.
    source : NotebookNode, optional
        The teacher's notebook, as in `runner.run`.
    times : Times
        Limits of each notebook.
    files : mapping, optional
        Name to content of the files beside the notebooks.

    Attributes
    ----------
    alone : int
        How many notebooks had to be run by themselves.
    """

    def __init__(
        self,
        trunk: NotebookNode,
        zygote: Spawner,
        *,
        source: NotebookNode | None = None,
        times: Times | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        self.trunk, self.zygote, self.source = trunk, _Roomy(zygote), source
        self.times, self.files = times or Times(), files or {}
        self.alone = 0
        # What waits, by the number of the trunk's cells that it has run.
        self._waiting: dict[int, _Branch] = {}
        self._results: dict[int, _Known] | None = None

    def run(self, notebook: NotebookNode) -> list[CellRun]:
        """Run the code cells of a notebook; return what `runner.run` would.

        Returns
        -------
        list of CellRun
            One for each code cell, in order.
        """
        try:
            return self._run(notebook)
        except (Unshared, Lost, protocol.Closed, OSError):
            self.alone += 1
            return runner.run(
                notebook,
                self.zygote.zygote,
                source=self.source,
                times=self.times,
                files=self.files,
            )

    def close(self) -> None:
        """End all processes."""
        for waiting in self._waiting.values():
            waiting.close()
        self._waiting, self._results = {}, None

    def __enter__(self) -> Shared:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, notebook: NotebookNode) -> list[CellRun]:
        known = self._known(notebook)
        branch = self._begun(notebook)
        try:
            branch.go_on(known=known)
        finally:
            branch.close()
        return list(branch.runs.values())

    def _known(self, notebook: NotebookNode) -> dict[int, _Known]:
        """Return what is known of the tests of a notebook, from a run of the trunk."""
        if not self._waiting:
            self._start()
        trunk, other = self._waiting[0], self._new(notebook)
        names = [[(i, grade_id(cell)) for i, cell in run.cells] for run in (trunk, other)]
        if names[0] != names[1]:
            return {}
        run = influence.needed([c for _, c in other.cells], [c for _, c in trunk.cells])
        if run is None or len(run) == len(trunk.cells):
            return {}
        if self._results is None:
            whole = trunk.branch(self._new(self.trunk))
            try:
                whole.go_on()
            finally:
                whole.close()
            self._results = whole.known
        # A test that hands other names on, to other cells, is another test.
        return {
            place: known
            for place, known in self._results.items()
            if place not in run
            and known.run.status == "ok"
            and trunk.wanted(place) == other.wanted(place)
        }

    def _start(self) -> None:
        """Start the processes that all others are forked from."""
        first = self._new(self.trunk)
        try:
            first.start_both()
        except BaseException:
            first.close()
            raise
        # Python's own random numbers begin anew in each fork; so they are told where to begin.
        first.random = random_state()
        self._waiting[0] = first

    def _begun(self, notebook: NotebookNode) -> _Branch:
        """Return a run of a notebook that has done what it has in common with the trunk."""
        if not self._waiting:
            self._start()
        theirs = self._new(notebook).keys()
        ours = self._waiting[0].keys()
        pairs = zip(ours, theirs, strict=False)
        length = next((n for n, (one, other) in enumerate(pairs) if one != other), None)
        if length is None:
            length = min(len(ours), len(theirs))
        if length not in self._waiting:
            nearest = max(place for place in self._waiting if place < length)
            branch = self._waiting[nearest].branch(self._new(self.trunk))
            try:
                branch.go_on(length)
            except BaseException:
                branch.close()
                raise
            self._waiting[length] = branch
        waiting = self._waiting[length]
        branch = waiting.branch(self._new(notebook))
        if branch.files_were != waiting.files_were:
            # Another one has written something that this one must not find.
            branch.close()
            self.close()
            raise Unshared("files have changed")
        return branch

    def _new(self, notebook: NotebookNode) -> _Branch:
        return _Branch(notebook, self.zygote, self.source, self.times, self.files, b"")


class _Roomy:
    """A zygote whose children have the limits of many."""

    def __init__(self, zygote: Any) -> None:
        self.zygote = zygote

    def spawn(self, *args: Any, **options: Any) -> Any:
        return self.zygote.spawn(*args, **options, limits=LIMITS)


@dataclass(frozen=True)
class _Known:
    """What a cell of the trunk did, and the state of the random numbers before and after it."""

    run: CellRun
    before: Any
    after: Any


class _Branch(runner._Run):
    """A run that can be gone on with in several ways, and that stops where a process is lost."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.place = 0
        self.known: dict[int, _Known] = {}

    #: What the files beside it were like when the first of its branches began.
    files_were = ""

    def keys(self) -> list[tuple[Any, ...]]:
        """Return all on which depends what each cell does, after the same cells before it."""
        return [
            (
                index,
                notebooks.role(cell),
                cell.source,
                grade_id(cell),
                self.wanted(place) if notebooks.role(cell) == "test" else None,
            )
            for place, (index, cell) in enumerate(self.cells)
        ]

    def go_on(self, until: int | None = None, known: Mapping[int, _Known] | None = None) -> None:
        """Run the cells up to a place, but for those of which all is known.

        Raises
        ------
        Unshared
            If one of them was ended from outside.
        """
        for place in range(self.place, len(self.cells) if until is None else until):
            index, _ = self.cells[place]
            there = (known or {}).get(place)
            if there is not None and there.before == self.random:
                self.runs[index] = copy.deepcopy(there.run)
                self.random, self.place = there.after, place + 1
                continue
            before = self.random
            self.run_cell(place)
            self.place = place + 1
            run = self.runs[index]
            if run.status not in ("ok", "error") or run.error.startswith("StudentGone"):
                raise Unshared(f"{run.status}: {run.error}")
            self.known[place] = _Known(run, before, self.random)

    def branch(self, other: _Branch) -> _Branch:
        """Let another run, of a notebook that begins alike, go on from here in forks of its own.

        Raises
        ------
        Unshared
            If a process cannot be forked.
        """
        for (index, _), (its, _) in zip(self.cells[: self.place], other.cells, strict=False):
            other.runs[its] = copy.deepcopy(self.runs[index])
        other.place, other.random = self.place, self.random
        other.end = time.monotonic() + other.times.notebook
        other.state, other.at_work = self.state, self.at_work
        other.done = [(command, other.runs[run.index]) for command, run in self.done]
        other.kept, other.told = len(other.done), list(self.told)
        try:
            other.student, other.files_were = self._fork(self.student)
            other.judge, _ = self._fork(self.judge)
        except BaseException:
            other.close()
            raise
        self.files_were = self.files_were or other.files_were
        return other

    def _fork(self, connection: socket.socket | None) -> tuple[socket.socket, str]:
        """Let a process fork; return the end of the fork's connection, and what it says."""
        if connection is None:
            raise Unshared("a process is not there")
        mine, theirs = socket.socketpair()
        with theirs:
            try:
                message = pickle.dumps(("branch",))
                send_with_descriptors(connection, message, [theirs.fileno()])
                status, detail, *_ = self.hear(connection, None)
            except (Lost, protocol.Closed) as problem:
                mine.close()
                raise Unshared(str(problem)) from None
        if status != "ok":
            mine.close()
            raise Unshared(detail)
        return mine, detail

    def lose_student(self, problem: Exception) -> str:
        """Stop: in a sandbox with others, processes are not replaced."""
        raise Unshared(str(problem))

    def end_judge(self) -> None:
        """Stop likewise."""
        raise Unshared("the judge has ended or hangs")
