"""Write a page that Sphinx has read as Markdown, for notebooks that are opened without Sphinx.

References have become text and links by then, figures have their numbers, and citations their
names, so that nothing of MyST is left which a notebook would show as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from docutils import nodes
from sphinx import addnodes

from course_lib.book.live import live_box
from course_lib.book.questions import choice, choice_answer, choice_text, question, question_text

__all__ = ["Markdown", "UnknownNode"]

#: What Markdown, or the search for formulas in a notebook, would take for its own.
_SPECIAL = re.compile(r"([\\`*_\[\]<$])")
#: At the beginning of a line, what would make a heading, a list or a quotation of it.
_OPENING = re.compile(r"^(\s*)(#|>|[+-](?=\s)|\d+(?=[.)]\s))")


class UnknownNode(ValueError):
    """A node that has no form in Markdown here."""


class Markdown:
    """Writes nodes as Markdown.

    Parameters
    ----------
    figure_number : callable
        Gives the number of a figure by its node, such as "Figure 4.2", or nothing.
    picture : callable
        Is given the address of an image, and gives the one that the notebook has it at.
    link : callable
        Is given a reference, and gives its address, or nothing where a notebook has none.
    """

    def __init__(
        self,
        figure_number: Callable[[nodes.Element], str] = lambda node: "",
        picture: Callable[[str], str] = lambda uri: uri,
        link: Callable[[nodes.reference], str] = lambda node: node.get("refuri", ""),
    ) -> None:
        self._figure_number = figure_number
        self._picture = picture
        self._link = link

    # Blocks ---------------------------------------------------------------------------------------

    def blocks(self, children: Iterable[nodes.Node], level: int = 1) -> str:
        """Return blocks below each other; `level` is that of the next heading."""
        written = [self.block(child, level) for child in children]
        return "\n\n".join(text for text in written if text.strip())

    def block(self, node: nodes.Node, level: int = 1) -> str:
        """Return one block.

        Raises
        ------
        UnknownNode
            Where it has no form here.
        """
        for kind, write in self._BLOCKS:
            if isinstance(node, kind):
                return write(self, node, level)
        raise UnknownNode(f"'{type(node).__name__}' has no form in Markdown")

    def _nothing(self, node: nodes.Element, level: int) -> str:
        return ""

    def _inside(self, node: nodes.Element, level: int) -> str:
        return self.blocks(node.children, level)

    def _section(self, node: nodes.section, level: int) -> str:
        return self.blocks(node.children, level + 1)

    def _title(self, node: nodes.title, level: int) -> str:
        return f"{'#' * max(1, level - 1)} {self.inline(node)}"

    def _paragraph(self, node: nodes.Element, level: int) -> str:
        return _OPENING.sub(r"\1\\\2", self.inline(node))

    def _rubric(self, node: nodes.rubric, level: int) -> str:
        return f"**{self.inline(node)}**"

    def _list(self, node: nodes.Element, level: int) -> str:
        numbered = isinstance(node, nodes.enumerated_list)
        start = node.get("start", 1)
        items = []
        for number, item in enumerate(node.children):
            mark = f"{start + number}. " if numbered else "- "
            items.append(mark + self._indented(item, level, len(mark)))
        # Paragraphs within items want room around the items, too.
        loose = any(len(item.children) > 1 for item in node.children)
        return ("\n\n" if loose else "\n").join(items)

    def _indented(self, item: nodes.Element, level: int, by: int) -> str:
        text = self.blocks(item.children, level)
        return re.sub(r"\n(?=[^\n])", "\n" + " " * by, text)

    def _definitions(self, node: nodes.definition_list, level: int) -> str:
        items = []
        for item in node.children:
            terms = ", ".join(self.inline(part) for part in item if isinstance(part, nodes.term))
            told = [part for part in item if isinstance(part, nodes.definition)]
            items.append(
                f"- **{terms}**: " + "\n\n".join(self._indented(p, level, 2) for p in told)
            )
        return "\n\n".join(items)

    def _quote(self, node: nodes.Element, level: int) -> str:
        return _quoted(self.blocks(node.children, level))

    def _admonition(self, node: nodes.Element, level: int) -> str:
        first = node.children[0] if node.children else None
        if isinstance(first, nodes.title):
            title, rest = self.inline(first), node.children[1:]
        else:
            title, rest = type(node).__name__.capitalize(), node.children
        return _quoted(f"**{title}**\n\n{self.blocks(rest, level)}")

    def _code(self, node: nodes.literal_block, level: int) -> str:
        text = node.astext().rstrip("\n")
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
        language = node.get("language", "")
        return f"{fence}{'' if language in ('none', 'default') else language}\n{text}\n{fence}"

    def _formula(self, node: nodes.math_block, level: int) -> str:
        tex = node.astext().strip()
        if r"\\" in tex and not node.get("nowrap") and r"\begin" not in tex:
            tex = rf"\begin{{split}}{tex}\end{{split}}"
        number = f" \\tag{{{node['number']}}}" if node.get("number") else ""
        # An empty line would end the formula.
        whole = re.sub(r"\n\s*\n", "\n", tex)
        return f"$$\n{whole}{number}\n$$"

    def _transition(self, node: nodes.Element, level: int) -> str:
        return "---"

    def _table(self, node: nodes.table, level: int) -> str:
        rows = [
            [self._cell(entry, level) for entry in row if isinstance(entry, nodes.entry)]
            for row in node.findall(nodes.row)
        ]
        head, *body = rows
        lines = [head, ["---"] * len(head), *body]
        titles = [f"**{self.inline(part)}**" for part in node if isinstance(part, nodes.title)]
        return "\n\n".join([*titles, "\n".join("| " + " | ".join(cells) + " |" for cells in lines)])

    def _cell(self, entry: nodes.Element, level: int) -> str:
        parts = re.split(r"(\$[^$]+\$)", self.blocks(entry.children, level))
        # In a formula, a bar has a name that no table takes for its own.
        return "".join(
            part.replace(r"\|", r"\Vert{}").replace("|", r"\vert{}")
            if part.startswith("$")
            else part.replace("|", r"\|").replace("\n", " ")
            for part in parts
        )

    def _figure(self, node: nodes.figure, level: int) -> str:
        number = self._figure_number(node)
        before = f"**{number}.** " if number else ""
        parts = []
        for child in node.children:
            if isinstance(child, nodes.caption):
                parts.append(before + self.inline(child))
            else:
                parts.append(self.block(child, level))
        return "\n\n".join(part for part in parts if part.strip())

    def _image(self, node: nodes.image, level: int) -> str:
        return self._inline_image(node)

    def _live(self, node: live_box, level: int) -> str:
        # Its still; what to do with it is for the page, where it works.
        still = next(iter(node.findall(nodes.image)))
        return f"{self._inline_image(still)}\n\n*In the book's page, this figure can be worked.*"

    def _question(self, node: question, level: int) -> str:
        more, choices = [], []
        head = ""
        for part in node.children:
            if isinstance(part, question_text):
                head = self.inline(part)
            elif isinstance(part, choice):
                choices.append(part)
            else:
                more.append(self.block(part, level))
        letters = [chr(ord("A") + number) for number in range(len(choices))]
        asked = [
            f"- {letter}. {self.inline(_only(part, choice_text))}"
            for letter, part in zip(letters, choices, strict=True)
        ]
        told = [
            f"- {letter}. **{'Right.' if part['right'] else 'Not this one.'}** "
            + self._indented(_only(part, choice_answer), level, 2)
            for letter, part in zip(letters, choices, strict=True)
        ]
        answers = "<details>\n<summary>Answers</summary>\n\n" + "\n\n".join(told) + "\n\n</details>"
        return "\n\n".join([f"**{head}**", *more, "\n".join(asked), answers])

    def _raw(self, node: nodes.raw, level: int) -> str:
        return self._inline_raw(node)

    # In a line ------------------------------------------------------------------------------------

    def inline(self, node: nodes.Element) -> str:
        """Return what is inside a paragraph, a title or the like."""
        return "".join(map(self._inline, node.children))

    def _inline(self, node: nodes.Node) -> str:
        if isinstance(node, nodes.Text):
            return _SPECIAL.sub(r"\\\1", re.sub(r"\s+", " ", node.astext()))
        if isinstance(node, nodes.math):
            return f"${node.astext()}$"
        if isinstance(node, nodes.literal):
            text = node.astext().replace("\n", " ")
            fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
            room = " " if "`" in text else ""
            return f"{fence}{room}{text}{room}{fence}"
        if isinstance(node, nodes.emphasis | nodes.strong):
            return _stressed(self.inline(node), "*" if isinstance(node, nodes.emphasis) else "**")
        if isinstance(node, nodes.reference):
            address = self._link(node)
            text = self.inline(node)
            return f"[{text}]({address})" if address else text
        if isinstance(node, nodes.image):
            return self._inline_image(node)
        if isinstance(node, nodes.raw):
            return self._inline_raw(node)
        if isinstance(node, nodes.target | nodes.comment):
            return ""
        if isinstance(node, nodes.inline | addnodes.download_reference):
            return self.inline(node)
        raise UnknownNode(f"'{type(node).__name__}' has no form in a line of Markdown")

    def _inline_image(self, node: nodes.image) -> str:
        alt = _SPECIAL.sub(r"\\\1", " ".join(node.get("alt", "").split()))
        return f"![{alt}]({self._picture(node['uri'])})"

    def _inline_raw(self, node: nodes.raw) -> str:
        # A line's end; what else is raw, such as a drawn map, is for pages.
        breaks = node.get("format") == "html" and node.astext().strip().startswith("<br")
        return "\\\n" if breaks else ""

    _BLOCKS: tuple = (
        (nodes.section, _section),
        (nodes.title, _title),
        (nodes.rubric, _rubric),
        (nodes.paragraph, _paragraph),
        (nodes.bullet_list, _list),
        (nodes.enumerated_list, _list),
        (nodes.definition_list, _definitions),
        (nodes.Admonition, _admonition),
        (nodes.block_quote, _quote),
        (nodes.literal_block, _code),
        (nodes.math_block, _formula),
        (nodes.transition, _transition),
        (nodes.table, _table),
        (nodes.figure, _figure),
        (nodes.image, _image),
        (live_box, _live),
        (question, _question),
        (nodes.raw, _raw),
        (nodes.reference, lambda self, node, level: self._inline(node)),
        # A table of contents leads to other pages.
        (addnodes.toctree, _nothing),
        (nodes.comment, _nothing),
        (nodes.target, _nothing),
        (nodes.substitution_definition, _nothing),
        (nodes.compound, _inside),
        (nodes.container, _inside),
    )


def _only(node: nodes.Element, kind: type[nodes.Element]) -> nodes.Element:
    (found,) = (child for child in node.children if isinstance(child, kind))
    return found


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _stressed(text: str, mark: str) -> str:
    """Put marks around a text, not around the blanks at its ends, where they would mean nothing."""
    inside = text.strip()
    if not inside:
        return text
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{before}{mark}{inside}{mark}{after}"
