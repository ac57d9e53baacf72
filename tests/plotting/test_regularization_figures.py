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


MAKERS = [make_by_heart, make_gaps, make_used_pixels]


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
    (axes,) = make_gaps().axes
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
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
