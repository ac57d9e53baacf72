r"""Regularization: what keeps a network from learning its samples by heart.

Penalties on the weights, shifted copies of images, stopping in time, and asking several networks.
`Dropout` and `BatchNorm1d` are in `course_lib.scratch.layers`, weight decay in the optimizers. The
chapter *How do we keep a network from learning by heart?* compares them on few data.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_lib.scratch.layers import Module
from course_lib.scratch.tensor import Tensor
from course_lib.scratch.training import History, Steps, predict

__all__ = [
    "EarlyStopping",
    "RandomShift",
    "SoftThreshold",
    "average_probabilities",
    "l1_penalty",
    "l2_penalty",
    "shifted",
    "soft_threshold",
    "weights_of",
]


def weights_of(model: Module) -> list[Tensor]:
    """Return the parameters that penalties are for: the matrices, and not the biases.

    A bias moves a unit's threshold and cannot make a function steeper; neither can what normalizes.
    """
    return [parameter for parameter in model.parameters() if parameter.ndim >= 2]


def l2_penalty(weights: Iterable[Tensor]) -> Tensor:
    r"""Half the sum of squares, :math:`\tfrac12 \sum w^2`, whose slope is the weight itself.

    Parameters
    ----------
    weights : iterable of Tensor

    Returns
    -------
    Tensor
        One number, to be added to a loss.

    Raises
    ------
    ValueError
        If there are no weights.

    Examples
    --------
    >>> w = Tensor([3.0, -4.0], requires_grad=True)
    >>> penalty = l2_penalty([w])
    >>> penalty.backward()
    >>> penalty.item(), w.grad.tolist()
    (12.5, [3.0, -4.0])
    """
    return _sum_of((w * w).sum() * 0.5 for w in weights)


def l1_penalty(weights: Iterable[Tensor]) -> Tensor:
    r"""Sum of sizes, :math:`\sum |w|`, whose slope is the sign of each weight (0 at 0).

    Parameters, result and errors are those of `l2_penalty`.

    Examples
    --------
    >>> w = Tensor([3.0, -4.0, 0.0], requires_grad=True)
    >>> penalty = l1_penalty([w])
    >>> penalty.backward()
    >>> penalty.item(), w.grad.tolist()
    (7.0, [1.0, -1.0, 0.0])
    """
    return _sum_of(w.abs().sum() for w in weights)


def soft_threshold(w: ArrayLike, amount: float) -> NDArray[Any]:
    r"""Move every number towards 0 by `amount`, and those that are nearer than that to 0 itself.

    .. math:: \operatorname{sign}(w)\, \max(|w| - a, 0)

    This is where :math:`\tfrac12 (v - w)^2 + a |v|` is least: near w, where each unit of size
    costs a.

    Parameters
    ----------
    w : array_like
    amount : float
        0 or more.

    Returns
    -------
    ndarray
        In the shape of w.

    Raises
    ------
    ValueError
        If the amount is negative.

    Examples
    --------
    >>> soft_threshold([3.0, -0.5, -2.0], 1.0).tolist()
    [2.0, -0.0, -1.0]
    """
    if not amount >= 0:
        raise ValueError(f"amount must be 0 or more, but is {amount!r}.")
    w = np.asarray(w)
    return np.sign(w) * np.maximum(np.abs(w) - amount, 0)


class SoftThreshold:
    r"""An optimizer's steps, each followed by a soft threshold: an L1 penalty that reaches 0.

    The slope of :math:`|w|` jumps at 0, and steps along it hop over 0 and back. Instead, the
    optimizer moves the weights for the loss alone, and then each is moved towards 0 by learning
    rate times strength (proximal gradient descent).

    Parameters
    ----------
    optimizer : Optimizer
        What moves the weights. Its learning rate, ``optimizer.lr``, may change between steps.
    weights : iterable of Tensor
        Which of them to shrink, for example `weights_of` a model.
    strength : float
        What a unit of :math:`|w|` costs, beside the loss.

    Raises
    ------
    ValueError
        If the strength is negative.

    Examples
    --------
    >>> from course_lib.scratch.optimizers import SGD
    >>> w = Tensor([1.0, 0.1], requires_grad=True)
    >>> optimizer = SoftThreshold(SGD([w], lr=0.5), [w], strength=0.4)
    >>> w.grad = np.zeros(2)
    >>> optimizer.step()
    >>> w.data.tolist()
    [0.8, 0.0]
    """

    def __init__(self, optimizer: Any, weights: Iterable[Tensor], strength: float):
        if not strength >= 0:
            raise ValueError(f"strength must be 0 or more, but is {strength!r}.")
        self.optimizer: Steps = optimizer
        self.weights = list(weights)
        self.strength = strength

    def zero_grad(self) -> None:
        """Forget the gradients of the step before."""
        self.optimizer.zero_grad()

    def step(self) -> None:
        """Move the weights, and shrink those that are to be shrunk."""
        self.optimizer.step()
        amount = self.optimizer.lr * self.strength  # type: ignore[attr-defined]
        for w in self.weights:
            w.data[...] = soft_threshold(w.data, amount)


class EarlyStopping:
    """A callback for `fit` that ends the training when the validation loss no longer falls.

    Parameters
    ----------
    patience : int
        How many epochs in a row may pass without a new lowest loss: with 1, the first epoch that
        is no better than the best ends the training.
    min_delta : float
        By how much a loss must be lower than the lowest before to count as lower.

    Attributes
    ----------
    best_loss : float
        The lowest validation loss so far.
    best_epoch : int or None
        The epoch that it belongs to, counted from 0.
    best_state : dict or None
        What the model was then: put it back with ``model.load_state_dict``, or with `restore`.

    Raises
    ------
    ValueError
        If the patience is less than 1; when it is called, if `fit` was not given `validation`.

    Examples
    --------
    >>> stopping = EarlyStopping(patience=2)
    >>> model, history = Module(), {"validation_loss": []}
    >>> for loss in (0.9, 0.5, 0.6, 0.7):
    ...     history["validation_loss"].append(loss)
    ...     print(stopping(model, history))
    False
    False
    False
    True
    >>> stopping.best_epoch, stopping.best_loss
    (1, 0.5)
    """

    def __init__(self, patience: int, min_delta: float = 0.0):
        if patience < 1:
            raise ValueError(
                f"patience must be 1 or more, but is {patience!r}: it counts the epochs without a "
                "new lowest loss that end the training."
            )
        self.patience, self.min_delta = patience, min_delta
        self.best_loss = np.inf
        self.best_epoch: int | None = None
        self.best_state: dict[str, NDArray[Any]] | None = None
        self._waited = 0

    def __call__(self, model: Module, history: History) -> bool:
        """Look at the last epoch; return whether to stop."""
        losses = history.get("validation_loss")
        if not losses:
            raise ValueError(
                "There is no validation loss to watch. Give fit the argument validation=(x, y), "
                "with samples that it does not train on."
            )
        if losses[-1] < self.best_loss - self.min_delta:
            self.best_loss, self.best_epoch = losses[-1], len(losses) - 1
            self.best_state = model.state_dict()
            self._waited = 0
        else:
            self._waited += 1
        return self._waited >= self.patience

    def restore(self, model: Module) -> None:
        """Put the best weights back into the model.

        Raises
        ------
        ValueError
            If no epoch has been seen yet.
        """
        if self.best_state is None:
            raise ValueError("There is nothing to restore: no epoch has been seen yet.")
        model.load_state_dict(self.best_state)


def shifted(images: ArrayLike, down: int, right: int, *, width: int = 8) -> NDArray[Any]:
    """Move images by whole pixels; what leaves is lost, and empty pixels come in.

    Parameters
    ----------
    images : array_like, shape (n, height * width)
        One image a row, pixel by pixel along its lines.
    down, right : int
        How far; negative numbers go up and left.
    width : int
        Pixels in a line.

    Returns
    -------
    ndarray
        New images in the same shape.

    Raises
    ------
    ValueError
        If the rows do not hold whole lines.

    Examples
    --------
    >>> shifted([[1.0, 2.0, 3.0, 4.0]], 0, 1, width=2).tolist()
    [[0.0, 1.0, 0.0, 3.0]]
    """
    images = np.asarray(images)
    if images.ndim != 2 or images.shape[1] % width:
        raise ValueError(
            f"images must have shape (n, height * {width}), one image a row, but have shape "
            f"{images.shape}."
        )
    old = images.reshape(len(images), images.shape[1] // width, width)
    new = np.zeros_like(old)
    height = old.shape[1]
    # An image that has left altogether is as empty as one that has left farther.
    down, right = int(np.clip(down, -height, height)), int(np.clip(right, -width, width))
    new[:, max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = old[
        :, max(-down, 0) : height - max(down, 0), max(-right, 0) : width - max(right, 0)
    ]
    return new.reshape(images.shape)


class RandomShift(Module):
    """Move each image of a batch by up to some pixels while training; show them as they are after.

    It is a layer without weights, to be put before all others: like dropout it acts in training
    only, so that nothing is changed in the samples that a network is measured on.

    Parameters
    ----------
    pixels : int
        How far an image may move, down or up and right or left.
    width : int
        Pixels in a line.
    rng : numpy.random.Generator, optional
        Where the choices come from. Without it they differ from run to run.

    Examples
    --------
    >>> layer = RandomShift(1, width=2, rng=np.random.default_rng(3))
    >>> layer(Tensor([[1.0, 2.0, 3.0, 4.0]])).data.tolist()
    [[0.0, 0.0, 2.0, 0.0]]
    >>> layer.eval()(Tensor([[1.0, 2.0, 3.0, 4.0]])).data.tolist()
    [[1.0, 2.0, 3.0, 4.0]]
    """

    def __init__(self, pixels: int = 1, *, width: int = 8, rng: np.random.Generator | None = None):
        self.pixels, self.width = pixels, width
        self.rng = np.random.default_rng() if rng is None else rng

    def forward(self, x: Tensor) -> Tensor:
        """Shift each image of x of shape (n, height * width) in training; return x otherwise."""
        if not self.training:
            return x
        moves = self.rng.integers(-self.pixels, self.pixels + 1, size=(len(x), 2))
        moved = x.data.copy()
        for down, right in np.unique(moves, axis=0):
            rows = (moves == (down, right)).all(axis=1)
            moved[rows] = shifted(x.data[rows], down, right, width=self.width)
        return Tensor(moved)

    def __repr__(self) -> str:
        return f"RandomShift({self.pixels})"


def average_probabilities(
    models: Sequence[Callable[[Any], Tensor]], x: ArrayLike
) -> NDArray[np.floating]:
    """Ask several networks, and return the mean of their probabilities.

    Parameters
    ----------
    models : sequence of Module or callable
        Each answers with logits of shape (n, k).
    x : array_like of n samples

    Returns
    -------
    ndarray, shape (n, k)

    Raises
    ------
    ValueError
        If there are no models.

    Examples
    --------
    >>> certain, doubtful = (lambda x: Tensor([[1e3, 0.0]])), (lambda x: Tensor([[0.0, 0.0]]))
    >>> average_probabilities([certain, doubtful], [[0.0]]).tolist()
    [[0.75, 0.25]]
    """
    if not models:
        raise ValueError("There are no models to ask.")
    return np.mean([Tensor(predict(model, x)).softmax(axis=1).data for model in models], axis=0)


def _sum_of(terms: Iterable[Tensor]) -> Tensor:
    terms = list(terms)
    if not terms:
        raise ValueError("There are no weights to penalize.")
    total, *rest = terms
    for term in rest:
        total = total + term
    return total
