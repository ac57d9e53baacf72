"""A Sphinx extension: the site needs nothing from another machine.

MathJax and its fonts are copied from npm's `mathjax` (pinned in ``package.json``) into the site.
What themes and extensions would load from elsewhere is left out.
"""

import shutil
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.typing import ExtensionMetadata

__all__ = ["setup"]

# The bundle, and what it fetches beside itself: rarer TeX commands, fonts, and the explorer that a
# reader can switch on in a formula's menu (with the English of its speech).
_MATHJAX = (
    "tex-mml-chtml.js",
    "a11y",
    "input/tex/extensions",
    "output/chtml/fonts",
    "sre/mathmaps/base.json",
    "sre/mathmaps/en.json",
)


def _copy_mathjax(app: Sphinx, failure: Exception | None) -> None:
    """Put MathJax into the built site, unless this version is there already."""
    if failure or app.builder.format != "html":
        return
    package = Path(app.srcdir) / "node_modules" / "mathjax"
    target = Path(app.outdir) / "_static" / "mathjax"
    wanted = package / "package.json"
    if not wanted.is_file():
        raise ExtensionError("MathJax is missing: run `npm ci` beside package.json.")
    there = target / "package.json"
    if there.is_file() and there.read_bytes() == wanted.read_bytes():
        return
    shutil.rmtree(target, ignore_errors=True)
    for name in _MATHJAX:
        source = package / "es5" / name
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target / name)
        else:
            shutil.copyfile(source, target / name)
    # Last, since it says that everything is there.
    shutil.copyfile(wanted, there)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect to Sphinx's events."""
    app.connect("build-finished", _copy_mathjax)
    # Jupyter Book sets this for an extension that loads scripts from elsewhere and is not used.
    app.add_config_value("comments_config", {}, "", dict)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
