"""The courses of the syllabus: possible in their order, and named as they are."""

import re
from pathlib import Path

import pytest

from course_lib.book.prerequisites import read_chapters
from course_lib.book.syllabus import Week, problems, read_courses
from course_lib.paths import CourseError

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = {chapter.slug: chapter for chapter in read_chapters(ROOT)}
PAGE = (ROOT / "book" / "teaching" / "syllabus.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("course", "weeks"), [("four-weeks", 4), ("semester", 14), ("two-semesters", 28)]
)
def test_a_course_reads_what_is_needed_first(course, weeks):
    read = read_courses(ROOT)[course]
    assert list(problems(CHAPTERS, read)) == []
    assert len(read) == weeks
    assert all(week.chapters or week.exercises for week in read)
    assert f"{{syllabus}} {course}\n" in PAGE


def test_two_semesters_leave_nothing_out():
    weeks = read_courses(ROOT)["two-semesters"]
    assert {slug for week in weeks for slug in week.chapters} == set(CHAPTERS)
    exercises = {chapter.exercise for chapter in CHAPTERS.values()}
    assert {slug for week in weeks for slug in week.exercises} == exercises


def test_what_cannot_be_is_named():
    weeks = [
        Week(("neurons", "nothing"), ("layers",)),
        Week(("deep-learning", "neurons"), ("neurons",)),
    ]
    assert list(problems(CHAPTERS, weeks)) == [
        "week 1 reads 'neurons' before deep-learning",
        "week 1 reads 'nothing', which is no chapter",
        "week 1 hands in 'layers' before its chapter",
        "week 2 reads 'neurons' again",
    ]


@pytest.mark.parametrize("text", [None, "four-weeks: [layers]\n", "a: [}"])
def test_courses_that_mean_nothing_are_told_with_what_is_wanted(tmp_path, text):
    path = tmp_path / "book" / "teaching" / "plans" / "syllabus.yml"
    path.parent.mkdir(parents=True)
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(CourseError, match=r"(?s)syllabus\.yml cannot be used.*Wanted: "):
        read_courses(tmp_path)


def test_the_exercises_whose_inputs_are_each_students_own_are_named():
    own = [
        path.stem
        for path in sorted((ROOT / "solutions").glob("*.py"))
        if re.search(r"\brng\(\)", path.read_text(encoding="utf-8"))
    ]
    named = re.search(r"Of the exercises, (.+?) draws? hidden inputs", PAGE)
    assert named is not None
    assert re.findall(r"\*([\w-]+)\*", named[1]) == own
