"""The warm process: how small its forks are, and that it ends with all it started."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from course_lib.grading.engine import zygote as zygote_module
from course_lib.grading.engine import zygote_server
from course_lib.grading.engine.sandbox import Limits, SandboxError
from course_lib.grading.engine.zygote import DEFAULT_PRELOAD, Child, Zygote, ZygoteDied

from .attackers import AT_REST, HERE, WITHIN, at_rest, descendants, soon

# Real processes in real sandboxes: a minute altogether.
pytestmark = pytest.mark.slow

MIB = 1 << 20


@contextlib.contextmanager
def warm(*preload: str, **options) -> Iterator[Zygote]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(zygote_module._ENVIRONMENT_SET, "PYTHONPATH", str(HERE))
        zygote = Zygote((*preload, "warm_attacks"), **options)
    with zygote:
        yield zygote


@pytest.fixture(scope="module")
def torch_zygote():
    with warm(*DEFAULT_PRELOAD) as zygote:
        yield zygote


@pytest.fixture(scope="module")
def light():
    with warm() as zygote:
        yield zygote


def spawn(zygote: Zygote, target: str, *, sandboxed: bool = True, **options):
    """Start a child that has one socket; return it and our end."""
    ours, theirs = socket.socketpair()
    ours.settimeout(WITHIN)
    with theirs:
        return zygote.spawn(
            f"warm_attacks:{target}", [theirs], sandboxed=sandboxed, **options
        ), ours


def ask(zygote: Zygote, target: str, **options):
    child, line = spawn(zygote, target, **options)
    with line, line.makefile() as stream:
        answer = json.loads(stream.read())
    assert child.wait(WITHIN) is not None
    return answer


def ends(zygote: Zygote, target: str, say: object):
    child, line = spawn(zygote, target)
    with line:
        line.sendall(str(int(say)).encode())
        return child.wait(WITHIN)


def _gone(pids: set[int], within: float = WITHIN) -> bool:
    """Tell whether all of these processes end in time; a dead one that waits to be read counts."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        if not any(_runs(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# ---------------------------------------------------------------- warm, quick and small


@pytest.mark.slow
def test_a_child_of_the_warm_process_loads_nothing_and_is_small(torch_zygote):
    # How quick it is stands in benchmarks/grading.py. What would make it slow is an import.
    facts = ask(torch_zygote, "answer")
    assert facts["loaded"] == []
    assert facts["private"] < 40 * MIB
    assert facts["private after"] < 60 * MIB


@pytest.mark.slow
def test_children_are_fresh(torch_zygote):
    one, other = (ask(torch_zygote, "answer") for _ in range(2))
    for facts in (one, other):
        assert facts["threads"] == facts["torch threads"] == 1
        assert facts["handlers"] == []
        assert facts["cwd"] == "/scratch/work"
    for source in ("random", "numpy", "torch"):
        assert one[source] != other[source]


@pytest.mark.slow
def test_the_warm_process_hides_nothing_and_has_one_thread(torch_zygote):
    (forking,) = (pid for pid in descendants(torch_zygote.pid) if _resident(pid) > 150 * MIB)
    assert len(os.listdir(f"/proc/{forking}/task")) == 1
    variables = Path(f"/proc/{forking}/environ").read_bytes().decode().split("\0")
    names = {variable.partition("=")[0] for variable in variables if variable}
    allowed = {*zygote_module._ENVIRONMENT_KEPT, *zygote_module._ENVIRONMENT_SET, "PYTHONPATH"}
    assert names <= allowed | {"COURSE_SANDBOX", "LC_CTYPE"}


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
    except OSError:
        return 0


def test_what_is_not_installed_is_passed_over():
    with warm("no_such_package", "no_such_package.sub") as zygote:
        assert ask(zygote, "read_all")[1] == {}


def test_a_module_that_keeps_a_thread_is_named():
    with (
        pytest.raises(ZygoteDied, match="2 threads after importing keeps_a_thread"),
        warm("keeps_a_thread"),
    ):
        pass


# ---------------------------------------------------------------- how children end


@pytest.mark.parametrize("code", [0, 3, 255])
def test_exit_codes(light, code):
    for target in ("leave", "leave_at_once"):
        end = ends(light, target, code)
        assert (end.code, end.signal, end.reason) == (code, None, "exit")
    assert end.max_rss > MIB
    assert end.cpu_seconds >= 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_signals(light, number):
    end = ends(light, "end_by_signal", number)
    assert (end.code, end.signal, end.reason) == (None, number, "signal")


def test_an_exception_is_exit_code_one(light):
    child, line = spawn(light, "fail")
    with line:
        assert child.wait(WITHIN).code == 1


def test_the_sockets_close_with_the_child(light):
    child, line = spawn(light, "fail")
    with line:
        assert line.recv(1) == b""
    child.wait(WITHIN)


@pytest.mark.parametrize(
    ("target", "says"),
    [("warm_attacks:no_such", "no_such"), ("no_such_module:run", "no_such_module")],
)
def test_a_target_that_is_not_there(light, target, says):
    with pytest.raises(SandboxError, match=says):
        light.spawn(target, [], sandboxed=True)
    assert ask(light, "read_all")[1] == {}


def test_waiting_has_an_end(light):
    child = light.spawn("warm_attacks:sleep", [], sandboxed=True)
    assert child.wait(0.1) is None
    assert child.wait(0) is None
    child.kill()
    assert child.wait(WITHIN).reason == "killed"


def test_killing_twice_is_killing_once(light):
    child = light.spawn("warm_attacks:sleep", [], sandboxed=True)
    for _ in range(3):
        child.kill()
    end = child.wait(WITHIN)
    child.kill()
    assert child.wait(WITHIN) is end
    assert (end.signal, end.reason) == (signal.SIGKILL, "killed")


def test_a_child_that_nobody_holds_is_killed(light):
    assert at_rest(light)
    child = light.spawn("warm_attacks:sleep_with_a_child", [], sandboxed=True)
    assert has_a_child_with_a_child(light.pid)
    del child
    assert at_rest(light)


def has_a_child_with_a_child(pid: int) -> bool:
    """Tell whether a zygote comes to have a room in use, and in it a child and the child's."""
    return soon(lambda: len(descendants(pid)) == AT_REST + 3)


def test_many_children_at_once_from_many_threads(light):
    assert at_rest(light)
    answers: list = []

    def grade() -> None:
        for _ in range(4):
            answers.append(ask(light, "read_all", scratch={"a": b"1"}))

    threads = [threading.Thread(target=grade) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WITHIN)
    assert [answer[1] for answer in answers] == [{"a": "1"}] * 16
    assert at_rest(light)


def test_nothing_piles_up(light):
    ask(light, "read_all")
    assert at_rest(light)
    gc.collect()
    own = len(os.listdir("/proc/self/fd"))
    theirs = {pid: _open_files(pid) for pid in descendants(light.pid) if _open_files(pid)}
    for _ in range(20):
        ask(light, "read_all")
    assert at_rest(light)
    gc.collect()
    # One that is left of each child would be twenty.
    assert len(os.listdir("/proc/self/fd")) < own + 20
    assert soon(lambda: all(_open_files(pid) < n + 20 for pid, n in theirs.items() if _runs(pid)))


def _open_files(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def test_large_working_folders(light):
    content = os.urandom(MIB).hex().encode()
    files = {f"{number}.txt": content for number in range(20)}
    child, line = spawn(light, "read_all", scratch=files)
    with line, line.makefile() as stream:
        assert len(json.loads(stream.read())[1]) == 20
    child.wait(WITHIN)


# ---------------------------------------------------------------- when the zygote itself ends


def _kill(pids: set[int]) -> None:
    """End processes at one moment: stopped first, none sees the end of another."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


@pytest.mark.parametrize("which", ["outermost", "youngest room", "all"])
def test_a_killed_zygote_takes_its_children_with_it(which):
    with warm() as zygote:
        child = zygote.spawn("warm_attacks:sleep_with_a_child", [], sandboxed=True)
        assert has_a_child_with_a_child(zygote.pid)
        # A room that is not furnished yet holds on to what its maker holds.
        (maker,) = _makers_of_rooms(zygote)
        assert soon(lambda: all(_open_files(room) == 3 for room in _children(maker)))
        everybody = {zygote.pid} | descendants(zygote.pid)
        if which == "outermost":
            _kill({zygote.pid})
        elif which == "all":
            _kill(everybody)
        else:
            # What makes rooms is the zygote's child that has had no program of its own to start.
            _kill({maker})
        with pytest.raises(ZygoteDied):
            child.wait(WITHIN)
        assert _gone(everybody)
        with pytest.raises(ZygoteDied):
            zygote.spawn("warm_attacks:sleep", [], sandboxed=True)
        child.kill()  # of the dead, nothing
        assert not zygote.is_alive()
    with warm() as again:
        assert ask(again, "read_all")[1] == {}


def _makers_of_rooms(zygote: Zygote) -> set[int]:
    """Return the children of the forking process that have children themselves."""
    (first,) = _children(zygote.pid)
    return {pid for pid in _children(first) if _children(pid) and not _is_in_a_room(pid, first)}


def _children(pid: int) -> set[int]:
    return {
        other
        for other in descendants(pid)
        if Path(f"/proc/{other}/stat").read_text().rpartition(")")[2].split()[1] == str(pid)
    }


def _is_in_a_room(pid: int, first: int) -> bool:
    return os.stat(f"/proc/{pid}/ns/pid").st_ino != os.stat(f"/proc/{first}/ns/pid").st_ino


def test_a_closed_zygote_leaves_nothing():
    with warm() as zygote:
        child = zygote.spawn("warm_attacks:sleep_with_a_child", [], sandboxed=True)
        everybody = {zygote.pid} | descendants(zygote.pid)
    assert _gone(everybody)
    with pytest.raises(ZygoteDied):
        child.wait(1)


def test_one_that_is_closed_before_it_is_warm_ends_at_once_and_says_so():
    began = Zygote(DEFAULT_PRELOAD, wait=False)
    waited: list[BaseException] = []

    def wait() -> None:
        try:
            began.wait_until_warm()
        except ZygoteDied as error:
            waited.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    began.close()
    thread.join(WITHIN)
    assert len(waited) == 1
    assert not began.is_alive()
    with pytest.raises(ZygoteDied, match="closed before it was warm"):
        began.wait_until_warm()


def test_who_asks_for_a_child_need_not_wait_until_memory_is_in_order(monkeypatch):
    """Large pages are made between requests."""
    line, ours = socket.socketpair()
    taken = []

    def without_end():
        while True:
            taken.append(None)
            if len(taken) == 3:
                ours.send(b"a request")
            yield

    for name in ("signal", "set_wakeup_fd"):
        monkeypatch.setattr(signal, name, lambda *_, **__: None)
    with line, ours:
        server = zygote_server.Server(line, None, without_end())
        monkeypatch.setattr(server, "_fork", lambda: sys.exit("asked for a child"))
        with pytest.raises(SystemExit, match="asked for a child"):
            server.serve()
    assert len(taken) == 3


def test_a_killed_supervisor_leaves_nothing():
    source = f"""
        import sys, time
        sys.path.insert(0, {str(HERE)!r})
        from course_lib.grading.engine import zygote
        zygote._ENVIRONMENT_SET["PYTHONPATH"] = {str(HERE)!r}
        warm = zygote.Zygote(("warm_attacks",))
        child = warm.spawn("warm_attacks:sleep_with_a_child", [], sandboxed=True)
        print(warm.pid, flush=True)
        time.sleep(100)
    """
    command = [sys.executable, "-P", "-c", textwrap.dedent(source)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as supervisor:
        pid = int(supervisor.stdout.readline())
        assert has_a_child_with_a_child(pid)
        everybody = {pid} | descendants(pid)
        supervisor.kill()
    assert _gone(everybody)


# ---------------------------------------------------------------- one's own work, without a sandbox


@pytest.fixture(scope="module")
def open_zygote():
    with warm(sandboxed=False) as zygote:
        yield zygote


def test_without_walls_nobody_else_s_work_is_run(open_zygote):
    with pytest.raises(SandboxError, match="one's own work only"):
        open_zygote.spawn("warm_attacks:sleep", [], sandboxed=True)


def test_one_s_own_work_runs_in_a_folder_of_its_own(open_zygote):
    folder, files, variables = ask(
        open_zygote, "read_all", sandboxed=False, scratch={"data.csv": b"1,2"}
    )
    assert files == {"data.csv": "1,2"}
    assert "PYTHONPATH" not in variables
    assert "course-check-" in folder
    assert not Path(folder).exists()
    assert not Path(folder).parent.exists()


def test_one_s_own_work_is_killed_with_what_it_started(open_zygote):
    before = descendants(open_zygote.pid)
    child: Child = open_zygote.spawn("warm_attacks:sleep_with_a_child", [], sandboxed=False)
    assert soon(lambda: len(descendants(open_zygote.pid) - before) == 2)
    own = descendants(open_zygote.pid) - before
    child.kill()
    assert child.wait(WITHIN).reason == "killed"
    assert _gone(own)


def test_where_there_are_walls_everybody_has_them(light):
    folder, _, _ = ask(light, "read_all", sandboxed=False, limits=Limits())
    assert folder == "/scratch/work"
