"""The figures of the chapter on compute: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import compute as figures
from course_lib.plotting.style import figure_to_svg

LOSSES = np.array([[2.0, 1.0, 3.0], [2.2, 1.2, 3.1]])


def make_checkpointing():
    return figures.checkpointing()


def make_live_bytes():
    return figures.live_bytes({"all": [0, 1e6, 2e6, 1e6, 0], "some": [0, 1e6, 0]})


def make_budgets():
    return figures.budgets(
        {"small": ([10, 20, 40], LOSSES), "large": ([20, 40, 80], LOSSES[:, ::-1] / 2)}
    )


def make_pruned():
    return figures.pruned([0.5, 0.9], {"after": [[0.9, 0.7], [0.8, 0.6]], "before": [[0.5, 0.2]]})


def make_frontier():
    return figures.frontier(
        {"widths": ([5, 20, 80], [0.6, 0.8, 0.9])},
        {"pruned": ([80, 16], [0.85, 0.85]), "taught": ([10, 10], [0.5, 0.65])},
    )


MAKERS = [make_checkpointing, make_live_bytes, make_budgets, make_pruned, make_frontier]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


def test_what_is_not_kept_is_drawn_twice():
    (axes,) = make_checkpointing().axes
    texts = [text.get_text() for text in axes.texts]
    assert [texts.count(name) for name in ("X", "A₁", "A₂", "A₃", "A₄")] == [2, 3, 2, 3, 2]
    assert all(texts.count(f"∇W{i}") == 2 for i in "₁₂₃₄")
    assert min(text.get_fontsize() for text in axes.texts) >= 9


def test_bytes_are_shown_as_megabytes_from_the_start_to_the_end():
    (axes,) = make_live_bytes().axes
    every, some = axes.lines
    assert every.get_ydata().tolist() == [0, 1, 2, 1, 0]
    assert some.get_label() == "some"
    assert every.get_linestyle() != some.get_linestyle()
    assert "MB" in axes.get_ylabel()


def test_the_best_size_of_each_budget_is_circled():
    (axes,) = make_budgets().axes
    circled = [line for line in axes.lines if line.get_fillstyle() == "none"]
    assert [line.get_xdata()[0] for line in circled] == [20, 40]
    assert circled[0].get_ydata()[0] == pytest.approx(1.1)
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["10", "20", "40", "80"]


def test_each_seed_is_a_point_and_the_line_their_mean():
    (axes,) = make_pruned().axes
    named = {line.get_label(): line for line in axes.lines}
    assert named["after"].get_xdata().tolist() == [50, 90]
    assert named["after"].get_ydata() == pytest.approx([85, 65])
    assert len(axes.lines) == 2 + 3


def test_a_move_leads_from_where_it_was_to_where_it_is():
    (axes,) = make_frontier().axes
    (arrow, upward) = [text for text in axes.texts if text.arrow_patch is not None]
    assert arrow.xy == (16, 85)
    assert arrow.xyann == (80, 85)
    assert upward.xy == (10, 65)
    hollow = [line for line in axes.lines if line.get_fillstyle() == "none"]
    assert [line.get_xdata()[0] for line in hollow] == [80, 10]
    markers = {line.get_marker() for line in axes.lines if not line.get_label().startswith("_")}
    assert len(markers) == 3
