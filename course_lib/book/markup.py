"""A Sphinx extension: HTML that a validator accepts, where Sphinx and MyST-NB write other.

MyST-NB puts paragraphs into the summary of folded code, and a label on it that says less than its
words. Sphinx puts the list of what a function returns into a paragraph.
"""

from __future__ import annotations

from html import escape

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

__all__ = ["lists_out_of_paragraphs", "setup"]


def _visit_folded(self: HTML5Translator, node: HideCodeCellNode) -> None:
    folded, open_ = escape(node["prompt_show"]), escape(node["prompt_hide"])
    self.body.append(
        f'<details class="{" ".join(["admonition", "hide", *node["classes"]])}">\n<summary>\n'
        f'<span class="collapsed admonition-title">{folded}</span>\n'
        f'<span class="expanded admonition-title">{open_}</span>\n</summary>\n'
    )


def _depart_folded(self: HTML5Translator, node: HideCodeCellNode) -> None:
    self.body.append("</details>\n")


def lists_out_of_paragraphs(_: Sphinx, tree: nodes.document) -> None:
    """Let what a paragraph may not hold stand in its place; what else it held stays around it."""
    for paragraph in list(tree.findall(nodes.paragraph)):
        if not any(isinstance(child, nodes.bullet_list) for child in paragraph.children):
            continue
        made: list[nodes.Node] = []
        for child in paragraph.children:
            if isinstance(child, nodes.bullet_list):
                made.append(child)
            elif made and isinstance(made[-1], nodes.paragraph):
                made[-1] += child
            else:
                made.append(nodes.paragraph("", "", child))
        paragraph.replace_self(made)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Take the place of MyST-NB's writer, and look at what was read."""
    app.setup_extension("myst_nb")
    app.add_node(HideCodeCellNode, override=True, html=(_visit_folded, _depart_folded))
    app.connect("doctree-read", lists_out_of_paragraphs)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
