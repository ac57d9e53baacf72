"""Run one submission: the student's cells in one process, the tests in another.

The supervisor starts both through the zygote, hands cells out in the order of the notebook, and
keeps time. What either of them says comes back as outputs in the notebook format, so that nbgrader
counts points as it always does.
"""

from __future__ import annotations

import ast
import hmac
import pickle
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from nbformat import NotebookNode
from nbformat.v4 import new_output

from course_lib.grading.engine import wire
from course_lib.grading.engine.student import send_with_descriptors

#: How long after a cell's limit the supervisor waits for an answer, in seconds.
GRACE = 5.0

#: What one answer may hold, in bytes: a cell's outputs.
MAX_ANSWER = 16 * 2**20


@dataclass(frozen=True)
class Times:
    """Time limits, in seconds: of a cell, and of a whole notebook."""

    cell: float = 60.0
    notebook: float = 600.0


@dataclass
class CellRun:
    """What one code cell did: its place, how it ended, and its outputs in the notebook format."""

    index: int
    status: str = "not run"
    error: str = ""
    outputs: list[NotebookNode] = field(default_factory=list)
    seconds: float = 0.0


class Spawner(Protocol):
    """What starts processes: a `Zygote`, or something that is like one."""

    def spawn(
        self,
        target: str,
        sockets: list[socket.socket],
        *,
        walled: bool,
        scratch: Mapping[str, bytes],
    ) -> Any:
        """Start a process that calls ``target(*sockets)``; return what can kill it."""


class Lost(Exception):
    """A process of this submission is gone; the cells that are left cannot run in it."""


def run(
    notebook: NotebookNode,
    zygote: Spawner,
    *,
    source: NotebookNode | None = None,
    times: Times = Times(),
    files: Mapping[str, bytes] | None = None,
    seed: bytes = b"",
) -> list[CellRun]:
    """Run the code cells of a submission whose test cells are the teacher's.

    Parameters
    ----------
    notebook : NotebookNode
        The submission after repair: locked and test cells are those of the release or source.
    zygote : Spawner
        Starts the processes.
    source : NotebookNode, optional
        The teacher's notebook. What its cells import and define, outside of solutions, is the
        judge's own; by default that of the locked cells of `notebook`.
    times : Times
        Limits.
    files : mapping, optional
        Name to content of the files beside the notebook.
    seed : bytes
        What the hidden inputs of the tests follow from; the judge alone is told.

    Returns
    -------
    list of CellRun
        One for each code cell, in order.
    """
    return _Run(notebook, zygote, source or notebook, times, files or {}, seed).run()


class _Run:
    def __init__(
        self,
        notebook: NotebookNode,
        zygote: Spawner,
        source: NotebookNode,
        times: Times,
        files: Mapping[str, bytes],
        seed: bytes,
    ) -> None:
        self.notebook, self.zygote, self.source = notebook, zygote, source
        self.times, self.files, self.seed = times, files, seed
        self.asked = sorted(_classes(source))
        self.end = time.monotonic() + times.notebook
        self.random: Any = None
        # The command for the last cell that ran: where a test kills the student's process, what
        # is left is the state before that cell.
        self.last: tuple[Any, ...] | None = None
        self.children: list[Any] = []
        self.student: socket.socket | None = None
        self.judge: socket.socket | None = None

    def run(self) -> list[CellRun]:
        cells = [(i, c) for i, c in enumerate(self.notebook.cells) if c.cell_type == "code"]
        runs = {index: CellRun(index) for index, _ in cells}
        try:
            self.student = self.start("course_lib.grading.engine.student:main", walled=True)
            self.start_judge()
            for place, (index, cell) in enumerate(cells):
                if time.monotonic() > self.end:
                    self.note(runs[index], "timeout", "the notebook's time was over")
                    continue
                begin = time.monotonic()
                if role(cell) == "test":
                    later = [c for _, c in cells[place + 1 :] if role(c) != "test"]
                    self.test(runs[index], cell, later)
                else:
                    self.cell(runs[index], cell)
                runs[index].seconds = time.monotonic() - begin
        finally:
            for child in self.children:
                child.kill()
            for connection in (self.student, self.judge):
                if connection is not None:
                    connection.close()
        return list(runs.values())

    # Processes ---------------------------------------------------------------------------------

    def start(self, target: str, *, walled: bool) -> socket.socket:
        """Start a process; return the supervisor's end of its control connection."""
        mine, theirs = socket.socketpair()
        try:
            files = self.files if walled else {}
            child = self.zygote.spawn(target, [theirs], walled=walled, scratch=files)
        finally:
            theirs.close()
        self.children.append(child)
        return mine

    def start_judge(self) -> None:
        """Start a judge and let it import and define what the teacher's cells do."""
        self.judge = self.start("course_lib.grading.engine.judge:main", walled=False)
        teacher = [c.source for c in self.source.cells if role(c) in ("locked", "free")]
        self.ask(self.judge, ("prepare", teacher))

    def ask(
        self,
        connection: socket.socket | None,
        command: tuple[Any, ...],
        seconds: float | None = None,
        descriptor: int | None = None,
    ) -> list[Any]:
        """Send a command and wait for the answer.

        Raises
        ------
        Lost
            When the process is gone, silent or talks nonsense.
        """
        if connection is None:
            raise Lost("the process has ended")
        try:
            descriptors = [] if descriptor is None else [descriptor]
            send_with_descriptors(connection, pickle.dumps(command), descriptors)
            return self.hear(connection, seconds)
        except wire.Closed:
            raise Lost("the process has ended") from None

    def hear(self, connection: socket.socket, seconds: float | None) -> list[Any]:
        """Wait for an answer."""
        connection.settimeout((self.times.cell if seconds is None else seconds) + GRACE)
        try:
            answer = wire.unpack(wire.receive(connection, MAX_ANSWER), _no_objects)
            status, error, outputs, random = answer
            return [str(status), str(error)[:20_000], outputs, random]
        except TimeoutError:
            raise Lost("the process did not answer in time") from None
        except (wire.WireError, ValueError, TypeError) as problem:
            raise Lost(f"the process gave an answer that cannot be read: {problem}") from None

    # Cells -------------------------------------------------------------------------------------

    def cell(self, run: CellRun, cell: NotebookNode) -> None:
        """Run a cell of the student's side; what is locked also counts for the judge."""
        if role(cell) == "locked":
            self.quietly(self.judge, ("locked", cell.source, self.random))
        if self.student is None:
            return self.note(run, "not run", "the student's process had ended before")
        seconds = self.limit()
        command = ("cell", f"cell {run.index + 1}", cell.source, seconds, self.random)
        try:
            status, error, outputs, random = self.ask(self.student, command, seconds)
        except Lost as problem:
            self.student = None
            return self.note(run, "died", str(problem))
        self.random = random or self.random
        if status in ("ok", "error"):
            self.last = command
            run.status, run.error, run.outputs = status, error, _outputs(outputs)
        else:
            self.last = None
            self.note(run, status, error)
        return None

    def run_last_again(self) -> None:
        """Bring the student's process back to the state after the last cell."""
        if self.last is None or self.student is None:
            return
        try:
            status, *_ = self.ask(self.student, self.last, self.limit())
        except Lost:
            self.student = None
        else:
            if status not in ("ok", "error"):
                self.last = None

    def test(self, run: CellRun, cell: NotebookNode, later: list[NotebookNode]) -> None:
        """Run a test cell in the judge, with the student's process at hand."""
        mine, theirs = socket.socketpair()
        wanted = sorted(_loaded_names(later))
        seconds = self.limit()
        with mine, theirs:
            serving = self.student is not None and self.send(
                self.student, ("serve", seconds, self.random), theirs.fileno()
            )
            seed = seed_of_cell(self.seed, cell)
            command = ("test", cell.source, self.asked, wanted, self.random, seed)
            try:
                if self.judge is None:
                    self.start_judge()
                descriptors = [mine.fileno()]
                send_with_descriptors(self.judge, pickle.dumps(command), descriptors)
                theirs.close()
                status, error, outputs, random = self.judged(mine, seconds)
            except (Lost, wire.Closed) as problem:
                # The judge itself hung or died: nothing is known of this test.
                self.end_judge()
                status, error, outputs, random = "judge", str(problem), [], None
        self.random = random or self.random
        gone = self.student_after(seconds) if serving else None
        if status == "judge":
            self.note(run, "judge", f"the test itself could not be run: {error}")
        elif status == "error" and error.startswith("StudentGone") and gone:
            self.note(run, *gone)
        else:
            run.status, run.error, run.outputs = status, error, _outputs(outputs)

    def judged(self, link: socket.socket, seconds: float) -> list[Any]:
        """Wait for the judge; past the limit, hang up between it and the student."""
        assert self.judge is not None
        self.judge.settimeout(seconds)
        try:
            # The first byte tells that an answer is on its way.
            self.judge.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            link.shutdown(socket.SHUT_RDWR)
        return self.hear(self.judge, GRACE)

    def student_after(self, seconds: float) -> tuple[str, str] | None:
        """Hear from the student's process after a test; say how it ended, if it did."""
        assert self.student is not None
        try:
            status, error, _, random = self.hear(self.student, seconds)
        except (Lost, wire.Closed) as problem:
            self.student = None
            return "died", str(problem)
        if status == "ok":
            self.random = self.random or random
            return None
        self.run_last_again()
        return status, error

    def send(self, connection: socket.socket, command: tuple[Any, ...], descriptor: int) -> bool:
        """Send a command whose answer comes later; tell whether it went."""
        try:
            send_with_descriptors(connection, pickle.dumps(command), [descriptor])
        except wire.Closed:
            self.student = None
            return False
        return True

    def quietly(self, connection: socket.socket | None, command: tuple[Any, ...]) -> None:
        """Give the judge something to run whose failure shows in the tests that need it."""
        try:
            self.ask(connection, command)
        except Lost:
            self.end_judge()

    def end_judge(self) -> None:
        """Forget a judge that is gone; the next test starts another."""
        if self.judge is not None:
            self.judge.close()
        self.judge = None

    def limit(self) -> float:
        """Return the seconds that the next cell may take."""
        return max(0.1, min(self.times.cell, self.end - time.monotonic()))

    def note(self, run: CellRun, status: str, error: str) -> None:
        """Record a cell that did not come to its own end."""
        run.status, run.error = status, error
        name = {"timeout": "TimeLimit", "died": "ProcessEnded", "judge": "TestFault"}
        ename = name.get(status, "NotRun")
        run.outputs = [
            new_output("error", ename=ename, evalue=error, traceback=[f"{ename}: {error}"])
        ]


def role(cell: NotebookNode) -> str:
    """Tell who runs a cell: test (the judge), locked (both), solution and free (the student)."""
    own = cell.metadata.get("nbgrader", {})
    if cell.cell_type != "code":
        return "text"
    if own.get("solution"):
        return "solution"
    if own.get("grade"):
        return "test"
    return "locked" if own.get("locked") else "free"


def seed_of_cell(seed: bytes, cell: NotebookNode) -> bytes:
    """Return what the hidden inputs of one test cell follow from; empty where that is no secret."""
    name = str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
    return hmac.digest(seed, name.encode(), "sha256") if seed else b""


def _outputs(raw: Any) -> list[NotebookNode]:
    """Make notebook outputs of what a process says that its cell showed."""
    made = []
    try:
        for kind, *rest in raw:
            if kind == "stream":
                made.append(new_output("stream", name=str(rest[0]), text=str(rest[1])))
            elif kind == "error":
                name, value, lines = map(_texts, rest)
                made.append(new_output("error", ename=name, evalue=value, traceback=lines))
            elif kind in ("execute_result", "display_data"):
                data = {str(k): v for k, v in rest[0].items() if isinstance(v, str)}
                made.append(new_output(kind, data=data))
    except (ValueError, TypeError, AttributeError, IndexError):
        made.append(new_output("stream", name="stdout", text="(outputs that cannot be read)"))
    return made


def _texts(value: Any) -> Any:
    return [str(line) for line in value] if isinstance(value, list) else str(value)


def _no_objects(description: list[Any]) -> Any:
    raise wire.WireError("objects do not travel here")


def _classes(notebook: NotebookNode) -> set[str]:
    """Return the classes that the teacher's solution defines: the exercise asks for them."""
    return {
        node.name
        for cell in notebook.cells
        if role(cell) == "solution"
        for node in ast.walk(_parsed(cell.source))
        if isinstance(node, ast.ClassDef)
    }


def _loaded_names(cells: list[NotebookNode]) -> set[str]:
    """Return the names that cells use."""
    return {
        node.id
        for cell in cells
        for node in ast.walk(_parsed(cell.source))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


def _parsed(source: str) -> ast.AST:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])
