"""The figures of the chapter on TPUs, from made-up numbers."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import tpus as figures
from course_lib.plotting.animation import animate
from course_lib.plotting.style import figure_to_svg

X = np.array([[1, 2], [3, 4], [5, 6]])
W = np.array([[1, 0], [2, 1]])


def make_pulse(number=2):
    delay = np.arange(2)[:, None] + np.arange(2)
    row = number - delay
    row = np.where((row >= 0) & (row < 3), row, -1)
    return figures.pulse(X, W, number, row, np.ones((2, 2)), np.full((2, 2), 7))


def make_utilization():
    share = {"4 by 4": [0.1, 0.5, 1.0]}
    return figures.utilization([1, 128, 256], share, [1, 2, 4], share)


def make_formats():
    fields = [("sign", 1), ("exponent", 8), ("fraction", 7)]
    return figures.formats([("bfloat16", fields, "wide"), ("int8", [("integer", 8)], "small")])


def make_integers():
    values = {"one": np.array([[-127, 3], [1, 0]]), "each": np.array([[-127, 3], [127, 0]])}
    return figures.integers(values, 127)


def make_bits():
    table = np.array([[0.9, 0.92], [0.8, 0.7]])
    return figures.bits([8, 4], {"layer": table - 0.1, "channel": table}, [0.95, 0.93])


MAKERS = [
    figures.array,
    make_pulse,
    make_utilization,
    make_formats,
    make_integers,
    make_bits,
    figures.chip,
]


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure(make):
    figure = make()
    assert isinstance(figure, Figure)
    assert figure_to_svg(figure) == figure_to_svg(figure)


def test_a_stage_shows_what_works_waits_and_has_left():
    said = texts(make_pulse(2))
    assert "cycle 3" in said and "4 of 4 cells at work" in said
    assert {"row 1", "row 2", "row 3"} <= set(said)
    assert "5" in said  # X[0] @ W[:, 0] has left the first column
    assert texts(make_pulse(0)).count("7") == 1  # one cell works in the first cycle


def test_all_stages_are_of_one_size():
    film = animate([make_pulse(number) for number in range(5)], still=2)
    assert film.frames == 5 and len(film.svg) < 500_000


def test_shares_are_in_percent():
    left, right = make_utilization().axes
    assert (
        left.lines[0].get_ydata().tolist() == right.lines[0].get_ydata().tolist() == [10, 50, 100]
    )


def test_each_bit_is_drawn():
    (axes,) = make_formats().axes
    assert len(axes.patches) == 2 * (16 + 8)  # a shade and an outline
    assert {"exponent, 8", "fraction, 7", "integer, 8"} <= set(texts(make_formats()))


def test_a_channel_is_a_row():
    left, right = make_integers().axes
    assert left.lines[0].get_ydata().tolist() == [1, 1, 2, 2]
    assert left.lines[0].get_xdata().tolist() == [-127, 3, 1, 0]
    assert (left.get_title(loc="left"), right.get_title(loc="left")) == ("one", "each")


def test_means_and_seeds_are_drawn():
    (axes,) = make_bits().axes
    named = {line.get_label(): line for line in axes.lines}
    assert named["channel"].get_ydata().tolist() == pytest.approx([91, 75])
    assert named["float32"].get_ydata()[0] == pytest.approx(94)
    assert axes.get_xlim()[0] > axes.get_xlim()[1]  # fewer bits to the right


def test_a_chip_names_its_parts():
    said = " ".join(texts(figures.chip()))
    for part in ("matrix multiply unit", "vector unit", "scalar unit", "HBM", "on the chip"):
        assert part in said
