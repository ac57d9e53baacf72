"""The training loop: draw a batch, compute its loss, send the blame back, take a step, repeat.

Five lines of `fit` are gradient descent, and the rest is bookkeeping. A network can be anything
that turns a batch into a `Tensor`; the optimizer moves the weights that it was given.
"""

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
    """What an optimizer must be able to do, and all that `fit` asks of it."""

    def zero_grad(self) -> None:
        """Forget the gradients of the step before."""

    def step(self) -> None:
        """Move the weights, from the gradients that are there."""


class Steppable(Protocol):
    """What a schedule must be able to do."""

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
    """Train a network, and return how it went.

    In each epoch every sample is used once, in an order that is drawn anew; the last batch may be
    smaller. Training ends early when a callback asks for it, or when the loss of a batch is no
    longer a finite number: no step can be taken from there, and the history ends with that loss.

    Parameters
    ----------
    model : Module or callable
        ``model(batch)`` returns a tensor. If it has a mode for training (dropout and batch
        normalization need one), it is in that mode for the steps and out of it for measurements.
    loss : callable
        ``loss(model(batch), targets)`` returns one number that has slopes, a mean over the batch.
    optimizer : Optimizer
        Made with the model's parameters.
    x, y : array_like of n samples and n targets
    epochs : int
        How often to go through the samples.
    batch_size : int
        Samples in a step.
    rng : numpy.random.Generator or int, optional
        Where the order of the samples comes from, or its seed. Without it, it differs from run to
        run.
    validation : (array_like, array_like), optional
        Samples and targets to compute the loss on after each epoch, without learning from them.
    callbacks : iterable of callable
        Called as ``callback(model, history)`` after each epoch. One may add to the history, and
        may return True to end the training.
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
    ValueError
        If x and y do not have the same length, there is no sample, the optimizer holds none of
        the model's parameters, or a number of epochs or samples makes no sense.

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
    if epochs < 0:
        raise ValueError(f"epochs must be 0 or more, but is {epochs}.")
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
            # A list: every callback sees every epoch, also when an earlier one wants to stop.
            wants_to_stop = [callback(model, history) for callback in callbacks]
        if any(wants_to_stop) or not np.isfinite(total):
            break
    return history


def batches(
    n: int, batch_size: int, rng: np.random.Generator | int | None = None
) -> Iterator[NDArray[np.intp]]:
    """Deal the numbers from 0 to n - 1 into batches, in random order, each number once.

    Parameters
    ----------
    n : int
        How many samples there are.
    batch_size : int
        How many go into a batch; the last may have fewer.
    rng : numpy.random.Generator or int, optional
        Where the order comes from, or its seed.

    Yields
    ------
    ndarray of int
        The rows of one batch.

    Raises
    ------
    ValueError
        If there are no samples in a batch, or fewer.

    Examples
    --------
    >>> [len(rows) for rows in batches(10, 4, rng=0)]
    [4, 4, 2]
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be 1 or more, but is {batch_size}.")
    order = np.random.default_rng(rng).permutation(n)
    for start in range(0, n, batch_size):
        yield order[start : start + batch_size]


def predict(model: Model, x: ArrayLike) -> NDArray[Any]:
    """Compute what a network answers, as in use: not in training mode, and with no graph.

    Parameters
    ----------
    model : Module or callable
    x : array_like of n samples

    Returns
    -------
    ndarray
        The answers.
    """
    with _measuring(model):
        return model(np.asarray(x)).data


def accuracy(model: Model, x: ArrayLike, y: ArrayLike) -> float:
    """Compute the share of samples whose right class has the highest score.

    Parameters
    ----------
    model : Module or callable
        ``model(x)`` has shape (n, k), a score for each class.
    x : array_like of n samples
    y : array_like of int, shape (n,)

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If x and y do not have the same length, or there is no sample.
    """
    x, y = _same_length(x, y)
    return float(np.mean(predict(model, x).argmax(axis=-1) == y))


def _loss_on(model: Model, loss: Loss, x: ArrayLike, y: ArrayLike) -> float:
    x, y = _same_length(x, y)
    with _measuring(model):
        return loss(model(x), y).item()


def _same_length(x: ArrayLike, y: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    x, y = np.asarray(x), np.asarray(y)
    if len(x) != len(y):
        raise ValueError(
            f"There are {len(x)} samples and {len(y)} targets: x has shape {x.shape}, y has shape "
            f"{y.shape}. Give one target for each sample."
        )
    if not len(x):
        raise ValueError(f"There is no sample: x has shape {x.shape}.")
    return x, y


def _check_belongs(optimizer: Steps, model: Model) -> None:
    """Refuse to go through the motions with an optimizer that moves another model."""
    if not (hasattr(model, "parameters") and hasattr(optimizer, "params")):
        return
    moved = {id(parameter) for parameter in optimizer.params}
    if moved.isdisjoint(id(parameter) for parameter in model.parameters()):
        raise ValueError(
            "The optimizer holds none of the model's parameters, so the model would not learn. "
            "Make it behind the model, with model.parameters()."
        )


def _enter_training(model: Model) -> None:
    # A plain function has no modes.
    if hasattr(model, "train"):
        model.train()


@contextmanager
def _measuring(model: Model) -> Iterator[None]:
    """Leave the training mode, if there is one and the model is in it, and record nothing."""
    was_training = getattr(model, "training", False)
    if was_training:
        model.eval()
    try:
        with no_grad():
            yield
    finally:
        if was_training:
            model.train()
