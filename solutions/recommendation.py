# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.ranking
#     - course_lib.models.factorization
#     - course_lib.models.two_towers
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
# # Recommendation: a library that learns from what it showed
#
# - **Time:** 110 minutes. **Difficulty:** 3 of 5. **Points:** 38, of which a person gives 4.
# - **Needs:** the chapter *Recommendation*, NumPy arrays, PyTorch's tensors.
#
# A public library lends films and has one shelf at the door with room for ten. It wants to fill the shelf for
# each reader. You cut its log in time, count what has been borrowed lately, factorize the stars, write the
# loss of two towers with its corrections, and judge the shelves with every edge case that real readers bring.
# In the end the library runs for a year on your functions, and you see what it still lends.
#
# **What is special here**
#
# - Users and items are numbers from 0. `n` users are rows, `m` items are columns.
# - Nothing here is random. Where something is drawn, you are given the numbers that decide.
# - Steps 1 to 4, 6 and 7 take and return NumPy arrays, step 5 tensors, on the device of its inputs.
# - Step 4 may call step 3. Its tests bring a correct version of step 3.
#
# `course_lib.ranking`, `course_lib.models.factorization` and `course_lib.models.two_towers` hold answers to
# this exercise: leave them closed. What holds in every exercise (how to check, what the tests look at, what
# counts) is on the page *How exercises work* in the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np
import torch

from course_lib import get_device, seed_everything
from course_lib.data import tastes

device = get_device()

# %% [markdown]
# ## Step 1. Before and after
#
# The log is cut in time: the *cut* is the time at index `first`, counted from 0, when all times are sorted.
# What happened before the cut is for learning. What happened at the cut or later is the test, so rows with
# equal times are never separated. Somebody who appears only later cannot be judged by a model that needs a
# history: such users are not part of the test, and are listed separately. The rows of the log may come in any
# order.


# %% nbgrader={"grade": false, "grade_id": "split_by_time", "locked": false, "schema_version": 3, "solution": true, "task": false}
def split_by_time(users, times, first):
    """Divide a log into training, test, and users who appear too late.

    Parameters
    ----------
    users : ndarray of int, shape (rows,)
    times : ndarray, shape (rows,)
        When each row happened; several may have happened at the same time.
    first : int
        From 0 to the number of rows less one.

    Returns
    -------
    train : ndarray of int
        The numbers of the rows before the cut, rising.
    test : ndarray of int
        The numbers of the rows at the cut or later, rising, of users who have a row in `train`.
    latecomers : ndarray of int
        The users who have none, each once, rising.

    Example
    -------
    >>> users, times = np.array([0, 1, 0, 2, 1]), np.array([5, 1, 2, 5, 9])
    >>> [part.tolist() for part in split_by_time(users, times, 2)]  # the cut is 5
    [[1, 2], [0, 4], [2]]
    """
    ### BEGIN SOLUTION
    before = times < np.sort(times)[first]
    familiar = np.isin(users, users[before])
    train, test = np.flatnonzero(before), np.flatnonzero(~before & familiar)
    return train, test, np.unique(users[~familiar])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-split_by_time", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    split_by_time,
    {"users": np.array([3, 1, 3, 1, 4, 3]), "times": np.array([8, 2, 1, 4, 9, 3]), "first": 3},
    (np.array([1, 2, 5]), np.array([0, 3]), np.array([4])),
    hint="In order, the times are 1, 2, 3, 4, 8, 9, and the one at place 3 is 4. Rows before 4 are for "
    "training; user 4 appears later and is named, not judged. See 'Ten places'.",
)


# %% nbgrader={"grade": true, "grade_id": "test-split_by_time-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: ties at the cut, both ends, many rows, users by gaps, times with fractions.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check

hint = (
    "Rows at the very time of the cut belong to the test, all of them. A user with one row in training is "
    "no latecomer, and one without is, however many rows come later. See 'Ten places'."
)


def expected(users, times, first):
    cut = sorted(times.tolist())[first]
    train = [row for row in range(len(users)) if times[row] < cut]
    there = {int(users[row]) for row in train}
    rest = [row for row in range(len(users)) if times[row] >= cut]
    test = [row for row in rest if int(users[row]) in there]
    late = sorted({int(users[row]) for row in rest} - there)
    return tuple(np.array(part, dtype=int) for part in (train, test, late))


ties = np.array([1, 2, 2, 2, 2, 3])
for first in (0, 1, 3, 4, 5):
    for users in (np.array([7, 7, 2, 7, 2, 5]), np.array([0, 1, 2, 0, 0, 1])):
        args = {"users": users, "times": ties, "first": first}
        check(split_by_time, args, expected(users, ties, first), hint=hint)
same = np.full(4, 2.5)
args = {"users": np.array([1, 0, 1, 2]), "times": same, "first": 2}
check(split_by_time, args, expected(args["users"], same, 2), hint=hint)
for seed in range(3):
    rng = np.random.default_rng(seed)
    users = 3 * rng.integers(0, 40, size=90)
    times = rng.integers(0, 30, size=90) / 4
    for first in (10, 45, 80):
        args = {"users": users, "times": times, "first": first}
        check(split_by_time, args, expected(users, times, first), hint=hint)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. What is borrowed lately
#
# The baseline. Count for each item how often it was taken, but let a loan count half as much after each
# half-life: one that is $a$ days old counts $2^{-a/h}$. What happens after `now` is not known yet and does
# not count. A loan at `now` does.


# %% nbgrader={"grade": false, "grade_id": "popularity", "locked": false, "schema_version": 3, "solution": true, "task": false}
def popularity(items, times, m, now, half_life):
    """Count loans, old ones less.

    Parameters
    ----------
    items : ndarray of int, shape (rows,)
        What was taken, from 0 to m - 1.
    times : ndarray, shape (rows,)
        When, in days; in any order.
    m : int
        Number of items.
    now : float
        The day of the recommendation.
    half_life : float
        In days, above 0.

    Returns
    -------
    ndarray of float, shape (m,)
        0 for items that were not taken yet.

    Example
    -------
    >>> popularity(np.array([0, 2, 2, 0]), np.array([4, 4, 2, 9]), 3, now=4, half_life=2).tolist()
    [1.0, 0.0, 1.5]
    """
    ### BEGIN SOLUTION
    age = now - times
    known = age >= 0
    return np.bincount(items[known], weights=0.5 ** (age[known] / half_life), minlength=m)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-popularity", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    popularity,
    {
        "items": np.array([1, 1, 0, 3]),
        "times": np.array([10, 7, 4, 12]),
        "m": 5,
        "now": 10,
        "half_life": 3,
    },
    np.array([0.25, 1.5, 0.0, 0.0, 0.0]),
    hint="Ages of 0, 3 and 6 days count 1, 1/2 and 1/4, and day 12 is not known on day 10. There are five "
    "items, also if the last ones were never taken. See 'Ten places'.",
)


# %% nbgrader={"grade": true, "grade_id": "test-popularity-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: many takes, other half-lives, all in the future, integers and fractions.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check

rng = np.random.default_rng(3)
for m, rows, now, half_life in ((6, 40, 20, 5), (9, 60, 12, 1.25), (4, 30, 40, 100)):
    items, times = rng.integers(0, m - 1, size=rows), rng.integers(0, 25, size=rows)
    times[rows // 2 :: 9] = now
    wanted = np.zeros(m)
    for item, time in zip(items, times, strict=True):
        if time <= now:
            wanted[item] += 2.0 ** (-(now - time) / half_life)
    for kind in (times, times + 0.0):
        check(
            popularity,
            {"items": items, "times": kind, "m": m, "now": now, "half_life": half_life},
            wanted,
            hint="Each loan counts by itself, repeated items too: `counts[items] += ...` writes once for "
            "each item. What happens after `now` does not count, what happens at `now` does. "
            "See 'Ten places'.",
        )
check(
    popularity,
    {"items": np.array([1, 0]), "times": np.array([5, 6]), "m": 3, "now": 4, "half_life": 2},
    np.zeros(3),
    hint="Nothing has happened yet on day 4: three zeros.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. Half a step
#
# One side of alternating least squares. With the factors $v_j$ and biases $c_j$ of all items held fixed,
# find for each user $i$ the $u_i$ and $b_i$ that make
#
# $$\sum_{j \text{ rated by } i} (r_{ij} - \mu - b_i - c_j - u_i \cdot v_j)^2
# + \lambda \left(\lVert u_i \rVert^2 + b_i^2\right)$$
#
# smallest. Only what was rated is in the sum: where nothing was rated, `stars` may hold anything, including
# `nan`. Any exact method counts.


# %% nbgrader={"grade": false, "grade_id": "solve_users", "locked": false, "schema_version": 3, "solution": true, "task": false}
def solve_users(stars, rated, V, c, mean, penalty):
    """Find the best factors and biases of all users, for fixed items.

    Parameters
    ----------
    stars : ndarray, shape (n, m)
    rated : ndarray of bool, shape (n, m)
        Which entries of `stars` are ratings.
    V : ndarray, shape (m, k)
        Factors of the items.
    c : ndarray, shape (m,)
        Biases of the items.
    mean : float
        The mean of all stars.
    penalty : float
        Above 0.

    Returns
    -------
    U : ndarray, shape (n, k)
    b : ndarray, shape (n,)
        Zeros for users who rated nothing.

    Example
    -------
    >>> stars, rated = np.array([[5.0, 3.0, 0.0]]), np.array([[True, True, False]])
    >>> V = np.array([[1.0], [-1.0], [7.0]])
    >>> U, b = solve_users(stars, rated, V, np.zeros(3), mean=3.0, penalty=1.0)
    >>> U.round(4).tolist(), b.round(4).tolist()  # both: 2 / (2 + 1)
    ([[0.6667]], [0.6667])
    """
    ### BEGIN SOLUTION
    n, k = len(stars), V.shape[1]
    found = np.zeros((n, k + 1))
    for i in range(n):
        rows = rated[i]
        X = np.column_stack([V[rows], np.ones(rows.sum())])
        target = stars[i, rows] - mean - c[rows]
        found[i] = np.linalg.solve(X.T @ X + penalty * np.eye(k + 1), X.T @ target)
    return found[:, :k], found[:, k]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-solve_users", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    solve_users,
    {
        "stars": np.array([[5.0, 2.0, np.nan], [np.nan, np.nan, 4.0]]),
        "rated": np.array([[True, True, False], [False, False, True]]),
        "V": np.array([[1.0], [-1.0], [2.0]]),
        "c": np.array([0.5, 0.0, 0.0]),
        "mean": 3.0,
        "penalty": 1.0,
    },
    (np.array([[2.5 / 3], [1 / 3]]), np.array([0.5 / 3, 1 / 6])),
    hint="The first user is left with 1.5 for item 0 and -1 for item 1, after the mean and the biases of the "
    "items: u = (1.5 + 1) / (2 + 1) and b = (1.5 - 1) / (2 + 1). nan: an entry that is no rating was used. "
    "See 'A few numbers for each taste'.",
)


# %% nbgrader={"grade": true, "grade_id": "test-solve_users-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: several factors, junk where nothing was rated, users without ratings, other penalties.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check

rng = np.random.default_rng(5)


def expected(stars, rated, V, c, mean, penalty):
    # As one long least-squares problem with rows for the penalty, by another solver.
    k = V.shape[1]
    found = np.zeros((len(stars), k + 1))
    for i, mask in enumerate(rated):
        X = np.vstack([np.c_[V[mask], np.ones(mask.sum())], np.sqrt(penalty) * np.eye(k + 1)])
        y = np.r_[stars[i][mask] - mean - c[mask], np.zeros(k + 1)]
        found[i] = np.linalg.lstsq(X, y, rcond=None)[0]
    return found[:, :k], found[:, k]


for n, m, k, penalty, junk in (
    (5, 7, 2, 0.5, 0.0),
    (4, 6, 3, 2.0, np.nan),
    (6, 5, 1, 0.1, 99.0),
    (3, 2, 4, 1.0, np.nan),
):
    rated = rng.random((n, m)) < 0.6
    rated[0], rated[1] = False, True
    stars = np.where(rated, rng.integers(1, 6, size=(n, m)), junk)
    V, c = rng.normal(size=(m, k)), rng.normal(size=m) / 2
    for mean in (3.0, 3.75):
        check(
            solve_users,
            {"stars": stars, "rated": rated, "V": V, "c": c, "mean": mean, "penalty": penalty},
            expected(stars, rated, V, c, mean, penalty),
            hint="A small ridge regression for each user, over the items that the user rated, and no "
            "others: what is missing is no 0 and no dislike. The mean and c are subtracted from the stars. "
            "The penalty is on the bias as well, and is not multiplied by the number of ratings. "
            "See 'A few numbers for each taste'.",
        )
whole = np.array([[1, 5, 2], [4, 4, 1]])
rated = np.array([[True, True, False], [True, False, True]])
V, c = np.array([[1, 0], [1, 2], [-1, 1]]), np.array([0, 1, -1])
check(
    solve_users,
    {"stars": whole, "rated": rated, "V": V, "c": c, "mean": 3.0, "penalty": 1.0},
    expected(whole, rated, V, c, 3.0, 1.0),
    what="solve_users for arrays of integers",
    hint="The results have fractions: integers can come in, and must not decide the type of what goes out.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. Back and forth
#
# The whole of it. Start with the given `V` and item biases of 0. In each step, solve for all users, then for
# all items with the users' new numbers held fixed: the same problem with rows and columns exchanged. Return a
# prediction for every pair, $\mu + b_i + c_j + u_i \cdot v_j$, where $\mu$ is the mean of all ratings given.


# %% nbgrader={"grade": false, "grade_id": "factorize", "locked": false, "schema_version": 3, "solution": true, "task": false}
def factorize(stars, rated, V, penalty, steps):
    """Fill a table of ratings by alternating least squares.

    Parameters
    ----------
    stars : ndarray, shape (n, m)
        May hold anything, nan as well, where nothing was rated.
    rated : ndarray of bool, shape (n, m)
        At least one is true.
    V : ndarray, shape (m, k)
        The first factors of the items. Left as they are.
    penalty : float
        Above 0.
    steps : int
        At least 1. In each, users come first and items after them.

    Returns
    -------
    ndarray, shape (n, m)
        Not clipped.

    Example
    -------
    >>> stars = np.array([[5.0, 1.0, 5.0], [1.0, 5.0, 1.0], [5.0, 1.0, np.nan]])
    >>> V = np.array([[0.1], [-0.1], [0.2]])
    >>> float(factorize(stars, ~np.isnan(stars), V, 0.1, 20)[2, 2].round(1))
    4.9
    """
    ### BEGIN SOLUTION
    mean, c = stars[rated].mean(), np.zeros(len(V))
    for _ in range(steps):
        U, b = solve_users(stars, rated, V, c, mean, penalty)
        V, c = solve_users(stars.T, rated.T, U, b, mean, penalty)
    return mean + b[:, None] + c + U @ V.T
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-factorize", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given


def right_users(stars, rated, V, c, mean, penalty):
    k = V.shape[1]
    found = np.zeros((len(stars), k + 1))
    for i, mask in enumerate(rated):
        X = np.c_[V[mask], np.ones(mask.sum())]
        y = stars[i][mask] - mean - c[mask]
        found[i] = np.linalg.solve(X.T @ X + penalty * np.eye(k + 1), X.T @ y)
    return found[:, :k], found[:, k]


with given(solve_users=right_users):
    check(
        factorize,
        {
            "stars": np.array([[4.0, 2.0], [np.nan, 3.0]]),
            "rated": np.array([[True, True], [False, True]]),
            "V": np.array([[1.0], [-1.0]]),
            "penalty": 1.0,
            "steps": 1,
        },
        np.array([[3.5909090909, 2.5142857143], [3.4090909091, 2.7428571429]]),
        hint="The mean of the three ratings is 3. The first user gets u = 2/3 and b = 0, the second 0 and 0, "
        "and the items are solved for with these. See 'A few numbers for each taste'.",
    )


# %% nbgrader={"grade": true, "grade_id": "test-factorize-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: more steps, more factors, junk, tables that are wide or tall.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, given


def right_users(stars, rated, V, c, mean, penalty):
    k = V.shape[1]
    found = np.zeros((len(stars), k + 1))
    for i, mask in enumerate(rated):
        X = np.c_[V[mask], np.ones(mask.sum())]
        y = stars[i][mask] - mean - c[mask]
        found[i] = np.linalg.solve(X.T @ X + penalty * np.eye(k + 1), X.T @ y)
    return found[:, :k], found[:, k]


def expected(stars, rated, V, penalty, steps):
    mean, c = stars[rated].sum() / rated.sum(), np.zeros(stars.shape[1])
    for _ in range(steps):
        U, b = right_users(stars, rated, V, c, mean, penalty)
        V, c = right_users(stars.T, rated.T, U, b, mean, penalty)
    return mean + np.add.outer(b, c) + np.einsum("ik,jk->ij", U, V)


rng = np.random.default_rng(6)
with given(solve_users=right_users):
    for n, m, k, penalty, steps, junk in (
        (5, 4, 1, 0.5, 1, 0.0),
        (6, 9, 2, 1.0, 2, np.nan),
        (8, 5, 3, 0.25, 5, 50.0),
    ):
        rated = rng.random((n, m)) < 0.7
        rated[0, 0] = True
        stars = np.where(rated, rng.integers(1, 6, size=(n, m)), junk)
        V = rng.normal(size=(m, k))
        check(
            factorize,
            {"stars": stars, "rated": rated, "V": V, "penalty": penalty, "steps": steps},
            expected(stars, rated, V, penalty, steps),
            hint="The mean is that of the rated entries. Items are solved for with the users' *new* factors "
            "and biases, and users in the next step with the items' new ones, biases too. "
            "See 'A few numbers for each taste'.",
        )
    whole, rated = (
        np.array([[5, 1, 4], [2, 5, 1]]),
        np.array([[True, True, False], [True, False, True]]),
    )
    V = np.array([[1.0], [-0.5], [0.5]])
    check(
        factorize,
        {"stars": whole, "rated": rated, "V": V, "penalty": 0.5, "steps": 2},
        expected(whole, rated, V, 0.5, 2),
        hint="Stars may come as integers; the guesses have fractions.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. Whom to push away
#
# The loss of two towers over a batch: a cross-entropy in which the right answer of user $i$ is the item that
# user $i$ took, and the others in the batch are negatives. Two things are corrected, in the loss only.
#
# - The logarithm of `q`, how often each item is drawn, is subtracted from its scores, for negatives and
#   right answers alike.
# - What a user likes is not a negative. A place is left out for user $i$ if it holds the very item that $i$
#   took, in another row of the batch, or an item that $i$ took before (`taken`). The user's own place always
#   stays.


# %% nbgrader={"grade": false, "grade_id": "batch_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def batch_loss(scores, items, q, taken):
    """Compute the sampled softmax loss of a batch, corrected.

    Parameters
    ----------
    scores : Tensor, shape (b, b)
        ``scores[i, j]``: of user i for the item that user j took.
    items : Tensor of int64, shape (b,)
        The number of the item that each user took.
    q : Tensor, shape (m,)
        The share of each of all m items among what is drawn; above 0.
    taken : Tensor of bool, shape (b, m)
        Which items the user of each row took, before or now.

    Returns
    -------
    Tensor, shape ()
        The mean over the batch. Gradients run through it.

    Example
    -------
    >>> items, q = torch.tensor([0, 2]), torch.tensor([0.75, 0.125, 0.125])
    >>> taken = torch.zeros(2, 3, dtype=torch.bool)
    >>> loss = batch_loss(torch.zeros(2, 2), items, q, taken)
    >>> round(loss.item(), 3)  # -log(1 / 7) and -log(6 / 7), since 1 / q is 4/3 and 8
    1.05
    """
    ### BEGIN SOLUTION
    own = torch.eye(len(items), dtype=torch.bool, device=scores.device)
    liked = taken[:, items] | (items[:, None] == items)
    z = (scores - q[items].log()).masked_fill(liked & ~own, -torch.inf)
    return torch.nn.functional.cross_entropy(z, torch.arange(len(items), device=z.device))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-batch_loss", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import math

import torch

from course_lib import get_device
from course_lib.exercises import assert_close, call, probe


def of_two(batch_loss, took_both):
    where = get_device()
    taken = torch.zeros(2, 3, dtype=torch.bool, device=where)
    taken[0, 2] = took_both
    args = {
        "scores": torch.tensor([[1.0, 2.0], [0.0, 0.0]], device=where),
        "items": torch.tensor([1, 2], device=where),
        "q": torch.tensor([0.5, 0.25, 0.25], device=where),
        "taken": taken,
    }
    return call(batch_loss, args).item()


first, second = math.log(1 + math.e), math.log(2)
assert_close(
    probe(of_two, batch_loss, False),
    (first + second) / 2,
    what="The loss of two users and two items that are drawn equally often",
    hint="Rows are users: the right answers lie on the diagonal of the scores. Equal shares change "
    "nothing. See 'Two towers'.",
)
assert_close(
    probe(of_two, batch_loss, True),
    second / 2,
    what="The same loss, where the first user took both items at some time",
    hint="An item that the user took is no negative: its place is left out of the softmax, and the user's "
    "own place alone remains. See 'Two towers'.",
)


# %% nbgrader={"grade": true, "grade_id": "test-batch_loss-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: unequal shares, repeated items, own items among the taken, large scores, gradients.
### BEGIN HIDDEN TESTS
import numpy as np
import torch

from course_lib import get_device
from course_lib.exercises import assert_close, call, probe


def made(seed, b, m, scale):
    rng = np.random.default_rng(seed)
    items = rng.integers(0, m, size=b)
    taken = rng.random((b, m)) < 0.25
    taken[np.arange(b), items] = rng.random(b) < 0.5
    q = rng.dirichlet(np.full(m, 0.7)) * 0.9 + 0.1 / m
    return scale * rng.normal(size=(b, b)), items, q, taken


def expected(scores, items, q, taken):
    losses, slopes = [], np.zeros_like(scores)
    for i in range(len(items)):
        z = scores[i] - np.log(q[items])
        stays = np.array(
            [j == i or (items[j] != items[i] and not taken[i, items[j]]) for j in range(len(items))]
        )
        top = z[stays].max()
        p = np.where(stays, np.exp(np.where(stays, z - top, 0)), 0)
        losses.append(np.log(p.sum()) + top - z[i])
        slopes[i] = p / p.sum()
        slopes[i, i] -= 1
    return np.mean(losses), slopes / len(items)


def measured(batch_loss, scores, items, q, taken):
    where = get_device()
    leaf = torch.tensor(scores, device=where).requires_grad_()
    args = {
        "scores": leaf,
        "items": torch.tensor(items, device=where),
        "q": torch.tensor(q, device=where),
        "taken": torch.tensor(taken, device=where),
    }
    loss = call(batch_loss, args, copies=False)
    if loss.requires_grad:
        loss.backward()
    slope = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
    return loss.detach().cpu().numpy(), slope.cpu().numpy()


for seed, b, m, scale in ((1, 6, 9, 1.0), (2, 12, 5, 2.0), (3, 5, 30, 300.0), (4, 1, 4, 1.0)):
    case = made(seed, b, m, scale)
    wanted, slopes = expected(*case)
    loss, gradient = probe(measured, batch_loss, *case)
    about = f"a batch of {b} from {m} items"
    assert_close(
        loss,
        wanted,
        what=f"The loss of {about}",
        hint="Subtract log q of the *item in each column*, q[items].log(), from all scores, also on the "
        "diagonal. Leave out repeated items and those that the row's user took, but never the diagonal. "
        "The mean is over the users. See 'Two towers'.",
    )
    assert_close(
        gradient,
        slopes,
        what=f"The gradient of the loss in the scores, for {about}",
        hint="A place that is left out has a slope of 0. Gradients must run: no detach, no .item().",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. What a shelf is worth
#
# Two numbers for each user's list: the `k` items with the highest scores among those that the user does not
# know. *Recall* is the share of what the user took later that is on the list. *NDCG* is the discounted gain
# of the list, where a hit at place $r$, counted from 1, gains $1/\log_2(r+1)$, divided by the largest gain
# that any list of `k` places could have for this user. No two scores of a user are equal.
#
# The edges: for users who took nothing later, nothing can be said: `nan`. Known items are never on the list,
# even if fewer than `k` others are left: then the list is shorter. And `k` may be larger than the number of
# items.


# %% nbgrader={"grade": false, "grade_id": "judge", "locked": false, "schema_version": 3, "solution": true, "task": false}
def judge(scores, known, later, k):
    """Compute recall and NDCG of every user's list.

    Parameters
    ----------
    scores : ndarray, shape (n, m)
        Finite numbers.
    known : ndarray of bool, shape (n, m)
    later : ndarray of bool, shape (n, m)
        What the user took later. Nothing in it is known.
    k : int
        At least 1.

    Returns
    -------
    recall, ndcg : ndarray, shape (n,)

    Example
    -------
    >>> scores = np.array([[0.9, 0.8, 0.1, 0.5], [0.1, 0.2, 0.3, 0.4]])
    >>> known = np.array([[True, False, False, False], [False] * 4])
    >>> later = np.array([[False, False, True, True], [False] * 4])
    >>> recall, ndcg = judge(scores, known, later, 2)
    >>> recall.round(4).tolist(), ndcg.round(4).tolist()  # the first list is 1, 3
    ([0.5, nan], [0.3869, nan])
    """
    ### BEGIN SOLUTION
    recall, ndcg = np.full((2, len(scores)), np.nan)
    for i in range(len(scores)):
        wanted = later[i].sum()
        if wanted:
            left = np.flatnonzero(~known[i])
            listed = left[np.argsort(-scores[i, left])][:k]
            hits = later[i, listed]
            gains = 1 / np.log2(np.arange(2, k + 2))
            recall[i] = hits.sum() / wanted
            ndcg[i] = hits @ gains[: len(hits)] / gains[:wanted].sum()
    return recall, ndcg
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-judge", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    judge,
    {
        "scores": np.array([[0.9, 0.5, 0.7, 0.1, 0.3], [0.1, 0.2, 0.3, 0.4, 0.5]]),
        "known": np.array([[False, False, True, False, False], [False] * 5]),
        "later": np.array([[False, True, False, True, False], [False] * 5]),
        "k": 3,
    },
    (
        np.array([0.5, np.nan]),
        np.array([1 / np.log2(3) / (1 + 1 / np.log2(3)), np.nan]),
    ),
    hint="The first list is 0, 1, 4, since item 2 is known. One of two later items is on it, at the second "
    "place: a gain of 1/log2(3), of 1 + 1/log2(3) that was possible. The second user took nothing later. "
    "See 'What was taken'.",
)


# %% nbgrader={"grade": true, "grade_id": "test-judge-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: k beyond the list, few items left, more later items than places, nobody, negative scores.
### BEGIN HIDDEN TESTS
import math

import numpy as np

from course_lib.exercises import check


def expected(scores, known, later, k):
    recalls, ndcgs = [], []
    for s, old, new in zip(scores, known, later, strict=True):
        order = sorted((j for j in range(len(s)) if not old[j]), key=lambda j, s=s: -s[j])[:k]
        count = int(new.sum())
        gain = sum(1 / math.log2(place + 1) for place, j in enumerate(order, start=1) if new[j])
        best = sum(1 / math.log2(place + 1) for place in range(1, min(count, k) + 1))
        recalls.append(sum(new[j] for j in order) / count if count else math.nan)
        ndcgs.append(gain / best if count else math.nan)
    return np.array(recalls), np.array(ndcgs)


rng = np.random.default_rng(7)
for n, m, k, much in (
    (6, 8, 1, 0.3),
    (7, 9, 3, 0.2),
    (5, 6, 10, 0.3),
    (6, 12, 5, 0.8),
    (4, 7, 7, 0.5),
):
    scores = rng.permutation(n * m).reshape(n, m) / 7.0 - 3 * m
    known = rng.random((n, m)) < much
    later = ~known & (rng.random((n, m)) < 0.5)
    later[1] = False
    known[2], later[2] = True, False
    known[2, 3], later[2, 3] = False, True  # one item is left
    for kind in (scores, scores * 7 + 21 * m):  # the second are whole numbers
        check(
            judge,
            {"scores": kind, "known": known, "later": later, "k": k},
            expected(kind, known, later, k),
            hint="Known items are not on the list, whatever the signs of the scores. Recall is divided by all "
            "later items, NDCG by the gain of a list with min(later items, k) hits at the top. The first "
            "place gains 1/log2(2) = 1, the second 1/log2(3). See 'What was taken'.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. A shelf with surprises
#
# The last of the `k` places are given to chance. The first `k - places` hold the items with the highest
# scores among those that the user does not know, best first. The others hold, of what is left and unknown,
# the items with the highest *chances*, which were drawn at random, highest first. Each user has at least
# `k` unknown items, and no two scores or chances of a user are equal.


# %% nbgrader={"grade": false, "grade_id": "shelf", "locked": false, "schema_version": 3, "solution": true, "task": false}
def shelf(scores, known, chances, k, places):
    """Choose k items for each user, the last ones by chance.

    Parameters
    ----------
    scores, chances : ndarray, shape (n, m)
    known : ndarray of bool, shape (n, m)
    k : int
    places : int
        From 0 to k.

    Returns
    -------
    ndarray of int, shape (n, k)
        Item numbers, none twice in a row.

    Example
    -------
    >>> scores = np.array([[5.0, 4.0, 3.0, 2.0, 1.0]])
    >>> known = np.array([[False, True, False, False, False]])
    >>> chances = np.array([[0.9, 0.8, 0.1, 0.3, 0.6]])
    >>> shelf(scores, known, chances, 3, 1).tolist()  # 0 and 2 by score; of 3 and 4 the luckier
    [[0, 2, 4]]
    """
    ### BEGIN SOLUTION
    rows = []
    for s, old, lucky in zip(scores, known, chances, strict=True):
        left = np.flatnonzero(~old)
        best = left[np.argsort(-s[left])][: k - places]
        rest = np.setdiff1d(left, best)
        rows.append(np.concatenate([best, rest[np.argsort(-lucky[rest])][:places]]))
    return np.array(rows)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-shelf", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    shelf,
    {
        "scores": np.array([[1.0, 6.0, 3.0, 5.0, 4.0, 2.0]]),
        "known": np.array([[False, True, False, False, False, False]]),
        "chances": np.array([[0.6, 0.9, 0.2, 0.8, 0.1, 0.4]]),
        "k": 4,
        "places": 2,
    },
    np.array([[3, 4, 0, 5]]),
    hint="Item 1 is known. 3 and 4 have the highest scores; of 0, 2 and 5, which are left, 0 and 5 have the "
    "highest chances. See 'The loop'.",
)


# %% nbgrader={"grade": true, "grade_id": "test-shelf-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: no surprises, nothing but surprises, several users, negative numbers, tight shelves.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check


def expected(scores, known, chances, k, places):
    rows = []
    for s, old, lucky in zip(scores, known, chances, strict=True):
        free = [j for j in range(len(s)) if not old[j]]
        best = sorted(free, key=lambda j, s=s: -s[j])[: k - places]
        rest = sorted((j for j in free if j not in best), key=lambda j, lucky=lucky: -lucky[j])
        rows.append(best + rest[:places])
    return np.array(rows)


rng = np.random.default_rng(8)
for n, m, k, places in (
    (3, 8, 4, 0),
    (4, 9, 3, 3),
    (5, 10, 5, 1),
    (2, 6, 4, 2),
    (1, 5, 1, 1),
    (4, 12, 6, 4),
):
    scores = rng.permutation(n * m).reshape(n, m) - 2.0 * m
    chances = rng.permutation(n * m).reshape(n, m) / (n * m) - 0.5
    known = np.zeros((n, m), dtype=bool)
    for row in known:
        row[rng.permutation(m)[: rng.integers(0, m - k + 1)]] = True
    args = {"scores": scores, "known": known, "chances": chances, "k": k, "places": places}
    check(
        shelf,
        args,
        expected(**args),
        hint="The places by score first, then those by chance, from what is unknown and not yet on the "
        "shelf. With no places for chance all are by score, with k of them all by chance. Negative numbers "
        "are scores as well: 0 is no mark for what may not be shown. See 'The loop'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 8. A year at the door
#
# All of it runs on your functions: first the log of two years, then twelve months of a shelf that learns from
# what it showed. It takes a few seconds.

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
from scipy.special import expit as sigmoid

from course_lib.plotting import recommendation as figures

seed_everything(0)
world = tastes.make(users=300, items=120, seed=5)
log, enjoys = tastes.live(world, takes=24, seed=5), tastes.enjoyment(world)
train, test, late = split_by_time(log.user, log.day, int(0.6 * len(log.user)))
cut = log.day[train].max()
known, later = np.zeros((2, 300, 120), dtype=bool)
known[log.user[train], log.item[train]] = later[log.user[test], log.item[test]] = True
stars = np.full((300, 120), np.nan)
stars[log.user[train], log.item[train]] = log.stars[train]
print(
    f"{len(train)} rows to learn from, {len(test)} to judge by, {len(late)} readers came too late"
)

q = (np.bincount(log.item[train], minlength=120) + 0.5) / (len(train) + 60)
user, item = (torch.tensor(x[train], device=device) for x in (log.user, log.item))
share = torch.tensor(q, device=device).float()
# Own items stay negatives here, so that the two trainings differ in the shares alone.
none = torch.zeros(300, 120, dtype=torch.bool, device=device)


def towers(corrected):
    """The smallest towers, a row for each user and item, trained with your loss."""
    generator = torch.Generator().manual_seed(0)
    U = (0.1 * torch.randn(300, 8, generator=generator)).to(device).requires_grad_()
    V = (0.1 * torch.randn(120, 8, generator=generator)).to(device).requires_grad_()
    bias = torch.zeros(120, device=device, requires_grad=True)
    optimizer = torch.optim.Adam([U, V, bias], lr=0.02, weight_decay=1e-3)
    drawn = share if corrected else torch.ones_like(share)
    for _ in range(8):
        for rows in torch.randperm(len(user), generator=generator).to(device).split(128):
            scores = U[user[rows]] @ V[item[rows]].T + bias[item[rows]]
            loss = batch_loss(scores, item[rows], drawn, none[user[rows]])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return (U @ V.T + bias).detach().cpu().double().numpy()


start = np.random.default_rng(0).normal(0, 0.1, (120, 3))
lately = popularity(log.item[train], log.day[train], 120, cut, 60.0)
systems = {
    "borrowed lately": np.tile(lately, (300, 1)) + 1e-9 * np.arange(120),
    "towers, corrected": towers(True),
    "towers, uncorrected": towers(False),
    "stars": factorize(stars, ~np.isnan(stars), start, 2.0, 10),
}
for name, scores in systems.items():
    recall, ndcg = judge(scores, known, later, 10)
    ten = shelf(scores, known, np.zeros((300, 120)) + np.arange(120), 10, 0)
    liked = np.take_along_axis(sigmoid(enjoys), ten, axis=1).sum(axis=1).mean()
    print(
        f"{name:19} recall {np.nanmean(recall):.0%}, NDCG {np.nanmean(ndcg):.0%}, liked of ten {liked:.1f}"
    )


def year(places, count, seed, months=12):
    """Twelve months of a shelf of ten, filled by what was borrowed from it; readers come and go."""
    rng = np.random.default_rng(seed)
    known, ever = np.zeros((300, 120), dtype=bool), np.zeros(120, dtype=bool)
    scores = np.tile(world.placement, (300, 1)) + rng.gumbel(size=(300, 120))
    borrowed, when, story = [], [], []
    for month in range(months):
        ten = shelf(scores, known, rng.random((300, 120)), 10, places)
        # The first seven places, which no surprise ever takes.
        share = np.bincount(ten[:, :7].ravel(), minlength=120) / (300 * 7)
        story.append(np.exp(-np.sum(share[share > 0] * np.log(share[share > 0]))))
        if month:
            ever[ten[:, :7]] = True
        takes = rng.random(ten.shape) < sigmoid(np.take_along_axis(enjoys, ten, axis=1))
        np.put_along_axis(known, ten, takes, axis=1)
        # Three readers of ten leave, and others with the same tastes, to whom all is new, take over.
        known[rng.random(300) < 0.3] = False
        if count == "surprises" and month:
            takes[:, : 10 - places] = False
        borrowed += ten[takes].tolist()
        when += [month] * int(takes.sum())
        counts = popularity(np.array(borrowed), np.array(when), 120, month, 3.0)
        # Popular films, a little different for each reader.
        scores = np.log(counts + 1) + 0.1 * rng.gumbel(size=(300, 120))
    return story, ever.sum()


shelves = {
    "no surprises": year(0, "all", 0),
    "three of ten": year(3, "all", 0),
    "where they alone count": year(3, "surprises", 0),
}
for name, (story, ever) in shelves.items():
    print(
        f"{name:22} effective number of films in front:",
        *(f"{story[m]:.0f}" for m in (0, 1, 3, 7, 11)),
        f" ever {ever} of 120",
    )
counts = known.sum(axis=0)
figures.correction(
    counts[counts > 0],
    {
        "Corrected, by your loss": systems["towers, corrected"].mean(axis=0)[counts > 0],
        "Uncorrected": systems["towers, uncorrected"].mean(axis=0)[counts > 0],
    },
)

# %% [markdown]
# **What you see.** The lists that find most of what was borrowed are not the lists that are liked most: the
# log was made by an old shelf, and guessing that shelf pays. Your correction alone decides whether the scores
# know what is popular. And a shelf that learns from itself is down to about eleven films in its first seven
# places after one month. Then it widens, since readers who stay must be shown what they do not know yet, but
# half of the films never appear there. Three surprises in ten widen those places only when the library counts
# what was borrowed from the three alone, where every film has the same chance.
#
# ## Step 9. A report
#
# *4 points, read by a person. About 120 words.*
#
# A colleague reports: "Our new system has a recall@10 of 41 percent, the system that has filled the lists for
# two years has 36. We held out a random fifth of all loans, and ranked all films. Readers of the new lists
# will find five points more of what they want."
#
# 1. Name two faults in the measurement, and say in which direction each moves the numbers.
# 2. Nothing like that is wrong with the *comparison* of the two systems, she says, since both were measured
#    in the same way. Which of the two does the log favor, and why?
# 3. What would you measure before the new lists are shown to everybody, and for whom separately?

# %% [markdown] nbgrader={"grade": true, "grade_id": "report", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# 1. A random fifth lets both systems learn from loans that come after those they guess: too high. All
#    films are ranked, known ones too, which waste places: too low.
# 2. The log favors the old system: what was taken was taken from its lists, so a film that it did not show
#    could not be taken, and the new system gets no credit for it.
# 3. Show both to readers drawn at random, for some weeks, and count what is liked and who stays, with
#    intervals; separately for new readers and for groups with other tastes, since the mean hides them.
#
# === BEGIN MARK SCHEME ===
# 1. **Two points.** One for the random split (too high), one for known films among the ranked (too low).
#    Half a point each if the direction is missing or wrong. No baseline, or one split without an interval,
#    earns a point in place of one of them.
# 2. **One point** for the old system, because the log holds only loans of what it showed. Half for "the log
#    is biased" without the direction.
# 3. **One point** for a randomized comparison with readers (or a part of the lists drawn at random and
#    evaluated as such), and a group that is looked at by itself. Half a point for one of the two.
# === END MARK SCHEME ===
