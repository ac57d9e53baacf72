r"""What others wrote as HTML that is safe to open: Markdown, formulas, and HTML itself.

Formulas become MathML, which every browser shows without a script: a page of feedback is one file
that is handed on, so that neither a CDN nor a copy of MathJax beside it will do.

Parsers can be kept busy for hours, and some of them crashed, by texts that are made for it. So this
module also is a process that works on such texts (`renderer` starts it and keeps time).
"""

from __future__ import annotations

import functools
import html
import json
import re
import secrets
import sys
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree

import nh3
from math_core import LatexError, LatexToMathML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from course_lib.grading.engine.limits import RENDERER_MEMORY

__all__ = ["formula", "latex_output", "markdown", "safe_html", "serve"]


def _words(text: str) -> set[str]:
    return set(text.split())


# HTML

TAGS = _words(
    "a abbr b blockquote br caption code col colgroup dd del details div dl dt em figcaption "
    "figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strong sub "
    "summary sup table tbody td tfoot th thead tr tt u ul var"
)

ATTRIBUTES = {
    "*": _words(
        "align alt border class colspan height lang open rowspan scope start style title width"
    ),
    "a": {"href"},
    "img": {"src"},
}

# Of what tables and notes are styled with, nothing that moves a thing out of its place: with a
# negative margin, or as text without a height, it would lie over the points at the head of a page.
STYLES = _words(
    "background-color border border-bottom border-collapse border-color border-left border-right "
    "border-style border-top border-width color font-family font-style font-weight max-width "
    "min-width padding padding-bottom padding-left padding-right padding-top text-align "
    "text-decoration white-space width"
)

# The classes of pandas' tables; with one of the page's own, things would be put elsewhere.
CLASSES = re.compile(
    r"(?:dataframe|blank|data|index_name|(?:col|row)_heading|(?:level|col|row)\d+)\Z"
)

# An image drawn by the notebook, and never one that is fetched: a fetch tells a stranger who reads
# the submission, and when.
DRAWN = re.compile(r"data:image/(png|jpeg|gif|svg\+xml);base64,[A-Za-z0-9+/=\s]*\Z")
LINK = re.compile(r"(https?://|mailto:|#)", re.IGNORECASE)


def safe_html(text: str) -> str:
    """Return HTML with everything taken out that could act: scripts, forms, frames, fetches."""
    return nh3.clean(
        text,
        tags=TAGS,
        clean_content_tags={"script", "style"},
        attributes=ATTRIBUTES,
        attribute_filter=_allowed,
        filter_style_properties=STYLES,
        url_schemes={"http", "https", "mailto", "data"},
    )


def _allowed(tag: str, name: str, value: str) -> str | None:
    if name == "class":
        return " ".join(filter(CLASSES.match, value.split())) or None
    pattern = {"src": DRAWN, "href": LINK}.get(name)
    return value if pattern is None or pattern.match(value.strip()) else None


# Formulas

# What the converter makes. Anything else in what it returns would be its fault or its author's.
MATH_TAGS = _words(
    "math merror mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms "
    "mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover"
)
MATH_ATTRIBUTES = _words(
    "accent accentunder class columnspan depth display displaystyle fence form height largeop "
    "linethickness lspace mathvariant maxsize minsize movablelimits rowspan rspace scriptlevel "
    "separator stretchy style symmetric voffset width"
)
MATH_STYLE = re.compile(r"[a-z0-9#:;%. -]*", re.IGNORECASE)

NAMED = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)[A-Za-z]\w*;")

LABEL = re.compile(r"\\label\s*\{[^{}]*\}")

ALONE = re.compile(
    r"\s*(?:\$\$(?P<a>[^$]+)\$\$|\$(?P<b>[^$]+)\$|\\\[(?P<c>.+)\\\]|\\\((?P<d>.+)\\\)"
    r"|(?P<e>\\begin\{(?P<name>[a-z]+\*?)\}.*\\end\{(?P=name)\}))\s*",
    re.DOTALL,
)


@functools.cache
def _converter() -> LatexToMathML:
    return LatexToMathML(fancy_error=False)


def formula(latex: str, block: bool = False) -> str | None:
    """Return a formula as MathML; None if it holds what the converter does not know.

    Parameters
    ----------
    latex : str
        The formula, without dollar signs.
    block : bool
        Whether it stands alone, and not in a line of text.
    """
    # What MathJax knows by other names, or does not show.
    latex = LABEL.sub("", latex).replace("{split}", "{aligned}").replace(r"\mbox", r"\text")
    try:
        text = _converter().convert_with_local_state(latex, displaystyle=block)
        # Of HTML's names for characters, XML knows five.
        text = NAMED.sub(lambda name: html.unescape(name[0]), text)
        root = ElementTree.fromstring(text)
    except (LatexError, ElementTree.ParseError):
        return None
    for element in root.iter():
        known = element.tag in MATH_TAGS and MATH_ATTRIBUTES.issuperset(element.attrib)
        if not known or not MATH_STYLE.fullmatch(element.get("style", "")):
            return None
    # A quotation mark in a text is harmless there; nowhere may it end an attribute.
    return re.sub(r">[^<]*<", lambda text: text[0].replace('"', "&quot;"), text)


def latex_output(latex: str) -> str | None:
    """Return an output that is a formula and nothing else as MathML; None if it is not."""
    found = ALONE.fullmatch(latex)
    if found is None:
        return None
    inside = next(found[name] for name in "abcde" if found[name] is not None)
    return formula(inside, block=found["b"] is None and found["d"] is None)


# Markdown


def markdown(source: str, attachments: dict[str, Any], formulas: bool = True) -> str:
    """Return Markdown as safe HTML with MathML.

    Parameters
    ----------
    source : str
        The text of a cell.
    attachments : dict
        The images attached to it.
    formulas : bool
        Whether formulas are shown as such, and not as they were written.
    """
    renderer = _Renderer(attachments, formulas)
    text = safe_html(MarkdownWithMath(renderer=renderer).render(source))
    # Formulas come last: they are safe, and what makes HTML safe knows no MathML.
    return renderer.mark.sub(lambda found: renderer.formulas[int(found[1])][0], text)


class _Renderer(IPythonRenderer):
    """Leaves a mark for each formula, and remembers what belongs there."""

    def __init__(self, attachments: dict[str, Any], formulas: bool) -> None:
        super().__init__(escape=False, attachments=attachments, exclude_anchor_links=True)
        self.drawn = formulas
        # Nobody can write a mark into a text: each has another.
        self.name = f"formula{secrets.token_hex(8)}"
        self.mark = re.compile(rf"{self.name}x(\d+)x")
        # MathML, and the source.
        self.formulas: list[tuple[str, str]] = []

    def _formula(self, latex: str, source: str, block: bool) -> str:
        made = formula(latex, block) if self.drawn else None
        self.formulas.append((made or f"<code>{html.escape(source)}</code>", source))
        return f"{self.name}x{len(self.formulas) - 1}x"

    def block_math(self, body: str) -> str:
        """Handle what stands alone."""
        return self._formula(body, f"$${body}$$", block=True)

    def inline_math(self, body: str) -> str:
        """Handle what stands in a line."""
        return self._formula(body, f"${body}$", block=False)

    def latex_environment(self, name: str, body: str) -> str:
        """Handle an environment of LaTeX."""
        source = f"\\begin{{{name}}}{body}\\end{{{name}}}"
        return self._formula(source, source, block=True)

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Render an image, in whose description a formula is its source."""
        plain = self.mark.sub(lambda found: self.formulas[int(found[1])][1], text)
        return super().image(plain, url, title)


# The process


def serve() -> None:
    """Answer a line for a line: a function's name and its arguments, and what it returns."""
    with suppress(ImportError):  # not on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (RENDERER_MEMORY, RENDERER_MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    functions = {act.__name__: act for act in (safe_html, latex_output, markdown)}
    print("ready", flush=True)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        print(json.dumps(functions[name](*arguments)), flush=True)
