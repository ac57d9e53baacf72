"""Markup that Sphinx and MyST-NB write otherwise."""

from types import SimpleNamespace

from bs4 import BeautifulSoup
from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode

from course_lib.book.markup import (
    _depart_folded,
    _visit_folded,
    code_below,
    lists_out_of_paragraphs,
)


def listed(*texts: str) -> nodes.bullet_list:
    items = [nodes.list_item("", nodes.paragraph(text=text)) for text in texts]
    return nodes.bullet_list("", *items)


def test_a_list_of_what_is_returned_stands_by_itself():
    tree = nodes.document(None, None)
    tree += nodes.paragraph("", "", nodes.inline("", "", listed("a", "b"), translatable=True))
    lists_out_of_paragraphs(None, tree)
    (found,) = tree.children
    assert isinstance(found, nodes.bullet_list) and found.astext() == "a\n\nb"


def test_what_stands_around_a_list_keeps_its_place():
    tree = nodes.document(None, None)
    words = nodes.paragraph("", "", nodes.emphasis(text="one"), nodes.Text(" two"))
    tree += [
        nodes.paragraph(
            "", "", nodes.Text("x"), nodes.strong(text="y"), listed("a"), nodes.Text("z")
        )
    ]
    tree += words
    lists_out_of_paragraphs(None, tree)
    kinds = [type(child).__name__ for child in tree.children]
    assert kinds == ["paragraph", "bullet_list", "paragraph", "paragraph"]
    assert [child.astext() for child in tree.children] == ["xy", "a", "z", "one two"]
    assert tree.children[-1] is words


def test_code_below_a_figure_comes_after_it():
    tree = nodes.document(None, None)
    for tag in ("code-below", "hide-input"):
        folded = HideCodeCellNode("", nodes.literal_block(text="x"))
        shown = nodes.container("", nodes.image())
        tree += nodes.container("", folded, shown, classes=["cell", f"tag_{tag}"])
    code_below(tree)
    kinds = [[type(part).__name__ for part in cell.children] for cell in tree.children]
    assert kinds == [["container", "HideCodeCellNode"], ["HideCodeCellNode", "container"]]


def test_the_summary_of_folded_code_holds_its_words_alone():
    writer = SimpleNamespace(body=[])
    folded = HideCodeCellNode("", prompt_show="How <it> was made", prompt_hide="Hide")
    folded["classes"] = ["above-input"]
    _visit_folded(writer, folded)
    _depart_folded(writer, folded)
    page = BeautifulSoup("".join(writer.body), "html.parser")
    assert page.details["class"] == ["admonition", "hide", "above-input"]
    (summary,) = page.details.find_all(True, recursive=False)
    assert summary.name == "summary" and not summary.attrs
    assert [(part.name, part.get_text()) for part in summary.find_all(True)] == [
        ("span", "How <it> was made"),
        ("span", "Hide"),
    ]
