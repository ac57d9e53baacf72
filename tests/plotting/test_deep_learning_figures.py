"""The figures of the first chapter: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import deep_learning as figures
from course_lib.plotting.style import figure_to_svg

AXIS = np.linspace(-1, 1, 21)
SIZES = np.array([10, 100, 1000])


def make_pictures():
    images = np.random.default_rng(0).uniform(size=(5, 8, 8))
    marked = np.zeros((5, 8, 8), dtype=bool)
    marked[:, 2, 3] = True
    return figures.pictures({"some": (images[:3], marked[:3]), "others": (images[3:], marked[3:])})


def make_maps():
    sure = (np.meshgrid(AXIS, AXIS)[0] > 0).astype(float)
    names = {"a line": sure, "its like": sure.T, "no idea": np.full((21, 21), 0.2)}
    points, labels = np.array([[0.5, 0.0], [-0.5, 0.0], [0.1, 0.1]]), np.array([1, 0, 1])
    return figures.maps(AXIS, AXIS, names, points, labels, dict.fromkeys(names, "right: 50%"))


def make_more_data():
    wrong = {
        "flat": np.array([[0.5, 0.31, 0.3], [0.6, 0.35, 0.3], [0.4, 0.3, 0.3]]),
        "falling": np.array([[0.7, 0.2, 0.02]]),
    }
    pictures = np.random.default_rng(0).normal(size=(4, 6, 6))
    return figures.more_data(
        {"first": (pictures, SIZES, wrong), "second": (pictures, SIZES, wrong)}
    )


def make_cost():
    models = {"plain model": ([1e5, 2e5], [0.96, 0.98]), "large": ([1e8, 1e8], [0.95, 0.97])}
    return figures.cost(models, 0.62, "nobody")


def make_staircases():
    return figures.staircases(
        {"noise": [1.0, 0.8, 0.6], "signal": [1, 0.97, 0.95]},
        {"noise": 0.6, "signal": 0.62},
        ["claimed", "on unseen\nrows", "chosen"],
    )


MAKERS = [make_pictures, make_maps, make_more_data, make_cost, make_staircases]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


def shown(figure):
    return [axes for axes in figure.axes if axes.get_visible()]


def test_pictures_has_a_row_for_each_group_and_marks_what_it_is_told():
    panels = shown(make_pictures())
    images = [axes for axes in panels if axes.images]
    assert len(images) == 5
    assert [axes.texts[0].get_text() for axes in panels if axes.texts] == ["some", "others"]
    for axes in images:
        (marks,) = axes.lines
        assert (marks.get_xdata(), marks.get_ydata()) == (3, 2)


def test_maps_draws_both_classes_and_the_border_of_each_model():
    panels = shown(make_maps())
    assert [axes.get_title("left") for axes in panels] == ["a line", "its like", "no idea"]
    for axes in panels:
        zeros, ones = axes.lines
        assert len(zeros.get_xdata()) == 1 and len(ones.get_xdata()) == 2
        assert axes.get_xlabel() == "right: 50%"


def test_more_data_draws_medians_and_ranges():
    panels = [axes for axes in shown(make_more_data()) if axes.get_xlabel() == "training examples"]
    assert len(panels) == 2
    for axes in panels:
        flat, falling = axes.lines
        assert flat.get_ydata().tolist() == [0.5, 0.31, 0.3]
        assert falling.get_ydata().tolist() == [0.7, 0.2, 0.02]
        assert len(axes.collections) == 2
        assert axes.get_xscale() == axes.get_yscale() == "log"
        assert [label.get_text() for label in axes.get_xticklabels()] == ["10", "100", "1,000"]
    first, second = panels
    assert first.get_ylim() == second.get_ylim()


def test_cost_draws_means_ranges_and_the_baseline():
    (axes,) = make_cost().axes
    low, high = axes.get_ylim()
    assert low < 95 and high > 98 and low > 85  # all ranges, and not the baseline
    assert any(np.allclose(line.get_ydata(), [96, 98]) for line in axes.lines)
    assert any(
        np.allclose(line.get_ydata(), 97) and len(line.get_ydata()) == 1 for line in axes.lines
    )
    assert axes.get_xscale() == "log"
    texts = [text.get_text() for text in axes.texts]
    assert "nobody: 62% ↓" in texts and "plain\nmodel" in texts


def test_staircases_has_a_bar_for_each_step_and_the_baseline():
    noise, signal = make_staircases().axes
    assert [round(bar.get_height()) for bar in noise.patches] == [100, 80, 60]
    assert [round(bar.get_height()) for bar in signal.patches] == [100, 97, 95]
    assert {text.get_text() for text in noise.texts} >= {"100 %", "80 %", "60 %"}
    assert np.allclose(noise.lines[0].get_ydata(), 60) and np.allclose(
        signal.lines[0].get_ydata(), 62
    )
    assert signal.get_xticklabels()[0].get_text() == "claimed"
