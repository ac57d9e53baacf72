"""Running one notebook: what a cell can do, and what it costs."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_lib.grading.running.kernel import KERNEL_DIED, NOT_RUN, TIMED_OUT, Execute

pytestmark = pytest.mark.slow

KERNELSPEC = {"name": "python3", "display_name": "Python 3", "language": "python"}


def run(
    *sources: str, folder: Path | None = None, kind: type[Execute] = Execute, **options: int
) -> list[NotebookNode]:
    """Run cells; return them."""
    notebook = new_notebook(
        cells=[new_code_cell(source) for source in sources], metadata={"kernelspec": KERNELSPEC}
    )
    execute = kind(**({"timeout": 20, "iopub_timeout": 30} | options))
    execute.preprocess(notebook, {"metadata": {"path": str(folder or "")}})
    return notebook.cells


def errors(cell: NotebookNode) -> list[str]:
    return [output.ename for output in cell.outputs if output.output_type == "error"]


def printed(cell: NotebookNode) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


class Hears(Execute):
    """Tells the cell that it has heard what was printed."""

    def output(self, outs: Any, msg: Any, *rest: Any) -> Any:
        if "last words" in str(msg["content"]):
            Path(self.resources["metadata"]["path"], "heard").touch()
        return super().output(outs, msg, *rest)


def test_a_dead_kernel_costs_its_cell_and_the_state_before_it_comes_back(tmp_path: Path) -> None:
    cells = run(
        "count = 0",
        "count += 1; print('counted')",
        "print('last words', flush=True)\nimport os, time\n"
        "while not os.path.exists('heard'):\n    time.sleep(0.01)\nos._exit(3)",
        "print(count)",
        "import ctypes; ctypes.string_at(0)",
        "print(count)",
        folder=tmp_path,
        kind=Hears,
    )
    assert [errors(cell) for cell in cells] == [[], [], [KERNEL_DIED], [], [KERNEL_DIED], []]
    assert "last words" in printed(cells[2])
    assert printed(cells[3]) == printed(cells[5]) == "1\n"
    # What a cell printed is what it printed the first time.
    assert printed(cells[1]) == "counted\n"


def test_deaths_are_counted() -> None:
    killer = "import os; os._exit(1)"
    cells = run("x = 1", killer, killer, killer, "print(x)", max_kernel_deaths=2)
    assert [errors(cell) for cell in cells] == [
        [],
        [KERNEL_DIED],
        [KERNEL_DIED],
        [KERNEL_DIED],
        [NOT_RUN],
    ]
    assert "already died 3 times" in cells[4].outputs[0].evalue


def test_a_cell_that_dies_only_the_second_time_is_not_run_a_third_time(tmp_path: Path) -> None:
    twice = (
        "import os, pathlib\nmark = pathlib.Path('mark')\n"
        "if mark.exists():\n    os._exit(1)\nmark.touch()\nx = 1"
    )
    cells = run(twice, "import os; os._exit(1)", "y = 2", "print(y)", folder=tmp_path)
    assert [errors(cell) for cell in cells] == [[], [KERNEL_DIED], [], []]


def test_a_notebook_has_a_budget() -> None:
    loop = "while True: pass"
    cells = run(loop, loop, loop, loop, timeout=2, notebook_timeout=5)
    found = [errors(cell) for cell in cells]
    # How many had their turn depends on how quickly a kernel starts here.
    stopped = found.count([TIMED_OUT])
    assert found == [[TIMED_OUT]] * stopped + [[NOT_RUN]] * (4 - stopped)
    assert stopped < 4
    assert "5 seconds" in cells[3].outputs[0].evalue


def test_an_interrupted_cell_says_only_that() -> None:
    cells = run("import time\nprint('start')\ntime.sleep(60)", "print('on')", timeout=8)
    assert errors(cells[0]) == [TIMED_OUT]
    assert printed(cells[0]) == "start\n"
    assert printed(cells[1]) == "on\n"


def test_the_kernel_is_one_thread_and_has_no_windows() -> None:
    (cell,) = run(
        "import os, matplotlib; print(os.environ['OMP_NUM_THREADS'], matplotlib.get_backend())"
    )
    assert printed(cell).startswith("1 ")
    assert "inline" in printed(cell)


def test_nothing_runs_on_after_the_notebook(tmp_path: Path) -> None:
    (cell,) = run(
        "import subprocess; p = subprocess.Popen(['sleep', '321']); print(p.pid)", folder=tmp_path
    )
    pid = int(printed(cell))
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        with contextlib.suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.1)
                continue
        break
    else:
        os.kill(pid, signal.SIGKILL)
        pytest.fail("a process that the notebook started is still there")


def test_output_is_bounded_whatever_its_kind() -> None:
    cells = run(
        "print('x' * 5_000_000)",
        "for i in range(3000): print(i)",
        "from IPython.display import display, HTML\nfor i in range(50): display(HTML('y' * 9_000))",
        "'z' * 3_000_000",
        "raise ValueError('w' * 3_000_000)",
        "print('x' * 200_000); import sys; print('oh', file=sys.stderr)",
        max_output_bytes=100_000,
    )
    for cell in cells:
        assert len(str(cell.outputs)) < 150_000
    assert "Output truncated" in printed(cells[0])
    assert printed(cells[1]).startswith("0\n1\n")
    assert errors(cells[4]) == ["ValueError"]
    # stderr costs points in nbgrader, so that something came there is never dropped.
    assert any(out.output_type == "stream" and out.name == "stderr" for out in cells[5].outputs)


def test_text_cells_and_empty_cells_are_left_alone() -> None:
    notebook = new_notebook(
        cells=[new_markdown_cell("# Text"), new_code_cell("  \n"), new_code_cell("1 + 1")],
        metadata={"kernelspec": KERNELSPEC},
    )
    Execute().preprocess(notebook, {"metadata": {"path": ""}})
    assert notebook.cells[2].outputs[0].data["text/plain"] == "2"
    assert notebook.cells[1].outputs == []
