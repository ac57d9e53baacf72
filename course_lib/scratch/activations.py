r"""Activation functions and their derivatives, in NumPy.

Every function takes ``z``, the weighted sum that a neuron has computed, and works on each entry
separately, whatever the shape. The exceptions are the softmax functions, which turn all the scores
along one axis into one distribution. A derivative is a function of ``z``, too, not of the
activation.

Floating-point input keeps its dtype; integers and booleans become float64. ``nan`` stays ``nan``.
Nothing overflows, however large ``z`` is: wherever a function has a finite limit at infinity, it
returns that limit. The chapter *Activation functions* explains each function.
"""

import math
import operator
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "gelu",
    "gelu_derivative",
    "leaky_relu",
    "leaky_relu_derivative",
    "log_softmax",
    "log_softmax_jacobian",
    "relu",
    "relu_derivative",
    "sigmoid",
    "sigmoid_derivative",
    "softmax",
    "softmax_jacobian",
    "tanh",
    "tanh_derivative",
]

Floats = NDArray[np.floating]


# Functions of one entry ---------------------------------------------------------------------------


def sigmoid(z: ArrayLike) -> Floats:
    r"""Squash a number into (0, 1): :math:`\sigma(z) = 1 / (1 + e^{-z})`.

    Parameters
    ----------
    z : array_like, any shape
        Pre-activations.

    Returns
    -------
    ndarray, same shape as `z`
        1/2 at ``z = 0``, toward 0 on the left and 1 on the right.

    Raises
    ------
    TypeError
        If `z` does not hold real numbers.

    Examples
    --------
    >>> sigmoid([-10_000.0, 0.0, 10_000.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    z = _as_floats(z)
    # exp(-z) overflows for very negative z. exp(-|z|) never exceeds 1.
    e = np.exp(-np.abs(z))
    return np.where(z < 0, e, 1) / (1 + e)


def sigmoid_derivative(z: ArrayLike) -> Floats:
    r"""Slope of the sigmoid: :math:`\sigma'(z) = \sigma(z)\,(1 - \sigma(z))`.

    Parameters
    ----------
    z : array_like, any shape
        Pre-activations (not the sigmoid's output).

    Returns
    -------
    ndarray, same shape as `z`
        At most 1/4, which it reaches at ``z = 0``.

    Raises
    ------
    TypeError
        If `z` does not hold real numbers.

    Examples
    --------
    >>> sigmoid_derivative([-10_000.0, 0.0, 10_000.0]).tolist()
    [0.0, 0.25, 0.0]
    """
    z = _as_floats(z)
    # The same as s * (1 - s), but 1 - s rounds to 0 where z is large and this does not.
    e = np.exp(-np.abs(z))
    return e / (1 + e) ** 2


def tanh(z: ArrayLike) -> Floats:
    r"""Squash a number into (-1, 1): :math:`\tanh(z) = 2\,\sigma(2z) - 1`.

    Parameters
    ----------
    z : array_like, any shape
        Pre-activations.

    Returns
    -------
    ndarray, same shape as `z`
        0 at ``z = 0``, toward -1 on the left and 1 on the right.

    Raises
    ------
    TypeError
        If `z` does not hold real numbers.

    Examples
    --------
    >>> tanh([-10_000.0, 0.0, 10_000.0]).tolist()
    [-1.0, 0.0, 1.0]
    """
    return np.tanh(_as_floats(z))


def tanh_derivative(z: ArrayLike) -> Floats:
    r"""Slope of tanh: :math:`\tanh'(z) = 1 - \tanh^2(z) = 1 / \cosh^2(z)`.

    Parameters
    ----------
    z : array_like, any shape
        Pre-activations (not the output of tanh).

    Returns
    -------
    ndarray, same shape as `z`
        At most 1, which it reaches at ``z = 0``.

    Raises
    ------
    TypeError
        If `z` does not hold real numbers.

    Examples
    --------
    >>> tanh_derivative([-10_000.0, 0.0, 10_000.0]).tolist()
    [0.0, 1.0, 0.0]
    """
    z = _as_floats(z)
    # 1 / cosh(z), written with an exponential that cannot overflow.
    e = np.exp(-np.abs(z))
    return (2 * e / (1 + e**2)) ** 2


def relu(z: ArrayLike) -> Floats:
    r"""Rectified linear unit: :math:`\max(z, 0)`.

    Parameters
    ----------
    z : array_like, any shape
        Pre-activations.

    Returns
    -------
    ndarray, same shape as `z`
        `z` where it is positive, 0 elsewhere.

    Raises
    ------
    TypeError
        If `z` does not hold real numbers.

    References
    ----------
    V. Nair and G. E. Hinton, "Rectified linear units improve restricted Boltzmann machines",
    ICML 2010.

    Examples
    --------
    >>> relu([-2.0, 0.0, 3.0]).tolist()
    [0.0, 0.0, 3.0]
    """
    return np.maximum(_as_floats(z), 0)


def relu_derivative(z: ArrayLike) -> Floats:
    r"""Slope of ReLU: 1 where :math:`z > 0`, otherwise 0.

    At 0 the graph has a corner and no slope; 0 is chosen there, as PyTorch does.

    Parameters
    ----------
    z : array_like, any shape
        Pre-activations.

    Returns
    -------
    ndarray, same shape as `z`
        0 or 1.

    Raises
    ------
    TypeError
        If `z` does not hold real numbers.

    Examples
    --------
    >>> relu_derivative([-2.0, 0.0, 3.0]).tolist()
    [0.0, 0.0, 1.0]
    """
    return np.heaviside(_as_floats(z), 0)


def leaky_relu(z: ArrayLike, negative_slope: float = 0.01) -> Floats:
    r"""ReLU with a small slope on the left: :math:`\max(z, 0) + a \min(z, 0)`.

    Parameters
    ----------
    z : array_like, any shape
        Pre-activations.
    negative_slope : float
        The slope :math:`a` where `z` is negative.

    Returns
    -------
    ndarray, same shape as `z`
        `z` where it is positive, ``negative_slope * z`` elsewhere.

    Raises
    ------
    TypeError
        If `z` does not hold real numbers or `negative_slope` is not one number.
    ValueError
        If `negative_slope` is infinite or nan.

    References
    ----------
    A. L. Maas, A. Y. Hannun and A. Y. Ng, "Rectifier nonlinearities improve neural network
    acoustic models", ICML Workshop on Deep Learning for Audio, Speech and Language Processing,
    2013.

    Examples
    --------
    >>> leaky_relu([-2.0, 0.0, 3.0], negative_slope=0.25).tolist()
    [-0.5, 0.0, 3.0]
    """
    z, a = _as_floats(z), _as_slope(negative_slope)
    return np.maximum(z, 0) + a * np.minimum(z, 0)


def leaky_relu_derivative(z: ArrayLike, negative_slope: float = 0.01) -> Floats:
    r"""Slope of leaky ReLU: 1 where :math:`z > 0`, otherwise `negative_slope`.

    At the corner, 0, the slope of the left side is chosen, as PyTorch does.

    Parameters
    ----------
    z : array_like, any shape
        Pre-activations.
    negative_slope : float
        The slope where `z` is negative.

    Returns
    -------
    ndarray, same shape as `z`
        1 or `negative_slope`.

    Raises
    ------
    TypeError
        If `z` does not hold real numbers or `negative_slope` is not one number.
    ValueError
        If `negative_slope` is infinite or nan.

    Examples
    --------
    >>> leaky_relu_derivative([-2.0, 0.0, 3.0], negative_slope=0.25).tolist()
    [0.25, 0.25, 1.0]
    """
    a = _as_slope(negative_slope)
    positive = relu_derivative(z)
    return positive + a * (1 - positive)


def gelu(z: ArrayLike, approximate: Literal["none", "tanh"] = "none") -> Floats:
    r"""Gaussian error linear unit: :math:`z\,\Phi(z)`.

    :math:`\Phi(z) = \frac12\bigl(1 + \operatorname{erf}(z/\sqrt2)\bigr)` is the probability that a
    standard normal variable is below `z`. It acts as a gate that opens smoothly from 0 to 1.

    Parameters
    ----------
    z : array_like, any shape
        Pre-activations.
    approximate : {"none", "tanh"}
        "none" computes :math:`\Phi` exactly; "tanh" replaces it by
        :math:`\frac12\bigl(1 + \tanh(\sqrt{2/\pi}\,(z + 0.044715 z^3))\bigr)`. The names are
        PyTorch's.

    Returns
    -------
    ndarray, same shape as `z`
        Close to `z` on the right, close to 0 on the left, with a dip to -0.17 near ``z = -0.75``.

    Raises
    ------
    TypeError
        If `z` does not hold real numbers.
    ValueError
        If `approximate` is neither "none" nor "tanh".

    References
    ----------
    Hendrycks, D. and K. Gimpel, "Gaussian error linear units (GELUs)", arXiv:1606.08415.

    Examples
    --------
    >>> gelu([-10_000.0, 0.0, 1.0]).round(4).tolist()
    [-0.0, 0.0, 0.8413]
    >>> gelu(1.0, approximate="tanh").round(4).item()
    0.8412
    """
    z = _as_floats(z)
    gate, _ = _gelu_gate(z, approximate)
    # The gate is shut long before -40; -inf itself would give -inf * 0 = nan.
    return np.maximum(z, -40) * gate


def gelu_derivative(z: ArrayLike, approximate: Literal["none", "tanh"] = "none") -> Floats:
    r"""Slope of GELU: :math:`\Phi(z) + z\,\Phi'(z)`.

    :math:`\Phi'(z) = e^{-z^2/2} / \sqrt{2\pi}` is the density of a standard normal variable.

    Parameters
    ----------
    z : array_like, any shape
        Pre-activations.
    approximate : {"none", "tanh"}
        As in :func:`gelu`: the slope of the exact function or of its approximation.

    Returns
    -------
    ndarray, same shape as `z`
        0 far left, 1 far right; in between it falls to -0.13 and rises to 1.13.

    Raises
    ------
    TypeError
        If `z` does not hold real numbers.
    ValueError
        If `approximate` is neither "none" nor "tanh".

    Examples
    --------
    >>> gelu_derivative([-10_000.0, 0.0, 1.0]).round(4).tolist()
    [0.0, 0.5, 1.0833]
    """
    z = _as_floats(z)
    gate, gate_slope = _gelu_gate(z, approximate)
    return gate + np.clip(z, -40, 40) * gate_slope


def _gelu_gate(z: Floats, approximate: str) -> tuple[Floats, Floats]:
    """Compute the factor of `z` in GELU, and the slope of that factor."""
    # Beyond 40 the gate is 0 or 1 to the last digit, and the powers of z below stay finite.
    z = np.clip(z, -40, 40)
    if approximate == "none":
        # erfc(-x) = 1 + erf(x), without losing the digits of a small sum.
        gate = _erfc(-z / math.sqrt(2)).astype(z.dtype) / 2
        return gate, np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    if approximate == "tanh":
        # (1 + tanh(u)) / 2 = sigmoid(2u).
        u = math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)
        u_slope = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * z**2)
        return sigmoid(2 * u), sigmoid_derivative(2 * u) * 2 * u_slope
    raise ValueError(
        f"approximate must be 'none' or 'tanh', but it is {approximate!r}. "
        "Leave it out for the exact GELU."
    )


# NumPy has no error function. This one computes an entry at a time in float64.
_erfc = np.vectorize(math.erfc, otypes=[np.float64])


# Functions of a whole axis ------------------------------------------------------------------------


def softmax(z: ArrayLike, axis: int = -1) -> Floats:
    r"""Turn scores into probabilities: :math:`e^{z_i} / \sum_j e^{z_j}`.

    Parameters
    ----------
    z : array_like, at least one axis
        Scores (logits).
    axis : int
        The axis along which the probabilities add up to 1. For `z` of shape (n, k), one sample per
        row and one class per column, it is the last.

    Returns
    -------
    ndarray, same shape as `z`
        Non-negative, with sum 1 along `axis`. A score of -inf gets probability 0. Infinite scores
        that are equally large share the probability equally, as finite scores do.

    Raises
    ------
    TypeError
        If `z` does not hold real numbers or `axis` is not an integer.
    ValueError
        If `z` has no such axis.

    Examples
    --------
    >>> softmax([10_000.0, 10_000.0, -10_000.0]).tolist()
    [0.5, 0.5, 0.0]
    """
    z = _as_floats(z)
    e = np.exp(_below_largest(z, axis))
    return e / e.sum(axis=axis, keepdims=True)


def log_softmax(z: ArrayLike, axis: int = -1) -> Floats:
    r"""Logarithms of softmax: :math:`z_i - \log \sum_j e^{z_j}`.

    The logarithm of a probability that rounds to 0 is -inf; this function never computes the
    probability, so its result is finite for finite scores.

    Parameters
    ----------
    z : array_like, at least one axis
        Scores (logits).
    axis : int
        The axis along which the probabilities add up to 1.

    Returns
    -------
    ndarray, same shape as `z`
        At most 0.

    Raises
    ------
    TypeError
        If `z` does not hold real numbers or `axis` is not an integer.
    ValueError
        If `z` has no such axis.

    Examples
    --------
    >>> log_softmax([10_000.0, -10_000.0]).tolist()
    [0.0, -20000.0]
    """
    z = _as_floats(z)
    below = _below_largest(z, axis)
    if below.size == 0:
        return below
    return below - np.log(np.exp(below).sum(axis=axis, keepdims=True))


def softmax_jacobian(z: ArrayLike) -> Floats:
    r"""Jacobian of softmax along the last axis.

    .. math:: \frac{\partial p_i}{\partial z_j} = p_i\,(\delta_{ij} - p_j)

    where :math:`p` is the softmax of `z` and :math:`\delta_{ij}` is 1 if :math:`i = j`, else 0.

    Parameters
    ----------
    z : array_like, shape (..., k)
        Scores (logits), one distribution along the last axis.

    Returns
    -------
    ndarray, shape (..., k, k)
        Entry ``[..., i, j]`` is the derivative of probability i with respect to score j.

    Raises
    ------
    TypeError
        If `z` does not hold real numbers.
    ValueError
        If `z` has no axis.

    Examples
    --------
    >>> softmax_jacobian([0.0, 0.0]).tolist()
    [[0.25, -0.25], [-0.25, 0.25]]
    """
    return softmax(z)[..., :, np.newaxis] * log_softmax_jacobian(z)


def log_softmax_jacobian(z: ArrayLike) -> Floats:
    r"""Jacobian of log-softmax along the last axis.

    .. math:: \frac{\partial \log p_i}{\partial z_j} = \delta_{ij} - p_j

    where :math:`p` is the softmax of `z` and :math:`\delta_{ij}` is 1 if :math:`i = j`, else 0.

    Parameters
    ----------
    z : array_like, shape (..., k)
        Scores (logits), one distribution along the last axis.

    Returns
    -------
    ndarray, shape (..., k, k)
        Entry ``[..., i, j]`` is the derivative of log-probability i with respect to score j.

    Raises
    ------
    TypeError
        If `z` does not hold real numbers.
    ValueError
        If `z` has no axis.

    Examples
    --------
    >>> log_softmax_jacobian([0.0, 0.0]).tolist()
    [[0.5, -0.5], [-0.5, 0.5]]
    """
    p = softmax(z)
    return np.eye(p.shape[-1], dtype=p.dtype) - p[..., np.newaxis, :]


def _below_largest(z: Floats, axis: int) -> Floats:
    """Subtract the largest score along `axis`: the rest is 0 or negative, so exp is safe."""
    _check_axis(z, axis)
    largest = z.max(axis=axis, keepdims=True, initial=-np.inf)
    # The largest is 0 below itself, also where inf - inf would be nan.
    return np.subtract(z, largest, out=np.zeros_like(z), where=z != largest)


# Checking what came in ----------------------------------------------------------------------------


def _as_floats(z: ArrayLike) -> Floats:
    try:
        array = np.asarray(z)
    except ValueError as error:
        raise ValueError(
            f"z must be a number or an array, but NumPy cannot make an array of it: {error}. "
            "Give every row the same length."
        ) from None
    if array.dtype.kind in "biu":
        return array.astype(np.float64)
    if array.dtype.kind != "f":
        raise TypeError(
            f"z must hold real numbers, but its dtype is {array.dtype}. "
            "Convert it first, for example with np.asarray(z, dtype=float)."
        )
    return array


def _as_slope(negative_slope: float) -> float:
    try:
        slope = float(negative_slope)
    except (TypeError, ValueError):
        raise TypeError(
            f"negative_slope must be one number, but it is {negative_slope!r}. "
            "Pass a number such as 0.01."
        ) from None
    if not math.isfinite(slope):
        raise ValueError(
            f"negative_slope must be finite, but it is {slope}. Pass a number such as 0.01."
        )
    return slope


def _check_axis(z: Floats, axis: int) -> None:
    try:
        axis = operator.index(axis)
    except TypeError:
        raise TypeError(
            f"axis must be one integer, but it is {axis!r}. "
            "Use -1 for the last axis, one distribution per row."
        ) from None
    if not -z.ndim <= axis < z.ndim:
        fix = (
            f"Choose an axis from {-z.ndim} to {z.ndim - 1}."
            if z.ndim
            else "A single number has no axis: pass a list or an array of scores."
        )
        raise ValueError(f"axis {axis} does not exist in z of shape {z.shape}. {fix}")
