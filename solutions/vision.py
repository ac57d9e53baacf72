# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.detection
#     - course_lib.models.segmentation
#     - course_lib.models.vit
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Vision: boxes, masks and patches
#
# - **Time:** 110 minutes. **Difficulty:** 3 of 5. **Points:** 33, of which a person gives 3.
# - **Needs:** the chapter *Vision*, NumPy arrays with several dimensions, PyTorch's tensors and modules.
#
# A parcel office photographs its pages and wants to know how good its detectors are. You write the
# yardsticks: boxes and their overlap, non-maximum suppression, average precision. Then come what a detector
# is trained to answer, a loss for masks that overlap, and two ways of cutting a picture into patches. In the
# end your code scores a detector that you have trained, for pens and for pencils.
#
# **What is special here**
#
# - A box is `(x1, y1, x2, y2)`: left, upper, right and lower edge in pixels, with x to the right and y
#   downward. Edges lie between pixels. No box ends before it begins, but it may be empty.
# - Steps 1 to 5 are NumPy, steps 6 and 7 are PyTorch: make new tensors on the device of the inputs.
#
# `course_lib.detection`, `course_lib.models.segmentation` and `course_lib.models.vit` hold answers to this
# exercise: leave them closed. What holds in every exercise (how to check, what the tests look at, what
# counts) is on the page *How exercises work* in the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np
import torch
from torch import nn

from course_lib import get_device, seed_everything
from course_lib.data import digits, scenes, splits

device = get_device()

# %% [markdown]
# ## Step 1. Boxes
#
# First comes the box around a mask: the smallest one that contains all its pixels. Then comes how well boxes
# agree: the area that they share, divided by the area that at least one of them covers. Boxes that touch or
# lie apart share nothing. Where both are empty, there is nothing to divide by, and the answer is 0.
#
# `iou` takes whole arrays of boxes, whose leading dimensions broadcast as NumPy's arithmetic does.


# %% nbgrader={"grade": false, "grade_id": "iou", "locked": false, "schema_version": 3, "solution": true, "task": false}
def box_of(mask):
    """Find the smallest box around a mask.

    Parameters
    ----------
    mask : ndarray of bool, shape (height, width)
        With at least one pixel that is True; ``mask[row, column]``.

    Returns
    -------
    ndarray of int, shape (4,)
        x1, y1, x2, y2.

    Example
    -------
    >>> mask = np.zeros((10, 20), dtype=bool)
    >>> mask[2:4, 7] = True  # two pixels, below each other
    >>> box_of(mask).tolist()
    [7, 2, 8, 4]
    """
    ### BEGIN SOLUTION
    rows, columns = np.nonzero(mask)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    ### END SOLUTION


def iou(a, b):
    """Compute the intersection over union of boxes.

    Parameters
    ----------
    a, b : array_like, shape (..., 4)
        The leading dimensions broadcast.

    Returns
    -------
    ndarray of float, or float for two single boxes
        From 0 to 1.

    Example
    -------
    >>> round(float(iou([0, 0, 2, 2], [1, 0, 3, 2])), 4)  # 2 of 6 pixels
    0.3333
    >>> iou(np.array([[0, 0, 2, 2], [0, 0, 1, 2]]), np.array([0, 0, 2, 2])).tolist()
    [1.0, 0.5]
    """
    ### BEGIN SOLUTION
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    both = np.prod(np.maximum(sides, 0), axis=-1)
    area_a, area_b = (np.prod(box[..., 2:] - box[..., :2], axis=-1) for box in (a, b))
    either = area_a + area_b - both
    return np.where(either > 0, both / np.where(either > 0, either, 1), 0.0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-iou", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

mask = np.zeros((6, 9), dtype=bool)
mask[1:4, 5:7] = True
check(
    box_of,
    {"mask": mask},
    np.array([5, 1, 7, 4]),
    hint="Columns first: x counts to the right. The right and lower edges lie behind the last pixel. "
    "See 'A page with several digits'.",
)
check(
    iou,
    {"a": np.array([0, 0, 4, 2]), "b": np.array([2, 0, 6, 2])},
    1 / 3,
    hint="They share 4 pixels, and together they cover 12. See 'Which box?'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-iou-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: masks of many shapes; boxes apart, touching, inside, empty; broadcasting; kinds of numbers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds

generator = np.random.default_rng(3)
for shape, pixels in (((5, 12), 1), ((12, 5), 4), ((8, 8), 9)):
    mask = np.zeros(shape, dtype=bool)
    mask.flat[generator.choice(mask.size, pixels, replace=False)] = True
    rows = [i for i in range(shape[0]) if mask[i].any()]
    columns = [j for j in range(shape[1]) if mask[:, j].any()]
    check(
        box_of,
        {"mask": mask},
        np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]),
        hint="The first and the last column that hold a pixel, and the first and the last row. One "
        "pixel has a box of 1 by 1. See 'A page with several digits'.",
    )


def painted(a, b, fine=4):
    """Count pixels of a fine grid, without any formula."""
    grid = np.zeros((2, 20 * fine, 20 * fine), dtype=bool)
    for one, (x1, y1, x2, y2) in zip(grid, (np.array([a, b]) * fine).astype(int), strict=True):
        one[y1:y2, x1:x2] = True
    either = (grid[0] | grid[1]).sum()
    return (grid[0] & grid[1]).sum() / either if either else 0.0


first = np.array([2.0, 3, 8, 7])
for name, second in (
    ("lies apart in both directions", [10.0, 9, 13, 12]),
    ("lies apart in x alone", [9.0, 4, 12, 6]),
    ("lies apart in y alone", [3.0, 12, 6, 15]),
    ("touches", [8.0, 3, 11, 7]),
    ("lies inside", [3.0, 4, 5, 6]),
    ("lies around", [0.0, 0, 20, 20]),
    ("is the same", [2.0, 3, 8, 7]),
    ("is empty", [4.0, 4, 4, 6]),
    ("has fractions", [2.5, 3.25, 9.75, 8.5]),
):
    check(
        iou,
        {"a": first, "b": np.array(second)},
        painted(first, second),
        what=f"iou(a={first.tolist()}, b={second}): the second {name}",
        hint="A width or a height below 0 counts as 0 before they are multiplied: two negative ones "
        "would make an area. What both cover counts once below. See 'Which box?'.",
    )
check(
    iou,
    {"a": np.array([[4.0, 4, 4, 4], [1, 1, 3, 3]]), "b": np.array([[4.0, 4, 4, 4], [2, 2, 2, 9]])},
    np.zeros(2),
    hint="Two empty boxes cover nothing: 0, and not nan. See 'Which box?'.",
)
corners = generator.integers(0, 12, size=(7, 2))
boxes = np.concatenate([corners, corners + generator.integers(1, 8, size=(7, 2))], axis=1)
table = np.array([[painted(a, b) for b in boxes[:3]] for a in boxes])
check(
    iou,
    {"a": boxes[:, np.newaxis], "b": boxes[:3]},
    table,
    hint="Seven boxes against three: the coordinates are in the last dimension, a[..., 0] and so on, and "
    "all others broadcast. See 'Which box?'.",
)
check(
    iou,
    {"a": boxes.reshape(7, 1, 1, 4), "b": boxes[:3].reshape(1, 3, 1, 4)},
    table[:, :, np.newaxis],
    hint="Any number of leading dimensions: use the last axis, -1, and not axis 1.",
)
check_kinds(
    iou,
    {"a": boxes[:3].astype(float), "b": boxes[3:6].astype(float)},
    np.array([painted(a, b) for a, b in zip(boxes[:3], boxes[3:6], strict=True)]),
    hint="One IoU for each pair of rows. See 'Which box?'.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. One box for each thing
#
# Keep the box with the highest score. Remove those of the same class whose IoU with it is *more than* the
# threshold. Go on with the best of the rest. A box that was removed removes no others. If scores are equal,
# the row that comes first counts as the higher one.


# %% nbgrader={"grade": false, "grade_id": "nms", "locked": false, "schema_version": 3, "solution": true, "task": false}
def nms(boxes, scores, labels, threshold):
    """Suppress boxes that overlap with a better one of their class.

    Parameters
    ----------
    boxes : ndarray, shape (k, 4)
        May be none, k = 0.
    scores : ndarray, shape (k,)
    labels : ndarray of int, shape (k,)
        Boxes of different classes leave each other alone.
    threshold : float

    Returns
    -------
    ndarray of int, shape (kept,)
        The rows that are kept, from the highest score to the lowest.

    Example
    -------
    >>> boxes = np.array([[0, 0, 4, 4], [0, 0, 4, 5], [6, 0, 9, 4]])
    >>> nms(boxes, np.array([0.8, 0.9, 0.3]), np.array([7, 7, 7]), threshold=0.5).tolist()
    [1, 2]
    """
    ### BEGIN SOLUTION
    left, kept = np.argsort(-np.asarray(scores), kind="stable"), []
    while len(left):
        best, rest = left[0], left[1:]
        kept.append(best)
        close = iou(boxes[best], boxes[rest]) > threshold
        left = rest[~(close & (labels[rest] == labels[best]))]
    return np.array(kept, dtype=int)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-nms", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib import detection as reference
from course_lib.exercises import check, given

with given(iou=reference.iou):
    check(
        nms,
        {
            "boxes": np.array([[0.0, 0, 4, 4], [8, 8, 12, 12], [0, 0, 4, 5]]),
            "scores": np.array([0.4, 0.7, 0.9]),
            "labels": np.array([1, 1, 1]),
            "threshold": 0.5,
        },
        np.array([2, 1]),
        hint="Row 2 has the highest score and removes row 0, with which it has an IoU of 0.8. Row 1 lies "
        "elsewhere. See 'Which box?'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-nms-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: classes, chains, ties, thresholds that are met exactly, no boxes, many boxes.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib import detection as reference
from course_lib.exercises import check, check_keyword, given

chain = np.array([[0.0, 0, 10, 4], [3, 0, 13, 4], [6, 0, 16, 4], [0, 0, 10, 5]])
scores = np.array([0.9, 0.8, 0.7, 0.6])
same = np.array([2, 2, 2, 2])
with given(iou=reference.iou):
    check_keyword(
        nms,
        {"boxes": chain, "scores": scores, "labels": same},
        "threshold",
        [(0.5, np.array([0, 2])), (0.85, np.array([0, 1, 2, 3]))],
        hint="Row 0 removes rows 1 and 3. Row 1 is gone, so it cannot remove row 2. See 'Which box?'.",
    )
    check(
        nms,
        {"boxes": chain, "scores": scores, "labels": np.array([2, 5, 2, 2]), "threshold": 0.5},
        np.array([0, 1, 2]),
        hint="Row 1 is of another class than row 0, so it stays. Row 3 is of row 0's class and goes. The "
        "order is that of the scores, over all classes. See 'Which box?'.",
    )
    check(
        nms,
        {"boxes": chain, "scores": -scores[::-1], "labels": same, "threshold": 0.5},
        np.array([0, 2]),
        hint="The highest score comes first: -0.6 is higher than -0.9. Scores may be below 0, as logits "
        "are.",
    )
    check(
        nms,
        {
            "boxes": np.array([[0.0, 0, 4, 4], [0, 0, 4, 8], [0, 0, 4, 4], [9, 9, 10, 10]]),
            "scores": np.array([0.5, 0.5, 0.5, 0.5]),
            "labels": np.array([0, 0, 0, 0]),
            "threshold": 0.5,
        },
        np.array([0, 1, 3]),
        hint="All scores are equal, so rows come in their order: argsort with kind='stable' of the "
        "negated scores. Row 1 meets the threshold exactly, and stays. See 'Which box?'.",
    )
    check(
        nms,
        {
            "boxes": np.zeros((0, 4)),
            "scores": np.zeros(0),
            "labels": np.zeros(0, dtype=int),
            "threshold": 0.5,
        },
        np.array([], dtype=int),
        hint="No boxes: an empty array comes back.",
    )
    generator = np.random.default_rng(5)
    corners = generator.uniform(0, 12, size=(60, 2))
    boxes = np.concatenate([corners, corners + generator.uniform(2, 8, size=(60, 2))], axis=1)
    scores, labels = generator.permutation(60) / 60, generator.integers(3, size=60)
    for threshold in (0.1, 0.4):
        kept = []
        for i in np.argsort(-scores):
            if all(
                labels[i] != labels[j] or reference.iou(boxes[i], boxes[j]) <= threshold
                for j in kept
            ):
                kept.append(i)
        check(
            nms,
            {"boxes": boxes, "scores": scores, "labels": labels, "threshold": threshold},
            np.array(kept),
            what=f"nms of 60 boxes in three classes, threshold {threshold}",
            hint="From the best to the worst: a box stays unless one that was kept, of its class, "
            "overlaps with it by more than the threshold. See 'Which box?'.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. Which finds are right?
#
# One image, one class. From the highest score to the lowest (of equal scores, the first row first), each find
# is compared with the true box that it agrees with most; if several tie, with the first. It is right if their
# IoU is *at least* the threshold and no earlier find has taken this box. Otherwise it is a false alarm, as is
# every duplicate. A find that has lost its best box does not look for another.


# %% nbgrader={"grade": false, "grade_id": "match", "locked": false, "schema_version": 3, "solution": true, "task": false}
def match(boxes, scores, truth, threshold=0.5):
    """Decide which finds are right.

    Parameters
    ----------
    boxes : ndarray, shape (k, 4)
        What was found, in any order.
    scores : ndarray, shape (k,)
    truth : ndarray, shape (m, 4)
        What is there. May be none, m = 0, and then every find is a false alarm.
    threshold : float

    Returns
    -------
    ndarray of bool, shape (k,)
        For each find, in the order in which they came, whether it is right.

    Example
    -------
    >>> truth = np.array([[0, 0, 4, 4]])
    >>> boxes = np.array([[0, 0, 4, 5], [0, 0, 4, 4], [8, 8, 9, 9]])
    >>> match(boxes, np.array([0.9, 0.7, 0.8]), truth).tolist()  # the second is a duplicate
    [True, False, False]
    """
    ### BEGIN SOLUTION
    right, taken = np.zeros(len(boxes), dtype=bool), set()
    for i in np.argsort(-np.asarray(scores), kind="stable"):
        if not len(truth):
            break
        overlap = iou(boxes[i], truth)
        best = int(overlap.argmax())
        if overlap[best] >= threshold and best not in taken:
            right[i] = True
            taken.add(best)
    return right
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-match", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib import detection as reference
from course_lib.exercises import check, given

with given(iou=reference.iou):
    check(
        match,
        {
            "boxes": np.array([[0.0, 0, 4, 4], [10, 0, 14, 4], [0, 0, 4, 4]]),
            "scores": np.array([0.6, 0.7, 0.8]),
            "truth": np.array([[0.0, 0, 4, 4], [11, 0, 15, 4]]),
        },
        np.array([False, True, True]),
        hint="Row 2 has the highest score and takes the first true box, so row 0 is a duplicate. Row 1 "
        "has an IoU of 0.6 with the second true box. See 'Which box?'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-match-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: orders, thresholds met exactly, lost boxes, ties, no truth, no finds.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib import detection as reference
from course_lib.exercises import check, check_keyword, given

truth = np.array([[0.0, 0, 10, 10], [4, 0, 14, 10]])
found = np.array([[0.0, 0, 10, 10], [1, 0, 11, 10], [4, 0, 14, 10]])
with given(iou=reference.iou):
    check(
        match,
        {"boxes": found, "scores": np.array([0.9, 0.8, 0.7]), "truth": truth, "threshold": 0.3},
        np.array([True, False, True]),
        hint="Row 1 agrees most with the first true box, which is taken: a false alarm. It does not take "
        "the second one, although their IoU is more than 0.3. See 'Which box?'.",
    )
    check(
        match,
        {"boxes": found, "scores": np.array([0.1, 0.8, 0.7]), "truth": truth, "threshold": 0.3},
        np.array([False, True, True]),
        hint="The answers stand in the order in which the finds came, and the finds are gone through by "
        "score. Row 1 has a higher score than row 0, so row 0 is the duplicate. See 'Which box?'.",
    )
    check_keyword(
        match,
        {
            "boxes": np.array([[0.0, 0, 4, 8], [20, 20, 24, 21]]),
            "scores": np.array([0.9, 0.8]),
            "truth": np.array([[0.0, 0, 4, 4], [20, 20, 24, 24]]),
        },
        "threshold",
        [
            (0.5, np.array([True, False])),
            (0.25, np.array([True, True])),
            (0.75, np.array([False, False])),
        ],
        hint="IoUs of 0.5 and 0.25: at least the threshold is enough. See 'Which box?'.",
    )
    check(
        match,
        {
            "boxes": np.array([[0.0, 0, 4, 4], [0, 0, 4, 4], [0, 0, 5, 5]]),
            "scores": np.array([0.5, 0.5, 0.4]),
            "truth": np.array([[0.0, 0, 4, 4]]),
        },
        np.array([True, False, False]),
        hint="Of equal scores, the first row comes first; a true box is found once. See 'Which box?'.",
    )
    check(
        match,
        {
            "boxes": np.array([[0.0, 0, 9, 9], [0, 0, 4, 4]]),
            "scores": np.array([0.9, 0.8]),
            "truth": np.array([[0.0, 0, 4, 4]]),
        },
        np.array([False, True]),
        hint="The first find is no good match, so it takes nothing, and the second one is right.",
    )
    check(
        match,
        {"boxes": found, "scores": np.array([1.0, 2.0, 3.0]), "truth": np.zeros((0, 4))},
        np.zeros(3, dtype=bool),
        hint="Nothing is there, so nothing that is found is right (and nothing has a largest IoU).",
    )
    check(
        match,
        {"boxes": np.zeros((0, 4)), "scores": np.zeros(0), "truth": truth},
        np.zeros(0, dtype=bool),
        hint="No finds: an empty array.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. Average precision
#
# Rank all finds of a class, over all images, by their score. Average precision is the sum, over the finds
# that are right, of the precision at that rank, divided by the number of true boxes. A true box that was
# never found therefore counts as 0.
#
# Finds with equal scores have no order among themselves. They enter the ranking *together*: the precision at
# each of them is the precision after all of them. Their order in the array must not matter.


# %% nbgrader={"grade": false, "grade_id": "average_precision", "locked": false, "schema_version": 3, "solution": true, "task": false}
def average_precision(scores, right, truths):
    """Compute the average precision of a ranked list of finds.

    Parameters
    ----------
    scores : ndarray, shape (k,)
        May be none, k = 0, and then the answer is 0.
    right : ndarray of bool, shape (k,)
    truths : int
        How many true boxes there are, at least 1.

    Returns
    -------
    float
        From 0 to 1.

    Example
    -------
    >>> right = np.array([True, False, True])
    >>> round(average_precision(np.array([0.9, 0.8, 0.7]), right, truths=2), 4)  # (1 + 2/3) / 2
    0.8333
    >>> average_precision(np.array([0.9, 0.9]), np.array([True, False]), truths=1)
    0.5
    """
    ### BEGIN SOLUTION
    total = 0.0
    for score in np.asarray(scores)[np.asarray(right, dtype=bool)]:
        listed = np.asarray(scores) >= score
        total += np.mean(np.asarray(right)[listed])
    return float(total / truths)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-average_precision", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    average_precision,
    {
        "scores": np.array([0.3, 0.9, 0.5, 0.7]),
        "right": np.array([True, True, True, False]),
        "truths": 5,
    },
    (1 + 2 / 3 + 3 / 4) / 5,
    hint="From the top: right (1 of 1), wrong, right (2 of 3), right (3 of 4). Two true boxes were never "
    "found. See 'Which box?'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-average_precision-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: many finds, ties in any order, missed boxes, no finds, scikit-learn's answer.
### BEGIN HIDDEN TESTS
import numpy as np
from sklearn.metrics import average_precision_score

from course_lib.exercises import check

generator = np.random.default_rng(7)
for k, missed, levels in ((30, 0, 1000), (50, 9, 1000), (60, 4, 5), (40, 0, 1)):
    scores = generator.integers(levels, size=k) / levels - 0.3
    right = generator.random(k) < 0.4
    right[0] = True
    truths = int(right.sum()) + missed
    expected = average_precision_score(right, scores) * right.sum() / truths
    for order in (
        np.arange(k),
        np.argsort(right, kind="stable"),
        np.argsort(~right, kind="stable"),
    ):
        check(
            average_precision,
            {"scores": scores[order], "right": right[order], "truths": truths},
            expected,
            what=f"The average precision of {k} finds with {min(levels, k)} or fewer different scores, "
            f"for {truths} true boxes",
            hint="Finds of equal score enter together, whatever their order in the array. Divide by the "
            "number of true boxes, not of those found. See 'Which box?'.",
        )
check(
    average_precision,
    {"scores": np.zeros(0), "right": np.zeros(0, dtype=bool), "truths": 3},
    0.0,
    hint="Nothing was found: 0.",
)
check(
    average_precision,
    {"scores": np.array([0.9, 0.4]), "right": np.array([False, False]), "truths": 3},
    0.0,
    hint="No find is right: 0.",
)
check(
    average_precision,
    {"scores": np.array([3, 2, 1]), "right": np.array([False, False, True]), "truths": 1},
    1 / 3,
    hint="The precision where it was found: 1 of 3. The largest precision of the curve is another number.",
)
check(
    average_precision,
    {
        "scores": np.array([0.9, 0.8, 0.7, 0.6]),
        "right": np.array([True, False, False, True]),
        "truths": 2,
    },
    (1 + 2 / 4) / 2,
    hint="No smoothing of the curve and no trapezoids: the precision at each right find.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. What a detector answers
#
# A box relative to an anchor: by how many anchor widths its center lies to the right, by how many anchor
# heights below, and the logarithms of how many times as wide and as high it is. Then the way back.


# %% nbgrader={"grade": false, "grade_id": "encode", "locked": false, "schema_version": 3, "solution": true, "task": false}
def encode(boxes, anchors):
    """Express boxes relative to anchors.

    Parameters
    ----------
    boxes, anchors : array_like, shape (n, 4)
        One anchor for each box; widths and heights are above 0.

    Returns
    -------
    ndarray of float, shape (n, 4)

    Example
    -------
    >>> encode([[2, 0, 6, 8]], [[0, 0, 4, 4]]).round(3).tolist()
    [[0.5, 0.5, 0.0, 0.693]]
    """
    ### BEGIN SOLUTION
    boxes, anchors = np.asarray(boxes, dtype=float), np.asarray(anchors, dtype=float)
    sides, unit = boxes[:, 2:] - boxes[:, :2], anchors[:, 2:] - anchors[:, :2]
    middle, at = (boxes[:, :2] + boxes[:, 2:]) / 2, (anchors[:, :2] + anchors[:, 2:]) / 2
    return np.concatenate([(middle - at) / unit, np.log(sides / unit)], axis=1)
    ### END SOLUTION


def decode(offsets, anchors):
    """Turn what `encode` made back into boxes.

    Parameters
    ----------
    offsets, anchors : array_like, shape (n, 4)

    Returns
    -------
    ndarray of float, shape (n, 4)

    Example
    -------
    >>> decode([[0.5, 0.5, 0.0, 0.0]], [[0, 0, 4, 4]]).tolist()
    [[2.0, 2.0, 6.0, 6.0]]
    """
    ### BEGIN SOLUTION
    offsets, anchors = np.asarray(offsets, dtype=float), np.asarray(anchors, dtype=float)
    unit, at = anchors[:, 2:] - anchors[:, :2], (anchors[:, :2] + anchors[:, 2:]) / 2
    middle, half = at + offsets[:, :2] * unit, np.exp(offsets[:, 2:]) * unit / 2
    return np.concatenate([middle - half, middle + half], axis=1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-encode", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    encode,
    {"boxes": np.array([[4.0, 2, 12, 6]]), "anchors": np.array([[2.0, 0, 10, 16]])},
    np.array([[0.25, -0.25, 0.0, np.log(0.25)]]),
    hint="The anchor is 8 wide and 16 high. The center of the box lies 2 to the right of the anchor's and "
    "4 above. See 'Which box?'.",
)
check(
    decode,
    {"offsets": np.array([[0.25, -0.25, 0.0, 0.0]]), "anchors": np.array([[2.0, 0, 10, 16]])},
    np.array([[4.0, -4, 12, 12]]),
    hint="Move the center by shares of the anchor's sides. exp(0) = 1: as wide and high as the anchor. "
    "See 'Which box?'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-encode-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: many boxes, there and back, kinds of numbers, offsets beyond those of boxes.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds

generator = np.random.default_rng(9)
corner, sides = generator.integers(0, 20, (2, 6, 2)), generator.integers(1, 12, (2, 6, 2))
boxes, anchors = np.concatenate([corner, corner + sides], axis=2).astype(float)
(w, h), (u, v) = sides[0].T, sides[1].T
x, y = (corner[0] + sides[0] / 2).T
p, q = (corner[1] + sides[1] / 2).T
offsets = np.column_stack([(x - p) / u, (y - q) / v, np.log(w / u), np.log(h / v)])
check_kinds(
    encode,
    {"boxes": boxes, "anchors": anchors},
    offsets,
    hint="Differences of centers, divided by the sides of the anchor: width for x, height for y. The "
    "logarithm of box by anchor, not of anchor by box. See 'Which box?'.",
)
check(
    decode,
    {"offsets": offsets, "anchors": anchors},
    boxes,
    hint="decode undoes encode: the center first, then half a side in each direction. See 'Which box?'.",
)
check_kinds(
    decode,
    {
        "offsets": np.array([[1.0, -2, 1, -1], [0, 0, 2, 0]]),
        "anchors": np.array([[0.0, 0, 4, 8], [2, 2, 3, 7]]),
    },
    np.array(
        [
            [6 - 2 * np.e, -12 - 4 / np.e, 6 + 2 * np.e, -12 + 4 / np.e],
            [2.5 - np.exp(2) / 2, 2.0, 2.5 + np.exp(2) / 2, 7.0],
        ]
    ),
    hint="exp of the last two offsets, times the anchor's sides. Boxes may reach outside of the picture. "
    "See 'Which box?'.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. Masks that overlap
#
# Compute the Dice loss. From logits to a probability for each pixel and mask; a pixel may be in
# several masks, or in none. For each mask, over all images of the batch together, compute
#
# $$1 - \frac{2\sum_i p_i m_i + \epsilon}{\sum_i p_i + \sum_i m_i + \epsilon},$$
#
# and return the mean over the masks. The $\epsilon$ makes the prediction right when an empty mask is
# predicted empty. Gradients must flow back to the logits.


# %% nbgrader={"grade": false, "grade_id": "dice_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dice_loss(logits, masks, eps=1.0):
    """Compute the Dice loss of several masks.

    Parameters
    ----------
    logits : Tensor, shape (n, masks, height, width)
        From minus to plus infinity; large ones occur.
    masks : Tensor of the same shape
        0.0 or 1.0. A pixel may be in several masks.
    eps : float

    Returns
    -------
    Tensor, shape ()

    Example
    -------
    >>> logits = torch.tensor([[[[100.0, 100.0, -100.0]]]])  # yes, yes, no
    >>> round(dice_loss(logits, torch.tensor([[[[1.0, 0.0, 0.0]]]]), eps=0.0).item(), 4)  # 1 - 2/3
    0.3333
    """
    ### BEGIN SOLUTION
    p = logits.sigmoid()
    both, total = (p * masks).sum(dim=(0, 2, 3)), (p + masks).sum(dim=(0, 2, 3))
    return (1 - (2 * both + eps) / (total + eps)).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-dice_loss", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib import get_device
from course_lib.exercises import check

logits = torch.tensor([[[[0.0, 0.0]]]], device=get_device())
check(
    dice_loss,
    {"logits": logits, "masks": torch.tensor([[[[1.0, 0.0]]]], device=get_device())},
    torch.tensor(1 - 2 / 3),
    rtol=1e-5,
    hint="Two pixels at a probability of 1/2: 2 * 0.5 + 1 above, 1 + 1 + 1 below. See 'Which pixels?'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-dice_loss-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: several masks and images, overlaps, empty masks, eps, large logits, gradients.
### BEGIN HIDDEN TESTS
import numpy as np
import torch

from course_lib import get_device
from course_lib.exercises import assert_close, call, check, check_keyword, probe


def wanted(logits, masks, eps):
    z, m = logits.cpu().double().numpy(), masks.cpu().double().numpy()
    p = 0.5 * (1 + np.tanh(z / 2))
    parts = []
    for k in range(z.shape[1]):
        above = 2 * np.sum(p[:, k] * m[:, k]) + eps
        parts.append(1 - above / (p[:, k].sum() + m[:, k].sum() + eps))
    return torch.tensor(np.mean(parts))


generator = torch.Generator().manual_seed(4)
logits = (3 * torch.randn(4, 3, 6, 5, generator=generator)).to(get_device())
masks = (torch.rand(4, 3, 6, 5, generator=generator) < 0.4).float().to(get_device())
masks[0, :, 0, 0] = 1.0  # in all three masks
masks[1:, 2] = 0.0
check_keyword(
    dice_loss,
    {"logits": logits, "masks": masks},
    "eps",
    [(eps, wanted(logits, masks, eps)) for eps in (1.0, 0.0, 100.0)],
    rtol=1e-4,
    hint="A sigmoid for each mask: with a softmax, a pixel could not be in two of them. One fraction for "
    "each mask, over all images together, then the mean. See 'Which pixels?'.",
)
check(
    dice_loss,
    {"logits": logits[:1], "masks": masks[:1]},
    wanted(logits[:1], masks[:1], 1.0),
    rtol=1e-4,
    hint="One image, three masks. Without eps it is 1. See 'Which pixels?'.",
)
far = torch.full((2, 2, 3, 3), -500.0, device=get_device())
check(
    dice_loss,
    {"logits": far, "masks": torch.zeros_like(far)},
    torch.tensor(0.0),
    atol=1e-6,
    hint="Nothing is there and nothing was said: with eps the loss is 0. nan: exp(500) overflows, so use "
    "torch.sigmoid. See 'Which pixels?'.",
)
far[:, 1] = 500.0
check(
    dice_loss,
    {"logits": far, "masks": (far > 0).float()},
    torch.tensor(0.0),
    atol=1e-6,
    hint="Sure and right: 0, for logits of any size.",
)


def slopes(dice_loss, logits, masks):
    free = logits.clone().requires_grad_()
    loss = call(dice_loss, {"logits": free, "masks": masks}, copies=False)
    if loss.requires_grad:
        loss.backward()
    return torch.zeros(()) if free.grad is None else free.grad.cpu()


free = logits.double().cpu().requires_grad_()
p = free.sigmoid()
both, total = (p * masks.cpu()).sum((0, 2, 3)), (p + masks.cpu()).sum((0, 2, 3))
(1 - (2 * both + 1) / (total + 1)).mean().backward()
assert_close(
    probe(slopes, dice_loss, logits, masks),
    free.grad,
    rtol=1e-3,
    atol=1e-7,
    what="The gradient of the loss in the logits",
    hint="Compute with tensors throughout: .item(), .detach(), NumPy and probabilities rounded to 0 and 1 stop the "
    "gradient. See 'Which pixels?'.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. Patches, twice
#
# Cut pictures into squares that do not overlap, row by row. In each patch the numbers are ordered channel by
# channel, and within a channel row by row. Then write the embedding that follows as a convolution: a layer
# that, applied to the pictures, gives for each patch what `patch @ weight.T + bias` gives.


# %% nbgrader={"grade": false, "grade_id": "cut", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cut(images, size):
    """Cut images into patches.

    Parameters
    ----------
    images : Tensor, shape (n, channels, height, width)
        Height and width are multiples of `size`, and need not be equal.
    size : int

    Returns
    -------
    Tensor, shape (n, patches, channels * size * size)

    Example
    -------
    >>> cut(torch.arange(16.0).reshape(1, 1, 4, 4), 2)[0].tolist()[:2]
    [[0.0, 1.0, 4.0, 5.0], [2.0, 3.0, 6.0, 7.0]]
    """
    ### BEGIN SOLUTION
    n, channels, height, width = images.shape
    grid = images.reshape(n, channels, height // size, size, width // size, size)
    return grid.permute(0, 2, 4, 1, 3, 5).reshape(n, -1, channels * size * size)
    ### END SOLUTION


def embedding(weight, bias, size):
    """Make a convolution that embeds patches.

    Parameters
    ----------
    weight : Tensor, shape (width, channels * size * size)
        As of a linear layer for patches as `cut` makes them.
    bias : Tensor, shape (width,)
    size : int
        Height and width of a patch.

    Returns
    -------
    nn.Conv2d
        Maps images (n, channels, height, width) to (n, width, height / size, width / size), on the
        device of `weight`.

    Example
    -------
    >>> layer = embedding(torch.ones(1, 4), torch.zeros(1), 2)
    >>> layer(torch.arange(16.0).reshape(1, 1, 4, 4)).tolist()
    [[[[10.0, 18.0], [42.0, 50.0]]]]
    """
    ### BEGIN SOLUTION
    width, channels = len(weight), weight.shape[1] // size**2
    layer = nn.Conv2d(channels, width, size, stride=size).to(weight)
    with torch.no_grad():
        layer.weight.copy_(weight.reshape(width, channels, size, size))
        layer.bias.copy_(bias)
    return layer
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-cut", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib import get_device
from course_lib.exercises import assert_close, call, check, probe


def embedded(embedding, images, weight, bias, size):
    args = {"weight": weight, "bias": bias, "size": size}
    maps = call(embedding, args)(images)
    return maps.detach().cpu()


pictures = torch.arange(32.0, device=get_device()).reshape(1, 2, 4, 4)
check(
    cut,
    {"images": pictures, "size": 2},
    torch.tensor(
        [
            [0.0, 1, 4, 5, 16, 17, 20, 21],
            [2.0, 3, 6, 7, 18, 19, 22, 23],
            [8.0, 9, 12, 13, 24, 25, 28, 29],
            [10.0, 11, 14, 15, 26, 27, 30, 31],
        ]
    )[None],
    hint="A plain reshape mixes patches. Split height and width into (patches, size), bring both numbers "
    "of patches to the front with permute, then reshape. See 'A picture in patches'.",
)
assert_close(
    probe(
        embedded,
        embedding,
        pictures,
        torch.ones(1, 8, device=get_device()),
        torch.zeros(1, device=get_device()),
        2,
    ),
    torch.tensor([[[[84.0, 100.0], [148.0, 164.0]]]]),
    what="The embedding of four patches by weights of 1: their sums",
    hint="The kernel is as large as a patch, and so is the stride. See 'A picture in patches'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-cut-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: several images, wide ones, channels, sizes, weights and biases of all kinds.
### BEGIN HIDDEN TESTS
import torch

from course_lib import get_device
from course_lib.exercises import assert_close, assert_true, call, check, probe


def by_hand(images, size):
    n, _, height, width = images.shape
    return torch.stack(
        [
            images[:, :, i : i + size, j : j + size].reshape(n, -1)
            for i in range(0, height, size)
            for j in range(0, width, size)
        ],
        dim=1,
    )


def applied(embedding, images, weight, bias, size):
    layer = call(embedding, {"weight": weight, "bias": bias, "size": size})
    learns = all(p.requires_grad and p.is_leaf for p in layer.parameters())
    return layer(images).detach().cpu(), type(layer).__name__, learns


generator = torch.Generator().manual_seed(6)
for n, channels, height, width, size in (
    (3, 1, 6, 6, 3),
    (2, 3, 4, 10, 2),
    (1, 2, 12, 4, 4),
    (2, 4, 3, 5, 1),
):
    images = torch.randn(n, channels, height, width, generator=generator).to(get_device())
    patches = by_hand(images, size).cpu()
    check(
        cut,
        {"images": images, "size": size},
        patches,
        rtol=1e-5,
        what=f"cut of images of shape {tuple(images.shape)} into patches of {size} by {size}",
        hint="Patches row by row, as one reads; in a patch channel by channel, row by row. Height and "
        "width need not be equal. See 'A picture in patches'.",
    )
    weight = torch.randn(5, channels * size**2, generator=generator).to(get_device())
    bias = torch.randn(5, generator=generator).to(get_device())
    maps, kind, learns = probe(applied, embedding, images, weight, bias, size)
    expected = patches @ weight.cpu().T + bias.cpu()
    assert_true(
        kind == "Conv2d",
        what=f"That embedding returns an nn.Conv2d (came {kind})",
        hint="One layer whose stride is as long as its kernel.",
    )
    assert_close(
        maps,
        expected.transpose(1, 2).reshape(n, 5, height // size, width // size),
        rtol=1e-4,
        atol=1e-5,
        what=f"The embedding of {tuple(images.shape)} in patches of {size} by {size}",
        hint="Each row of weight is a kernel: reshape it to (channels, size, size), the order in which "
        "cut flattens. The bias is added as it is. See 'A picture in patches'.",
    )
    assert_true(
        learns,
        what="That the layer's weights are parameters that learn",
        hint="Copy the numbers into layer.weight and layer.bias inside torch.no_grad().",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 8. Whose pages?
#
# Everything together. A detector learns from pages, one in twenty of which is in pencil. Your functions say
# what it should answer, clean up what it says, and score it on pages in pen and in pencil.

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
from course_lib.models.detector import Detector, detection_loss
from course_lib.plotting import vision as figures

seed_everything(0)
parts = splits.split(*digits.load(), seed=0)
middles = np.arange(2, 24, 4)
y, x = np.meshgrid(middles, middles, indexing="ij")
anchors = np.stack([x - 4, y - 6, x + 4, y + 6], axis=2).reshape(-1, 4)


def targets(pages):
    rows = []
    for boxes, labels in zip(pages.boxes, pages.labels, strict=True):
        boxes, labels = boxes[labels >= 0], labels[labels >= 0]
        overlap = iou(anchors[:, np.newaxis], boxes)
        best, height = overlap.argmax(axis=1), overlap.max(axis=1)
        height[overlap.argmax(axis=0)], best[overlap.argmax(axis=0)] = 1.0, np.arange(len(boxes))
        kind = np.where(height >= 0.5, labels[best] + 1, np.where(height < 0.3, 0, -1))
        rows.append(np.column_stack([kind, encode(boxes[best], anchors)]))
    return torch.tensor(np.stack(rows)).float()


def find(model, images):
    model.eval()
    with torch.no_grad():
        logits, offsets = model(torch.tensor(images, device=device)[:, None])
    p = logits.softmax(dim=2)[..., 1:].cpu().numpy()
    found = []
    for chances, moved in zip(p, offsets.cpu().numpy(), strict=True):
        sure = chances.max(axis=1) > 0.02
        boxes, scores = decode(moved[sure], anchors[sure]), chances[sure].max(axis=1)
        labels = chances[sure].argmax(axis=1)
        kept = nms(boxes, scores, labels, 0.4)
        found.append((boxes[kept], scores[kept], labels[kept]))
    return found


def mean_average_precision(found, pages):
    results = []
    for digit in range(10):
        scores, right, truths = [], [], 0
        for (boxes, score, label), truth, labels in zip(
            found, pages.boxes, pages.labels, strict=True
        ):
            mine = label == digit
            scores.append(score[mine])
            right.append(match(boxes[mine], score[mine], truth[labels == digit]))
            truths += int((labels == digit).sum())
        results.append(average_precision(np.concatenate(scores), np.concatenate(right), truths))
    return np.mean(results)


learn = scenes.compose(*parts.train, n=600, seed=0, size=24)
inputs, answers = torch.tensor(learn.images)[:, None], targets(learn)
model = Detector(anchors=1).to(device)
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
order = torch.Generator().manual_seed(0)
for epoch in range(4):
    for rows in torch.randperm(len(inputs), generator=order).split(16):
        batch, wanted = inputs[rows].to(device), answers[rows].to(device)
        loss = detection_loss(model(batch), wanted[..., 0].long(), wanted[..., 1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch + 1}: loss {loss.item():.2f}")
pages = {
    name: scenes.compose(*parts.test, n=150, seed=1, size=24, pencil=share)
    for name, share in (("pens", 0.0), ("pencils", 1.0))
}
for name, made in pages.items():
    print(
        f"{name}: mean average precision {mean_average_precision(find(model, made.images), made):.2f}"
    )
masks, logits = torch.tensor(learn.masks[:50]).float(), torch.full((50, 2, 24, 24), -9.0)
print(
    f"Dice loss of answering 'paper' everywhere: {dice_loss(logits, masks).item():.2f}, although "
    f"{1 - masks.any(dim=1).float().mean().item():.0%} of the pixels are paper"
)
weight, bias = torch.randn(20, 16), torch.randn(20)
as_rows = cut(inputs[:1], 4) @ weight.T + bias
as_maps = embedding(weight, bias, 4)(inputs[:1]).flatten(2).transpose(1, 2)
print("patches as rows and as a convolution agree:", torch.allclose(as_rows, as_maps, atol=1e-4))
show = pages["pens"].images[:1]
boxes, scores, labels = find(model, show)[0]
figures.page(show[0], boxes[scores > 0.3], labels[scores > 0.3].tolist(), pages["pens"].masks[0])

# %% [markdown]
# **What you see.** A detector that learned in seconds, scored by your own yardstick: a long way from perfect,
# and further for one group. The training loss did not show it: one page in twenty weighs little in a mean.
#
# ## Step 9. A supplier's number
#
# *3 points, read by a person. About 100 words.*
#
# A supplier offers a detector for damaged parcels and writes: "Average precision 0.97 at an IoU of 0.5, on
# 2,000 pictures from your own cameras." You learn that 40 of these pictures come from the night shift, whose
# light is poor, and that the threshold for raising an alarm was chosen so that 95 percent of the alarms are
# right.
#
# 1. How bad could the detector be at night without this number showing it? Explain your reasoning.
# 2. Which number would you ask for, for whom, and at which threshold?
# 3. Pictures without an alarm are deleted. What does that do to the next version of the detector?

# %% [markdown] nbgrader={"grade": true, "grade_id": "supplier", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# 1. 40 of 2,000 pictures are 2 percent. If nothing at all were found on them, average precision would fall
#    by about two points, and 0.97 leaves room for that: it could be blind at night.
# 2. The share of damaged parcels that are found (recall) on pictures of the night shift alone, at the
#    threshold that raises the alarms, beside the same for the day. 40 pictures are too few: ask for more,
#    and for an interval.
# 3. Damage that was missed is never seen again, so nobody labels it and the next version does not learn
#    from it. It will be as blind at night, and look better in its own data. Keep a random part of the
#    pictures without alarm, and have people look at them.
#
# === BEGIN MARK SCHEME ===
# 1. **One point** for the share of the night (2 percent) and the conclusion that a mean may hide a
#    complete failure. Half for "it could be worse" without a size.
# 2. **One point** for recall (or misses) by shift, at the threshold in use. Half if the group or the
#    threshold is missing. Average precision per shift earns half.
# 3. **One point** for the feedback: what is missed is not labeled and not learned. Half for "less data".
# === END MARK SCHEME ===
