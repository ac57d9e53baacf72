"""What an exercise says of its points is what its cells give."""

import re

import pytest
from nbgrader.utils import is_grade, is_solution, is_task

from course_lib.assignments.sources import source_notebook
from course_lib.paths import exercise_slugs, find_root, source_path

ROOT = find_root(__file__)
SLUGS = [slug for slug in exercise_slugs(ROOT) if source_path(ROOT, slug).is_file()]


def points(cells):
    return sum(cell.metadata.nbgrader["points"] for cell in cells)


@pytest.mark.parametrize("slug", SLUGS)
def test_the_first_lines_name_the_points(slug):
    cells = source_notebook(ROOT, slug).cells
    graded = [cell for cell in cells if is_grade(cell) or is_task(cell)]
    by_hand = [cell for cell in graded if is_solution(cell) or is_task(cell)]
    said = re.search(r"\*\*Points:\*\* (\d+), of which a person gives (\d+)\.", cells[0].source)
    assert said, f"{slug}: the first cell does not say how many points there are"
    assert tuple(map(int, said.groups())) == (points(graded), points(by_hand))
    assert 20 <= points(graded) <= 40


@pytest.mark.parametrize("slug", SLUGS)
def test_the_changelog_names_the_points(slug):
    listed = dict(
        re.findall(r"\*([\w-]+)\* \((\d+)(?: points)?\)", (ROOT / "CHANGELOG.md").read_text())
    )
    graded = [c for c in source_notebook(ROOT, slug).cells if is_grade(c) or is_task(c)]
    assert int(listed[slug]) == points(graded)
