"""The cell that installs the library: in Google Colab, on a JupyterHub, and where it is there."""

import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import threading
import venv
from pathlib import Path

import nbformat
import pytest

from course_lib import paths
from course_lib.assignments import kit as kits
from course_lib.assignments import sources
from course_lib.assignments.checking import as_graded
from course_lib.assignments.kit import install, make_kit
from course_lib.paths import CourseError

DATA = Path(__file__).parents[1] / "data" / "tiny_course"
WHEEL = "course-1.0-py3-none-any.whl"

#: Runs a notebook as a hub does, in a kernel of the same Python.
RUN = (
    "import sys, nbformat; from nbclient import NotebookClient as Client; "
    "path = sys.argv[1]; notebook = nbformat.read(path, as_version=4); "
    "Client(notebook, allow_errors=True, resources={'metadata': {'path': '.'}}).execute(); "
    "nbformat.write(notebook, path)"
)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("teacher") / "course"
    shutil.copytree(DATA, folder)
    (folder / "requirements.txt").write_text("")
    sources.generate(folder)
    return folder


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Return the folder of the students' wheel, and its address on this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            """Keep the tests' output for the tests."""

    folder = tmp_path_factory.mktemp("wheels")
    named = kits.wheel_requirements(["torch==2.13.0", "numpy", "typer", "ipykernel", "rich"])
    wheel = kits.build_wheel(folder, named)
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{wheel.name}"
        server.shutdown()


@pytest.fixture
def elsewhere(tmp_path):
    """Return a function that runs Python where everything is but the course.

    As in Colab: an environment with packages below it that are not its own.
    """
    hub, below = tmp_path / "hub", tmp_path / "below"
    venv.create(hub, symlinks=True)
    below.mkdir()
    ours = ("__editable__", "_editable", "deep_learning_layer", "deep-learning-layer", "course")
    for place in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for entry in Path(place).iterdir():
            if not entry.name.startswith(ours) and entry.suffix != ".pth":
                (below / entry.name).symlink_to(entry)
    given = {key: text for key, text in os.environ.items() if not key.lower().endswith("_proxy")}
    given = {key: text for key, text in given.items() if not key.startswith(("PIP_", "COURSE_"))}
    # No index is asked: what pip would fetch or replace fails.
    given |= {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}
    given |= {"PYTHONPATH": str(below), "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    given |= {"PYTHONDONTWRITEBYTECODE": "1", "JUPYTER_PATH": "", "IPYTHONDIR": str(tmp_path)}

    def run(code, *arguments):
        return subprocess.run(
            [hub / "bin" / "python", "-c", code, *map(str, arguments)],
            cwd=tmp_path,
            env=given,
            capture_output=True,
            text=True,
            timeout=600,
        )

    run.packages = hub / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return run


def test_a_notebook_installs_the_library_and_runs(course, served, elsewhere, tmp_path):
    assert "No module named 'course_lib'" in elsewhere("import course_lib").stderr
    mine = Path(shutil.copy(paths.release_path(course, "tiny"), tmp_path))
    install.add_install_cell(mine, served)
    done = elsewhere(RUN, mine)
    assert done.returncode == 0, done.stderr
    first, *others = nbformat.read(mine, as_version=4).cells
    assert (first.id, first.outputs) == (install.INSTALL, [])
    said = {
        sources.grade_id(cell): [output.get("ename") for output in cell.outputs]
        for cell in others
        if cell.cell_type == "code"
    }
    # The imports work, and the test says that its step is not written.
    assert said[None] == [] and said["test-double"] == ["NotImplementedError"]
    there = {path.name for path in (elsewhere.packages / "site-packages").iterdir()}
    assert "course_lib" in there and not there & {"torch", "numpy", "typer"}


def test_what_to_do_is_said_where_it_cannot_be_installed(served, elsewhere):
    gone = served.replace("course", "curse").replace("deep", "shallow")
    told = elsewhere(install.install_cell(gone).source)
    assert told.returncode == 1
    (line,) = (line for line in told.stderr.splitlines() if line.startswith("RuntimeError"))
    assert f"could not be installed from {gone}. Open that address in a browser" in line
    assert "404" in told.stderr


def test_where_the_library_is_the_cell_does_nothing(monkeypatch, capsys):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("it would install"))
    exec(install.install_cell(f"https://example.org/{WHEEL}").source, {})
    assert capsys.readouterr() == ("", "")


def test_grading_sees_neither_an_answer_nor_a_change(course):
    source = sources.source_notebook(course, "tiny")
    released = nbformat.read(paths.release_path(course, "tiny"), as_version=4)
    begun = nbformat.from_dict(json.loads(json.dumps(released)))
    begun.cells.insert(0, install.install_cell(f"https://example.org/{WHEEL}"))
    notes: list[str] = []
    graded = as_graded(source, begun, released, notes)
    assert notes == []
    assert "nbgrader" not in graded.cells[0].metadata
    assert graded.cells[1:] == as_graded(source, released, released).cells
    assert graded.metadata == released.metadata


def test_a_kit_has_the_cell_where_an_address_is_given(course, tmp_path, monkeypatch):
    def built(folder, requirements):
        folder.mkdir()
        (folder / WHEEL).write_bytes(b"")
        return folder / WHEEL

    monkeypatch.setattr(kits, "build_wheel", built)
    monkeypatch.setattr("course_lib.assignments.kit.secrecy.leaks", lambda *_: [])
    made = make_kit(course, tmp_path / "kit", address="https://example.org/dl/")
    cells = nbformat.read(paths.release_path(made.folder, "tiny"), as_version=4).cells
    assert f'"https://example.org/dl/{WHEEL}"' in cells[0].source
    assert cells[1:] == nbformat.read(paths.release_path(course, "tiny"), as_version=4).cells
    assert f"from https://example.org/dl/{WHEEL}," in (made.folder / "README.md").read_text()
    with pytest.raises(CourseError, match="the wheel is called"):
        make_kit(course, tmp_path / "other", address="https://example.org/dl-1.0.whl")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kit", "kit.zip"]


@pytest.mark.parametrize(
    "address",
    ["example.org/kit", "file:///kit", "https://", "https://a.org/x?id=1", 'https://a.org/"+x'],
)
def test_an_address_that_pip_cannot_use_is_refused(address):
    with pytest.raises(CourseError, match=r"--address is .*course-1\.0-py3-none-any\.whl"):
        install.wheel_address(address, WHEEL)
    assert install.wheel_address(f"https://a.org/{WHEEL}", WHEEL) == f"https://a.org/{WHEEL}"
