"""Layers as plain pairs of arrays, and the straight pieces that a network cuts a line into.

A network is a list of pairs ``(W, b)``: weights of shape (in_features, out_features) and a bias of
shape (out_features,). Between the layers stands an activation function, behind the last none.
`Linear` and `Sequential` in `course_lib.scratch.layers` do the same with weights that learn.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from course_lib.scratch.activations import relu

__all__ = ["collapse", "count_pieces", "count_parameters", "crossings", "forward", "linear", "tent"]

Layer = tuple[np.ndarray, np.ndarray]


def linear(X: ArrayLike, W: ArrayLike, b: ArrayLike) -> np.ndarray:
    """Let a layer of neurons weigh each sample.

    Parameters
    ----------
    X : array_like, shape (n, in_features) or (in_features,)
        Samples, one a row, or a single sample.
    W : array_like, shape (in_features, out_features)
        Weights, one neuron a column.
    b : array_like, shape (out_features,)
        Biases, one a neuron.

    Returns
    -------
    ndarray, shape (n, out_features) or (out_features,)

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
            "(n, in_features) and W (in_features, out_features)"
        )
    if b.shape != W.shape[1:]:
        raise ValueError(
            f"the bias has shape {b.shape}, and {W.shape[1]} neurons need ({W.shape[1]},): one "
            "number a neuron, whatever the number of samples"
        )
    return X @ W + b


def forward(
    X: ArrayLike,
    layers: Sequence[Layer],
    bend: Callable[[np.ndarray], np.ndarray] = relu,
) -> list[np.ndarray]:
    """Send samples through a network and keep what each layer passes on.

    Parameters
    ----------
    X : array_like, shape (n, in_features)
        Samples, one a row.
    layers : sequence of (W, b)
        The layers, first to last.
    bend : callable
        The activation function behind every layer but the last.

    Returns
    -------
    list of ndarray
        The input, the activations of each hidden layer, and the output: one more than layers.

    Examples
    --------
    >>> layers = [(np.array([[1.0, -1.0]]), np.zeros(2)), (np.ones((2, 1)), np.zeros(1))]
    >>> for seen in forward([[3.0], [-2.0]], layers):
    ...     print(seen.tolist())
    [[3.0], [-2.0]]
    [[3.0, 0.0], [0.0, 2.0]]
    [[3.0], [2.0]]
    """
    seen = [np.asarray(X)]
    for i, (W, b) in enumerate(layers):
        Z = linear(seen[-1], W, b)
        seen.append(Z if i == len(layers) - 1 else bend(Z))
    return seen


def count_parameters(layers: Sequence[Layer]) -> int:
    """Count the weights and biases of a network.

    Examples
    --------
    >>> count_parameters([(np.ones((64, 32)), np.ones(32)), (np.ones((32, 10)), np.ones(10))])
    2410
    """
    return sum(np.size(W) + np.size(b) for W, b in layers)


def collapse(layers: Sequence[Layer]) -> Layer:
    """Multiply out layers that have nothing between them.

    Parameters
    ----------
    layers : sequence of (W, b)
        At least one.

    Returns
    -------
    W : ndarray, shape (in_features of the first, out_features of the last)
    b : ndarray, shape (out_features of the last,)

    Examples
    --------
    >>> first = np.array([[2.0]]), np.array([1.0])
    >>> W, b = collapse([first, (np.array([[3.0]]), np.array([5.0]))])
    >>> W.tolist(), b.tolist()
    ([[6.0]], [8.0])
    """
    if not layers:
        raise ValueError("collapse needs at least one layer")
    W, b = (np.asarray(part) for part in layers[0])
    for W_next, b_next in layers[1:]:
        W, b = W @ W_next, linear(b, W_next, b_next)
    return W, b


def crossings(x: ArrayLike, Z: ArrayLike) -> np.ndarray:
    """Find where numbers that are straight between given places pass through zero.

    Parameters
    ----------
    x : array_like, shape (m,)
        Places in ascending order.
    Z : array_like, shape (m, units)
        What each unit's pre-activation is there.

    Returns
    -------
    ndarray, shape (crossings,)
        Places strictly between two neighbors where a unit changes its sign, ascending, each once.

    Examples
    --------
    >>> crossings([0.0, 1.0, 2.0], [[-1.0, 3.0], [1.0, 2.0], [1.0, -2.0]]).tolist()
    [0.5, 1.5]
    """
    x, Z = np.asarray(x, dtype=float), np.asarray(Z, dtype=float)
    before, behind = Z[:-1], Z[1:]
    i, unit = np.nonzero(before * behind < 0)
    share = before[i, unit] / (before[i, unit] - behind[i, unit])
    return np.unique(x[i] + share * (x[i + 1] - x[i]))


def count_pieces(
    layers: Sequence[Layer], start: ArrayLike = 0.0, end: ArrayLike = 1.0, rtol: float = 1e-9
) -> int:
    """Count the straight pieces of a ReLU network along a segment.

    Nothing is sampled: the corners that a layer makes lie where a pre-activation is zero, and
    between the corners of the layers before it every pre-activation is straight.

    Parameters
    ----------
    layers : sequence of (W, b)
        The network, with ReLU between its layers.
    start, end : array_like, shape (in_features,), or float
        The ends of the segment.
    rtol : float
        Two neighboring pieces count as one if their slopes differ by less than this share of the
        largest slope.

    Returns
    -------
    int

    Examples
    --------
    >>> count_pieces(tent(3))
    8
    """
    start, end = np.atleast_1d(start).astype(float), np.atleast_1d(end).astype(float)
    t = np.array([0.0, 1.0])
    A = start + t[:, None] * (end - start)  # (m, in_features)
    for W, b in layers[:-1]:
        finer = np.union1d(t, crossings(t, linear(A, W, b)))
        # Straight between the old corners: interpolation is exact.
        A = np.column_stack([np.interp(finer, t, column) for column in A.T])
        t, A = finer, relu(linear(A, W, b))
    slopes = np.diff(linear(A, *layers[-1]), axis=0) / np.diff(t)[:, None]
    if len(slopes) < 2:
        return 1
    changes = np.abs(np.diff(slopes, axis=0)).max(axis=1)
    return 1 + int(np.sum(changes > rtol * np.abs(slopes).max()))


def tent(folds: int) -> list[Layer]:
    """Set the weights of a network that folds the interval from 0 to 1 again and again.

    Two units a layer make a tent: up from 0 to 1 on the left half, and down again. Behind `folds`
    of them the output goes up and down in 2 ** folds straight pieces.

    Parameters
    ----------
    folds : int
        The number of hidden layers, at least 1.

    Returns
    -------
    list of (W, b)
        ``folds`` hidden layers of 2 units, and an output layer of 1.

    Examples
    --------
    >>> forward([[0.0], [0.25], [0.5], [0.75], [1.0]], tent(2))[-1].ravel().tolist()
    [0.0, 1.0, 0.0, 1.0, 0.0]
    """
    if folds < 1:
        raise ValueError(f"folds must be at least 1, and is {folds}")
    look = np.array([[1.0, 1.0]]), np.array([0.0, -0.5])  # relu(x), relu(x - 1/2)
    add = np.array([[2.0], [-4.0]]), np.array([0.0])  # 2 relu(x) - 4 relu(x - 1/2)
    again = collapse([add, look])
    return [look, *(again for _ in range(folds - 1)), add]
