"""Model answers after trying, and `%check` in a notebook."""

import copy
import json
import os
import shutil

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell

from course_lib import paths
from course_lib.assignments import answering, checking, magic, sources
from course_lib.assignments.progress import known_steps, progress, record
from course_lib.paths import CourseError


def checked(**points):
    """Return what a check came to: points of these tests, and 0 of the others."""
    most = {"test-double": 2, "test-double-hidden": 2, "test-quad": 2}
    lost = "Hint: think."
    given = {name: points.get(name.replace("-", "_"), 0) for name in most}
    results = [
        checking.TestResult(n, given[n], most[n], "" if given[n] == most[n] else lost) for n in most
    ]
    return checking.CheckResult([*results, checking.TestResult("why", None, 3)])


@pytest.fixture
def notebook(tiny_course):
    """Return the release and a function that answers steps and records a check."""
    source = sources.source_notebook(tiny_course, "tiny")
    release = sources.release_notebook(tiny_course, "tiny")
    mine = copy.deepcopy(release)

    def try_(result, **answers):
        for cell in mine.cells:
            if sources.grade_id(cell) in answers:
                cell.source = answers[sources.grade_id(cell)]
        record(tiny_course, "tiny", result, answering.tried(source, release, mine, result))

    return try_


def ask(course, step, **options):
    return answering.model_answer(course, "tiny", step, known_steps(course, "tiny"), **options)


def test_three_answers_open_the_model_and_the_same_one_counts_once(tiny_course, notebook):
    for count, text in ((0, "return 1"), (1, "return 1"), (1, "return 2"), (2, "return 3")):
        with pytest.raises(CourseError, match=f"tried {count} of 3"):
            ask(tiny_course, "double")
        notebook(checked(), double=f"def double(z):\n    {text}")
    model = ask(tiny_course, "double")
    assert model.text == 'def double(z):\n    """Twice z."""\n    return 2 * np.asarray(z)'
    assert model.reasons == ["Multiply by two.", "Negative numbers too."]
    with pytest.raises(CourseError, match="tried 0 of 3"):
        ask(tiny_course, "quad")  # it was never written
    assert progress(tiny_course)[0].points == 0


def test_a_step_that_is_passed_opens_its_model_for_good(tiny_course, notebook):
    notebook(checked(test_double=2), double="def double(z):\n    return abs(2 * z)")
    with pytest.raises(CourseError, match="tried 1 of 3"):
        ask(tiny_course, "double")  # one of its two tests is lost
    passed = checked(test_double=2, test_double_hidden=2)
    notebook(passed, double="def double(z):\n    return z + z")
    notebook(checked(), double="def double(z):\n    return 0")
    assert ask(tiny_course, "double").text
    with pytest.raises(CourseError, match="tried 0 of 3"):
        ask(tiny_course, "why")


def test_a_written_answer_shows_what_it_is_marked_for(tiny_course, notebook):
    for text in ("It is so.", "It is otherwise.", "I do not know."):
        notebook(checked(), why=text)
    assert ask(tiny_course, "why").text == "Because of the secret."


def test_what_cannot_be_shown_is_told(tiny_course):
    with pytest.raises(CourseError, match="no step 'dubble'. Its steps are: double, quad, why"):
        ask(tiny_course, "dubble", anyway=True)
    assert ask(tiny_course, "quad", anyway=True).text.endswith("return double(double(z))")
    shutil.move(paths.source_path(tiny_course, "tiny"), tiny_course / "away.py")
    sources_gone = tiny_course / "exercises" / "tiny" / "tiny.ipynb"
    sources_gone.parent.mkdir(parents=True)
    sources_gone.write_text("{}")
    with pytest.raises(CourseError, match="no model answers here"):
        ask(tiny_course, "quad", anyway=True)


# In a notebook


@pytest.fixture
def shell(tiny_course, monkeypatch):
    """Return IPython in the folder of a reader's notebook, with the extension loaded."""
    sources.generate(tiny_course)
    mine = paths.work_path(tiny_course, "tiny")
    shutil.copytree(tiny_course / "exercises" / "tiny", mine.parent)
    monkeypatch.chdir(mine.parent)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.setenv("COURSE_ROOT", str(tiny_course))
    shell = InteractiveShell()
    shell.extension_manager.load_extension("course_lib")
    return shell


def test_check_in_a_notebook(shell, tiny_course):
    mine = paths.work_path(tiny_course, "tiny")
    notebook = nbformat.read(mine, as_version=4)
    cell = next(c for c in notebook.cells if sources.grade_id(c) == "double")
    cell.source = "def double(z):\n    return '<b>' * 2"
    nbformat.write(notebook, mine)
    shell.run_cell(cell.source, store_history=True)
    shown = shell.run_cell("%check", store_history=True).result
    rows = {line.split()[0]: line for line in repr(shown).splitlines() if line.strip()}
    assert rows["test-quad"].split(maxsplit=4)[4] == "Not written yet."
    assert rows["why"].endswith("a person marks this")
    assert "0 of 6 points, and 3 by a person; 1 test is of steps that are not written" in repr(
        shown
    )
    page = shown._repr_html_()
    assert "&lt;b&gt;" in page and "<b>" not in page
    assert page.count("opacity") == 2  # what is not written, and what a person marks
    assert "Checked as saved at" in page and "not in it" not in page
    # It counts as `course check` does.
    assert progress(tiny_course)[0].max_points == 6

    shell.run_cell("def double(z):\n    return 2 * z", store_history=True)
    assert "save the notebook" in repr(shell.run_cell("%check", store_history=True).result)


def test_a_notebook_that_cannot_be_told_is_no_traceback(shell, capsys, monkeypatch):
    shutil.copy("tiny.ipynb", "other.ipynb")
    assert magic.check_here(shell) is None
    assert "holds 2" in capsys.readouterr().err
    monkeypatch.setenv("JPY_SESSION_NAME", os.path.abspath("other.ipynb"))
    shutil.copy("tiny.ipynb", "../other.ipynb")
    monkeypatch.chdir("..")
    assert magic._notebook(shell).name == "other.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", os.path.abspath("other.ipynb"))
    assert magic.check_here(shell) is None
    assert "%check SLUG" in capsys.readouterr().err


def test_json_says_all(tiny_course):
    told = json.loads(magic.as_json(checked()))
    assert told["results"][0] == {
        "grade_id": "test-double",
        "points": 0,
        "max_points": 2,
        "message": "Hint: think.",
        "later": False,
    }
