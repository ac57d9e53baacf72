"""Whether a sandbox can be built here: a process of its own builds one and tries it from inside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from course_lib.grading.engine.sandbox import Limits, Room, Rooms, enter, in_child, isolate, settle
from course_lib.grading.engine.sandbox_faults import SandboxError

__all__ = ["missing_for_sandbox"]


def missing_for_sandbox() -> list[str]:
    """Return why no sandbox can be built here: sentences that say what to do; none if they can.

    It builds them, in a process of its own, and tries them from inside.
    """
    command = [sys.executable, "-P", "-m", __name__]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError, OSError) as error:
        return [f"The sandbox could not be tried on this machine: {error}."]


def _probe() -> list[str]:
    """Build a sandbox around a child and return what it found wanting."""
    try:
        isolate()
        return _answer_of_child(_probe_inside)
    except SandboxError as error:
        return [str(error)]


def _probe_inside() -> list[str]:
    try:
        settle()
        rooms = Rooms()  # kept: its process, and with it the room, ends when it is let go of
        room = rooms.take()
        return _answer_of_child(lambda: _probe_sandbox(room), room.fork)
    except SandboxError as error:
        return [str(error)]


def _probe_sandbox(room: Room) -> list[str]:
    """Enter, and try each barrier that a machine could quietly have left open."""
    try:
        enter(room, Limits(processes=8), {})
    except SandboxError as error:
        return [str(error)]
    reasons = []
    if not os.access(sys.executable, os.R_OK | os.X_OK) or not os.access(__file__, os.R_OK):
        reasons.append(
            f"Python's own files ({sys.prefix}, {Path(__file__).parents[2]}) cannot be read by an "
            "unprivileged user, as whom a student's code runs: install them readable for all "
            "(`chmod -R o+rX`)."
        )
    if not _processes_are_limited(8):
        reasons.append(
            "The number of processes of the superuser cannot be limited here: grade as an "
            "ordinary user."
        )
    return reasons


def _processes_are_limited(most: int) -> bool:
    """Tell whether starting more processes than that fails."""
    here, there = os.pipe()
    children = []
    try:
        for _ in range(most + 1):
            pid = os.fork()
            if pid == 0:
                os.close(there)
                os.read(here, 1)
                os._exit(0)
            children.append(pid)
    except BlockingIOError:
        return True
    finally:
        os.close(there)
        for pid in children:
            os.waitpid(pid, 0)
    return False


def _answer_of_child(function, fork=os.fork) -> list[str]:
    """Return what a function returns in a child."""
    here, there = os.pipe()
    pid = fork()
    if pid == 0:
        os.close(here)
        in_child(lambda: os.write(there, json.dumps(function()).encode()))
    os.close(there)
    with open(here) as answer:
        text = answer.read()
    os.waitpid(pid, 0)
    return json.loads(text) if text else ["The process that tried the sandbox died in it."]


if __name__ == "__main__":
    print(json.dumps(_probe()))
