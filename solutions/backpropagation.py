# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.scratch.tensor
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
# # Backpropagation: an engine of your own
#
# - **Time:** 120 minutes. **Difficulty:** 3 of 5. **Points:** 35, of which a person gives 4.
# - **Needs:** the chapter *Backpropagation*, NumPy arrays and broadcasting.
#
# You will write the backward step of each operation that a network of fully connected layers needs, put the
# operations of a computation in order, and send the blame back through all of them, even where two losses
# share a part of their graph. At the end a network reads handwritten digits, trained by nothing but your
# engine. Then the same engine answers one more question: for each digit that the network gets wrong, which
# pixels were to blame?
#
# **What is special here**
#
# - `grad` holds the slopes of a loss in the result of an operation, in the shape of the result.
#   A backward step returns the slopes of the loss in the operands, each in the shape of its operand.
# - Arrays hold `float64`, `float32` or integers (a matrix of zeros and ones, say), except where a step says
#   `float64`. Slopes may be fractions, whatever the operands hold.
# - You may hand an array on as it is, if it is right as it is. Never change the numbers in it: it is not
#   yours.
#
# `course_lib.scratch.tensor` holds answers to this exercise: leave it closed. What holds in every
# exercise (how to check, what the tests look at, what counts) is on the page *How exercises work* in
# the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.data.digits import load as load_digits
from course_lib.plotting.style import COLORS, new_figure, styled

np.set_printoptions(suppress=True)

# %% [markdown]
# ## Step 1. A judge who knows no calculus
#
# Before you write a derivative, build something that tells you when it is wrong. The chapter nudged one
# weight of one network. Here a loss is any function of any array, and every entry is tested: nudge it up by
# `h`, compute the loss, nudge it down, compute it again. The *central difference*, the first loss minus the
# second, divided by `2h`, is close to the slope. It is slow, but a wrong transpose cannot fool it. Use it on
# every step that follows.


# %% nbgrader={"grade": false, "grade_id": "numerical_gradient", "locked": false, "schema_version": 3, "solution": true, "task": false}
def numerical_gradient(loss, x, h=1e-5):
    """Compute the central difference of a loss in each entry of x.

    Parameters
    ----------
    loss : callable
        loss(x) returns one number for an array of the shape of x.
    x : ndarray of float64, any shape, also (), and any layout in memory
        Where to measure. When the function returns, x holds exactly what it held before. (Adding h
        and taking it off again may leave a trace of rounding; keep the old number, or nudge a copy.)
    h : float
        How far to nudge one entry, while all others are as they were.

    Returns
    -------
    ndarray, same shape as x
        The difference of the two losses, divided by 2 h, also where h is so large that this is not
        the slope.

    Example
    -------
    >>> numerical_gradient(lambda x: np.sum(x**2), np.array([1.0, -3.0])).round(4)
    array([ 2., -6.])
    """
    ### BEGIN SOLUTION
    slopes = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[place] += h
        down[place] -= h
        slopes[place] = (loss(up) - loss(down)) / (2 * h)
    return slopes
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-numerical_gradient", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    numerical_gradient,
    {"loss": lambda x: np.sum(x**2), "x": np.array([1.0, -3.0])},
    np.array([2.0, -6.0]),
    rtol=1e-5,
    hint="(loss with x[i] + h, minus loss with x[i] - h) / (2 * h), one entry at a time. Twice the "
    "right values: divide by 2 * h, not by h. See 'Asking each weight'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-numerical_gradient-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: losses that couple the entries, a large h, other shapes and layouts in memory.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_keyword, check_kinds

x = np.array([[0.5, -1.0, 2.0], [1.5, 0.0, -0.5]])
check(
    numerical_gradient,
    {"loss": lambda x: np.sum(x) ** 2 + np.sum(x**2), "x": x, "h": 1e-3},
    2 * x.sum() + 2 * x,
    hint="The loss is sum(x)**2 + sum(x**2), where every entry matters for the slope of every other. "
    "An error of 2 * h everywhere means that only one side was measured: (loss(x + h) - loss(x)) / h "
    "is a slope somewhere between x and x + h. Nudge to both sides. Errors that grow from entry to "
    "entry: an entry must be back in its place before the next one is nudged. "
    "See 'Asking each weight'.",
)
check_keyword(
    numerical_gradient,
    {"loss": lambda x: np.sum(x**3), "x": x},
    "h",
    [(1e-5, 3 * x**2), (0.5, 3 * x**2 + 0.25), (0.1, 3 * x**2 + 0.01)],
    hint="The loss is sum(x**3). ((x + h)**3 - (x - h)**3) / (2 * h) is 3 * x**2 + h**2: nudge by h, "
    "to both sides, and divide by 2 * h. See 'Asking each weight'.",
)
weights = np.arange(24.0).reshape(2, 3, 4) / 10
for name, kind, x in (
    ("", "float64", np.linspace(-1, 1, 24).reshape(2, 3, 4)),
    (", the transpose of an array", "float64", np.linspace(-1, 1, 24).reshape(4, 3, 2).T),
    ("", "strided", np.linspace(-1, 1, 24).reshape(2, 3, 4)),
):
    check_kinds(
        numerical_gradient,
        {"loss": lambda x: np.sum(weights * x**2), "x": x},
        2 * weights * x,
        kinds=[kind],
        rtol=1e-5,
        what=f"numerical_gradient of sum(weights * x**2), x of shape (2, 3, 4){name}",
        hint="Zeros or values in the wrong place: x.ravel() and x.reshape(-1) are views of some "
        "arrays and copies of others, so nudging them may not move x. Use np.ndindex(x.shape). "
        "See 'Asking each weight'.",
    )
check(
    numerical_gradient,
    {"loss": lambda x: float(x) ** 2, "x": np.array(3.0)},
    6.0,
    rtol=1e-5,
    hint="An array without axes has one entry too, at the place (): np.ndindex(()) gives it. The loss "
    "is x**2.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. One number, many copies
#
# When a bias of shape (10,) is added to activations of shape (64, 10), NumPy acts as if there were 64 copies
# of it. They are one vector, used 64 times, and the slopes that come back along 64 paths add up. Write the
# function that adds them up, for whatever NumPy can broadcast: axes that were added in front, and axes of
# length 1 that were stretched.


# %% nbgrader={"grade": false, "grade_id": "undo_broadcasting", "locked": false, "schema_version": 3, "solution": true, "task": false}
def undo_broadcasting(grad, shape):
    """Add up the slopes of the copies that broadcasting made.

    Parameters
    ----------
    grad : ndarray
        Slopes of the loss in an array to which another one, of the given shape, was broadcast.
    shape : tuple of int

    Returns
    -------
    ndarray of exactly this shape

    Example
    -------
    >>> undo_broadcasting(np.ones((64, 10)), (10,)).tolist()[:3]
    [64.0, 64.0, 64.0]
    >>> undo_broadcasting(np.ones((2, 3)), (2, 1)).tolist()
    [[3.0], [3.0]]
    """
    ### BEGIN SOLUTION
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    stretched = tuple(axis for axis, length in enumerate(shape) if length == 1)
    return grad.sum(axis=stretched, keepdims=True)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-undo_broadcasting", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

G = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
check(
    undo_broadcasting,
    {"grad": G, "shape": (3,)},
    np.array([11.0, 22.0, 33.0]),
    hint="An array of shape (3,) was used in both rows: add the rows up. A mean would be a sum over "
    "the copies, divided by a number that nobody asked for. See 'From numbers to arrays'.",
)
check(
    undo_broadcasting,
    {"grad": G, "shape": (2, 1)},
    np.array([[6.0], [60.0]]),
    hint="The axis of length 1 was stretched to 3: add up along it, and keep it (keepdims=True). "
    "See 'From numbers to arrays'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-undo_broadcasting-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: more axes, single numbers, shapes that were not broadcast, and lengths of 0 and 1.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds

rng = np.random.default_rng(3)
hint = (
    "Two things may have happened: axes were put in front (sum over them, and they are gone), and "
    "axes of length 1 were stretched (sum over them, and keep them). Where neither did, nothing "
    "changes. See 'From numbers to arrays'."
)
cases = [
    ((2, 3, 4), (3, 4)), ((2, 3, 4), (4,)), ((2, 3, 4), (1, 4)), ((2, 3, 4), (3, 1)),
    ((2, 3, 4), (2, 1, 4)), ((2, 3, 4), (1, 1, 1)), ((2, 3, 4), ()), ((5,), (1,)), ((5,), ()),
    ((3, 4), (3, 4)), ((1, 4), (1, 4)), ((1, 4), (4,)), ((), ()), ((0, 4), (4,)), ((0, 4), (1, 4)),
    ((3, 3), (3,)), ((3, 3), (3, 1)), ((3, 3), (1, 3)),
]  # fmt: skip
for shape, before in cases:
    G = rng.normal(size=shape)
    # Each entry of the small array, found again in the large one by its number.
    numbers = np.broadcast_to(np.arange(np.prod(before, dtype=int)).reshape(before), shape)
    sums = np.bincount(numbers.ravel(), G.ravel(), minlength=np.prod(before, dtype=int))
    check(
        undo_broadcasting,
        {"grad": G, "shape": before},
        sums.reshape(before),
        what=f"undo_broadcasting of slopes of shape {shape} to the shape {before}",
        hint=hint,
    )
G = np.array([[[1.0, -2.0, 5.0]], [[4.0, 0.0, 7.0]]])
check_kinds(
    undo_broadcasting,
    {"grad": G, "shape": (1, 1)},
    np.array([[15.0]]),
    kinds=["float32", "integers", "strided"],
    hint=hint,
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. Sums and products
#
# In a sum, each term has slope 1. In a product, each factor's slope is the other factor. `a` and
# `b` may have different shapes that NumPy broadcasts, and each gradient has the shape of its own
# operand.


# %% nbgrader={"grade": false, "grade_id": "add_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def add_backward(grad, a, b):
    """Pull slopes back through a + b.

    Parameters
    ----------
    grad : ndarray, shape of a + b
    a, b : ndarray, shapes that broadcast

    Returns
    -------
    two ndarrays, with the shapes of a and of b

    Example
    -------
    >>> grad_a, grad_b = add_backward(np.ones((2, 3)), np.zeros((2, 3)), np.zeros(3))
    >>> grad_a.shape, grad_b.tolist()
    ((2, 3), [2.0, 2.0, 2.0])
    """
    ### BEGIN SOLUTION
    return undo_broadcasting(grad, a.shape), undo_broadcasting(grad, b.shape)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "mul_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mul_backward(grad, a, b):
    """Pull slopes back through a * b, entry by entry.

    Parameters
    ----------
    grad : ndarray, shape of a * b
    a, b : ndarray, shapes that broadcast

    Returns
    -------
    two ndarrays, with the shapes of a and of b

    Example
    -------
    >>> grad_a, grad_b = mul_backward(np.ones(2), np.array([3.0, 4.0]), np.array(10.0))
    >>> grad_a.tolist(), grad_b.tolist()
    ([10.0, 10.0], 7.0)
    """
    ### BEGIN SOLUTION
    return undo_broadcasting(grad * b, a.shape), undo_broadcasting(grad * a, b.shape)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-add_backward", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch.tensor import undo_broadcasting as lent

G = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
with given(undo_broadcasting=lent):
    check(
        add_backward,
        {"grad": G, "a": np.ones((2, 3)), "b": np.ones(3)},
        (G, np.array([11.0, 22.0, 33.0])),
        hint="In a sum each term has slope 1: what arrives is passed on (see 'A computation is a "
        "graph'). b was added to both rows, so its gradient is the sum over the rows and has the "
        "shape of b: undo_broadcasting does that. See 'From numbers to arrays'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-mul_backward", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch.tensor import undo_broadcasting as lent

with given(undo_broadcasting=lent):
    check(
        mul_backward,
        {"grad": np.array([1.0, 10.0]), "a": np.array([2.0, 3.0]), "b": np.array([5.0, 7.0])},
        (np.array([5.0, 70.0]), np.array([2.0, 30.0])),
        hint="Each factor's slope is the OTHER factor, times the slope that arrives. "
        "See 'A computation is a graph'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-add-mul-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: both operations with many pairs of shapes, against measured slopes; other kinds of numbers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds, given
from course_lib.scratch.tensor import undo_broadcasting as lent

rng = np.random.default_rng(5)
hint = (
    "The gradient has the shape of its operand. Where the operand was broadcast, multiply first, in "
    "the large shape, and then add up the slopes of the copies. See 'From numbers to arrays'."
)
pairs = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 3), (2, 1)), ((2, 1), (1, 3)),
    ((2, 3), ()), ((), (4,)), ((4, 1, 3), (2, 1)), ((2, 2), (2, 2)), ((0, 3), (3,)),
]  # fmt: skip
with given(undo_broadcasting=lent):
    for backward_step, operation in ((add_backward, np.add), (mul_backward, np.multiply)):
        for shapes in pairs:
            a, b = (rng.normal(size=shape) for shape in shapes)
            G = rng.normal(size=operation(a, b).shape)
            measured = np.zeros(shapes[0]), np.zeros(shapes[1])
            for i, shape in enumerate(shapes):
                for place in np.ndindex(shape):
                    sides = [[a.copy(), b.copy()] for _ in range(2)]
                    sides[0][i][place] += 0.5  # straight lines: any step will do
                    sides[1][i][place] -= 0.5
                    measured[i][place] = np.sum(G * operation(*sides[0]) - G * operation(*sides[1]))
            check(backward_step, {"grad": G, "a": a, "b": b}, measured, hint=hint)
    a, b = np.array([[2.0], [-3.0]]), np.array([5.0, 7.0])
    G = np.array([[1.0, 4.0], [-2.0, 3.0]])
    for backward_step, right in (
        (add_backward, (np.array([[5.0], [1.0]]), np.array([-1.0, 7.0]))),
        (mul_backward, (np.array([[33.0], [11.0]]), np.array([8.0, -1.0]))),
    ):
        args = {"grad": G, "a": a, "b": b}
        check_kinds(backward_step, args, right, kinds=["float32", "integers", "strided"], hint=hint)
        check(
            backward_step,
            {"grad": G / 4, "a": a.astype(int), "b": b.astype(int)},
            (right[0] / 4, right[1] / 4),
            hint="The operands are integers here, and their slopes have fractions all the same: "
            "zeros_like(a) would make an array of integers. " + hint,
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. Matrix products
#
# For $C = AB$ the slopes are $G B^\top$ in $A$ and $A^\top G$ in $B$. NumPy's `@` also multiplies
# stacks: the last two axes are matrices, and the axes before them are broadcast. A weight matrix of
# shape (3, 4) can multiply a stack of shape (7, 2, 3), and then it was used seven times.
#
# The first test uses two matrices only. A separate hidden test tries stacks.


# %% nbgrader={"grade": false, "grade_id": "matmul_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def matmul_backward(grad, a, b):
    """Pull slopes back through a @ b.

    Parameters
    ----------
    grad : ndarray, shape (..., n, k)
    a : ndarray, shape (..., n, d)
    b : ndarray, shape (..., d, k)
        The axes before the last two broadcast.

    Returns
    -------
    two ndarrays, with the shapes of a and of b

    Example
    -------
    >>> grad_a, grad_b = matmul_backward(np.ones((1, 1)), np.array([[2.0, 3.0]]), np.ones((2, 1)))
    >>> grad_a.tolist(), grad_b.tolist()
    ([[1.0, 1.0]], [[2.0], [3.0]])
    """
    ### BEGIN SOLUTION
    grad_a = grad @ b.swapaxes(-1, -2)
    grad_b = a.swapaxes(-1, -2) @ grad
    return undo_broadcasting(grad_a, a.shape), undo_broadcasting(grad_b, b.shape)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-matmul_backward", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch.tensor import undo_broadcasting as lent

with given(undo_broadcasting=lent):
    check(
        matmul_backward,
        {
            "grad": np.array([[1.0, 10.0]]),
            "a": np.array([[1.0, 2.0]]),
            "b": np.array([[3.0, 4.0], [5.0, 6.0]]),
        },
        (np.array([[43.0, 65.0]]), np.array([[1.0, 10.0], [2.0, 20.0]])),
        hint="For a it is grad @ b transposed: a[0, 0] = 1 meets the row [3, 4] of b, so its slope is "
        "3 * 1 + 4 * 10. For b it is a transposed @ grad, in this order. "
        "See 'From numbers to arrays'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-matmul_backward-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: two matrices of many shapes, square ones among them, and other kinds of numbers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds, given
from course_lib.scratch.tensor import undo_broadcasting as lent

rng = np.random.default_rng(7)
hint = (
    "The gradient of a is grad @ b.T, that of b is a.T @ grad. With square matrices every wrong "
    "transpose and every wrong order fits as well: measure with numerical_gradient. "
    "See 'From numbers to arrays'."
)


def products(G, a, b):
    return np.einsum("ik,jk->ij", G, b), np.einsum("ij,ik->jk", a, G)


with given(undo_broadcasting=lent):
    for n, d, k in [(3, 3, 3), (2, 3, 4), (1, 5, 2), (4, 1, 4), (5, 2, 1), (2, 2, 2), (0, 3, 2)]:
        a, b, G = rng.normal(size=(n, d)), rng.normal(size=(d, k)), rng.normal(size=(n, k))
        check(matmul_backward, {"grad": G, "a": a, "b": b}, products(G, a, b), hint=hint)
    a, b, G = (np.round(rng.normal(scale=4, size=shape)) for shape in [(2, 3), (3, 4), (2, 4)])
    args, right = {"grad": G, "a": a, "b": b}, products(G, a, b)
    check_kinds(matmul_backward, args, right, kinds=["float32", "integers", "strided"], hint=hint)
    check(
        matmul_backward,
        {"grad": G / 4, "a": a.astype(int), "b": b.astype(int)},
        (right[0] / 4, right[1] / 4),
        hint="The matrices hold integers here, and their slopes have fractions all the same: "
        "zeros_like(a) would make an array of integers. " + hint,
    )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-matmul_backward-stacks-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: stacks of matrices, and stacks that broadcast.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch.tensor import undo_broadcasting as lent

rng = np.random.default_rng(11)
with given(undo_broadcasting=lent):
    for front_a, front_b, (n, d, k) in [
        ((3,), (3,), (3, 3, 3)), ((2,), (2,), (2, 3, 4)), ((7,), (), (2, 3, 4)),
        ((), (7,), (2, 3, 4)), ((1,), (3,), (2, 3, 4)), ((2, 1), (3,), (2, 3, 4)),
    ]:  # fmt: skip
        a, b = rng.normal(size=(*front_a, n, d)), rng.normal(size=(*front_b, d, k))
        G = rng.normal(size=(a @ b).shape)
        front = G.shape[:-2]
        grad_a = np.einsum("...ik,...jk->...ij", G, np.broadcast_to(b, (*front, d, k)))
        grad_b = np.einsum("...ij,...ik->...jk", np.broadcast_to(a, (*front, n, d)), G)
        check(
            matmul_backward,
            {"grad": G, "a": a, "b": b},
            (lent(grad_a, a.shape), lent(grad_b, b.shape)),
            hint="In a stack only the last two axes are a matrix: .T turns all axes around, "
            "swapaxes(-1, -2) the last two. A matrix that multiplied a whole stack was used once in "
            "each layer of it: its slopes add up. See 'From numbers to arrays'.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. ReLU
#
# ReLU passes positive numbers on and replaces the others with 0. Blame comes back through it where a number
# passed, and nowhere else. At exactly 0 the slope is 0.


# %% nbgrader={"grade": false, "grade_id": "relu_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def relu_backward(grad, z):
    """Pull slopes back through max(z, 0).

    Parameters
    ----------
    grad : ndarray, shape of z
    z : ndarray of any shape
        What went into the ReLU.

    Returns
    -------
    ndarray, same shape as z

    Example
    -------
    >>> relu_backward(np.array([5.0, 6.0, 7.0]), np.array([-1.0, 0.0, 2.0])).tolist()
    [0.0, 0.0, 7.0]
    """
    ### BEGIN SOLUTION
    return grad * (z > 0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-relu_backward", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    relu_backward,
    {"grad": np.array([5.0, 6.0, 7.0]), "z": np.array([-1.0, 0.0, 2.0])},
    np.array([0.0, 0.0, 7.0]),
    hint="Where z was positive the slope passes unchanged, elsewhere it is 0, also at exactly 0. "
    "See 'From numbers to arrays'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-relu_backward-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: negative slopes, a batch, a single number, and other kinds of numbers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds

G = np.array([[-2.0, 3.0, -4.0], [5.0, -6.0, 0.5]])
z = np.array([[1.0, -1.0, 0.5], [-0.5, 0.0, 3.0]])
right = np.array([[-2.0, 0.0, -4.0], [0.0, 0.0, 0.5]])
hint = (
    "It is the sign of z, what went in, that decides, not the sign of the slope: "
    "np.maximum(grad, 0) is the ReLU of the wrong array, and a negative slope is blame too. "
    "See 'From numbers to arrays'."
)
check(relu_backward, {"grad": G, "z": z}, right, hint=hint)
check_kinds(
    relu_backward,
    {"grad": 2 * G, "z": 2 * z},
    2 * right,
    kinds=["float32", "integers", "strided"],
    hint=hint,
)
check(
    relu_backward,
    {"grad": G / 8, "z": (2 * z).astype(int)},
    right / 8,
    hint="z holds integers here, and the slopes have fractions all the same: zeros_like(z) would "
    "make an array of integers. " + hint,
)
check(relu_backward, {"grad": np.array(-1.5), "z": np.array(2.0)}, -1.5, hint=hint)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. Where the blame begins
#
# The last operation turns logits into one number: softmax, then the mean over the batch of $-\log p$ of the
# right class. Taken in one go, its backward step is the shortest formula of all: what the network believed,
# minus what is true, divided by the number of samples.
#
# Labels are expensive, and in many data sets some are missing. Here a missing label is written as -1. A
# sample without a label is not part of the loss: it gets no blame, and the mean is over the others.


# %% nbgrader={"grade": false, "grade_id": "cross_entropy_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cross_entropy_backward(logits, labels):
    """Slopes of the mean cross-entropy in the logits.

    Parameters
    ----------
    logits : ndarray, shape (n, k)
        A score for each class, from -10,000 to 10,000; one sample a row.
    labels : ndarray of int, shape (n,)
        The right classes, from 0 to k - 1, or -1 where the label is missing. At least one is there.

    Returns
    -------
    ndarray, shape (n, k)

    Example
    -------
    >>> cross_entropy_backward(np.zeros((2, 2)), np.array([1, -1])).tolist()
    [[0.5, -0.5], [0.0, 0.0]]
    """
    ### BEGIN SOLUTION
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    believed = e / e.sum(axis=1, keepdims=True)
    true = np.eye(logits.shape[1])[labels]
    known = labels >= 0
    return np.where(known[:, None], believed - true, 0) / known.sum()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-cross_entropy_backward", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    cross_entropy_backward,
    {"logits": np.log([[1.0, 3.0], [1.0, 1.0]]), "labels": np.array([0, 1])},
    np.array([[(0.25 - 1) / 2, 0.75 / 2], [0.5 / 2, (0.5 - 1) / 2]]),
    what="cross_entropy_backward for the probabilities (1/4, 3/4), (1/2, 1/2) and labels 0, 1",
    hint="Probabilities, minus 1 at the right class, divided by n = 2, since the loss is a mean over "
    "the samples. With the signs exchanged it would lead uphill. See 'From numbers to arrays'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-cross_entropy_backward-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: other batches, more classes, logits up to 10,000, other kinds of numbers, missing labels.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds


def measured_slopes(logits, labels):
    def loss(z):
        rows = np.flatnonzero(labels >= 0)
        return np.mean(np.log(np.exp(z[rows]).sum(axis=1)) - z[rows, labels[rows]])

    slopes = np.zeros(logits.shape)
    for place in np.ndindex(logits.shape):
        up, down = logits.copy(), logits.copy()
        up[place] += 1e-5
        down[place] -= 1e-5
        slopes[place] = (loss(up) - loss(down)) / 2e-5
    return slopes


rng = np.random.default_rng(13)
for n, k in [(1, 3), (5, 3), (4, 10), (6, 1)]:
    logits, labels = rng.normal(scale=2, size=(n, k)), rng.integers(k, size=n)
    check(
        cross_entropy_backward,
        {"logits": logits, "labels": labels},
        measured_slopes(logits, labels),
        rtol=1e-5,
        atol=1e-7,
        hint="The mean is over the n samples (the rows), not over all n * k numbers, and the softmax "
        "runs along each row. See 'From numbers to arrays'.",
    )
check(
    cross_entropy_backward,
    {
        "logits": np.array([[10_000.0, 0, -10_000], [-10_000, 10_000, 10_000], 3 * [-10_000]]),
        "labels": np.array([0, 0, 1]),
    },
    np.array([[0, 0, 0], [-6, 3, 3], [2, -4, 2]]) / 18,
    what="cross_entropy_backward for logits of ±10,000",
    hint="exp overflows, and infinity divided by infinity is nan, as 0 / 0 is. Subtract the largest "
    "logit of each row first, of its own row and not of all. "
    "See 'From scores to probabilities' in the chapter on activations.",
)
logits, labels = np.array([[0.0, 1.0, 3.0], [2.0, 2.0, -1.0]]), np.array([1, 0])
check_kinds(
    cross_entropy_backward,
    {"logits": logits, "labels": labels},
    measured_slopes(logits, labels),
    kinds=["float32", "integers", "strided"],
    rtol=1e-5,
    atol=1e-7,
    hint="Softmax has fractions, for integers too. See 'From numbers to arrays'.",
)
for labels in ([2, -1, 0, -1, -1], [-1, -1, -1, -1, 1], [0, -1, 2, 2, 1]):
    logits, labels = rng.normal(scale=2, size=(5, 3)), np.array(labels)
    check(
        cross_entropy_backward,
        {"logits": logits, "labels": labels},
        measured_slopes(logits, labels),
        rtol=1e-5,
        atol=1e-7,
        what=f"cross_entropy_backward for the labels {labels.tolist()}, where -1 is a missing one",
        hint="A sample without a label has slopes of 0, and n counts the samples that have one. To "
        "NumPy the index -1 is the last class, and no error: look for the missing labels yourself. "
        "See 'From numbers to arrays'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## The nodes of a graph
#
# The operations are done. What is left is the graph. Each number or array in a computation is a `Node`: it
# knows its data, the nodes that it was computed from (its parents), and a function that pulls its slopes back
# and returns one gradient for each parent. Read it; there is nothing to write.


# %% nbgrader={"grade": false, "grade_id": "node", "locked": true, "schema_version": 3, "solution": false, "task": false}
class Node:
    """An array in a computation.

    Attributes
    ----------
    data : ndarray
    parents : list of Node
        What it was computed from; empty for inputs and weights. A node may be there twice.
    pull : callable or None
        pull(grad) returns a sequence with the gradient for each parent, in their order.
    grad : ndarray, shape of data
        In a leaf, a node without parents: the slopes that have arrived so far; zeros to begin with.
    """

    def __init__(self, data, parents=(), pull=None):
        self.data = np.asarray(data, dtype=float)
        self.parents, self.pull = list(parents), pull
        self.grad = np.zeros(self.data.shape)


def add(a, b):
    """The node a + b."""
    return Node(a.data + b.data, [a, b], lambda grad: add_backward(grad, a.data, b.data))


def mul(a, b):
    """The node a * b."""
    return Node(a.data * b.data, [a, b], lambda grad: mul_backward(grad, a.data, b.data))


def matmul(a, b):
    """The node a @ b."""
    return Node(a.data @ b.data, [a, b], lambda grad: matmul_backward(grad, a.data, b.data))


def relu(z):
    """The node max(z, 0)."""
    return Node(np.maximum(z.data, 0), [z], lambda grad: [relu_backward(grad, z.data)])


def cross_entropy(logits, labels):
    """The mean of -log p of the right class, a node with one number; -1 is a missing label."""
    below = logits.data - logits.data.max(axis=1, keepdims=True)
    log_p = below - np.log(np.exp(below).sum(axis=1, keepdims=True))
    loss = -log_p[np.arange(len(labels)), labels][labels >= 0].mean()
    return Node(loss, [logits], lambda grad: [grad * cross_entropy_backward(logits.data, labels)])


# %% [markdown]
# ## Step 7. First things first
#
# Before slopes can flow back, the nodes must be put in an order in which each comes after all those that it
# was computed from. Two things make this harder than it looks. A node that is used twice must be listed once,
# and the walk must not follow it twice either: a number that is added to itself forty times has a trillion
# paths back to the beginning. And a graph can be thousands of operations deep, where Python's recursion gives
# up.


# %% nbgrader={"grade": false, "grade_id": "topological_order", "locked": false, "schema_version": 3, "solution": true, "task": false}
def topological_order(last):
    """List the nodes that lead to `last`, each after all of its parents.

    Parameters
    ----------
    last : object with an attribute `parents`
        `parents` is a list of objects of the same kind; it may be empty, and may hold the same
        object twice. Following parents never leads back to where one started. The graph stays as it
        is: it is needed for the slopes.

    Returns
    -------
    list
        Every object that can be reached from `last` through `parents`, and `last` itself at the
        end, each of them once.

    Example
    -------
    >>> a = Node(1.0); b = Node(2.0, [a]); c = Node(3.0, [a, b])
    >>> [node.data.item() for node in topological_order(c)]
    [1.0, 2.0, 3.0]
    """
    ### BEGIN SOLUTION
    order, entered, stack = [], set(), [(last, False)]
    while stack:
        node, parents_are_listed = stack.pop()
        if parents_are_listed:
            order.append(node)
        elif id(node) not in entered:
            entered.add(id(node))
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents)
    return order
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-topological_order", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import assert_equal, call, probe


def listed(order, edges, last):
    """Build nodes named 0, 1, ... with these parents; return the names in the order they come."""

    class Plain:
        def __init__(self, name):
            self.name, self.parents = name, []

    nodes = [Plain(name) for name in range(len(edges))]
    for node, names in zip(nodes, edges, strict=True):
        node.parents = [nodes[name] for name in names]
    return [node.name for node in call(order, {"last": nodes[last]})]


# 0 is used by 1 and by 2, and 3 is made of 1 and 2.
edges = [[], [0], [0, 1], [1, 2]]
assert_equal(
    probe(listed, topological_order, edges, 3),
    [0, 1, 2, 3],
    what="The order of four nodes, of which 1 needs 0, 2 needs 0 and 1, and 3 needs 1 and 2",
    hint="Only one order is right here. A node is listed after its parents have been listed, and "
    "once. Listing a node when you first meet it gives an order by distance, which is not the same. "
    "See 'Too many paths'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-topological_order-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: random graphs, nodes that are used twice, and nodes that do not lead to the last one.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_equal, call, probe


def listed_in_the_end(order, edges, last):
    class Plain:
        def __init__(self, name):
            self.name, self.parents = name, []

    nodes = [Plain(name) for name in range(len(edges))]
    for node, names in zip(nodes, edges, strict=True):
        node.parents = [nodes[name] for name in names]
    came = [node.name for node in call(order, {"last": nodes[last]})]
    return came, [[parent.name for parent in node.parents] for node in nodes]


rng = np.random.default_rng(17)
for _ in range(60):
    size = int(rng.integers(1, 12))
    names = rng.permutation(size)  # so that names tell nothing about the order
    edges = [[] for _ in range(size)]
    for i in range(1, size):
        edges[names[i]] = [int(names[j]) for j in rng.integers(0, i, size=rng.integers(0, 4))]
    last = int(names[rng.integers(size)])
    wanted, waiting = set(), [last]
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += edges[name]
    got, parents = probe(listed_in_the_end, topological_order, edges, last)
    what = f"The order of a graph with the parents {edges}, from node {last}"
    assert_equal(
        parents,
        edges,
        what="The parents of each node, after topological_order",
        hint="You changed a node's list of parents. The slopes will need it: walk through it, or "
        "through a copy of it.",
    )
    assert_equal(
        sorted(got),
        sorted(wanted),
        what=f"{what}: the nodes in it",
        hint="Each node that leads to the last one, once, and no other; the last one too. A node that "
        "was met before must not be listed again. See 'Too many paths'.",
    )
    place = {name: i for i, name in enumerate(got)}
    late = [(p, name) for name in got for p in edges[name] if place[p] > place[name]]
    assert_equal(
        late,
        [],
        what=f"{what}: it came as {got}. Parents that come after their children",
        hint="A node can be listed when all of its parents have been, not when one of them has or "
        "when it is first met. See 'Too many paths'.",
    )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-topological_order-large-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: a graph with very many paths, and a very deep one.
### BEGIN HIDDEN TESTS
from course_lib.exercises import assert_equal, probe


def chain(order, steps, copies, most):
    """Build a chain of nodes, each using the one before `copies` times; count looks at parents."""
    looks = 0

    class Counted:
        def __init__(self, name, before):
            self.name, self.before = name, before

        @property
        def parents(self):
            nonlocal looks
            looks += 1
            if looks > most:
                raise OverflowError("too many looks")
            return list(self.before)

    node = Counted(0, [])
    for name in range(1, steps + 1):
        node = Counted(name, copies * [node])
    try:
        return [node.name for node in order(node)], "", 0
    except (OverflowError, RecursionError, MemoryError) as error:
        return [], type(error).__name__, looks


names, error, _ = probe(chain, topological_order, 40, 2, 4000)
assert_equal(
    error,
    "",
    what="Ordering a number that was added to itself forty times (41 nodes), with at most 4,000 "
    "looks at `parents`",
    hint="Your walk follows every path, and there are 2 to the power 40 of them: about a trillion. "
    "Remember which nodes were entered, and do not enter a node again. See 'Too many paths'.",
)
assert_equal(list(names), list(range(41)), what="The order of these 41 nodes")
names, error, _ = probe(chain, topological_order, 5000, 1, 10**9)
assert_equal(
    error,
    "",
    what="Ordering a chain of 5,000 operations",
    hint="Python gives up after some thousand calls inside each other. Replace the recursion by a "
    "list of your own that is used as a stack. See 'Too many paths'.",
)
assert_equal(list(names) == list(range(5001)), True, what="Whether these 5,001 nodes are in order")
### END HIDDEN TESTS

# %% [markdown]
# ## Step 8. The blame goes back
#
# Now the engine itself. Walk through the nodes from the last to the first. When a node's turn comes,
# all its slopes have arrived, and `node.pull` gives what it passes on to each of its parents. Slopes
# that arrive at the same node are added. What has arrived at a *leaf*, a node without parents, is
# added to its `grad`.
#
# Two more things must be true. Losses may share a part of their graph and be sent back one after the other:
# what the first call left must not travel again in the second. And the walk may begin at a node of any shape,
# where the caller says what the slopes of the loss are. That lets your engine take over in the middle of a
# network, from whatever computes the rest.


# %% nbgrader={"grade": false, "grade_id": "backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def backward(last, grad=1.0):
    """Add the slopes of a loss to the `grad` of each leaf that `last` was computed from.

    Parameters
    ----------
    last : Node
        Where the walk begins: the loss, or any other node. It may be a leaf itself.
    grad : float or ndarray, shape of last.data
        The slopes of the loss in `last`; a float stands for an array that is full of it. By default
        `last` is the loss itself.

    Notes
    -----
    What a leaf's `grad` held before stays in the sum. Two calls may begin at the same node, or share
    nodes in between, which have parents: no slope of one call is passed on in another. What the nodes
    in between hold in `grad`, before and after, is yours to choose.

    `node.pull` takes slopes in the shape of node.data. In each call of `backward` it is called once
    for each node that has parents, and it may return the same array for two of them. A node may stand
    twice among the parents of another.

    Example
    -------
    >>> w = Node([3.0, 5.0])
    >>> backward(mul(w, w), np.array([1.0, 10.0]))
    >>> w.grad.tolist()
    [6.0, 100.0]
    """
    ### BEGIN SOLUTION
    slopes = {last: np.zeros(last.data.shape) + grad}  # of this call, and gone when it ends
    for node in reversed(topological_order(last)):
        slope = slopes.pop(node)
        if not node.parents:
            node.grad = node.grad + slope
            continue
        for parent, share in zip(node.parents, node.pull(slope), strict=True):
            slopes[parent] = slopes.get(parent, 0.0) + share
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-backward", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import assert_close, call, given, probe


def in_order(last):
    """Lend your function a right order, from Python's own library."""
    from graphlib import TopologicalSorter

    parents, waiting = {}, [last]
    while waiting:
        node = waiting.pop()
        if node not in parents:
            parents[node] = list(node.parents)
            waiting += node.parents
    return list(TopologicalSorter(parents).static_order())


def slopes(backward, node):
    """The graph of the chapter: h = w x, y = h + v h, L = (y + 1)**2."""
    w, x, v, one = node(1.5), node(2.0), node(-2.0), node(1.0)

    def product(a, b):
        return node(a.data * b.data, [a, b], lambda grad: [grad * b.data, grad * a.data])

    def total(a, b):
        return node(a.data + b.data, [a, b], lambda grad: [grad, grad])

    h = product(w, x)
    e = total(total(h, product(v, h)), one)
    call(backward, {"last": product(e, e)})
    return [w.grad, x.grad, v.grad]


with given(topological_order=in_order):
    assert_close(
        probe(slopes, backward, Node),
        [8.0, 6.0, -12.0],
        what="The slopes in w, x and v of the chapter's small network",
        hint="h is used twice, and e is multiplied by itself. Slopes that arrive must be added to "
        "what is there: parent.grad = share overwrites what came before. "
        "See 'Multiply along a path, add over the paths'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-backward-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: arrays, random graphs, shared arrays, calls one after the other, slopes to begin with.
### BEGIN HIDDEN TESTS
import numpy as np
import torch

from course_lib.exercises import assert_close, call, check, given, probe


def in_order(last):
    """Lend your function a right order, from Python's own library."""
    from graphlib import TopologicalSorter

    parents, waiting = {}, [last]
    while waiting:
        node = waiting.pop()
        if node not in parents:
            parents[node] = list(node.parents)
            waiting += node.parents
    return list(TopologicalSorter(parents).static_order())


def random_graph(backward, node, arrays, plan):
    """Compute along a plan of (operation, first, second); return the gradients of the leaves."""

    def product(a, b):
        return node(a.data * b.data, [a, b], lambda grad: [grad * b.data, grad * a.data])

    def total(a, b):
        return node(a.data + b.data, [a, b], lambda grad: [grad, grad])

    def tanh(a):
        return node(np.tanh(a.data), [a], lambda grad: [grad * (1 - np.tanh(a.data) ** 2)])

    def summed(a):
        return node(a.data.sum(), [a], lambda grad: [np.broadcast_to(grad, a.data.shape)])

    leaves = [node(array) for array in arrays]
    values = list(leaves)
    for operation, i, j in plan:
        a, b = values[i], values[j]
        values.append(tanh((product, total)[operation](a, b)))
    call(backward, {"last": summed(values[-1])})
    return [leaf.grad for leaf in leaves]


with given(topological_order=in_order):
    for seed in range(15):
        rng = np.random.default_rng(seed)
        arrays = [rng.normal(size=(2, 3)) for _ in range(3)]
        plan = [
            (int(rng.integers(2)), int(rng.integers(3 + i)), int(rng.integers(3 + i)))
            for i in range(8)
        ]
        leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
        values = list(leaves)
        for operation, i, j in plan:
            values.append(torch.tanh((torch.mul, torch.add)[operation](values[i], values[j])))
        values[-1].sum().backward()
        got = probe(random_graph, backward, Node, arrays, plan)
        for k, leaf in enumerate(leaves):
            wanted = np.zeros((2, 3)) if leaf.grad is None else leaf.grad.numpy()
            assert_close(
                got[k],
                wanted,
                atol=1e-10,
                what=f"The gradient of leaf {k} of a random graph of eight operations",
                hint="A node may pass its slopes on when all of them have arrived: go through "
                "topological_order from its end. See 'Multiply along a path, add over the paths' "
                "and 'Too many paths'.",
            )


def shared(backward, node):
    """L = sum(u (a + b)) + sum(v (a + c)): a sum hands the same array to both of its terms."""

    def total(a, b):
        return node(a.data + b.data, [a, b], lambda grad: [grad, grad])

    def weighed(a, weights):
        return node(weights @ a.data, [a], lambda grad: [grad * weights])

    a, b, c = (node([x, x + 1.0]) for x in (1.0, 5.0, 9.0))
    u, v = np.array([1.0, 2.0]), np.array([10.0, 20.0])
    call(backward, {"last": total(weighed(total(a, b), u), weighed(total(a, c), v))})
    return [a.grad, b.grad, c.grad]


with given(topological_order=in_order):
    assert_close(
        probe(shared, backward, Node),
        [[11.0, 22.0], [1.0, 2.0], [10.0, 20.0]],
        what="The slopes of u (a + b) + v (a + c) in a, b and c, with u = [1, 2] and v = [10, 20]",
        hint="pull may return the same array for both parents. If you keep it as it came and later "
        "add to it with +=, you write on an array that another node holds too: write "
        "slope = slope + share. See 'Multiply along a path, add over the paths'.",
    )


def separate_losses(backward, node):
    w = node([2.0, 3.0])
    for factor in (1.0, 10.0):
        loss = node(factor * w.data.sum(), [w], lambda grad, f=factor: [f * grad * np.ones(2)])
        call(backward, {"last": loss})
    return w.grad


with given(topological_order=in_order):
    assert_close(
        probe(separate_losses, backward, Node),
        [11.0, 11.0],
        what="The gradient of a weight after backward of two losses, with slopes 1 and 10",
        hint="What a weight's grad held before stays in the sum; anyone who wants to start afresh "
        "clears it before. See 'The engine, and how far to trust it'.",
    )


def losses_on_one_graph(backward, node, names):
    """h = 2 w and k = h x are shared; send some of the losses back, one after the other."""
    w, x = node(1.0), node(5.0)
    h = node(2 * w.data, [w], lambda grad: [2 * grad])
    k = node(h.data * x.data, [h, x], lambda grad: [grad * x.data, grad * h.data])
    last = {
        "h": h,
        "3 h": node(3 * h.data, [h], lambda grad: [3 * grad]),
        "h h": node(h.data**2, [h, h], lambda grad: [grad * h.data, grad * h.data]),
        "k k": node(k.data**2, [k, k], lambda grad: [grad * k.data, grad * k.data]),
    }
    for name in names:
        call(backward, {"last": last[name]})
    return [w.grad, x.grad]


slopes = {"h": [2.0, 0.0], "3 h": [6.0, 0.0], "h h": [8.0, 0.0], "k k": [200.0, 40.0]}
with given(topological_order=in_order):
    for names in (
        ["3 h", "h h"], ["h h", "3 h"], ["k k", "3 h"], ["3 h", "k k"], ["k k", "k k"],
        ["h", "h h"], ["k k", "h"], ["3 h", "h h", "k k", "3 h"],
    ):  # fmt: skip
        assert_close(
            probe(losses_on_one_graph, backward, Node, names),
            np.sum([slopes[name] for name in names], axis=0).tolist(),
            what=f"The gradients of w = 1 and x = 5, after backward of {', then of '.join(names)}, "
            "where h = 2 w and k = h x are the same nodes for all",
            hint="Each call adds what its own loss says. A node in between (it has parents) may pass "
            "on only what has arrived in this call: what it got in the call before has reached the "
            "leaves already. See 'Two losses, one graph'.",
        )


def from_slopes(backward, node, steps, grads):
    """Begin at w (steps = 0), at w * w (1) or at its double (2)."""
    w = node([[1.0, 2.0], [3.0, -4.0]])
    last = w
    if steps:
        last = node(w.data**2, [w, w], lambda grad: [grad * w.data, grad * w.data])
    if steps == 2:
        last = node(2 * last.data, [last], lambda grad: [2 * grad])
    for grad in grads:
        call(backward, {"last": last, "grad": grad})
    return w.grad


G = np.array([[1.0, -10.0], [0.5, 0.0]])
with given(topological_order=in_order):
    for steps, factor in enumerate((1.0, np.array([[2.0, 4.0], [6.0, -8.0]]))):
        for grads in ([1.0], [0.25], [G], [G, 2.0, G], [np.array([[3, 2], [-1, 4]])]):
            check(
                probe,
                [from_slopes, backward, Node, steps, grads],
                sum(factor * np.broadcast_to(grad, (2, 2)) for grad in grads),
                what=f"The gradient of w, after backward of {'w * w' if steps else 'w itself'} with "
                + " and then ".join(f"grad={np.asarray(grad).tolist()}" for grad in grads),
                hint="The slopes of the loss in `last` are the argument grad, and the walk begins "
                "with these. If `last` is a leaf, they have arrived already, and it has no pull to "
                "call. See 'Multiply along a path, add over the paths'.",
            )
    check(
        probe,
        [from_slopes, backward, Node, 2, [0.5, G]],
        np.array([[4.0, 8.0], [12.0, -16.0]]) * (0.5 + G),
        what=f"The gradient of w, after backward of 2 w * w with grad=0.5 and then with {G.tolist()}",
        hint="The second call begins with its own slopes, and with nothing of the first. "
        "See 'Two losses, one graph'.",
    )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-backward-calls-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: how often pull is called.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, assert_equal, assert_true, given, probe


def in_order(last):
    from graphlib import TopologicalSorter

    parents, waiting = {}, [last]
    while waiting:
        node = waiting.pop()
        if node not in parents:
            parents[node] = list(node.parents)
            waiting += node.parents
    return list(TopologicalSorter(parents).static_order())


def counted(backward, node, steps):
    calls = 0

    def pull(grad):
        nonlocal calls
        calls += 1
        if calls > 100 * steps:
            raise OverflowError
        return [grad, grad]

    first = number = node(1.0)
    for _ in range(steps):
        number = node(2 * number.data, [number, number], pull)
    try:
        backward(number)
    except (OverflowError, RecursionError):
        return float("nan"), calls
    return first.grad, calls


with given(topological_order=in_order):
    slope, calls = probe(counted, backward, Node, 30)
assert_true(
    calls <= 60,
    what=f"A number was added to itself 30 times, and pull was called {calls} times or more where "
    "30 calls are enough",
    hint="Slopes are sent on along every single path, and the paths double at each step. Wait until "
    "a node has received all of its slopes and pass them on once: this is what topological_order is "
    "for. See 'Too many paths'.",
)
assert_equal(
    calls,
    30,
    what="How often pull was called for 30 operations",
    hint="Once for each node that has parents. One call returns the gradients for all of them: keep "
    "what it returns, and hand one to each parent.",
)
assert_close(
    slope,
    2.0**30,
    what="The slope after 30 doublings",
    hint="Each number stands twice among the parents of the next, and both slopes count. "
    "See 'Multiply along a path, add over the paths'.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 9. A step downhill
#
# This is one step of learning: forget the gradients of the step before, compute the loss, send the blame
# back, and move each weight a little against its slope. The order matters, and leaving out the first part is
# the classic mistake, since `backward` adds to what is there.


# %% nbgrader={"grade": false, "grade_id": "train_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train_step(parameters, compute_loss, rate):
    """Take one step of gradient descent.

    Parameters
    ----------
    parameters : list of Node
        Weights, all of them leaves. Their `data` is changed, in place or for a new array; what `grad`
        held before the call must not matter. Those that the loss does not use stay where they are.
    compute_loss : callable
        compute_loss() builds the graph from the present weights and returns the loss, a Node.
    rate : float
        The learning rate: each weight moves by rate times its slope, downhill.

    Returns
    -------
    float
        The loss before the step.

    Example
    -------
    >>> w = Node(3.0)
    >>> train_step([w], lambda: mul(w, w), 0.25), w.data.item()
    (9.0, 1.5)
    """
    ### BEGIN SOLUTION
    for parameter in parameters:
        parameter.grad = np.zeros(parameter.data.shape)
    loss = compute_loss()
    backward(loss)
    for parameter in parameters:
        parameter.data = parameter.data - rate * parameter.grad
    return loss.data.item()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-train_step", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, call, given, probe


def lent_backward(last, grad=1.0):
    """The slopes of the loss below, and of no other: 2 (w - 3)."""
    (w,) = last.parents
    w.grad = w.grad + 2 * (w.data - 3)


def first_step(train_step, node):
    w = node([1.0, 4.0])
    loss = call(
        train_step,
        {
            "parameters": [w],
            "compute_loss": lambda: node(np.sum((w.data - 3) ** 2), [w]),
            "rate": 0.25,
        },
    )
    return w.data, loss


with given(backward=lent_backward):
    data, loss = probe(first_step, train_step, Node)
assert_close(
    data,
    [2.0, 3.5],
    what="The weights [1, 4] after a step with rate 0.25 on the loss sum((w - 3)**2)",
    hint="The slopes are 2 (w - 3) = [-4, 2]. A weight moves by rate times its slope against it: "
    "w - rate * grad. See 'The engine, and how far to trust it'.",
)
assert_close(
    loss,
    5.0,
    what="The loss that train_step returns: the one before the step",
    hint="compute_loss() returns a Node, and its data is the number. Compute it once, before the "
    "weights move.",
)

# %% nbgrader={"grade": true, "grade_id": "test-train_step-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: several steps and weights, coupled by the loss, and gradients left over from before.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, assert_equal, call, given, probe


def loss_and_slopes(v, w):
    """sum((v - 3 w)**2) + (w + 1)**2, where v has two entries and w one."""
    gap = v - 3 * w
    slopes = 2 * gap, -6 * gap.sum(keepdims=True) + 2 * (w + 1)
    return np.sum(gap**2) + np.sum((w + 1) ** 2), slopes


def lent_backward(last, grad=1.0):
    gap = last.parents[0].data - 3 * last.parents[1].data
    slopes = 2 * gap, -6 * gap.sum(keepdims=True) + 2 * (last.parents[1].data + 1)
    for parent, slope in zip(last.parents, slopes, strict=True):
        parent.grad = parent.grad + slope


def many_steps(train_step, node, steps, rate):
    v, w, unused = node([1.0, 4.0]), node([2.0]), node([[7.0]])
    v.grad, w.grad = v.grad + 100.0, w.grad - 100.0  # left over by somebody else
    unused.grad = unused.grad + 10.0
    parameters, losses = [v, w, unused], []

    def compute_loss():
        gap = v.data - 3 * w.data
        return node(np.sum(gap**2) + np.sum((w.data + 1) ** 2), [v, w])

    for _ in range(steps):
        args = {"parameters": parameters, "compute_loss": compute_loss, "rate": rate}
        losses.append(call(train_step, args, copies=False))
    same = len(parameters) == 3 and all(
        one is other for one, other in zip(parameters, (v, w, unused), strict=True)
    )
    return same, [v.data, w.data, unused.data], losses


with given(backward=lent_backward):
    for steps, rate in ((1, 0.02), (2, 0.01), (5, 0.02)):
        same, came, losses = probe(many_steps, train_step, Node, steps, rate)
        assert_equal(
            same,
            True,
            what="Whether the list of parameters holds the nodes that it held before",
            hint="You changed the list `parameters`. Change the data of the nodes in it.",
        )
        weights, wanted = [np.array([1.0, 4.0]), np.array([2.0])], []
        for _ in range(steps):
            loss, slopes = loss_and_slopes(*weights)
            weights = [w - rate * slope for w, slope in zip(weights, slopes, strict=True)]
            wanted.append(float(loss))
        for name, got, right in zip(
            ("v", "w", "that the loss does not use"),
            came,
            [*weights, np.array([[7.0]])],
            strict=True,
        ):
            assert_close(
                got,
                right,
                what=f"The weight {name}: after {steps} steps with rate {rate}, with gradients left "
                "over from before",
                hint="backward adds to what is there. Set every parameter's grad to zeros before the "
                "loss is computed, in every step. And the loss is computed once in a step, before any "
                "weight moves: the slopes of all weights belong to the same place. "
                "See 'The engine, and how far to trust it'.",
            )
        assert_close(
            losses,
            wanted,
            what=f"The losses that {steps} steps return",
            hint="The loss is computed once in each step, from the weights before they move, and "
            "what is returned is the number in its data.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 10. Your engine reads
#
# Everything is there. The network below has 64 inputs, 48 hidden units and ten outputs, and every slope in it
# is computed by your functions. It has never seen the 397 digits on which it is tested. Nothing is left to
# write: read, run, and look.


# %% nbgrader={"grade": false, "grade_id": "digits", "locked": true, "schema_version": 3, "solution": false, "task": false}
def digits(seed=0):
    """Return 1,400 digits to train on and 397 to test, each as images (n, 64) and classes (n,)."""
    pixels, labels = load_digits()
    order = np.random.default_rng(seed).permutation(len(labels))
    X, y = pixels[order], labels[order]
    return (X[:1400], y[:1400]), (X[1400:], y[1400:])


# %% nbgrader={"grade": false, "grade_id": "network", "locked": true, "schema_version": 3, "solution": false, "task": false}
def new_weights(units=48, seed=0):
    """Return W1, b1, W2, b2 with random numbers in the matrices."""
    rng = np.random.default_rng(seed)
    return [
        Node(rng.normal(scale=np.sqrt(2 / 64), size=(64, units))),
        Node(np.zeros(units)),
        Node(rng.normal(scale=np.sqrt(2 / units), size=(units, 10))),
        Node(np.zeros(10)),
    ]


def scores(X, weights):
    """Return the logits for images X, a Node of shape (n, 64), as a Node of shape (n, 10)."""
    W1, b1, W2, b2 = weights
    return add(matmul(relu(add(matmul(X, W1), b1)), W2), b2)


def train(X, y, weights, epochs=25, rate=0.3, batch=50, seed=0):
    """Train with your train_step, and return the loss of each step."""
    rng, losses = np.random.default_rng(seed), []
    for _ in range(epochs):
        for rows in rng.permutation(len(y)).reshape(-1, batch):

            def compute_loss(rows=rows):
                return cross_entropy(scores(Node(X[rows]), weights), y[rows])

            losses.append(train_step(weights, compute_loss, rate))
    return losses


# %%
(X, y), (X_test, y_test) = digits()
weights = new_weights()
losses = train(X, y, weights)
answers = scores(Node(X_test), weights).data.argmax(axis=1)
print(f"right on digits it has never seen: {np.mean(answers == y_test):.1%}")

# %% [markdown]
# Now the blame. The loss of one image has a slope in each of its pixels, too: your engine computes
# it without being asked, since the image is a node like any other. Red pixels were *too dark* for
# the right answer: less ink there, and the loss would fall. Blue pixels were too light.


# %%
@styled
def blame(X, y, answers, weights, losses, count=4):
    """Draw the losses, some misread digits, and the slope of the loss in each of their pixels."""
    figure, axes = new_figure(3, count, width=7.5, height=6.2, height_ratios=(1, 1, 1))
    grid = axes[0, 0].get_gridspec()
    for panel in axes[0]:
        panel.remove()
    curve = figure.add_subplot(grid[0, :])
    smooth = np.convolve(losses, np.ones(28) / 28, mode="valid")
    curve.plot(smooth, color=COLORS[0])
    curve.set(xlabel="step", ylabel="loss", yscale="log", title="Your engine learns")
    wrong = np.flatnonzero(answers != y)[:count]
    paint = [[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in (COLORS[1], COLORS[0])]
    for i, upper, lower in zip(wrong, axes[1], axes[2], strict=False):
        image = Node(X[i : i + 1])
        backward(cross_entropy(scores(image, weights), y[i : i + 1]))
        slope = image.grad.reshape(8, 8) / np.abs(image.grad).max()
        color = np.where(slope[..., None] > 0, paint[0], paint[1])
        upper.imshow(-X[i].reshape(8, 8), cmap="gray")
        lower.imshow(1 - np.abs(slope[..., None]) * (1 - color))
        upper.set(title=f"a {y[i]}, read as {answers[i]}", xticks=[], yticks=[])
        lower.set(xlabel=f"what speaks against {y[i]}", xticks=[], yticks=[])
    return figure


blame(X_test, y_test, answers, weights, losses)

# %% [markdown]
# **What you see.** The curve comes down by a factor of more than twenty, on slopes that you derived, ordered
# and added up yourself. More than 95 of 100 unseen digits are read correctly. Below are the mistakes with
# their reasons: the pixels whose ink spoke against the right answer, and the gaps that should have been ink.
# Follow one red pixel back in your mind: cross-entropy, a sum, a matrix product, a ReLU, a sum, another
# product. That is backpropagation.
#
# **Your network on the page.** The cell below writes your network to the file `my-network.json`, beside this
# notebook. The chapter *Forward propagation* has a figure in which you draw a digit: load the file there, and
# the network that your engine trained will read what you draw, in place of the book's. The file stays on your
# machine, and no point depends on it.

# %%
from course_lib.sharing import write_network

W1, b1, W2, b2 = (node.data for node in weights)
print(f"written: {write_network([(W1, b1), (W2, b2)])}")

# %% [markdown]
# ## Step 11. What is wrong with this engine?
#
# *4 points, read by a person. About 150 words.*
#
# A colleague has written an engine of her own. Before training she compares the gradient of every weight with
# central differences: they agree to nine digits. Then she trains on digits with a learning rate of 0.3 and
# one `backward` per step. For twenty steps the loss falls nicely. Then it rises and falls in ever larger
# swings, and after 600 steps it is higher than before the first. With a rate of 0.003 the swings come later.
# She also notes that the length of the gradient of the first layer keeps growing, even while the loss falls.
#
# 1. What is your first suspect, and which two of her observations point to it?
# 2. Why did the comparison with central differences not find it?
# 3. Which single measurement would confirm it, and what would you expect to see?
# 4. The behavior behind it is there on purpose, in PyTorch too. When is it useful?

# %% [markdown] nbgrader={"grade": true, "grade_id": "why-swings", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# My first suspect is that she never clears the gradients. `backward` adds to what is there, so in
# step t she walks along the sum of all the gradients so far. That fits the length that grows while
# the loss falls (a single gradient should become shorter near a minimum, a sum does not), and the
# swings: the old gradients still push after the weights have passed the lowest point, like a ball
# that rolls without friction. A smaller rate only makes everything slower.
#
# The comparison was made before training, on the first call, when there was nothing to add to: one
# gradient from zeros is right. It tests the derivatives, not the loop.
#
# To confirm it: call `backward` twice on the same batch without moving the weights and compare. If
# the second gradient is exactly twice the first, gradients are not cleared. Or compare with central
# differences at step 20: the engine's gradient would be the sum over twenty steps.
#
# Adding is useful when a loss comes in parts: several losses for one network, or a batch that does
# not fit in memory, taken in pieces whose gradients should add up before one step is made.
#
# === BEGIN MARK SCHEME ===
# One point each; half points where the idea is there and the reason is not.
#
# 1. **Names the suspect with evidence.** Gradients are not cleared between steps, with two of: length
#    grows while the loss falls; growing swings (old gradients keep pushing); it starts well; a
#    smaller rate only delays it. (0.5 for the suspect alone. "Learning rate too large" alone: 0, as
#    0.003 would have cured it.)
# 2. **Explains the passed check.** It was made on the first call, from zero; it tests single
#    derivatives, and the fault is in the loop. (0.5 for "it only checks the derivatives".)
# 3. **A measurement that decides, with its expected outcome.** Two calls on one batch with equal
#    weights: the second gradient is twice the first; or a check at a later step: a sum of past
#    gradients; or print grad before backward: not zero. (0.5 without the expected outcome. "Add
#    zero_grad and see" is a cure and earns 0.5.)
# 4. **A use of adding.** A batch in pieces (gradient accumulation), several losses, a weight that is
#    used in several places or shared. (The sum over paths inside one call is also accepted if it is
#    told apart from adding across calls.)
# === END MARK SCHEME ===
