"""The figures of the chapter on vision: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import vision as figures
from course_lib.plotting.style import figure_to_svg

IMAGE = np.random.default_rng(0).uniform(size=(8, 8))
MASKS = np.zeros((2, 8, 8), bool)
MASKS[0, 2:6, 2:6] = MASKS[1, 4] = True
BOXES = np.array([[2.0, 2, 6, 6], [0, 1, 3, 4]])


def make_page():
    return figures.page(IMAGE, BOXES, [3, 7], MASKS)


def make_masks():
    return figures.masks([IMAGE] * 2, {"truth": [MASKS] * 2, "rule": [MASKS[:1]] * 2})


def make_unet():
    return figures.unet(24, 8, 2)


def make_overlaps():
    return figures.overlaps(
        [((0, 0, 4, 4), (2, 0, 6, 4)), ((0, 0, 2, 2), (4, 4, 6, 6))], [1 / 3, 0]
    )


def make_anchors():
    grid = np.array([[0.0, 0, 4, 4], [4, 0, 8, 4], [0, 4, 4, 8], [4, 4, 8, 8]])
    return figures.anchors(IMAGE, grid, 4, [0, 1], BOXES[1], [0.5, 0.1])


def make_suppression():
    full = (np.repeat(BOXES, 2, axis=0), np.array([0.9, 0.8, 0.7, 0.6]), np.array([3, 3, 7, 8]))
    return figures.suppression(IMAGE, full, (BOXES, np.array([0.9, 0.7]), np.array([3, 7])))


def make_patches():
    return figures.patches(IMAGE, 2, 20, 2)


def make_sizes():
    read = {"CNN": [[0.8, 0.9], [0.7, 0.95]], "ViT": [[0.5, 0.6], [0.4, 0.7]]}
    changed = {("none", "centered"): [0.8, 0.9], ("none", "shifted"): [0.4, 0.5]}
    return figures.sizes([100, 1000], read, changed)


def make_pencils():
    return figures.pencils({"raw": {"pen": [0.5, 0.6], "pencil": [0.1, 0.0]}})


MAKERS = [
    make_page,
    make_masks,
    make_unet,
    make_overlaps,
    make_anchors,
    make_suppression,
    make_patches,
    make_sizes,
    make_pencils,
]


def texts(axes):
    return [text.get_text() for text in axes.texts]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    figure = make()
    assert isinstance(figure, Figure)
    assert figure_to_svg(figure) == figure_to_svg(make())


def test_a_page_has_a_box_and_a_name_for_each_digit():
    _, boxes, masks = make_page().axes
    assert len(boxes.patches) == 2 and texts(boxes) == ["3", "7"]
    colors = {tuple(c) for c in masks.images[0].get_array().reshape(-1, 4).round(3).tolist()}
    assert len(colors) == 4  # paper, digit, line, both


def test_every_row_of_masks_is_named():
    named = [text for axes in make_masks().axes for text in texts(axes)]
    assert named == ["page", "truth", "rule"]


def test_the_unet_names_its_shapes():
    written = " ".join(texts(make_unet().axes[0]))
    for shape in ("(1, 24, 24)", "(8, 24, 24)", "(16, 12, 12)", "(32, 6, 6)", "(2, 24, 24)"):
        assert shape in written


def test_what_boxes_share_is_filled():
    meets, apart = make_overlaps().axes
    assert len(meets.patches) == 3 and len(apart.patches) == 2
    assert meets.get_title(loc="center") == "IoU 0.33"


def test_anchors_are_counted():
    left, right = make_anchors().axes
    assert left.get_title(loc="left") == "4 cells, 4 anchors" and len(right.patches) == 3


def test_suppression_counts_and_names_boxes():
    before, after = make_suppression().axes
    assert before.get_title(loc="left") == "before: 4 boxes" and texts(before) == []
    assert after.get_title(loc="left") == "after: 2 boxes" and texts(after) == [
        "3: 0.90",
        "7: 0.70",
    ]


def test_patches_are_counted():
    written = texts(make_patches().axes[0])
    assert "16 patches\nof 2 by 2" in written and "4 pixels\neach" in written


def test_curves_are_means():
    left, right = make_sizes().axes
    assert np.allclose(left.lines[0].get_ydata(), [75, 92.5])
    assert [tick.get_text() for tick in right.get_xticklabels()] == ["none"]


def test_each_group_has_its_mean():
    (axes,) = make_pencils().axes
    marks = [line for line in axes.lines if len(set(line.get_xdata())) == 1]
    assert sorted(round(float(line.get_xdata()[0])) for line in marks) == [5, 55]
