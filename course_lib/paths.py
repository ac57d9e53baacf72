"""Where the course lies, and the names of its parts."""

from __future__ import annotations

import difflib
import json
import os
from pathlib import Path

#: What marks a students' kit (`course kit`), and holds the order of its exercises.
KIT = "kit.json"

#: A kit brings the library without what teaches and builds: no solution is anywhere near.
FOR_STUDENTS = not Path(__file__).with_name("book").is_dir()


class CourseError(Exception):
    """Something a person can put right: the message names what came, what was wanted, what to do.

    The `course` command prints it in place of a traceback.
    """


def find_root(start: Path | str | None = None) -> Path:
    """Return the folder of the course: the nearest one upward that holds ``_toc.yml``.

    Of what a student was handed (`course kit`), it is the folder that holds ``kit.json``.
    Another one is never taken: a command acts on the course in which it is called.

    Parameters
    ----------
    start : path, optional
        Where to begin; the current folder by default. The variable ``COURSE_ROOT`` goes first.

    Raises
    ------
    CourseError
        When neither the folder nor one above it is a course, or the nearest ``_toc.yml`` stands
        beside no exercises.
    """
    if start is None and os.environ.get("COURSE_ROOT"):
        named = Path(os.environ["COURSE_ROOT"]).resolve()
        if not (_is_course(named) or is_kit(named)):
            raise CourseError(
                f"COURSE_ROOT is {named}, and that is no course: it wants a _toc.yml with a folder "
                "solutions or exercises beside it. Set it to a course's folder, or unset it."
            )
        return named
    begin = Path(start or Path.cwd()).resolve()
    for folder in (begin, *begin.parents):
        if _is_course(folder):
            return folder
        if is_kit(folder):
            return folder
        if (folder / "_toc.yml").is_file():
            raise CourseError(
                f"{folder} holds a _toc.yml and neither solutions nor exercises beside it, so that "
                "it is no whole course. Change to the course's folder, or set COURSE_ROOT to it."
            )
    if FOR_STUDENTS:
        raise CourseError(
            f"No exercises here: {begin} and the folders above it hold no {KIT}. Change to the "
            "folder that you unpacked, or set COURSE_ROOT to it."
        )
    installed = Path(__file__).resolve().parents[1]
    where = f" (course_lib comes from the one in {installed})" if _is_course(installed) else ""
    raise CourseError(
        f"No course here: {begin} and the folders above it hold no _toc.yml. Change to the "
        f"course's folder{where}, or set COURSE_ROOT to it."
    )


def is_kit(folder: Path) -> bool:
    """Tell whether a folder is what students get: exercises without their solutions."""
    return (folder / KIT).is_file() and (folder / "exercises").is_dir()


def _is_course(folder: Path) -> bool:
    parts = ("solutions", "exercises")
    return (folder / "_toc.yml").is_file() and any((folder / part).is_dir() for part in parts)


def source_path(root: Path, slug: str) -> Path:
    """Return where the text of an exercise lies."""
    return root / "solutions" / f"{slug}.py"


def release_path(root: Path, slug: str) -> Path:
    """Return where a student's notebook lies."""
    return root / "exercises" / slug / f"{slug}.ipynb"


def work_path(root: Path, slug: str) -> Path:
    """Return where a reader's own copy lies."""
    return root / "work" / slug / f"{slug}.ipynb"


def built_source_path(root: Path, slug: str) -> Path:
    """Return where nbgrader finds its source notebook."""
    return root / "_build" / "source" / slug / f"{slug}.ipynb"


def exercise_slugs(root: Path) -> list[str]:
    """Return the names of all exercises, in the order of the book (then alphabetically)."""
    sources = {path.stem for path in (root / "solutions").glob("*.py")}
    released = {path.parent.name for path in (root / "exercises").glob("*/*.ipynb")}
    order = {slug: place for place, slug in enumerate(chapter_order(root))}
    return sorted(sources | released, key=lambda slug: (order.get(slug, len(order)), slug))


def chapter_order(root: Path) -> list[str]:
    """Return the slugs of the pages in ``_toc.yml``, in reading order."""
    if is_kit(root):
        return list(json.loads((root / KIT).read_text(encoding="utf-8"))["exercises"])
    return [Path(entry).name for entry in toc_entries(root)]


def toc_entries(root: Path) -> list[str]:
    """Return the pages named in ``_toc.yml`` (paths without ending), in reading order."""
    import yaml

    def walk(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node[key] for key in ("root", "file") if key in node]
            return own + [page for value in node.values() for page in walk(value)]
        if isinstance(node, list):
            return [page for item in node for page in walk(item)]
        return []

    return walk(yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8")))


def known_slug(root: Path, slug: str) -> str:
    """Return `slug` if there is such an exercise.

    Raises
    ------
    CourseError
        Naming the nearest names there are.
    """
    slugs = exercise_slugs(root)
    if slug in slugs:
        return slug
    near = difflib.get_close_matches(slug, slugs, n=3, cutoff=0.5)
    listed = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(slugs)}."
    raise CourseError(f"No exercise is called {slug!r}. {listed}")
