"""A sandbox around a process that is about to run a student's code.

Three steps, in three processes, so that the one whose memory is large has the least to do:

1. :func:`isolate`, once per worker, before anything large is imported: a user namespace where one
   is needed, and a pid and a mount namespace that everything of this worker lives in.
2. :class:`Rooms`, a small process that makes *rooms* ahead of time: a new set of namespaces,
   the read-only view, and a first process in it that only collects the dead.
3. :meth:`Room.fork` and :func:`enter`, per child: fork into a room, then give up every right.

A room ends when its first process is killed, and with it everything that was ever started in it.
"""

from __future__ import annotations

import errno
import functools
import os
import random
import select
import signal
import site
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from course_lib.grading.engine import kernel, landlock, seccomp, view
from course_lib.grading.engine.sandbox_faults import SandboxError, or_explain
from course_lib.grading.engine.shells import INLINE

__all__ = [
    "Limits",
    "Room",
    "Rooms",
    "SandboxError",
    "enter",
    "entered",
    "isolate",
]

MIB = 1 << 20

_ROOM_NAMESPACES = (
    kernel.CLONE_NEWNS
    | kernel.CLONE_NEWNET
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUTS
    | kernel.CLONE_NEWCGROUP
)
_PLAIN = kernel.MS_NOSUID | kernel.MS_NODEV
# A student and a judge begin together.
_ROOMS_AHEAD = 2
_SHARED_MEMORY_BYTES = 64 * MIB

# Of the environment, a child gets these and no other.
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "SHELL": "/bin/sh",
    "TERM": "dumb",
    "USER": view.STUDENT,
    "OMP_NUM_THREADS": "1",
    "MPLBACKEND": INLINE,
    "PYTHONDONTWRITEBYTECODE": "1",
    # They take longer than what they are for, and more than a file may.
    "TORCHINDUCTOR_CPP_CACHE_PRECOMPILE_HEADERS": "0",
}

# Set once this process has a user namespace.
_ENTERED = "COURSE_SANDBOX"

# Users that no machine gives to a person, where this process may become another one.
_SPARE_FROM, _SPARE_COUNT = 1 << 28, 1 << 28


@dataclass(frozen=True)
class Limits:
    """What a child may use.

    Parameters
    ----------
    memory : int
        Bytes, on top of what it shares with the process that it was forked from; for one process,
        and for all that it starts together.
    processes : int
        Processes and threads at a time, itself included.
    files : int
        Open files per process.
    file_size : int
        Bytes in one file.
    scratch_bytes : int
        Bytes in its working folder altogether.
    cpu_seconds : int
        Processor time of all its processes together.
    libraries : int
        Bytes of libraries that it may load and that it does not share: room in its address space,
        and none in its memory.
    """

    memory: int = 1024 * MIB
    processes: int = 32
    files: int = 256
    file_size: int = 128 * MIB
    scratch_bytes: int = 256 * MIB
    cpu_seconds: int = 120
    libraries: int = 0


# ---------------------------------------------------------------- once per worker


def isolate() -> None:
    """Give this process the right to build sandboxes, and its future children a pid namespace.

    The caller is small and single-threaded, and has done nothing yet: where a user namespace is
    needed, its program is started again in there. Its next fork is the first process of the pid
    namespace: it calls :func:`settle`, and everything ends with it.

    Raises
    ------
    SandboxError
        If the machine does not allow it.
    """
    _check_machine()
    if not _may(kernel.CAP_SYS_ADMIN):
        with or_explain("a user namespace"):
            if os.environ.get(_ENTERED):
                raise PermissionError(errno.EPERM, "it gives no rights")
            _enter_user_namespace()
            # A process belongs to the user namespace that its program was started in: only from
            # the start on may the zygote look after children who may not be looked at.
            os.environ[_ENTERED] = "1"
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    with or_explain("namespaces for processes and mounts"):
        kernel.unshare(kernel.CLONE_NEWPID | kernel.CLONE_NEWNS)


def settle() -> None:
    """Begin life as the first process of the namespace that :func:`isolate` made."""
    with or_explain("mounts of its own"):
        kernel.mount("", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    with or_explain("a /proc of its own"):
        kernel.mount("proc", "/proc", "proc", _PLAIN | kernel.MS_NOEXEC)


def _may(capability: int) -> bool:
    return bool(kernel.effective_capabilities() >> capability & 1)


def _check_machine() -> None:
    """Refuse systems that have none of what a sandbox is made of."""
    if sys.platform != "linux":
        raise SandboxError(
            f"The sandbox needs Linux, and this is {sys.platform}: grade other people's work on a "
            "Linux machine or in a Linux container. Checking your own work goes on without it."
        )
    if not seccomp.is_supported():
        raise SandboxError(
            f"The processor of this machine ({kernel.machine()}) is not one that the sandbox "
            "knows: grade on a machine with x86_64 or aarch64."
        )


def _enter_user_namespace() -> None:
    """Become root of a new user namespace, which gives rights over what is made in it only.

    A helper outside writes the map of users: only from there may it hold more than one, which
    somebody who is root, though not allowed to mount, needs for the users of the children.
    """
    may_map = _may(kernel.CAP_SETUID)
    maps = {"uid_map": _map_of("uid", may_map), "gid_map": _map_of("gid", may_map)}
    here, there = os.pipe()
    helper = os.fork()
    if helper == 0:
        os.close(there)
        os._exit(0 if os.read(here, 1) and _write_maps(os.getppid(), maps, may_map) else 1)
    os.close(here)
    try:
        kernel.unshare(kernel.CLONE_NEWUSER)
        os.write(there, b"x")
    finally:
        os.close(there)
        status = os.waitpid(helper, 0)[1]
    if status != 0:
        raise PermissionError(errno.EPERM, "the map of users was refused")


def _map_of(kind: str, may_map: bool) -> str:
    """Return the map for a new user namespace: oneself as root, and spare users if allowed."""
    own = os.geteuid() if kind == "uid" else os.getegid()
    spare = _spare(Path(f"/proc/self/{kind}_map").read_text()) if may_map else None
    more = f"{spare.start} {spare.start} {len(spare)}\n" if spare else ""
    return f"0 {own} 1\n{more}"


def _write_maps(pid: int, maps: Mapping[str, str], may_map: bool) -> bool:
    try:
        if not may_map:
            Path(f"/proc/{pid}/setgroups").write_text("deny")
        for name, text in maps.items():
            Path(f"/proc/{pid}/{name}").write_text(text)
    except OSError:
        return False
    return True


def _spare(user_map: str) -> range | None:
    """Return numbers that a map has, and that belong to nobody: the upper part of its widest line.

    Parameters
    ----------
    user_map : str
        As in ``/proc/self/uid_map``: first number inside, first outside, how many.
    """
    lines = [[int(word) for word in line.split()] for line in user_map.splitlines()]
    first, _, count = max(lines, key=lambda line: line[2], default=[0, 0, 0])
    if count < 1024:
        return None
    if first + count >= _SPARE_FROM + _SPARE_COUNT > _SPARE_FROM >= first:
        return range(_SPARE_FROM, _SPARE_FROM + _SPARE_COUNT)
    return range(first + count // 2, first + count)


# ---------------------------------------------------------------- rooms, made ahead of time


class Room:
    """A set of namespaces, held open by its first process.

    Parameters
    ----------
    descriptor : int
        A pidfd of that process.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def fork(self) -> int:
        """Fork; the child is in the room's pid namespace, and must call :func:`enter`."""
        return _fork_into(lambda: kernel.setns(self.descriptor, kernel.CLONE_NEWPID))

    def fileno(self) -> int:
        """Return the descriptor; it becomes readable when the room is empty."""
        return self.descriptor

    def end(self) -> None:
        """Kill everything in the room. It is over when :meth:`fileno` is readable."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.descriptor, signal.SIGKILL)

    def close(self) -> None:
        """Let go of the descriptor."""
        os.close(self.descriptor)


class Rooms:
    """A small process that always has the next room ready.

    Made by the first process of the worker's namespace while it is still small: what is forked from
    a process that has imported PyTorch costs ten times as much.

    Raises
    ------
    SandboxError
        If no room can be made here.
    """

    def __init__(self, shared: Iterable[str] = ()) -> None:
        paths = view.visible_paths(shared)
        self._line, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.fork() == 0:
            in_child(_make_rooms, other, paths)
        other.close()
        self._receive()  # the view stands
        # The same for everybody who enters a room: found out once, before they are forked.
        _spare_numbers()
        if seccomp.is_supported():
            seccomp.build()

    def take(self) -> Room:
        """Return a room that nobody has been in."""
        self._line.send(b"room")
        (descriptor,) = self._receive()
        return Room(descriptor)

    def fileno(self) -> int:
        """Return the descriptor that says something when the process is gone."""
        return self._line.fileno()

    def _receive(self) -> list[int]:
        message, descriptors, _, _ = socket.recv_fds(self._line, 65536, 1)
        if message != b"ok":
            raise SandboxError(message.decode() or "The process that makes rooms has died.")
        return descriptors


def _make_rooms(line: socket.socket, paths: list[str]) -> None:
    """Serve rooms until the other side hangs up."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    keep_only([line.fileno()], null=())
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel collects the dead
    try:
        with or_explain("mounts of its own"):
            kernel.unshare(kernel.CLONE_NEWNS)
            view.build(paths)
        line.send(b"ok")
        ready: list[int] = []
        while True:
            while not ready or (len(ready) < _ROOMS_AHEAD and not _is_asked(line)):
                ready.append(_make_room(line))
            if not line.recv(16):
                return
            socket.send_fds(line, [b"ok"], [ready[0]])
            os.close(ready.pop(0))
    except SandboxError as error:
        line.send(str(error).encode())


def _is_asked(line: socket.socket) -> bool:
    return bool(select.select([line], [], [], 0)[0])


def _make_room(line: socket.socket) -> int:
    """Return a pidfd of the first process of a new room, once the room is furnished."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with or_explain("a room for a child"):
        pid = _fork_into(lambda: kernel.unshare(kernel.CLONE_NEWPID))
    if pid == 0:
        line.close()
        here.close()
        in_child(_keep_room, there)
    there.close()
    descriptor = os.pidfd_open(pid)
    message = here.recv(65536)
    here.close()
    if message != b"ok":
        raise SandboxError(message.decode() or "The first process of a room died.")
    return descriptor


def _keep_room(line: socket.socket) -> None:
    """Furnish the room, then collect its dead until the room is ended."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()
    try:
        with or_explain("a room for a child"):
            kernel.unshare(_ROOM_NAMESPACES)
            _furnish()
            _give_up_rights()
    except SandboxError as error:
        line.send(str(error).encode())
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    line.send(b"ok")
    keep_only([], null=(0, 1, 2))
    while True:
        signal.sigwait({signal.SIGCHLD})
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _furnish() -> None:
    """Mount what belongs to this room alone."""
    socket.sethostname(view.HOSTNAME)
    # The processes of this room only, and nothing of the machine.
    kernel.mount("proc", "/proc", "proc", _PLAIN | kernel.MS_NOEXEC, "hidepid=invisible,subset=pid")
    shared_memory = f"mode=1777,size={_SHARED_MEMORY_BYTES},nr_inodes=1024"
    kernel.mount("shm", "/dev/shm", "tmpfs", _PLAIN | kernel.MS_NOEXEC, shared_memory)
    terminals = "newinstance,ptmxmode=0666,mode=0620,max=16"
    kernel.mount("devpts", "/dev/pts", "devpts", kernel.MS_NOSUID | kernel.MS_NOEXEC, terminals)


# ---------------------------------------------------------------- once per child


# Whether this process has entered them: a fork knows it from the one that did.
_entered = False


def entered() -> bool:
    """Tell whether this process is in a sandbox, alone with what it starts."""
    return _entered


def enter(room: Room, limits: Limits, scratch: Mapping[str, bytes]) -> None:
    """Put this process, freshly forked with :meth:`Room.fork`, behind every barrier of the sandbox.

    It ends in its working folder, which holds the given files and is the only place that it can
    write to.

    Parameters
    ----------
    room : Room
        Where it was forked into.
    limits : Limits
        What it may use.
    scratch : mapping of str to bytes
        The files of its working folder: paths inside it, and contents.

    Raises
    ------
    SandboxError
        If a barrier does not hold. The process must then end without running anything.
    """
    with or_explain("to enter the namespaces of a child"):
        kernel.setns(room.descriptor, _ROOM_NAMESPACES)
    spare = _spare_user()
    owner = spare or os.geteuid()
    with or_explain("a scratch folder"):
        _mount_scratch(limits, owner)
    Path("/proc/self/oom_score_adj").write_text("1000")
    with or_explain("to become nobody"):
        _become_nobody(spare)
    set_environment(view.SCRATCH)
    write_scratch(view.SCRATCH, scratch)
    set_limits(limits)
    with or_explain("to give up its rights"):
        _give_up_rights()
    with or_explain("Landlock"):
        landlock.confine([view.SCRATCH, "/dev"])
    with or_explain("a filter on system calls"):
        seccomp.install(seccomp.build())
    global _entered
    _entered = True


def _spare_user() -> int | None:
    """Return the number of a user and group that nobody has, if this process may become it."""
    numbers = _spare_numbers()
    return random.SystemRandom().choice(numbers) if numbers else None


@functools.cache
def _spare_numbers() -> range:
    """Return all of them; none if this process may not become another."""
    if not _may(kernel.CAP_SETUID):
        return range(0)
    ranges = [_spare(Path(f"/proc/self/{kind}_map").read_text()) for kind in ("uid", "gid")]
    if None in ranges:
        return range(0)
    return range(max(r.start for r in ranges), min(r.stop for r in ranges))


def _mount_scratch(limits: Limits, owner: int) -> None:
    inodes = max(1024, limits.scratch_bytes // 4096)
    options = f"mode=0700,uid={owner},gid={owner},size={limits.scratch_bytes},nr_inodes={inodes}"
    kernel.mount("scratch", view.SCRATCH, "tmpfs", _PLAIN, options)


def _become_nobody(spare: int | None) -> None:
    """Change to a user who owns nothing, so that the number of processes is counted alone.

    Without a spare user, a user namespace of its own does that, in which the one outside is
    somebody else.
    """
    kernel.drop_bounding_set()
    if spare is not None:
        os.setgroups([])
        os.setresgid(spare, spare, spare)
        os.setresuid(spare, spare, spare)
        return
    user, group = os.geteuid(), os.getegid()
    kernel.unshare(kernel.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{view.UID} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{view.UID} {group} 1")
    kernel.drop_bounding_set()


def _give_up_rights() -> None:
    """Drop what is left of rights, for this process and what it starts."""
    with suppress(PermissionError):  # done already, by one who has changed the user since
        kernel.drop_bounding_set()
    kernel.drop_capabilities()
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1, what="no_new_privs")
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0, what="not dumpable")
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL, what="end with the parent")


def set_environment(scratch: str) -> None:
    """Leave nothing of the parent's environment, and go to the working folder."""
    os.umask(0o022)
    os.environ.clear()
    os.environ.update(_ENVIRONMENT)
    os.environ["PATH"] = f"{sys.prefix}/bin:{_ENVIRONMENT['PATH']}"
    folders = {
        "HOME": "home",
        "TMPDIR": "tmp",
        "MPLCONFIGDIR": "home/matplotlib",
        "IPYTHONDIR": "home/ipython",
    }
    for variable, name in folders.items():
        os.environ[variable] = os.path.join(scratch, name)
        os.makedirs(os.environ[variable], exist_ok=True)
    os.makedirs(os.path.join(scratch, "work"), exist_ok=True)
    os.chdir(os.path.join(scratch, "work"))
    forget_environment()


def forget_environment() -> None:
    """Let libraries ask again for what they remember of the environment before the fork.

    Above all where temporary files go: what starts workers, compiles code or lets processes share
    something makes them.
    """
    tempfile.tempdir = None
    # Where packages of a user's own would lie, and the name of the machine.
    site.USER_BASE = site.USER_SITE = None
    if "platform" in sys.modules:
        sys.modules["platform"]._uname_cache = None  # type: ignore[attr-defined]
    if hasattr(time, "tzset"):
        time.tzset()
    if "multiprocessing.process" in sys.modules:
        process = sys.modules["multiprocessing.process"].current_process()
        process._config.pop("tempdir", None)  # type: ignore[attr-defined]
    if "matplotlib" in sys.modules:
        for name in ("get_cachedir", "get_configdir"):
            _forget_answer(getattr(sys.modules["matplotlib"], name))


def _forget_answer(function: Callable[[], str]) -> None:
    """Let a function of Matplotlib's, which notes that it was called, find its answer again."""
    variables = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    if "called" in variables:
        variables["called"].cell_contents = False


def write_scratch(scratch: str, files: Mapping[str, bytes]) -> None:
    """Write files into the working folder.

    Raises
    ------
    SandboxError
        If a path leads out of it, or the files do not fit.
    """
    for name, content in files.items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise SandboxError(f"{name!r} is not a path inside the working folder.")
        target = Path(scratch, "work", path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        except OSError as error:
            raise SandboxError(
                f"{name!r} cannot be put into the working folder: {error}."
            ) from error


def set_limits(limits: Limits, *, processes: bool = True) -> None:
    """Set what one process may use; the sum over processes is watched by the zygote.

    Without a sandbox the number of processes is not limited, since all of a person's would count.
    """
    size, data = mapped_bytes()
    wanted = {
        "RLIMIT_DATA": data + limits.memory,
        # Reserved addresses count here: stacks of threads, arenas, libraries not loaded yet.
        "RLIMIT_AS": size + limits.memory + limits.libraries + 512 * MIB,
        "RLIMIT_NPROC": limits.processes,
        "RLIMIT_NOFILE": limits.files,
        "RLIMIT_FSIZE": limits.file_size,
        "RLIMIT_CPU": limits.cpu_seconds,
        "RLIMIT_CORE": 0,
        "RLIMIT_MEMLOCK": 8 * MIB,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_SIGPENDING": 1024,
    }
    if not processes:
        del wanted["RLIMIT_NPROC"]
    # Not everywhere: what does without a sandbox imports this module, too.
    import resource

    for name, value in wanted.items():
        number = getattr(resource, name, None)
        if number is None:
            continue
        hard = resource.getrlimit(number)[1]
        lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # One second from the signal that says that time is up to the one that cannot be ignored.
        most = lowest + 1 if name == "RLIMIT_CPU" and lowest != hard else lowest
        resource.setrlimit(number, (lowest, most))


def mapped_bytes() -> tuple[int, int]:
    """Return how much this process has mapped: altogether, and of that its own data."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:  # not Linux
        return 0, 0
    sizes = dict(line.split(":", 1) for line in status.splitlines() if line.startswith("Vm"))
    return int(sizes["VmSize"].split()[0]) * 1024, int(sizes["VmData"].split()[0]) * 1024


def keep_only(descriptors: Iterable[int], null: Iterable[int] = (0, 1, 2)) -> None:
    """Close every other descriptor, and connect the standard ones to ``/dev/null``."""
    empty = os.open("/dev/null", os.O_RDWR)
    for standard in null:
        os.dup2(empty, standard)
    next_one = 3
    for kept in sorted(set(descriptors)):
        os.closerange(next_one, kept)
        next_one = kept + 1
    os.closerange(next_one, _MOST_DESCRIPTORS)


_MOST_DESCRIPTORS = 2**31 - 1


# ---------------------------------------------------------------- small helpers


def in_child(function, *arguments) -> None:
    """Run a function in a forked child, which ends with it."""
    code = 1
    try:
        function(*arguments)
        code = 0
    except Exception:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def _fork_into(go: Callable[[], None]) -> int:
    """Fork a child into the pid namespace that ``go`` chooses; this process stays where it is."""
    own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    go()
    pid = -1
    try:
        pid = os.fork()
    finally:
        if pid != 0:
            kernel.setns(own, kernel.CLONE_NEWPID)
        os.close(own)
    return pid
