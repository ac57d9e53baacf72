"""The figures of the chapter on LSTM and GRU: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from course_lib.plotting import lstm as figures
from course_lib.plotting.style import COLORS, figure_to_svg

VALUES = np.linspace(0.1, 0.9, 10)
MARKED = np.isin(np.arange(10), [2, 7])


def make_cells():
    return figures.cells()


def make_adding():
    curves = {"RNN": [np.full(60, 0.2)] * 2, "LSTM": [np.linspace(0.2, 0.0, 60)]}
    return figures.adding(VALUES, MARKED, curves, 1 / 6)


def make_gradients_by_lag():
    lag = np.arange(20)
    lines = {"RNN": (0.1**lag, None), "LSTM": (0.9**lag, 0.8**lag)}
    return figures.gradients_by_lag({"before": lines, "after": {"LSTM": (0.9**lag, None)}})


def make_gates_over_text():
    rows = {"forget gate": np.linspace(0, 1, 5), "cell": np.linspace(-1, 1, 5)}
    return figures.gates_over_text("ab cd", rows, [letter == " " for letter in "ab cd"])


def make_copied():
    shares = {"LSTM": np.linspace(1, 0.4, 6), "GRU": np.linspace(1, 0.3, 6)}
    return figures.copied(range(2, 8), shares, (2, 4))


MAKERS = [make_cells, make_adding, make_gradients_by_lag, make_gates_over_text, make_copied]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


def test_both_cells_have_their_gates_and_a_thick_line_for_the_state():
    (axes,) = make_cells().axes
    texts = [text.get_text() for text in axes.texts]
    for name, count in {
        "forget": 1,
        "input": 1,
        "output": 1,
        "update": 1,
        "reset": 1,
        "candidate": 2,
        "σ": 5,
        "+": 2,
        "×": 5,
        "cₜ": 1,
        "hₜ": 2,
        "1 − z": 1,
    }.items():
        assert texts.count(name) == count, name
    thick = [p for p in axes.patches if p.get_linewidth() == 3.0]
    assert len(thick) == 6
    assert {to_hex(p.get_edgecolor()) for p in thick} == {COLORS[0]}


def test_nothing_in_the_cells_leaves_the_sheet():
    figure = make_cells()
    figure.draw_without_rendering()
    (axes,) = figure.axes
    wide, tall = axes.get_xlim()[1], axes.get_ylim()[1]
    for text in axes.texts:
        box = text.get_window_extent().transformed(axes.transData.inverted())
        assert box.x0 >= 0 and box.x1 <= wide, text.get_text()
        assert box.y0 >= 0 and box.y1 <= tall, text.get_text()


def test_two_numbers_are_marked_and_their_sum_is_the_target():
    one, _ = make_adding().axes
    assert one.get_title(loc="left") == f"Target: {VALUES[2] + VALUES[7]:.2f}"
    assert [text.get_text() for text in one.texts] == [f"{VALUES[2]:.2f}", f"{VALUES[7]:.2f}"]
    thin, thick = one.collections
    assert len(thin.get_segments()) == 8 and len(thick.get_segments()) == 2


def test_a_learning_curve_is_the_mean_of_twenty_updates():
    _, learning = make_adding().axes
    *curves, baseline = learning.lines
    assert len(curves) == 3 and baseline.get_ydata()[0] == 1 / 6
    lstm = curves[-1]
    assert lstm.get_label() == "LSTM" and lstm.get_xdata()[0] == 20
    run = np.linspace(0.2, 0.0, 60)
    assert lstm.get_ydata()[0] == pytest.approx(run[:20].mean())
    assert lstm.get_ydata()[-1] == pytest.approx(run[-20:].mean())
    assert len({curve.get_linestyle() for curve in curves}) == 2


def test_gradients_are_drawn_by_their_power_of_ten():
    before, after = make_gradients_by_lag().axes
    named = {line.get_label(): line.get_ydata() for line in before.lines}
    assert named["RNN"][10] == pytest.approx(-10)
    assert named["LSTM"][1] == pytest.approx(np.log10(0.9))
    assert named["LSTM, forget gates alone"][1] == pytest.approx(np.log10(0.8))
    assert [text.get_text() for text in before.get_yticklabels()] == [
        "10⁻³⁰",
        "10⁻²⁰",
        "10⁻¹⁰",
        "1",
    ]
    assert len(after.lines) == 1


def test_each_letter_has_a_bar_in_each_row():
    forget, cell = make_gates_over_text().axes
    bars = [p for p in cell.patches if p.get_width() == pytest.approx(0.8)]
    assert [p.get_height() for p in bars] == pytest.approx(np.linspace(-1, 1, 5))
    assert forget.get_ylim()[0] > -0.1 and cell.get_ylim()[0] < -0.9
    assert [text.get_text() for text in cell.get_xticklabels()] == list("ab cd")
    shades = [p for p in forget.patches if p.get_width() == pytest.approx(1.0)]
    assert [p.get_x() for p in shades] == [1.5]


def test_lengths_that_were_trained_on_have_a_shade():
    (axes,) = make_copied().axes
    assert axes.patches[0].get_x() == 1.5 and axes.patches[0].get_width() == pytest.approx(3)
    assert [line.get_label() for line in axes.lines] == ["LSTM", "GRU", "guessing"]
