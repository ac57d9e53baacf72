"""A warm process that forks students and judges on request.

Importing PyTorch and what it loads on first use takes seconds; a fork of a process that has done
so takes milliseconds. The zygote is started with a clean environment and never receives anything
of a course, so nothing secret can be found in the memory that its children inherit: what a child
is to run, and the files of its working folder, come to the child itself, through a socket of its
own.

    supervisor ── Zygote ──┐
                           ├ rooms    (see sandbox)     one small process; a child of it per room
                           └ zygote   (see zygote_server) ── children
"""

from __future__ import annotations

import json
import os
import pickle
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress

from course_lib.grading.engine.sandbox import Limits, SandboxError
from course_lib.grading.engine.shells import INLINE
from course_lib.grading.engine.warmup import DEFAULT_PRELOAD
from course_lib.grading.engine.zygote_messages import ORDER, Exit, receive

__all__ = ["DEFAULT_PRELOAD", "Child", "Exit", "Zygote", "ZygoteDied"]


_SERVER = "course_lib.grading.engine.zygote_server"
_WARM_WITHIN = 300.0
_READY_WITHIN = 60.0
_GONE_WITHIN = 60.0

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
        command = [sys.executable, "-P", "-m", _SERVER, str(other.fileno()), json.dumps(settings)]
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
                answer = receive(self._line)
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
        order = ORDER.pack(limits.memory, limits.cpu_seconds)
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
    answer = receive(line)
    if answer is None:
        raise EOFError("no answer")
    if "error" in answer:
        raise SandboxError(answer["error"])
    ready = receive(setup)
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
            answer = receive(self._line)
        except (TimeoutError, BlockingIOError):
            return None
        except OSError:
            answer = None
        self._line.close()
        if answer is None:
            raise ZygoteDied("The warm process for grading died, and its children with it.")
        return Exit(**answer)
