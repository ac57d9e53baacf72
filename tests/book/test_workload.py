"""What exercises say of their work."""

from pathlib import Path

import pytest

from course_lib.book.workload import minutes_of, points_of, steps_of
from course_lib.paths import CourseError, exercise_slugs

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("slug", exercise_slugs(ROOT))
def test_every_exercise_says_what_work_there_is_in_it(slug: str) -> None:
    low, high = minutes_of(ROOT, slug)
    assert 60 <= low <= high <= 60 * 40
    assert 10 <= points_of(ROOT, slug) <= 60
    steps = steps_of(ROOT, slug)
    assert list(steps) == list(range(1, len(steps) + 1)) and len(steps) >= 2


def test_hours_and_ranges_are_minutes(tmp_path: Path) -> None:
    said = "# # Mine\n# **Time:** 2 to 3 hours. **Points:** 36, of which\n#\n# ## Step 1. A b\n"
    assert _read(tmp_path, said) == ((120, 180), 36, {1: "A b"})
    assert _read(tmp_path, said.replace("2 to 3 hours", "90 minutes"))[0] == (90, 90)


def _read(folder: Path, said: str) -> tuple[tuple[int, int], int, dict[int, str]]:
    path = folder / "solutions" / "mine.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(said, encoding="utf-8")
    return minutes_of(folder, "mine"), points_of(folder, "mine"), steps_of(folder, "mine")


def test_what_is_not_said_is_named_with_what_to_write(tmp_path: Path) -> None:
    path = tmp_path / "solutions" / "mine.py"
    path.parent.mkdir()
    path.write_text("# # Mine\n", encoding="utf-8")
    with pytest.raises(CourseError, match=r"solutions/mine\.py does not say its time: write '"):
        minutes_of(tmp_path, "mine")
    with pytest.raises(CourseError, match=r"does not say its points: write '\*\*Points:\*\* 36'"):
        points_of(tmp_path, "mine")
    with pytest.raises(CourseError, match=r"no exercise 'yours': solutions/yours\.py is missing"):
        steps_of(tmp_path, "yours")
