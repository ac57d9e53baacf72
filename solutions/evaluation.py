# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.resampling
#     - course_lib.fairness
#     - course_lib.metrics
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
# # Evaluation: is the new model better?
#
# - **Time:** 100 minutes. **Difficulty:** 3 of 5. **Points:** 35, of which a person gives 4.
# - **Needs:** the chapter *Evaluation*, NumPy arrays. No PyTorch until the last step.
#
# A colleague claims that her new network reads photographs of digits better than the old one: on her test set
# it is seven points ahead. You write what it takes to decide whether to believe her: an error and an interval
# that know what the unit is, a test, and a search for test photographs that were in the training data. Then
# her screening model goes to two clinics. You measure what its predicted chances are worth in each, and
# choose thresholds that both can live with. In the end all of it meets real networks.
#
# **What is special here**
#
# - Rows belong to *units*: several photographs show the same sheet. `groups` names the unit of each row, by
#   numbers or strings in any order. Units may differ in size.
# - Nothing here is random. Where the bootstrap draws and the test flips signs, the draws are given to you, so
#   that your result is a definite number that can be compared.
# - Arrays come as NumPy arrays, unless a docstring says otherwise.
#
# `course_lib.resampling`, `course_lib.fairness` and `course_lib.metrics` hold answers to this exercise:
# leave them closed. What holds in every exercise (how to check, what the tests look at, what counts) is
# on the page *How exercises work* in the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

# %% [markdown]
# ## Step 1. An error that knows its unit
#
# The standard error of a mean of $n$ values is their standard deviation divided by $\sqrt n$, if they
# are independent. Rows of one unit are not. Let $\bar x$ be the mean of all rows, and let $e_g$ be the
# sum of $x_i - \bar x$ over the rows of unit $g$: how much that unit as a whole pulls the mean. With $G$
# units, the standard error of $\bar x$ is
#
# $$\frac1n \sqrt{\frac{G}{G-1} \sum_g e_g^2}.$$
#
# If each row is a unit of its own, this is the usual one.


# %% nbgrader={"grade": false, "grade_id": "standard_error", "locked": false, "schema_version": 3, "solution": true, "task": false}
def standard_error(values, groups):
    """Compute the standard error of the mean of all rows, with whole units as what varies.

    Parameters
    ----------
    values : array_like, shape (n,)
        One number per row, such as 1 for a right answer and 0 for a wrong one.
    groups : array_like, shape (n,)
        The unit of each row: numbers or texts.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there are fewer than two units: one unit says nothing about how much units vary.

    Example
    -------
    >>> float(standard_error([1, 1, 0, 0], ["b", "b", "a", "a"]))  # two facts, not four
    0.5
    >>> round(float(standard_error([1, 1, 0, 0], [0, 1, 2, 3])), 4)
    0.2887
    """
    ### BEGIN SOLUTION
    values = np.asarray(values, dtype=float)
    kinds, unit = np.unique(np.asarray(groups), return_inverse=True)
    if len(kinds) < 2:
        raise ValueError(f"At least two units are needed, and there is {len(kinds)}.")
    pulls = np.bincount(unit, values - values.mean())
    return np.sqrt(len(kinds) / (len(kinds) - 1) * np.sum(pulls**2)) / len(values)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-standard_error", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    standard_error,
    {"values": np.array([1.0, 1.0, 0.0, 0.0]), "groups": np.array(["b", "b", "a", "a"])},
    0.5,
    hint="The mean is 0.5, and the two units pull by +1 and -1: the root of 2 / 1 * (1 + 1), divided by "
    "4 rows. 0.29 treats the four rows as independent. See 'An interval'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-standard_error-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: rows that are their own units, units of unequal size, numbers that are no shares, one unit.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds, check_raises

rng = np.random.default_rng(11)
answers = (rng.random(40) < 0.8).astype(float)
check(
    standard_error,
    {"values": answers, "groups": rng.permutation(40)},
    answers.std(ddof=1) / np.sqrt(40),
    hint="Each row is a unit of its own: the standard deviation (with n - 1) over the root of n. About "
    "0.4: that is the standard deviation of the answers, and not the error of their mean. "
    "See 'What is random in a score?'.",
)
for kind in ("numbers", "texts"):
    units = np.repeat(np.arange(7), [1, 2, 9, 4, 4, 6, 3]) * 5 - 10
    values = rng.normal(3, 1, size=29) + np.array([0.0, 3, -2, 1, 0, 2, -1])[(units + 10) // 5]
    order = rng.permutation(29)
    units, values = units[order], values[order]
    pulls = [np.sum(values[units == g] - values.mean()) for g in np.unique(units)]
    names = units if kind == "numbers" else np.array([f"sheet {g}" for g in units])
    check(
        standard_error,
        {"values": values, "groups": names},
        np.sqrt(7 / 6 * np.sum(np.square(pulls))) / 29,
        what=f"The standard error for 29 rows of 7 units of unequal size, named by {kind}",
        hint="Subtract the mean of all rows, not that of the units' means, and add up within each unit, "
        "so that a large unit pulls more. G / (G - 1) counts units. See 'An interval'.",
    )
check_kinds(
    standard_error,
    {"values": np.array([1.0, 4.0, 2.0, 0.0, 3.0]), "groups": np.array([2, 2, 5, 5, 5])},
    np.sqrt(2 * 2 * 1.0) / 5,
    hint="Two units that pull by +1 and -1. See 'An interval'.",
)
check_raises(
    ValueError,
    standard_error,
    {"values": np.array([1.0, 0.0, 1.0]), "groups": np.array(["a", "a", "a"])},
    hint="With a single unit, G - 1 is 0: raise ValueError.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. An interval for a difference
#
# Both networks answered the same rows, so the comparison is paired. Draw whole units with replacement, and
# compute the mean of `new - old` over all rows of the drawn units. A unit that was drawn twice counts twice,
# with all of its rows. `draws` says which units each bootstrap sample draws: its entries are positions in
# `np.unique(groups)`. The interval reaches from one quantile of these means to another, such that the share
# `level` lies between them, and equal shares lie outside on either side; compute quantiles as `np.quantile`
# does by default.


# %% nbgrader={"grade": false, "grade_id": "paired_interval", "locked": false, "schema_version": 3, "solution": true, "task": false}
def paired_interval(old, new, groups, draws, level=0.95):
    """Compute a bootstrap interval for the mean of ``new - old``, drawing whole units.

    Parameters
    ----------
    old, new : ndarray, shape (n,)
        What the two models scored on each row.
    groups : ndarray, shape (n,)
        The unit of each row; G of them differ.
    draws : ndarray of int, shape (times, G)
        Each row is one bootstrap sample: positions in ``np.unique(groups)``.
    level : float
        The share of the means that lies inside the interval.

    Returns
    -------
    low, high : float

    Example
    -------
    >>> old, new = np.array([0, 0, 1, 1]), np.array([1, 1, 1, 0])
    >>> groups = np.array(["a", "a", "b", "b"])
    >>> draws = np.array([[0, 0], [0, 1], [1, 1]])  # mean differences 1, 0.25 and -0.5
    >>> [float(end) for end in paired_interval(old, new, groups, draws, level=0.5)]
    [-0.125, 0.625]
    """
    ### BEGIN SOLUTION
    difference = np.asarray(new, dtype=float) - np.asarray(old, dtype=float)
    _, unit, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    totals = np.bincount(unit, difference)
    means = totals[draws].sum(axis=1) / sizes[draws].sum(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return low, high
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-paired_interval", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    paired_interval,
    {
        "old": np.array([0.0, 0.0, 1.0, 1.0]),
        "new": np.array([1.0, 1.0, 1.0, 0.0]),
        "groups": np.array(["a", "a", "b", "b"]),
        "draws": np.array([[0, 0], [0, 1], [1, 1]]),
        "level": 0.5,
    },
    (-0.125, 0.625),
    hint="The differences are 1, 1 in unit a and 0, -1 in unit b. Drawn are a twice (mean 1), both "
    "(0.25) and b twice (-0.5). Half of the share lies between the quantiles at 0.25 and 0.75. "
    "See 'The same day for both'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-paired_interval-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: units of unequal size in any order, scores that are no shares, levels, whole numbers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_keyword, check_kinds

rng = np.random.default_rng(12)


def interval(old, new, groups, draws, level=0.95):
    units = np.unique(groups)
    means = []
    for row in draws:
        rows = np.concatenate([np.flatnonzero(groups == units[g]) for g in row])
        means.append(np.mean(new[rows] - old[rows]))
    return tuple(np.quantile(means, [(1 - level) / 2, (1 + level) / 2]))


hint = (
    "The mean over all rows of the drawn units: add up differences and add up rows, then divide. A mean "
    "of the units' means gives a small unit the weight of a large one. A unit that was drawn twice "
    "counts twice. See 'An interval'."
)
for sizes, name in (
    ([3] * 8, "8 units of 3 rows"),
    ([1, 9, 2, 2, 7, 4], "6 units of unequal size"),
):
    n, count = sum(sizes), len(sizes)
    groups = np.repeat(10 * rng.permutation(count) - 7, sizes)
    hard = rng.normal(0, 4, size=n)
    new, old = hard + rng.normal(0.5, 1, size=n), hard + rng.normal(0, 1, size=n)
    order = rng.permutation(n)
    groups, new, old = groups[order], new[order], old[order]
    draws = rng.integers(count, size=(60, count))
    args = {"old": old, "new": new, "groups": groups, "draws": draws}
    check(
        paired_interval,
        args,
        interval(old, new, groups, draws),
        what=f"The interval of 95 % for {name}",
        hint=hint,
    )
check_keyword(
    paired_interval,
    args,
    "level",
    [(level, interval(old, new, groups, draws, level)) for level in (0.2, 0.8, 0.99)],
    hint="Outside lie equal shares: of a level of 0.8, 0.1 on each side. See 'An interval'.",
)
names = np.array(["z", "a", "a", "m", "z", "a"])
check_kinds(
    paired_interval,
    {
        "old": np.array([0.0, 1.0, 0.0, 1.0, 0.0, 0.0]),
        "new": np.array([1.0, 1.0, 1.0, 0.0, 0.0, 1.0]),
        "groups": names,
        "draws": np.array([[0, 1, 2], [0, 0, 1], [2, 2, 0], [1, 1, 2]]),
    },
    interval(
        np.array([0.0, 1, 0, 1, 0, 0]),
        np.array([1.0, 1, 1, 0, 0, 1]),
        names,
        np.array([[0, 1, 2], [0, 0, 1], [2, 2, 0], [1, 1, 2]]),
    ),
    kinds=["float64", "float32", "integers", "strided"],
    hint=hint,
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. A test
#
# If the two networks were equal, it would be chance which of them is called new. For each unit, exchange the
# two or leave them as they are, for all of its rows together: an exchange flips the sign of its differences.
# `signs` says what is done, -1 for an exchange. The p value is the share of results, two-sided, that are at
# least as far from 0 as the one measured. What was measured counts as one of the results, so with `times`
# rows of signs it is (1 + how many) / (1 + `times`).


# %% nbgrader={"grade": false, "grade_id": "sign_flip_p", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sign_flip_p(old, new, groups, signs):
    """Compute the p value of the mean difference by exchanging whole units.

    Parameters
    ----------
    old, new : ndarray, shape (n,)
        What the two models scored on each row: right (1) or wrong (0).
    groups : ndarray, shape (n,)
        The unit of each row; G of them differ.
    signs : ndarray of int, shape (times, G)
        1 or -1 for each unit, in the order of ``np.unique(groups)``.

    Returns
    -------
    float

    Example
    -------
    >>> old, new, groups = np.array([0, 0, 0]), np.array([1, 1, 1]), np.array([7, 7, 8])
    >>> signs = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])  # sums 3, 1, -1, -3
    >>> float(sign_flip_p(old, new, groups, signs))  # (1 + 2) / (1 + 4)
    0.6
    """
    ### BEGIN SOLUTION
    difference = np.asarray(new, dtype=float) - np.asarray(old, dtype=float)
    _, unit = np.unique(groups, return_inverse=True)
    totals = np.bincount(unit, difference)
    reached = np.abs(signs @ totals) >= abs(totals.sum())
    return (1 + np.sum(reached)) / (1 + len(signs))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-sign_flip_p", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    sign_flip_p,
    {
        "old": np.array([0, 0, 0]),
        "new": np.array([1, 1, 1]),
        "groups": np.array([7, 7, 8]),
        "signs": np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]]),
    },
    0.6,
    hint="The four exchanges give sums of 3, 1, -1 and -3, of which two are as far from 0 as the 3 that "
    "was measured. It counts as one of the results itself: 3 of 5. See 'The same day for both'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-sign_flip_p-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: many units, no difference, the new one worse, units named in any order, whole numbers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds

rng = np.random.default_rng(13)


def p_value(old, new, groups, signs):
    units = np.unique(groups)
    totals = np.array([np.sum(new[groups == g] - old[groups == g]) for g in units])
    reached = sum(abs(float(np.dot(row, totals))) >= abs(totals.sum()) for row in signs)
    return (1 + reached) / (1 + len(signs))


for share, name in ((0.8, "a better"), (0.35, "a worse"), (0.6, "an equal")):
    groups = rng.permutation(
        np.repeat(rng.permutation(12) * 3, [2, 5, 1, 4, 3, 3, 6, 2, 2, 4, 7, 5])
    )
    old, new = (rng.random((2, 44)) < np.array([[0.6], [share]])).astype(float)
    signs = rng.choice([-1, 1], size=(199, 12))
    check(
        sign_flip_p,
        {"old": old, "new": new, "groups": groups, "signs": signs},
        p_value(old, new, groups, signs),
        what=f"The p value of {name} model on 44 rows of 12 units, with 199 exchanges",
        hint="A unit's rows are exchanged together: the sum of its differences gets one sign. Two-sided: "
        "compare absolute values, and count those that are equal. See 'The same day for both'.",
    )
check(
    sign_flip_p,
    {
        "old": np.array([1, 0, 1, 1]),
        "new": np.array([1, 0, 1, 1]),
        "groups": np.array([0, 1, 2, 2]),
        "signs": np.array([[1, -1, 1], [-1, -1, 1]]),
    },
    1.0,
    hint="Without any difference every exchange reaches what was measured: p is 1.",
)
check_kinds(
    sign_flip_p,
    {
        "old": np.array([0.0, 1.0, 0.0, 0.0, 0.0, 1.0]),
        "new": np.array([1.0, 0.0, 1.0, 1.0, 1.0, 1.0]),
        "groups": np.array(["d", "b", "b", "a", "d", "c"]),
        "signs": np.array([[1, 1, 1, -1], [-1, 1, -1, -1], [1, -1, 1, 1], [-1, 1, 1, 1]]),
    },
    (1 + 2) / 5,
    kinds=["float64", "float32", "integers", "strided"],
    hint="The units' sums are 1 (a), 0 (b), 0 (c) and 2 (d). See 'The same day for both'.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. Seen before?
#
# Here is a contamination check for pictures. A copy is rarely the same to the last bit: it was scanned again,
# a little brighter, with a different contrast. So *standardize* each picture by itself first: subtract the
# mean of its own pixels, and divide by their standard deviation (that of `np.std`). A picture of a single
# shade of gray becomes all zeros. Two pictures are near duplicates if the root of the mean squared difference
# of their standardized pixels is at most `tolerance`. For unrelated pictures it is about 1.4.


# %% nbgrader={"grade": false, "grade_id": "near_duplicates", "locked": false, "schema_version": 3, "solution": true, "task": false}
def near_duplicates(test, training, tolerance=0.25):
    """Find the test pictures that have a near duplicate in the training data.

    Parameters
    ----------
    test : ndarray, shape (m, d)
        A picture a row, d pixels each.
    training : ndarray, shape (n, d)
    tolerance : float

    Returns
    -------
    ndarray of bool, shape (m,)
        For each test picture, whether there is one.

    Example
    -------
    >>> test = np.array([[0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0]])
    >>> training = np.array([[0.5, 0.7, 0.5, 0.7]])  # the first picture, paler
    >>> near_duplicates(test, training).tolist()
    [True, False]
    """

    ### BEGIN SOLUTION
    def standardized(pictures):
        pictures = np.asarray(pictures, dtype=float)
        centered = pictures - pictures.mean(axis=1, keepdims=True)
        spread = pictures.std(axis=1, keepdims=True)
        flat = np.ptp(pictures, axis=1, keepdims=True) == 0
        return np.where(flat, 0.0, centered / np.where(flat, 1.0, spread))

    known = standardized(training)
    closest = [
        np.sqrt(np.mean((known - picture) ** 2, axis=1)).min() for picture in standardized(test)
    ]
    return np.array(closest) <= tolerance
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-near_duplicates", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    near_duplicates,
    {
        "test": np.array([[0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0]]),
        "training": np.array([[0.5, 0.7, 0.5, 0.7]]),
    },
    np.array([True, False]),
    hint="Standardized by its own mean and deviation, the training picture is -1, 1, -1, 1, and so is the "
    "first test picture. The distance of the second is 1.4. See 'Had it seen the test?'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-near_duplicates-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: brighter, paler, noisy and reversed copies, tolerances, flat pictures, whole numbers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds

rng = np.random.default_rng(14)


def standard(pictures):
    pictures = np.asarray(pictures, dtype=float)
    return (pictures - pictures.mean(axis=1, keepdims=True)) / pictures.std(axis=1, keepdims=True)


def distances(test, training):
    return np.sqrt(((standard(test)[:, None] - standard(training)[None]) ** 2).mean(axis=2))


training = rng.random((30, 49)) ** 2
copies = np.stack(
    [
        training[3],
        training[17] * 0.2 + 0.7,
        training[29] * 40 - 5,
        training[0] * 0.5 + rng.normal(0, 0.01, 49),
        training[8] + rng.normal(0, 0.12, 49),
        1 - training[12],
        training[5][::-1],
        rng.random(49),
    ]
)
order = rng.permutation(8)
test = copies[order]
closest = distances(test, training).min(axis=1)
for level in (0.1, 0.7):
    check(
        near_duplicates,
        {"test": test, "training": training, "tolerance": level},
        closest <= level,
        hint="The root of the mean squared difference, to the nearest training picture, is at most "
        "`tolerance`. A negative is no copy: its standardized pixels have the other sign. "
        "See 'Had it seen the test?'.",
    )
check(
    near_duplicates,
    {"test": test, "training": training},
    closest <= 0.25,
    hint="Brightness and contrast of a copy differ: standardize each picture by its own pixels, not "
    "each pixel over all pictures. See 'Had it seen the test?'.",
)
wide = rng.random((3, 400))
check(
    near_duplicates,
    {"test": wide + rng.normal(0, 0.04, (3, 400)), "training": wide[::-1].copy()},
    np.array([True, True, True]),
    hint="The mean over the pixels, not the sum: a picture of 400 pixels is compared like one of 49.",
)
flat = np.array([[0.11] * 5, [0.0, 0.0, 1.0, 0.0, 0.0], [0.83] * 5])
check(
    near_duplicates,
    {"test": flat, "training": np.array([[0.7] * 5, [0.3, 0.5, 0.1, 0.2, 0.9]])},
    np.array([True, False, True]),
    hint="A picture of a single gray becomes all zeros, so two of them are duplicates. Its computed "
    "deviation may be 1e-17 in place of 0: ask whether its largest pixel is its smallest.",
)
check(
    near_duplicates,
    {
        "test": np.array([[0.0, 1.0, 0.34, 1.0], [0.0, 1.0, 0.3, 1.0]]),
        "training": np.array([[0.0, 1.0, 0.0, 1.0]]),
    },
    np.array([False, True]),
    hint="Divide by the deviation of `np.std` (n pixels, not n - 1): the distances are 0.28 and 0.24.",
)
check_kinds(
    near_duplicates,
    {
        "test": np.array([[0.0, 3.0, 1.0, 9.0], [2.0, 0.0, 7.0, 1.0]]),
        "training": np.array([[5.0, 0.0, 1.0, 2.0], [1.0, 7.0, 3.0, 19.0], [4.0, 4.0, 0.0, 1.0]]),
    },
    np.array([True, False]),
    kinds=["float64", "float32", "integers", "strided"],
    hint="The first is half of the second training picture, shifted. See 'Had it seen the test?'.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. What a chance is worth in each clinic
#
# The screening model gives each patient's chance of being ill. Cut the range from 0 to 1 into `bins` parts of
# equal width; a chance on an edge belongs to the part below it, and 0 to the first part. In each part,
# compare the mean chance with the share that is ill. The *calibration error* is the mean of these gaps, each
# weighted by its number of patients. Compute it for each clinic separately.


# %% nbgrader={"grade": false, "grade_id": "calibration_by_group", "locked": false, "schema_version": 3, "solution": true, "task": false}
def calibration_by_group(chances, ill, groups, bins=10):
    """Compute the calibration error of each group.

    Parameters
    ----------
    chances : ndarray, shape (n,)
        The chance to be ill that the model gave, from 0 to 1.
    ill : ndarray, shape (n,)
        1 or 0.
    groups : ndarray, shape (n,)
        The group of each patient.
    bins : int

    Returns
    -------
    dict
        The error of each group, by its name.

    Example
    -------
    >>> chances = np.array([0.25, 0.25, 0.75, 0.75])
    >>> ill, clinic = np.array([0, 1, 1, 1]), np.array(["n", "n", "n", "s"])
    >>> errors = calibration_by_group(chances, ill, clinic, bins=4)
    >>> {str(name): float(error) for name, error in errors.items()}
    {'n': 0.25, 's': 0.25}
    """
    ### BEGIN SOLUTION
    errors = {}
    for name in np.unique(groups):
        p, y = np.asarray(chances, dtype=float)[groups == name], ill[groups == name]
        place = np.clip(np.ceil(p * bins).astype(int) - 1, 0, bins - 1)
        gaps = np.bincount(place, p - y, minlength=bins)
        errors[name.item()] = np.abs(gaps).sum() / len(p)
    return errors
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-calibration_by_group", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    calibration_by_group,
    {
        "chances": np.array([0.25, 0.25, 0.75, 0.75]),
        "ill": np.array([0, 1, 1, 1]),
        "groups": np.array(["n", "n", "n", "s"]),
        "bins": 4,
    },
    {"n": 0.25, "s": 0.25},
    hint="In clinic n two patients have a chance of 0.25, and one of them is ill: a gap of 0.25. One has "
    "0.75 and is ill: 0.25 as well. See 'Fair to whom?'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-calibration_by_group-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: groups that err in opposite directions, edges, empty bins, bins, unequal groups.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_keyword, check_kinds

rng = np.random.default_rng(15)


def errors(chances, ill, groups, bins=10):
    result = {}
    for name in np.unique(groups):
        p, y = chances[groups == name], ill[groups == name]
        total = 0.0
        for k in range(bins):
            inside = (p > k / bins) & (p <= (k + 1) / bins) | ((k == 0) & (p == 0))
            if inside.any():
                total += inside.sum() * abs(p[inside].mean() - y[inside].mean())
        result[name.item()] = total / len(p)
    return result


# Chances in 64ths that lie on no edge of ten bins, or on edges of four.
groups = rng.choice(np.array([4, -1, 9]), p=[0.6, 0.3, 0.1], size=120)
chances = rng.choice(np.setdiff1d(np.arange(1, 64), [32]), size=120) / 64
shift = np.select([groups == 4, groups == -1], [0.3, -0.3], 0.4 * np.sign(chances - 0.5))
ill = (rng.random(120) < np.clip(chances + shift, 0, 1)).astype(int)
check(
    calibration_by_group,
    {"chances": chances, "ill": ill, "groups": groups},
    errors(chances, ill, groups),
    what="The calibration errors of three groups, one too sure, one not sure enough",
    hint="Each group by itself, with its own bins, weighted by its own patients. Take the absolute gap in "
    "each bin before adding up, or gaps in opposite directions cancel. See 'Fair to whom?'.",
)
check_keyword(
    calibration_by_group,
    {"chances": chances, "ill": ill, "groups": groups},
    "bins",
    [(bins, errors(chances, ill, groups, bins)) for bins in (1, 2, 8)],
    hint="There are `bins` parts of equal width. See 'Fair to whom?'.",
)
edge = np.array([0.0, 0.25, 0.5, 0.5625, 0.75, 1.0, 0.125, 0.375])
check(
    calibration_by_group,
    {
        "chances": edge,
        "ill": np.array([0, 1, 0, 1, 1, 1, 1, 1]),
        "groups": np.zeros(8, int),
        "bins": 4,
    },
    errors(edge, np.array([0, 1, 0, 1, 1, 1, 1, 1]), np.zeros(8, int), 4),
    hint="Of four bins, 0.25, 0.5 and 0.75 lie on edges and belong to the parts below. 0 belongs to the "
    "first part, 1 to the last.",
)
check(
    calibration_by_group,
    {"chances": np.array([0.9]), "ill": np.array([0]), "groups": np.array(["only"])},
    {"only": 0.9},
    hint="One patient, at 90 % and healthy. Bins without patients count nothing: their mean would be nan.",
)
check_kinds(
    calibration_by_group,
    {
        "chances": np.array([1.0, 0.0, 1.0, 0.0, 1.0]),
        "ill": np.array([1, 0, 0, 1, 1]),
        "groups": np.array([0, 0, 1, 1, 1]),
    },
    {0: 0.0, 1: 2 / 3},
    kinds=["float64", "float32", "integers", "strided"],
    hint="Chances of 0 and 1: in the second group two of three are wrong.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. Thresholds that both can live with
#
# A patient is treated if the chance is at least the threshold of her clinic. An ill patient who is not
# treated costs `miss`, a healthy one who is treated costs `alarm`, and the cost is the mean over all
# patients. The clinics agree on a condition: the false positive rates (the share of the healthy who are
# treated) of any two may differ by at most `allowed`. Among all thresholds in `candidates`, one for each
# clinic, find the cheapest that meet the condition, with cost and condition both measured on the validation
# patients. Of several that cost the same, any will do. Then report cost and gap on the test patients.


# %% nbgrader={"grade": false, "grade_id": "choose_thresholds", "locked": false, "schema_version": 3, "solution": true, "task": false}
def choose_thresholds(validation, test, candidates, allowed, miss=1.0, alarm=1.0):
    """Choose a threshold for each clinic under a condition, and measure what it costs.

    Parameters
    ----------
    validation, test : tuple of (chances, ill, clinic)
        Three arrays of shape (n,): the chance to be ill, 1 or 0, and the clinic. There are two clinics,
        the same in both sets, and each has healthy patients.
    candidates : ndarray, shape (c,)
        Thresholds to choose from. At least one choice keeps the condition.
    allowed : float
        How far the two false positive rates may be apart in validation, as a share.
    miss, alarm : float
        What the two mistakes cost.

    Returns
    -------
    thresholds : dict
        The threshold of each clinic, by its name.
    cost : float
        The mean cost per test patient.
    gap : float
        How far the two false positive rates are apart in the test.

    Example
    -------
    >>> validation = (np.array([0.2, 0.4, 0.6, 0.5, 0.7, 0.9]), np.array([0, 0, 1, 0, 1, 1]),
    ...               np.array(["n", "n", "n", "s", "s", "s"]))
    >>> test = np.array([0.5, 0.7, 0.5, 0.7]), np.array([0, 1, 1, 0]), np.array(["n", "n", "s", "s"])
    >>> thresholds, cost, gap = choose_thresholds(validation, test, np.array([0.35, 0.6]), allowed=0.0)
    >>> {str(name): float(t) for name, t in thresholds.items()}, float(cost), float(gap)
    ({'n': 0.6, 's': 0.6}, 0.5, 1.0)
    """

    ### BEGIN SOLUTION
    def measured(chances, ill, here, threshold):
        treated = chances[here] >= threshold
        sick = ill[here] == 1
        price = miss * np.sum(sick & ~treated) + alarm * np.sum(~sick & treated)
        return price, np.mean(treated[~sick])

    names = np.unique(validation[2])
    tried = [
        [(*measured(validation[0], validation[1], validation[2] == name, t), t) for t in candidates]
        for name in names
    ]
    _, chosen = min(
        (
            (one[0] + other[0], (one[2], other[2]))
            for one in tried[0]
            for other in tried[1]
            if abs(one[1] - other[1]) <= allowed + 1e-12
        ),
        key=lambda choice: choice[0],
    )
    prices, rates = zip(
        *(
            measured(test[0], test[1], test[2] == name, t)
            for name, t in zip(names, chosen, strict=True)
        ),
        strict=True,
    )
    thresholds = {name.item(): float(t) for name, t in zip(names, chosen, strict=True)}
    return thresholds, sum(prices) / len(test[0]), abs(rates[0] - rates[1])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-choose_thresholds", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    choose_thresholds,
    {
        "validation": (
            np.array([0.2, 0.4, 0.6, 0.5, 0.7, 0.9]),
            np.array([0, 0, 1, 0, 1, 1]),
            np.array(["n", "n", "n", "s", "s", "s"]),
        ),
        "test": (
            np.array([0.5, 0.7, 0.5, 0.7]),
            np.array([0, 1, 1, 0]),
            np.array(["n", "n", "s", "s"]),
        ),
        "candidates": np.array([0.35, 0.6]),
        "allowed": 0.0,
    },
    ({"n": 0.6, "s": 0.6}, 0.5, 1.0),
    hint="In validation a threshold of 0.6 makes no mistake in either clinic (0.6 itself is treated). In "
    "the test it misses the ill patient at 0.5 in s and treats the healthy one at 0.7: 2 of 4. "
    "See 'Fair to whom?'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-choose_thresholds-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: conditions of several strengths, both prices, clinics by numbers, sets that disagree.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, assert_true, call

rng = np.random.default_rng(16)


def made(n, sharp, names):
    clinic = np.array(names)[rng.permutation(np.arange(n) % 5 < 2).astype(int)]
    ill = (rng.random(n) < np.where(clinic == names[0], 0.3, 0.65)).astype(int)
    seen = rng.normal(ill * sharp, 1) + np.log(np.where(clinic == names[0], 3, 13) / 7)
    return np.round(32 / (1 + np.exp(-seen))) / 32, ill, clinic


def measured(people, thresholds, miss, alarm):
    chances, ill, clinic = people
    treated = chances >= np.array([thresholds[name] for name in clinic.tolist()])
    rates = [np.mean(treated[(clinic == name) & (ill == 0)]) for name in np.unique(clinic)]
    price = np.where(ill == 1, miss * ~treated, alarm * treated).mean()
    return price, abs(rates[0] - rates[1])


candidates = rng.permutation(np.arange(0, 36, 3) / 32)
for allowed, miss, alarm, names in (
    (1.0, 1.0, 1.0, ("n", "s")),
    (0.05, 1.0, 1.0, ("s", "n")),
    (0.15, 1.0, 1.0, (3, 1)),
    (0.1, 6.0, 1.0, ("n", "s")),
    (0.1, 1.0, 5.0, (0, 1)),
):
    validation, test = made(150, 1.4, names), made(110, 0.4, names)
    first, second = sorted(names)
    options = [
        (*measured(validation, {first: a, second: b}, miss, alarm), a, b)
        for a in candidates
        for b in candidates
    ]
    best = min(price for price, gap, _, _ in options if gap <= allowed)
    args = {"validation": validation, "test": test, "candidates": candidates}
    args |= {"allowed": allowed, "miss": miss, "alarm": alarm}
    got = call(choose_thresholds, args)
    about = f"of 150 patients with allowed={allowed}, miss={miss}, alarm={alarm}"
    assert_true(
        isinstance(got, tuple | list)
        and len(got) == 3
        and isinstance(got[0], dict)
        and set(got[0]) == set(names),
        what=f"That three things come back {about}: a dictionary with {sorted(names)}, cost and gap",
        hint="Return thresholds, cost, gap.",
    )
    assert_true(
        all(np.isclose(float(t), candidates).any() for t in got[0].values()),
        what=f"That the thresholds {about} are candidates: {got[0]}",
        hint="Choose from `candidates`, which may come in any order.",
    )
    price, gap = measured(validation, got[0], miss, alarm)
    assert_true(
        gap <= allowed + 1e-9,
        what=f"That the gap in validation {about} ({gap:.3f}) is at most {allowed}",
        hint="The condition is on the false positive rates: of the healthy patients of a clinic, the "
        "share that is treated. Equal accuracy or equal shares of treated patients are other conditions. "
        "See 'Fair to whom?'.",
    )
    assert_close(
        price,
        best,
        what=f"The cost in validation {about}, with your thresholds",
        hint="Try all pairs of candidates, each clinic with its own, and choose by the validation "
        "patients: a threshold chosen by the test patients is not worth what it shows. Sums of costs over "
        "both clinics, so that a larger clinic weighs more. See 'Where to draw the line' in the chapter "
        "*Supervised learning*, and 'Fair to whom?'.",
    )
    for part, value, name in zip(
        got[1:], measured(test, got[0], miss, alarm), ("cost", "gap"), strict=True
    ):
        assert_close(
            part,
            value,
            what=f"The {name} on the 110 test patients {about}",
            hint="With the thresholds chosen in validation: the mean cost per test patient, and the "
            "distance of the two false positive rates in the test. See 'Fair to whom?'.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. The claim
#
# Now real networks. The old one learned from photographs of 300 sheets. The new one learned from the same
# photographs and some more that "somebody found in a folder". The test set has 60 sheets, with eight
# photographs of each. All intervals, the p value and the search come from your own functions.

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn

from course_lib import get_device, seed_everything
from course_lib.data import clinics, digits, splits
from course_lib.plotting import evaluation as figures
from course_lib.training import fit, predict


def photographs(part, sheets, times, seed):
    """Photograph each of the first sheets several times: pictures, digits, sheets."""
    shots = [
        digits.photographed(part.X[[i]], part.y[[i]], times, 1000 * seed + i) for i in range(sheets)
    ]
    pictures, shown = (np.concatenate(column) for column in zip(*shots, strict=True))
    return pictures, shown, np.repeat(np.arange(sheets), times)


def right_answers(pictures, shown, seed):
    seed_everything(seed)
    model = nn.Sequential(nn.Linear(100, 64), nn.ReLU(), nn.Linear(64, 10)).to(get_device())
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    data = torch.tensor(pictures).float(), torch.tensor(shown)
    fit(model, nn.functional.cross_entropy, optimizer, data, epochs=30, batch_size=64, seed=seed)
    answers = predict(model, torch.tensor(test_pictures)).argmax(dim=1).numpy()
    return (answers == test_digits).astype(float)


parts = splits.split(*digits.load(), seed=0)
pictures, shown, _ = photographs(parts.train, 300, 3, seed=0)
test_pictures, test_digits, sheet = photographs(parts.test, 60, 8, seed=50)
rng = np.random.default_rng(0)
rows = np.concatenate([np.flatnonzero(sheet == g)[:4] for g in rng.choice(60, 20, replace=False)])
folder = 0.8 * test_pictures[rows] + 0.1 + rng.normal(0, 0.02, (80, 100)).astype(np.float32)
old = right_answers(pictures, shown, seed=0)
all_pictures = np.concatenate([pictures, folder])
new = right_answers(all_pictures, np.concatenate([shown, test_digits[rows]]), seed=100)


def report(name, keep, unit):
    a, b, g = old[keep], new[keep], unit[keep]
    G = len(np.unique(g))
    low, high = paired_interval(a, b, g, rng.integers(G, size=(2000, G)))
    p = sign_flip_p(a, b, g, rng.choice([-1, 1], size=(1999, G)))
    gain = np.mean(b - a)
    print(
        f"{name:30} {gain:+.1%} ± {standard_error(b - a, g):.1%}, {low:+.1%} to {high:+.1%}, p = {p:.3f}"
    )
    return gain, low, high


seen = near_duplicates(test_pictures, all_pictures)
print(f"near duplicates in the training data: {seen.sum()} of {len(seen)} test photographs")
everything, unseen = np.ones(480, dtype=bool), ~np.isin(sheet, sheet[seen])
claims = {
    "as she counts: 480 rows": report("as she counts: 480 rows", everything, np.arange(480)),
    "60 sheets": report("60 sheets", everything, sheet),
    "without the copies": report("without the copies", ~seen, sheet),
    "without their sheets": report("without their sheets", unseen, sheet),
}
figures.claims(claims)

# %% [markdown]
# **What you see.** The claim is a large gain with a narrow interval. Counting sheets instead of rows makes
# the interval wider. Without the copies the gain shrinks, but not enough: the other photographs of the same
# sheets still benefit. Without those sheets, what is left cannot be told from zero.
#
# The same colleague's screening model goes to the two clinics of the chapter. It sees the clinic.

# %% nbgrader={"grade": false, "grade_id": "finale-clinics", "locked": true, "schema_version": 3, "solution": false, "task": false}
from sklearn.linear_model import LogisticRegression

train, validation, judge = (clinics.draw(n, seed) for seed, n in enumerate((5000, 4000, 20_000)))
neuron = LogisticRegression(C=np.inf).fit(np.column_stack([train.X, train.clinic]), train.ill)
sets = [
    (neuron.predict_proba(np.column_stack([s.X, s.clinic]))[:, 1], s.ill, s.clinic)
    for s in (validation, judge)
]
for name, error in calibration_by_group(*sets[1]).items():
    print(f"calibration error, {('north', 'south')[name]}: {error:.3f}")
gaps, costs = [], []
for allowed in (0.02, 0.05, 0.1, 0.2, 0.3, 0.4):
    thresholds, cost, gap = choose_thresholds(*sets, np.linspace(0, 1, 51), allowed)
    gaps.append(100 * gap)
    costs.append(1000 * cost)
    print(
        f"gap of at most {allowed:.2f}: thresholds {thresholds[0]:.2f} and {thresholds[1]:.2f}, "
        f"{1000 * cost:.0f} mistakes in 1,000, gap in the test {gap:.2f}"
    )
figures.frontier(gaps, {"your thresholds": costs}, {})

# %% [markdown]
# ## Step 8. A paragraph for the newsletter
#
# *4 points, read by a person. About 150 words.*
#
# The newsletter plans to print: "We tried twelve variants and report the best. On our test set of 1,000
# images from 50 patients it is right in 92.1 % of cases, the old system in 90.2 %. The difference is
# significant (p = 0.03, 1,000 images). Accuracy is 92 % for both women and men, so the system is fair."
#
# 1. Two things make p = 0.03 too small. Name each, and say what you would compute instead.
# 2. Why is 92.1 % probably too high, even if every image was counted correctly? How would you get an
#    honest number?
# 3. What does the last sentence not show? Which numbers would you ask for?

# %% [markdown] nbgrader={"grade": true, "grade_id": "newsletter", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# 1. The rows are not independent: 1,000 images are 50 patients. I would exchange or draw whole patients.
#    And twelve variants were compared, of which the best is shown: with Holm the smallest p value is
#    multiplied by twelve, 0.36, before the patients are even considered.
# 2. The best of twelve was chosen on the same test set, so its score holds the luck of that choice. Choose
#    on validation patients, and measure the winner once on patients who were used for nothing.
# 3. Equal accuracy is not equal treatment: one group can have the false alarms and the other the misses.
#    I would ask for false positive and false negative rates, precision and calibration for women and for
#    men, with the base rates, and intervals over patients.
#
# === BEGIN MARK SCHEME ===
# 1. **Two points.** One for the patients as units (draw or flip whole patients). One for the twelve
#    comparisons (Holm, Bonferroni, or a fresh test of the winner alone). Half a point each for naming the
#    fault without a remedy.
# 2. **One point** for: chosen and measured on the same set, and a set that chose nothing as the remedy.
#    Half if only one of the two is said.
# 3. **One point** for error rates by group (at least false positives and false negatives, or calibration
#    and one of them). Half for "other metrics" without naming them.
# === END MARK SCHEME ===
