"""The zygote itself: a process that imports ahead, forks children on request, and watches them.

It is started by `zygote.Zygote`, which asks it for children through one socket. Each child has a
socket of its own to the supervisor, through which it is given its order and told to end.
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from course_lib.grading.engine import kernel, sandbox, usage
from course_lib.grading.engine.sandbox import SandboxError
from course_lib.grading.engine.warmup import DRY_RUN, large_pages, warm
from course_lib.grading.engine.zygote_child import be_child, handled_signals
from course_lib.grading.engine.zygote_messages import MOST_SOCKETS, ORDER, Exit, send

__all__ = ["Server", "main"]

_LOOK_EVERY = 0.1
_QUIET_FOR = 0.01
# A process may reach its own limit, and then is told so: only what several do together is stopped.
_MARGIN = 32 << 20
_NONE_LEFT = object()


class _Running:
    """A child, as the zygote knows it."""

    def __init__(self, pid: int, line: socket.socket, room: sandbox.Room | None) -> None:
        self.pid = pid
        self.line = line
        self.room = room
        self.folder: str | None = None
        self.memory = self.cpu_seconds = 0
        self.namespace = usage.namespace(pid) if room else None
        self.ended: tuple[int, Any] | None = None
        self.killed_for: str | None = None

    def end(self, why: str) -> None:
        """Kill it with all that it started."""
        self.killed_for = self.killed_for or why
        if self.room is not None:
            self.room.end()
        else:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def exit(self) -> Exit:
        """Return how it ended."""
        status, used = self.ended
        code = os.waitstatus_to_exitcode(status)
        cpu = used.ru_utime + used.ru_stime
        reason = "exit" if code >= 0 else "signal"
        if -code == signal.SIGXCPU or (-code == signal.SIGKILL and cpu > self.cpu_seconds):
            reason = "cpu"
        if -code == signal.SIGKILL and self.killed_for:
            reason = self.killed_for
        unit = 1024 if sys.platform == "linux" else 1
        number = -code if code < 0 else None
        return Exit(None if number else code, number, used.ru_maxrss * unit, cpu, reason)


class Server:
    """Forks children, and tells how they end, until the supervisor hangs up."""

    def __init__(
        self, line: socket.socket, rooms: sandbox.Rooms | None, chores: Iterator[None]
    ) -> None:
        self._line = line
        self._rooms = rooms
        # What makes forks quicker and can wait: it goes on, step by step, while nobody asks for
        # anything.
        self._chores: Iterator[None] | None = chores
        self._running: dict[int, _Running] = {}
        # What a child has from the start, be it in use or not.
        self._inherited = sandbox.mapped_bytes()[1] + _MARGIN if rooms else 0
        self._looked = time.monotonic()
        self._handled: list[int] = []
        self._events = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        for end in (self._wake, self._woken):
            end.setblocking(False)

    def serve(self) -> None:
        """Answer until the supervisor hangs up."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._woken.fileno(), warn_on_full_buffer=False)
        self._handled = handled_signals()
        self._listen(self._line, self._fork)
        self._listen(self._wake, self._collect)
        if self._rooms is not None:
            self._listen(self._rooms, self._rooms_are_gone)
        while True:
            events = self._events.select(self._patience())
            for key, _ in events:
                key.data()
            if not events and self._chores is not None:
                self._chores = self._chores if next(self._chores, _NONE_LEFT) is None else None
            if self._rooms is not None and time.monotonic() - self._looked > _LOOK_EVERY:
                self._look()
                self._looked = time.monotonic()

    def _patience(self) -> float | None:
        """Return for how many seconds to wait for something to happen; None for any time."""
        if self._chores is not None:
            return _QUIET_FOR
        return _LOOK_EVERY if self._running else None

    def _listen(self, end: Any, then: Callable[[], None]) -> None:
        self._events.register(end, selectors.EVENT_READ, then)

    def _rooms_are_gone(self) -> None:
        raise SystemExit("The process that makes rooms died.")

    # A child begins ...

    def _fork(self) -> None:
        """Serve one request, or end with everything if there will be no more."""
        head, descriptors, _, _ = socket.recv_fds(self._line, ORDER.size, MOST_SOCKETS)
        if not head:
            raise SystemExit
        memory, cpu_seconds = ORDER.unpack(head)
        setup, line, *sockets = (socket.socket(fileno=number) for number in descriptors)
        room = folder = None
        try:
            room = self._rooms.take() if self._rooms else None
            folder = None if room else tempfile.mkdtemp(prefix="course-check-")
            pid = room.fork() if room else os.fork()
        except (OSError, SandboxError) as error:
            if room is not None:
                room.end()
                room.close()
            with suppress(OSError):
                send(line, {"error": f"A child cannot be started: {error}"})
            return
        if pid == 0:
            be_child(setup, sockets, room, folder, self._handled)
        running = self._running[pid] = _Running(pid, line, room)
        running.memory, running.cpu_seconds, running.folder = memory, cpu_seconds, folder
        self._listen(line, lambda: self._hear(running))
        for end in (setup, *sockets):
            end.close()
        with suppress(OSError):  # who asked is gone, which is heard soon
            send(line, {"pid": pid})

    def _hear(self, running: _Running) -> None:
        """End a child, because it is asked for or because nobody waits for it any more."""
        if self._running.get(running.pid) is not running:
            return  # it ended while this was on its way
        running.end("killed")
        with suppress(OSError):
            if running.line.recv(16):
                return
        self._events.unregister(running.line)

    # ... and ends.

    def _collect(self) -> None:
        """Collect the dead, and see to it that nothing outlives them."""
        with suppress(BlockingIOError):
            self._wake.recv(4096)
        with suppress(ChildProcessError):
            while True:
                pid, status, used = os.wait4(-1, os.WNOHANG)
                if pid == 0:
                    return
                running = self._running.get(pid)
                if running is not None:
                    running.ended = status, used
                    self._clear_up(running)

    def _clear_up(self, running: _Running) -> None:
        """Kill what a dead child has left, and tell of its end when that is over."""
        if running.room is None:
            running.end("exit")
            self._tell(running)
            return
        running.room.end()
        self._listen(running.room, lambda: self._tell(running))

    def _tell(self, running: _Running) -> None:
        del self._running[running.pid]
        if running.room is not None:
            self._events.unregister(running.room)
            running.room.close()
        if running.folder is not None:
            shutil.rmtree(running.folder, ignore_errors=True)
        with suppress(KeyError, ValueError):  # hung up already
            self._events.unregister(running.line)
        with suppress(OSError):
            send(running.line, asdict(running.exit()))
        running.line.close()

    # What no limit of the kernel's holds: the sum over a child's processes.

    def _look(self) -> None:
        """End the children whose processes use too much together."""
        processes = usage.by_namespace()
        for running in self._running.values():
            pids = processes.get(running.namespace, []) if running.namespace else []
            if sum(usage.cpu_seconds(pid) for pid in pids) > running.cpu_seconds:
                running.end("cpu")
            # Of what a process holds in the kernel, no limit of its own says anything.
            held = usage.held_by_sockets(pids)
            # Quick to read, and never too small; the exact sum takes milliseconds.
            if held + sum(usage.resident_memory(pid) for pid in pids) > running.memory:
                used = held + sum(usage.anonymous_memory(pid) for pid in pids)
                if used > running.memory + self._inherited:
                    running.end("memory")


def main(descriptor: str, settings: str) -> None:
    """Be the zygote that talks through a descriptor."""
    line = socket.socket(fileno=int(descriptor))
    wanted = json.loads(settings)
    try:
        rooms = _found_a_namespace(line, wanted["shared"]) if wanted["sandboxed"] else None
        warm(wanted["preload"])
    except SandboxError as error:
        send(line, {"error": str(error)})
        return
    send(line, {"ready": True})
    # What one notebook would not earn again is for classes alone, as the dry run is.
    chores = large_pages() if DRY_RUN in wanted["preload"] else iter(())
    Server(line, rooms, chores).serve()


def _found_a_namespace(line: socket.socket, shared: Sequence[str]) -> sandbox.Rooms:
    """Go on as the first process of a new pid namespace; the process before only waits for it."""
    sandbox.isolate()
    pid = os.fork()
    if pid != 0:
        line.close()
        os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 0xFF)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    sandbox.settle()
    return sandbox.Rooms(shared)


if __name__ == "__main__":
    main(*sys.argv[1:])
