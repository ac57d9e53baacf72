"""The figures of *Capstone* show what they are given."""

import re

import numpy as np
import pytest

from course_lib.plotting import capstone as figures


def test_advantages_are_drawn_with_their_ends():
    figure = figures.advantages(
        {"a": (0.2, 0.1, 0.3), "b": (-0.02, -0.08, 0.04)}, "points", percent=True
    )
    (axes,) = figure.axes
    lines = [
        line for line in axes.lines if len(line.get_xdata()) == 2 and line.get_color() != "#656d76"
    ]
    np.testing.assert_allclose([line.get_xdata() for line in lines], [[10, 30], [-8, 4]])
    assert [t.get_text() for t in axes.texts] == ["10.0 to 30.0", "\N{MINUS SIGN}8.0 to 4.0"]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["a", "b"]
    # From top to bottom.
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    low, high = axes.get_xlim()
    assert low < -8 and high > 30


def test_scores_that_are_no_shares_keep_their_unit():
    figure = figures.advantages({"a": (0.2, 0.1, 0.3)}, "error")
    assert [t.get_text() for t in figure.axes[0].texts] == ["0.100 to 0.300"]


def test_photographs_stand_in_the_row_of_their_sheet():
    pictures = np.arange(2 * 3 * 4.0).reshape(2, 3, 4)
    figure = figures.photographs(pictures, ["one", "two"], size=2)
    panels = [axes for axes in figure.axes if axes.images]
    assert len(panels) == 6
    np.testing.assert_array_equal(panels[4].images[0].get_array(), pictures[1, 1].reshape(2, 2))
    assert panels[0].get_ylabel() == "one" and panels[3].get_ylabel() == "two"
    assert all(panel.get_title() == "" for panel in panels)
    # One scale for all, so that light can be compared.
    assert {panel.images[0].get_clim() for panel in panels} == {(0.0, 23.0)}


def test_what_was_read_stands_above_and_mistakes_can_be_told_without_color():
    said, wrong = np.array([[1, 7], [3, 3]]), np.array([[False, True], [True, False]])
    figure = figures.photographs(np.zeros((2, 2, 4)), ["a 1", "a 3"], 2, said=said, wrong=wrong)
    titles = [axes.title for axes in figure.axes if axes.images]
    assert [title.get_text() for title in titles] == ["1", "(7)", "(3)", "3"]
    assert [title.get_fontweight() for title in titles] == ["normal", "bold", "bold", "normal"]


def test_every_run_is_a_dot():
    figure = figures.spread({"same": [1.0, 1.0], "other": [3.0, 2.0, 4.0]}, "score")
    (axes,) = figure.axes
    assert [sorted(line.get_xdata()) for line in axes.lines] == [[1, 1], [2, 3, 4]]
    # Equal ones do not hide each other.
    assert len(set(axes.lines[0].get_ydata())) == 2


def test_the_drawing_names_every_part():
    (axes,) = figures.project().axes
    said = {text.get_text() for text in axes.texts}
    assert {"training", "validation", "test, locked", "3  split"} <= said
    # The ten steps of the template, each once.
    numbers = [n for text in said for n in re.findall(r"^[\d, ]*\d(?=  )", text)]
    assert sorted(int(n) for line in numbers for n in line.split(", ")) == list(range(1, 11))


@pytest.mark.parametrize("draw", [figures.project, lambda: figures.spread({"a": [1.0]}, "s")])
def test_figures_are_of_the_book(draw):
    assert type(draw()).__name__ == "_BookFigure"
