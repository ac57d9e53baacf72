"""The figures of the chapter on diffusion models, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import diffusion as figures
from course_lib.plotting.style import figure_to_svg

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(40, 2))


def make_chain():
    return figures.chain(RNG.random((4, 8, 8)))


def make_clouds():
    return figures.clouds({"Step 0": POINTS, "Step 9": -POINTS}, labels=np.arange(40) % 2)


def make_clouds_over_real_ones():
    return figures.clouds({"drawn": POINTS}, real=POINTS[:7])


def make_field():
    return figures.field({"t": -POINTS}, POINTS, {"t": -POINTS / 2}, {"t": POINTS[:8]})


def make_quality():
    return figures.quality(
        (1, 5, 100), {"one": [[1, 50, 90], [3, 60, 92]], "two": [[0, 9, 9]]}, "%"
    )


def make_trade():
    return figures.trade((0.5, 1, 2), [[30, 80, 99]], [[1.8, 1.7, 1.6]], (81, 2.3))


MAKERS = [
    make_chain,
    make_clouds,
    make_clouds_over_real_ones,
    make_field,
    make_quality,
    make_trade,
]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure(make):
    figure = make()
    assert isinstance(figure, Figure)
    assert figure_to_svg(figure) == figure_to_svg(figure)


def test_the_chain_shows_four_pictures_and_what_the_network_is_given():
    pictures = RNG.random((4, 8, 8))
    axes = figures.chain(pictures).axes[0]
    for image, picture in zip(axes.images, pictures, strict=True):
        assert np.allclose(image.get_array(), 1 - picture)
    said = [text.get_text() for text in axes.texts]
    for word in ("$x_0$", "$x_{t-1}$", "$x_T$", "$t$", "network", "add noise"):
        assert word in said
    assert said.count("$x_t$") == 2


def test_labels_have_markers_of_their_own():
    for panel, sign in zip(make_clouds().axes, (1, -1), strict=True):
        first, second = panel.collections
        assert np.allclose(first.get_offsets(), sign * POINTS[::2])
        assert np.allclose(second.get_offsets(), sign * POINTS[1::2])
        assert len(first.get_paths()[0]) != len(second.get_paths()[0])


def test_real_points_lie_behind():
    behind, before = make_clouds_over_real_ones().axes[0].collections
    assert np.allclose(behind.get_offsets(), POINTS[:7])
    assert np.allclose(before.get_offsets(), POINTS)


def test_learned_arrows_lie_on_the_exact_ones_and_are_thinner():
    exact, learned = make_field().axes[0].collections
    assert np.allclose(learned.U, -POINTS[:, 0]) and np.allclose(exact.V, -POINTS[:, 1] / 2)
    assert learned.width < exact.width


def test_each_panel_of_a_field_has_crosses_of_its_own():
    sites = {"a": POINTS[:8], "b": POINTS[8:16] / 2}
    arrows = {"a": POINTS, "b": POINTS}
    for axes, at in zip(
        figures.field(arrows, POINTS, arrows, sites).axes, sites.values(), strict=True
    ):
        assert np.allclose(axes.lines[0].get_xydata(), at)


def test_a_curve_is_the_mean_of_its_seeds():
    axes = make_quality().axes[0]
    assert np.allclose(axes.lines[0].get_ydata(), [2, 55, 91])
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["1", "5", "100"]
    assert [text.get_text() for text in axes.get_legend().texts] == ["one", "two"]


def test_the_trade_has_real_samples_in_both_panels():
    left, right = make_trade().axes
    assert set(left.lines[0].get_ydata()) == {81} and set(right.lines[0].get_ydata()) == {2.3}
    assert np.allclose(right.lines[1].get_ydata(), [1.8, 1.7, 1.6])
