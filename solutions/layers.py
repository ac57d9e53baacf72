# ---
# jupyter:
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
# - **Needs:** the chapter *What do input, hidden and output layers do?*, NumPy arrays, a loop.
#
# You will write a layer and a network, count what they hold, and run with them a network that somebody
# else has trained. Then you set weights by hand: first a network that folds a line until it has more
# straight pieces than one layer could make, then layers that fold a sheet of paper. At the end your
# layers make one cut through the folded sheet, and you open it.
#
# **How to check.** Each step has a test below it: run it, and it is silent when all is well.
# *Validate* in the notebook's toolbar runs all of them. `course check layers` in a terminal also runs
# the hidden tests, which try what the visible ones do not, and shows points and hints in a table. A
# wrong step does not cost you the later ones: where a test says `given(...)`, it lends your function a
# right version of what an earlier step was to build. Section names in the hints are those of the
# chapter.
#
# **What holds in every step**
#
# - `X` holds samples, one a row: shape `(n, d_in)`. `W` holds neurons, one a column: shape
#   `(d_in, d_out)`. `b` holds a number for each neuron: shape `(d_out,)`.
# - A network is a list of layers, and a layer is a pair `(W, b)`.
# - Arrays and lists belong to their owner: return new ones and leave those you were given as they
#   were.
# - Loops or whole arrays, NumPy or another library inside your function: all of it counts, if NumPy
#   arrays come out.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np
from sklearn.neural_network import MLPClassifier

from course_lib.plotting.style import COLORS, new_figure, styled
from course_lib.scratch.regions import count_pieces

np.set_printoptions(suppress=True)


def relu(Z):
    """Replace negative numbers by zero."""
    return np.maximum(Z, 0)


def nothing(Z):
    """Leave numbers as they are."""
    return Z


# %% [markdown]
# ## Step 1. A layer
#
# A layer lets every neuron weigh every sample: $Z = XW + b$. Write it for a batch, `(n, d_in)` to
# `(n, d_out)`, and so that a single sample of shape `(d_in,)` gives `(d_out,)`.


# %% nbgrader={"grade": false, "grade_id": "linear", "locked": false, "schema_version": 3, "solution": true, "task": false}
def linear(X, W, b):
    """What a row of neurons says to each sample.

    Parameters
    ----------
    X : ndarray, shape (n, d_in) or (d_in,)
        Samples, one a row, or a single sample. Like `W` and `b`, fractions or whole numbers.
    W : ndarray, shape (d_in, d_out)
        Weights, one neuron a column.
    b : ndarray, shape (d_out,)
        Biases, one a neuron.

    Returns
    -------
    ndarray, shape (n, d_out) or (d_out,)

    Example
    -------
    >>> linear(np.array([[1.0, 2.0]]), np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]), np.zeros(3))
    array([[1., 2., 3.]])
    """
    ### BEGIN SOLUTION
    return X @ W + b
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-linear", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close

assert_close(
    linear(
        np.array([[1.0, 2.0], [3.0, 4.0]]),
        np.array([[1.0, 10.0], [0.0, 1.0]]),
        np.array([0.0, 0.5]),
    ),
    [[1.0, 12.5], [3.0, 34.5]],
    what="linear([[1, 2], [3, 4]], W=[[1, 10], [0, 1]], b=[0, 0.5])",
    hint="The first neuron is the first column of W: (1, 0), so it says 1 and 3. The second has the "
    "bias 0.5, in both rows. With two samples, two inputs and two neurons W @ X has the right shape "
    "too, and so has a bias for each row. See 'A row of neurons is a matrix'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-linear-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: square and other shapes, one sample, whole numbers, and whether X is left as it was.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, assert_equal, probe


def attempt(linear, X, W, b):
    """What linear returns, or its error as a text, so that the hint stands beside it."""
    try:
        return linear(X, W, b)
    except (TypeError, ValueError, IndexError) as error:
        return f"{type(error).__name__}: {error}"


rng = np.random.default_rng(seed=1)
for n, d_in, d_out in [(3, 3, 3), (4, 2, 4), (5, 3, 2), (1, 4, 6), (6, 1, 3), (7, 5, 1)]:
    X, W, b = rng.normal(size=(n, d_in)), rng.normal(size=(d_in, d_out)), rng.normal(size=d_out)
    assert_close(
        linear(X, W, b),
        np.einsum("ni,io->no", X, W) + np.tile(b, (n, 1)),
        what=f"linear of {n} samples with {d_in} inputs for {d_out} neurons",
        hint="X @ W, not W @ X, and the bias has a number for each neuron: it belongs to the "
        "columns, and every row gets the same. See 'A row of neurons is a matrix'.",
    )
assert_close(
    probe(attempt, linear, np.array([1.0, 2.0]), np.array([[1.0, 0, 2], [3, 1, 0]]), np.zeros(3)),
    [7.0, 2.0, 2.0],
    what="linear of the single sample [1, 2], W=[[1, 0, 2], [3, 1, 0]], b=[0, 0, 0]",
    hint="A single sample has shape (d_in,), and its answer shape (d_out,). X @ W does both.",
)
X, W, b = np.array([[1, 2], [3, 4]]), np.array([[1, 0], [0, 1]]), np.array([0.5, 0.25])
assert_close(
    probe(attempt, linear, X, W, b),
    [[1.5, 2.25], [3.5, 4.25]],
    what="linear of the integers [[1, 2], [3, 4]], W=[[1, 0], [0, 1]], b=[0.5, 0.25]",
    hint="Whole numbers came in and the sums are fractions. An array of integers, such as X @ W is "
    "here, cannot hold them: write Z = Z + b for Z += b, and make empty arrays of floats.",
)
assert_equal(
    [X.tolist(), W.tolist(), b.tolist()],
    [[[1, 2], [3, 4]], [[1, 0], [0, 1]], [0.5, 0.25]],
    what="The arrays that were given to linear",
    hint="Your function changed its arguments: make new arrays.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. What a network holds
#
# Before a network is built, its plan can be read: `widths` lists how many numbers a sample has at the
# input, behind each hidden layer, and at the output. The digits had `[64, 32, 32, 10]`. For each layer of the
# plan, say three things: the rows and the columns of what it passes on when a batch of `n` samples
# comes in, and how many parameters it has.


# %% nbgrader={"grade": false, "grade_id": "layer_table", "locked": false, "schema_version": 3, "solution": true, "task": false}
def layer_table(widths, n):
    """Rows, columns and parameters of each layer.

    Parameters
    ----------
    widths : list of int
        Numbers in a sample: at the input, behind each hidden layer, at the output. At least
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
import numpy as np

from course_lib.exercises import assert_close

assert_close(
    layer_table([64, 32, 10], 100),
    [[100, 32, 2080], [100, 10, 330]],
    what="layer_table([64, 32, 10], n=100)",
    hint="The input layer computes nothing and gets no row. A layer has a weight for each input of each "
    "neuron, 64 * 32, and one bias a neuron, 32, however many samples share them. "
    "See 'First, middle, last'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-layer_table-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: other plans, one sample, one layer, batches of several sizes, and whether widths is left as it was.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, assert_equal

for widths, n, expected in [
    ([2, 1], 1, [[1, 1, 3]]),
    ([1, 5, 1], 1, [[1, 5, 10], [1, 1, 6]]),
    ([7, 7, 7, 7], 7, [[7, 7, 56]] * 3),
    ([3, 1, 4, 1, 5], 2, [[2, 1, 4], [2, 4, 8], [2, 1, 5], [2, 5, 10]]),
    ([784, 1000, 10], 1, [[1, 1000, 785_000], [1, 10, 10_010]]),
    ([784, 1000, 10], 60_000, [[60_000, 1000, 785_000], [60_000, 10, 10_010]]),
]:
    plan = list(widths)
    assert_close(
        layer_table(plan, n),
        expected,
        what=f"layer_table({widths}, n={n})",
        hint="One row for each layer: n, the width behind it, and d_in * d_out + d_out. The batch "
        "changes the rows and none of the parameters. See 'First, middle, last'.",
    )
    assert_equal(
        plan,
        widths,
        what="The list of widths after layer_table",
        hint="Your function changed the list that it was given: leave it as it was.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. A network
#
# Send samples through a list of layers, each fed with what the one before it passed on. Behind every
# layer but the last stands `bend`, a function such as `relu`. Return all that was passed on: the input,
# what each hidden layer says after its bend, and the output. That is one array more than layers.


# %% nbgrader={"grade": false, "grade_id": "forward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def forward(X, layers, bend=relu):
    """Send samples through a network, and keep what each layer passes on.

    Parameters
    ----------
    X : ndarray, shape (n, d)
        Samples, one a row.
    layers : list of (W, b)
        The layers, first to last. At least one.
    bend : function
        What stands behind every layer but the last: takes an array, returns one of the same shape.

    Returns
    -------
    list of ndarray
        The input, each hidden layer, the output. The input may be `X` itself.

    Example
    -------
    >>> two = [(np.array([[1.0, -1.0]]), np.zeros(2)), (np.array([[1.0], [2.0]]), np.zeros(1))]
    >>> [A.tolist() for A in forward(np.array([[3.0], [-2.0]]), two)]
    [[[3.0], [-2.0]], [[3.0, 0.0], [0.0, 2.0]], [[3.0], [4.0]]]
    """
    ### BEGIN SOLUTION
    seen = [X]
    for W, b in layers[:-1]:
        seen.append(bend(linear(seen[-1], W, b)))
    return [*seen, linear(seen[-1], *layers[-1])]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-forward", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, assert_equal, given
from course_lib.scratch import regions as reference

one = np.array([[1.0, -1.0], [0.0, 1.0]]), np.array([0.0, -1.0])
two = np.array([[1.0, 2.0], [-3.0, 1.0]]), np.array([0.5, -9.0])
expected = [[[2.0, 1.0], [-1.0, 4.0]], [[2.0, 0.0], [0.0, 4.0]], [[2.5, -5.0], [-11.5, -5.0]]]
with given(linear=reference.linear):
    seen = forward(np.array(expected[0]), [one, two])
    assert_equal(
        len(seen),
        3,
        what="How many arrays forward returned for two layers",
        hint="The input, the hidden layer, and the output: one more than layers. "
        "See 'First, middle, last'.",
    )
    for name, got, wanted in zip(["input", "hidden layer", "output"], seen, expected, strict=True):
        assert_close(
            got,
            wanted,
            what=f"The {name} among what forward returned for two layers",
            hint="The input comes back as it is. The hidden layer is bent, and no number in it is "
            "negative; it is what the next layer is fed with. The output is not bent: scores may be "
            "negative. See 'First, middle, last'.",
        )

# %% nbgrader={"grade": true, "grade_id": "test-forward-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: one layer, many layers, another bend, and whether X and the layers are left as they were.
### BEGIN HIDDEN TESTS
from itertools import pairwise

import numpy as np

from course_lib.exercises import assert_close, assert_equal, given
from course_lib.scratch import regions as reference

rng = np.random.default_rng(seed=2)


def doubled(Z):
    """A bend that a network would not have."""
    return 2 * Z


with given(linear=reference.linear):
    for widths in ([3, 2], [2, 5, 1], [4, 3, 3, 6, 2], [1, 2, 2, 2, 2, 2, 1]):
        layers = [(rng.normal(size=(a, c)), rng.normal(size=c)) for a, c in pairwise(widths)]
        X = rng.normal(size=(5, widths[0]))
        kept = [X.tolist(), *((W.tolist(), b.tolist()) for W, b in layers)]
        for name, bend in [("np.abs", np.abs), ("a function that doubles", doubled)]:
            wanted = reference.forward(X, layers, bend=bend)
            seen = forward(X, layers, bend=bend)
            left = [X.tolist(), *((W.tolist(), b.tolist()) for W, b in layers)]
            assert_equal(
                ["X" if i == 0 else f"layer {i}" for i in range(len(kept)) if kept[i] not in left],
                [],
                what=f"What forward changed or removed of X and {len(kept) - 1} layers",
                hint="Your function changed its arguments: make new arrays, and take no layer out of "
                "the list.",
            )
            assert_equal(
                len(seen),
                len(wanted),
                what=f"How many arrays forward returned for {len(layers)} layers",
                hint="One more than layers.",
            )
            for i, (got, right) in enumerate(zip(seen, wanted, strict=True)):
                assert_close(
                    got,
                    right,
                    what=f"Array {i} of {len(layers)} layers with widths {widths}, bend={name}",
                    hint="Call bend, whatever it is, behind each layer but the last, once. A "
                    "network of one layer has no bend at all. See 'First, middle, last'.",
                )
        seen = forward(X, layers)
        assert_close(
            seen[-1],
            reference.forward(X, layers)[-1],
            what=f"The output of {len(layers)} layers with widths {widths}, without a bend given",
            hint="relu is what is used when nobody says otherwise.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. How many are right?
#
# A network with a single output unit says "yes" where its score is above 0. Its output has shape
# `(n, 1)`, the labels have shape `(n,)`, and between the two lies the most expensive mistake of this
# exercise: it raises no error, and makes every network look like a coin.


# %% nbgrader={"grade": false, "grade_id": "share_right", "locked": false, "schema_version": 3, "solution": true, "task": false}
def share_right(scores, labels):
    """The share of samples whose label agrees with the score.

    Parameters
    ----------
    scores : ndarray, shape (n, 1)
        Output of a network: above 0 for class 1, otherwise class 0.
    labels : ndarray, shape (n,)
        Classes, 0 or 1.

    Returns
    -------
    float
        One number, from 0 to 1.

    Example
    -------
    >>> share_right(np.array([[2.0], [-1.0], [0.1], [-3.0]]), np.array([1, 0, 0, 0]))
    0.75
    """
    ### BEGIN SOLUTION
    return np.mean((scores[:, 0] > 0) == labels)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-share_right", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close

assert_close(
    share_right(np.array([[2.0], [-1.0], [5.0], [0.2]]), np.array([1, 0, 1, 1])),
    1.0,
    what="share_right([[2], [-1], [5], [0.2]], labels=[1, 0, 1, 1])",
    hint="All four are right: 0.2 is above 0, and -1 is not, which is class 0. If you got 0.625, "
    "every score was compared with every label: (4, 1) against (4,) is stretched to (4, 4). Take the "
    "column out first: a row of scores is an array of length 1, and no number. "
    "See 'What a hidden unit sees'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-share_right-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: many samples, one sample, scores of exactly 0.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close

rng = np.random.default_rng(seed=3)
for n in (1, 2, 50, 301):
    scores, labels = rng.normal(size=(n, 1)), (rng.uniform(size=n) < 0.8).astype(int)
    right = sum(int((s > 0) == (y == 1)) for (s,), y in zip(scores, labels, strict=True))
    assert_close(
        share_right(scores, labels),
        right / n,
        what=f"share_right of {n} random scores",
        hint="Each score is compared with its own label, n comparisons in all. The share is the "
        "number of those that agree, divided by n.",
    )
assert_close(
    share_right(np.array([[0.0], [0.0], [1.0]]), np.array([0, 0, 1])),
    1.0,
    what="share_right([[0], [0], [1]], labels=[0, 0, 1])",
    hint="A score of exactly 0 is not above 0: class 0.",
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
print(f"without:   {share_right(forward(points, net, bend=nothing)[-1], labels):.0%} right")

# %% [markdown]
# ## Step 5. Collapse
#
# Layers with nothing between them are one layer. Find that layer: given a list of `(W, b)`, return a
# single pair `(W, b)` with the same output for every input. You may work it out with matrix products,
# or ask the stack, as the chapter does.


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

from course_lib.exercises import assert_close, given
from course_lib.scratch import regions as reference

one = np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([1.0, -1.0])
two = np.array([[1.0, 0.0], [3.0, 1.0]]), np.array([10.0, 20.0])
with given(linear=reference.linear, forward=reference.forward):
    W, b = collapse([one, two])
    assert_close(
        W,
        [[7.0, 2.0], [3.0, 1.0]],
        what="The weights of collapse([([[1, 2], [0, 1]], [1, -1]), ([[1, 0], [3, 1]], [10, 20])])",
        hint="Samples meet the first layer first, and they stand on the left: the weights are "
        "multiplied in the order in which the layers stand. See 'Who made the corners?'.",
    )
    assert_close(
        b,
        [8.0, 19.0],
        what="The bias of collapse([([[1, 2], [0, 1]], [1, -1]), ([[1, 0], [3, 1]], [10, 20])])",
        hint="What comes out for zeros: the first bias passes through the second layer's weights, "
        "and then the second bias is added. See 'Who made the corners?'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-collapse-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: one layer, many layers, narrow ones, whole numbers, and whether the layers are left as they were.
### BEGIN HIDDEN TESTS
from itertools import pairwise

import numpy as np

from course_lib.exercises import assert_close, assert_equal, given
from course_lib.scratch import regions as reference


def nothing_between(Z):
    """No bend."""
    return Z


rng = np.random.default_rng(seed=4)
with given(linear=reference.linear, forward=reference.forward):
    for widths in ([3, 2], [4, 1, 5], [2, 3, 4], [1, 6, 6, 6, 6, 2], [5, 5, 5, 5]):
        layers = [(rng.normal(size=(a, c)), rng.normal(size=c)) for a, c in pairwise(widths)]
        kept = [(W.tolist(), b.tolist()) for W, b in layers]
        X = rng.normal(size=(20, widths[0]))
        wanted = reference.forward(X, layers, bend=nothing_between)[-1]
        W, b = collapse(layers)
        left = [(V.tolist(), c.tolist()) for V, c in layers]
        assert_equal(
            [f"layer {i + 1}" for i in range(len(kept)) if kept[i] not in left],
            [],
            what=f"What collapse changed or removed of {len(kept)} layers",
            hint="Your function changed its arguments: make new arrays. += changes the array on its "
            "left, and that may be a bias that belongs to somebody else.",
        )
        assert_close(
            np.shape(b),
            (widths[-1],),
            what=f"The shape of the bias for widths {widths}",
            hint="Absorb one layer after the other, all of them. The bias then has a number for each "
            "neuron of the last: shape (d_out,).",
        )
        assert_close(
            X @ np.asarray(W) + np.asarray(b),
            wanted,
            rtol=1e-6,
            what=f"What the single layer says in place of layers with widths {widths}",
            hint="Absorb one layer after the other, all of them, and let the bias so far pass "
            "through each. A single layer collapses to itself. See 'Who made the corners?'.",
        )
    W, b = collapse(
        [(np.array([[1, 2]]), np.array([1, 0])), (np.array([[0.5], [1.0]]), np.ones(1))]
    )
    assert_close(
        np.append(np.ravel(W), b),
        [2.5, 1.5],
        what="collapse of a layer of whole numbers and one of fractions",
        hint="Whole numbers came in and fractions come out: += on an integer array cannot hold them.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. Fold a line
#
# Now set weights by hand. A *tent* rises from 0 to 1 on the left half of the interval from 0 to 1 and
# falls back to 0 on the right half. Two ReLU units can make it. What comes out is a number from 0 to 1
# again, so another tent can follow, and another.
#
# Write a network with `folds` hidden layers of two units each, one input and one output. With ReLU
# between its layers, while the input goes from 0 to 1, its output starts at 0 and goes up and down
# between 0 and 1 in $2^\text{folds}$ straight pieces of equal length. (What it does for other inputs
# is not asked.) Where a tent ends and the next begins, two linear maps stand next to each other: your
# `collapse` makes them one.


# %% nbgrader={"grade": false, "grade_id": "tent", "locked": false, "schema_version": 3, "solution": true, "task": false}
def tent(folds):
    """Set the weights of a network that folds the interval from 0 to 1 again and again.

    Parameters
    ----------
    folds : int
        The number of hidden layers, at least 1.

    Returns
    -------
    list of (W, b)
        `folds` hidden layers of 2 units, and an output layer of 1.

    Example
    -------
    >>> x = np.array([[0.0], [0.25], [0.5], [0.75], [1.0]])
    >>> forward(x, tent(2))[-1].ravel()
    array([0., 1., 0., 1., 0.])
    """
    ### BEGIN SOLUTION
    look = np.array([[1.0, 1.0]]), np.array([0.0, -0.5])  # relu(x), relu(x - 1/2)
    add = np.array([[2.0], [-4.0]]), np.array([0.0])  # 2 relu(x) - 4 relu(x - 1/2)
    return [look] + (folds - 1) * [collapse([add, look])] + [add]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-tent", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, assert_equal, given
from course_lib.scratch import regions as reference


def shapes_of(layers):
    """Rows and columns of all weights, and the length of every bias."""
    return [[*np.shape(W), *np.shape(b)] for W, b in layers]


with given(linear=reference.linear, forward=reference.forward, collapse=reference.collapse):
    layers = tent(1)
    assert_equal(
        shapes_of(layers),
        [[1, 2, 2], [2, 1, 1]],
        what="Shapes of tent(1), as [rows of W, columns of W, length of b]",
        hint="One hidden layer of two units, then an output layer of one. See 'Depth multiplies'.",
    )
    layers = [(np.asarray(W, float), np.asarray(b, float)) for W, b in layers]
    x = np.linspace(0, 1, 9)[:, None]
    assert_close(
        reference.forward(x, layers)[-1],
        [[0], [0.25], [0.5], [0.75], [1], [0.75], [0.5], [0.25], [0]],
        what="The output of tent(1) at 0, 1/8, 2/8, ..., 1",
        hint="Up from 0 to 1, and down to 0 again. Behind the middle the slope must be -2: a second "
        "hinge has to take away both the slope 2 and as much again. See 'Depth multiplies'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-tent-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: two to eight folds: how many layers and units, and what comes out at and between all corners.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, assert_equal, given
from course_lib.scratch import regions as reference


def shapes_of(layers):
    """Rows and columns of all weights, and the length of every bias."""
    return [[*np.shape(W), *np.shape(b)] for W, b in layers]


with given(linear=reference.linear, forward=reference.forward, collapse=reference.collapse):
    for folds in (2, 3, 5, 8):
        layers = tent(folds)
        assert_equal(
            shapes_of(layers),
            [[1, 2, 2]] + (folds - 1) * [[2, 2, 2]] + [[2, 1, 1]],
            what=f"Shapes of tent({folds}), as [rows of W, columns of W, length of b]",
            hint="As many hidden layers as folds, two units in each, and an output layer of one. A "
            "wide layer can make the same curve, but not with so few units. "
            "See 'Depth multiplies'.",
        )
        layers = [(np.asarray(W, float), np.asarray(b, float)) for W, b in layers]
        x = np.arange(2 ** (folds + 1) + 1)[:, None] / 2 ** (folds + 1)
        assert_close(
            reference.forward(x, layers)[-1],
            np.resize([0, 0.5, 1, 0.5], len(x))[:, None],
            what=f"The output of tent({folds}) at and half-way between its corners",
            hint="Each hidden layer sees the tent before it, not the input: between two folds the "
            "output weights of one tent and the input weights of the next become one matrix. "
            "See 'Depth multiplies'.",
        )
### END HIDDEN TESTS

# %% [markdown]
# How many pieces do your networks have, and how many could one hidden layer have with the same number
# of parameters? `count_pieces` finds all corners of a ReLU network exactly.

# %%
print("folds  parameters  pieces   one layer, at most")
for folds in (1, 2, 4, 8, 12):
    parameters = sum(np.size(W) + np.size(b) for W, b in tent(folds))
    print(f"{folds:5} {parameters:11} {count_pieces(tent(folds)):7} {2 * folds + 1:12}")

# %% [markdown]
# ## Step 7. Fold a sheet, and cut
#
# Fold a sheet of paper along a line through the origin. The line is given by an arrow `u` of length 1
# at right angles to it, as the line of a neuron is given by its weights. On the side that the arrow
# shows, points stay where they are. Points on the other side land on their mirror image:
#
# $$x \mapsto x \quad\text{if } x \cdot u \ge 0, \qquad x \mapsto x - 2\,(x \cdot u)\,u \quad\text{otherwise.}$$
#
# Two numbers say where a point is: $p = x \cdot u$, how far it lies along $u$, and $q = x \cdot v$, how
# far it lies along $v = (-u_2, u_1)$, an arrow of length 1 in the line itself. The fold replaces $p$ by
# $|p|$ and leaves $q$ alone. Write two layers that do this with ReLU between them, and that return the
# point in its old coordinates. (ReLU drops negative numbers. How can a number that may be negative get
# through it?)


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

from course_lib.exercises import assert_close, assert_equal, given
from course_lib.scratch import regions as reference

with given(linear=reference.linear, forward=reference.forward, collapse=reference.collapse):
    layers = fold(np.array([1.0, 0.0]))
    assert_equal(
        [len(layers), np.shape(layers[0][0])[0], np.shape(layers[-1][0])[1]],
        [2, 2, 2],
        what="Layers, inputs and outputs of fold([1, 0])",
        hint="A hidden layer with 2 inputs and a second layer with 2 outputs.",
    )
    layers = [(np.asarray(W, float), np.asarray(b, float)) for W, b in layers]
    assert_close(
        reference.forward(np.array([[3.0, 2.0], [3.0, -2.0], [-3.0, 2.0], [-3.0, -2.0]]), layers)[
            -1
        ],
        [[3.0, 2.0], [3.0, -2.0], [3.0, 2.0], [3.0, -2.0]],
        what="Where fold([1, 0]) puts the points (3, 2), (3, -2), (-3, 2), (-3, -2)",
        hint="Here p is the first coordinate and q the second. p becomes |p|, and q stays as it is, "
        "negative or not. A number q gets through ReLU as relu(q) - relu(-q), and |p| is relu(p) + "
        "relu(-p). "
        "See 'Depth multiplies'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-fold-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: lines in all directions.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, given
from course_lib.scratch import regions as reference

rng = np.random.default_rng(seed=6)
with given(linear=reference.linear, forward=reference.forward, collapse=reference.collapse):
    for degrees in (90, 180, 270, 45, 30, -75, 200):
        angle = np.radians(degrees)
        u = np.array([np.cos(angle), np.sin(angle)])
        X = rng.normal(size=(40, 2))
        along = (X * u).sum(axis=1)
        layers = [(np.asarray(W, float), np.asarray(b, float)) for W, b in fold(u)]
        assert_close(
            reference.forward(X, layers)[-1],
            np.where(along[:, None] >= 0, X, X - 2 * along[:, None] * u),
            what=f"Where fold puts 40 points, for an arrow u at {degrees} degrees",
            hint="The absolute value belongs to p, the distance along u, which is a coordinate only "
            "if u is an axis. Turn into the directions u and v, fold, and turn back: |p| u + q v.",
        )
### END HIDDEN TESTS

# %% [markdown]
# Fold a sheet four times, so that twelve wedges of 30 degrees lie on each other. A last hidden layer is
# the pair of scissors: its hinges make a zigzag line, and the output is above 0 below that line, where
# paper is left. Between two folds there are again two linear maps side by side, and your `collapse`
# merges them. Then we open the sheet, fold by fold.


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
    """Put pairs of layers behind each other; where two linear maps meet, make them one."""
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
# **What you see.** One zigzag of nine hinges, seen twelve times. The network never drew a snowflake:
# its last hidden layer cuts one line, and four layers of four units see to it that twelve places of the
# sheet are the same place to whatever comes behind them. A single hidden layer would have to draw every
# edge by itself. Change `zigzag`, or the folds, and cut your own.

# %% [markdown]
# ## Step 8. Forty layers of ten
#
# *4 points, read by a person. About 150 words.*
#
# A colleague reads digits (64 inputs, 10 scores) with one hidden layer of 4,000 ReLU units, and it
# works. After this chapter she wants to replace it by 40 hidden layers of 10 units, "because folding
# gives $2^{40}$ pieces, and with far fewer parameters".
#
# 1. How many parameters has each of the two networks?
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
# spirals had fewer pieces deep than wide and were just as right. Nor does anybody need 2^40 pieces to
# read digits.
#
# I would worry that the first layer squeezes 64 pixels into ten numbers, and nothing behind it can
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
