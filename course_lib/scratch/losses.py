r"""Losses: how wrong a network is, in one number that has slopes.

Each function takes what the network answers and what is right, and returns the mean over the
batch. The two for classification take *logits*, scores before any softmax or sigmoid: the
logarithm of a probability is finite where the probability has been rounded to 0. Names and
meanings are those of ``torch.nn.functional``.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from course_lib.scratch.tensor import Tensor, stack

__all__ = ["binary_cross_entropy_with_logits", "cross_entropy", "mse_loss"]

Reduction = Literal["mean", "sum", "none"]


def cross_entropy(
    logits: Tensor,
    target: ArrayLike | Tensor,
    *,
    label_smoothing: float = 0.0,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Surprise at the right class: :math:`-\log p_y` with :math:`p = \operatorname{softmax}(z)`.

    With label smoothing :math:`\varepsilon`, the right class is believed only by
    :math:`1 - \varepsilon`, and the rest is shared by all :math:`k` classes:
    :math:`-(1 - \varepsilon) \log p_y - \frac{\varepsilon}{k} \sum_j \log p_j`.

    Parameters
    ----------
    logits : Tensor, shape (n, k)
        A score for each class, one sample a row.
    target : array_like of int, shape (n,)
        The right classes, from 0 to k - 1.
    label_smoothing : float
        :math:`\varepsilon`, from 0 to 1.
    reduction : {"mean", "sum", "none"}
        Whether the n losses are averaged, added up, or returned as they are.

    Returns
    -------
    Tensor
        One number, or shape (n,) without a reduction.

    Raises
    ------
    TypeError
        If the classes are not integers.
    ValueError
        If shapes do not fit, a class lies outside of 0 ... k - 1, or an option is unknown.

    Examples
    --------
    >>> round(cross_entropy(Tensor([[0.0, 0.0], [2.0, 2.0]]), [0, 1]).item(), 4)  # log(2)
    0.6931
    """
    if logits.ndim != 2:
        raise ValueError(
            f"logits must have shape (n, k), one sample a row, but have shape {logits.shape}. "
            "For one sample, write logits.reshape(1, -1)."
        )
    n, k = logits.shape
    classes = np.asarray(target.data if isinstance(target, Tensor) else target)
    if classes.shape != (n,):
        raise ValueError(
            f"target must have shape ({n},), a class for each row of logits {logits.shape}, but "
            f"has shape {classes.shape}. From one-hot rows, take .argmax(axis=1)."
        )
    if classes.dtype.kind not in "iu" and n:
        raise TypeError(
            f"target must hold classes as integers, but holds {classes.dtype}. "
            "Convert it with .astype(int) if its numbers are classes."
        )
    if n and not (classes.min() >= 0 and classes.max() < k):
        raise ValueError(
            f"target must hold classes from 0 to {k - 1}, the columns of logits, but holds "
            f"{classes.min()} to {classes.max()}."
        )
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing must lie between 0 and 1, but is {label_smoothing!r}.")
    log_p = logits.log_softmax(axis=1)
    loss = -log_p[np.arange(n), classes.astype(int)]
    if label_smoothing:
        loss = (1 - label_smoothing) * loss - label_smoothing * log_p.mean(axis=1)
    return _reduce(loss, reduction)


def binary_cross_entropy_with_logits(
    logits: Tensor, target: ArrayLike | Tensor, *, reduction: Reduction = "mean"
) -> Tensor:
    r"""Surprise at a yes or no: :math:`-y \log \sigma(z) - (1 - y) \log(1 - \sigma(z))`.

    Computed as :math:`\log(e^0 + e^z) - y z`, which is the same and finite for every finite logit.

    Parameters
    ----------
    logits : Tensor, any shape
        Scores for *yes*.
    target : array_like, same shape
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
        If the shapes differ or `reduction` is unknown.

    Examples
    --------
    >>> round(binary_cross_entropy_with_logits(Tensor([1e4, 0.0]), [1.0, 1.0]).item(), 4)
    0.3466
    """
    target = _target_like(logits, target)
    no = Tensor(np.zeros_like(logits.data))
    return _reduce(stack([no, logits]).logsumexp(axis=0) - target * logits, reduction)


def mse_loss(
    prediction: Tensor, target: ArrayLike | Tensor, *, reduction: Reduction = "mean"
) -> Tensor:
    r"""Squared error: :math:`(\hat y - y)^2`, averaged over all entries.

    Parameters
    ----------
    prediction : Tensor, any shape
    target : array_like, same shape
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
    >>> mse_loss(Tensor([1.0, 2.0]), [1.0, 5.0]).item()
    4.5
    """
    return _reduce((prediction - _target_like(prediction, target)) ** 2, reduction)


def _target_like(prediction: Tensor, target: Any) -> Tensor:
    target = target if isinstance(target, Tensor) else Tensor(target)
    if target.shape != prediction.shape:
        # (n, 1) and (n,) would broadcast to (n, n): every answer compared with every target.
        raise ValueError(
            f"The answers have shape {prediction.shape} and the targets {target.shape}. They must "
            "be the same: reshape one of them."
        )
    return Tensor(target.data.astype(prediction.dtype)) if not target.requires_grad else target


def _reduce(losses: Tensor, reduction: str) -> Tensor:
    if reduction == "mean":
        return losses.mean()
    if reduction == "sum":
        return losses.sum()
    if reduction == "none":
        return losses
    raise ValueError(f"reduction must be 'mean', 'sum' or 'none', but is {reduction!r}.")
