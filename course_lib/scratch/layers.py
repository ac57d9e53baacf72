"""Layers: modules that hold weights, modules that bend, and modules that keep a network in shape.

A `Module` finds its parameters by itself, so that an optimizer can be given all of them, and clears
their gradients. It knows whether it is being trained or used, and it can be stored and restored.
Names and meanings are those of ``torch.nn``, with two differences: the weights of `Linear` have
shape (in_features, out_features), as in the chapters, where PyTorch keeps the transpose; and
`Module.state_dict` gives copies.
"""

import math
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
    """Anything that computes with weights: write ``forward``, and call the module.

    What a module owns is found in its attributes, and in the modules, lists and tuples among them.
    Tensors that require a gradient are its parameters. Its state is these, the tensors that have
    been frozen, and arrays: numbers that are kept without being learned, such as running averages.

    Attributes
    ----------
    training : bool
        Whether the module is being trained, as it is from the start, or used. Some modules act
        differently: change it with `train` and `eval`.

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
        """Compute the output; each module says how."""
        raise NotImplementedError(f"{type(self).__name__} has no method forward(self, x).")

    def __call__(self, x: Any) -> Tensor:
        """Compute the output; an array is made a tensor first."""
        return self.forward(x if isinstance(x, Tensor) else Tensor(x))

    def parameters(self) -> Iterator[Tensor]:
        """Go through the weights, each once, in the order in which they were made attributes."""
        return (parameter for _, parameter in self.named_parameters())

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Go through the weights with their names, such as ``"0.weight"`` in a `Sequential`."""
        for name, value in self._walk():
            if isinstance(value, Tensor) and value.requires_grad and value.is_leaf:
                yield name, value

    def zero_grad(self) -> None:
        """Forget the gradients, which `Tensor.backward` adds up."""
        for parameter in self.parameters():
            parameter.grad = None

    def train(self, mode: bool = True) -> Self:
        """Tell this module and all inside of it that they are being trained; return it."""
        for _, value in self._walk():
            if isinstance(value, Module):
                value.training = bool(mode)
        return self

    def eval(self) -> Self:
        """Tell this module and all inside of it that they are being used; return it."""
        return self.train(False)

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return copies of all numbers that make this module what it is, by their names.

        They are copies, so that training on does not change them. PyTorch gives the numbers
        themselves: there, whoever wants to come back to the best weights must copy.
        """
        return {name: array.copy() for name, array in self._state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put numbers from `state_dict` back in their places. If one does not fit, none is moved.

        Parameters
        ----------
        state : mapping of str to array_like
            An array for every name that `state_dict` gives, in the same shapes.

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
                "Build the module as it was when the state was taken."
            )
        loaded = {name: np.asarray(state[name]) for name in arrays}
        for name, array in arrays.items():
            if loaded[name].shape != array.shape:
                raise ValueError(
                    f"{name} has shape {array.shape} here and {loaded[name].shape} in the state. "
                    "Build the module with the sizes that it had when the state was taken."
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
        """Go through this module and the modules, tensors and arrays in it, each once."""
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
    """Give the keys and values of what may hold modules and numbers, and nothing for the rest."""
    if isinstance(value, Module):
        return value._attributes()
    return enumerate(value) if isinstance(value, list | tuple) else ()


class Linear(Module):
    r"""A linear map and a bias: :math:`XW + b`.

    Parameters
    ----------
    in_features, out_features : int
        Numbers in a sample before and after.
    bias : bool
        Whether to add a bias.
    rng : numpy.random.Generator, optional
        Where the starting weights come from: uniform between :math:`\pm 1/\sqrt{d_\text{in}}`, as
        in PyTorch. Without it they differ from run to run.

    Attributes
    ----------
    weight : Tensor, shape (in_features, out_features)
    bias : Tensor, shape (out_features,), or None

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
        rng: np.random.Generator | None = None,
    ):
        rng = np.random.default_rng() if rng is None else rng
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
    """Modules one behind the other.

    Parameters
    ----------
    *modules : Module

    Examples
    --------
    >>> network = Sequential(Linear(64, 128), ReLU(), Linear(128, 10))
    >>> sum(p.data.size for p in network.parameters())
    9610
    """

    def __init__(self, *modules: Module):
        self.modules = list(modules)

    def forward(self, x: Tensor) -> Tensor:
        """Pass x through every module in turn."""
        for module in self.modules:
            x = module(x)
        return x

    def _attributes(self) -> Iterable[tuple[Any, Any]]:
        """Name the modules by their places, "0.weight" and not "modules.0.weight"."""
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
    r"""A module with a way around it: :math:`x + f(x)`.

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
        """Add to x what the module makes of it."""
        change = self.module(x)
        if change.shape != x.shape:
            # Shapes such as (n, 1) and (n, d) would broadcast, and nobody would notice.
            raise ValueError(
                f"Residual adds what comes out of its module to what goes in, but shape {x.shape} "
                f"goes in and {change.shape} comes out of {self.module!r}. Let the last layer "
                "inside give as many numbers as the first one takes."
            )
        return x + change

    def __repr__(self) -> str:
        return f"Residual({self.module!r})"


class Dropout(Module):
    r"""Silence each number with probability p while training, and make up for it in the others.

    What survives is divided by :math:`1 - p`, so that the mean stays what it was and nothing is
    left to be done when the network is used: then x passes unchanged. This is called *inverted*
    dropout.

    Parameters
    ----------
    p : float
        Probability of being silenced, from 0 to 1.
    rng : numpy.random.Generator, optional
        Where the choices come from. Without it they differ from run to run.

    Raises
    ------
    ValueError
        If p lies outside of 0 to 1.

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

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator | None = None):
        if not 0 <= p <= 1:
            raise ValueError(
                f"p is the probability of being silenced and must lie between 0 and 1, but is {p}."
            )
        self.p = p
        self.rng = np.random.default_rng() if rng is None else rng

    def forward(self, x: Tensor) -> Tensor:
        """Silence some of x in training; return x otherwise."""
        if not self.training or self.p == 0:
            return x
        survives = self.rng.random(x.shape) >= self.p
        return x * survives * (1 / (1 - self.p) if self.p < 1 else 0.0)

    def __repr__(self) -> str:
        return f"Dropout({self.p:g})"


class BatchNorm1d(Module):
    r"""Normalize each feature over the batch, then give it a scale and a shift to learn.

    .. math:: y = \gamma \odot \frac{x - \mu}{\sqrt{s^2 + \epsilon}} + b

    In training, :math:`\mu` and :math:`s^2` are mean and variance of each column of the batch, with
    division by n. When the network is used they are the running averages, into which every batch of
    the training has been mixed with weight `momentum`, its variance with division by n - 1.

    Parameters
    ----------
    num_features : int
        Columns of x.
    eps : float
        A small number that keeps the division safe.
    momentum : float
        Weight of a new batch in the running averages.

    Attributes
    ----------
    weight, bias : Tensor, shape (num_features,)
        :math:`\gamma`, from 1, and :math:`b`, from 0.
    running_mean, running_var : ndarray, shape (num_features,)
        From 0 and 1.

    Raises
    ------
    ValueError
        When it is called, if x has another shape than (n, num_features), or fewer than two samples
        in training.

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
                f"BatchNorm1d({d}) takes x of shape (n, {d}), one sample a row, but x has shape "
                f"{x.shape}."
            )
        averages = (self.running_mean, self.running_var)
        mean, var = self._of_the_batch(x) if self.training else averages
        return (x - mean) / (var + self.eps) ** 0.5 * self.weight + self.bias

    def _of_the_batch(self, x: Tensor) -> tuple[Tensor, Tensor]:
        n = len(x)
        if n < 2:
            raise ValueError(
                f"In training, BatchNorm1d needs at least two samples to take a variance over, but "
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
    r"""Normalize each sample over its features, then give each feature a scale and a shift.

    .. math:: y = \gamma \odot \frac{x - \mu}{\sqrt{s^2 + \epsilon}} + b

    :math:`\mu` and :math:`s^2` are mean and variance along the last axis, with division by its
    length. Samples do not meet, so training and use are the same.

    Parameters
    ----------
    normalized_shape : int
        Length of the last axis, at least 1.
    eps : float
        A small number that keeps the division safe.

    Attributes
    ----------
    weight, bias : Tensor, shape (normalized_shape,)
        :math:`\gamma`, from 1, and :math:`b`, from 0.

    Raises
    ------
    ValueError
        When it is called, if the last axis of x has another length.

    References
    ----------
    J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer normalization", arXiv:1607.06450.

    Examples
    --------
    >>> LayerNorm(2)([[1.0, 3.0], [-50.0, 50.0]]).data.round(3).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """

    def __init__(self, normalized_shape: int, eps: float = 1e-5):
        if normalized_shape < 1:
            raise ValueError(
                f"LayerNorm averages over the last axis, whose length normalized_shape must be at "
                f"least 1, but it is {normalized_shape}."
            )
        self.eps = eps
        self.weight = Tensor(np.ones(normalized_shape), requires_grad=True)
        self.bias = Tensor(np.zeros(normalized_shape), requires_grad=True)

    def forward(self, x: Tensor) -> Tensor:
        """Normalize x of shape (..., normalized_shape) along its last axis."""
        d = len(self.weight)
        if x.shape[-1:] != (d,):
            raise ValueError(
                f"LayerNorm({d}) takes x of shape (..., {d}), but x has shape {x.shape}."
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
    """Keep what is positive, and turn the rest into 0."""

    def forward(self, x: Tensor) -> Tensor:
        """Bend each number of x."""
        return x.relu()


class GELU(_Activation):
    """Multiply each number by the probability that a standard normal number falls below it."""

    def forward(self, x: Tensor) -> Tensor:
        """Bend each number of x."""
        return x.gelu()


class Tanh(_Activation):
    """Squash into the interval from -1 to 1."""

    def forward(self, x: Tensor) -> Tensor:
        """Bend each number of x."""
        return x.tanh()


class Sigmoid(_Activation):
    """Squash into the interval from 0 to 1."""

    def forward(self, x: Tensor) -> Tensor:
        """Bend each number of x."""
        return x.sigmoid()
