"""Zygotes to attack, as whoever runs the tests or as an ordinary user, and children who attack."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from course_lib.grading.engine import sandbox
from course_lib.grading.engine import zygote as zygote_module
from course_lib.grading.engine.zygote import Child, Zygote

HERE = Path(__file__).parent
USERS = ["root", "ordinary"] if os.geteuid() == 0 else ["ordinary"]

#: How long to wait for what must come, in seconds: long enough for a machine that stalls.
WITHIN = 300.0

#: How many processes a zygote with walls has that runs no child: one that forks, one that makes
#: rooms, and the rooms that are ready.
AT_REST = 2 + sandbox._ROOMS_AHEAD


class Attacker:
    """A child that runs the functions of ``attacks.py``."""

    def __init__(self, zygote: Zygote, **options) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self.child: Child = zygote.spawn("attacks:run", [theirs], sandboxed=True, **options)
        ours.settimeout(WITHIN)
        self._line = ours
        self._stream = ours.makefile("r")

    def start(self, name: str, *arguments) -> None:
        with contextlib.suppress(ConnectionError):  # a dead child
            self._line.sendall(json.dumps([name, arguments]).encode() + b"\n")

    def answer(self):
        """Return what the function returned, or None if the child is gone."""
        try:
            line = self._stream.readline()
        except ConnectionError:
            line = ""
        return json.loads(line) if line else None

    def __call__(self, name: str, *arguments):
        self.start(name, *arguments)
        return self.answer()

    def close(self) -> None:
        self.child.kill()
        self._stream.close()
        self._line.close()


def as_ordinary_user(folder: Path) -> str:
    """Return a program that runs Python as the user `nobody`.

    Where root's home is closed to others, the Python in it is shown, in a mount namespace of that
    program's own, without opening the home itself.
    """
    program = folder / "python-as-nobody"
    program.write_text(f"#!{sys.executable} -P\n{(HERE / 'as_nobody.py').read_text()}")
    program.chmod(0o755)
    return str(program)


@contextlib.contextmanager
def attackable(user: str, folder: Path, **options) -> Iterator[Zygote]:
    """Start a zygote that has imported the attacks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(zygote_module._ENVIRONMENT_SET, "PYTHONPATH", str(HERE))
        if user == "ordinary" and os.geteuid() == 0:
            patch.setattr(zygote_module.sys, "executable", as_ordinary_user(folder))
        zygote = Zygote(("attacks",), **options)
    with zygote:
        yield zygote


def soon(condition: Callable[[], bool], within: float = WITHIN) -> bool:
    """Tell whether something comes true, on however busy a machine."""
    end = time.monotonic() + within
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def at_rest(zygote: Zygote) -> bool:
    """Tell whether a zygote comes to have the processes that one without children has."""
    return soon(lambda: len(descendants(zygote.pid)) == AT_REST)


def descendants(pid: int) -> set[int]:
    """Return the processes that were started by a process, at any remove, and are still there."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdecimal():
            with contextlib.suppress(OSError):
                text = Path(f"/proc/{name}/stat").read_text()
                parents[int(name)] = int(text.rpartition(")")[2].split()[1])
    found, size = {pid}, 0
    while size != len(found):
        size = len(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return found - {pid}
