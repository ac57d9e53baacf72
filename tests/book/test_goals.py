"""Paths through the course: what they hold, what they take, and how weeks are filled."""

import itertools
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from bs4 import BeautifulSoup

from course_lib.book.goals import _visit_path, course_path, coursepath, weeks_of
from course_lib.book.prerequisites import Chapter, read_chapters
from course_lib.paths import CourseError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def small(tmp_path: Path) -> tuple[Path, list[Chapter]]:
    """A course of four chapters, of which the last needs two of the others."""
    (tmp_path / "solutions").mkdir()
    for name, time, points in (("a", "90 minutes", 30), ("d", "10 to 40 hours", 12)):
        text = f"# # {name}\n# - **Time:** {time}. **Points:** {points}, of which\n"
        (tmp_path / "solutions" / f"{name}.py").write_text(text)
    chapters = [
        Chapter("book/p/a", "A: why?", 40, (), "a"),
        Chapter("book/p/b", "B: why?", 20, ("a",), None),
        Chapter("book/p/c", "C: why?", 999, ("a",), None),
        Chapter("book/p/d", "D: why?", 30, ("b",), "d"),
    ]
    return tmp_path, chapters


def test_a_path_holds_what_its_chapters_need(small: tuple[Path, list[Chapter]]) -> None:
    root, chapters = small
    path = course_path(root, chapters, "a goal", ["d"])
    assert [chapter.slug for chapter in path.chapters] == ["a", "b", "d"]
    assert (path.reading, path.points) == (90, 42) and path.exercises == (690, 2490)
    assert path.summary == (
        "3 chapters, 2 hours of reading, 12 to 42 hours of exercises, 42 points"
    )


def test_what_is_wrong_with_a_path_is_named(small: tuple[Path, list[Chapter]]) -> None:
    root, chapters = small
    with pytest.raises(
        CourseError, match=r"'a goal' leads to x, y, and .* There are: a, b, c, d\."
    ):
        course_path(root, chapters, "a goal", ["a", "x", "y"])
    (root / "solutions" / "d.py").write_text("**Points:** 12")
    with pytest.raises(CourseError, match=r"solutions/d\.py does not say its time"):
        course_path(root, chapters, "a goal", ["d"])


@pytest.mark.parametrize("minutes", [[3, 1, 4, 1, 5, 9, 2, 6], [10, 10, 10], [1, 100, 1, 1, 1]])
def test_the_fullest_week_is_as_short_as_can_be(minutes: list[int]) -> None:
    for weeks in range(1, len(minutes) + 1):
        counts = weeks_of(minutes, weeks)
        assert len(counts) == weeks and min(counts) >= 1 and sum(counts) == len(minutes)

        def fullest(ends: tuple[int, ...]) -> int:
            cuts = [0, *ends, len(minutes)]
            return max(sum(minutes[a:b]) for a, b in itertools.pairwise(cuts))

        every = itertools.combinations(range(1, len(minutes)), weeks - 1)
        assert fullest(tuple(itertools.accumulate(counts[:-1]))) == min(map(fullest, every))
    with pytest.raises(ValueError, match="cannot be dealt out to 9 weeks"):
        weeks_of(minutes, 9)


def test_the_front_page_has_paths_for_its_goals() -> None:
    text = re.search(r"```\{coursepaths\}\n(.*?)```", (ROOT / "index.md").read_text(), re.DOTALL)
    chapters = read_chapters(ROOT)
    paths = {
        one["goal"]: course_path(ROOT, chapters, one["goal"], one["to"])
        for one in yaml.safe_load(text[1])
    }
    assert set(paths) == {
        "I want to understand transformers",
        "I train on GPUs",
        "I must trust a model",
        "I have four weeks",
        "I have a semester",
    }
    for path in paths.values():
        slugs = [chapter.slug for chapter in path.chapters]
        assert slugs[0] == "deep-learning" and path.reading == sum(c.minutes for c in path.chapters)
        assert all(need in slugs[:k] for k, c in enumerate(path.chapters) for need in c.needs)


@pytest.mark.parametrize(("builder", "is_open"), [("html", False), ("epub", True)])
def test_a_path_is_open_where_nothing_can_be_clicked(builder: str, is_open: bool) -> None:
    writer = SimpleNamespace(body=[], builder=SimpleNamespace(name=builder))
    _visit_path(writer, coursepath())
    (tag,) = BeautifulSoup(writer.body[0], "html.parser").find_all("details")
    assert tag.has_attr("open") == is_open
