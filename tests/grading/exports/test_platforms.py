"""Grades for Canvas, Moodle and Gradescope, read back as those read them."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import small_course as small

from course_lib import grading
from course_lib.grading import GradingError
from course_lib.grading.exports.tables import number, plain

pytestmark = pytest.mark.slow

STUDENTS: dict[str, dict[str, str]] = {
    "ann": dict(
        first_name="Ann", last_name="O'Neill, Jr.", email="ann@x.example", lms_user_id="101"
    ),
    "bob": dict(
        first_name='Robert "Bob"', last_name="Ångström", email="Bob@x.example", lms_user_id="102"
    ),
    "cem": dict(
        first_name="=HYPERLINK(1)", last_name="@SUM(A1)", email="cem@x.example", lms_user_id="s-3"
    ),
    "dan": dict(first_name="Dan\nTwo", last_name="Lines", email="dan@x.example", lms_user_id="104"),
    "eve": dict(first_name="Eve", email="eve@x.example"),
    "fay": {},
    "=gil": dict(first_name="+Gil", last_name="小林", email="=gil@x.example", lms_user_id="-107"),
    "hal": dict(first_name="Hal", last_name="None", email="hal@x.example", lms_user_id="108"),
    "=ivy": {},
}

# Points of the cells of the small course, then a penalty for being late.
POINTS: dict[str, tuple[list[float], float]] = {
    "ann": ([3, 2, 2, 1.5], 0),
    "bob": ([3, 0, 1 / 3, 0], 0),
    "cem": ([3, 2, 2, 0], 2.5),
    "dan": ([1, 0, 0, 0], 4),
    "eve": ([0, 0, 0, 0], 0),
    "fay": ([3, 2, 2, 2], 0),
    "=gil": ([3, 0, 0, 0], 0),
}
CELLS = ("test-total", "test-mean", "test-mean-parts", "why")
SCORES = {"ann": "9.5", "bob": "3.333333", "cem": "4.5", "dan": "0", "eve": "", "fay": "9"}
SCORES |= {"=gil": "3", "hal": "", "=ivy": ""}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course whose gradebook was filled in by hand: eve waits for marks, hal gave nothing."""
    folder = tmp_path_factory.mktemp("platforms") / "course"
    folder.mkdir()
    small.build(folder)
    grading.release([small.SLUG], folder)
    with grading.Course(folder).gradebook() as gradebook:
        for name, who in STUDENTS.items():
            gradebook.add_student(name, **who)
        for name, (points, penalty) in POINTS.items():
            gradebook.add_submission(small.SLUG, name, timestamp=datetime(2026, 1, 2))
            notebook = gradebook.find_submission_notebook(small.SLUG, small.SLUG, name)
            notebook.late_submission_penalty = penalty or None
            for grade in notebook.grades:
                score = points[CELLS.index(grade.name)]
                automatic = grade.name != "why"
                grade.auto_score, grade.manual_score = (score, None) if automatic else (None, score)
                grade.needs_manual_grade = name == "eve" and not automatic
                # What a person added on top.
                grade.extra_credit = 1.0 if (name, grade.name) == ("ann", "test-mean") else None
        gradebook.db.commit()
    return folder


def exported(
    course: Path, to: Path, format: str, slug: str | None = small.SLUG, **more: Any
) -> list[str]:
    notes: list[str] = []
    assert grading.export(course, slug, format=format, to=to, tell=notes.append, **more) == to
    return notes


def read(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def noted(notes: list[str], words: str) -> str:
    (found,) = [note for note in notes if words in note]
    return found


# nbgrader's own


def test_totals_are_those_of_nbgrader(course: Path, tmp_path: Path) -> None:
    from nbgrader.plugins import CsvExportPlugin

    theirs = tmp_path / "theirs.csv"
    # Its table is not quoted: the commas of the names go.
    with grading.Course(course).gradebook() as gradebook:
        for student in gradebook.students:
            student.last_name = student.first_name = ""
        CsvExportPlugin(to=str(theirs)).export(gradebook)
        gradebook.db.rollback()
    ours = tmp_path / "ours.csv"
    notes = exported(course, ours, "csv")
    header, *lines = read(theirs)
    stock = {line[3]: dict(zip(header, line, strict=True)) for line in lines}
    mine = {row["student_id"]: row for row in csv.DictReader(ours.open(newline=""))}
    # The formula in a student's id is defused.
    mine |= {name: mine.pop(f"'{name}") for name in ("=gil", "=ivy")}
    assert set(mine) == set(stock)
    for name, row in mine.items():
        for key in ("raw_score", "late_submission_penalty", "max_score", "timestamp"):
            assert row[key] == stock[name][key], (name, key)
        assert row["score"] == ("" if name == "eve" else stock[name]["score"])
    assert mine["ann"]["raw_score"] == "9.5"
    assert "eve" in noted(notes, "waits for a person's marks")
    # Who handed in nothing has nbgrader's 0 here.
    assert not [note for note in notes if "not handed in" in note]
    table = json.loads(grading.export(course, format="json", to=tmp_path / "g").read_text())
    assert {row["student_id"]: row["score"] for row in table}["eve"] is None


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "\n=1", "＝1"])
def test_no_field_is_a_formula(name: str) -> None:
    assert plain(name) == "'" + name


def test_numbers_are_plain() -> None:
    points = [4.0, 1 / 3, 0.1 + 0.2, 0.0, 100.0, None]
    assert [number(p) for p in points] == ["4", "0.333333", "0.3", "0", "100", ""]
    assert plain(-2.0) == "-2.0"


# Canvas


def import_into_canvas(lines: list[list[str]], roster: list[dict[str, str]]) -> dict[str, str]:
    """Find students and points as Canvas' gradebook importer does."""
    header, *rest = lines
    assert "Student" in header[0]
    assert "ID" in header[1]
    assert re.search(r"SIS\s+User\s+ID", header[2])
    assert re.search(r"SIS\s+Login\s+ID", header[3])
    assert "Section" in header[4]
    (column,) = [i for i, title in enumerate(header) if title == small.SLUG]
    found: dict[str, str] = {}
    for line in rest:
        if "Points Possible" in line[0]:
            assert line[column] == "9"
            continue
        number = re.match(r"\d*", line[1])
        keys = {
            "canvas": number.group() if number else "",
            "sis": line[2],
            "login": line[3],
            "sortable": line[0],
        }
        for key in ("canvas", "sis", "login", "sortable"):
            who = [s for s in roster if keys[key] and s.get(key) == keys[key]]
            if who:
                found[who[0]["login"]] = line[column]
                break
    return found


def canvas_roster() -> list[dict[str, str]]:
    roster = []
    for name, who in STUDENTS.items():
        identity = who.get("lms_user_id", "")
        key = "canvas" if identity.isdigit() else "sis"
        sortable = f"{who.get('last_name', '')}, {who.get('first_name', '')}"
        roster.append({"login": name, "sortable": sortable, key: identity})
    return roster


def test_canvas_finds_students_and_points(course: Path, tmp_path: Path) -> None:
    path = tmp_path / "canvas.csv"
    notes = exported(course, path, "canvas")
    found = import_into_canvas(read(path), canvas_roster())
    # Whose every name is a formula, or missing, cannot be told to Canvas; that is said.
    assert found == {name: score for name, score in SCORES.items() if name != "=ivy"}
    assert "of =ivy: Canvas cannot tell" in noted(notes, "cannot tell at all")
    assert "hal" in noted(notes, "is not handed in, so that no points are written")
    lacking = noted(notes, "Canvas will look")
    assert "=gil, =ivy, eve, fay" in lacking
    assert "nbgrader db student import roster.csv` (columns id and lms_user_id)" in lacking
    assert "ann" in noted(notes, "extra credit")


def test_canvas_takes_all_assignments_at_once(course: Path, tmp_path: Path) -> None:
    path = tmp_path / "canvas.csv"
    exported(course, path, "canvas", slug=None)
    assert read(path)[0] == [
        "Student",
        "ID",
        "SIS User ID",
        "SIS Login ID",
        "Section",
        small.SLUG,
    ]


def test_a_number_in_front_of_letters_is_no_canvas_id(course: Path, tmp_path: Path) -> None:
    exported(course, tmp_path / "canvas.csv", "canvas")
    for line in read(tmp_path / "canvas.csv")[1:]:
        assert line[1] == "" or line[1].isdigit()
        assert not any(field[:1] in ("=", "+", "-", "@") for field in line)


# Moodle


def import_into_moodle(lines: list[list[str]], key: str) -> dict[str, str]:
    """Find students and points as Moodle's CSV importer does, mapped from its first column."""
    header, *rest = lines
    column = header.index(small.SLUG)
    trait = {"Email address": "email", "ID number": "lms_user_id", "Username": "id"}[key]
    people = {(s | {"id": name}).get(trait): name for name, s in STUDENTS.items()}
    found = {}
    for line in rest:
        # A row without it counts for the student before; one that is unknown ends the import.
        assert line[header.index(key)]
        found[people[line[header.index(key)]]] = line[column]
    return found


def test_moodle_finds_students_and_points(course: Path, tmp_path: Path) -> None:
    path = tmp_path / "moodle.csv"
    notes = exported(course, path, "moodle")
    lines = read(path)
    assert lines[0] == ["Email address", "First name", "Last name", small.SLUG]
    found = import_into_moodle(lines, "Email address")
    assert found == {n: s for n, s in SCORES.items() if n not in ("fay", "=gil", "=ivy")}
    left_out = noted(notes, "left out of the file")
    assert "fay" in left_out
    assert "=gil" in left_out
    assert "nbgrader db student import" in left_out
    assert "map from Email address" in noted(notes, "In Moodle")
    assert "Dan Two" in [line[1] for line in lines]


def without(course: Path, to: Path, *traits: str) -> Path:
    """Return a copy of the course in which nobody has some traits."""
    import shutil

    shutil.copytree(course, to)
    with grading.Course(to).gradebook() as gradebook:
        for student in gradebook.students:
            for trait in traits:
                setattr(student, trait, None)
        gradebook.db.commit()
    return to


@pytest.mark.parametrize(
    ("gone", "key"), [(["email"], "ID number"), (["email", "lms_user_id"], "Username")]
)
def test_moodle_takes_what_there_is(
    course: Path, tmp_path: Path, gone: list[str], key: str
) -> None:
    folder = without(course, tmp_path / "course", *gone)
    exported(folder, tmp_path / "moodle.csv", "moodle")
    lines = read(tmp_path / "moodle.csv")
    assert lines[0][0] == key
    found = import_into_moodle(lines, key)
    assert found["bob"] == SCORES["bob"]
    # In a course of usernames alone, an id that a spreadsheet takes for a formula is left out.
    assert (
        set(SCORES) - set(found)
        == {
            "ID number": {"eve", "fay", "=gil", "=ivy"},
            "Username": {"=gil", "=ivy"},
        }[key]
    )


WORKSHEET = """\
Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,\
Last modified (submission),Last modified (grade),Feedback comments
Participant 11,"O'Neill, Ann",ann@x.example,Submitted - ,,100.00,Yes,-,-,"Well, ''done''"
Participant 12,Eve,eve@x.example,Submitted for grading - ,5.00,100.00,Yes,-,-,
Participant 13,Guest,guest@x.example,No submission - ,,100.00,Yes,-,-,
"""


def test_moodles_worksheet_is_filled_in(course: Path, tmp_path: Path) -> None:
    given = tmp_path / "Grades.csv"
    given.write_text("\ufeff" + WORKSHEET, encoding="utf-8")
    notes = exported(course, tmp_path / "filled.csv", "moodle", worksheet=given)
    before = list(csv.reader(WORKSHEET.splitlines()))
    after = read(tmp_path / "filled.csv")
    expected = [list(line) for line in before]
    expected[1][4] = "9.5"
    # Eve waits for marks, and the guest is nobody here: their rows stay as they were.
    assert after == expected
    assert "bob" in noted(notes, "no row in Grades.csv")
    assert "has 9 points" in noted(notes, "maximum grade is 100.00")


def test_a_worksheet_that_fits_is_taken_without_a_word(course: Path, tmp_path: Path) -> None:
    given = tmp_path / "Grades.csv"
    given.write_text('Identifier,Email address,Maximum grade,Grade\n1,ann@x.example,"9,00"\n\n')
    notes = exported(course, tmp_path / "filled.csv", "moodle", worksheet=given)
    assert read(tmp_path / "filled.csv")[1] == ["1", "ann@x.example", "9,00", "9.5"]
    assert not [note for note in notes if "maximum" in note]


def test_another_file_is_no_worksheet(course: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    for text in ("a,b\n1,2\n", ""):
        other.write_text(text)
        with pytest.raises(GradingError, match="is no grading worksheet"):
            grading.export(
                course, small.SLUG, format="moodle", worksheet=other, to=tmp_path / "out.csv"
            )
    other.write_bytes("Identifier,Grade,Email address\nParticipant 1,\xe9,x".encode("cp1252"))
    for format, words in (("moodle", "not written in UTF-8"), ("canvas", "worksheet is Moodle's")):
        with pytest.raises(GradingError, match=words):
            grading.export(
                course, small.SLUG, format=format, worksheet=other, to=tmp_path / "out.csv"
            )
    with pytest.raises(GradingError, match="Name the assignment"):
        grading.export(course, format="moodle", worksheet=other, to=tmp_path / "out.csv")


# Gradescope


@pytest.fixture
def autograder(course: Path, tmp_path: Path) -> tuple[Path, list[str]]:
    path = tmp_path / "gradescope.zip"
    return path, exported(course, path, "gradescope")


def regrade(
    autograder: Path, home: Path, *emails: str
) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Run an autograder as Gradescope does, in a folder that stands for /autograder."""
    with zipfile.ZipFile(autograder) as archive:
        archive.extractall(home / "source")
    users = [{"email": email, "id": 1, "name": "N"} for email in emails]
    (home / "submission_metadata.json").write_text(json.dumps({"users": users}))
    script = (home / "source" / "run_autograder").read_text()
    assert '"/autograder"' in script
    script = script.replace('"/autograder"', repr(str(home)))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    return done, home / "results" / "results.json"


def test_gradescope_is_handed_points_and_tests(
    autograder: tuple[Path, list[str]], tmp_path: Path
) -> None:
    path, notes = autograder
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        modes = {i.filename: i.external_attr >> 16 for i in archive.infolist()}
    assert {"setup.sh", "run_autograder"} <= set(names)
    assert modes["run_autograder"] & 0o111
    # Nobody's name or address is in it.
    assert not any("@" in name for name in names)
    # Gradescope's spelling of an address may differ in its capitals.
    done, results = regrade(path, tmp_path / "bob", "BOB@x.example")
    assert done.returncode == 0, done.stderr
    told = json.loads(results.read_text(encoding="utf-8"))
    assert told["score"] == pytest.approx(3.333333)
    assert [test["name"] for test in told["tests"]] == list(CELLS)
    assert [test["max_score"] for test in told["tests"]] == [3, 2, 2, 2]
    assert told["visibility"] == "after_published"
    assert {type(test["output"]) for test in told["tests"]} == {str}
    late = json.loads(regrade(path, tmp_path / "cem", "cem@x.example")[1].read_text())
    assert late["score"] == 4.5
    assert "2.5 points were taken off" in late["output"]
    assert "9 autograder points" in noted(notes, "Regrade All")
    assert "fay" in noted(notes, "Gradescope cannot know them")


@pytest.mark.parametrize("email", ["eve@x.example", "nobody@x.example"])
def test_gradescope_is_not_told_0_where_nothing_is_settled(
    autograder: tuple[Path, list[str]], tmp_path: Path, email: str
) -> None:
    done, results = regrade(autograder[0], tmp_path / "home", email)
    assert done.returncode != 0
    assert f"No points are settled for {email}" in done.stderr
    assert not results.exists()


def test_a_group_gets_the_points_of_the_member_who_has_some(
    autograder: tuple[Path, list[str]], tmp_path: Path
) -> None:
    done, results = regrade(autograder[0], tmp_path / "home", "guest@x.example", "ann@x.example")
    assert done.returncode == 0
    assert json.loads(results.read_text())["score"] == 9.5


def test_the_same_points_make_the_same_file(
    course: Path, autograder: tuple[Path, list[str]], tmp_path: Path
) -> None:
    again = tmp_path / "again.zip"
    exported(course, again, "gradescope")
    assert again.read_bytes() == autograder[0].read_bytes()


# What lies in the folders


def test_what_was_handed_in_later_is_not_graded_yet(course: Path, tmp_path: Path) -> None:
    folder = without(course, tmp_path / "course")
    small.hand_in(folder, "ann", "cut off")
    small.hand_in(folder, "new", small.released(folder))
    notes = exported(folder, tmp_path / "canvas.csv", "canvas")
    rows = {line[3]: line[5] for line in read(tmp_path / "canvas.csv")[2:]}
    assert rows["ann"] == rows["new"] == ""
    assert rows["bob"] == SCORES["bob"]
    stale = noted(notes, "not graded as it stands")
    assert "ann, new" in stale


def test_gradescope_wants_one_assignment(course: Path, tmp_path: Path) -> None:
    with pytest.raises(GradingError, match="Name the assignment"):
        grading.export(course, format="gradescope", to=tmp_path / "x.zip")


def test_an_empty_gradebook_is_explained(tmp_path: Path) -> None:
    small.build(tmp_path)
    grading.release([small.SLUG], tmp_path)
    with pytest.raises(GradingError, match="knows no students"):
        grading.export(tmp_path, format="canvas", to=tmp_path / "x.csv")
