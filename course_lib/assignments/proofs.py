"""Prove that an exercise's tests do what its author says they do.

The reference gets every point, the untouched release none, every kept wrong answer loses exactly
the tests that it names and is told why, every kept right answer loses nothing, and a student's
notebook holds neither solutions nor hidden tests.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from nbformat import NotebookNode

from course_lib.assignments.answers import Answer, apply, load_answers
from course_lib.assignments.checking import CheckResult, as_graded, grade_notebook
from course_lib.assignments.running import preload
from course_lib.assignments.sandboxed import _preload
from course_lib.assignments.sources import grade_id, is_test, release_notebook, source_notebook
from course_lib.imports import imported_modules

if TYPE_CHECKING:
    from course_lib.grading.engine.shared import Shared
    from course_lib.grading.engine.zygote import Zygote

#: What students must not see of a source.
SECRET = re.compile(
    r"### BEGIN (?:SOLUTION|HIDDEN TESTS)\n(.*?)### END (?:SOLUTION|HIDDEN TESTS)"
    r"|=== BEGIN MARK SCHEME ===\n(.*?)=== END MARK SCHEME ===",
    re.DOTALL,
)


#: Nobody's cell is to be stopped because the machine has much to do, in seconds.
PATIENCE = 600.0


def warm(root: Path, slugs: list[str]) -> None:
    """Let what the exercises import be imported once, before the first proof."""
    preload(imported_modules(_code(root, slugs)))


def _code(root: Path, slugs: list[str]) -> list[str]:
    """Return the code cells of exercises."""
    sources = [source_notebook(root, slug) for slug in slugs]
    return [cell.source for source in sources for cell in source.cells if cell.cell_type == "code"]


def answers_path(root: Path, slug: str) -> Path:
    """Return where the wrong and right answers of an exercise lie."""
    return root / "tests" / "misconceptions" / f"{slug}.py"


#: How a notebook is run and its points are counted. The second is the teacher's notebook.
Grade = Callable[[NotebookNode, NotebookNode], CheckResult]


def together(notebook: NotebookNode, source: NotebookNode) -> CheckResult:
    """Run answers and tests in one process, as a notebook does."""
    return grade_notebook(notebook, seconds_per_cell=PATIENCE)


class Graders:
    """The grading engine, warm for some exercises.

    Parameters
    ----------
    root : Path
        The course.
    slugs : list of str
        The exercises: what they import is imported once.

    Raises
    ------
    SandboxError
        If no sandbox can be built here.
    """

    def __init__(self, root: Path, slugs: list[str]) -> None:
        from course_lib.grading.engine.runner import Times
        from course_lib.grading.engine.zygote import Zygote

        own = [answer.code for slug in slugs for answer in answers(root, slug)]
        self._root = root
        self._times = Times(cell=PATIENCE, notebook=10 * PATIENCE)
        self._opened = ExitStack()
        self._zygote: Zygote = self._opened.enter_context(Zygote(_preload(_code(root, slugs), own)))
        self._slug = ""
        self._shared: Shared | None = None

    def alone(self, notebook: NotebookNode, source: NotebookNode) -> CheckResult:
        """Grade a notebook as a student's is graded: by itself, in processes of its own."""
        from course_lib.grading.engine import runner

        runs = runner.run(notebook, self._zygote, source=source, times=self._times)
        return grade_notebook(notebook, runs=runs)

    def sharing(self, slug: str) -> Grade:
        """Return how to grade answers to an exercise, such that what they share is run once.

        That is the reference up to the first cell that an answer changes. What comes out is what
        `alone` says.
        """
        from course_lib.grading.engine.shared import Shared

        if self._slug != slug or self._shared is None:
            if self._shared is not None:
                self._shared.close()
            source = source_notebook(self._root, slug)
            self._slug = slug
            self._shared = Shared(graded(source), self._zygote, source=source, times=self._times)
        shared = self._shared
        return lambda notebook, source: grade_notebook(notebook, runs=shared.run(notebook))

    def __enter__(self) -> Graders:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._shared is not None:
            self._shared.close()
        self._opened.close()


def graded(notebook: NotebookNode) -> NotebookNode:
    """Return a notebook's cells that nbgrader knows, up to the last test.

    What nobody grades (a training, a picture at the end) shows nothing about the tests.
    """
    notebook = up_to_the_last_test(notebook)
    notebook.cells = [cell for cell in notebook.cells if grade_id(cell)]
    return notebook


def up_to_the_last_test(notebook: NotebookNode) -> NotebookNode:
    """Return a notebook without the cells after its last test, which no test can notice."""
    notebook = copy.deepcopy(notebook)
    last = max((i for i, cell in enumerate(notebook.cells) if is_test(cell)), default=-1)
    notebook.cells = notebook.cells[: last + 1]
    return notebook


def prove_reference(
    root: Path, slug: str, grade: Grade = together, *, whole: bool = True
) -> list[str]:
    """Return what is wrong with the reference's result; an empty list if it has full marks.

    Unless it is to be the whole, it runs up to the last test.
    """
    source = source_notebook(root, slug)
    notebook = source if whole else up_to_the_last_test(source)
    return list(_lost(grade(notebook, source), "the reference"))


def prove_release(root: Path, slug: str, grade: Grade = together) -> list[str]:
    """Return what is wrong with the untouched release: any point that it earns."""
    source, release = source_notebook(root, slug), release_notebook(root, slug)
    merged = as_graded(source, release, release)
    return [
        f"the untouched release earns {result.points:g} at {result.grade_id}: "
        "let that test call what the student must write"
        for result in grade(graded(merged), source).results
        if result.points
    ]


def prove_answer(root: Path, slug: str, answer: Answer, grade: Grade = together) -> list[str]:
    """Return where an answer's result differs from what its author says; empty if nowhere."""
    source = source_notebook(root, slug)
    tests = {cell.metadata.nbgrader.grade_id for cell in source.cells if is_test(cell)}
    unknown = sorted(answer.loses - tests)
    if unknown:
        return [f"{answer.name} names tests that are not there: {', '.join(unknown)}"]
    checked = grade(graded(apply(source, answer)), source)
    if not answer.loses:
        return list(_lost(checked, answer.name))
    problems = []
    lost = {r.grade_id: r.message for r in checked.results if r.message}
    for name in sorted(answer.loses - set(lost)):
        problems.append(f"{answer.name} passes {name}, which must catch it: {answer.reason}")
    for name in sorted(set(lost) - answer.loses):
        problems.append(f"{answer.name} also loses {name}: {lost[name]}")
    shown = _plain(" ".join(lost.values()))
    if _plain(answer.says) not in shown:
        told = "\n".join(f"{name}: {message}" for name, message in lost.items())
        problems.append(f"{answer.name} is never told {answer.says!r}. It is told:\n{told}")
    return problems


def prove_secrecy(root: Path, slug: str) -> list[str]:
    """Return the lines of solutions, hidden tests and marking schemes that a student would see."""
    return shown_secrets(source_notebook(root, slug), release_notebook(root, slug))


def shown_secrets(source: NotebookNode, release: NotebookNode) -> list[str]:
    """Return the lines of a source that students must not see, and would see in a release."""
    public = "\n".join(SECRET.sub("", cell.source) for cell in source.cells)
    shown = "\n".join(cell.source for cell in release.cells) + str(release.metadata)
    return [
        f"{secret!r} is in the release"
        for secret in secret_lines(source)
        if secret in shown and secret not in public
    ] + [
        f"{marker!r} is in the release"
        for marker in ("BEGIN SOLUTION", "BEGIN HIDDEN TESTS", "BEGIN MARK SCHEME")
        if marker in shown
    ]


def secret_lines(source: NotebookNode) -> list[str]:
    """Return the lines of a source that students must not see, but for those too short to tell."""
    secrets = []
    for cell in source.cells:
        for match in SECRET.finditer(cell.source):
            block = match.group(1) or match.group(2) or ""
            secrets += [line.strip() for line in block.splitlines() if len(line.strip()) > 8]
    return secrets


def answers(root: Path, slug: str) -> list[Answer]:
    """Return the kept answers of an exercise; an empty list if there is no such file."""
    path = answers_path(root, slug)
    return load_answers(path) if path.is_file() else []


def _lost(checked: CheckResult, whose: str) -> Iterator[str]:
    for result in checked.results:
        if result.points is not None and result.points < result.max_points:
            yield (
                f"{whose} gets {result.points:g} of {result.max_points:g} at {result.grade_id}: "
                f"{result.message}"
            )
    for name, error in checked.broken.items():
        yield f"{whose}: the cell {name} fails with {error}"


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
