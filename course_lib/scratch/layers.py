"""Layers: linear maps, activation functions, normalization, and what combines them.

A `Module` finds its own parameters, so that an optimizer can be given all of them, and clears their
gradients. It is in training or in evaluation mode, and its state can be saved and restored. Names
and meanings are those of ``torch.nn``, with two differences: the weights of `Linear` have shape
(in_features, out_features), as in the chapters, where PyTorch stores the transpose; and
`Module.state_dict` returns copies.
"""

import math
import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from course_lib.scratch.tensor import Tensor

__all__ = [
    "BatchNorm1d",
    "Dropout",
    "GELU",
    "LayerNorm",
    "Linear",
    "Module",
    "ReLU",
    "Residual",
    "Sequential",
    "Sigmoid",
    "Tanh",
]


class Module:
    """Base class of everything that computes with weights: define ``forward``, call the module.

    What belongs to a module is found in its attributes, and in the modules, lists and tuples among
    them. Tensors that require a gradient are its parameters. Its state consists of these, of
    tensors that have been frozen, and of arrays: numbers that are kept without being learned, such
    as running averages.

    Attributes
    ----------
    training : bool
        Whether the module is in training mode, as it is at first, or in evaluation mode. Dropout
        and batch normalization depend on it. Change it with `train` and `eval`.

    Examples
    --------
    >>> class Scale(Module):
    ...     def __init__(self):
    ...         self.factor = Tensor(2.0, requires_grad=True)
    ...
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> scale = Scale()
    >>> scale(Tensor([1.0, 3.0])).sum().backward()
    >>> [p.grad.item() for p in scale.parameters()]
    [4.0]
    """

    training = True

    def forward(self, x: Tensor) -> Tensor:
        """Compute the output; each module defines how."""
        raise NotImplementedError(
            f"{type(self).__name__} has no method forward(self, x). Define it in the class: it "
            "takes a tensor and returns one."
        )

    def __call__(self, x: Any) -> Tensor:
        """Compute the output; an array is converted to a tensor first."""
        return self.forward(x if isinstance(x, Tensor) else Tensor(x))

    def parameters(self) -> Iterator[Tensor]:
        """Iterate over the weights, each once, in the order in which they became attributes."""
        return (parameter for _, parameter in self.named_parameters())

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Iterate over the weights with their names, such as ``"0.weight"`` in a `Sequential`."""
        for name, value in self._walk():
            if isinstance(value, Tensor) and value.requires_grad and value.is_leaf:
                yield name, value

    def zero_grad(self) -> None:
        """Set the gradients to None, since `Tensor.backward` adds to them."""
        for parameter in self.parameters():
            parameter.grad = None

    def train(self, mode: bool = True) -> Self:
        """Put this module and all modules inside it into training mode; return it."""
        for _, value in self._walk():
            if isinstance(value, Module):
                value.training = bool(mode)
        return self

    def eval(self) -> Self:
        """Put this module and all modules inside it into evaluation mode; return it."""
        return self.train(False)

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return copies of all parameters and other arrays of this module, by name.

        They are copies, so that further training does not change them. PyTorch returns the numbers
        themselves: there, anyone who wants to return to the best weights must copy them.
        """
        return {name: array.copy() for name, array in self._state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Copy numbers from `state_dict` back. If one does not fit, nothing is changed.

        Parameters
        ----------
        state : mapping of str to array_like
            An array for every name that `state_dict` returns, in the same shapes.

        Raises
        ------
        ValueError
            If a name is missing or unknown, or a shape differs.
        """
        arrays = dict(self._state())
        missing, unknown = sorted(arrays.keys() - state), sorted(state.keys() - arrays)
        if missing or unknown:
            raise ValueError(
                f"The state does not belong to this {type(self).__name__}: it lacks "
                f"{missing or 'nothing'}, and the module has no place for {unknown or 'nothing'}. "
                "Build the module as it was when the state was saved."
            )
        loaded = {name: np.asarray(state[name]) for name in arrays}
        for name, array in arrays.items():
            if loaded[name].shape != array.shape:
                raise ValueError(
                    f"{name} has shape {array.shape} here and {loaded[name].shape} in the state. "
                    "Build the module with the sizes that it had when the state was saved."
                )
        for name, array in arrays.items():
            array[...] = loaded[name]

    def _state(self) -> Iterator[tuple[str, NDArray[Any]]]:
        for name, value in self._walk():
            if isinstance(value, Tensor) and value.is_leaf:
                yield name, value.data
            elif isinstance(value, np.ndarray):
                yield name, value

    def _walk(self) -> Iterator[tuple[str, Any]]:
        """Iterate over this module and the modules, tensors and arrays in it, each once."""
        met: set[int] = set()

        def visit(name: str, value: Any) -> Iterator[tuple[str, Any]]:
            if isinstance(value, Module | Tensor | np.ndarray):
                if id(value) in met:
                    return
                met.add(id(value))
                yield name, value
            for key, inner in _inside(value):
                yield from visit(f"{name}.{key}" if name else str(key), inner)

        return visit("", self)

    def _attributes(self) -> Iterable[tuple[Any, Any]]:
        return vars(self).items()


def _inside(value: Any) -> Iterable[tuple[Any, Any]]:
    """Return the keys and values of what may hold modules and numbers, and nothing for others."""
    if isinstance(value, Module):
        return value._attributes()
    return enumerate(value) if isinstance(value, list | tuple) else ()


class Linear(Module):
    r"""A linear map and a bias: :math:`XW + b`.

    Parameters
    ----------
    in_features, out_features : int
        How many numbers a sample has before and after.
    bias : bool
        Whether to add a bias.
    rng : numpy.random.Generator or int, optional
        Source of the initial weights, or its seed. They are uniform between
        :math:`\pm 1/\sqrt{d_\text{in}}`, as in PyTorch. Without it they differ from run to run.

    Attributes
    ----------
    weight : Tensor, shape (in_features, out_features)
    bias : Tensor, shape (out_features,), or None

    Raises
    ------
    TypeError
        If a number of features is not an integer.
    ValueError
        If a number of features is negative; when it is called, if x has another last axis.

    Examples
    --------
    >>> layer = Linear(3, 2, rng=np.random.default_rng(0))
    >>> layer(np.ones((5, 3))).shape
    (5, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: np.random.Generator | int | None = None,
    ):
        in_features = _at_least(0, "in_features", in_features)
        out_features = _at_least(0, "out_features", out_features)
        rng = np.random.default_rng(rng)
        bound = 1 / math.sqrt(in_features) if in_features else 0.0
        weight = rng.uniform(-bound, bound, size=(in_features, out_features))
        self.weight = Tensor(weight, requires_grad=True)
        self.bias = (
            Tensor(rng.uniform(-bound, bound, size=out_features), requires_grad=True)
            if bias
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map x of shape (..., in_features) to shape (..., out_features)."""
        z = x @ self.weight
        return z if self.bias is None else z + self.bias

    def __repr__(self) -> str:
        d_in, d_out = self.weight.shape
        return f"Linear({d_in}, {d_out}{'' if self.bias is not None else ', bias=False'})"


class Sequential(Module):
    """Apply modules one after the other.

    Parameters
    ----------
    *modules : Module
        From input to output.

    Raises
    ------
    TypeError
        If one of them cannot be called, or is a class instead of an object.

    Examples
    --------
    >>> network = Sequential(Linear(64, 128), ReLU(), Linear(128, 10))
    >>> sum(p.data.size for p in network.parameters())
    9610
    """

    def __init__(self, *modules: Module):
        for number, module in enumerate(modules):
            if isinstance(module, type):
                raise TypeError(
                    f"Sequential needs modules, but number {number} is the class "
                    f"{module.__name__}. Create an object: {module.__name__}(...)."
                )
            if not callable(module):
                raise TypeError(
                    f"Sequential needs modules, but number {number} is a {type(module).__name__}. "
                    "Pass modules one by one, a list as Sequential(*modules)."
                )
        self.modules = list(modules)

    def forward(self, x: Tensor) -> Tensor:
        """Pass x through every module in turn."""
        for module in self.modules:
            x = module(x)
        return x

    def _attributes(self) -> Iterable[tuple[Any, Any]]:
        """Name the modules by their numbers, "0.weight" and not "modules.0.weight"."""
        for name, value in vars(self).items():
            yield from enumerate(value) if name == "modules" else [(name, value)]

    def __iter__(self) -> Iterator[Module]:
        return iter(self.modules)

    def __len__(self) -> int:
        return len(self.modules)

    def __getitem__(self, i: int) -> Module:
        return self.modules[i]

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.modules))})"


class Residual(Module):
    r"""A module with a skip connection: :math:`x + f(x)`.

    Parameters
    ----------
    module : Module
        :math:`f`. Its output has the shape of its input.

    Raises
    ------
    ValueError
        When it is called, if the shape of f(x) is not that of x.

    References
    ----------
    K. He, X. Zhang, S. Ren and J. Sun, "Deep residual learning for image recognition", CVPR 2016,
    arXiv:1512.03385.

    Examples
    --------
    >>> block = Residual(ReLU())
    >>> block([-1.0, 2.0]).data.tolist()
    [-1.0, 4.0]
    """

    def __init__(self, module: Module):
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        """Add the output of the module to its input."""
        change = self.module(x)
        if change.shape != x.shape:
            # Shapes such as (n, 1) and (n, d) would broadcast without a warning.
            raise ValueError(
                f"Residual adds the output of its module to the input, but the input has shape "
                f"{x.shape} and the output of {self.module!r} has shape {change.shape}. Let the "
                "last layer inside return as many numbers as the first one takes."
            )
        return x + change

    def __repr__(self) -> str:
        return f"Residual({self.module!r})"


class Dropout(Module):
    r"""Set each number to 0 with probability p in training, and scale up the others.

    The numbers that survive are divided by :math:`1 - p`, so that the mean stays the same and
    nothing remains to be done in evaluation mode: there x passes unchanged. This is called
    *inverted* dropout.

    Parameters
    ----------
    p : float
        Probability of being set to 0, from 0 to 1.
    rng : numpy.random.Generator or int, optional
        Source of the random choices, or its seed. Without it they differ from run to run.

    Raises
    ------
    ValueError
        If `p` lies outside 0 to 1.

    References
    ----------
    N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov, "Dropout: a simple
    way to prevent neural networks from overfitting", Journal of Machine Learning Research 15, 2014.

    Examples
    --------
    >>> dropout = Dropout(0.5, rng=np.random.default_rng(0))
    >>> dropout(np.ones(6)).data.tolist()
    [2.0, 0.0, 0.0, 0.0, 2.0, 2.0]
    >>> dropout.eval()(np.ones(6)).data.tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator | int | None = None):
        if not 0 <= p <= 1:
            raise ValueError(
                "p is the probability of being set to 0 and must lie between 0 and 1, but is "
                f"{p}. Write 0.5 for 50 %."
            )
        self.p = p
        self.rng = np.random.default_rng(rng)

    def forward(self, x: Tensor) -> Tensor:
        """Set some of x to 0 in training; return x otherwise."""
        if not self.training or self.p == 0:
            return x
        survives = self.rng.random(x.shape) >= self.p
        return x * survives * (1 / (1 - self.p) if self.p < 1 else 0.0)

    def __repr__(self) -> str:
        return f"Dropout({self.p:g})"


class BatchNorm1d(Module):
    r"""Normalize each feature over the batch, then apply a learned scale and shift.

    .. math:: y = \gamma \odot \frac{x - \mu}{\sqrt{s^2 + \epsilon}} + b

    In training, :math:`\mu` and :math:`s^2` are the mean and variance of each column of the batch,
    with division by n. In evaluation mode they are the running averages, into which every training
    batch has been mixed with weight `momentum`, its variance with division by n - 1.

    Parameters
    ----------
    num_features : int
        Number of columns of x.
    eps : float
        :math:`\epsilon`, a small number that keeps the division finite.
    momentum : float
        Weight of a new batch in the running averages.

    Attributes
    ----------
    weight, bias : Tensor, shape (num_features,)
        :math:`\gamma`, initially 1, and :math:`b`, initially 0.
    running_mean, running_var : ndarray, shape (num_features,)
        Initially 0 and 1.

    Raises
    ------
    TypeError
        If `num_features` is not an integer.
    ValueError
        If `num_features` is negative; when it is called, if x has another shape than
        (n, num_features), or fewer than two samples in training.

    References
    ----------
    S. Ioffe and C. Szegedy, "Batch normalization: accelerating deep network training by reducing
    internal covariate shift", ICML 2015, arXiv:1502.03167.

    Examples
    --------
    >>> norm = BatchNorm1d(1)
    >>> norm([[1.0], [3.0]]).data.round(3).tolist()
    [[-1.0], [1.0]]
    >>> norm.running_mean.round(3).tolist(), norm.running_var.round(3).tolist()
    ([0.2], [1.1])
    >>> norm.eval()([[0.2]]).data.tolist()
    [[0.0]]
    """

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1):
        num_features = _at_least(0, "num_features", num_features)
        self.eps, self.momentum = eps, momentum
        self.weight = Tensor(np.ones(num_features), requires_grad=True)
        self.bias = Tensor(np.zeros(num_features), requires_grad=True)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)

    def forward(self, x: Tensor) -> Tensor:
        """Normalize x of shape (n, num_features), column by column."""
        d = len(self.weight)
        if x.ndim != 2 or x.shape[1] != d:
            raise ValueError(
                f"BatchNorm1d({d}) takes x of shape (n, {d}), one sample per row, but x has shape "
                f"{x.shape}. Create it with the number of outputs of the layer before it."
            )
        averages = (self.running_mean, self.running_var)
        mean, var = self._of_the_batch(x) if self.training else averages
        return (x - mean) / (var + self.eps) ** 0.5 * self.weight + self.bias

    def _of_the_batch(self, x: Tensor) -> tuple[Tensor, Tensor]:
        n = len(x)
        if n < 2:
            raise ValueError(
                f"In training, BatchNorm1d needs at least two samples to compute a variance, but "
                f"x has shape {x.shape}. Leave out a last batch of one sample, or call .eval() on "
                "the network to normalize with the running averages."
            )
        mean, var = x.mean(axis=0), x.var(axis=0, correction=0)
        for running, of_batch in (
            (self.running_mean, mean.data),
            (self.running_var, var.data * (n / (n - 1))),
        ):
            running += self.momentum * (of_batch - running)
        return mean, var

    def __repr__(self) -> str:
        return f"BatchNorm1d({len(self.weight)})"


class LayerNorm(Module):
    r"""Normalize each sample over its features, then apply a learned scale and shift.

    .. math:: y = \gamma \odot \frac{x - \mu}{\sqrt{s^2 + \epsilon}} + b

    :math:`\mu` and :math:`s^2` are the mean and variance along the last axis, with division by its
    length. No sample depends on another, so training and evaluation are the same.

    Parameters
    ----------
    normalized_shape : int
        Length of the last axis, at least 1.
    eps : float
        :math:`\epsilon`, a small number that keeps the division finite.

    Attributes
    ----------
    weight, bias : Tensor, shape (normalized_shape,)
        :math:`\gamma`, initially 1, and :math:`b`, initially 0.

    Raises
    ------
    TypeError
        If `normalized_shape` is not an integer.
    ValueError
        If `normalized_shape` is less than 1; when it is called, if the last axis of x has another
        length.

    References
    ----------
    J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer normalization", arXiv:1607.06450.

    Examples
    --------
    >>> LayerNorm(2)([[1.0, 3.0], [-50.0, 50.0]]).data.round(3).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """

    def __init__(self, normalized_shape: int, eps: float = 1e-5):
        normalized_shape = _at_least(1, "normalized_shape", normalized_shape)
        self.eps = eps
        self.weight = Tensor(np.ones(normalized_shape), requires_grad=True)
        self.bias = Tensor(np.zeros(normalized_shape), requires_grad=True)

    def forward(self, x: Tensor) -> Tensor:
        """Normalize x of shape (..., normalized_shape) along its last axis."""
        d = len(self.weight)
        if x.shape[-1:] != (d,):
            raise ValueError(
                f"LayerNorm({d}) takes x of shape (..., {d}), but x has shape {x.shape}. Create it "
                "with the length of the last axis of x."
            )
        mean = x.mean(axis=-1, keepdims=True)
        var = x.var(axis=-1, keepdims=True, correction=0)
        return (x - mean) / (var + self.eps) ** 0.5 * self.weight + self.bias

    def __repr__(self) -> str:
        return f"LayerNorm({len(self.weight)})"


class _Activation(Module):
    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ReLU(_Activation):
    """Rectified linear unit: keep positive numbers, and replace the others by 0."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply ReLU to each entry of x."""
        return x.relu()


class GELU(_Activation):
    """Multiply each number by the probability that a standard normal variable is below it."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply GELU to each entry of x."""
        return x.gelu()


class Tanh(_Activation):
    """Hyperbolic tangent: squash numbers into the interval from -1 to 1."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply tanh to each entry of x."""
        return x.tanh()


class Sigmoid(_Activation):
    """Squash numbers into the interval from 0 to 1."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply the sigmoid to each entry of x."""
        return x.sigmoid()


def _at_least(least: int, name: str, value: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(
            f"{name} must be an integer, but is {value!r}. It is the length of an axis, such as 64."
        ) from None
    if number < least:
        raise ValueError(
            f"{name} must be at least {least}, but it is {number}. It is the length of an axis, "
            "such as 64."
        )
    return number
