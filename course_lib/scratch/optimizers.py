r"""Optimizers: how gradients move the weights.

An optimizer is given the parameters once. From then on, each call of `Optimizer.step` moves every
parameter that has a gradient, in place. What a method remembers between steps (a velocity, a mean
of squares) it keeps for each parameter separately.

Names, arguments, defaults and results are those of ``torch.optim``, with two differences. An
optimizer has one learning rate, ``optimizer.lr``, which may be changed between steps; where
parameters are to be treated differently (no weight decay for biases, say), create an optimizer for
each group. And the steps of float16 parameters are computed in float32 and rounded at the end: in
float16 the square of a small gradient and ``eps`` itself are rounded to 0, and 0 / 0 is nan (which
is why PyTorch's automatic mixed precision keeps parameters in float32). The chapter *Gradient
descent* derives each method.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_lib.scratch.tensor import Tensor

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop"]

Array = NDArray[Any]
State = dict[str, Any]


class Optimizer:
    """What all optimizers share: the parameters, and a state for each of them.

    A subclass defines in ``_update`` how one parameter moves.

    Parameters
    ----------
    params : iterable of Tensor
        The parameters to move, such as ``model.parameters()``.
    lr : float
        The learning rate.
    weight_decay : float
        Strength of the penalty on large weights.

    Attributes
    ----------
    params : list of Tensor
    lr : float
        The learning rate of the next step.
    initial_lr : float or None
        The rate that schedules start from; None until there is a schedule.

    Raises
    ------
    TypeError
        If `params` is not an iterable of tensors of floats.
    ValueError
        If there are no parameters, one of them appears twice or was computed from others, or a
        setting is out of range.
    """

    def __init__(self, params: Iterable[Tensor], lr: float, weight_decay: float = 0.0):
        self.params = _checked(params)
        self.lr = _not_negative("lr", lr)
        self.initial_lr: float | None = None
        self.weight_decay = _not_negative("weight_decay", weight_decay)
        self._states: list[State] = [{} for _ in self.params]

    def step(self) -> None:
        """Move each parameter once; one without a gradient stays where it is.

        Raises
        ------
        ValueError
            If a gradient has another shape than its parameter.
        """
        for parameter, state in zip(self.params, self._states, strict=True):
            if parameter.grad is None:
                continue
            if np.shape(parameter.grad) != parameter.shape:
                raise ValueError(
                    f"A parameter of shape {parameter.shape} has a gradient of shape "
                    f"{np.shape(parameter.grad)}. Set grad to None and let backward() compute it, "
                    "or assign an array of the parameter's shape."
                )
            w = parameter.data.astype(_precision(parameter), copy=False)
            self._update(w, np.asarray(parameter.grad, dtype=w.dtype), state)
            if w is not parameter.data:
                parameter.data[...] = w

    def zero_grad(self) -> None:
        """Set the gradients to None, since `Tensor.backward` adds to them."""
        for parameter in self.params:
            parameter.grad = None

    def _update(self, w: Array, gradient: Array, state: State) -> None:
        """Move the numbers of one parameter in place; keep in `state` what the next step needs."""
        raise NotImplementedError(
            f"{type(self).__name__} has no method _update(self, w, gradient, state). Define it in "
            "the subclass, or use an optimizer such as SGD."
        )

    def _decayed(self, w: Array, gradient: Array) -> Array:
        """Return the gradient of the loss plus L2 penalty: a new array, or the same one."""
        return gradient + self.weight_decay * w if self.weight_decay else gradient


class SGD(Optimizer):
    r"""Gradient descent, with optional momentum.

    .. math:: v \leftarrow \beta v + (1 - d)\, g, \qquad \theta \leftarrow \theta - \eta v

    The first velocity is the first gradient. With Nesterov's variant the step is along
    :math:`g + \beta v` in place of :math:`v`.

    Parameters
    ----------
    params : iterable of Tensor
    lr : float
        :math:`\eta`.
    momentum : float
        :math:`\beta`, the share of the velocity that is kept.
    dampening : float
        :math:`d`, the share of a gradient that does not enter the velocity.
    weight_decay : float
        Times the parameter, added to the gradient: an L2 penalty.
    nesterov : bool
        Whether to use Nesterov's variant; it needs momentum and no dampening.

    Examples
    --------
    >>> w = Tensor([1.0, -2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> SGD([w], lr=0.25).step()
    >>> w.data.tolist()
    [0.5, -1.0]
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ):
        super().__init__(params, lr, weight_decay)
        self.momentum = _not_negative("momentum", momentum)
        self.dampening = dampening
        self.nesterov = nesterov
        if nesterov and (not momentum or dampening):
            raise ValueError(
                "Nesterov's variant looks ahead along the velocity: it needs momentum > 0 and "
                f"dampening = 0, but they are {momentum!r} and {dampening!r}. Set momentum=0.9, or "
                "leave nesterov out."
            )

    def _update(self, w: Array, gradient: Array, state: State) -> None:
        step = self._decayed(w, gradient)
        if self.momentum:
            if "velocity" in state:
                state["velocity"] *= self.momentum
                state["velocity"] += (1 - self.dampening) * step
            else:
                state["velocity"] = step.copy()
            velocity = state["velocity"]
            step = step + self.momentum * velocity if self.nesterov else velocity
        w -= self.lr * step


class Adagrad(Optimizer):
    r"""Divide each gradient by the root of the sum of all its squares so far.

    .. math:: q \leftarrow q + g^2, \qquad
        \theta \leftarrow \theta - \eta\, g / (\sqrt{q} + \epsilon)

    Parameters
    ----------
    params : iterable of Tensor
    lr : float
        :math:`\eta`.
    lr_decay : float
        Before step t the rate is divided by 1 + (t - 1) lr_decay.
    weight_decay : float
        Times the parameter, added to the gradient: an L2 penalty.
    initial_accumulator_value : float
        Where the sum of squares starts.
    eps : float
        :math:`\epsilon`, which keeps the division finite.

    References
    ----------
    J. Duchi, E. Hazan and Y. Singer, "Adaptive subgradient methods for online learning and
    stochastic optimization", Journal of Machine Learning Research 12, 2011.

    Examples
    --------
    >>> w = Tensor([1.0, -100.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> Adagrad([w], lr=0.25).step()  # the first step has the same length for every weight
    >>> w.data.round(6).tolist()
    [0.75, -99.75]
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ):
        super().__init__(params, lr, weight_decay)
        self.lr_decay = _not_negative("lr_decay", lr_decay)
        self.eps = _not_negative("eps", eps)
        start = _not_negative("initial_accumulator_value", initial_accumulator_value)
        for parameter, state in zip(self.params, self._states, strict=True):
            state["steps"] = 0
            state["squares"] = np.full(parameter.shape, start, _precision(parameter))

    def _update(self, w: Array, gradient: Array, state: State) -> None:
        gradient = self._decayed(w, gradient)
        state["squares"] += gradient * gradient
        rate = self.lr / (1 + state["steps"] * self.lr_decay)
        state["steps"] += 1
        w -= rate * gradient / (np.sqrt(state["squares"]) + self.eps)


class RMSprop(Optimizer):
    r"""Divide each gradient by the root of a running mean of its squares.

    .. math:: q \leftarrow \beta q + (1 - \beta)\, g^2, \qquad
        \theta \leftarrow \theta - \eta\, g / (\sqrt{q} + \epsilon)

    Parameters
    ----------
    params : iterable of Tensor
    lr : float
        :math:`\eta`.
    alpha : float
        :math:`\beta`, the share of the running mean that is kept.
    eps : float
        :math:`\epsilon`, which keeps the division finite.
    weight_decay : float
        Times the parameter, added to the gradient: an L2 penalty.
    momentum : float
        The share of the velocity that is kept; the divided gradients enter it.
    centered : bool
        Whether to divide by a running standard deviation: the square of the running mean is
        subtracted from the running mean of squares. Rounding can make the difference negative
        where the gradient hardly varies; it then counts as 0, where PyTorch returns nan.

    References
    ----------
    A. Graves, "Generating sequences with recurrent neural networks", 2013, arXiv:1308.0850 (the
    centered variant).

    Examples
    --------
    >>> w = Tensor([1.0, -100.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> RMSprop([w], lr=0.25, alpha=0.75).step()  # 0.25 / sqrt(1 - 0.75)
    >>> w.data.round(6).tolist()
    [0.5, -99.5]
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ):
        super().__init__(params, lr, weight_decay)
        self.alpha = _not_negative("alpha", alpha)
        self.eps = _not_negative("eps", eps)
        self.momentum = _not_negative("momentum", momentum)
        self.centered = centered
        for parameter, state in zip(self.params, self._states, strict=True):
            for name in ("squares", "mean", "velocity"):
                state[name] = np.zeros(parameter.shape, _precision(parameter))

    def _update(self, w: Array, gradient: Array, state: State) -> None:
        gradient = self._decayed(w, gradient)
        squares = _mix(state["squares"], gradient * gradient, self.alpha)
        if self.centered:
            mean = _mix(state["mean"], gradient, self.alpha)
            squares = np.maximum(squares - mean * mean, 0)
        step = gradient / (np.sqrt(squares) + self.eps)
        if self.momentum:
            state["velocity"] *= self.momentum
            state["velocity"] += step
            step = state["velocity"]
        w -= self.lr * step


class Adam(Optimizer):
    r"""Momentum, divided by the root of a running mean of squares, both corrected for their bias.

    .. math:: m \leftarrow \beta_1 m + (1 - \beta_1)\, g, \qquad
        q \leftarrow \beta_2 q + (1 - \beta_2)\, g^2, \qquad
        \theta \leftarrow \theta
        - \eta\, \frac{m / (1 - \beta_1^t)}{\sqrt{q / (1 - \beta_2^t)} + \epsilon}

    Parameters
    ----------
    params : iterable of Tensor
    lr : float
        :math:`\eta`.
    betas : (float, float)
        :math:`\beta_1` and :math:`\beta_2`, the shares of the two running means that are kept.
    eps : float
        :math:`\epsilon`, which keeps the division finite. It is added outside the root.
    weight_decay : float
        Times the parameter, added to the gradient: an L2 penalty, which is then divided like the
        rest of the gradient. See `AdamW`.
    amsgrad : bool
        Whether to divide by the largest running mean of squares so far.

    References
    ----------
    D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015,
    arXiv:1412.6980.

    Examples
    --------
    >>> w = Tensor([1.0, -100.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> Adam([w], lr=0.25).step()  # the first step is lr, against the sign of the gradient
    >>> w.data.round(6).tolist()
    [0.75, -99.75]
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
    ):
        super().__init__(params, lr, weight_decay)
        if np.shape(betas) != (2,):
            raise ValueError(
                f"betas must be two numbers, one for the running mean and one for that of the "
                f"squares, but is {betas!r}. Write betas=(0.9, 0.999)."
            )
        for name, beta in zip(("betas[0]", "betas[1]"), betas, strict=True):
            if not 0 <= beta < 1:
                raise ValueError(
                    f"{name} must be at least 0 and less than 1, but is {beta!r}: it is the share "
                    "of a running mean that is kept. Usual values are 0.9 and 0.999."
                )
        self.betas = betas
        self.eps = _not_negative("eps", eps)
        self.amsgrad = amsgrad
        for parameter, state in zip(self.params, self._states, strict=True):
            state["steps"] = 0
            for name in ("mean", "squares", "largest"):
                state[name] = np.zeros(parameter.shape, _precision(parameter))

    def _update(self, w: Array, gradient: Array, state: State) -> None:
        self._adapt(w, self._decayed(w, gradient), state)

    def _adapt(self, w: Array, gradient: Array, state: State) -> None:
        beta1, beta2 = self.betas
        state["steps"] += 1
        mean = _mix(state["mean"], gradient, beta1)
        squares = _mix(state["squares"], gradient * gradient, beta2)
        if self.amsgrad:
            squares = np.maximum(state["largest"], squares, out=state["largest"])
        # The running means start at 0. After t steps they hold 1 - beta^t of what they should.
        mean = mean / (1 - beta1 ** state["steps"])
        root = np.sqrt(squares) / math.sqrt(1 - beta2 ** state["steps"])
        w -= self.lr * mean / (root + self.eps)


class AdamW(Adam):
    r"""Adam with decoupled weight decay: applied to the weights, not added to the gradient.

    .. math:: \theta \leftarrow (1 - \eta \lambda)\, \theta, \qquad \text{then Adam's step.}

    Parameters
    ----------
    params, lr, betas, eps, amsgrad
        As in `Adam`.
    weight_decay : float
        :math:`\lambda`: each step multiplies every parameter by
        :math:`1 - \eta \lambda`, whatever its gradients have been.

    References
    ----------
    I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR 2019,
    arXiv:1711.05101.

    Examples
    --------
    >>> w = Tensor([1.0, -100.0], requires_grad=True)
    >>> w.grad = np.zeros(2)
    >>> AdamW([w], lr=0.25, weight_decay=0.4).step()
    >>> w.data.tolist()
    [0.9, -90.0]
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
    ):
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad)

    def _update(self, w: Array, gradient: Array, state: State) -> None:
        w *= 1 - self.lr * self.weight_decay
        self._adapt(w, gradient, state)


def _mix(running: Array, new: Array, keep: float) -> Array:
    """Move a running mean toward a new value, in place: keep * running + (1 - keep) * new."""
    running *= keep
    running += (1 - keep) * new
    return running


def _precision(parameter: Tensor) -> np.dtype:
    """Return the type to compute in: float32 for float16, otherwise the parameter's own."""
    return np.result_type(parameter.dtype, np.float32)


def _checked(params: Iterable[Tensor]) -> list[Tensor]:
    if isinstance(params, Tensor):
        raise TypeError(
            "params is a single tensor, but must be an iterable of them. Write [tensor], or "
            "model.parameters()."
        )
    try:
        params = list(params)
    except TypeError:
        raise TypeError(
            f"params must be an iterable of tensors, but is {_described(params)}. Pass "
            "model.parameters()."
        ) from None
    if not params:
        raise ValueError(
            "There are no parameters to move. A generator such as model.parameters() can be used "
            "only once: call model.parameters() again. If this was its first use, the model has no "
            "tensor with requires_grad=True among its attributes."
        )
    met: set[int] = set()
    for i, parameter in enumerate(params):
        if not isinstance(parameter, Tensor):
            raise TypeError(
                f"params must hold tensors, but number {i} is {_described(parameter)}. For groups "
                "with their own settings, create an optimizer for each group."
            )
        if parameter.dtype.kind != "f":
            raise TypeError(
                f"Parameter {i}, of shape {parameter.shape}, holds {parameter.dtype}, and a step "
                "would be rounded away. Create it from floats: Tensor([1.0], requires_grad=True)."
            )
        if not parameter.is_leaf:
            raise ValueError(
                f"Parameter {i}, of shape {parameter.shape}, was computed from other tensors: "
                "moving it would not move them. Pass the tensors that were created with "
                "requires_grad=True."
            )
        if id(parameter) in met:
            raise ValueError(
                f"Parameter {i}, of shape {parameter.shape}, appears twice: it would move twice in "
                "each step. Pass each tensor once, as Module.parameters() does."
            )
        met.add(id(parameter))
    return params


def _described(value: Any) -> str:
    return f"{value!r:.60} ({type(value).__name__})"


def _not_negative(name: str, value: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(
            f"{name} must be one number, but is {value!r}. Pass a number such as 0.01."
        ) from None
    if not number >= 0:  # written so that nan is refused too
        raise ValueError(f"{name} must be 0 or more, but is {value!r}. Pass a number such as 0.01.")
    return number
