"""The figures of the chapter on supervised learning: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.metrics import Reliability
from course_lib.plotting import supervised as figures
from course_lib.plotting.style import figure_to_svg

HOURS = np.linspace(0, 24, 30)
TABLE = np.array([[50, 0, 3], [0, 40, 0], [1, 0, 60]])


def make_what_a_loss_asks():
    lines = {"mean": 30 + HOURS, "median": 28 + HOURS}
    return figures.what_a_loss_asks(HOURS, 40 + HOURS, HOURS, lines)


def make_confusion():
    images = np.random.default_rng(0).uniform(size=(3, 8, 8))
    return figures.confusion(TABLE, images, ["a 0, read as 2", "a 2, read as 0", "and one more"])


def make_diagrams():
    sure = Reliability(np.array([0.55, 0.95]), np.array([0.4, 0.8]), np.array([10, 90]))
    honest = Reliability(np.array([0.55, 0.95]), np.array([0.55, 0.95]), np.array([50, 50]))
    return figures.diagrams({"before": sure, "after": honest}, ["error 0.15", "error 0.00"])


def make_thresholds():
    grid = np.geomspace(1e-3, 1, 5)
    costs = {
        "validation": np.array([0.5, 0.3, 0.2, 0.4, 5.0]),
        "test": np.array([0.6, 0.1, 0.3, 0.5, 6.0]),
    }
    return figures.thresholds(grid, costs, 1 / 21)


MAKERS = [make_what_a_loss_asks, make_confusion, make_diagrams, make_thresholds]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


def test_each_answer_is_a_curve_over_the_trips():
    (axes,) = make_what_a_loss_asks().axes
    named = {line.get_label(): line.get_ydata() for line in axes.lines}
    assert np.array_equal(named["mean"], 30 + HOURS)
    assert np.array_equal(named["median"], 28 + HOURS)
    assert len({line.get_linestyle() for line in axes.lines}) == 2
    (cloud,) = axes.collections
    assert len(cloud.get_offsets()) == 30


def test_mistakes_stand_out_of_the_table_and_their_images_beside_it():
    counts, mistakes = make_confusion().axes
    texts = [text.get_text() for text in counts.texts]
    assert sorted(texts) == sorted(["50", "40", "60", "3", "1"])
    # A larger count is a larger square.
    squares = {round(patch.get_y() + patch.get_height() / 2): patch for patch in counts.patches}
    assert len(squares) == 2
    assert squares[0].get_width() > squares[2].get_width()
    assert len(mistakes.images) == 3
    assert "a 2, read as 0" in [text.get_text() for text in mistakes.texts]


def test_a_diagram_shows_the_gap_and_how_many_answers_have_it():
    before, after = make_diagrams().axes
    (gaps,) = before.collections[:1]
    lengths = [abs(end - start) for (_, start), (_, end) in gaps.get_segments()]
    assert lengths == pytest.approx([0.15, 0.15])
    few, many = before.collections[1].get_sizes()
    assert few < many
    assert before.texts[-1].get_text() == "error 0.15"
    assert [end - start for (_, start), (_, end) in after.collections[0].get_segments()] == [0, 0]


def test_the_lowest_cost_of_each_set_is_marked():
    (axes,) = make_thresholds().axes
    points = [line.get_xydata()[0].tolist() for line in axes.lines if len(line.get_xdata()) == 1]
    grid = np.geomspace(1e-3, 1, 5)
    assert points == [[grid[2], 0.2], [grid[1], 0.1]]
    low, high = axes.get_ylim()
    assert low == 0
    assert high < 2, "the right end must not take the room"
