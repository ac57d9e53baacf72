"""Where things are: boxes, how far two of them agree, and how good a list of found boxes is.

A box is ``(x1, y1, x2, y2)``: its left, upper, right and lower edge in pixels, x to the right and y
downwards. The edges are lines between pixels, so a box around column 3 alone has x1 = 3, x2 = 4.

References
----------
S. Ren, K. He, R. Girshick and J. Sun, "Faster R-CNN: towards real-time object detection with region
proposal networks", NeurIPS 2015, arXiv:1506.01497.
M. Everingham and others, "The PASCAL visual object
classes (VOC) challenge", IJCV 88, 303-338, 2010, doi:10.1007/s11263-009-0275-4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Found",
    "anchor_grid",
    "anchor_targets",
    "average_precision",
    "decode",
    "encode",
    "iou",
    "match",
    "mean_average_precision",
    "nms",
]

Floats = NDArray[np.float64]


class Found(NamedTuple):
    """What was found in one image.

    Attributes
    ----------
    boxes : ndarray, shape (k, 4)
    scores : ndarray, shape (k,)
        The higher, the surer.
    labels : ndarray of int, shape (k,)
    """

    boxes: NDArray[np.floating]
    scores: NDArray[np.floating]
    labels: NDArray[np.integer]


def iou(a: ArrayLike, b: ArrayLike) -> Floats:
    """Compute the intersection over union of boxes.

    Parameters
    ----------
    a : array_like, shape (..., 4)
    b : array_like, shape (..., 4)
        The leading dimensions broadcast: ``iou(a[:, None], b)`` compares each with each.

    Returns
    -------
    ndarray
        From 0 (nothing in common, also where boxes merely touch) to 1 (the same box); 0 where
        both are empty.

    Raises
    ------
    ValueError
        If a box does not have four numbers, or ends before it begins.

    Examples
    --------
    >>> float(iou([0, 0, 2, 2], [1, 0, 3, 2]))  # 2 of 6 pixels
    0.3333333333333333
    >>> iou([[0, 0, 2, 2]], [[0, 0, 2, 2], [2, 0, 4, 2]]).tolist()
    [1.0, 0.0]
    """
    a, b = _boxes(a), _boxes(b)
    left_top = np.maximum(a[..., :2], b[..., :2])
    right_bottom = np.minimum(a[..., 2:], b[..., 2:])
    # Boxes that do not meet have a negative width or height here, or both: their product would
    # count as area.
    both = np.prod(np.maximum(right_bottom - left_top, 0), axis=-1)
    either = _area(a) + _area(b) - both
    return np.divide(both, either, out=np.zeros_like(both), where=either > 0)


def nms(
    boxes: ArrayLike,
    scores: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    threshold: float = 0.5,
) -> NDArray[np.intp]:
    """Keep the best of boxes that overlap: non-maximum suppression.

    Parameters
    ----------
    boxes : array_like, shape (k, 4)
    scores : array_like, shape (k,)
        Of equal scores, the first counts as the higher one.
    labels : array_like of int, shape (k,), optional
        Boxes of different classes then do not suppress each other.
    threshold : float
        A box goes if its IoU with a better one that was kept is more than this.

    Returns
    -------
    ndarray of int
        Rows that are kept, from the highest score to the lowest.

    Examples
    --------
    >>> boxes = [[0, 0, 4, 4], [0, 0, 4, 5], [6, 0, 9, 4]]
    >>> nms(boxes, [0.8, 0.9, 0.3]).tolist()
    [1, 2]
    >>> nms(boxes, [0.8, 0.9, 0.3], labels=[7, 1, 7]).tolist()
    [1, 0, 2]
    """
    left = np.argsort(-np.asarray(scores, dtype=float), kind="stable")
    boxes = _boxes(boxes).reshape(-1, 4)
    kinds = np.zeros(len(boxes), int) if labels is None else np.asarray(labels)
    kept = []
    while len(left):
        best, rest = left[0], left[1:]
        kept.append(best)
        same = (iou(boxes[best], boxes[rest]) > threshold) & (kinds[rest] == kinds[best])
        left = rest[~same]
    return np.array(kept, dtype=np.intp)


def anchor_grid(size: int, stride: int, shapes: Sequence[tuple[float, float]]) -> Floats:
    """Lay boxes of given shapes over an image, around the middles of a grid of cells.

    Parameters
    ----------
    size : int
        Height and width of the image, a multiple of the stride.
    stride : int
        Height and width of a cell.
    shapes : sequence of (float, float)
        Width and height of each anchor.

    Returns
    -------
    ndarray, shape (rows * columns * len(shapes), 4)
        Row by row of the grid, cell by cell, shape by shape. Anchors at the rim reach outside.

    Raises
    ------
    ValueError
        If the cells do not fill the image.

    Examples
    --------
    >>> anchor_grid(8, 4, [(4, 6)]).tolist()[1]  # the cell at the upper right
    [4.0, -1.0, 8.0, 5.0]
    """
    if size % stride:
        raise ValueError(f"Cells of {stride} pixels do not fill an image of {size}.")
    middles = np.arange(stride / 2, size, stride)
    y, x, kind = np.meshgrid(middles, middles, np.arange(len(shapes)), indexing="ij")
    half = np.asarray(shapes, dtype=float)[kind.ravel()] / 2
    centers = np.stack([x.ravel(), y.ravel()], axis=1)
    return np.concatenate([centers - half, centers + half], axis=1)


def encode(boxes: ArrayLike, anchors: ArrayLike) -> Floats:
    """Express boxes relative to anchors: what a detector is trained to answer.

    Parameters
    ----------
    boxes, anchors : array_like, shape (..., 4)
        Each with a width and a height above 0.

    Returns
    -------
    ndarray, shape (..., 4)
        How far the center lies to the right and below, in widths and heights of the anchor, and
        the logarithms of how many times as wide and high the box is.

    Raises
    ------
    ValueError
        If a box has no width or no height.

    Examples
    --------
    >>> encode([2, 0, 6, 8], [0, 0, 4, 4]).round(3).tolist()
    [0.5, 0.5, 0.0, 0.693]
    """
    center, sides = _center_and_sides(boxes)
    at, unit = _center_and_sides(anchors)
    if not (np.all(sides > 0) and np.all(unit > 0)):
        raise ValueError("A box without width or height has no logarithm: leave it out.")
    return np.concatenate([(center - at) / unit, np.log(sides / unit)], axis=-1)


def decode(offsets: ArrayLike, anchors: ArrayLike) -> Floats:
    """Turn a detector's answers into boxes: the inverse of `encode`.

    Parameters
    ----------
    offsets, anchors : array_like, shape (..., 4)

    Returns
    -------
    ndarray, shape (..., 4)

    Examples
    --------
    >>> decode([0.5, 0.5, 0.0, 0.0], [0, 0, 4, 4]).tolist()
    [2.0, 2.0, 6.0, 6.0]
    """
    offsets = np.asarray(offsets, dtype=float)
    at, unit = _center_and_sides(anchors)
    center, half = at + offsets[..., :2] * unit, np.exp(offsets[..., 2:]) * unit / 2
    return np.concatenate([center - half, center + half], axis=-1)


def anchor_targets(
    anchors: ArrayLike,
    boxes: ArrayLike,
    labels: ArrayLike,
    *,
    background: float = 0.3,
    positive: float = 0.5,
) -> tuple[NDArray[np.int64], Floats]:
    """Say for each anchor what a detector should answer there.

    Parameters
    ----------
    anchors : array_like, shape (m, 4)
    boxes : array_like, shape (k, 4)
        What is in the image; may be none.
    labels : array_like of int, shape (k,)
        Classes from 0.
    background : float
        An anchor whose best IoU is below this stands for background.
    positive : float
        From this IoU on, an anchor stands for the box that it agrees with most.

    Returns
    -------
    classes : ndarray of int, shape (m,)
        0 for background, the class plus 1 for an anchor that stands for a box, and -1 for one in
        between, which no loss should count. The best anchor of each box stands for it in any case.
    offsets : ndarray, shape (m, 4)
        What `encode` makes of the box; zeros elsewhere.
    """
    anchors = _boxes(anchors)
    boxes, labels = _boxes(boxes).reshape(-1, 4), np.asarray(labels, dtype=np.int64)
    classes, offsets = np.zeros(len(anchors), np.int64), np.zeros((len(anchors), 4))
    if not len(boxes):
        return classes, offsets
    overlap = iou(anchors[:, np.newaxis], boxes)  # (m, k)
    best, height = overlap.argmax(axis=1), overlap.max(axis=1)
    classes[height >= background] = -1
    stands = height >= positive
    favorite = overlap.argmax(axis=0)
    best[favorite], stands[favorite] = np.arange(len(boxes)), True
    classes[stands] = labels[best[stands]] + 1
    offsets[stands] = encode(boxes[best[stands]], anchors[stands])
    return classes, offsets


def match(
    found: Found, boxes: ArrayLike, labels: ArrayLike, *, threshold: float = 0.5
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Decide which finds are right, and which of the true boxes were found.

    From the highest score to the lowest, a find is compared with the true box of its class that
    it agrees with most. It is right if their IoU reaches the threshold and no better find has
    taken that box: a second one is a false alarm.

    Parameters
    ----------
    found : Found
    boxes : array_like, shape (k, 4)
        The truth in the same image.
    labels : array_like of int, shape (k,)
    threshold : float

    Returns
    -------
    right : ndarray of bool, one per find
    discovered : ndarray of bool, shape (k,)
    """
    boxes, labels = _boxes(boxes).reshape(-1, 4), np.asarray(labels)
    right = np.zeros(len(found.scores), bool)
    discovered = np.zeros(len(labels), bool)
    for i in np.argsort(-np.asarray(found.scores), kind="stable"):
        overlap = np.where(labels == found.labels[i], iou(found.boxes[i], boxes), -1.0)
        if len(overlap) and overlap.max() >= threshold:
            j = overlap.argmax()
            right[i] = not discovered[j]
            discovered[j] = True
    return right, discovered


def average_precision(scores: ArrayLike, right: ArrayLike, truths: int) -> float:
    """Compute the area under precision against recall of a ranked list of finds.

    Parameters
    ----------
    scores : array_like, shape (k,)
        Finds of equal score enter the list together.
    right : array_like of bool, shape (k,)
        As `match` says.
    truths : int
        How many there were to find. Those that no find belongs to count as missed.

    Returns
    -------
    float
        From 0 to 1; nan if there was nothing to find.

    Raises
    ------
    ValueError
        If more finds are right than there were things to find.

    Examples
    --------
    >>> average_precision([0.9, 0.8, 0.7], [True, False, True], truths=2)  # (1 + 2/3) / 2
    0.8333333333333333
    """
    s, hit = np.asarray(scores, dtype=float), np.asarray(right, dtype=bool)
    if hit.sum() > truths:
        raise ValueError(f"{hit.sum()} finds cannot be right where there were {truths} to find.")
    if not truths:
        return float("nan")
    order = np.argsort(-s, kind="stable")
    s, hit = s[order], hit[order]
    last_of_equals = np.append(np.diff(s) != 0, True)[: len(s)]
    found, count = np.cumsum(hit)[last_of_equals], np.arange(1, len(s) + 1)[last_of_equals]
    return float(np.sum(np.diff(found, prepend=0) * found / count) / truths)


def mean_average_precision(
    found: Sequence[Found],
    boxes: Sequence[ArrayLike],
    labels: Sequence[ArrayLike],
    *,
    threshold: float = 0.5,
) -> float:
    """Compute the average precision of each class over many images, and the mean over classes.

    Parameters
    ----------
    found : sequence of Found, one per image
    boxes : sequence of array_like, shape (k, 4)
        What is in each image.
    labels : sequence of array_like of int, shape (k,)
    threshold : float
        IoU from which a find is right.

    Returns
    -------
    float
        Over the classes that occur.
    """
    right = np.concatenate(
        [match(*row, threshold=threshold)[0] for row in zip(found, boxes, labels, strict=True)]
    )
    scores = np.concatenate([np.asarray(one.scores) for one in found])
    kinds = np.concatenate([np.asarray(one.labels) for one in found])
    truth = np.concatenate([np.asarray(one) for one in labels])
    precisions = [
        average_precision(scores[kinds == c], right[kinds == c], int(np.sum(truth == c)))
        for c in np.unique(truth)
    ]
    return float(np.mean(precisions))


def _boxes(boxes: ArrayLike) -> Floats:
    found = np.asarray(boxes, dtype=float)
    if not found.size:
        return found.reshape(*found.shape[:-1], 4) if found.ndim > 1 else found.reshape(0, 4)
    if found.shape[-1:] != (4,):
        raise ValueError(
            f"Boxes must be (x1, y1, x2, y2), shape (..., 4), but came with shape {found.shape}."
        )
    if np.any(found[..., 2:] < found[..., :2]):
        raise ValueError(
            "A box ends before it begins: boxes are (x1, y1, x2, y2) with x1 <= x2 and y1 <= y2. "
            "Are these (x, y, width, height), or (x1, x2, y1, y2)?"
        )
    return found


def _area(boxes: Floats) -> Floats:
    return np.prod(boxes[..., 2:] - boxes[..., :2], axis=-1)


def _center_and_sides(boxes: ArrayLike) -> tuple[Floats, Floats]:
    boxes = _boxes(boxes)
    return (boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]
