"""Prove that what students get holds no solution, no hidden test and no marking scheme."""

from __future__ import annotations

import html
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import nbformat

from course_lib.assignments.proofs import SECRET, shown_secrets
from course_lib.assignments.sources import source_notebook
from course_lib.paths import exercise_slugs, source_path

__all__ = ["leaks"]

#: So many lines in a row, of together so many characters, stand in two places for one reason only.
#: Shorter pieces (an import, a loop's first line) are everybody's.
LINES, CHARACTERS = 3, 60

#: Files that hold no text.
BINARY = frozenset((".png", ".ico", ".woff", ".woff2", ".ttf", ".opus", ".pt", ".inv", ".gif"))

_TAG = re.compile(r"<[^<>]*>")
_QUOTE = re.compile(r'(?<!\\)"')


def leaks(root: Path, kit: Path) -> list[str]:
    """Return what a kit gives away, a sentence each.

    A release is looked through line by line, as in the proofs. In every other file, packed ones
    included, three lines in a row are looked for. The modules that an exercise names as holding
    its answers are handed out in the open; chapters show what chapters show.

    Parameters
    ----------
    root : Path
        The course, with its sources.
    kit : Path
        The folder of the kit.
    """
    slugs = [slug for slug in exercise_slugs(root) if source_path(root, slug).is_file()]
    secrets: dict[str, str] = {}
    public: set[str] = set()
    told: set[str] = set()
    found = []
    for slug in slugs:
        source = source_notebook(root, slug)
        told |= set(source.metadata.get("course", {}).get("answers_in", []))
        for cell in source.cells:
            public |= _pieces(SECRET.sub("", cell.source))
            for match in SECRET.finditer(cell.source):
                secrets |= dict.fromkeys(_pieces("\n".join(filter(None, match.groups()))), slug)
        released = kit / "exercises" / slug / f"{slug}.ipynb"
        if released.is_file():
            shown = shown_secrets(source, nbformat.read(released, as_version=4))
            found += [f"exercises/{slug}: {problem}" for problem in shown]
    for page in (root / "book").rglob("*.md"):
        public |= _pieces(page.read_text(encoding="utf-8"))
    for name, text in _texts(kit):
        if _module(name) in told:
            continue
        given = sorted({secrets[p] for p in _pieces(text) if p in secrets and p not in public})
        found += [f"{name}: lines of a solution or hidden test of {slug}" for slug in given]
    return found


def _texts(kit: Path) -> Iterator[tuple[str, str]]:
    """Yield the text of every file of a kit, with its name; archives are looked into."""
    for path in sorted(kit.rglob("*")):
        if path.is_file():
            yield from _text_of(path.relative_to(kit).as_posix(), path.read_bytes())


def _text_of(name: str, content: bytes) -> Iterator[tuple[str, str]]:
    kind = Path(name).suffix
    if kind in (".whl", ".zip"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.namelist():
                yield from _text_of(f"{name}/{entry}", archive.read(entry))
        return
    if kind in BINARY:
        return
    text = content.decode("utf-8", errors="replace")
    if kind == ".ipynb":
        cells = json.loads(text)["cells"]
        text = "\n".join("".join(cell["source"]) for cell in cells)
    elif kind in (".html", ".svg"):
        text = html.unescape(_TAG.sub("", text))
    elif kind in (".js", ".json"):
        # A search index, or data of a page: texts with their line ends written out.
        text = _QUOTE.sub("\n", text).replace("\\n", "\n").replace('\\"', '"')
    yield name, text


def _module(name: str) -> str:
    """Return the module that a file of a wheel is."""
    _, found, inside = name.partition("course_lib/")
    return (found + inside).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _pieces(text: str) -> set[str]:
    """Return all pieces of a text: lines in a row, without remarks, blanks and indentation."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    pieces = ("\n".join(lines[place : place + LINES]) for place in range(len(lines) - LINES + 1))
    return {piece for piece in pieces if len(piece) > CHARACTERS}
