"""A Sphinx extension: a page is read again when its outputs have changed.

Sphinx reads a page again when its text changes. The outputs of a chapter also change when a module
that it imports does, and then only its executed notebook (`course_lib.book.chapters` keeps it)
tells. This extension remembers each notebook's digest beside the page.

And a page is read again after a build that failed. Sphinx warns when it reads a page; the next time
it would find the page unchanged, keep silent and succeed.
"""

import hashlib
from pathlib import Path

from docutils import nodes
from sphinx.application import ENV_PICKLE_FILENAME, Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata

from course_lib.book.chapters import executed_path

__all__ = ["setup"]

_KEY = "executed_notebook"


def _digest(app: Sphinx, page: str) -> str:
    """Return a digest of a page's executed notebook, empty where it has none."""
    try:
        return hashlib.sha256(executed_path(Path(app.srcdir), page).read_bytes()).hexdigest()
    except FileNotFoundError:
        return ""


def _remember(app: Sphinx, _: nodes.document) -> None:
    """Note which outputs the page that was just read has shown."""
    page = app.env.docname
    app.env.metadata[page][_KEY] = _digest(app, page)


def _outdated(
    app: Sphinx, env: BuildEnvironment, _added: set[str], _changed: set[str], _removed: set[str]
) -> list[str]:
    """List the pages whose executed notebooks are not those that were read."""
    return [
        page
        for page in env.found_docs
        if page in env.all_docs and env.metadata[page].get(_KEY, "") != _digest(app, page)
    ]


def _forget(app: Sphinx, failure: Exception | None) -> None:
    """Drop what was read when the build fails on its warnings."""
    # With --keep-going, Sphinx holds the wish to fail on warnings in `keep_going`.
    strict = app.warningiserror or app.keep_going
    if failure or (strict and app._warncount):
        (Path(app.doctreedir) / ENV_PICKLE_FILENAME).unlink(missing_ok=True)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect to Sphinx's events."""
    app.connect("doctree-read", _remember)
    app.connect("env-get-outdated", _outdated)
    app.connect("build-finished", _forget)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
