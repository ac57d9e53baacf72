"""What a cell costs that ends the student's process: itself, and nothing that was there before."""

import contextlib
import os
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from nbformat.v4 import new_notebook

from course_lib.grading.engine import runner, student
from course_lib.grading.engine.zygote import Exit

from .attackers import at_rest

# Real processes.
pytestmark = pytest.mark.slow


def statuses(ran):
    return [one.status for one in ran], [f"{one.index} {one.status}: {one.error}" for one in ran]


def texts(one):
    return "".join(output.text for output in one.outputs if output.output_type == "stream")


def test_a_death_takes_back_its_own_cell_and_keeps_its_last_words(run):
    ran = run(
        ("solution", "n = 1\nprint('begun')"),
        ("solution", "n += 1"),
        ("solution", "n = 100\nprint('last words')\nimport os\nos._exit(3)"),
        ("test", "assert n == 2"),
        ("solution", "n += 1\ndef die():\n    import os\n    os._exit(1)"),
        ("test", "die()"),
        ("test", "assert n == 3"),
    )
    found, told = statuses(ran)
    assert found == ["ok", "ok", "died", "ok", "ok", "died", "ok"], told
    assert texts(ran[2]) == "last words\n"
    # What ran again shows what it showed at first, once.
    assert texts(ran[0]) == "begun\n"


def test_last_words_are_kept_of_a_cell_that_was_stopped(run):
    ran = run(("solution", "print('x' * 10**6)\nwhile True:\n    pass"), seconds=6)
    assert ran[0].status == "timeout"
    assert set(texts(ran[0])) == {"x"}
    assert len(texts(ran[0])) == 2**16


def test_what_a_test_defined_for_later_cells_outlives_a_death(run):
    ran = run(
        ("test", "given_by_the_test = 7"),
        ("solution", "mine = given_by_the_test + 1"),
        ("solution", "import os\nos._exit(4)"),
        ("test", "assert mine == 8"),
    )
    found, told = statuses(ran)
    assert found == ["ok", "ok", "died", "ok"], told


def test_long_work_is_not_done_again(run):
    ran = run(
        ("solution", "import time\ntime.sleep(1.1)\nlong = time.time_ns()\nprint(long)"),
        ("solution", "short = time.time_ns()\nprint(short)"),
        ("solution", "import os\nos._exit(4)"),
        ("solution", "print(long)"),
        ("solution", "print(short)"),
    )
    found, told = statuses(ran)
    assert found == ["ok", "ok", "died", "ok", "ok"], told
    assert texts(ran[0]) == texts(ran[3])


def test_threads_of_an_earlier_cell_are_there_in_the_next(run):
    ran = run(
        (
            "solution",
            "import time\nfrom concurrent.futures import ThreadPoolExecutor\n"
            "pool = ThreadPoolExecutor(1)\npool.submit(time.sleep, 1.1).result()",
        ),
        ("test", "given_by_the_test = 7"),
        ("solution", "print(pool.submit(lambda: given_by_the_test).result())"),
        ("test", "assert pool.submit(abs, -2).result() == 2"),
        ("solution", "import os\nos._exit(4)"),
        ("solution", "print(pool.submit(abs, -1).result())"),
        ("solution", "pool.shutdown()\ntime.sleep(1.1)\nlong = time.time_ns()\nprint(long)"),
        ("solution", "import os\nos._exit(4)"),
        ("solution", "print(long)"),
    )
    found, told = statuses(ran)
    assert found == ["ok", "ok", "ok", "ok", "died", "ok", "ok", "died", "ok"], told
    assert texts(ran[2]) == "7\n" and texts(ran[5]) == "1\n"
    # Without threads there are forks again.
    assert texts(ran[6]) == texts(ran[8])


def test_short_work_is_done_again_and_what_follows_sees_the_last_time(run):
    ran = run(
        ("solution", "import os, time\nonce = time.time_ns()\nprint(once)"),
        ("solution", "os._exit(4)"),
        ("test", "first = once\nassert once > 0"),
        ("test", "assert once == first"),
    )
    found, told = statuses(ran)
    assert found == ["ok", "died", "ok", "ok"], told


def test_memory_that_several_processes_use_together_ends_them_and_no_more(run):
    ran = run(
        ("solution", "n = 1"),
        (
            "solution",
            # Eight, each far below its own limit.
            "import os, time\nfor _ in range(3):\n    os.fork()\nkept = []\n"
            "for _ in range(40):\n    kept.append(bytearray(10**7))\n    time.sleep(0.05)\n"
            "time.sleep(1000)",
        ),
        ("test", "assert n == 1"),
        ("solution", "n += 1"),
        ("test", "assert n == 2"),
        seconds=120,
    )
    found, told = statuses(ran)
    assert found == ["ok", "died", "ok", "ok", "ok"], told
    assert "memory" in ran[1].error


def test_what_dies_a_little_later_takes_no_other_cell_with_it(run):
    # All processes but one's own are killed; its own end follows, some time after its answer.
    late = "def late(pause):\n    import os, time\n    os.kill(-1, 9)\n    time.sleep(pause)"
    for pause in (0, 0.05):
        ran = run(
            ("solution", late),
            ("test", f"late({pause})"),
            ("solution", "def ok():\n    return 5"),
            ("test", f"late({pause})"),
            ("test", "assert ok() == 5"),
        )
        found, told = statuses(ran)
        assert [found[0], found[2], found[4]] == ["ok"] * 3, told


def students_process(zygote):
    """Return the process that holds the student's state: the deepest that keeps no room."""
    found = []
    for process in psutil.Process(zygote.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, OSError):  # it ended meanwhile
            status = Path(f"/proc/{process.pid}/status").read_text()
            # Who keeps a room is its number 1.
            if status.split("NSpid:")[1].splitlines()[0].split()[-1] != "1":
                found.append((len(process.parents()), process))
    return max(found, key=lambda pair: pair[0])[1]


@pytest.mark.parametrize("moment", ["at once", "when its end is known"])
@pytest.mark.parametrize("place", [1, 2, 3])
def test_what_ends_between_two_cells_costs_neither(run, zygote, monkeypatch, place, moment):
    # As a machine without memory may do it: in the midst of the class, to whom it likes.
    assert at_rest(zygote)
    killed = []

    def kill_before(name):
        go_on = getattr(runner._Run, name)

        def kill_and_go_on(self, run, *rest):
            if run.index == place and not killed:
                killed.append(students_process(zygote))
                killed[0].kill()
                if moment != "at once":
                    psutil.wait_procs(killed, 120)
            return go_on(self, run, *rest)

        monkeypatch.setattr(runner._Run, name, kill_and_go_on)

    kill_before("students_cell")
    kill_before("test")
    ran = run(
        ("solution", "n = 1\nprint('one')"),
        ("solution", "n += 1\nprint('two')"),
        ("test", "assert n == 2"),
        ("solution", "print('three')\nprint('a warning', file=__import__('sys').stderr)"),
        ("test", "assert n == 2"),
    )
    found, told = statuses(ran)
    assert killed
    assert found == ["ok"] * 5, told
    assert [texts(one) for one in ran] == ["one\n", "two\n", "", "three\na warning\n", ""]


def test_what_goes_well_once_and_not_again_is_remembered(run):
    ran = run(
        ("solution", "def ok():\n    return 5"),
        # It goes well for as long as there is one process only.
        ("solution", "import os\nif os.path.exists('seen'):\n    os._exit(1)\nopen('seen', 'w')"),
        ("solution", "os._exit(4)"),
        ("test", "assert ok() == 5"),
    )
    found, told = statuses(ran)
    assert found == ["ok", "ok", "died", "ok"], told
    assert [one.forgotten for one in ran] == [False, True, False, False]


def test_an_object_of_a_lost_process_is_no_other_object(run):
    ran = run(
        ("solution", "class Box:\n    def __init__(self, n):\n        self.n = n"),
        ("test", "one = Box(1)\nassert one.n == 1"),
        ("solution", "import os\nos._exit(4)"),
        ("test", "two = Box(2)\nassert two.n == 2"),
        ("test", "assert one.n == 1"),
        ("test", "assert two.n == 2"),
    )
    found, told = statuses(ran)
    # What the lost process alone had is gone, and is not taken for what has its number now.
    assert found == ["ok", "ok", "died", "ok", "error", "ok"], told
    assert ran[4].error.startswith("StudentGone"), told


@pytest.mark.parametrize(
    ("notes", "told"), [(b"b", False), (b"be", True), (b"beb", True), (b"", False)]
)
def test_an_end_in_the_last_moment_is_heard(notes, told):
    # Of a fork that its guard has stopped: its answer was given, and must not be given twice.
    hear, tell = os.pipe()
    for note in notes:
        os.write(tell, student._NOTE.pack(bytes([note]), 1.0))
    os.close(tell)
    assert student._ended(hear) is told
    os.close(hear)


def test_a_process_is_not_replaced_for_ever(run):
    # It ends its guard first, and so all there is.
    suicide = (
        "solution",
        "import os, signal\nfor pid in range(2, os.getpid()):\n    try:\n"
        "        os.kill(pid, signal.SIGKILL)\n    except OSError:\n        pass\nos._exit(0)",
    )
    ran = run(("solution", "n = 1"), *[suicide] * 10, ("test", "assert n == 1"))
    found, told = statuses(ran)
    assert found[1:9] == ["died"] * 8, told
    assert found[9:11] == ["not run"] * 2, told
    assert found[11] == "error", told


@pytest.mark.parametrize(
    ("ended", "was_busy"),
    [
        (Exit(None, 9, 0, 2.5, "killed"), True),
        (Exit(None, 9, 0, 1.5, "killed"), False),
        (None, False),
    ],
    ids=["computed", "waited", "does not end"],
)
def test_a_judge_was_busy_if_it_computed_most_of_the_time(ended, was_busy):
    lost = runner._Run(new_notebook(), None, None, runner.Times(), {}, b"")
    lost.judges_child = SimpleNamespace(kill=lambda: None, wait=lambda timeout: ended)
    assert lost.judge_was_busy(4.0) is was_busy


def test_a_value_that_keeps_the_judge_busy_costs_its_test(run, monkeypatch):
    monkeypatch.setattr(runner, "GRACE", 0.5)
    # On a machine that has much to do, the judge waits for its turn most of the time.
    monkeypatch.setattr(runner._Run, "judge_was_busy", lambda self, seconds: not self.end_judge())
    ran = run(
        ("solution", "def f():\n    return range(10**18)"),
        ("test", "assert all(number >= 0 for number in f())"),
        ("test", "assert f()[3] == 3"),
        seconds=4,
    )
    assert [one.status for one in ran] == ["ok", "timeout", "ok"], [one.error for one in ran]
    assert ran[1].error == "stopped after 4 s"


def test_a_notebook_s_outputs_have_one_room(run, monkeypatch):
    monkeypatch.setattr(runner, "MAX_OUTPUTS", 30_000)
    ran = run(*[("solution", "print('x' * 20_000)")] * 3, ("test", "0.5"))
    whole, *cut = [texts(one) for one in ran[:3]]
    assert len(whole) == 20_001
    assert cut == ["x" * 2_000 + "\n[... left out]\n"] * 2
    # Points that a test gives as its value are not lost.
    assert ran[3].outputs[0].data["text/plain"] == "0.5"


class _Unlucky:
    """A zygote, some of whose judges are killed as soon as they are there."""

    def __init__(self, zygote, most):
        self.zygote, self.most = zygote, most
        self.killed = 0

    def spawn(self, target, sockets, **options):
        child = self.zygote.spawn(target, sockets, **options)
        if "judge" in target and self.killed < self.most:
            self.killed += 1
            child.kill()
            # A kill is a request: without this, the judge may be ready before its end comes.
            assert child.wait(120) is not None
        return child


@pytest.mark.parametrize(("most", "expected"), [(1, "ok"), (99, "judge")])
def test_a_judge_that_does_not_get_ready_is_replaced(zygote, notebook, most, expected):
    cells = (("locked", "two = 2"), ("solution", "n = 1"), ("test", "assert n + two == 3"))
    unlucky = _Unlucky(zygote, most)
    ran = runner.run(notebook(*cells), unlucky)
    found, told = statuses(ran)
    assert found == ["ok", "ok", expected], told
    # One ahead of the first test, one for the test.
    assert unlucky.killed == min(most, 2)
