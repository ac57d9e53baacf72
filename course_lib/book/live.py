"""Live parts: small interactive figures in a page, a Sphinx directive and what feeds them.

In a page::

    :::{live} parabola
    :name: live-parabola
    :height: 27 32
    :alt: What somebody needs to know who cannot see the still.
    :try: What to do with it. Readers without scripts, and paper, do not see this line.

    The caption, which states the finding.
    :::

A live part is a figure like any other: numbered, with a caption, and with a *still* that
`course_lib.book.live_parts` draws in Python. That is all that paper and a browser without scripts
ever show. In other browsers ``_static/live/live.js`` waits until the figure is scrolled to, then
fetches the part's script (``_static/live/NAME.js``) and its data, and puts it in the still's place.
``height`` is the room it needs, in rem, on a wide screen and on a telephone: it is kept from the
beginning, so that nothing moves when the part arrives.

The data of a part come from Python as well, from the modules that the page imports, and are written
as a script: a page that is opened from a file may load scripts, but no data.
"""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

from course_lib.book import live_parts
from course_lib.plotting.style import figure_to_svg

__all__ = ["Live", "setup"]

logger = logging.getLogger(__name__)

#: The only script of a live part that every page loads: it waits, and fetches the others.
_LOADER = "live/live.js"


class live_box(nodes.General, nodes.Element):  # noqa: N801
    """The place of a live part: its still, and a `live_try`."""


class live_try(nodes.Part, nodes.TextElement):  # noqa: N801
    """What to do with it, for those who can."""


def _height(argument: str) -> tuple[float, float]:
    """Read the option ``height``: two numbers."""
    wide, narrow = (float(part) for part in argument.split())
    return wide, narrow


class Live(SphinxDirective):
    """The ``live`` directive."""

    has_content = True
    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {
        "name": directives.unchanged_required,
        "height": _height,
        "alt": directives.unchanged_required,
        "try": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        """Make a figure of the still and the caption, with a place for the part."""
        name = self.arguments[0]
        missing = [option for option in self.option_spec if option not in self.options]
        content = self.parse_content_to_nodes()
        if name not in live_parts.PARTS:
            return self._refuse(f"is none of {', '.join(live_parts.PARTS)}")
        if missing:
            return self._refuse(f"needs the options {', '.join(missing)}")
        if len(content) != 1 or not isinstance(content[0], nodes.paragraph):
            return self._refuse("needs one paragraph, its caption")

        for module in (__file__, live_parts.__file__):
            self.env.note_dependency(module)
        still, version = self._write(name)
        asked, messages = self.parse_inline(self.options["try"], lineno=self.lineno)
        box = live_box(live=name, height=self.options["height"], version=version)
        box += nodes.image(uri=f"/{still}", alt=self.options["alt"], classes=["live-still"])
        box += live_try("", "", *asked)
        caption = nodes.caption("", "", *content[0].children)
        figure = nodes.figure("", box, caption, classes=["live"])
        self.set_source_info(figure)
        self.add_name(figure)
        return [figure, *messages]

    def _write(self, name: str) -> tuple[str, str]:
        """Write a part's still and data; return the still's path and a digest of the data."""
        part = live_parts.PARTS[name]
        source = Path(self.env.srcdir)
        folder = source / "_build" / "live"
        folder.mkdir(parents=True, exist_ok=True)
        data = json.dumps(part.data(), separators=(",", ":"))
        script = f"live.data[{json.dumps(name)}]={data};\n"
        for path, text in (
            (folder / f"{name}.js", script),
            (folder / f"{name}.svg", figure_to_svg(part.still())),
        ):
            # A new date would have the page read again in every build.
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                path.write_text(text, encoding="utf-8")
        return f"_build/live/{name}.svg", hashlib.sha256(script.encode()).hexdigest()[:8]

    def _refuse(self, what: str) -> list[nodes.Node]:
        """Warn; with ``-W`` the build then fails."""
        logger.warning(
            f"The live part '{self.arguments[0]}' {what}.",
            location=(self.env.docname, self.lineno),
            type="live",
        )
        return []


def _visit_box(self: HTML5Translator, node: live_box) -> None:
    wide, narrow = node["height"]
    self.body.append(
        f'<div class="live-box" data-live="{node["live"]}" data-version="{node["version"]}" '
        f'style="--wide:{wide:g}rem;--narrow:{narrow:g}rem">\n'
    )


def _depart_box(self: HTML5Translator, node: live_box) -> None:
    self.body.append("</div>\n")


def _visit_try(self: HTML5Translator, node: live_try) -> None:
    # Its place on the screen is the part's to choose.
    self.body.append('<p class="live-try" hidden>')


def _depart_try(self: HTML5Translator, node: live_try) -> None:
    self.body.append("</p>\n")


def _pass(self: Any, node: nodes.Element) -> None:
    """Write what is inside and nothing around it."""


def _skip(self: Any, node: nodes.Element) -> None:
    raise nodes.SkipNode


def _load_later(app: Sphinx, config: Config) -> None:
    """Leave the scripts and styles of folders out of the pages: Jupyter Book names all of _static.

    The parts' come later, and those of other folders belong to pages of their own.
    """
    for option in ("html_js_files", "html_css_files"):
        config[option] = [
            file for file in config[option] if "/" not in str(file) or str(file) == _LOADER
        ]


def _copy_data(app: Sphinx, failure: Exception | None) -> None:
    """Put the data beside the scripts."""
    if failure or app.builder.name != "html":
        return
    target = Path(app.outdir) / "_static" / "live" / "data"
    target.mkdir(parents=True, exist_ok=True)
    for file in sorted((Path(app.srcdir) / "_build" / "live").glob("*.js")):
        shutil.copyfile(file, target / file.name)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive, its nodes and what writes them."""
    plain = (_pass, _pass)
    app.add_node(live_box, html=(_visit_box, _depart_box), latex=plain, text=plain)
    app.add_node(
        live_try, html=(_visit_try, _depart_try), latex=(_skip, _pass), text=(_skip, _pass)
    )
    app.add_directive("live", Live)
    app.connect("config-inited", _load_later)
    app.connect("build-finished", _copy_data)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
