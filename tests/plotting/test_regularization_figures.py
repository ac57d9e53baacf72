"""The figures of the chapter on regularization: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.colors import same_color
from matplotlib.figure import Figure

from course_lib.plotting import regularization as figures
from course_lib.plotting.style import COLORS, figure_to_svg

CURVES = {
    "right labels": np.array([[0.2, 0.6, 1.0], [0.4, 0.8, 1.0], [0.0, 0.7, 1.0]]),
    "wrong labels": np.array([0.0, 0.1, 0.9]),
}
RESULTS = {
    "middling": ([0.9, 0.94], [0.8, 0.82]),
    "best": ([0.86, 0.88], [0.85, 0.87]),
    "worst": ([1.0, 1.0], [0.7, 0.74]),
}


def make_by_heart():
    return figures.by_heart(CURVES, best=2, note="look here")


def make_gaps():
    return figures.gaps(RESULTS)


def weights_of_a_pixel_of_its_own():
    """Weights of two networks: pixel k weighs k in one, one pixel alone in the other."""
    rising = np.outer(np.arange(64), [1.0, -1.0, 1.0])
    single = np.zeros((64, 3))
    single[10] = [0.0, -2.0, 0.0]
    return {"rising": rising, "single": single}


def make_used_pixels():
    return figures.used_pixels(weights_of_a_pixel_of_its_own())


def make_boundaries():
    side = np.linspace(-1, 1, 21)
    across, up = np.meshgrid(side, side)
    points = np.array([[0.5, 0.5], [-0.5, -0.5], [0.2, -0.8]])
    regions = {"upper half": up, "left half": -across}
    return figures.boundaries(1.0, regions, points, [1, 0, 1], [False, False, True])


def make_penalties():
    best = {"L2": [1.2, 1.6], "L1": [0.0, 2.0]}
    return figures.penalties(np.eye(2), [1.5, 2.0], best, budget=2.0)


def make_dropped():
    one = [[True, False, True], [True, True, False]]
    other = [[True, True, True], [False, True, True]]
    return figures.dropped({"one": one, "other": other})


MAKERS = [
    make_by_heart,
    make_gaps,
    make_used_pixels,
    make_boundaries,
    make_penalties,
    make_dropped,
]


def line_called(axes, label):
    (line,) = [line for line in axes.lines if line.get_label() == label]
    return line


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


def test_by_heart_draws_the_mean_of_runs_and_a_band_around_it():
    (axes,) = make_by_heart().axes
    line = line_called(axes, "right labels")
    assert np.array_equal(line.get_xdata(), [1, 2, 3])
    assert np.allclose(line.get_ydata(), [0.2, 0.7, 1.0])
    corners = {tuple(corner) for corner in axes.collections[0].get_paths()[0].vertices.round(6)}
    assert {(1.0, 0.0), (1.0, 0.4), (2.0, 0.6), (2.0, 0.8), (3.0, 1.0)} <= corners


def test_by_heart_draws_a_single_run_as_it_is():
    (axes,) = make_by_heart().axes
    assert np.allclose(line_called(axes, "wrong labels").get_ydata(), CURVES["wrong labels"])


def test_by_heart_tells_its_curves_apart_by_more_than_color():
    (axes,) = make_by_heart().axes
    lines = [line_called(axes, name) for name in CURVES]
    assert len({line.get_linestyle() for line in lines}) == len(
        {line.get_color() for line in lines}
    )
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(CURVES)


def test_by_heart_marks_an_epoch_where_one_is_named():
    (axes,) = make_by_heart().axes
    (note,) = axes.texts
    assert note.get_text() == "look here"
    assert note.xy[0] == 2
    assert any(np.array_equal(line.get_xdata(), [2, 2]) for line in axes.lines)


def test_by_heart_marks_nothing_where_none_is_named():
    (axes,) = figures.by_heart(CURVES).axes
    assert not axes.texts
    assert len(axes.lines) == len(CURVES)


def test_by_heart_says_what_is_against_what():
    (axes,) = make_by_heart().axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "share")
    assert axes.get_xlim()[0] == 1
    assert axes.get_ylim()[0] == 0
    assert axes.yaxis.get_major_formatter()(0.5) == "50%"


def test_gaps_puts_the_best_on_unseen_samples_on_top():
    (axes,) = make_gaps().axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["worst", "middling", "best"]
    assert list(axes.get_yticks()) == [0, 1, 2]
    bottom, top = axes.get_ylim()
    assert bottom < 0 and top > 2


def test_gaps_draws_every_run_and_the_line_between_the_means():
    (axes,) = make_gaps().axes
    drawn = [(line.get_xdata(), line.get_ydata()) for line in axes.lines]

    def is_drawn(x, height):
        return any(
            len(xs) == len(x) and np.allclose(xs, x) and np.allclose(ys, height) for xs, ys in drawn
        )

    for height, name in enumerate(["worst", "middling", "best"]):
        seen, unseen = RESULTS[name]
        assert is_drawn(seen, height)
        assert is_drawn(unseen, height)
        assert is_drawn([np.mean(unseen), np.mean(seen)], height)


def test_gaps_names_seen_and_unseen_once_and_by_markers_of_their_own():
    figure = make_gaps()
    (axes,) = figure.axes
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["unseen, right labels", "seen, a fifth of the labels wrong"]
    unseen, seen = (line_called(axes, name) for name in legend)
    assert unseen.get_marker() != seen.get_marker()
    assert not same_color(unseen.get_color(), seen.get_color())
    assert axes.get_xlabel()


def test_used_pixels_gives_each_network_a_panel():
    panels = make_used_pixels().axes
    assert [panel.get_title("left") for panel in panels] == ["rising", "single"]
    for panel in panels:
        assert panel.get_aspect() == 1
        top, bottom = panel.get_ylim()[::-1]
        assert top < bottom  # the first line of pixels is on top


def test_used_pixels_draws_a_square_in_proportion_to_a_pixels_weights():
    rising, _ = make_used_pixels().axes
    (squares,) = rising.collections
    places = np.asarray(squares.get_offsets())
    pixels = (8 * places[:, 1] + places[:, 0]).astype(int)
    assert np.array_equal(pixels, np.arange(1, 64))  # pixel 0 weighs nothing
    sizes = squares.get_sizes()
    assert np.allclose(sizes / sizes[-1], pixels / 63)
    assert same_color(squares.get_facecolor()[0], COLORS[0])


def test_used_pixels_makes_the_largest_square_no_larger_than_its_pixel():
    figure = make_used_pixels()
    figure.canvas.draw()
    for panel in figure.axes:
        (left, _), (right, _) = panel.transData.transform([(0, 0), (1, 0)])
        pixel = (right - left) * 72 / figure.dpi  # in points
        side = np.sqrt(panel.collections[0].get_sizes().max())
        assert 0.5 * pixel < side < pixel


def test_used_pixels_crosses_out_what_weighs_exactly_nothing():
    rising, single = make_used_pixels().axes
    for panel, expected in [(rising, [0]), (single, sorted(set(range(64)) - {10}))]:
        (crosses,) = panel.lines
        pixels = 8 * crosses.get_ydata() + crosses.get_xdata()
        assert list(pixels) == expected
        assert crosses.get_marker() == "x"


def test_used_pixels_draws_a_single_network():
    (panel,) = figures.used_pixels({"one": np.ones((64, 2))}).axes
    assert len(panel.collections[0].get_offsets()) == 64
    assert len(panel.lines[0].get_xdata()) == 0


def test_gaps_marks_the_ideals_where_the_share_of_right_labels_is_given():
    (axes,) = figures.gaps(RESULTS, right=0.8).axes
    upright = [line.get_xdata()[0] for line in axes.lines if len(set(line.get_xdata())) == 1]
    assert 0.8 in upright and 1.0 in upright
    assert {text.get_text() for text in axes.texts} == {"ideal, seen", "ideal, unseen"}
    (plain,) = make_gaps().axes
    assert not plain.texts


def test_used_pixels_makes_four_panels_as_large_as_the_page_allows():
    figure = figures.used_pixels({name: np.eye(64) for name in "abcd"})
    assert figure.get_size_inches()[0] == 7
    assert len(figure.axes) == 4


def inside(path, point):
    return any(polygon.contains_point(point) for polygon in path)


def test_boundaries_fills_where_the_network_says_yes_and_rings_wrong_labels():
    upper, left = make_boundaries().axes
    assert [upper.get_title("left"), left.get_title("left")] == ["upper half", "left half"]
    for panel, yes, no in [(upper, (0.5, 0.5), (0.5, -0.5)), (left, (-0.5, -0.5), (0.5, -0.5))]:
        filled = panel.collections[0].get_paths()
        assert inside(filled, yes)
        assert not inside(filled, no)
        labeled_yes, labeled_no, rings = panel.lines
        assert np.array_equal(labeled_yes.get_xydata(), [[0.5, 0.5], [0.2, -0.8]])
        assert np.array_equal(labeled_no.get_xydata(), [[-0.5, -0.5]])
        assert labeled_yes.get_marker() != labeled_no.get_marker()
        assert np.array_equal(rings.get_xydata(), [[0.2, -0.8]])
    (legend,) = make_boundaries().legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["labeled yes", "labeled no", "wrong label"]


def test_penalties_draws_a_circle_and_a_diamond_of_the_budget_and_what_touches_them():
    round_one, pointed = make_penalties().axes
    assert round_one.get_title("left") == "L2: a circle"
    assert pointed.get_title("left") == "L1: a diamond"
    for panel, norm, place in [(round_one, 2, [1.2, 1.6]), (pointed, 1, [0.0, 2.0])]:
        outline = panel.lines[0].get_xydata()
        assert np.allclose(np.linalg.norm(outline, norm, axis=1), 2)
        dots = [line.get_xydata()[0] for line in panel.lines if len(line.get_xdata()) == 1]
        assert np.allclose(dots, [[1.5, 2.0], place])
        assert panel.get_aspect() == 1
        assert (panel.get_xlabel(), panel.get_xlim()) == ("$w_1$", panel.get_ylim())


def test_penalties_draws_the_contour_that_touches_heavily():
    for panel in make_penalties().axes:
        (contours,) = [c for c in panel.collections if len(c.get_linewidths()) > 1]
        widths = contours.get_linewidths()
        assert np.argmax(widths) == 3 and np.sum(widths == max(widths)) == 1


def test_dropped_crosses_out_what_is_silenced_in_each_panel():
    one, other = make_dropped().axes
    assert [one.get_title("left"), other.get_title("left")] == ["one", "other"]
    for panel, silenced in [(one, 2), (other, 1)]:
        assert [text.get_text() for text in panel.texts].count("×") == silenced
        names = [text.get_text() for text in panel.texts if text.get_text().startswith("hidden")]
        assert names == ["hidden 1", "hidden 2"]
    # Units stand at the same heights in both, so that the eye can compare.
    assert np.allclose(one.get_position().height, other.get_position().height)
