"""The figures of the chapter on transformers: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import transformers as figures
from course_lib.plotting.style import figure_to_svg

RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(4, 4))
WEIGHTS = np.tril(np.exp(TABLE)) / np.tril(np.exp(TABLE)).sum(axis=1, keepdims=True)


def make_look_up():
    right = {"attention": np.ones((3, 2)), "LSTM": [[1.0, 0.5], [0.9, 0.6], [1.0, 0.4]]}
    return figures.look_up([1, 2], right, chance=0.1)


def make_attention_head():
    return figures.attention_head(TABLE, WEIGHTS)


def make_masking():
    return figures.masking(list("abcd"), TABLE)


def make_saturation():
    curves = {"nothing": [0.3, 0.9], "root of d": [0.2, 0.2]}
    return figures.saturation([4, 64], curves, {name: [0.3, 0.1] for name in curves})


def make_positions():
    waves = np.sin(np.arange(10)[:, None] / [1, 5])
    return figures.positions(waves, np.arange(5), {"at 5": np.arange(5), "at 9": np.arange(5)})


def make_gpt():
    return figures.gpt("abc")


def make_attention_maps():
    return figures.attention_maps("a b.", {"one": WEIGHTS, "other": np.eye(4)})


MAKERS = [
    make_look_up,
    make_attention_head,
    make_masking,
    figures.block,
    make_gpt,
    make_saturation,
    make_positions,
    make_attention_maps,
    lambda: figures.looking_back("a b.", {"one": WEIGHTS, "other": np.eye(4)}, 2),
]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


def test_a_line_is_the_median_and_a_point_is_a_seed():
    (axes,) = make_look_up().axes
    lines = {line.get_label(): line.get_ydata() for line in axes.lines}
    assert np.allclose(lines["LSTM"], [1.0, 0.5])
    assert sum(line.get_linestyle() == "None" for line in axes.lines) == 6
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["1", "2"]


def test_a_head_names_what_is_multiplied():
    (axes,) = make_attention_head().axes
    words = " ".join(text.get_text() for text in axes.texts)
    for part in ("Q, queries", "K, keys", "V, values", "scores", "weights", "output", "softmax"):
        assert part in words


def test_masked_cells_say_minus_infinity_and_rows_of_weights_add_up_to_1():
    (axes,) = make_masking().axes
    words = [text.get_text() for text in axes.texts]
    assert words.count("−∞") == 6 and words.count("0") == 6
    shares = [float(word) for word in words if len(word) == 4 and word[1] == "." and word[0] != "−"]
    assert sum(shares) == pytest.approx(4, abs=0.05)
    assert "-" not in "".join(words)


def test_a_block_has_two_norms_and_two_sums():
    (axes,) = figures.block().axes
    words = [text.get_text() for text in axes.texts]
    assert words.count("norm") == 2 and words.count("+") == 2
    assert "attention" in words and "perceptron" in words


def test_what_a_gpt_predicts_stands_one_column_to_the_left_of_where_it_is_read():
    (axes,) = make_gpt().axes
    at = {}
    for text in axes.texts:
        at.setdefault(text.get_text(), []).append(text.get_position())
    (low,), (middle, high), (last,) = (sorted(at[c], key=lambda xy: xy[1]) for c in "abc")
    assert high[0] == low[0] < middle[0] == last[0]
    assert low[1] == middle[1] < high[1] == last[1]
    assert {"block 1", "block 2", "embedding"} <= set(at)


def test_a_gpt_needs_something_to_predict():
    with pytest.raises(ValueError, match="at least"):
        figures.gpt("a")


def test_each_divisor_is_a_curve_in_both_panels():
    left, right = make_saturation().axes
    for panel in (left, right):
        assert [line.get_label() for line in panel.lines] == ["nothing", "root of d"]
        assert len({line.get_linestyle() for line in panel.lines}) == 2
    assert list(left.lines[0].get_ydata()) == [0.3, 0.9]


def test_scores_of_two_places_are_told_apart_by_their_marks():
    waves, scores = make_positions().axes
    assert len(waves.lines) == 2
    assert [line.get_marker() for line in scores.lines] == ["o", "x"]


def test_a_map_has_a_square_for_each_weight_and_a_letter_for_each_row():
    one, other = make_attention_maps().axes
    assert [tick.get_text() for tick in one.get_yticklabels()] == ["a", "␣", "b", "."]
    assert len(other.patches) == 4
    shown = {(patch.get_y() + 0.5, patch.get_x() + 0.5): patch.get_alpha() for patch in one.patches}
    assert shown[(3, 1)] == pytest.approx(WEIGHTS[3, 1])
    assert all(row >= column for row, column in shown)


def test_arcs_lead_back_to_what_is_looked_at_as_thick_as_its_weight():
    weights = np.array([[1.0, 0, 0], [0.25, 0.75, 0], [0.5, 0.1, 0.4]])
    (axes,) = figures.looking_back("a b", {"one": weights, "other": np.eye(3)}, 2).axes
    words = [text.get_text() for text in axes.texts]
    assert words.count("␣") == 2 and {"one", "other"} <= set(words)
    far, near = sorted(axes.lines, key=lambda line: np.ptp(line.get_xdata()), reverse=True)
    assert near.get_linewidth() < far.get_linewidth()
    place = {t.get_text(): t.get_position()[0] for t in axes.texts}
    assert np.allclose(sorted([far.get_xdata()[0], far.get_xdata()[-1]]), [place["a"], place["b"]])
    shades = [patch.get_alpha() for patch in axes.patches if patch.get_fill()]
    assert sorted(shades) == pytest.approx([0.75 * 0.4, 0.75])


def test_a_text_has_no_position_behind_its_end():
    with pytest.raises(ValueError, match="0 to 2, but came with 3"):
        figures.looking_back("a b", {"one": np.eye(3)}, 3)
