"""The sample class comes to the scores that it is known for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from nbgrader.utils import compute_checksum

from course_lib import grading
from course_lib.assignments import sample
from course_lib.assignments.sample import (
    class_folder,
    grade_sample_class,
    load_class,
    notebook_of,
    submission,
)
from course_lib.assignments.sources import generate

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.usefixtures("pages_have_time")

CLASS = load_class(ROOT / "sample_class" / "activations.py")


@pytest.fixture(scope="module")
def report(course_root: Path) -> grading.Report:
    return grade_sample_class(course_root / "_build")


@pytest.mark.slow
@pytest.mark.parametrize("entry", CLASS, ids=lambda entry: entry.student)
def test_scores_are_the_known_ones(report: grading.Report, entry: object) -> None:
    row = report[entry.student]
    assert not row.failed, row.reason
    assert row.score == entry.score
    assert row.max_score == 36
    tests = [cell for cell in row.cells if not cell.manual]
    lost = {cell.name for cell in tests if cell.score == 0}
    assert lost == ({cell.name for cell in tests} if entry.loses == {"*"} else entry.loses)
    # Each test is all or nothing.
    assert all(cell.score in (0, cell.max_score) for cell in tests)
    marked = {cell.name: cell.score for cell in row.cells if cell.manual and cell.score}
    assert marked == {name: points for name, points in entry.marks.items() if points}


@pytest.mark.slow
def test_the_class_shows_what_a_teacher_meets(report: grading.Report) -> None:
    assert len(report.students) == 5
    scores = {row.student: row.score for row in report.students}
    assert max(scores.values()) == 36
    assert min(scores.values()) == 0
    messages = " ".join(cell.message for row in report.students for cell in row.cells)
    assert "ended the Python process" in messages
    assert "longer than 10 seconds" in messages
    assert "subtract the largest" in messages
    # One answer waits to be marked: that is what "needs a person" looks like.
    assert len(report.waiting) == 1


@pytest.mark.slow
def test_a_good_project_and_one_with_three_faults_are_told_apart(course_root: Path) -> None:
    chapter = Path("book", "applications", "capstone.md")
    (course_root / chapter).parent.mkdir(parents=True)
    shutil.copy(ROOT / chapter, course_root / chapter)
    generate(course_root, ["capstone"])
    found = grade_sample_class(course_root / "_build", "capstone")
    for entry in load_class(ROOT / "sample_class" / "capstone.py"):
        row = found[entry.student]
        assert not row.failed, row.reason
        tests = [cell for cell in row.cells if not cell.manual]
        assert {cell.name for cell in tests if cell.score == 0} == entry.loses
        assert (row.score, row.max_score) == (entry.score, 40)
    told = " ".join(cell.message for cell in found["john-napier"].cells)
    for fault in ("cut the groups, not the rows", "the same model twice", "one fact"):
        assert fault in told
    # All marks are given: nobody waits.
    assert found.waiting == []


def test_a_class_says_how_long_a_cell_may_take(tmp_path: Path) -> None:
    assert sample.timeout_of(ROOT / "sample_class" / "activations.py") == 10
    assert sample.timeout_of(ROOT / "sample_class" / "capstone.py") == 60
    assert sample.sample_classes(ROOT) == ["activations", "capstone"]


@pytest.mark.slow
def test_an_unchanged_class_is_not_graded_again(report: grading.Report, course_root: Path) -> None:
    # Its report says how long each took, which no second run would repeat.
    assert grade_sample_class(course_root / "_build") == report


@pytest.mark.slow
def test_the_instructors_gradebook_is_not_touched(
    report: grading.Report, course_root: Path
) -> None:
    assert (class_folder(course_root / "_build") / "gradebook.db").is_file()
    assert not (course_root / "gradebook.db").exists()
    assert not (course_root / "autograded").exists()


@pytest.mark.slow
def test_feedback_of_the_class_gives_nothing_away(
    report: grading.Report, course_root: Path
) -> None:
    folder = class_folder(course_root / "_build")
    source = (course_root / "solutions" / "activations.py").read_text(encoding="utf-8")
    hidden: set[str] = set()
    shown: set[str] = set()
    inside = False
    for line in source.split("\n"):
        if "BEGIN HIDDEN TESTS" in line or "END HIDDEN TESTS" in line:
            inside = "BEGIN" in line
        else:
            (hidden if inside else shown).add(line.strip())
    secrets = {line for line in hidden - shown if len(line) > 20}
    assert len(secrets) > 100
    for row in report.students:
        (page,) = (folder / "feedback" / row.student).rglob("*.html")
        text = _text(page)
        assert [line for line in secrets if line in text] == []
        assert "BEGIN HIDDEN" not in text
        assert "MARK SCHEME" not in text
    (untouched,) = (folder / "feedback" / "blaise-pascal").rglob("*.html")
    text = _text(untouched)
    for line in ("e = np.exp(-np.abs(z))", "return upstream * derivative(z)"):
        assert line in source
        assert line not in text


def _text(page: Path) -> str:
    """Return what a page says, markup taken out: that puts each word of code into a tag."""
    from bs4 import BeautifulSoup

    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").get_text()


@pytest.mark.slow
def test_a_killed_run_starts_over(course_root: Path, tmp_path: Path) -> None:
    root = tmp_path / "course"
    ignored = shutil.ignore_patterns("sample_class", "gradebook.db")
    shutil.copytree(course_root, root, ignore=ignored)
    (root / "sample_class").mkdir()
    (root / "sample_class" / "activations.py").write_text(
        "from course_lib.assignments.sample import submission\n\n"
        "@submission(student='ann', score=0, starts_from='release')\n"
        "def first():\n    '''Nothing done.'''\n"
    )
    before = grade_sample_class(root / "_build")
    assert before["ann"].status == grading.GRADED
    # What a kill leaves: half a class, and no result.
    folder = class_folder(root / "_build")
    (folder / "results" / "activations.json").unlink()
    (folder / "submitted" / "ann" / "activations" / "activations.ipynb").write_text("{")
    after = grade_sample_class(root / "_build")
    assert after["ann"].points() == before["ann"].points()
    assert after["ann"].seconds is not None


def test_a_submission_that_cannot_be_graded_is_named(
    course_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "course"
    shutil.copytree(course_root, root, ignore=shutil.ignore_patterns("gradebook.db"))
    why = "It could not be graded: the machine had a bad day."

    def fail(slug: str, *_: object, **__: object) -> grading.Report:
        rows = [
            grading.StudentReport("ada-lovelace", grading.NEEDS_A_PERSON, failed=True, reason=why),
            grading.StudentReport("alan-turing", grading.GRADED),
        ]
        return grading.Report(slug, rows)

    monkeypatch.setattr(sample, "grade", fail)
    with pytest.raises(grading.GradingError, match="1 of the 2 .*ada-lovelace: .*a bad day"):
        grade_sample_class(root / "_build", force=True)
    # Nothing is a result.
    assert not list((class_folder(root / "_build") / "results").glob("activations*"))


def test_a_submission_is_the_release_with_answers(course_root: Path) -> None:
    import nbformat

    from course_lib.paths import built_source_path, release_path

    source = nbformat.read(built_source_path(course_root, "activations"), as_version=4)
    released = nbformat.read(release_path(course_root, "activations"), as_version=4)
    by_student = {entry.student: entry for entry in CLASS}
    assert notebook_of(by_student["blaise-pascal"], source, released) == released
    full = notebook_of(by_student["ada-lovelace"], source, released)
    text = nbformat.writes(full)
    assert "BEGIN SOLUTION" not in text
    assert "HIDDEN TESTS" not in text
    assert "np.exp(-np.abs(z))" in text
    # What is locked is as it was released.
    for before, after in zip(released.cells, full.cells, strict=True):
        own = before.metadata.get("nbgrader", {})
        if own.get("locked"):
            assert compute_checksum(after) == own["checksum"]


def test_an_exercise_without_a_sample_class_is_named(course_root: Path) -> None:
    with pytest.raises(grading.GradingError, match="no sample class"):
        grade_sample_class(course_root / "_build", "other")


def test_two_submissions_of_one_student_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.py"
    path.write_text(
        "from course_lib.assignments.sample import submission\n\n"
        "@submission(student='ann', score=0)\ndef first():\n    '''One.'''\n\n"
        "@submission(student='ann', score=0)\ndef second():\n    '''Two.'''\n"
    )
    with pytest.raises(grading.GradingError, match="two submissions of ann"):
        load_class(path)


def test_a_submission_reads_like_an_answer() -> None:
    @submission(student="ann", score=3, loses=["test-x"], marks={"why": 1})
    def entry():
        """Because."""

        def x():
            return 1

    assert entry.student == "ann"
    assert entry.why == "Because."
    assert entry.answer.code.startswith("def x():")
    assert entry.loses == {"test-x"}
