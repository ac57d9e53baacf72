"""A Sphinx extension: writing a page does not read the same things again and again.

A reference by a figure's number reads the whole page of that figure, and one to a paper goes
through all that is installed. With forty chapters, and lessons that name their figures, that was
most of the time in which the site is written. Both are kept while pages are written.
"""

from __future__ import annotations

import functools
from typing import Any

import pybtex.plugin
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.domains.std import StandardDomain
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata

__all__ = ["setup"]


class _Kept:
    """An environment whose pages are read once, for those who change nothing in them."""

    def __init__(self, env: BuildEnvironment) -> None:
        self._env = env
        self._pages: dict[str, nodes.document] = {}

    def get_doctree(self, page: str) -> nodes.document:
        if page not in self._pages:
            self._pages[page] = self._env.get_doctree(page)
        return self._pages[page]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)


class QuickDomain(StandardDomain):
    """Sphinx's own references, but for how often a reference by number reads a page."""

    _kept: _Kept | None = None

    def forget(self) -> None:
        """Forget what was read: pages may have changed."""
        self._kept = None

    def _resolve_numref_xref(self, env: BuildEnvironment, *arguments: Any) -> Any:
        if self._kept is None:
            self._kept = _Kept(env)
        return super()._resolve_numref_xref(self._kept, *arguments)  # type: ignore[arg-type]


def _forget(app: Sphinx, env: BuildEnvironment) -> None:
    domain = env.get_domain("std")
    if isinstance(domain, QuickDomain):
        domain.forget()


def setup(app: Sphinx) -> ExtensionMetadata:
    """Put the quicker references in the place of Sphinx's own."""
    app.add_domain(QuickDomain, override=True)
    app.connect("env-updated", _forget)
    # Found by name among all entry points of the environment, for each citation.
    pybtex.plugin.find_plugin = functools.cache(pybtex.plugin.find_plugin)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
