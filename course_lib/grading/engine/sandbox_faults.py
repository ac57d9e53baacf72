"""Why a sandbox cannot be built on a machine, and what to do about it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from course_lib.paths import CourseError

__all__ = ["SandboxError", "explain", "or_explain"]


class SandboxError(CourseError):
    """No sandbox can be built here; the message says why, and what to do."""


@contextmanager
def or_explain(what: str) -> Iterator[None]:
    """Turn the kernel's refusal into a sentence that says what to do."""
    try:
        yield
    except OSError as error:
        raise SandboxError(explain(what, error)) from error


def explain(what: str, error: OSError, machine: Path = Path("/")) -> str:
    """Return why a barrier cannot be built, and what to do about it.

    Parameters
    ----------
    what : str
        What was asked of the kernel: "a user namespace".
    error : OSError
        Its answer.
    machine : path, optional
        The root of the machine whose settings are looked at.
    """
    remedies = [
        f"as root, run `{command}`"
        for setting, closed, command in _SETTINGS
        if _setting(machine / setting) == closed
    ]
    # Only in a container is there something that root may not do.
    if os.geteuid() == 0 or any((machine / mark).exists() for mark in _MARKS_OF_A_CONTAINER):
        remedies.append(f"start the container with `{_DOCKER}`")
    else:
        remedies.append("grade as root")
    remedies.append("grade on a Linux machine (5.12 or newer) that allows user namespaces")
    return f"This machine does not give the sandbox {what} ({error}): {', or '.join(remedies)}."


def _setting(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None


_SETTINGS = (
    ("proc/sys/user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=10000"),
    (
        "proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "sysctl -w kernel.unprivileged_userns_clone=1",
    ),
    (
        "proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ),
)

_MARKS_OF_A_CONTAINER = (".dockerenv", "run/.containerenv", "run/systemd/container")

_DOCKER = (
    "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined "
    "--security-opt systempaths=unconfined ..."
)
