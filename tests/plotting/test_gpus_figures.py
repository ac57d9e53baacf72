"""The figures of the chapter on graphics chips, from made-up numbers."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import gpus as figures
from course_lib.plotting.style import figure_to_svg, logarithmic, new_figure, power

RNG = np.random.default_rng(0)
MEASURED = {"sum": (1 / 6, 1e9), "layer": (0.5, 3e9), "product": (170, 9e10)}


def make_steps():
    return figures.steps([2.4e4, 4e6, 4e8], [9e9, 4e10, 7e9])


def make_roofline():
    return figures.roofline(1e11, {"memory": 8e9, "a cache": 4e10}, MEASURED)


def make_batches():
    roofs = {"memory": lambda n: min(200 * n, 2500), "a cache": lambda n: min(900 * n, 2500)}
    return figures.batches([1, 4, 16], [190, 700, 2000], roofs)


def make_gradients():
    sizes = RNG.normal(-13, 3, 500)
    return figures.gradients({"as is": sizes, "small": sizes - 12}, -25, 16, -12)


MAKERS = [
    make_steps,
    make_roofline,
    figures.blocks,
    figures.chips,
    make_batches,
    make_gradients,
    figures.waiting,
]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure(make):
    figure = make()
    assert isinstance(figure, Figure)
    assert figure_to_svg(figure) == figure_to_svg(figure)


def test_the_roof_rises_with_the_bandwidth_and_ends_at_the_peak():
    (axes,) = make_roofline().axes
    memory, cache, peak = axes.lines[:3]
    for line, bandwidth in ((memory, 8), (cache, 40)):
        x, y = line.get_data()
        assert np.allclose(y, bandwidth * np.asarray(x)) and y[-1] == 100
    assert set(peak.get_ydata()) == {100} and peak.get_xdata()[0] == 2.5
    points = {
        line.get_label(): (line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines[3:]
    }
    assert points == {name: (x, y / 1e9) for name, (x, y) in MEASURED.items()}
    for x, y in points.values():
        assert axes.get_xlim()[0] < x < axes.get_xlim()[1]
        assert axes.get_ylim()[0] < y < axes.get_ylim()[1]


def test_bytes_and_rates_have_their_units():
    (axes,) = make_steps().axes
    assert np.allclose(axes.lines[0].get_data(), [[0.024, 4, 400], [9, 40, 7]])
    (axes,) = make_batches().axes
    assert [text.get_text() for text in axes.get_legend().texts][-1] == "measured"


def test_a_share_of_gradients_is_shaded():
    above, below = make_gradients().axes
    assert (above.get_title(loc="left"), below.get_title(loc="left")) == ("as is", "small")
    total = sum(bar.get_height() for bar in below.patches if bar.get_width() == 1)
    assert total == pytest.approx(1)


def test_a_logarithmic_axis_names_the_powers_of_its_base():
    assert [power(v, b) for v, b in ((1e-7, 10), (1, 10), (1024, 2), (0.125, 2), (1000, 10))] == [
        "10⁻⁷",
        "10⁰",
        "2¹⁰",
        "2⁻³",
        "10³",
    ]
    figure, axes = new_figure()
    axes.plot([1, 64], [1e-3, 10])
    logarithmic(axes.xaxis, base=2)
    logarithmic(axes.yaxis)
    figure.draw_without_rendering()
    named = [text.get_text() for text in axes.get_xticklabels()]
    assert {"2⁰", "2³", "2⁶"} <= set(named)
    assert {"10⁻³", "10¹"} <= {text.get_text() for text in axes.get_yticklabels()}
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
