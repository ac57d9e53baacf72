"""The figures of the chapter on adversarial examples: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import adversarial as figures
from course_lib.plotting.style import COLORS, figure_to_svg

EPSILONS = [0.0, 0.1, 0.2]
CURVES = {"noise": [[0.9, 0.9, 0.8]], "PGD": [[0.9, 0.3, 0.0], [0.9, 0.5, 0.2]]}
DIGIT = np.eye(4)


def make_panels():
    return figures.panels([DIGIT, DIGIT - 0.5], ["as written", "the change"], ["a 4", "± 0.06"])


def make_ball():
    walks = [
        figures.Walk(
            "box",
            "linf",
            [[0.5, 0.5], [0.6, 0.4], [0.65, 0.4]],
            [[0.6, 0.4], [0.75, 0.4]],
            [[0.65, 0.3]],
        ),
        figures.Walk("circle", "l2", [[0.5, 0.5], [0.6, 0.5]], [[0.6, 0.5]], [0.65, 0.5]),
    ]
    up = np.linspace(0.2, 0.8, 5)
    return figures.ball(walks, [0.45, 0.5], 0.2, (0.6 + (up - 0.4) ** 2, up))


def make_robustness():
    return figures.robustness(EPSILONS, CURVES)


def make_surface():
    at = np.linspace(-0.2, 0.2, 9)
    margins = 8 - 100 * at[:, None] + 5 * at[None, :]
    lines = {"up": [8 - 100 * at], "random": [8 + 0 * at, 8 + 5 * at]}
    return figures.surface(at, at, margins, 0.1, lines)


def make_price():
    return figures.price(EPSILONS, CURVES, {"PGD": 0.1})


def make_checks():
    row = {"no attack": 0.97, "FGSM": 0.9, "PGD": 0.8, "transfer": 0.3, "square": 0.2}
    return figures.checks({"plain": row, "masked": {**row, "PGD": 0.97}}, suspects=["masked"])


def make_certified():
    return figures.certified(EPSILONS, CURVES)


MAKERS = [
    make_panels,
    make_ball,
    make_robustness,
    make_surface,
    make_price,
    make_checks,
    make_certified,
]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


def test_ink_is_dark_and_no_change_is_gray():
    written, change = make_panels().axes
    (image,) = written.images
    assert image.norm(image.get_array()).min() == 0  # ink 1 is black
    assert image.norm(image.get_array()).max() == 1
    (image,) = change.images
    assert image.norm(0.0) == 0.5
    assert change.get_xlabel() == "± 0.06"


def test_the_ball_has_the_shape_of_its_norm_and_arrows_lead_back_into_it():
    box, circle = make_ball().axes
    (square,) = [p for p in box.patches if type(p).__name__ == "Rectangle"]
    assert square.get_width() == pytest.approx(0.4)
    assert square.get_xy() == pytest.approx((0.25, 0.3))
    (round_,) = [p for p in circle.patches if type(p).__name__ == "Circle"]
    assert round_.radius == 0.2
    # One step left the box, none the circle.
    assert len([t for t in box.texts if t.get_text() == ""]) == 1
    assert len([t for t in circle.texts if t.get_text() == ""]) == 0
    crosses = [line for line in box.lines if line.get_marker() == "X" and len(line.get_xdata())]
    assert crosses[0].get_xydata().tolist() == [[0.65, 0.3]]


def test_a_curve_is_the_mean_of_its_seeds_and_the_band_their_range():
    (axes,) = make_robustness().axes
    lines = {line.get_label(): line.get_ydata() for line in axes.lines}
    assert lines["PGD"] == pytest.approx([0.9, 0.4, 0.1])
    low = axes.collections[1].get_paths()[0].vertices[:, 1]
    assert low.min() == 0.0


def test_the_surface_shows_where_the_answer_turns():
    plane, cut = make_surface().axes
    assert plane.get_xlabel() == "along random signs"
    assert any(
        np.allclose(c.get_edgecolor(), [*_rgb(COLORS[1]), 1.0])
        for c in plane.collections
        if len(c.get_edgecolor())
    )
    named = [line.get_label() for line in cut.lines if not line.get_label().startswith("_")]
    assert named == ["up", "random"]


def test_the_size_that_was_trained_for_is_marked_on_its_curve():
    (axes,) = make_price().axes
    points = [line.get_xydata().tolist() for line in axes.lines if len(line.get_xdata()) == 1]
    assert points == [[[0.1, 0.4]]]


def test_each_attack_is_a_mark_on_the_line_of_its_network():
    (axes,) = make_checks().axes
    marks = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    assert marks["PGD"] == [[0.97, 0], [0.8, 1]]
    assert len({line.get_marker() for line in axes.lines}) == 5
    weights = {text.get_text(): text.get_fontweight() for text in axes.get_yticklabels()}
    assert weights == {"masked": "bold", "plain": "normal"}


def _rgb(color):
    return [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
