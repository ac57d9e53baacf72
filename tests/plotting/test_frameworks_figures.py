"""The figures of the chapter on frameworks, from made-up numbers."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import frameworks as figures
from course_lib.plotting.style import figure_to_svg

APART = {"no mistake": 4e-7, "transposed": 1.2, "another ε": 0.02}
RIGHT = {"no mistake": 0.97, "transposed": 0.08, "another ε": 0.96}


def make_mistakes():
    return figures.mistakes(APART, RIGHT, tolerance=1e-5)


MAKERS = [figures.conventions, figures.memory, make_mistakes, figures.traced]


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


@pytest.mark.parametrize("make", MAKERS)
def test_figures_are_drawn(make):
    figure = make()
    assert isinstance(figure, Figure)
    assert "<svg" in figure_to_svg(figure)


@pytest.mark.parametrize("make", MAKERS)
def test_letters_are_large_enough(make):
    figure = make()
    assert min(text.get_fontsize() for axes in figure.axes for text in axes.texts) >= 9


def test_mistakes_stand_at_their_difference_and_their_accuracy():
    left, right = make_mistakes().axes
    points = left.lines[0].get_xydata()
    np.testing.assert_allclose(points[:, 0], list(APART.values()))
    rows = [label.get_text() for label in left.get_yticklabels()]
    order = dict(zip(left.get_yticks(), rows, strict=True))
    assert [order[y] for y in points[:, 1]] == list(APART)
    assert sorted(bar.get_width() for bar in right.patches) == pytest.approx([8, 96, 97])
    assert [text.get_text() for text in right.texts] == ["97.0", "8.0", "96.0"]
    assert list(left.lines[1].get_xdata()) == [1e-5, 1e-5]


def test_memory_shows_the_picture_three_ways():
    shown = texts(figures.memory())
    cells = [text for text in shown if len(text) == 2 and text[0] in "rgb"]
    assert len(cells) == 4 * 12 and {cells.count(cell) for cell in cells} == {4}
    first, last, mixed = cells[12:24], cells[24:36], cells[36:]
    assert first == [c + str(p) for c in "rgb" for p in range(1, 5)]
    assert last == [c + str(p) for p in range(1, 5) for c in "rgb"]
    assert mixed == [first[3 * p + c] for c in range(3) for p in range(4)]


def test_every_framework_has_a_row():
    shown = texts(figures.conventions())
    for name in ("PyTorch", "JAX", "ONNX", "Caffe"):
        assert name in shown


def test_the_three_answers_are_told():
    shown = texts(figures.traced())
    for answer in (
        "two graphs, one break",
        "one graph, with the choice",
        "no graph: tracing stops",
    ):
        assert answer in shown
