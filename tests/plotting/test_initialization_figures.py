"""The figures of the chapter on initialization: what they show, from made-up arrays."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import initialization as figures
from course_lib.plotting.style import figure_to_svg


def texts(axes) -> dict[str, tuple[float, float]]:
    """Return each text of a panel with its place as shares of the panel's width and height."""
    to_share = axes.transAxes.inverted()
    return {
        text.get_text(): tuple(
            to_share.transform(text.get_transform().transform(text.get_position()))
        )
        for text in axes.texts
    }


def line_through(axes, y) -> bool:
    """Tell whether one of the panel's curves has these values."""
    return any(
        len(line.get_ydata()) == len(y) and np.allclose(line.get_ydata(), y) for line in axes.lines
    )


LAYERS = np.arange(21.0)


def make_through_depth():
    signal = {"grows": [1.5**LAYERS, 1.6**LAYERS, 1.7**LAYERS], "falls": 0.5**LAYERS}
    gradient = {"grows": 1.5 ** LAYERS[::-1], "falls": 0.5 ** LAYERS[::-1]}
    return figures.through_depth(signal, gradient)


def make_normalized():
    Z = np.arange(12.0).reshape(4, 3)
    return figures.normalized({"raw": Z, "centered": Z - Z.mean(axis=0)}, marked=2)


def make_rows_and_columns():
    return figures.rows_and_columns(4, 3)


def make_window():
    accuracy = {
        "with": [[0.7, 0.8, 0.9], [0.8, 0.9, 0.9], [0.9, 0.9, 1.0]],
        "without": [0.1, 1, 0.1],
    }
    return figures.window([0.5, 1, 2], accuracy)


def make_rescue():
    steps = np.linspace(0, 1, 40)
    return figures.rescue(
        {"one\nof two": np.exp(-3 * steps), "other": np.ones((3, 40))},
        {"one\nof two": np.full(5, 0.3), "other": np.linspace(0.5, 1, 9)},
        {"one\nof two": np.ones(10), "other": 10.0 ** -np.arange(10)},
    )


def make_residual_block():
    return figures.residual_block(["norm", "Linear", "ReLU"])


MAKERS = [make_through_depth, make_normalized, make_window, make_rescue]


@pytest.mark.slow
@pytest.mark.parametrize("make", [*MAKERS, make_residual_block, make_rows_and_columns])
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


@pytest.mark.parametrize("make", MAKERS)
def test_every_panel_says_what_is_against_what(make):
    for axes in make().axes:
        spec = axes.get_subplotspec()
        shares_x = len(axes.get_shared_x_axes().get_siblings(axes)) > 1
        ticks = " ".join(label.get_text() for label in axes.get_xticklabels())
        assert axes.get_xlabel() or "layer" in ticks or (shares_x and not spec.is_last_row())
        assert axes.get_ylabel() or not spec.is_first_col()


def test_through_depth_draws_medians_of_both_ways_on_logarithmic_axes():
    upper, lower = make_through_depth().axes
    assert line_through(upper, 1.6**LAYERS)
    assert line_through(lower, 0.5 ** LAYERS[::-1])
    assert upper.get_yscale() == lower.get_yscale() == "log"
    assert set(texts(upper)) == {"grows", "falls"}
    assert list(upper.get_xlim()) == list(lower.get_xlim())


def test_normalized_marks_one_sample_in_every_panel():
    raw, centered = make_normalized().axes
    assert line_through(raw, [6, 7, 8]) and line_through(centered, [1.5, 1.5, 1.5])
    assert [axes.get_title("left") for axes in (raw, centered)] == ["raw", "centered"]
    for axes in (raw, centered):
        marked = [line for line in axes.lines if line.get_marker() == "s"]
        assert len(marked) == 1 and len(axes.lines) == 1 + 4


def test_rows_and_columns_highlights_one_column_and_one_row():
    (axes,) = make_rows_and_columns().axes
    shaded = [patch for patch in axes.patches if patch.get_alpha() == 0.22]
    tall, wide = ((patch.get_height(), patch.get_width()) for patch in shaded)
    assert tall == pytest.approx((4 * 0.26, 0.26)) and wide == pytest.approx((0.26, 3 * 0.26))
    said = [text.get_text() for text in axes.texts]
    assert {"batch norm", "layer norm"} <= set(said) and said.count("4 samples") == 2


def test_window_draws_medians_and_bands():
    (axes,) = make_window().axes
    assert line_through(axes, [0.8, 0.9, 0.9]) and line_through(axes, [0.1, 1, 0.1])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0.5", "1", "2"]
    assert len(axes.collections) == 2
    assert axes.get_ylim() == (0, 1)


def test_rescue_gives_each_measure_a_panel():
    losses, likeness, gradient = make_rescue().axes
    assert line_through(losses, np.ones(40))  # a constant stays one when it is smoothed
    assert line_through(likeness, np.linspace(0.5, 1, 9))
    assert line_through(gradient, 10.0 ** -np.arange(10))
    assert [label.get_text() for label in losses.get_xticklabels()] == ["0", "20", "40"]


def test_residual_block_names_its_parts_in_order_and_skips_them():
    (axes,) = make_residual_block().axes
    across = {text.get_text(): text.get_position() for text in axes.texts}
    order = [across[name][0] for name in ("$a$", "norm", "Linear", "ReLU", "+", "$a + f(a)$")]
    assert order == sorted(order)
    skipping = next(place for name, place in across.items() if name.startswith("skip"))
    assert skipping[1] > across["Linear"][1] > across["$f(a)$"][1]
    # Two letters never touch: every text ends before the next in its row begins.
    figure = axes.figure
    figure.draw_without_rendering()
    row = [t for t in axes.texts if t.get_position()[1] == across["Linear"][1]]
    extents = sorted((t.get_window_extent().x0, t.get_window_extent().x1) for t in row)
    assert all(right < left for (_, right), (left, _) in pairwise(extents))


@pytest.mark.parametrize("make", [make_through_depth, make_window, make_rescue])
def test_names_stand_behind_their_curves_and_do_not_overlap(make):
    for axes in make().axes:
        names = texts(axes)
        heights = sorted((up, name.count("\n") + 1) for name, (_, up) in names.items())
        panel = axes.get_position().height * axes.figure.get_figheight()  # inches
        for (low, lines), (high, more) in pairwise(heights):
            assert (high - low) * panel >= 0.18 * (lines + more) / 2
    (axes,) = make_window().axes
    _, height = texts(axes)["without"]
    assert height == pytest.approx(0.1)


def test_names_that_would_overlap_move_both_ways_and_keep_their_order():
    (axes,) = figures.window([1, 2], {"high": [0.5, 0.52], "low": [0.5, 0.5]}).axes
    low, high = texts(axes)["low"][1], texts(axes)["high"][1]
    assert low < 0.5 and high > 0.52
    assert (low + high) / 2 == pytest.approx(0.51)
