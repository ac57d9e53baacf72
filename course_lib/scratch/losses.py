r"""Losses: how wrong a network is, in one differentiable number.

Each function takes the outputs of a network and the targets, and returns the mean over the batch.
The two for classification take *logits*, scores before any softmax or sigmoid, because the
logarithm of a probability can be finite where the probability itself is rounded to 0. Names and
meanings are those of ``torch.nn.functional``, with two differences: targets that should be
probabilities and are not are refused, and what is impossible and never happens costs nothing
(:math:`0 \log 0 = 0`, its limit), where PyTorch returns nan. The chapter *Forward propagation*
explains where each loss comes from.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_lib.scratch.tensor import Tensor, where

__all__ = ["binary_cross_entropy_with_logits", "cross_entropy", "mse_loss"]

Reduction = Literal["mean", "sum", "none"]


def cross_entropy(
    logits: ArrayLike | Tensor,
    target: ArrayLike | Tensor,
    *,
    label_smoothing: float = 0.0,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Surprise at the true class: :math:`-\log p_y` with :math:`p = \operatorname{softmax}(z)`.

    Where the target is itself a distribution :math:`r` over the classes, the surprise is averaged
    over it: :math:`-\sum_j r_j \log p_j`. A class is the distribution with a single 1. A class of
    probability 0 contributes 0, even where its logit is :math:`-\infty`.

    With label smoothing :math:`\alpha`, the target keeps the weight :math:`1 - \alpha`, and the
    rest is shared equally by all :math:`k` classes: :math:`r_j` becomes
    :math:`(1 - \alpha)\,r_j + \alpha / k`.

    Parameters
    ----------
    logits : Tensor or array_like, shape (n, k)
        A score for each class, one sample per row. Integers become float64.
    target : array_like or Tensor, shape (n,) or (n, k)
        The true classes, integers from 0 to k - 1; or for each sample the probabilities of the
        classes, which add up to 1.
    label_smoothing : float
        :math:`\alpha`, from 0 to 1.
    reduction : {"mean", "sum", "none"}
        Whether the n losses are averaged, added up, or returned as they are. The mean over an
        empty batch is nan, as in PyTorch.

    Returns
    -------
    Tensor
        One number, or shape (n,) without a reduction. In nats; divide by log 2 for bits.

    Raises
    ------
    TypeError
        If the classes are not integers.
    ValueError
        If shapes do not fit, a class lies outside 0 ... k - 1, a row of probabilities is not a
        distribution, or an option is out of range or unknown.

    References
    ----------
    C. Szegedy et al., "Rethinking the Inception architecture for computer vision", CVPR 2016
    (label smoothing).

    Examples
    --------
    >>> round(cross_entropy([[0.0, 0.0], [2.0, 2.0]], [0, 1]).item(), 4)  # log(2)
    0.6931
    >>> round(cross_entropy([[0.0, 0.0], [2.0, 2.0]], [[0.9, 0.1], [0.5, 0.5]]).item(), 4)
    0.6931
    """
    logits = _as_floats(logits)
    if logits.ndim != 2 or logits.shape[1] == 0:
        raise ValueError(
            f"logits must have shape (n, k), one sample per row and one class per column, but "
            f"have shape {logits.shape}. For one sample, write logits.reshape(1, -1)."
        )
    if not 0 <= label_smoothing <= 1:
        raise ValueError(
            f"label_smoothing must lie between 0 and 1, but is {label_smoothing!r}. It is the "
            "share of the target that goes to all classes: 0.1 for 10 %."
        )
    n, k = logits.shape
    truth = _as_tensor(target)
    log_p = logits.log_softmax(axis=1)
    if truth.shape == (n,):
        loss = -log_p[np.arange(n), _as_classes(truth.data, k)]
    elif truth.shape == (n, k):
        _check_probabilities(truth.data)
        loss = -_expected(_in_type_of(logits, truth), log_p).sum(axis=1)
    else:
        fix = (
            "Remove the axis of length 1 with target.reshape(-1)."
            if truth.shape == (n, 1)
            else "Give one target for each row of logits."
        )
        raise ValueError(
            f"target must have shape ({n},), a class for each row of logits {logits.shape}, or "
            f"{logits.shape}, a probability for each class, but has shape {truth.shape}. {fix}"
        )
    if label_smoothing:
        spread = -label_smoothing * log_p.mean(axis=1)
        # With all weight on the spread, the other term is 0, infinite as the loss may be.
        loss = spread if label_smoothing == 1 else (1 - label_smoothing) * loss + spread
    return _reduce(loss, reduction)


def binary_cross_entropy_with_logits(
    logits: ArrayLike | Tensor, target: ArrayLike | Tensor, *, reduction: Reduction = "mean"
) -> Tensor:
    r"""Surprise at a yes or no: :math:`-y \log \sigma(z) - (1 - y) \log(1 - \sigma(z))`.

    Computed as :math:`y \log(1 + e^{-z}) + (1 - y) \log(1 + e^z)`, which is the same and finite
    for every finite logit. An infinite logit costs 0 if it is right and infinity if it is wrong.

    Parameters
    ----------
    logits : Tensor or array_like, any shape
        Scores for *yes*. Integers become float64.
    target : array_like or Tensor, same shape
        1 for yes and 0 for no, or a probability in between.
    reduction : {"mean", "sum", "none"}
        Whether the losses are averaged, added up, or returned as they are.

    Returns
    -------
    Tensor
        One number, or the shape of `logits` without a reduction.

    Raises
    ------
    ValueError
        If the shapes differ, a target is not between 0 and 1, or `reduction` is unknown.

    Examples
    --------
    >>> round(binary_cross_entropy_with_logits([1e4, 0.0], [1.0, 1.0]).item(), 4)
    0.3466
    """
    logits = _as_floats(logits)
    target = _target_like(logits, target)
    if target.data.size and not (target.data.min() >= 0 and target.data.max() <= 1):
        raise ValueError(
            f"target must lie between 0 (no) and 1 (yes), but ranges from {target.data.min():g} "
            f"to {target.data.max():g}. Convert labels -1 and +1 with (labels + 1) / 2."
        )
    if_yes, if_no = (-logits).softplus(), logits.softplus()
    return _reduce(_expected(target, if_yes) + _expected(1 - target, if_no), reduction)


def mse_loss(
    prediction: ArrayLike | Tensor, target: ArrayLike | Tensor, *, reduction: Reduction = "mean"
) -> Tensor:
    r"""Squared error: :math:`(\hat y - y)^2`, averaged over all entries.

    Parameters
    ----------
    prediction : Tensor or array_like, any shape
        Outputs of a network. Integers become float64.
    target : array_like or Tensor, same shape
        What they should be, in the same unit.
    reduction : {"mean", "sum", "none"}
        Whether the squares are averaged, added up, or returned as they are.

    Returns
    -------
    Tensor
        One number, or the shape of `prediction` without a reduction.

    Raises
    ------
    ValueError
        If the shapes differ or `reduction` is unknown.

    Examples
    --------
    >>> mse_loss([1.0, 2.0], [1.0, 5.0]).item()
    4.5
    """
    prediction = _as_floats(prediction)
    return _reduce((prediction - _target_like(prediction, target)) ** 2, reduction)


def _as_tensor(value: ArrayLike | Tensor) -> Tensor:
    return value if isinstance(value, Tensor) else Tensor(value)


def _as_floats(outputs: ArrayLike | Tensor) -> Tensor:
    outputs = _as_tensor(outputs)
    # Integers would wrap around, and would round the targets to integers.
    return outputs if outputs.dtype.kind == "f" else Tensor(outputs.data.astype(np.float64))


def _expected(probability: Tensor, surprise: Tensor) -> Tensor:
    """Multiply the two, with 0 times infinity = 0, as for xlogy in PyTorch."""
    never = (probability.data == 0) & np.isinf(surprise.data)
    return probability * (where(never, 0.0, surprise) if never.any() else surprise)


def _as_classes(classes: NDArray[Any], k: int) -> NDArray[np.intp]:
    if not classes.size:
        return classes.astype(np.intp)
    if classes.dtype.kind not in "iu":
        raise TypeError(
            f"target must hold classes as integers, but holds {classes.dtype}. "
            "Convert it with .astype(int) if its numbers are classes."
        )
    if not (classes.min() >= 0 and classes.max() < k):
        raise ValueError(
            f"target must hold classes from 0 to {k - 1}, the columns of logits, but holds "
            f"{classes.min()} to {classes.max()}. Number the classes from 0, or give the network "
            "one output for each class."
        )
    return classes.astype(np.intp)


def _check_probabilities(shares: NDArray[Any]) -> None:
    sums = shares.sum(axis=1)
    wrong = np.flatnonzero(~((shares >= 0).all(axis=1) & (np.abs(sums - 1) < 1e-3)))
    if wrong.size:
        row = int(wrong[0])
        low, high, total = shares[row].min(), shares[row].max(), sums[row]
        raise ValueError(
            f"Each row of target must hold probabilities that add up to 1, but row {row} holds "
            f"numbers from {low:g} to {high:g} that add up to {total:g}. "
            "If they are scores, take their softmax; if they are counts, divide by their sum."
        )


def _target_like(prediction: Tensor, target: Any) -> Tensor:
    target = _as_tensor(target)
    if target.shape != prediction.shape:
        # (n, 1) and (n,) would broadcast to (n, n): every output compared with every target.
        raise ValueError(
            f"The outputs have shape {prediction.shape} and the targets {target.shape}, but the "
            "shapes must be equal. Reshape one of them, for example with target.reshape(-1, 1)."
        )
    return _in_type_of(prediction, target)


def _in_type_of(prediction: Tensor, target: Tensor) -> Tensor:
    """Let the prediction decide the dtype of the loss, unless the target requires a gradient."""
    return target if target.requires_grad else Tensor(target.data.astype(prediction.dtype))


def _reduce(losses: Tensor, reduction: str) -> Tensor:
    if reduction == "mean":
        return losses.mean()
    if reduction == "sum":
        return losses.sum()
    if reduction == "none":
        return losses
    raise ValueError(
        f"reduction must be 'mean', 'sum' or 'none', but is {reduction!r}. Leave it out for the "
        "mean."
    )
