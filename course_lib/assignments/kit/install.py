"""The cell that installs the students' library where it is missing: Google Colab, a JupyterHub.

It stands before the exercise, has no name that grading knows, and does nothing where the library is
there already: on a student's own machine, and when the notebook is graded.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from course_lib.paths import CourseError

__all__ = ["add_install_cell", "install_cell", "wheel_address"]

#: The cell's id, by which it is known again.
INSTALL = "install-course-lib"

_CODE = """\
# In Google Colab and on a JupyterHub, this installs the library of the course; elsewhere it does
# nothing. PyTorch and NumPy stay as they are.
import importlib.util
import subprocess
import sys

WHEEL = "{address}"
if importlib.util.find_spec("course_lib") is None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", WHEEL]
    installed = subprocess.run(pip, capture_output=True, text=True)
    importlib.invalidate_caches()
    if installed.returncode:
        raise RuntimeError(
            f"The library of the course could not be installed from {{WHEEL}}. Open that address "
            "in a browser. If it gives you the file, upload it beside this notebook, run "
            "`%pip install` with its name in a new cell, and go on below. If it does not, tell "
            f"your teacher. pip said:\\n{{installed.stderr.strip()[-1000:]}}"
        )"""


def wheel_address(address: str, wheel: str) -> str:
    """Return the address of the wheel: `address` itself, or its place in that folder.

    Parameters
    ----------
    address : str
        Where the teacher puts the wheel: ``https://…/the-wheel.whl``, or its folder.
    wheel : str
        The wheel's name.

    Raises
    ------
    CourseError
        If pip could not install from there: it reads name and version off the address.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise CourseError(
            f"--address is {address!r}: it wants where students will find the wheel, such as "
            f"https://example.org/course/{wheel}, or the folder that it is in."
        )
    if parts.query or parts.fragment or not address.isascii() or set(address) & set("\"'\\{} "):
        raise CourseError(
            f"--address is {address!r}: pip reads the wheel's name off the address, which has to "
            f"end in {wheel}, with nothing behind it and without blanks, quotes and braces."
        )
    if not address.endswith(".whl"):
        return f"{address.rstrip('/')}/{wheel}"
    if not address.endswith(f"/{wheel}"):
        raise CourseError(
            f"--address is {address!r}, and the wheel is called {wheel}. pip reads its version off "
            "the name: keep it, or say the folder alone."
        )
    return address


def install_cell(address: str) -> NotebookNode:
    """Return the cell, for a wheel at this address."""
    cell = new_code_cell(_CODE.format(address=address))
    cell.id = INSTALL
    return cell


def add_install_cell(path: Path, address: str) -> None:
    """Let a released notebook of a kit begin with the cell; nothing else in it is changed."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, install_cell(address))
    nbformat.write(notebook, path)
