"""What in a graded submission is worth a teacher's look, in a plain sentence each.

Nothing here judges, and no point depends on it: each sentence says what was seen. Honest work can
be the cause of all of them.
"""

from __future__ import annotations

import re

from nbconvert.filters import strip_ansi
from nbformat import NotebookNode

from course_lib.grading.course.text import shown
from course_lib.grading.running.kernel import KERNEL_DIED
from course_lib.grading.running.sandboxed import STOPPED
from course_lib.grading.submissions.answers import NONE_NAMED, Answers, imported_answers
from course_lib.grading.submissions.repair import NOTES, TAMPERED, metadata_of

__all__ = ["findings"]

# Sentences for one submission; more say nothing new.
MOST = 10

# What the judge says of an answer that honest code cannot give (see engine/proxies.py).
UNREADABLE = re.compile(
    r"what came from the student cannot be (read|used)|an error of the student|"
    r"gave an answer that cannot be read"
)

# What code meets that wants more than the sandbox lets through: the name of the error, a pattern
# for its message, and what it wanted.
REFUSALS = (
    (r"PermissionError", r"", "something that is not allowed there"),
    (r"OSError", r"Read-only file system", "to write where nothing can be written"),
    (
        r"gaierror|URLError|ConnectionError|ConnectionRefusedError|OSError",
        r"Network is unreachable|name resolution|Name or service not known|NameResolutionError"
        r"|Connection refused",
        "the network, which is not there while grading",
    ),
    (
        r"FileNotFoundError",
        r"No such file or directory: '/",
        "a file from elsewhere on the machine, where it has only its own folder",
    ),
    (r"BlockingIOError", r"Resource temporarily unavailable", "more processes than are allowed"),
    (r"MemoryError", r"", "more memory than is allowed"),
)


def findings(notebook: NotebookNode, prefix: str = "", answers: Answers = NONE_NAMED) -> list[str]:
    """Return what is worth a look in a graded notebook.

    Parameters
    ----------
    notebook : NotebookNode
        As it was graded, with its outputs.
    prefix : str
        What stands before the names of cells, where an assignment has several notebooks.
    answers : Answers
        Where the exercise says that answers to it are.
    """
    found = [note for note in notebook.metadata.get(NOTES, []) if TAMPERED in note]
    for place, cell in enumerate(notebook.cells):
        name = prefix + str(metadata_of(cell).get("grade_id") or f"number {place + 1}")
        modules = imported_answers(cell, answers)
        if modules:
            refused = ", and was not run" if answers.refused else ""
            found.append(
                f"The cell {name} imports {' and '.join(modules)}, which holds answers to this "
                f"exercise{refused}."
            )
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                found += _of_error(name, cell, output)
    # A refusal in a loop of cells is one refusal.
    return list(dict.fromkeys(found))[:MOST]


def _of_error(name: str, cell: NotebookNode, output: NotebookNode) -> list[str]:
    kind, message = strip_ansi(output.ename), strip_ansi(output.evalue)
    if kind in (KERNEL_DIED, "StudentGone") and UNREADABLE.search(message):
        return [
            f"At the cell {name}, the process with the student's code sent something that ordinary "
            f"code does not: {shown(message, 160)}."
        ]
    if kind == KERNEL_DIED and message.startswith(STOPPED):
        return [f"The cell {name} was stopped: {shown(message.partition(': ')[2], 200)}."]
    if kind == KERNEL_DIED:
        return [f"The cell {name} ended the process that it ran in."]
    if metadata_of(cell).get("grade") and not metadata_of(cell).get("solution"):
        return []
    for names, pattern, wanted in REFUSALS:
        if re.fullmatch(names, kind) and re.search(pattern, message):
            return [f"The cell {name} wanted {wanted}: {shown(f'{kind}: {message}', 120)}."]
    return []
