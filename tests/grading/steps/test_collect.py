"""Archives of learning platforms: who handed in what, and that nothing is lost or overwritten."""

from __future__ import annotations

import csv
import io
import shutil
import stat
import unicodedata
import zipfile
from pathlib import Path

import pytest
import small_course as small

from course_lib import grading
from course_lib.grading.reports.show import collected
from course_lib.grading.submissions import archives
from course_lib.grading.submissions.roster import Person, Roster, read_roster

ROSTER = """\
id,first_name,last_name,email,lms_user_id
ann1,Ann,Lee,ann1@example.org,101
ann2,Ann,Lee,ann2@example.org,102
jose,José,Núñez,jose@example.org,103
mary,Mary Jane,O'Brien,mary@example.org,
oz,Özgür,Ødegård,oz@example.org,105
"""


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archives") / "course"
    folder.mkdir()
    small.build(folder)
    grading.release([small.SLUG], folder)
    (folder / "roster.csv").write_text(ROSTER, encoding="utf-8")
    return folder


@pytest.fixture
def course(released, tmp_path):
    return shutil.copytree(released, tmp_path / "course")


def notebook(course, text):
    """Return the bytes of a notebook with this answer."""
    return small.json.dumps(small.answered(course, total=text)).encode()


def packed(path, entries):
    """Write a ZIP archive of names and contents."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def submitted(course, student, name="sums.ipynb"):
    path = course / "submitted" / student / small.SLUG / name
    return path.read_bytes() if path.is_file() else None


def outcomes(result):
    return {row.label: (row.student, row.outcome) for row in result.rows}


METADATA = """\
submission_11:
  :submitters:
  - :name: Ann Lee
    :sid: '102'
    :email: ann2@example.org
  :created_at: 2026-11-20 10:00:00.123456 Z
submission_12:
  :submitters:
  - :name: Jose Nunez
    :sid:
    :email: JOSE@example.org
  - :name: Mary Jane O'Brien
    :sid: ''
    :email: other@example.org
  :created_at: 2026-11-21 12:30:00 +02:00
submission_13:
  :submitters:
  - :name: Zoe Nobody
    :sid: '9'
    :email: zoe@example.org
"""

#: By platform, the names that each file has there: of ann2, of jose, and of somebody unknown.
NAMES = {
    "canvas": (
        "leeann_LATE_102_9001_sums-1.ipynb",
        "núñezjosé_103_9002_sums.ipynb",
        "nobodyzoe_999_9003_sums.ipynb",
    ),
    "moodle": (
        "Ann Lee_4711_assignsubmission_file_/sums.ipynb",
        "Núñez José_4712_assignsubmission_file/my work/sums (2).ipynb",
        "Zoe Nobody_4713_assignsubmission_file_sums.ipynb",
    ),
    "gradescope": (
        "assignment_1_export/submission_11/sums.ipynb",
        "assignment_1_export/submission_12/homework.ipynb",
        "assignment_1_export/submission_13/sums.ipynb",
    ),
    "folder": ("all/ann2/sums.ipynb", "all/José Núñez/sums.ipynb", "all/zoe/sums.ipynb"),
}
WORKSHEET = """\
Identifier,Full name,Email address,Status,Grade,"Last modified (submission)"
Participant 4711,Ann Lee,ann2@example.org,Submitted,,"Friday, 20 November 2026, 10:00 AM"
"""


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("platform", NAMES)
def test_names_are_found_on_the_roster(course, tmp_path, monkeypatch, platform, form):
    monkeypatch.setenv("TZ", "UTC")
    # As other systems call files, and as a Mac does.
    names = [unicodedata.normalize(form, name) for name in NAMES[platform]]
    contents = [notebook(course, f"def total(x): return {number}") for number in range(3)]
    entries = dict(zip(names, contents, strict=True))
    entries["assignment_1_export/notes.txt" if platform == "gradescope" else "notes.txt"] = b"x"
    if platform == "gradescope":
        entries["assignment_1_export/submission_metadata.yml"] = METADATA.encode()
    if platform == "folder":
        del entries["notes.txt"]
    (tmp_path / "sheet.csv").write_text(WORKSHEET)
    sheet = tmp_path / "sheet.csv" if platform == "moodle" else None
    archive = packed(tmp_path / f"{platform}.zip", entries)
    result = grading.collect_archive(small.SLUG, archive, platform, course, worksheet=sheet)

    assert submitted(course, "ann2") == contents[0]
    assert submitted(course, "jose") == contents[1]
    # Groups hand in once.
    assert submitted(course, "mary") == (contents[1] if platform == "gradescope" else None)
    (row,) = result.unmatched
    assert "nobody on the roster" in row.outcome
    assert not (course / "submitted" / "zoe").exists()
    assert result.missing == [
        name for name in ("ann1", "mary", "oz") if (name, platform) != ("mary", "gradescope")
    ]
    if platform != "folder":
        assert [name.endswith("notes.txt") for name in result.left] == [True]
    assert (course / "downloaded" / small.SLUG / "archive" / archive.name).is_file()
    late = {row.student: row.late for row in result.rows}
    assert late["ann2"] is (True if platform == "canvas" else None)
    told = {"gradescope": b"2026-11-20 10:00:00 UTC\n", "moodle": b"2026-11-20 10:00:00 UTC\n"}
    assert submitted(course, "ann2", "timestamp.txt") == told.get(platform)
    if platform == "gradescope":
        assert submitted(course, "jose", "timestamp.txt") == b"2026-11-21 10:30:00 UTC\n"
    # The table shows who needs a person first.
    assert next(iter(result.rows)) and list(collected(result))

    again = grading.collect_archive(small.SLUG, archive, platform, course, worksheet=sheet)
    assert {r.outcome.split(";")[0] for r in again.rows if r.student} == {"as before"}
    assert len(list((course / "downloaded" / small.SLUG / "archive").iterdir())) == 1
    assert not (course / "downloaded" / small.SLUG / "earlier").exists()


def test_two_of_one_name_wait_for_the_teacher_who_says_it_once(course, tmp_path):
    entries = {
        f"Ann Lee_{number}_assignsubmission_file_/sums.ipynb": notebook(course, text)
        for number, text in ((1, "def total(x): return 1"), (2, "def total(x): return 2"))
    }
    archive = packed(tmp_path / "m.zip", entries)
    result = grading.collect_archive(small.SLUG, archive, "moodle", course)
    assert outcomes(result) == {
        "Ann Lee_1": (None, "ann1 and ann2 are called so"),
        "Ann Lee_2": (None, "ann1 and ann2 are called so"),
    }
    path = course / "downloaded" / small.SLUG / "matches.csv"
    assert list(csv.reader(path.open())) == [
        ["archive", "student"],
        ["Ann Lee_1", ""],
        ["Ann Lee_2", ""],
    ]
    path.write_text("archive,student\nAnn Lee_1,ann2\nAnn Lee_2,ann3\n")
    with pytest.raises(grading.GradingError, match=r"names ann3, and the roster has no such id"):
        grading.collect_archive(small.SLUG, archive, "moodle", course)
    path.write_text("archive,student\nAnn Lee_1,ann2\nAnn Lee_2,\n")
    result = grading.collect_archive(small.SLUG, archive, "moodle", course)
    assert outcomes(result)["Ann Lee_1"] == ("ann2", "new")
    assert submitted(course, "ann2") == entries["Ann Lee_1_assignsubmission_file_/sums.ipynb"]
    # What the teacher said stays, and what is open stays open.
    assert path.read_text().split() == ["archive,student", "Ann", "Lee_1,ann2", "Ann", "Lee_2,"]


def test_the_newest_attempt_counts_and_the_others_are_kept(course, tmp_path):
    first, second = (notebook(course, f"def total(x): return {n}") for n in (1, 2))
    entries = {
        "leeann_101_20_sums-1.ipynb": second,
        "leeann_101_9_sums.ipynb": first,
        "leeann_101_21_data-2.csv": b"1",
        # Another student of that name is known by the number alone.
        "leeann_102_22_sums.ipynb": first,
    }
    grading.collect_archive(small.SLUG, packed(tmp_path / "a.zip", entries), "canvas", course)
    assert submitted(course, "ann1") == second
    assert submitted(course, "ann1", "data.csv") == b"1"
    assert submitted(course, "ann2") == first
    earlier = course / "downloaded" / small.SLUG / "earlier" / "ann1"
    assert (earlier / "1" / "sums.ipynb").read_bytes() == first

    later = {"leeann_LATE_101_30_sums-2.ipynb": first}
    result = grading.collect_archive(
        small.SLUG, packed(tmp_path / "b.zip", later), "canvas", course
    )
    (row,) = result.rows
    assert row.late and row.outcome.startswith("replaces an earlier one, kept in ")
    assert submitted(course, "ann1") == first and submitted(course, "ann1", "data.csv") is None
    assert (earlier / "2" / "sums.ipynb").read_bytes() == second
    assert (earlier / "2" / "data.csv").read_bytes() == b"1"


def test_what_is_older_than_what_is_there_stays_beside(course, tmp_path):
    def export(name, time, content):
        about = (
            f"submission_1:\n  :submitters:\n  - :email: mary@example.org\n  :created_at: {time}\n"
        )
        entries = {"e/submission_metadata.yml": about, "e/submission_1/sums.ipynb": content}
        return packed(tmp_path / name, entries)

    old, new = (notebook(course, f"def total(x): return {n}") for n in (1, 2))
    newest = export("new.zip", "2026-11-22 10:00:00 Z", new)
    grading.collect_archive(small.SLUG, newest, "gradescope", course)
    oldest = export("old.zip", "2026-11-20 10:00:00 Z", old)
    (row,) = grading.collect_archive(small.SLUG, oldest, "gradescope", course).rows
    assert row.outcome.startswith("older than what is there; kept in ")
    assert submitted(course, "mary") == new
    kept = course / "downloaded" / small.SLUG / "earlier" / "mary" / "1" / "sums.ipynb"
    assert kept.read_bytes() == old


def test_nothing_leaves_the_folder_and_bombs_stay_packed(course, tmp_path, monkeypatch):
    honest = notebook(course, small.TOTAL)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mary/sums.ipynb", honest)
        archive.writestr("mary/../../../jose/sums/sums.ipynb", b"x")
        archive.writestr("/etc/passwd", b"x")
        archive.writestr("mary\\..\\up.txt", b"x")
        link = zipfile.ZipInfo("mary/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("mary/timestamp.txt", "2020-01-01 00:00:00 UTC")
        archive.writestr("__MACOSX/mary/._sums.ipynb", b"x")
        archive.writestr("jose/sums.ipynb", honest)
        archive.writestr("jose/zeros.bin", b"\0" * 3_000_000)
        archive.writestr("oz/sums.ipynb", honest * 3)
    # One whose bytes were changed on the way.
    place = buffer.getvalue().rindex(b"oz/sums.ipynb", 0, -400)
    damaged = bytearray(buffer.getvalue())
    damaged[place + 40] ^= 255
    path = tmp_path / "evil.zip"
    path.write_bytes(bytes(damaged))
    monkeypatch.setattr(archives, "MOST_EACH", 2_000_000)
    before = sorted(p for p in tmp_path.rglob("*") if course not in p.parents)
    result = grading.collect_archive(small.SLUG, path, "folder", course)

    assert submitted(course, "mary") == honest
    assert sorted(p.name for p in (course / "submitted" / "mary" / "sums").iterdir()) == [
        "sums.ipynb",
        "timestamp.txt.txt",
    ]
    told = outcomes(result)
    assert told["jose"][0] is None and "would unpack to 3 MiB" in told["jose"][1]
    assert told["oz"][0] is None and "cannot be unpacked" in told["oz"][1]
    assert sorted(p.name for p in (course / "submitted").rglob("*.ipynb")) == ["sums.ipynb"]
    left = "\n".join(result.left)
    assert left.count("leads out of the folder") == 3 and "mary/link: is no file" in left
    assert sorted(p for p in tmp_path.rglob("*") if course not in p.parents) == before


def test_what_is_wrong_is_told_before_anything_is_written(course, tmp_path):
    def refusal(archive, platform="canvas", slug=small.SLUG, **options):
        with pytest.raises(grading.GradingError) as caught:
            grading.collect_archive(slug, archive, platform, course, **options)
        return str(caught.value)

    good = packed(tmp_path / "good.zip", {"essay.docx": b"x"})
    assert "release it first" in refusal(good, slug="other")
    assert "There is no archive" in refusal(tmp_path / "none.zip")
    (tmp_path / "text.zip").write_text("no")
    assert "is no ZIP archive" in refusal(tmp_path / "text.zip")
    assert "it holds essay.docx" in refusal(good)
    assert "The platform 'ilias' is unknown" in refusal(good, "ilias")
    assert "has one submission_metadata.yml, and this has 0" in refusal(good, "gradescope")
    assert "say --from moodle" in refusal(good, worksheet=good)
    for text, words in (
        ("name\nAnn\n", "has no column id"),
        ("id\nann\nann\n", "the id ann twice"),
        ("id\na/b\n", "cannot be a folder's name"),
    ):
        (course / "roster.csv").write_text(text)
        assert words in refusal(good)
    (course / "roster.csv").unlink()
    with grading.Course(course).gradebook() as gradebook:
        for student in list(gradebook.students):
            gradebook.remove_student(student.id)
    assert "There is no roster" in refusal(good)
    assert not (course / "submitted").exists() and not (course / "downloaded").exists()


def test_without_a_roster_folders_are_called_as_students_are(course, tmp_path):
    (course / "roster.csv").unlink()
    unpacked = tmp_path / "unpacked"
    (unpacked / "Ann Lee").mkdir(parents=True)
    (unpacked / "Ann Lee" / "Kopie von Sums.ipynb").write_bytes(notebook(course, small.TOTAL))
    result = grading.collect_archive(small.SLUG, unpacked, "folder", course)
    assert outcomes(result) == {
        "Ann Lee": ("Ann Lee", "new; Kopie von Sums.ipynb is now sums.ipynb")
    }


def test_the_command_shows_a_table(course, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from course_lib.cli import app

    monkeypatch.setenv("COLUMNS", "200")
    entries = {"núñezjosé_LATE_103_1_sums.ipynb": notebook(course, small.TOTAL)}
    archive = packed(tmp_path / "c.zip", entries)
    words = ["collect", small.SLUG, "--course-dir", str(course), "--archive", str(archive)]
    done = CliRunner().invoke(app, [*words, "--from", "canvas"])
    assert done.exit_code == 0, done.output
    assert "1 of 1 submissions have their place" in done.output
    assert "Canvas says who was late, and not by how much" in done.output
    assert "nothing handed in: ann1, ann2, mary, oz" in done.output
    refused = CliRunner().invoke(app, words)
    assert "Say where the archive is --from" in str(refused.exception)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"name": "lee ANN", "number": "101"}, "ann1"),
        ({"name": "whoever", "email": "Ann2@Example.org"}, "ann2"),
        ({"name": "obrienmaryjane"}, "mary"),
        ({"name": "O’Brien, Mary Jane"}, "mary"),
        ({"name": "ozgur odegard"}, "oz"),
        ({"name": "Jose  Nuñez", "number": "777"}, None),
        ({"name": "Mary Jane O'Brien", "number": "777"}, "mary"),
        ({"name": "Marie Jane O'Brien"}, None),
        ({"number": "778"}, None),
    ],
)
def test_whom_a_name_means(released, asked, found):
    roster = read_roster(grading.Course(released))
    answer = roster.find(**asked)
    assert answer.student == found, answer
    assert bool(answer.why) is (found is None)


def test_one_number_of_two_people_means_neither():
    roster = Roster({name: Person(name, lms_user_id="7") for name in "ab"})
    assert roster.find(number="7").why == "a and b have one number, 7"


def test_a_roster_goes_into_the_gradebook(released):
    read_roster(grading.Course(released))
    with grading.Course(released).gradebook() as gradebook:
        known = {s.id: (s.first_name, s.email) for s in gradebook.students}
    assert known["jose"] == ("José", "jose@example.org") and len(known) == 5
    assert Path(released, "roster.csv").read_text() == ROSTER
