"""A submission's processes share a processor; submissions side by side do not."""

from __future__ import annotations

import os
import threading

import pytest

from course_lib.grading.engine import processors
from course_lib.grading.engine.processors import own_processor

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="this machine has one processor, or cannot keep a thread on one",
)


@pytest.fixture(autouse=True)
def claims(monkeypatch, tmp_path):
    """Keep out of the way of what is graded on this machine meanwhile."""
    monkeypatch.setattr(processors, "_CLAIM", f"\0{tmp_path.name}-{os.getpid()}-{{}}")


def test_a_thread_has_one_and_its_own_ones_back():
    before = os.sched_getaffinity(0)
    with own_processor():
        (kept,) = os.sched_getaffinity(0)
        assert kept in before
    assert os.sched_getaffinity(0) == before


def test_the_first_choice_is_where_the_thread_is(monkeypatch):
    for processor in os.sched_getaffinity(0):
        monkeypatch.setattr(processors.kernel, "current_processor", lambda here=processor: here)
        with own_processor():
            assert os.sched_getaffinity(0) == {processor}


def test_threads_side_by_side_have_different_ones_until_there_are_no_more():
    everything = os.sched_getaffinity(0)
    found, ready, over = [], threading.Barrier(len(everything) + 1), threading.Event()

    def work() -> None:
        with own_processor():
            found.append(os.sched_getaffinity(0))
            ready.wait(60)
            over.wait(60)

    threads = [threading.Thread(target=work) for _ in everything]
    for thread in threads:
        thread.start()
    ready.wait(60)
    # All are taken: whoever comes now runs anywhere.
    with own_processor():
        assert os.sched_getaffinity(0) == everything
    over.set()
    for thread in threads:
        thread.join()
    assert sorted(found, key=min) == [{processor} for processor in sorted(everything)]
    # And free again.
    with own_processor():
        assert len(os.sched_getaffinity(0)) == 1


def test_a_failure_gives_it_back():
    before = os.sched_getaffinity(0)
    for _ in range(len(before) + 1):
        with pytest.raises(KeyError), own_processor():
            raise KeyError
    assert os.sched_getaffinity(0) == before
    with own_processor():
        assert len(os.sched_getaffinity(0)) == 1


def test_a_system_without_affinity_is_left_alone(monkeypatch):
    monkeypatch.delattr(os, "sched_setaffinity")
    before = os.sched_getaffinity(0)
    with own_processor():
        assert os.sched_getaffinity(0) == before


@pytest.mark.slow
def test_student_and_judge_run_on_the_same_one(run):
    here = "import os\n{} = os.sched_getaffinity(0)"
    student, judge = run(
        ("solution", "import os\ndef mine():\n    return sorted(os.sched_getaffinity(0))"),
        ("test", f"{here.format('judges')}\nassert mine() == sorted(judges) and len(judges) == 1"),
    )
    assert (student.status, judge.status) == ("ok", "ok"), judge.error
