"""The comparison of executed chapters can fail: a changed output and a broken cell do."""

import re
import shutil
import subprocess
import sys

import pytest
from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook, new_output

SETTINGS = "tests/notebooks/sanitize.cfg"


def nbval(root, folder, cells, mode):
    """Return whether each cell, given as (source, stored output), passes."""
    notebook = new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        cells=[
            new_code_cell(
                source,
                execution_count=1,
                outputs=[
                    new_output("execute_result", data={"text/plain": shown}, execution_count=1)
                ],
            )
            for source, shown in cells
        ],
    )
    path = folder / "page.ipynb"
    write(notebook, path)
    # Its kernels talk through files, and have time.
    shutil.copy(root / "conftest.py", folder)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "--color=no", mode]
        + ["--nbval-sanitize-with", str(root / SETTINGS), "-p", "no:cacheprovider"]
        + ["--override-ini=addopts=", str(path)],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    found = dict(re.findall(r"::Cell (\d+) (PASSED|FAILED)", done.stdout))
    assert len(found) == len(cells), done.stdout
    return [found[str(place)] == "PASSED" for place in range(len(cells))]


@pytest.mark.slow
def test_a_changed_output_fails(root, tmp_path):
    cells = {
        ("2 * 2", "4"): True,
        ("2 * 2 + 0", "5"): False,
        ("raise ValueError", "4"): False,
        ("'took 12.5 ms'", "'took 7 ms'"): True,
        ("'99.1 % right'", "'98.7 % right'"): False,
    }
    assert nbval(root, tmp_path, cells, "--nbval") == list(cells.values())


@pytest.mark.slow
def test_a_broken_source_notebook_fails_without_outputs_to_compare(root, tmp_path):
    cells = [("1 / 1", "0"), ("1 / 0", "0")]
    assert nbval(root, tmp_path, cells, "--nbval-lax") == [True, False]
