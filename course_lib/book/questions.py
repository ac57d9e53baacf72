"""Questions in a page: a Sphinx directive with choices, each answered with an explanation.

In a page::

    :::{question} What is the largest slope of the sigmoid?
    :name: q-slope

    - ( ) 1

      Explanation for someone who chose this.

    - (x) 1/4, at $z = 0$

      Why it is right.
    :::

Text between the question and its list (a formula, a few lines of code) is shown above the choices.
Exactly one choice is right, and every choice has an explanation: anything else is a warning that
names file and line, and the book is built with warnings as errors.

In HTML the choices are radio buttons in a fieldset. Without JavaScript each explanation waits in a
``<details>``; ``_static/questions.js`` turns these into live regions that open when their choice is
made. Other formats, and an EPUB, list the choices, and at the end of the chapter what each is told.
"""

import re
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

from course_lib.book import STILL_BUILDERS

__all__ = ["Question", "setup"]

logger = logging.getLogger(__name__)

_MARK = re.compile(r"\(([ xX])\)\s+")
_RIGHT = "Right."
_WRONG = "Not this one."


# Docutils writes the names of nodes small: they are the names of elements, too.
class question(nodes.General, nodes.Element):  # noqa: N801
    """A question: a `question_text`, maybe more to look at, and two or more `choice`."""


class question_text(nodes.Part, nodes.TextElement):  # noqa: N801
    """What is asked."""


class choice(nodes.Part, nodes.Element):  # noqa: N801
    """One choice: a `choice_text` and a `choice_answer`; ``right`` says whether it is."""


class choice_text(nodes.Part, nodes.TextElement):  # noqa: N801
    """What one can choose."""


class choice_answer(nodes.Part, nodes.Element):  # noqa: N801
    """What somebody is told who chose it."""


class Question(SphinxDirective):
    """The ``question`` directive."""

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[dict[str, Any]] = {"name": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """Parse the question and its choices."""
        node = question()
        self.set_source_info(node)
        asked, messages = self.parse_inline(self.arguments[0], lineno=self.lineno)
        node += question_text("", "", *asked)

        content = self.parse_content_to_nodes()
        lists = [child for child in content if isinstance(child, nodes.bullet_list)]
        if len(lists) != 1 or content[-1] is not lists[0]:
            self._warn("needs one list of choices, each '- ( ) text' or '- (x) text', at its end")
            return messages
        node += content[:-1]
        choices = [self._choice(item) for item in lists[0]]
        if None in choices:
            return messages
        node += choices
        if len(choices) < 2:
            self._warn("needs at least two choices")
        right = sum(made["right"] for made in choices if made)
        if right != 1:
            self._warn(
                f"needs exactly one right choice, marked (x); this one has {right or 'none'}"
            )
        self.add_name(node)
        if not node["ids"]:
            node["ids"].append(self._fresh_id())
        return [node, *messages]

    def _choice(self, item: nodes.Element) -> choice | None:
        """Make a choice of a list item; say what is wrong and give None where there is none."""
        line = item.line or (item[0].line if len(item) else None)
        text = item[0] if len(item) else None
        mark = _MARK.match(text.astext()) if isinstance(text, nodes.paragraph) else None
        if mark is None or not isinstance(text[0], nodes.Text):
            self._warn("has a list item that begins with neither '( )' nor '(x)'", line)
            return None
        label = text.astext()[mark.end() :].strip()
        if not label:
            self._warn("has a choice without text", line)
            return None
        if len(item) < 2:
            self._warn(f"has no explanation for the choice '{label}'", line)
        # Only the mark goes; what follows in the paragraph keeps its mark-up.
        text[0] = nodes.Text(str(text[0])[mark.end() :])
        made = choice(right=mark[1] != " ")
        made += choice_text("", "", *text.children)
        made += choice_answer("", *item[1:])
        return made

    def _fresh_id(self) -> str:
        """Make an id for a question without a name: the questions of a page are numbered."""
        return f"question-{self.env.new_serialno('question') + 1}"

    def _warn(self, what: str, line: int | None = None) -> None:
        """Warn at a line; with ``-W`` the build then fails."""
        logger.warning(
            f"The question '{self.arguments[0]}' {what}.",
            location=(self.env.docname, line or self.lineno),
            type="question",
        )


def _visit_question(self: HTML5Translator, node: question) -> None:
    self.body.append(self.starttag(node, "fieldset", CLASS="question"))


def _depart_question(self: HTML5Translator, node: question) -> None:
    self.body.append("</fieldset>\n")


def _visit_question_text(self: HTML5Translator, node: question_text) -> None:
    self.body.append("<legend>")


def _depart_question_text(self: HTML5Translator, node: question_text) -> None:
    self.body.append("</legend>\n")


def _visit_choice(self: HTML5Translator, node: choice) -> None:
    self.body.append(self.starttag(node, "div", CLASS="choice"))


def _depart_choice(self: HTML5Translator, node: choice) -> None:
    self.body.append("</div>\n")


def _visit_choice_text(self: HTML5Translator, node: choice_text) -> None:
    asked = node.parent.parent
    # The page's name is part of the group's: in a single-page build all questions meet.
    group = f"{nodes.make_id(self.docnames[0])}-{asked['ids'][0]}"
    number = 1 + sum(isinstance(sibling, choice) for sibling in asked[: asked.index(node.parent)])
    self.body.append(
        f'<input type="radio" name="{group}" id="{group}-{number}">\n<label for="{group}-{number}">'
    )


def _depart_choice_text(self: HTML5Translator, node: choice_text) -> None:
    self.body.append("</label>\n")


def _visit_choice_answer(self: HTML5Translator, node: choice_answer) -> None:
    right = node.parent["right"]
    kind, verdict = ("right", _RIGHT) if right else ("wrong", _WRONG)
    self.body.append(
        f'<details class="answer {kind}"><summary>If you chose this</summary>\n'
        f'<p class="verdict">{verdict}</p>\n'
    )


def _depart_choice_answer(self: HTML5Translator, node: choice_answer) -> None:
    self.body.append("</details>\n")


class PlainQuestions(SphinxPostTransform):
    """Write questions as lists where nothing can be clicked (LaTeX, EPUB, paper)."""

    default_priority = 200

    def run(self, **_: Any) -> None:
        """Replace each question, and put the answers at the end of its chapter."""
        builder = self.app.builder
        if builder.format == "html" and builder.name not in STILL_BUILDERS:
            return
        chapters: dict[int, tuple[nodes.Element, list[nodes.Node]]] = {}
        for asked in list(self.document.findall(question)):
            chapter = self._chapter(asked)
            asks, answers = self._plain(asked)
            asked.replace_self(asks)
            chapters.setdefault(id(chapter), (chapter, []))[1].extend(answers)
        for chapter, answers in chapters.values():
            chapter += [nodes.rubric("", "Answers", classes=["answers"]), *answers]

    def _chapter(self, node: nodes.Element) -> nodes.Element:
        """Return the outermost section of a page, of which a single page of all holds many."""
        outer = node
        above = node.parent
        while above is not None and not isinstance(above, addnodes.start_of_file):
            outer = above if isinstance(above, nodes.section) else outer
            above = above.parent
        return outer

    def _plain(self, asked: question) -> tuple[list[nodes.Node], list[nodes.Node]]:
        """Give the question with its choices, and in the same order what each is told."""
        texts, answers = (
            nodes.enumerated_list(enumtype="upperalpha", prefix="", suffix=".") for _ in range(2)
        )
        more: list[nodes.Node] = []
        target = nodes.target(ids=asked["ids"], names=asked["names"])
        head = nodes.paragraph()
        for part in asked:
            if isinstance(part, question_text):
                head += nodes.strong("", "", *part.children)
            elif isinstance(part, choice):
                text, answer = part
                texts += nodes.list_item("", nodes.paragraph("", "", *text.children))
                verdict = nodes.strong("", _RIGHT if part["right"] else _WRONG)
                told = list(answer.children)
                if told and isinstance(told[0], nodes.paragraph):
                    told[0].insert(0, [verdict, nodes.Text(" ")])
                else:
                    told.insert(0, nodes.paragraph("", "", verdict))
                answers += nodes.list_item("", *told)
            else:
                more.append(part)
        return [target, head, *more, texts], [head.deepcopy(), answers]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive, its nodes and what writes them."""
    app.add_node(question, html=(_visit_question, _depart_question))
    app.add_node(question_text, html=(_visit_question_text, _depart_question_text))
    app.add_node(choice, html=(_visit_choice, _depart_choice))
    app.add_node(choice_text, html=(_visit_choice_text, _depart_choice_text))
    app.add_node(choice_answer, html=(_visit_choice_answer, _depart_choice_answer))
    app.add_directive("question", Question)
    app.add_post_transform(PlainQuestions)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
