"""The figures of the chapter on forward propagation: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.colors import same_color
from matplotlib.figure import Figure

from course_lib.plotting import forward_propagation as figures
from course_lib.plotting.style import COLORS, figure_to_svg

LOGITS = np.array([[2.0, 0.0, -1.0], [0.5, -3.0, 0.0]])
PROBABILITIES = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
LABELS = np.array([0, 1])
BITS = -np.log2(PROBABILITIES[[0, 1], LABELS])
STEPS = {
    "steady": np.array([[40, 41], [50, 45], [45, 60]]),
    "slow": np.array([[50, 900], [52, 1200], [49, 1000]]),
    "slow,\nbest rate": np.array([[45, 800], [44, 850], [43, 900]]),
}


def make_from_image_to_error():
    images = np.stack([np.full((4, 4), 0.25), np.eye(4)])
    return figures.from_image_to_error(images, LOGITS, PROBABILITIES, LABELS, BITS)


def make_surprise():
    return figures.surprise({"red": 1 / 2, "green": 1 / 4, "blue": 1 / 8, "black": 1 / 8})


def make_saturation():
    z = np.linspace(-8, 4, 61)
    return figures.saturation(z, {"loud": np.ones(61), "deaf": np.exp(-(z**2))}, [0, -8], STEPS)


def make_best_answers():
    answers = np.linspace(0, 9, 91)
    losses = {"near 2": (answers - 2) ** 2 + 4, "near 7": np.abs(answers - 7) + 1}
    return figures.best_answers([1.0, 8.0, 1.0], answers, losses)


MAKERS = [make_best_answers, make_from_image_to_error, make_surprise, make_saturation]


def has_line(axes, x, y):
    return any(
        len(line.get_xdata()) == len(x)
        and np.allclose(line.get_xdata(), x)
        and np.allclose(line.get_ydata(), y)
        for line in axes.lines
    )


def words(axes):
    return [text.get_text() for text in axes.texts]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


def test_an_image_has_a_row_of_pixels_logits_probabilities_and_surprise():
    rows = np.reshape(make_from_image_to_error().axes, (2, 4))
    titles = [axes.get_title(loc="left") for axes in rows[0]]
    assert titles == ["pixels", "logits", "probabilities", "surprise"]
    assert [axes.get_xlabel() for axes in rows[1, 1:]] == ["class", "class", "bits"]
    assert [axes.get_ylabel() for axes in rows[:, 0]] == ["a 0", "a 1"]
    for row, z, p, bits in zip(rows, LOGITS, PROBABILITIES, BITS, strict=True):
        assert np.allclose([bar.get_height() for bar in row[1].patches], z)
        assert np.allclose([bar.get_height() for bar in row[2].patches], p)
        assert np.allclose([bar.get_width() for bar in row[3].patches], bits)
        assert words(row[3]) == [f"{bits:.2f}"]


def test_the_right_class_is_marked_by_color_and_by_sign():
    rows = np.reshape(make_from_image_to_error().axes, (2, 4))
    for row, label in zip(rows, LABELS, strict=True):
        for axes in row[1:3]:
            filled = [j for j, bar in enumerate(axes.patches) if bar.get_alpha() == 1]
            assert filled == [label]
            assert same_color(axes.patches[label].get_facecolor(), COLORS[0])
            assert has_line(axes, [label], [0])


def test_every_surprise_has_room_for_its_number():
    for axes in np.reshape(make_from_image_to_error().axes, (2, 4))[:, 3]:
        assert axes.get_xlim()[1] >= 1.5 * BITS.max()


def test_boxes_are_as_wide_as_the_belief_and_as_high_as_the_questions():
    game, curve = make_surprise().axes[:2]
    boxes = {
        name: (box.get_width(), box.get_y() + box.get_height() / 2)
        for box in game.patches
        for name in words(game)
        if name in ("red", "green", "blue", "black", "anything", "not red", "neither")
        and np.allclose(
            next(text for text in game.texts if text.get_text() == name).get_position(),
            (box.get_x() + box.get_width() / 2, box.get_y() + box.get_height() / 2),
        )
    }
    assert boxes == {
        "anything": (1, 0),
        "red": (1 / 2, 1),
        "not red": (1 / 2, 1),
        "green": (1 / 4, 2),
        "neither": (1 / 4, 2),
        "blue": (1 / 8, 3),
        "black": (1 / 8, 3),
    }
    assert {"red?", "green?", "blue?"} < set(words(game))
    p = np.linspace(0.03, 1, 300)
    assert has_line(curve, p, -np.log2(p))
    assert has_line(curve, [0.25], [2])
    assert set(words(curve)) == {"red", "green", "blue, black"}


def test_game_and_curve_share_their_heights_and_nats_stand_beside():
    figure = make_surprise()
    game, curve = figure.axes[:2]
    assert game.get_ylim() == curve.get_ylim()
    (nats,) = (axis for axis in curve.child_axes if axis.get_ylabel() == "nats")
    figure.draw_without_rendering()
    assert nats.get_ylim()[1] == pytest.approx(curve.get_ylim()[1] * np.log(2))


def test_saturation_draws_slopes_and_medians_with_bands():
    upper, lower = make_saturation().axes
    z = np.linspace(-8, 4, 61)
    assert has_line(upper, z, np.ones(61))
    assert has_line(upper, z, np.exp(-(z**2)))
    assert set(words(upper)) == {"loud", "deaf"}
    assert has_line(lower, [0, -8], [45, 45])
    assert has_line(lower, [0, -8], [50, 1000])
    assert len(lower.collections) == len(STEPS)
    assert set(words(lower)) == set(STEPS)
    assert lower.get_yscale() == "log"
    assert [tick.get_text() for tick in lower.get_xticklabels()] == ["0", "−8"]
    assert lower.get_xlim()[0] > lower.get_xlim()[1]  # from a good start to a bad one


def test_names_behind_the_lines_do_not_overlap():
    lower = make_saturation().axes[1]
    heights = sorted(np.log(text.xy[1]) for text in lower.texts)
    low, high = np.log(lower.get_ylim())
    assert np.all(np.diff(heights) > 0.08 * (high - low))


@pytest.mark.parametrize("make", [make_surprise, make_saturation])
def test_every_panel_says_what_is_against_what(make):
    for axes in make().axes:
        assert axes.get_xlabel()
        assert axes.get_ylabel() or axes.get_title(loc="left") == "−log₂ p"


def test_best_answers_marks_where_each_loss_is_least():
    dots, curves = make_best_answers().axes
    assert has_line(dots, [1, 1, 8], [0, 1, 0])  # equal measurements do not hide each other
    answers = np.linspace(0, 9, 91)
    assert has_line(curves, answers, ((answers - 2) ** 2 + 4) / 4)
    assert has_line(curves, [2], [1])
    assert has_line(curves, [7], [1])
    for axes in (dots, curves):
        assert has_line(axes, [2, 2], [0, 1])
        assert has_line(axes, [7, 7], [0, 1])
    names = [text.get_text() for text in curves.get_legend().get_texts()]
    assert names == ["near 2", "near 7"]
    assert dots.get_xlim() == curves.get_xlim()
    assert curves.get_xlabel()
    assert curves.get_ylabel()
