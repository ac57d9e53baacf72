"""Cells run in a process of their own; one that hangs or dies costs itself alone."""

import os
import subprocess
import sys

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.utils import determine_grade

from course_lib.assignments import running
from course_lib.assignments.checking import grade_notebook
from course_lib.assignments.running import run_notebook
from course_lib.grading.engine.student import MAX_OUTPUT
from course_lib.paths import CourseError

# Real processes.
pytestmark = pytest.mark.slow


def run(*sources, **options):
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    return run_notebook(notebook, **options)


def test_cells_share_names_and_show_values():
    first, second = run("x = 20", "x + 1")
    assert first.status == second.status == "ok"
    assert second.outputs[0].data["text/plain"] == "21"


def test_an_error_stops_only_its_cell():
    first, second = run("1 / 0", "print('still here')")
    assert first.status == "error"
    assert first.error == "ZeroDivisionError: division by zero"
    assert second.outputs[0].text == "still here\n"


def test_a_syntax_error_is_reported():
    (only,) = run("def broken(:")
    assert only.status == "error"
    assert only.error.startswith("SyntaxError")


@pytest.mark.parametrize(
    ("culprit", "status"),
    [
        ("import os; os._exit(0)", "died"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "died"),
        ("while True: pass", "timeout"),
        (
            "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
            "timeout",
        ),
    ],
)
def test_a_fatal_cell_costs_itself_alone(culprit, status):
    before, fatal, after = run("x = 1", culprit, "x + 1", seconds_per_cell=8)
    assert before.status == "ok"
    assert fatal.status == status
    assert after.outputs[0].data["text/plain"] == "2"


def test_a_process_that_does_not_start_is_said(monkeypatch):
    class Idle:
        """A process that holds its end of the connection, and says nothing."""

        def __init__(self, target, args):
            self.held = os.dup(args[0].fileno())

        def start(self):
            pass

        def kill(self):
            os.close(self.held)

        def join(self):
            pass

    context = running._context()
    monkeypatch.setattr(context, "Process", Idle)
    monkeypatch.setattr(running, "_context", lambda: context)
    monkeypatch.setattr(running, "READY_WITHIN", 0.1)
    with pytest.raises(CourseError, match=r"did not start within 0\.1 seconds.*try again"):
        run("1 + 1")


def test_what_readers_run_needs_no_module_that_only_unix_has():
    program = (
        "import sys\nfor name in ('resource', 'fcntl', 'pwd', 'grp', 'termios'):\n"
        "    sys.modules[name] = None\n"
        "import course_lib.cli, course_lib.assignments.checking, course_lib.assignments.progress"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_restarts_are_bounded():
    runs = run(*["import os; os._exit(1)"] * 6)
    assert [r.status for r in runs] == ["died"] * 4 + ["not run"] * 2


def test_sys_exit_does_not_end_the_run():
    first, second = run("import sys; sys.exit(3)", "'here'")
    assert first.status == "error"
    assert second.status == "ok"


def test_the_run_leaves_this_process_alone(tmp_path):
    here = os.getcwd()
    run("import os, sys; os.chdir('/'); sys.modules['numpy'] = None", folder=tmp_path)
    import numpy

    assert numpy.sqrt(4) == 2
    assert os.getcwd() == here


def test_cells_run_in_the_folder(tmp_path):
    (tmp_path / "data.txt").write_text("42")
    (only,) = run("open('data.txt').read()", folder=tmp_path)
    assert only.outputs[0].data["text/plain"] == "'42'"


def test_output_is_bounded():
    (only,) = run("print('x' * 10_000_000)")
    assert MAX_OUTPUT <= len(only.outputs[0].text) < MAX_OUTPUT + 100


@pytest.mark.parametrize(
    ("source", "points"),
    [
        ("pass", 4),
        ("assert False", 0),
        ("1.5", 1.5),
        ("import sys; print('careful', file=sys.stderr)", 0),
        ("print('fine')", 4),
    ],
)
def test_points_are_counted_as_nbgrader_counts_them(source, points):
    cell = new_code_cell(source)
    cell.metadata["nbgrader"] = dict(
        grade=True,
        solution=False,
        locked=True,
        task=False,
        points=4,
        grade_id="t",
        schema_version=3,
    )
    notebook = new_notebook(cells=[cell])
    (result,) = grade_notebook(notebook).results
    assert result.points == points
    (ran,) = run(source)
    cell.outputs = ran.outputs
    assert determine_grade(cell) == (points, 4)


def test_a_warning_that_costs_points_is_explained():
    cell = new_code_cell("import warnings; warnings.warn('overflow in exp')")
    cell.metadata["nbgrader"] = dict(
        grade=True,
        solution=False,
        locked=True,
        task=False,
        points=4,
        grade_id="t",
        schema_version=3,
    )
    (result,) = grade_notebook(new_notebook(cells=[cell])).results
    assert "printed a warning" in result.message
