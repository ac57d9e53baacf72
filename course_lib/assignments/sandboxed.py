"""A reader's own notebook in the grading engine, so that `check` says what grading would.

A sandbox is no condition here: it is the reader's own work, so that where none can be built the
notebook runs without (`running`).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_lib.grading.submissions.files import files_beside
from course_lib.imports import imported_modules, is_module
from course_lib.paths import CourseError, source_path

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from course_lib.grading.engine.runner import CellRun
    from course_lib.grading.engine.sandbox import Limits
    from course_lib.grading.engine.zygote import Zygote

__all__ = ["Engine", "engine", "takes_steps"]

# `torch.optim.SGD`, `from torch import optim`.
_OPTIMIZERS = re.compile(r"\boptim\b")

#: How nbgrader tells cells where they run.
VALIDATE = {"NBGRADER_EXECUTION": "validate", "NBGRADER_VALIDATING": "1"}


@contextmanager
def engine(root: Path, slug: str, path: Path) -> Iterator[Engine | None]:
    """Start the grading engine; it gets warm while its caller goes on.

    Parameters
    ----------
    root : Path
        The course.
    slug : str
        The exercise. What its source imports is imported ahead of time.
    path : Path
        The reader's notebook, of which this holds too.

    Yields
    ------
    Engine or None
        None where there can be no sandbox, or there is no notebook to run.
    """
    own = _code_in(path)
    if own is None or not sys.platform.startswith("linux"):
        yield None
        return
    text = source_path(root, slug)
    course = [text.read_text(encoding="utf-8")] if text.is_file() else []
    from course_lib.grading.engine.zygote import Zygote

    preload = _preload(course, own, path.parent)
    with ThreadPoolExecutor(1, thread_name_prefix="warm") as thread:
        warm = thread.submit(Zygote, preload)
        try:
            yield Engine(warm, 0 if "torch" in preload else library_bytes("torch", "nvidia"))
        finally:
            if warm.exception() is None:
                warm.result().close()


def _code_in(path: Path) -> list[str] | None:
    """Return the code of a notebook's cells; None if it is no notebook, which others will say."""
    with suppress(OSError, ValueError):
        notebook = json.loads(path.read_bytes())
        if isinstance(notebook, dict) and "nbformat" in notebook:
            with suppress(TypeError, KeyError):
                cells = notebook["cells"]
                # A cell's text is one string or a list of lines.
                return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
            return []  # of an old format: what it imports is imported when it does
    return None


def _preload(course: Iterable[str], own: Iterable[str], folder: Path | None = None) -> list[str]:
    """Return what a run will import: of torch and Matplotlib nothing, unless somebody does.

    What somebody's own code imports from their folder is read, too.
    """
    from course_lib.grading.engine.warmup import DEFAULT_PRELOAD

    usual = {_top(name) for name in DEFAULT_PRELOAD}
    course, own = list(course), list(own)
    asked = imported_modules(course)
    # What else a reader imports is imported where they do: it may be anything.
    asked |= {name for name in imported_modules(own, folder) if _top(name) in usual}
    if "torch" in map(_top, asked) and takes_steps([*course, *own]):
        asked.add("torch.optim")
    wanted = {_top(name) for name in asked} | {"IPython", "course_lib", "numpy"}
    always = [
        name
        for name in DEFAULT_PRELOAD
        # A class has use for the whole warm-up, and for a first step of an optimizer; one notebook
        # has the step if it takes such steps.
        if _top(name) in wanted
        and (_top(name) != "torch" or name in asked)
        and not name.endswith(".dry_run")
    ]
    return [*always, *sorted(name for name in asked - set(always) if is_module(name))]


def library_bytes(*packages: str) -> int:
    """Return how much is in the shared libraries of packages, those of their parts included."""
    found = 0
    for package in packages:
        spec = find_spec(package)
        for place in (spec and spec.submodule_search_locations) or ():
            for pattern in ("lib/*.so*", "*/lib/*.so*"):
                found += sum(file.stat().st_size for file in Path(place).glob(pattern))
    return found


def takes_steps(sources: Iterable[str]) -> bool:
    """Tell whether code uses PyTorch's optimizers.

    The first step of one loads a compiler, which takes a second, and would take it again in each
    fork: in each test cell that trains.
    """
    return any(map(_OPTIMIZERS.search, sources))


def _top(name: str) -> str:
    return name.partition(".")[0]


@dataclass(frozen=True)
class Engine:
    """The grading engine of this machine, warm or about to be."""

    warm: Future[Zygote]
    libraries: int = 0
    """Bytes of libraries that a cell may load all the same, by a way that no reader sees."""

    def run(
        self,
        notebook: NotebookNode,
        source: NotebookNode,
        *,
        folder: Path,
        course_folder: Path,
        seconds_per_cell: float,
    ) -> list[CellRun] | None:
        """Run the code cells of a notebook whose test cells are the source's.

        Parameters
        ----------
        notebook, source : NotebookNode
            The reader's answers among the tests, and the exercise's source.
        folder, course_folder : Path
            What lies here is there when cells run, and (of the course alone) when tests do. Nothing
            in them is changed.
        seconds_per_cell : float
            After this time a cell is stopped.

        Returns
        -------
        list of CellRun or None
            None if there can be no sandbox here, or the files do not fit into it.
        """
        from course_lib.grading.engine import runner
        from course_lib.grading.engine.sandbox import Limits, SandboxError
        from course_lib.grading.engine.zygote import ZygoteDied

        count = sum(cell.cell_type == "code" for cell in notebook.cells)
        times = runner.Times(cell=seconds_per_cell, notebook=seconds_per_cell * count)
        limits = Limits(cpu_seconds=int(times.notebook) + 30, libraries=self.libraries)
        try:
            course_files = files_beside([course_folder])
            files = files_beside([folder]) | course_files
            spawner = _Spawner(self.warm.result(), limits, course_files)
            return runner.run(notebook, spawner, source=source, times=times, files=files)
        except (CourseError, SandboxError, ZygoteDied):
            return None


@dataclass(frozen=True)
class _Spawner:
    """A zygote whose children have these limits, and whose tests see the course's files alone."""

    zygote: Zygote
    limits: Limits
    course_files: Mapping[str, bytes] = field(default_factory=dict)

    def spawn(self, target: str, sockets: Any, *, sandboxed: bool, scratch: Any) -> Any:
        files = scratch if sandboxed else self.course_files
        return self.zygote.spawn(
            target,
            sockets,
            sandboxed=sandboxed,
            limits=self.limits,
            scratch=files,
            environment=VALIDATE,
        )
