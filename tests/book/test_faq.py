"""Questions and answers: short, and each leads to a chapter that shows what it says."""

import re
from pathlib import Path

import pytest

from course_lib.book.prerequisites import read_chapters

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "book" / "appendix" / "faq.md").read_text(encoding="utf-8")
ANSWERS = dict(re.findall(r"^## ([^\n]+)\n\n(.+?)(?=\n\n## |\n*\Z)", TEXT, re.M | re.S))

ASKED_FIRST = [
    "What is deep learning?",
    "How does it differ from machine learning, and from AI?",
    "What is a neural network?",
    "What is backpropagation?",
    "What is deep learning used for?",
    "How do deep models differ from shallow ones?",
    "What makes training deep networks hard?",
    "Is a deep network always better?",
    "Do I need a GPU?",
    "How much data do I need?",
    "Which framework should I learn?",
]


def test_what_people_ask_first_is_answered():
    assert set(ASKED_FIRST) <= set(ANSWERS)
    assert TEXT.count("\n## ") == len(ANSWERS)


@pytest.mark.parametrize("question", ANSWERS)
def test_an_answer_is_a_paragraph_that_leads_to_a_chapter(question):
    answer = ANSWERS[question]
    assert question.endswith("?")
    assert "\n\n" not in answer
    words = re.sub(r"\{doc\}`([^<`]+?)(?: <[^>]+>)?`", r"\1", answer).split()
    assert len(words) <= 110, len(words)
    pages = {f"/{chapter.page}" for chapter in read_chapters(ROOT)}
    linked = re.findall(r"<(/book/[^>]+)>", answer)
    assert linked, "no chapter shows it"
    assert set(linked) <= pages
