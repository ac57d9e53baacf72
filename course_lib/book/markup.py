"""A Sphinx extension: HTML that a validator accepts, where Sphinx and MyST-NB write other.

MyST-NB puts paragraphs into the summary of folded code, and a label on it that says less than its
words. Sphinx puts the list of what a function returns into a paragraph.

A cell with the tag ``code-below`` has its folded code under what it shows: in the page itself, so
that nothing moves while it arrives, and those who go through it with the keyboard meet both in the
order in which they stand.
"""

from __future__ import annotations

from html import escape
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

__all__ = ["CodeBelow", "code_below", "lists_out_of_paragraphs", "setup"]


def _visit_folded(self: HTML5Translator, node: HideCodeCellNode) -> None:
    folded, open_ = escape(node["prompt_show"]), escape(node["prompt_hide"])
    self.body.append(
        f'<details class="{" ".join(["admonition", "hide", *node["classes"]])}">\n<summary>\n'
        f'<span class="collapsed admonition-title">{folded}</span>\n'
        f'<span class="expanded admonition-title">{open_}</span>\n</summary>\n'
    )


def _depart_folded(self: HTML5Translator, node: HideCodeCellNode) -> None:
    self.body.append("</details>\n")


class CodeBelow(SphinxPostTransform):
    """Put folded code under what it shows, where a cell asks for that."""

    # Behind MyST-NB's, which folds it, and before others take it out.
    default_priority = 205
    formats = ("html",)

    def run(self, **_: Any) -> None:
        """Look at each cell with folded code."""
        code_below(self.document)


def code_below(tree: nodes.document) -> None:
    """Move folded code to the end of its cell, where the cell has the tag."""
    for folded in list(tree.findall(HideCodeCellNode)):
        cell = folded.parent
        if "tag_code-below" in cell["classes"]:
            cell.remove(folded)
            cell += folded


def lists_out_of_paragraphs(_: Sphinx, tree: nodes.document) -> None:
    """Let lists stand beside what paragraphs hold: within one, they are no valid HTML."""
    for paragraph in list(tree.findall(nodes.paragraph)):
        parts = paragraph.children
        if len(parts) == 1 and isinstance(parts[0], nodes.inline):
            # What a field says is in an element of its own, for translators.
            parts = parts[0].children
        if not any(isinstance(part, nodes.bullet_list) for part in parts):
            continue
        made: list[nodes.Node] = []
        for part in parts:
            if isinstance(part, nodes.bullet_list):
                made.append(part)
            elif made and isinstance(made[-1], nodes.paragraph):
                made[-1] += part
            else:
                made.append(nodes.paragraph("", "", part))
        paragraph.replace_self(made)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Take the place of MyST-NB's writer, and look at what was read."""
    app.setup_extension("myst_nb")
    app.add_node(HideCodeCellNode, override=True, html=(_visit_folded, _depart_folded))
    app.add_post_transform(CodeBelow)
    app.connect("doctree-read", lists_out_of_paragraphs)
    # Pages that were read without this are read again.
    return {
        "version": "1",
        "env_version": 1,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
