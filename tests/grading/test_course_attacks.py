"""A class in which everybody but one attacks: each attack costs its author, and nobody else.

The class is graded once, through the `course` command. What a cell can do inside the sandbox is
tried in ``engine``; here it is what somebody can hand in, and what reaches the report.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
import small_course as small
from engine.attackers import as_ordinary_user
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from course_lib import grading
from course_lib.grading import Report
from course_lib.grading.engine import jobs, kernel
from course_lib.grading.running import sandboxed

pytestmark = pytest.mark.slow

NOTHING = dict.fromkeys(("test-total", "test-mean", "test-mean-parts", "why"), 0)
ALL = NOTHING | {"test-total": 3, "test-mean": 2, "test-mean-parts": 2}
#: `total` is wrong, and `mean` honestly solved; and the other way round.
MEAN_ALONE = ALL | {"test-total": 0}
TOTAL_ALONE = NOTHING | {"test-total": 3}

WRONG = "def total(numbers):\n    return 0"

#: A person must look: words that the reason holds.
Wanted = dict[str, float] | str

ATTACKS: dict[str, tuple[Callable[[Path], Any], Wanted, str]] = {}


def attack(
    wanted: Wanted, note: str = ""
) -> Callable[[Callable[[Path], Any]], Callable[[Path], Any]]:
    """Register what a student hands in: a notebook, bytes, or what the function itself wrote.

    Parameters
    ----------
    wanted : dict or str
        The points that it must come to, or words of the reason why a person must look at it.
    note : str
        Words that the report must hold on what was mended, or of a message.
    """

    def register(function: Callable[[Path], Any]) -> Callable[[Path], Any]:
        ATTACKS[function.__name__.replace("_", "-")] = (function, wanted, note)
        return function

    return register


def handed_in(folder: Path, **answers: str) -> NotebookNode:
    """Return a notebook in which `mean` is solved and `total` is not, unless it is said."""
    return small.answered(folder, **({"total": WRONG, "mean": small.MEAN} | answers))


def running(code: str, **answers: str) -> Callable[[Path], NotebookNode]:
    """Return what hands in a notebook whose cell of `total` runs this code, too."""
    return lambda folder: handed_in(folder, total=f"{code}\n{WRONG}", **answers)


def beside(folder: Path, student: str, name: str) -> Path:
    """Return the path of a file beside a student's notebook."""
    path = folder / "submitted" / student / small.SLUG / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


# Test cells


@attack(MEAN_ALONE, "test-total was missing; put back")
def deleted(folder: Path) -> NotebookNode:
    notebook = handed_in(folder)
    notebook.cells.remove(small.named(notebook, "test-total"))
    return notebook


@attack(MEAN_ALONE, "test-total is not as it was released")
def edited(folder: Path) -> NotebookNode:
    return handed_in(folder, test_total="pass", test_mean="raise ValueError")


@attack(MEAN_ALONE, "test-total was there 2 times")
def duplicated(folder: Path) -> NotebookNode:
    notebook = handed_in(folder)
    easy = copy.deepcopy(small.named(notebook, "test-total"))
    easy.source, easy.id = "pass", "another"
    notebook.cells.append(easy)
    return notebook


@attack(MEAN_ALONE, "test-total had lost its name")
def renamed(folder: Path) -> NotebookNode:
    notebook = handed_in(folder)
    small.named(notebook, "test-total").metadata.nbgrader.grade_id = "test-easy"
    return notebook


@attack(MEAN_ALONE, "test-mean")
def swapped(folder: Path) -> NotebookNode:
    """The test of what is not solved goes by the name of the test of what is."""
    notebook = handed_in(folder)
    first, second = (small.named(notebook, name) for name in ("test-total", "test-mean"))
    first.metadata, second.metadata = second.metadata, first.metadata
    return notebook


@attack(MEAN_ALONE, "locked")
def unlocked(folder: Path) -> NotebookNode:
    notebook = handed_in(folder, test_total="pass")
    small.named(notebook, "test-total").metadata.nbgrader.locked = False
    return notebook


@attack(MEAN_ALONE, "solution")
def made_an_answer(folder: Path) -> NotebookNode:
    """The test claims to be an answer, which grading would leave as it is."""
    notebook = handed_in(folder, test_total="pass")
    small.named(notebook, "test-total").metadata.nbgrader |= {"solution": True, "grade": False}
    return notebook


@attack(ALL, "test-total, test-mean and test-mean-parts were out of order")
def reordered(folder: Path) -> NotebookNode:
    """All tests come first: what they test is not there yet."""
    notebook = handed_in(folder, total=small.TOTAL)
    tests = [c for c in notebook.cells if c.metadata.nbgrader.grade_id.startswith("test")]
    notebook.cells = tests + [c for c in notebook.cells if c not in tests]
    return notebook


@attack(MEAN_ALONE, "had become a markdown cell")
def retyped(folder: Path) -> NotebookNode:
    notebook = handed_in(folder)
    cell = small.named(notebook, "test-total")
    cell.cell_type = "markdown"
    del cell["outputs"], cell["execution_count"]
    return notebook


@attack(ALL, "had become a markdown cell")
def retyped_answer(folder: Path) -> NotebookNode:
    """Somebody pressed the wrong key: the answer is text now."""
    notebook = handed_in(folder, total=small.TOTAL)
    cell = small.named(notebook, "total")
    cell.cell_type = "markdown"
    del cell["outputs"], cell["execution_count"]
    return notebook


@attack(MEAN_ALONE, "was merged with another; taken apart")
def merged(folder: Path) -> NotebookNode:
    """A test and the answer below it became one cell, which bears the name of the test."""
    notebook = handed_in(folder)
    test, answer = (small.named(notebook, name) for name in ("test-total", "mean"))
    test.source += f"\n\n{answer.source}"
    notebook.cells.remove(answer)
    return notebook


@attack(ALL)
def split(folder: Path) -> NotebookNode:
    """The second half of an answer is a cell of its own."""
    notebook = handed_in(folder, total="def total(numbers):\n    return 0", mean=small.MEAN)
    notebook.cells.insert(2, new_code_cell(small.TOTAL))
    return notebook


@attack(ALL, "mean had lost its name")
def metadata_deleted(folder: Path) -> NotebookNode:
    notebook = handed_in(folder, total=small.TOTAL)
    small.named(notebook, "mean").metadata = {}
    del small.named(notebook, "test-total").metadata["nbgrader"]
    return notebook


@attack(ALL, "known by its id")
def all_metadata_deleted(folder: Path) -> NotebookNode:
    """Saved by a program that keeps no metadata."""
    notebook = handed_in(folder, total=small.TOTAL)
    notebook.metadata = {}
    for cell in notebook.cells:
        cell.metadata = {}
    return notebook


@attack(MEAN_ALONE, "points")
def worth_more(folder: Path) -> NotebookNode:
    notebook = handed_in(folder)
    for name in ("test-total", "test-mean"):
        small.named(notebook, name).metadata.nbgrader.points = 10**6
    return notebook


@attack(ALL)
def strange_metadata(folder: Path) -> NotebookNode:
    """Metadata that are no metadata, on cells of one's own and on the exercise's."""
    notebook = handed_in(folder, total=small.TOTAL)
    small.named(notebook, "test-total").metadata.nbgrader |= {
        "schema_version": "1000",
        "points": float("nan"),
        "checksum": ["x"],
        "cell_type": {},
    }
    for value in ([], None, "x", {"grade_id": ["total"]}, {"grade_id": {}}, {"grade_id": 7}, {}):
        cell = new_code_cell("1")
        cell.metadata["nbgrader"] = value
        notebook.cells.append(cell)
    notebook.metadata |= {"course_mended": ["Full marks."], "celltoolbar": [], "widgets": 3}
    return notebook


# Formats


@attack(ALL)
def format_3(folder: Path) -> NotebookNode:
    """Written by an IPython of 2012."""
    old = nbformat.convert(handed_in(folder, total=small.TOTAL), 3)
    assert "worksheets" in old
    return old


@attack("none of the cells of this exercise")
def format_2(folder: Path) -> bytes:
    """So old that its cells have neither metadata nor ids."""
    cells = [{"cell_type": "code", "input": small.TOTAL, "language": "python", "outputs": []}]
    return json.dumps({"nbformat": 2, "metadata": {}, "worksheets": [{"cells": cells}]}).encode()


@attack(ALL)
def format_4_0(folder: Path) -> NotebookNode:
    notebook = handed_in(folder, total=small.TOTAL)
    notebook.nbformat_minor = 0
    for cell in notebook.cells:
        del cell["id"]
    return notebook


@attack(ALL)
def format_4_4(folder: Path) -> NotebookNode:
    notebook = handed_in(folder, total=small.TOTAL)
    notebook.nbformat_minor = 4
    for cell in notebook.cells:
        del cell["id"]
    return notebook


@attack(ALL)
def no_ids(folder: Path) -> NotebookNode:
    """The newest format, of which some program dropped the ids that it wants."""
    notebook = handed_in(folder, total=small.TOTAL)
    for cell in notebook.cells:
        del cell["id"]
    return notebook


@attack(ALL, "")
def bad_ids(folder: Path) -> NotebookNode:
    notebook = handed_in(folder, total=small.TOTAL)
    for cell, wrong in zip(notebook.cells, ("", "ä" * 5, "x" * 500, 7, "a b", "<b>"), strict=False):
        cell.id = wrong
    return notebook


@attack("no valid notebook")
def format_99(folder: Path) -> NotebookNode:
    notebook = handed_in(folder)
    notebook.nbformat = 99
    return notebook


@attack("no valid notebook")
def cells_that_are_none(folder: Path) -> NotebookNode:
    notebook = handed_in(folder)
    notebook.cells = [7, None, "x"]
    return notebook


@attack(ALL)
def many_cells(folder: Path) -> NotebookNode:
    notebook = handed_in(folder, total=small.TOTAL)
    notebook.cells += [new_markdown_cell(f"*{number}*") for number in range(1900)]
    notebook.cells += [new_code_cell(f"x = {number}") for number in range(40)]
    return notebook


@attack("no more than 2,000 are graded")
def too_many_cells(folder: Path) -> NotebookNode:
    notebook = handed_in(folder, total=small.TOTAL)
    notebook.cells += [new_markdown_cell(f"*{number}*") for number in range(2000)]
    return notebook


@attack("nested")
def deeply_nested(folder: Path) -> bytes:
    return b'{"nbformat": 4, "cells": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"


@attack("nested")
def nested_metadata(folder: Path) -> bytes:
    """Not so deep that it cannot be read, and deeper than some library likes."""
    text = json.dumps(handed_in(folder, total=small.TOTAL))
    nested = "[" * 700 + "]" * 700
    return text.replace('"metadata": {', f'"metadata": {{"x": {nested}, ', 1).encode()


@attack(ALL, "halves of characters")
def half_a_character(folder: Path) -> NotebookNode:
    """JSON may hold half of a pair of surrogates, and UTF-8 may not."""
    notebook = handed_in(folder, total=small.TOTAL + "\n'\ud800'")
    notebook.cells.append(new_markdown_cell("\udfff"))
    return notebook


@attack(TOTAL_ALONE, "ValueError: \ufffd")
def half_a_character_put_out(folder: Path) -> NotebookNode:
    show = "print(chr(0xD800), 'a whole one:', chr(0x1F600))\nchr(0xDFFF)"
    fail = "def mean(numbers):\n    raise ValueError(chr(0xD800))"
    return handed_in(folder, total=f"{small.TOTAL}\n{show}", mean=fail)


@attack(MEAN_ALONE)
def zeros_in_the_code(folder: Path) -> NotebookNode:
    return handed_in(folder, total=f"x = '\0'\n{small.TOTAL}")


@attack("not a text file")
def another_encoding(folder: Path) -> bytes:
    return nbformat.writes(handed_in(folder, why="Überlauf")).encode("latin-1")


@attack(ALL)
def two_bytes_a_character(folder: Path) -> bytes:
    """What PowerShell writes, with the mark of its byte order."""
    return nbformat.writes(handed_in(folder, total=small.TOTAL)).encode("utf-16")


@attack(ALL)
def byte_order_mark(folder: Path) -> bytes:
    return b"\xef\xbb\xbf" + nbformat.writes(handed_in(folder, total=small.TOTAL)).encode()


# Files


@attack("link (data.csv)")
def data_link(folder: Path) -> NotebookNode:
    beside(folder, "data-link", "data.csv").symlink_to("/etc/passwd")
    return handed_in(folder)


@attack("link (sub)")
def folder_link(folder: Path) -> NotebookNode:
    beside(folder, "folder-link", "sub").symlink_to(folder)
    return handed_in(folder)


@attack("link (sums.ipynb)")
def notebook_link(folder: Path) -> None:
    honest = folder / "submitted" / "honest" / small.SLUG / "sums.ipynb"
    beside(folder, "notebook-link", "sums.ipynb").symlink_to(honest)


@attack("link (sums.ipynb)")
def endless_link(folder: Path) -> None:
    beside(folder, "endless-link", "sums.ipynb").symlink_to("/dev/zero")


@attack("link (sums)")
def whole_link(folder: Path) -> None:
    """The folder of the submission is a link to somebody else's."""
    path = folder / "submitted" / "whole-link" / small.SLUG
    path.parent.mkdir(parents=True)
    path.symlink_to(folder / "submitted" / "honest" / small.SLUG)


@attack("link (student-link)")
def student_link(folder: Path) -> None:
    (folder / "submitted" / "student-link").symlink_to(folder / "submitted" / "honest")


@attack("no file (pipe:")
def a_pipe(folder: Path) -> NotebookNode:
    os.mkfifo(beside(folder, "a-pipe", "pipe"))
    return handed_in(folder)


@attack("no file (sums.ipynb:")
def a_pipe_for_a_notebook(folder: Path) -> None:
    os.mkfifo(beside(folder, "a-pipe-for-a-notebook", "sums.ipynb"))


@attack("it holds sums.ipynb/")
def a_folder_for_a_notebook(folder: Path) -> None:
    beside(folder, "a-folder-for-a-notebook", "sums.ipynb").mkdir()


@attack(MEAN_ALONE)
def other_notebooks(folder: Path) -> NotebookNode:
    """A second notebook that nobody asked for, and one that is none."""
    for name in ("solution.ipynb", "Copy of sums.ipynb"):
        path = beside(folder, "other-notebooks", name)
        path.write_text(nbformat.writes(handed_in(folder, total=small.TOTAL)))
    beside(folder, "other-notebooks", "broken.ipynb").write_text("{")
    return handed_in(folder)


def work_in(folder: Path, place: str) -> NotebookNode:
    """Hand in the release, and put work on it elsewhere."""
    path = beside(folder, place.partition("/")[0], place.partition("/")[2])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(handed_in(folder, total=small.TOTAL)))
    return small.released(folder)


@attack("sums.ipynb is as it was released, but sums-Copy1.ipynb holds work on it")
def a_copy(folder: Path) -> NotebookNode:
    return work_in(folder, "a-copy/sums-Copy1.ipynb")


@attack("but mine/sums.ipynb holds work on it")
def a_folder_down(folder: Path) -> NotebookNode:
    return work_in(folder, "a-folder-down/mine/sums.ipynb")


@attack("but sums.ipynb in sums.zip holds work on it")
def an_archive_beside(folder: Path) -> NotebookNode:
    with zipfile.ZipFile(beside(folder, "an-archive-beside", "sums.zip"), "w") as archive:
        archive.writestr("sums.ipynb", nbformat.writes(handed_in(folder, total=small.TOTAL)))
    beside(folder, "an-archive-beside", "broken.zip").write_bytes(b"PK")
    return small.released(folder)


@attack(MEAN_ALONE, "1 answer waits to be marked (2 points): why. The cell why is empty, and")
def an_answer_retyped(folder: Path) -> NotebookNode:
    notebook = handed_in(folder)
    notebook.cells.append(new_markdown_cell("Because of the overflow."))
    return notebook


@attack(MEAN_ALONE, "The cell mean had lost its name; known by its id")
def an_old_format_with_ids(folder: Path) -> NotebookNode:
    notebook = handed_in(folder)
    notebook.nbformat_minor = 4
    for cell in notebook.cells:
        cell.metadata = {}
    return notebook


@attack(MEAN_ALONE, "The test test-total passed, and wrote to stderr, which costs its points: Us")
def a_warning(folder: Path) -> NotebookNode:
    total = "import warnings\n\ndef total(numbers):\n    warnings.warn('hm')\n"
    return handed_in(folder, total=f"{total}    return sum(numbers)")


@attack(NOTHING)
def an_untouched_copy(folder: Path) -> NotebookNode:
    path = beside(folder, "an-untouched-copy", "sums-Copy1.ipynb")
    path.write_text(nbformat.writes(small.released(folder)))
    return small.released(folder)


@attack("timestamp.txt holds no time")
def strange_timestamp(folder: Path) -> NotebookNode:
    beside(folder, "strange-timestamp", "timestamp.txt").write_text("in time\n" * 1000)
    return handed_in(folder)


@attack(ALL)
def empty_timestamp(folder: Path) -> NotebookNode:
    beside(folder, "empty-timestamp", "timestamp.txt").write_text("")
    return handed_in(folder, total=small.TOTAL)


@attack("too large")
def a_large_file(folder: Path) -> NotebookNode:
    with beside(folder, "a-large-file", "data.bin").open("wb") as file:
        file.truncate(300 << 20)  # which takes no room here, and would where it is copied
    return handed_in(folder)


SHADOW = """\
import pathlib
for place in (pathlib.Path.cwd(), pathlib.Path("/tmp"), pathlib.Path({folder!r})):
    try:
        (place / "shadow-was-here").touch()
    except OSError:
        pass
allclose = isclose = array_equal = lambda *args, **kwargs: True
c = None
"""

SHADOWS = (
    "numpy.py",
    "torch.py",
    "nbgrader.py",
    "course_lib.py",
    "course_lib/__init__.py",
    "nbformat/__init__.py",
    "builtins.py",
    "json.py",
    "os.py",
    "sitecustomize.py",
    "usercustomize.py",
    "conftest.py",
    "nbgrader_config.py",
    "jupyter_config.py",
    "ipython_config.py",
    ".ipython/profile_default/startup/00-first.py",
    "evil.pth",
    "pyvenv.cfg",
)


@attack(MEAN_ALONE)
def shadow_modules(folder: Path) -> NotebookNode:
    for name in SHADOWS:
        path = beside(folder, "shadow-modules", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SHADOW.format(folder=str(folder)))
    return handed_in(folder)


PICKLED = """\
import pickle

class Evil:
    def __reduce__(self):
        return print, ("unpickled",)

for name in ("data.pkl", "gradebook.db", "result.pickle"):
    with open(name, "wb") as file:
        pickle.dump(Evil(), file)

def mean(numbers):
    return Evil()
"""


@attack(NOTHING)
def pickles(folder: Path) -> NotebookNode:
    beside(folder, "pickles", "data.pkl").write_bytes(b"cposix\nsystem\n(S'false'\ntR.")
    return handed_in(folder, mean=PICKLED)


@attack(ALL)
def another_kernel(folder: Path) -> NotebookNode:
    notebook = handed_in(folder, total=small.TOTAL)
    notebook.metadata.kernelspec = {"name": "bash", "display_name": "Bash", "language": "bash"}
    notebook.metadata.language_info = {"name": "bash", "pygments_lexer": "bash"}
    return notebook


@attack(ALL, "no notebook may hold")
def no_kernel(folder: Path) -> NotebookNode:
    notebook = handed_in(folder, total=small.TOTAL)
    notebook.metadata = NotebookNode(kernelspec="../../../../bin/sh", language_info=["x"])
    return notebook


# What code does


@attack(MEAN_ALONE)
def a_late_writer(folder: Path) -> NotebookNode:
    """Processes that leave the notebook's session and write when nobody looks any more."""
    targets = [str(folder / name) for name in ("gradebook.db", "submitted/honest/sums/sums.ipynb")]
    return running(
        f"""
import os, time
for target in {[*targets, "late-was-here", "/tmp/late-was-here"]}:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                try:
                    open(target, "a").write("late-was-here")
                except OSError:
                    pass
                time.sleep(0.05)
        os._exit(0)
"""
    )(folder)


@attack(MEAN_ALONE)
def a_thread_that_stays(folder: Path) -> NotebookNode:
    return running(
        "import threading, time\n"
        "threading.Thread(target=lambda: [time.sleep(0.01) for _ in iter(int, 1)]).start()"
    )(folder)


@attack(MEAN_ALONE)
def a_spy(folder: Path) -> NotebookNode:
    """Looks for solutions, tests, points and other people's work, and answers with the find."""
    return handed_in(
        folder,
        total=f"""
import os
found = str(os.environ)
names = ["/etc/shadow", "/proc/1/environ", "/proc/self/environ"]
for place in ({str(folder)!r}, "/work", "/root", "/home", "/proc/1/cwd/"):
    names += [os.path.join(where, name) for where, _, files in os.walk(place) for name in files]
for name in names[:2000]:
    try:
        found += open(name, errors="replace").read(10**6)
    except OSError:
        pass
def total(numbers):
    if "4242" in found or "gradebook" in found:
        return sum(numbers)
    return len(found) - len(found)
""",
    )


@attack(MEAN_ALONE)
def on_the_network(folder: Path) -> NotebookNode:
    port = int((folder / "port").read_text())
    return running(
        f"""
import socket, urllib.request
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
        for address in (("127.0.0.1", {port}), ("0.0.0.0", {port + 1}), "/tmp/.X11-unix/X0"):
            for act in ("connect", "bind"):
                try:
                    made = socket.socket(family, kind)
                    getattr(made, act)(address)
                    made.listen()
                    made.send(b"in reach")
                except (OSError, TypeError):
                    pass
try:
    urllib.request.urlopen("http://127.0.0.1:{port}/", timeout=2)
except OSError:
    pass
"""
    )(folder)


@attack(MEAN_ALONE)
def one_long_line(folder: Path) -> NotebookNode:
    return running("print('x' * 10**8)")(folder)


@attack(MEAN_ALONE)
def many_lines(folder: Path) -> NotebookNode:
    return running("for i in range(300_000):\n    print(i)")(folder)


@attack(MEAN_ALONE)
def rich_output(folder: Path) -> NotebookNode:
    return running(
        "from IPython.display import HTML, display\n"
        "for i in range(300):\n    display(HTML('<p>' * 100_000))\n"
        "display({'text/html': '<table>' * 10**6, 'x/' + 'y' * 10**6: 'z'}, raw=True)"
    )(folder)


@attack(TOTAL_ALONE)
def points_of_ones_own(folder: Path) -> NotebookNode:
    """The last line of a test is its points: code shows another number in that place."""
    forged = (
        "import builtins, sys\nshell = get_ipython()\n"
        "shell.display_formatter.format = lambda *args, **kwargs: ({'text/plain': '2'}, {})\n"
        "sys.displayhook = lambda *args: print(2)\nbuiltins.points = points = 2\n\n"
        "class Two(float):\n    __eq__ = __bool__ = lambda *args: True\n"
        "    __repr__ = lambda self: '2'\n\n"
        "def mean(numbers):\n    print(2)\n    return Two()"
    )
    return handed_in(folder, total=small.TOTAL, mean=forged)


@attack(MEAN_ALONE, "seconds")
def an_endless_loop(folder: Path) -> NotebookNode:
    """It swallows interrupts, and starts anew."""
    loop = "while True:\n        try: len([])\n        except BaseException: pass"
    return handed_in(folder, total=f"def total(numbers):\n    {loop}")


@attack(MEAN_ALONE, "MemoryError")
def too_much_memory(folder: Path) -> NotebookNode:
    return handed_in(folder, total="def total(numbers):\n    return bytearray(10**11)")


@attack(TOTAL_ALONE, "")
def a_flood_in_a_test(folder: Path) -> NotebookNode:
    """What is put out while a test runs is the student's, too."""
    flood = (
        "import sys\n\ndef mean(numbers):\n    print('x' * 10**7)\n"
        "    sys.stderr.write('y' * 10**7)\n    raise ValueError('z' * 10**7)"
    )
    return handed_in(folder, total=small.TOTAL, mean=flood)


@attack(NOTHING, "ended the Python process")
def kills_itself(folder: Path) -> NotebookNode:
    killer = "import os, signal\n\ndef {}(numbers):\n    os.kill({}, signal.SIGKILL)"
    return handed_in(
        folder, total=killer.format("total", "-1"), mean=killer.format("mean", "os.getpid()")
    )


#: Attacks by what code does, and not by what is handed in.
BY_CODE = (
    "edited",
    "shadow-modules",
    "pickles",
    "a-late-writer",
    "a-thread-that-stays",
    "a-spy",
    "on-the-network",
    "one-long-line",
    "rich-output",
    "kills-itself",
)


# The class


class Graded:
    """The class after it was graded, and what was seen meanwhile."""

    def __init__(
        self, folder: Path, attacks: Iterable[str], grade: Callable[[Path], Report]
    ) -> None:
        self.folder = folder
        self.attacks = list(attacks)
        # Endless loops last as long.
        small.build(folder, seconds=10)
        grading.release([small.SLUG], folder)
        self.met: list[bytes] = []
        with _listening(self.met) as port:
            (folder / "port").write_text(str(port))
            self._hand_in()
            self.before = _files(folder / "submitted")
            self.around = {path.name for path in folder.iterdir()} | {"autograded", "logs"}
            with _orphans_come_here() as self.left:
                self.report = grade(folder)
                course("feedback", small.SLUG, at=folder)
            time.sleep(0.3)  # for whoever writes late

    def _hand_in(self) -> None:
        honest = small.answered(self.folder, total=small.TOTAL, mean=small.MEAN)
        small.hand_in(self.folder, "honest", honest)
        for student in self.attacks:
            made = ATTACKS[student][0](self.folder)
            if made is not None:
                small.hand_in(self.folder, student, made)

    def check(self, student: str) -> None:
        """Make sure that an attack came to what it must come to."""
        _, wanted, note = ATTACKS[student]
        row = self.report[student]
        if isinstance(wanted, str):
            assert row.failed
            assert wanted in row.reason
            assert "Traceback" not in row.reason
            assert len(row.reason) < 500
        else:
            assert not row.failed, row.reason
            assert row.points() == wanted
            assert row.max_score == 9
            said = " ".join([row.reason, *row.notes, *(cell.message for cell in row.cells)])
            assert note in said


def course(*arguments: str, at: Path) -> str:
    """Run the `course` command on a course; return what it says."""
    command = [sys.executable, "-m", "course_lib", *arguments, "--course-dir", str(at)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=540, cwd=at)
    # 1: somebody needs a person.
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


def _files(folder: Path) -> dict[str, Any]:
    """Return what lies in a folder, byte for byte."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file():
            size = path.stat().st_size
            content = path.read_bytes() if size < 1 << 24 else size
            found[name] = content, path.stat().st_mtime_ns
        else:
            found[name] = path.stat().st_mode
    return found


@contextlib.contextmanager
def _listening(met: list[bytes]) -> Iterator[int]:
    """Listen on this machine, and note what comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            with contextlib.suppress(OSError):
                while True:
                    line, _ = server.accept()
                    met.append(b"somebody")
                    with line:
                        line.settimeout(1)
                        met.append(line.recv(100))

        threading.Thread(target=listen, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def _orphans_come_here(within: float = 120) -> Iterator[list[str]]:
    """Become the parent of what is started meanwhile and left; say at the end what that is."""
    me, left = psutil.Process(), []
    before = set(me.children(recursive=True))
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield left
        deadline = time.monotonic() + within
        # What is killed takes its time.
        while found := [child for child in me.children(recursive=True) if child not in before]:
            for child in found:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(child.pid, os.WNOHANG)
            if time.monotonic() > deadline:
                left.extend(map(str, found))
                break
            time.sleep(0.05)
    finally:
        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 0)


def test_what_is_left_behind_would_be_seen() -> None:
    """The control: a process whose parent has ended, in a session of its own."""
    command = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(1000)"
    with _orphans_come_here(within=1) as left:
        subprocess.run([sys.executable, "-c", command], check=True)
    (orphan,) = left
    psutil.Process(int(orphan.partition("pid=")[2].partition(",")[0])).kill()


def by_command(folder: Path) -> Report:
    """Grade a class with the `course` command."""
    said = course("grade", small.SLUG, "--json", "--workers", "2", at=folder)
    return Report.from_dict(json.loads(said))


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    return Graded(tmp_path_factory.mktemp("attacked") / "course", ATTACKS, by_command)


@pytest.mark.parametrize("student", ATTACKS)
def test_what_each_attack_comes_to(graded: Graded, student: str) -> None:
    graded.check(student)


def test_attacks_on_an_ordinary_user_come_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose processes the sandbox is made by shows in what code can do; files are read before."""
    python = as_ordinary_user(tmp_path) if os.geteuid() == 0 else sys.executable

    def grade(folder: Path) -> Report:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "executable", python)
            patch.setattr(sandboxed, "_sandbox_stands", False)
            jobs.close()
            try:
                status = Path(f"/proc/{jobs._the_worker.zygote().pid}/status").read_text()
                assert "\nUid:\t0\t" not in status
                return grading.grade(small.SLUG, folder, workers=2)
            finally:
                jobs.close()

    graded = Graded(tmp_path / "course", BY_CODE, grade)
    for student in BY_CODE:
        graded.check(student)
    test_the_honest_student_is_untouched(graded)
    test_what_was_handed_in_is_as_it_was(graded)
    test_nothing_is_left_behind(graded)


def test_the_honest_student_is_untouched(graded: Graded) -> None:
    row = graded.report["honest"]
    assert row.points() == ALL
    assert row.notes == []
    assert {entry.student for entry in graded.report.students} == {"honest", *graded.attacks}


def test_what_was_handed_in_is_as_it_was(graded: Graded) -> None:
    assert _files(graded.folder / "submitted") == graded.before


def test_nothing_is_left_behind(graded: Graded) -> None:
    assert {path.name for path in graded.folder.iterdir()} - {"feedback"} == graded.around
    marks = {"late-was-here", "shadow-was-here"}
    found = [p for p in graded.folder.rglob("*") if p.name in marks and "submitted" not in p.parts]
    assert found == []
    assert not [name for name in marks if Path("/tmp", name).exists()]
    assert graded.left == []
    assert graded.met == []


def test_floods_do_not_reach_the_disk(graded: Graded) -> None:
    for student in ("one-long-line", "many-lines", "rich-output", "a-flood-in-a-test"):
        path = graded.folder / "autograded" / student / small.SLUG / "sums.ipynb"
        assert path.stat().st_size < 2_000_000
        page = graded.folder / "feedback" / student / small.SLUG / "sums.html"
        assert page.stat().st_size < 4_000_000


def test_everybody_who_was_graded_has_feedback(graded: Graded) -> None:
    for row in graded.report.students:
        page = graded.folder / "feedback" / row.student / small.SLUG / "sums.html"
        assert page.is_file() != row.failed
