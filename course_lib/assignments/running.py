"""Run the cells of a notebook in a process of its own, and say what each of them did.

The process is forked (where the system forks) from a server that has already imported what
exercises need, so a run costs its cells and little more. A cell that runs too long or kills the
process costs that cell: the run starts again without it.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output

from course_lib.assignments.sandboxed import VALIDATE
from course_lib.grading.engine import runner, student
from course_lib.grading.engine.runner import CellRun
from course_lib.grading.engine.shells import new_shell
from course_lib.paths import CourseError

#: How long the process may take to start and import what exercises need, in seconds.
READY_WITHIN = 300.0

#: How often a run may start again without the cell that ended it.
MAX_RESTARTS = 3

#: What every run needs.
_ALWAYS = ("IPython.core.interactiveshell", "IPython.utils.capture")

_preloaded: set[str] = set()


def run_notebook(
    notebook: NotebookNode,
    *,
    folder: Path | None = None,
    seconds_per_cell: float = 60.0,
) -> list[CellRun]:
    """Run the code cells of a notebook in order, in another process.

    Parameters
    ----------
    notebook : NotebookNode
        Not changed.
    folder : Path, optional
        Where the cells run; the current folder by default.
    seconds_per_cell : float
        After this time a cell is stopped.

    Returns
    -------
    list of CellRun
        One for each code cell.

    Raises
    ------
    CourseError
        If the process does not start.
    """
    cells = [(i, c.source) for i, c in enumerate(notebook.cells) if c.cell_type == "code"]
    runs = {index: CellRun(index) for index, _ in cells}
    context = _context()
    culprits: set[int] = set()
    while True:
        left = [(index, source) for index, source in cells if index not in culprits]
        culprit = _attempt(context, left, runs, folder, seconds_per_cell)
        if culprit is None or len(culprits) >= MAX_RESTARTS:
            return list(runs.values())
        culprits.add(culprit)


def _attempt(
    context: Any,
    cells: list[tuple[int, str]],
    runs: dict[int, CellRun],
    folder: Path | None,
    seconds_per_cell: float,
) -> int | None:
    """Run the cells once; return the index of the cell that ended the run early, if one did."""
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(there, cells, str(folder or Path.cwd())))
    process.start()
    there.close()
    try:
        # The process and its imports: nobody's cell.
        if not here.poll(READY_WITHIN):
            raise CourseError(
                f"The process that runs the cells did not start within {READY_WITHIN:g} seconds. "
                "The machine may have too much else to do: try again when it has less."
            )
        with suppress(EOFError):
            here.recv()
        for index, _ in cells:
            try:
                if here.poll(seconds_per_cell):
                    status, error, outputs = here.recv()
                    runs[index] = CellRun(index, status, error, runner.outputs_of(outputs))
                    continue
                status, error = "timeout", f"stopped after {seconds_per_cell:g} s"
            except EOFError:
                status, error = "died", "this cell ended the Python process"
            runs[index] = CellRun(
                index, status, error, [new_output("error", ename=status, evalue=error)]
            )
            return index
        return None
    finally:
        process.kill()
        process.join()
        here.close()


def preload(modules: Iterable[str]) -> None:
    """Let the server import these before the first run, so that no run has to.

    Without effect once the server has started, and where processes are not forked.
    """
    _preloaded.update(modules)


def _context() -> Any:
    """Return the multiprocessing context: a fork server where there is one."""
    # Threads made before a fork hang in the child, and results depend on how many there are.
    os.environ["OMP_NUM_THREADS"] = "1"
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *_ALWAYS, *sorted(_preloaded)])
    return context


def _child(connection: Any, cells: list[tuple[int, str]], folder: str) -> None:
    """Run cells in an IPython shell and send what each did. Runs in the new process."""
    import faulthandler
    import sys
    import tempfile

    faulthandler.disable()
    os.chdir(folder)
    sys.argv = ["notebook"]
    with tempfile.TemporaryDirectory(prefix="course-ipython-") as home:
        os.environ.update(VALIDATE, IPYTHONDIR=home)
        shell = new_shell()
        connection.send("ready")
        for index, source in cells:
            connection.send(student.run_cell(shell, f"cell {index + 1}", source))
    connection.close()
    # Threads that the student left behind must not keep the process.
    os._exit(0)
