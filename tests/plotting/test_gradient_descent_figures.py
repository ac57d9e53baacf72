"""The figures of the chapter on gradient descent: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import gradient_descent as figures
from course_lib.plotting.style import figure_to_svg


def line_through(axes, x, y) -> bool:
    """Tell whether one of the panel's curves goes through these points."""
    return any(
        len(line.get_ydata()) == len(y)
        and np.allclose(line.get_xdata(), x)
        and np.allclose(line.get_ydata(), y)
        for line in axes.lines
    )


def legend(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


STEPS = np.arange(0, 50, 10)


def make_edge():
    return figures.edge(
        [0.5, 1.0, 2.5],
        {"first": [0.1, 0.2, 1e9], "second": [0.5, 0.4, 1e8]},
        STEPS,
        {0.2: [20, 12, 10, 11, 10], 0.1: [19.0, 20, 21, 20, 20]},
    )


def make_parabola():
    return figures.parabola({"creeps": [1.0, 0.9, 0.8], "leaps": [1.0, -1.5, 2.0]}, curvature=2.0)


X, Y = np.linspace(-2, 2, 30), np.linspace(-1, 1, 20)
HEIGHT = X**2 + 10 * Y[:, None] ** 2
ROUTE = np.array([[-1.5, 0.5], [-1.0, -0.2], [0.1, 0.05]])


def make_paths():
    return figures.paths(
        {"bowl": (X, Y, HEIGHT), "valley": (X, Y, HEIGHT + 1)},
        {place: {"plain": ROUTE, "Adam": ROUTE + 0.1} for place in ("bowl", "valley")},
        {"bowl": (0, 0), "valley": (0.5, 0)},
    )


def make_saddle():
    return figures.saddle(
        (X, Y, X * Y[:, None]),
        {"far": ROUTE, "near": ROUTE + 0.1},
        {"far": [2.0, 1.0, 0.0], "near": [2.0, 1.5, 1.0]},
    )


def make_speed():
    kappas = np.array([10, 100, 1000])
    return figures.speed(kappas, {"plain": 3 * kappas, "momentum": 2 * np.sqrt(kappas)})


def make_schedules():
    falling = np.linspace(1, 0.1, 4)
    return figures.schedules(
        {"constant": np.full(20, 0.3), "cosine": np.linspace(0.3, 0, 20)},
        {"constant": [falling, 2 * falling, 9 * falling], "cosine": [falling, falling / 2]},
    )


def make_race():
    return figures.race(
        [0.01, 0.1, 1.0],
        {"SGD": [2.0, 1.0, 0.3], "Adam": [0.2, 1.0, 2.0]},
        {"SGD": 1.0, "Adam": 0.01},
        {"SGD": [0.9, 0.7, 0.8], "Adam": [0.95]},
    )


MAKERS = [
    make_parabola, make_edge, make_paths, make_saddle, make_speed, make_schedules, make_race,
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


@pytest.mark.parametrize("make", MAKERS)
def test_every_panel_says_what_is_against_what(make):
    figure = make()
    for axes in figure.axes:
        place = axes.get_subplotspec()
        assert axes.get_xlabel() or (make is make_paths and not place.is_last_row())
        # The panel on the left speaks for its row, or the names of the race for themselves.
        named = " ".join(label.get_text() for label in axes.get_yticklabels())
        assert axes.get_ylabel() or "Adam" in named or not place.is_first_col()


def test_parabola_draws_each_route_on_the_same_curve_from_the_same_start():
    creeps, leaps = make_parabola().axes
    assert [axes.get_title("left") for axes in (creeps, leaps)] == ["creeps", "leaps"]
    assert line_through(creeps, [1.0, 0.9, 0.8], [1.0, 0.81, 0.64])
    assert line_through(leaps, [1.0, -1.5, 2.0], [1.0, 2.25, 4.0])
    for axes in (creeps, leaps):
        assert line_through(axes, [1.0], [1.0])
        curve = axes.lines[0]
        assert np.allclose(curve.get_ydata(), curve.get_xdata() ** 2)
        assert curve.get_xdata().max() > 2


def test_edge_marks_the_limit_of_the_bowl_and_of_each_rate():
    left, right = make_edge().axes
    assert line_through(left, [2, 2], [0, 1])
    assert line_through(left, [0.5, 1.0, 2.5], [0.1, 0.2, 1e9])
    assert legend(left) == ["first", "second"]
    for limit in (10, 20):
        assert line_through(right, [0, 1], [limit, limit])
    assert line_through(right, STEPS, [19, 20, 21, 20, 20])
    assert [(text.get_text(), text.xy[1]) for text in right.texts] == [
        ("rate 0.2", 10),
        ("rate 0.1", 20),
    ]
    assert right.get_ylim()[0] == 0 and right.get_ylim()[1] > 21


def test_paths_draws_every_route_from_its_start_to_the_bottom():
    figure = make_paths()
    assert [axes.get_title("left") for axes in figure.axes] == ["plain", "Adam", "", ""]
    for axes, route, bottom in zip(
        figure.axes,
        [ROUTE, ROUTE + 0.1] * 2,
        [(0, 0), (0, 0), (0.5, 0), (0.5, 0)],
        strict=True,
    ):
        assert line_through(axes, *route.T)
        assert line_through(axes, [route[0, 0]], [route[0, 1]])
        assert line_through(axes, [bottom[0]], [bottom[1]])
        assert axes.get_xlim() == (-2, 2)
    assert figure.axes[2].get_ylabel().startswith("valley")


def test_saddle_draws_the_paths_the_point_and_the_losses():
    left, right = make_saddle().axes
    assert line_through(left, *ROUTE.T) and line_through(left, *(ROUTE + 0.1).T)
    assert line_through(left, [0], [0]) and line_through(left, [-1.5], [0.5])
    assert [text.get_text() for text in left.texts] == ["saddle point"]
    assert line_through(right, [0, 1, 2], [2.0, 1.0, 0.0])
    assert legend(right) == ["far", "near"]


def test_speed_says_the_slope_of_each_line():
    (axes,) = make_speed().axes
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert legend(axes) == ["plain: slope 1.00", "momentum: slope 0.50"]


def test_schedules_draws_rates_and_the_median_of_the_runs():
    left, right = make_schedules().axes
    assert line_through(left, np.arange(20), np.full(20, 0.3))
    assert line_through(right, [1, 2, 3, 4], 2 * np.linspace(1, 0.1, 4))
    assert len(right.collections) == 2  # a band for each
    assert legend(right) == ["constant", "cosine"]


def test_race_marks_the_chosen_rates_every_result_and_the_medians():
    left, right = make_race().axes
    assert line_through(left, [0.01, 0.1, 1.0], [2.0, 1.0, 0.3])
    assert line_through(left, [1.0], [0.3]) and line_through(left, [0.01], [0.2])
    assert line_through(right, [0.9, 0.7, 0.8], [0, 0, 0])
    assert line_through(right, [0.8, 0.8], [-0.35, 0.35])
    assert [label.get_text() for label in right.get_yticklabels()] == ["SGD", "Adam"]
    bottom, top = right.get_ylim()
    assert bottom > top  # the first name is above, as in the table that the page prints
