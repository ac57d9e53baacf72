"""Layers: modules that hold weights, and modules that bend.

A `Module` finds its parameters by itself, so that an optimizer can be given all of them, and clears
their gradients. Names and meanings are those of ``torch.nn``; the weights of `Linear` have shape
(in_features, out_features), as in the chapters, where PyTorch keeps the transpose.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from course_lib.scratch.tensor import Tensor

__all__ = ["GELU", "Linear", "Module", "ReLU", "Sequential", "Sigmoid", "Tanh"]


class Module:
    """Anything that computes with weights: write ``forward``, and call the module.

    Parameters are found in the attributes: tensors that require a gradient, modules, and lists or
    tuples of these.

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

    def forward(self, x: Tensor) -> Tensor:
        """Compute the output; each module says how."""
        raise NotImplementedError(f"{type(self).__name__} has no method forward(self, x).")

    def __call__(self, x: Any) -> Tensor:
        """Compute the output; an array is made a tensor first."""
        return self.forward(x if isinstance(x, Tensor) else Tensor(x))

    def parameters(self) -> Iterator[Tensor]:
        """Go through the weights, each once, in the order in which they were made attributes."""
        met: set[int] = set()
        for parameter in _parameters_in(vars(self).values()):
            if id(parameter) not in met:
                met.add(id(parameter))
                yield parameter

    def zero_grad(self) -> None:
        """Forget the gradients, which `Tensor.backward` adds up."""
        for parameter in self.parameters():
            parameter.grad = None


def _parameters_in(values: Any) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            if value.requires_grad and value.is_leaf:
                yield value
        elif isinstance(value, Module):
            yield from value.parameters()
        elif isinstance(value, list | tuple):
            yield from _parameters_in(value)


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

    def __iter__(self) -> Iterator[Module]:
        return iter(self.modules)

    def __len__(self) -> int:
        return len(self.modules)

    def __getitem__(self, i: int) -> Module:
        return self.modules[i]

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.modules))})"


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
