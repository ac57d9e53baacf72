"""The student's side: runs their cells, then answers calls on what they defined.

This runs inside the sandbox, and nothing that it says is trusted. It is written so that honest work
gets its due: before a cell the process may fork, and the original, the guard, waits. When the fork
dies or hangs, in that cell or in anything after it, the guard goes on from the state before the
cell, and the supervisor has the cells since then run again.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import mmap
import os
import select
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from course_lib.grading.engine import kernel, protocol, sandbox
from course_lib.grading.engine.errors import describe_error, str_of
from course_lib.grading.engine.limits import MAX_OUTPUT
from course_lib.grading.engine.loops import in_loop, wants_loop
from course_lib.grading.engine.objects import Server
from course_lib.grading.engine.randomness import follow_random_state, random_state
from course_lib.grading.engine.shells import forget_figures, new_shell
from course_lib.grading.engine.streams import captured

#: How long a guard tries to fork while the dead are being collected, in seconds.
FORK_WITHIN = 30.0

#: What a guard is told: b(egin) with a time limit in seconds, e(nd), r(etire).
_NOTE = struct.Struct("<cd")


def main(control: socket.socket) -> None:
    """Serve one submission until the supervisor hangs up.

    Commands (pickled by the supervisor, which this side may trust): ``("cell", label, source,
    seconds, random, fork)`` runs a cell, in a fork if that is asked for or there is no guard yet;
    ``("serve", seconds, random)``, with a socket, answers the judge's calls on it. `random` is the
    state of the random numbers to continue with, or None. ``("branch",)``, with a socket, lets a
    fork go on from here, which takes its commands from that socket (see `shared`).
    Every command is answered by one message, ``[status, detail, outputs, random, threads]``: the
    last says whether threads are left, which no fork would take along.
    """
    Student(control).run()


class Student:
    """The shell that a notebook runs in, and the process that currently holds its state."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        # The first process is the one whose end ends the submission. It stays, and reaps.
        self.first = os.getpid()
        # Looked up before any of the student's code runs.
        self.sandboxed = sandbox.entered()
        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
        self.shell = new_shell()
        self.server = Server(self.shell.user_ns)
        # Where the process is told what goes on that waits with an earlier state.
        self.guard: int | None = None
        self.words = LastWords()
        # Forks that went on from where this one was.
        self.branches: list[int] = []

    def run(self) -> None:
        """Take commands until the supervisor hangs up."""
        import pickle

        while True:
            try:
                message, descriptors = receive_with_descriptors(self.control)
            except protocol.Closed:
                os._exit(0)
            command, *arguments = pickle.loads(message)
            if command == "cell":
                label, source, seconds, random, fork = arguments
                self.guarded(partial(self.cell, label, source), seconds, random, fork)
            elif command == "serve":
                seconds, random = arguments
                with socket.socket(fileno=descriptors[0]) as link:
                    self.guarded(partial(self.serve, link), seconds, random)
            elif command == "branch":
                self.branch(socket.socket(fileno=descriptors[0]))

    def branch(self, control: socket.socket) -> None:
        """Let a fork go on from here. Returns in both.

        The fork is nobody's guard and has none. It shares its sandbox with others, so that it
        leaves strangers alone: who deals with it gives up where one of its processes is lost. The
        answer's detail is another one where the files of the folder that they share are.
        """
        files = _state_of_files()
        if has_threads():
            control.close()
            return self.answer(["error", "threads", [], None, True])
        pid = branched(self.branches)
        if pid:
            control.close()
            return self.answer(["ok", files, [], None, False])
        self.control.close()
        self.control = control
        if self.guard is not None:
            os.close(self.guard)
        self.guard = None
        self.first, self.sandboxed = os.getpid(), False
        self.words, self.branches = LastWords(), []
        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
        return None

    def guarded(
        self, work: Callable[[], list[Any]], seconds: float, random: Any, fork: bool = False
    ) -> None:
        """Do something while a guard waits: the one there is, or a new one with the present state.

        Returns in the process that goes on: the one that does it, or its guard if that one dies
        at work, on this or on what follows. If it dies between two commands, its guard goes too.
        """
        if self.guard is not None and not fork:
            self.note(b"b", seconds)
            self.work(work, random)
            return
        if self.guard is not None:
            # The guard before this one holds an older state, which nobody will want again.
            self.note(b"r")
            os.close(self.guard)
            self.guard = None
        hear, tell = os.pipe()
        child = self.fork()
        if child == 0:
            os.close(hear)
            self.guard = tell
            self.work(work, random)
            return
        os.close(tell)
        status, detail = self.watch(child, hear, seconds)
        os.close(hear)
        if status == "retire":
            self.retire()
        # What the lost fork had started goes with it, before it takes what the next cell needs.
        self.end_strangers()
        if status == "late":
            # Its answer was given: one more would be taken for the answer to what comes next.
            with contextlib.suppress(OSError):
                self.control.shutdown(socket.SHUT_RDWR)
            self.retire()
        said = self.words.read()
        shown = [["stream", "stdout", said]] if said else []
        self.answer([status, detail, shown, None, has_threads()])

    def work(self, work: Callable[[], list[Any]], random: Any) -> None:
        """Do something, and tell the guard and the supervisor of its end."""
        me = os.getpid()
        follow_random_state(random)
        answer = [*work(), random_state(), has_threads()]
        if os.getpid() != me or self.guard is None:
            # A process that the student's code made of this one: it speaks for nobody.
            os._exit(0)
        self.note(b"e")
        self.answer(answer)

    def note(self, kind: bytes, seconds: float = 0.0) -> None:
        """Tell the guard; one that the student's code has killed hears nothing."""
        with contextlib.suppress(OSError):
            os.write(self.guard or -1, _NOTE.pack(kind, seconds))

    def fork(self) -> int:
        """Fork; where too many processes of the student's are left, end them first."""
        end = time.monotonic() + FORK_WITHIN
        while time.monotonic() < end:
            with contextlib.suppress(BlockingIOError):
                return os.fork()
            self.end_strangers()
            # Those that were killed count until somebody has taken note of their end.
            time.sleep(0.02)
        return os.fork()

    def end_strangers(self) -> None:
        """End every process in this sandbox but this one and the first."""
        if not self.sandboxed:
            return  # those are other people's processes
        kept = {"1", str(self.first), str(os.getpid())}
        for _ in range(20):
            strangers = [int(n) for n in os.listdir("/proc") if n.isdigit() and n not in kept]
            alive = [pid for pid in strangers if _is_alive(pid)]
            if not alive:
                break
            # A process that forks without end may have made another since the list was read.
            for pid in alive:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass

    def watch(self, child: int, hear: int, seconds: float) -> tuple[str, str]:
        """Wait for the end of the fork, or until it has a guard of its own; say which.

        The fork tells when something with a time limit begins and ends. It dies late if it does
        so when nothing goes on: by something that an earlier cell left, or the machine's need.
        """
        descriptor = os.pidfd_open(child)
        poll = select.poll()
        for source in (descriptor, hear):
            poll.register(source, select.POLLIN)
        end: float | None = time.monotonic() + seconds
        try:
            while True:
                left = None if end is None else max(0.0, end - time.monotonic()) * 1000
                ready = dict(poll.poll(left))
                note = os.read(hear, _NOTE.size) if hear in ready else b""
                if len(note) == _NOTE.size:
                    kind, seconds = _NOTE.unpack(note)
                    if kind == b"r":
                        return "retire", ""
                    end = time.monotonic() + seconds if kind == b"b" else None
                elif descriptor in ready:
                    status, detail = self.cause_of_death(child)
                    return ("late" if end is None else status), detail
                elif hear in ready:
                    poll.unregister(hear)  # closed by the student's code
                else:
                    break
        finally:
            os.close(descriptor)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        self.cause_of_death(child)
        if _ended(hear):
            # It was done in the last moment, and its answer may have been given.
            return "late", ""
        return "timeout", f"stopped after {seconds:g} s"

    def cause_of_death(self, child: int) -> tuple[str, str]:
        """Take note of a fork's end; say how it came."""
        with contextlib.suppress(ChildProcessError):
            _, code = os.waitpid(child, 0)
            if os.WIFSIGNALED(code):
                return "died", f"ended by {signal.Signals(os.WTERMSIG(code)).name}"
        return "died", "it ended the Python process"

    def retire(self) -> None:
        """End this process, whose state is no longer needed; the first waits for the rest."""
        if os.getpid() != self.first:
            os._exit(0)
        while True:
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                os._exit(0)

    def answer(self, message: list[Any]) -> None:
        """Tell the supervisor."""
        try:
            protocol.send(self.control, protocol.pack(message, lambda value: ["?"]))
        except protocol.Closed:
            os._exit(0)

    def cell(self, label: str, source: str) -> list[Any]:
        """Run a cell; give its status, the error if there was one, and what it showed."""
        self.words.clear()
        return run_cell(self.shell, label, source, self.words)

    def serve(self, link: socket.socket) -> list[Any]:
        """Answer the judge's calls until it hangs up."""
        printed, warned = io.StringIO(), io.StringIO()
        self.words.clear()
        with captured(printed, warned):
            self.server.serve(link)
        forget_figures()
        said = (("stdout", printed.getvalue()), ("stderr", warned.getvalue()))
        return ["ok", "", [["stream", name, text[:MAX_OUTPUT]] for name, text in said if text]]


def _state_of_files() -> str:
    """Return a text that differs where the names, sizes or times of the working folder do."""
    text = hashlib.sha256()
    for folder, folders, names in os.walk("."):
        for path in [folder, *(os.path.join(folder, name) for name in sorted(names))]:
            with contextlib.suppress(OSError):
                seen = os.lstat(path)
                text.update(f"{path!r} {seen.st_size} {seen.st_mtime_ns}\n".encode())
        folders.sort()
    return text.hexdigest()


def branched(branches: list[int]) -> int:
    """Fork; note the child in `branches`, and take note of those that have ended."""
    for pid in list(branches):
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                continue
        branches.remove(pid)
    pid = os.fork()
    if pid:
        branches.append(pid)
    return pid


def _ended(hear: int) -> bool:
    """Tell whether a fork that is gone had told of an end."""
    while select.select([hear], [], [], 0)[0]:
        note = os.read(hear, _NOTE.size)
        if len(note) < _NOTE.size:
            return False
        if _NOTE.unpack(note)[0] == b"e":
            return True
    return False


#: The threads that did not end while they were waited for: a library's, which stay.
_staying: frozenset[str] = frozenset()


def has_threads() -> bool:
    """Tell whether this process has more than one thread; one just joined has a moment to go."""
    global _staying
    end = time.monotonic() + 0.2
    try:
        while len(threads := frozenset(os.listdir("/proc/self/task"))) > 1:
            if len(threads) <= 1 + (idle := _idle_threads()):
                return False
            if threading.active_count() > 1 + idle or threads == _staying:
                return True
            if time.monotonic() > end:
                _staying = threads
                return True
            time.sleep(0.001)
    except OSError:
        pass
    return False


def _idle_threads() -> int:
    """Return how many threads only watch progress bars (tqdm's), which a fork may do without."""
    return sum(type(thread).__name__ == "TMonitor" for thread in threading.enumerate())


def _is_alive(pid: int) -> bool:
    """Tell whether a process still runs, rather than waiting for its end to be noted."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except OSError:
        return False


class LastWords:
    """The beginning of what a cell prints, where a guard can read it when the cell is no more."""

    size = 2**16
    _length = struct.Struct("<I")

    def __init__(self) -> None:
        # Shared with every fork.
        self._memory = mmap.mmap(-1, self._length.size + self.size)

    def clear(self) -> None:
        """Forget what was said."""
        self._memory[: self._length.size] = self._length.pack(0)

    def add(self, text: str) -> None:
        """Keep a text, as far as there is room."""
        (length,) = self._length.unpack(self._memory[: self._length.size])
        if length >= self.size:
            return
        kept = text[: self.size].encode(errors="replace")[: self.size - length]
        begin = self._length.size + length
        self._memory[begin : begin + len(kept)] = kept
        self._memory[: self._length.size] = self._length.pack(length + len(kept))

    def read(self) -> str:
        """Return what was said, cut short if it was long."""
        (length,) = self._length.unpack(self._memory[: self._length.size])
        # A student's code may have written here: it is their own output.
        text = self._memory[self._length.size : self._length.size + min(length, self.size)]
        return text.decode(errors="replace")

    def heard(self, stream: io.StringIO) -> None:
        """Keep what is written to a stream from now on."""
        write = stream.write

        def keep_and_write(text: str) -> int:
            self.add(text)
            return write(text)

        stream.write = keep_and_write  # type: ignore[method-assign]


def run_cell(shell: Any, label: str, source: str, words: LastWords | None = None) -> list[Any]:
    """Run a cell in a shell; return ``[status, error, outputs]`` as plain data.

    What it prints is also kept in `words`.
    """
    from IPython.utils.capture import capture_output

    values: list[dict[str, Any]] = []
    shell._showtraceback = lambda kind, value, lines: None
    hook = shell.displayhook
    hook.write_output_prompt = hook.finish_displayhook = lambda: None
    hook.write_format_data = lambda data, metadata=None: values.append(dict(data))
    with capture_output() as shown, captured(sys.stdout, sys.stderr):
        if words is not None:
            words.heard(shown._stdout)
        if wants_loop(source):
            result = in_loop(partial(_run_async, shell, label, source))
        else:
            result = shell.run_cell(source, store_history=False, cell_id=label)
    outputs: list[list[Any]] = []
    room = MAX_OUTPUT
    for name, text in (("stdout", shown.stdout), ("stderr", shown.stderr)):
        if text:
            outputs.append(["stream", name, _clip(text, room)])
            room -= min(room, len(text))
    for rich in shown.outputs:
        data, room = _bounded(rich.data, room)
        outputs.append(["display_data", data])
    raised = result.error_before_exec or result.error_in_exec
    if raised is not None:
        name, lines = describe_error(raised)
        outputs.append(["error", name, str_of(raised), lines])
        return ["error", f"{name}: {str_of(raised)}", outputs]
    if values:
        data, room = _bounded(values[-1], room)
        outputs.append(["execute_result", data])
    return ["ok", "", outputs]


async def _run_async(shell: Any, label: str, source: str) -> Any:
    """Run a cell in a loop that runs, as a kernel does."""
    problem = None
    try:
        transformed = shell.transform_cell(source)
    except Exception:
        transformed, problem = source, sys.exc_info()
    return await shell.run_cell_async(
        source,
        store_history=False,
        transformed_cell=transformed,
        preprocessing_exc_tuple=problem,
        cell_id=label,
    )


def _clip(text: str, room: int) -> str:
    if len(text) <= room:
        return text
    return text[:room] + f"\n... ({len(text) - room:,} more characters)"


def _bounded(data: dict[str, Any], room: int) -> tuple[dict[str, Any], int]:
    """Keep those representations of an output that there is still room for."""
    kept = {}
    for kind, value in data.items():
        size = len(value) if isinstance(value, str | bytes) else 1000
        if size <= room:
            kept[kind] = value
            room -= size
    return kept, room


def receive_with_descriptors(connection: socket.socket) -> tuple[bytes, list[int]]:
    """Receive a message and the descriptors that came with its first byte."""
    try:
        first, descriptors, _, _ = socket.recv_fds(connection, 1, 4)
    except OSError as error:
        raise protocol.Closed(str(error)) from error
    if not first:
        raise protocol.Closed("the supervisor is gone")
    return protocol.receive(connection), list(descriptors)


def send_with_descriptors(
    connection: socket.socket, message: bytes, descriptors: list[int] | None = None
) -> None:
    """Send a message, with open files if there are any."""
    protocol.send_all(connection, message, b"m", descriptors or [])
