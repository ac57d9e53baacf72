"""What students get: all that they need, and nothing that they must not see."""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from course_lib import paths
from course_lib.assignments import kit as kits
from course_lib.assignments import sources
from course_lib.assignments.kit import make_kit, secrecy
from course_lib.grading.course.lab import lab_command
from course_lib.paths import CourseError

DATA = Path(__file__).parents[1] / "data" / "tiny_course"

#: What a student's machine lacks: teachers' packages, and the course's own repository.
WITHOUT = ["nbgrader", "jupytext", "sphinx", "dask", "grimp", "sqlalchemy", "jupyter_book"]
RUN = (
    "import os, sys; sys.modules |= dict.fromkeys(os.environ['WITHOUT'].split()); "
    "sys.path.insert(0, os.environ['WHEEL']); "
)


@pytest.fixture(scope="module")
def course_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("teacher") / "course"
    shutil.copytree(DATA, folder)
    (folder / "requirements.txt").write_text("")
    sources.generate(folder)
    # A checkpoint of JupyterLab's is nobody's exercise.
    (folder / "exercises" / "tiny" / ".ipynb_checkpoints").mkdir()
    site = folder / "site"
    (site / "book").mkdir(parents=True)
    (site / "index.html").write_text("<p>The book</p>")
    return folder


@pytest.fixture(scope="module")
def made(course_folder):
    place = course_folder.parent / "out" / "tiny-kit"
    return make_kit(course_folder, place, site=course_folder / "site")


@pytest.fixture(scope="module")
def student(made, tmp_path_factory):
    """Return a function that runs `course` as on a student's machine, with nothing but the kit."""
    home = tmp_path_factory.mktemp("student")
    with zipfile.ZipFile(made.archive) as archive:
        archive.extractall(home)
    folder = home / "tiny-kit"
    with zipfile.ZipFile(next((folder / "wheels").glob("*.whl"))) as wheel:
        wheel.extractall(home / "library")

    def run(*arguments, cwd=folder, code="from course_lib.cli import main; main()"):
        given = {k: v for k, v in os.environ.items() if k not in ("COURSE_ROOT", "PYTHONPATH")}
        # For processes that it starts itself.
        given |= {"PYTHONPATH": str(home / "library")}
        given |= {"WHEEL": str(home / "library"), "WITHOUT": " ".join(WITHOUT)}
        given |= {"COLUMNS": "160", "NO_COLOR": "1", "PATH": "", "OMP_NUM_THREADS": "1"}
        # Not in the repository: no course is to be found beside the library.
        return subprocess.run(
            [sys.executable, "-c", RUN + code, *arguments],
            cwd=cwd,
            env=given,
            capture_output=True,
            text=True,
            timeout=300,
        )

    run.folder = folder
    return run


def test_a_kit_holds_what_students_need_and_nothing_else(made, root):
    held = {path.relative_to(made.folder).as_posix() for path in made.folder.rglob("*")}
    (wheel,) = (name for name in held if name.endswith(".whl"))
    assert held == {
        "README.md",
        "environment.py",
        "exercises",
        "exercises/tiny",
        "exercises/tiny/tiny.ipynb",
        "jupyter",
        "jupyter/labconfig",
        "jupyter/labconfig/default_setting_overrides.json",
        "kit.json",
        "requirements.txt",
        "site",
        "site/book",
        "site/index.html",
        "start.py",
        "wheels",
        wheel,
    }
    # What teachers are told of; the rest are settings of JupyterLab and what `start.py` needs.
    told = (root / "book" / "teaching" / "week.md").read_text().partition("| in the kit |")[2]
    named = re.findall(r"^\| `([\w.]+)/?` \|", told.partition("\n\n")[0], re.MULTILINE)
    top = {name.partition("/")[0] for name in held}
    assert set(named) == top - {"environment.py", "jupyter", "kit.json"}
    with zipfile.ZipFile(made.archive) as archive:
        packed = set(archive.namelist())
    assert packed == {f"tiny-kit/{name}" for name in held if (made.folder / name).is_file()}
    assert "python3 start.py\n" in (made.folder / "README.md").read_text()
    # Placeholders are filled in.
    assert "{" not in (made.folder / "README.md").read_text()


def test_the_library_comes_without_what_teaches(made):
    with zipfile.ZipFile(next((made.folder / "wheels").glob("*.whl"))) as wheel:
        modules = [name for name in wheel.namelist() if name.endswith(".py")]
        needs = wheel.read(next(n for n in wheel.namelist() if n.endswith("/METADATA"))).decode()
        assert "course_lib/data/book.txt" in wheel.namelist()
    assert "course_lib/scratch/layers.py" in modules
    assert "course_lib/assignments/checking.py" in modules
    for part in ("book/", "templates", "reproduce", "assignments/proofs", "assignments/answers"):
        assert not [name for name in modules if name.startswith(f"course_lib/{part}")]
    for step in ("steps", "recording", "exports", "pages", "reports"):
        assert not [name for name in modules if f"grading/{step}/" in name]
    asked = {line.split(": ")[1] for line in needs.splitlines() if line.startswith("Requires-Dist")}
    # Any version that is there will do, and where notebooks run, what runs them is there.
    assert {"torch", "numpy", "typer"} <= asked
    assert not asked & {"ipykernel", "jupyterlab"}
    assert not [name for name in asked if name.startswith(tuple(WITHOUT))]


def test_pins_are_those_of_the_course_and_few(made, root):
    pinned = dict(
        line.split("==")
        for line in (made.folder / "requirements.txt").read_text().split("\n")[1:-1]
    )
    whole = (root / "requirements.txt").read_text()
    assert all(f"{name}=={version}" in whole for name, version in pinned.items())
    assert made.packages == len(pinned)
    assert {"torch", "jupyterlab", "numpy", "ipykernel", "sympy"} <= set(pinned)
    assert not {"sphinx", "distributed", "dask", "nbgrader", "sqlalchemy", "alembic"} & set(pinned)


def test_the_same_files_give_the_same_archive(made):
    packed = made.archive.read_bytes()
    assert kits._pack(made.folder).read_bytes() == packed


SOLUTION = (
    "    double = lambda z: 2 * np.asarray(z)\n    return double(double(z))\n    # so\n    np.e\n"
)


@pytest.fixture
def longer(course_folder, tmp_path):
    """Return the course with a solution of some lines, and a kit of it with no wheel."""
    folder = shutil.copytree(course_folder, tmp_path / "course")
    text = paths.source_path(folder, "tiny")
    longer = text.read_text().replace("    return double(double(z))\n", SOLUTION)
    text.write_text(longer)
    kit = tmp_path / "kit"
    shutil.copytree(folder / "exercises", kit / "exercises")
    assert secrecy.leaks(folder, kit) == []
    return folder, kit


@pytest.mark.parametrize("where", ["site/page.html", "site/search.js", "lib.whl", "README.md"])
def test_a_leak_is_seen_wherever_it_is(longer, where):
    folder, kit = longer
    path = kit / where
    path.parent.mkdir(exist_ok=True)
    if where.endswith(".whl"):
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr("course_lib/assignments/kept.py", SOLUTION)
    elif where.endswith(".html"):
        path.write_text("<pre>" + SOLUTION.replace("double", "<span>double</span>") + "</pre>")
    else:
        path.write_text(json.dumps(SOLUTION) if where.endswith(".js") else SOLUTION)
    (told,) = secrecy.leaks(folder, kit)
    assert told.startswith(where) and told.endswith("hidden test of tiny")


def test_a_kit_that_would_give_something_away_is_not_made(longer, tmp_path, monkeypatch):
    folder, _ = longer
    monkeypatch.setattr(kits, "build_wheel", lambda *_: tmp_path / "some.whl")
    path = paths.release_path(folder, "tiny")
    text = json.loads(path.read_text())
    text["cells"][0]["source"] = ["Because of the secret."]
    path.write_text(json.dumps(text))
    with pytest.raises(CourseError, match=r"give away\nexercises/tiny: 'Because of the secret"):
        make_kit(folder, tmp_path / "out" / "kit")
    assert not list((tmp_path / "out").iterdir())


def test_nothing_is_replaced_that_is_no_kit(course_folder, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(CourseError, match="is no kit"):
        make_kit(course_folder, tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "mine"
    with pytest.raises(CourseError, match="Did you mean tiny"):
        make_kit(course_folder, tmp_path / "kit", ["tinny"])


def test_a_student_starts_checks_and_goes_on(student):
    offered = student("--help").stdout
    assert all(f" {name} " in offered for name in ("start", "check", "progress", "doctor", "lab"))
    assert not [name for name in ("grade", "release", "answer", "kit ") if f" {name} " in offered]
    assert "hidden" not in offered and "nbgrader" not in offered

    said = student("progress")
    assert "Next: course start tiny" in said.stdout
    said = student("check", "tiny")
    assert "course start tiny" in said.stderr and said.returncode == 1
    assert "Your copy: work/tiny/tiny.ipynb" in student("start", "tiny", "--no-lab").stdout
    mine = student.folder / "work" / "tiny" / "tiny.ipynb"
    notebook = nbformat.read(mine, as_version=4)
    cell = next(c for c in notebook.cells if sources.grade_id(c) == "double")
    cell.source = "def double(z):\n    return 2 * abs(z)"
    nbformat.write(notebook, mine)

    shown = student("check", "tiny")
    assert shown.returncode == 0, shown.stderr
    rows = {
        line.split()[0]: " ".join(line.split()[1:]) for line in shown.stdout.splitlines() if line
    }
    assert rows["test-double"] == "2 / 2"
    # It is wrong for negative numbers, and nobody here knows.
    assert rows["test-double-hidden"] == "- / 2 hidden: comes with grading"
    assert rows["test-quad"] == "0 / 2 Not written yet."
    assert rows["why"] == "- / 3 a person marks this"
    told = "2 of 4 points, and 2 by hidden tests, which come with grading, and 3 by a person"
    assert told in shown.stdout
    said = student("progress", cwd=mine.parent)
    assert "2 / 4" in said.stdout and "Next: course check tiny" in said.stdout

    magic = (
        "from IPython.core.interactiveshell import InteractiveShell as S; s = S(); "
        "s.run_line_magic('load_ext', 'course_lib'); print(s.run_line_magic('check', 'tiny'))"
    )
    shown_there = student(code=magic, cwd=mine.parent)
    assert "hidden: comes with grading" in shown_there.stdout, shown_there.stderr

    answers = [student("check", "tinny")]
    texts = [shown.stdout, said.stdout, *(a.stdout + a.stderr for a in answers)]
    for word in ("git", "solutions", "Traceback", "release"):
        assert not [text for text in texts if word in text], word


def test_a_kit_whose_release_is_gone_says_what_to_do(student):
    path = student.folder / "exercises" / "tiny" / "tiny.ipynb"
    text = path.read_text()
    student("start", "tiny", "--no-lab")
    path.write_text("{")
    try:
        told = student("check", "tiny").stderr
    finally:
        path.write_text(text)
    assert "Unpack the kit again" in told and "Traceback" not in told
    elsewhere = student("progress", cwd=student.folder.parent).stderr
    assert "hold no kit.json" in elsewhere


def test_doctor_looks_for_what_students_need(made, monkeypatch):
    from course_lib import doctor

    monkeypatch.setattr(doctor, "_device", list)
    looked_at = [finding.what for finding in doctor.examine(made.folder)]
    assert {"Python", "torch", "jupyterlab", "disk"} <= set(looked_at)
    assert not {"nbgrader", "jupyter-book", "npm", "gradebook", "sandbox", "cloud clients"} & set(
        looked_at
    )


def test_jupyterlab_shows_the_work_and_the_address_opens_the_exercise(made):
    mine = paths.work_path(made.folder, "tiny")
    command, environment = lab_command(made.folder, open_path=mine, browser=False, port=8890)
    assert f"--ServerApp.root_dir={made.folder}/work" in command
    assert "--LabApp.default_url=/lab/tree/tiny/tiny.ipynb" in command
    assert {"--no-browser", "--ServerApp.port=8890"} <= set(command)
    # JupyterLab asks nobody whether it may fetch news; a student's own settings hold as they did.
    first, *others = environment["JUPYTER_CONFIG_PATH"].split(os.pathsep)
    assert first == str(made.folder / "jupyter")
    assert others == list(filter(None, [os.environ.get("JUPYTER_CONFIG_PATH", "")]))


def test_nbgraders_answers_are_the_same_without_nbgrader(monkeypatch):
    from nbformat.v4 import new_code_cell, new_output
    from nbgrader import utils

    from course_lib.grading.course import nbgraders

    monkeypatch.setattr(nbgraders, "_part", lambda *_: None)
    outputs = [new_output("stream", name=name, text="x") for name in ("stdout", "stderr")]
    outputs += [new_output("error", ename="E", evalue="", traceback=[])]
    shown = ["2", "1.5", "0", "-1", "nan", "None", "[1, 2]", "True"]
    outputs += [new_output("execute_result", data={"text/plain": text}) for text in shown]
    for output in [None, *outputs]:
        cell = new_code_cell(metadata={"nbgrader": {"grade": True, "points": 2, "grade_id": "t"}})
        cell.outputs = [output] if output else []
        assert nbgraders.determine_grade(cell) == utils.determine_grade(cell), output
    for grade, solution, locked in itertools.product([True, False], repeat=3):
        own = {"grade": grade, "solution": solution, "locked": locked, "grade_id": "é", "points": 2}
        cell = new_code_cell("x = 1", metadata={"nbgrader": own})
        assert nbgraders.is_locked(cell) == utils.is_locked(cell), own
        assert nbgraders.compute_checksum(cell) == utils.compute_checksum(cell), own
    assert not nbgraders.is_locked(new_code_cell())


def test_the_modules_are_those_that_readers_need():
    modules = kits.student_modules()
    assert "course_lib.grading.engine.judge" in modules  # it is started by its name
    assert "course_lib.cli" in modules
    assert not [name for name in modules if name.startswith("course_lib.grading.course.folder")]
