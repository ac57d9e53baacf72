"""A warm process that knows no PyTorch, so that it is soon warm; and how to find it again."""

import os
from contextlib import suppress
from pathlib import Path

# What the small course's notebooks need.
LIGHT = (
    "IPython.core.interactiveshell",
    "course_lib.grading.engine.judge",
    "course_lib.grading.engine.student",
)


def new_marker() -> str:
    """Return a name to preload that is no module's: the processes that were told it are ours."""
    return f"marker_{os.getpid()}_{os.urandom(4).hex()}"


def marked(marker: str) -> list[int]:
    """Return the processes that were told a marker, and what they forked."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdecimal():
            with suppress(OSError):
                if marker.encode() in Path("/proc", name, "cmdline").read_bytes():
                    found.append(int(name))
    return found
