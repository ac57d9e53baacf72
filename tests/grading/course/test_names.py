"""Names that are patterns to nbgrader, hidden, or written in two ways: nobody is left out."""

from __future__ import annotations

import csv
import unicodedata
from pathlib import Path

import pytest
import small_course as small
from nbgrader.coursedir import CourseDirectory

from course_lib import grading
from course_lib.grading.course.names import alike, found_in, matches, name_assignment, settled
from course_lib.paths import CourseError

NFC, NFD = (unicodedata.normalize(form, "josé") for form in ("NFC", "NFD"))


@pytest.mark.slow
@pytest.mark.usefixtures("light_zygote")
def test_nobody_is_left_out_for_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small, "SLUG", "hw [1]")
    folder = tmp_path / "c [x]"
    folder.mkdir()
    small.build(folder)
    grading.release(["hw [1]"], folder)
    answer = small.answered(folder, total=small.TOTAL, mean=small.MEAN)
    twice = [unicodedata.normalize(form, "zoë") for form in ("NFC", "NFD")]
    for student in ("[x]", ".ann", "*", NFD, *twice):
        small.hand_in(folder, student, answer)
    # As Notepad writes it, with a mark of the byte order.
    late = folder / "submitted" / "[x]" / "hw [1]" / "timestamp.txt"
    late.write_text("2026-11-22 12:00:00 UTC\n", encoding="utf-16")
    with grading.Course(folder).gradebook() as gradebook:
        gradebook.add_student(NFC)

    report = grading.grade("hw [1]", folder, workers=1)
    rows = {row.student: row for row in report.students}
    assert {name: row.score for name, row in rows.items() if not row.failed} == {
        "[x]": 7,
        ".ann": 7,
        "*": 7,
        NFC: 7,  # as the gradebook spells it
    }
    assert {name for name, row in rows.items() if row.failed} == set(twice)
    with grading.Course(folder).gradebook() as gradebook:
        assert gradebook.find_submission("hw [1]", "[x]").timestamp.hour == 12
    assert "look like this one ('zoe\\u0308', 'zo\\xeb')" in rows[twice[0]].reason

    assert set(grading.feedback("hw [1]", folder, students="[!*]*")) == {"[x]", ".ann", NFC}
    said: list[str] = []
    grading.export(folder, "hw [1]", to=tmp_path / "grades.csv", tell=said.append)
    with (tmp_path / "grades.csv").open(encoding="utf-8") as file:
        scores = {row["student_id"].lstrip("'"): row["score"] for row in csv.DictReader(file)}
    assert scores[NFC] == "7.0"
    assert NFD not in scores
    assert [line for line in said if "look the same" in line and "'zoe\\u0308'" in line]


def test_names_are_found_as_they_are(tmp_path: Path) -> None:
    coursedir = CourseDirectory(root=str(tmp_path / "{a} [b]"))
    for name in ("[ann]", ".bob", "a", ".ipynb_checkpoints"):
        (tmp_path / "{a} [b]" / "submitted" / name / "h[w]").mkdir(parents=True)
    (tmp_path / "{a} [b]" / "submitted" / "eve" / "hw").mkdir(parents=True)
    assert found_in(coursedir, "submitted", "h[w]") == [".bob", "[ann]", "a"]


def test_patterns_and_spellings() -> None:
    assert matches(".ann", "*")
    assert matches(NFD, f"{NFC[0]}*{NFC[-1]}")
    assert not matches("bob", "a*")
    assert alike([NFC, NFD, "ann"]) == [sorted([NFC, NFD])]
    assert settled(NFD, ["ann"]) == settled(NFD, [NFC]) == settled(NFC, []) == NFC
    assert settled(NFC, [NFD]) == settled(NFD, [NFC, NFD]) == NFD


@pytest.mark.parametrize("name", ["a+b", " hw", "hw ", "a/b", "..", ""])
def test_names_that_nbgrader_cannot_keep_are_refused(name: str) -> None:
    with pytest.raises(CourseError, match="Give its folder another name"):
        name_assignment(CourseDirectory(), name)
