"""Layers as plain pairs of arrays, and the linear pieces into which a network divides a line.

A network is a list of pairs ``(W, b)``: weights of shape (in_features, out_features) and a bias of
shape (out_features,). An activation function follows every layer but the last. `Linear` and
`Sequential` in `course_lib.scratch.layers` do the same with trainable weights.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from course_lib.scratch.activations import relu

__all__ = ["collapse", "count_pieces", "count_parameters", "crossings", "forward", "linear", "tent"]

Layer = tuple[np.ndarray, np.ndarray]


def linear(X: ArrayLike, W: ArrayLike, b: ArrayLike) -> np.ndarray:
    """Compute the pre-activations of a layer of neurons: X W + b.

    Parameters
    ----------
    X : array_like, shape (n, in_features) or (in_features,)
        Samples, one per row, or a single sample.
    W : array_like, shape (in_features, out_features)
        Weights, one neuron per column.
    b : array_like, shape (out_features,)
        Biases, one per neuron.

    Returns
    -------
    ndarray, shape (n, out_features) or (out_features,)

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    Examples
    --------
    >>> linear([[1.0, 2.0], [3.0, 4.0]], W=[[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]], b=[0.0, 0.0, 10.0])
    array([[ 1.,  2., 13.],
           [ 3.,  4., 17.]])
    """
    X, W, b = np.asarray(X), np.asarray(W), np.asarray(b)
    if W.ndim != 2 or X.ndim not in (1, 2) or X.shape[-1] != W.shape[0]:
        raise ValueError(
            f"samples of shape {X.shape} do not fit weights of shape {W.shape}: X must be "
            "(n, in_features) and W (in_features, out_features). If only the order of the axes is "
            "wrong, write X.T or W.T."
        )
    if b.shape != W.shape[1:]:
        raise ValueError(
            f"the bias has shape {b.shape}, and {W.shape[1]} neurons need ({W.shape[1]},): one "
            "number per neuron, whatever the number of samples. Flatten it with b.reshape(-1)."
        )
    return X @ W + b


def forward(
    X: ArrayLike,
    layers: Sequence[Layer],
    activation: Callable[[np.ndarray], np.ndarray] = relu,
    *,
    bend: Callable[[np.ndarray], np.ndarray] | None = None,
) -> list[np.ndarray]:
    """Run a forward pass, and return the input, the hidden activations and the output.

    Parameters
    ----------
    X : array_like, shape (n, in_features)
        Samples, one per row.
    layers : sequence of (W, b)
        The layers, first to last.
    activation : callable
        The activation function after every layer but the last.
    bend : callable, optional
        The former name of `activation`.

    Returns
    -------
    list of ndarray
        The input, the activations of each hidden layer, and the output: one array more than there
        are layers.

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    Examples
    --------
    >>> layers = [(np.array([[1.0, -1.0]]), np.zeros(2)), (np.ones((2, 1)), np.zeros(1))]
    >>> for seen in forward([[3.0], [-2.0]], layers):
    ...     print(seen.tolist())
    [[3.0], [-2.0]]
    [[3.0, 0.0], [0.0, 2.0]]
    [[3.0], [2.0]]
    """
    activation = activation if bend is None else bend
    seen = [np.asarray(X)]
    for i, (W, b) in enumerate(layers):
        Z = linear(seen[-1], W, b)
        seen.append(Z if i == len(layers) - 1 else activation(Z))
    return seen


def count_parameters(layers: Sequence[Layer]) -> int:
    """Count the weights and biases of a network.

    Parameters
    ----------
    layers : sequence of (W, b)

    Returns
    -------
    int

    Examples
    --------
    >>> count_parameters([(np.ones((64, 32)), np.ones(32)), (np.ones((32, 10)), np.ones(10))])
    2410
    """
    return sum(np.size(W) + np.size(b) for W, b in layers)


def collapse(layers: Sequence[Layer]) -> Layer:
    """Combine layers without an activation function between them into one.

    Parameters
    ----------
    layers : sequence of (W, b)
        At least one.

    Returns
    -------
    W : ndarray, shape (in_features of the first, out_features of the last)
    b : ndarray, shape (out_features of the last,)

    Raises
    ------
    ValueError
        If there are no layers, or their shapes do not fit together.

    Examples
    --------
    >>> first = np.array([[2.0]]), np.array([1.0])
    >>> W, b = collapse([first, (np.array([[3.0]]), np.array([5.0]))])
    >>> W.tolist(), b.tolist()
    ([[6.0]], [8.0])
    """
    if not layers:
        raise ValueError("collapse needs at least one layer, but was given none: pass [(W, b)]")
    W, b = (np.asarray(part) for part in layers[0])
    for W_next, b_next in layers[1:]:
        b = linear(b, W_next, b_next)  # first, since it checks the shapes
        W = W @ W_next
    return W, b


def crossings(x: ArrayLike, Z: ArrayLike) -> np.ndarray:
    """Find where piecewise linear functions, given by their values at some points, cross zero.

    Parameters
    ----------
    x : array_like, shape (m,)
        Points in ascending order; between two neighbors the functions are linear.
    Z : array_like, shape (m, units)
        The pre-activation of each unit at these points.

    Returns
    -------
    ndarray, shape (crossings,)
        Points strictly between two neighbors where a unit changes sign, ascending, each once.

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    Examples
    --------
    >>> crossings([0.0, 1.0, 2.0], [[-1.0, 3.0], [1.0, 2.0], [1.0, -2.0]]).tolist()
    [0.5, 1.5]
    """
    x, Z = np.asarray(x, dtype=float), np.asarray(Z, dtype=float)
    if x.ndim != 1 or Z.ndim != 2 or len(Z) != len(x):
        raise ValueError(
            f"x has shape {x.shape} and Z {Z.shape}, but they must be (m,) and (m, units): one row "
            "of Z for each point. Write a single unit as a column, Z.reshape(-1, 1)."
        )
    before, after = Z[:-1], Z[1:]
    i, unit = np.nonzero(np.sign(before) * np.sign(after) < 0)  # a product could underflow
    share = before[i, unit] / (before[i, unit] - after[i, unit])
    return np.unique(x[i] + share * (x[i + 1] - x[i]))


def count_pieces(
    layers: Sequence[Layer], start: ArrayLike = 0.0, end: ArrayLike = 1.0, rtol: float = 1e-9
) -> int:
    """Count the linear pieces of a ReLU network along a segment.

    The count is exact, not sampled: the corners that a layer adds lie where a pre-activation is
    zero, and between the corners of the layers before it every pre-activation is linear.

    Parameters
    ----------
    layers : sequence of (W, b)
        The network, with ReLU between its layers.
    start, end : array_like, shape (in_features,), or float
        The end points of the segment.
    rtol : float
        Two neighboring pieces count as one if their slopes differ by less than this fraction of the
        largest slope.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    Examples
    --------
    >>> count_pieces(tent(3))
    8
    """
    if not layers:
        raise ValueError("count_pieces needs at least one layer, but was given none: pass [(W, b)]")
    start, end = np.atleast_1d(start).astype(float), np.atleast_1d(end).astype(float)
    t = np.array([0.0, 1.0])
    A = start + t[:, None] * (end - start)  # (m, in_features)
    for W, b in layers[:-1]:
        finer = np.union1d(t, crossings(t, linear(A, W, b)))
        # Linear between the old corners, so interpolation is exact.
        A = np.column_stack([np.interp(finer, t, column) for column in A.T])
        t, A = finer, relu(linear(A, W, b))
    slopes = np.diff(linear(A, *layers[-1]), axis=0) / np.diff(t)[:, None]
    if len(slopes) < 2:
        return 1
    changes = np.abs(np.diff(slopes, axis=0)).max(axis=1)
    return 1 + int(np.sum(changes > rtol * np.abs(slopes).max()))


def tent(folds: int) -> list[Layer]:
    """Construct a network that folds the interval from 0 to 1 repeatedly.

    The two units of a layer form a tent: up from 0 to 1 on the left half, and down again on the
    right. After `folds` of them the output consists of 2 ** folds linear pieces.

    Parameters
    ----------
    folds : int
        The number of hidden layers, at least 1.

    Returns
    -------
    list of (W, b)
        ``folds`` hidden layers of 2 units, and an output layer of 1.

    Raises
    ------
    ValueError
        If `folds` is less than 1.

    Examples
    --------
    >>> forward([[0.0], [0.25], [0.5], [0.75], [1.0]], tent(2))[-1].ravel().tolist()
    [0.0, 1.0, 0.0, 1.0, 0.0]
    """
    if folds < 1:
        raise ValueError(
            f"folds must be at least 1, and is {folds}: it is the number of hidden layers"
        )
    look = np.array([[1.0, 1.0]]), np.array([0.0, -0.5])  # relu(x), relu(x - 1/2)
    add = np.array([[2.0], [-4.0]]), np.array([0.0])  # 2 relu(x) - 4 relu(x - 1/2)
    again = collapse([add, look])
    return [look, *(again for _ in range(folds - 1)), add]
