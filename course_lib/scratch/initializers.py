r"""Initial weights: random, with a variance that keeps signals from vanishing or exploding.

Each function fills a tensor of floats in place and returns it. Names and meanings are those of
``torch.nn.init``. A weight has shape (in_features, out_features) as everywhere in the course, the
transpose of PyTorch's: its *fan-in*, the number of inputs of each unit, is its first length, and
its *fan-out*, the number of units that each input feeds, its second. `rng` is a generator or a
seed; without it the numbers differ from run to run. The chapter *Initialization* derives the
variances.

>>> from course_lib.scratch.layers import Linear
>>> layer = Linear(512, 256)
>>> _ = kaiming_normal_(layer.weight, nonlinearity="relu", rng=np.random.default_rng(0))
>>> _ = zeros_(layer.bias)
>>> print((layer.weight.data.var() * 512).round(1))  # fan-in times variance
2.0
"""

import math
from typing import Literal

import numpy as np

from course_lib.scratch.tensor import Tensor

__all__ = [
    "calculate_gain",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "orthogonal_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

Mode = Literal["fan_in", "fan_out"]
Nonlinearity = Literal["linear", "sigmoid", "tanh", "relu", "leaky_relu"]


def calculate_gain(nonlinearity: Nonlinearity, param: float | None = None) -> float:
    r"""Return the gain that PyTorch recommends for the weights before an activation function.

    For ReLU it is :math:`\sqrt 2`, since half of the numbers become 0; for leaky ReLU with slope a
    it is :math:`\sqrt{2 / (1 + a^2)}`; for tanh it is 5/3, an empirical value; otherwise 1.

    Parameters
    ----------
    nonlinearity : {"linear", "sigmoid", "tanh", "relu", "leaky_relu"}
    param : float, optional
        The slope of leaky ReLU for negative inputs; 0.01 without it.

    Returns
    -------
    float
        The factor for the standard deviation of the weights.

    Raises
    ------
    ValueError
        If no gain is known for the name.

    Examples
    --------
    >>> round(calculate_gain("relu") ** 2, 6)
    2.0
    """
    slope = 0.01 if param is None else param
    gains = {
        "linear": 1.0,
        "sigmoid": 1.0,
        "tanh": 5 / 3,
        "relu": math.sqrt(2),
        "leaky_relu": math.sqrt(2 / (1 + slope**2)),
    }
    if nonlinearity not in gains:
        raise ValueError(
            f"No gain is known for {nonlinearity!r}, only for {', '.join(gains)}. Use the one "
            "whose curve is closest, such as relu for GELU."
        )
    return gains[nonlinearity]


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, *, rng: np.random.Generator | int | None = None
) -> Tensor:
    r"""Fill with uniform numbers of variance :math:`2 g^2 / (\text{fan-in} + \text{fan-out})`.

    Parameters
    ----------
    tensor : Tensor, shape (in_features, out_features)
        What to fill.
    gain : float
        :math:`g`, for example from `calculate_gain`.
    rng : numpy.random.Generator or int, optional
        Source of the numbers, or its seed.

    Returns
    -------
    Tensor
        The same tensor.

    Raises
    ------
    TypeError
        If the tensor holds integers, which would round the numbers to 0.
    ValueError
        If the tensor is not a matrix.

    References
    ----------
    X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010.
    """
    return _uniform(tensor, gain * math.sqrt(2 / max(sum(_fans(tensor)), 1)), rng)


def xavier_normal_(
    tensor: Tensor, gain: float = 1.0, *, rng: np.random.Generator | int | None = None
) -> Tensor:
    r"""Fill with normal numbers of variance :math:`2 g^2 / (\text{fan-in} + \text{fan-out})`.

    Parameters, result, errors and reference are those of `xavier_uniform_`.
    """
    return normal_(tensor, std=gain * math.sqrt(2 / max(sum(_fans(tensor)), 1)), rng=rng)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: Mode = "fan_in",
    nonlinearity: Nonlinearity = "leaky_relu",
    *,
    rng: np.random.Generator | int | None = None,
) -> Tensor:
    r"""Fill with uniform numbers of variance :math:`g^2 / \text{fan}`.

    Parameters
    ----------
    tensor : Tensor, shape (in_features, out_features)
        What to fill.
    a : float
        Slope of leaky ReLU for negative inputs. With 0, leaky ReLU is ReLU.
    mode : {"fan_in", "fan_out"}
        Whether to preserve the variance of activations in the forward pass, or that of gradients
        in the backward pass.
    nonlinearity : {"linear", "sigmoid", "tanh", "relu", "leaky_relu"}
        The activation function that follows the weights, for the gain :math:`g`.
    rng : numpy.random.Generator or int, optional
        Source of the numbers, or its seed.

    Returns
    -------
    Tensor
        The same tensor.

    Raises
    ------
    TypeError
        If the tensor holds integers, which would round the numbers to 0.
    ValueError
        If the tensor is not a matrix, or a name is unknown.

    References
    ----------
    K. He, X. Zhang, S. Ren and J. Sun, "Delving deep into rectifiers: surpassing human-level
    performance on ImageNet classification", ICCV 2015, arXiv:1502.01852.
    """
    return _uniform(tensor, _kaiming_std(tensor, a, mode, nonlinearity), rng)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: Mode = "fan_in",
    nonlinearity: Nonlinearity = "leaky_relu",
    *,
    rng: np.random.Generator | int | None = None,
) -> Tensor:
    r"""Fill with normal numbers of variance :math:`g^2 / \text{fan}`.

    Parameters, result, errors and reference are those of `kaiming_uniform_`.
    """
    return normal_(tensor, std=_kaiming_std(tensor, a, mode, nonlinearity), rng=rng)


def orthogonal_(
    tensor: Tensor, gain: float = 1.0, *, rng: np.random.Generator | int | None = None
) -> Tensor:
    r"""Fill with a random orthogonal matrix, which preserves lengths, times the gain.

    A matrix that is not square gets orthogonal rows or columns of length :math:`g`, whichever are
    fewer.

    Parameters
    ----------
    tensor : Tensor, shape (in_features, out_features)
        What to fill.
    gain : float
        :math:`g`.
    rng : numpy.random.Generator or int, optional
        Source of the numbers, or its seed.

    Returns
    -------
    Tensor
        The same tensor.

    Raises
    ------
    TypeError
        If the tensor holds integers, which would round the numbers to 0.
    ValueError
        If the tensor is not a matrix.

    References
    ----------
    A. M. Saxe, J. L. McClelland and S. Ganguli, "Exact solutions to the nonlinear dynamics of
    learning in deep linear neural networks", ICLR 2014, arXiv:1312.6120.
    """
    fan_in, fan_out = _fans(tensor)
    tall = max(fan_in, fan_out), min(fan_in, fan_out)
    Q, R = np.linalg.qr(np.random.default_rng(rng).normal(size=tall))
    # The algorithm chooses the signs of R's diagonal. With these removed, Q is uniformly
    # distributed among all orthogonal matrices.
    Q = Q * np.sign(np.diag(R))
    tensor.data[...] = gain * (Q if fan_in >= fan_out else Q.T)
    return tensor


def normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    *,
    rng: np.random.Generator | int | None = None,
) -> Tensor:
    """Fill with normal numbers.

    Parameters
    ----------
    tensor : Tensor, any shape
        What to fill.
    mean, std : float
        Mean and standard deviation.
    rng : numpy.random.Generator or int, optional
        Source of the numbers, or its seed.

    Returns
    -------
    Tensor
        The same tensor.

    Raises
    ------
    TypeError
        If the tensor holds integers, which would round the numbers.
    ValueError
        If `std` is negative.
    """
    _check_floats(tensor)
    if not std >= 0:
        raise ValueError(
            f"std is a standard deviation and must be 0 or more, but is {std!r}. Pass its absolute "
            "value."
        )
    tensor.data[...] = np.random.default_rng(rng).normal(mean, std, size=tensor.shape)
    return tensor


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros.

    Parameters
    ----------
    tensor : Tensor, any shape
        What to fill, such as a bias.

    Returns
    -------
    Tensor
        The same tensor.
    """
    tensor.data[...] = 0
    return tensor


def _uniform(tensor: Tensor, std: float, rng: np.random.Generator | int | None) -> Tensor:
    bound = math.sqrt(3) * std  # the variance of uniform numbers between ± bound is bound² / 3
    tensor.data[...] = np.random.default_rng(rng).uniform(-bound, bound, size=tensor.shape)
    return tensor


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: Nonlinearity) -> float:
    fans = dict(zip(("fan_in", "fan_out"), _fans(tensor), strict=True))
    if mode not in fans:
        raise ValueError(
            f"mode must be 'fan_in' or 'fan_out', but it is {mode!r}. Leave it out to preserve the "
            "variance of activations."
        )
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fans[mode], 1))


def _fans(tensor: Tensor) -> tuple[int, int]:
    """Return how many inputs a unit has, and how many units an input feeds."""
    if tensor.ndim != 2:
        raise ValueError(
            f"Only a weight of shape (in_features, out_features) has a fan-in and a fan-out, but "
            f"this tensor has shape {tensor.shape}. Fill a bias with zeros_."
        )
    _check_floats(tensor)
    fan_in, fan_out = tensor.shape
    return fan_in, fan_out


def _check_floats(tensor: Tensor) -> None:
    if tensor.dtype.kind != "f":
        raise TypeError(
            f"Random weights need a tensor of floats, but this one holds {tensor.dtype}, which "
            "would round them. Create it with Tensor(np.zeros(shape))."
        )
