"""Attacks on the sandbox, each made for real by a child; and honest work, which it does not hinder.

Every test with a zygote runs as whoever runs the tests, and, if that is root, as an ordinary user
too. What the children do is in ``attacks.py``.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import struct
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from course_lib.grading.engine import (
    landlock,
    sandbox,
    sandbox_check,
    sandbox_faults,
    seccomp,
    view,
)
from course_lib.grading.engine.sandbox import Limits, SandboxError
from course_lib.grading.engine.zygote import Zygote

from .attackers import (
    AT_REST,
    HERE,
    USERS,
    WITHIN,
    Attacker,
    as_ordinary_user,
    at_rest,
    attackable,
    descendants,
)

# Real processes in real sandboxes: a minute altogether.
pytestmark = pytest.mark.slow

ROOT = HERE.parents[2]

# What a child's TMPDIR says. It is /tmp as well, unless Python itself lies below the host's /tmp.
TMP = "/scratch/tmp"
MIB = 1 << 20

# Bytes that only this process has; read by a child, they would be a secret.
SECRET = b"the solution is " + os.urandom(8).hex().encode()
# What the children search for: a pattern that is not the secret itself.
MASKED = bytes(byte ^ 0x55 for byte in SECRET).hex()


@pytest.fixture(scope="module", autouse=True)
def _secret_in_the_environment():
    """Have something to hide before any zygote of this module is started."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_SECRET", SECRET.decode())
        yield


@pytest.fixture(scope="module", params=USERS)
def zygote(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """Return a zygote with a sandbox, light enough to be started for this module alone."""
    with attackable(request.param, tmp_path_factory.mktemp("zygote")) as zygote:
        yield zygote


@pytest.fixture
def attacker(zygote: Zygote) -> Iterator[Callable[..., Attacker]]:
    """Return what makes attackers: ``attacker(limits=..., scratch=...)``."""
    made = []

    def make(**options) -> Attacker:
        made.append(Attacker(zygote, **{"limits": Limits(), **options}))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def attack(attacker) -> Callable[..., object]:
    """Return what runs one attack in a child of its own and gives its answer."""
    return lambda name, *arguments: attacker()(name, *arguments)


# ---------------------------------------------------------------- honest work


def test_honest_work_goes_on(attack):
    done = attack("honest_work")
    assert done == ["thread", "process", "shell\n", "42\n", "pair", 64, True, True, "42"]


def test_files_of_the_assignment_are_there(attacker):
    files = {"data.csv": b"1,2\n", "images/a/one.txt": "mål".encode()}
    child = attacker(scratch=files)
    assert child("read_scratch") == {"data.csv": "1,2\n", "images/a/one.txt": "mål"}
    assert child("where") == {
        "cwd": "/scratch/work",
        "HOME": "/scratch/home",
        "TMPDIR": "/scratch/tmp",
        "MPLCONFIGDIR": "/scratch/home/matplotlib",
        "IPYTHONDIR": "/scratch/home/ipython",
    }


def test_children_do_not_see_each_other_s_files(attacker):
    one, other = attacker(scratch={"mine": b"1"}), attacker()
    one("fill_disk", TMP), one("fill_disk", "/dev/shm")
    assert other("read_scratch") == {}
    assert other("read", TMP, "/dev/shm") == {TMP: "folder: []", "/dev/shm": "folder: []"}


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "a/../../b", "", "."])
def test_scratch_files_stay_in_scratch(attacker, name):
    with pytest.raises(SandboxError, match="not a path inside the working folder"):
        attacker(scratch={name: b"x"})


def test_scratch_files_that_do_not_fit_are_an_error(attacker):
    with pytest.raises(SandboxError, match=r"'big' cannot be put into the working folder"):
        attacker(scratch={"big": b"x" * 2 * MIB}, limits=Limits(scratch_bytes=MIB))


# ---------------------------------------------------------------- looking around


def test_secrets_cannot_be_read(attack, tmp_path):
    gradebook = tmp_path / "gradebook.db"
    gradebook.write_text("scores")
    gradebook.chmod(0o644)
    secrets = [ROOT / "solutions", ROOT / "tests", ROOT / "nbgrader_config.py", ROOT / "_toc.yml"]
    secrets += [ROOT / ".git", gradebook, Path.home() / ".bashrc", "/etc/shadow", "/etc/hostname"]
    secrets += ["/var", "/home", "/sys", "/run", "/boot", "/etc/ssh", "/usr/share/doc"]
    # A folder on the way to this Python, or to this course, is in sight, but for what lies in it.
    on_the_way = {p for s in view.visible_paths() for p in Path(os.path.realpath(s)).parents}
    secrets = [path for path in secrets if Path(path) not in on_the_way]
    assert (ROOT / "solutions").is_dir()
    assert set(attack("read", *map(str, secrets)).values()) == {"ENOENT"}


def test_nothing_of_the_course_is_in_sight(attack):
    names = ("solutions", "gradebook.db", "shadow", "misconceptions", "sample_class", "attacks.py")
    found = [path for path in attack("find", *names) if "/site-packages/" not in path]
    assert found == []
    package = Path(sandbox.__file__).parents[2]
    # Honest code reads the package, and the control that `find` finds: its own folder.
    assert str(package / "grading") in attack("find", "grading")


def test_of_a_closed_home_only_python_is_in_sight(attack):
    for prefix in {sys.prefix, sys.base_prefix} - {"/usr"}:
        above = Path(prefix).parent
        seen = attack("read", str(above))[str(above)]
        on_the_way = {path for path in map(Path, view.visible_paths()) if above in path.parents}
        names = sorted({path.relative_to(above).parts[0] for path in on_the_way})
        assert seen == f"folder: {names}"


def test_other_processes_cannot_be_seen(attack):
    met = attack("processes")
    assert met["seen"] == [met["own"]]
    assert met["parent"] == 0


def test_the_first_process_of_the_namespace_cannot_be_looked_into(attack):
    files = ("environ", "mem", "maps", "exe", "root", "cwd", "fd")
    met = attack("read", *(f"/proc/1/{name}" for name in files))
    assert set(met.values()) == {"ENOENT"}


def test_the_environment_is_clean(attack):
    met = attack("environment")
    assert "COURSE_SECRET" not in met
    known = {*sandbox._ENVIRONMENT, "HOME", "TMPDIR", "MPLCONFIGDIR", "IPYTHONDIR"}
    assert set(met) <= known | {"LC_CTYPE"}


def test_only_its_own_descriptors_are_open(attack):
    met = attack("descriptors")
    assert [met.pop(number) for number in "012"] == ["/dev/null"] * 3
    assert [name.split(":")[0] for name in met.values()] == ["socket"]


def test_the_supervisor_s_secrets_are_not_in_its_memory(attacker):
    child = attacker(limits=Limits(memory=2048 * MIB), scratch={"a": b"x"})
    control = child("search_memory", MASKED, True)
    assert control["hits"] > 0
    fresh = attacker(limits=Limits(memory=2048 * MIB), scratch={"a": b"x"})
    met = fresh("search_memory", MASKED, False)
    assert met["hits"] == 0
    assert met["searched"] > 5 * MIB


def test_what_one_child_is_given_is_not_in_the_memory_of_the_next(attacker):
    attacker(scratch={"answers": SECRET * 1000})("add", 1, 2)
    assert attacker()("search_memory", MASKED, False)["hits"] == 0


def test_it_has_no_rights(attack):
    met = attack("rights")
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(met[name], 16) == 0
    assert met["NoNewPrivs"] == "1"
    assert met["Seccomp"] == "2"
    assert met["dumpable"] == 0
    assert met["uid"] >= 1000
    # Groups that are nobody's in this namespace, as many as its user has outside.
    assert set(met["Groups"].split()) <= {"65534", str(view.UID)}
    assert met["hostname"] == "sandbox"
    assert met["session"]


def test_every_mount_is_read_only_or_its_own(attack):
    writable = set()
    for line in attack("mounts"):
        _, place, kind, options, *_ = line.split()
        assert "nosuid" in options, line
        if "ro" not in options.split(","):
            writable.add((place, kind))
    own = {("/scratch", "tmpfs"), ("/dev/shm", "tmpfs"), ("/dev/pts", "devpts"), ("/proc", "proc")}
    assert writable == own


# ---------------------------------------------------------------- changing things


def test_nothing_outside_of_scratch_can_be_written(attack, tmp_path):
    tmp_path.chmod(0o777)
    mine = tmp_path / "mine"
    mine.touch()
    mine.chmod(0o666)
    targets = [sys.executable, sandbox.__file__, os.__file__, "/etc/passwd", "/new", "/usr/new"]
    # A program that runs is busy for its owner, whatever it lies on.
    assert set(attack("write", *targets).values()) <= {"EROFS", "EACCES", "EPERM", "ETXTBSY"}
    assert attack("write", str(mine)) == {str(mine): "ENOENT"}
    inside = ("/scratch/new", f"{TMP}/new")
    assert attack("write", *inside) == dict.fromkeys(inside, "ok")


def test_no_folder_outside_of_scratch_is_writable(attack):
    assert set(attack("write_everywhere")) <= {"/dev/shm"}


def test_mounts_cannot_be_changed(attack):
    assert set(attack("remount").values()) == {"EPERM"}


def test_the_disk_cannot_be_filled(attacker):
    child = attacker(limits=Limits(scratch_bytes=32 * MIB))
    met = child("fill_disk", ".")
    assert met["reason"] == "ENOSPC"
    assert 20 * MIB < met["bytes"] <= 32 * MIB
    assert child("fill_disk", "/dev/shm")["bytes"] <= 64 * MIB


def test_a_file_cannot_be_too_large(attacker):
    child = attacker(limits=Limits(file_size=4 * MIB))
    assert child("one_large_file", 4 * MIB) == "ok"
    assert child("one_large_file", 4 * MIB + 1) == "EFBIG"


def test_there_cannot_be_too_many_files(attacker):
    met = attacker(limits=Limits(scratch_bytes=4 * MIB))("many_files")
    assert met["reason"] in ("ENOSPC", "EDQUOT")
    assert met["count"] <= 1024


# ---------------------------------------------------------------- taking too much


def test_memory_in_one_piece(attacker):
    child = attacker(limits=Limits(memory=256 * MIB))
    met = child("large_memory", 10**10)
    assert met == {
        "bytearray": "MemoryError",
        "private": "ENOMEM",
        "shared": "ENOMEM",
        "memfd": "ENOSYS",
        "shm": met["shm"],
        "shmget": "EPERM",
    }
    assert met["shm"] in ("ENOSPC", "EFBIG")
    assert child("add", 1, 2) == 3


def test_memory_in_small_pieces(attacker):
    child = attacker(limits=Limits(memory=256 * MIB))
    # A little more than allowed fits into what the zygote had to spare.
    assert 200 * MIB < child("small_allocations") < 280 * MIB
    assert child("add", 1, 2) == 3


def test_memory_of_several_processes_together(attacker):
    child = attacker(limits=Limits(memory=256 * MIB))
    # They hold on to it for a minute, unless they are stopped.
    assert child("allocate_together", 6, 150 * MIB) is None
    assert child.child.wait(WITHIN).reason == "memory"


def test_memory_that_the_kernel_holds_for_sockets(attacker):
    child = attacker(limits=Limits(memory=256 * MIB))
    # Many sockets that nothing waits in are nobody's memory.
    assert child("fill_sockets", 60, 0) == [0, "PermissionError"]
    assert child("fill_sockets", 10, 8) is None
    assert child.child.wait(WITHIN).reason == "memory"


def test_memory_that_processes_share_counts_once(attacker):
    child = attacker(limits=Limits(memory=256 * MIB))
    assert child("share_memory", 5, 150 * MIB) == 150 * MIB


def test_fork_bomb(attacker):
    child, other = attacker(limits=Limits(processes=20)), attacker()
    assert child("fork_bomb") == 19
    assert other("honest_work")[-1] == "42"


def test_fork_bomb_that_spreads(attacker, zygote):
    assert at_rest(zygote)
    child, other = attacker(limits=Limits(processes=20, cpu_seconds=100_000)), attacker()
    child.start("spreading_fork_bomb")
    time.sleep(0.3)
    assert len(descendants(zygote.pid)) <= AT_REST + 20 + 8
    assert other("add", 1, 2) == 3
    child.child.kill()
    assert child.child.wait(WITHIN).reason == "killed"
    other.close()
    other.child.wait(WITHIN)
    assert at_rest(zygote)


def test_orphans_are_collected(attacker):
    """The dead count as processes until somebody asks for them; a hundred would be too many."""
    assert attacker(limits=Limits(processes=20))("orphans", 100) == 100


def test_thread_bomb(attacker):
    assert attacker(limits=Limits(processes=20))("thread_bomb") == 19


def test_open_files(attacker):
    met = attacker(limits=Limits(files=64))("open_many_files")
    assert met["reason"] == "EMFILE"
    assert met["count"] < 64


def test_processor_time_of_one_process(attacker):
    child = attacker(limits=Limits(cpu_seconds=1))
    assert child("spin") is None
    assert child.child.wait(WITHIN).reason == "cpu"


def test_processor_time_of_several_processes_together(attacker):
    child = attacker(limits=Limits(cpu_seconds=2))
    assert child("spin_in_children", 4) is None
    assert child.child.wait(WITHIN).reason == "cpu"


def test_output_that_nobody_reads(attack):
    assert attack("print_much") == 200


def test_limits_cannot_be_raised(attack):
    assert set(attack("raise_limits").values()) == {"refused"}


# ---------------------------------------------------------------- surviving, and harming others


@pytest.mark.parametrize("end", ["kill", "leave"])
def test_nothing_survives_the_child(attacker, zygote, end):
    assert at_rest(zygote)
    child = attacker()
    if end == "kill":
        assert child("daemon") == "left behind"
        assert len(descendants(zygote.pid)) > AT_REST + 1
        child.child.kill()
        assert child.child.wait(WITHIN).reason == "killed"
    else:
        assert child("daemon_and_leave") is None
        assert child.child.wait(WITHIN).code == 7
    assert at_rest(zygote)


def test_signals_reach_nobody_else(attacker, zygote):
    sibling, child = attacker(), attacker()
    met = child("kill_others")
    assert met["everybody"] == "ESRCH"
    assert met["first"] in ("ok", "EPERM")  # "ok" is what the kernel says, and does nothing
    assert met["many"] == "ESRCH"
    assert child("add", 1, 2) == 3
    assert sibling("add", 1, 2) == 3
    assert zygote.is_alive()
    assert attacker()("add", 1, 2) == 3


# ---------------------------------------------------------------- the network


def test_no_socket_but_unix(attack):
    met = attack("sockets")
    assert met.pop("UNIX") == "ok"
    assert set(met.values()) == {"EPERM"}


def test_unix_sockets_of_the_host_are_out_of_reach(attack, tmp_path):
    tmp_path.chmod(0o755)
    addresses = [f"@course-{os.getpid()}", str(tmp_path / "socket")]
    with socket.socket(socket.AF_UNIX) as abstract, socket.socket(socket.AF_UNIX) as named:
        for line, address in zip((abstract, named), addresses, strict=True):
            line.bind(address.replace("@", "\0"))
            line.listen()
            with socket.socket(socket.AF_UNIX) as control:
                control.connect(address.replace("@", "\0"))
        met = attack("connect", *addresses)
    assert met[addresses[0]] in ("ECONNREFUSED", "EPERM")
    assert met[addresses[1]] == "ENOENT"


def test_children_cannot_talk_to_each_other(attacker):
    one, other = attacker(), attacker()
    assert one("listen_abstract", "meeting") == "ok"
    assert one("connect", "@meeting") == {"@meeting": "ok"}
    assert other("connect", "@meeting")["@meeting"] in ("ECONNREFUSED", "EPERM")
    with socket.socket(socket.AF_UNIX) as host, pytest.raises(ConnectionRefusedError):
        host.connect("\0meeting")


# ---------------------------------------------------------------- the kernel


def test_calls_that_a_student_has_no_business_making(attack):
    assert set(attack("calls").values()) == {"EPERM"}


def test_calls_by_number(attack):
    met = attack("numbered_calls")
    assert [met.pop(name) for name in ("clone3", "memfd_create")] == ["ENOSYS", "ENOSYS"]
    assert set(met.values()) == {"EPERM"}


def test_no_namespaces_by_clone(attack):
    assert set(attack("clone_into_namespaces").values()) == {"EPERM"}


def test_foreign_architectures_are_killed(attack):
    # On aarch64 the number means nothing, and the call fails.
    expected = -signal.SIGSYS if sandbox.kernel.machine() == "x86_64" else 0
    assert attack("foreign_architecture") == expected


def test_not_even_its_own_children_can_be_traced(attack):
    met = attack("trace_child")
    assert met.pop("mem") in ("ENOENT", "EACCES")
    assert met == {"attach": "EPERM", "seize": "EPERM"}


def test_nobody_becomes_root(attack):
    met = attack("become_root")
    assert met.pop("own setuid program") not in ("", "0")
    assert set(met.values()) <= {"EPERM", "EINVAL", "EACCES"}


def test_setuid_programs_have_no_effect(attack):
    met = attack("setuid_programs")
    assert met
    assert all(met.values())
    assert attack("run_su") != {"code": 0, "said": "0"}
    assert attack("run_su")["said"] == ""


def test_kernel_files(attack):
    met = attack("kernel_files")
    # One's own memory is no secret; Landlock does not know it all the same.
    assert met.pop("/proc/self/mem") in ({"EACCES"} if landlock.version() else {"EACCES", "ok"})
    assert set(met.values()) == {"ENOENT"}


# ---------------------------------------------------------------- ways out


def test_ways_out(attack):
    met = attack("ways_out", str(ROOT / "solutions"))
    assert set(met.values()) <= {"ENOENT", "EACCES", "ENOTDIR"}
    assert len(met) > 10


def test_chroot_trick(attack):
    met = attack("chroot_trick", str(ROOT / "solutions"))
    assert met.pop("chroot") == "EPERM"
    assert set(met.values()) == {"ENOENT"}


def test_nothing_is_left_on_the_host(attacker, zygote):
    name = f"left-behind-{os.getpid()}"
    mounts = set(Path("/proc/self/mounts").read_text().splitlines())
    child = attacker(scratch={name: b"x"})
    assert child("write", f"{TMP}/{name}") == {f"{TMP}/{name}": "ok"}
    child.close()
    assert child.child.wait(WITHIN) is not None
    # Others on this machine may mount what they like.
    new = set(Path("/proc/self/mounts").read_text().splitlines()) - mounts
    ours = {"view", "scratch", "shm", "masked", "small", "open"}
    assert not [line for line in new if line.split()[0] in ours]
    assert not [path for path in ("/tmp", "/dev/shm", "/") if name in os.listdir(path)]


# ---------------------------------------------------------------- each barrier by itself


def _run_python(source: str, executable: str = sys.executable) -> subprocess.CompletedProcess:
    command = [executable, "-P", "-c", textwrap.dedent(source)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def test_landlock_alone(tmp_path):
    (tmp_path / "in").mkdir()
    done = _run_python(f"""
        import os
        from course_lib.grading.engine import kernel, landlock
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        landlock.confine([{str(tmp_path / "in")!r}])
        print(open({__file__!r}).read(3))
        open({str(tmp_path / "in" / "a")!r}, "w").close()
        try:
            open({str(tmp_path / "b")!r}, "w")
        except PermissionError:
            print("refused")
    """)
    words = done.stdout.split()
    assert words[0] == '"""', done.stderr
    assert (tmp_path / "in" / "a").exists()
    # Without Landlock this barrier is silently not there.
    assert words[1:] == (["refused"] if landlock.version() else [])


def test_the_filter_alone():
    done = _run_python("""
        import ctypes, os, socket
        from course_lib.grading.engine import kernel, seccomp
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        seccomp.install(seccomp.build())
        socket.socketpair()
        try:
            socket.socket(socket.AF_INET)
        except PermissionError:
            print("refused")
    """)
    assert done.stdout == "refused\n", done.stderr


def _answer(program: bytes, architecture: int, number: int, *arguments: int) -> int:
    """Run a filter as the kernel would; an interpreter of the five instructions it has."""
    given = [argument & (2**64 - 1) for argument in (*arguments, *[0] * 6)][:6]
    data = struct.pack("=iIQ6Q", number, architecture, 0, *given)
    accumulator = position = 0
    while True:
        code, if_true, if_false, operand = struct.unpack_from("=HBBI", program, position * 8)
        position += 1
        if code == 0x06:
            return operand
        if code == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, operand)
            continue
        holds = {0x15: accumulator == operand, 0x35: accumulator >= operand}
        holds[0x45] = bool(accumulator & operand)
        position += if_true if holds[code] else if_false


ALLOWED, KILLED = 0x7FFF0000, 0x80000000
REFUSED, ABSENT = 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS
X86, ARM = 0xC000003E, 0xC00000B7


# The numbers are those of Linux's own tables: arch/x86/entry/syscalls/syscall_64.tbl, and
# include/uapi/asm-generic/unistd.h, which aarch64 uses.
@pytest.mark.parametrize(
    ("machine", "number", "first", "expected"),
    [
        ("x86_64", 0, 0, ALLOWED),  # read
        ("x86_64", 257, 0, ALLOWED),  # openat
        ("x86_64", 59, 0, ALLOWED),  # execve
        ("x86_64", 56, 0x01200011, ALLOWED),  # clone, as fork calls it
        ("x86_64", 56, 0x10000011, REFUSED),  # clone into a user namespace
        ("x86_64", 41, 1, ALLOWED),  # socket, Unix
        ("x86_64", 41, 2, REFUSED),  # socket, internet
        ("x86_64", 53, 1, ALLOWED),  # socketpair
        ("x86_64", 101, 0, REFUSED),  # ptrace
        ("x86_64", 165, 0, REFUSED),  # mount
        ("x86_64", 272, 0, REFUSED),  # unshare
        ("x86_64", 425, 0, REFUSED),  # io_uring_setup
        ("x86_64", 435, 0, ABSENT),  # clone3
        ("x86_64", 0x40000000, 0, KILLED),  # read, x32
        ("aarch64", 63, 0, ALLOWED),  # read
        ("aarch64", 56, 0, ALLOWED),  # openat
        ("aarch64", 221, 0, ALLOWED),  # execve
        ("aarch64", 220, 0x01200011, ALLOWED),
        ("aarch64", 220, 0x10000011, REFUSED),
        ("aarch64", 198, 1, ALLOWED),
        ("aarch64", 198, 10, REFUSED),
        ("aarch64", 117, 0, REFUSED),
        ("aarch64", 40, 0, REFUSED),
        ("aarch64", 97, 0, REFUSED),
        ("aarch64", 280, 0, REFUSED),  # bpf
        ("aarch64", 435, 0, ABSENT),
        ("x86_64", 206, 0, REFUSED),  # io_setup
        ("aarch64", 0, 0, REFUSED),
        ("x86_64", 44, (3, 0, 1, 0x4000), ALLOWED),  # sendto, MSG_NOSIGNAL
        ("x86_64", 44, (3, 0, 1, 0x4001), REFUSED),  # and MSG_OOB
        ("x86_64", 46, (3, 0, 1), REFUSED),  # sendmsg
        ("x86_64", 47, (3, 1, 0), ALLOWED),  # recvmsg
        ("aarch64", 207, (3, 0, 1, 1), REFUSED),  # recvfrom
        ("x86_64", 54, (3, 1, 2), ALLOWED),  # setsockopt, SO_REUSEADDR
        ("x86_64", 54, (3, 1, 7), REFUSED),  # SO_SNDBUF
        ("aarch64", 208, (3, 1, 33), REFUSED),  # SO_RCVBUFFORCE
    ],
)
def test_the_filter_for_each_processor(machine, number, first, expected):
    own, other = (X86, ARM) if machine == "x86_64" else (ARM, X86)
    program = seccomp.build(machine)
    arguments = first if isinstance(first, tuple) else (first,)
    assert _answer(program, own, number, *arguments) == expected
    assert _answer(program, other, number, *arguments) == KILLED


# ---------------------------------------------------------------- what is missing


def _tried_by(program: str) -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox.sys, "executable", program)
        return sandbox_check.missing_for_sandbox()


def test_no_wall_is_missing_here():
    assert sandbox_check.missing_for_sandbox() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="the test before is this one")
def test_no_wall_is_missing_for_an_ordinary_user(tmp_path):
    assert _tried_by(as_ordinary_user(tmp_path)) == []


BECOME_ROOT_OF_A_USER_NAMESPACE = """\
import os, sys
from pathlib import Path
from course_lib.grading.engine import kernel

def become_root():
    uid, gid = os.geteuid(), os.getegid()
    kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
    Path("/proc/self/gid_map").write_text(f"0 {gid} 1")

become_root()
"""
GO_ON = "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"

WITHOUT_USER_NAMESPACES = f"""\
{BECOME_ROOT_OF_A_USER_NAMESPACE}
Path("/proc/sys/user/max_user_namespaces").write_text("0")
kernel.drop_bounding_set()
kernel.drop_capabilities()
{GO_ON}
"""

# The mask is locked to /proc for a namespace that belongs to another user namespace.
WITH_A_MASKED_PROC = f"""\
{BECOME_ROOT_OF_A_USER_NAMESPACE}
kernel.mount("masked", "/proc/sys", "tmpfs", 0)
become_root()
{GO_ON}
"""

ROOT_WITH_NO_OTHER_USERS = f"""\
{BECOME_ROOT_OF_A_USER_NAMESPACE}
{GO_ON}
"""


def _program(tmp_path: Path, source: str) -> str:
    path = tmp_path / "python-elsewhere"
    path.write_text(f"#!{sys.executable} -P\n{source}")
    path.chmod(0o755)
    return str(path)


def test_where_user_namespaces_are_switched_off(tmp_path):
    program = _program(tmp_path, WITHOUT_USER_NAMESPACES)
    (reason,) = _tried_by(program)
    assert "sysctl -w user.max_user_namespaces=" in reason
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox.sys, "executable", program)
        with pytest.raises(SandboxError, match="user namespace"):
            Zygote(())


def test_where_a_container_masks_proc(tmp_path):
    (reason,) = _tried_by(_program(tmp_path, WITH_A_MASKED_PROC))
    assert "/proc of its own" in reason


def test_where_processes_cannot_be_counted(tmp_path):
    """The kernel counts no process of the machine's real root, whatever he is called in there."""
    reasons = _tried_by(_program(tmp_path, ROOT_WITH_NO_OTHER_USERS))
    assert len(reasons) == (os.geteuid() == 0)
    assert all("processes of the superuser cannot be limited" in reason for reason in reasons)


@pytest.mark.parametrize(
    ("path", "text", "remedy"),
    [
        ("proc/sys/user/max_user_namespaces", "0\n", "user.max_user_namespaces=10000"),
        ("proc/sys/kernel/unprivileged_userns_clone", "0\n", "unprivileged_userns_clone=1"),
        (
            "proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            "1\n",
            "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        (".dockerenv", "", "--security-opt seccomp=unconfined"),
        ("run/.containerenv", "", "--security-opt systempaths=unconfined"),
        ("nothing", "", "grade on a Linux machine (5.12 or newer)"),
    ],
)
def test_the_reason_says_what_to_do(monkeypatch, tmp_path, path, text, remedy):
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(text)
    error = PermissionError(errno.EPERM, "unshare: Operation not permitted")
    monkeypatch.setattr(sandbox.os, "geteuid", lambda: 1000)
    said = sandbox_faults.explain("a user namespace", error, machine=tmp_path)
    assert ("grade as root" in said) == ("docker" not in said)
    assert remedy in said
    assert "a user namespace" in said
    assert "not permitted" in said
    assert said.endswith(".")


def test_where_root_is_refused_it_is_a_container(monkeypatch, tmp_path):
    monkeypatch.setattr(sandbox.os, "geteuid", lambda: 0)
    said = sandbox_faults.explain("a user namespace", PermissionError("no"), machine=tmp_path)
    assert "--security-opt seccomp=unconfined" in said
    assert "grade as root" not in said


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_are_refused(monkeypatch, platform):
    monkeypatch.setattr(sandbox.sys, "platform", platform)
    with pytest.raises(SandboxError, match=f"needs Linux, and this is {platform}") as refusal:
        sandbox.isolate()
    assert "Linux container" in str(refusal.value)


def test_unknown_processors_are_refused(monkeypatch):
    monkeypatch.setattr(sandbox.kernel, "machine", lambda: "riscv64")
    with pytest.raises(SandboxError, match="riscv64"):
        sandbox.isolate()


def test_a_sandbox_that_cannot_be_tried_is_missing(tmp_path):
    (reason,) = _tried_by(str(tmp_path / "no-such-python"))
    assert "could not be tried" in reason


# ---------------------------------------------------------------- spare users


@pytest.mark.parametrize(
    ("user_map", "first", "last"),
    [
        ("         0          0 4294967295\n", 1 << 28, (1 << 29) - 1),
        ("0 100000 65536\n", 32768, 65535),
        ("0 1000 1\n1 100000 65536\n", 32769, 65536),
    ],
)
def test_spare_users_are_the_upper_part_of_the_map(user_map, first, last):
    spare = sandbox._spare(user_map)
    assert (spare[0], spare[-1]) == (first, last)


@pytest.mark.parametrize("user_map", ["0 1000 1\n", "", "0 0 10\n"])
def test_small_maps_have_no_spare_users(user_map):
    assert sandbox._spare(user_map) is None


def test_as_nobody_is_an_ordinary_user(attacker, zygote, tmp_path):
    """The control of the fixture: what runs outside of the sandbox is not root either."""
    assert at_rest(zygote)
    owners = {os.stat(f"/proc/{pid}").st_uid for pid in descendants(zygote.pid)}
    status = Path(f"/proc/{zygote.pid}/status").read_text()
    uid = int(status.split("Uid:")[1].split()[0])
    assert (uid == 0) == (os.geteuid() == 0 and "root" in os.environ["PYTEST_CURRENT_TEST"])
    assert owners


def test_attacker_reports_a_dead_child(attacker):
    child: Attacker = attacker()
    child.child.kill()
    child.child.wait(WITHIN)
    assert child("add", 1, 2) is None
