"""Standard streams for the life of a process, whose text goes to whoever captures it now.

What keeps the stream that it found, as a handler of `logging` does, goes on writing to it. In a
kernel that is one object from the first cell to the last, and so it is here.
"""

from __future__ import annotations

import io
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["captured"]


class Stream(io.TextIOBase):
    """A stream that somebody reads, or nobody."""

    encoding = "UTF-8"

    def __init__(self) -> None:
        super().__init__()
        self.target: Any = io.StringIO()

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True

    def write(self, text: str) -> int:
        """Write to whoever captures it."""
        return self.target.write(text)


_out, _err = Stream(), Stream()


@contextmanager
def captured(out: Any, err: Any) -> Iterator[None]:
    """Let what is written to the standard streams go to these, as long as this lasts.

    A warning that was shown earlier is shown again, as in a kernel from one cell to the next.
    """
    with warnings.catch_warnings():
        pass  # which lets Python forget what it has shown
    before = sys.stdout, sys.stderr, _out.target, _err.target
    _out.target, _err.target = out, err
    sys.stdout, sys.stderr = _out, _err
    try:
        yield
    finally:
        sys.stdout, sys.stderr, _out.target, _err.target = before
