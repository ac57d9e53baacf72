"""The figures of the chapter on security: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import security as figures
from course_lib.plotting.style import figure_to_svg

KINDS = {"trees": {"spree": 0.6, "small": 0.0}, "forest": {"spree": 0.3, "small": 0.5}}
SPREAD = {
    name: {kind: (v - 0.1, v + 0.1) for kind, v in row.items()} for name, row in KINDS.items()
}
WEEKS = np.array([14, 18, 22])
WORLDS = {
    "moves": ([0.5, 0.3, 0.1], [0.0, 0.0, 0.0], [0.2, 0.4, 1.2]),
    "stays": ([0.5, 0.5, 0.4], [0.0, 0.1, 0.3], [0.2, 0.2, 0.1]),
}


def make_stream():
    spans = {"past": (0, 2), "learn": (2, 6), "use": (8, 12)}
    return figures.stream(spans, 8, [(3.0, 5.0), (7.0, 9.5)], np.arange(12) + 0.5, 12)


def make_areas():
    return figures.areas(9856, 8, 2, 134)


def make_curves():
    x = np.linspace(0, 1, 50)
    return figures.curves((x, np.sqrt(x)), (x, 1 - x**2), (0.67, 0.6), 0.001)


def make_costs():
    return figures.costs(20, 5)


def make_by_kind():
    return figures.by_kind(KINDS, SPREAD)


def make_watch():
    return figures.watch(WEEKS, WORLDS, 0.45, [0.5, 0.6, 0.7])


def make_probing():
    got = {"new": [0, 90, 120], "told": [250, 300, 310]}
    return figures.probing([1, 2, 3], got, 500)


MAKERS = [
    make_stream,
    make_areas,
    make_curves,
    make_costs,
    make_by_kind,
    make_watch,
    make_probing,
]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_the_stream_shows_which_reports_come_too_late():
    (axes,) = make_stream().axes
    assert {"past", "learn", "use", "the detector is trained", "not yet known"} <= set(texts(axes))
    diamonds = [line for line in axes.lines if line.get_marker() == "D"]
    # Two frauds, and two in the key: one of each is filled.
    filled = [line.get_markerfacecolor() == line.get_markeredgecolor() for line in diamonds]
    assert sorted(filled) == [False, False, True, True]
    assert [filled[0], filled[1]] == [True, False]
    assert len(axes.patches) == 3 + 2 * 2  # spans, and two arrows for each fraud


def test_areas_show_as_many_marks_as_there_are_payments():
    axes, words = make_areas().axes
    counts = [len(line.get_xdata()) for line in axes.lines]
    assert sorted(counts) == [2, 8, 134]
    places = np.concatenate(
        [np.stack([line.get_xdata(), line.get_ydata()], 1) for line in axes.lines]
    )
    assert len(np.unique(places, axis=0)) == 144
    assert {"8", "2", "134", "9,856", "6% of the alarms are right"} <= set(texts(words))


def test_the_same_recall_is_marked_in_both_curves():
    roc, precision = make_curves().axes
    dots = [line for axes in (roc, precision) for line in axes.lines if line.get_marker() == "o"]
    (up,), (recall,) = dots[0].get_ydata(), dots[1].get_xdata()
    assert up >= 0.8 and recall == pytest.approx(0.8, abs=0.03) and recall >= 0.8
    assert roc.get_title(loc="left") == "ROC: area 0.67"
    assert precision.get_title(loc="left") == "Average precision 0.60"


def test_curves_keep_their_shape_with_fewer_points():
    x = np.linspace(0, 1, 20_001)
    across, up = figures._corners(x, x**0.3)
    assert len(across) < 1500
    assert across[0] == 0 and across[-1] == 1
    assert np.abs(np.interp(x, across, up) - x**0.3).max() < 0.003


def test_costs_are_written_into_the_table():
    (axes,) = make_costs().axes
    written = texts(axes)
    assert "amount + 20" in written and written.count("5") == 3 and "p · (amount + 20)" in written


def test_a_kind_that_is_not_found_has_a_0():
    (axes,) = make_by_kind().axes
    assert texts(axes) == ["0"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["spree", "small"]
    assert sorted(patch.get_height() for patch in axes.patches) == pytest.approx([0, 30, 50, 60])


def test_three_panels_watch_the_same_worlds():
    figure = make_watch()
    quality, everything, reports = figure.axes
    for axes, column in ((quality, 0), (everything, 1), (reports, 2)):
        for name, values in WORLDS.items():
            (line,) = [line for line in axes.lines if line.get_label() == name]
            assert np.array_equal(line.get_ydata(), values[column])
    assert {"0.1", "0.25"} <= set(texts(everything))
    assert [text.get_text() for text in figure.legends[0].get_texts()][
        -1
    ] == "fraud moves, retrained"


def test_probing_has_a_curve_for_each_thief():
    (axes,) = make_probing().axes
    named = {line.get_label(): list(line.get_ydata()) for line in axes.lines}
    assert named["new"] == [0, 90, 120] and named["told"] == [250, 300, 310]
