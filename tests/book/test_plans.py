"""Every chapter has two questions to discuss and two plans, which name what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from course_lib.book.plans import LENGTHS, Discussion, Lesson, Row, problems, read_plans
from course_lib.book.prerequisites import Chapter, read_chapters
from course_lib.paths import CourseError

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = read_chapters(ROOT)

# A question without one of these is answered by yes or no.
OPEN = "what|which|who|whom|whose|how|where|when|why"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.slug)
def test_a_teacher_has_questions_and_plans_for_every_chapter(chapter: Chapter) -> None:
    lesson = read_plans(ROOT, chapter.part)[chapter.slug]
    assert list(problems(ROOT, chapter, lesson)) == []
    assert len(lesson.discuss) == 2
    for question in lesson.discuss:
        asked = [part for part in re.split(r"(?<=[.?]) ", question.ask) if part.endswith("?")]
        last = asked[-1] if asked else question.ask
        assert asked or re.search(r"\b(State|Name|Describe) ", last), question.ask
        assert not asked or re.search(rf"\b({OPEN})\b", last, re.I), question.ask
        assert max(len(text.split()) for text in (question.hear, question.lead)) <= 90
    assert tuple(lesson.plan) == LENGTHS
    assert any(row.steps for row in lesson.plan[90])


def test_no_plan_is_of_a_chapter_that_is_gone() -> None:
    for part in {chapter.part for chapter in CHAPTERS}:
        ours = {chapter.slug for chapter in CHAPTERS if chapter.part == part}
        assert set(read_plans(ROOT, part)) == ours


def test_what_does_not_agree_is_named() -> None:
    chapter = next(chapter for chapter in CHAPTERS if chapter.slug == "neurons")
    lesson = Lesson(
        "neurons",
        (Discussion("Why?", "fig-none", "a", "b"),),
        {45: (Row(5, "x", section="Nowhere", show=("fig-no",)), Row(5, "y", steps=(1, 99)))},
    )
    said = list(problems(ROOT, chapter, lesson))
    assert len(said) == 5
    for part in ("'fig-none'", "45 minutes has 10", "'Nowhere'", "'fig-no'", "no step 99"):
        assert any(part in sentence for sentence in said), part


def test_a_part_without_plans_is_named(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="write book/teaching/plans/nowhere.yml"):
        read_plans(tmp_path, "nowhere")
