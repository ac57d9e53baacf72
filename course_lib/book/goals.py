"""Ways through the course for a goal: chapters, hours and points, computed and not typed.

In a page::

    ```{coursepaths}
    - goal: I want to understand transformers
      to: [transformers, language-models]
    - goal: I have four weeks
      to: [cnn]
      weeks: 4
    ```

A path holds the chapters that it leads to and all that these need, as
`course_lib.book.prerequisites` reads it, in the order of the book. With ``weeks``, it is dealt out
so that the fullest week is as short as it can be. Reading times, the times of exercises and their
points are those that the pages and the exercises say themselves.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import yaml
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

from course_lib.book import STILL_BUILDERS
from course_lib.book.prerequisites import Chapter, depend_on, read_chapters
from course_lib.book.workload import minutes_of, points_of
from course_lib.paths import CourseError

__all__ = ["CoursePath", "course_path", "setup", "weeks_of"]


@dataclass(frozen=True)
class CoursePath:
    """A way through the course.

    Attributes
    ----------
    goal : str
    chapters : tuple of Chapter
        In the order of the book.
    reading : int
        Minutes.
    exercises : (int, int)
        Minutes that the exercises take, at least and at most: most name one time.
    points : int
    """

    goal: str
    chapters: tuple[Chapter, ...]
    reading: int
    exercises: tuple[int, int]
    points: int

    @property
    def summary(self) -> str:
        """What it takes, in a line."""
        low, high = (hours(minutes) for minutes in self.exercises)
        work = low if low == high else f"{low} to {high}"
        return (
            f"{len(self.chapters)} chapters, {hours(self.reading)} hours of reading, {work} hours "
            f"of exercises, {self.points} points"
        )


def hours(minutes: int) -> str:
    """Return whole hours, rounded."""
    return str(max(1, round(minutes / 60)))


def course_path(
    root: Path, chapters: Sequence[Chapter], goal: str, targets: Sequence[str]
) -> CoursePath:
    """Return the path to some chapters, with all that they need.

    Parameters
    ----------
    root : Path
        The course.
    chapters : sequence of Chapter
        As `read_chapters` gives them.
    goal : str
    targets : sequence of str
        Slugs of chapters.

    Raises
    ------
    CourseError
        If a target is no chapter, or an exercise does not say its time.
    """
    known = {chapter.slug: chapter for chapter in chapters}
    if missing := [slug for slug in targets if slug not in known]:
        raise CourseError(
            f"The path {goal!r} leads to {', '.join(missing)}, and no chapter is called that. "
            f"There are: {', '.join(known)}."
        )
    wanted: set[str] = set()
    waiting = list(targets)
    while waiting:
        slug = waiting.pop()
        if slug not in wanted:
            wanted.add(slug)
            waiting += known[slug].needs
    there = tuple(chapter for chapter in chapters if chapter.slug in wanted)
    exercises = [chapter.exercise for chapter in there if chapter.exercise]
    times = [minutes_of(root, exercise) for exercise in exercises]
    return CoursePath(
        goal,
        there,
        sum(chapter.minutes for chapter in there),
        (sum(low for low, _ in times), sum(high for _, high in times)),
        sum(points_of(root, exercise) for exercise in exercises),
    )


def weeks_of(minutes: Sequence[int], weeks: int) -> list[int]:
    """Deal chapters out to weeks, in their order, so that the fullest week is as short as can be.

    Parameters
    ----------
    minutes : sequence of int
        How long each chapter takes.
    weeks : int
        From 1 to as many as there are chapters.

    Returns
    -------
    list of int
        How many chapters each week has, at least one.

    Raises
    ------
    ValueError
        If there are more weeks than chapters, or none.
    """
    if not 1 <= weeks <= len(minutes):
        raise ValueError(f"{len(minutes)} chapters cannot be dealt out to {weeks} weeks.")
    before = [0, *itertools.accumulate(minutes)]

    @cache
    def fullest(first: int, left: int) -> tuple[int, int]:
        """Return the fullest of the weeks left, and how many chapters the first of them has."""
        if left == 1:
            return before[-1] - before[first], len(minutes) - first
        ends = range(first + 1, len(minutes) - left + 2)
        return min(
            (max(before[end] - before[first], fullest(end, left - 1)[0]), end - first)
            for end in ends
        )

    counts: list[int] = []
    for left in range(weeks, 0, -1):
        counts.append(fullest(sum(counts), left)[1])
    return counts


# Docutils writes the names of nodes small.
class coursepath(nodes.General, nodes.Element):  # noqa: N801
    """A path, closed until it is asked for."""


class coursepath_summary(nodes.Part, nodes.TextElement):  # noqa: N801
    """Its goal, and what it takes."""


class CoursePaths(SphinxDirective):
    """The ``coursepaths`` directive."""

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Compute the paths; what is wrong with them is an error of this page."""
        root = Path(self.env.srcdir)
        try:
            chapters = read_chapters(root)
            asked = yaml.safe_load("\n".join(self.content))
            paths = [course_path(root, chapters, one["goal"], one["to"]) for one in asked]
        except CourseError as error:
            raise self.error(str(error)) from error
        except (KeyError, TypeError, yaml.YAMLError) as error:
            raise self.error(
                f"coursepaths: wanted is a list of paths, each with `goal` and `to`; {error!r}."
            ) from error
        depend_on(self.env, chapters)
        made: list[nodes.Node] = []
        for path, one in zip(paths, asked, strict=True):
            node = coursepath()
            summary = coursepath_summary()
            summary += nodes.strong(text=path.goal)
            summary += nodes.Text(f": {path.summary}.")
            node += summary
            node += (
                self._weeks(root, path, one["weeks"]) if "weeks" in one else self._line(root, path)
            )
            made.append(node)
        return made

    def _line(self, root: Path, path: CoursePath) -> nodes.paragraph:
        """Name the chapters; a part that is needed as a whole is named once."""
        every = read_chapters(root)
        names = _captions(root)
        line = nodes.paragraph()
        for number, (part, group) in enumerate(
            itertools.groupby(path.chapters, key=lambda chapter: chapter.part)
        ):
            there = list(group)
            whole = len(there) == sum(chapter.part == part for chapter in every)
            if number:
                line += nodes.Text(", then ")
            if whole and part in names:
                line += self._link(f"book/{part}/index", f"{names[part]}")
                line += nodes.Text(f" (all {len(there)} chapters)")
                continue
            for place, chapter in enumerate(there):
                line += [nodes.Text(", ")] if place else []
                line += self._link(chapter.page, chapter.subject)
        line += nodes.Text(".")
        return line

    def _weeks(self, root: Path, path: CoursePath, weeks: int) -> nodes.enumerated_list:
        """Deal the chapters out, a line each week."""
        minutes = [
            c.minutes + (minutes_of(root, c.exercise)[0] if c.exercise else 0)
            for c in path.chapters
        ]
        try:
            counts = weeks_of(minutes, weeks)
        except ValueError as error:
            raise self.error(f"coursepaths: {path.goal!r}: {error}") from error
        listed = nodes.enumerated_list(enumtype="arabic", prefix="", suffix=".", start=1)
        first = 0
        for count in counts:
            line = nodes.paragraph()
            for place, chapter in enumerate(path.chapters[first : first + count]):
                line += [nodes.Text(", ")] if place else []
                line += self._link(chapter.page, chapter.subject)
            took = hours(sum(minutes[first : first + count]))
            line += nodes.Text(f" ({took} {'hour' if took == '1' else 'hours'})")
            listed += nodes.list_item("", line)
            first += count
        return listed

    def _link(self, page: str, text: str) -> addnodes.pending_xref:
        link = addnodes.pending_xref(
            "",
            refdomain="std",
            reftype="doc",
            reftarget=f"/{page}",
            refexplicit=True,
            refwarn=True,
            refdoc=self.env.docname,
        )
        link += nodes.inline(text=text, classes=["doc"])
        return link


def _captions(root: Path) -> dict[str, str]:
    """Return what ``_toc.yml`` calls each part, by its folder."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    return {
        Path(chapter["file"]).parent.name: part["caption"]
        for part in toc["parts"]
        if "caption" in part
        for chapter in part["chapters"]
        if Path(chapter["file"]).name == "index"
    }


def _visit_path(self: HTML5Translator, node: coursepath) -> None:
    # What cannot be clicked is there from the start.
    still = ' open="open"' if self.builder.name in STILL_BUILDERS else ""
    self.body.append(f'<details class="coursepath"{still}>\n')


def _depart_path(self: HTML5Translator, node: coursepath) -> None:
    self.body.append("</details>\n")


def _visit_summary(self: HTML5Translator, node: coursepath_summary) -> None:
    self.body.append("<summary>")


def _depart_summary(self: HTML5Translator, node: coursepath_summary) -> None:
    self.body.append("</summary>\n")


def _pass(self: Any, node: nodes.Element) -> None:
    """Write what is inside and nothing around it."""


def _new_line(self: Any, node: nodes.Element) -> None:
    """End the summary where there is no HTML."""
    self.body.append("\n\n")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive, its nodes and what writes them."""
    app.add_node(
        coursepath, html=(_visit_path, _depart_path), latex=(_pass, _pass), text=(_pass, _pass)
    )
    app.add_node(
        coursepath_summary,
        html=(_visit_summary, _depart_summary),
        latex=(_new_line, _new_line),
        text=(_pass, _pass),
    )
    app.add_directive("coursepaths", CoursePaths)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
