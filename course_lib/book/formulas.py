"""A Sphinx extension: formulas are set when the site is built, and not in the reader's browser.

MathJax (npm's `mathjax`, pinned in ``package.json``) runs in Node while pages are written, and its
HTML goes into the page, with MathML beside it for screen readers. A page then needs no script for
its formulas, nothing moves when they arrive, and one that is wrong is a warning with its line. What
a reader fetches is a style sheet of the characters that the book uses and fonts of these alone.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.locale import _
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

from course_lib.book.fonts import write_subset

__all__ = ["FormulaError", "Typesetter", "mathml", "setup"]

logger = logging.getLogger(__name__)

_SCRIPT = Path(__file__).with_suffix(".js")
_STYLE = "formulas.css"
_ZERO = "MathJax_Zero.woff"
#: Characters in the rules of MathJax's style sheet, as ``content: "\\3A6"``.
_SHOWN = re.compile(r'content: "(\\[0-9A-F]+|\\?.)"')
_FONT = re.compile(r'url\("formulas/([^"]+\.woff)"\)')
#: A rule for one kind of letters, such as those of `\\mathfrak`, or for its font.
_KIND = re.compile(r"\.(TEX-\w+) {|@font-face {.*font-family: MJX(TEX-\w+);")
_MATHML = re.compile(r"<math\b.*?</math>", re.DOTALL)
#: Attributes and classes that MathJax writes for itself.
_NOTE = re.compile(r' (?:data-[\w-]+|class)="[^"]*"')
#: Kinds that what stretches is made of.
_STRETCH = {"TEX-S1", "TEX-S4", "TEX-A"}


class FormulaError(ValueError):
    """A formula that MathJax cannot set, in its words."""


class Typesetter:
    """Sets formulas with MathJax in a process of Node, and remembers what was set.

    Parameters
    ----------
    package : Path
        The folder of npm's `mathjax`.
    memory : Path
        The file of what was set earlier. It is read here and written by `remember`; one of another
        MathJax, or of another script, counts for nothing.

    Raises
    ------
    ExtensionError
        Where MathJax or Node is missing, with what to install.
    """

    def __init__(self, package: Path, memory: Path) -> None:
        if not (package / "package.json").is_file():
            raise ExtensionError("MathJax is missing: run `npm ci` beside package.json.")
        self.package = package
        self._memory = memory
        made_by = (package / "package.json").read_bytes() + _SCRIPT.read_bytes()
        self._made_by = hashlib.sha256(made_by).hexdigest()
        self._process: subprocess.Popen[str] | None = None
        try:
            known = json.loads(memory.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            known = {}
        same = known.get("made by") == self._made_by
        self._set: dict[str, str] = known["set"] if same else {}
        # A dictionary for its order.
        self._rules: dict[str, None] = dict.fromkeys(known["rules"]) if same else {}

    def html(self, tex: str, *, display: bool) -> str:
        """Return a formula as HTML.

        Raises
        ------
        FormulaError
            When the formula is wrong.
        """
        key = f"{'display' if display else 'inline'} {tex}"
        if key not in self._set:
            answer = self._ask({"tex": tex, "display": display})
            if "error" in answer:
                raise FormulaError(answer["error"])
            self._set[key] = answer["html"]
        return self._set[key]

    @property
    def style(self) -> str:
        """The style sheet for all formulas that were ever set, its fonts in ``formulas/``."""
        if self._process or not self._rules:
            css = re.sub(r"/\*.*?\*/ ?", "", self._ask({"css": True})["css"], flags=re.DOTALL)
            self._rules |= dict.fromkeys(" ".join(rule.split()) for rule in css.split("\n\n"))
        used = _STRETCH.union(*(re.findall(r"TEX-\w+", html) for html in self._set.values()))
        return "".join(
            f"{rule}\n"
            for rule in self._rules
            if not (kind := _KIND.match(rule)) or (kind[1] or kind[2]) in used
        )

    def remember(self) -> None:
        """End the process, and keep what was set for the next build."""
        if self._process is None:
            return
        self.style  # noqa: B018 - while there is someone to ask
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()
        self._process = None
        kept = {"made by": self._made_by, "set": self._set, "rules": list(self._rules)}
        self._memory.parent.mkdir(parents=True, exist_ok=True)
        self._memory.write_text(json.dumps(kept), encoding="utf-8")

    def _ask(self, what: dict[str, Any]) -> dict[str, Any]:
        if self._process is None:
            node = shutil.which("node")
            if node is None:
                raise ExtensionError(
                    "node is missing, and the site's formulas are set by MathJax, which runs in "
                    "it. Install Node.js 18 or newer, then run this again."
                )
            self._process = subprocess.Popen(
                [node, str(_SCRIPT), str(self.package.resolve())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
        assert self._process.stdin and self._process.stdout
        try:
            print(json.dumps(what), file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise ExtensionError(
                f"Node ended with status {self._process.wait()} instead of setting {what}; what "
                "it said stands above. If it is older than version 18, install a newer one."
            )
        return json.loads(line)


def _begin(app: Sphinx) -> None:
    if app.builder.format == "html":
        package = Path(app.srcdir) / "node_modules" / "mathjax"
        memory = Path(app.doctreedir) / "formulas.json"
        app.builder.formulas = Typesetter(package, memory)  # type: ignore[attr-defined]


def mathml(set_formula: str) -> str:
    """Return the MathML of a formula that was set, without MathJax's own notes in it.

    An EPUB's reader sets it by itself.
    """
    found = _MATHML.search(set_formula)
    if found is None:
        raise ValueError(f"no MathML in {set_formula[:80]!r}")
    return _NOTE.sub("", found[0])


def _set(self: HTML5Translator, node: nodes.Element, tex: str, *, display: bool) -> str:
    try:
        made = self.builder.formulas.html(tex, display=display)
        return mathml(made) if self.builder.name == "epub" else made
    except FormulaError as error:
        logger.warning(
            f"The formula '{tex}' cannot be set: {error}.", location=node, type="formula"
        )
        return self.encode(tex)


def _visit_math(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    self.body.append(_set(self, node, node.astext(), display=False) + "</span>")
    raise nodes.SkipNode


def _visit_math_block(self: HTML5Translator, node: nodes.math_block) -> None:
    self.body.append(self.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node["number"]:
        number = get_node_equation_number(self, node)
        self.body.append(f'<span class="eqno">({number})')
        self.add_permalink_ref(node, _("Link to this equation"))
        self.body.append("</span>")
    whole = node["nowrap"] or "amsmath" in node["classes"]
    tex = node.astext() if whole else _aligned(node.astext())
    self.body.append(_set(self, node, tex, display=True) + "</div>\n")
    raise nodes.SkipNode


def _aligned(tex: str) -> str:
    """Put lines and paragraphs below each other, as Sphinx does."""
    parts = [
        rf"\begin{{split}}{part}\end{{split}}" if r"\\" in part else part
        for part in tex.split("\n\n")
        if part.strip()
    ]
    if len(parts) < 2:
        return "".join(parts)
    return r"\begin{align}\begin{aligned}" + r"\\".join(parts) + r"\end{aligned}\end{align}"


def _finish(app: Sphinx, failure: Exception | None) -> None:
    """Write the style sheet and the fonts of all formulas."""
    formulas: Typesetter | None = getattr(app.builder, "formulas", None)
    if formulas is None:
        return
    if not failure and formulas.style and app.builder.name != "epub":
        static = Path(app.outdir) / "_static"
        static.mkdir(exist_ok=True)
        _write_fonts(formulas.package, static / "formulas", formulas.style)
        # Lines are as high as this font says. It is empty, and in the style sheet it is there
        # before the first line is set.
        zero = base64.b64encode((static / "formulas" / _ZERO).read_bytes()).decode()
        style = formulas.style.replace(f"formulas/{_ZERO}", f"data:font/woff;base64,{zero}")
        (static / _STYLE).write_text(style, encoding="utf-8")
    formulas.remember()


def _write_fonts(package: Path, target: Path, style: str) -> None:
    """Write MathJax's fonts with the characters that the style sheet shows, and no others."""
    shown = {
        chr(int(text[1:], 16)) if len(text) > 2 else text[-1] for text in _SHOWN.findall(style)
    }
    names = sorted(set(_FONT.findall(style)))
    wanted = json.dumps([package.joinpath("package.json").read_text(), names, sorted(shown)])
    there = target / "characters.json"
    if there.is_file() and there.read_text(encoding="utf-8") == wanted:
        return
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for name in names:
        path = package / "es5" / "output" / "chtml" / "fonts" / "woff-v2" / name
        write_subset(path, target / name, shown)
    # Last, since it says that all are there.
    there.write_text(wanted, encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the renderer, which ``html_math_renderer = "formulas"`` chooses."""
    app.add_html_math_renderer("formulas", (_visit_math, None), (_visit_math_block, None))
    app.connect("builder-inited", _begin)
    app.connect("build-finished", _finish)
    app.add_css_file(_STYLE)
    # One process sets them all, and its pipe belongs to one writer.
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
