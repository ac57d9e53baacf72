"""The comparison of executed chapters can fail: a changed output and a broken cell do."""

import subprocess
import sys

import pytest
from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook, new_output

SETTINGS = "tests/notebooks/sanitize.cfg"


def nbval(root, folder, source, shown, mode="--nbval"):
    output = new_output("execute_result", data={"text/plain": shown}, execution_count=1)
    cell = new_code_cell(source, outputs=[output], execution_count=1)
    notebook = new_notebook(
        cells=[cell], metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    )
    path = folder / "page.ipynb"
    write(notebook, path)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", mode, "--nbval-sanitize-with", str(root / SETTINGS)]
        + ["-p", "no:cacheprovider", "--override-ini=addopts=", str(path)],
        cwd=folder,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "shown", "passes"),
    [
        ("2 * 2", "4", True),
        ("2 * 2", "5", False),
        ("raise ValueError", "4", False),
        ("'took 12.5 ms'", "'took 7 ms'", True),
        ("'99.1 % right'", "'98.7 % right'", False),
    ],
)
def test_a_changed_output_fails(root, tmp_path, source, shown, passes):
    done = nbval(root, tmp_path, source, shown)
    assert (done.returncode == 0) is passes, done.stdout


@pytest.mark.slow
def test_a_broken_source_notebook_fails_without_outputs_to_compare(root, tmp_path):
    assert nbval(root, tmp_path, "1 / 0", "0", mode="--nbval-lax").returncode != 0
    assert nbval(root, tmp_path, "1 / 1", "0", mode="--nbval-lax").returncode == 0
