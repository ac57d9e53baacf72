"""The figures of the chapter on layers: what they show, from made-up arrays."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.plotting import layers as figures
from course_lib.plotting.style import COLORS, PAPER, figure_to_svg
from course_lib.scratch import regions

AXIS = np.linspace(-1, 1, 21)


def make_shapes():
    images = np.array([[0.0, 1.0, 0.5, 0.01]])  # 2 by 2 pixels
    arrays = {"hidden": np.array([[1.0, 0.0, 0.5]]), "output": np.array([[0.5, -2.0]])}
    return figures.shapes(images, arrays, samples=1200)


def make_units():
    right = np.maximum(np.meshgrid(AXIS, AXIS)[0], 0)
    layers = {"first": [("70%", right, 0.5), ("60%", right.T, -1.0)], "second": [("90%", right, 0)]}
    return figures.units(AXIS, AXIS, layers, [[0.5, 0.0], [-0.5, 0.0]], [1, 0])


def make_folds():
    return figures.folds({"one": ([0, 0.5, 1], [0, 1, 0]), "none": ([0, 1], [0, 1])})


def make_paper():
    return figures.paper(3, pin=0.3)


def make_maps():
    slope = np.meshgrid(AXIS, AXIS)[0]
    return figures.maps(AXIS, AXIS, {"slope": slope, "flat": 0 * slope - 1}, threshold=0.5)


def make_pieces():
    runs = np.array([[1, 5, 9], [2, 6, 30], [3, 8, 20]])
    return figures.pieces([7, 13, 19], {"known": [2, 4, 21], "runs": runs})


MAKERS = [make_shapes, make_units, make_maps, make_paper, make_folds, make_pieces]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


def test_shapes_names_layers_with_their_shapes_and_numbers_the_scores():
    (axes,) = make_shapes().axes
    words = [text.get_text() for text in axes.texts]
    assert {"input", "hidden", "output", "(1,200, 4)", "(1,200, 3)", "(1,200, 2)"} <= set(words)
    assert {"0", "1"} <= set(words)
    assert "2" not in words


def test_shapes_shades_by_size_and_signs_what_is_negative():
    (axes,) = make_shapes().axes
    cells = [patch for patch in axes.patches if isinstance(patch, Rectangle) and patch.get_fill()]
    # In shares of the largest of each layer; 0.01 is too faint to draw.
    assert [cell.get_facecolor() for cell in cells] == [
        *(to_rgba(COLORS[0], share) for share in (1, 0.5, 1, 0.5, 0.25)),
        to_rgba(COLORS[1], 1),
    ]
    (minus,) = axes.lines
    x, y = np.mean(minus.get_xdata()), np.mean(minus.get_ydata())
    assert cells[-1].get_bbox().contains(x, y)


def test_shapes_frames_the_highest_score():
    (axes,) = make_shapes().axes
    frames = [patch for patch in axes.patches if not patch.get_fill()]
    (thick,) = [frame for frame in frames if frame.get_linewidth() > 2]
    cells = [patch for patch in axes.patches if isinstance(patch, Rectangle) and patch.get_fill()]
    assert np.allclose(thick.get_bbox(), cells[-2].get_bbox())  # 0.5, not -2


def test_shapes_stacks_the_images_from_the_top():
    arrays = {"output": np.array([[1.0, 0.0], [0.0, 1.0]])}
    (axes,) = figures.shapes(np.eye(4)[:2], arrays, samples=2).axes
    thick = [p for p in axes.patches if not p.get_fill() and p.get_linewidth() > 2]
    (first, second) = [frame.get_bbox() for frame in thick]
    assert first.y0 > second.y1
    assert first.x0 < second.x0


def test_maps_shades_each_panel_on_two_levels():
    slope, flat = make_maps().axes
    assert [axes.get_title() for axes in (slope, flat)] == ["slope", "flat"]
    light, dark, line = slope.collections
    assert light.get_alpha() < dark.get_alpha()
    assert dark.get_paths()[0].vertices[:, 0].min() == pytest.approx(0.5)
    assert np.allclose(line.get_paths()[0].vertices[:, 0], 0.5)
    assert len(flat.collections) == 0


def test_units_shades_two_levels_and_draws_the_threshold():
    figure = make_units()
    (first, second), (third, empty) = np.reshape(figure.axes, (2, 2))
    assert [axes.get_title() for axes in (first, second, third)] == ["70%", "60%", "90%"]
    assert (first.get_ylabel(), third.get_ylabel()) == ("first", "second")
    assert not empty.axison
    # Active, above the threshold, and the line between: at x = 0.5.
    light, dark, line = first.collections
    assert light.get_alpha() < dark.get_alpha()
    (path,) = line.get_paths()
    assert np.allclose(path.vertices[:, 0], 0.5)
    assert dark.get_paths()[0].vertices[:, 0].min() == pytest.approx(0.5)
    # A threshold that every value is above is no line.
    assert len(second.collections) == 2
    assert [len(line.get_xdata()) for line in first.lines] == [1, 1]


def test_units_draws_a_silent_unit_as_an_empty_square():
    silent = {"row": [("50%", np.zeros((21, 21)), 0.0)]}
    (axes,) = figures.units(AXIS, AXIS, silent, [[0.0, 0.0]], [0]).axes
    assert len(axes.collections) == 0


def test_folds_draws_every_corner():
    one, none = make_folds().axes
    assert [axes.get_title("left") for axes in (one, none)] == ["one", "none"]
    curve, corners = one.lines
    assert np.array_equal(curve.get_xdata(), corners.get_xdata())
    assert list(corners.get_ydata()) == [0, 1, 0]
    assert one.get_ylabel()
    assert one.get_xlabel()


def test_pieces_draws_medians_bands_and_names_apart():
    (axes,) = make_pieces().axes
    known, runs = axes.lines
    assert list(known.get_ydata()) == [2, 4, 21]
    assert list(runs.get_ydata()) == [2, 6, 20]
    (band,) = axes.collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (1, 30)
    assert axes.get_yscale() == "log"
    places = {text.get_text(): text.xy[1] for text in axes.texts}
    assert set(places) == {"known", "runs"}
    assert abs(np.diff(np.log10(list(places.values())))) > 0.1


def test_a_pin_meets_every_sheet_and_makes_its_holes_where_the_tents_agree():
    (axes,) = make_paper().axes
    strips = [line for line in axes.lines if len(line.get_xdata()) > 13]
    pins = [line for line in axes.lines if line.get_linestyle() == "-" and line not in strips]
    holes = [line for line in axes.lines if line.get_markerfacecolor() == PAPER]
    for folds, (strip, pin, hole) in enumerate(zip(strips, pins, holes, strict=True), start=1):
        (x, y), at = strip.get_data(), pin.get_xdata()[0]
        crossed = np.flatnonzero((x[:-1] - at) * (x[1:] - at) < 0)
        assert len(crossed) == 2**folds
        assert np.array_equal(y[crossed], y[crossed + 1])  # through sheets, not through creases
        assert len(np.unique(y[crossed].round(9))) == 2**folds
        assert pin.get_ydata()[0] < y.min()
        assert pin.get_ydata()[1] > y.max()
        rectangle = [patch for patch in axes.patches if isinstance(patch, Rectangle)][folds - 1]
        places = (hole.get_xdata() - rectangle.get_x()) / rectangle.get_width()
        assert len(places) == 2**folds
        seen = regions.forward(places[:, np.newaxis], regions.tent(folds))[-1]
        assert np.allclose(seen, 0.3)  # one place for all, once folded
    words = [text.get_text() for text in axes.texts]
    assert {"1 fold", "2 folds", "3 folds", "2 holes", "4 holes", "8 holes"} < set(words)


def test_creases_of_a_folded_strip_do_not_cross():
    for folds in (1, 2, 3, 4):
        x, y = figures._folded(folds, 1.0, 0.01)
        flat = [(a, b) for a, b in pairwise(y) if a == b]
        assert len(x) == len(y)
        assert len(flat) == 2**folds
        # Creases at one end are nested or apart, never interlaced.
        levels = [round(a / 0.01) for a, _ in flat]
        for first in (0, 1):
            pairs = [
                sorted(pair) for pair in zip(levels[first::2], levels[first + 1 :: 2], strict=False)
            ]
            for a, b in pairs:
                for c, d in pairs:
                    assert not a < c < b < d
