"""Lists that Sphinx puts into paragraphs."""

from docutils import nodes

from course_lib.book.markup import lists_out_of_paragraphs


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
