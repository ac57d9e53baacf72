r"""A single neuron that answers yes or no, and the perceptron rule, by which it learns.

A neuron has a weight for each of its d inputs and a bias. It computes the weighted sum
:math:`z = x \cdot w + b` and answers +1 if z is above 0, otherwise -1. Labels are +1 and -1, too.
The chapter *Artificial neurons* builds these functions and shows what they can and cannot do.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["answer", "corrected", "distances", "learn", "mistake_bound", "weighted_sum"]

Floats = NDArray[np.floating]


def weighted_sum(X: ArrayLike, w: ArrayLike, b: float) -> Floats:
    r"""Compute the weighted sum of the inputs plus the bias: :math:`z = x \cdot w + b`.

    Parameters
    ----------
    X : array_like, shape (n, d) or (d,)
        Samples, one per row, or a single sample.
    w : array_like, shape (d,)
        Weights.
    b : float
        Bias.

    Returns
    -------
    ndarray, shape (n,) or ()
        The pre-activation of each sample.

    Raises
    ------
    TypeError
        If `X` or `w` does not hold real numbers.
    ValueError
        If the number of weights is not the number of inputs.

    Examples
    --------
    >>> weighted_sum([[1.0, 2.0], [3.0, 4.0]], [10.0, 1.0], -5.0).tolist()
    [7.0, 29.0]
    """
    X, w = _as_floats(X, "X"), _as_floats(w, "w")
    if np.size(b) != 1:
        # One number for each sample would be added without a warning.
        raise ValueError(
            f"b must be one number, but has shape {np.shape(b)}. A neuron has a single bias."
        )
    if w.ndim != 1 or X.ndim not in (1, 2) or X.shape[-1] != len(w):
        raise ValueError(
            f"w must have one weight for each column of X, but X has shape {X.shape} and w has "
            f"shape {w.shape}. Give X the shape (n, d) and w the shape (d,)."
        )
    return X @ w + b


def answer(X: ArrayLike, w: ArrayLike, b: float) -> NDArray[np.integer]:
    """Return +1 where the weighted sum is above 0, and -1 elsewhere, including at 0.

    Parameters
    ----------
    X : array_like, shape (n, d) or (d,)
        Samples, one per row, or a single sample.
    w : array_like, shape (d,)
        Weights.
    b : float
        Bias.

    Returns
    -------
    ndarray of int, shape (n,) or ()

    Raises
    ------
    TypeError, ValueError
        As :func:`weighted_sum` does.

    Examples
    --------
    >>> answer([[0, 0], [0, 1], [1, 0], [1, 1]], [1.0, 1.0], -1.5).tolist()
    [-1, -1, -1, 1]
    """
    return np.where(weighted_sum(X, w, b) > 0, 1, -1)


def corrected(w: ArrayLike, b: float, x: ArrayLike, y: int) -> tuple[Floats, float]:
    """Show one sample to the neuron, and return its weights and bias after the perceptron rule.

    Parameters
    ----------
    w : array_like, shape (d,)
        Weights; left as they are.
    b : float
        Bias.
    x : array_like, shape (d,)
        The sample.
    y : int
        Its label, +1 or -1.

    Returns
    -------
    w : ndarray, shape (d,)
        ``w + y * x`` after a mistake, otherwise `w`.
    b : float
        ``b + y`` after a mistake, otherwise `b`.

    Raises
    ------
    TypeError
        If `x` or `w` does not hold real numbers.
    ValueError
        If `y` is neither +1 nor -1, or the shapes do not fit.

    Examples
    --------
    >>> w, b = corrected([1.0, -1.0], 0.0, [1.0, 2.0], 1)
    >>> w.tolist(), b
    ([2.0, 1.0], 1.0)
    """
    x, w = _as_floats(x, "x"), _as_floats(w, "w")
    if x.ndim != 1 or np.ndim(y):
        raise ValueError(
            f"x must be one sample of shape (d,) and y its label, but they have shapes {x.shape} "
            f"and {np.shape(y)}. For many samples, use learn."
        )
    _check_labels(np.asarray(y))
    if answer(x, w, b) == y:
        return w, b
    return w + y * x, b + y


def learn(X: ArrayLike, y: ArrayLike, passes: int = 1000) -> tuple[Floats, float, list[list[int]]]:
    """Go through the samples in order, again and again, until a pass is free of mistakes.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Samples, one per row.
    y : array_like, shape (n,)
        Labels, +1 and -1.
    passes : int
        After how many passes to give up; 1 or more.

    Returns
    -------
    w : ndarray, shape (d,)
        Weights, starting from 0.
    b : float
        Bias, starting from 0.
    mistakes : list of lists of int
        For each pass the rows that were answered wrongly; the last list is empty if, and only if,
        every sample is answered correctly in the end.

    Raises
    ------
    TypeError
        If `X` does not hold real numbers.
    ValueError
        If a label is neither +1 nor -1, or the shapes do not fit.

    References
    ----------
    H. D. Block, "The perceptron: a model for brain functioning. I", Reviews of Modern Physics 34,
    123-135, 1962.

    Examples
    --------
    >>> w, b, mistakes = learn([[0, 0], [0, 1], [1, 0], [1, 1]], [-1, -1, -1, 1])
    >>> w.tolist(), b, [len(rows) for rows in mistakes]
    ([2.0, 1.0], -2.0, [1, 3, 3, 2, 1, 0])
    """
    X, y = _as_floats(X, "X"), np.asarray(y)
    _check_labels(y)
    if X.ndim != 2 or y.shape != (len(X),):
        raise ValueError(
            f"X must have the shape (n, d) and y the shape (n,), but they have {X.shape} and "
            f"{y.shape}. Write a single sample as an array with one row."
        )
    if not passes >= 1:
        raise ValueError(
            f"passes must be 1 or more, but it is {passes}. It limits how often the samples are "
            "gone through."
        )
    w, b, mistakes = np.zeros(X.shape[1]), 0.0, []
    while len(mistakes) < passes:
        rows = []
        for i, (x_i, y_i) in enumerate(zip(X, y, strict=True)):
            if answer(x_i, w, b) != y_i:
                w, b = w + y_i * x_i, b + float(y_i)
                rows.append(i)
        mistakes.append(rows)
        if not rows:
            break
    return w, b, mistakes


def distances(X: ArrayLike, w: ArrayLike, b: float) -> Floats:
    r"""Compute the signed distance of each sample from the decision boundary, z / ‖w‖.

    Parameters
    ----------
    X : array_like, shape (n, d) or (d,)
        Samples, one per row, or a single sample.
    w : array_like, shape (d,)
        Weights, not all 0.
    b : float
        Bias.

    Returns
    -------
    ndarray, shape (n,) or ()
        In the unit of the inputs; positive where the neuron answers +1.

    Raises
    ------
    TypeError
        If `X` or `w` does not hold real numbers.
    ValueError
        If all weights are 0, so that there is no boundary, or the shapes do not fit.

    Examples
    --------
    >>> distances([[0, 0], [3, 4]], [3.0, 4.0], -5.0).tolist()
    [-1.0, 4.0]
    """
    z, length = weighted_sum(X, w, b), np.linalg.norm(_as_floats(w, "w"))
    if length == 0:
        raise ValueError(
            "w must not be 0 everywhere: such a neuron draws no line. Train it first, or pass "
            "weights of which at least one is not 0."
        )
    return z / length


def mistake_bound(X: ArrayLike, y: ArrayLike, w: ArrayLike, b: float) -> float:
    r"""Compute how many mistakes :func:`learn` can make at most, from any separating (w, b).

    Append a 1 to each sample, so that the bias is a weight like the others. Let R be the length of
    the longest sample, and :math:`\gamma` the least :math:`y\,z / \lVert(w, b)\rVert`. Then there
    are at most :math:`(R/\gamma)^2` mistakes, whatever the order of the samples.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Samples, one per row.
    y : array_like, shape (n,)
        Labels, +1 and -1.
    w : array_like, shape (d,)
        Weights of a neuron that answers every sample correctly, with no sum equal to 0.
    b : float
        Its bias.

    Returns
    -------
    float
        The wider the margin of (w, b), the smaller the bound. It holds for every such (w, b).

    Raises
    ------
    TypeError
        If `X` or `w` does not hold real numbers.
    ValueError
        If (w, b) does not separate the labels, or the shapes do not fit.

    References
    ----------
    A. B. J. Novikoff, "On convergence proofs on perceptrons", Proceedings of the Symposium on the
    Mathematical Theory of Automata 12, 615-622, 1962.

    Examples
    --------
    >>> mistake_bound([[1.0], [-1.0]], [1, -1], [1.0], 0.0)
    2.0
    """
    X, y, w = _as_floats(X, "X"), np.asarray(y), _as_floats(w, "w")
    _check_labels(y)
    if X.ndim != 2 or y.shape != (len(X),):
        # Labels of shape (n, 1) would be multiplied with every sum.
        raise ValueError(
            f"X must have the shape (n, d) and y the shape (n,), but they have {X.shape} and "
            f"{y.shape}. Reshape the labels with y.reshape(-1)."
        )
    right = y * weighted_sum(X, w, b)
    if right.size == 0 or right.min() <= 0:
        raise ValueError(
            "w and b must put every sample on its side of the line, but at least one is on the "
            "wrong side or on the line (or there is none). Then there is no margin and no bound: "
            "pass the w and b that learn returns when its last pass has no mistakes."
        )
    longest_squared = (X**2).sum(axis=1).max() + 1
    return float(longest_squared * (w @ w + b**2) / right.min() ** 2)


# Checking what came in ----------------------------------------------------------------------------


def _as_floats(values: ArrayLike, name: str) -> Floats:
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"{name} must be an array, but NumPy cannot make one of it: {error}. Give every row "
            "the same length."
        ) from None
    if array.dtype.kind in "biu":
        return array.astype(np.float64)
    if array.dtype.kind != "f":
        raise TypeError(
            f"{name} must hold real numbers, but its dtype is {array.dtype}. "
            "Convert it first, for example with np.asarray(..., dtype=float)."
        )
    return array


def _check_labels(y: NDArray) -> None:
    strange = [label for label in np.unique(y).tolist() if label not in (1, -1)]
    if strange:
        raise ValueError(
            f"labels must be +1 and -1, but {strange[0]!r} is among them. (With the label 0 a "
            "mistake would change nothing.) Convert them with np.where(labels == yes, 1, -1)."
        )
