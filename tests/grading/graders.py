"""Grade a course in a process of its own, to be killed: `python graders.py`, then a line of JSON.

A line on stdin starts a run in a fork of this process, which has imported what grading needs, so
that many runs can be killed in a short time. A line comes back with the number of the process, and
one more with how it ended and its report.

``{"folder": ..., "marker": ..., "force": true, "dies_at": ["commit", 3], "largest_file": 4096}``

With ``"room"`` in it, the run happens on a copy of the course on a disk with so many bytes left, in
a mount namespace of its own, and after it another run that has more room; with ``"read_only"``, on
a disk that cannot be written. Anybody may make such disks where walls can be built.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import small_course as small
from light import LIGHT
from sqlalchemy import event
from sqlalchemy.engine import Engine

import course_lib.grading.steps.grade  # noqa: F401, so that each fork has it
from course_lib import grading
from course_lib.grading import GradingError
from course_lib.grading.engine import kernel, zygote

ZYGOTE = zygote.Zygote


def die_at(place: str, count: int) -> None:
    """Kill this process at the count-th statement, commit, file written, or name given."""

    def passed(*_: Any, **__: Any) -> None:
        nonlocal count
        count -= 1
        if count == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    if place == "statement":
        event.listen(Engine, "before_cursor_execute", passed)
    elif place == "commit":
        event.listen(Engine, "commit", passed)
    else:
        original = getattr(Path, place)

        def counted(path: Path, *arguments: Any, **options: Any) -> Any:
            passed()
            return original(path, *arguments, **options)

        setattr(Path, place, counted)


def mount_alone(source: str, folder: Path, kind: str | None, flags: int, options: str = "") -> None:
    """Mount something where only this process and its children see it."""
    uid, gid = os.geteuid(), os.getegid()
    kernel.unshare(kernel.CLONE_NEWNS | (kernel.CLONE_NEWUSER if uid else 0))
    if uid:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    kernel.mount("", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount(source, str(folder), kind, flags, options)


def run_on_a_small_disk(order: dict[str, Any]) -> dict[str, Any]:
    """Grade on a disk that gets full, then make room and grade again."""
    folder = Path(order["folder"])
    copy = folder.with_name("kept")
    shutil.copytree(folder, copy)
    mount_alone("small", folder, "tmpfs", 0, "size=8m")
    shutil.copytree(copy, folder, dirs_exist_ok=True)
    filler = folder / "filler"
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    filler.write_bytes(bytes(free - order["room"]))
    first = grade(order)
    agreed = small.agrees_with_notebooks(folder)
    filler.unlink()
    second = grade(order)
    return {
        "first": first,
        "agreed": agreed,
        "second": second,
        "contents": small.contents(folder),
        "left": [str(path) for path in folder.rglob("*.part")],
    }


def run_read_only(order: dict[str, Any]) -> dict[str, Any]:
    folder = order["folder"]
    mount_alone(folder, Path(folder), None, kernel.MS_BIND | kernel.MS_REC)
    flags = kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY
    kernel.mount(folder, folder, None, flags)
    return grade(order)


def run(order: dict[str, Any]) -> dict[str, Any]:
    if "room" in order:
        return run_on_a_small_disk(order)
    if "read_only" in order:
        return run_read_only(order)
    return grade(order)


def grade(order: dict[str, Any]) -> dict[str, Any]:
    # The last name is no module: it is how the tests find these processes.
    zygote.Zygote = lambda **options: ZYGOTE((*LIGHT, order["marker"]), **options)
    if "dies_at" in order:
        die_at(*order["dies_at"])
    if "largest_file" in order:
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["largest_file"], most))
    said: list[str] = []
    try:
        report = grading.grade(
            small.SLUG,
            order["folder"],
            workers=2,
            force=order.get("force", False),
            say=said.append,
        )
    except GradingError as error:
        return {"refused": str(error), "said": said}
    return {"report": report.to_dict(), "said": said}


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            try:
                answer = run(order)
            except BaseException:
                answer = {"traceback": traceback.format_exc()}
            with os.fdopen(writer, "w") as file:
                json.dump(answer, file)
            # As at an interpreter's end: its zygote goes with it.
            os._exit(0)
        os.close(writer)
        print(pid, flush=True)
        with os.fdopen(reader) as file:
            text = file.read()
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        print(json.dumps({"status": status} | (json.loads(text) if text else {})), flush=True)


if __name__ == "__main__":
    main()
