"""The figures of the chapter on evaluation: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from course_lib.metrics import Reliability
from course_lib.plotting import evaluation as figures
from course_lib.plotting.style import COLORS, figure_to_svg

SPREADS = {"training data": 0.8, "first weights": 0.3, "order": 0.4, "test set": 2.5}
LEAKED = np.arange(6) < 2


def make_sources():
    return figures.sources(SPREADS, 2.6)


def make_intervals():
    low = np.array([0.85, 0.91, 0.8, 0.86])
    coverage = {
        "90% of 100": {"bootstrap": (0.94, 0.01), "Wilson": (0.95, 0.01)},
        "99% of 100": {"bootstrap": (0.63, 0.01), "Wilson": (0.93, 0.01)},
    }
    return figures.intervals(low, low + 0.06, 0.9, coverage)


def make_paired():
    a = np.linspace(90, 96, 20)
    return figures.paired(a, a + np.tile([1.0, -0.5], 10), np.linspace(-4, 5, 40), ("old", "new"))


def make_winners():
    before = np.array([1.0, 4.0, -2.0, -3.0])
    return figures.winners(
        {"coins": (before, np.array([0.1, -0.2, 0, 0.1])), "nets": (before / 2, before / 9)},
        ("here", "there"),
    )


def make_leaks():
    score = np.array([0.9, 0.8, 0.1, 0.2, 0.1, 0.15])
    return figures.leaks(
        {"copied": (1.0 * LEAKED, score), "altered": (0.3 * LEAKED, score)}, LEAKED, "found (%)"
    )


def make_by_group():
    at = np.array([0.2, 0.8])
    found = {
        "north": Reliability(at, np.array([0.1, 0.7]), np.array([5, 5])),
        "south": Reliability(at, np.array([0.3, 0.9]), np.array([5, 5])),
    }
    return figures.by_group({"blind": found, "seeing": found}, [["a", "b"], ["c", "d"]])


def make_frontier():
    return figures.frontier([0, 10, 40], {"by clinic": [260, 240, 220]}, {"blind": (1.0, 262.0)})


def make_claims():
    return figures.claims({"all": (0.07, 0.04, 0.1), "clean": (0.02, -0.03, 0.08)})


MAKERS = [
    make_sources,
    make_intervals,
    make_paired,
    make_winners,
    make_leaks,
    make_by_group,
    make_frontier,
    make_claims,
]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


@pytest.mark.parametrize("make", MAKERS)
def test_letters_can_be_read(make):
    figure = make()
    figure.canvas.draw()
    assert all(
        t.get_fontsize() >= 9 for t in figure.findobj(match=lambda a: hasattr(a, "get_fontsize"))
    )


def test_bells_are_as_wide_as_the_spreads():
    (axes,) = make_sources().axes
    widths = [np.ptp(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) > 2]
    assert np.array(widths) / widths[0] == pytest.approx(np.array([0.8, 0.3, 0.4, 2.5, 2.6]) / 0.8)
    texts = [text.get_text() for text in axes.texts]
    assert {"0.8 points", "2.5 points", "together 2.6 points", *SPREADS} <= set(texts)


def test_misses_are_thicker_and_counted():
    left, right = make_intervals().axes
    covers, misses = left.collections
    assert len(covers.get_segments()) == 2
    assert len(misses.get_segments()) == 2
    assert misses.get_linewidth()[0] > covers.get_linewidth()[0]
    assert [text.get_text() for text in left.get_legend().get_texts()] == [
        "covers: 2",
        "misses: 2",
    ]
    # From the lowest to the highest, so that the misses lie at the two ends.
    assert sorted(segment[0][1] for segment in misses.get_segments()) == [0, 3]
    points = {c.get_label(): c.lines[0].get_xdata() for c in right.containers}
    assert points["bootstrap"] == pytest.approx([94, 63])
    assert points["Wilson"] == pytest.approx([95, 93])


def test_pairs_that_fall_look_different_and_pairs_vary_less():
    left, right = make_paired().axes
    assert len(left.lines) == 16
    assert {line.get_linestyle() for line in left.lines} == {"-", "--"}
    falls = [line for line in left.lines if np.diff(line.get_ydata())[0] < 0]
    assert {line.get_linestyle() for line in falls} == {"--"}
    unpaired = [patch.get_height() for patch in right.patches[:-1]]
    assert sum(unpaired) == pytest.approx(100)
    assert right.get_xlabel() == "new minus old (points)"


def test_the_winner_is_who_leads_where_it_was_chosen():
    coins, nets = make_winners().axes
    for axes, ends in ((coins, (4.0, -0.2)), (nets, (2.0, 4 / 9))):
        (winner,) = [line for line in axes.lines if line.get_label() == "the winner"]
        assert winner.get_ydata() == pytest.approx(ends)
        assert winner.get_linewidth() > 2
    assert {text.get_text() for text in coins.texts} == {"+4.0", "−0.2"}


def test_what_was_planted_has_its_own_marker():
    copied, altered = make_leaks().axes
    clean, leaked = copied.collections
    assert len(clean.get_offsets()) == 4
    assert leaked.get_offsets().tolist() == [[100, 90], [100, 80]]
    assert altered.collections[1].get_offsets()[:, 0].tolist() == [30, 30]
    assert to_hex(leaked.get_facecolor()[0]) == COLORS[1]


def test_each_group_has_a_line_and_a_note():
    blind, seeing = make_by_group().axes
    north, south = (line for line in blind.lines if not line.get_label().startswith("_"))
    assert north.get_ydata() == pytest.approx([10, 70])
    assert south.get_ydata() == pytest.approx([30, 90])
    assert north.get_linestyle() != south.get_linestyle()
    assert [text.get_text() for text in seeing.texts] == ["c", "d"]


def test_a_policy_is_a_point_beside_the_frontier():
    (axes,) = make_frontier().axes
    curve, point = axes.lines
    assert curve.get_xydata().tolist() == [[0, 260], [10, 240], [40, 220]]
    assert point.get_xydata().tolist() == [[1, 262]]
    assert point.get_linestyle() == "None"


def test_a_claim_that_may_be_nothing_is_dashed():
    (axes,) = make_claims().axes
    spans = [line for line in axes.lines if len(line.get_xdata()) == 2 and line.get_linewidth() > 2]
    assert [line.get_linestyle() for line in spans] == ["-", "--"]
    assert spans[1].get_xdata() == pytest.approx([-3, 8])
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["all", "clean"]
