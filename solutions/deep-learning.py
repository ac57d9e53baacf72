# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.data.habits
#     - course_lib.data.splits
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
# # Deep learning: what is left of 99 %?
#
# - **Time:** 80 minutes. **Difficulty:** 1 of 5. **Points:** 35, of which a person gives 4.
# - **Needs:** the chapter *Deep learning*, NumPy arrays, a loop.
#
# A colleague writes: "From 2,000 measurements of a voice my model tells whether somebody is ill. It is right
# in 99 % of cases, and I rounded down." She sends you her table: 300 people, and for each whether they are
# ill. You will write six small tools, each of which settles one doubt. At the end you put five of
# them together and see what is left of her 99 %.
#
# **What is special here**
#
# - `X` holds samples, one per row: shape `(n, d)`, of floats or integers.
# - `y` holds their labels: shape `(n,)`. Labels are integers or words, and not always 0 and 1.
#
# `course_lib.data.habits` and `course_lib.data.splits` hold answers to this exercise: leave them
# closed. What holds in every exercise (how to begin and to check, what the tests look at, what counts)
# is on the page *How exercises work* in the appendix. If this is your first one, read that page now.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from course_lib.data import patients, voices
from course_lib.plotting import deep_learning as figures

np.set_printoptions(suppress=True)

# %% [markdown]
# ## Step 1. What does a percentage count?
#
# *Accuracy* is the share of answers that are right. It is one line of NumPy, and there is a trap in that
# line: NumPy compares arrays of different shapes without complaint, for instance a single answer with every
# label, or a column `(n, 1)` with a row `(n,)`, which gives `(n, n)` comparisons. Their mean is a number like
# any other, and it tells you nothing. So compare shapes first.


# %% nbgrader={"grade": false, "grade_id": "accuracy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def accuracy(y, says):
    """Compute the share of right answers.

    Parameters
    ----------
    y : ndarray, shape (n,)
        What is right: whole numbers or words.
    says : ndarray, shape (n,)
        What was answered.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If y and says do not have the same shape.

    Example
    -------
    >>> accuracy(np.array([1, 0, 1, 1]), np.array([1, 1, 1, 1]))
    0.75
    """
    ### BEGIN SOLUTION
    if np.shape(y) != np.shape(says):
        raise ValueError(f"shapes differ: {np.shape(y)} and {np.shape(says)}")
    return float(np.mean(y == says))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-accuracy", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    accuracy,
    {"y": np.array([1, 0, 1, 1]), "says": np.array([1, 1, 1, 1])},
    0.75,
    hint="Three of four answers are right: a share from 0 to 1, not a percentage and not a count. "
    "See 'Three habits'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-accuracy-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: other labels, words, and shapes that do not fit.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_raises

for y, says, expected in [
    (np.array([0, 0, 0]), np.array([0, 0, 0]), 1.0),
    (np.array([7, 7, 3, 9, 1]), np.array([7, 1, 3, 1, 9]), 0.4),
    (np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]), 0.0),
    (np.array([-1, 1, -1, 1]), np.array([-1, -1, -1, -1]), 0.5),
    (np.array(["cat", "dog", "cat"]), np.array(["cat", "cat", "cat"]), 2 / 3),
    (np.array([True, False]), np.array([True, True]), 0.5),
]:
    check(
        accuracy,
        {"y": y, "says": says},
        expected,
        hint="Count where answer and label are equal, whatever the labels are called: 3 and 9 are "
        "as wrong as 3 and 4, and a right 0 counts as much as a right 1. See 'Three habits'.",
    )
for y, says in [
    (np.array([1, 1, 1, 0]), np.array([1])),
    (np.array([1, 0, 1]), np.array([[1], [0], [1]])),
    (np.array([1, 0]), np.array([1, 0, 1])),
    (np.array([1, 0, 1]), np.array(1)),
]:
    check_raises(
        ValueError,
        accuracy,
        {"y": y, "says": says},
        hint=f"Labels of shape {y.shape} and answers of shape {says.shape}: one answer for each label, "
        "or a ValueError. NumPy would stretch one of the arrays and compare what does not belong "
        "together. Compare y.shape and says.shape first.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. Three clinics, one number
#
# You ask where the 99 % come from. "From three clinics: 100 %, 100 % and 97 %. That makes 99." In the first
# two she saw three people each, in the third 294. The mean of three percentages lets three people count as
# much as 294. The question was what share of *all* the answers were right.


# %% nbgrader={"grade": false, "grade_id": "pooled_accuracy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def pooled_accuracy(groups):
    """Compute the share of right answers among all rows of several groups.

    Parameters
    ----------
    groups : list of (y, says)
        Labels and answers of each group: two ndarrays of shape (n,), where each group has its own n.

    Returns
    -------
    float
        From 0 to 1.

    Example
    -------
    >>> small = np.array([1]), np.array([1])
    >>> large = np.array([0, 0, 0]), np.array([1, 1, 1])
    >>> pooled_accuracy([small, large])
    0.25
    """
    ### BEGIN SOLUTION
    y = np.concatenate([y for y, _ in groups])
    says = np.concatenate([says for _, says in groups])
    return accuracy(y, says)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-pooled_accuracy", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.data import habits as reference
from course_lib.exercises import check, given

with given(accuracy=reference.accuracy):
    check(
        pooled_accuracy,
        {
            "groups": [
                (np.array([1]), np.array([1])),
                (np.array([0, 0, 0]), np.array([1, 1, 1])),
            ]
        },
        0.25,
        what="pooled_accuracy of a group of one, right, and a group of three, all wrong",
        hint="One person of four is right. The mean of 100 % and 0 % is 50 %, and lets one person "
        "count as much as three: count people, not groups. See 'Three habits'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-pooled_accuracy-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: many groups of many sizes, one group, words.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.data import habits as reference
from course_lib.exercises import check, given

rng = np.random.default_rng(seed=2)
with given(accuracy=reference.accuracy):
    for sizes in [(3, 3, 294), (5,), (1, 2, 4, 8, 16, 32), (64, 64, 64, 7)]:
        groups = [(rng.integers(0, 3, n), rng.integers(0, 3, n)) for n in sizes]
        right = sum(int(a == c) for y, says in groups for a, c in zip(y, says, strict=True))
        check(
            pooled_accuracy,
            {"groups": groups},
            right / sum(sizes),
            what=f"pooled_accuracy of groups of {', '.join(map(str, sizes))} rows",
            hint="All right answers, divided by all rows. A mean over groups is that only when all "
            "groups have the same size, and the last batch of a data set mostly has not. "
            "See 'Three habits'.",
        )
    words = [
        (np.array(["ill"]), np.array(["ill"])),
        (np.array(["well", "ill"]), np.array(["ill"] * 2)),
    ]
    check(
        pooled_accuracy,
        {"groups": words},
        2 / 3,
        what="pooled_accuracy of two groups with the labels 'ill' and 'well'",
        hint="Labels may be words: compare them, do not subtract them.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. Cut before you look
#
# So it was 97 %. On which people? "On all of them. I did not want to waste any." Those are the people that
# her model learned from. You need a split: shuffle the numbers of the rows, then cut them in three.
#
# Shuffling is not decoration. Her file is sorted: first everybody who is well, then everybody who is ill. Cut
# without shuffling, and the test set holds nothing but ill people.
#
# And the chapter left a gap open: its digits were written by 13 people, with every hand on both sides of the
# cut. Where a person has several rows, a model may recognize the person. So your split takes one more
# argument. If it is told who each row is from, it shuffles and cuts *people*, and all of a person's rows go
# along.


# %% nbgrader={"grade": false, "grade_id": "split_rows", "locked": false, "schema_version": 3, "solution": true, "task": false}
def split_rows(n, seed, people=None):
    """Shuffle the rows of a data set and cut them into three parts.

    Parameters
    ----------
    n : int
        How many rows there are, at least 1. They are called 0, 1, ..., n - 1.
    seed : int
        The same seed gives the same parts, another seed other parts.
    people : ndarray, shape (n,), optional
        Who each row is from: integers or words. All rows of a person go into the same part. Of p
        different people, validation and test have p // 5 each, and training has all the others.
        Where it is None, each row is from another person.

    Returns
    -------
    train, validation, test : ndarray of int
        Which rows belong to which part, in any order. Without `people`, validation and test have
        n // 5 rows each, and training has all the others. Each row is in exactly one part.

    Examples
    --------
    >>> train, validation, test = split_rows(10, seed=0)
    >>> len(train), len(validation), len(test)
    (6, 2, 2)
    >>> people = np.array(["Ann", "Bo", "Ann", "Cy", "Di", "Ed", "Ed"])
    >>> [len(set(people[part])) for part in split_rows(7, seed=0, people=people)]
    [3, 1, 1]
    """
    ### BEGIN SOLUTION
    people = np.arange(n) if people is None else people
    names = np.random.default_rng(seed).permutation(np.unique(people))
    fifth = len(names) // 5
    parts = names[2 * fifth :], names[:fifth], names[fifth : 2 * fifth]
    return tuple(np.flatnonzero(np.isin(people, part)) for part in parts)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-split_rows", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_equal, assert_true, call

parts = call(split_rows, {"n": 10, "seed": 0})
assert_true(
    isinstance(parts, list | tuple) and len(parts) == 3,
    what="That split_rows(10, seed=0) returns three parts",
    hint="return train, validation, test",
)
assert_equal(
    [len(part) for part in parts],
    [6, 2, 2],
    what="How many rows split_rows(10, seed=0) puts into train, validation and test",
    hint="Validation and test get n // 5 rows each, training the rest, in this order: train, "
    "validation, test. See 'Three habits'.",
)
assert_equal(
    sorted(float(row) for part in parts for row in part),
    list(range(10)),
    what="All rows of the three parts of split_rows(10, seed=0), sorted",
    hint="Each row belongs to exactly one part: no row twice, and none lost. rng.integers and "
    "rng.choice draw with replacement, so that a person can be in two parts: use a permutation. "
    "See 'Three habits'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-split_rows-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: other numbers of rows, a seed that is used twice, and people with several rows.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_equal, assert_true, call, probe


def split(split_rows, args, about):
    """Return the three parts as lists."""
    parts = call(split_rows, args)
    assert_true(
        isinstance(parts, list | tuple) and len(parts) == 3,
        what=f"That {about} returns three parts",
        hint="Always three: below five rows or people, some of them are empty.",
    )
    return [np.asarray(part).tolist() for part in parts]


def tested(split_rows, people, seeds):
    """Count how often each person is in the test set."""
    counts = dict.fromkeys(people.tolist(), 0)
    for seed in range(seeds):
        parts = call(split_rows, {"n": len(people), "seed": seed, "people": people})
        for name in {people[row].item() for row in np.asarray(parts[2])}:
            counts[name] += 1
    return list(counts.values())


for n in (1, 4, 5, 23, 300):
    for seed in (0, 7):
        args, about = {"n": n, "seed": seed}, f"split_rows({n}, seed={seed})"
        parts = split(split_rows, args, about)
        assert_equal(
            [len(part) for part in parts],
            [n - 2 * (n // 5), n // 5, n // 5],
            what=f"How many rows {about} puts into train, validation and test",
            hint="Where n cannot be divided by five, training gets what is left over. Below 5 rows "
            "it gets all of them.",
        )
        assert_equal(
            sorted(row for part in parts for row in part),
            list(range(n)),
            what=f"All rows of the three parts of {about}, sorted",
            hint="Each row belongs to exactly one part: no row twice, and none lost. "
            "See 'Three habits'.",
        )
        assert_true(
            all(isinstance(row, int) for part in parts for row in part),
            what=f"That {about} gives the numbers of rows as integers",
            hint="Floats cannot pick rows: X[train] would fail.",
        )
        assert_equal(
            split(split_rows, args, about),
            parts,
            what=f"{about}, called a second time",
            hint="The same seed must give the same parts, or nobody can repeat what you measured. "
            "Make the generator inside the function, from the seed.",
        )

rng = np.random.default_rng(3)
words = np.array(["Ann", "Bo", "Ann", "Cy", "Di", "Ed", "Di", "Di", "Flo", "Ann"])
for people in (words, rng.integers(20, size=90) ** 2, 1000 - np.arange(12) // 2, np.array([3, 3])):
    n, p = len(people), len(set(people.tolist()))
    for seed in (0, 5):
        args = {"n": n, "seed": seed, "people": people}
        about = f"split_rows({n}, seed={seed}) with rows from {p} people"
        parts = split(split_rows, args, about)
        assert_equal(
            sorted(row for part in parts for row in part),
            list(range(n)),
            what=f"All rows of the three parts of {about}, sorted",
            hint="The parts hold numbers of rows, as before, and not the names of people. Each person's "
            "rows are all there, in one part.",
        )
        seen = [{people[row].item() for row in part} for part in parts]
        assert_equal(
            sorted(seen[0] & seen[1] | seen[0] & seen[2] | seen[1] & seen[2]),
            [],
            what=f"The people with rows in two parts of {about}",
            hint="Shuffle and cut the people (np.unique(people) names each once), and collect their "
            "rows afterwards (np.isin). See the end of 'Three habits'.",
        )
        assert_equal(
            [len(names) for names in seen],
            [p - 2 * (p // 5), p // 5, p // 5],
            what=f"How many people {about} puts into train, validation and test",
            hint="A fifth of the people, not of the rows: people with many rows count once.",
        )
        assert_equal(
            split(split_rows, args, about),
            parts,
            what=f"{about}, called a second time",
            hint="The same seed must give the same parts, with people as without. Make the generator "
            "inside the function, from the seed.",
        )
counts = probe(tested, split_rows, np.arange(30) // 3 * 7, 60)
assert_true(
    min(counts) > 0 and max(counts) < 40,
    what=f"Over 60 seeds, each of ten people being in the test set sometimes (they were {counts} times)",
    hint="People must be shuffled before they are cut, with the seed, as rows are. "
    "See 'Three habits'.",
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-split_rows-shuffled-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: a file that is sorted by label, and other seeds.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_true, call

ill = np.arange(500) >= 300  # sorted: first the 300 who are well
splits = [
    [np.asarray(part) for part in call(split_rows, {"n": 500, "seed": seed})] for seed in range(40)
]
for place, name in enumerate(["training", "validation", "test"]):
    shares = [ill[parts[place]].mean() for parts in splits]
    assert_true(
        min(shares) > 0.15 and max(shares) < 0.65,
        what="With labels sorted in the file and 40 % of the people ill, the share of ill people in "
        f"each {name} set of 40 splits (it went from {min(shares):.0%} to {max(shares):.0%}) "
        "being near 40 %",
        hint="The rows must be shuffled before they are cut: in a sorted file, the first and the "
        "last rows are of one kind. See 'Three habits'.",
    )
for place, name in [(1, "validation"), (2, "test")]:
    chosen = np.zeros(500)
    for parts in splits:
        chosen[parts[place]] += 1
    assert_true(
        chosen.min() < 8 < chosen.max() and chosen.max() < 30 and np.mean(chosen == 0) < 0.05,
        what=f"Over 40 seeds, each row being in the {name} set about as often as any other",
        hint="Another seed must give other parts. If the same rows are always tested, only the "
        "training rows were shuffled, or the seed is not used. See 'Three habits'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. What do you get for nothing?
#
# Of the 300 people 180 are well. Anyone who says "well" to everybody is right about 60 % of them, without
# having listened to a single voice. Every accuracy must be seen beside such a *baseline*: take the commonest
# label of the *training* set, give it to every test row, and count how often it is right. (Nobody knows the
# commonest label of the test set beforehand.)


# %% nbgrader={"grade": false, "grade_id": "baseline_accuracy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def baseline_accuracy(y_train, y_test):
    """Compute how often the commonest label of the training set is right on other rows.

    Parameters
    ----------
    y_train : ndarray, shape (n,)
        Labels from which the commonest is taken. No two are equally common.
    y_test : ndarray, shape (m,)
        Labels on which it is tried.

    Returns
    -------
    float
        From 0 to 1.

    Example
    -------
    >>> baseline_accuracy(np.array([0, 0, 1]), np.array([1, 1, 1, 0]))
    0.25
    """
    ### BEGIN SOLUTION
    kinds, counts = np.unique(y_train, return_counts=True)
    commonest = kinds[np.argmax(counts)]
    return accuracy(y_test, np.full(y_test.shape, commonest))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-baseline_accuracy", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.data import habits as reference
from course_lib.exercises import check, given

with given(accuracy=reference.accuracy):
    check(
        baseline_accuracy,
        {"y_train": np.array([0, 0, 1]), "y_test": np.array([0, 0, 0, 1])},
        0.75,
        hint="The commonest label in training is 0, and three of the four test labels are 0. "
        "See 'Three habits'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-baseline_accuracy-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: another commonest label in the test set, many classes, words, test sets of one row.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.data import habits as reference
from course_lib.exercises import check, given

with given(accuracy=reference.accuracy):
    for y_train, y_test, expected, hint in [
        (
            np.array([0, 0, 0, 1]),
            np.array([1, 1, 1, 1, 0]),
            0.2,
            "The label comes from the training set. The test set may have another commonest label, "
            "and whoever takes that has looked at the answers. See 'Three habits'.",
        ),
        (
            np.array([1, 1, 0]),
            np.array([1, 0, 0, 0]),
            0.25,
            "The commonest label need not be 0.",
        ),
        (
            np.array([0, 0, 0, 9, 9]),
            np.array([0, 9, 4, 4, 4]),
            0.2,
            "The commonest label is the one that occurs most often. A mean or a median of labels, "
            "rounded or not, may be a class that hardly occurs.",
        ),
        (
            np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5]),
            np.array([5, 5, 1, 3]),
            0.5,
            "With many classes the commonest may be far from half of all.",
        ),
        (
            np.array([2, 1, 2]),
            np.array([0, 1]),
            0.0,
            "The commonest training label need not occur in the test set. Then it is never right.",
        ),
        (
            np.array(["well", "ill", "well"]),
            np.array(["ill", "ill", "well", "ill"]),
            0.25,
            "Labels may be words: count them with np.unique(..., return_counts=True).",
        ),
        (
            np.array([-1, -1, 1]),
            np.array([-1]),
            1.0,
            "Labels may be negative, and a test set may have one row.",
        ),
    ]:
        check(baseline_accuracy, {"y_train": y_train, "y_test": y_test}, expected, hint=hint)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. One scale, and no leak
#
# Her columns have very different sizes. A model that compares distances would see only the largest, so each
# column is *standardized*: subtract its mean, divide by its standard deviation. Whose mean? Nobody knows
# tomorrow's patients, so today's model cannot be built with their mean. A number that was computed with the
# help of test rows carries something of them into training. That is a *leak*.
#
# So compute both numbers from the training rows, column by column, and use the same numbers for the new rows.
# A column is constant if its training entries are all equal. Its standard deviation is then 0: leave the
# column undivided. How do you find such columns? Rounding may turn the 0 into 1e-17, or into 1e-11 where the
# entries are large, and another column may really vary by that little. So ask whether the largest entry
# equals the smallest.


# %% nbgrader={"grade": false, "grade_id": "standardize", "locked": false, "schema_version": 3, "solution": true, "task": false}
def standardize(X_train, X_new):
    """Shift and scale each column by the mean and standard deviation of the training rows.

    Parameters
    ----------
    X_train : ndarray, shape (n, d)
        Rows that may be looked at: floats or integers.
    X_new : ndarray, shape (m, d)
        Rows that may not.

    Returns
    -------
    Z_train : ndarray, shape (n, d)
        Each column has mean 0 and standard deviation 1 (that of np.std), or is 0 throughout if it
        was constant.
    Z_new : ndarray, shape (m, d)
        Shifted and scaled by the same numbers. Columns that were constant in X_train are only
        shifted.

    Example
    -------
    >>> standardize(np.array([[1.0], [3.0]]), np.array([[5.0]]))
    (array([[-1.],
           [ 1.]]), array([[3.]]))
    """
    ### BEGIN SOLUTION
    mean, spread = X_train.mean(axis=0), X_train.std(axis=0)
    constant = X_train.max(axis=0) == X_train.min(axis=0)
    spread = np.where(constant, 1, spread)
    return (X_train - mean) / spread, (X_new - mean) / spread
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-standardize", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    standardize,
    {
        "X_train": np.array([[1.0, 100.0], [3.0, 300.0]]),
        "X_new": np.array([[5.0, 200.0]]),
    },
    (np.array([[-1.0, -1.0], [1.0, 1.0]]), np.array([[3.0, 0.0]])),
    hint="Each column has its own mean and its own standard deviation (axis=0), those of the "
    "training rows: 2 and 1 for the first column, 200 and 100 for the second. The new row is shifted "
    "and divided by these numbers, too. With numbers of its own, or of both together, it has leaked. "
    "0.707 in place of 1: divide by n, as np.std does, and not by n - 1. "
    "See 'When it is not worth it'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-standardize-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: new rows that are far away, one new row, integers and other kinds of numbers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds

rng = np.random.default_rng(seed=5)
for n, m, d in [(6, 6, 6), (30, 1, 3), (8, 20, 1), (50, 10, 4)]:
    X_train = rng.normal(size=(n, d)) * np.arange(1, d + 1) ** 2 + 10 * np.arange(d)
    X_new = 5 + 3 * rng.normal(size=(m, d))
    columns = [(sum(c) / n, (sum((c - sum(c) / n) ** 2) / n) ** 0.5) for c in X_train.T]
    expected = tuple(
        np.array([[(x - a) / s for x, (a, s) in zip(row, columns, strict=True)] for row in X])
        for X in (X_train, X_new)
    )
    check(
        standardize,
        {"X_train": X_train, "X_new": X_new},
        expected,
        rtol=1e-5,
        atol=1e-7,
        what=f"standardize for {n} training rows, {m} new rows and {d} columns",
        hint="Both numbers come from the training rows alone, one pair per column, and the "
        "standard deviation divides by n (np.std). New rows may end far from 0: that is what "
        "they are. See 'When it is not worth it'.",
    )
check_kinds(
    standardize,
    {
        "X_train": np.array([[1.0, 10.0], [2.0, 30.0], [4.0, 30.0], [5.0, 50.0]]),
        "X_new": np.array([[6.0, 0.0], [3.0, 45.0], [2.0, 30.0], [1.0, 31.0]]),
    },
    (
        np.array([[-2.0, -20.0], [-1.0, 0.0], [1.0, 0.0], [2.0, 20.0]]) / [2.5**0.5, 200**0.5],
        np.array([[3.0, -30.0], [0.0, 15.0], [-1.0, 0.0], [-2.0, 1.0]]) / [2.5**0.5, 200**0.5],
    ),
    kinds=["float64", "float32", "integers", "strided"],
    hint="Results have fractions, whatever came in: write them into an array of floats.",
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-standardize-constant-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: columns that are constant in the training rows, and one that is nearly so.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check

hint = (
    "A column that is constant in training has standard deviation 0, and 0 / 0 is nan: divide such "
    "a column by 1. The standard deviation of equal entries may come out as 1e-17 or 1e-11 in place "
    "of 0, so compare the largest and the smallest entry. And a column that varies is divided by its "
    "own standard deviation, however small."
)
check(
    standardize,
    {
        "X_train": np.array([[2.0, 0.1, 0.0], [4.0, 0.1, 0.0], [6.0, 0.1, 0.0]]),
        "X_new": np.array([[4.0, 0.1, 7.0], [4.0, 1.1, 0.0]]),
    },
    (
        np.column_stack([[-1.5, 0, 1.5] / np.sqrt(1.5), np.zeros((3, 2))]),
        np.array([[0.0, 0, 7], [0, 1, 0]]),
    ),
    what="standardize where the training rows have 0.1 in all of column 1 and 0 in all of column 2",
    hint=hint,
)
check(
    standardize,
    {"X_train": np.full((7, 1), 101325.6), "X_new": np.array([[101325.6], [101327.6]])},
    (np.zeros((7, 1)), np.array([[0.0], [2.0]])),
    what="standardize where all 7 training rows have an air pressure of 101325.6",
    hint=hint,
)
check(
    standardize,
    {
        "X_train": np.array([[1e-12, 5.0], [3e-12, 5.0]]),
        "X_new": np.array([[5e-12, 5.0]]),
    },
    (np.array([[-1.0, 0.0], [1.0, 0.0]]), np.array([[3.0, 0.0]])),
    what="standardize where column 0 of the training rows is 1e-12 and 3e-12",
    hint=hint,
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. Choose without peeking
#
# "I tried twenty models," she says, "and this was the best on the test set." Then she chose luck along with
# it. Of twenty models that know equally little, one is the luckiest, and on these very rows.
#
# Write the choice as it should be: each candidate learns from the training set and answers for the validation
# set, and the best answers win. A candidate is a function `candidate(X_train, y_train, X_new)` that returns
# its labels for `X_new`. In a tie, take the first in the dictionary: people list the plainest model first.


# %% nbgrader={"grade": false, "grade_id": "choose", "locked": false, "schema_version": 3, "solution": true, "task": false}
def choose(candidates, train, validation):
    """Name the candidate that learns from one set and is right most often on another.

    Parameters
    ----------
    candidates : dict of str to function
        candidate(X_train, y_train, X_new) returns an ndarray of labels for X_new.
    train : (X, y)
        The rows to learn from.
    validation : (X, y)
        The rows to choose by.

    Returns
    -------
    str
        A key of candidates: the first of those with the highest accuracy.

    Example
    -------
    >>> always_0 = lambda X_train, y_train, X_new: np.zeros(len(X_new), dtype=int)
    >>> always_1 = lambda X_train, y_train, X_new: np.ones(len(X_new), dtype=int)
    >>> train = np.array([[5.0], [6.0]]), np.array([0, 0])
    >>> validation = np.array([[7.0], [8.0], [9.0]]), np.array([1, 1, 0])
    >>> choose({"zero": always_0, "one": always_1}, train, validation)
    'one'
    """
    ### BEGIN SOLUTION
    X_train, y_train = train
    X, y = validation
    scores = {
        name: accuracy(y, candidate(X_train, y_train, X)) for name, candidate in candidates.items()
    }
    return max(scores, key=scores.get)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-choose", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.data import habits as reference
from course_lib.exercises import check, given


def always(label):
    """A candidate that learns nothing and gives everybody the same label."""
    return lambda X_train, y_train, X_new: np.full(len(X_new), label)


with given(accuracy=reference.accuracy):
    check(
        choose,
        {
            "candidates": {"zero": always(0), "one": always(1), "two": always(2)},
            "train": (np.array([[5.0], [6.0], [7.0]]), np.array([0, 0, 2])),
            "validation": (np.array([[7.0], [8.0], [9.0]]), np.array([1, 1, 0])),
        },
        "one",
        what="choose among 'always 0', 'always 1' and 'always 2', where the training labels are "
        "0, 0, 2 and the validation labels 1, 1, 0",
        hint="'one' is right on two of the three validation rows. The choice is made by the "
        "validation set, not by the training set, and the answer is the candidate's name. "
        "See 'Three habits'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-choose-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: candidates that remember what they have seen, and sets of other sizes.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.data import habits as reference
from course_lib.exercises import check, given


def remembers(X_train, y_train, X_new):
    """Right on every row that it has learned from, and 9 everywhere else."""
    known = {tuple(row): label for row, label in zip(X_train, y_train, strict=True)}
    return np.array([known.get(tuple(row), 9) for row in X_new])


def commonest(X_train, y_train, X_new):
    """Give everybody the commonest label of training."""
    kinds, counts = np.unique(y_train, return_counts=True)
    return np.full(len(X_new), kinds[np.argmax(counts)])


rng = np.random.default_rng(seed=6)
with given(accuracy=reference.accuracy):
    for n, m in [(6, 6), (30, 10), (5, 1)]:
        X, X_val = rng.normal(size=(n, 2)), rng.normal(size=(m, 2))
        y, y_val = np.arange(n) % 2 * (np.arange(n) > 2), np.zeros(m, dtype=int)
        for candidates in (
            {"remembers": remembers, "commonest": commonest},
            {"commonest": commonest, "remembers": remembers},
        ):
            check(
                choose,
                {"candidates": candidates, "train": (X, y), "validation": (X_val, y_val)},
                "commonest",
                what=f"choose among 'remembers' and 'commonest', {n} training and {m} validation rows",
                hint="A candidate that remembers its examples is right on all of them, and on no "
                "others. It wins only if it is judged on rows that it has learned from: learn from "
                "train alone, and count on validation alone. See 'Three habits'.",
            )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-choose-ties-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: candidates that are equally good, and a single one.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.data import habits as reference
from course_lib.exercises import check, given


def always(label):
    """A candidate that learns nothing and gives everybody the same label."""
    return lambda X_train, y_train, X_new: np.full(len(X_new), label)


train = np.array([[1.0], [2.0]]), np.array([0, 1])
validation = np.array([[3.0], [4.0]]), np.array([0, 1])
with given(accuracy=reference.accuracy):
    for candidates, expected in [
        ({"plain": always(0), "large": always(1)}, "plain"),
        ({"large": always(0), "plain": always(1)}, "large"),
        ({"small": always(7), "medium": always(1), "best": always(0)}, "medium"),
        ({"none": always(7), "b": always(0), "c": always(1), "a": always(0)}, "b"),
        ({"c": always(8), "d": always(7), "b": always(9)}, "c"),
        ({"only": always(9)}, "only"),
    ]:
        check(
            choose,
            {"candidates": candidates, "train": train, "validation": validation},
            expected,
            what=f"choose among {', '.join(candidates)}, where the best are equally good",
            hint="Among equals the first in the dictionary wins, also when it is right on nothing: "
            "replace the best so far only by something better (>, not >=).",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. The whole recipe
#
# Now put it together, in this order:
#
# 1. Split the rows with `split_rows(len(y), seed)`.
# 2. Standardize all three parts, the training rows too, by the numbers of the training rows. From here on,
#    candidates see only standardized rows.
# 3. Choose a candidate by the validation set.
# 4. Let the chosen one answer for the test set, and count. It still learns from the training rows alone.
# 5. Put the baseline beside it.


# %% nbgrader={"grade": false, "grade_id": "honest_report", "locked": false, "schema_version": 3, "solution": true, "task": false}
def honest_report(candidates, X, y, seed):
    """Choose among candidates and measure the chosen one on rows that had no part in it.

    Parameters
    ----------
    candidates : dict of str to function
        As in choose.
    X : ndarray, shape (n, d)
    y : ndarray, shape (n,)
    seed : int
        For the split.

    Returns
    -------
    name : str
        Which candidate was chosen.
    right : float
        Its accuracy on the test rows.
    baseline : float
        That of the commonest training label on the same rows.
    """
    ### BEGIN SOLUTION
    train, validation, test = split_rows(len(y), seed)
    Z_train, Z_validation = standardize(X[train], X[validation])
    _, Z_test = standardize(X[train], X[test])
    name = choose(candidates, (Z_train, y[train]), (Z_validation, y[validation]))
    says = candidates[name](Z_train, y[train], Z_test)
    return name, accuracy(y[test], says), baseline_accuracy(y[train], y[test])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-honest_report", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.data import habits as reference
from course_lib.data import splits
from course_lib.exercises import assert_close, assert_equal, assert_true, call, given


def above_zero(X_train, y_train, X_new):
    """Answer 1 where the first column is above 0, as whoever has seen standardized rows would."""
    return (X_new[:, 0] > 0).astype(int)


def all_zero(X_train, y_train, X_new):
    """Answer 0."""
    return np.zeros(len(X_new), dtype=int)


def nearest_mean(X_train, y_train, X_new):
    """Answer with the label whose training rows have the closer mean in the first column."""
    means = [X_train[y_train == label, 0].mean() for label in (0, 1)]
    return (np.abs(X_new[:, 0] - means[1]) < np.abs(X_new[:, 0] - means[0])).astype(int)


rng = np.random.default_rng(seed=7)
y = (np.arange(100) < 30).astype(int)
X = np.column_stack([50 + 20 * y + rng.uniform(-1, 1, 100), rng.normal(size=100)])
lent = {
    "accuracy": reference.accuracy,
    "baseline_accuracy": reference.baseline_accuracy,
    "standardize": reference.standardize,
    "choose": reference.choose,
    "split_rows": splits.split_rows,
}
with given(**lent):
    candidates = {"all zero": all_zero, "above zero": above_zero}
    got = call(honest_report, {"candidates": candidates, "X": X, "y": y, "seed": 0})
    assert_true(
        isinstance(got, list | tuple) and len(got) == 3,
        what="That honest_report returns three things",
        hint="return name, right, baseline",
    )
    assert_equal(
        got[0],
        "above zero",
        what="The candidate that honest_report chose, where the first column decides everything",
        hint="Candidates are given standardized rows: there the first column is above 0 for exactly "
        "those with label 1. In X as it came it is above 0 everywhere. "
        "See 'When it is not worth it'.",
    )
    assert_close(
        got[1],
        1.0,
        what="The accuracy that honest_report found, where the first column decides everything",
        hint="The test rows are standardized too, by the numbers of the training rows. "
        "See 'When it is not worth it'.",
    )
    candidates = {"nearest mean": nearest_mean}
    got = call(honest_report, {"candidates": candidates, "X": X, "y": y, "seed": 0})
    assert_close(
        got[1],
        1.0,
        what="The accuracy of a candidate that compares new rows with the means of its training rows",
        hint="A candidate must learn from rows on the same scale as those it answers for: give it the "
        "standardized training rows, both when you choose and when you report. "
        "See 'When it is not worth it'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-honest_report-choice-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: one candidate that is good on the validation rows only, and one on the test rows only.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.data import habits as reference
from course_lib.data import splits
from course_lib.exercises import assert_close, assert_equal, assert_true, call, given


def right_only_on(tag):
    """A candidate that is right exactly on the rows that carry this tag."""

    def candidate(X_train, y_train, X_new):
        label = (X_new[:, 1] > 0).astype(int)
        return np.where(np.sign(X_new[:, 0]) == tag, label, 1 - label)

    return candidate


def one_split(n, seed):
    """The same parts for all seeds: the seed is the subject of another test."""
    return splits.split_rows(n, 0)


lent = {
    "accuracy": reference.accuracy,
    "baseline_accuracy": reference.baseline_accuracy,
    "standardize": reference.standardize,
    "choose": reference.choose,
    "split_rows": one_split,
}
for n in (200, 70):
    train, validation, test = one_split(n, 3)
    y = np.random.default_rng(n).integers(0, 2, n)
    X = np.column_stack([np.zeros(n), 10.0 * y])  # the tag is constant in the training rows
    X[validation, 0], X[test, 0] = 1, -1
    candidates = {
        "test": right_only_on(-1),
        "train": right_only_on(0),
        "validation": right_only_on(1),
    }
    with given(**lent):
        got = call(honest_report, {"candidates": candidates, "X": X, "y": y, "seed": 3})
    assert_true(
        isinstance(got, list | tuple) and len(got) == 3,
        what="That honest_report returns three things",
    )
    assert_equal(
        got[0],
        "validation",
        what="The candidate that honest_report chose, of which the others are right on the test "
        "rows or on the training rows only",
        hint="The validation rows decide. Whoever chooses by the test rows has used them up, and "
        "whoever chooses by the training rows rewards memory. See 'Three habits'.",
    )
    assert_close(
        got[1],
        0.0,
        what="The accuracy that honest_report found for a candidate that is right on the validation "
        "rows and wrong on all test rows",
        hint="By the validation rows it was chosen, so they flatter it. Report what it does on the "
        "test rows. See 'Three habits'.",
    )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-honest_report-leak-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: test and validation rows that would move the mean, or that were learned from; integers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.data import habits as reference
from course_lib.data import splits
from course_lib.exercises import assert_close, assert_true, call, given


def above_zero(X_train, y_train, X_new):
    """Answer 1 where the first column is above 0."""
    return (X_new[:, 0] > 0).astype(int)


def commonest(X_train, y_train, X_new):
    """Give everybody the commonest label of the rows it has learned from."""
    kinds, counts = np.unique(y_train, return_counts=True)
    return np.full(len(X_new), kinds[np.argmax(counts)])


def one_split(n, seed):
    """The same parts for all seeds: the seed is the subject of another test."""
    return splits.split_rows(n, 1)


lent = {
    "accuracy": reference.accuracy,
    "baseline_accuracy": reference.baseline_accuracy,
    "standardize": reference.standardize,
    "choose": reference.choose,
    "split_rows": one_split,
}
for n, kind, hint in [
    (
        100,
        float,
        "Test rows or validation rows have moved the mean: they were standardized together "
        "with the others, before the split, or by numbers of their own. Split first, and take both "
        "numbers from the training rows alone. See 'Three habits'.",
    ),
    (
        200,
        int,
        "X holds integers, and standardized rows have fractions: an array of integers cuts them off.",
    ),
]:
    train, validation, test = one_split(n, 1)
    X, y = np.zeros((n, 1), dtype=kind), np.zeros(n, dtype=int)
    X[train, 0] = np.where(np.arange(len(train)) % 2, 20, 0)
    y[train] = np.arange(len(train)) % 3 == 0
    X[validation, 0], y[validation] = 40, 1
    # Above the training mean of 10; half of them below the mean of all rows, and below 17.5, that of
    # the training and validation rows.
    X[test, 0] = np.where(np.arange(len(test)) % 2, 200, 14)
    y[test] = 1
    with given(**lent):
        candidates = {"above zero": above_zero}
        got = call(honest_report, {"candidates": candidates, "X": X, "y": y, "seed": 1})
        assert_true(
            isinstance(got, list | tuple) and len(got) == 3,
            what="That honest_report returns three things",
        )
        candidates = {"commonest": commonest}
        other = call(honest_report, {"candidates": candidates, "X": X, "y": 1 - y, "seed": 1})
    assert_close(
        got[1],
        1.0,
        what="The accuracy that honest_report found, where every test row lies above the mean of "
        "the training rows",
        hint=hint,
    )
    assert_close(
        other[1],
        0.0,
        what="The accuracy that honest_report found for a candidate that answers with the commonest "
        "label it has learned from: mostly 1 in the training rows, always 0 elsewhere",
        hint="The chosen candidate has learned from other rows than the training rows. Give it the "
        "same rows to learn from as when it was chosen. See 'Three habits'.",
    )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-honest_report-baseline-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: the baseline, on labels of which training rows and test rows have different shares; the seed.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.data import habits as reference
from course_lib.data import splits
from course_lib.exercises import assert_close, assert_true, call, given


def all_one(X_train, y_train, X_new):
    """Answer 1."""
    return np.ones(len(X_new), dtype=int)


def one_split(n, seed):
    """The same parts for all seeds."""
    return splits.split_rows(n, 2)


def blocks(n, seed):
    """Parts that tell which seed was asked for."""
    order = np.roll(np.arange(n), -10 * seed)
    return order[40:], order[:40:2], order[1:40:2]


lent = {
    "accuracy": reference.accuracy,
    "baseline_accuracy": reference.baseline_accuracy,
    "standardize": reference.standardize,
    "choose": reference.choose,
}
train, validation, test = one_split(100, 5)
X = np.random.default_rng(5).normal(size=(100, 2))
for ones, rare in [(0, 0.1), (0, 0.3), (27, 0.7)]:
    y = np.zeros(100, dtype=int)
    y[train[:ones]] = 1
    y[validation] = 1
    y[test[: round(rare * len(test))]] = 1
    with given(**lent, split_rows=one_split):
        got = call(honest_report, {"candidates": {"all one": all_one}, "X": X, "y": y, "seed": 5})
    assert_true(
        isinstance(got, list | tuple) and len(got) == 3,
        what="That honest_report returns three things",
    )
    assert_close(
        got[2],
        1 - rare,
        what=f"The baseline of honest_report, where {ones} of the 60 training labels, all validation "
        f"labels and {rare:.0%} of the test labels are 1, and the others 0",
        hint="The commonest label of the training rows, tried on the test rows: the same rows on "
        "which the chosen candidate was measured. See 'Three habits'.",
    )
y = (np.arange(100) // 2 % 5 < np.arange(100) // 20).astype(int)  # more of them 1 further down
for seed in (1, 4):
    with given(**lent, split_rows=blocks):
        got = call(
            honest_report, {"candidates": {"all one": all_one}, "X": X, "y": y, "seed": seed}
        )
    assert_close(
        got[1],
        np.mean(y[blocks(100, seed)[2]]),
        what=f"The accuracy that honest_report found with seed={seed}, where each seed has test rows "
        "with another share of 1, for a candidate that always says 1",
        hint="The seed that honest_report is given is the one for the split: "
        "split_rows(len(y), seed).",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 8. What is left of 99 %
#
# Nothing is left to write. The cell below follows your colleague's recipe with your tools, one correction
# after another. Her recipe has a step that you have not met yet: of the 2,000 measurements she keeps only the
# few that *tell most*, those in which ill and well people differ most clearly. That is sensible. But it looks
# at labels, so it is part of the learning.
#
# For comparison, the same is done with the chapter's 569 patients.


# %% nbgrader={"grade": false, "grade_id": "recipes", "locked": true, "schema_version": 3, "solution": false, "task": false}
def most_telling(X, y, k):
    """The k columns in which the two classes differ most, in units of their spread."""
    one, other = X[y == 0], X[y == 1]
    gap = np.abs(one.mean(axis=0) - other.mean(axis=0))
    return np.argsort(-gap / (one.std(axis=0) + other.std(axis=0) + 1e-12))[:k]


def recipe(model, k):
    """A candidate: keep the k most telling columns of the training rows, and fit a model."""

    def candidate(X_train, y_train, X_new):
        columns = most_telling(X_train, y_train, k)
        return model.fit(X_train[:, columns], y_train).predict(X_new[:, columns])

    return candidate


models = {
    "logistic regression": LogisticRegression(C=0.1),
    **{f"{n} nearest": KNeighborsClassifier(n_neighbors=n) for n in (1, 5, 15)},
}
candidates = {
    f"{name}, {k} columns": recipe(model, k)
    for k in (3, 5, 10, 20, 30)
    for name, model in models.items()
}


def staircase(X, y, seed):
    """Accuracy as claimed, and after each correction; last, the baseline."""
    train, _, test = (np.asarray(part) for part in split_rows(len(y), seed))

    def best(X_train, X_new, rows):
        return max(accuracy(y[rows], c(X_train, y[train], X_new)) for c in candidates.values())

    kept = X[:, most_telling(X, y, 30)]  # chosen, and scaled, with the help of all rows
    Z, _ = standardize(kept, kept)
    claimed = best(Z[train], Z[train], train)
    unseen = best(Z[train], Z[test], test)
    Z_train, Z_test = standardize(X[train], X[test])
    no_leak = best(Z_train, Z_test, test)
    _, right, baseline = honest_report(candidates, X, y, seed)
    return claimed, unseen, no_leak, right, baseline


# %%
tables = {"Voices": voices.load(), "Patients": patients.load()}
stairs = {
    name: np.mean([staircase(*table, seed) for seed in range(6)], axis=0)
    for name, table in tables.items()
}
for name, (*steps, baseline) in stairs.items():
    print(f"{name:9}", *(f"{share:5.0%}" for share in steps), f"   baseline {baseline:.0%}")

# %%
figures.staircases(
    {name: stair[:-1] for name, stair in stairs.items()},
    {name: stair[-1] for name, stair in stairs.items()},
    [
        "as claimed:\nrows it learned from",
        "on unseen rows",
        "columns and scale\nfrom training rows",
        "chosen by\nvalidation",
    ],
)

# %% [markdown]
# **What you see.** Two claims of nearly 100 %. Each step down takes away one mistake, and in the end nothing
# is left of the claim about the voices: they are below what calling everybody well gets for nothing. The
# patients lose a few points and stay far above their baseline.
#
# The second step is worth a second look. On *unseen* people the model still seemed to tell the voices apart
# about four times in five, because the 30 measurements had been picked with the help of those very people.
# With 2,000 columns to pick from, some fit by chance. The last step is the luck of the best of twenty.
#
# Now open `course_lib/data/voices.py`. There was never anything to learn: the measurements are random
# numbers, and the labels know nothing of them. All that seemed to be there was made by the way in which it
# was measured, and the first two numbers looked like those of a model that works.

# %% [markdown]
# ## Step 9. Would you buy it?
#
# *4 points, read by a person. About 150 words.*
#
# A company offers your hospital a deep network that warns of blood poisoning from 40 values measured at the
# bedside. "96 % accuracy, on 10,000 stays from three hospitals. We standardized all the data, split the stays
# at random, compared 25 networks on the test set, and took the best." In the documents you read that blood
# poisoning occurred in 4 % of the stays, and that many patients stayed more than once.
#
# 1. What does the number 96 % tell you?
# 2. Name two ways in which rows that were meant to be unseen may have been seen. Which of them do you think
#    matters more here, and why?
# 3. What would you ask the company to measure, and on which data, before you believe that the network works?
# 4. What would convince you that it must be a *deep* network?

# %% [markdown] nbgrader={"grade": true, "grade_id": "would-you-buy", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# With 4 % of the stays affected, whoever never warns is right in 96 % of them. So 96 % tells me
# nothing: the network may never warn, or warn often and be wrong half of the time. What counts is how
# many poisonings it finds, and how many of its warnings are false.
#
# Patients with several stays may be in the training set and in the test set, so the network may
# recognize the person. The 25 networks were compared on the test set, so the best is partly the
# luckiest. (Standardizing all rows before the split leaks too, but with 10,000 rows two numbers a
# column hardly move.) I would worry most about the patients: what the network remembers of a person
# is worth much on the test set and nothing for a new patient. Twenty-five networks on thousands of
# rows gain perhaps half a point by luck.
#
# I would ask for a split by patient, better by hospital and time: learn from two hospitals, choose by
# later months there, and measure once on our own hospital's next months. To be reported: the share of
# poisonings found, false warnings a day, with the range over several splits, beside the baseline and
# the rule that the nurses use today.
#
# Forty columns that doctors have chosen are a small table. I would want to see logistic regression and
# decision trees measured on the same split. If the network finds clearly more at equal false warnings,
# by more than the splits differ among themselves, it is worth its price.
#
# === BEGIN MARK SCHEME ===
# One point each; half points where the idea is there and the reason is not.
#
# 1. **The baseline.** 96 % is what never warning gets, so the number says nothing; names something
#    that would (poisonings found, false warnings). (0.5 without either half.)
# 2. **Two leaks, weighed.** Two of: the same patient on both sides, choice among 25 on the test set,
#    standardization before the split, the same three hospitals. And a reasoned judgment on which
#    matters more; any that is argued from the case counts. (0.5 for two without a judgment.)
# 3. **A measurement that would count.** Unseen patients, and better an unseen hospital or a later
#    time; measured once; a figure that suits rare events, beside a baseline or today's practice.
#    (0.5 if only the data or only the figure is named. "More data" alone: 0.)
# 4. **Deep or not.** A plain model on the same split, and a difference larger than the spread over
#    splits; or raw signals in place of 40 chosen columns as a reason for depth. (0.5 for "compare with
#    logistic regression" without saying which result would convince.)
#
# An answer that notices that a warning must come early enough to be of use, so that values measured
# after the diagnosis would be a leak of their own, earns a point that was lost elsewhere (never more
# than 4).
# === END MARK SCHEME ===
