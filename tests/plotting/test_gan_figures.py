"""The figures of the chapter on generative adversarial networks, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import gan as figures
from course_lib.plotting.style import figure_to_svg

RNG = np.random.default_rng(0)
AT = np.linspace(-2, 3, 40)
POINTS = RNG.normal(size=(50, 2))


def make_contest():
    return figures.contest()


def make_pictures():
    images = RNG.random((4, 8, 8))
    return figures.pictures({"real": images, "drawn": images[::-1]})


def make_best_judge():
    return figures.best_judge(AT, np.exp(-(AT**2)), np.exp(-((AT - 1) ** 2)), 1 - AT / 5, AT / 5)


def make_orbits():
    return figures.orbits({"one": POINTS, "two": POINTS / 2})


def make_rings():
    return figures.rings({"left": POINTS, "right": -POINTS}, real=POINTS[:9])


MAKERS = [make_contest, make_pictures, make_best_judge, make_orbits, make_rings]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure(make):
    figure = make()
    assert isinstance(figure, Figure)
    assert figure_to_svg(figure) == figure_to_svg(figure)


def test_ink_is_dark_and_rows_are_named():
    figure = figures.pictures({"real": np.zeros((3, 8, 8)), "drawn": np.ones((3, 8, 8))})
    first, last = figure.axes[0], figure.axes[3]
    assert first.images[0].get_array().max() == 1 and last.images[0].get_array().max() == 0
    assert (first.get_ylabel(), last.get_ylabel()) == ("real", "drawn")


def test_the_judge_is_drawn_below_the_densities_on_the_same_axis():
    above, below = make_best_judge().axes
    assert [text.get_text() for text in above.get_legend().texts] == ["real", "fake"]
    assert np.array_equal(above.lines[1].get_ydata(), np.exp(-((AT - 1) ** 2)))
    assert np.array_equal(below.lines[1].get_ydata(), AT / 5)
    assert above.get_xlim() == below.get_xlim()


def test_players_start_at_the_dot():
    panels = make_orbits().axes
    assert [panel.get_title(loc="left") for panel in panels] == ["one", "two"]
    assert np.allclose(panels[1].lines[1].get_xydata()[0], POINTS[0] / 2)


def test_real_points_lie_behind_those_of_each_panel():
    for panel, points in zip(make_rings().axes, (POINTS, -POINTS), strict=True):
        behind, before = panel.collections
        assert np.allclose(behind.get_offsets(), POINTS[:9])
        assert np.allclose(before.get_offsets(), points)


def test_the_contest_names_both_players_and_both_losses():
    said = " ".join(text.get_text() for text in make_contest().axes[0].texts)
    for word in ("generator", "discriminator", "fake → 1", "real → 1, fake → 0"):
        assert word in said
