"""The figures of the chapter on language: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import language as figures
from course_lib.plotting.style import figure_to_svg


def make_forms():
    scores = {"plain": [0.9, 1.0], "far": [0.1, 0.2]}
    return figures.forms({"words": scores, "pairs": scores, "LSTM": scores})


def make_seq2seq():
    return figures.seq2seq(["three", "hundred", "and", "twelve"], ["3", "1", "2"])


def make_alignment():
    weights = np.array([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5]])
    return figures.alignment([(["a", "b", "c"], ["x", "y"], weights)] * 2)


def make_beams():
    texts = ["march third", "march third in the year one"]
    return figures.beams([3, 7], [-2.0, -3.0], texts, {"likeliest": 0, "normalized": 1})


def make_names():
    gap = {"hill": [0.9, 0.95], "harbor": [0.5, 0.6]}
    return figures.names({"words": gap, "LSTM": gap})


MAKERS = [make_forms, make_seq2seq, make_alignment, make_beams, make_names]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    figure = make()
    assert isinstance(figure, Figure)
    assert figure_to_svg(figure) == figure_to_svg(make())


@pytest.mark.parametrize("make", MAKERS)
def test_letters_can_be_read(make):
    figure = make()
    figure.canvas.draw()
    for axes in figure.axes:
        for text in [*axes.texts, *axes.get_xticklabels(), *axes.get_yticklabels()]:
            assert not text.get_text() or text.get_fontsize() >= 9


def test_forms_are_in_percent_and_in_their_order():
    axes = make_forms().axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["plain", "far"]
    points = axes.lines[0].get_ydata()
    assert points.tolist() == [90, 100]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["words", "pairs", "LSTM"]


def test_the_decoder_is_given_what_it_writes_one_place_later():
    texts = [text.get_text() for text in make_seq2seq().axes[0].texts]
    assert texts.count("3") == texts.count("1") == texts.count("2") == 2
    assert "<start>" in texts and "<end>" in texts and "query" in texts and "context" in texts


def test_the_area_of_a_square_is_its_weight():
    axes = make_alignment().axes[0]
    sizes = {
        (line.get_xdata()[0], line.get_ydata()[0]): line.get_markersize() ** 2
        for line in axes.lines
    }
    assert sizes[(0, 0)] / sizes[(0, 1)] == pytest.approx(9)
    assert sizes[(1, 2)] / sizes[(1, 0)] == pytest.approx(2.5)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]


def test_the_line_of_equal_scores_goes_through_the_best_per_token():
    figure = make_beams()
    (line,) = [
        line
        for line in figure.axes[0].lines
        if len(line.get_xdata()) == 2 and line.get_linestyle() == "--"
    ]
    x, y = line.get_data()
    assert np.interp(7, x, y) == pytest.approx(-3)


def test_each_method_has_a_row():
    axes = make_names().axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["LSTM", "words"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["hill", "harbor"]
