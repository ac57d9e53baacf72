"""The figures of the chapter on speech: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import speech as figures
from course_lib.plotting.style import figure_to_svg

rng = np.random.default_rng(0)
SOUND = rng.normal(size=3000)
POWER = rng.normal(size=(36, 129))
MEL = rng.normal(size=(36, 32))
HERTZ = np.linspace(0, 4000, 129)


def make_pictures():
    return figures.pictures(SOUND, 8000, POWER, MEL, 200, 80)


def make_filters():
    bank = np.eye(4, 129)
    return figures.filters(HERTZ, {"none": HERTZ / -100, "Hann": HERTZ / -50}, bank, [1, 2])


def make_noise():
    return figures.noise([20, 10], {"network": [[0.9, 0.8], [1.0, 0.6]], "nearest": [[0.5, 0.4]]})


def make_thresholds():
    line = np.linspace(-1, 1, 9)
    rates = {
        "LDA": {"known": [0.2], "new": [0.3]},
        "network": {"known": [0.1, 0.1], "new": [0.2, 0.3]},
    }
    return figures.thresholds(line, 0.5 - line / 2, 0.5 + line / 2, (0.0, 0.5), rates)


def make_lattice():
    return figures.lattice("too", 6, [1, 1, 3, 4, 5, 6])


def make_spelling():
    p = np.full((6, 4), 0.05)
    p[np.arange(6), [0, 2, 2, 0, 1, 3]] = 0.85
    return figures.spelling(MEL[:24], p, "– ab", 0.3, "a b")


def make_groups():
    return figures.groups({"low": {"low": [0.1, 0.2], "high": [0.4, 0.5]}}, "wrong (%)")


MAKERS = [
    make_pictures,
    make_filters,
    make_noise,
    make_thresholds,
    make_lattice,
    make_spelling,
    make_groups,
]


def texts(axes):
    return [text.get_text() for text in axes.texts]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    figure = make()
    assert isinstance(figure, Figure)
    assert figure_to_svg(figure) == figure_to_svg(make())


def test_pictures_are_counted():
    titles = [axes.get_title(loc="left") for axes in make_pictures().axes]
    assert titles[0] == "3,000 samples" and "36 frames of 129" in titles[1]
    assert "36 frames of 32" in titles[2]


def test_filters_that_are_shown_are_filled():
    left, right = make_filters().axes
    assert len(left.lines) == 2 and len(right.lines) == 4 and len(right.collections) == 2


def test_noise_draws_means_and_ranges():
    (axes,) = make_noise().axes
    assert np.allclose(axes.lines[0].get_ydata(), [95, 70]) and len(axes.collections) == 2
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["20 dB", "10 dB"]


def test_the_equal_rate_is_marked():
    left, right = make_thresholds().axes
    (mark,) = [line for line in left.lines if len(line.get_xdata()) == 1]
    assert mark.get_ydata()[0] == 50 and "equal: 50 %" in texts(left)
    assert [tick.get_text() for tick in right.get_xticklabels()] == ["known", "new"]


def test_the_lattice_has_only_paths_that_spell_the_text():
    (axes,) = make_lattice().axes
    written = texts(axes)
    assert written.count("blank") == 4 and "step 6" in written
    # Of 7 states and 6 steps, those that lie on a path from the start to an end.
    alive = written.count("t") - 1 + written.count("o") - 2 + written.count("–")
    wide = [patch for patch in axes.patches if patch.get_linewidth() == 2.4]
    assert alive == 18 and len(wide) == 5


def test_spelling_names_each_letter_once():
    _, bottom = make_spelling().axes
    assert texts(bottom) == ["a", "␣", "b"]
    # In the middle of its steps (0.05 s each), above all bars.
    places = [text.get_position() for text in bottom.texts]
    assert np.allclose(places, [(0.1, 1.1), (0.225, 1.1), (0.275, 1.1)])


def test_each_group_has_its_mean():
    (axes,) = make_groups().axes
    marks = [line for line in axes.lines if len(set(line.get_xdata())) == 1]
    assert sorted(round(float(line.get_xdata()[0])) for line in marks) == [15, 45]
