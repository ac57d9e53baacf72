"""Feedback pages that keep hidden tests hidden and run nobody's scripts.

`MaskHiddenTests` works on the notebook before it becomes a page for the student. `SafeOutputs` and
`safe_markdown` work on every page that is made from a submission, so that what a student displays
or writes cannot act in the browser of whoever reads it, the teacher's in the formgrader included.
"""

from __future__ import annotations

import functools
import html
import re
from pathlib import Path
from typing import Any

from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter, TemplateExporter
from nbconvert.filters import Highlight2HTML, strip_ansi
from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.api import Gradebook
from nbgrader.preprocessors import GetGrades as NbGraderGetGrades
from traitlets import Bool, Unicode

from course_lib.grading.course.due import lateness, read_due
from course_lib.grading.engine.credit import said_on_stderr
from course_lib.grading.engine.limits import LONGEST_COLORED, LONGEST_MESSAGE
from course_lib.grading.pages import renderer
from course_lib.grading.running.kernel import KERNEL_DIED, NOT_RUN, TIMED_OUT
from course_lib.grading.submissions.repair import NOTES, metadata_of

__all__ = [
    "HIDDEN_TESTS_RAN",
    "ON_STDERR",
    "GetGrades",
    "MaskHiddenTests",
    "PageExporter",
    "SafeOutputs",
    "failure_message",
    "safe_colors",
    "safe_markdown",
]

HIDDEN_TESTS_RAN = "# (hidden tests ran here)"
REMOVED = "[a line of a hidden test was removed here]"

# How IPython begins what it shows of a library's file.
OF_A_LIBRARY = re.compile(
    r"File \S*?(site-packages|dist-packages|[/\\]lib[/\\]python3|<frozen)", re.I
)

# Shorter lines than this stand in everybody's code: nothing is given away by them.
SHORTEST_SECRET = 12


# How the message of a test begins that did not fail, and wrote to stderr.
ON_STDERR = "It wrote to stderr: "

# Errors whose messages are sentences for the student: the course's tests, and `Execute`.
SPEAK_FOR_THEMSELVES = frozenset({"CheckFailed", KERNEL_DIED, NOT_RUN, TIMED_OUT})


def failure_message(cell: NotebookNode | None) -> str:
    """Return what the failure of a test cell says; empty if it says nothing."""
    for output in cell.get("outputs", []) if cell is not None else []:
        if output.output_type == "error":
            name, message = strip_ansi(output.ename), strip_ansi(output.evalue).strip()
            message = _shortened(message)
            if name in SPEAK_FOR_THEMSELVES and message:
                return message
            if name == "StudentGone":
                return "The code ended the Python process that it ran in, or had to be stopped."
            if name == "NotImplementedError" and not message:
                return "This step is not written yet."
            return f"{name}: {message}" if message else name
        if output.output_type == "stream" and output.name == "stderr":
            # That is nbgrader's rule: writing to stderr is failing.
            return _shortened(f"{ON_STDERR}{said_on_stderr(strip_ansi(output.text))}")
    return ""


def _shortened(text: str) -> str:
    """Return a message that leaves room for others; whole, it stands at its cell."""
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]} ..."


class MaskHiddenTests(Preprocessor):
    """Take hidden tests, and what would give them away, out of a notebook for a student.

    It also lists the graded cells, for the table at the head of the feedback page.
    """

    enabled = Bool(True).tag(config=True)
    begin = Unicode("BEGIN HIDDEN TESTS", help="What marks the first line of a hidden region.")
    end = Unicode("END HIDDEN TESTS", help="What marks the last line of a hidden region.")

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Mask `nb` in place."""
        marks = self.config.get("ClearHiddenTests", {})
        begin = marks.get("begin_test_delimeter", self.begin)
        end = marks.get("end_test_delimeter", self.end)
        secrets: set[str] = set()
        shown: set[str] = set()
        masked: list[NotebookNode] = []
        for cell in nb.cells:
            source, hidden = _cut(cell.source, begin, end)
            shown.update(line.strip() for line in source.split("\n"))
            if hidden:
                secrets.update(hidden)
                cell.source = source
                masked.append(cell)
        # What a student can see somewhere anyhow is no secret.
        secrets = {line for line in secrets - shown if len(line) >= SHORTEST_SECRET}
        for cell in nb.cells:
            if cell.cell_type == "code":
                if any(cell is other for other in masked):
                    cell.outputs = [out for out in map(_message_only, cell.outputs) if out]
                for output in cell.outputs:
                    _redact(output, secrets)
                    _trim(output)
        resources["nbgrader"]["steps"] = [_step(cell) for cell in nb.cells if _is_graded(cell)]
        resources["nbgrader"]["mended"] = list(nb.metadata.get(NOTES, []))
        return nb, resources


def _is_graded(cell: NotebookNode) -> bool:
    return bool(metadata_of(cell).get("grade") or metadata_of(cell).get("task"))


def _step(cell: NotebookNode) -> dict[str, Any]:
    """Return the row of a graded cell; `GetGrades` has put its points into the metadata."""
    metadata = metadata_of(cell)
    score, points = metadata.get("score", 0) or 0, metadata.get("points", 0)
    message = failure_message(cell) if score < points else ""
    return {
        "name": metadata["grade_id"],
        "score": score,
        "max_score": points,
        "lost": score < points,
        "waiting": bool(metadata.get("waiting")),
        "message": message or metadata.get("comment") or "",
    }


class GetGrades(NbGraderGetGrades):
    """nbgrader's ``GetGrades``, which also knows what waits for marks and what came late."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Read the points of a notebook."""
        nb, resources = super().preprocess(nb, resources)
        about = resources["nbgrader"]
        root = Path(self.config.CourseDirectory.get("root", "."))
        with Gradebook(about["db_url"]) as gradebook:
            submission = gradebook.find_submission(about["assignment"], about["student"])
            about["lateness"] = lateness(submission, read_due(root))
        return nb, resources

    def _get_score(self, cell: NotebookNode, resources: Any) -> None:
        super()._get_score(cell, resources)
        grade = self.gradebook.find_grade(
            cell.metadata["nbgrader"]["grade_id"],
            self.notebook_id,
            self.assignment_id,
            self.student_id,
        )
        cell.metadata.nbgrader["waiting"] = bool(grade.needs_manual_grade)


def _cut(source: str, begin: str, end: str) -> tuple[str, set[str]]:
    """Return `source` with its hidden regions replaced, and the lines that stood in them."""
    kept: list[str] = []
    hidden: set[str] = set()
    inside = found = False
    for line in source.split("\n"):
        if begin in line:
            inside = found = True
            kept.append(line[: len(line) - len(line.lstrip())] + HIDDEN_TESTS_RAN)
        elif inside and end in line:
            inside = False
        elif inside:
            if line.strip():
                hidden.add(line.strip())
        else:
            kept.append(line)
    if found and not hidden:
        # An empty region still is one: its cell is treated as having hidden tests.
        hidden.add("")
    return "\n".join(kept), hidden


def _message_only(output: NotebookNode) -> NotebookNode | None:
    """Return what a student may see of an output of hidden tests: the error's name and message."""
    if output.output_type != "error":
        return None
    name, message = strip_ansi(output.ename), strip_ansi(output.evalue)
    text = f"\x1b[0;31m{name}\x1b[0m: {message}" if message else f"\x1b[0;31m{name}\x1b[0m"
    return new_output("error", ename=name, evalue=message, traceback=[text])


def _redact(output: NotebookNode, secrets: set[str]) -> None:
    """Remove lines of hidden tests from an output, wherever a cell got hold of them."""
    if output.output_type == "stream":
        output.text = _without(output.text, secrets)
    elif output.output_type == "error":
        output.evalue = _without(output.evalue, secrets)
        output.traceback = [_without(line, secrets) for line in output.traceback]
    else:
        for kind, value in output.data.items():
            if isinstance(value, str) and not kind.startswith("image/"):
                output.data[kind] = _without(value, secrets)


def _trim(output: NotebookNode) -> None:
    """Keep the student's own lines of a stack trace; those of libraries say nothing to them."""
    if output.output_type == "error":
        output.traceback = [
            part for part in output.traceback if not OF_A_LIBRARY.match(strip_ansi(part).lstrip())
        ]


def _without(text: str, secrets: set[str]) -> str:
    plain = strip_ansi(text)
    if not any(secret in plain for secret in secrets):
        return text
    return "\n".join(
        REMOVED if any(secret in line for secret in secrets) else line for line in plain.split("\n")
    )


# Pages that run nobody's scripts


@pass_context
def safe_markdown(context: Any, source: str) -> str:
    """Jinja filter: Markdown as a page shows it, with its HTML made safe."""
    return renderer.markdown(source, context.get("cell", {}).get("attachments", {}))


def safe_colors(text: str) -> str:
    """Jinja filter: what a terminal would show in colors, as a page shows it."""
    return renderer.colored(text)


SAFE_KINDS = ("image/png", "image/jpeg", "image/svg+xml", "text/plain")
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*\Z")


class SafeOutputs(Preprocessor):
    """Keep of each output what a page can show without running it."""

    enabled = Bool(True).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Make the outputs of `nb` safe, in place."""
        renderer.begin_page()
        nb.metadata.pop("widgets", None)
        nb.metadata.pop("title", None)
        return super().preprocess(nb, resources)

    def preprocess_cell(
        self, cell: NotebookNode, resources: Any, cell_index: int
    ) -> tuple[NotebookNode, Any]:
        """Make the outputs of one cell safe."""
        if cell.cell_type == "raw":
            cell.metadata.pop("raw_mimetype", None)
        # Templates put tags and ids into attributes.
        cell.metadata.pop("tags", None)
        if "id" in cell:
            cell.id = re.sub(r"[^A-Za-z0-9_-]", "", cell.id)
        if cell.cell_type == "code":
            for output in cell.outputs:
                self._make_safe(output)
        return cell, resources

    def _make_safe(self, output: NotebookNode) -> None:
        if output.output_type not in ("display_data", "execute_result"):
            return
        output.metadata = NotebookNode()
        data = NotebookNode()
        for kind, value in output.data.items():
            if kind == "text/html":
                data[kind] = renderer.safe_html(str(value))
            elif kind in ("text/markdown", "text/latex") or (
                kind in SAFE_KINDS
                and (
                    kind in ("text/plain", "image/svg+xml")
                    or (isinstance(value, str) and BASE64.match(value))
                )
            ):
                # Markdown passes through `safe_markdown`; an SVG is shown as an image, and
                # scripts in images do not run.
                data[kind] = value
        made = renderer.latex_output(str(data.get("text/latex", "")))
        if made is not None:
            data.setdefault("text/html", made)
        if not data:
            data["text/plain"] = "[an output that this page cannot show]"
        output.data = data


# Pages for a whole class

IMAGE_WITHOUT_ALT = re.compile(r"<img\b(?![^>]*\salt=)", re.IGNORECASE)
NO_DESCRIPTION = "No description has been provided for this image"


class PageExporter(HTMLExporter):
    """nbconvert's ``HTMLExporter``, which makes the same pages of a class in a third of the time.

    nbconvert parses each finished page to give images a text and the cells of JupyterLab's layout
    a place in the order of the Tab key. The layout of feedback has no such cells, and a text for
    images needs no parser.
    """

    def from_notebook_node(
        self, nb: NotebookNode, resources: Any = None, **kwargs: Any
    ) -> tuple[str, Any]:
        """Make a page of a notebook."""
        before = resources
        resources = self._init_resources(resources)
        language = nb.metadata.get("language_info", {})
        lexer = language.get("pygments_lexer", language.get("name")) or "ipython3"
        kinds = WidgetsDataTypeFilter(
            notebook_metadata=self._nb_metadata, parent=self, resources=resources
        )
        self.register_filter("filter_data_type", kinds)
        colors = self.filters.get("highlight_code") or functools.partial(_colored, lexer)
        self.register_filter("highlight_code", colors)
        page, made = TemplateExporter.from_notebook_node(self, nb, resources, **kwargs)
        if "jp-Notebook" in page:
            # JupyterLab's layout, which some course has chosen for its feedback.
            return super().from_notebook_node(nb, before, **kwargs)
        return IMAGE_WITHOUT_ALT.sub(f'<img alt="{NO_DESCRIPTION}"', page), made


def _colored(lexer: str, source: str, language: str | None = None, metadata: Any = None) -> str:
    """Jinja filter: code as HTML with colors."""
    if len(source) > LONGEST_COLORED:
        return f'<div class="highlight"><pre>{html.escape(source)}</pre></div>'
    if metadata and "magics_language" in metadata:
        return Highlight2HTML(pygments_lexer=lexer)(source, language, metadata)
    return _colored_known(source, language or lexer)


@functools.lru_cache(maxsize=2048)
def _colored_known(source: str, language: str) -> str:
    """Color what the next student's notebook is likely to hold, too."""
    return Highlight2HTML(pygments_lexer=language)(source, language)
