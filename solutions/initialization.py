# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.scratch.initializers
#     - course_lib.scratch.layers
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
# # Initialization: get the signal through
#
# - **Time:** 120 minutes. **Difficulty:** 3 of 5. **Points:** 38, of which a person gives 4.
# - **Needs:** the chapter *Initialization and normalization*, NumPy arrays,
#   what a variance is.
#
# You will work out what a layer does to the size of a signal, draw weights that keep it, and watch signal and
# gradient on their way through many layers. Then you will write batch normalization for training and for use,
# layer normalization, and a residual connection with its gradient. At the end five networks of forty layers
# lie in a ward, trained on two spirals by nothing but your functions. Your own diagnosis says what is wrong
# with each, and you see side by side what they made of the spirals.
#
# **What is special here**
#
# - Samples are rows. A weight has shape (fan_in, fan_out), and a layer computes `A @ W`.
# - Arrays hold floats or integers, and may have any layout in memory. Results are floats.
# - `rng` is a `numpy.random.Generator`. Draw from it and from nothing else: `rng.normal(...)`,
#   `rng.uniform(...)`.
#
# `course_lib.scratch.initializers` and `course_lib.scratch.layers` hold answers to this exercise: leave
# them closed. What holds in every exercise (how to check, what the tests look at, what counts) is on the
# page *How exercises work* in the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.data.spirals import spirals
from course_lib.plotting.style import COLORS, LINE_STYLES, MARKERS, new_figure, styled

np.set_printoptions(suppress=True)

# %% [markdown]
# ## Step 1. What one layer does
#
# A unit adds up `fan_in` products $a_i w_i$. The weights are drawn independently with mean 0 and
# standard deviation `weight_std`. By what factor does such a layer multiply the mean square of the
# numbers that pass through it, on average over the draws of the weights?
#
# Without an activation function the sum itself goes on: its mean is 0, so its mean square is its variance,
# and variances of the products add. After a ReLU, half of the numbers are gone, and with them half of the
# mean square. The chapter stops here. A *leaky* ReLU keeps the negative half as well, multiplied by a small
# `slope`. How much of that half's mean square is left?


# %% nbgrader={"grade": false, "grade_id": "layer_factor", "locked": false, "schema_version": 3, "solution": true, "task": false}
def layer_factor(weight_std, fan_in, activation, slope=0.0):
    """Factor by which a layer multiplies the mean square of a signal, on average.

    Parameters
    ----------
    weight_std : float
        Standard deviation of the weights.
    fan_in : int
        Number of inputs of each unit.
    activation : {"none", "relu"}
        What follows the weights.
    slope : float
        What the ReLU multiplies negative numbers by: 0 for ReLU itself, another number for a leaky one.
        It plays no part for "none".

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If activation is neither "none" nor "relu".

    Example
    -------
    >>> layer_factor(0.5, 4, "none")
    1.0
    >>> layer_factor(0.5, 4, "relu")
    0.5
    >>> layer_factor(0.5, 4, "relu", slope=1.0)  # nothing is lost
    1.0
    """
    ### BEGIN SOLUTION
    kept = {"none": 1.0, "relu": (1 + slope**2) / 2}
    if activation not in kept:
        raise ValueError(f"activation must be 'none' or 'relu', but it is {activation!r}")
    return fan_in * weight_std**2 * kept[activation]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-layer_factor", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import check

check(
    layer_factor,
    {"weight_std": 0.5, "fan_in": 4, "activation": "none"},
    1.0,
    hint="Four products, each with the variance 0.5 ** 2 times the mean square of its input. "
    "Variances add. See 'How large should a weight be?'.",
)
check(
    layer_factor,
    {"weight_std": 0.1, "fan_in": 200, "activation": "relu"},
    1.0,
    hint="These are He's weights: the variance is 0.1 ** 2 = 2 / 200, and ReLU keeps half of the "
    "mean square. See 'How large should a weight be?'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-layer_factor-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: other sizes, leaky ReLUs, measured layers, and other names of activations.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_raises

for weight_std, fan_in in [(0.02, 100), (1, 1), (0.3, 7), (2.0, 50)]:
    for activation, slope, kept in [
        ("none", 0.0, 1.0),
        ("none", 0.5, 1.0),
        ("relu", 0.0, 0.5),
        ("relu", 0.2, 0.52),
        ("relu", 1.0, 1.0),
        ("relu", -1, 1.0),
    ]:
        check(
            layer_factor,
            {
                "weight_std": weight_std,
                "fan_in": fan_in,
                "activation": activation,
                "slope": slope,
            },
            fan_in * weight_std * weight_std * kept,
            hint="It is the VARIANCE of the weights that counts, the square of the standard "
            "deviation, once for each of the fan_in inputs. ReLU keeps the half above 0, and "
            "slope ** 2 of the half below. Without an activation function slope plays no part. "
            "See 'How large should a weight be?'.",
        )
rng = np.random.default_rng(0)
A, W = rng.normal(size=(200, 300)), rng.normal(scale=0.05, size=(300, 400))
Z = A @ W
for slope in (0.0, 0.4):
    check(
        layer_factor,
        {"weight_std": 0.05, "fan_in": 300, "activation": "relu", "slope": slope},
        np.mean(np.where(Z > 0, Z, slope * Z) ** 2) / np.mean(A**2),
        rtol=0.05,
        what=f"layer_factor(0.05, 300, 'relu', slope={slope}), against a layer that was measured",
        hint="Measure a layer yourself: np.mean(np.where(Z > 0, Z, slope * Z)**2) / np.mean(A**2).",
    )
for activation in ("tanh", "ReLU", None):
    check_raises(
        ValueError,
        layer_factor,
        {"weight_std": 0.1, "fan_in": 10, "activation": activation},
        hint="Only 'none' and 'relu' have a factor here. Refuse other names with raise "
        "ValueError(...): an else: lets a typing error choose.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. Weights of the right size
#
# For ReLU, the factor is 1 when the *variance* is 2 / fan_in: He's weights. Which variance makes it 1 for a
# leaky ReLU? Draw such weights. Look twice at which of the two lengths is the fan in, and at what
# `rng.normal` calls `scale`.


# %% nbgrader={"grade": false, "grade_id": "he_normal", "locked": false, "schema_version": 3, "solution": true, "task": false}
def he_normal(fan_in, fan_out, rng, slope=0.0):
    """Draw weights that keep the size of a signal through a layer of ReLUs.

    Parameters
    ----------
    fan_in, fan_out : int
        Inputs and outputs of the layer.
    rng : numpy.random.Generator
        Where the numbers come from.
    slope : float
        What the ReLUs multiply negative numbers by, as in layer_factor.

    Returns
    -------
    ndarray, shape (fan_in, fan_out)
        Independent normal numbers with mean 0, of the variance at which layer_factor is 1: 2 / fan_in
        for ReLU.

    Example
    -------
    >>> W = he_normal(500, 300, np.random.default_rng(0))
    >>> W.shape, W.var().round(4).item()
    ((500, 300), 0.004)
    """
    ### BEGIN SOLUTION
    return rng.normal(scale=np.sqrt(2 / ((1 + slope**2) * fan_in)), size=(fan_in, fan_out))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-he_normal", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, assert_shape, call, given


def lent_factor(weight_std, fan_in, activation, slope=0.0):
    return fan_in * weight_std**2 * {"none": 1.0, "relu": (1 + slope**2) / 2}[activation]


with given(layer_factor=lent_factor):
    W = call(he_normal, {"fan_in": 500, "fan_out": 300, "rng": np.random.default_rng(0)})
assert_shape(
    W,
    (500, 300),
    what="he_normal(500, 300, rng)",
    hint="A weight has shape (fan_in, fan_out). See 'How large should a weight be?'.",
)
assert_close(
    np.var(W),
    2 / 500,
    rtol=0.03,
    what="The variance of he_normal(500, 300, rng)",
    hint="It should be 2 / fan_in. rng.normal(scale=...) takes a STANDARD DEVIATION, the root of "
    "the variance. 2 / 300 means that fan in and fan out were exchanged. "
    "See 'How large should a weight be?'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-he_normal-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: other shapes and slopes, the shape of the distribution, where the numbers come from.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import (
    assert_close,
    assert_equal,
    assert_shape,
    assert_true,
    call,
    given,
    probe,
)


def lent_factor(weight_std, fan_in, activation, slope=0.0):
    return fan_in * weight_std**2 * {"none": 1.0, "relu": (1 + slope**2) / 2}[activation]


def twice(draw, fan_in, fan_out, seed):
    rng = np.random.default_rng(seed)
    args = {"fan_in": fan_in, "fan_out": fan_out, "rng": rng}
    return [np.array(call(draw, args), dtype=float) for _ in range(2)]


with given(layer_factor=lent_factor):
    for fan_in, fan_out, slope in [
        (50, 2000, 0.0),
        (2000, 50, 0.0),
        (300, 300, 0.0),
        (1, 20_000, 0.0),
        (300, 200, 0.5),
        (100, 400, 1.0),
    ]:
        args = {"fan_in": fan_in, "fan_out": fan_out, "rng": np.random.default_rng(1)}
        W = call(he_normal, {**args, "slope": slope} if slope else args)
        about = f"he_normal({fan_in}, {fan_out}, rng{f', slope={slope}' if slope else ''})"
        assert_shape(W, (fan_in, fan_out), what=about)
        W = np.asarray(W)
        assert_close(
            W.std(),
            np.sqrt(2 / (1 + slope**2) / fan_in),
            rtol=0.04,
            what=f"The standard deviation of {about}",
            hint="The root of 2 / fan_in for ReLU, and fan_out plays no part: a unit adds up its fan_in "
            "inputs. A leaky ReLU keeps (1 + slope ** 2) / 2 of the mean square, so it needs smaller "
            "weights. See 'How large should a weight be?'.",
        )
        assert_close(
            W.mean() / W.std(),
            0.0,
            atol=0.03,
            what=f"The mean of {about}, in standard deviations",
            hint="Weights lie symmetrically around 0: with another mean the sums would drift.",
        )
        assert_close(
            np.mean(np.abs(W) < W.std()),
            0.6827,
            atol=0.02,
            what=f"The share of weights of {about} within one standard deviation of 0",
            hint="Of normal numbers it is 68 %, of uniform ones 58 %. Use rng.normal.",
        )
        assert_true(
            len(np.unique(W)) > 0.9 * W.size and np.count_nonzero(W) == W.size,
            what=f"That each weight of {about} is a draw of its own",
            hint="Draw fan_in * fan_out numbers: units with the same weights would stay alike.",
        )
    first, second = probe(twice, he_normal, 30, 20, 5)
    again, _ = probe(twice, he_normal, 30, 20, 5)
    other, _ = probe(twice, he_normal, 30, 20, 6)
assert_equal(
    first.tolist(),
    again.tolist(),
    what="he_normal with two generators of the same seed",
    hint="Draw from the rng that you are given, not from np.random: the caller's seed must decide.",
)
for drawn in (second, other):
    assert_true(
        not np.allclose(first, drawn),
        what="he_normal draws other weights in the next call, and from a generator of another seed:"
        " this",
        hint="A generator made inside the function gives every layer the same weights. Draw from "
        "the rng that you are given.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ### For tanh
#
# On the way forward tanh asks for a variance of 1 / fan_in, on the way back for 1 / fan_out. Xavier's
# compromise is 2 / (fan_in + fan_out). The first function draws normal numbers. The second draws uniform ones
# between −u and u, with the *same variance*. The variance of such uniform numbers is $u^2/3$.


# %% nbgrader={"grade": false, "grade_id": "xavier_normal", "locked": false, "schema_version": 3, "solution": true, "task": false}
def xavier_normal(fan_in, fan_out, rng):
    """Draw normal weights that suit tanh forward and back.

    Parameters
    ----------
    fan_in, fan_out : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (fan_in, fan_out)
        Independent normal numbers with mean 0 and variance 2 / (fan_in + fan_out).

    Example
    -------
    >>> xavier_normal(300, 500, np.random.default_rng(0)).var().round(4).item()
    0.0025
    """
    ### BEGIN SOLUTION
    return rng.normal(scale=np.sqrt(2 / (fan_in + fan_out)), size=(fan_in, fan_out))
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "xavier_uniform", "locked": false, "schema_version": 3, "solution": true, "task": false}
def xavier_uniform(fan_in, fan_out, rng):
    """Draw uniform weights that suit tanh forward and back.

    Parameters
    ----------
    fan_in, fan_out : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (fan_in, fan_out)
        Independent numbers, uniform between -u and u, with variance 2 / (fan_in + fan_out).

    Example
    -------
    >>> xavier_uniform(300, 500, np.random.default_rng(0)).var().round(4).item()
    0.0025
    """
    ### BEGIN SOLUTION
    bound = np.sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-bound, bound, size=(fan_in, fan_out))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-xavier_normal", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, assert_shape, call

W = call(xavier_normal, {"fan_in": 300, "fan_out": 500, "rng": np.random.default_rng(0)})
assert_shape(W, (300, 500), what="xavier_normal(300, 500, rng)")
assert_close(
    np.var(W),
    2 / 800,
    rtol=0.03,
    what="The variance of xavier_normal(300, 500, rng)",
    hint="It should be 2 / (fan_in + fan_out), and rng.normal(scale=...) takes its root. "
    "See 'How large should a weight be?'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-xavier_uniform", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, assert_shape, call

W = call(xavier_uniform, {"fan_in": 300, "fan_out": 500, "rng": np.random.default_rng(0)})
assert_shape(W, (300, 500), what="xavier_uniform(300, 500, rng)")
assert_close(
    np.var(W),
    2 / 800,
    rtol=0.03,
    what="The variance of xavier_uniform(300, 500, rng)",
    hint="Numbers uniform between -u and u have the variance u ** 2 / 3, a third of what a standard "
    "deviation of u would give, and numbers from 0 to u a quarter of it. "
    "Solve u ** 2 / 3 = 2 / (fan_in + fan_out) for u. "
    "See 'How large should a weight be?'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-xavier-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: other shapes, both distributions, and where the numbers come from.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, assert_equal, assert_shape, assert_true, call, probe


def twice(draw, fan_in, fan_out, seed):
    rng = np.random.default_rng(seed)
    args = {"fan_in": fan_in, "fan_out": fan_out, "rng": rng}
    return [np.array(call(draw, args), dtype=float) for _ in range(2)]


for name, draw, within in [
    ("xavier_normal", xavier_normal, 0.6827),
    ("xavier_uniform", xavier_uniform, 1 / np.sqrt(3)),
]:
    for fan_in, fan_out in [(50, 1000), (1000, 50), (250, 250)]:
        rng = np.random.default_rng(1)
        W = call(draw, {"fan_in": fan_in, "fan_out": fan_out, "rng": rng})
        assert_shape(W, (fan_in, fan_out), what=f"{name}({fan_in}, {fan_out}, rng)")
        W = np.asarray(W)
        assert_close(
            W.std(),
            np.sqrt(2 / (fan_in + fan_out)),
            rtol=0.03,
            what=f"The standard deviation of {name}({fan_in}, {fan_out}, rng)",
            hint="Fan in and fan out count alike: the same for (50, 1000) and (1000, 50). "
            "See 'How large should a weight be?'.",
        )
        assert_close(W.mean() / W.std(), 0.0, atol=0.03, what=f"The mean of {name}, in deviations")
        assert_close(
            np.mean(np.abs(W) < W.std()),
            within,
            atol=0.02,
            what=f"The share of weights of {name} within one standard deviation of 0",
            hint="68 % of normal numbers and 58 % of uniform ones lie there: the two functions "
            "differ in the shape of the distribution and in nothing else.",
        )
        assert_true(
            len(np.unique(W)) > 0.9 * W.size and np.count_nonzero(W) == W.size,
            what=f"That each weight of {name}({fan_in}, {fan_out}, rng) is a draw of its own",
            hint="Draw fan_in * fan_out numbers: units with the same weights would stay alike.",
        )
    first, second = probe(twice, draw, 30, 20, 5)
    again, _ = probe(twice, draw, 30, 20, 5)
    assert_equal(
        first.tolist(),
        again.tolist(),
        what=f"{name} with two generators of the same seed",
        hint="Draw from the rng that you are given, not from np.random.",
    )
    assert_true(
        not np.allclose(first, second),
        what=f"{name} draws other weights in the next call: this",
        hint="Draw from the rng that you are given, and do not make one inside the function.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. Watch the signal, forward and back
#
# Send a batch through many layers, $A \leftarrow \varphi(AW)$, and note how large the numbers are after each.
# The measure is the *root mean square*: the root of the mean of the squares of all entries. Then send slopes
# back through the same layers, $G \leftarrow (G \odot \varphi'(Z))\,W^\top$, where $Z = AW$ went into the
# activation function on the way forward.


# %% nbgrader={"grade": false, "grade_id": "signal_sizes", "locked": false, "schema_version": 3, "solution": true, "task": false}
def signal_sizes(X, weights, phi):
    """Root mean square of the activations after 0, 1, 2, ... layers.

    Parameters
    ----------
    X : ndarray, shape (n, d)
        What goes in.
    weights : list of L ndarrays
        The first has shape (d, ...), and each has as many rows as the one before has columns.
    phi : callable
        The activation function of every layer.

    Returns
    -------
    ndarray, shape (L + 1,)
        The size of X, of the activations of the first layer, ..., of the last.

    Example
    -------
    >>> signal_sizes(np.array([[3.0, 4.0]]), [np.eye(2)], lambda z: 2 * z) ** 2
    array([12.5, 50. ])
    """
    ### BEGIN SOLUTION
    A, sizes = X, [np.sqrt(np.mean(X**2))]
    for W in weights:
        A = phi(A @ W)
        sizes.append(np.sqrt(np.mean(A**2)))
    return np.array(sizes)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "gradient_sizes", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gradient_sizes(X, G, weights, phi, derivative):
    """Root mean square of the slopes of a loss in the activations of each layer.

    Parameters
    ----------
    X : ndarray, shape (n, d)
        What went in.
    G : ndarray, shape (n, d_last)
        Gradients of the loss in the activations of the last layer.
    weights : list of L ndarrays
        As in signal_sizes.
    phi, derivative : callable
        The activation function of every layer and its slope, both functions of z.

    Returns
    -------
    ndarray, shape (L + 1,)
        The sizes of the gradients in X, in the activations of the first layer, ..., of the last,
        which is the size of G.

    Example
    -------
    >>> square, slope = (lambda z: z**2), (lambda z: 2 * z)
    >>> gradient_sizes(np.array([[3.0]]), np.array([[1.0]]), [np.array([[2.0]])], square, slope)
    array([24.,  1.])
    """
    ### BEGIN SOLUTION
    A, slopes = X, []
    for W in weights:
        Z = A @ W
        slopes.append(derivative(Z))
        A = phi(Z)
    sizes = [np.sqrt(np.mean(G**2))]
    for W, slope in zip(reversed(weights), reversed(slopes), strict=True):
        G = (G * slope) @ W.T
        sizes.append(np.sqrt(np.mean(G**2)))
    return np.array(sizes[::-1])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-signal_sizes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    signal_sizes,
    {
        "X": np.array([[3.0, 4.0], [0.0, -5.0]]),
        "weights": [np.eye(2), 2 * np.eye(2)],
        "phi": lambda z: np.maximum(z, 0),
    },
    np.sqrt([12.5, 6.25, 25.0]),
    what="signal_sizes([[3, 4], [0, -5]], [I, 2 I], ReLU)",
    hint="Three sizes for two layers, beginning with X: the roots of 12.5, 6.25 and 25. The mean of the "
    "squares, not their sum and not the variance: after a ReLU the mean is not 0. "
    "See 'Fifty small factors'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-gradient_sizes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

# z = 6, a = 36, z = 18, a = 324. Back: 1, 36 * 0.5 = 18, 18 * 12 * 2 = 432.
check(
    gradient_sizes,
    {
        "X": np.array([[3.0]]),
        "G": np.array([[1.0]]),
        "weights": [np.array([[2.0]]), np.array([[0.5]])],
        "phi": lambda z: z**2,
        "derivative": lambda z: 2 * z,
    },
    np.array([432.0, 18.0, 1.0]),
    what="gradient_sizes of x = 3 through z = 2 x, a = z^2, z = a / 2, a = z^2, from the slope 1",
    hint="Slopes are taken at Z, what went INTO the activation function, and the sizes are listed "
    "from the input to the last layer. See 'Fifty small factors'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-signal_sizes-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: layers of different widths, several functions, other kinds of numbers.
### BEGIN HIDDEN TESTS
from itertools import pairwise

import numpy as np

from course_lib.exercises import check, check_kinds

rng = np.random.default_rng(2)
hint = (
    "A @ W, then phi, then the root of the mean of the squares of ALL entries. The standard deviation "
    "is another number as soon as the mean is not 0. See 'Fifty small factors'."
)
for widths in [(4, 7, 2), (3, 3), (5, 1, 6, 5), (2,)]:
    weights = [rng.normal(size=shape) for shape in pairwise(widths)]
    X = rng.normal(1.0, 2.0, size=(6, widths[0]))
    for phi in (np.tanh, lambda z: np.maximum(z, 0), lambda z: z + 1):
        A, expected = X, [np.sqrt((X**2).mean())]
        for W in weights:
            A = phi(A @ W)
            expected.append(np.sqrt((A**2).mean()))
        check(
            signal_sizes,
            {"X": X, "weights": weights, "phi": phi},
            np.array(expected),
            what=f"signal_sizes through layers of the widths {widths}",
            hint=hint,
        )
check_kinds(
    signal_sizes,
    {
        "X": np.array([[1.0, 2.0]]),
        "weights": [np.array([[1.0, 0.0], [-1.0, 3.0]])],
        "phi": np.abs,
    },
    np.sqrt([2.5, 18.5]),
    kinds=["float64", "float32", "integers", "strided"],
    hint=hint,
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-gradient_sizes-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: layers of different and of equal widths, against measured slopes; other kinds of numbers.
### BEGIN HIDDEN TESTS
from itertools import pairwise

import numpy as np

from course_lib.exercises import check, check_kinds

rng = np.random.default_rng(3)
pairs = {
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "the square": (np.square, lambda z: 2 * z),
}
for widths in [(3, 4, 2), (3, 3, 3, 3), (2, 5), (4,)]:
    weights = [rng.normal(size=shape) / 2 for shape in pairwise(widths)]
    X, G = rng.normal(size=(5, widths[0])), rng.normal(size=(5, widths[-1]))
    for name, (phi, derivative) in pairs.items():
        activations = [X]
        for W in weights:
            activations.append(phi(activations[-1] @ W))
        expected = []
        for start, A in enumerate(activations):  # nudge every activation, and run on from there

            def loss(A, start=start, phi=phi, weights=weights, G=G):
                for W in weights[start:]:
                    A = phi(A @ W)
                return np.sum(G * A)

            slopes = np.zeros(A.shape)
            for place in np.ndindex(A.shape):
                up, down = A.copy(), A.copy()
                up[place] += 1e-6
                down[place] -= 1e-6
                slopes[place] = (loss(up) - loss(down)) / 2e-6
            expected.append(np.sqrt(np.mean(slopes**2)))
        check(
            gradient_sizes,
            {"X": X, "G": G, "weights": weights, "phi": phi, "derivative": derivative},
            np.array(expected),
            rtol=1e-5,
            what=f"gradient_sizes through {name}, widths {widths}, against measured slopes",
            hint="Back through one layer: (G * derivative(Z)) @ W.T, with the slope first and the "
            "transpose last. With square weights a missing .T raises no error. "
            "See 'Fifty small factors'.",
        )
check_kinds(
    gradient_sizes,
    {
        "X": np.array([[1.0, 2.0]]),
        "G": np.array([[3.0, -2.0]]),
        "weights": [np.array([[1.0, 0.0], [-1.0, 3.0]])],
        "phi": np.square,
        "derivative": lambda z: 2 * z,
    },
    np.sqrt([(36 + 66**2) / 2, 6.5]),
    kinds=["float64", "float32", "integers", "strided"],
    hint="Z is (-1, 6), the slopes there (-2, 12), so (-6, -24) is sent back through the weights: -6 and "
    "6 - 72.",
)
### END HIDDEN TESTS

# %% [markdown]
# Look at what you have built. Fifty layers of 100 ReLUs, with your weights, and with the same weights
# made a little smaller or larger:

# %%
rng = np.random.default_rng(0)
X = rng.normal(size=(50, 100))
weights = [he_normal(100, 100, rng) for _ in range(50)]
for factor in (0.8, 1.0, 1.25):
    sizes = signal_sizes(X, [factor * W for W in weights], lambda z: np.maximum(z, 0))
    print(
        f"{factor:4} x He   after 10, 30, 50 layers:", *(f"{sizes[k]:9.2g}" for k in (10, 30, 50))
    )

# %% [markdown]
# ## Step 4. Batch normalization
#
# In training each feature (column) is given mean 0 and variance 1 over the batch, then multiplied by `scale`
# and moved by `shift`. Along the way the running averages are updated, for later use. PyTorch's conventions
# apply:
#
# - the batch is normalized with the variance that divides by $n$,
# - the variance that is mixed into the running average divides by $n - 1$,
# - `momentum` is the weight of the new batch: new average = (1 − momentum) · old + momentum · batch.
#
# A batch of fewer than two samples has no variance: refuse it with a `ValueError`.


# %% nbgrader={"grade": false, "grade_id": "batch_norm_train", "locked": false, "schema_version": 3, "solution": true, "task": false}
def batch_norm_train(Z, scale, shift, running_mean, running_var, momentum=0.1, eps=1e-5):
    """Normalize a batch, and update the running averages.

    Parameters
    ----------
    Z : ndarray, shape (n, d)
        One sample per row, at least two of them.
    scale, shift : ndarray, shape (d,)
    running_mean, running_var : ndarray, shape (d,)
        The averages before this batch. They are left as they are.
    momentum : float
        Weight of this batch in the new averages.
    eps : float
        Added to the variance, under the root.

    Returns
    -------
    out : ndarray, shape (n, d)
        scale * (Z - mean) / sqrt(variance + eps) + shift, column by column.
    running_mean, running_var : ndarray, shape (d,)
        The averages with this batch.

    Raises
    ------
    ValueError
        If there are fewer than two samples.

    Example
    -------
    >>> one, zero = np.ones(1), np.zeros(1)
    >>> out, mean, var = batch_norm_train(np.array([[1.0], [3.0]]), one, zero, zero, one)
    >>> out.round(3).tolist(), mean.tolist(), var.round(3).tolist()
    ([[-1.0], [1.0]], [0.2], [1.1])
    """
    ### BEGIN SOLUTION
    n = len(Z)
    if n < 2:
        raise ValueError(f"a batch needs at least two samples, but Z has shape {Z.shape}")
    mean, var = Z.mean(axis=0), Z.var(axis=0)
    out = scale * (Z - mean) / np.sqrt(var + eps) + shift
    new_mean = (1 - momentum) * running_mean + momentum * mean
    new_var = (1 - momentum) * running_var + momentum * var * n / (n - 1)
    return out, new_mean, new_var
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-batch_norm_train", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, assert_true, call, given


def lent_use(Z, scale, shift, running_mean, running_var, eps=1e-5):
    return scale * (Z - running_mean) / np.sqrt(running_var + eps) + shift


Z = np.array([[1.0, 10.0], [3.0, 40.0], [5.0, 10.0]])
with given(batch_norm_use=lent_use):
    got = call(
        batch_norm_train,
        {
            "Z": Z,
            "scale": np.array([1.0, 2.0]),
            "shift": np.array([0.0, 5.0]),
            "running_mean": np.zeros(2),
            "running_var": np.ones(2),
        },
    )
assert_true(
    isinstance(got, list | tuple) and len(got) == 3,
    what="That batch_norm_train returns three things",
    hint="return out, running_mean, running_var",
)
# Columns: means 3 and 20, variances 8/3 and 200.
z, w = np.sqrt(1.5), 2 * np.sqrt(0.5)
assert_close(
    got[0],
    [[-z, 5 - w], [0.0, 5 + 2 * w], [z, 5 - w]],
    rtol=1e-4,
    what="The output for [[1, 10], [3, 40], [5, 10]], scale [1, 2], shift [0, 5]",
    hint="Mean and variance of each COLUMN, over the samples: axis=0. The variance divides by n "
    "here. Scale comes first, then shift. See 'Keep it the right size on the way'.",
)
assert_close(
    got[1],
    [0.3, 2.0],
    what="The running means after the first batch, from 0",
    hint="0.9 of the old average and 0.1 of the batch's mean: momentum is the weight of the NEW "
    "batch. See 'Keep it the right size on the way'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-batch_norm_train-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: other shapes, eps, columns that do not vary, integers, and batches of one sample.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import call, check, check_kinds, check_raises, given, probe


def lent_use(Z, scale, shift, running_mean, running_var, eps=1e-5):
    return scale * (Z - running_mean) / np.sqrt(running_var + eps) + shift


def output(batch_norm_train, Z, scale, shift, mean, var, momentum, eps):
    """Return the first of the three things."""
    args = {"Z": Z, "scale": scale, "shift": shift, "running_mean": mean, "running_var": var}
    got = call(batch_norm_train, {**args, "momentum": momentum, "eps": eps})
    return got[0] if isinstance(got, list | tuple) else got


rng = np.random.default_rng(4)
with given(batch_norm_use=lent_use):
    for n, d, eps in [(2, 3, 1e-5), (5, 5, 1e-5), (3, 1, 0.5), (8, 4, 1e-3), (40, 2, 1.0)]:
        Z = np.asfortranarray(rng.normal(2.0, 3.0, size=(n, d)))
        Z[:, 0] *= 0.01
        scale, shift = rng.normal(size=d), rng.normal(size=d)
        mean, var = rng.normal(size=d), rng.uniform(0.5, 2, size=d)
        centered = Z - Z.sum(axis=0) / n
        check(
            probe,
            [output, batch_norm_train, Z, scale, shift, mean, var, 0.1, eps],
            centered / np.sqrt((centered**2).sum(axis=0) / n + eps) * scale + shift,
            what=f"The output for a batch of shape ({n}, {d}), eps = {eps}",
            hint="The batch is normalized with its own mean and its own variance, which divides by n. "
            "eps is added to the variance, under the root. In a square batch a wrong axis raises no "
            "error. See 'Keep it the right size on the way'.",
        )
    check_kinds(
        probe,
        [
            output,
            batch_norm_train,
            np.array([[1.0, 10.0], [2.0, 40.0], [6.0, 10.0]]),
            np.array([1.0, 2.0]),
            np.array([0.0, 5.0]),
            np.array([3.0, 7.0]),
            np.array([4.0, 9.0]),
            0.1,
            1e-5,
        ],
        np.array([-2.0, -1.0, 3.0])[:, None] * [1 / np.sqrt(14 / 3 + 1e-5), 0]
        + np.array([-1.0, 2.0, -1.0])[:, None] * [0, 20 / np.sqrt(200 + 1e-5)]
        + [0, 5],
        kinds=["float64", "float32", "integers"],
        what="The output of batch_norm_train for [[1, 10], [2, 40], [6, 10]], scale [1, 2], shift [0, 5]",
        hint="The output has fractions, whatever came in.",
    )
    check(
        probe,
        [
            output,
            batch_norm_train,
            np.full((4, 2), 7.0),
            *(np.ones(2) for _ in range(4)),
            0.1,
            1e-5,
        ],
        np.ones((4, 2)),
        what="The output for columns that do not vary, scale 1, shift 1",
        hint="0 / sqrt(0 + eps) is 0: eps is there for this. See 'Keep it the right size on the way'.",
    )
    for n in (0, 1):
        check_raises(
            ValueError,
            batch_norm_train,
            {
                "Z": np.zeros((n, 3)),
                "scale": np.ones(3),
                "shift": np.zeros(3),
                "running_mean": np.zeros(3),
                "running_var": np.ones(3),
            },
            hint=f"A batch of {n} samples. One sample minus its own mean is 0, whatever it was, and its "
            "variance with n - 1 is 0 / 0; of no samples there is not even a mean. Refuse fewer than two "
            "with raise ValueError(...). See 'Keep it the right size on the way'.",
        )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-batch_norm_train-running-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: the running averages, over several batches, for other momenta and kinds of numbers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import call, check, check_kinds, given, probe


def lent_use(Z, scale, shift, running_mean, running_var, eps=1e-5):
    return scale * (Z - running_mean) / np.sqrt(running_var + eps) + shift


def averages(batch_norm_train, Z, scale, shift, mean, var, momentum):
    """Return the second and the third of the three things."""
    args = {"Z": Z, "scale": scale, "shift": shift, "running_mean": mean, "running_var": var}
    got = call(batch_norm_train, {**args, "momentum": momentum})
    return list(got[1:]) if isinstance(got, list | tuple) else got


hint = (
    "[0] is the mean: (1 - momentum) * old + momentum * mean of the batch, before scale and shift. [1] is "
    "the variance: what goes into the average divides by n - 1. Around its own mean a small batch varies "
    "too little, and no averaging brings that back. eps belongs under the root, not into the average, and "
    "it is the variance that is averaged, not the standard deviation. "
    "See 'Keep it the right size on the way'."
)
rng = np.random.default_rng(5)
with given(batch_norm_use=lent_use):
    for momentum in (0.1, 0.5, 1.0, 0.0):
        mean, var = np.zeros(3), np.ones(3)
        for n in (4, 2, 7):
            Z = rng.normal(size=(n, 3)) * [1.0, 5.0, 0.1] + [3.0, -1.0, 0.0]
            before = mean, var
            mean = mean + momentum * (np.mean(Z, axis=0) - mean)
            var = var + momentum * (np.var(Z, axis=0, ddof=1) - var)
            check(
                probe,
                [averages, batch_norm_train, Z, 2 * np.ones(3), np.ones(3), *before, momentum],
                [mean, var],
                what=f"The running averages after a batch of {n} samples, momentum {momentum}",
                hint=hint,
            )
    check_kinds(
        probe,
        [
            averages,
            batch_norm_train,
            np.array([[1.0, 10.0], [2.0, 40.0], [6.0, 10.0]]),
            np.array([1.0, 2.0]),
            np.array([0.0, 5.0]),
            np.array([4.0, 7.0]),
            np.array([4.0, 9.0]),
            0.25,
        ],
        [np.array([3.75, 10.25]), np.array([4.75, 81.75])],
        kinds=["float64", "float32", "integers"],
        what="The running averages after [[1, 10], [2, 40], [6, 10]], from [4, 7] and [4, 9], momentum 0.25",
        hint=hint,
    )
### END HIDDEN TESTS

# %% [markdown]
# ### In use
#
# A trained network is asked about one digit. There is no batch to take statistics from, and if there were,
# the answer should not depend on it: the running averages take the place of the mean and the variance.


# %% nbgrader={"grade": false, "grade_id": "batch_norm_use", "locked": false, "schema_version": 3, "solution": true, "task": false}
def batch_norm_use(Z, scale, shift, running_mean, running_var, eps=1e-5):
    """Normalize with the running averages, as a network does after eval().

    Parameters
    ----------
    Z : ndarray, shape (n, d)
        Any number of samples, also one or none.
    scale, shift, running_mean, running_var : ndarray, shape (d,)
    eps : float

    Returns
    -------
    ndarray, shape (n, d)

    Example
    -------
    >>> one, zero = np.ones(1), np.zeros(1)
    >>> batch_norm_use(np.array([[5.0]]), one, zero, 3 * one, 4 * one).round(3).tolist()
    [[1.0]]
    """
    ### BEGIN SOLUTION
    return scale * (Z - running_mean) / np.sqrt(running_var + eps) + shift
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-batch_norm_use", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given


def lent_train(Z, scale, shift, running_mean, running_var, momentum=0.1, eps=1e-5):
    n = len(Z)
    if n < 2:
        raise ValueError("a batch needs at least two samples")
    out = scale * (Z - Z.mean(axis=0)) / np.sqrt(Z.var(axis=0) + eps) + shift
    mean = (1 - momentum) * running_mean + momentum * Z.mean(axis=0)
    return out, mean, (1 - momentum) * running_var + momentum * Z.var(axis=0, ddof=1)


with given(batch_norm_train=lent_train):
    check(
        batch_norm_use,
        {
            "Z": np.array([[5.0, 0.0], [1.0, 30.0]]),
            "scale": np.array([1.0, 2.0]),
            "shift": np.array([0.0, 7.0]),
            "running_mean": np.array([3.0, 10.0]),
            "running_var": np.array([4.0, 100.0]),
        },
        np.array([[1.0, 5.0], [-1.0, 11.0]]),
        rtol=1e-5,
        what="batch_norm_use of [[5, 0], [1, 30]], running mean [3, 10], running variance [4, 100]",
        hint="Subtract the running mean and divide by the root of the running variance (plus eps); "
        "the batch itself has no say. See 'Keep it the right size on the way'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-batch_norm_use-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: one sample, none, the same sample in other company, other eps, other kinds of numbers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, call, check, check_kinds, given


def lent_train(Z, scale, shift, running_mean, running_var, momentum=0.1, eps=1e-5):
    n = len(Z)
    if n < 2:
        raise ValueError("a batch needs at least two samples")
    out = scale * (Z - Z.mean(axis=0)) / np.sqrt(Z.var(axis=0) + eps) + shift
    mean = (1 - momentum) * running_mean + momentum * Z.mean(axis=0)
    return out, mean, (1 - momentum) * running_var + momentum * Z.var(axis=0, ddof=1)


rng = np.random.default_rng(6)
with given(batch_norm_train=lent_train):
    for n, d, eps in [(1, 4, 1e-5), (0, 3, 1e-5), (3, 3, 0.3), (20, 2, 1e-3)]:
        Z, scale, shift = rng.normal(size=(n, d)), rng.normal(size=d), rng.normal(size=d)
        mean, var = rng.normal(size=d), rng.uniform(0.1, 3, size=d)
        check(
            batch_norm_use,
            {
                "Z": Z,
                "scale": scale,
                "shift": shift,
                "running_mean": mean,
                "running_var": var,
                "eps": eps,
            },
            (Z - mean) * scale / (var + eps) ** 0.5 + shift,
            what=f"batch_norm_use of {n} samples with {d} features, eps = {eps}",
            hint="The same formula for one sample as for many: scale * (Z - running_mean) / "
            "sqrt(running_var + eps) + shift. The variance has been corrected when it was averaged, "
            "and is taken as it is. See 'Keep it the right size on the way'.",
        )
    check_kinds(
        batch_norm_use,
        {
            "Z": np.array([[1.0, 10.0], [2.0, 40.0]]),
            "scale": np.array([1.0, 2.0]),
            "shift": np.array([0.0, 5.0]),
            "running_mean": np.array([3.0, 7.0]),
            "running_var": np.array([3.0, 8.0]),
            "eps": 1.0,
        },
        np.array([[-1.0, 7.0], [-0.5, 27.0]]),
        kinds=["float64", "float32", "integers", "strided"],
        hint="The output has fractions, whatever came in.",
    )
    digit, one, zero = rng.normal(size=(1, 5)), np.ones(5), np.zeros(5)
    rest = {"scale": one, "shift": zero, "running_mean": one, "running_var": 4 * one}
    answers = [
        np.asarray(call(batch_norm_use, {"Z": np.vstack([digit, company]), **rest}))[0]
        for company in (rng.normal(size=(3, 5)), rng.normal(9.0, 5.0, size=(3, 5)))
    ]
    assert_close(
        answers[0],
        answers[1],
        what="The same sample in two different batches, in use",
        hint="In use a sample's answer must not depend on its company: no mean and no variance of "
        "the batch. See 'Keep it the right size on the way'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. Layer normalization
#
# The same formula along the other axis. Each sample is normalized by the mean and the variance of its
# own features, so there is nothing to average and nothing that changes in use. `scale` and `shift`
# still belong to the features. The variance divides by the number of features.


# %% nbgrader={"grade": false, "grade_id": "layer_norm", "locked": false, "schema_version": 3, "solution": true, "task": false}
def layer_norm(Z, scale, shift, eps=1e-5):
    """Normalize each sample over its features.

    Parameters
    ----------
    Z : ndarray, shape (n, d)
        Any number of samples, also one or none, with two features or more.
    scale, shift : ndarray, shape (d,)
    eps : float
        Added to the variance, under the root.

    Returns
    -------
    ndarray, shape (n, d)

    Example
    -------
    >>> layer_norm(np.array([[1.0, 3.0], [-50.0, 50.0]]), np.ones(2), np.zeros(2)).round(3).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """
    ### BEGIN SOLUTION
    mean = Z.mean(axis=1, keepdims=True)
    var = Z.var(axis=1, keepdims=True)
    return scale * (Z - mean) / np.sqrt(var + eps) + shift
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-layer_norm", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given


def lent_train(Z, scale, shift, running_mean, running_var, momentum=0.1, eps=1e-5):
    n = len(Z)
    if n < 2:
        raise ValueError("a batch needs at least two samples")
    out = scale * (Z - Z.mean(axis=0)) / np.sqrt(Z.var(axis=0) + eps) + shift
    mean = (1 - momentum) * running_mean + momentum * Z.mean(axis=0)
    return out, mean, (1 - momentum) * running_var + momentum * Z.var(axis=0, ddof=1)


def lent_use(Z, scale, shift, running_mean, running_var, eps=1e-5):
    return scale * (Z - running_mean) / np.sqrt(running_var + eps) + shift


with given(batch_norm_train=lent_train, batch_norm_use=lent_use):
    check(
        layer_norm,
        {
            "Z": np.array([[1.0, 3.0, 5.0], [30.0, 10.0, -10.0]]),
            "scale": np.array([1.0, 1.0, 2.0]),
            "shift": np.zeros(3),
        },
        np.array([[-1.2247449, 0.0, 2.4494897], [1.2247449, 0.0, -2.4494897]]),
        rtol=1e-4,
        what="layer_norm of [[1, 3, 5], [30, 10, -10]] with scale [1, 1, 2]",
        hint="Mean and variance of each ROW: axis=1, with keepdims=True so that they line up with Z. "
        "See 'Keep it the right size on the way'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-layer_norm-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: as many samples as features, one sample, none, other eps, other kinds of numbers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds, given


def lent_train(Z, scale, shift, running_mean, running_var, momentum=0.1, eps=1e-5):
    n = len(Z)
    if n < 2:
        raise ValueError("a batch needs at least two samples")
    out = scale * (Z - Z.mean(axis=0)) / np.sqrt(Z.var(axis=0) + eps) + shift
    mean = (1 - momentum) * running_mean + momentum * Z.mean(axis=0)
    return out, mean, (1 - momentum) * running_var + momentum * Z.var(axis=0, ddof=1)


def lent_use(Z, scale, shift, running_mean, running_var, eps=1e-5):
    return scale * (Z - running_mean) / np.sqrt(running_var + eps) + shift


rng = np.random.default_rng(7)
with given(batch_norm_train=lent_train, batch_norm_use=lent_use):
    for n, d, eps in [(4, 4, 1e-5), (1, 6, 1e-5), (5, 2, 0.4), (0, 3, 1e-5)]:
        Z, scale, shift = rng.normal(3.0, 2.0, size=(n, d)), rng.normal(size=d), rng.normal(size=d)
        centered = Z - (Z.sum(axis=1) / d).reshape(n, 1)
        variance = ((centered**2).sum(axis=1) / d).reshape(n, 1)
        check(
            layer_norm,
            {"Z": Z, "scale": scale, "shift": shift, "eps": eps},
            centered / np.sqrt(variance + eps) * scale + shift,
            what=f"layer_norm of {n} samples with {d} features, eps = {eps}",
            hint="Each sample by its own features, with the variance that divides by their number; "
            "with as many samples as features a forgotten keepdims raises no error. "
            "See 'Keep it the right size on the way'.",
        )
    check_kinds(
        layer_norm,
        {
            "Z": np.array([[1.0, 3.0], [-50.0, 50.0]]),
            "scale": np.array([1.0, 3.0]),
            "shift": np.array([0.0, 1.0]),
            "eps": 3,
        },
        np.array([[-0.5, 2.5], [-50 / 2503**0.5, 150 / 2503**0.5 + 1]]),
        kinds=["float64", "float32", "integers", "strided"],
        hint="The output has fractions, whatever came in.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. A way around
#
# A residual connection adds to `x` what a part of the network, `f`, makes of it. It takes one line and one
# check: if the shapes differ, NumPy might broadcast, and nobody would notice. Then comes the way back.
# `pull(upstream)` is what backpropagation through `f` gives: the slopes of the loss in what goes into `f`,
# computed from the slopes in what comes out. What are the slopes in `x`?


# %% nbgrader={"grade": false, "grade_id": "residual", "locked": false, "schema_version": 3, "solution": true, "task": false}
def residual(x, f):
    """Add to x what f makes of it.

    Parameters
    ----------
    x : ndarray of any shape
    f : callable
        f(x) is an ndarray. It may be x itself.

    Returns
    -------
    ndarray, same shape as x

    Raises
    ------
    ValueError
        If f(x) has another shape than x.

    Example
    -------
    >>> residual(np.array([1.0, 2.0]), lambda x: 10 * x).tolist()
    [11.0, 22.0]
    """
    ### BEGIN SOLUTION
    change = f(x)
    if change.shape != x.shape:
        raise ValueError(f"f turned the shape {x.shape} into {change.shape}")
    return x + change
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "residual_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def residual_backward(upstream, pull):
    """Pull slopes back through x + f(x).

    Parameters
    ----------
    upstream : ndarray
        Gradients of the loss in the result.
    pull : callable
        pull(upstream) pulls slopes back through f. What it returns may be upstream itself.

    Returns
    -------
    ndarray of the same shape
        Gradients of the loss in x.

    Example
    -------
    >>> residual_backward(np.array([1.0]), lambda G: 10 * G).tolist()  # f(x) = 10 x
    [11.0]
    """
    ### BEGIN SOLUTION
    return upstream + pull(upstream)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-residual", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    residual,
    {"x": np.array([[1.0, -2.0]]), "f": lambda x: x**2},
    np.array([[2.0, 2.0]]),
    what="residual([[1, -2]], x ** 2)",
    hint="x + f(x). See 'A way around'.",
)
check(
    residual_backward,
    {"upstream": np.array([[3.0, 5.0]]), "pull": lambda G: np.zeros_like(G)},
    np.array([[3.0, 5.0]]),
    what="residual_backward of [[3, 5]] around an f that lets nothing through",
    hint="x reaches the result by two paths, and over the paths slopes add. On the way around nothing "
    "is lost. See 'A way around'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-residual-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: functions that mix entries, shapes that would broadcast, slopes against measured ones.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds, check_raises

rng = np.random.default_rng(8)
M = rng.normal(size=(5, 5))
for shape in [(5,), (3, 5), (2, 3, 5)]:
    x, G = rng.normal(size=shape), rng.normal(size=shape)

    def mixes(x):
        return np.tanh(x @ M)

    def pull(G, x=x):
        return (G * (1 - np.tanh(x @ M) ** 2)) @ M.T

    measured = np.zeros(shape)
    for place in np.ndindex(shape):
        up, down = x.copy(), x.copy()
        up[place] += 1e-6
        down[place] -= 1e-6
        measured[place] = np.sum(G * (up + mixes(up) - down - mixes(down))) / 2e-6
    check(
        residual,
        {"x": x, "f": mixes},
        x + np.tanh(x @ M),
        what=f"residual of shape {shape} around a layer of tanh",
        hint="x + f(x). See 'A way around'.",
    )
    check(
        residual_backward,
        {"upstream": G, "pull": pull},
        measured,
        rtol=1e-5,
        atol=1e-7,
        what=f"residual_backward around a layer of tanh, shape {shape}, against measured slopes",
        hint="What arrives, plus what is pulled back through f: pull is given what arrives. An f that "
        "mixes its inputs has no slope per entry by which one could multiply. See 'A way around'.",
    )

# Around an f that hands on the very array it was given, and with integers.
for name, function, argument, inner in [
    ("residual", residual, "x", "f"),
    ("residual_backward", residual_backward, "upstream", "pull"),
]:
    x = rng.normal(size=(2, 3))
    check(
        function,
        {argument: x, inner: lambda x: x},
        2 * x,
        what=f"{name} around an f that changes nothing",
        hint="x + x.",
    )
    check_kinds(
        function,
        {argument: np.array([[1.0, -2.0], [3.0, 4.0]]), inner: lambda x: x / 4},
        np.array([[1.25, -2.5], [3.75, 5.0]]),
        kinds=["float64", "float32", "integers", "strided"],
        what=f"{name} of [[1, -2], [3, 4]] around x / 4",
        hint="What f makes may have fractions where the array had none.",
    )


def first_column(x):
    return x[:, :1]


def sums(x):
    return x.sum(axis=0)


for f in (first_column, sums, np.transpose):
    check_raises(
        ValueError,
        residual,
        {"x": np.ones((3, 2)), "f": f},
        hint=f"f returns shape {f(np.ones((3, 2))).shape} for (3, 2). The shapes differ, and x + f(x) "
        "would broadcast without an error, or a reshape would mix the numbers. Compare the shapes and "
        "raise ValueError(...). See 'A way around'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. Read the chart
#
# A network's chart is the list of the sizes of its gradients, from the input to the last layer, as
# `gradient_sizes` gives it. The gradient travels from the *end* of the list to its beginning. First compute
# the factor by which each layer multiplies it on its way back, as a geometric mean: the same factor, once per
# layer, leads from the last number to the first. Then write the diagnosis:
#
# | `diagnose` returns | if |
# |---|---|
# | `"broken"` | a number is infinite or nan |
# | `"cut"` | otherwise, if a number is exactly 0 |
# | `"vanishing"` | otherwise, if the first is less than a thousandth of the last |
# | `"exploding"` | otherwise, if the first is more than a thousand times the last |
# | `"steady"` | otherwise |


# %% nbgrader={"grade": false, "grade_id": "factor_per_layer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def factor_per_layer(sizes):
    """Factor by which a layer multiplies the gradient on its way back, on geometric average.

    Parameters
    ----------
    sizes : array_like, shape (L + 1,), L at least 1
        Positive sizes of the gradient from the input to the last layer.

    Returns
    -------
    float

    Example
    -------
    >>> factor_per_layer([8.0, 1.0, 4.0, 1.0])  # three layers back, from 1 to 8
    2.0
    """
    ### BEGIN SOLUTION
    layers = len(sizes) - 1
    return float((sizes[0] / sizes[-1]) ** (1 / layers))
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "diagnose", "locked": false, "schema_version": 3, "solution": true, "task": false}
def diagnose(sizes):
    """Say what is wrong with the gradients of a network.

    Parameters
    ----------
    sizes : array_like, shape (L + 1,), L at least 1
        Sizes of the gradient from the input to the last layer.

    Returns
    -------
    {"broken", "cut", "vanishing", "exploding", "steady"}

    Example
    -------
    >>> diagnose([1e-5, 1e-3, 1e-1])
    'vanishing'
    """
    ### BEGIN SOLUTION
    sizes = np.asarray(sizes, dtype=float)
    if not np.isfinite(sizes).all():
        return "broken"
    if (sizes == 0).any():
        return "cut"
    if sizes[0] < sizes[-1] / 1000:
        return "vanishing"
    if sizes[0] > sizes[-1] * 1000:
        return "exploding"
    return "steady"
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-factor_per_layer", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    factor_per_layer,
    {"sizes": np.array([8.0, 1.0, 4.0, 1.0])},
    2.0,
    hint="Back means from the last number, 1, to the first, 8. Four numbers lie three layers apart, "
    "and three factors of 2 make 8. See 'Reading a broken network'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-diagnose", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given


def lent_factor(sizes):
    return float((sizes[0] / sizes[-1]) ** (1 / (len(sizes) - 1)))


with given(factor_per_layer=lent_factor):
    for sizes, expected in [
        ([1e-5, 1e-3, 1e-1], "vanishing"),
        ([1e4, 1e2, 1.0], "exploding"),
        ([2.0, 1.0, 0.5], "steady"),
        ([np.nan, np.nan, 1.0], "broken"),
        ([0.0, 0.0, 1.0], "cut"),
    ]:
        check(
            diagnose,
            {"sizes": np.array(sizes)},
            expected,
            hint="Compare the first number with the last, in the order of the table: what is "
            "infinite or nan comes before everything else. See 'Reading a broken network'.",
        )

# %% nbgrader={"grade": true, "grade_id": "test-factor_per_layer-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: one layer, many layers, both directions, lists and integers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds

hint = (
    "(first / last) ** (1 / number of layers), and there is one layer less than there are "
    "sizes. A mean of ratios is no geometric mean. See 'Reading a broken network'."
)
for layers, factor in [(1, 0.25), (1, 7.0), (50, 0.8), (50, 1.25), (10, 1.0), (3, 1e-4)]:
    sizes = 3.0 * factor ** np.arange(layers, -1.0, -1.0)
    sizes[1:-1] *= np.where(np.arange(layers - 1) % 2, 5.0, 0.2)  # what lies between may wander
    check(
        factor_per_layer,
        {"sizes": sizes},
        factor,
        what=f"factor_per_layer of {layers + 1} sizes that lead from 3 to 3 * {factor} ** {layers}",
        hint=hint,
    )
check_kinds(factor_per_layer, {"sizes": np.array([27.0, 1.0, 12.0])}, 1.5, hint=hint)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-diagnose-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: charts on both sides of every border, charts with two faults, lists and integers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, given


def lent_factor(sizes):
    return float((sizes[0] / sizes[-1]) ** (1 / (len(sizes) - 1)))


cases = [
    ([0.0011, 5.0, 1.0], "steady"), ([0.0009, 5.0, 1.0], "vanishing"),
    ([990.0, 1e-9, 1.0], "steady"), ([1010.0, 1.0, 1.0], "exploding"),
    ([9e-8, 1e-4], "vanishing"), ([1.1e-7, 1e-4], "steady"), ([1e9, 1e5], "exploding"),
    ([1e-30, 1e-30, 1e-30], "steady"), ([1e20, 1e20], "steady"), ([1e-12, 1.0, 1e12], "vanishing"),
    ([1.0, 0.0, 1.0], "cut"), ([1.0, 1.0, 0.0], "cut"), ([0.0, 0.0], "cut"),
    ([0.0, np.inf, 1.0], "broken"), ([1.0, np.nan, 1.0], "broken"), ([np.inf, 1.0, 1.0], "broken"),
    ([0.0, 1.0, np.nan], "broken"), ([1.0, 1.0, np.inf], "broken"),
    ([5, 1, 3], "steady"), ([4, 0, 1], "cut"), ([1, 70, 1500], "vanishing"),
    (list(0.9 ** np.arange(50, -1.0, -1.0)), "steady"),
    (list(0.85 ** np.arange(50, -1.0, -1.0)), "vanishing"),
]  # fmt: skip
with given(factor_per_layer=lent_factor):
    for sizes, expected in cases:
        for kind in (np.array, list):
            check(
                diagnose,
                {"sizes": kind(sizes)},
                expected,
                hint="Look at the first and the last number for vanishing and exploding, and at ALL of "
                "them for nan, infinity and 0; sizes that are small everywhere are steady. "
                "See 'Reading a broken network'.",
            )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 8. The ward
#
# Five networks of forty layers with 16 units each are to tell two spirals apart. They differ in their
# starting weights, in whether they have batch normalization, and in whether each layer has a way around it.
# Every weight is drawn by your `he_normal`, every norm is your `batch_norm_train` in training and your
# `batch_norm_use` afterwards, every way around your `residual`. Nothing is left to write. Read the code, and
# find your functions in it.


# %% nbgrader={"grade": false, "grade_id": "patient", "locked": true, "schema_version": 3, "solution": false, "task": false}
class Patient:
    """A network of many layers on points of the plane, with its gradients written out."""

    def __init__(self, factor=1.0, norm=False, way_around=False, depth=40, units=16, seed=0):
        rng = np.random.default_rng(seed)
        hidden = [factor * he_normal(units, units, rng) for _ in range(depth)]
        self.W = [he_normal(2, units, rng), *hidden, he_normal(units, 1, rng)]
        self.b = [np.zeros(W.shape[1]) for W in self.W]
        self.averages = [[np.zeros(units), np.ones(units)] for _ in hidden]
        self.norm, self.way_around, self.training = norm, way_around, True

    def normalize(self, Z, i):
        if not self.norm:
            return Z, lambda G: G
        one, zero = np.ones(Z.shape[1]), np.zeros(Z.shape[1])
        if not self.training:
            return batch_norm_use(Z, one, zero, *self.averages[i]), None
        out, *self.averages[i] = batch_norm_train(Z, one, zero, *self.averages[i])
        std = np.sqrt(Z.var(axis=0) + 1e-5)
        return out, lambda G: (G - G.mean(axis=0) - out * (G * out).mean(axis=0)) / std

    def affine(self, A, i, grads):
        def pull(G):
            grads[i] = A.T @ G, G.sum(axis=0)
            return G @ self.W[i].T

        return A @ self.W[i] + self.b[i], pull

    def layer(self, A, i, pulls, grads):
        """One hidden layer; its pull is appended to pulls."""

        def plain(A):
            Z, first = self.affine(A, i, grads)
            N, second = self.normalize(Z, i - 1)
            pulls.append(lambda G: first(second(G * (N > 0))))
            return np.maximum(N, 0)

        def block(A):
            N, first = self.normalize(A, i - 1)
            Z, second = self.affine(np.maximum(N, 0), i, grads)
            pulls.append(lambda G: residual_backward(G, lambda G: first(second(G) * (N > 0))))
            return Z

        return residual(A, block) if self.way_around else plain(A)

    def forward(self, X):
        """Return the logit of each point, and all that is needed on the way back."""
        pulls, grads = [], [None] * len(self.W)
        A, pull = self.affine(X, 0, grads)
        pulls.append(pull)
        for i in range(1, len(self.W) - 1):
            A = self.layer(A, i, pulls, grads)
        Z, pull = self.affine(A, len(self.W) - 1, grads)
        return Z[:, 0], [*pulls, pull], grads

    def backward(self, X, y):
        """Return the gradients of the weights, and the chart: the sizes from layer to layer."""
        logit, pulls, grads = self.forward(X)
        G = ((1 / (1 + np.exp(-np.clip(logit, -50, 50))) - y) / len(y))[:, None]
        sizes = []
        for pull in reversed(pulls[1:]):
            G = pull(G)
            sizes.append(np.sqrt(np.mean(G**2)))
        pulls[0](G)
        return grads, np.array(sizes[::-1])


# %% nbgrader={"grade": false, "grade_id": "treat", "locked": true, "schema_version": 3, "solution": false, "task": false}
def treat(patient, X, y, steps=200, rate=0.005):
    """Train a patient by Adam; return the chart from before the first step."""
    weights = patient.W + patient.b
    mean, squares = ([np.zeros_like(w) for w in weights] for _ in range(2))
    chart = None
    for t in range(1, steps + 1):
        grads, sizes = patient.backward(X, y)
        chart = sizes if chart is None else chart
        slopes = [*(g for g, _ in grads), *(g for _, g in grads)]
        for w, g, m, s in zip(weights, slopes, mean, squares, strict=True):
            m += 0.1 * (g - m)
            s += 0.001 * (g**2 - s)
            w -= rate * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
    patient.training = False
    return chart


# %%
X, y = spirals(300, seed=0)
X_test, y_test = spirals(1000, seed=1)
ward = {
    "weights 0.6 x He": Patient(factor=0.6),
    "weights 1.6 x He": Patient(factor=1.6),
    "He": Patient(),
    "He, batch norm": Patient(norm=True),
    "He, norm, way around": Patient(norm=True, way_around=True),
}
charts = {}
for name, patient in ward.items():
    charts[name] = treat(patient, X, y)
    right = np.mean((patient.forward(X_test)[0] > 0) == y_test)
    print(
        f"{name:21} {diagnose(charts[name]):10} x {factor_per_layer(charts[name]):.2f} per layer, "
        f"right after training {right:4.0%}"
    )


# %%
@styled
def picture(ward, charts, X, y, size=60):
    """Draw every chart, and what each network believes of the plane after training."""
    figure, axes = new_figure(rows=2, columns=3, width=7.5, height=5.4)
    panel, *maps = axes.flat
    for i, sizes in enumerate(charts.values()):
        panel.plot(sizes / sizes[-1], color=COLORS[i], ls=LINE_STYLES[i])
        panel.text(0, sizes[0] / sizes[-1], f"{i + 1} ", ha="right", va="center")
    panel.set(yscale="log", xlabel="layer", ylabel="gradient", title="The charts", xlim=(-5, 41))
    x = np.linspace(-1.8, 1.8, size)
    grid = np.stack(np.meshgrid(x, x), axis=-1).reshape(-1, 2)
    paint = np.array([[int(c[k : k + 2], 16) / 255 for k in (1, 3, 5)] for c in COLORS[:2]])
    for i, (axes, (name, patient)) in enumerate(zip(maps, ward.items(), strict=True)):
        p = 1 / (1 + np.exp(-np.clip(patient.forward(grid)[0], -50, 50)))
        image = 0.35 + 0.65 * (np.stack([1 - p, p], axis=-1) @ paint).reshape(size, size, 3)
        axes.imshow(image, extent=(-1.8, 1.8, -1.8, 1.8), origin="lower")
        for k in range(2):
            axes.plot(*X[y == k].T, MARKERS[k], color=paint[k], mec="white", mew=0.5, ms=3.5)
        axes.set_title(f"{i + 1} {name}\n   {diagnose(charts[name])}", fontsize=9.5)
        axes.set(xticks=[], yticks=[])
    return figure


picture(ward, charts, X, y)

# %% [markdown]
# **What you see.** The charts (top left) were taken before the first step. In network 1 hardly anything
# reaches the input, and its map has one color: every point gets the same answer. In network 2 the gradient is
# beyond all bounds, and its map is sure of itself everywhere and often wrong. Network 3 has a steady chart
# and learns, but slowly: the arms are there in part, and with other seeds it is luckier or unluckier. Network
# 4 differs from it by its batch normalization. Its gradient explodes, and the map shows what that means:
# neighboring points get different answers, so the slope of the answer in the point is huge. Network 5 differs
# from that one by a way around each layer. Forty layers are no burden to it: the two arms wind into each
# other as they should.
#
# Give `Patient` another seed, more layers, or a way around without the norm, and run the three cells
# again.
#
# ## Step 9. What happened here?
#
# *4 points, read by a person. About 200 words.*
#
# A colleague trains a network of 50 layers, 100 tanh units each, and the loss does not move. She sends you
# what she measured before the first step: the root mean square of the activations after 0, 10, 20, … layers
# is 1, $10^{-10}$, $10^{-20}$, …, and that of the gradients, from the last layer back, does the same. She
# drew the weights with `rng.normal(scale=2 / (100 + 100), size=(100, 100))`.
#
# 1. By what factor does each layer multiply the signal? Show that her line explains it, and name her mistake.
# 2. She is thinking of multiplying the learning rate by $10^{50}$. Would that help?
# 3. She corrects the line, goes on to 300 layers, and puts batch normalization before each tanh. The
#    activations are fine now. Which measurement would you ask for, what would you expect, and what would you
#    change?
# 4. The network is in use at last. The same image gets different answers, depending on which images
#    it is sent with. What was forgotten, and why did nobody notice in training?

# %% [markdown] nbgrader={"grade": true, "grade_id": "why-still", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# Ten layers multiply by $10^{-10}$, so one multiplies by 0.1. Her weights have the standard deviation
# $2/200 = 0.01$. Near 0 tanh hardly bends, and 100 inputs of a given mean square make a sum whose root
# mean square is $\sqrt{100} \cdot 0.01 = 0.1$ times as large. Xavier's *variance* is $2/200 = 0.01$,
# so its standard deviation is 0.1, and the factor $\sqrt{100} \cdot 0.1 = 1$. She has given a
# variance where `scale` asks for a standard deviation.
#
# A larger rate does not help. The gradient of a weight is the activation that comes in times the
# slope that comes back, and both fall with depth, so it is small everywhere, and the signal that
# reaches the output does not depend on the image. Any rate that moves these weights from 0.01 to 0.1
# in a step would be a matter of luck, and as soon as one layer is awake it throws it out of bounds.
#
# I would ask for the size of the gradients, layer by layer, before the first step. Batch
# normalization keeps the activations at their size and lets the gradient grow on the way back by a
# steady factor a layer: a little over 1 (measured: 1.1), to the power of 300, is out of bounds. I
# would put residual connections around the layers, with the norm inside the branch, and
# expect a gradient of about one size.
#
# `eval()` was forgotten: batch normalization still takes mean and variance from the batch. In training
# that is how it should be, and the test set was measured in large batches, whose statistics are close
# to the running averages.
#
# === BEGIN MARK SCHEME ===
# One point each; half points where the idea is there and the reason is not.
#
# 1. **Reads the factor and finds the mistake.** 0.1 per layer (0.5); explained by sqrt(100) * 0.01 and
#    named as a variance given for a standard deviation (0.5). ("Weights too small" alone: 0.25.)
# 2. **No, with a reason.** The size of the gradient is not the only fault: the signal forward is gone
#    as well, so the output does not depend on the input; or: one rate cannot suit layers whose
#    gradients change as soon as they wake. (0.5 for "no" with "it would explode" alone. Accept the
#    remark that Adam rescales gradients already, with the forward signal as the reason.)
# 3. **Measures gradients, expects growth, changes the architecture.** Gradients layer by layer, before
#    the first step; expects them to grow towards the first layers, since every layer is normalized
#    anew; residual connections. (0.5 if one of the three is missing. Accept other measurements that
#    decide, such as one step and the change of each layer.)
# 4. **eval().** Batch statistics in use (0.5), and why it went unnoticed: in training it is right, or
#    large batches come close to the averages (0.5).
# === END MARK SCHEME ===
