"""Run the parts of ``make test`` one after the other, and say at the end what each took.

Each part is a target of the Makefile with a name of its own. Seconds go to ``_build/times`` as
well. A part that takes longer than its budget says so and fails nothing. When a part fails, the
others are run all the same, so that one run finds all that is wrong; but nothing can be run after
the build has failed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

#: Budgets are groups of parts, in seconds on two cores, with all chapters written.
BUDGETS = {
    "chapters": 480,
    "nbval": 480,
    "plain processor": 160,
    "proofs": 600,
    "everything else": 900,
}

#: The targets that `make test` runs: what each is called in the table, and whose budget it takes.
PARTS = {
    "course": ("exercises, site, class", "everything else"),
    "lint": ("form", "everything else"),
    "test-code": ("tests of the code", "everything else"),
    "test-exercises": ("proofs", "proofs"),
    "test-notebooks": ("nbval", "nbval"),
    "test-processors": ("plain processor", "plain processor"),
}

#: Where `course build` writes what its own steps took: the chapters have a budget of their own.
STEPS = "build.json"

#: Where the tests that needed a second try are listed (see `conftest.py`).
RACED = "raced"


#: What all other parts need.
FIRST = "course"


@dataclass(frozen=True)
class Taken:
    """What a part has taken, in seconds, and of which budget."""

    part: str
    budget: str
    seconds: float


def run(parts: dict[str, tuple[str, str]], folder: Path, command: list[str]) -> int:
    """Run each part as ``command + [part]``; return the status of the first that fails, or 0."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    environment = {**os.environ, "COURSE_RACED": str((folder / RACED).resolve())}
    taken: list[Taken] = []
    failed: dict[str, int] = {}
    try:
        for target, (part, budget) in parts.items():
            begin = time.monotonic()
            status = subprocess.run([*command, target], check=False, env=environment).returncode
            taken += split(Taken(part, budget, time.monotonic() - begin), folder)
            if status:
                failed[target] = status
                if target == FIRST:
                    print(f"{target} failed; the other parts need it and were not run.", flush=True)
                    break
                print(f"{target} failed; the other parts are run all the same.", flush=True)
    finally:
        found = [{"part": t.part, "budget": t.budget, "seconds": t.seconds} for t in taken]
        (folder / "parts.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
        told = [f"failed: {', '.join(failed)}"] if failed else []
        print("\n".join(["", *table(taken), *raced(folder), *told]), flush=True)
    return next(iter(failed.values()), 0)


def split(taken: Taken, folder: Path) -> list[Taken]:
    """Return what a part has taken, the chapters that it has run apart from the rest."""
    steps = folder / STEPS
    if not steps.is_file():
        return [taken]
    chapters = min(json.loads(steps.read_text(encoding="utf-8"))["chapters"], taken.seconds)
    steps.unlink()
    rest = Taken(taken.part, taken.budget, taken.seconds - chapters)
    return [Taken("chapters", "chapters", chapters), rest]


def table(taken: list[Taken]) -> list[str]:
    """Return the lines of the table: each budget with its parts below."""
    lines = [f"{'part':<28}{'seconds':>9}{'budget':>9}"]
    for name, limit in BUDGETS.items():
        parts = [entry for entry in taken if entry.budget == name]
        if not parts:
            continue
        total = sum(entry.seconds for entry in parts)
        above = "   above its budget" if total > limit else ""
        lines.append(f"{name:<28}{total:9.0f}{limit:9}{above}")
        if {entry.part for entry in parts} != {name}:
            lines += [f"  {entry.part:<26}{entry.seconds:9.0f}" for entry in parts]
    total = sum(entry.seconds for entry in taken)
    lines.append(f"{'all':<28}{total:9.0f}{sum(BUDGETS.values()):9}")
    return lines


def raced(folder: Path) -> list[str]:
    """Return the lines on the tests that passed only when they were run again."""
    path = folder / RACED
    names = path.read_text(encoding="utf-8").split("\n") if path.is_file() else []
    names = [name for name in names if name]
    if not names:
        return ["tests that needed a second try: none"]
    return ["tests that needed a second try, and are to be mended:", *(f"  {n}" for n in names)]


if __name__ == "__main__":
    make = [os.environ.get("MAKE", "make"), "--no-print-directory"]
    sys.exit(run(PARTS, Path("_build", "times"), make))
