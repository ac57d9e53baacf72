# ---
# jupyter:
#   course:
#     answers_in:
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
# # Unsupervised learning: a stranger among the digits
#
# - **Time:** 110 minutes. **Difficulty:** 3 of 5. **Points:** 36, of which a person gives 4.
# - **Needs:** the chapter *Unsupervised learning*, NumPy arrays, `np.linalg.svd`.
#
# A sorting machine knows nine kinds of digits and has to notice when a tenth arrives, a kind of which it has
# never seen an example. You will write k-means with a careful start that wastes no center, PCA that chooses
# its own size, an error that measures how far a sample is from everything known, a threshold, and the score
# that judges them. At the end you put k-means and PCA together, and see whether the task needs a network.
#
# **What is special here**
#
# - NumPy alone is enough. `rng` is a NumPy generator: every draw comes from it.
# - Samples are rows, and their numbers may be of any type. What you compute from them may have fractions.
# - The sign of a direction is arbitrary, and no test asks for one.
#
# `course_lib.metrics` holds an answer to this exercise: leave it closed. What holds in every exercise (how
# to check, what the tests look at, what counts) is on the page *How exercises work* in the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.data import digits, splits

# %% [markdown]
# ## Step 1. A careful start
#
# k-means++ draws the first center among all samples with equal probability. Each further center is a sample,
# drawn with a probability proportional to its *squared* distance from the nearest center drawn so far. One
# draw per center is enough: no best of several.
#
# If every sample already lies on a center, all distances are 0. Then any sample may be drawn.


# %% nbgrader={"grade": false, "grade_id": "draw_centers", "locked": false, "schema_version": 3, "solution": true, "task": false}
def draw_centers(X, k, rng):
    """Draw centers to start k-means from, as k-means++ does.

    Parameters
    ----------
    X : ndarray, shape (n, d)
        Samples. Some of them may be equal.
    k : int
        How many centers, at most n.
    rng : numpy.random.Generator
        Where every draw comes from.

    Returns
    -------
    ndarray, shape (k, d)
        The centers, in the order in which they were drawn.

    Example
    -------
    >>> X = np.array([[0.0], [0.0], [9.0]])
    >>> sorted(draw_centers(X, 2, np.random.default_rng(0)).ravel().tolist())  # never 0 twice
    [0.0, 9.0]
    """
    ### BEGIN SOLUTION
    samples = np.asarray(X, dtype=float)
    chosen = [rng.integers(len(samples))]
    squared = ((samples - samples[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < k:
        total = squared.sum()
        chosen.append(rng.choice(len(samples), p=squared / total if total > 0 else None))
        squared = np.minimum(squared, ((samples - samples[chosen[-1]]) ** 2).sum(axis=1))
    return samples[chosen]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-draw_centers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_shape, assert_true, call, probe


def drawn(draw_centers, X, k, times):
    rng = np.random.default_rng(7)
    return [np.asarray(call(draw_centers, {"X": X, "k": k, "rng": rng})) for _ in range(times)]


far = np.array([[0.0, 0.0], [1000.0, 0.0], [0.0, 1000.0]])
starts = probe(drawn, draw_centers, np.repeat(far, 4, axis=0), 3, 20)
assert_shape(
    starts[0], (3, 2), what="The centers that were drawn from samples of shape (12, 2), k = 3"
)
assert_true(
    all(sorted(map(tuple, start)) == sorted(map(tuple, far)) for start in starts),
    what="That each of three places far apart gets a center, in each of 20 starts from 12 samples",
    hint="A sample on a center has distance 0 and is never drawn again: the distance that counts is that "
    "from the nearest center so far, not from the last one. See 'A good start'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-draw_centers-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: how often each start is drawn, equal samples, other types, the generator.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, assert_equal, assert_shape, assert_true, call, probe


def drawn(draw_centers, X, k, times, seed=11):
    rng = np.random.default_rng(seed)
    return [np.asarray(call(draw_centers, {"X": X, "k": k, "rng": rng})) for _ in range(times)]


line = np.array([[0.0], [1.0], [5.0]])
starts = [start.ravel().tolist() for start in probe(drawn, draw_centers, line, 2, 1000)]
assert_true(
    all(value in (0.0, 1.0, 5.0) for start in starts for value in start),
    what="That every center drawn from the samples 0, 1 and 5 is one of them",
    hint="Centers start as samples: `X[i]` for an i that was drawn. See 'A good start'.",
)
firsts = [np.mean([start[0] == value for start in starts]) for value in (0.0, 1.0, 5.0)]
assert_true(
    all(abs(share - 1 / 3) < 0.07 for share in firsts),
    what=f"That 0, 1 and 5 are first equally often in 1000 starts (they were in {np.round(firsts, 2)})",
    hint="The first center is drawn among all samples with equal probability.",
)
close = np.mean([set(start) == {0.0, 1.0} for start in starts])
assert_true(
    0.008 < close < 0.066,
    what=f"That 0 and 1 are drawn together in about 3 % of 1000 starts from 0, 1 and 5 (came {close:.1%})",
    hint="After 0, 5 has a probability of 25/26: squared distances, divided by their sum. About 12 %: "
    "distances were not squared. 33 %: they were not used. 0 %: the farthest sample is always taken, and a "
    "single stray sample is sure to become a center. See 'A good start'.",
)
seconds = probe(drawn, draw_centers, np.array([[0.0], [2.0], [3.0], [50.0]]), 3, 400)
pairs = np.mean([50.0 in start and 0.0 in start for start in seconds])
assert_true(
    pairs > 0.55,
    what=f"That 0 and 50 are drawn together in most of 400 starts with k = 3 from 0, 2, 3 and 50 ({pairs:.0%})",
    hint="The third center depends on the distance to the nearer of the first two.",
)
groups = np.array([[0.0, 0.0], [4000.0, 0.0], [0.0, 4000.0], [4000.0, 4000.0]])
many = np.repeat(groups, 5, axis=0)
for kind in (np.float64, np.float32, np.int64):
    for start in probe(drawn, draw_centers, many.astype(kind), 4, 50):
        assert_equal(
            sorted(map(tuple, start.tolist())),
            sorted(map(tuple, groups.tolist())),
            what=f"The centers of a start from four far places, with samples of type {np.dtype(kind)}",
            hint="Each place gets one: use the distance from the nearest center so far. Compute "
            "probabilities in float64: rng.choice wants them to add up to 1 to eight digits.",
        )
for X, k, wanted in (
    (np.array([[1.0, 2.0]] * 3), 3, [[1.0, 2.0]] * 3),
    (np.array([[0.0], [0.0], [1.0]]), 3, None),
    (np.array([[3.0, 1.0]]), 1, [[3.0, 1.0]]),
):
    (start,) = probe(drawn, draw_centers, X, k, 1)
    assert_shape(start, (k, X.shape[1]), what=f"The centers drawn from {X.tolist()} with k = {k}")
    if wanted:
        assert_close(
            start,
            np.array(wanted),
            what=f"The centers drawn from {X.tolist()} with k = {k}",
            hint="Where all distances are 0 their sum cannot be divided by: draw any sample.",
        )
    else:
        assert_equal(
            set(start.ravel().tolist()),
            {0.0, 1.0},
            what="The places among three centers drawn from 0, 0 and 1",
            hint="0 and 1 both become centers before one of them is repeated.",
        )
wide = np.random.default_rng(0).normal(size=(40, 3))
one, again, other = (probe(drawn, draw_centers, wide, 5, 1, seed)[0] for seed in (3, 3, 4))
assert_close(
    one,
    again,
    what="The centers of two starts with generators of the same seed",
    hint="Every draw comes from `rng`: np.random.choice and default_rng() draw from elsewhere.",
)
assert_close(
    np.abs(np.asarray(one)[:, np.newaxis] - wide).sum(axis=2).min(axis=1),
    np.zeros(5),
    atol=1e-5,
    what="How far each of five centers is from the nearest of 40 samples with fractions",
    hint="Every center is a sample as it is, with its fractions.",
)
assert_true(
    not np.allclose(one, other),
    what="That generators of other seeds give other starts",
    hint="Draw from `rng`, and make no generator of your own.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. One round, and no center wasted
#
# Each sample joins its nearest center; of several equally near, it joins the one with the smallest number.
# Then each center moves to the mean of its samples. The error is the mean squared distance of the samples
# from the centers that they joined, as those were *before* they moved.
#
# The chapter left a center without samples where it was. Here such a center moves to the sample that is
# farthest from the center it joined. If there are several such centers, the one with the smallest number gets
# the farthest sample, the next one the second farthest, and so on; of samples equally far, the first comes
# first. The labels stay as they were: who joins whom is decided anew in the next round.


# %% nbgrader={"grade": false, "grade_id": "move", "locked": false, "schema_version": 3, "solution": true, "task": false}
def move(X, centers):
    """Let samples join their nearest centers, and move the centers.

    Parameters
    ----------
    X : ndarray, shape (n, d)
    centers : ndarray, shape (k, d)
        At most as many as there are samples.

    Returns
    -------
    moved : ndarray, shape (k, d)
        The new centers.
    labels : ndarray of int, shape (n,)
        The number of the center that each sample has joined.
    error : float
        The mean squared distance from the centers as they came.

    Example
    -------
    >>> X = np.array([[0.0], [2.0], [3.0], [8.0]])
    >>> moved, labels, error = move(X, np.array([[1.0], [50.0], [4.0]]))
    >>> moved.ravel().tolist(), labels.tolist(), error  # nobody joins 50, and 8 is farthest from its own
    ([1.0, 8.0, 5.5], [0, 0, 2, 2], 4.75)
    """
    ### BEGIN SOLUTION
    X, centers = np.asarray(X, dtype=float), np.asarray(centers, dtype=float)
    squared = ((X[:, np.newaxis] - centers) ** 2).sum(axis=2)
    labels, least = squared.argmin(axis=1), squared.min(axis=1)
    farthest = iter(np.argsort(-least, kind="stable"))
    moved = [
        X[labels == j].mean(axis=0) if np.any(labels == j) else X[next(farthest)]
        for j in range(len(centers))
    ]
    return np.stack(moved), labels, float(least.mean())
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-move", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    move,
    {
        "X": np.array([[0.0, 0.0], [0.0, 2.0], [6.0, 0.0], [8.0, 0.0], [10.0, 0.0]]),
        "centers": np.array([[0.0, 0.0], [7.0, 0.0]]),
    },
    (np.array([[0.0, 1.0], [8.0, 0.0]]), np.array([0, 0, 1, 1, 1]), (0 + 4 + 1 + 1 + 9) / 5),
    hint="Each sample joins the nearest center, and each center moves to the mean of its samples. The "
    "error is measured from where the centers were. See 'Two steps in turn'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-move-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: many samples, centers that nobody joins, ties, other types.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds

rng = np.random.default_rng(1)
for n, k, d in ((30, 3, 2), (200, 7, 5), (5, 1, 3)):
    X, centers = rng.normal(size=(n, d)), rng.normal(size=(k, d))
    labels, least = np.zeros(n, dtype=int), np.zeros(n)
    for i in range(n):
        far = [np.sum((X[i] - center) ** 2) for center in centers]
        labels[i], least[i] = int(np.argmin(far)), min(far)
    if len(np.unique(labels)) == k:
        moved = np.array([np.mean(X[labels == j], axis=0) for j in range(k)])
        check(
            move,
            {"X": X, "centers": centers},
            (moved, labels, least.mean()),
            hint="Mean of the samples that joined, and the mean of their squared distances. "
            "See 'Two steps in turn'.",
        )
line = np.array([[0.0], [1.0], [3.0], [10.0], [14.0]])
check(
    move,
    {"X": line, "centers": np.array([[90.0], [1.0], [-70.0], [11.0], [60.0]])},
    (
        np.array([[14.0], [4 / 3], [3.0], [12.0], [0.0]]),
        np.array([1, 1, 1, 3, 3]),
        (1 + 0 + 4 + 1 + 9) / 5,
    ),
    hint="Three centers have no samples. 14 is farthest from the center it joined (11), then 3 (from 1), "
    "then 0 and 10, which are equally far: the first of them comes first. The means of the others are taken "
    "over the samples that joined. See 'Two steps in turn'.",
)
check(
    move,
    {"X": np.array([[0.0, 0.0], [3.0, 0.0]]), "centers": np.array([[1.0, 0.0], [1.0, 0.0]])},
    (np.array([[1.5, 0.0], [3.0, 0.0]]), np.array([0, 0]), 2.5),
    hint="Two centers at one place: all samples join the one with the smaller number. The other has none, "
    "which makes its mean nan, and moves to the sample that is farthest, (3, 0).",
)
check(
    move,
    {"X": np.array([[0.0], [2.0], [4.0]]), "centers": np.array([[4.0], [0.0]])},
    (np.array([[3.0], [0.0]]), np.array([1, 0, 0]), 4 / 3),
    hint="2 is equally far from both, and joins the center with the smaller number.",
)
check_kinds(
    move,
    {
        "X": np.array([[0.0, 1.0], [1.0, 1.0], [7.0, 3.0], [8.0, 3.0]]),
        "centers": np.array([[0.0, 0.0], [8.0, 8.0]]),
    },
    (np.array([[0.5, 1.0], [7.5, 3.0]]), np.array([0, 0, 1, 1]), (1 + 2 + 26 + 25) / 4),
    kinds=["float64", "float32", "integers", "strided"],
    hint="A mean of whole numbers has a fraction: do not write it into an array of integers.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. Several runs, and the best of them
#
# A run draws its centers with one call of `draw_centers(X, k, rng)`, and then calls `move` until the labels
# are those of the round before. (Stop after 200 rounds in any case.) Of several runs, the one with the
# smallest error counts, and of equals the first. No labels for the samples are needed for that.


# %% nbgrader={"grade": false, "grade_id": "k_means", "locked": false, "schema_version": 3, "solution": true, "task": false}
def k_means(X, k, runs, rng):
    """Find clusters, and keep the best of several runs.

    Parameters
    ----------
    X : ndarray, shape (n, d)
    k : int
        How many clusters.
    runs : int
        How many times to start.
    rng : numpy.random.Generator
        Handed to `draw_centers`, once in each run.

    Returns
    -------
    centers : ndarray, shape (k, d)
        The means of the clusters.
    labels : ndarray of int, shape (n,)
        The cluster of each sample.
    error : float
        The mean squared distance of the samples from the centers of their clusters.

    Example
    -------
    >>> X = np.array([[0.0], [1.0], [10.0], [12.0]])
    >>> centers, labels, error = k_means(X, 2, runs=3, rng=np.random.default_rng(0))
    >>> sorted(centers.ravel().tolist()), error  # (0.25 + 0.25 + 1 + 1) / 4
    ([0.5, 11.0], 0.625)
    """
    ### BEGIN SOLUTION
    best = None
    for _ in range(runs):
        centers, before = draw_centers(X, k, rng), None
        for _ in range(200):
            centers, labels, error = move(X, centers)
            if before is not None and np.array_equal(labels, before):
                break
            before = labels
        if best is None or error < best[2]:
            best = centers, labels, error
    return best
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-k_means", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given


def first_samples(X, k, rng):
    return np.array(X[:k], dtype=float)


def simple_move(X, centers):
    squared = ((X[:, np.newaxis] - centers) ** 2).sum(axis=2)
    labels = squared.argmin(axis=1)
    moved = [X[labels == j].mean(axis=0) for j in range(len(centers))]
    return np.stack(moved), labels, squared.min(axis=1).mean()


with given(draw_centers=first_samples, move=simple_move):
    check(
        k_means,
        {
            "X": np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]]),
            "k": 2,
            "runs": 1,
            "rng": np.random.default_rng(0),
        },
        (np.array([[1.0], [11.0]]), np.array([0, 0, 0, 1, 1, 1]), 4 / 6),
        hint="From 0 and 1, the centers need three rounds. A round more than that changes no label: the "
        "run has ended. See 'Two steps in turn'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-k_means-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: several runs from known starts, slow runs, the error of the best, the generator.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_equal, assert_true, call, check, given, probe


def right_move(X, centers):
    X, centers = np.asarray(X, dtype=float), np.asarray(centers, dtype=float)
    squared = ((X[:, np.newaxis] - centers) ** 2).sum(axis=2)
    labels, least = squared.argmin(axis=1), squared.min(axis=1)
    farthest = iter(np.argsort(-least, kind="stable"))
    moved = [
        X[labels == j].mean(axis=0) if np.any(labels == j) else X[next(farthest)]
        for j in range(len(centers))
    ]
    return np.stack(moved), labels, float(least.mean())


def one_run(X, centers):
    before = None
    while True:
        centers, labels, error = right_move(X, centers)
        if before is not None and np.array_equal(labels, before):
            return centers, labels, error
        before = labels


def numbered(starts):
    """Starts that are handed out by a number from the generator, which counts the draws."""

    def draw_centers(X, k, rng):
        return np.array(starts[rng.pop(0)], dtype=float)

    return draw_centers


towns = np.array([[float(x), float(y)] for x in (0, 10, 20) for y in (0, 9)])
data = np.random.default_rng(2)
X = np.repeat(towns, 8, axis=0) + data.normal(0, 0.7, size=(48, 2))
bad = X[[0, 1, 8, 9, 16, 24]]
middle = X[[0, 1, 8, 16, 24, 32]]
good = X[[0, 8, 16, 24, 32, 40]]
ends = [one_run(X, start) for start in (bad, middle, good)]
errors = [error for _, _, error in ends]
if not errors[2] < errors[1] < errors[0]:
    raise RuntimeError("The starts of this test are to end differently.")
for order, best in (([0, 2, 1], 2), ([1, 0, 0], 1), ([2, 0], 2), ([0], 0), ([0, 1], 1)):
    with given(draw_centers=numbered([bad, middle, good]), move=right_move):
        check(
            k_means,
            {"X": X, "k": 6, "runs": len(order), "rng": list(order)},
            ends[best],
            changes=["rng"],
            what=f"What {len(order)} run(s) give whose errors are {[round(errors[i], 3) for i in order]}",
            hint="One call of draw_centers in each run, and centers, labels and error of the run with the "
            "smallest error, wherever it came. See 'A good start'.",
        )
slow = np.arange(60.0)[:, np.newaxis] ** 1.5
with given(draw_centers=numbered([slow[:4]]), move=right_move):
    check(
        k_means,
        {"X": slow, "k": 4, "runs": 1, "rng": [0]},
        one_run(slow, slow[:4]),
        changes=["rng"],
        what="What one run gives that needs many rounds",
        hint="Go on until no label changes, which takes more than ten rounds here. A round in which the "
        "error hardly falls need not be the last.",
    )
with given(draw_centers=numbered([good, good[::-1]]), move=right_move):
    check(
        k_means,
        {"X": X, "k": 6, "runs": 2, "rng": [0, 1]},
        ends[2],
        changes=["rng"],
        what="What two runs give that end in the same clusters, numbered in another order",
        rtol=1e-9,
        hint="Of runs with equal errors, the first.",
    )


def counted(k_means, X, k, runs):
    rng = np.random.default_rng(5)
    before = rng.bit_generator.state["state"]["state"]
    result = call(k_means, {"X": X, "k": k, "runs": runs, "rng": rng}, copies=False)
    return result, rng.bit_generator.state["state"]["state"] != before


def uniform_draw(X, k, rng):
    return np.array(X[rng.choice(len(X), k, replace=False)], dtype=float)


with given(draw_centers=uniform_draw, move=right_move):
    (centers, labels, error), used = probe(counted, k_means, X, 6, 30)
assert_true(
    used and error < 1.05 * errors[2],
    what=f"That the best of 30 runs finds all six towns (its error is {error:.3f}, theirs {errors[2]:.3f})",
    hint="Draw anew in each run, with the generator that came. See 'A good start'.",
)
assert_equal(
    sorted(np.bincount(np.asarray(labels), minlength=6).tolist()),
    [8] * 6,
    what="How many houses are in each of the six clusters of the best run",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. PCA that chooses its size
#
# Return the mean, and as few directions as explain *at least* a given share of the variance: those with the
# most variance, in that order, as columns of length 1 at right angles to each other. If the samples do not
# vary at all, there is nothing to explain, and there are no columns.
#
# The chapter's `pca` was told how many directions to keep. Yours finds out.


# %% nbgrader={"grade": false, "grade_id": "fit_pca", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fit_pca(X, share):
    """Find the mean of samples, and the fewest directions that explain enough of their variance.

    Parameters
    ----------
    X : ndarray, shape (n, d)
        One sample or more; there may be fewer samples than numbers in each.
    share : float
        More than 0 and less than 1.

    Returns
    -------
    mean : ndarray, shape (d,)
    V : ndarray, shape (d, k)
        Orthonormal columns, the one with the most variance first; k is 0 if all samples are equal.

    Example
    -------
    >>> X = np.array([[5.0, 1.0], [5.0, 3.0], [6.0, 2.0], [4.0, 2.0], [5.0, 6.0], [5.0, -2.0]])
    >>> mean, V = fit_pca(X, 0.9)  # the second number has 34 / 36 of the variance
    >>> mean.tolist(), abs(V).round(6).tolist()
    ([5.0, 2.0], [[0.0], [1.0]])
    """
    ### BEGIN SOLUTION
    X = np.asarray(X, dtype=float)
    mean = X.mean(axis=0)
    _, s, Vt = np.linalg.svd(X - mean, full_matrices=False)
    total = np.sum(s**2)
    if total == 0:
        return mean, np.zeros((X.shape[1], 0))
    k = int(np.searchsorted(np.cumsum(s**2) / total, share)) + 1
    return mean, Vt[:k].T
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-fit_pca", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, assert_shape, call

# Around (20, 30): four steps along (3, 4) / 5, and one across.
X = np.array([[20.0, 30.0]] * 6)
X[:, :] += np.outer([-10, -5, 5, 10, 0, 0], [0.6, 0.8]) + np.outer([0, 0, 0, 0, 1, -1], [-0.8, 0.6])
mean, V = call(fit_pca, {"X": X, "share": 0.9})
assert_close(mean, np.array([20.0, 30.0]), what="The mean that fit_pca returns for six samples")
assert_shape(
    V,
    (2, 1),
    what="The directions for a share of 0.9, where the first alone has 250 / 252 of the variance",
    hint="A direction is a column, and one is enough. The variance is the square of the singular value.",
)
assert_close(
    np.abs(V),
    np.array([[0.6], [0.8]]),
    atol=1e-6,
    what="The first direction, up to its sign, of samples scattered along (0.6, 0.8) around (20, 30)",
    hint="(0.55, 0.83): you did not subtract the mean before the SVD, so the direction points from zero to "
    "the samples. See 'Directions instead of heaps'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-fit_pca-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: shares, few samples with many numbers, far from zero, no variance, other types.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, assert_shape, call

rng = np.random.default_rng(3)


def turned(spread, n, seed, offset=0.0):
    """Samples whose variances along hidden axes are exactly proportional to spread ** 2."""
    made = np.random.default_rng(seed)
    d = len(spread)
    scores = np.linalg.qr(made.normal(size=(n, d)) - 0)[0]
    scores = np.linalg.qr(scores - scores.mean(axis=0))[0]
    axes = np.linalg.qr(made.normal(size=(d, d)))[0]
    return scores * spread @ axes.T + offset, axes


def compare(X, share, k, axes, about, atol=1e-6):
    mean, V = call(fit_pca, {"X": X, "share": share})
    assert_close(mean, X.mean(axis=0), what=f"The mean of {about}")
    assert_shape(
        V,
        (X.shape[1], k),
        what=f"The directions of {about} for a share of {share:g}",
        hint="The fewest directions whose variances add up to at least the share of the total. A variance is "
        "the square of a singular value. See 'Directions instead of heaps'.",
    )
    assert_close(
        np.asarray(V).T @ np.asarray(V),
        np.eye(k),
        atol=atol,
        what=f"The products of the directions of {about} with each other (orthonormal: the identity)",
        hint="Columns of length 1, at right angles. The rows of Vt are the directions: V is Vt[:k].T.",
    )
    assert_close(
        np.abs(np.asarray(V).T @ axes[:, :k]),
        np.eye(k),
        atol=max(atol, 1e-5),
        what=f"The cosines, up to signs, between the directions of {about} and the right ones",
        hint="In the order of their variance, the largest first, of samples minus their mean. "
        "See 'Directions instead of heaps'.",
    )


# Variances 16, 9, 4, 1 of 30: together 0.533, 0.833, 0.967, 1.
X, axes = turned(np.array([4.0, 3.0, 2.0, 1.0]), 25, 1, offset=np.array([3.0, -8.0, 1.0, 40.0]))
for share, k in ((0.05, 1), (0.5, 1), (0.6, 2), (0.82, 2), (0.9, 3), (0.97, 4), (0.999, 4)):
    compare(X, share, k, axes, "25 samples whose variances are as 16, 9, 4 and 1")
# Singular values 4, 3, 2, 1: shares of their plain sum would be 0.4, 0.7, 0.9, 1.
compare(X, 0.45, 1, axes, "25 samples whose variances are as 16, 9, 4 and 1")
X, axes = turned(np.array([4.0, 2.0]), 4, 2)
wide, wide_axes = np.zeros((4, 30)), np.zeros((30, 2))
frame = np.linalg.qr(rng.normal(size=(30, 2)))[0]
wide, wide_axes = X @ frame.T + rng.normal(size=30), frame @ axes
for share, k in ((0.7, 1), (0.9, 2)):
    compare(wide, share, k, wide_axes, "4 samples of 30 numbers")
X, axes = turned(np.array([5.0, 2.0, 1.0]), 40, 3, offset=1e5)
compare(X, 0.9, 2, axes, "40 samples far from zero, at 100000", atol=1e-5)
compare(X.astype(np.float32) - np.float32(1e5), 0.9, 2, axes, "40 samples in float32", atol=1e-2)
whole = np.array([[0, 0, 7], [1, 4, 7], [2, 8, 7], [4, 12, 7], [3, 16, 7]])
u = np.linalg.svd(whole - whole.mean(axis=0))[2].T
compare(whole, 0.9, 1, u, "whole numbers")
for X, about in (
    (np.array([[2.0, 0.5, -1.0]] * 4), "four equal samples"),
    (np.array([[1.0, 8.0]]), "one sample"),
):
    mean, V = call(fit_pca, {"X": X, "share": 0.7})
    assert_close(mean, X[0], what=f"The mean of {about}")
    assert_shape(
        V,
        (X.shape[1], 0),
        what=f"The directions of {about}",
        hint="Nothing varies, so no direction is needed: an array with d rows and no columns. 0 / 0 is nan.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. Far from everything known
#
# A *plane* is what `fit_pca` returns: a mean and its directions. A sample is rebuilt on a plane as in the
# chapter, and the squared distance between the sample and what was rebuilt is its error there. With several
# planes, a sample belongs to the one that rebuilds it best, so its error is the smallest of its errors. A
# plane without directions is a single point.


# %% nbgrader={"grade": false, "grade_id": "errors", "locked": false, "schema_version": 3, "solution": true, "task": false}
def errors(X, planes):
    """Compute the smallest squared distance of each sample from any of several planes.

    Parameters
    ----------
    X : ndarray, shape (n, d)
    planes : list of (mean, V)
        Arrays of shape (d,) and (d, k), with orthonormal columns; each plane has a k of its own, from 0.

    Returns
    -------
    ndarray, shape (n,)

    Example
    -------
    >>> axis = np.zeros(2), np.array([[1.0], [0.0]])  # all points (x, 0)
    >>> point = np.array([4.0, 4.0]), np.zeros((2, 0))
    >>> errors(np.array([[7.0, 2.0], [4.0, 3.0]]), [axis, point]).tolist()
    [4.0, 1.0]
    """
    ### BEGIN SOLUTION
    found = []
    for mean, V in planes:
        centered = np.asarray(X, dtype=float) - mean
        found.append(((centered - centered @ V @ V.T) ** 2).sum(axis=1))
    return np.min(found, axis=0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-errors", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    errors,
    {
        "X": np.array([[1.0, 2.0, 5.0], [4.0, 2.0, 1.0]]),
        "planes": [(np.array([0.0, 2.0, 1.0]), np.array([[1.0], [0.0], [0.0]]))],
    },
    np.array([16.0, 0.0]),
    hint="Both samples are rebuilt as (x, 2, 1). Subtract the mean before projecting and add it again after. "
    "See 'Directions instead of heaps'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-errors-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: many planes of several sizes, points, one sample, other types.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds

rng = np.random.default_rng(4)
X = rng.normal(size=(30, 6)) * 3 + 5
planes = [
    (rng.normal(size=6) + 5, np.linalg.qr(rng.normal(size=(6, 6)))[0][:, :k])
    for k in (2, 0, 4, 1, 6, 3)
]


def distance(x, mean, V):
    """Without projecting: the least squares of what the directions leave over."""
    if not V.shape[1]:
        return np.sum((x - mean) ** 2)
    weights = np.linalg.lstsq(V, x - mean, rcond=None)[0]
    return np.sum((x - mean - V @ weights) ** 2)


for some in (planes[:1], planes[1:2], planes[:4], planes[3:6], planes[:2]):
    wanted = np.array([min(distance(x, mean, V) for mean, V in some) for x in X])
    check(
        errors,
        {"X": X, "planes": some},
        wanted,
        atol=1e-9,
        what=f"The errors of 30 samples on planes with {[V.shape[1] for _, V in some]} directions",
        hint="Minus that plane's mean, minus the projection, squared, added up over the numbers of a sample; "
        "and the smallest over the planes. See 'Directions instead of heaps'.",
    )
check(
    errors,
    {"X": X[:1], "planes": planes[:3]},
    np.array([min(distance(X[0], mean, V) for mean, V in planes[:3])]),
    what="The error of a single sample",
    hint="An array of shape (1,).",
)
tilted = np.array([[0.6], [0.8], [0.0]])
check_kinds(
    errors,
    {
        "X": np.array([[1.0, 0.0, 2.0], [3.0, 4.0, 0.0], [0.0, 0.0, 0.0]]),
        "planes": [(np.array([0.5, 0.0, 0.0]), tilted)],
    },
    np.array(
        [distance(x, np.array([0.5, 0, 0]), tilted) for x in ([1, 0, 2], [3, 4, 0], [0, 0, 0])]
    ),
    kinds=["float64", "float32", "strided"],
    hint="Squared distances, with their fractions.",
)
check(
    errors,
    {"X": np.array([[1, 0, 2], [3, 4, 0]]), "planes": [(np.array([0.5, 0.0, 0.0]), tilted)]},
    np.array([distance(x, np.array([0.5, 0, 0]), tilted) for x in ([1, 0, 2], [3, 4, 0])]),
    what="The errors of samples that are whole numbers",
    hint="Compute in floating point: do not write into an array of integers.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. A threshold that knows no stranger
#
# An alarm is raised for an error *above* the threshold. The threshold is the smallest error of a normal
# validation sample at which at most the share `false_alarms` of the normal validation samples would raise
# one.
#
# Somebody has marked a few strangers in the validation set. They are not to be used: the next stranger will
# be of a different kind.


# %% nbgrader={"grade": false, "grade_id": "alarm_threshold", "locked": false, "schema_version": 3, "solution": true, "task": false}
def alarm_threshold(found, stranger, false_alarms):
    """Choose a threshold for errors by the normal samples alone.

    Parameters
    ----------
    found : ndarray, shape (n,)
        The errors of the validation samples.
    stranger : ndarray of bool, shape (n,)
        Which of the samples are strangers.
    false_alarms : float
        The largest share of normal samples that may lie above the threshold, at least 0, less than 1.

    Returns
    -------
    float
        One of the errors of normal samples.

    Raises
    ------
    ValueError
        If no sample is normal.

    Example
    -------
    >>> found = np.array([3.0, 1.0, 9.0, 2.0, 4.0, 8.0])
    >>> stranger = np.array([False, False, True, False, False, True])
    >>> alarm_threshold(found, stranger, 0.25)  # of 1, 2, 3 and 4, one may lie above
    3.0
    """
    ### BEGIN SOLUTION
    normal = np.sort(np.asarray(found)[~np.asarray(stranger, dtype=bool)])
    if not len(normal):
        raise ValueError("There is no normal sample to set a threshold by.")
    above = np.array([np.mean(normal > error) for error in normal])
    return float(normal[np.argmax(above <= false_alarms)])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-alarm_threshold", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    alarm_threshold,
    {
        "found": np.array([0.5, 7.0, 0.1, 0.9, 0.3, 0.7, 6.0, 0.2, 0.4, 0.8]),
        "stranger": np.array([0, 1, 0, 0, 0, 0, 1, 0, 0, 0], dtype=bool),
        "false_alarms": 0.25,
    },
    0.7,
    hint="Eight normal samples, of which two may raise an alarm: 0.8 and 0.9. The strangers (6 and 7) are "
    "not counted. See 'Noise and strangers'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-alarm_threshold-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: many samples, both ends, ties, strangers among the normal, nothing normal.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_keyword, check_raises

rng = np.random.default_rng(5)


def wanted(found, stranger, share):
    normal = sorted(float(e) for e, s in zip(found, stranger, strict=True) if not s)
    for error in normal:
        if sum(other > error for other in normal) <= share * len(normal) + 1e-9:
            return error
    return None


found, stranger = rng.gamma(2.0, size=240), rng.random(240) < 0.3
check_keyword(
    alarm_threshold,
    {"found": found, "stranger": stranger},
    "false_alarms",
    [(share, wanted(found, stranger, share)) for share in (0.333, 0.103, 0.0123, 0.6171)],
    hint="Sort the errors of the normal samples alone, and leave as many above as the share allows, rounded "
    "down. See 'Noise and strangers'.",
)
low = np.where(stranger, found / 10, found)
for errors_of, share, about in (
    (low, 0.07, "Strangers with small errors count no more than those with large ones."),
    (
        np.where(stranger, found + 20, found),
        0.07,
        "The strangers are to be left out, not separated.",
    ),
):
    check(
        alarm_threshold,
        {"found": errors_of, "stranger": stranger, "false_alarms": share},
        wanted(errors_of, stranger, share),
        hint=f"{about} The threshold depends on normal samples alone. See 'Noise and strangers'.",
    )
few = np.array([4.0, 1.0, 3.0, 2.0])
for share, right in ((0.0, 4.0), (0.24, 4.0), (0.25, 3.0), (0.49, 3.0), (0.5, 2.0), (0.99, 1.0)):
    check(
        alarm_threshold,
        {"found": few, "stranger": np.zeros(4, bool), "false_alarms": share},
        right,
        hint="Of four errors, 1, 2, 3 and 4: with a share of 0.25 one may lie above, exactly; with 0.24 "
        "none. What equals the threshold is not above it, and the threshold is one of the errors.",
    )
tied = np.array([2.0, 5.0, 5.0, 5.0, 1.0, 3.0, 2.0, 7.0])
for share, right in ((0.125, 5.0), (0.25, 5.0), (0.375, 5.0), (0.5, 3.0)):
    check(
        alarm_threshold,
        {"found": tied, "stranger": np.zeros(8, bool), "false_alarms": share},
        right,
        hint="Three errors are equal: they raise an alarm together, or none of them does.",
    )
check(
    alarm_threshold,
    {"found": np.array([9, 3, 5]), "stranger": np.array([True, False, False]), "false_alarms": 0.5},
    3.0,
    what="The threshold for whole numbers, one of them a stranger's",
    hint="Of 3 and 5, one may lie above.",
)
check_raises(
    ValueError,
    alarm_threshold,
    {"found": np.array([1.0, 2.0]), "stranger": np.array([True, True]), "false_alarms": 0.1},
    hint="Without a normal sample nobody can say what is unusual.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. How good is the score?
#
# The AUROC is the probability that a random stranger has a larger score than a random normal sample; where
# the two are equal, the pair counts one half. Compute it over all pairs, by counting or by ranks.


# %% nbgrader={"grade": false, "grade_id": "auroc", "locked": false, "schema_version": 3, "solution": true, "task": false}
def auroc(scores, stranger):
    """Compute how well scores set strangers apart.

    Parameters
    ----------
    scores : array_like, shape (n,)
        The larger, the stranger.
    stranger : array_like of bool, shape (n,)
        True or 1 for a stranger.

    Returns
    -------
    float
        1 if every stranger has a larger score than every normal sample, 0.5 for guessing.

    Raises
    ------
    ValueError
        If there is no stranger, or nothing else.

    Example
    -------
    >>> auroc([5.0, 2.0, 2.0, 1.0], [True, True, False, False])  # (1 + 1 + 0.5 + 1) / 4
    0.875
    """
    ### BEGIN SOLUTION
    scores, stranger = np.asarray(scores), np.asarray(stranger, dtype=bool)
    high, low = scores[stranger], scores[~stranger]
    if not len(high) or not len(low):
        raise ValueError("There must be strangers and normal samples.")
    more = (high[:, np.newaxis] > low).mean()
    same = (high[:, np.newaxis] == low).mean()
    return float(more + same / 2)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-auroc", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    auroc,
    {
        "scores": np.array([0.9, 0.4, 0.3, 0.8, 0.1]),
        "stranger": np.array([True, True, False, False, False]),
    },
    5 / 6,
    hint="Of six pairs of a stranger and a normal sample, the stranger has the larger score in five. 1/6: "
    "the sign is wrong, larger scores must speak for strangers. See 'Noise and strangers'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-auroc-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: many samples, ties, both ends, kinds of numbers, a kind that is missing.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds, check_raises

rng = np.random.default_rng(6)


def pairs(scores, stranger):
    total, count = 0.0, 0
    for i, a in enumerate(scores):
        for j, b in enumerate(scores):
            if stranger[i] and not stranger[j]:
                total, count = total + (1.0 if a > b else 0.5 if a == b else 0.0), count + 1
    return total / count


for n, rare in ((12, 0.5), (80, 0.1), (60, 0.8)):
    stranger = rng.random(n) < rare
    stranger[:2] = True, False
    scores = rng.normal(size=n) + 0.8 * stranger
    check(
        auroc,
        {"scores": scores, "stranger": stranger},
        pairs(scores, stranger),
        hint="Over all pairs of a stranger and a normal sample: in how many is the stranger's score larger? "
        "See 'Noise and strangers'.",
    )
    check(
        auroc,
        {"scores": -scores, "stranger": stranger},
        1 - pairs(scores, stranger),
        hint="A score whose sign is wrong has an AUROC below one half: do not turn it around.",
    )
    coarse = np.round(scores)
    check(
        auroc,
        {"scores": coarse, "stranger": stranger},
        pairs(coarse, stranger),
        what=f"The AUROC of {n} scores of which many are equal",
        hint="A pair with equal scores counts one half, whatever the order in which they come. With ranks, "
        "equal scores share the mean of theirs. See 'Noise and strangers'.",
    )
check(
    auroc,
    {"scores": np.full(7, 3.0), "stranger": np.array([1, 1, 1, 0, 0, 0, 0], dtype=bool)},
    0.5,
    hint="Where all scores are equal, nothing is told apart: one half. Sorted by score, the order of equals "
    "is an accident.",
)
for scores, right in (([1.0, 2.0, 8.0, 9.0], 1.0), ([9.0, 8.0, 2.0, 1.0], 0.0)):
    check(
        auroc,
        {"scores": np.array(scores), "stranger": np.array([False, False, True, True])},
        right,
        hint="1 where every stranger is above every normal sample, 0 where every one is below.",
    )
check_kinds(
    auroc,
    {
        "scores": np.array([3.0, 1.0, 2.0, 2.0, 5.0, 0.0]),
        "stranger": np.array([True, False, True, False, False, True]),
    },
    pairs([3.0, 1.0, 2.0, 2.0, 5.0, 0.0], [1, 0, 1, 0, 0, 1]),
    hint="Pairs: the strangers have 3, 2 and 0.",
)
check(
    auroc,
    {"scores": [3, 1, 2, 2, 5, 0], "stranger": [1, 0, 1, 0, 0, 1]},
    pairs([3, 1, 2, 2, 5, 0], [1, 0, 1, 0, 0, 1]),
    hint="Ones and zeros stand for True and False. `~` of the integer 1 is -2, so `scores[~stranger]` takes "
    "other places: make booleans of them first.",
)
for stranger in ([True, True], [False, False]):
    check_raises(
        ValueError,
        auroc,
        {"scores": np.array([1.0, 2.0]), "stranger": np.array(stranger)},
        hint="There is no pair to look at: the mean over none is nan.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 8. Twenty planes
#
# One plane through all normal digits is a poor description of them. But k-means can sort them into twenty
# heaps, each with a plane of its own: flat pieces for something bent. We try it with four different
# strangers. (The numbers 20 and 0.7 were chosen with sixes as strangers, which do not appear here.)

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
from course_lib.plotting import unsupervised as figures

train, validation, test = splits.split(*digits.load(), seed=0)
shown = {}
for kind in (8, 1, 3, 9):
    normal = train.X[train.y != kind]
    _, heap, _ = k_means(normal, 20, 3, np.random.default_rng(0))
    ways = {
        "the mean": [(normal.mean(axis=0), np.zeros((64, 0)))],
        "one plane": [fit_pca(normal, 0.7)],
        "20 planes": [fit_pca(normal[heap == j], 0.7) for j in range(20)],
    }
    print(
        f"strangers are {kind}s:",
        *(f"{name} {auroc(errors(test.X, way), test.y == kind):.3f}" for name, way in ways.items()),
        sep="  ",
    )
    threshold = alarm_threshold(errors(validation.X, ways["20 planes"]), validation.y == kind, 0.05)
    found = errors(test.X, ways["20 planes"])
    shown[kind] = found, found > threshold

found, alarm = shown[8]
eight = test.y == 8
print(
    f"eights that raise an alarm: {alarm[eight].mean():.0%}, other digits: {alarm[~eight].mean():.0%}"
)


def eight_images(rows):
    """At most eight of the images, those with the largest errors first; blank where there are fewer."""
    rows = rows[np.argsort(-found[rows])][:8]
    return np.concatenate([test.X[rows], np.zeros((8 - len(rows), 64))]).reshape(8, 8, 8)


figures.gallery(
    [
        ("found", eight_images(np.flatnonzero(eight & alarm))),
        ("missed", eight_images(np.flatnonzero(eight & ~alarm))),
        ("false alarm", eight_images(np.flatnonzero(~eight & alarm))),
    ]
)

# %% [markdown]
# **What you see.** One plane finds some strangers and overlooks others. Twenty planes find all four kinds,
# about as well as the chapter's autoencoder found its two, or better, and no network was trained. What the
# autoencoder bends, the planes piece together. The false alarms are worth a look: they are digits written in
# an unusual way, which is what the detector was asked to find.
#
# ## Step 9. A report
#
# *4 points, read by a person. About 130 words.*
#
# A colleague has built a detector for forged signatures, and writes: "I tried autoencoders with codes of 2 to
# 64 numbers on 5,000 genuine signatures. For each I computed the AUROC with our 40 known forgeries, and kept
# the best: 0.97, with a code of 12. I set the threshold where it separates the forgeries best from the
# genuine signatures: it finds 38 of the 40. I also grouped the genuine signatures with k-means. Four clusters
# have the best silhouette, so our customers sign in four styles."
#
# 1. The forgeries decided two things before they were used to judge. Which two, and what is wrong with the
#    reported figures, 0.97 and 38 of 40?
# 2. Describe how you would set the threshold and what you could promise about it, and how you would get an
#    honest number with 40 forgeries.
# 3. Is the sentence about the four styles justified? Say what it depends on.

# %% [markdown] nbgrader={"grade": true, "grade_id": "report", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# 1. The size of the code and the threshold. Both were chosen to look best on these 40, so both numbers are
#    too high, by luck counted as skill. Other forgers will also forge in other ways.
# 2. With genuine signatures that were not trained on: the 95 % quantile of their errors, say. That promises
#    a rate of false alarms, about one in twenty, and nothing about forgeries. For an honest number, choose
#    the code without forgeries (by the error on held-out genuine signatures), or with half of them, and use
#    the other half once; best divided by forger. With 20 or 40, report an interval.
# 3. No. The silhouette prefers round clusters of similar size and always has a best value, also where there
#    are no groups. Four depends on the features, their scaling and the method. One would check whether the
#    clusters return with other seeds and halves of the data, and what they mean to somebody who knows
#    signatures.
#
# === BEGIN MARK SCHEME ===
# 1. **One point** for code size and threshold, and that both numbers are therefore too high (half a point
#    if only one is named).
# 2. **Two points.** One for a threshold from genuine signatures not trained on, which promises false alarms
#    and not detections. One for an honest number: forgeries that decided nothing (held out, or
#    cross-validation with the choice inside), or a choice without any forgeries.
# 3. **One point** for "not justified", with at least one thing that it depends on (features, scaling, shape
#    of clusters, a silhouette that always has a maximum, stability over seeds). Half a point without a reason.
# === END MARK SCHEME ===
