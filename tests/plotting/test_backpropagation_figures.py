"""The figures of the chapter on backpropagation: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from course_lib.plotting import backpropagation as figures
from course_lib.plotting.style import INK, figure_to_svg


def texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def line_through(axes, x, y) -> bool:
    """Tell whether one of the panel's curves goes through these points."""
    return any(
        len(line.get_ydata()) == len(y)
        and np.allclose(line.get_xdata(), x)
        and np.allclose(line.get_ydata(), y)
        for line in axes.lines
    )


PLACES = {"w": (0, 1), "x": (0, 0), "h": (1, 0.5), "L": (2, 0.5)}


def make_graph():
    return figures.graph(
        PLACES,
        {"w": 1.5, "x": 2.0, "h": 3.0, "L": 9.0},
        {"w": 12.0, "x": 9.0, "h": 6.0, "L": 1.0},
        [("w", "h", 2.0), ("x", "h", 1.5), ("h", "L", -3.0), ("h", "L", -3.0)],
    )


def make_agreement():
    return figures.agreement(
        {"PyTorch": {"add": 0.0, "exp": 1e-15}, "differences": {"add": 1e-10, "exp": 1e-9}},
        limit=1e-6,
    )


def make_cost():
    return figures.cost(
        np.array([10, 1000, 10_000]),
        {"nudging": np.array([20, 2000, 20_000]), "backward": [1.5, 1.4, 1.6]},
    )


def make_symmetry():
    weights = np.array([[1.0, -1.0], [2.0, -2.0], [-2.0, 2.0], [-1.0, 1.0]])
    losses = np.stack([np.linspace(8, 0.01, 50), np.full(50, 8.0), np.full(50, 4.0)], axis=1)
    return figures.symmetry(weights, losses)


MAKERS = [make_graph, make_agreement, make_cost, make_symmetry]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


@pytest.mark.parametrize("make", MAKERS[1:])
def test_every_panel_says_what_is_against_what(make):
    for axes in make().axes:
        assert axes.get_xlabel()
        assert axes.get_ylabel()


def test_graph_writes_names_values_and_signed_slopes():
    (axes,) = make_graph().axes
    written = texts(axes)
    for text in ("w", "h", "L", "1.5", "9", "+1", "×2", "×1.5"):
        assert text in written
    assert written.count("×−3") == 2  # with a minus sign, not a hyphen
    assert (
        sum(isinstance(patch, FancyBboxPatch) and not patch.get_fill() for patch in axes.patches)
        == 4
    )
    assert sum(isinstance(patch, FancyArrowPatch) for patch in axes.patches) == 4


def test_graph_writes_on_each_edge_what_comes_back_along_it():
    (axes,) = make_graph().axes
    written = texts(axes)
    assert written.count("+12") == 2  # 2 times 6: on the edge, and at w
    assert written.count("+9") == 2
    assert written.count("−3") == 2  # both edges from L bring −3 to h
    x = {text.get_text(): text.get_position()[0] for text in axes.texts if text.get_color() != INK}
    steps = {text.get_text(): text.get_position()[0] for text in axes.texts}
    assert x["+12"] < steps["×2"]  # closer to where it arrives


def test_letters_of_the_graph_can_be_read():
    (axes,) = make_graph().axes
    assert min(text.get_fontsize() for text in axes.texts) >= 9


def test_graph_draws_two_edges_between_the_same_nodes_apart():
    (axes,) = make_graph().axes
    heights = {text.get_position()[1] for text in axes.texts if text.get_text() == "×−3"}
    assert len(heights) == 2
    bends = {
        patch.get_connectionstyle().rad
        for patch in axes.patches
        if isinstance(patch, FancyArrowPatch)
    }
    assert len(bends) == 3  # straight, to the left, to the right


def test_graph_leaves_room_around_every_node():
    (axes,) = make_graph().axes
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    boxes = [patch.get_extents() for patch in axes.patches if isinstance(patch, FancyBboxPatch)]
    inside = axes.transData.inverted()
    for box in boxes:
        (x0, y0), (x1, y1) = inside.transform([box.min, box.max])
        assert left < x0 < x1 < right
        assert bottom < y0 < y1 < top


def test_agreement_draws_each_way_and_no_disagreement_at_the_border():
    (axes,) = make_agreement().axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["add", "exp"]
    assert line_through(axes, [1e-17, 1e-15], [1, 0])
    assert line_through(axes, [1e-10, 1e-9], [1, 0])
    assert line_through(axes, [1e-6, 1e-6], [0, 1])  # the limit, over the whole height
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["PyTorch", "differences"]


def test_cost_draws_and_names_each_way_on_logarithmic_axes():
    (axes,) = make_cost().axes
    assert line_through(axes, [10, 1000, 10_000], [20, 2000, 20_000])
    assert line_through(axes, [10, 1000, 10_000], [1.5, 1.4, 1.6])
    assert texts(axes) == ["nudging", "backward"]
    assert axes.get_xscale() == axes.get_yscale() == "log"


def test_symmetry_draws_every_weight_and_counts_who_found_it():
    left, right = make_symmetry().axes
    heights = [bar.get_height() for bar in left.patches]
    assert heights == [1, 2, -2, -1, -1, -2, 2, 1]
    assert right.get_title("left") == "1 of 3 starts find it"
    assert [line.get_linestyle() for line in right.lines] == ["-", "--", "--"]
    assert line_through(right, np.arange(50), np.full(50, 4.0))
