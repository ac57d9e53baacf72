"""Courses of several lengths, kept as data, and a Sphinx directive that shows them with their sums.

``book/teaching/plans/syllabus.yml`` has a list of weeks for each course, with chapters to read and
exercises to hand in. Minutes to read, points and minutes of work are the chapters' and exercises'
own. In a page, ``:::{syllabus} COURSE`` shows a course.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from course_lib.book.prerequisites import Chapter, depend_on, read_chapters
from course_lib.book.workload import minutes_of, points_of
from course_lib.paths import CourseError

__all__ = ["Week", "problems", "read_courses", "setup"]


@dataclass(frozen=True)
class Week:
    """What a class reads in a week, and what it hands in."""

    chapters: tuple[str, ...]
    exercises: tuple[str, ...]


def syllabus_path(root: Path) -> Path:
    """Return the file of the courses."""
    return root / "book" / "teaching" / "plans" / "syllabus.yml"


def read_courses(root: Path) -> dict[str, list[Week]]:
    """Return the weeks of each course.

    Raises
    ------
    CourseError
        If the file is missing, or says something that means nothing here.
    """
    path = syllabus_path(root)
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {
            name: [Week(tuple(w.get("chapters", ())), tuple(w.get("exercises", ()))) for w in weeks]
            for name, weeks in said.items()
        }
    except (OSError, yaml.YAMLError, TypeError, AttributeError) as error:
        raise CourseError(
            f"{path.relative_to(root)} cannot be used: {error}. Wanted: for each course a list of "
            "weeks, such as '- {chapters: [layers], exercises: [layers]}'."
        ) from None


def problems(chapters: Mapping[str, Chapter], weeks: list[Week]) -> Iterator[str]:
    """Yield what cannot be: unknown chapters, needs that come later, early exercises."""
    read: set[str] = set()
    done: set[str] = set()
    for number, week in enumerate(weeks, 1):
        for slug in week.chapters:
            if slug not in chapters:
                yield f"week {number} reads {slug!r}, which is no chapter"
                continue
            late = [need for need in chapters[slug].needs if need not in read]
            if late:
                yield f"week {number} reads {slug!r} before {', '.join(late)}"
            if slug in read:
                yield f"week {number} reads {slug!r} again"
            read.add(slug)
        known = {chapters[slug].exercise for slug in read if slug in chapters}
        for exercise in week.exercises:
            if exercise not in known:
                yield f"week {number} hands in {exercise!r} before its chapter"
            if exercise in done:
                yield f"week {number} hands in {exercise!r} again"
            done.add(exercise)


class Syllabus(SphinxDirective):
    """The ``syllabus`` directive: the weeks of a course."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Show a table of weeks and its sums."""
        root, name = Path(self.env.srcdir), self.arguments[0]
        try:
            courses = read_courses(root)
            if name not in courses:
                raise self.error(f"syllabus: {name!r} is none of {', '.join(courses)}.")
            chapters = {chapter.slug: chapter for chapter in read_chapters(root)}
            if wrong := list(problems(chapters, courses[name])):
                raise self.error(f"syllabus: {name}: {'; '.join(wrong)}.")
            lines = list(_shown(root, chapters, courses[name]))
        except CourseError as error:
            raise self.error(str(error)) from error
        depend_on(self.env, chapters.values(), syllabus_path(root).relative_to(root))
        return self.parse_text_to_nodes("\n".join(lines))


def _shown(root: Path, chapters: Mapping[str, Chapter], weeks: list[Week]) -> Iterator[str]:
    yield "| week | chapters | to read | exercises | points | time |"
    yield "|---:|---|---:|---|---:|---:|"
    total = [0, 0, 0]
    for number, week in enumerate(weeks, 1):
        read = sum(chapters[slug].minutes for slug in week.chapters)
        points = sum(points_of(root, exercise) for exercise in week.exercises)
        # The fewest, where an exercise names a range.
        minutes = sum(minutes_of(root, exercise)[0] for exercise in week.exercises)
        links = ", ".join(
            f"{{doc}}`{chapters[slug].subject} </{chapters[slug].page}>`" for slug in week.chapters
        )
        exercises = ", ".join(f"*{exercise}*" for exercise in week.exercises)
        yield (
            f"| {number} | {links} | {_time(read)} | {exercises} | {points or ''} "
            f"| {_time(minutes)} |"
        )
        total = [total[0] + read, total[1] + points, total[2] + minutes]
    yield f"| all | | {_time(total[0])} | | {total[1]} | {_time(total[2])} |"


def _time(minutes: int) -> str:
    """Return minutes as hours and minutes; nothing for none."""
    return f"{minutes // 60}:{minutes % 60:02} h" if minutes else ""


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the extension."""
    app.add_directive("syllabus", Syllabus)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
