"""What a student's code sees of the machine: the interpreter, the system's libraries, no more."""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Iterable
from pathlib import Path

from course_lib.grading.engine import kernel

__all__ = ["HOSTNAME", "SCRATCH", "build", "visible_paths"]

SCRATCH = "/scratch"
HOSTNAME = "sandbox"
STUDENT = "student"
UID = 1000

# Built here, in a mount namespace of one's own, where it hides nothing that is to be shown.
_BUILT_AT = "/sys"

_NOTHING_SPECIAL = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
_READ_ONLY = (
    kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV
)

_SYSTEM = (
    "/bin",
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/bin",
    "/usr/include",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local/include",
    "/usr/local/lib",
    "/usr/share/fontconfig",
    "/usr/share/fonts",
    "/usr/share/terminfo",
    "/usr/share/zoneinfo",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/localtime",
)
_OF_A_PREFIX = ("bin", "include", "lib", "lib64", "pyvenv.cfg")
_DEVICES = ("null", "zero", "full", "random", "urandom")
_LINKS = {
    "/dev/fd": "/proc/self/fd",
    "/dev/stdin": "/proc/self/fd/0",
    "/dev/stdout": "/proc/self/fd/1",
    "/dev/stderr": "/proc/self/fd/2",
    "/dev/ptmx": "pts/ptmx",
    "/tmp": "scratch/tmp",
}
_FOLDERS = ("proc", "dev/shm", "dev/pts", "scratch", "etc")
_FILES = {
    "etc/passwd": f"{STUDENT}:x:{UID}:{UID}::{SCRATCH}/home:/bin/sh\n",
    "etc/group": f"{STUDENT}:x:{UID}:\n",
    "etc/hosts": "127.0.0.1 localhost\n",
}


def visible_paths(shared: Iterable[str] = ()) -> list[str]:
    """Return the files and folders to show, read-only, each where it lies on this machine.

    Of a folder that Python is installed in, its programs and libraries only: a virtual environment
    often lies in the midst of the course. Of this course, the package alone.

    Parameters
    ----------
    shared : iterable of str, optional
        What else to show: data that the assignments of a class read, for instance.
    """
    prefixes = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix}
    paths = [*_SYSTEM, *shared]
    paths += [os.path.join(prefix, part) for prefix in sorted(prefixes) for part in _OF_A_PREFIX]
    paths.append(str(Path(__file__).resolve().parents[2]))
    if site.ENABLE_USER_SITE:
        paths.append(site.getusersitepackages())
    return [path for path in paths if os.path.lexists(path)]


def build(paths: Iterable[str]) -> None:
    """Make the view of these paths the root of this mount namespace, and forget the old root.

    The caller has a mount namespace of its own, from which nothing spreads, and the right to
    mount. What belongs to one child only (its own ``/proc``, scratch folder, shared memory) is
    mounted over this later.
    """
    kernel.mount("view", _BUILT_AT, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=0755")
    for name in _FOLDERS:
        os.makedirs(os.path.join(_BUILT_AT, name), exist_ok=True)
    links: dict[str, str] = {}
    for path in _topmost(_resolve(path, links) for path in paths):
        _bind(path, kernel.MS_NODEV)
    for name, text in _FILES.items():
        Path(_BUILT_AT, name).write_text(text)
    for name in _DEVICES:
        _bind(f"/dev/{name}", kernel.MS_NOEXEC)
    for name, target in [*_LINKS.items(), *links.items()]:
        _link(name, target)
    # The kernel lets a namespace mount its own /proc only where one is in sight already.
    kernel.mount("proc", f"{_BUILT_AT}/proc", "proc", _NOTHING_SPECIAL)
    kernel.mount("", _BUILT_AT, None, _READ_ONLY)
    os.chdir(_BUILT_AT)
    kernel.pivot_root(".", ".")
    kernel.umount(".", kernel.MNT_DETACH)
    os.chdir("/")


def _resolve(path: str, links: dict[str, str]) -> str:
    """Return where a path really lies, and note the symbolic links that lead there."""
    here, parts = "/", [part for part in os.path.abspath(path).split("/") if part]
    for number, part in enumerate(parts):
        here = os.path.join(here, part)
        if os.path.islink(here):
            links[here] = os.readlink(here)
            target = os.path.join(os.path.dirname(here), links[here], *parts[number + 1 :])
            return _resolve(target, links) if os.path.exists(here) else here
    return here


def _topmost(paths: Iterable[str]) -> list[str]:
    """Return the paths that lie in no other one."""
    top: list[str] = []
    for path in sorted(set(paths), key=len):
        if os.path.exists(path) and not any(path.startswith(f"{above}/") for above in top):
            top.append(path)
    return top


def _link(path: str, target: str) -> None:
    """Make a symbolic link in the view, unless it is shown already."""
    copy = _BUILT_AT + path
    if not os.path.lexists(copy):
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        os.symlink(target, copy)


def _bind(path: str, flags: int) -> None:
    """Show a file or folder in the view, and everything mounted in it, read-only."""
    target = _BUILT_AT + path
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        Path(target).touch()
    kernel.mount(path, target, None, kernel.MS_BIND | kernel.MS_REC)
    kernel.restrict_mounts(target, kernel.MS_RDONLY | kernel.MS_NOSUID | flags)
