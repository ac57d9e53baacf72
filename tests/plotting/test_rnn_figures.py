"""The figures of the chapter on recurrent networks: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import rnn as figures
from course_lib.plotting.style import figure_to_svg


def make_latch():
    return figures.latch("a (b) c", [-1, -1, 0.9, 0.9, -0.9, -1, -1])


def make_gradients():
    lags = np.arange(5)
    return figures.gradients_by_lag(
        {"Linear": {"0.5": 0.5**lags, "2": 2.0**lags}, "tanh": {"small": 0.1**lags}}
    )


def make_clipping():
    return figures.clipping({"free": [[4.0, 64.0], [4.0, 32.0]], "clipped": [[4.0, 2.0]]})


def make_bits():
    return figures.bits({"guess": 6.0, "trigrams": 2.5, "recurrent": [2.0, 2.2]})


def make_memory():
    return figures.memory([0, 1, 4], {"trained": [[1, 0.8, 0.2], [1, 0.6, 0.2]]}, 0.19)


def make_carries():
    rng = np.random.default_rng(0)
    states = rng.normal(size=(50, 4)) * [0.1, 5, 0.1, 1]
    return figures.carries(states, (states[:, 1] > 0).astype(int))


MAKERS = [
    figures.unrolled,
    figures.path_back,
    figures.shapes,
    make_latch,
    make_gradients,
    make_clipping,
    make_bits,
    make_memory,
    make_carries,
    lambda: figures.step_by_step("a(", [0, 1], [0.0, 0.1, 0.9], ["one", "two"], 1),
]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_the_unrolled_network_has_a_cell_per_step_and_one_with_the_loop():
    drawn = texts(figures.unrolled())
    assert drawn.count("cell") == 5
    assert [f"x{k}" in drawn for k in "₁₂₃₄"] == [True] * 4
    assert [f"h{k}" in drawn for k in "₀₁₂₃"] == [True] * 4
    assert "the same weights at every step" in drawn


@pytest.mark.parametrize(("steps", "cut"), [(6, 3), (5, 1)])
def test_slopes_go_back_as_far_as_the_cut(steps, cut):
    (axes,) = figures.path_back(steps, cut).axes
    dashed = [p for p in axes.patches if p.get_linestyle() == "--"]
    assert len(dashed) == steps - cut - 1 + 1  # between the states, and from the loss
    assert "detach" in [text.get_text() for text in axes.texts]


def test_tasks_differ_in_when_something_goes_in_and_out():
    drawn = texts(figures.shapes())
    assert {"one to many", "many to one", "many to many", "many, then many"} <= set(drawn)


def test_each_letter_stands_over_its_bar():
    (axes,) = make_latch().axes
    assert [text.get_text() for text in axes.texts] == list("a (b) c")
    assert [bar.get_height() for bar in axes.patches] == [-1, -1, 0.9, 0.9, -0.9, -1, -1]
    weights = {text.get_text(): text.get_fontweight() for text in axes.texts}
    assert weights["("] == weights[")"] == "bold"
    assert weights["a"] == "normal"


def test_gradients_are_drawn_by_their_logarithm_and_labeled_with_themselves():
    linear, squashed = make_gradients().axes
    assert linear.lines[0].get_ydata() == pytest.approx(np.arange(5) * np.log10(0.5))
    assert squashed.lines[0].get_ydata() == pytest.approx(-np.arange(5.0))
    assert [t.get_text() for t in linear.get_yticklabels()] == ["10⁻¹²", "10⁻⁶", "1", "10⁶"]


def test_runs_of_a_kind_share_a_name_and_the_axis_says_bits():
    (axes,) = make_clipping().axes
    assert [line.get_ydata().tolist() for line in axes.lines] == [[2, 6], [2, 5], [2, 1]]
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["free", "clipped"]
    labels = [text.get_text() for text in axes.get_yticklabels()]
    ticks = dict(zip(axes.get_yticks(), labels, strict=True))
    assert ticks[5] == "32"


def test_a_bar_shows_the_mean_of_its_seeds_and_a_dot_each():
    (axes,) = make_bits().axes
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([6.0, 2.5, 2.1])
    (dots,) = axes.lines
    assert dots.get_xdata().tolist() == [2.0, 2.2]
    assert [text.get_text() for text in axes.texts] == ["6.00", "2.50", "2.10"]


def test_memory_is_a_mean_over_seeds_beside_a_baseline():
    (axes,) = make_memory().axes
    assert axes.lines[0].get_ydata() == pytest.approx([1, 0.7, 0.2])
    assert axes.lines[1].get_ydata() == pytest.approx([0.19, 0.19])


def test_states_are_drawn_along_their_largest_directions():
    (axes,) = make_carries().axes
    zero, one = axes.lines
    # The carry is the sign of the direction with the largest spread: the clouds lie apart.
    sides = sorted([zero.get_xdata().mean(), one.get_xdata().mean()])
    assert sides[0] < 0 < sides[1]
    apart = [np.sign(line.get_xdata() - np.mean(sides)) for line in (zero, one)]
    assert all(abs(s.mean()) > 0.8 for s in apart)
    assert len(zero.get_xdata()) + len(one.get_xdata()) == 50


def test_a_step_shows_the_states_up_to_it_and_its_own_formula():
    films = [figures.step_by_step("a( ", [0, 1, 0], [0, 0.1, 0.9, 0.8], "xyz", t) for t in (0, 2)]
    first, last = ([text.get_text() for text in film.axes[0].texts] for film in films)
    assert {"0.10", "x", "x = 0"} <= set(first) and not {"0.90", "0.80", "y", "z"} & set(first)
    assert {"0.10", "0.90", "0.80", "z", "x = 1", "␣"} <= set(last)


def test_a_film_of_steps_needs_a_state_more_than_letters():
    with pytest.raises(ValueError, match="one more state; but there are 2, 2 and 2"):
        figures.step_by_step("ab", [0, 1], [0, 0.5], "xy", 0)
    with pytest.raises(ValueError, match="0 to 1, but came with 2"):
        figures.step_by_step("ab", [0, 1], [0, 0.5, 1], "xy", 2)
