"""The figures of the chapter on transfer learning: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from course_lib.plotting import transfer as figures
from course_lib.plotting.style import figure_to_svg

COUNTS = (5, 20, 500)
TRAINED = {"from scratch": 44293, "frozen body": 325, "fine-tuning": 44293}


def make_sheets():
    images = np.random.default_rng(0).uniform(size=(3, 12, 12))
    return figures.sheets({"old": (images, [0, 1, 4]), "new": (1 - images, [5, 9, 7])})


def make_regimes():
    return figures.regimes(TRAINED)


def make_labels_needed():
    scores = {
        "from scratch": np.array([[0.2, 0.3, 0.7], [0.3, 0.3, 0.9]]),
        "frozen body": np.array([[0.4, 0.5, 0.5], [0.4, 0.5, 0.6]]),
    }
    return figures.labels_needed(COUNTS, scores, guess=0.2)


def make_layers_carried():
    up = {"frozen": np.array([[0.3, 0.5, 0.5], [0.3, 0.6, 0.4]])}
    down = {"frozen": np.array([[0.3, 0.2, 0.2], [0.3, 0.3, 0.2]])}
    return figures.layers_carried({"near": up, "far": down})


MAKERS = [make_sheets, make_regimes, make_labels_needed, make_layers_carried]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


def test_sheets_stand_in_rows_with_their_labels():
    (axes,) = make_sheets().axes
    assert len(axes.images) == 6
    written = [text.get_text() for text in axes.texts]
    assert written == ["old", "0", "1", "4", "new", "5", "9", "7"]
    tops = [image.get_extent()[3] for image in axes.images]
    assert tops[0] == tops[2] > tops[3]
    (low, high), (left, right) = axes.get_ylim(), axes.get_xlim()
    for image in axes.images:
        x0, x1, y0, y1 = image.get_extent()
        assert left <= x0 < x1 <= right
        assert low <= y0 < y1 <= high


def test_rows_of_unequal_length_are_told():
    images = np.zeros((2, 3, 3))
    with pytest.raises(ValueError, match=r"\[1, 2\] images"):
        figures.sheets({"a": (images, [0, 1]), "b": (images[:1], [0])})


def test_what_moves_is_drawn_heavily_and_counted():
    (axes,) = make_regimes().axes
    heavy = [p for p in axes.patches if isinstance(p, FancyBboxPatch) and p.get_linewidth() > 2]
    columns = sorted(round(p.get_x(), 2) for p in heavy)
    # All four blocks from scratch, the head alone on a frozen body, all four in fine-tuning.
    assert [columns.count(x) for x in sorted(set(columns))] == [4, 1, 4]
    written = [text.get_text() for text in axes.texts]
    assert written.count("44,293 move") == 2
    assert written.count("325 move") == 1
    assert written.count("borrowed") == 6
    assert written.count("new") == 6


def test_a_line_is_the_mean_over_the_seeds():
    (axes,) = make_labels_needed().axes
    named = {line.get_label(): line for line in axes.lines if line.get_label()[0] != "_"}
    assert named["from scratch"].get_ydata().tolist() == pytest.approx([0.25, 0.3, 0.8])
    assert len({line.get_linestyle() for line in named.values()}) == 2
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["5", "20", "500"]
    steps = np.diff(named["frozen body"].get_xdata())
    assert steps == pytest.approx(np.log([4, 25]))
    faint = [line for line in axes.lines if line.get_alpha()]
    assert len(faint) == 4


def test_each_source_has_a_panel_with_the_start_as_a_reference():
    near, far = make_layers_carried().axes
    assert (near.get_title(loc="left"), far.get_title(loc="left")) == ("near", "far")
    for panel, mean in ((near, [0.3, 0.55, 0.45]), (far, [0.3, 0.25, 0.2])):
        named = {line.get_label(): line for line in panel.lines}
        assert named["frozen"].get_ydata().tolist() == pytest.approx(mean)
        reference = panel.lines[-1]
        assert list(reference.get_ydata()) == pytest.approx([0.3, 0.3])
