"""A Sphinx extension: figures that move get what their player needs to know.

A figure of `course_lib.plotting.animation` holds all its frames in one SVG, and says in its first
tag how many there are. The page cannot look into an image, so this is written beside it, as classes
of the ``<img>``; ``_static/animations.js`` makes buttons of them.
"""

import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

__all__ = ["setup"]

_TAG = re.compile(
    r'<svg (?=[^>]*\bdata-frames="(?P<frames>\d+)")'
    r'(?=[^>]*\bdata-seconds="(?P<seconds>[\d.]+)")(?=[^>]*\bdata-still="(?P<still>\d+)")'
)


def _mark(app: Sphinx, tree: nodes.document) -> None:
    """Mark the images of a page that hold frames."""
    for image in tree.findall(nodes.image):
        path = Path(app.srcdir, image["uri"].lstrip("/"))
        if path.suffix != ".svg" or not path.is_file():
            continue
        with path.open(encoding="utf-8") as file:
            tag = _TAG.match(file.read(1000))
        if tag:
            milliseconds = round(1000 * float(tag["seconds"]))
            image["classes"] += [
                "animation",
                f"frames-{tag['frames']}",
                f"milliseconds-{milliseconds}",
                f"still-{tag['still']}",
            ]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect to Sphinx's events."""
    app.connect("doctree-read", _mark)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
