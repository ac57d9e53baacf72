# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.scratch.regions
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
# # Layers: stack, count, collapse, fold
#
# - **Time:** 90 minutes. **Difficulty:** 2 of 5. **Points:** 36, of which a person gives 4.
# - **Needs:** the chapter *Layers*, NumPy arrays, a loop.
#
# You will write a layer and a network, count what they hold, and run a network that somebody else has
# trained. Then you will set weights by hand: first in a network that folds a line until it has more straight
# pieces than one layer could make, then in layers that fold a sheet of paper. At the end your layers make one
# cut through the folded sheet, and you open it.
#
# **What is special here**
#
# - `X` holds samples, one per row: shape `(n, d_in)`. `W` holds neurons, one per column: shape
#   `(d_in, d_out)`. `b` holds one number per neuron: shape `(d_out,)`. All three may hold integers.
# - A network is a list of layers, and a layer is a pair `(W, b)`.
# - An *activation* is a function that takes an array and returns one of the same shape, such as `relu`.
#
# `course_lib.scratch.regions` holds answers to this exercise: leave it closed. (The setup takes
# `count_pieces` from it, which is not one of them.) What holds in every exercise (how to check, what the
# tests look at, what counts) is on the page *How exercises work* in the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np
from sklearn.neural_network import MLPClassifier

from course_lib.plotting.style import COLORS, new_figure, styled
from course_lib.scratch.regions import count_pieces

np.set_printoptions(suppress=True)


def relu(Z):
    """Replace negative numbers by zero."""
    return np.maximum(Z, 0)


def identity(Z):
    """Leave numbers as they are."""
    return Z


# %% [markdown]
# ## Step 1. A layer, from any library
#
# In a layer every neuron weighs every sample: $Z = XW + b$. Write it for a batch, `(n, d_in)` to
# `(n, d_out)`, and so that a single sample of shape `(d_in,)` gives `(d_out,)`.
#
# Whose weights will your layer be given? scikit-learn keeps one neuron per column, as the chapter does, and
# PyTorch one neuron per row. If both sizes are equal, no shape tells one from the other, so the caller has to
# say which it is: `transposed=True` announces a `W` of shape `(d_out, d_in)`.


# %% nbgrader={"grade": false, "grade_id": "linear", "locked": false, "schema_version": 3, "solution": true, "task": false}
def linear(X, W, b, transposed=False):
    """Compute the pre-activations of a layer.

    Parameters
    ----------
    X : ndarray, shape (n, d_in) or (d_in,)
        Samples, one per row, or a single sample. Like `W` and `b`, of floats or of integers.
    W : ndarray, shape (d_in, d_out), or (d_out, d_in) if transposed
        Weights, one neuron per column; if transposed, one per row.
    b : ndarray, shape (d_out,)
        Biases, one per neuron.
    transposed : bool

    Returns
    -------
    ndarray, shape (n, d_out) or (d_out,)

    Example
    -------
    >>> W = np.array([[1.0, 2.0], [0.0, 1.0]])
    >>> linear(np.array([[1.0, 1.0]]), W, np.zeros(2))
    array([[1., 3.]])
    >>> linear(np.array([[1.0, 1.0]]), W, np.zeros(2), transposed=True)
    array([[3., 1.]])
    """
    ### BEGIN SOLUTION
    return X @ (W.T if transposed else W) + b
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-linear", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

X = np.array([[1.0, 2.0], [3.0, 4.0]])
W = np.array([[1.0, 10.0], [0.0, 1.0]])
b = np.array([0.0, 0.5])
check(
    linear,
    {"X": X, "W": W, "b": b},
    np.array([[1.0, 12.5], [3.0, 34.5]]),
    hint="The first neuron is the first column of W: (1, 0), so it says 1 and 3. The second has the "
    "bias 0.5, in both rows. With two samples, two inputs and two neurons W @ X has the right shape "
    "too, and so has a bias for each row. See 'A row of neurons is a matrix'.",
)
check(
    linear,
    {"X": X, "W": W, "b": b, "transposed": True},
    np.array([[21.0, 2.5], [43.0, 4.5]]),
    hint="transposed=True says that a neuron is a row of W: the first is (1, 10), and says 21 and 43. "
    "The samples stay in the rows of X. See 'A row of neurons is a matrix'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-linear-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: square and other shapes, both ways to keep weights, one sample, integers, float32.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_keyword, check_kinds

rng = np.random.default_rng(seed=1)
for n, d_in, d_out in [(3, 3, 3), (4, 2, 4), (5, 3, 2), (1, 4, 6), (6, 1, 3), (7, 5, 1)]:
    X, W, b = rng.normal(size=(n, d_in)), rng.normal(size=(d_in, d_out)), rng.normal(size=d_out)
    expected = np.einsum("ni,io->no", X, W) + np.tile(b, (n, 1))
    hint = (
        "X @ W, not W @ X, and the bias has a number for each neuron: it belongs to the columns, and "
        "every row gets the same. Only `transposed` says how W is kept: its shape does not, where "
        "both sizes are equal. See 'A row of neurons is a matrix'."
    )
    check(linear, {"X": X, "W": W, "b": b}, expected, hint=hint)
    check(linear, {"X": X, "W": W.T.copy(), "b": b, "transposed": True}, expected, hint=hint)
    for weights, transposed in ((W, False), (W.T.copy(), True)):
        check(
            linear,
            {"X": X[0], "W": weights, "b": b, "transposed": transposed},
            expected[0],
            hint="A single sample has shape (d_in,), and its answer shape (d_out,). X @ W does both.",
        )
X, W, b = np.array([[1.0, 2.0], [3.0, -4.0]]), np.array([[1.0, 2.0], [0.0, 1.0]]), np.ones(2)
kinds = ["float64", "float32", "integers", "strided"]
hint = (
    "The same numbers came as another kind of array, and the sums are the same. "
    "See 'A row of neurons is a matrix'."
)
check_kinds(
    linear,
    {"X": X, "W": W, "b": b},
    np.array([[2.0, 5.0], [4.0, 3.0]]),
    kinds=kinds,
    hint=hint,
)
check_kinds(linear, {"X": X[0], "W": W, "b": b}, np.array([2.0, 5.0]), kinds=kinds, hint=hint)
check_keyword(
    linear,
    {"X": X, "W": W, "b": b},
    "transposed",
    [(False, np.array([[2.0, 5.0], [4.0, 3.0]])), (True, np.array([[6.0, 3.0], [-4.0, -3.0]]))],
    hint="False: a neuron is a column of W. True: a neuron is a row.",
)
for b in ([0.5, 0.25], [-0.5, 2.75]):
    check(
        linear,
        {"X": X.astype(int), "W": W.astype(int), "b": np.array(b)},
        np.array([[1.0, 4.0], [3.0, 2.0]]) + b,
        hint="X and W hold integers, and the sums have fractions. An array of integers, such as X @ W "
        "is here, cannot hold them: np.zeros(X.shape) makes floats, and np.zeros_like(X) does not.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. What a network holds
#
# Before a network is built, its plan can be read: `widths` lists how many numbers a sample has at the input,
# after each hidden layer, and at the output. The chapter's digit network had `[64, 32, 32, 10]`. For each
# layer of the plan, report three things: the rows and the columns of what it passes on when a batch of `n`
# samples comes in, and how many parameters it has.


# %% nbgrader={"grade": false, "grade_id": "layer_table", "locked": false, "schema_version": 3, "solution": true, "task": false}
def layer_table(widths, n):
    """Rows, columns and parameters of each layer.

    Parameters
    ----------
    widths : list of int
        Numbers in a sample: at the input, after each hidden layer, at the output. At least
        two.
    n : int
        Samples in the batch.

    Returns
    -------
    list of (int, int, int)
        For each layer: rows and columns of what it passes on, and its number of parameters.

    Example
    -------
    >>> layer_table([3, 4, 2], n=5)
    [(5, 4, 16), (5, 2, 10)]
    """
    ### BEGIN SOLUTION
    table = []
    for i in range(len(widths) - 1):
        d_in, d_out = widths[i], widths[i + 1]
        table.append((n, d_out, d_in * d_out + d_out))
    return table
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-layer_table", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import check

check(
    layer_table,
    {"widths": [64, 32, 10], "n": 100},
    [[100, 32, 2080], [100, 10, 330]],
    hint="The input layer computes nothing and gets no row. A layer has a weight for each input of each "
    "neuron, 64 * 32, and one bias per neuron, 32, however many samples share them. "
    "See 'First, middle, last'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-layer_table-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: other plans, one sample, one layer, batches of several sizes.
### BEGIN HIDDEN TESTS
from course_lib.exercises import check

for widths, n, expected in [
    ([2, 1], 1, [[1, 1, 3]]),
    ([1, 5, 1], 1, [[1, 5, 10], [1, 1, 6]]),
    ([7, 7, 7, 7], 7, [[7, 7, 56]] * 3),
    ([3, 1, 4, 1, 5], 2, [[2, 1, 4], [2, 4, 8], [2, 1, 5], [2, 5, 10]]),
    ([784, 100, 10], 1, [[1, 100, 78_500], [1, 10, 1010]]),
    ([784, 100, 10], 600, [[600, 100, 78_500], [600, 10, 1010]]),
]:
    check(
        layer_table,
        {"widths": widths, "n": n},
        expected,
        hint="One row for each layer: n, the width after it, and d_in * d_out + d_out. The batch "
        "changes the rows and none of the parameters. See 'First, middle, last'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. A network
#
# Send samples through a list of layers, each of which is fed what the one before it passed on. An activation
# follows every layer but the last. Networks may mix them, so `activation` is either one function for all
# hidden layers, or a list of functions, one per hidden layer, first to last. Return all that was passed on:
# the input, the activations of each hidden layer, and the output. That is one array more than there are
# layers.


# %% nbgrader={"grade": false, "grade_id": "forward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def forward(X, layers, activation=relu):
    """Send samples through a network, and keep what each layer passes on.

    Parameters
    ----------
    X : ndarray, shape (n, d)
        Samples, one per row.
    layers : list of (W, b)
        The layers, first to last. At least one.
    activation : function, or list of functions
        What follows every layer but the last, or one function for each of these layers: as many
        as there are layers, less one.

    Returns
    -------
    list of ndarray
        The input, each hidden layer, the output. The input may be `X` itself.

    Example
    -------
    >>> two = [(np.array([[1.0, -1.0]]), np.zeros(2)), (np.array([[1.0], [2.0]]), np.zeros(1))]
    >>> [A.tolist() for A in forward(np.array([[3.0], [-2.0]]), two)]
    [[[3.0], [-2.0]], [[3.0, 0.0], [0.0, 2.0]], [[3.0], [4.0]]]
    >>> forward(np.array([[3.0], [-2.0]]), two, activation=[np.abs])[-1].tolist()
    [[9.0], [6.0]]
    """
    ### BEGIN SOLUTION
    hidden = len(layers) - 1
    activations = hidden * [activation] if callable(activation) else activation
    seen = [X]
    for (W, b), each in zip(layers[:-1], activations, strict=True):
        seen.append(each(linear(seen[-1], W, b)))
    return [*seen, linear(seen[-1], *layers[-1])]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-forward", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch import regions as reference

X = np.array([[2.0, 1.0], [-1.0, 4.0]])
one = np.array([[1.0, -1.0], [0.0, 1.0]]), np.array([0.0, -1.0])
two = np.array([[1.0, 2.0], [-3.0, 1.0]]), np.array([0.5, -9.0])
with given(linear=reference.linear):
    check(
        forward,
        {"X": X, "layers": [one, two]},
        [X, np.array([[2.0, 0.0], [0.0, 4.0]]), np.array([[2.5, -5.0], [-11.5, -5.0]])],
        hint="Two layers, three arrays: [0] is the input as it came, [1] the hidden layer after ReLU, "
        "in which no number is negative and which is what the next layer is fed with, [2] the output. "
        "No activation follows the output: scores may be negative. See 'First, middle, last'.",
    )
    check(
        forward,
        {"X": X, "layers": [one, one, two], "activation": [np.abs, np.negative]},
        [
            X,
            np.array([[2.0, 2.0], [1.0, 4.0]]),
            np.array([[-2.0, 1.0], [-1.0, -2.0]]),
            np.array([[-4.5, -12.0], [5.5, -13.0]]),
        ],
        hint="A list has one activation per hidden layer: np.abs follows the first layer, np.negative "
        "the second, and none follows the output. See 'First, middle, last'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-forward-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: one layer, many layers, other activations, one for all or one per layer, integers.
### BEGIN HIDDEN TESTS
from itertools import pairwise

import numpy as np

from course_lib.exercises import check, check_kinds, given
from course_lib.scratch import regions as reference


def doubled(Z):
    """An activation that a network would not have."""
    return 2 * Z


def halved(Z):
    """An activation that makes fractions of integers."""
    return Z / 2


def expected(X, layers, activations):
    seen = [X]
    for (W, b), activation in zip(layers, [*activations, np.positive], strict=True):
        seen.append(activation(np.einsum("ni,io->no", seen[-1], W) + b))
    return seen


rng = np.random.default_rng(seed=2)
with given(linear=reference.linear):
    for widths in ([3, 2], [2, 5, 1], [4, 3, 3, 6, 2], [1, 2, 2, 2, 2, 2, 1]):
        layers = [(rng.normal(size=(a, c)), rng.normal(size=c)) for a, c in pairwise(widths)]
        X = rng.normal(size=(5, widths[0]))
        hidden = len(layers) - 1
        check(
            forward,
            {"X": X, "layers": layers},
            expected(X, layers, hidden * [reference.relu]),
            hint="relu is what is used when nobody says otherwise. A network of one layer has no activation "
            "at all. See 'First, middle, last'.",
        )
        for activation in (np.abs, doubled):
            check(
                forward,
                {"X": X, "layers": layers, "activation": activation},
                expected(X, layers, hidden * [activation]),
                hint="Call activation, whatever it is, after each layer but the last, once. A network "
                "of one layer has no activation at all. See 'First, middle, last'.",
            )
        mixed = [np.tanh, doubled, np.abs, np.negative, np.tanh][:hidden]
        check(
            forward,
            {"X": X, "layers": layers, "activation": mixed},
            expected(X, layers, mixed),
            hint="The first of the list follows the first layer, and so on; none follows the last layer, "
            "which is computed all the same. With one layer the list is empty. "
            "See 'First, middle, last'.",
        )
    X = np.array([[1.0, 2.0], [3.0, -4.0]])
    layers = [
        (np.array([[1.0, 2.0], [0.0, 1.0]]), np.ones(2)),
        (np.array([[1.0], [2.0]]), np.array([3.0])),
    ]
    check_kinds(
        forward,
        {"X": X, "layers": layers, "activation": halved},
        expected(X, layers, [halved]),
        kinds=["float64", "float32", "integers", "strided"],
        hint="Integers came in, and half of them are fractions: an array of integers cannot hold them.",
    )
    check(
        forward,
        {"X": X.astype(int), "layers": [(W / 4, b / 8) for W, b in layers]},
        expected(X, [(W / 4, b / 8) for W, b in layers], [reference.relu]),
        hint="X holds integers, and what the layers pass on has fractions: an array made with "
        "np.zeros_like(X) cannot hold them.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. How many are right?
#
# A network with a single output unit says "class 1" where its score is above 0, and otherwise "class 0". A
# network with a unit for each of $k$ classes names the class with the highest score. Write the share of right
# answers for both kinds. (The highest score in a row occurs only once.)
#
# Scores have shape `(n, 1)` or `(n, k)`, labels have shape `(n,)`, and between a column and the labels lies
# the most expensive mistake in this exercise: it raises no error, and it makes every network look as good as
# tossing a coin.


# %% nbgrader={"grade": false, "grade_id": "share_right", "locked": false, "schema_version": 3, "solution": true, "task": false}
def share_right(scores, labels):
    """Compute the share of samples whose label agrees with the scores.

    Parameters
    ----------
    scores : ndarray, shape (n, 1) or (n, k)
        Output of a network. One column: above 0 for class 1, otherwise class 0. Two columns or
        more: the highest score of a row stands in the column of its class.
    labels : ndarray, shape (n,)
        Classes: integers from 0 to k - 1; 0 or 1 for a single column.

    Returns
    -------
    float
        One number, from 0 to 1.

    Example
    -------
    >>> float(share_right(np.array([[2.0], [-1.0], [0.1], [-3.0]]), np.array([1, 0, 0, 0])))
    0.75
    >>> float(share_right(np.array([[0.1, -2.0, 0.3], [5.0, 4.0, 3.0]]), np.array([2, 1])))
    0.5
    """
    ### BEGIN SOLUTION
    answers = scores[:, 0] > 0 if scores.shape[1] == 1 else scores.argmax(axis=1)
    return np.mean(answers == labels)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-share_right", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    share_right,
    {"scores": np.array([[2.0], [-1.0], [5.0], [0.2]]), "labels": np.array([1, 0, 1, 1])},
    1.0,
    hint="All four are right: 0.2 is above 0, and -1 is not, which is class 0. If you got 0.625, "
    "every score was compared with every label: (4, 1) against (4,) is stretched to (4, 4). Take the "
    "column out first: a row of scores is an array of length 1, and no number. The highest of a "
    "single score is always the first: argmax is for several columns. See 'What a hidden unit sees'.",
)
check(
    share_right,
    {
        "scores": np.array(
            [[0.5, 2.0, -1.0], [-3.0, -2.0, -1.0], [3.0, 2.0, 1.0], [1.0, 0.0, 9.0]]
        ),
        "labels": np.array([1, 2, 1, 2]),
    },
    0.75,
    hint="The highest scores stand in the columns 1, 2, 0 and 2, whether they are above 0 or not. "
    "Three of the four labels say the same. See 'First, middle, last'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-share_right-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: many samples, one sample, two to ten classes, scores of exactly 0, integers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds

rng = np.random.default_rng(seed=3)
for n in (1, 2, 50, 301):
    scores, labels = rng.normal(size=(n, 1)), (rng.uniform(size=n) < 0.8).astype(int)
    right = sum(int((s > 0) == (y == 1)) for (s,), y in zip(scores, labels, strict=True))
    check(
        share_right,
        {"scores": scores, "labels": labels},
        right / n,
        hint="Each score is compared with its own label, n comparisons in all. The share is the "
        "number of those that agree, divided by n. See 'What a hidden unit sees'.",
    )
    for k in (2, 3, 10):
        scores, labels = rng.normal(size=(n, k)), rng.integers(k, size=n)
        right = sum(
            row.index(max(row)) == y for row, y in zip(scores.tolist(), labels, strict=True)
        )
        check(
            share_right,
            {"scores": scores, "labels": labels},
            right / n,
            hint="Two columns or more are one score per class: the class is the column of the highest "
            "score in the row, with two classes as with ten. See 'First, middle, last'.",
        )
check(
    share_right,
    {"scores": np.array([[0.0], [0.0], [1.0]]), "labels": np.array([0, 0, 1])},
    1.0,
    hint="A score of exactly 0 is not above 0: class 0.",
)
for scores, labels in (
    (np.array([[2.0], [-1.0], [1.0], [-3.0]]), [1, 0, 0, 0]),
    (np.array([[2.0, 1.0], [-1.0, 0.0], [0.0, 1.0], [-3.0, -4.0]]), [0, 1, 1, 1]),
):
    check_kinds(
        share_right,
        {"scores": scores, "labels": np.array(labels)},
        0.75,
        kinds=["float64", "float32", "integers", "strided"],
        hint="A share is a fraction, whatever kind of numbers the scores are.",
    )
### END HIDDEN TESTS

# %% [markdown]
# Somebody else has trained a network on two spirals. Its weights are pairs `(W, b)`, so your functions
# can run it. Nothing is left to write here.


# %%
def spirals(n, seed):
    """Two spirals, one inside the other: points (n, 2) and labels (n,)."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    radius = np.sqrt(rng.uniform(0.02, 1, n))
    angle = 2.5 * np.pi * radius + np.pi * labels
    points = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return 1.5 * points + rng.normal(0, 0.03, (n, 2)), labels


learner = MLPClassifier((16, 16), solver="lbfgs", alpha=1e-3, max_iter=5000, random_state=0)
learner.fit(*spirals(400, seed=0))
net = list(zip(learner.coefs_, learner.intercepts_, strict=True))
points, labels = spirals(1000, seed=1)
for rows, columns, parameters in layer_table([2, 16, 16, 1], n=1000):
    print(f"({rows}, {columns:2})  {parameters:3} parameters")
print(f"with ReLU: {share_right(forward(points, net)[-1], labels):.0%} right")
print(f"without:   {share_right(forward(points, net, activation=identity)[-1], labels):.0%} right")

# %% [markdown]
# ## Step 5. Collapse
#
# Layers with nothing between them are one layer. Find that layer: given a list of `(W, b)`, return a single
# pair `(W, b)` with the same output for every input. You may work it out with matrix products, or by asking
# the stack, as the chapter does.


# %% nbgrader={"grade": false, "grade_id": "collapse", "locked": false, "schema_version": 3, "solution": true, "task": false}
def collapse(layers):
    """Replace layers with nothing between them by a single one.

    Parameters
    ----------
    layers : list of (W, b)
        The layers, first to last. At least one.

    Returns
    -------
    W : ndarray, shape (d_in of the first, d_out of the last)
    b : ndarray, shape (d_out of the last,)

    Example
    -------
    >>> two = [(np.array([[2.0]]), np.array([1.0])), (np.array([[3.0]]), np.array([5.0]))]
    >>> collapse(two)
    (array([[6.]]), array([8.]))
    """
    ### BEGIN SOLUTION
    W, b = layers[0]
    for W_next, b_next in layers[1:]:
        W, b = W @ W_next, b @ W_next + b_next
    return W, b
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-collapse", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch import regions as reference


def given_forward(X, layers, activation=reference.relu):
    seen = [X]
    for i, (W, b) in enumerate(layers):
        each = activation if callable(activation) else [*activation, None][i]
        Z = np.asarray(seen[-1]) @ W + b
        seen.append(Z if i == len(layers) - 1 else each(Z))
    return seen


one = np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([1.0, -1.0])
two = np.array([[1.0, 0.0], [3.0, 1.0]]), np.array([10.0, 20.0])
with given(linear=reference.linear, forward=given_forward):
    check(
        collapse,
        {"layers": [one, two]},
        (np.array([[7.0, 2.0], [3.0, 1.0]]), np.array([8.0, 19.0])),
        what="collapse([([[1, 2], [0, 1]], [1, -1]), ([[1, 0], [3, 1]], [10, 20])])",
        hint="Wrong in [0], the weights: samples meet the first layer first, and they stand on the "
        "left, so the weights are multiplied in the order in which the layers stand. Wrong in [1], the "
        "bias: it is what comes out for zeros. The first bias passes through the second layer's "
        "weights, and then the second bias is added. See 'Who made the corners?'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-collapse-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: one layer, many layers, narrow ones, integers, float32.
### BEGIN HIDDEN TESTS
from functools import reduce
from itertools import pairwise

import numpy as np

from course_lib.exercises import check, check_kinds, given
from course_lib.scratch import regions as reference


def given_forward(X, layers, activation=reference.relu):
    seen = [X]
    for i, (W, b) in enumerate(layers):
        each = activation if callable(activation) else [*activation, None][i]
        Z = np.asarray(seen[-1]) @ W + b
        seen.append(Z if i == len(layers) - 1 else each(Z))
    return seen


def expected(layers):
    """The product of all weights, and what comes out for zeros."""
    b = np.zeros(len(layers[0][0]))
    for W_next, b_next in layers:
        b = np.einsum("i,io->o", b, W_next) + b_next
    return reduce(np.matmul, [W for W, _ in layers]), b


hint = (
    "Absorb one layer after the other, all of them, and let the bias so far pass through each. A single "
    "layer collapses to itself. See 'Who made the corners?'."
)
rng = np.random.default_rng(seed=4)
with given(linear=reference.linear, forward=given_forward):
    for widths in ([3, 2], [4, 1, 5], [2, 3, 4], [1, 6, 6, 6, 6, 2], [5, 5, 5, 5]):
        layers = [(rng.normal(size=(a, c)), rng.normal(size=c)) for a, c in pairwise(widths)]
        check(
            collapse,
            {"layers": layers},
            expected(layers),
            what=f"collapse(layers of widths {widths})",
            hint=hint,
        )
    whole = [
        (np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([1.0, 0.0])),
        (np.array([[1.0, 2.0, 3.0], [0.0, 1.0, -2.0]]), np.array([3.0, 0.0, 2.0])),
        (np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 4.0]]), np.array([1.0, -1.0])),
    ]
    check_kinds(
        collapse,
        {"layers": whole},
        expected(whole),
        kinds=["float64", "float32", "integers", "strided"],
        what="collapse(three layers)",
        hint=hint,
    )
    for i in range(3):
        mixed = [(W.astype(int), b.astype(int)) for W, b in whole]
        mixed[i] = whole[i][0] / 4, whole[i][1] / 8
        check(
            collapse,
            {"layers": mixed},
            expected(mixed),
            what=f"collapse(three layers, {i + 1} of fractions, the others of integers)",
            hint="An array of integers cannot hold fractions: make one of floats, or let NumPy choose "
            "(A @ B makes a new array that holds both).",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. Fold a line
#
# Now set weights by hand. A *tent* rises from 0 to 1 while its input goes from 0 to `peak`, and falls back to
# 0 while it goes on to 1. Two ReLU units can make it: the chapter has one whose peak is in the middle. What
# comes out is again a number from 0 to 1, so another tent can follow, and another.
#
# Write a network with `folds` hidden layers of two units each, one input and one output, and the same `peak`
# in every fold. With ReLU between its layers, while the input goes from 0 to 1, its output starts at 0 and
# goes up and down between 0 and 1 in $2^\text{folds}$ straight pieces. (What it does for other inputs does
# not matter.) Where one tent ends and the next begins, two linear maps stand side by side: your `collapse`
# turns them into one.


# %% nbgrader={"grade": false, "grade_id": "tent", "locked": false, "schema_version": 3, "solution": true, "task": false}
def tent(folds, peak=0.5):
    """Set the weights of a network that folds the interval from 0 to 1 again and again.

    Parameters
    ----------
    folds : int
        The number of hidden layers, at least 1.
    peak : float, 0 < peak < 1
        Where each tent has its peak.

    Returns
    -------
    list of (W, b)
        `folds` hidden layers of 2 units, and an output layer of 1.

    Example
    -------
    >>> x = np.array([[0.0], [0.25], [0.5], [0.75], [1.0]])
    >>> forward(x, tent(2))[-1].ravel()
    array([0., 1., 0., 1., 0.])
    >>> forward(x, tent(1, peak=0.75))[-1].ravel().round(4)
    array([0.    , 0.3333, 0.6667, 1.    , 0.    ])
    """
    ### BEGIN SOLUTION
    rise, fall = 1 / peak, 1 / (1 - peak)
    look = np.array([[1.0, 1.0]]), np.array([0.0, -peak])  # relu(x), relu(x - peak)
    add = np.array([[rise], [-rise - fall]]), np.array([0.0])
    return [look] + (folds - 1) * [collapse([add, look])] + [add]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-tent", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, call, check, given
from course_lib.scratch import regions as reference

with given(linear=reference.linear, forward=reference.forward, collapse=reference.collapse):
    check(
        tent,
        {"folds": 1},
        [([[0.0, 0.0]], [0.0, 0.0]), ([[0.0], [0.0]], [0.0])],
        atol=np.inf,  # the shapes are the subject, with any numbers
        hint="One hidden layer (W of 1 row and 2 columns, b of 2 numbers), then an output layer (W of 2 "
        "rows and 1 column, b of 1 number). See 'Depth multiplies'.",
    )
    x = np.linspace(0, 1, 9)[:, None]
    for peak, expected in (
        (0.5, [0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25, 0]),
        (0.25, [0, 0.5, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 0]),
    ):
        layers = call(tent, {"folds": 1, "peak": peak})
        assert_close(
            reference.forward(x, [(np.asarray(W, float), np.asarray(b, float)) for W, b in layers])[
                -1
            ],
            np.reshape(expected, (9, 1)),
            what=f"The output of tent(folds=1, peak={peak}) at 0, 1/8, 2/8, ..., 1",
            hint="Up from 0 to 1 at the peak, and down to 0 again. With the peak at 0.5, the slope is 2 "
            "before it and must be -2 after it: a second hinge has to take away both the slope 2 and "
            "as much again. Elsewhere the two sides differ: the shorter one is steeper. "
            "See 'Depth multiplies'.",
        )

# %% nbgrader={"grade": true, "grade_id": "test-tent-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: one to eight folds, other peaks: how many layers and units, and what comes out.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, call, check, given
from course_lib.scratch import regions as reference

with given(linear=reference.linear, forward=reference.forward, collapse=reference.collapse):
    for folds in (1, 2, 3, 5, 8):
        first, between = ([[0.0, 0.0]], [0.0, 0.0]), ([[0.0, 0.0], [0.0, 0.0]], [0.0, 0.0])
        check(
            tent,
            {"folds": folds, "peak": 0.3},
            [first, *(folds - 1) * [between], ([[0.0], [0.0]], [0.0])],
            atol=np.inf,  # the shapes are the subject, with any numbers
            hint="As many hidden layers as folds, two units in each, and an output layer of one. A wide "
            "layer can make the same curve, but not with so few units. See 'Depth multiplies'.",
        )
        for peak in (0.5, 0.25, 0.7, 0.9):
            layers = call(tent, {"folds": folds, "peak": peak})
            layers = [(np.asarray(W, float), np.asarray(b, float)) for W, b in layers]
            # The corners and two points between each two of them, found from the last fold back.
            x = np.array([0.0, 0.4, 0.8, 1.0])
            for _ in range(folds):
                x = np.union1d(x * peak, 1 - x * (1 - peak))
            expected = x
            for _ in range(folds):
                expected = np.where(expected < peak, expected / peak, (1 - expected) / (1 - peak))
            assert_close(
                reference.forward(x[:, None], layers)[-1],
                expected[:, None],
                what=f"The output of tent(folds={folds}, peak={peak}) at and between its corners",
                hint="Each hidden layer sees the tent before it, not the input: between two folds the "
                "output weights of one tent and the input weights of the next become one matrix. The "
                "slopes are 1 / peak and -1 / (1 - peak), in every fold. See 'Depth multiplies'.",
            )
### END HIDDEN TESTS

# %% [markdown]
# How many pieces do your networks have, and how many could one hidden layer have with the same number of
# parameters? `count_pieces` finds all corners of a ReLU network exactly. Does their number depend on where
# the peak is?

# %%
print("folds  parameters  pieces  with the peak at 0.3  one layer, at most")
for folds in (1, 2, 4, 8, 12):
    parameters = sum(np.size(W) + np.size(b) for W, b in tent(folds))
    pieces = [count_pieces(tent(folds, peak)) for peak in (0.5, 0.3)]
    print(f"{folds:5} {parameters:11} {pieces[0]:7} {pieces[1]:21} {2 * folds + 1:19}")

# %% [markdown]
# ## Step 7. Fold a sheet, and cut
#
# Fold a sheet of paper along a line through the origin. The line is given by an arrow `u` of length 1 at
# right angles to it, as the line of a neuron is given by its weights. On the side that the arrow points to,
# points stay where they are. Points on the other side land on their mirror image:
#
# $$x \mapsto x \quad\text{if } x \cdot u \ge 0, \qquad x \mapsto x - 2\,(x \cdot u)\,u \quad\text{otherwise.}$$
#
# Two numbers say where a point is: $p = x \cdot u$, how far it lies along $u$, and $q = x \cdot v$, how far
# it lies along $v = (-u_2, u_1)$, an arrow of length 1 in the line itself. The fold replaces $p$ by $|p|$ and
# leaves $q$ alone. Write two layers that do this with ReLU between them, and that return the point in its old
# coordinates. The sheet has no end: the fold must be right for every point, however near or far. (ReLU drops
# negative numbers. How can a number that may be negative, of any size, get through it?)


# %% nbgrader={"grade": false, "grade_id": "fold", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fold(u):
    """Set the weights of two layers that fold the plane along a line through the origin.

    Parameters
    ----------
    u : ndarray, shape (2,)
        An arrow of length 1, at right angles to the line.

    Returns
    -------
    list of (W, b)
        A hidden layer with 2 inputs and as many units as you like, and a layer with 2 outputs.

    Example
    -------
    >>> forward(np.array([[-3.0, 2.0], [3.0, -2.0]]), fold(np.array([1.0, 0.0])))[-1]
    array([[ 3.,  2.],
           [ 3., -2.]])
    """
    ### BEGIN SOLUTION
    v = np.array([-u[1], u[0]])
    # |p| = relu(p) + relu(-p), and q = relu(q) - relu(-q).
    take = np.column_stack([u, -u, v, -v]), np.zeros(4)
    put = np.stack([u, u, v, -v]), np.zeros(2)
    return [take, put]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-fold", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, assert_equal, call, given
from course_lib.scratch import regions as reference

with given(linear=reference.linear, forward=reference.forward, collapse=reference.collapse):
    layers = call(fold, {"u": np.array([1.0, 0.0])})
    assert_equal(
        [len(layers), np.shape(layers[0][0])[0], np.shape(layers[-1][0])[1]],
        [2, 2, 2],
        what="Layers, inputs and outputs of fold(u=[1, 0])",
        hint="A hidden layer with 2 inputs and a second layer with 2 outputs.",
    )
    layers = [(np.asarray(W, float), np.asarray(b, float)) for W, b in layers]
    points = np.array([[3.0, 2.0], [3.0, -2.0], [-3.0, 2.0], [-3.0, -2e6]])
    assert_close(
        reference.forward(points, layers)[-1],
        [[3.0, 2.0], [3.0, -2.0], [3.0, 2.0], [3.0, -2e6]],
        what="Where fold(u=[1, 0]) puts the points (3, 2), (3, -2), (-3, 2), (-3, -2000000)",
        hint="Here p is the first coordinate and q the second. p becomes |p|, and q stays as it is, "
        "negative or not. |p| is relu(p) + relu(-p), and q needs two units as well: what one of them "
        "drops, the other one keeps. A bias that lifts q above 0 does so for near points only. "
        "See 'Depth multiplies'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-fold-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: lines in all directions, points near and far, integers, float32.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, call, given
from course_lib.scratch import regions as reference

rng = np.random.default_rng(seed=6)
with given(linear=reference.linear, forward=reference.forward, collapse=reference.collapse):
    for degrees in (90, 180, 270, 45, 30, -75, 200):
        angle = np.radians(degrees)
        u = np.array([np.cos(angle), np.sin(angle)])
        layers = [(np.asarray(W, float), np.asarray(b, float)) for W, b in call(fold, {"u": u})]
        for far in (1.0, 1e4, 1e12):
            X = far * rng.normal(size=(40, 2))
            along = (X * u).sum(axis=1)
            assert_close(
                reference.forward(X, layers)[-1],
                np.where(along[:, None] >= 0, X, X - 2 * along[:, None] * u),
                atol=1e-6 * far,
                what=f"Where fold puts 40 points at distances of about {far:g}, for an arrow u at "
                f"{degrees} degrees",
                hint="The absolute value belongs to p, the distance along u, which is a coordinate only "
                "if u is an axis. Turn into the directions u and v, fold, and turn back: |p| u + q v. "
                "Wrong only far away, or only near by: a bias that lifts q above 0 is too small for "
                "some points, and rounds the others away. See 'Depth multiplies'.",
            )
    X = rng.normal(size=(40, 2))
    for u in (np.array([0, -1]), np.array([-1, 0]), np.array([0.6, -0.8], dtype=np.float32)):
        along = (X * u).sum(axis=1)
        layers = [(np.asarray(W, float), np.asarray(b, float)) for W, b in call(fold, {"u": u})]
        assert_close(
            reference.forward(X, layers)[-1],
            np.where(along[:, None] >= 0, X, X - 2 * along[:, None] * u),
            rtol=1e-4,
            atol=1e-5,
            what=f"Where fold puts 40 points, for the {u.dtype} arrow {u.round(1).tolist()}",
            hint="The same arrow as another kind of numbers gives the same fold.",
        )
### END HIDDEN TESTS

# %% [markdown]
# Fold a sheet four times, so that twelve wedges of 30 degrees lie on top of each other. A last hidden layer
# is the pair of scissors: its hinges make a zigzag line, and the output is above 0 below that line, where
# paper is left. Between two folds there are two linear maps side by side again, and your `collapse` merges
# them. Then we open the sheet, fold by fold.


# %%
def arrow(degrees):
    """At right angles to the line in that direction; points to the smaller angles."""
    return np.array([np.sin(np.radians(degrees)), -np.cos(np.radians(degrees))])


def scissors(corners):
    """Two layers: positive where a point lies below the line through these corners."""
    x, y = np.transpose(corners)
    turns = np.diff(np.diff(y) / np.diff(x), prepend=0.0)
    W = np.vstack([np.append(np.ones(len(turns)), 0.0), np.append(np.zeros(len(turns)), 1.0)])
    return [(W, np.append(-x[:-1], 0.0)), (np.append(turns, -1.0)[:, None], y[:1])]


def one_network(parts):
    """Put pairs of layers one after the other; where two linear maps meet, make them one."""
    layers = [layer for part in parts for layer in part]
    inner = [collapse(layers[i : i + 2]) for i in range(1, len(layers) - 1, 2)]
    return [layers[0], *inner, layers[-1]]


zigzag = [(0.0, 0.16), (0.2, 0.03), (0.28, 0.2), (0.37, 0.03), (0.47, 0.27), (0.6, 0.03),
          (0.7, 0.17), (0.82, 0.03), (0.88, 0.09), (1.0, -0.03)]  # fmt: skip
# The upper half stays (minus: the larger angles), then what lies below 90, 60 and 30 degrees.
folds = [fold(-arrow(0)), fold(arrow(90)), fold(arrow(60)), fold(arrow(30))]
snowflake = one_network([*folds, scissors(zigzag)])
print("units in the hidden layers:", *(W.shape[1] for W, _ in snowflake[:-1]))
print("parameters:", sum(W.size + b.size for W, b in snowflake))


# %%
@styled
def opened(folds, cut):
    """The sheet with all folds, with one fold less, and so on, until it lies open."""
    figure, panels = new_figure(1, 5, width=7.0, height=2.7, width_ratios=(1, 1, 1, 1, 2.6))
    axis = np.linspace(-1.02, 1.02, 401)
    x, y = np.meshgrid(axis, axis)
    radius, angle = np.hypot(x, y), np.degrees(np.arctan2(y, x)) % 360
    points = np.column_stack([x.ravel(), y.ravel()])
    for k, (axes, wedge) in enumerate(zip(panels, (30, 60, 90, 180, 360), strict=True)):
        net = one_network([*folds[4 - k :], cut])  # without the folds that are still closed
        kept = forward(points, net)[-1].reshape(x.shape)
        sheet = angle <= wedge
        shown = np.where(sheet, radius, 2), np.where(sheet, kept, -1)
        axes.contourf(x, y, shown[0], levels=[0, 1], colors=[COLORS[0]], alpha=0.15)
        axes.contourf(x, y, shown[1], levels=[0, np.inf], colors=[COLORS[0]], alpha=0.85)
        axes.set(aspect="equal", xlim=(axis[0] if wedge > 90 else -0.02, axis[-1]))
        axes.set_ylim(axis[0] if wedge > 180 else -0.02, axis[-1])
        axes.set_axis_off()
    return figure


opened(folds, scissors(zigzag))

# %% [markdown]
# **What you see.** One zigzag of nine hinges, seen twelve times. The network never drew a snowflake: its last
# hidden layer cuts one line, and four layers of four units see to it that twelve places on the sheet are the
# same place to whatever comes after them. A single hidden layer would have to draw every edge by itself.
# Change `zigzag`, or the folds, and cut your own.

# %% [markdown]
# ## Step 8. Forty layers of ten
#
# *4 points, read by a person. About 150 words.*
#
# A colleague reads digits (64 inputs, 10 scores) with one hidden layer of 4,000 ReLU units, and it
# works. After this chapter she wants to replace it by 40 hidden layers of 10 units, "because folding
# gives $2^{40}$ pieces, and with far fewer parameters".
#
# 1. How many parameters does each of the two networks have?
# 2. What is right in her argument, and what does it leave out?
# 3. Name something about 40 layers of *ten* units that you would worry about before any training.
# 4. How would you find out which shape is better for her task? Say what you would compare, and what
#    you would keep equal.

# %% [markdown] nbgrader={"grade": true, "grade_id": "why-forty-layers", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# The wide network has 64 · 4,000 + 4,000 = 260,000 parameters in the hidden layer and 40,010 in the
# output layer, 300,010 in all. The narrow one has 650 + 39 · 110 + 110 = 5,050.
#
# It is right that depth *can* multiply pieces: weights set by hand fold a line 2^n times, which a
# layer of fixed width cannot match. But that is what can be written down, not what training finds. Folds that are
# a little off lose most of their pieces, random deep networks have few, and networks trained on the
# spirals had fewer pieces deep than wide and were just as right. Depth did win where the task was made
# of two steps, with three layers of 16, and the number of pieces was not the reason. Nor does anybody
# need 2^40 pieces to read digits.
#
# I would worry that the first layer squeezes 64 pixels into ten numbers, and nothing after it can
# bring back what was lost. And forty narrow layers in a row are easily silenced at the start: if all
# ten units of one layer are zero on every image, the output is constant.
#
# I would train several shapes (one layer, two or three, forty) with about the same number of
# parameters, each from several random starts and with a fairly chosen learning rate, and compare
# accuracy on images that were used neither for training nor for choosing.
#
# === BEGIN MARK SCHEME ===
# One point each; half points where the idea is there and the reason is not.
#
# 1. **Numbers.** 300,010 and 5,050. (0.5 for one of the two, or for both without the biases: 296,000 and
#    4,640.)
# 2. **Possible is not found.** Depth can multiply pieces; random, perturbed or trained networks have
#    far fewer, or: the number of pieces is not what the task needs. (0.5 for only one side.)
# 3. **A worry that is specific to narrow and deep.** Ten numbers as a bottleneck; layers that are
#    silent on all images; hard to train. (0.5 for "too deep" without a reason.)
# 4. **A fair comparison.** Unseen data, several starts, and something kept equal (parameters, or time,
#    or effort of tuning). (0.5 without several starts, or without saying what is equal. Counting
#    pieces is not a comparison for her task: 0.)
#
# An answer that says that without ReLU between the forty layers they would be one layer of rank at
# most ten earns a point that was lost elsewhere (never more than 4).
# === END MARK SCHEME ===
