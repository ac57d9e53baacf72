"""The figures of the chapter on reinforcement learning: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import reinforcement as figures
from course_lib.plotting.style import figure_to_svg, new_figure

LETTERS = np.array([list("S.G"), list(".#X")])


def make_regret():
    rng = np.random.default_rng(0)
    return figures.regret({"one": rng.uniform(size=(20, 30)), "other": np.ones((20, 30))})


def make_policies():
    values = np.array([0.5, 1.0, 0.0, -0.25, 0.0, 0.0])
    return figures.policies({"a world": (LETTERS, values, np.array([1, 1, 0, 0, -1, -1]))}, 1)


def make_cliff():
    returns = {"one": np.full((4, 50), -30.0), "other": np.full((4, 50), -20.0)}
    return figures.cliff(LETTERS, {"one": [0, 1, 2], "other": [3, 0, 1, 2]}, returns, window=10)


def make_gradients():
    rng = np.random.default_rng(0)
    return figures.gradients({"wide": rng.normal(1, 3, 100), "narrow": rng.normal(1, 0.5, 100)})


def make_learning():
    one = [([0, 100], [0, 50]), ([0, 200], [0, 200])]
    return figures.learning({"one": one, "other": [([10, 50], [5, 5])]}, best=200)


def make_frames():
    upright, leaning = np.zeros(4), np.array([1.0, 0.0, 0.2, 0.0])
    return figures.frames(
        {"first": ([upright, leaning], [0.0, 0.5]), "then": ([leaning] * 2, [0, 1])}
    )


def make_carts():
    leaning = np.array([1.0, 0.0, 0.2, 0.0])
    return figures.carts({"one": (np.zeros(4), None), "other": (leaning, 0.24)}, 1.5)


MAKERS = [
    figures.agent_and_environment,
    make_regret,
    make_policies,
    make_cliff,
    make_gradients,
    make_learning,
    make_frames,
    make_carts,
    figures.deep_q_network,
    lambda: figures.backup("s", {"left": [(1.0, "a", 0.5)], "right": [(1.0, "b", 0.0)]}),
]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


def test_the_loop_has_two_boxes_and_two_arrows():
    (axes,) = figures.agent_and_environment().axes
    texts = " ".join(text.get_text() for text in axes.texts)
    for word in ("agent", "environment", "action", "reward", "state"):
        assert word in texts


def test_regret_adds_up():
    (axes,) = make_regret().axes
    other = next(line for line in axes.lines if line.get_label() == "other")
    assert np.allclose(other.get_ydata(), np.arange(1, 31))
    assert len(axes.collections) == 2


def test_a_world_shows_values_and_moves_on_its_floor_alone():
    (axes,) = make_policies().axes
    texts = [text.get_text() for text in axes.texts]
    for shown in ("0.50", "1.00", "−0.25", "goal", "hole", "S"):
        assert texts.count(shown) == 1
    arrows = [text for text in axes.texts if getattr(text, "arrow_patch", None) is not None]
    assert len(arrows) == 3
    # The first points to the right, the last upward, where rows count downward.
    (x, y), start = arrows[0].xy, arrows[0].xyann
    assert x > start[0]
    assert y == start[1]
    (x, y), start = arrows[2].xy, arrows[2].xyann
    assert y < start[1]
    assert x == start[0]


def test_a_negative_value_is_hatched():
    (axes,) = make_policies().axes
    hatched = [patch for patch in axes.patches if patch.get_hatch()]
    assert len(hatched) == 1


def test_walks_and_what_they_earned():
    above, below = make_cliff().axes
    paths = {line.get_label(): line.get_xydata() for line in above.lines}
    assert np.abs(paths["other"][0] - [0, 1]).max() < 0.2
    assert np.abs(paths["other"][-1] - [2, 0]).max() < 0.5
    earned = {line.get_label(): line.get_ydata() for line in below.lines}
    assert np.allclose(earned["one"], -30)
    assert len(earned["one"]) == 41
    assert len({line.get_linestyle() for line in above.lines}) == 2


def test_each_estimate_is_a_dot_and_the_bar_is_one_deviation():
    (axes,) = make_gradients().axes
    wide, narrow = axes.collections
    assert len(wide.get_offsets()) == len(narrow.get_offsets()) == 100
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["narrow", "wide"]
    bar = axes.lines[0].get_xdata()
    assert bar[1] - bar[0] == pytest.approx(2 * np.asarray(wide.get_offsets())[:, 0].std())


def test_curves_end_where_the_shortest_run_ends():
    (axes,) = make_learning().axes
    one = next(line for line in axes.lines if line.get_label() == "one")
    assert one.get_xdata()[-1] == 100
    assert one.get_ydata()[-1] == pytest.approx((50 + 100) / 2)


def test_the_pole_stands_on_the_cart_and_leans_to_the_right_of_upright():
    _, axes = new_figure()
    figures.cart_pole([1.0, 0.0, 0.3, 0.0], axes)
    (cart,) = axes.patches
    assert cart.get_x() + cart.get_width() / 2 == pytest.approx(1.0)
    pole = axes.lines[-2].get_xydata()
    assert pole[0, 0] == pytest.approx(1.0)
    assert pole[1, 0] - pole[0, 0] == pytest.approx(np.sin(0.3))
    assert np.linalg.norm(pole[1] - pole[0]) == pytest.approx(1.0)
    assert axes.get_aspect() == 1


def test_frames_say_when_they_are():
    axes = make_frames().axes
    assert [axes[0].texts[0].get_text(), axes[3].texts[0].get_text()] == ["first", "then"]
    assert axes[2].get_title() == "0.50 s"


def test_carts_stand_side_by_side_and_say_how_long_they_were_up():
    (axes,) = make_carts().axes
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["one", "up for 1.5 s", "other", "over after 0.2 s"]
    one, other = (patch.get_x() + patch.get_width() / 2 for patch in axes.patches)
    assert one == pytest.approx(0)
    assert other > 2.4 + 2.4  # past the ends of both tracks
    pole = axes.lines[-2].get_xdata()
    assert pole[0] == pytest.approx(other)
    assert pole[1] - pole[0] == pytest.approx(np.sin(0.2))
    assert axes.get_xlim()[0] < -2.4
    assert axes.get_xlim()[1] > other - 1.0 + 2.4


def test_a_backup_takes_means_below_and_the_largest_on_top():
    moves = {"left": [(0.5, "a", 1.0), (0.5, "b", 0.0)], "right": [(0.9, "c", -1.0), (0.1, "d", 5)]}
    (axes,) = figures.backup("s", moves).axes
    words = [text.get_text() for text in axes.texts]
    assert "$V(s)$ = 0.50" in words
    assert {"left: $Q$ = 0.50", "right: $Q$ = −0.40", "0.9", "−1.00"} <= set(words)


def test_the_loop_of_a_deep_q_network_names_its_parts():
    (axes,) = figures.deep_q_network("every 5 steps").axes
    words = " ".join(text.get_text() for text in axes.texts)
    for part in ("environment", "replay memory", "target network", "loss", "every 5 steps"):
        assert part in words
