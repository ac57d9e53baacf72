"""The figures of the chapter on interpretability: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from course_lib.plotting import interpretability as figures
from course_lib.plotting.style import COLORS, figure_to_svg

PICTURE = np.array([[0.0, 1.0], [0.5, 0.0]])
SIGNED = np.array([[4.0, -1.0], [0.0, 1.0]])
VALUES = np.array([0.4, 0.99, 0.48, 1.0, 1.0, 1.0, 1.0, 1.0])


def make_maps():
    rows = {"one": [(PICTURE, None), (PICTURE, SIGNED)], "other": [(PICTURE, -SIGNED)] * 2}
    return figures.maps(rows, ["sheet", "map"], [["", "a note"], ["", ""]])


def make_path():
    steps = np.linspace(0, 1, 5)[:, np.newaxis, np.newaxis]
    return figures.path(steps * PICTURE, SIGNED + steps, SIGNED, [-0.5, 1.0, 2.0, 3.0, 4.0])


def make_coalitions():
    return figures.coalitions(["size", "texture", "contour"], VALUES)


def make_shapley_values():
    errors = {"network 0": [0.2, 0.1, 0.05], "network 1": [0.4, 0.2, 0.1]}
    return figures.shapley_values(["a", "b", "c"], [1.0, -2.0, 3.0], [4, 16, 64], errors)


def make_faithfulness():
    shares = np.linspace(0, 1, 5)
    return figures.faithfulness(
        shares, {"ink": 1 - shares, "random": 1 - shares**2}, {"ink": shares, "random": shares**2}
    )


MAKERS = [make_maps, make_path, make_coalitions, make_shapley_values, make_faithfulness]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def squares(figure):
    """Return (faces, sides) of each collection of squares."""
    found = [c for axes in figure.axes for c in axes.collections if isinstance(c, PatchCollection)]
    return [(c.get_facecolor(), [np.ptp(p.vertices[:, 0]) for p in c.get_paths()]) for c in found]


def test_squares_have_the_sign_and_the_area_of_their_number():
    figure = figures.maps({"": [(PICTURE, SIGNED)]}, [""])
    (positive, plus), (negative, minus) = squares(figure)
    assert to_hex(positive[0]) == COLORS[0]
    assert len(negative) == 0 or negative[0][3] == 0, "negative ones are hollow"
    assert len(plus) == 2
    assert len(minus) == 1, "a zero has no square"
    assert plus[0] / plus[1] == pytest.approx(2), "four times the number, twice the side"
    assert minus[0] == pytest.approx(plus[1])


def test_maps_stand_in_a_table_with_names_and_notes():
    figure = make_maps()
    written = texts(figure)
    assert {"one", "other", "sheet", "map", "a note"} <= set(written)
    (axes,) = figure.axes
    assert len(axes.images) == 4
    assert len(squares(figure)) == 6
    # Each map is drawn on its own scale, whatever the others are.
    big = figures.maps({"": [(PICTURE, SIGNED), (PICTURE, 10 * SIGNED)]}, ["", ""])
    sides = [side for _, side in squares(big)]
    assert sides[0] == pytest.approx(sides[2])
    blank = figures.maps({"": [(PICTURE, 0 * SIGNED)]}, [""])
    assert all(not side for _, side in squares(blank))


def test_a_path_shows_its_ends_its_logits_and_one_scale_for_all_gradients():
    figure = make_path()
    written = texts(figure)
    assert {"baseline x′", "input x", "α = 0.25", "logit −0.5", "logit 4.0"} <= set(written)
    (axes,) = figure.axes
    alphas = [image.get_array()[0, 1, 3] for image in axes.images[0:10:2]]
    assert np.all(np.diff(alphas) > 0)
    first, last = squares(figure)[0], squares(figure)[8]
    assert first[1][0] < last[1][0], "gradients grow from 4 to 5 on a common scale"


def test_coalitions_show_what_the_player_adds_to_each():
    written = texts(make_coalitions())
    assert "nobody" in written
    assert "size + texture + contour" in written
    gains = [text for text in written if "orders" in text]
    assert gains == [
        "+0.59, in 1/3 of the orders",
        "+0.52, in 1/6 of the orders",
        "+0.00, in 1/6 of the orders",
        "+0.00, in 1/3 of the orders",
    ]
    other = texts(figures.coalitions(["size", "texture", "contour"], VALUES, player=2))
    assert "+0.60, in 1/3 of the orders" in other
    assert "+0.01, in 1/6 of the orders" in other


def test_shares_are_sorted_and_errors_beside_their_law():
    bars, lines = make_shapley_values().axes
    assert [label.get_text() for label in bars.get_yticklabels()] == ["b", "a", "c"]
    assert [patch.get_width() for patch in bars.patches] == [-2.0, 1.0, 3.0]
    assert bars.patches[0].get_facecolor()[3] == 0
    named = {line.get_label(): line.get_ydata() for line in lines.lines}
    assert named["1/√n"] == pytest.approx([0.2, 0.1, 0.05])
    assert named["network 1"] == pytest.approx([0.4, 0.2, 0.1])


def test_each_order_has_a_curve_in_both_panels():
    deleted, inserted = make_faithfulness().axes
    for axes, first in ((deleted, 1.0), (inserted, 0.0)):
        assert [line.get_label() for line in axes.lines] == ["ink", "random"]
        assert all(line.get_ydata()[0] == first for line in axes.lines)
        assert len({line.get_linestyle() for line in axes.lines}) == 2
