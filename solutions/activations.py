# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.scratch.activations
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
# # Activation functions: squash, gate, decide
#
# - **Time:** 90 minutes. **Difficulty:** 2 of 5. **Points:** 36, of which a person gives 4.
# - **Needs:** the chapter *Activation functions*, NumPy arrays, what a derivative is.
#
# You will write the functions without which a network is a straight line: sigmoid, ReLU and leaky ReLU, GELU,
# softmax and its logarithm, along with the slopes that learning needs, and each is to survive numbers up to
# ten thousand. Then you will build a detector for dead units. At the end a small network runs on nothing but
# your functions. It learns to tell three spirals apart and paints a map of what it has learned, and your
# detector explains why one of the maps comes out broken.
#
# **What is special here**
#
# - `z` is an array of any shape (one sample, a batch, a stack of images) of `float64`, `float32` or integers.
#   The result has the same shape, and each entry is computed by itself: only softmax and its logarithm mix
#   entries.
# - A derivative is a function of `z`, the number that goes *into* the activation function, never of
#   the activation that comes out.
# - Where `z` is large, such as 10,000 or −10,000, results are finite and right. Only `sigmoid` must also get
#   there without a warning.
#
# `course_lib.scratch.activations` holds answers to this exercise: leave it closed. What holds in
# every exercise (how to check, what the tests look at, what counts) is on the page *How exercises
# work* in the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import math

import numpy as np
from scipy.special import erf

from course_lib.plotting.style import COLORS, LINE_STYLES, MARKERS, new_figure, styled

np.set_printoptions(suppress=True)

# %% [markdown]
# ## Step 1. Squash: sigmoid and tanh
#
# The *sigmoid* $\sigma(z) = 1 / (1 + e^{-z})$ turns any number into one between 0 and 1. Typed in as it
# stands, the formula overflows: $e^{-z}$ for $z = -10000$ is larger than any floating-point number. NumPy
# warns about it and goes on with infinity. The result, $1/\infty = 0$, is even right, but a program that
# warns when nothing is wrong teaches its readers to overlook warnings.
#
# Write `sigmoid` so that it gives the right numbers **without a warning** for every `z` from
# −10,000 to 10,000. The way out: the same function can be written as $e^{z} / (1 + e^{z})$. Which
# of the two never takes the exponential of a large positive number depends on the sign of $z$.
# Try it at -10000 and 10000.


# %% nbgrader={"grade": false, "grade_id": "sigmoid", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sigmoid(z):
    """Squash each number into the interval from 0 to 1, without a warning.

    Parameters
    ----------
    z : ndarray of any shape
        Pre-activations, from -10,000 to 10,000.

    Returns
    -------
    ndarray, same shape as z
        1 / (1 + exp(-z)) for each entry.

    Example
    -------
    >>> sigmoid(np.array([-2.0, 0.0, 2.0])).round(4)
    array([0.1192, 0.5   , 0.8808])
    """
    ### BEGIN SOLUTION
    # exp(-|z|) is at most 1, so it cannot overflow. For z < 0 it is exp(z).
    e = np.exp(-np.abs(z))
    return np.where(np.asarray(z) >= 0, 1, e) / (1 + e)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-sigmoid", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    sigmoid,
    {"z": np.array([-2.0, 0.0, 2.0])},
    np.array([0.11920292, 0.5, 0.88079708]),
    hint="At 0 the exponential is 1 and the sigmoid 1 / (1 + 1). If your values come in the "
    "opposite order, the sign in the exponent is missing. See 'The usual activation functions'.",
)
check(
    sigmoid,
    {"z": np.array([[1.0, -1.0, 0.0], [0.5, 3.0, -3.0]])},
    np.array([[0.73105858, 0.26894142, 0.5], [0.62245933, 0.95257413, 0.04742587]]),
    hint="The sigmoid works on each entry by itself, whatever the signs of the others. "
    "See 'The usual activation functions'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-sigmoid-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: integers, float32, other shapes and orders in memory.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds

z = np.array([[-3.0, -2.0, -1.0], [0.0, 2.0, 5.0]])
check_kinds(
    sigmoid,
    {"z": z},
    (1 + np.tanh(z / 2)) / 2,
    kinds=["float64", "float32", "integers", "strided"],
    hint="Integers came in and fractions come out: an array made with np.zeros_like(z) or z.copy() "
    "holds integers too, and cuts the fractions off. Make it with dtype=float. "
    "See 'The usual activation functions'.",
)
z = np.linspace(-6, 6, 24).reshape(2, 3, 4)
for view in (z, z[:, ::2].transpose(2, 0, 1), z[:1, :1, :1]):
    check(
        sigmoid,
        {"z": view},
        (1 + np.tanh(view / 2)) / 2,
        hint="Any number of axes, any order in memory, one entry or many: each comes out where "
        "it went in. See 'The usual activation functions'.",
    )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-sigmoid-large-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: numbers up to 10,000 on both sides, and warnings.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check

for dtype in ("float64", "float32"):
    for far in (10_000, 750, 95):
        check(
            sigmoid,
            {"z": np.array([-far, -50, 0, 50, far], dtype=dtype)},
            np.array([0, 0, 0.5, 1, 1]),
            warnings="error",
            hint=f"z is {dtype} here, and no warning is allowed. exp of a large positive number "
            "overflows (above 709, in float32 above 88). np.where does not protect you: it "
            "computes both branches for every entry and then chooses. Give exp only numbers that "
            "are not positive, such as -abs(z). nan comes from inf / inf: exp(z) / (1 + exp(z)) is "
            "safe only where z is negative. See 'From scores to probabilities' for what overflows "
            "and when.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ### Its slope
#
# When the network learns, the gradient travels back through each activation function and is multiplied by its
# slope at the point where it was evaluated: at `z`. For the sigmoid the slope is
# $\sigma'(z) = \sigma(z)\,(1 - \sigma(z))$.


# %% nbgrader={"grade": false, "grade_id": "sigmoid_derivative", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sigmoid_derivative(z):
    """Slope of the sigmoid at z.

    Parameters
    ----------
    z : ndarray of any shape
        Pre-activations (what goes into the sigmoid, not what comes out).

    Returns
    -------
    ndarray, same shape as z
        Slopes, from 0 to 1/4.

    Example
    -------
    >>> sigmoid_derivative(np.array([-2.0, 0.0, 2.0])).round(4)
    array([0.105, 0.25 , 0.105])
    """
    ### BEGIN SOLUTION
    s = sigmoid(z)
    return s * (1 - s)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-sigmoid_derivative", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch import activations as reference

with given(sigmoid=reference.sigmoid):
    check(
        sigmoid_derivative,
        {"z": np.array([-2.0, 0.0, 2.0])},
        np.array([0.10499359, 0.25, 0.10499359]),
        hint="z is what goes into the sigmoid, so z * (1 - z) is not its slope: that formula "
        "wants the sigmoid's output. At z = 0 the slope is 1/4. "
        "See 'The usual activation functions'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-sigmoid_derivative-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: a fine grid, integers, float32, and numbers up to 10,000.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds, given
from course_lib.scratch import activations as reference

grid = np.linspace(-5, 5, 21).reshape(3, 7)
whole = np.array([[-2.0], [0.0], [1.0]])
with given(sigmoid=reference.sigmoid):
    check(
        sigmoid_derivative,
        {"z": grid},
        1 / (2 * np.cosh(grid / 2)) ** 2,
        hint="The slope is sigmoid(z) * (1 - sigmoid(z)), with z the pre-activation. "
        "See 'The usual activation functions'.",
    )
    check_kinds(
        sigmoid_derivative,
        {"z": whole},
        1 / (2 * np.cosh(whole / 2)) ** 2,
        kinds=["float64", "float32", "integers", "strided"],
        hint="Integers came in and the slopes are fractions: an array made with np.zeros_like(z) "
        "cuts them off. In float32, which has seven digits, a slope measured with a tiny step in z "
        "drowns in rounding: use the formula. See 'The usual activation functions'.",
    )
    for dtype in ("float64", "float32"):
        check(
            sigmoid_derivative,
            {"z": np.array([-10_000, -800, -50, 50, 800, 10_000], dtype=dtype)},
            np.zeros(6),
            hint="Far from 0 the sigmoid is flat and its slope 0. nan comes from inf / inf when "
            "exp(-z) overflows: build the slope from sigmoid(z), which does not. "
            "See 'The usual activation functions'.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ### The slope of tanh
#
# *Tanh* squashes into the interval from −1 to 1, and NumPy has it: `np.tanh`. Write its slope. The
# relation to remember is the cousin of the one above: $\tanh'(z) = 1 - \tanh^2(z)$.


# %% nbgrader={"grade": false, "grade_id": "tanh_derivative", "locked": false, "schema_version": 3, "solution": true, "task": false}
def tanh_derivative(z):
    """Slope of tanh at z.

    Parameters
    ----------
    z : ndarray of any shape
        Pre-activations (what goes into tanh, not what comes out).

    Returns
    -------
    ndarray, same shape as z
        Slopes, from 0 to 1.

    Example
    -------
    >>> tanh_derivative(np.array([-1.0, 0.0, 2.0])).round(4)
    array([0.42  , 1.    , 0.0707])
    """
    ### BEGIN SOLUTION
    return 1 - np.tanh(z) ** 2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-tanh_derivative", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch import activations as reference

with given(
    sigmoid=reference.sigmoid,
    sigmoid_derivative=reference.sigmoid_derivative,
):
    check(
        tanh_derivative,
        {"z": np.array([-1.0, 0.0, 2.0])},
        np.array([0.41997434, 1.0, 0.07065082]),
        hint="z is what goes into tanh: 1 - z**2 would want the output, tanh(z), in the place of z. "
        "And the square is of tanh(z) as a whole. See 'The usual activation functions'.",
    )
    check(
        tanh_derivative,
        {"z": np.array([[0.5, -0.5, 1.5], [3.0, 0.0, -1.0]])},
        np.array([[0.78644773, 0.78644773, 0.18070664], [0.00986604, 1.0, 0.41997434]]),
        hint="Each entry has a slope of its own. See 'The usual activation functions'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-tanh_derivative-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: other shapes, integers, float32, and numbers up to 10,000.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds, given
from course_lib.scratch import activations as reference

grid = np.linspace(-3, 3, 12).reshape(2, 2, 3)
whole = np.array([[-1.0, 0.0, 2.0]])
with given(
    sigmoid=reference.sigmoid,
    sigmoid_derivative=reference.sigmoid_derivative,
):
    check(
        tanh_derivative,
        {"z": grid},
        1 / np.cosh(grid) ** 2,
        hint="The slope of tanh is 1 - tanh(z)**2 = 1 / cosh(z)**2, entry by entry. "
        "See 'The usual activation functions'.",
    )
    check_kinds(
        tanh_derivative,
        {"z": whole},
        1 / np.cosh(whole) ** 2,
        kinds=["float64", "float32", "integers", "strided"],
        hint="Integers came in and the slopes are fractions: an array made with np.zeros_like(z) "
        "cuts them off. See 'The usual activation functions'.",
    )
    for dtype in ("float64", "float32"):
        check(
            tanh_derivative,
            {"z": np.array([-10_000, -50, 50, 10_000], dtype=dtype)},
            np.zeros(4),
            atol=1e-6,
            hint="Far from 0 tanh is flat and its slope 0. nan comes from a quotient of "
            "exponentials that both overflow: np.tanh does not. "
            "See 'The usual activation functions'.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. Cut: ReLU, and a slope for each unit
#
# The *rectified linear unit* lets positive numbers through and turns the rest into 0. It costs next to
# nothing, and wherever it is on, its slope is 1, however large `z` is. The price is a corner at 0 and a flat
# side to the left of it.


# %% nbgrader={"grade": false, "grade_id": "relu", "locked": false, "schema_version": 3, "solution": true, "task": false}
def relu(z):
    """Let positive numbers through, and turn the rest into 0.

    Parameters
    ----------
    z : ndarray of any shape
        Pre-activations.

    Returns
    -------
    ndarray, same shape as z

    Example
    -------
    >>> relu(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 3.])
    """
    ### BEGIN SOLUTION
    return np.maximum(z, 0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-relu", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    relu,
    {"z": np.array([-2.0, 0.0, 3.0])},
    np.array([0.0, 0.0, 3.0]),
    hint="Each entry is compared with 0 by itself. np.max(z, 0) looks for the largest along "
    "axis 0; np.maximum(z, 0) compares entry by entry. See 'The usual activation functions'.",
)
check(
    relu,
    {"z": np.array([[-0.5, 1.5], [2.5, -3.0]])},
    np.array([[0.0, 1.5], [2.5, 0.0]]),
    hint="1.5 goes through as 1.5. If the fractions are lost: np.vectorize takes the type of its "
    "first result for all of them, and where that is the integer 0, every fraction is cut off "
    "(write 0.0). See 'The usual activation functions'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-relu-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: integers, float32, large numbers, other shapes and orders in memory.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds

z = np.arange(-11.5, 12.0).reshape(2, 3, 4).transpose(2, 0, 1)[::-1]
check(
    relu,
    {"z": z},
    (z + abs(z)) / 2,
    hint="Each entry is treated by itself and comes out where it went in, whatever the order in "
    "memory. If the fractions are lost: np.vectorize takes the type of its first result for all of "
    "them, and where that is the integer 0, every fraction is cut off (write 0.0). "
    "See 'The usual activation functions'.",
)
check_kinds(
    relu,
    {"z": np.array([-10_000.0, -1.0, 0.0, 1.0, 10_000.0])},
    np.array([0.0, 0.0, 0.0, 1.0, 10_000.0]),
    kinds=["float64", "float32", "integers", "strided"],
    hint="ReLU has no limit on the right: 10,000 goes through unchanged. "
    "See 'The usual activation functions'.",
)
### END HIDDEN TESTS

# %% [markdown]
# The corner calls for a decision. At exactly 0 the graph has no slope: 0 fits the left side, 1 the right. We
# take the **slope of the left side**, as PyTorch does: `relu_derivative` is 0 at 0. What must never come out
# is `nan`: zeros are common in real data, and one `nan` in the slope makes every weight `nan` a step later.


# %% nbgrader={"grade": false, "grade_id": "relu_derivative", "locked": false, "schema_version": 3, "solution": true, "task": false}
def relu_derivative(z):
    """Slope of ReLU at z: 1 where z is positive, 0 elsewhere, also at 0.

    Parameters
    ----------
    z : ndarray of any shape
        Pre-activations.

    Returns
    -------
    ndarray, same shape as z
        Zeros and ones.

    Example
    -------
    >>> relu_derivative(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 1.])
    """
    ### BEGIN SOLUTION
    return (np.asarray(z) > 0).astype(float)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-relu_derivative", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch import activations as reference

with given(relu=reference.relu):
    check(
        relu_derivative,
        {"z": np.array([-2.0, 0.0, 3.0])},
        np.array([0.0, 0.0, 1.0]),
        hint="At 0 the text asks for the slope of the left side: 0. nan there comes from 0 / 0, "
        "as in relu(z) / z: ask where z > 0 instead of dividing. "
        "See 'The usual activation functions'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-relu_derivative-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: zeros of both signs, integers, large and tiny numbers, float32, a batch.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds, given
from course_lib.scratch import activations as reference

with given(relu=reference.relu):
    check_kinds(
        relu_derivative,
        {"z": np.array([[-10_000.0, -3.0, 0.0], [0.0, 2.0, 10_000.0]])},
        np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 1.0]]),
        kinds=["float64", "float32", "integers", "strided"],
        hint="The slope is 1 where z is positive, however large, and 0 elsewhere, also at 0. "
        "See 'The usual activation functions'.",
    )
    check(
        relu_derivative,
        {"z": np.array([-0.0, 1e-30, -1e-30, 0.5])},
        np.array([0.0, 1.0, 0.0, 1.0]),
        hint="A tiny positive number is positive: the slope does not fade in, it jumps from 0 "
        "to 1 right of 0. See 'The usual activation functions'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# *Leaky ReLU* lets a little through on the left as well: `negative_slope * z`. You will see why it exists in
# step 5. At 0 the left side decides again.
#
# Why 0.01, and why the same for all? *Parametric ReLU* (arXiv:1502.01852) has a slope for each unit or
# channel and learns it along with the weights. Write `leaky_relu` and its derivative so that they serve both:
# `negative_slope` is a number, or an array with one number for each place along the last axis of `z`.


# %% nbgrader={"grade": false, "grade_id": "leaky_relu", "locked": false, "schema_version": 3, "solution": true, "task": false}
def leaky_relu(z, negative_slope=0.01):
    """Let positive numbers through, and a fraction of the others.

    Parameters
    ----------
    z : ndarray of any shape, for example (n, units)
        Pre-activations.
    negative_slope : float, or ndarray of shape (units,)
        The fraction, between 0 and 1, for all units or for each.

    Returns
    -------
    ndarray, same shape as z

    Example
    -------
    >>> leaky_relu(np.array([-2.0, 0.0, 3.0]), negative_slope=0.25)
    array([-0.5,  0. ,  3. ])
    >>> leaky_relu(np.array([[-2.0, -2.0], [3.0, -1.0]]), negative_slope=np.array([0.25, 0.5]))
    array([[-0.5, -1. ],
           [ 3. , -0.5]])
    """
    ### BEGIN SOLUTION
    return np.where(np.asarray(z) > 0, z, negative_slope * np.asarray(z))
    ### END SOLUTION


def leaky_relu_derivative(z, negative_slope=0.01):
    """Slope of leaky ReLU at z: 1 where z is positive, negative_slope elsewhere, also at 0.

    Parameters
    ----------
    z : ndarray of any shape, for example (n, units)
        Pre-activations.
    negative_slope : float, or ndarray of shape (units,)
        The slope on the left, between 0 and 1, for all units or for each.

    Returns
    -------
    ndarray, same shape as z

    Example
    -------
    >>> leaky_relu_derivative(np.array([-2.0, 0.0, 3.0]), negative_slope=0.25)
    array([0.25, 0.25, 1.  ])
    """
    ### BEGIN SOLUTION
    return np.where(np.asarray(z) > 0, 1.0, negative_slope)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-leaky_relu", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch import activations as reference

with given(
    relu=reference.relu,
    relu_derivative=reference.relu_derivative,
):
    check(
        leaky_relu,
        {"z": np.array([[2.5, -3.0], [-0.5, 0.0]])},
        np.array([[2.5, -0.03], [-0.005, 0.0]]),
        hint="Left of 0 the line goes on, less steeply: a negative number stays negative, and is "
        "multiplied by 0.01 where no other slope is given. See 'The usual activation functions'.",
    )
    check(
        leaky_relu,
        {"z": np.array([[-2.0, -2.0], [3.0, -1.0]]), "negative_slope": np.array([0.25, 0.5])},
        np.array([[-0.5, -1.0], [3.0, -0.5]]),
        hint="One slope per unit, and units are columns: the first column has 0.25 and the second "
        "0.5, in every row. NumPy lines the slopes up with the last axis of z by itself. "
        "See 'The usual activation functions'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-leaky_relu_derivative", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch import activations as reference

with given(
    relu=reference.relu,
    relu_derivative=reference.relu_derivative,
    leaky_relu=reference.leaky_relu,
):
    check(
        leaky_relu_derivative,
        {"z": np.array([-2.0, 0.0, 3.0])},
        np.array([0.01, 0.01, 1.0]),
        hint="A slope does not grow with z: left of 0, and at 0, it is negative_slope itself, "
        "not negative_slope * z. nan there comes from 0 / 0, as in leaky_relu(z) / z: ask where "
        "z > 0 instead of dividing. See 'The usual activation functions'.",
    )
    check(
        leaky_relu_derivative,
        {"z": np.array([[-2.0, -2.0], [3.0, 0.0]]), "negative_slope": np.array([0.25, 0.5])},
        np.array([[0.25, 0.5], [1.0, 0.5]]),
        hint="One slope per unit, and units are columns: the first column has 0.25 and the second "
        "0.5, in every row. See 'The usual activation functions'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-leaky_relu-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: other slopes, one for all and one per unit, integers, large numbers, float32, more axes.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_keyword, check_kinds, given
from course_lib.scratch import activations as reference

with given(
    relu=reference.relu,
    relu_derivative=reference.relu_derivative,
):
    check_keyword(
        leaky_relu,
        {"z": np.array([[-10_000.0, -4.0], [0.0, 10_000.0]])},
        "negative_slope",
        [
            (0.01, np.array([[-100.0, -0.04], [0.0, 10_000.0]])),
            (0.25, np.array([[-2500.0, -1.0], [0.0, 10_000.0]])),
            (np.array([0.25, 0.75]), np.array([[-2500.0, -3.0], [0.0, 10_000.0]])),
        ],
        hint="The caller chooses negative_slope; 0.01 is only what it is when nobody does. "
        "See 'The usual activation functions'.",
    )
    for first in (-5.0, 5.0):
        check_kinds(
            leaky_relu,
            {"z": np.array([[first, -1.0, 2.0]])},
            np.array([[first if first > 0 else first / 100, -0.01, 2.0]]),
            kinds=["float64", "float32", "integers", "strided"],
            hint="Integers came in and fractions come out: an array made with z.copy() or "
            "np.zeros_like(z) cuts them off, and so does np.vectorize where its first result is an "
            "integer.",
        )
    for shape in [(3,), (3, 3), (2, 4, 3)]:
        z = np.linspace(-4, 3, np.prod(shape)).reshape(shape)
        slopes = np.array([0.1, 0.3, 0.9])
        check(
            leaky_relu,
            {"z": z, "negative_slope": slopes},
            np.maximum(z, 0) + slopes * np.minimum(z, 0),
            hint="The slopes are 0.1, 0.3 and 0.9, one per unit: each belongs to a place along the "
            "last axis of z, however many axes there are before it. "
            "See 'The usual activation functions'.",
        )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-leaky_relu_derivative-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: other slopes, one for all and one per unit, integers, large numbers, float32, more axes.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_keyword, check_kinds, given
from course_lib.scratch import activations as reference

with given(
    relu=reference.relu,
    relu_derivative=reference.relu_derivative,
    leaky_relu=reference.leaky_relu,
):
    check_keyword(
        leaky_relu_derivative,
        {"z": np.array([[-10_000.0, -4.0], [0.0, 10_000.0]])},
        "negative_slope",
        [
            (0.01, np.array([[0.01, 0.01], [0.01, 1.0]])),
            (0.25, np.array([[0.25, 0.25], [0.25, 1.0]])),
            (np.array([0.25, 0.75]), np.array([[0.25, 0.75], [0.25, 1.0]])),
        ],
        hint="The caller chooses negative_slope, and it is the slope at 0 as well. "
        "See 'The usual activation functions'.",
    )
    for first in (-2.0, 2.0):
        check_kinds(
            leaky_relu_derivative,
            {"z": np.array([[first, -3.0, 0.0]])},
            np.array([[1.0 if first > 0 else 0.01, 0.01, 0.01]]),
            kinds=["float64", "float32", "integers", "strided"],
            hint="An array made with np.ones_like(z) cannot hold 0.01 where z holds integers. "
            "np.vectorize takes the type of its first result for all of them, and the integer 1 "
            "has no room for 0.01: write 1.0, or use np.where. See 'The usual activation functions'.",
        )
    for shape in [(3,), (3, 3), (2, 4, 3)]:
        z = np.linspace(-4, 3, np.prod(shape)).reshape(shape)
        slopes = np.array([0.1, 0.3, 0.9])
        check(
            leaky_relu_derivative,
            {"z": z, "negative_slope": slopes},
            (z > 0) + slopes * (z <= 0),
            hint="The slopes are 0.1, 0.3 and 0.9, one per unit: each belongs to a place along the "
            "last axis of z, however many axes there are before it. "
            "See 'The usual activation functions'.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. Gate: GELU, exact and approximate
#
# ReLU multiplies `z` by a gate that is either shut (0) or open (1). The *Gaussian error linear
# unit* opens the gate smoothly: $\mathrm{GELU}(z) = z\,\Phi(z)$, where
# $\Phi(z) = \tfrac12\bigl(1 + \operatorname{erf}(z/\sqrt2)\bigr)$ is the probability that a
# standard normal variable is below $z$.
#
# The article that introduced GELU (arXiv:1606.08415) also gives a formula with tanh, and many networks have
# been trained with it:
# $\mathrm{GELU}(z) \approx \tfrac12 z \bigl(1 + \tanh\bigl[\sqrt{2/\pi}\,(z + 0.044715\,z^3)\bigr]\bigr)$.
# The two differ in the fourth digit: too little to see in a plot, enough to puzzle anyone who compares two
# networks number by number.
#
# Write both. `erf` from SciPy is imported in the first cell. Any name other than "none" and "tanh" is refused
# with a `ValueError`: a typo must not choose a formula.


# %% nbgrader={"grade": false, "grade_id": "gelu", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gelu(z, approximate="none"):
    """Multiply each number by the probability that a standard normal variable is below it.

    Parameters
    ----------
    z : ndarray of any shape
        Pre-activations.
    approximate : "none" or "tanh"
        The exact function, or its approximation by tanh.

    Returns
    -------
    ndarray, same shape as z

    Raises
    ------
    ValueError
        If approximate is neither "none" nor "tanh".

    Example
    -------
    >>> gelu(np.array([-1.0, 0.0, 1.0])).round(5)
    array([-0.15866,  0.     ,  0.84134])
    >>> gelu(np.array([-1.0, 0.0, 1.0]), approximate="tanh").round(5)
    array([-0.15881,  0.     ,  0.84119])
    """
    ### BEGIN SOLUTION
    z = np.asarray(z, dtype=float)
    if approximate == "none":
        return z * (1 + erf(z / math.sqrt(2))) / 2
    if approximate == "tanh":
        return z * (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))) / 2
    raise ValueError(f"approximate must be 'none' or 'tanh', not {approximate!r}")
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-gelu", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch import activations as reference

with given(sigmoid=reference.sigmoid):
    check(
        gelu,
        {"z": np.array([-1.0, 0.0, 1.0])},
        np.array([-0.15865525, 0.0, 0.84134475]),
        hint="The exact GELU is z * (1 + erf(z / sqrt(2))) / 2, and it is what comes when nobody asks "
        "for an approximation. Is z divided by the square root of 2 inside erf? "
        "See 'The usual activation functions'.",
    )
    check(
        gelu,
        {"z": np.array([-1.0, 0.0, 1.0]), "approximate": "tanh"},
        np.array([-0.15880801, 0.0, 0.84119199]),
        hint="Check the two constants: sqrt(2 / pi) = 0.7978845608 stands before the bracket (write "
        "np.sqrt(2 / np.pi), not a rounded number), and 0.044715 before z**3. If you get 0.84134475, "
        "the exact function came back. See Step 3 of this notebook.",
    )
    for name, right in [
        ("none", [[1.39978919, -0.15426877], [-0.00404969, 0.34573123]]),
        ("tanh", [[1.39957158, -0.15428599], [-0.00363739, 0.34571401]]),
    ]:
        check(
            gelu,
            {"z": np.array([[1.5, -0.5], [-3.0, 0.5]]), "approximate": name},
            np.array(right),
            hint="GELU works on each entry by itself. See 'The usual activation functions'.",
        )

# %% nbgrader={"grade": true, "grade_id": "test-gelu-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: both formulas on a fine grid, integers, large numbers, float32, an unknown name.
### BEGIN HIDDEN TESTS
import numpy as np
from scipy.special import expit, ndtr

from course_lib.exercises import check, check_kinds, check_raises, given
from course_lib.scratch import activations as reference


def expected(z, approximate):
    if approximate == "none":
        return z * ndtr(z)
    # (1 + tanh(u)) / 2 is the sigmoid of 2u.
    return z * expit(2 * (2 / np.pi) ** 0.5 * (z + 0.044715 * z**3))


grid = np.linspace(-4, 4, 24).reshape(2, 4, 3)
whole = np.array([[-2.0, 0.0], [1.0, 3.0]])
hints = {
    "none": "The gate is the normal distribution function. z * sigmoid(1.702 z) and the formula "
    "with tanh only come close to it. See 'The usual activation functions'.",
    "tanh": "Check the constants np.sqrt(2 / np.pi), which is not to be rounded, and 0.044715, "
    "and that z is cubed. A wrong coefficient of z**3 shows only away from 0. "
    "See Step 3 of this notebook.",
}
with given(sigmoid=reference.sigmoid):
    check(gelu, {"z": grid}, expected(grid, "none"), hint=hints["none"])
    for name, hint in hints.items():
        check(gelu, {"z": grid, "approximate": name}, expected(grid, name), hint=hint)
        check_kinds(
            gelu,
            {"z": whole, "approximate": name},
            expected(whole, name),
            kinds=["float64", "float32", "integers", "strided"],
            hint="Integers came in and fractions come out: an array made with np.zeros_like(z) "
            "cuts them off.",
        )
        for dtype in ("float64", "float32"):
            check(
                gelu,
                {"z": np.array([-10_000, -50, 50, 10_000], dtype=dtype), "approximate": name},
                np.array([0.0, 0.0, 50.0, 10_000.0]),
                atol=1e-6,
                hint="Far left the gate is shut and GELU is 0, far right it is open and GELU is z. "
                "nan comes from exponentials that overflow: np.tanh and erf do not. "
                "See 'The usual activation functions'.",
            )
    for name in ("tan", ""):
        check_raises(
            ValueError,
            gelu,
            {"z": np.zeros(2), "approximate": name},
            hint="A name that is neither 'none' nor 'tanh' is refused with raise ValueError(...): an "
            "`else` that takes any other name for one of the two lets a typing error choose.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ### Its slope
#
# GELU is a product, $z \cdot \Phi(z)$, so its slope has two terms: $\Phi(z) + z\,\Phi'(z)$, where
# $\Phi'(z) = e^{-z^2/2} / \sqrt{2\pi}$ is the bell curve. Write it for the exact function.


# %% nbgrader={"grade": false, "grade_id": "gelu_derivative", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gelu_derivative(z):
    """Slope of the exact GELU at z.

    Parameters
    ----------
    z : ndarray of any shape
        Pre-activations.

    Returns
    -------
    ndarray, same shape as z
        Slopes, from -0.13 to 1.13.

    Example
    -------
    >>> gelu_derivative(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.0833,  0.5   ,  1.0833])
    """
    ### BEGIN SOLUTION
    z = np.asarray(z, dtype=float)
    gate = (1 + erf(z / math.sqrt(2))) / 2
    bell = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return gate + z * bell
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-gelu_derivative", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch import activations as reference

with given(gelu=reference.gelu):
    check(
        gelu_derivative,
        {"z": np.array([-1.0, 0.0, 1.0])},
        np.array([-0.08331547, 0.5, 1.08331547]),
        hint="The product rule gives two terms: the gate itself, and z times the slope of the "
        "gate. With the first alone you get 0.8413 at 1, with the second alone 0.2420. "
        "See 'The usual activation functions'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-gelu_derivative-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: a grid against measured slopes, integers, large numbers, float32.
### BEGIN HIDDEN TESTS
import numpy as np
from scipy.special import ndtr

from course_lib.exercises import check, check_kinds, given
from course_lib.scratch import activations as reference


def measured(z, h=1e-5):
    return ((z + h) * ndtr(z + h) - (z - h) * ndtr(z - h)) / (2 * h)


grid = np.linspace(-4, 4, 24).reshape(2, 4, 3)
whole = np.array([[-1.0], [0.0], [1.0]])
with given(gelu=reference.gelu):
    check(
        gelu_derivative,
        {"z": grid},
        measured(grid),
        rtol=1e-5,
        atol=1e-7,
        hint="The slope is gate + z * bell, with bell = exp(-z**2 / 2) / sqrt(2 pi). "
        "See 'The usual activation functions'.",
    )
    check_kinds(
        gelu_derivative,
        {"z": whole},
        measured(whole),
        kinds=["float64", "float32", "integers", "strided"],
        hint="Integers came in and the slopes are fractions: an array made with np.zeros_like(z) "
        "cuts them off. In float32 a difference quotient loses its digits, since z + h is rounded: "
        "use the formula. See 'The usual activation functions'.",
    )
    for dtype in ("float64", "float32"):
        check(
            gelu_derivative,
            {"z": np.array([-10_000, -50, 50, 10_000], dtype=dtype)},
            np.array([0.0, 0.0, 1.0, 1.0]),
            atol=1e-6,
            hint="Far left the slope is 0, far right 1. If it is not finite, the sign in "
            "exp(-z**2 / 2) is lost: (-z)**2 is positive. See 'The usual activation functions'.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. Decide: softmax and its logarithm
#
# A network that chooses among classes ends in one number per class, the *logits*. *Softmax* turns them into
# probabilities: $p_i = e^{z_i/T} / \sum_j e^{z_j/T}$, the sum taken along one axis. The *temperature* $T$
# sets how decided the answer is: near 0 the largest logit takes everything, and at a high temperature all
# classes become equally likely.
#
# The exponential overflows above 709 (in `float32` above 88), and then $\infty/\infty$ is `nan`.
# But softmax does not change when the same number is subtracted from all logits of an axis. Choose
# that number so that the largest exponent is 0: each slice along the axis has its own.
#
# Refuse a temperature of 0 or below with a `ValueError`.


# %% nbgrader={"grade": false, "grade_id": "softmax", "locked": false, "schema_version": 3, "solution": true, "task": false}
def softmax(z, axis=-1, temperature=1.0):
    """Turn the logits along one axis into probabilities.

    Parameters
    ----------
    z : ndarray with at least one axis
        Logits, for example of shape (n, k) for n samples and k classes.
    axis : int
        The axis along which the probabilities add up to 1.
    temperature : float
        Divides the logits; above 0.

    Returns
    -------
    ndarray, same shape as z
        Probabilities, from 0 to 1.

    Raises
    ------
    ValueError
        If temperature is 0 or negative.

    Example
    -------
    >>> softmax(np.array([[1.0, 2.0, 3.0]])).round(4)
    array([[0.09  , 0.2447, 0.6652]])
    >>> softmax(np.array([[1.0, 2.0, 3.0]]), temperature=10.0).round(4)
    array([[0.3006, 0.3322, 0.3672]])
    """
    ### BEGIN SOLUTION
    if temperature <= 0:
        raise ValueError(f"temperature must be above 0, but it is {temperature}")
    z = np.asarray(z) / temperature
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-softmax", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    softmax,
    {"z": np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [4.0, 4.0, 4.0]])},
    np.array([[0.09003057, 0.24472847, 0.66524096], [1 / 3, 1 / 3, 1 / 3], [1 / 3, 1 / 3, 1 / 3]]),
    hint="By default the last axis adds up to 1: each row is a distribution of its own, and "
    "three equal logits share it equally. If no row adds up to 1: a largest or a sum taken along "
    "an axis loses that axis, and keepdims=True keeps it, so that it lines up with z again. "
    "See 'From scores to probabilities'.",
)
check(
    softmax,
    {"z": np.array([1.0, 2.0, 3.0]), "temperature": 2.0},
    np.array([0.18632372, 0.30719589, 0.50648039]),
    hint="The temperature divides the logits before the exponential, not the probabilities "
    "after it: exp(z) / T cancels. See 'From scores to probabilities'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-softmax-axis-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: every axis of arrays with one, two and three axes; integers; float32.
### BEGIN HIDDEN TESTS
import numpy as np
from scipy.special import softmax as by_scipy

from course_lib.exercises import check, check_keyword, check_kinds

whole = np.array([[0.0, 1.0], [2.0, 4.0]])
check_keyword(
    softmax,
    {"z": whole},
    "axis",
    [(axis, by_scipy(whole, axis=axis)) for axis in (1, 0)],
    hint="axis=0 makes the columns add up to 1, and axis=1 the rows. "
    "See 'From scores to probabilities'.",
)
rng = np.random.default_rng(seed=4)
for shape in [(4,), (3, 3), (1, 4), (5, 1), (2, 3, 4)]:
    z = rng.normal(size=shape)
    for axis in range(-len(shape), len(shape)):
        check(
            softmax,
            {"z": z, "axis": axis},
            by_scipy(z, axis=axis),
            hint="The sum and the largest are taken along axis and nothing else, and "
            "keepdims=True lines them up with z again. Without it a square array gives "
            "wrong numbers and no error. See 'From scores to probabilities'.",
        )
for axis in (0, -1):
    check_kinds(
        softmax,
        {"z": whole, "axis": axis},
        by_scipy(whole, axis=axis),
        kinds=["float64", "float32", "integers", "strided"],
        hint="Integers came in and probabilities are fractions: an array made with np.zeros_like(z) "
        "cuts them off. See 'From scores to probabilities'.",
    )
z = rng.normal(size=(6, 5))
check(
    softmax,
    {"z": z[::2].T, "axis": 0},
    by_scipy(z[::2], axis=1).T,
    hint="Entries must come out where they went in, whatever their order in memory.",
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-softmax-large-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: logits up to 10,000 on both sides, close together and far apart.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check

for dtype in ("float64", "float32"):
    check(
        softmax,
        {"z": np.array([[10_000, 9_999, -10_000], [-10_000, -9_999, -10_000]], dtype=dtype)},
        np.array([[0.73105858, 0.26894142, 0], [0.21194156, 0.57611688, 0.21194156]]),
        rtol=1e-5 if dtype == "float64" else 2e-3,  # float32 has 7 digits, 10,000 uses 5
        hint="exp overflows for large logits: subtract the largest of each row first. Each row "
        "has its own: after subtracting the largest of the whole array, the second row is "
        "0 / 0. See 'From scores to probabilities'.",
    )
check(
    softmax,
    {"z": np.array([[1e4, -1e4], [1e4, 1e4]]), "axis": 0},
    np.array([[0.5, 0], [0.5, 1]]),
    hint="Subtract the largest along the axis that was asked for: here that of each column. "
    "See 'From scores to probabilities'.",
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-softmax-temperature-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: low and high temperatures, also with large logits, and temperatures that make no sense.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_keyword, check_raises

z = np.array([[1.0, 2.0], [3.0, 1.0]])


def of_two(z, temperature):
    # Of two classes, the first has the sigmoid of the difference of the logits.
    first = 1 / (1 + np.exp((z[:, 1] - z[:, 0]) / temperature))
    return np.stack([first, 1 - first], axis=1)


check_keyword(
    softmax,
    {"z": z},
    "temperature",
    [(temperature, of_two(z, temperature)) for temperature in (1.0, 0.25, 8.0)],
    hint="A low temperature sharpens and a high one levels: the logits are divided by it, "
    "not multiplied. See 'From scores to probabilities'.",
)
check(
    softmax,
    {"z": np.array([9_999.0, 10_000.0]), "temperature": 0.01},
    np.array([0.0, 1.0]),
    hint="A low temperature makes logits larger still: what is subtracted must be the largest "
    "of the logits after the division, or the division must come after the subtraction. "
    "See 'From scores to probabilities'.",
)
check(
    softmax,
    {"z": np.array([0.0, 4_000.0, 8_000.0]), "temperature": 4_000.0},
    np.array([0.09003057, 0.24472847, 0.66524096]),
    hint="Divided by the temperature the logits are 0, 1 and 2. Whoever takes the softmax at "
    "temperature 1 first has already rounded the small probabilities to 0, and no power brings "
    "them back. See 'From scores to probabilities'.",
)
for temperature in (0, 0.0, -1.0):
    check_raises(
        ValueError,
        softmax,
        {"z": z, "temperature": temperature},
        hint="A temperature of 0 divides by zero, and a negative one prefers the smallest "
        "logit: refuse both with raise ValueError(...). See 'From scores to probabilities'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ### Its logarithm
#
# Training wants the logarithm of the probability of the right class. Taken in two steps it breaks:
# a probability of $e^{-1000}$ is rounded to 0, and $\log 0 = -\infty$. The answer, −1000, was
# there all along in the logits. Taken in one step, $\log p_i = z_i - \log \sum_j e^{z_j}$, and the
# same subtraction as before keeps the exponentials small.


# %% nbgrader={"grade": false, "grade_id": "log_softmax", "locked": false, "schema_version": 3, "solution": true, "task": false}
def log_softmax(z, axis=-1):
    """Logarithms of the softmax along one axis, finite for finite logits.

    Parameters
    ----------
    z : ndarray with at least one axis
        Logits.
    axis : int
        The axis along which the probabilities add up to 1.

    Returns
    -------
    ndarray, same shape as z
        Natural logarithms of probabilities, 0 or below.

    Example
    -------
    >>> log_softmax(np.array([[1.0, 2.0, 3.0]])).round(4)
    array([[-2.4076, -1.4076, -0.4076]])
    """
    ### BEGIN SOLUTION
    z = np.asarray(z)
    below = z - z.max(axis=axis, keepdims=True)
    return below - np.log(np.exp(below).sum(axis=axis, keepdims=True))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-log_softmax", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch import activations as reference


def given_softmax(z, axis=-1, temperature=1.0):
    return reference.softmax(np.asarray(z) / temperature, axis=axis)


with given(softmax=given_softmax):
    check(
        log_softmax,
        {"z": np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [4.0, 4.0, 4.0]])},
        np.array([[-2.40760596, -1.40760596, -0.40760596], [-1.09861229] * 3, [-1.09861229] * 3]),
        hint="Of three equal classes each has the probability 1/3, and log(1/3) = -1.0986: the "
        "natural logarithm. A logarithm of a probability is never above 0. If a row is off by its "
        "largest logit, it was subtracted only once. If rows and columns are mixed up, the largest "
        "or the sum lacks keepdims=True. See 'From scores to probabilities'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-log_softmax-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: every axis of arrays with one, two and three axes; integers; float32.
### BEGIN HIDDEN TESTS
import numpy as np
from scipy.special import log_softmax as by_scipy

from course_lib.exercises import check, check_keyword, check_kinds, given
from course_lib.scratch import activations as reference


def given_softmax(z, axis=-1, temperature=1.0):
    return reference.softmax(np.asarray(z) / temperature, axis=axis)


whole = np.array([[0.0, 1.0], [2.0, 4.0]])
rng = np.random.default_rng(seed=5)
with given(softmax=given_softmax):
    check_keyword(
        log_softmax,
        {"z": whole},
        "axis",
        [(axis, by_scipy(whole, axis=axis)) for axis in (1, 0)],
        hint="axis=0 makes the probabilities of each column add up to 1, and axis=1 those of each "
        "row. See 'From scores to probabilities'.",
    )
    for shape in [(4,), (3, 3), (1, 4), (5, 1), (2, 3, 4)]:
        z = rng.normal(size=shape)
        for axis in range(-len(shape), len(shape)):
            check(
                log_softmax,
                {"z": z, "axis": axis},
                by_scipy(z, axis=axis),
                hint="The largest and the sum are taken along axis and nothing else, with "
                "keepdims=True to line them up with z again. See 'From scores to probabilities'.",
            )
    check_kinds(
        log_softmax,
        {"z": whole},
        by_scipy(whole, axis=-1),
        kinds=["float64", "float32", "integers", "strided"],
        hint="Integers came in and logarithms are fractions: an array made with np.zeros_like(z) "
        "cuts them off. See 'From scores to probabilities'.",
    )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-log_softmax-large-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: logits up to 10,000 on both sides, close together and far apart.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch import activations as reference


def given_softmax(z, axis=-1, temperature=1.0):
    return reference.softmax(np.asarray(z) / temperature, axis=axis)


with given(softmax=given_softmax):
    for dtype in ("float64", "float32"):
        z = np.array([[1000, 0, 0], [10_000, -10_000, 10_000], [-10_000, 0, -9_000]], dtype=dtype)
        check(
            log_softmax,
            {"z": z},
            np.array(
                [
                    [0, -1000, -1000],
                    [-np.log(2), -20_000 - np.log(2), -np.log(2)],
                    [-10_000, 0, -9000],
                ]
            ),
            rtol=1e-5,
            atol=1e-8 if dtype == "float64" else 2e-3,  # float32 has 7 digits, 10,000 uses 5
            hint="inf and nan come from an exponential that overflows, -inf from the logarithm of "
            "a probability that was rounded to 0, and about -27 from a small number added to it "
            "(log 1e-12 is -27.6), which invents an answer. Take the logarithm without the "
            "probability: z - max - log(sum(exp(z - max))), with the largest of each row. "
            "See 'From scores to probabilities'.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. Count the dead
#
# A ReLU unit whose `z` is 0 or below for every sample outputs 0 for every sample. Its slope is 0 as well, so
# no gradient reaches its weights: it will output 0 until the end of training, unless a layer before it
# happens to shift its inputs. It is *dead*.
#
# Write the detector. It looks at the pre-activations of one layer, one row per sample and one column per
# unit, and says for each **unit** whether it is 0 or below on all samples. An array with any other number of
# axes than two is refused with a `ValueError`, because nobody could tell samples from units.


# %% nbgrader={"grade": false, "grade_id": "dead_units", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dead_units(pre_activations):
    """Tell which units of a ReLU layer are dead: never above 0, on any sample.

    Parameters
    ----------
    pre_activations : ndarray of shape (n, units)
        What goes into the activation function: one row per sample, one column per unit.

    Returns
    -------
    ndarray of bool, shape (units,)
        True for a unit whose pre-activations are all 0 or negative.

    Raises
    ------
    ValueError
        If pre_activations has not exactly two axes.

    Example
    -------
    >>> dead_units(np.array([[-1.0, 2.0, 0.0], [-3.0, -1.0, -2.0]]))
    array([ True, False,  True])
    """
    ### BEGIN SOLUTION
    pre_activations = np.asarray(pre_activations)
    if pre_activations.ndim != 2:
        raise ValueError(f"expected the shape (n, units), but it is {pre_activations.shape}")
    return (pre_activations <= 0).all(axis=0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-dead_units", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch import activations as reference

with given(
    relu=reference.relu,
    relu_derivative=reference.relu_derivative,
    leaky_relu=reference.leaky_relu,
    leaky_relu_derivative=reference.leaky_relu_derivative,
):
    check(
        dead_units,
        {"pre_activations": np.array([[-1.0, 2.0, 0.0], [-3.0, -1.0, -2.0]])},
        np.array([True, False, True]),
        hint="One answer per unit, and units are columns: look along axis 0, over all samples. At "
        "exactly 0 a ReLU is off, so the third unit is dead. See 'Units that die'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-dead_units-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: many units, as many samples as units, one sample, integers, float32, other numbers of axes.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds, check_raises, given
from course_lib.scratch import activations as reference

rng = np.random.default_rng(seed=6)
square = -np.abs(rng.normal(size=(6, 6)))
square[4, 1] = square[5, 3] = square[0, 4] = 1e-6
with given(
    relu=reference.relu,
    relu_derivative=reference.relu_derivative,
    leaky_relu=reference.leaky_relu,
    leaky_relu_derivative=reference.leaky_relu_derivative,
):
    for samples in (square, np.asfortranarray(square)[::-1]):
        check(
            dead_units,
            {"pre_activations": samples},
            np.array([True, False, True, False, False, True]),
            what="dead_units of six samples and six units, where units 1, 3 and 4 are active for "
            "one sample each",
            hint="A unit is dead only if every sample leaves it at 0 or below. A negative mean is "
            "not enough, and neither is one negative sample. See 'Units that die'.",
        )
    check(
        dead_units,
        {"pre_activations": np.array([[0.0, -1.0, 5.0, -2.0]])},
        np.array([True, True, False, True]),
        hint="One sample is a batch too: four units, four answers. See 'Units that die'.",
    )
    check_kinds(
        dead_units,
        {"pre_activations": np.array([[0.0, -1.0], [0.0, 2.0], [0.0, 0.0]])},
        np.array([True, False]),
        kinds=["float64", "float32", "integers", "strided"],
        hint="At exactly 0 a ReLU outputs 0 and its slope is 0: a unit that is 0 on every sample is "
        "dead. See 'Units that die'.",
    )
    for shape in [(), (4,), (2, 3, 4)]:
        check_raises(
            ValueError,
            dead_units,
            {"pre_activations": np.zeros(shape)},
            hint=f"The shape is {shape}. Only (n, units) says which axis holds the samples: check "
            "the number of axes and raise ValueError(...).",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. Send the gradient back through the activation function
#
# One line is still missing before a network can learn with your functions. On the way forward a hidden layer
# computes `z`, then `activation(z)`. On the way back it is told how fast the loss changes with each of its
# outputs, the *upstream* gradient, and must pass back how fast the loss changes with each `z`. The chain rule
# says: multiply by the slope at `z`, entry by entry.
#
# `derivative` is a function such as your `relu_derivative`.


# %% nbgrader={"grade": false, "grade_id": "activation_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def activation_backward(upstream, z, derivative):
    """Turn the gradient for an activation's outputs into the gradient for its inputs.

    Parameters
    ----------
    upstream : ndarray of any shape
        How fast the loss changes with each output of the activation.
    z : ndarray, same shape as upstream
        Pre-activations: what went into the activation.
    derivative : callable
        Takes z and returns the activation's slopes there, in the same shape.

    Returns
    -------
    ndarray, same shape as z
        How fast the loss changes with each entry of z.

    Example
    -------
    >>> z = np.array([[-1.0, 2.0]])
    >>> activation_backward(np.array([[5.0, 5.0]]), z, lambda z: 2 * z)  # of the activation z**2
    array([[-10.,  20.]])
    """
    ### BEGIN SOLUTION
    return upstream * derivative(z)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-activation_backward", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check
from course_lib.scratch import activations as reference

check(
    activation_backward,
    {
        "upstream": np.array([[1.0, 2.0], [3.0, 4.0]]),
        "z": np.array([[-1.0, 1.0], [2.0, -2.0]]),
        "derivative": reference.relu_derivative,
    },
    np.array([[0.0, 2.0], [3.0, 0.0]]),
    hint="Where z is positive a ReLU passes the gradient on, elsewhere it stops it. The slope is "
    "taken at z, not at upstream, and the product is entry by entry: *, not @. "
    "See 'The usual activation functions'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-activation_backward-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: smooth activations against a measured change of a loss, in several shapes; integers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds
from course_lib.scratch import activations as reference


def slope_of_the_square(z):
    return 2 * z


def slope_of_arctan(z):
    return 1 / (1 + z**2)


rng = np.random.default_rng(seed=7)
pairs = [
    (np.tanh, reference.tanh_derivative),
    (reference.sigmoid, reference.sigmoid_derivative),
    (np.square, slope_of_the_square),
]
h = 1e-5
for shape in [(5,), (1, 3), (4, 4), (2, 3, 2)]:
    for function, slope in pairs:
        upstream, z = rng.normal(size=shape), rng.normal(size=shape)
        check(
            activation_backward,
            {"upstream": upstream, "z": z, "derivative": slope},
            # The loss sum(upstream * function(z)), measured a little to the right and left of z.
            upstream * (function(z + h) - function(z - h)) / (2 * h),
            rtol=1e-5,
            hint="upstream * derivative(z): the slope at z, the number that went in; not at the "
            "activation's output, not at upstream. See 'The usual activation functions'.",
        )
z = np.array([[-1.0, 2.0, 0.0], [3.0, -2.0, 1.0]])
upstream = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -7.0]])
check_kinds(
    activation_backward,
    {"upstream": upstream, "z": z, "derivative": slope_of_arctan},
    upstream / (1 + z**2),
    kinds=["float64", "float32", "integers", "strided"],
    hint="Integers came in and fractions come out: an array made with np.zeros_like(z) or "
    "upstream.copy() has no room for them.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. The map
#
# Three spirals of points, one per class, wound into each other. No straight line separates them. The
# network below has two inputs, 48 hidden units and three outputs, and every number that it
# computes passes through your functions. Nothing is left to write: read it and find them.


# %% nbgrader={"grade": false, "grade_id": "spirals", "locked": true, "schema_version": 3, "solution": false, "task": false}
def spirals(samples=50, seed=1):
    """Return points of shape (3 * samples, 2) on three spirals, and the spiral of each."""
    rng = np.random.default_rng(seed)
    radius = np.tile(np.linspace(0.15, 1, samples), 3)
    label = np.repeat(np.arange(3), samples)
    angle = 2 * np.pi * (label / 3 + 0.8 * radius) + rng.normal(scale=0.12, size=label.size)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), label


X, y = spirals()


# %% nbgrader={"grade": false, "grade_id": "train", "locked": true, "schema_version": 3, "solution": false, "task": false}
def train(activation, derivative, rate, steps=600, units=48, seed=0):
    """Train one hidden layer; return its parameters and the share of dead units along the way."""
    rng = np.random.default_rng(seed)
    W1, b1 = rng.normal(scale=2, size=(2, units)), rng.normal(size=units)
    W2, b2 = rng.normal(scale=np.sqrt(2 / units), size=(units, 3)), np.zeros(3)
    dead = []
    for step in range(steps + 1):
        if step % 20 == 0:
            dead.append(np.mean(dead_units(X @ W1 + b1)))
        rows = rng.choice(len(X), size=45, replace=False)
        z = X[rows] @ W1 + b1
        hidden = activation(z)
        # The gradient of the mean of -log p(right class) at the logits is p - (1 for that class).
        d_logits = (softmax(hidden @ W2 + b2) - np.eye(3)[y[rows]]) / len(rows)
        d_z = activation_backward(d_logits @ W2.T, z, derivative)
        W2, b2 = W2 - rate * hidden.T @ d_logits, b2 - rate * d_logits.sum(axis=0)
        W1, b1 = W1 - rate * X[rows].T @ d_z, b1 - rate * d_z.sum(axis=0)
    return (W1, b1, W2, b2), dead


def believes(points, activation, parameters):
    """Return the logarithm of each class's probability at each point, shape (n, 3)."""
    W1, b1, W2, b2 = parameters
    return log_softmax(activation(points @ W1 + b1) @ W2 + b2)


# %% [markdown]
# Three runs from the same start: ReLU with a sensible learning rate, ReLU with one ten times as
# large, and leaky ReLU with the large one.

# %%
runs = {
    "ReLU, rate 0.5": (relu, relu_derivative, 0.5),
    "ReLU, rate 5": (relu, relu_derivative, 5.0),
    "leaky ReLU, rate 5": (leaky_relu, leaky_relu_derivative, 5.0),
}
results = {}
for name, (activation, derivative, rate) in runs.items():
    parameters, dead = train(activation, derivative, rate)
    log_p = believes(X, activation, parameters)
    loss = -log_p[np.arange(len(X)), y].mean()
    right = np.mean(log_p.argmax(axis=1) == y)
    results[name] = activation, parameters, dead
    print(f"{name:20}  loss {loss:6.3f}   right {right:4.0%}   silent units {dead[-1]:4.0%}")


# %%
@styled
def picture(results, size=70):
    """Color each point of the plane by the probabilities of the three classes."""
    figure, axes = new_figure(rows=2, columns=2, width=7.5, height=6.8)
    *maps, chart = axes.flat
    x = np.linspace(-1.2, 1.2, size)
    grid = np.stack(np.meshgrid(x, x), axis=-1).reshape(-1, 2)
    palette = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in COLORS[:3]])
    for n, (name, (activation, parameters, dead)) in enumerate(results.items()):
        p = np.exp(believes(grid, activation, parameters))
        image = 0.35 + 0.65 * (p @ palette).reshape(size, size, 3)
        maps[n].imshow(image, extent=(-1.2, 1.2, -1.2, 1.2), origin="lower")
        for k in range(3):
            maps[n].plot(*X[y == k].T, MARKERS[k], color=palette[k], mec="white", mew=0.7)
        maps[n].set(title=name, xticks=[], yticks=[])
        steps, share = 20 * np.arange(len(dead)), 100 * np.array(dead)
        chart.plot(steps, share, ls=LINE_STYLES[n], color=COLORS[n + 3], label=name)
    chart.set(title="Units silent on all samples", xlabel="step", ylabel="share, %", ylim=(0, 100))
    chart.legend(loc=(0.38, 0.12))
    return figure


picture(results)

# %% [markdown]
# **What you see.** The first map has learned the spirals: three arms with soft borders. The second comes from
# the same network, the same start and the same data, and is a few slabs around a gray middle, where no class
# is preferred. Your detector shows why. Within the first hundred steps the large rate throws most units to
# the side where ReLU is flat, and their share never comes down again: a dead unit has no slope to climb back
# on. The third network is thrown almost as far in the same steps. But silent is not dead: through the small
# negative slope the gradient still reaches the weights, some units become active again, and the arms come
# back, though less clean than at the sensible rate.
#
# Try a rate of your own, another activation (`gelu` with `gelu_derivative` is waiting), or a
# temperature for the map, and run the two cells again.

# %% [markdown]
# ## Step 8. What would you try?
#
# *4 points, read by a person. About 150 words.*
#
# A colleague trains a network like yours to tell **four** classes apart, with 200 hidden ReLUs and a learning
# rate of 1. After 2,000 steps the loss is stuck at 1.386. `dead_units` finds 160 of the 200 units dead.
#
# 1. What does the number 1.386 tell you? Are 160 dead units of 200 enough to explain that the loss
#    is exactly this number?
# 2. What do you think happened, and why does the network not recover?
# 3. Name three things you would try or measure, in the order in which you would do them, and give the reason
#    for that order. For each: which result would support your explanation, and which would send you looking
#    elsewhere?

# %% [markdown] nbgrader={"grade": true, "grade_id": "why-dead", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# 1.386 is $\log 4$: the loss of a network that gives each of four classes the probability 1/4,
# whatever the input. It has learned nothing, or has forgotten it. The 160 dead units do not explain
# it alone: the 40 living ones could do better than chance, as a small network of 40 would. Either
# what is alive is useless too (active for a few samples only, or thrown about by the same large
# steps), or something else is wrong, such as the labels.
#
# The likely story is a step that was too large. It threw weights and, above all, biases so far
# that `z` is negative on every sample for 160 units. There the slope of ReLU is 0, the gradient
# for their weights is 0, and no later step moves them, at any learning rate. So lowering the rate
# and training on will not revive them: the network must start afresh.
#
# First I would run `dead_units` on the untrained network: it costs one forward pass. If most units
# are dead before the first step, the learning rate is innocent, and I would look at the
# initialization and at the scale of the inputs (were they standardized?). If few are, the units
# died in training. Then I would start again with a rate of 0.1, and 0.01, changing nothing else,
# and watch the share of dead units and the loss. If both fall, the rate was the cause. If few
# units die and the loss still stays at $\log 4$, the dead units were not the reason, and I would
# look at the data and labels, and try to learn ten samples by heart. Last I would try leaky ReLU
# or GELU at the old rate, because it changes the model and not only its training: if the loss
# falls, flat units were what held it; if not, the step is too large for any activation.
#
# === BEGIN MARK SCHEME ===
# One point each; half points where the idea is there and the reason is not.
#
# 1. **Reads the loss, and doubts.** 1.386 = log 4, so the network is at chance (0.5; "high" or
#    "stuck" without the link to four equal classes: 0). 160 of 200 are not enough to explain
#    exactly log 4: 40 living units should do better than chance, so the living ones are of no use
#    either, or something else is wrong too (0.5).
# 2. **Explains the trap.** The step was too large, z is negative on all samples, slope 0, gradient
#    0, hence no recovery; says or implies that lowering the rate *and training on* cannot revive
#    the dead units, and a fresh start is needed. (0.5 without why it does not mend itself.)
# 3. **Orders the trials with reasons.** Three trials or measurements, cheap ones and one change at
#    a time first. Accept any sound order and other sound trials: dead share before training,
#    smaller rate, initialization of weights or biases, standardized inputs, leaky ReLU or GELU,
#    gradient clipping, warm-up, learning ten samples by heart. (0.5 for a list without reasons.)
# 4. **Says what each result would tell.** For at least two trials, both a result that supports the
#    explanation and one that speaks against it. (0.5 if only the supporting ones.)
#
# An answer that notices that a network whose units are all dead still learns its output biases, so
# that log 4 also says that the four classes are equally frequent, earns a point that was lost
# elsewhere (never more than 4).
# === END MARK SCHEME ===
