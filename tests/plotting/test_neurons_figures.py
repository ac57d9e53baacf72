"""The figures of the chapter on one neuron: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.colors import same_color, to_rgba
from matplotlib.figure import Figure

from course_lib.plotting import neurons as figures
from course_lib.plotting.style import COLORS, INK, figure_to_svg, new_figure

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


def make_evidence():
    rng = np.random.default_rng(0)
    labels = np.repeat([1, -1], 10)
    points = rng.uniform(0, 0.2, (20, 2)) + 0.6 * (labels[:, None] > 0)
    images = {"cat": np.full((4, 4), 0.5), "dog": np.eye(4)}
    regions = {"ink here": np.s_[1:3, 2:], "ink there": np.s_[:, :1]}
    return figures.evidence(images, regions, points, labels, np.array([1.0, 1.0]), -0.8)


def make_sum_of_mistakes():
    images = np.stack([np.full((3, 3), 0.25), np.eye(3)])
    labels = np.array([1, -1])
    return figures.sum_of_mistakes(images, labels, np.cumsum(labels[:, None, None] * images, 0))


def make_race():
    made = np.arange(1, 51)
    return figures.race(0.4 * made, 0.5 * made + 1, gamma=0.2, longest=4.0)


def make_bounds():
    return figures.bounds({"some": ([10, 100], [3, 40]), "others": ([50.0], [2])})


def make_two_neurons():
    neurons = {"left": (np.array([1, 1]), -0.5), "right": ([-1, -1], 1.5)}
    hidden = np.array([[-1, 1], [1, 1], [1, 1], [1, -1]])
    return figures.two_neurons(CORNERS, [-1, 1, 1, -1], neurons, hidden, ([1, 1], -1))


MAKERS = [make_evidence, make_sum_of_mistakes, make_race, make_bounds, make_two_neurons]


def words(figure):
    """Every text in the panels of a figure."""
    return " ".join(text.get_text() for axes in figure.axes for text in axes.texts)


def has_line(axes, x, y):
    return any(
        len(line.get_xdata()) == len(x)
        and np.allclose(line.get_xdata(), x)
        and np.allclose(line.get_ydata(), y)
        for line in axes.lines
    )


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


@pytest.mark.parametrize("make", [make_race, make_bounds, make_two_neurons])
def test_every_panel_says_what_is_against_what(make):
    for axes in make().axes:
        assert axes.get_xlabel()
        assert axes.get_ylabel()


def test_squares_have_the_area_of_the_number_and_tell_the_sign_without_color():
    _, axes = new_figure()
    figures.squares(axes, [[1.0, -0.25, 0.0], [0.0, 0.0, 4.0]], largest=4.0)
    positive, negative = axes.collections
    sides = [np.ptp(path.vertices[:, 0]) for path in positive.get_paths()]
    assert_sides = [np.ptp(path.vertices[:, 0]) for path in negative.get_paths()]
    assert np.allclose(sides, [0.5, 1.0])
    assert np.allclose(assert_sides, [0.25])
    assert same_color(positive.get_facecolor()[0], COLORS[0])
    assert same_color(negative.get_facecolor()[0], COLORS[1])
    assert len(positive.get_edgecolor()) == 0
    assert np.allclose(negative.get_edgecolor()[0], to_rgba(INK))


def test_evidence_draws_the_line_the_arrow_and_the_boxes():
    one, zero, chart = make_evidence().axes
    assert [one.get_title("left"), zero.get_title("left")] == ["cat", "dog"]
    line = chart.lines[-1]
    assert np.allclose(line.get_xdata() + line.get_ydata(), 0.8)
    arrow = next(text for text in chart.texts if not text.get_text())
    head, foot = np.array(arrow.xy), np.array(arrow.get_position())
    assert np.isclose(foot.sum(), 0.8)
    assert np.allclose((head - foot) / np.linalg.norm(head - foot), np.sqrt(0.5))
    boxes = [(p.get_xy(), p.get_width(), p.get_height()) for p in one.patches]
    assert boxes == [((1.5, 0.5), 2, 2), ((-0.5, -0.5), 1, 4)]
    assert "ink here" in chart.get_xlabel()
    assert "ink there" in chart.get_ylabel()


def test_sum_of_mistakes_has_a_column_for_each_and_signs_in_words():
    figure = make_sum_of_mistakes()
    assert len(figure.axes) == 4
    titles = [axes.get_title("left") for axes in figure.axes[:2]]
    assert titles == ["+ mistake 1", "− mistake 2"]
    # The last panel holds 0.25 off the diagonal, and 0.25 - 1 on it: largest square, 1 field.
    positive, negative = figure.axes[3].collections
    assert len(positive.get_paths()) == 6
    assert [np.ptp(path.vertices[:, 0]) for path in negative.get_paths()] == [1, 1, 1]


def test_one_mistake_alone_has_a_picture():
    figure = figures.sum_of_mistakes(np.ones((1, 2, 2)), [1], np.ones((1, 2, 2)))
    assert len(figure.axes) == 2


def test_race_draws_both_bounds_where_they_meet():
    figure = make_race()
    (axes,) = figure.axes
    made = np.arange(1, 51)
    assert has_line(axes, made, 0.4 * made)
    assert has_line(axes, made, 0.5 * made + 1)
    end = (4.0 / 0.2) ** 2
    assert any(
        np.allclose(line.get_xdata(), [end]) and np.allclose(line.get_ydata(), [80])
        for line in axes.lines
        if np.size(line.get_xdata()) == 1
    )
    assert "400" in words(figure)
    assert "after 50" in words(figure)
    for line in axes.lines[:2]:
        m, bound = line.get_xdata(), line.get_ydata()
        assert np.allclose(bound, 0.2 * m) or np.allclose(bound, 4 * np.sqrt(m))


def test_bounds_draws_each_run_and_the_diagonal():
    (axes,) = make_bounds().axes
    assert has_line(axes, [10, 100], [3, 40])
    assert has_line(axes, [50], [2])
    diagonal = axes.lines[0]
    assert np.array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    assert axes.get_xlim() == axes.get_ylim()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["some", "others"]


def test_two_neurons_names_lines_and_inputs_on_both_sides():
    figure = make_two_neurons()
    before, behind = figure.axes
    assert {text.get_text() for text in before.texts} >= {"left", "right", "00", "01", "10", "11"}
    assert {text.get_text() for text in behind.texts} >= {"output", "00", "01, 10", "11"}
    assert (behind.get_xlabel(), behind.get_ylabel()) == ("left", "right")
    first, second = before.lines[:2]
    assert np.allclose(first.get_xdata() + first.get_ydata(), 0.5)
    assert np.allclose(second.get_xdata() + second.get_ydata(), 1.5)


def test_many_mistakes_are_numbered_without_the_word_that_would_not_fit():
    labels = np.array([1, -1] * 4)
    figure = figures.sum_of_mistakes(np.ones((8, 2, 2)), labels, np.ones((8, 2, 2)))
    titles = [axes.get_title("left") for axes in figure.axes[:8]]
    assert titles == ["+ 1", "− 2", "+ 3", "− 4", "+ 5", "− 6", "+ 7", "− 8"]


def test_two_neurons_draws_each_arrow_toward_yes_and_away_from_the_name():
    before, _ = make_two_neurons().axes
    arrows = [text for text in before.texts if not text.get_text()]
    names = [text for text in before.texts if text.get_text() in ("left", "right")]
    for arrow, name, w in zip(arrows, names, ([1, 1], [-1, -1]), strict=True):
        head, foot = np.array(arrow.xy), np.array(arrow.get_position())
        assert np.allclose((head - foot) / np.linalg.norm(head - foot), w / np.sqrt(2))
        assert np.linalg.norm(foot - name.get_position()) > 0.3
