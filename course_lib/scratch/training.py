"""The training loop: draw a batch, compute its loss, backpropagate, take a step, repeat.

Five lines of `fit` are gradient descent; the rest is bookkeeping. A model is anything that turns a
batch into a `Tensor`, and the optimizer moves the weights that it was given.
"""

import operator
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_lib.scratch.tensor import Tensor, no_grad

__all__ = ["History", "accuracy", "batches", "fit", "predict"]

#: What happened in training: the name of a quantity, and its values in order.
History = dict[str, list[float]]
Model = Callable[[Any], Tensor]
Loss = Callable[[Tensor, NDArray[Any]], Tensor]
Callback = Callable[[Model, History], bool | None]


class Steps(Protocol):
    """What `fit` requires of an optimizer."""

    def zero_grad(self) -> None:
        """Set the gradients of the previous step to None."""

    def step(self) -> None:
        """Move the weights along the gradients that backward has computed."""


class Steppable(Protocol):
    """What `fit` requires of a schedule."""

    def step(self) -> None:
        """Set the learning rate for the next step."""


def fit(
    model: Model,
    loss: Loss,
    optimizer: Steps,
    x: ArrayLike,
    y: ArrayLike,
    *,
    epochs: int,
    batch_size: int,
    rng: np.random.Generator | int | None = None,
    validation: tuple[ArrayLike, ArrayLike] | None = None,
    callbacks: Iterable[Callback] = (),
    scheduler: Steppable | None = None,
) -> History:
    """Train a network, and return the history of its losses.

    In each epoch every sample is used once, in a new random order; the last batch may be smaller.
    Training ends early when a callback asks for it, or when the loss of a batch is no longer
    finite: no step can be taken from there, and the history ends with that loss.

    Parameters
    ----------
    model : Module or callable
        ``model(batch)`` returns a tensor. If it has a training mode (dropout and batch
        normalization need one), it is in that mode for the steps and out of it for evaluation.
    loss : callable
        ``loss(model(batch), targets)`` returns a tensor with one number, the mean over the batch.
    optimizer : Optimizer
        Created with the model's parameters.
    x, y : array_like of n samples and n targets
        The training set.
    epochs : int
        How often to go through the samples.
    batch_size : int
        Samples per step.
    rng : numpy.random.Generator or int, optional
        Source of the order of the samples, or its seed. Without it, the order differs from run to
        run.
    validation : (array_like, array_like), optional
        Samples and targets to compute the loss on after each epoch, without training on them.
    callbacks : iterable of callable
        Called as ``callback(model, history)`` after each epoch. A callback may add to the history,
        and may return True to end the training.
    scheduler : LRScheduler, optional
        Its ``step()`` is called after each *step* of the optimizer. For a schedule that counts
        epochs, pass a callback that calls it.

    Returns
    -------
    dict of str to list of float
        ``"step_loss"`` with the loss of each batch before its step; ``"loss"`` with the mean over
        the samples of each epoch; ``"validation_loss"`` after each epoch, if there is validation;
        and what callbacks have added.

    Raises
    ------
    TypeError
        If `epochs` or `batch_size` is not an integer.
    ValueError
        If x and y (or the two parts of `validation`) differ in length or are empty, the optimizer
        holds none of the model's parameters, or `epochs` or `batch_size` is too small.

    Examples
    --------
    >>> from course_lib.scratch.layers import Linear
    >>> from course_lib.scratch.losses import mse_loss
    >>> from course_lib.scratch.optimizers import SGD
    >>> x = np.linspace(-1, 1, 20).reshape(-1, 1)
    >>> model = Linear(1, 1, rng=np.random.default_rng(0))
    >>> optimizer = SGD(model.parameters(), lr=0.1)
    >>> history = fit(model, mse_loss, optimizer, x, 3 * x, epochs=50, batch_size=5, rng=0)
    >>> round(model.weight.item(), 2), len(history["loss"]), len(history["step_loss"])
    (3.0, 50, 200)
    """
    x, y = _same_length(x, y)
    epochs, batch_size = _at_least(0, "epochs", epochs), _at_least(1, "batch_size", batch_size)
    if validation is not None:
        validation = _pair(validation)
    _check_belongs(optimizer, model)
    callbacks, rng = list(callbacks), np.random.default_rng(rng)
    history: History = {"loss": [], "step_loss": []}
    for _ in range(epochs):
        _enter_training(model)
        total, seen = 0.0, 0
        # A loss that overflows ends the training; NumPy's warnings would say the same again.
        with np.errstate(over="ignore", invalid="ignore"):
            for rows in batches(len(x), batch_size, rng):
                optimizer.zero_grad()
                error = loss(model(x[rows]), y[rows])
                history["step_loss"].append(error.item())
                total, seen = total + error.item() * len(rows), seen + len(rows)
                if not np.isfinite(total):
                    break
                error.backward()
                optimizer.step()
                if scheduler is not None:
                    scheduler.step()
            history["loss"].append(total / seen)
            if validation is not None:
                measured = _loss_on(model, loss, *validation)
                history.setdefault("validation_loss", []).append(measured)
            # A list: every callback sees every epoch, even if an earlier one wants to stop.
            wants_to_stop = [callback(model, history) for callback in callbacks]
        if any(wants_to_stop) or not np.isfinite(total):
            break
    return history


def batches(
    n: int, batch_size: int, rng: np.random.Generator | int | None = None
) -> Iterator[NDArray[np.intp]]:
    """Split the integers from 0 to n - 1 into batches, in random order.

    Parameters
    ----------
    n : int
        How many samples there are.
    batch_size : int
        How many go into a batch; the last may have fewer.
    rng : numpy.random.Generator or int, optional
        Source of the order, or its seed.

    Yields
    ------
    ndarray of int
        The row indices of one batch. Each index appears in exactly one batch.

    Raises
    ------
    TypeError
        If `n` or `batch_size` is not an integer.
    ValueError
        If `n` is negative or `batch_size` is less than 1.

    Examples
    --------
    >>> [len(rows) for rows in batches(10, 4, rng=0)]
    [4, 4, 2]
    """
    n, batch_size = _at_least(0, "n", n), _at_least(1, "batch_size", batch_size)
    order = np.random.default_rng(rng).permutation(n)
    for start in range(0, n, batch_size):
        yield order[start : start + batch_size]


def predict(model: Model, x: ArrayLike) -> NDArray[Any]:
    """Compute the outputs of a network in evaluation mode, without recording a graph.

    Parameters
    ----------
    model : Module or callable
        ``model(x)`` returns a tensor.
    x : array_like of n samples
        All of them are passed to the model at once.

    Returns
    -------
    ndarray
        The outputs.
    """
    with _evaluating(model):
        outputs = model(np.asarray(x))
    return outputs.data if isinstance(outputs, Tensor) else np.asarray(outputs)


def accuracy(model: Model, x: ArrayLike, y: ArrayLike) -> float:
    """Compute the share of samples whose true class has the highest score.

    Parameters
    ----------
    model : Module or callable
        ``model(x)`` has shape (n, k), a score for each of at least two classes. (For sequences,
        more axes may come before the last.)
    x : array_like of n samples
        The samples.
    y : array_like of int, shape (n,)
        Their true classes, integers from 0 to k - 1.

    Returns
    -------
    float
        From 0 to 1. A sample with a score of nan counts as wrong.

    Raises
    ------
    TypeError
        If the classes are not integers.
    ValueError
        If x and y differ in length or are empty, the model returns a single logit for each sample,
        y has another shape (one-hot targets, or a column), or a class is out of range.

    Examples
    --------
    >>> scores = [[2.0, 1.0], [0.0, 3.0], [5.0, 4.0], [1.0, 0.0]]
    >>> accuracy(Tensor, scores, [0, 1, 1, 0])
    0.75
    """
    x, y = _same_length(x, y)
    scores = predict(model, x)
    _check_scores(scores, len(x))
    _check_classes(y, scores)
    right = (scores.argmax(axis=-1) == y) & ~np.isnan(scores).any(axis=-1)
    return float(right.mean())


def _check_scores(scores: NDArray[Any], n: int) -> None:
    if scores.ndim >= 2 and scores.shape[-1] >= 2 and len(scores) == n:
        return
    if scores.shape in ((n,), (n, 1)):
        raise ValueError(
            f"accuracy compares the scores of at least two classes, shape ({n}, k), but the model "
            f"returns shape {scores.shape}, one number for each sample. If it is the logit of yes, "
            "compare with 0: np.mean((predict(model, x).ravel() > 0) == y.ravel()); if it is a "
            "probability, with 0.5."
        )
    raise ValueError(
        f"accuracy needs scores of shape ({n}, k), one row for each of the {n} samples, but the "
        f"model returns shape {scores.shape}. Let it return one score for each class."
    )


def _check_classes(y: NDArray[Any], scores: NDArray[Any]) -> None:
    k, wanted = scores.shape[-1], scores.shape[:-1]
    if y.shape != wanted:
        fix = "Give one class for each sample."
        if y.shape == scores.shape:
            fix = "If its rows are one-hot, write y.argmax(axis=-1)."
        elif y.shape == (*wanted, 1):
            fix = "Remove the axis of length 1: y.reshape(len(y))."
        raise ValueError(
            f"y must have shape {wanted}, the class of each sample, for scores of shape "
            f"{scores.shape}, but has shape {y.shape}. {fix}"
        )
    if y.dtype.kind not in "iu":
        raise TypeError(
            f"y must hold classes as integers, but holds {y.dtype}. Convert it with .astype(int) "
            "if its numbers are classes."
        )
    if y.min() < 0 or y.max() >= k:
        raise ValueError(
            f"y must hold classes from 0 to {k - 1}, the columns of the scores, but holds "
            f"{y.min()} to {y.max()}. Number the classes from 0, or give the network one output "
            "for each class."
        )


def _loss_on(model: Model, loss: Loss, x: NDArray[Any], y: NDArray[Any]) -> float:
    with _evaluating(model):
        return loss(model(x), y).item()


def _same_length(x: ArrayLike, y: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    x, y = np.asarray(x), np.asarray(y)
    if not x.ndim or not y.ndim:
        raise ValueError(
            f"x and y must have an axis of samples, but have shapes {x.shape} and {y.shape}. Put a "
            "single sample into a list."
        )
    if len(x) != len(y):
        raise ValueError(
            f"There are {len(x)} samples and {len(y)} targets: x has shape {x.shape}, y has shape "
            f"{y.shape}. Give one target for each sample."
        )
    if not len(x):
        raise ValueError(
            f"There is no sample: x has shape {x.shape}. Give at least one, and check what has "
            "selected the samples."
        )
    return x, y


def _pair(validation: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        raise ValueError(
            "validation must be a pair (x, y) of samples and targets, but is "
            f"{type(validation).__name__}. Write validation=(x_validation, y_validation)."
        )
    return _same_length(*validation)


def _at_least(least: int, name: str, value: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(
            f"{name} must be an integer, but is {value!r}. Convert it with int() or round()."
        ) from None
    if number < least:
        raise ValueError(
            f"{name} must be {least} or more, but is {number}. It counts "
            f"{'passes through the samples' if name == 'epochs' else 'samples'}."
        )
    return number


def _check_belongs(optimizer: Steps, model: Model) -> None:
    """Refuse to train with an optimizer that moves the weights of another model."""
    if not (hasattr(model, "parameters") and hasattr(optimizer, "params")):
        return
    moved = {id(parameter) for parameter in optimizer.params}
    if moved.isdisjoint(id(parameter) for parameter in model.parameters()):
        raise ValueError(
            "The optimizer holds none of the model's parameters, so the model would not learn. "
            "Create the optimizer after the model, with model.parameters()."
        )


def _enter_training(model: Model) -> None:
    # A plain function has no modes.
    if hasattr(model, "train"):
        model.train()


@contextmanager
def _evaluating(model: Model) -> Iterator[None]:
    """Leave training mode, if there is one and the model is in it, and record nothing."""
    was_training = getattr(model, "training", False)
    if was_training:
        model.eval()
    try:
        with no_grad():
            yield
    finally:
        if was_training:
            model.train()
