"""A Sphinx extension: the book as files that cannot be worked, an EPUB and a page for paper.

Both show what the site shows without its scripts: stills of live parts, the choices of a question
with the answers at the end of the chapter, and no buttons. Their pages are written without the
theme, which is made for a browser: a title, the text, and one style sheet (``still.css``).

`EpubBuilder` packs XHTML pages with formulas in MathML. `PaperBuilder` writes one page with
everything, which `course_lib.book.paper` has printed.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from bs4 import BeautifulSoup
from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.epub3 import Epub3Builder
from sphinx.builders.singlehtml import SingleFileHTMLBuilder
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

from course_lib.book import STILL_BUILDERS
from course_lib.book.live import live_box

__all__ = [
    "EpubBuilder",
    "PaperBuilder",
    "StillForms",
    "as_xhtml",
    "for_paper",
    "properties_of",
    "setup",
]

logger = logging.getLogger(__name__)

_STYLE = "still.css"
#: What is for paper alone; no reader of EPUBs would understand it.
_PAPER = "paper.css"
_PYGMENTS = "a11y-high-contrast-light"

_PAGE = """\
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" lang="{language}" xml:lang="{language}">
<head>
<meta charset="utf-8" />
<title>{title}</title>
{styles}
</head>
<body>
{body}
</body>
</html>
"""

#: Bootstrap's name for what is not printed.
_SCREEN_ONLY = "d-print-none"

#: Names of characters that HTML knows and XML does not.
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_XML_ENTITIES = {"amp", "lt", "gt", "quot", "apos"}
_EMPTY_PATH = re.compile(r"<path(?![^>]*\sd=)")
_MATH = "{http://www.w3.org/1998/Math/MathML}math"
_SVG = "{http://www.w3.org/2000/svg}svg"


class StillForms(SphinxPostTransform):
    """Put what can be read in the place of what can be clicked."""

    # Behind myst-nb's, which folds code.
    default_priority = 210

    def run(self, **_: Any) -> None:
        """Replace what needs a browser."""
        if self.app.builder.name not in STILL_BUILDERS:
            return
        for box in list(self.document.findall(live_box)):
            box.replace_self(list(box.findall(nodes.image)))
        for link in list(self.document.findall(addnodes.download_reference)):
            link.replace_self(link.children)
        for place in list(self.document.findall(nodes.raw)):
            if "data-review" in place.astext():
                place.replace_self(nodes.paragraph("", "This part of the page works in the site."))
        for place in list(self.document.findall(nodes.raw)):
            if _SCREEN_ONLY in place.astext():
                place.replace_self(nodes.raw("", for_paper(place.astext()), format="html"))
        for folded in list(self.document.findall(HideCodeCellNode)):
            if self.app.builder.name == "singlehtml":
                # Code that only draws is in the site and in the notebooks.
                folded.parent.remove(folded)
                continue
            summary = html.escape(folded["prompt_show"])
            opening = f"<details>\n<summary>{summary}</summary>\n"
            closing = nodes.raw("", "</details>\n", format="html")
            # Without the classes, which `replace_self` would hand on.
            folded.parent.replace(
                folded, [nodes.raw("", opening, format="html"), *folded.children, closing]
            )


def for_paper(text: str) -> str:
    """Return HTML without what is for the screen alone (class ``d-print-none``: players of sound).

    Parameters
    ----------
    text : str
        Whole elements, as the output of a cell has them.
    """
    page = BeautifulSoup(text, "html.parser")
    for element in page.select(f".{_SCREEN_ONLY}"):
        element.decompose()
    return str(page)


def as_xhtml(text: str) -> str:
    """Return a page as XML can have it.

    Raises
    ------
    ValueError
        When it is no well-formed XML even then, with the place.
    """
    text = _ENTITY.sub(_character, text)
    try:
        ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        line = text.splitlines()[error.position[0] - 1]
        around = line[max(0, error.position[1] - 60) : error.position[1] + 60]
        raise ValueError(f"it is no well-formed XML ({error}): {around}") from None
    return text


def _character(found: re.Match[str]) -> str:
    known = html.unescape(found[0])
    return found[0] if found[1] in _XML_ENTITIES or known == found[0] else known


def properties_of(text: str) -> list[str]:
    """Return what a package has to declare of a page: whether it holds MathML or SVG."""
    tags = {element.tag for element in ElementTree.fromstring(text).iter()}
    return [name for name, tag in (("mathml", _MATH), ("svg", _SVG)) if tag in tags]


class _Plain:
    """What both builders have in common: pages without the theme."""

    def page(self: Any, title: str, body: str, depth: int) -> str:
        """Return a whole page."""
        top = "../" * depth
        sheets = [_STYLE, *(["formulas.css", _PAPER] if self.name == "singlehtml" else [])]
        return _PAGE.format(
            language=self.config.language or "en",
            title=html.escape(html.unescape(re.sub(r"<[^>]+>", "", title))),
            styles="\n".join(
                f'<link rel="stylesheet" type="text/css" href="{top}_static/{name}" />'
                for name in sheets
            ),
            body=body,
        )

    def handle_page(
        self: Any,
        pagename: str,
        addctx: dict[str, Any],
        templatename: str = "page.html",
        outfilename: Any = None,
        event_arg: Any = None,
    ) -> None:
        """Write a page of the book, and none of Sphinx's own (search, index)."""
        if "body" not in addctx:
            return
        text = self.page(addctx["title"], addctx["body"], pagename.count("/"))
        if self.name == "epub":
            try:
                text = as_xhtml(text)
            except ValueError as error:
                logger.warning(f"The page cannot go into the EPUB: {error}.", location=pagename)
        path = Path(self.outdir, f"{pagename}{self.out_suffix}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def copy_static_files(self: Any) -> None:
        """Write the style sheet, and nothing of the theme."""
        from pygments.formatters import HtmlFormatter

        static = Path(self.outdir, "_static")
        static.mkdir(parents=True, exist_ok=True)
        style = Path(__file__).with_name(_STYLE).read_text(encoding="utf-8")
        code = HtmlFormatter(style=_PYGMENTS).get_style_defs(".highlight")
        (static / _STYLE).write_text(f"{style}\n{code}\n", encoding="utf-8")
        if self.name == "singlehtml":
            paper = Path(__file__).with_name(_PAPER).read_text(encoding="utf-8")
            (static / _PAPER).write_text(paper, encoding="utf-8")

    def copy_extra_files(self: Any) -> None:
        """Copy none."""

    def copy_download_files(self: Any) -> None:
        """Copy none: nothing here can be clicked."""

    def gen_additional_pages(self: Any) -> None:
        """Write none: no search, no index."""

    def write_additional_files(self: Any) -> None:
        """Write none."""

    def gen_indices(self: Any) -> None:
        """Write none."""


class EpubBuilder(_Plain, Epub3Builder):
    """Packs the book as an EPUB 3."""

    add_permalinks = False

    def init(self) -> None:
        """Begin without Sphinx's own indices."""
        super().init()
        self.use_index = False

    def prepare_writing(self, docnames: set[str]) -> None:
        """Prepare without indices."""
        super().prepare_writing(docnames)
        self.use_index = False
        self.domain_indices = []

    def toc_metadata(self, level: int, navpoints: list[Any]) -> dict[str, Any]:
        """Have the table of contents know the book by its identifier."""
        known = super().toc_metadata(level, navpoints)
        return {**known, "uid": html.escape(self.config.epub_identifier)}

    def copy_image_files(self) -> None:
        """Copy the figures; Matplotlib's blanks are paths without data, and get empty ones."""
        super().copy_image_files()
        for path in Path(self.outdir, self.imagedir).glob("*.svg"):
            text = path.read_text(encoding="utf-8")
            path.write_text(_EMPTY_PATH.sub('<path d=""', text), encoding="utf-8")

    def build_content(self) -> None:
        """Write the list of files, and say which pages hold MathML."""
        super().build_content()
        path = Path(self.outdir, "content.opf")
        text = path.read_text(encoding="utf-8")
        for name in self.files:
            if not name.endswith(self.out_suffix):
                continue
            try:
                known = properties_of(Path(self.outdir, name).read_text(encoding="utf-8"))
            except ElementTree.ParseError:
                # That was told when the page was written.
                continue
            if known:
                address = f'href="{html.escape(name)}"'
                text = text.replace(address, f'{address} properties="{" ".join(known)}"', 1)
        path.write_text(text, encoding="utf-8")


class PaperBuilder(_Plain, SingleFileHTMLBuilder):
    """Writes the whole book as one page, to be printed."""

    add_permalinks = False


def _begin(app: Sphinx) -> None:
    """Have an EPUB hold nothing of an earlier one."""
    if app.builder.name not in STILL_BUILDERS:
        return
    for path in _files(Path(app.outdir)):
        path.unlink()


def _files(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        yield from (Path(root, name) for name in names)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Put the builders in the places of Sphinx's."""
    app.setup_extension("sphinx.builders.epub3")
    app.add_builder(EpubBuilder, override=True)
    app.add_builder(PaperBuilder, override=True)
    app.add_post_transform(StillForms)
    app.connect("builder-inited", _begin)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
