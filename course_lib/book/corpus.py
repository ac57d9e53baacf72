"""Make the text corpus from the book's own chapters: `python -m course_lib.book.corpus`.

The corpus is a frozen snapshot (`course_lib/data/book.txt`). Chapters that learn from it keep their
numbers when a page is edited; only this command moves them.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import yaml

from course_lib.book.prerequisites import read_chapters
from course_lib.paths import find_root

__all__ = ["make_corpus", "plain_text"]

#: Sections that hold no running text of their own.
_LEFT_OUT = ("Exercise", "Going further")

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_FENCED = re.compile(r"^(`{3,}).*?^\1$\n?", re.DOTALL | re.MULTILINE)
_OPTIONS = re.compile(r"\A`{3,}.*\n---\n(.*?)^---$", re.DOTALL | re.MULTILINE)
_DISPLAYED = re.compile(r"\$\$.*?\$\$", re.DOTALL)
_HEAD = re.compile(r"^\*Time to read:\*.*?\n\n", re.DOTALL | re.MULTILINE)
_CITED_AS_TEXT = re.compile(r"\{cite:t\}`[^`]*`")
_CITED = re.compile(r"\s*\{cite(?::\w+)?\}`[^`]*`")
_FIGURE = re.compile(r"\{numref\}`[^`]*`")
_ROLE = re.compile(r"\{[\w:]+\}`([^`<]*?)(?:\s*<[^`]*>)?`")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_SENTENCE = re.compile(r"(?<=[.?!:])\s+(?=[A-Z])")

#: Letters with a plain neighbor; any other letter outside ASCII goes with its sentence.
_PLAIN = str.maketrans(
    {
        "\u2212": "-", "\u2013": "-", "\u2014": "-", "\u00d7": "x", "\u2019": "'", "\u2018": "'",
        "\u201c": '"', "\u201d": '"', "\u2026": "...", "\u00a0": " ", "\u202f": " ",
    }
)  # fmt: skip


def make_corpus(root: Path) -> str:
    """Return the running text of all chapters, as plain ASCII.

    A chapter begins with a line ``# Title``, a section with ``## Title``; paragraphs stand between
    blank lines, each on one line. A figure is there with its
    caption and its description. Code, tables, displayed formulas and citations are left out, and so
    are sentences with formulas that need more than letters, digits and signs.

    Parameters
    ----------
    root : Path
        The course's folder.

    Returns
    -------
    str
    """
    pages = [(root / f"{chapter.page}.md").read_text("utf-8") for chapter in read_chapters(root)]
    return "\n\n".join(plain_text(page) for page in pages) + "\n"


def plain_text(page: str) -> str:
    """Return the running text of a chapter.

    Parameters
    ----------
    page : str
        In MyST, with its front matter.

    Returns
    -------
    str
        Blocks between blank lines; a block is a heading, a paragraph or an item of a list.
    """
    text = _FRONT_MATTER.sub("", page)
    text = _FENCED.sub(_caption, text)
    for pattern in (_DISPLAYED, _HEAD):
        text = pattern.sub("", text)
    kept, section = [], ""
    for block in re.split(r"\n\s*\n", text):
        block = block.strip()
        if block.startswith("## "):
            section = block.removeprefix("## ")
        if section in _LEFT_OUT or block.startswith("|"):
            continue
        for line in _lines(block):
            plain = line if line.startswith("#") and line.isascii() else _sentences(line)
            if plain:
                kept.append(plain)
    return "\n\n".join(kept)


def _caption(cell: re.Match[str]) -> str:
    """Return what a cell's figure says below it, and what it says to those who cannot see it."""
    options = _OPTIONS.match(cell.group())
    shown = (yaml.safe_load(options[1]) or {}).get("mystnb", {}) if options else {}
    texts = [shown.get("figure", {}).get("caption", ""), shown.get("image", {}).get("alt", "")]
    return "\n\n".join(" ".join(text.split()) for text in texts) + "\n\n"


def _lines(block: str) -> list[str]:
    """Return the paragraphs of a block: items one by one, options and fences of boxes not."""
    lines: list[str] = []
    for line in block.splitlines():
        line = line.strip()
        if line.startswith((":::{question}", ":::{admonition}")):
            title = line.split("}", 1)[1].strip()
            if title != "Predict, then try":
                lines.append(title)
        elif line.startswith(":") or not line:
            continue
        elif re.match(r"- (\([x ]\) )?|\d+\. ", line):
            lines.append(re.sub(r"^- (\([x ]\) )?|^\d+\. ", "", line))
        elif lines and not line.startswith("#"):
            lines[-1] += f" {line}"
        else:
            lines.append(line)
    return lines


def _sentences(line: str) -> str:
    """Return a paragraph without what plain ASCII cannot say."""
    line = _CITED.sub("", _FIGURE.sub("the figure", _CITED_AS_TEXT.sub("the authors", line)))
    line = _LINK.sub(r"\1", _ROLE.sub(r"\1", line)).translate(_PLAIN)
    line = re.sub(r"\$(\w|[\w\s,.+\-=<>/()]+)\$", r"\1", line)
    line = line.replace("`", "").replace(" %", "%")
    line = re.sub(r"\*\*(\w[^*]*)\*\*", r"\1", line)
    line = re.sub(r"(?<![\w*])\*([^*]+)\*(?![\w*])", r"\1", line)
    # A colon or a list's comma would be left hanging: only whole sentences go.
    kept = [s for s in _SENTENCE.split(line) if s.isascii() and not re.search(r"[$\\{}]", s)]
    return re.sub(r"\s+", " ", " ".join(kept)).strip()


def main() -> None:
    """Write the snapshot."""
    root = find_root()
    file = root / "course_lib" / "data" / "book.txt"
    text = make_corpus(root)
    file.write_text(text, encoding="ascii")
    sys.stdout.write(f"{file.relative_to(root)}: {len(text):,} letters\n")


if __name__ == "__main__":
    main()
