"""Run one submission: the student's cells in one process, the tests in another.

The supervisor starts both through the zygote, hands cells out in the order of the notebook, and
keeps time. What either of them says comes back as outputs in the notebook format, so that nbgrader
counts points as it always does.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import pickle
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from nbformat import NotebookNode
from nbformat.v4 import new_output

from course_lib.grading.engine import asked, protocol
from course_lib.grading.engine.limits import MAX_ANSWER, MAX_OUTPUTS, MOST_LOST, SHORT_OUTPUT
from course_lib.grading.engine.names import bound_in
from course_lib.grading.engine.notebooks import (
    hidden_names,
    imports,
    is_skipped,
    loaded_names,
    redefined,
    role,
    teachers,
)
from course_lib.grading.engine.student import send_with_descriptors

#: How long after a cell's limit the supervisor waits for an answer, in seconds. Who ends the cell
#: and answers may have to wait for a processor.
GRACE = 20.0

#: How long the supervisor waits to hear why a process that it killed had ended, in seconds.
GONE_WITHIN = 60.0

#: How long a judge may take to import and define what the teacher's cells do, in seconds. It is
#: nobody's cell that it keeps waiting, and a busy disk may take its time.
PREPARE_WITHIN = 120.0

#: After how many seconds of work the student's process forks before the next cell, so that this
#: work need not be done again if that cell, or one behind it, kills the process.
FORK_AFTER = 1.0


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
    forgotten: bool = False
    """Whether it went well, but not when it was run again for a process that was lost."""


class Spawner(Protocol):
    """What starts processes: a `Zygote`, or something that is like one."""

    def spawn(
        self,
        target: str,
        sockets: list[socket.socket],
        *,
        sandboxed: bool,
        scratch: Mapping[str, bytes],
    ) -> Any:
        """Start a process that calls ``target(*sockets)``; return what can kill it."""


class Lost(Exception):
    """A process of this submission is gone; the cells that are left cannot run in it."""


class Silent(Lost):
    """It does not answer in time."""


class Ended(Lost):
    """It has ended: by what it was asked last, or still by what it did before."""


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
        judge's own; by default that of the locked cells and tests of `notebook`.
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
    return _Run(notebook, zygote, source, times, files or {}, seed).run()


class _Run:
    def __init__(
        self,
        notebook: NotebookNode,
        zygote: Spawner,
        source: NotebookNode | None,
        times: Times,
        files: Mapping[str, bytes],
        seed: bytes,
    ) -> None:
        self.notebook, self.zygote = notebook, zygote
        self.cells = [(i, c) for i, c in enumerate(notebook.cells) if c.cell_type == "code"]
        self.runs = {index: CellRun(index) for index, _ in self.cells}
        self.times, self.files, self.seed = times, files, seed
        self.source = source or teachers(notebook)
        # A student's own solution does not say what is asked for.
        self.asked = asked.classes(source) if source is not None else {}
        untested = [c for c in self.source.cells if role(c) not in ("test", "text")]
        # What a hidden test makes for the exercise's own cells, and nobody else does.
        self.taught = loaded_names(untested).difference(*(bound_in(c.source) for c in untested))
        self.redefined = redefined(source) if source is not None else {}
        self.end = time.monotonic() + times.notebook
        self.random: Any = None
        self.children: list[Any] = []
        self.student: socket.socket | None = None
        self.students_child: Any = None
        self.judge: socket.socket | None = None
        self.judges_child: Any = None
        # The student's cells that went well. A process that takes the place of a lost one runs
        # them again: all of them, or, where a guard was left, those since it has waited.
        self.done: list[tuple[tuple[Any, ...], CellRun]] = []
        self.kept = 0
        self.since_seconds = 0.0
        self.fork_next = False
        self.threads = False
        self.lost = 0
        self.room = MAX_OUTPUTS
        self.cause = ""
        # Another number where the student's process has other objects than the tests have seen.
        self.state = 0
        # Whether the student's process has done something of its own: the end that this brings
        # about may come a little later, and must not be laid at the door of the next cell.
        self.at_work = False
        # What the judge was given to run besides tests, for the same purpose.
        self.told: list[tuple[Any, ...]] = []

    def run(self) -> list[CellRun]:
        """Run all cells; return what they did."""
        try:
            self.start_both()
            for place in range(len(self.cells)):
                self.run_cell(place)
        finally:
            self.close()
        return list(self.runs.values())

    def start_both(self) -> None:
        """Start the processes of the student and of the judge."""
        self.start_student()
        # Ahead of the first test; without one, the test tries again and says what is wrong.
        with contextlib.suppress(Lost):
            self.start_judge()

    def run_cell(self, place: int) -> None:
        """Run the next code cell, whose place among them is this."""
        index, cell = self.cells[place]
        run = self.runs[index]
        if is_skipped(cell):
            run.status = "ok"
            return None
        if time.monotonic() > self.end:
            return self.note(run, "timeout", "the notebook's time was over")
        begin = time.monotonic()
        if role(cell) == "test":
            self.test(run, cell, self.wanted(place))
        else:
            self.cell(run, cell)
        run.seconds = time.monotonic() - begin
        return None

    def wanted(self, place: int) -> list[str]:
        """Return the names that a test hands to the student's later cells, if it defines them."""
        _, cell = self.cells[place]
        later = [c for _, c in self.cells[place + 1 :] if role(c) != "test"]
        # A reference solution in a hidden test is nobody's to use, unless the exercise does.
        return sorted(loaded_names(later) - (hidden_names(cell.source) - self.taught))

    def close(self) -> None:
        """End the processes."""
        for child in self.children:
            child.kill()
        for connection in (self.student, self.judge):
            if connection is not None:
                connection.close()

    # Processes ---------------------------------------------------------------------------------

    def start(self, target: str, *, sandboxed: bool) -> tuple[socket.socket, Any]:
        """Start a process; return the supervisor's end of its control connection, and it."""
        mine, theirs = socket.socketpair()
        try:
            files = self.files if sandboxed else {}
            child = self.zygote.spawn(target, [theirs], sandboxed=sandboxed, scratch=files)
        finally:
            theirs.close()
        self.children.append(child)
        return mine, child

    def start_student(self) -> None:
        """Start a process for the student's code."""
        self.student, self.students_child = self.start(
            "course_lib.grading.engine.student:main", sandboxed=True
        )
        self.kept = 0
        self.at_work = False

    def start_judge(self) -> None:
        """Start a judge, unless there is one, and let it do what the teacher's cells define.

        Raises
        ------
        Lost
            If it does not get ready; there is none then.
        """
        if self.judge is not None:
            return
        self.judge, self.judges_child = self.start(
            "course_lib.grading.engine.judge:main", sandboxed=False
        )
        teacher = [c.source for c in self.source.cells if role(c) in ("locked", "free")]
        try:
            prepare = ("prepare", teacher, sorted(imports(self.source)))
            self.ask(self.judge, prepare, PREPARE_WITHIN)
            for command in self.told:
                self.ask(self.judge, command)
        except Lost:
            self.end_judge()
            raise

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
            raise Ended("the process has ended")
        try:
            descriptors = [] if descriptor is None else [descriptor]
            send_with_descriptors(connection, pickle.dumps(command), descriptors)
            return self.hear(connection, seconds)
        except protocol.Closed:
            raise Ended("the process has ended") from None

    def hear(self, connection: socket.socket, seconds: float | None) -> list[Any]:
        """Wait for an answer: status, error, outputs, random numbers, and one thing more.

        Of a judge, whether it has given names to the student; of a student, whether threads run.
        """
        within = (self.times.cell if seconds is None else seconds) + GRACE
        try:
            answer = protocol.unpack_plain(protocol.receive(connection, MAX_ANSWER, within))
            status, error, outputs, random, more = answer
            return [str(status), str(error)[:20_000], outputs, random, bool(more)]
        except TimeoutError:
            raise Silent("the process did not answer in time") from None
        except (protocol.WireError, ValueError, TypeError) as problem:
            raise Lost(f"the process gave an answer that cannot be read: {problem}") from None

    # A student's process that is lost ----------------------------------------------------------

    def is_innocent(self, problem: Exception) -> bool:
        """Let go of a student's process; tell whether what ran before may have ended it.

        What is innocent is run once more, in a process in which nothing ran before.
        """
        may_be = self.at_work and isinstance(problem, Ended | protocol.Closed)
        self.cause = self.lose_student(problem)
        if not may_be or self.cause in _ENDED_FOR.values():
            return False
        self.lost -= 1
        return True

    def lose_student(self, problem: Exception) -> str:
        """Let go of a student's process with all that it started; say what became of it."""
        assert self.student is not None
        self.student.close()
        self.student = None
        self.lost += 1
        self.state += 1
        self.students_child.kill()
        ended = self.students_child.wait(GONE_WITHIN)
        reason = ended.reason if ended is not None else ""
        if reason == "cpu":
            # A new process would have the same processor time once more.
            self.lost = MOST_LOST
        return _ENDED_FOR.get(reason, str(problem))

    def revive_student(self) -> bool:
        """Make sure that there is a student's process, in the state that the last cell left."""
        while self.student is None and self.lost < MOST_LOST and time.monotonic() < self.end:
            self.start_student()
            self.run_again()
        return self.student is not None

    def run_again(self) -> None:
        """Bring the student's process, of which an earlier state is left, to where it was."""
        place = self.kept
        while self.student is not None and place < len(self.done):
            command, run = self.done[place]
            try:
                status, *_, self.threads = self.ask(self.student, (*command, False), self.limit())
            except Lost as problem:
                self.lose_student(problem)
                status = "lost"
            if status in ("ok", "error"):
                place += 1
                continue
            # It went well once, and now it did not: go on without it.
            run.forgotten = True
            self.state += 1
            del self.done[place]
            place = self.kept

    # Cells -------------------------------------------------------------------------------------

    def cell(self, run: CellRun, cell: NotebookNode) -> None:
        """Run a cell of the student's side; what is locked also counts for the judge."""
        told: tuple[Any, ...] = ()
        if role(cell) == "locked":
            told = ("locked", cell.source, self.random)
        elif role(cell) == "solution":
            names = self.redefined.get(cell.metadata.nbgrader.get("grade_id"))
            told = ("solved", names) if names else ()
        if told:
            self.told.append(told)
            self.quietly(self.judge, told)
        self.students_cell(run, cell)

    def students_cell(self, run: CellRun, cell: NotebookNode) -> None:
        """Run a cell in the student's process."""
        if not self.revive_student():
            return self.note(run, "not run", "the student's process had ended before")
        # Who waits for a thread that a fork has not taken along waits forever.
        fork = (self.fork_next or self.since_seconds > FORK_AFTER) and not self.threads
        if fork:
            self.kept, self.since_seconds, self.fork_next = len(self.done), 0.0, False
        begin, seconds = time.monotonic(), self.limit()
        command = ("cell", f"cell {run.index + 1}", cell.source, seconds, self.random)
        try:
            answer = self.ask(self.student, (*command, fork), seconds)
        except Lost as problem:
            if self.is_innocent(problem):
                return self.students_cell(run, cell)
            return self.note(run, "died", self.cause)
        status, error, outputs, random, self.threads = answer
        self.random, self.at_work = random or self.random, True
        if status in ("ok", "error"):
            self.done.append((command, run))
            self.since_seconds += time.monotonic() - begin
            run.status, run.error = status, error
            run.outputs = self.kept_of(outputs_of(outputs))
        else:
            self.note(run, status, error, outputs)
            self.state += 1
            self.run_again()
        return None

    def test(self, run: CellRun, cell: NotebookNode, wanted: list[str]) -> None:
        """Run a test cell in the judge, with the student's process at hand."""
        try:
            # Before the student's process is told to wait for it.
            self.start_judge()
        except Lost as problem:
            return self.note(run, "judge", str(problem))
        mine, theirs = socket.socketpair()
        seconds, random_before = self.limit(), self.random
        with mine, theirs:
            serving = any(
                self.revive_student() and self.serve(seconds, theirs.fileno()) for _ in range(2)
            )
            seed = seed_of_cell(self.seed, cell)
            here = asked.in_reach(self.asked, self.source, cell.source)
            classes = (here, sorted(self.asked))
            command = ("test", cell.source, classes, wanted, self.random, seed, self.state)
            try:
                assert self.judge is not None
                descriptors = [mine.fileno()]
                send_with_descriptors(self.judge, pickle.dumps(command), descriptors)
                theirs.close()
                status, error, outputs, random, handed_over = self.judged(mine, seconds)
                # Nowhere else are the names that a test gave to the student's later cells.
                self.fork_next = self.fork_next or handed_over
            except Silent as problem:
                outputs, random = [], None
                # What it was given keeps it at work: a range without end, say. A kernel would have
                # been stopped at the limit, too.
                status, error = "timeout", f"stopped after {seconds:g} s"
                if not self.judge_was_busy(seconds):
                    status, error = "judge", str(problem)
            except (Lost, protocol.Closed) as problem:
                # The judge itself died: nothing is known of this test.
                self.end_judge()
                status, error, outputs, random = "judge", str(problem), [], None
        self.random = random or self.random
        gone, warned = self.student_after(seconds) if serving else (None, [])
        if status in ("judge", "timeout"):
            self.note(run, status, error)
        elif status == "error" and error.startswith("StudentGone") and gone:
            if gone[0] == "innocent":
                self.random = random_before
                return self.test(run, cell, wanted)
            self.note(run, *gone)
        else:
            run.status, run.error = status, error
            run.outputs = self.kept_of([*warned, *outputs_of(outputs)])
        return None

    def judged(self, link: socket.socket, seconds: float) -> list[Any]:
        """Wait for the judge; past the limit, hang up between it and the student."""
        assert self.judge is not None
        self.judge.settimeout(seconds)
        try:
            # The first byte tells that an answer is on its way.
            self.judge.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            link.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is gone, as the next line says
        return self.hear(self.judge, GRACE)

    def serve(self, seconds: float, link: int) -> bool:
        """Let the student's process answer a test's calls; tell whether it heard."""
        assert self.student is not None
        try:
            command = ("serve", seconds, self.random)
            send_with_descriptors(self.student, pickle.dumps(command), [link])
        except protocol.Closed as problem:
            self.is_innocent(problem)
            return False
        return True

    def student_after(self, seconds: float) -> tuple[tuple[str, str] | None, list[NotebookNode]]:
        """Hear from the student's process after a test; say how it ended, if it did.

        And what it wrote to stderr, by nbgrader's rule a test's failure: a function that warns.
        """
        assert self.student is not None
        try:
            status, error, outputs, random, self.threads = self.hear(self.student, seconds)
        except (Lost, protocol.Closed) as problem:
            return ("innocent" if self.is_innocent(problem) else "died", self.cause), []
        self.at_work = True
        if status == "ok":
            self.random = self.random or random
            return None, [o for o in outputs_of(outputs) if o.get("name") == "stderr"]
        self.state += 1
        self.run_again()
        return (status, error), []

    def quietly(self, connection: socket.socket | None, command: tuple[Any, ...]) -> None:
        """Give the judge something to run whose failure shows in the tests that need it."""
        try:
            self.ask(connection, command)
        except Lost:
            self.end_judge()

    def end_judge(self) -> None:
        """Let go of a judge that is gone, or hangs; the next test starts another."""
        if self.judge is not None:
            self.judge.close()
            self.judges_child.kill()
        self.judge = None

    def judge_was_busy(self, seconds: float) -> bool:
        """Let go of a judge that does not answer; tell whether it computed all the time.

        Otherwise it waited for the machine, which is nobody's fault.
        """
        child = self.judges_child
        self.end_judge()
        ended = child.wait(GONE_WITHIN)
        return ended is not None and ended.cpu_seconds > seconds / 2

    def kept_of(self, outputs: list[NotebookNode]) -> list[NotebookNode]:
        """Return what is kept of a cell's outputs: all, as long as the notebook has room.

        Then their beginnings, so that points that a test gives as its value are not lost.
        """
        kept = []
        for output in outputs:
            size = len(json.dumps(output))
            if size > max(self.room, SHORT_OUTPUT):
                output = shortened(output)
                size = len(json.dumps(output))
            self.room -= size
            kept.append(output)
        return kept

    def limit(self) -> float:
        """Return the seconds that the next cell may take."""
        return max(0.1, min(self.times.cell, self.end - time.monotonic()))

    def note(self, run: CellRun, status: str, error: str, last_words: Any = ()) -> None:
        """Record a cell that did not come to its own end, and what it showed before."""
        if status == "judge":
            error = f"the test itself could not be run: {error}"
        run.status, run.error = status, error
        name = {"timeout": "TimeLimit", "died": "ProcessEnded", "judge": "TestFault"}
        ename = name.get(status, "NotRun")
        run.outputs = self.kept_of(outputs_of(last_words))
        run.outputs.append(
            new_output("error", ename=ename, evalue=error, traceback=[f"{ename}: {error}"])
        )


#: What is said of a student's processes that were stopped for the sum of what they used.
OVER_MEMORY = "it used more memory than it may"
OVER_PROCESSOR_TIME = "it used more processor time than it may"

_ENDED_FOR = {"memory": OVER_MEMORY, "cpu": OVER_PROCESSOR_TIME}


def seed_of_cell(seed: bytes, cell: NotebookNode) -> bytes:
    """Return what the hidden inputs of one test cell follow from; empty where that is no secret."""
    name = str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
    return hmac.digest(seed, name.encode(), "sha256") if seed else b""


def outputs_of(raw: Any) -> list[NotebookNode]:
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


def shortened(output: NotebookNode) -> NotebookNode:
    """Return the beginning of an output, as text."""
    if output.output_type == "stream":
        text = output.text[:SHORT_OUTPUT]
        return new_output("stream", name=output.name, text=f"{text}\n[... left out]\n")
    if output.output_type == "error":
        lines = [line[:SHORT_OUTPUT] for line in output.traceback[-3:]]
        return new_output(
            "error",
            ename=output.ename[:SHORT_OUTPUT],
            evalue=output.evalue[:SHORT_OUTPUT],
            traceback=lines,
        )
    plain = str(output.data.get("text/plain", ""))
    return new_output(
        output.output_type, data={"text/plain": plain[:SHORT_OUTPUT] or "[an output left out]"}
    )


def _texts(value: Any) -> Any:
    return [str(line) for line in value] if isinstance(value, list) else str(value)
