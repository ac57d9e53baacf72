"""The figures of the chapter on many machines, from made-up numbers."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.plotting import cloud as figures
from course_lib.plotting.style import figure_to_svg

WORKERS = [1, 2, 4]


def make_ring(full: bool = False):
    holders = np.zeros((3, 3, 3), dtype=bool)
    holders[:, :, 0] = True
    if full:
        holders[2, 1] = True
    return figures.ring(holders, 1, [0, 1, 2], "reduce-scatter")


def make_traffic():
    return figures.traffic(WORKERS, {"a chief": [8, 16, 32], "ring": [8, 8, 8]}, size=8)


def make_speedups():
    return figures.speedups(WORKERS, {"model": [1, 2, 3]}, {"law": [1, 2, 4]})


def make_batches():
    return figures.batches(
        WORKERS, {"same": [[1, 2], [2, 3], [3, 5]], "scaled": np.ones((3, 2))}, 2.3
    )


def make_intervals():
    runs = np.arange(30.0).reshape(3, 10) + 100
    return figures.intervals([0.1, 0.5, 2], runs, ([0.1, 2], [104, 124]), best=0.5, work=95)


MAKERS = [
    figures.data_parallel,
    figures.cuts,
    make_ring,
    make_traffic,
    make_speedups,
    make_batches,
    make_intervals,
]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure(make):
    figure = make()
    assert isinstance(figure, Figure)
    assert figure_to_svg(figure) == figure_to_svg(figure)


def filled(figure):
    (axes,) = figure.axes
    return [p for p in axes.patches if isinstance(p, Rectangle) and p.get_alpha() == 0.85]


def test_a_part_has_a_bar_for_each_number_in_it():
    assert len(filled(make_ring())) == 9
    bars = filled(make_ring(full=True))
    assert len(bars) == 11
    colors = [bar.get_facecolor() for bar in bars]
    assert sum(color != colors[0] for color in colors) == 3  # the one that is finished


def test_what_is_sent_next_is_framed():
    (axes,) = make_ring().axes
    widths = [
        p.get_linewidth() for p in axes.patches if isinstance(p, Rectangle) and p.get_zorder() < 5
    ]
    assert len(widths) == 9 and sum(width > 2 for width in widths) == 3
    quiet = figures.ring(np.ones((3, 3, 3), dtype=bool), 4).axes[0]
    assert not [text for text in quiet.texts if text.get_text().startswith("part")]


def test_numbers_stand_at_their_logarithms():
    (axes,) = make_traffic().axes
    assert np.allclose(axes.lines[0].get_data(), [[0, 1, 2], [0, 1, 2]])
    assert np.allclose(axes.lines[1].get_ydata(), 0)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "4"]
    (axes,) = make_speedups().axes
    assert np.allclose(axes.lines[2].get_ydata(), np.log2([1, 2, 3]))


def test_seeds_are_averaged_and_shown():
    (axes,) = make_batches().axes
    mean, *seeds = axes.lines[:3]
    assert np.allclose(mean.get_ydata(), [1.5, 2.5, 4])
    assert [list(line.get_ydata()) for line in seeds] == [[1, 2, 3], [2, 3, 5]]


def test_runs_lie_around_their_means():
    (axes,) = make_intervals().axes
    assert np.allclose(axes.lines[1].get_ydata(), [104.5, 114.5, 124.5])
    assert axes.lines[3].get_xdata()[0] == -1  # log2 of Young's 0.5
