"""A Sphinx extension: the search's index depends on what the pages say, and on nothing else.

It knows as much after an incremental build as after a whole one. Sphinx reads back the words and
titles of pages that it does not write again, but not what they have for the index (the glossary's
terms, names of functions): a search for a term then led to the chapters alone. They are kept in the
environment, and are taken from there.

It leaves out the numbers that code prints. Nobody looks for them, and some are seconds that were
measured, so that two builds of one commit had different words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.search import IndexBuilder, WordStore
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


def _without_printed_numbers(app: Sphinx, _doctree: nodes.document, _page: str) -> None:
    """Have the search take no words that begin with a digit out of what code printed.

    The search has no event of its own. Pages are resolved before they are given to it.
    """
    index: IndexBuilder | None = getattr(app.builder, "indexer", None)
    if index is None or "_word_collector" in vars(index):
        return
    collect = index._word_collector

    def collect_words(page: nodes.document) -> WordStore:
        found = collect(page)
        printed: Counter[str] = Counter()
        for node in page.findall(nodes.container):
            if "cell_output" in node["classes"]:
                printed.update(word for word in collect(node).words if word[0].isdigit())
        found.words = list((Counter(found.words) - printed).elements())
        return found

    index._word_collector = collect_words


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect to Sphinx's events."""
    app.connect("doctree-resolved", _without_printed_numbers)
    app.connect("html-collect-pages", _complete)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
