"""A Sphinx extension: where a chapter first uses a term of the glossary, it leads there.

Authors link a term by ``{term}`` where it matters. What they leave is linked here when pages are
written: the first use in running text, unless the page links, defines or stresses the term itself
before. Words that also have an everyday sense are left to authors.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata

from course_lib.book.prerequisites import is_chapter

__all__ = ["EVERYDAY", "find_terms", "setup"]

#: Terms that a page may use for something else: "in return", "a unit of length", "a graphics card
#: runs a kernel". Of these a machine cannot tell which is meant.
EVERYDAY = frozenset(
    {
        "attention",
        "baseline",
        "bias",
        "bootstrap",
        "channel",
        "discount",
        "ensemble",
        "exploration",
        "feature",
        "gate",
        "kernel",
        "margin",
        "momentum",
        "overflow",
        "padding",
        "patience",
        "policy",
        "pooling",
        "return",
        "ridge",
        "saturation",
        "scale",
        "sensitivity",
        "specificity",
        "stride",
        "surprise",
        "temperature",
        "token",
        "tracing",
        "unit",
        "utilization",
        "weight",
    }
)


def find_terms(names: Iterable[str]) -> re.Pattern[str] | None:
    """Return a pattern that finds terms in a text, as words, or None where there are none.

    A plural counts, and a capital at the beginning of a sentence, and of two terms in one place the
    longer one. Group 1 is the term as it is written there, without the plural's ending.
    """
    ways = set()
    for name in names:
        ways |= {name, name[:1].upper() + name[1:]}
    if not ways:
        return None
    words = "|".join(re.escape(way) for way in sorted(ways, key=lambda way: (-len(way), way)))
    return re.compile(rf"(?<![\w.-])({words})(?:e?s)?(?![\w-])")


def _terms(env: BuildEnvironment) -> dict[str, tuple[str, str]]:
    """Return the terms of the glossary and where each is explained: its page and place."""
    objects = env.get_domain("std").objects  # type: ignore[attr-defined]
    return {
        name: place
        for (kind, name), place in objects.items()
        if kind == "term" and name not in EVERYDAY
    }


def _link(app: Sphinx, tree: nodes.document, page: str) -> None:
    """Link the first uses on a page."""
    if app.builder.format != "html" or not is_chapter(page):
        return
    terms = _terms(app.env)
    left = {name.casefold(): name for name in terms}
    pattern = find_terms(terms)
    if pattern is None:
        return
    for text in list(_running_text(tree)):
        parts: list[nodes.Node] = []
        end = 0
        for found in pattern.finditer(text.astext()):
            name = left.pop(found[1].casefold(), None)
            if name is None or not isinstance(text.parent, nodes.paragraph):
                continue
            where, place = terms[name]
            uri = app.builder.get_relative_uri(page, where) + f"#{place}"
            parts.append(nodes.Text(text.astext()[end : found.start()]))
            link = nodes.reference("", found[0], internal=True, refuri=uri, classes=["first-use"])
            parts.append(link)
            end = found.end()
        if parts:
            parts.append(nodes.Text(text.astext()[end:]))
            text.parent.replace(text, parts)


def _running_text(tree: nodes.Element) -> Iterator[nodes.Text]:
    """Yield the texts of paragraphs; of links and stressed words, too, which only count as used."""
    for paragraph in tree.findall(nodes.paragraph):
        above = paragraph.parent
        while above is not None and type(above).__name__ not in ("question", "figure", "table"):
            above = above.parent
        # The lines that open a chapter name other chapters, and what stands before a colon there.
        first = paragraph[0] if len(paragraph) else None
        opens = isinstance(first, nodes.emphasis) and first.astext().endswith(":")
        if above is not None or opens:
            continue
        for text in paragraph.findall(nodes.Text):
            around = text.parent
            passed = isinstance(around, nodes.literal | nodes.math | nodes.raw)
            if not passed:
                yield text


def _changed(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Have the chapters written again when the glossary has other terms, or has them elsewhere."""
    digest = hashlib.sha256(repr(sorted(_terms(env).items())).encode()).hexdigest()
    before = getattr(env, "course_terms", digest)
    env.course_terms = digest  # type: ignore[attr-defined]
    return [page for page in env.found_docs if is_chapter(page)] if before != digest else []


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect to Sphinx's events."""
    app.connect("doctree-resolved", _link)
    app.connect("env-updated", _changed)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
