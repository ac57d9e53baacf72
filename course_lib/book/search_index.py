"""A Sphinx extension: the search knows as much after an incremental build as after a whole one.

Sphinx reads back the words and titles of pages that it does not write again, but not what they
have for the index (the glossary's terms, names of functions): a search for a term then led to the
chapters alone. They are kept in the environment, and are taken from there.
"""

from __future__ import annotations

from collections.abc import Iterator

from sphinx.application import Sphinx
from sphinx.search import IndexBuilder
from sphinx.util.index_entries import split_index_msg
from sphinx.util.typing import ExtensionMetadata

__all__ = ["entries_for_search", "setup"]

#: A place in a page that the index names: the name, the place's id, and "main" or nothing.
Entry = tuple[str, str, str]


def entries_for_search(listed: list[tuple[str, str, str, str, str | None]]) -> list[Entry]:
    """Return what the search has of the index entries of a page, as Sphinx has it in a whole build.

    Parameters
    ----------
    listed : list of tuple
        The entries as Sphinx's index keeps them: kind (such as ``"single"``), text, id, ``"main"``
        or nothing, and key.
    """
    found: set[Entry] = set()
    for kind, text, place, main, _ in listed:
        found.update((name, place or "", main) for name in split_index_msg(kind, text))
    return sorted(found)


def _complete(app: Sphinx) -> Iterator[tuple[str, dict[str, object], str]]:
    """Give the search the entries of pages that were not written; collect no pages."""
    index: IndexBuilder | None = getattr(app.builder, "indexer", None)
    if index is not None:
        known = app.env.get_domain("index").data.get("entries", {})
        entries = index._index_entries
        whole = {
            page: entries[page] if page in entries else entries_for_search(known.get(page, []))
            for page in sorted(index._titles)
        }
        entries.clear()
        entries.update(whole)
    return iter(())


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect to Sphinx's events."""
    app.connect("html-collect-pages", _complete)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
