"""One processor for all processes of a submission.

The student's process, the judge and the thread that looks after them talk to each other all the
time and hardly ever work at the same time. On processors of their own each message wakes one that
has gone to sleep, which costs more than what is said: with the same processor for all, a submission
takes a quarter less. Which one, they agree upon with others on this machine, so that submissions
that run at the same time keep out of each other's way.
"""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from course_lib.grading.engine import kernel

__all__ = ["own_processor"]

# An address without a file, which the kernel gives to one socket at a time and frees at its end.
_CLAIM = "\0course-lib-grading-processor-{}"


@contextmanager
def own_processor() -> Iterator[None]:
    """Keep the calling thread on one processor, which no other thread in here is kept on.

    A zygote's children run where the thread does that starts them. Where all processors are taken,
    or threads cannot be kept on one, nothing changes.
    """
    claim = _claim()
    if claim is None:
        yield
        return
    processor, address = claim
    with address:
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {processor})
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)


def _claim() -> tuple[int, socket.socket] | None:
    """Return a processor that nobody has claimed, and what keeps others from it until closed."""
    if not hasattr(os, "sched_setaffinity"):  # not Linux
        return None
    allowed = os.sched_getaffinity(0)
    if len(allowed) == 1:
        return None
    here = kernel.current_processor()
    # Where the kernel has put this thread there was room. Others may be in another network
    # namespace, where their claims are not seen, so the rest is asked in any order.
    order = sorted(allowed, key=lambda number: (number != here, random.random()))
    for processor in order:
        address = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            address.bind(_CLAIM.format(processor))
        except OSError:
            address.close()
        else:
            return processor, address
    return None
