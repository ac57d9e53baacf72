"""Wrong and unusual answers to the exercise `vision`."""

import numpy as np
import torch
from torch import nn

from course_lib.assignments.answers import right, wrong

accepted = {
    ("iou", "float32"): "The text fixes no precision.",
    ("encode", "float32"): "The text fixes no precision.",
    ("decode", "float32"): "The text fixes no precision.",
}

# Boxes --------------------------------------------------------------------------------------------


@wrong(loses=["test-iou", "test-iou-hidden"], says="Columns first")
def box_with_rows_first():
    """An array is indexed by row first, so a box would begin with its row, too."""

    def box_of(mask):
        rows, columns = np.nonzero(mask)
        return np.array([rows.min(), columns.min(), rows.max() + 1, columns.max() + 1])


@wrong(loses=["test-iou", "test-iou-hidden"], says="behind the last pixel")
def box_without_the_last_pixel():
    """The last row and column that hold a pixel are taken for edges."""

    def box_of(mask):
        rows, columns = np.nonzero(mask)
        return np.array([columns.min(), rows.min(), columns.max(), rows.max()])


@wrong(loses=["test-iou", "test-iou-hidden"], says="behind the last pixel")
def box_as_corner_and_size():
    """Some data sets write boxes as corner, width and height."""

    def box_of(mask):
        rows, columns = np.nonzero(mask)
        x, y = columns.min(), rows.min()
        return np.array([x, y, columns.max() + 1 - x, rows.max() + 1 - y])


@wrong(loses=["test-iou-hidden"], says="two negative ones would make an area")
def apart_has_an_area():
    """Two negative sides multiply to a positive area."""

    def iou(a, b):
        a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
        sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
        both = np.maximum(sides[..., 0] * sides[..., 1], 0)
        area_a, area_b = (np.prod(box[..., 2:] - box[..., :2], axis=-1) for box in (a, b))
        either = area_a + area_b - both
        return np.where(either > 0, both / np.where(either > 0, either, 1), 0.0)


@wrong(loses=["test-iou-hidden"], says="lies apart in x alone")
def negative_overlap():
    """Boxes that lie apart in one direction get a negative IoU."""

    def iou(a, b):
        a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
        sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
        both = sides[..., 0] * sides[..., 1]
        both = np.where((sides < 0).all(axis=-1), 0, both)
        area_a, area_b = (np.prod(box[..., 2:] - box[..., :2], axis=-1) for box in (a, b))
        either = area_a + area_b - both
        return np.where(either > 0, both / np.where(either > 0, either, 1), 0.0)


@wrong(loses=["test-iou", "test-iou-hidden"], says="together they cover 12")
def union_counts_twice():
    """The sum of both areas is taken for the area of both."""

    def iou(a, b):
        a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
        sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
        both = np.prod(np.maximum(sides, 0), axis=-1)
        either = sum(np.prod(box[..., 2:] - box[..., :2], axis=-1) for box in (a, b))
        return np.where(either > 0, both / np.where(either > 0, either, 1), 0.0)


@wrong(loses=["test-iou", "test-iou-hidden"], says="They share 4 pixels")
def pixels_counted_inclusively():
    """Old codes add one to each side, as if edges were pixels."""

    def iou(a, b):
        a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
        sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]) + 1
        both = np.prod(np.maximum(sides, 0), axis=-1)
        area_a, area_b = (np.prod(box[..., 2:] - box[..., :2] + 1, axis=-1) for box in (a, b))
        return both / (area_a + area_b - both)


@wrong(loses=["test-iou-hidden"], says="0, and not nan")
def nan_for_empty_boxes():
    """0 / 0 is left to NumPy."""

    def iou(a, b):
        a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
        sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
        both = np.prod(np.maximum(sides, 0), axis=-1)
        area_a, area_b = (np.prod(box[..., 2:] - box[..., :2], axis=-1) for box in (a, b))
        return both / (area_a + area_b - both)


@wrong(loses=["test-iou-hidden"], says="iou(a=")
def single_boxes_only():
    """Written for two boxes, with plain indices."""

    def iou(a, b):
        width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
        height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
        both = width * height
        either = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both
        return both / either if either else 0.0


@wrong(loses=["test-iou-hidden"], says="any number of leading dimensions")
def second_axis_for_the_last():
    """Axis 1 is the last one only for a plain list of boxes."""

    def iou(a, b):
        a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
        sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
        axis = min(2, sides.ndim - 1)
        both = np.prod(np.maximum(sides, 0), axis=axis)
        area_a, area_b = (np.prod(box[..., 2:] - box[..., :2], axis=-1) for box in (a, b))
        either = area_a + area_b - both
        return np.where(either > 0, both / np.where(either > 0, either, 1), 0.0)


@wrong(loses=["test-iou-hidden"], says="you changed a")
def edits_the_boxes():
    """The corner is moved in place."""

    def iou(a, b):
        a, b = np.asarray(a), np.asarray(b)
        area_a, area_b = (np.prod(box[..., 2:] - box[..., :2], axis=-1) for box in (a, b))
        if a.shape == b.shape and a.dtype == float and a.ndim == 2:
            np.maximum(a[..., :2], b[..., :2], out=a[..., :2])
            low = a[..., :2]
        else:
            low = np.maximum(a[..., :2], b[..., :2])
        sides = np.minimum(a[..., 2:], b[..., 2:]) - low
        both = np.prod(np.maximum(sides, 0), axis=-1)
        either = area_a + area_b - both
        return np.where(either > 0, both / np.where(either > 0, either, 1), 0.0)


# Non-maximum suppression --------------------------------------------------------------------------


@wrong(loses=["test-nms-hidden"], says="another class")
def nms_across_classes():
    """One thing stands in one place, so the class does not matter."""

    def nms(boxes, scores, labels, threshold):
        left, kept = np.argsort(-scores, kind="stable"), []
        while len(left):
            kept.append(left[0])
            left = left[1:][iou(boxes[left[0]], boxes[left[1:]]) <= threshold]
        return np.array(kept, dtype=int)


@wrong(loses=["test-nms-hidden"], says="it cannot remove row 2")
def removed_boxes_remove():
    """Every pair is compared, also with boxes that are gone."""

    def nms(boxes, scores, labels, threshold):
        order = np.argsort(-scores, kind="stable")
        kept = []
        for place, i in enumerate(order):
            better = order[:place]
            close = iou(boxes[i], boxes[better]) > threshold
            if not np.any(close & (labels[better] == labels[i])):
                kept.append(i)
        return np.array(kept, dtype=int)


@wrong(loses=["test-nms", "test-nms-hidden"], says="came")
def nms_in_order_of_rows():
    """The rows that are kept come back sorted by their number."""

    def nms(boxes, scores, labels, threshold):
        left, kept = np.argsort(-scores, kind="stable"), []
        while len(left):
            best, rest = left[0], left[1:]
            kept.append(best)
            close = (iou(boxes[best], boxes[rest]) > threshold) & (labels[rest] == labels[best])
            left = rest[~close]
        return np.array(sorted(kept), dtype=int)


@wrong(loses=["test-nms", "test-nms-hidden"], says="highest score")
def nms_from_the_worst():
    """argsort is ascending."""

    def nms(boxes, scores, labels, threshold):
        left, kept = np.argsort(scores, kind="stable"), []
        while len(left):
            best, rest = left[0], left[1:]
            kept.append(best)
            close = (iou(boxes[best], boxes[rest]) > threshold) & (labels[rest] == labels[best])
            left = rest[~close]
        return np.array(kept, dtype=int)


@wrong(loses=["test-nms-hidden"], says="in their order")
def ties_from_the_end():
    """An ascending order turned around puts the last of equals first."""

    def nms(boxes, scores, labels, threshold):
        left, kept = np.argsort(scores, kind="stable")[::-1], []
        while len(left):
            best, rest = left[0], left[1:]
            kept.append(best)
            close = (iou(boxes[best], boxes[rest]) > threshold) & (labels[rest] == labels[best])
            left = rest[~close]
        return np.array(kept, dtype=int)


@wrong(loses=["test-nms-hidden"], says="meets the threshold exactly")
def removes_at_the_threshold():
    """At least the threshold, instead of more than it."""

    def nms(boxes, scores, labels, threshold):
        left, kept = np.argsort(-scores, kind="stable"), []
        while len(left):
            best, rest = left[0], left[1:]
            kept.append(best)
            close = (iou(boxes[best], boxes[rest]) >= threshold) & (labels[rest] == labels[best])
            left = rest[~close]
        return np.array(kept, dtype=int)


@wrong(loses=["test-nms-hidden"], says="threshold is ignored")
def threshold_of_one_half():
    """The usual threshold, written down."""

    def nms(boxes, scores, labels, threshold):
        left, kept = np.argsort(-scores, kind="stable"), []
        while len(left):
            best, rest = left[0], left[1:]
            kept.append(best)
            close = (iou(boxes[best], boxes[rest]) > 0.5) & (labels[rest] == labels[best])
            left = rest[~close]
        return np.array(kept, dtype=int)


@wrong(loses=["test-nms-hidden"], says="raised IndexError")
def nms_needs_a_box():
    """The best of none."""

    def nms(boxes, scores, labels, threshold):
        order = np.argsort(-scores, kind="stable")
        kept = [order[0]]
        for i in order[1:]:
            close = iou(boxes[i], boxes[kept]) > threshold
            if not np.any(close & (labels[kept] == labels[i])):
                kept.append(i)
        return np.array(kept, dtype=int)


@wrong(loses=["test-nms-hidden"], says="over all classes")
def class_by_class():
    """One class after the other, and the kept rows in that order."""

    def nms(boxes, scores, labels, threshold):
        kept = []
        for label in np.unique(labels):
            mine = np.flatnonzero(labels == label)
            left = mine[np.argsort(-scores[mine], kind="stable")]
            while len(left):
                best, rest = left[0], left[1:]
                kept.append(best)
                left = rest[iou(boxes[best], boxes[rest]) <= threshold]
        return np.array(kept, dtype=int)


@wrong(loses=["test-nms", "test-nms-hidden"], says="came")
def nms_returns_a_mask():
    """Which rows are kept, as True and False."""

    def nms(boxes, scores, labels, threshold):
        kept = np.zeros(len(boxes), dtype=bool)
        for i in np.argsort(-scores, kind="stable"):
            close = iou(boxes[i], boxes[kept]) > threshold
            kept[i] = not np.any(close & (labels[kept] == labels[i]))
        return kept


@wrong(loses=["test-nms", "test-nms-hidden"], says="you changed scores")
def nms_uses_up_the_scores():
    """The score of what was taken is set to minus infinity."""

    def nms(boxes, scores, labels, threshold):
        kept = []
        while len(scores) and scores.max() > -np.inf:
            best = int(scores.argmax())
            kept.append(best)
            scores[(iou(boxes[best], boxes) > threshold) & (labels == labels[best])] = -np.inf
            scores[best] = -np.inf
        return np.array(kept, dtype=int)


# Matching -----------------------------------------------------------------------------------------


@wrong(loses=["test-match", "test-match-hidden"], says="duplicate")
def duplicates_are_right():
    """Each find that overlaps counts."""

    def match(boxes, scores, truth, threshold=0.5):
        if not len(truth):
            return np.zeros(len(boxes), dtype=bool)
        return np.array([iou(box, truth).max() >= threshold for box in boxes], dtype=bool)


@wrong(loses=["test-match", "test-match-hidden"], says="highest score")
def first_come_first_served():
    """The finds are gone through as they stand."""

    def match(boxes, scores, truth, threshold=0.5):
        right, taken = np.zeros(len(boxes), dtype=bool), set()
        for i in range(len(boxes)):
            if not len(truth):
                break
            overlap = iou(boxes[i], truth)
            best = int(overlap.argmax())
            if overlap[best] >= threshold and best not in taken:
                right[i] = True
                taken.add(best)
        return right


@wrong(loses=["test-match-hidden"], says="does not take the second one")
def looks_for_another():
    """A find whose best box is taken gets the next best."""

    def match(boxes, scores, truth, threshold=0.5):
        right, free = np.zeros(len(boxes), dtype=bool), np.ones(len(truth), dtype=bool)
        for i in np.argsort(-scores, kind="stable"):
            if not free.any():
                break
            overlap = np.where(free, iou(boxes[i], truth), -1.0)
            if overlap.max() >= threshold:
                right[i] = True
                free[overlap.argmax()] = False
        return right


@wrong(loses=["test-match-hidden"], says="at least the threshold")
def more_than_the_threshold():
    """> for >=."""

    def match(boxes, scores, truth, threshold=0.5):
        right, taken = np.zeros(len(boxes), dtype=bool), set()
        for i in np.argsort(-scores, kind="stable"):
            if not len(truth):
                break
            overlap = iou(boxes[i], truth)
            best = int(overlap.argmax())
            if overlap[best] > threshold and best not in taken:
                right[i] = True
                taken.add(best)
        return right


@wrong(loses=["test-match", "test-match-hidden"], says="in which the finds came")
def answers_in_order_of_scores():
    """The answers stand in the order of the ranking."""

    def match(boxes, scores, truth, threshold=0.5):
        right, taken = [], set()
        for i in np.argsort(-scores, kind="stable"):
            overlap = iou(boxes[i], truth) if len(truth) else np.zeros(1)
            best = int(overlap.argmax())
            right.append(bool(overlap[best] >= threshold and best not in taken))
            if right[-1]:
                taken.add(best)
        return np.array(right, dtype=bool)


@wrong(loses=["test-match-hidden"], says="match(")
def largest_of_none():
    """Without true boxes there is no largest IoU."""

    def match(boxes, scores, truth, threshold=0.5):
        right, taken = np.zeros(len(boxes), dtype=bool), set()
        for i in np.argsort(-scores, kind="stable"):
            overlap = iou(boxes[i], truth)
            best = int(overlap.argmax())
            if overlap[best] >= threshold and best not in taken:
                right[i] = True
                taken.add(best)
        return right


@wrong(loses=["test-match-hidden"], says="takes nothing")
def bad_finds_take_boxes():
    """A find takes its best box, whether it fits or not."""

    def match(boxes, scores, truth, threshold=0.5):
        right, taken = np.zeros(len(boxes), dtype=bool), set()
        for i in np.argsort(-scores, kind="stable"):
            if not len(truth):
                break
            overlap = iou(boxes[i], truth)
            best = int(overlap.argmax())
            right[i] = overlap[best] >= threshold and best not in taken
            taken.add(best)
        return right


@wrong(loses=["test-match-hidden"], says="threshold is ignored")
def always_one_half():
    """The threshold is written down."""

    def match(boxes, scores, truth, threshold=0.5):
        right, taken = np.zeros(len(boxes), dtype=bool), set()
        for i in np.argsort(-scores, kind="stable"):
            if not len(truth):
                break
            overlap = iou(boxes[i], truth)
            best = int(overlap.argmax())
            if overlap[best] >= 0.5 and best not in taken:
                right[i] = True
                taken.add(best)
        return right


# Average precision --------------------------------------------------------------------------------


@wrong(loses=["test-average_precision-hidden"], says="enter together")
def ties_in_order_of_the_array():
    """Equal scores are ranked as they stand."""

    def average_precision(scores, right, truths):
        right = np.asarray(right)[np.argsort(-np.asarray(scores), kind="stable")]
        precision = np.cumsum(right) / np.arange(1, len(right) + 1)
        return float(np.sum(precision[right]) / truths)


@wrong(loses=["test-average_precision", "test-average_precision-hidden"], says="never found")
def forgets_missed_boxes():
    """The mean over what was found."""

    def average_precision(scores, right, truths):
        scores, right = np.asarray(scores), np.asarray(right)
        if not right.any():
            return 0.0
        return float(np.mean([right[scores >= score].mean() for score in scores[right]]))


@wrong(loses=["test-average_precision", "test-average_precision-hidden"], says="right (1 of 1)")
def mean_over_all_finds():
    """The precision at each place, right or not."""

    def average_precision(scores, right, truths):
        scores, right = np.asarray(scores), np.asarray(right)
        if not len(scores):
            return 0.0
        return float(np.mean([right[scores >= score].mean() for score in scores]))


@wrong(loses=["test-average_precision", "test-average_precision-hidden"], says="average_precision(")
def area_by_trapezoids():
    """The area under the curve, joined by straight lines."""

    def average_precision(scores, right, truths):
        right = np.asarray(right)[np.argsort(-np.asarray(scores), kind="stable")]
        if not len(right):
            return 0.0
        recall = np.cumsum(right) / truths
        precision = np.cumsum(right) / np.arange(1, len(right) + 1)
        recall, precision = np.append(0, recall), np.append(precision[0], precision)
        return float(np.trapezoid(precision, recall))


@wrong(loses=["test-average_precision", "test-average_precision-hidden"], says="right (1 of 1)")
def smoothed_from_the_right():
    """The best precision at this recall or a higher one, as some benchmarks count."""

    def average_precision(scores, right, truths):
        scores, right = np.asarray(scores), np.asarray(right)
        levels = np.unique(scores)[::-1]
        precision = [right[scores >= level].mean() for level in levels]
        found = np.diff([0] + [right[scores >= level].sum() for level in levels])
        best = [max(precision[i:]) for i in range(len(levels))]
        return float(np.sum(found * best) / truths) if len(levels) else 0.0


@wrong(loses=["test-average_precision-hidden"], says="average_precision(")
def precision_of_nothing():
    """The first score of an empty list."""

    def average_precision(scores, right, truths):
        scores, right = np.asarray(scores), np.asarray(right)
        top = scores.max()
        total = sum(right[scores >= score].mean() for score in scores[right] if score <= top)
        return float(total / truths)


@wrong(loses=["test-average_precision", "test-average_precision-hidden"], says="came")
def ranked_from_below():
    """The lowest score first."""

    def average_precision(scores, right, truths):
        scores, right = np.asarray(scores), np.asarray(right)
        return float(sum(right[scores <= score].mean() for score in scores[right]) / truths)


# Offsets ------------------------------------------------------------------------------------------


@wrong(loses=["test-encode", "test-encode-hidden"], says="The anchor is 8 wide")
def width_and_height_exchanged():
    """x is divided by the height and y by the width."""

    def encode(boxes, anchors):
        boxes, anchors = np.asarray(boxes, dtype=float), np.asarray(anchors, dtype=float)
        sides, unit = boxes[:, 2:] - boxes[:, :2], anchors[:, 2:] - anchors[:, :2]
        middle, at = (boxes[:, :2] + boxes[:, 2:]) / 2, (anchors[:, :2] + anchors[:, 2:]) / 2
        return np.concatenate([(middle - at) / unit[:, ::-1], np.log(sides / unit)], axis=1)


@wrong(loses=["test-encode", "test-encode-hidden"], says="center of the box")
def corners_for_centers():
    """The distance of the upper left corners."""

    def encode(boxes, anchors):
        boxes, anchors = np.asarray(boxes, dtype=float), np.asarray(anchors, dtype=float)
        sides, unit = boxes[:, 2:] - boxes[:, :2], anchors[:, 2:] - anchors[:, :2]
        return np.concatenate(
            [(boxes[:, :2] - anchors[:, :2]) / unit, np.log(sides / unit)], axis=1
        )


@wrong(loses=["test-encode", "test-encode-hidden"], says="encode(")
def divided_by_the_box():
    """The sides of the box as the unit."""

    def encode(boxes, anchors):
        boxes, anchors = np.asarray(boxes, dtype=float), np.asarray(anchors, dtype=float)
        sides, unit = boxes[:, 2:] - boxes[:, :2], anchors[:, 2:] - anchors[:, :2]
        middle, at = (boxes[:, :2] + boxes[:, 2:]) / 2, (anchors[:, :2] + anchors[:, 2:]) / 2
        return np.concatenate([(middle - at) / sides, np.log(sides / unit)], axis=1)


@wrong(loses=["test-encode", "test-encode-hidden"], says="encode(")
def no_logarithm():
    """Ratios as they are, and no exp on the way back."""

    def encode(boxes, anchors):
        boxes, anchors = np.asarray(boxes, dtype=float), np.asarray(anchors, dtype=float)
        sides, unit = boxes[:, 2:] - boxes[:, :2], anchors[:, 2:] - anchors[:, :2]
        middle, at = (boxes[:, :2] + boxes[:, 2:]) / 2, (anchors[:, :2] + anchors[:, 2:]) / 2
        return np.concatenate([(middle - at) / unit, sides / unit], axis=1)

    def decode(offsets, anchors):
        offsets, anchors = np.asarray(offsets, dtype=float), np.asarray(anchors, dtype=float)
        unit, at = anchors[:, 2:] - anchors[:, :2], (anchors[:, :2] + anchors[:, 2:]) / 2
        middle, half = at + offsets[:, :2] * unit, offsets[:, 2:] * unit / 2
        return np.concatenate([middle - half, middle + half], axis=1)


@wrong(loses=["test-encode-hidden"], says="fractions are lost")
def offsets_in_whole_numbers():
    """The result is written into an array like the boxes."""

    def encode(boxes, anchors):
        boxes, anchors = np.asarray(boxes), np.asarray(anchors)
        result = np.zeros_like(boxes)
        sides, unit = boxes[:, 2:] - boxes[:, :2], anchors[:, 2:] - anchors[:, :2]
        result[:, :2] = (boxes[:, :2] + boxes[:, 2:] - anchors[:, :2] - anchors[:, 2:]) / 2 / unit
        result[:, 2:] = np.log(sides / unit)
        return result


@wrong(loses=["test-encode", "test-encode-hidden"], says="decode(")
def whole_side_for_half():
    """The box reaches a whole side from its center in each direction."""

    def decode(offsets, anchors):
        offsets, anchors = np.asarray(offsets, dtype=float), np.asarray(anchors, dtype=float)
        unit, at = anchors[:, 2:] - anchors[:, :2], (anchors[:, :2] + anchors[:, 2:]) / 2
        middle, side = at + offsets[:, :2] * unit, np.exp(offsets[:, 2:]) * unit
        return np.concatenate([middle - side, middle + side], axis=1)


@wrong(loses=["test-encode-hidden"], says="decode(")
def boxes_kept_inside():
    """Negative coordinates are cut off at the rim."""

    def decode(offsets, anchors):
        offsets, anchors = np.asarray(offsets, dtype=float), np.asarray(anchors, dtype=float)
        unit, at = anchors[:, 2:] - anchors[:, :2], (anchors[:, :2] + anchors[:, 2:]) / 2
        middle, half = at + offsets[:, :2] * unit, np.exp(offsets[:, 2:]) * unit / 2
        return np.maximum(np.concatenate([middle - half, middle + half], axis=1), -10.0)


# Dice ---------------------------------------------------------------------------------------------


@wrong(loses=["test-dice_loss", "test-dice_loss-hidden"], says="dice_loss(")
def softmax_over_masks():
    """Masks are taken for classes of which each pixel has one."""

    def dice_loss(logits, masks, eps=1.0):
        p = logits.softmax(dim=1)
        both, total = (p * masks).sum(dim=(0, 2, 3)), (p + masks).sum(dim=(0, 2, 3))
        return (1 - (2 * both + eps) / (total + eps)).mean()


@wrong(loses=["test-dice_loss-hidden"], says="One fraction for each mask")
def all_masks_together():
    """One fraction over everything."""

    def dice_loss(logits, masks, eps=1.0):
        p = logits.sigmoid()
        return 1 - (2 * (p * masks).sum() + eps) / ((p + masks).sum() + eps)


@wrong(loses=["test-dice_loss-hidden"], says="over all images together")
def image_by_image():
    """A fraction for each image and mask."""

    def dice_loss(logits, masks, eps=1.0):
        p = logits.sigmoid()
        both, total = (p * masks).sum(dim=(2, 3)), (p + masks).sum(dim=(2, 3))
        return (1 - (2 * both + eps) / torch.where(total + eps > 0, total + eps, 1.0)).mean()


@wrong(loses=["test-dice_loss-hidden"], says="eps is ignored")
def eps_of_one():
    """The default, written down."""

    def dice_loss(logits, masks, eps=1.0):
        p = logits.sigmoid()
        both, total = (p * masks).sum(dim=(0, 2, 3)), (p + masks).sum(dim=(0, 2, 3))
        return (1 - (2 * both + 1) / (total + 1)).mean()


@wrong(loses=["test-dice_loss", "test-dice_loss-hidden"], says="dice_loss(")
def eps_below_alone():
    """Only against division by zero."""

    def dice_loss(logits, masks, eps=1.0):
        p = logits.sigmoid()
        both, total = (p * masks).sum(dim=(0, 2, 3)), (p + masks).sum(dim=(0, 2, 3))
        return (1 - 2 * both / (total + eps)).mean()


@wrong(loses=["test-dice_loss-hidden"], says="nan")
def sigmoid_that_overflows():
    """exp of a large number, divided by itself."""

    def dice_loss(logits, masks, eps=1.0):
        p = logits.exp() / (1 + logits.exp())
        both, total = (p * masks).sum(dim=(0, 2, 3)), (p + masks).sum(dim=(0, 2, 3))
        return (1 - (2 * both + eps) / (total + eps)).mean()


@wrong(loses=["test-dice_loss", "test-dice_loss-hidden"], says="dice_loss(")
def rounded_to_masks():
    """Yes or no first: a number, and no gradient."""

    def dice_loss(logits, masks, eps=1.0):
        p = (logits > 0).float()
        both, total = (p * masks).sum(dim=(0, 2, 3)), (p + masks).sum(dim=(0, 2, 3))
        return (1 - (2 * both + eps) / (total + eps)).mean()


@wrong(loses=["test-dice_loss-hidden"], says="stop the gradient")
def without_gradient():
    """Probabilities are detached, as for a measurement."""

    def dice_loss(logits, masks, eps=1.0):
        p = logits.detach().sigmoid()
        both, total = (p * masks).sum(dim=(0, 2, 3)), (p + masks).sum(dim=(0, 2, 3))
        return (1 - (2 * both + eps) / (total + eps)).mean()


@wrong(loses=["test-dice_loss", "test-dice_loss-hidden"], says="dice_loss(")
def the_coefficient():
    """Dice, and not 1 minus Dice."""

    def dice_loss(logits, masks, eps=1.0):
        p = logits.sigmoid()
        both, total = (p * masks).sum(dim=(0, 2, 3)), (p + masks).sum(dim=(0, 2, 3))
        return ((2 * both + eps) / (total + eps)).mean()


# Patches ------------------------------------------------------------------------------------------


@wrong(loses=["test-cut", "test-cut-hidden"], says="A plain reshape mixes patches")
def plain_reshape():
    """The numbers fit, so it must be right."""

    def cut(images, size):
        return images.reshape(len(images), -1, images.shape[1] * size**2)


@wrong(loses=["test-cut", "test-cut-hidden"], says="cut(")
def channels_last():
    """Pixel by pixel, all channels of each."""

    def cut(images, size):
        n, channels, height, width = images.shape
        grid = images.reshape(n, channels, height // size, size, width // size, size)
        return grid.permute(0, 2, 4, 3, 5, 1).reshape(n, -1, channels * size * size)


@wrong(loses=["test-cut", "test-cut-hidden"], says="cut(")
def patches_by_columns():
    """Down the columns first."""

    def cut(images, size):
        n, channels, height, width = images.shape
        grid = images.reshape(n, channels, height // size, size, width // size, size)
        return grid.permute(0, 4, 2, 1, 3, 5).reshape(n, -1, channels * size * size)


@wrong(loses=["test-cut-hidden"], says="raised RuntimeError")
def square_images_only():
    """The number of patches in a row is taken for that in a column."""

    def cut(images, size):
        n, channels, height, _ = images.shape
        m = height // size
        grid = images.reshape(n, channels, m, size, m, size)
        return grid.permute(0, 2, 4, 1, 3, 5).reshape(n, m * m, channels * size * size)


@wrong(loses=["test-cut", "test-cut-hidden"], says="so is the stride")
def stride_of_one():
    """Windows that overlap."""

    def embedding(weight, bias, size):
        width, channels = len(weight), weight.shape[1] // size**2
        layer = nn.Conv2d(channels, width, size).to(weight)
        with torch.no_grad():
            layer.weight.copy_(weight.reshape(width, channels, size, size))
            layer.bias.copy_(bias)
        return layer


@wrong(loses=["test-cut-hidden"], says="the order in which cut flattens")
def kernel_with_channels_last():
    """The kernel is filled pixel by pixel."""

    def embedding(weight, bias, size):
        width, channels = len(weight), weight.shape[1] // size**2
        layer = nn.Conv2d(channels, width, size, stride=size).to(weight)
        with torch.no_grad():
            layer.weight.copy_(weight.reshape(width, size, size, channels).permute(0, 3, 1, 2))
            layer.bias.copy_(bias)
        return layer


@wrong(loses=["test-cut-hidden"], says="The embedding of")
def without_the_bias():
    """The bias of the new layer stays as it was drawn."""

    def embedding(weight, bias, size):
        width, channels = len(weight), weight.shape[1] // size**2
        layer = nn.Conv2d(channels, width, size, stride=size, bias=False).to(weight)
        with torch.no_grad():
            layer.weight.copy_(weight.reshape(width, channels, size, size))
        return layer


@wrong(loses=["test-cut", "test-cut-hidden"], says="embedding")
def gray_images_only():
    """One channel."""

    def embedding(weight, bias, size):
        layer = nn.Conv2d(1, len(weight), size, stride=size).to(weight)
        with torch.no_grad():
            layer.weight.copy_(weight.reshape(len(weight), 1, size, size))
            layer.bias.copy_(bias)
        return layer


# Unusual right answers ----------------------------------------------------------------------------


@right
def boxes_with_any_and_argmax():
    """Edges from the projections; areas written out with einsum-free arithmetic."""

    def box_of(mask):
        across, down = mask.any(axis=0), mask.any(axis=1)
        x1, y1 = across.argmax(), down.argmax()
        x2 = len(across) - across[::-1].argmax()
        y2 = len(down) - down[::-1].argmax()
        return np.array([x1, y1, x2, y2])

    def iou(a, b):
        a, b = np.asarray(a, float), np.asarray(b, float)
        w = np.clip(np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0]), 0, None)
        h = np.clip(np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1]), 0, None)
        shared = w * h
        total = (a[..., 2] - a[..., 0]) * (a[..., 3] - a[..., 1]) - shared
        total = total + (b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1])
        return np.nan_to_num(shared / total)


@right
def iou_in_loops():
    """One pair at a time."""

    def iou(a, b):
        a, b = np.broadcast_arrays(np.asarray(a, float), np.asarray(b, float))
        result = np.zeros(a.shape[:-1])
        for place in np.ndindex(result.shape):
            p, q = a[place], b[place]
            w = max(0, min(p[2], q[2]) - max(p[0], q[0]))
            h = max(0, min(p[3], q[3]) - max(p[1], q[1]))
            union = (p[2] - p[0]) * (p[3] - p[1]) + (q[2] - q[0]) * (q[3] - q[1]) - w * h
            result[place] = w * h / union if union > 0 else 0.0
        return result if result.ndim else float(result)


@right
def nms_by_greedy_list():
    """Sorted in Python, one box at a time against those that were kept."""

    def nms(boxes, scores, labels, threshold):
        kept = []
        for i in sorted(range(len(boxes)), key=lambda row: (-scores[row], row)):
            if all(
                labels[i] != labels[j] or float(iou(boxes[i], boxes[j])) <= threshold for j in kept
            ):
                kept.append(i)
        return np.array(kept, dtype=np.int64)


@right
def nms_by_moving_classes_apart():
    """The trick of the libraries: each class is moved to a place of its own."""

    def nms(boxes, scores, labels, threshold):
        if not len(boxes):
            return np.zeros(0, dtype=int)
        apart = boxes + (np.abs(boxes).max() + 100) * 2 * labels[:, None]
        overlap = iou(apart[:, None], apart)
        alive, kept = np.ones(len(boxes), bool), []
        for i in np.lexsort((np.arange(len(scores)), -scores)):
            if alive[i]:
                kept.append(i)
                alive &= overlap[i] <= threshold
        return np.array(kept)


@right
def match_by_table():
    """All IoUs at once; ties by the order of rows; names of one's own."""

    def match(found, confidence, there, least=0.5):
        answer = np.zeros(len(found), dtype=bool)
        if len(found) == 0 or len(there) == 0:
            return answer
        table = iou(found[:, None], there[None])
        favorite, height = table.argmax(axis=1), table.max(axis=1)
        for j in range(len(there)):
            rows = [i for i in range(len(found)) if favorite[i] == j and height[i] >= least]
            if rows:
                answer[min(rows, key=lambda i: (-confidence[i], i))] = True
        return answer


@right
def average_precision_by_levels():
    """The step curve over the different scores."""

    def average_precision(scores, right, truths):
        area, before = 0.0, 0
        for level in sorted(set(np.asarray(scores).tolist()), reverse=True):
            listed = right[scores >= level]
            area += (listed.sum() - before) / truths * listed.mean()
            before = listed.sum()
        return area


@right
def average_precision_with_warnings():
    """0 / 0 on the way, masked afterwards."""

    def average_precision(scores, right, truths):
        _ = np.log(np.zeros(1)) / np.zeros(1)  # warns twice
        at_least = np.asarray(scores)[None, :] >= np.asarray(scores)[:, None]
        precision = (at_least @ np.asarray(right, float)) / at_least.sum(axis=1)
        return np.sum(precision * right) / truths


@right
def offsets_one_by_one():
    """Loops, Python numbers, and a word on stderr."""

    def encode(boxes, anchors):
        import sys

        print("encoding", file=sys.stderr)
        rows = []
        for (a, b, c, d), (e, f, g, h) in zip(boxes, anchors, strict=True):
            w, v, u, t = c - a, d - b, g - e, h - f
            rows.append(
                [
                    (a + w / 2 - e - u / 2) / u,
                    (b + v / 2 - f - t / 2) / t,
                    np.log(w / u),
                    np.log(v / t),
                ]
            )
        return np.array(rows, dtype=float)

    def decode(offsets, anchors):
        rows = []
        for (p, q, r, s), (e, f, g, h) in zip(offsets, anchors, strict=True):
            w, v = np.exp(r) * (g - e), np.exp(s) * (h - f)
            x, y = (e + g) / 2 + p * (g - e), (f + h) / 2 + q * (h - f)
            rows.append([x - w / 2, y - v / 2, x + w / 2, y + v / 2])
        return np.array(rows, dtype=float)


@right
def dice_by_einsum():
    """Sums by einsum and a loop over masks."""

    def dice_loss(logits, masks, eps=1.0):
        p = torch.sigmoid(logits)
        above = 2 * torch.einsum("nkhw,nkhw->k", p, masks) + eps
        below = torch.einsum("nkhw->k", p) + torch.einsum("nkhw->k", masks) + eps
        return sum(1 - a / b for a, b in zip(above, below, strict=True)) / len(above)


@right
def patches_by_unfold():
    """PyTorch's own unfold, and a layer with new parameters."""

    def cut(images, size):
        return nn.functional.unfold(images, size, stride=size).transpose(1, 2)

    def embedding(weight, bias, size):
        width = weight.shape[0]
        kernels = weight.unflatten(1, (-1, size, size)).clone()
        layer = nn.Conv2d(kernels.shape[1], width, kernel_size=size, stride=(size, size))
        layer.weight, layer.bias = nn.Parameter(kernels), nn.Parameter(bias.clone())
        return layer


@right
def patches_by_loops():
    """Slices, one patch after the other."""

    def cut(images, size):
        height, width = images.shape[2:]
        found = [
            images[:, :, i : i + size, j : j + size].flatten(1)
            for i in range(0, height, size)
            for j in range(0, width, size)
        ]
        return torch.stack(found, dim=1)
