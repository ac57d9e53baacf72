"""Boxes: against painted pixels, OpenCV's suppression and scikit-learn's average precision."""

import doctest

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import average_precision_score

from course_lib import detection


def painted(a, b, fine=4, size=24):
    """Count pixels of a fine grid."""
    grid = np.zeros((2, size * fine, size * fine), dtype=bool)
    for one, (x1, y1, x2, y2) in zip(grid, (np.array([a, b]) * fine).astype(int), strict=True):
        one[y1:y2, x1:x2] = True
    return (grid[0] & grid[1]).sum() / max((grid[0] | grid[1]).sum(), 1)


def some_boxes(n, seed, fine=4):
    rng = np.random.default_rng(seed)
    corner = rng.integers(0, 10 * fine, (n, 2)) / fine
    return np.concatenate([corner, corner + rng.integers(1, 8 * fine, (n, 2)) / fine], axis=1)


def test_examples():
    result = doctest.testmod(detection)
    assert result.attempted and not result.failed


def test_iou_counts_pixels():
    a, b = some_boxes(12, 0), some_boxes(9, 1)
    wanted = [[painted(p, q) for q in b] for p in a]
    assert_allclose(detection.iou(a[:, None], b), wanted, atol=1e-12)
    assert detection.iou(a[:0, None], b).shape == (0, 9)
    assert float(detection.iou([3, 3, 3, 3], [3, 3, 3, 3])) == 0


@pytest.mark.parametrize("wrong", [[0, 0, 3], [4, 0, 2, 3]])
def test_what_is_no_box_is_named(wrong):
    with pytest.raises(ValueError, match="x1, y1, x2, y2"):
        detection.iou(wrong, [0, 0, 1, 1])


@pytest.mark.parametrize("threshold", [0.2, 0.5])
def test_suppression_is_opencvs(threshold):
    cv2 = pytest.importorskip("cv2")
    boxes, scores = some_boxes(80, 2), np.random.default_rng(3).permutation(80) / 80 + 0.01
    labels = np.random.default_rng(4).integers(3, size=80)
    sized = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    for kinds in (None, labels):
        arguments = (sized.tolist(), scores.tolist())
        if kinds is None:
            theirs = cv2.dnn.NMSBoxes(*arguments, 0.0, threshold)
        else:
            theirs = cv2.dnn.NMSBoxesBatched(*arguments, kinds.tolist(), 0.0, threshold)
        ours = detection.nms(boxes, scores, kinds, threshold=threshold)
        assert sorted(ours.tolist()) == sorted(np.ravel(theirs).tolist())
        assert np.all(np.diff(scores[ours]) < 0)


def test_offsets_there_and_back():
    boxes, anchors = some_boxes(30, 5), some_boxes(30, 6)
    assert_allclose(detection.decode(detection.encode(boxes, anchors), anchors), boxes, atol=1e-12)
    with pytest.raises(ValueError, match="leave it out"):
        detection.encode([1, 1, 1, 4], anchors[0])


def test_anchors_lie_around_the_middles_of_cells():
    grid = detection.anchor_grid(12, 4, [(2, 6), (4, 4)]).reshape(3, 3, 2, 4)
    assert_allclose((grid[2, 0, :, :2] + grid[2, 0, :, 2:]) / 2, [[2, 10], [2, 10]])
    assert_allclose(grid[1, 2, :, 2:] - grid[1, 2, :, :2], [[2, 6], [4, 4]])
    with pytest.raises(ValueError, match="do not fill"):
        detection.anchor_grid(10, 4, [(2, 2)])


def test_targets_follow_the_thresholds():
    grid = detection.anchor_grid(24, 4, [(8, 12)])
    boxes, labels = np.array([[3, 2, 10, 13], [20, 20, 23, 22]]), np.array([4, 7])
    classes, offsets = detection.anchor_targets(grid, boxes, labels)
    overlap = detection.iou(grid[:, None], boxes)
    favorite = overlap.argmax(axis=0)
    for k, (kind, anchor) in enumerate(zip(classes, grid, strict=True)):
        if k == favorite[1]:
            assert kind == 8  # the best for its digit, however little they share
            assert_allclose(detection.decode(offsets[k], anchor), boxes[1])
        elif overlap[k, 0] >= 0.5 or k == favorite[0]:
            assert kind == 5
            assert_allclose(detection.decode(offsets[k], anchor), boxes[0])
        else:
            assert kind == (0 if overlap[k].max() < 0.3 else -1)
            assert not offsets[k].any()
    nothing, _ = detection.anchor_targets(grid, np.zeros((0, 4)), [])
    assert not nothing.any()


def test_a_duplicate_is_a_false_alarm():
    found = detection.Found(
        np.array([[0, 0, 4, 4], [0, 0, 4, 4], [9, 9, 12, 12.0]]),
        np.array([0.5, 0.9, 0.7]),
        np.array([1, 1, 1]),
    )
    right, discovered = detection.match(found, [[0, 0, 4, 4], [9, 9, 12, 12]], [1, 2])
    assert right.tolist() == [False, True, False] and discovered.tolist() == [True, False]
    assert detection.match(found, np.zeros((0, 4)), [])[0].tolist() == [False] * 3


@pytest.mark.parametrize(("levels", "missed"), [(1000, 0), (1000, 5), (4, 3), (1, 0)])
def test_average_precision_is_scikit_learns(levels, missed):
    rng = np.random.default_rng(levels + missed)
    scores, right = rng.integers(levels, size=60) / levels, rng.random(60) < 0.4
    truths = int(right.sum()) + missed
    wanted = average_precision_score(right, scores) * right.sum() / truths
    for order in (np.arange(60), np.argsort(right, kind="stable"), np.argsort(~right)):
        got = detection.average_precision(scores[order], right[order], truths)
        assert_allclose(got, wanted, rtol=1e-12)


def test_average_precision_at_its_ends():
    assert detection.average_precision([], [], 3) == 0
    assert np.isnan(detection.average_precision([], [], 0))
    with pytest.raises(ValueError, match="cannot be right"):
        detection.average_precision([1, 2], [True, True], 1)


def test_the_mean_is_over_the_classes_that_occur():
    boxes = np.array([[0, 0, 4, 4], [9, 9, 12, 12.0]])
    found = [detection.Found(boxes, np.array([0.9, 0.8]), np.array([3, 6]))]
    assert detection.mean_average_precision(found, [boxes], [[3, 5]]) == 0.5
