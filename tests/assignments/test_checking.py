"""Checking one's own notebook, and what is said of notebooks that cannot be checked."""

import copy
import json
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from course_lib import paths
from course_lib.assignments import sandboxed, sources
from course_lib.assignments.checking import as_graded, check, read_notebook
from course_lib.assignments.progress import ExerciseProgress, next_step, progress, record, start
from course_lib.grading.engine import sandbox, zygote
from course_lib.paths import CourseError


@pytest.fixture
def work(tiny_course):
    """Return the path of a reader's copy whose first step is solved, and the notebook in it."""
    notebook = sources.release_notebook(tiny_course, "tiny")
    cell = next(c for c in notebook.cells if sources.grade_id(c) == "double")
    cell.source = "def double(z):\n    return np.add(z, z)"
    path = paths.work_path(tiny_course, "tiny")
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
    return path, notebook


def test_points_and_hints(tiny_course, work):
    result = check(tiny_course, "tiny", work[0])
    assert {r.grade_id: r.points for r in result.results} == {
        "test-double": 2,
        "test-double-hidden": 2,
        "test-quad": 0,
        "why": None,
    }
    assert (result.points, result.max_points, result.manual_points) == (4, 6, 3)
    (lost,) = [r for r in result.results if r.message]
    assert lost.message == "Not written yet."


def test_what_a_library_cannot_do_is_told_in_its_words(tiny_course, work):
    path, notebook = work
    cell = next(c for c in notebook.cells if sources.grade_id(c) == "quad")
    cell.source = "def quad(z):\n    raise NotImplementedError('not for whole numbers')"
    nbformat.write(notebook, path)
    (lost,) = [r for r in check(tiny_course, "tiny", path).results if r.message]
    assert "not for whole numbers" in lost.message


def test_the_notebook_is_not_changed(tiny_course, work):
    # As PowerShell writes it, with a mark of the byte order.
    before = work[0].read_text(encoding="utf-8").encode("utf-16")
    work[0].write_bytes(before)
    assert check(tiny_course, "tiny", work[0]).points == 4
    assert work[0].read_bytes() == before


def test_deleted_and_edited_tests_come_from_the_source(tiny_course, work):
    path, notebook = work
    notebook.cells = [c for c in notebook.cells if sources.grade_id(c) != "test-double"]
    for cell in notebook.cells:
        if sources.grade_id(cell) == "test-quad":
            cell.source, cell.metadata.nbgrader.points = "pass", 100
    nbformat.write(notebook, path)
    result = check(tiny_course, "tiny", path)
    assert (result.points, result.max_points) == (4, 6)


def test_cells_that_the_student_added_are_run(tiny_course, work):
    path, notebook = work
    notebook.cells.insert(3, new_code_cell("helper = lambda z: 2 * np.asarray(z)"))
    cell = next(c for c in notebook.cells if sources.grade_id(c) == "quad")
    cell.source = "def quad(z):\n    return helper(helper(z))"
    nbformat.write(notebook, path)
    assert check(tiny_course, "tiny", path).points == 6


def test_a_broken_step_is_named_and_the_others_count(tiny_course, work):
    path, notebook = work
    cell = next(c for c in notebook.cells if sources.grade_id(c) == "quad")
    cell.source = "def quad(z:"
    nbformat.write(notebook, path)
    result = check(tiny_course, "tiny", path)
    assert result.points == 4
    assert "SyntaxError" in result.broken["quad"]


def test_what_cannot_be_checked_is_named(tiny_course, work):
    path, _ = work
    text = path.read_text()

    def refusal():
        with pytest.raises(CourseError) as caught:
            check(tiny_course, "tiny", path)
        return str(caught.value)

    path.write_text(text[: len(text) // 2])
    assert "is not JSON" in refusal()
    path.write_bytes(b"\xff\xfe\x00")
    assert "is not a text file" in refusal()
    path.write_text(json.dumps({"cells": 3}))
    assert "not a notebook" in refusal()
    other = json.loads(text)
    for cell in other["cells"]:
        cell["metadata"].pop("nbgrader", None)
        del cell["id"]
    other["nbformat_minor"] = 4
    path.write_text(json.dumps(other))
    assert "is not the exercise 'tiny'" in refusal()
    path.unlink()
    assert "course start tiny" in refusal()


def test_what_a_cell_imports_is_known_before_it_does(tiny_course, work, monkeypatch, tmp_path):
    path, preload = work[0], []
    monkeypatch.setattr(sandboxed, "_preload", lambda *given: preload[:])
    monkeypatch.setattr(zygote, "Zygote", lambda names: SimpleNamespace(close=names.clear))
    library = tmp_path / "torch" / "lib" / "libtorch.so.2"
    library.parent.mkdir(parents=True)
    (library.parents[1] / "__init__.py").touch()
    library.write_bytes(bytes(300))
    monkeypatch.setattr(
        sandboxed,
        "find_spec",
        lambda name: SimpleNamespace(submodule_search_locations=[tmp_path / name]),
    )
    # Where it is not seen, there is room in the address space for it.
    for seen, room in (([], 300), (["torch"], 0)):
        preload[:] = seen
        with sandboxed.engine(tiny_course, "tiny", path) as engine:
            assert engine.libraries == room
    monkeypatch.undo()
    (path.parent / "helper.py").write_text("import torch\n")
    for cell in ("torch.ones?\nimport torch", "files = !ls\nimport torch", "import helper"):
        assert "torch" in sandboxed._preload([], [cell], path.parent)
    assert "torch" not in sandboxed._preload([], ["import json"], path.parent)


def without_metadata(notebook):
    for cell in notebook.cells:
        cell.metadata = {}


def split(notebook):
    place = places(notebook)["double"]
    head, body = notebook.cells[place].source.split("\n", 1)
    notebook.cells[place].source = f"import math\n{head}\n{body}"
    notebook.cells.insert(place + 1, new_code_cell("def four():\n    return 4"))
    solved(notebook, "quad", "def quad(z):\n    return four() * np.asarray(z)")


def copied(notebook):
    place = places(notebook)["double"]
    notebook.cells.insert(place + 1, copy.deepcopy(notebook.cells[place]))
    notebook.cells[place + 1].source = "def double(z):\n    return z"


def retyped(notebook):
    notebook.cells[places(notebook)["double"]].cell_type = "raw"


def merged(notebook):
    place = places(notebook)["test-double"]
    test = notebook.cells[place]
    test.source = f"def double(z):\n    return 2 * np.asarray(z)\n\n{test.source}"
    notebook.cells[places(notebook)["double"]].source = "def double(z):\n    return z"


def deleted(notebook):
    del notebook.cells[places(notebook)["quad"]]


def places(notebook):
    return {sources.grade_id(cell): place for place, cell in enumerate(notebook.cells)}


@pytest.mark.parametrize(
    ("damage", "counts", "note"),
    [
        (without_metadata, "np.add(z, z)", "The cell double had lost its name; known by its id."),
        (split, "import math\n", None),
        (copied, "return z", "The cell double was there 2 times; the one at place 4 was graded."),
        (retyped, "np.add", "The cell double had become a raw cell; made a code cell again."),
        (merged, "return z", "The cell test-double was merged with another; taken apart."),
        (deleted, "np.add", "The cell quad is missing. If its answer does not stand in another"),
    ],
)
def test_a_damaged_notebook_is_read_as_grading_reads_it(tiny_course, work, damage, counts, note):
    path, notebook = work
    released = sources.release_notebook(tiny_course, "tiny")
    source = sources.source_notebook(tiny_course, "tiny")
    damage(notebook)
    # With the mark of an editor of Windows.
    path.write_text(json.dumps(notebook), encoding="utf-8-sig")
    notes = []
    graded = as_graded(source, read_notebook(path, "tiny"), released, notes)
    assert any(told.startswith(note) for told in notes) if note else not notes
    named = {sources.grade_id(cell): cell for cell in graded.cells}
    assert counts in named["double"].source
    # Whatever became of the tests, they are the source's.
    tests = [cell for cell in source.cells if sources.is_test(cell)]
    assert [named[sources.grade_id(cell)].source for cell in tests] == [c.source for c in tests]


def test_what_was_taken_apart_is_run_and_told(tiny_course, work):
    path, notebook = work
    merged(notebook)
    nbformat.write(notebook, path)
    result = check(tiny_course, "tiny", path)
    assert result.points == 4
    assert result.notes == ["The cell test-double was merged with another; taken apart."]


@pytest.fixture
def unsandboxed(monkeypatch):
    """Let this be a system on which no sandbox can be built."""
    monkeypatch.setattr(sandboxed.sys, "platform", "darwin")


def solved(notebook, name, source):
    next(c for c in notebook.cells if sources.grade_id(c) == name).source = source


def test_a_check_leaves_nothing_in_the_folder(tiny_course, work):
    """Where a sandbox can be built, as it can here, the cells run in a folder of their own."""
    path, notebook = work
    (path.parent / "mine.txt").write_text("2")
    solved(
        notebook,
        "quad",
        "open('left.txt', 'w').close()\n"
        "def quad(z):\n    return int(open('mine.txt').read()) * double(z)",
    )
    nbformat.write(notebook, path)
    assert check(tiny_course, "tiny", path).points == 6
    assert sorted(file.name for file in path.parent.iterdir()) == ["mine.txt", "tiny.ipynb"]


def test_without_walls_a_reader_is_told_the_same(tiny_course, work, monkeypatch):
    path, notebook = work
    where = "import os\nassert os.environ['NBGRADER_EXECUTION'] == 'validate'\n"
    solved(notebook, "quad", where + "def quad(z):\n    return z")
    nbformat.write(notebook, path)
    graded = check(tiny_course, "tiny", path)
    assert not graded.broken
    monkeypatch.setattr(sandboxed.sys, "platform", "darwin")
    assert check(tiny_course, "tiny", path) == graded


def test_walls_that_cannot_be_built_stop_no_reader(tiny_course, work, monkeypatch):
    def refuse(*_):
        raise sandbox.SandboxError("User namespaces are switched off.")

    monkeypatch.setattr(zygote, "Zygote", refuse)
    assert check(tiny_course, "tiny", work[0]).points == 4


def test_a_folder_too_large_to_be_copied_is_no_obstacle(tiny_course, work, monkeypatch):
    def refuse(folders):
        raise CourseError("too large")

    monkeypatch.setattr(sandboxed, "files_beside", refuse)
    assert check(tiny_course, "tiny", work[0]).points == 4


@pytest.mark.parametrize("where", ["sandboxed", "unsandboxed"])
def test_cells_that_hang_or_die_cost_themselves(tiny_course, work, where, request):
    if where == "unsandboxed":
        request.getfixturevalue("unsandboxed")
    path, notebook = work
    solved(notebook, "quad", "def quad(z):\n    while True:\n        pass")
    notebook.cells.insert(3, new_code_cell("import os\nos._exit(3)"))
    nbformat.write(notebook, path)
    result = check(tiny_course, "tiny", path, seconds_per_cell=8)
    assert result.points == 4
    (lost,) = [r.message for r in result.results if r.message]
    assert lost.startswith("Took too long, stopped after 8 s")


def test_what_is_imported_ahead_is_what_somebody_imports():
    cell = "import math\nfrom course_lib.exercises import assert_close"
    usual = sandboxed._preload([cell], ["x = 1"])
    assert "numpy" in usual
    assert "course_lib.grading.engine.judge" in usual
    assert not [name for name in usual if name.partition(".")[0] in ("torch", "matplotlib")]
    assert "course_lib.exercises.assert_close" not in usual
    drawn = sandboxed._preload(["import matplotlib.pyplot as plt"], ["import torch, antigravity"])
    assert {"torch", "matplotlib.backends.backend_agg"} <= set(drawn)
    assert not {"torch.optim", "antigravity"} & set(drawn)
    assert "torch.optim" in sandboxed._preload(["from torch import optim"], [])
    steps = "step = torch.optim.SGD(weights, lr=0.1).step"
    assert "torch.optim" in sandboxed._preload(["import torch"], [steps])
    assert "torch.optim" not in sandboxed._preload([steps.replace("torch", "tools")], [])


def test_progress(tiny_course, work):
    (entry,) = progress(tiny_course)
    assert (entry.started, entry.points, entry.complete) == (True, None, False)
    record(tiny_course, "tiny", check(tiny_course, "tiny", work[0]))
    (entry,) = progress(tiny_course)
    assert (entry.points, entry.max_points, entry.complete) == (4, 6, False)
    assert next_step([entry]) == "course check tiny"


def entries(*, begun=(), complete=()):
    """Return the progress of exercises a to d, of which `begun` were started in this order."""
    return [
        ExerciseProgress(
            name,
            name in begun,
            points=2 if name in complete else None,
            max_points=2 if name in complete else None,
            begun=f"2026-11-30T12:0{begun.index(name)}" if name in begun else None,
        )
        for name in "abcd"
    ]


@pytest.mark.parametrize(
    ("begun", "complete", "step"),
    [
        ("", "", "start a"),
        ("ac", "", "check c"),
        ("ca", "", "check a"),
        ("ac", "c", "check a"),
        ("c", "c", "start d"),
        ("ad", "ad", "start b"),
        ("abcd", "abcd", ""),
    ],
)
def test_one_goes_on_with_what_was_started_last(begun, complete, step):
    wanted = f"course {step}" if step else ""
    assert next_step(entries(begun=begun, complete=complete)) == wanted


def test_starting_again_keeps_the_work_and_is_remembered(tiny_course):
    sources.generate(tiny_course)
    beside = paths.release_path(tiny_course, "tiny").with_name("rows.csv")
    beside.write_text("theirs")
    mine = paths.work_path(tiny_course, "tiny").parent / "rows.csv"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    assert start(tiny_course, "tiny")
    assert mine.read_text() == "mine"
    (first,) = progress(tiny_course)
    assert first.started and first.begun
    work = paths.work_path(tiny_course, "tiny")
    work.write_text("mine")
    assert not start(tiny_course, "tiny")
    assert work.read_text() == "mine"
    assert progress(tiny_course)[0].begun > first.begun


def test_results_of_an_earlier_version_are_read(tiny_course):
    path = tiny_course / "work" / "progress.json"
    path.parent.mkdir()
    path.write_text('{"tiny": {"points": 2, "max_points": 6, "checked": "2026-01-01T00:00:00"}}')
    (entry,) = progress(tiny_course)
    assert (entry.points, entry.checked, entry.begun) == (2, "2026-01-01T00:00:00", None)


def test_results_that_cannot_be_read_are_set_aside(tiny_course, work):
    path = tiny_course / "work" / "progress.json"
    path.write_text("{")
    with pytest.raises(CourseError, match="Delete it"):
        progress(tiny_course)
    record(tiny_course, "tiny", check(tiny_course, "tiny", work[0]))
    assert progress(tiny_course)[0].points == 4
    assert path.with_suffix(".unreadable.json").read_text() == "{"
