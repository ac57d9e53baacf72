r"""Regularization: what keeps a network from memorizing its training samples.

Penalties on the weights, shifted copies of images, early stopping, and ensembles. `Dropout` and
`BatchNorm1d` are in `course_lib.scratch.layers`, weight decay in the optimizers. The chapter
*Regularization* compares them on a small training set.
"""

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_lib.scratch.activations import softmax
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
    """Return the parameters that are usually penalized: the matrices, and not the biases.

    A bias moves the threshold of a unit and cannot make a function steeper; neither can the scale
    and shift of a normalization layer.

    Parameters
    ----------
    model : Module

    Returns
    -------
    list of Tensor
        The parameters with at least two axes.
    """
    return [parameter for parameter in model.parameters() if parameter.ndim >= 2]


def l2_penalty(weights: Iterable[Tensor]) -> Tensor:
    r"""Half the sum of squares, :math:`\tfrac12 \sum w^2`, whose gradient is the weight itself.

    Parameters
    ----------
    weights : iterable of Tensor
        What to penalize, for example `weights_of` a model.

    Returns
    -------
    Tensor
        One number, to be multiplied by a strength and added to a loss.

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
    r"""Sum of absolute values, :math:`\sum |w|`, with gradient sign(w) (0 at 0).

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
    r"""Move every number toward 0 by `amount`, and those closer to 0 than that to 0 itself.

    .. math:: \operatorname{sign}(w)\, \max(|w| - a, 0)

    This is the v that minimizes :math:`\tfrac12 (v - w)^2 + a |v|`: close to w, where each unit of
    :math:`|v|` costs a.

    Parameters
    ----------
    w : array_like, any shape
    amount : float
        :math:`a`, 0 or more.

    Returns
    -------
    ndarray, same shape as `w`

    Raises
    ------
    ValueError
        If `amount` is negative.

    References
    ----------
    D. L. Donoho, "De-noising by soft-thresholding", IEEE Transactions on Information Theory 41(3),
    613-627, 1995.

    Examples
    --------
    >>> soft_threshold([3.0, -0.5, -2.0], 1.0).tolist()
    [2.0, -0.0, -1.0]
    """
    if not amount >= 0:
        raise ValueError(
            f"amount must be 0 or more, but is {amount!r}: it says how far numbers move toward 0. "
            "Pass its absolute value."
        )
    w = np.asarray(w)
    return np.sign(w) * np.maximum(np.abs(w) - amount, 0)


class SoftThreshold:
    r"""Follow each step of an optimizer by a soft threshold: an L1 penalty that reaches 0.

    The derivative of :math:`|w|` jumps at 0, and gradient steps hop back and forth over 0. Instead,
    the optimizer moves the weights for the loss alone, and then each weight is moved toward 0 by
    learning rate times strength (proximal gradient descent).

    Parameters
    ----------
    optimizer : Optimizer
        What moves the weights. Its learning rate, ``optimizer.lr``, may change between steps.
    weights : iterable of Tensor
        Which weights to shrink, for example `weights_of` a model.
    strength : float
        What a unit of :math:`|w|` costs, compared with the loss.

    Raises
    ------
    ValueError
        If `strength` is negative.

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
            raise ValueError(
                f"strength must be 0 or more, but is {strength!r}: a negative penalty would make "
                "weights grow. Pass 0 for no penalty."
            )
        self.optimizer: Steps = optimizer
        self.weights = list(weights)
        self.strength = strength

    def zero_grad(self) -> None:
        """Set the gradients of the previous step to None."""
        self.optimizer.zero_grad()

    def step(self) -> None:
        """Move the weights, then shrink those that are penalized."""
        self.optimizer.step()
        amount = self.optimizer.lr * self.strength  # type: ignore[attr-defined]
        for w in self.weights:
            w.data[...] = soft_threshold(w.data, amount)


class EarlyStopping:
    """A callback for `fit` that ends the training when the validation loss no longer falls.

    When it is used for another `fit`, it starts afresh, as in Keras: it recognizes the new history
    because that is no longer than the one that it has seen.

    Parameters
    ----------
    patience : int
        After how many epochs in a row without a new lowest loss the training ends: with 1, the
        first epoch that does not improve on the best ends it.
    min_delta : float
        By how much a loss must be below the lowest so far to count as lower, 0 or more.

    Attributes
    ----------
    best_loss : float
        The lowest validation loss so far.
    best_epoch : int or None
        The epoch of the lowest loss, counted from 0.
    best_state : dict or None
        The model's state in that epoch; `restore` puts it back.

    Raises
    ------
    ValueError
        If `patience` is less than 1 or `min_delta` is negative; when it is called, if `fit` was
        not given `validation`.

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
        if not patience >= 1:
            raise ValueError(
                f"patience must be 1 or more, but is {patience!r}: it is the number of epochs "
                "without a new lowest loss after which training ends. Usual values are 3 to 20."
            )
        if not min_delta >= 0:
            raise ValueError(
                f"min_delta must be 0 or more, but is {min_delta!r}: a loss above the lowest is no "
                "improvement. Pass 0 to count every improvement."
            )
        self.patience, self.min_delta = patience, min_delta
        self._start_afresh()

    def _start_afresh(self) -> None:
        self.best_loss = np.inf
        self.best_epoch: int | None = None
        self.best_state: dict[str, NDArray[Any]] | None = None
        self._waited = self._seen = 0

    def __call__(self, model: Module, history: History) -> bool:
        """Look at the last epoch; return whether to stop."""
        losses = history.get("validation_loss")
        if not losses:
            raise ValueError(
                "There is no validation loss to watch. Give fit the argument validation=(x, y), "
                "with samples that it does not train on."
            )
        if len(losses) <= self._seen:
            self._start_afresh()
        self._seen = len(losses)
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
            If there is no best epoch yet.
        """
        if self.best_state is None:
            raise ValueError(
                "There is nothing to restore: no epoch has had a finite validation loss. Pass this "
                "object to fit in callbacks=[...] first, and lower the learning rate if the losses "
                "are nan."
            )
        model.load_state_dict(self.best_state)


def shifted(images: ArrayLike, down: int, right: int, *, width: int = 8) -> NDArray[Any]:
    """Shift images by whole pixels; what leaves the frame is lost, and zeros fill the gap.

    Parameters
    ----------
    images : array_like, shape (n, height * width)
        One flattened image per row.
    down, right : int
        How many pixels to shift; negative numbers shift up and left.
    width : int
        Width of an image in pixels.

    Returns
    -------
    ndarray, same shape as `images`
        New images.

    Raises
    ------
    TypeError
        If `down`, `right` or `width` is not an integer.
    ValueError
        If `images` has another shape.

    Examples
    --------
    >>> shifted([[1.0, 2.0, 3.0, 4.0]], 0, 1, width=2).tolist()
    [[0.0, 1.0, 0.0, 3.0]]
    """
    images = np.asarray(images)
    down, right, width = (
        _whole(name, value) for name, value in (("down", down), ("right", right), ("width", width))
    )
    if width < 1 or images.ndim != 2 or images.shape[1] % width:
        raise ValueError(
            f"images must have shape (n, height * {width}), one image per row, but have shape "
            f"{images.shape}. Flatten them with images.reshape(len(images), -1), and pass the "
            "width of an image."
        )
    old = images.reshape(len(images), images.shape[1] // width, width)
    new = np.zeros_like(old)
    height = old.shape[1]
    # Once an image has left the frame, shifting it further changes nothing.
    down, right = int(np.clip(down, -height, height)), int(np.clip(right, -width, width))
    new[:, max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = old[
        :, max(-down, 0) : height - max(down, 0), max(-right, 0) : width - max(right, 0)
    ]
    return new.reshape(images.shape)


class RandomShift(Module):
    """Shift each image of a batch by a few random pixels in training; leave images alone otherwise.

    It is a layer without weights, to be put before all others. Like dropout, it is active in
    training mode only, so that a network is evaluated on unchanged samples.

    Parameters
    ----------
    pixels : int
        The largest shift, up or down and left or right.
    width : int
        Width of an image in pixels.
    rng : numpy.random.Generator or int, optional
        Source of the random shifts, or its seed. Without it they differ from run to run.

    Raises
    ------
    ValueError
        If `pixels` is negative.
    RuntimeError
        When it is called in training mode, if x requires a gradient.

    Examples
    --------
    >>> layer = RandomShift(1, width=2, rng=np.random.default_rng(3))
    >>> layer(Tensor([[1.0, 2.0, 3.0, 4.0]])).data.tolist()
    [[0.0, 0.0, 2.0, 0.0]]
    >>> layer.eval()(Tensor([[1.0, 2.0, 3.0, 4.0]])).data.tolist()
    [[1.0, 2.0, 3.0, 4.0]]
    """

    def __init__(
        self, pixels: int = 1, *, width: int = 8, rng: np.random.Generator | int | None = None
    ):
        self.pixels, self.width = _whole("pixels", pixels), width
        if self.pixels < 0:
            raise ValueError(
                f"pixels must be 0 or more, but is {pixels}: images move by up to so many pixels "
                "in each direction. Pass its absolute value."
            )
        self.rng = np.random.default_rng(rng)

    def forward(self, x: Tensor) -> Tensor:
        """Shift each image of x of shape (n, height * width) in training; return x otherwise."""
        if not self.training:
            return x
        if x.requires_grad:
            raise RuntimeError(
                "RandomShift does not pass gradients on, but its input requires one. Put it first "
                "in the network, before the layers that have weights."
            )
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
    """Compute the mean of the probabilities that several networks predict: an ensemble.

    Parameters
    ----------
    models : sequence of Module or callable
        Each returns logits of shape (n, k), with k at least 2.
    x : array_like of n samples
        The samples.

    Returns
    -------
    ndarray, shape (n, k)
        Each row adds up to 1.

    Raises
    ------
    ValueError
        If there are no models, or one returns another shape.

    Examples
    --------
    >>> certain, doubtful = (lambda x: Tensor([[1e3, 0.0]])), (lambda x: Tensor([[0.0, 0.0]]))
    >>> average_probabilities([certain, doubtful], [[0.0]]).tolist()
    [[0.75, 0.25]]
    """
    models = list(models)
    if not models:
        raise ValueError("There are no models to average. Pass a list with at least one.")
    logits = [predict(model, x) for model in models]
    for number, z in enumerate(logits):
        if z.ndim != 2 or z.shape[1] < 2 or z.shape != logits[0].shape:
            raise ValueError(
                f"Model {number} returns shape {z.shape}, but each must return logits of the same "
                f"shape (n, k) with k at least 2; the first returns {logits[0].shape}. A single "
                "logit z stands for the two logits 0 and z."
            )
    return np.mean([softmax(z, axis=1) for z in logits], axis=0)


def _whole(name: str, value: int) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(
            f"{name} must be an integer, a number of pixels, but is {value!r}. Convert it with "
            "round()."
        ) from None


def _sum_of(terms: Iterable[Tensor]) -> Tensor:
    terms = list(terms)
    if not terms:
        raise ValueError(
            "There are no weights to penalize. Pass weights_of(model) of a model that has a layer "
            "with a matrix, such as Linear."
        )
    total, *rest = terms
    for term in rest:
        total = total + term
    return total
