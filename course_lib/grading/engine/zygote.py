"""A warm process that forks students and judges on request.

Importing PyTorch and what it loads on first use takes seconds; a fork of a process that has done
so takes milliseconds. The zygote is started with a clean environment and never receives anything
of a course, so nothing secret can be found in the memory that its children inherit: what a child
is to run, and the files of its working folder, come to the child itself, through a socket of its
own.

    supervisor ── Zygote ──┐
                           ├ rooms    (see sandbox)     one small process; a child of it per room
                           └ zygote   (this module, run) ── children
"""

from __future__ import annotations

import importlib
import json
import os
import pickle
import random
import resource
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

from course_lib.grading.engine import kernel, sandbox
from course_lib.grading.engine.sandbox import Limits, SandboxError
from course_lib.grading.engine.shells import INLINE
from course_lib.grading.engine.warmup import DEFAULT_PRELOAD, DRY_RUN, large_pages, warm

__all__ = ["DEFAULT_PRELOAD", "Child", "Exit", "Zygote", "ZygoteDied"]


_WARM_WITHIN = 300.0
_READY_WITHIN = 60.0
_GONE_WITHIN = 60.0
_LOOK_EVERY = 0.1
_QUIET_FOR = 0.01
# What the zygote must know of a child: its memory and its processor time.
_ORDER = struct.Struct("!qq")
_MOST_SOCKETS = 64
# A process may reach its own limit, and then is told so: only what several do together is stopped.
_MARGIN = 32 << 20
# What waits in a socket, at the most, since no larger buffer can be asked for (`seccomp`); and how
# many sockets somebody may have who fills none.
_SOCKET_BYTES = 256 << 10
_SOCKETS_OF_ITS_OWN = 64
_PAGE = resource.getpagesize()
_NONE_LEFT = object()

_ENVIRONMENT_KEPT = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR")
_ENVIRONMENT_SET = {
    # A fork takes only the thread that calls it; one that waits for another would wait forever.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": INLINE,
    # There is none in a sandbox; the first gradient would start a thread for each.
    "CUDA_VISIBLE_DEVICES": "",
    "HIP_VISIBLE_DEVICES": "",
    "PYTHONDONTWRITEBYTECODE": "1",
    # The same for every worker, so that regrading prints a set in the same order.
    "PYTHONHASHSEED": "0",
    # Read where PyTorch is imported: see the sandbox.
    "TORCHINDUCTOR_CPP_CACHE_PRECOMPILE_HEADERS": "0",
}


class ZygoteDied(RuntimeError):
    """The zygote is gone, and with it all of its children. A new one can be started."""


@dataclass(frozen=True)
class Exit:
    """How a child ended.

    Parameters
    ----------
    code : int or None
        Its exit code, if it ended by itself.
    signal : int or None
        The signal that ended it, otherwise.
    max_rss : int
        The most memory that one of its processes had at a time, in bytes, shared memory included.
    cpu_seconds : float
        What it and the children that it waited for computed.
    reason : str
        ``exit``; ``killed``, by :meth:`Child.kill`; ``memory`` or ``cpu``, over the limit;
        ``signal`` otherwise.
    """

    code: int | None
    signal: int | None
    max_rss: int
    cpu_seconds: float
    reason: str


# ---------------------------------------------------------------- the supervisor's side


class Zygote:
    """A warm process of one's own.

    Parameters
    ----------
    preload : sequence of str
        The modules to import ahead of time. What is not installed is passed over.
    sandboxed : bool
        Whether children live in a sandbox. Without, only one's own work may be run.
    shared : sequence of str
        Folders that children may read besides Python and the system's libraries.
    wait : bool
        Whether to wait until it is warm. Without, :meth:`wait_until_warm` comes before the first
        child.

    Raises
    ------
    SandboxError
        If a sandbox is wanted and cannot be built here.
    ZygoteDied
        If it does not get warm.
    """

    def __init__(
        self,
        preload: Sequence[str] = DEFAULT_PRELOAD,
        *,
        sandboxed: bool = True,
        shared: Sequence[str] = (),
        wait: bool = True,
    ) -> None:
        self.sandboxed = sandboxed
        self._lock = threading.Lock()
        self._warming = threading.Lock()
        self._is_warm = self._is_closed = False
        self._line, other = socket.socketpair()
        settings = {"sandboxed": sandboxed, "preload": list(preload), "shared": list(shared)}
        self._said = tempfile.TemporaryFile()  # noqa: SIM115, closed by close
        command = [sys.executable, "-P", "-m", __name__, str(other.fileno()), json.dumps(settings)]
        with other:
            self._process = subprocess.Popen(
                command,
                pass_fds=[other.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
                env=_clean_environment(),
                cwd="/",
                start_new_session=True,
            )
        if wait:
            try:
                self.wait_until_warm()
            except BaseException:
                self.close()
                raise

    def wait_until_warm(self) -> None:
        """Wait until everything is imported. Any number of threads may wait.

        Raises
        ------
        SandboxError
            If a sandbox is wanted and cannot be built here.
        ZygoteDied
            If it does not get warm, or is closed before.
        """
        with self._warming:
            if self._is_warm:
                return
            if self._is_closed:
                raise ZygoteDied("The warm process for grading was closed before it was warm.")
            self._line.settimeout(_WARM_WITHIN)
            with suppress(OSError):
                answer = _receive(self._line)
                if answer is not None:
                    if "error" in answer:
                        raise SandboxError(answer["error"])
                    self._line.settimeout(_READY_WITHIN)
                    self._is_warm = True
                    return
            self._process.kill()
            self._process.wait()
            self._said.seek(0)
            said = self._said.read().decode(errors="replace").strip()
            raise ZygoteDied(
                f"The warm process for grading did not start: {said or 'no reason given'}"
            )

    def spawn(
        self,
        target: str,
        sockets: Sequence[socket.socket] = (),
        *,
        sandboxed: bool,
        limits: Limits | None = None,
        scratch: Mapping[str, bytes] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Child:
        """Fork a child that runs a function.

        Parameters
        ----------
        target : str
            ``package.module:function``, imported in the child and called with the sockets.
        sockets : sequence of socket
            What the child talks through. The caller's own copies stay open: close them.
        sandboxed : bool
            Whether the child must be in a sandbox. A child that need not be is all the same where
            the zygote has a sandbox: it is how it ends, with all that it started.
        limits : Limits, optional
            What it may use.
        scratch : mapping of str to bytes, optional
            The files in its working folder.
        environment : mapping of str to str, optional
            What its environment holds besides what all have.

        Raises
        ------
        SandboxError
            If a sandbox is demanded of a zygote without one, or does not hold.
        ZygoteDied
            If the zygote is gone, or the child died before it was ready.
        """
        if sandboxed and not self.sandboxed:
            raise SandboxError(
                "This zygote was started without a sandbox: it runs one's own work only."
            )
        limits = limits or Limits()
        setup, childs_setup = socket.socketpair()
        line, zygotes_line = socket.socketpair()
        for end in (setup, line):
            end.settimeout(_READY_WITHIN)
        with setup, childs_setup, zygotes_line:
            self._ask_for_child(limits, [childs_setup, zygotes_line, *sockets])
            childs_setup.close()
            zygotes_line.close()
            try:
                order = (target, limits, dict(scratch or {}), dict(environment or {}))
                pid = _started(line, setup, order)
            except (OSError, EOFError) as error:
                line.close()
                raise ZygoteDied(f"The warm process for grading is gone ({error}).") from error
            except BaseException:
                line.close()
                raise
        return Child(pid, line)

    def _ask_for_child(self, limits: Limits, passed: Sequence[socket.socket]) -> None:
        order = _ORDER.pack(limits.memory, limits.cpu_seconds)
        descriptors = [end.fileno() for end in passed]
        try:
            with self._lock:
                socket.send_fds(self._line, [order], descriptors)
        except OSError as error:
            raise ZygoteDied(f"The warm process for grading is gone ({error}).") from error

    @property
    def pid(self) -> int:
        """The process that was started; all others are its descendants."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Tell whether it still runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the zygote and all of its children; they are gone when this returns."""
        self._is_closed = True
        if not self._is_warm:
            # It would notice at the end of its imports, and so would who waits for that end.
            self._process.kill()
        with self._warming:
            self._line.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_GONE_WITHIN)
        self._process.kill()
        self._process.wait()
        self._said.close()

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _clean_environment() -> dict[str, str]:
    """Return the environment of the zygote: nothing that could be a secret."""
    kept = {name: os.environ[name] for name in _ENVIRONMENT_KEPT if name in os.environ}
    return kept | _ENVIRONMENT_SET


def _started(line: socket.socket, setup: socket.socket, order: tuple) -> int:
    """Give a child its order, wait until it is ready, and return its process number."""
    setup.sendall(pickle.dumps(order))
    setup.shutdown(socket.SHUT_WR)
    answer = _receive(line)
    if answer is None:
        raise EOFError("no answer")
    if "error" in answer:
        raise SandboxError(answer["error"])
    ready = _receive(setup)
    if ready is None:
        raise EOFError("the child died before it was ready")
    if "error" in ready:
        raise SandboxError(ready["error"])
    return answer["pid"]


class Child:
    """A running child. When this object is let go of, the child is killed.

    Attributes
    ----------
    pid : int
        Its first process, as numbered in the zygote's pid namespace.
    """

    def __init__(self, pid: int, line: socket.socket) -> None:
        self.pid = pid
        self._line = line
        self._exit: Exit | None = None
        self._lock = threading.Lock()

    def kill(self) -> None:
        """End the child and everything that it ever started. Killing the dead does nothing."""
        with suppress(OSError):
            self._line.send(b"k")

    def wait(self, timeout: float | None = None) -> Exit | None:
        """Wait for the end of the child, and of all that it started.

        Parameters
        ----------
        timeout : float, optional
            Seconds; without it, as long as it takes.

        Returns
        -------
        Exit or None
            None if it still runs.

        Raises
        ------
        ZygoteDied
            If the zygote died, and the child with it.
        """
        with self._lock:
            if self._exit is None:
                self._exit = self._receive_exit(timeout)
            return self._exit

    def _receive_exit(self, timeout: float | None) -> Exit | None:
        self._line.settimeout(timeout)
        try:
            answer = _receive(self._line)
        except (TimeoutError, BlockingIOError):
            return None
        except OSError:
            answer = None
        self._line.close()
        if answer is None:
            raise ZygoteDied("The warm process for grading died, and its children with it.")
        return Exit(**answer)


def _send(line: socket.socket, message: Mapping[str, Any]) -> None:
    text = json.dumps(message).encode()
    line.sendall(len(text).to_bytes(4, "big") + text)


def _receive(line: socket.socket) -> dict[str, Any] | None:
    """Return the next message, or None at the end."""
    head = _receive_bytes(line, 4)
    if head is None:
        return None
    text = _receive_bytes(line, int.from_bytes(head, "big"))
    return None if text is None else json.loads(text)


def _receive_bytes(line: socket.socket, count: int) -> bytes | None:
    got = b""
    while len(got) < count:
        more = line.recv(count - len(got))
        if not more:
            return None
        got += more
    return got


# ---------------------------------------------------------------- the zygote's side


class _Running:
    """A child, as the zygote knows it."""

    def __init__(self, pid: int, line: socket.socket, room: sandbox.Room | None) -> None:
        self.pid = pid
        self.line = line
        self.room = room
        self.folder: str | None = None
        self.memory = self.cpu_seconds = 0
        self.namespace = _namespace(pid) if room else None
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
        status, usage = self.ended
        code = os.waitstatus_to_exitcode(status)
        cpu = usage.ru_utime + usage.ru_stime
        reason = "exit" if code >= 0 else "signal"
        if -code == signal.SIGXCPU or (-code == signal.SIGKILL and cpu > self.cpu_seconds):
            reason = "cpu"
        if -code == signal.SIGKILL and self.killed_for:
            reason = self.killed_for
        unit = 1024 if sys.platform == "linux" else 1
        number = -code if code < 0 else None
        return Exit(None if number else code, number, usage.ru_maxrss * unit, cpu, reason)


class _Server:
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
        self._handled = _handled_signals()
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
        head, descriptors, _, _ = socket.recv_fds(self._line, _ORDER.size, _MOST_SOCKETS)
        if not head:
            raise SystemExit
        memory, cpu_seconds = _ORDER.unpack(head)
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
                _send(line, {"error": f"A child cannot be started: {error}"})
            return
        if pid == 0:
            _be_child(setup, sockets, room, folder, self._handled)
        running = self._running[pid] = _Running(pid, line, room)
        running.memory, running.cpu_seconds, running.folder = memory, cpu_seconds, folder
        self._listen(line, lambda: self._hear(running))
        for end in (setup, *sockets):
            end.close()
        with suppress(OSError):  # who asked is gone, which is heard soon
            _send(line, {"pid": pid})

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
                pid, status, usage = os.wait4(-1, os.WNOHANG)
                if pid == 0:
                    return
                running = self._running.get(pid)
                if running is not None:
                    running.ended = status, usage
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
            _send(running.line, asdict(running.exit()))
        running.line.close()

    # What no limit of the kernel's holds: the sum over a child's processes.

    def _look(self) -> None:
        """End the children whose processes use too much together."""
        processes = _processes_by_namespace()
        for running in self._running.values():
            pids = processes.get(running.namespace, []) if running.namespace else []
            if sum(_cpu_seconds(pid) for pid in pids) > running.cpu_seconds:
                running.end("cpu")
            # Of what a process holds in the kernel, no limit of its own says anything.
            held = _held_by_sockets(pids)
            # Quick to read, and never too small; the exact sum takes milliseconds.
            if held + sum(_resident_memory(pid) for pid in pids) > running.memory:
                used = held + sum(_anonymous_memory(pid) for pid in pids)
                if used > running.memory + self._inherited:
                    running.end("memory")


def _processes_by_namespace() -> dict[int | None, list[int]]:
    found: dict[int | None, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdecimal():
            found.setdefault(_namespace(int(name)), []).append(int(name))
    return found


# A process may end at any moment, also while its files are read: it uses nothing then.
_GONE = (OSError, KeyError, IndexError, ValueError)


def _namespace(pid: int) -> int | None:
    """Return the number of the pid namespace that a process is in."""
    with suppress(OSError):
        return os.stat(f"/proc/{pid}/ns/pid").st_ino
    return None


def _cpu_seconds(pid: int) -> float:
    """Return what a process and the children that it waited for have computed."""
    with suppress(*_GONE), open(f"/proc/{pid}/stat") as text:
        # The name before the last parenthesis may hold anything.
        fields = text.read().rpartition(")")[2].split()
        return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _resident_memory(pid: int) -> int:
    with suppress(*_GONE), open(f"/proc/{pid}/statm") as text:
        return int(text.read().split()[1]) * _PAGE
    return 0


def _held_by_sockets(pids: Sequence[int]) -> int:
    """Return the most that the kernel may hold for the sockets of a child's network namespace."""
    for pid in pids:
        with suppress(*_GONE):
            if os.stat(f"/proc/{pid}/ns/net").st_ino == os.stat("/proc/self/ns/net").st_ino:
                return 0  # among them are the machine's
            with open(f"/proc/{pid}/net/unix", "rb") as table:
                count = table.read().count(b"\n") - 1
            return max(0, count - _SOCKETS_OF_ITS_OWN) * _SOCKET_BYTES
    return 0


def _anonymous_memory(pid: int) -> int:
    """Return a process's part of the memory that is not a file's; shared pages count in parts."""
    with suppress(*_GONE), open(f"/proc/{pid}/smaps_rollup") as lines:
        sizes = {line.split()[0]: line.split()[1] for line in lines if line.endswith("kB\n")}
        return (int(sizes["Pss_Anon:"]) + int(sizes["Pss_Shmem:"])) * 1024
    return 0


# ---------------------------------------------------------------- the child's side


def _be_child(
    setup: socket.socket,
    sockets: list[socket.socket],
    room: sandbox.Room | None,
    folder: str | None,
    handled: Sequence[int],
) -> NoReturn:
    """Be the child: build the sandbox, run the target, end."""
    code = 1
    try:
        function = _prepare(setup, sockets, room, folder, handled)
        code = _exit_code(function, sockets)
    finally:
        os._exit(code)


def _prepare(
    setup: socket.socket,
    sockets: list[socket.socket],
    room: sandbox.Room | None,
    folder: str | None,
    handled: Sequence[int],
) -> Callable[..., None]:
    """Do everything that comes before the target, and tell the supervisor how it went."""
    try:
        os.setsid()
        _reset_signals(handled)
        rooms = [room.descriptor] if room else []
        sandbox.keep_only([setup.fileno(), *(end.fileno() for end in sockets), *rooms])
        with setup.makefile("rb") as orders:
            target, limits, scratch, environment = pickle.load(orders)
        if room is not None:
            sandbox.enter(room, limits, scratch)
            room.close()
        else:
            sandbox.set_environment(folder)
            sandbox.write_scratch(folder, scratch)
            sandbox.set_limits(limits, processes=False)
        os.environ.update(environment)
        _reseed()
        module, _, name = target.partition(":")
        function = getattr(importlib.import_module(module), name)
    except SandboxError as error:
        _send(setup, {"error": str(error)})
        raise
    except BaseException:
        _send(setup, {"error": traceback.format_exc()})
        raise
    _send(setup, {"ready": True})
    setup.close()
    return function


def _exit_code(function: Callable[..., None], sockets: list[socket.socket]) -> int:
    """Run the target and return the code that an interpreter would end with."""
    try:
        function(*sockets)
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _handled_signals() -> list[int]:
    """Return the signals that this process treats in another way than the system does."""
    return [
        int(number)
        for number in signal.valid_signals()
        if signal.getsignal(number) is not signal.SIG_DFL
    ]


def _reset_signals(handled: Sequence[int]) -> None:
    """Handle signals as a fresh interpreter does."""
    signal.set_wakeup_fd(-1)
    for number in handled:
        with suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _reseed() -> None:
    """Draw other random numbers than the zygote's other children."""
    random.seed()
    if "numpy" in sys.modules:
        # A number, which is all that is needed: anything else goes through much that a fork has yet
        # to touch.
        sys.modules["numpy"].random.seed(int.from_bytes(os.urandom(4), "big"))
    if "torch" in sys.modules:
        # Not torch.manual_seed, which seeds devices too and takes as long as the whole sandbox.
        seed = int.from_bytes(os.urandom(7), "big")
        sys.modules["torch"].default_generator.manual_seed(seed)


def main(descriptor: str, settings: str) -> None:
    """Be the zygote that talks through a descriptor."""
    line = socket.socket(fileno=int(descriptor))
    wanted = json.loads(settings)
    try:
        rooms = _found_a_namespace(line, wanted["shared"]) if wanted["sandboxed"] else None
        warm(wanted["preload"])
    except SandboxError as error:
        _send(line, {"error": str(error)})
        return
    _send(line, {"ready": True})
    # What one notebook would not earn again is for classes alone, as the dry run is.
    chores = large_pages() if DRY_RUN in wanted["preload"] else iter(())
    _Server(line, rooms, chores).serve()


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
