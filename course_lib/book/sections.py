"""Where the sections of a chapter can be read on the built site."""

from __future__ import annotations

import re
from pathlib import Path

from docutils.nodes import make_id

from course_lib.book.prerequisites import read_chapters
from course_lib.book.site import site_path

__all__ = ["exercise_sections", "headings"]


def headings(text: str) -> list[str]:
    """Return the titles of a page's sections in order, as plain text, without the page's own."""
    text = re.sub(r"(?ms)^(```+|~~~+).*?^\1\s*$", "", text)
    found = re.findall(r"(?m)^#{2,6} +(.+?)\s*#*$", text)
    return [re.sub(r"[`*]", "", title) for title in found]


def exercise_sections(root: Path, slug: str) -> dict[str, str]:
    """Return the addresses of an exercise's chapter on the site, by the titles of its sections.

    Hints of tests name sections by these titles. The addresses are paths of files, with ``#`` and
    an anchor; there are none where no chapter has the exercise, or the site is not built.
    """
    found: dict[str, str] = {}
    for chapter in read_chapters(root):
        page = site_path(root) / f"{chapter.page}.html"
        if chapter.exercise == slug and page.is_file():
            text = (root / f"{chapter.page}.md").read_text(encoding="utf-8")
            for title in headings(text):
                found.setdefault(title, f"{page}#{make_id(title)}")
    return found
