"""The figures of the chapter on activation functions: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import activations as figures
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


@pytest.fixture
def x():
    return np.linspace(-3, 3, 61)


def make_fits(x):
    return figures.fits(x, np.sin(x), {"straight": 0.3 * x, "bent": np.sin(x) + 0.01})


def make_curves(x):
    step = (x > 0).astype(float)
    return figures.curves(
        x, {"hinge": (np.maximum(x, 0), step), "line": (x, np.ones_like(x)), "half": (x / 2, step)}
    )


def make_chain(_):
    k = np.arange(11)
    return figures.chain({"one": np.ones(11), "sigmoid": 0.2**k}, largest=0.25)


def make_hinges(x):
    return figures.hinges(
        x,
        np.sin(x),
        np.column_stack([np.sin(x), np.zeros_like(x), np.full_like(x, 0.1)]),
        np.array([-1.0, 1.0]),
        [2, 4, 8],
        {
            "single": np.array([0.1, 0.01, 0.001]),
            "runs": np.array([[0.2, 0.02, 0.0011], [0.3, 0.03, 0.0013], [0.9, 0.04, 0.002]]),
            "gaps": np.array([[0.5, np.nan, 0.0012], [0.6, np.nan, 0.0012]]),
        },
        goal=1e-3,
    )


def make_dead_units(_):
    dead = {"ReLU": [[0.1, 0.9], [0.2, 1.0], [0.0, 0.8]], "leaky": np.zeros((3, 2))}
    accuracy = {"ReLU": np.full((3, 2), 0.1), "leaky": np.full((3, 2), 0.1)}
    return figures.dead_units([0.1, 3], dead, accuracy)


def make_ranges(_):
    both = np.array([[-1.0, -3.0, 2.0], [1.0, -1.0, 1.0]])  # (samples, units): mixed, dead, on
    return figures.ranges({"raw": both, "centered": both - both.mean(axis=0)})


MAKERS = [make_fits, make_curves, make_chain, make_hinges, make_dead_units, make_ranges]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make, x):
    first, second = make(x), make(x)
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


@pytest.mark.parametrize("make", MAKERS)
def test_every_panel_says_what_is_against_what(make, x):
    for axes in make(x).axes:
        if not axes.get_visible():
            continue
        spec = axes.get_subplotspec()
        shares_x = len(axes.get_shared_x_axes().get_siblings(axes)) > 1
        shares_y = len(axes.get_shared_y_axes().get_siblings(axes)) > 1
        assert axes.get_xlabel() or (shares_x and not spec.is_last_row())
        assert axes.get_ylabel() or (shares_y and not spec.is_first_col())


def test_fits_names_and_draws_each_network(x):
    (axes,) = make_fits(x).axes
    assert set(texts(axes)) == {"target", "straight", "bent"}
    assert line_through(axes, 0.3 * x)
    assert line_through(axes, np.sin(x))


def test_curves_gives_each_function_a_panel_and_hides_the_empty_one(x):
    figure = make_curves(x)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title("left") for axes in shown] == ["hinge", "line", "half"]
    assert line_through(shown[0], np.maximum(x, 0))
    assert "steepest: 1" in texts(shown[0])


def test_curves_names_value_and_slope_where_they_are(x):
    axes = make_curves(x).axes[0]
    named = {
        text.get_text(): text.xy for text in axes.texts if text.get_text() in {"value", "slope"}
    }
    assert named["value"][1] == pytest.approx(named["value"][0])  # the hinge, on its right side
    assert named["slope"][1] == 1
    assert named["slope"][0] == named["value"][0] > 2


def test_fits_puts_no_name_on_a_curve(x):
    figure = make_fits(x)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    for text in axes.texts:
        box = text.get_window_extent()
        for line in axes.lines[1:]:  # the first is the broad line of the target
            points = axes.transData.transform(line.get_xydata())
            assert not any(box.contains(*point) for point in points), text.get_text()


def test_curves_draws_no_line_across_a_jump(x):
    for axes in make_curves(x).axes[:1]:
        for line in axes.lines[3:]:  # behind the two zero lines and the function itself
            assert np.abs(np.diff(line.get_ydata())).max(initial=0) < 0.5


def test_chain_writes_what_is_left_and_draws_the_bound(x):
    (axes,) = make_chain(x).axes
    names = " ".join(texts(axes))
    assert "one: 1" in names
    assert "sigmoid: 1.0×10⁻⁷" in names  # 0.2^10 = 1.0e-7
    assert line_through(axes, 0.25 ** np.arange(11))
    assert axes.get_yscale() == "log"
    labels = {label.get_text() for label in axes.get_yticklabels()}
    assert {"10⁰", "10⁻⁷"} <= labels
    assert not any("$" in text for text in labels | set(texts(axes)))  # mathtext is slow


def test_hinges_draws_medians_bands_and_leaves_out_what_was_not_measured(x):
    first, upper, lower = make_hinges(x).axes
    assert line_through(first, np.sin(x[x > -1.01])) and line_through(first, np.full(61, 0.1))
    assert line_through(upper, np.sin(x) + 0.1)
    assert line_through(lower, [0.3, 0.03, 0.0013])
    assert any(
        list(line.get_xdata()) == [2, 8] and np.allclose(line.get_ydata(), [0.55, 0.0012])
        for line in lower.lines
    )
    assert len(lower.collections) == 2  # a band for each with several runs


def test_dead_units_draws_medians_in_both_panels(x):
    dead, accuracy = make_dead_units(x).axes
    assert line_through(dead, [0.1, 0.9])
    assert line_through(accuracy, [0.1, 0.1])
    assert [label.get_text() for label in accuracy.get_xticklabels()] == ["0.1", "3"]


def test_ranges_counts_the_units_that_never_cross_zero_and_sorts_all(x):
    raw, centered = make_ranges(x).axes
    assert set(texts(raw)) == {"dead: 1", "never off: 1"}
    assert set(texts(centered)) == {"dead: 0", "never off: 0"}
    drawn = {
        tuple(np.round(path.vertices, 6).ravel())
        for bars in raw.collections
        for path in bars.get_paths()
    }
    assert drawn == {(0, -3, 0, -1), (1, -1, 1, 1), (2, 1, 2, 2)}  # x, low, x, high


@pytest.mark.parametrize("make", [make_hinges, make_dead_units])
def test_names_behind_curves_do_not_overlap(make, x):
    for axes in make(x).axes:
        heights = sorted(
            height for name, (across, height) in texts(axes).items() if across > 0.5 and name
        )
        assert np.all(np.diff(heights) > 0.07)


def test_a_name_stands_where_its_curve_ends(x):
    dead, _ = make_dead_units(x).axes
    _, height = texts(dead)["ReLU"]
    low, high = dead.get_ylim()
    assert height == pytest.approx((0.9 - low) / (high - low))
