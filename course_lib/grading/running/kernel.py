"""Running a notebook in a stock kernel, so that one bad cell costs that cell and nothing else.

`Execute` is nbgrader's preprocessor of the same name with four things mended. A cell that runs past
its limit is interrupted, and killed where it ignores that; a cell that kills the kernel loses its
own points only, because a new kernel runs the earlier cells again and goes on behind the killer;
what a cell may print is bounded; and the notebook as a whole has a time budget.

Options are those of nbgrader's ``Execute`` (``c.Execute.timeout`` and so on in
``nbgrader_config.py``) and those below. The preprocessor is named in the lists of preprocessors
there, so another way of running notebooks takes its place by taking its place in those lists.
"""

from __future__ import annotations

import copy
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from typing import Any

from nbclient.client import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute as NbGraderExecute
from traitlets import Bool, Enum, Integer, Unicode

from course_lib.grading.engine import credit
from course_lib.grading.engine.notebooks import is_skipped, role
from course_lib.grading.engine.stopped import why_missing

__all__ = ["KERNEL_DIED", "NOT_RUN", "TEST_FAULT", "TIMED_OUT", "Execute"]

# The names of the errors that are written into cells, as people (and reports) see them.
TIMED_OUT = "CellTimeoutError"
KERNEL_DIED = "KernelDied"
NOT_RUN = "NotRun"

# The error of a test cell that gave no points for no fault of the student's.
TEST_FAULT = "TestFault"

# One thread a kernel: two kernels side by side are faster so, and sums do not depend on how many
# threads added them up. The backend is ipykernel's own, said aloud so that a desktop's setting
# cannot open windows, and so that `plt.show()` writes nothing to stderr (which costs points).
KERNEL_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "PYTHONDONTWRITEBYTECODE": "1",
}

# Another Python than this one may run the kernel.
_PLOTS_INLINE = """\
try:
    from course_lib.grading.engine.shells import plots_inline as _inline
    _inline(get_ipython())
    del _inline
except ImportError:
    pass
"""


class Execute(NbGraderExecute):
    """nbgrader's ``Execute``, surviving what students hand in."""

    notebook_timeout = Integer(
        300,
        help="Seconds that all cells of a notebook may take together. Cells that would start later "
        "are not run and score nothing.",
    ).tag(config=True)

    max_kernel_deaths = Integer(
        5,
        help="How often the kernel of one notebook may die (or have to be killed) before its "
        "remaining cells are not run and score nothing.",
    ).tag(config=True)

    max_output_bytes = Integer(
        500_000,
        help="Bytes of output kept of one cell. Errors are always kept, shortened.",
    ).tag(config=True)

    stderr_costs_points = Bool(
        True,
        help="Whether a test that writes to stderr (a warning, a progress bar, a log) gives no "
        "points, as nbgrader has it. If not, its text is shown with what it prints.",
    ).tag(config=True)

    # Widget states are large, and neither grading nor feedback shows them.
    store_widget_state = Bool(False).tag(config=True)

    iopub_timeout = Integer(
        8,
        help="Seconds that a cell's output may lag behind its end. A cell that ignores its "
        "interruption is killed after this time, too.",
    ).tag(config=True)

    # Nothing that a student's cell set up is worth waiting for at the end.
    shutdown_kernel = Enum(["graceful", "immediate"], default_value="immediate").tag(config=True)

    # Whatever tags students give their cells: see `is_skipped`.
    skip_cells_with_tag = Unicode("")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._folder: str | None = None
        self._written: dict[int, int] = {}
        self._deadline: float | None = None

    # The run of a notebook

    def preprocess(
        self, nb: NotebookNode, resources: Any = None, km: Any = None
    ) -> tuple[NotebookNode, Any]:
        """Run every code cell of `nb`, in place."""
        NotebookClient.__init__(self, nb, km)
        self.reset_execution_trackers()
        self._check_assign_resources(resources)
        self._written = {}
        self._deadline = time.monotonic() + self.notebook_timeout
        deaths = 0
        # The cells that a new kernel must see again: those that came to an end by themselves.
        finished: list[int] = []
        try:
            self._start()
            for index in range(len(nb.cells)):
                cell = nb.cells[index]
                if cell.cell_type != "code" or not cell.source.strip() or is_skipped(cell):
                    continue
                if deaths > self.max_kernel_deaths:
                    self._not_run(cell, f"the kernel had already died {deaths} times")
                elif time.monotonic() > self._deadline:
                    self._not_run(
                        cell,
                        f"the notebook had used up its {self.notebook_timeout} seconds",
                    )
                elif self._run(cell, index):
                    if not self._has_error(cell, TIMED_OUT):
                        finished.append(index)
                else:
                    deaths += 1
                    if deaths <= self.max_kernel_deaths:
                        deaths += self._restart(finished)
        finally:
            self._stop()
        self._settle(nb)
        return nb, self.resources

    def _run(self, cell: NotebookNode, index: int) -> bool:
        """Run one cell; return whether the kernel is still there."""
        limit = self._get_timeout(cell)
        self.error_on_timeout = self._timeout_error(limit)
        try:
            self.execute_cell(cell, index, store_history=True)
        except DeadKernelError:
            self.log.warning("Cell %d killed the kernel", index)
            self._add_error(
                cell,
                KERNEL_DIED,
                "This cell ended the Python process it ran in (the kernel): with os._exit, by "
                "running out of memory, or in a library that crashed.",
            )
            return False
        except CellTimeoutError:
            self.log.warning("Cell %d could not be interrupted", index)
            self._drop_interruptions(cell)
            self._add_error(
                cell,
                TIMED_OUT,
                f"{self._timeout_error(limit)['evalue']} It ignored the interruption, so its "
                "process was ended.",
            )
            return False
        if self._has_error(cell, TIMED_OUT):
            self._drop_interruptions(cell)
        return True

    @staticmethod
    def _drop_interruptions(cell: NotebookNode) -> None:
        """Forget a KeyboardInterrupt deep in somebody's code: what counts is the time it took."""
        cell.outputs = [
            output
            for output in cell.outputs
            if not (output.output_type == "error" and output.ename == "KeyboardInterrupt")
        ]

    def _restart(self, finished: list[int]) -> int:
        """Start a new kernel and bring it to where the last one was; return its further deaths.

        Only the state is wanted: what the cells put out the first time stays.
        """
        deaths = 0
        while True:
            self._stop()
            self._start()
            for index in list(finished):
                original = self.nb.cells[index]
                again = copy.deepcopy(original)
                self._written[index] = 0
                alive = self._run(again, index)
                self.nb.cells[index] = original
                if not alive or self._has_error(again, TIMED_OUT):
                    # It behaves otherwise the second time; never mind it a third time.
                    finished.remove(index)
                if not alive:
                    deaths += 1
                    break
            else:
                return deaths
            if deaths > self.max_kernel_deaths:
                return deaths

    # Kernels

    def create_kernel_manager(self) -> Any:
        """Make a manager whose kernels talk over a private socket file where there are such.

        Ports are a race between kernels that start at the same time, and any user of the machine
        may knock at them.
        """
        manager = super().create_kernel_manager()
        if os.name == "posix" and manager.transport == "tcp":
            self._folder = tempfile.mkdtemp(prefix="grade-")
            manager.connection_file = os.path.join(self._folder, "kernel.json")
            manager.transport = "ipc"
            manager.ip = os.path.join(self._folder, "socket")
        return manager

    def _start(self) -> None:
        if self.km is None:
            self.km = self.create_kernel_manager()
        environment = {**os.environ, **KERNEL_ENVIRONMENT}
        # What cells print arrives as messages. What is left on the process's own streams is
        # chatter of the kernel itself, and of libraries at their end.
        self.start_new_kernel(env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.start_new_kernel_client()
        info = self.wait_for_reply(self.kc.kernel_info())
        if info is not None:
            self.nb.metadata["language_info"] = info["content"]["language_info"]
        if str(self.nb.metadata.get("language_info", {}).get("name")) == "python":
            self.wait_for_reply(self.kc.execute(_PLOTS_INLINE, silent=True, store_history=False))

    def _stop(self) -> None:
        """End the kernel and whatever it started, and remove its socket."""
        group = getattr(getattr(self.km, "provisioner", None), "pgid", None)
        try:
            if self.km is not None:
                with suppress(Exception):
                    self._cleanup_kernel()
        finally:
            self.km = None
            self.kc = None
            # The kernel leads a process group of its own: what its cells left running goes too.
            if group and os.name == "posix" and group != os.getpgrp():
                with suppress(OSError):
                    os.killpg(group, signal.SIGKILL)
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._folder = None

    # Limits

    def _get_timeout(self, cell: NotebookNode | None) -> int | None:
        """Return the limit of a cell in seconds: its own, or what is left of the notebook's."""
        limit = super()._get_timeout(cell)
        if self._deadline is None:
            return limit
        left = max(1, round(self._deadline - time.monotonic()))
        return left if limit is None else min(limit, left)

    @staticmethod
    def _timeout_error(limit: int | None) -> dict[str, Any]:
        message = f"This cell ran longer than {limit} seconds and was stopped."
        return {
            "ename": TIMED_OUT,
            "evalue": message,
            "traceback": [f"\x1b[0;31m{TIMED_OUT}\x1b[0m: {message}"],
        }

    def output(
        self,
        outs: list[NotebookNode],
        msg: dict[str, Any],
        display_id: str,
        cell_index: int,
    ) -> NotebookNode | None:
        """Keep an output of a cell, or what still fits of it."""
        room = self.max_output_bytes - self._written.get(cell_index, 0)
        kind = msg["msg_type"]
        content = msg["content"]
        if kind == "stream":
            if room <= 0 and not self._first_of(outs, content["name"]):
                return None
            content["text"] = self._shorten(content["text"], max(room, 200))
            size = len(content["text"])
        elif kind == "error":
            content["evalue"] = self._shorten(content["evalue"], 10_000)
            content["traceback"] = [
                self._shorten(line, 10_000) for line in content["traceback"][-100:]
            ]
            size = 0
        elif kind in ("display_data", "execute_result"):
            data = content["data"]
            size = sum(len(str(value)) for value in data.values())
            if size > room:
                if kind == "display_data" and room <= 0:
                    return None
                # The plain text stays: a number there is a test cell's partial credit.
                plain = self._shorten(str(data.get("text/plain", "")), max(room, 2_000))
                content["data"] = {"text/plain": plain}
                content["metadata"] = {}
        else:
            size = 0
        # Every message costs something, so that a million empty ones end, too.
        self._written[cell_index] = self._written.get(cell_index, 0) + max(size, 100)
        return super().output(outs, msg, display_id, cell_index)

    @staticmethod
    def _first_of(outs: list[NotebookNode], name: str) -> bool:
        """Return whether nothing came from this stream yet.

        nbgrader takes the points of a test cell that writes to stderr. Whether it did must not
        depend on how much was printed before.
        """
        return not any(out.output_type == "stream" and out.name == name for out in outs)

    @staticmethod
    def _shorten(text: str, length: int) -> str:
        return text if len(text) <= length else f"{text[:length]}\n... Output truncated ...\n"

    # What is written into cells

    @staticmethod
    def _has_error(cell: NotebookNode, name: str) -> bool:
        return any(out.output_type == "error" and out.ename == name for out in cell.outputs)

    @staticmethod
    def _add_error(cell: NotebookNode, name: str, message: str) -> None:
        cell.outputs.append(
            new_output(
                "error",
                ename=name,
                evalue=message,
                traceback=[f"\x1b[0;31m{name}\x1b[0m: {message}"],
            )
        )

    def _settle(self, nb: NotebookNode) -> None:
        """See to it that what tests ended with is counted, and said, for what it is."""
        for place, cell in enumerate(nb.cells):
            if role(cell) == "test" and not self.stderr_costs_points:
                for output in cell.outputs:
                    if output.output_type == "stream":
                        output.name = "stdout"
            fault = credit.settle(cell) if role(cell) == "test" else ""
            if fault:
                # nbgrader looks at what comes first, and so does a report.
                known = ("execute_result", "error")
                cell.outputs = [out for out in cell.outputs if out.output_type not in known]
                self._add_error(cell, TEST_FAULT, credit.as_told(fault))
            if role(cell) == "test":
                self._explain(cell, nb.cells[:place])

    @staticmethod
    def _explain(cell: NotebookNode, before: list[NotebookNode]) -> None:
        """Say with a test's error which cell should have given the name that it misses."""
        for output in cell.outputs:
            if output.output_type == "error":
                why = why_missing(output.ename, output.evalue, before)
                if why:
                    output.evalue = f"{output.evalue}. {why}"
                    output.traceback = [*output.traceback, why]

    def _not_run(self, cell: NotebookNode, why: str) -> None:
        cell.outputs = []
        cell.execution_count = None
        self._add_error(cell, NOT_RUN, f"This cell was not run: {why}.")
