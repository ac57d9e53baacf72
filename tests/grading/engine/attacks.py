"""What the tests let run inside the sandbox: each function tries something and says what it met.

This module is imported by the zygote, before there is a sandbox; its functions run in the children.
It imports nothing of the course, so that no helper of ours softens an attack.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import mmap
import os
import platform
import resource
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

MIB = 1 << 20
X86 = platform.machine() == "x86_64"
libc = ctypes.CDLL(None, use_errno=True)


def run(line: socket.socket) -> None:
    """Run the functions that are asked for, one a line, and answer what each returns."""
    with line.makefile("rw") as stream:
        for order in stream:
            name, arguments = json.loads(order)
            stream.write(json.dumps(globals()[name](*arguments)) + "\n")
            stream.flush()


def _reason(function, *arguments) -> str:
    """Return how the kernel answers: 'ok' or the name of the error."""
    try:
        function(*arguments)
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    return "ok"


def _call(function, *arguments) -> str:
    """Return how the kernel answers a call of the C library."""
    ctypes.set_errno(0)
    if function(*arguments) == -1:
        return errno.errorcode[ctypes.get_errno()]
    return "ok"


# ---------------------------------------------------------------- honest work


def add(a, b):
    return a + b


def honest_work():
    """Do what students do: files, subprocesses, threads, memory, temporary files, a shell."""
    Path("result.txt").write_text("42")
    done = []
    thread = threading.Thread(target=done.append, args=("thread",))
    thread.start()
    thread.join()
    import multiprocessing
    import tempfile

    queue = multiprocessing.get_context("fork").SimpleQueue()
    child = multiprocessing.get_context("fork").Process(target=queue.put, args=("process",))
    child.start()
    done.append(queue.get())
    child.join()
    with tempfile.TemporaryFile() as file:
        file.write(b"x" * MIB)
    done.append(subprocess.run(["sh", "-c", "echo shell"], capture_output=True, text=True).stdout)
    done.append(
        subprocess.run([sys.executable, "-c", "print(6*7)"], capture_output=True, text=True).stdout
    )
    left, right = socket.socketpair()
    left.send(b"pair")
    done.append(right.recv(4).decode())
    done.append(len(bytearray(64 * MIB)) // MIB)
    master, _ = os.openpty()
    done.append(os.isatty(master))
    done.append(os.cpu_count() >= 1)
    return [*done, Path("result.txt").read_text()]


def where():
    names = ("HOME", "TMPDIR", "MPLCONFIGDIR", "IPYTHONDIR")
    return {"cwd": os.getcwd(), **{name: os.environ[name] for name in names}}


def read_scratch():
    found = sorted(path for path in Path().rglob("*") if path.is_file())
    return {str(path): path.read_text() for path in found}


# ---------------------------------------------------------------- looking around


def read(*paths):
    answers = {}
    for path in paths:
        try:
            if os.path.isdir(path):
                answers[path] = f"folder: {sorted(os.listdir(path))}"
            else:
                answers[path] = "read: " + Path(path).read_bytes()[:100].decode("latin1")
        except OSError as error:
            answers[path] = errno.errorcode[error.errno]
    return answers


def find(*names):
    """Return every path in sight whose last part is one of these names."""
    found = []
    for folder, folders, files in os.walk("/"):
        if folder in ("/proc", "/usr", "/bin"):
            folders.clear()
        found += [os.path.join(folder, name) for name in {*folders, *files} & set(names)]
    return found


def root_folders():
    return sorted(os.listdir("/"))


def processes():
    """Return the processes in sight, and which of them can be looked into."""
    seen = sorted(int(name) for name in os.listdir("/proc") if name.isdecimal())
    inside = {}
    for pid in seen:
        if pid != os.getpid():
            inside[pid] = {
                name: _reason(Path(f"/proc/{pid}/{name}").read_bytes)
                for name in ("environ", "mem", "maps")
            }
    return {"seen": seen, "own": os.getpid(), "parent": os.getppid(), "inside": inside}


def environment():
    return dict(os.environ)


def descriptors():
    """Return what is open, besides the folder that is being read."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
    return found


def rights():
    status = dict(
        line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines()
    )
    names = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Groups")
    return {
        **{name: status[name].strip() for name in names},
        "uid": os.getuid(),
        "dumpable": libc.prctl(3, 0, 0, 0, 0),
        "hostname": socket.gethostname(),
        "session": os.getsid(0) == os.getpid(),
    }


def search_memory(masked, plant):
    """Return how often bytes, given XOR 0x55 each, are found in this process's memory.

    Memory is unmasked before it is searched, so that what is searched for is nowhere by itself.
    """
    pattern, unmask = bytes.fromhex(masked), bytes(byte ^ 0x55 for byte in range(256))
    planted = bytearray(pattern.translate(unmask)) if plant else None
    hits = searched = 0
    for line in Path("/proc/self/maps").read_text().splitlines():
        addresses, access, *_ = line.split()
        if access[0] == "r" and (access[1] == "w" or not line.split()[-1].startswith("/")):
            start, end = (int(address, 16) for address in addresses.split("-"))
            for position in range(start, end, 32768):
                part = _copy(position, min(32768 + len(pattern), end - position))
                hits += part.translate(unmask).count(pattern)
                searched += len(part)
    del planted
    return {"hits": hits, "searched": searched}


def _copy(address, size):
    """Return what is in memory, if it still is: unlike us, the kernel survives a wrong address."""
    here, there = os.pipe()
    with open(here, "rb") as copy:
        libc.write(there, ctypes.c_void_p(address), ctypes.c_size_t(size))
        os.close(there)
        return copy.read()


def mounts():
    return Path("/proc/self/mounts").read_text().splitlines()


# ---------------------------------------------------------------- changing things


def write(*paths):
    return {path: _reason(lambda p: open(p, "ab").close(), path) for path in paths}


def write_everywhere():
    """Return the folders, outside of scratch, in which a file can be made."""
    made = []
    for folder, folders, _ in os.walk("/"):
        if folder == "/":
            folders[:] = [name for name in folders if name not in ("proc", "scratch", "tmp")]
        if folder.count("/") > 5:
            folders.clear()
        if _reason(lambda f: open(f"{f}/.x", "xb").close(), folder) == "ok":
            made.append(folder)
    return made


def remount():
    """Try to make what is read-only writable, and to show what is hidden."""
    bind, remount_, nothing = 0x1000, 0x20, None
    return {
        "remount": _call(libc.mount, b"", b"/", nothing, remount_, nothing),
        "bind": _call(libc.mount, b"/scratch", b"/usr", nothing, bind, nothing),
        "uncover": _call(libc.umount2, b"/proc", 2),
        "tmpfs": _call(libc.mount, b"t", b"/scratch", b"tmpfs", 0, nothing),
    }


def fill_disk(folder):
    """Write files until none can be written; return the bytes."""
    total, block = 0, b"\1" * MIB
    reason = "never"
    for number in range(4096):
        try:
            with open(f"{folder}/fill-{number}", "wb") as file:
                for _ in range(8):
                    total += file.write(block)
                    file.flush()
        except OSError as error:
            reason = errno.errorcode[error.errno]
            break
    return {"bytes": total, "reason": reason}


def one_large_file(size):
    with open("large", "wb") as file:
        return _reason(file.truncate, size)


def many_files():
    """Make empty files until no more can be made."""
    for number in range(10**7):
        try:
            os.close(os.open(f"f{number}", os.O_CREAT | os.O_WRONLY))
        except OSError as error:
            return {"count": number, "reason": errno.errorcode[error.errno]}
    return None


# ---------------------------------------------------------------- taking too much


def large_memory(size):
    """Ask for memory in one piece, in each of the ways that there are."""
    ways = {
        "bytearray": lambda: bytearray(size),
        "private": lambda: mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS),
        "shared": lambda: mmap.mmap(-1, size, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS),
        "memfd": lambda: os.ftruncate(os.memfd_create("x"), size),
        "shm": lambda: os.posix_fallocate(os.open("/dev/shm/x", os.O_CREAT | os.O_RDWR), 0, size),
    }
    answers = {}
    for name, way in ways.items():
        try:
            way()
            answers[name] = "ok"
        except MemoryError:
            answers[name] = "MemoryError"
        except OSError as error:
            answers[name] = errno.errorcode[error.errno]
    number = (29, 194)[not X86]
    answers["shmget"] = _call(libc.syscall, number, 0, ctypes.c_long(size), 0o1600)
    return answers


def small_allocations():
    """Allocate until there is no more; return the bytes."""
    kept = []
    try:
        while True:
            kept.append(bytearray(100_000))
    except MemoryError:
        count = len(kept)
        kept.clear()
        return count * 100_000


def allocate_together(processes_, each):
    """Let several processes hold memory at the same time, each within its own limit."""
    for _ in range(processes_):
        if os.fork() == 0:
            held = bytearray(each)
            for page in range(0, each, 4096):
                held[page] = 1
            time.sleep(60)
            os._exit(0)
    time.sleep(60)


def share_memory(processes_, each):
    """Hold memory once, and fork processes that share it: this is not too much."""
    held = bytearray(each)
    for page in range(0, each, 4096):
        held[page] = 1
    pids = []
    for _ in range(processes_):
        pid = os.fork()
        if pid == 0:
            time.sleep(1)
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    return len(held)


def fork_bomb():
    """Start processes until none can be started; they stay."""
    count = 0
    for _ in range(10_000):
        try:
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
        except BlockingIOError:
            return count
        count += 1
    return count


def spreading_fork_bomb():
    """Double the processes for ever."""
    while True:
        with contextlib.suppress(OSError):
            os.fork()


def _fork_when_there_is_room(within=120.0):
    """Fork; the dead count until somebody has asked for them, which may take a while."""
    end = time.monotonic() + within
    while True:
        try:
            return os.fork()
        except BlockingIOError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def orphans(count):
    """Leave behind, one after the other, processes that end without a parent."""
    for _ in range(count):
        pid = _fork_when_there_is_room()
        if pid == 0:
            try:
                if _fork_when_there_is_room() == 0:
                    time.sleep(0.01)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        time.sleep(0.005)
    return count


def thread_bomb():
    count = 0
    try:
        for _ in range(10_000):
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
            count += 1
    except RuntimeError:
        pass
    return count


def open_many_files():
    kept = []
    try:
        for _ in range(100_000):
            kept.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as error:
        count = len(kept)
        for descriptor in kept:
            os.close(descriptor)
        return {"count": count, "reason": errno.errorcode[error.errno]}
    return None


def spin():
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    while True:
        pass


def spin_in_children(count):
    """Compute in processes of which each stays under its own limit."""
    for _ in range(count):
        if os.fork() == 0:
            while True:
                pass
    # The time of the dead counts as this process's once it has asked for them.
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    time.sleep(600)


def print_much():
    """Write more to the standard outputs than any pipe holds."""
    block = b"x" * MIB
    return sum(os.write(number, block) for _ in range(100) for number in (1, 2)) // MIB


def raise_limits():
    answers = {}
    for name in ("RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_NOFILE"):
        hard = resource.getrlimit(getattr(resource, name))[1]
        try:
            resource.setrlimit(getattr(resource, name), (hard + 1, hard + 1))
            answers[name] = "raised"
        except (ValueError, OSError):
            answers[name] = "refused"
    return answers


# ---------------------------------------------------------------- surviving, and harming others


def daemon():
    """Leave a process behind that has its own session and no parent; return when it is there."""
    if os.fork() == 0:
        os.setsid()
        for number in signal.valid_signals():
            with contextlib.suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_IGN)
        if os.fork() == 0:
            Path("daemon").write_text("here")
            while True:
                time.sleep(1)
        os._exit(0)
    while not Path("daemon").exists():
        time.sleep(0.01)
    return "left behind"


def daemon_and_leave():
    daemon()
    os._exit(7)


def kill_others():
    """Send signals to whatever can be named."""
    answers = {"parent": os.getppid()}  # 0: there is none that could be named
    for name, pid in {"first": 1, "many": 4242}.items():
        answers[name] = _reason(os.kill, pid, signal.SIGKILL)
    for number in range(1, 40_000):
        if number != os.getpid():
            with contextlib.suppress(OSError):
                os.kill(number, signal.SIGKILL)
    # Everybody but oneself and the first of the namespace.
    answers["everybody"] = _reason(os.kill, -1, signal.SIGKILL)
    return answers


def die(number):
    os.kill(os.getpid(), number)
    time.sleep(10)


def leave(code):
    sys.exit(code)


def leave_at_once(code):
    os._exit(code)


# ---------------------------------------------------------------- the network


def sockets():
    families = {"INET": 2, "INET6": 10, "NETLINK": 16, "PACKET": 17, "VSOCK": 40, "BLUETOOTH": 31}
    answers = {"UNIX": _reason(lambda: socket.socket(socket.AF_UNIX).close())}
    for name, number in families.items():
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
            answers[f"{name} {kind.name}"] = _reason(
                lambda n, k: socket.socket(n, k).close(), number, kind
            )
    return answers


def connect(*addresses):
    """Connect to Unix sockets; a name that begins with @ is abstract."""
    answers = {}
    for address in addresses:
        real = "\0" + address[1:] if address.startswith("@") else address
        with socket.socket(socket.AF_UNIX) as line:
            answers[address] = _reason(line.connect, real)
    return answers


def listen_abstract(name):
    """Listen where the host, or another child, could connect; for as long as the child lives."""
    line = socket.socket(socket.AF_UNIX)
    answer = _reason(line.bind, "\0" + name)
    line.listen()
    globals()["_kept"] = line
    return answer


# ---------------------------------------------------------------- the kernel


def calls():
    """Make calls that the C library knows by name, with arguments that would do something."""
    null, here = None, b"/scratch"
    buffer = ctypes.create_string_buffer(64)
    return {
        "ptrace": _call(libc.ptrace, 0, 0, null, null),
        "process_vm_readv": _call(libc.process_vm_readv, os.getpid(), null, 0, null, 0, 0),
        "process_vm_writev": _call(libc.process_vm_writev, os.getpid(), null, 0, null, 0, 0),
        "mount": _call(libc.mount, b"t", here, b"tmpfs", 0, null),
        "umount": _call(libc.umount2, here, 2),
        "chroot": _call(libc.chroot, here),
        "unshare user": _call(libc.unshare, 0x10000000),
        "unshare net": _call(libc.unshare, 0x40000000),
        "unshare files": _call(libc.unshare, 0x400),
        "setns": _call(libc.setns, 0, 0),
        "personality": _call(libc.personality, ctypes.c_ulong(0xFFFFFFFF)),
        "swapon": _call(libc.swapon, here, 0),
        "sethostname": _call(libc.sethostname, b"x", 1),
        "settimeofday": _call(libc.settimeofday, buffer, null),
        "acct": _call(libc.acct, here),
        "quotactl": _call(libc.quotactl, 0, null, 0, null),
        "name_to_handle_at": _call(libc.name_to_handle_at, -100, here, buffer, buffer, 0),
        "fanotify_init": _call(libc.fanotify_init, 0, 0),
        "klogctl": _call(libc.klogctl, 10, null, 0),
        "reboot": _call(libc.reboot, 0),
        "vhangup": _call(libc.vhangup),
    }


# From the tables of the kernel: x86_64, aarch64.
NUMBERED = {
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "kexec_load": (246, 104),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "mount_setattr": (442, 442),
    "pivot_root": (155, 41),
    "shmget": (29, 194),
    "memfd_secret": (447, 447),
    "clone3": (435, 435),
    "memfd_create": (319, 279),
}


def numbered_calls():
    return {
        name: _call(libc.syscall, ctypes.c_long(numbers[not X86]), 0, 0, 0, 0, 0, 0)
        for name, numbers in NUMBERED.items()
    }


def clone_into_namespaces():
    """Clone with each flag that makes a namespace."""
    answers = {}
    flags = {"mnt": 0x20000, "cgroup": 0x2000000, "uts": 0x4000000, "ipc": 0x8000000}
    flags |= {"user": 0x10000000, "pid": 0x20000000, "net": 0x40000000}
    number = ctypes.c_long((56, 220)[not X86])
    for name, flag in flags.items():
        ctypes.set_errno(0)
        arguments = [ctypes.c_long(a) for a in (flag | signal.SIGCHLD, 0, 0, 0, 0)]
        pid = libc.syscall(number, *arguments)
        if pid == 0:
            os._exit(0)
        answers[name] = "ok" if pid > 0 else errno.errorcode[ctypes.get_errno()]
    return answers


def foreign_architecture():
    """Make a call through the x32 interface, in a child; return how the child ended."""
    pid = os.fork()
    if pid == 0:
        libc.syscall(ctypes.c_long(0x40000000 + 39))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def trace_child():
    """Look into a process of one's own with ptrace and through its memory."""
    pid = os.fork()
    if pid == 0:
        time.sleep(60)
    answers = {
        "attach": _call(libc.ptrace, 16, pid, None, None),
        "seize": _call(libc.ptrace, 0x4206, pid, None, None),
        "mem": _reason(lambda: open(f"/proc/{pid}/mem", "rb+").close()),
    }
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return answers


def become_root():
    answers = {
        "setuid": _reason(os.setuid, 0),
        "setgid": _reason(os.setgid, 0),
        "setgroups": _reason(os.setgroups, [0]),
        "chown": _reason(lambda: os.chown("/scratch", 0, 0)),
        "device": _reason(lambda: os.mknod("sda", stat.S_IFBLK | 0o600, os.makedev(8, 0))),
    }
    Path("own").write_bytes(Path("/bin/sh").read_bytes())
    os.chmod("own", 0o4755)
    done = subprocess.run(["./own", "-c", "id -u"], capture_output=True, text=True)
    answers["own setuid program"] = done.stdout.strip()
    return answers


def setuid_programs():
    """Return the setuid programs in sight, and whether the kernel would heed the bit."""
    found = {}
    for path in Path("/usr/bin").iterdir():
        with contextlib.suppress(OSError):
            if path.stat().st_mode & stat.S_ISUID:
                found[str(path)] = bool(os.statvfs(path).f_flag & os.ST_NOSUID)
    return found


def run_su():
    done = subprocess.run(
        ["su", "-c", "id -u"], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    return {"code": done.returncode, "said": done.stdout.strip()}


# ---------------------------------------------------------------- ways out


def ways_out(target):
    """Reach for a path of the host along every way that is not the path itself."""
    os.symlink(target, "link")
    os.symlink("/proc/1/root", "first")
    ways = [
        "link",
        f"first{target}",
        f"/proc/1/root{target}",
        f"/proc/1/cwd{target}",
        f"/proc/self/root{target}",
        f"/proc/self/cwd/../../..{target}",
        f"/proc/self/root/../..{target}",
        f"/proc/{os.getppid()}/root{target}",
        f"/../../../..{target}",
        f"/dev/fd/../../..{target}",
        f"/scratch/../..{target}",
    ]
    ways += [f"/proc/self/fd/{name}/..{target}" for name in os.listdir("/proc/self/fd")]
    return read(*ways)


def chroot_trick(target):
    """Leave a chroot by a folder that was open before; needs chroot to begin with."""
    os.makedirs("jail", exist_ok=True)
    descriptor = os.open("/", os.O_RDONLY)
    entered = _call(libc.chroot, b"jail")
    os.fchdir(descriptor)
    for _ in range(20):
        os.chdir("..")
    return {"chroot": entered, **read("." + target)}


def kernel_files():
    return {
        **read(
            "/proc/sys/kernel/hostname", "/proc/kallsyms", "/proc/kcore", "/sys", "/proc/cmdline"
        ),
        **write("/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/self/mem"),
    }


def fill_sockets(processes_, kibibytes):
    """Leave in many sockets what nobody reads: the kernel holds it, for no process."""
    import socket

    refused = ""
    one, _other = socket.socketpair()
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)
    except OSError as error:
        refused = type(error).__name__
    if not kibibytes:
        pairs = [socket.socketpair() for _ in range(processes_)]
        return [len(pairs) - processes_, refused]
    for _ in range(processes_):
        if os.fork() == 0:
            pairs = [socket.socketpair() for _ in range(100)]
            for pair in pairs:
                for end in pair:
                    end.setblocking(False)
                    try:
                        while True:
                            end.send(bytes(kibibytes << 10))
                    except BlockingIOError:
                        pass
            time.sleep(60)
            os._exit(0)
    time.sleep(60)
