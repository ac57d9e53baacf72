"""What each chapter needs: read from the chapters, checked, and drawn as a map.

A chapter says in its front matter what it needs::

    course:
      needs: [layers]
      exercise: activations

``_toc.yml`` has the order. The two must agree: what a chapter needs comes before it, which also
means that nobody can need each other. As a Sphinx extension, this module gives the directive
``{coursemap}``, a drawing of all chapters with their needs, each a link.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from course_lib.book import STILL_BUILDERS
from course_lib.book.reading import minutes
from course_lib.paths import CourseError, toc_entries

__all__ = ["Chapter", "depend_on", "is_chapter", "levels", "read_chapters", "setup", "svg"]

_WIDTH, _HEIGHT = 330, 66
#: What a box grows by when it has to name needs that are not on the map.
_MORE = 18
_GAP_ACROSS, _GAP_DOWN = 24, 30
_LINE = 47
#: As many boxes side by side as can be read on the width of a page.
_ACROSS = 3


@dataclass(frozen=True)
class Chapter:
    """A chapter, as its page and ``_toc.yml`` describe it.

    Attributes
    ----------
    page : str
        Its path without ending, such as ``book/part/slug``.
    title : str
        Its heading: subject and question, such as "Layers: what do hidden layers do?".
    minutes : int
        How long it takes to read, as `course_lib.book.reading` estimates it.
    needs : tuple of str
        The slugs of the chapters that it builds on directly.
    exercise : str or None
        The slug of its exercise.
    """

    page: str
    title: str
    minutes: int
    needs: tuple[str, ...]
    exercise: str | None

    @property
    def slug(self) -> str:
        """The last part of its path."""
        return Path(self.page).name

    @property
    def part(self) -> str:
        """The folder of its part."""
        return Path(self.page).parent.name

    @property
    def subject(self) -> str:
        """What its title says before the colon: its name in the sidebar and in other chapters."""
        return self.title.partition(":")[0]

    @property
    def question(self) -> str:
        """What its title asks after the colon; nothing where there is no colon."""
        asked = self.title.partition(":")[2].strip()
        return asked[:1].upper() + asked[1:]


def read_chapters(root: Path) -> list[Chapter]:
    """Return the chapters in the order of ``_toc.yml``.

    Raises
    ------
    CourseError
        If front matter is missing or wrong, or does not agree with ``_toc.yml``; all that is wrong
        is named at once.
    """
    pages = [page for page in toc_entries(root) if is_chapter(page)]
    chapters, problems = [], []
    for page in pages:
        try:
            chapters.append(_read(root, page))
        except CourseError as error:
            problems.append(str(error))
    problems += _disagreements(chapters, {Path(page).name for page in pages})
    if problems:
        raise CourseError("\n".join(problems))
    return chapters


def is_chapter(page: str) -> bool:
    """Tell whether a page is a chapter: no part of the appendix, and not the opening of a part."""
    top, *folders, name = ("", *page.split("/"))[-3:]
    apart = (["appendix"], ["teaching"])
    return top == "book" and folders not in apart and name != "index"


def _read(root: Path, page: str) -> Chapter:
    import yaml

    path = root / f"{page}.md"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CourseError(
            f"{page}.md is named in _toc.yml and cannot be read: {error.strerror}."
        ) from error
    _, mark, rest = text.partition("---\n")
    front, end, body = rest.partition("\n---\n")
    course = yaml.safe_load(front).get("course") if mark and end else None
    if not isinstance(course, dict):
        raise CourseError(
            f"{page}.md has no `course:` in its front matter: give needs and exercise."
        )
    titles = [line[2:].strip() for line in body.splitlines() if line.startswith("# ")]
    needs = course.get("needs")
    if not titles:
        raise CourseError(f"{page}.md has no heading: begin it with `# ` and its question.")
    if not isinstance(needs, list) or not all(isinstance(need, str) for need in needs):
        raise CourseError(
            f"{page}.md: `needs` is {needs!r}; wanted: a list of chapters, such as [layers], or []."
        )
    exercise = course.get("exercise")
    if exercise is not None and not (root / "solutions" / f"{exercise}.py").is_file():
        raise CourseError(f"{page}.md: its exercise {exercise!r} has no solutions/{exercise}.py.")
    return Chapter(page, titles[0], minutes(text), tuple(needs), exercise)


def _disagreements(chapters: Sequence[Chapter], known: set[str]) -> list[str]:
    """Return where chapters need what does not exist or comes later."""
    found = []
    before: set[str] = set()
    for chapter in chapters:
        for need in chapter.needs:
            if need not in known:
                found.append(f"{chapter.page}.md needs {need!r}, which is not in _toc.yml.")
            elif need not in before:
                found.append(
                    f"{chapter.page}.md needs {need!r}, which does not come before it in _toc.yml: "
                    "move one of them, or drop the need."
                )
        before.add(chapter.slug)
    return found


def levels(chapters: Sequence[Chapter]) -> list[list[Chapter]]:
    """Return the chapters in rows, each row below all that its chapters need.

    Parameters
    ----------
    chapters : sequence of Chapter
        In an order in which needs come first, as `read_chapters` gives them. Needs that are not
        among them count for nothing.
    """
    depth: dict[str, int] = {}
    rows: list[list[Chapter]] = []
    for chapter in chapters:
        row = 1 + max((depth[need] for need in chapter.needs if need in depth), default=-1)
        depth[chapter.slug] = row
        rows.extend([] for _ in range(row + 1 - len(rows)))
        rows[row].append(chapter)
    return rows


def svg(
    chapters: Sequence[Chapter], links: dict[str, str], subjects: Mapping[str, str] | None = None
) -> str:
    """Draw the map.

    Parameters
    ----------
    chapters : sequence of Chapter
        As `read_chapters` gives them, or some of these. An arrow is drawn for each need among
        them; what else a chapter needs is written in its box.
    links : dict of str
        Where each page lies, for its link.
    subjects : mapping of str, optional
        What chapters outside the map are called, by their slug.

    Returns
    -------
    str
        An ``<svg>`` element; its colors are those of the page that it is put in.
    """
    slugs = {chapter.slug for chapter in chapters}
    outside = {
        chapter.slug: [(subjects or {}).get(n, n) for n in chapter.needs if n not in slugs]
        for chapter in chapters
    }
    tall = _HEIGHT + (_MORE if any(outside.values()) else 0)
    rows = [
        level[start : start + _ACROSS]
        for level in levels(chapters)
        for start in range(0, len(level), _ACROSS)
    ]
    width = max(len(row) for row in rows) * (_WIDTH + _GAP_ACROSS) - _GAP_ACROSS
    height = len(rows) * (tall + _GAP_DOWN) - _GAP_DOWN
    place = {}
    for number, row in enumerate(rows):
        left = (width - len(row) * (_WIDTH + _GAP_ACROSS) + _GAP_ACROSS) / 2
        for column, chapter in enumerate(row):
            place[chapter.slug] = (
                left + column * (_WIDTH + _GAP_ACROSS),
                number * (tall + _GAP_DOWN),
            )
    # A page may hold several maps, and an identifier only once.
    tip = f"coursemap-tip-{chapters[0].slug}"
    lines = [
        _arrow(place[need], place[c.slug], tall, tip)
        for c in chapters
        for need in c.needs
        if need in place
    ]
    boxes = [
        _box(chapter, links[chapter.page], *place[chapter.slug], tall, outside[chapter.slug])
        for chapter in chapters
    ]
    label = "The chapters, each below those that it needs"
    return (
        f'<svg class="coursemap" role="group" aria-label="{label}" '
        f'viewBox="-2 -2 {width + 4:g} {height + 4:g}" style="max-width: {width + 4:g}px">'
        f'<defs><marker id="{tip}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>'
        f"{''.join(lines)}{''.join(boxes)}</svg>"
    )


def _arrow(start: tuple[float, float], end: tuple[float, float], tall: float, tip: str) -> str:
    x, y = start[0] + _WIDTH / 2, start[1] + tall
    to_x, to_y = end[0] + _WIDTH / 2, end[1] - 2
    reach = (to_y - y) / 2
    path = f"M{x:g} {y:g}C{x:g} {y + reach:g} {to_x:g} {to_y - reach:g} {to_x:g} {to_y:g}"
    return f'<path class="need" d="{path}" marker-end="url(#{tip})"/>'


def _box(
    chapter: Chapter, link: str, x: float, y: float, tall: float, outside: Sequence[str]
) -> str:
    question = textwrap.wrap(chapter.question, _LINE)[:2]
    if outside:
        question.append(textwrap.shorten(f"after {' and '.join(outside)}", _LINE, placeholder=" …"))
    words = "".join(
        f'<text class="question" x="{x + 12:g}" y="{y + 39 + 16 * number:g}">'
        f"{html.escape(line)}</text>"
        for number, line in enumerate(question)
    )
    return (
        f'<a href="{html.escape(link)}">'
        f'<rect x="{x:g}" y="{y:g}" width="{_WIDTH}" height="{tall}" rx="6"/>'
        f'<text class="name" x="{x + 12:g}" y="{y + 20:g}">{html.escape(chapter.subject)}</text>'
        f'<text class="minutes" x="{x + _WIDTH - 12:g}" y="{y + 20:g}" text-anchor="end">'
        f"{chapter.minutes} min</text>{words}</a>"
    )


def depend_on(env: BuildEnvironment, chapters: Iterable[Chapter], *files: Path) -> None:
    """Have the page that is read now read again when chapters or their exercises change.

    Parameters
    ----------
    env : BuildEnvironment
    chapters : iterable of Chapter
        Those that the page shows something of.
    *files : Path
        What else it is made of, relative to the course.
    """
    for name in ("_toc.yml", *files):
        env.note_dependency(str(name))
    for chapter in chapters:
        env.note_dependency(f"{chapter.page}.md")
        if chapter.exercise:
            env.note_dependency(f"solutions/{chapter.exercise}.py")


# Docutils writes the names of nodes small.
class coursemap(nodes.General, nodes.Element):  # noqa: N801
    """The place of the map, until the links of a page are known."""


class CourseMap(SphinxDirective):
    """The ``coursemap`` directive, with the folder of a part as its argument, or without one."""

    optional_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Read the chapters; what is wrong with them is an error of this page."""
        root = Path(self.env.srcdir)
        try:
            chapters = read_chapters(root)
        except CourseError as error:
            raise self.error(str(error)) from error
        depend_on(self.env, chapters)
        subjects = {chapter.slug: chapter.subject for chapter in chapters}
        if self.arguments:
            (part,) = self.arguments
            parts = dict.fromkeys(chapter.part for chapter in chapters)
            chapters = [chapter for chapter in chapters if chapter.part == part]
            if not chapters:
                raise self.error(
                    f"coursemap: no chapter lies in book/{part}/. There are: {', '.join(parts)}."
                )
        return [coursemap(chapters=chapters, subjects=subjects)]


def _draw(app: Sphinx, tree: nodes.document, page: str) -> None:
    """Put the drawing in its place; where there is no HTML, a list."""
    for node in list(tree.findall(coursemap)):
        chapters: list[Chapter] = node["chapters"]
        # The links in a drawing are for browsers.
        if app.builder.format == "html" and app.builder.name not in STILL_BUILDERS:
            links = {c.page: app.builder.get_relative_uri(page, c.page) for c in chapters}
            drawn = svg(chapters, links, node["subjects"])
            node.replace_self(nodes.raw("", drawn, format="html"))
            continue
        items = [
            nodes.list_item("", nodes.paragraph(text=f"{c.title} ({c.minutes} min)"))
            for c in chapters
        ]
        node.replace_self(nodes.enumerated_list("", *items))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_node(coursemap)
    app.add_directive("coursemap", CourseMap)
    app.connect("doctree-resolved", _draw)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
