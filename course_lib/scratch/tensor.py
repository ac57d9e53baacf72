r"""Arrays that remember how they were computed, so that they can tell every slope.

A `Tensor` holds a NumPy array. Each operation returns a new tensor, and joins it by an *edge* to
every tensor that it was computed from. An edge carries a function that *pulls* a gradient back
through the operation: given the slopes of the loss in the result, it returns the slopes of the
loss in the operand. The chain rule, one factor at a time. :meth:`Tensor.backward` walks over the
edges from the loss to the weights, each tensor after all tensors that were made from it, and adds
up what arrives.

>>> w = Tensor([1.0, -2.0], requires_grad=True)
>>> loss = (w * w).sum()
>>> loss.backward()
>>> w.grad.tolist()
[2.0, -4.0]

Names and meanings are PyTorch's, with three differences: ``data`` and ``grad`` are NumPy arrays,
types mix by NumPy's rules (Python's floats make float64), and `Tensor.max` along an axis returns
the values alone. The chapter *How does every weight learn its share of the blame?* builds a small
version of this file step by step.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import EllipsisType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_lib.scratch import activations

__all__ = ["Tensor", "concatenate", "no_grad", "stack", "undo_broadcasting", "where"]

Array = NDArray[Any]
Axes = int | tuple[int, ...] | None
Edge = tuple["Tensor", Callable[[Array], Array]]

_recording = ContextVar("recording", default=True)


class Tensor:
    """An array, its gradient, and the edges to what it was computed from.

    Parameters
    ----------
    data : array_like
        Numbers. They are copied, and keep their type.
    requires_grad : bool
        Whether :meth:`backward` shall compute the slopes of the loss in these numbers.

    Attributes
    ----------
    data : ndarray, any shape
        The numbers. An optimizer changes them in place.
    grad : ndarray of the same shape and type, or None
        The sum of all gradients that have arrived since it was last set to None. Only tensors that
        were made with ``requires_grad=True`` keep one; what is computed from them does not.

    Raises
    ------
    TypeError
        If `data` does not hold real numbers, is a tensor already, or holds whole numbers although
        a gradient is asked for: a slope is about small changes, and integers have none.

    Examples
    --------
    >>> x = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    >>> (x * [10.0, 1.0]).sum().backward()
    >>> x.grad.tolist()
    [[10.0, 1.0], [10.0, 1.0]]
    """

    __slots__ = ("__weakref__", "_edges", "_requires_grad", "data", "grad")

    # NumPy's arrays leave `array + tensor` to the tensor.
    __array_ufunc__ = None

    def __init__(self, data: ArrayLike, requires_grad: bool = False):
        self.data = _as_numbers(data)
        self.grad: Array | None = None
        self._edges: tuple[Edge, ...] | None = ()  # None: used up by backward
        self._requires_grad = False
        self.requires_grad = requires_grad

    # The graph ------------------------------------------------------------------------------------

    def backward(self, gradient: "ArrayLike | Tensor | None" = None) -> None:
        """Compute the slopes of this tensor in all the tensors that it depends on.

        They are *added* to the ``grad`` of every tensor that was made with ``requires_grad=True``.
        Afterwards the graph is taken down: what the operations had kept is freed.

        Parameters
        ----------
        gradient : array_like of the shape of this tensor, optional
            The slopes of some final loss in this tensor. Without it, this tensor is the loss: it
            must be one number, and its slope in itself is 1.

        Raises
        ------
        RuntimeError
            If this tensor depends on no tensor that requires a gradient, if it holds several
            numbers and `gradient` is missing, or if a part of its graph was taken down before.
        ValueError
            If `gradient` has another shape.
        """
        gradients = {id(self): self._first_gradient(gradient)}
        for tensor in reversed(self._in_order()):
            gradient = gradients.pop(id(tensor))
            if tensor.is_leaf:
                tensor._accumulate(gradient)
                continue
            for parent, pull in tensor._edges:
                share = undo_broadcasting(pull(gradient), parent.shape)
                so_far = gradients.get(id(parent))
                gradients[id(parent)] = share if so_far is None else so_far + share
            tensor._edges = None

    def _in_order(self) -> "list[Tensor]":
        """List this tensor's graph, each tensor behind all those that it was computed from.

        A stack of our own takes the place of recursion, which would end at Python's limit after
        about a thousand operations. Each tensor is entered once, however many ways lead to it.
        """
        order, entered, stack = [], set(), [(self, False)]
        while stack:
            tensor, parents_are_listed = stack.pop()
            if parents_are_listed:
                order.append(tensor)
            elif id(tensor) not in entered:
                entered.add(id(tensor))
                if tensor._edges is None:
                    raise RuntimeError(
                        "backward() came to a part of the graph that an earlier backward() has "
                        "taken down. Compute the loss again before the second backward(), or add "
                        "the losses and call it once."
                    )
                stack.append((tensor, True))
                stack.extend((parent, False) for parent, _ in tensor._edges)
        return order

    def _first_gradient(self, gradient: "ArrayLike | Tensor | None") -> Array:
        if not self.requires_grad:
            raise RuntimeError(
                "backward() was called on a tensor that depends on nothing with "
                "requires_grad=True. Make the weights with Tensor(..., requires_grad=True), and "
                "compute the loss outside of no_grad() and without detach()."
            )
        if gradient is None:
            if self.data.size != 1:
                raise RuntimeError(
                    f"backward() was called on a tensor of shape {self.shape}, but only one number "
                    "can be a loss. Reduce it first, with .sum() or .mean(), or pass "
                    "backward(gradient) an array of its shape."
                )
            return np.ones_like(self.data)
        array = np.asarray(gradient.data if isinstance(gradient, Tensor) else gradient)
        if array.shape != self.shape:
            raise ValueError(
                f"gradient has shape {array.shape}, but the tensor has shape {self.shape}. "
                "Pass one slope for each of its numbers."
            )
        return array.astype(self.dtype, copy=False)

    def _accumulate(self, gradient: Array) -> None:
        if self.grad is None:
            # A copy: what arrives may be shared with other tensors, or be a read-only view.
            self.grad = np.array(gradient, dtype=self.dtype)
        else:
            self.grad += gradient

    @property
    def requires_grad(self) -> bool:
        """Whether backward computes the slopes in this tensor."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value and self.dtype.kind != "f":
            raise TypeError(
                f"A tensor of {self.dtype} cannot require a gradient: only numbers that can change "
                "by a little have slopes. Write 1.0 for 1, or convert the data with "
                ".astype(np.float64)."
            )
        if not self.is_leaf:
            raise RuntimeError(
                "requires_grad can be set only on a tensor that was not computed from others with "
                "requires_grad=True. Cut it off with .detach() first."
            )
        self._requires_grad = bool(value)

    @property
    def is_leaf(self) -> bool:
        """Whether this is a place where the graph begins, such as a weight."""
        return self._edges == ()

    def detach(self) -> "Tensor":
        """Return a tensor with the same numbers, in the same memory, and no graph behind it."""
        return _result(self.data)

    def item(self) -> float:
        """Return the only number as Python's own.

        Raises
        ------
        ValueError
            If there are several numbers, or none.
        """
        if self.data.size != 1:
            raise ValueError(
                f"item() needs a tensor with one number, but this one has shape {self.shape}. "
                "Reduce it with .mean() or .sum(), or use .numpy()."
            )
        return self.data.item()

    def numpy(self) -> Array:
        """Return the numbers as an array, in the same memory.

        Raises
        ------
        RuntimeError
            If the tensor requires a gradient: nothing that happens to the array is recorded.
        """
        if self.requires_grad:
            raise RuntimeError(
                "This tensor requires a gradient, and NumPy would not record what it does with "
                "it. If that is what you want, say so: tensor.detach().numpy()."
            )
        return self.data

    # Arithmetic, entry by entry -------------------------------------------------------------------

    def __add__(self, other: Any) -> "Tensor":
        other = _as_tensor(other, self)
        return _result(
            _entry_by_entry(np.add, self, other),
            (self, lambda grad: grad),
            (other, lambda grad: grad),
        )

    def __neg__(self) -> "Tensor":
        return _result(-self.data, (self, lambda grad: -grad))

    def __sub__(self, other: Any) -> "Tensor":
        other = _as_tensor(other, self)
        return _result(
            _entry_by_entry(np.subtract, self, other),
            (self, lambda grad: grad),
            (other, lambda grad: -grad),
        )

    def __mul__(self, other: Any) -> "Tensor":
        other = _as_tensor(other, self)
        return _result(
            _entry_by_entry(np.multiply, self, other),
            (self, lambda grad: grad * other.data),
            (other, lambda grad: grad * self.data),
        )

    def __truediv__(self, other: Any) -> "Tensor":
        other = _as_tensor(other, self)
        quotient = _entry_by_entry(np.divide, self, other)
        return _result(
            quotient,
            (self, lambda grad: grad / other.data),
            (other, lambda grad: -grad * quotient / other.data),
        )

    def __pow__(self, exponent: float) -> "Tensor":
        if isinstance(exponent, Tensor) or np.ndim(exponent):
            raise TypeError(
                "The exponent must be one plain number. For x ** y with a tensor y, write "
                "(y * x.log()).exp()."
            )
        exponent = _weak(exponent)

        def pull(grad: Array) -> Array:
            if exponent == 0:  # 0 * 0 ** -1 would be nan
                return np.zeros_like(grad)
            return grad * (exponent * self.data ** (exponent - 1))

        return _result(self.data**exponent, (self, pull))

    def __radd__(self, other: Any) -> "Tensor":
        return self + other

    def __rsub__(self, other: Any) -> "Tensor":
        return _as_tensor(other, self) - self

    def __rmul__(self, other: Any) -> "Tensor":
        return self * other

    def __rtruediv__(self, other: Any) -> "Tensor":
        return _as_tensor(other, self) / self

    def maximum(self, other: Any) -> "Tensor":
        """Return the larger of two; where they are equal, each gets half of the gradient."""
        other = _as_tensor(other, self)

        def pull(grad: Array, mine: Array, yours: Array) -> Array:
            return np.where(mine > yours, grad, np.where(mine == yours, grad / 2, 0))

        return _result(
            _entry_by_entry(np.maximum, self, other),
            (self, lambda grad: pull(grad, self.data, other.data)),
            (other, lambda grad: pull(grad, other.data, self.data)),
        )

    def clip(self, min: float | None = None, max: float | None = None) -> "Tensor":
        """Move what is outside of [min, max] to its border; only what is inside has a slope."""
        clipped = np.clip(self.data, min, max)
        return _result(clipped, (self, lambda grad: grad * (clipped == self.data)))

    # Functions of each entry ----------------------------------------------------------------------

    def exp(self) -> "Tensor":
        """Exponential, its own slope."""
        power = np.exp(self.data)
        return _result(power, (self, lambda grad: grad * power))

    def log(self) -> "Tensor":
        """Natural logarithm, with slope 1 / x."""
        return _result(np.log(self.data), (self, lambda grad: grad / self.data))

    def abs(self) -> "Tensor":
        """Size without sign, with slope -1 or 1, and 0 at the corner."""
        return _result(np.abs(self.data), (self, lambda grad: grad * np.sign(self.data)))

    def tanh(self) -> "Tensor":
        """Hyperbolic tangent, with slope 1 - tanh²."""
        a = activations.tanh(self.data)
        return _result(a, (self, lambda grad: grad * (1 - a * a)))

    def sigmoid(self) -> "Tensor":
        """Sigmoid, with slope a (1 - a) for an activation a."""
        a = activations.sigmoid(self.data)
        return _result(a, (self, lambda grad: grad * a * (1 - a)))

    def relu(self) -> "Tensor":
        """Rectified linear unit, with slope 1 where the number is positive and 0 elsewhere."""
        return _result(activations.relu(self.data), (self, lambda grad: grad * (self.data > 0)))

    def gelu(self) -> "Tensor":
        """Gaussian error linear unit, in its exact form."""
        return _result(
            activations.gelu(self.data),
            (self, lambda grad: grad * activations.gelu_derivative(self.data)),
        )

    # Matrix products ------------------------------------------------------------------------------

    def __matmul__(self, other: Any) -> "Tensor":
        """Multiply matrices, or stacks of matrices along the axes before the last two.

        For C = A B the gradients are grad Bᵀ and Aᵀ grad. Where all lengths differ, no other
        products of these matrices have the shapes of A and of B; with square ones every order fits.
        """
        other = _as_tensor(other, self)
        _check_matmul(self.shape, other.shape)
        if self.ndim == 1:  # a vector on the left is a matrix of one row
            product = self.reshape(1, len(self)) @ other
            return product.reshape(product.shape[:-2] + product.shape[-1:] * (other.ndim > 1))
        if other.ndim == 1:  # a vector on the right is a matrix of one column
            product = self @ other.reshape(len(other), 1)
            return product.reshape(product.shape[:-1])
        return _result(
            self.data @ other.data,
            (self, lambda grad: grad @ other.data.swapaxes(-1, -2)),
            (other, lambda grad: self.data.swapaxes(-1, -2) @ grad),
        )

    def __rmatmul__(self, other: Any) -> "Tensor":
        return _as_tensor(other, self) @ self

    # Reductions -----------------------------------------------------------------------------------

    def sum(self, axis: Axes = None, keepdims: bool = False) -> "Tensor":
        """Add up along one axis, several, or all; each entry gets the gradient of its sum."""
        return _result(
            self.data.sum(axis=axis, keepdims=keepdims),
            (self, lambda grad: _spread(grad, self.shape, axis, keepdims)),
        )

    def mean(self, axis: Axes = None, keepdims: bool = False) -> "Tensor":
        """Average along one axis, several, or all."""
        count = max(_count(self.shape, axis), 1)  # a mean over nothing has nothing to pull into
        return _result(
            self.data.mean(axis=axis, keepdims=keepdims),
            (self, lambda grad: _spread(grad / count, self.shape, axis, keepdims)),
        )

    def var(self, axis: Axes = None, keepdims: bool = False, correction: int = 1) -> "Tensor":
        """Sum of the squared distances from the mean, divided by the count minus `correction`."""
        count = max(_count(self.shape, axis) - correction, 0)

        def pull(grad: Array) -> Array:
            distance = self.data - self.data.mean(axis=axis, keepdims=True)
            return _spread(grad, self.shape, axis, keepdims) * (2 * distance / count)

        return _result(self.data.var(axis=axis, keepdims=keepdims, ddof=correction), (self, pull))

    def max(self, axis: Axes = None, keepdims: bool = False) -> "Tensor":
        """Return the largest entries, as ``torch.amax`` does; equal ones share the gradient."""
        if _count(self.shape, axis) == 0:
            raise ValueError(f"Nothing is the largest of no numbers: max of shape {self.shape}.")
        largest = self.data.max(axis=axis, keepdims=True)

        def pull(grad: Array) -> Array:
            winners = self.data == largest
            shares = winners / winners.sum(axis=axis, keepdims=True)
            return _spread(grad, self.shape, axis, keepdims) * shares

        return _result(self.data.max(axis=axis, keepdims=keepdims), (self, pull))

    def argmax(self, axis: int | None = None) -> "Tensor":
        """Return where the largest entry is. Places are integers: there is no gradient."""
        return _result(self.data.argmax(axis=axis))

    def logsumexp(self, axis: int = -1, keepdims: bool = False) -> "Tensor":
        """Logarithm of the sum of the exponentials, safe from overflow; its slope is softmax."""
        largest = self.data.max(axis=axis, keepdims=True, initial=-np.inf)
        shift = np.where(np.isfinite(largest), largest, np.zeros_like(largest))
        with np.errstate(divide="ignore"):  # the logarithm of a sum over nothing is -inf
            value = shift + np.log(np.exp(self.data - shift).sum(axis=axis, keepdims=True))
        return _result(
            value if keepdims else value.squeeze(axis),
            (
                self,
                lambda grad: (
                    _spread(grad, self.shape, axis, keepdims) * activations.softmax(self.data, axis)
                ),
            ),
        )

    def softmax(self, axis: int = -1) -> "Tensor":
        """Turn scores into probabilities along an axis."""
        p = activations.softmax(self.data, axis)
        return _result(
            p, (self, lambda grad: p * (grad - (grad * p).sum(axis=axis, keepdims=True)))
        )

    def log_softmax(self, axis: int = -1) -> "Tensor":
        """Logarithms of the softmax probabilities, which are never formed on the way forward."""
        log_p = activations.log_softmax(self.data, axis)
        return _result(
            log_p, (self, lambda grad: grad - np.exp(log_p) * grad.sum(axis=axis, keepdims=True))
        )

    # Moving entries -------------------------------------------------------------------------------

    def reshape(self, *shape: int | tuple[int, ...]) -> "Tensor":
        """Give the entries, read row by row, another shape. One length may be -1: the rest."""
        if len(shape) == 1 and isinstance(shape[0], tuple | list):
            shape = tuple(shape[0])
        try:
            reshaped = self.data.reshape(shape)
        except ValueError:
            raise ValueError(
                f"Shape {self.shape} has {self.data.size} numbers, which do not fill {shape}. "
                "The product of the lengths must stay the same."
            ) from None
        return _result(reshaped, (self, lambda grad: grad.reshape(self.shape)))

    def permute(self, *axes: int) -> "Tensor":
        """Put the axes in another order: axis i of the result is axis ``axes[i]`` of this."""
        back = np.argsort([axis % max(self.ndim, 1) for axis in axes])
        return _result(
            self.data.transpose(axes), (self, lambda grad: grad.transpose(back.tolist()))
        )

    def transpose(self, axis0: int, axis1: int) -> "Tensor":
        """Exchange two axes."""
        return _result(
            self.data.swapaxes(axis0, axis1), (self, lambda grad: grad.swapaxes(axis0, axis1))
        )

    @property
    def T(self) -> "Tensor":  # noqa: N802
        """The transpose of a matrix."""
        if self.ndim != 2:
            raise ValueError(
                f".T is for matrices, but this tensor has shape {self.shape}. "
                "Say which axes to exchange: .transpose(-2, -1)."
            )
        return self.transpose(0, 1)

    def __getitem__(self, key: Any) -> "Tensor":
        """Pick entries as in NumPy: by numbers, slices, masks or arrays of places."""
        keys = tuple(
            k.data if isinstance(k, Tensor) else k for k in (key if type(key) is tuple else (key,))
        )

        def pull(grad: Array) -> Array:
            everywhere = np.zeros(self.shape, grad.dtype)
            if all(isinstance(k, int | slice | EllipsisType | None) for k in keys):
                everywhere[keys] = grad
            else:
                # An entry that was picked twice gets both gradients. Assignment, and
                # everywhere[keys] += grad as well, would keep the last one only.
                np.add.at(everywhere, keys, grad)
            return everywhere

        return _result(self.data[keys], (self, pull))

    # What every array has, and what a tensor refuses ----------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return self.data.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.data.ndim

    @property
    def dtype(self) -> np.dtype:
        """The type of the numbers."""
        return self.data.dtype

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("A single number has no length.")
        return len(self.data)

    def __iter__(self) -> "Iterator[Tensor]":
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.data)

    def __float__(self) -> float:
        return float(self.item())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        numbers = np.array2string(self.data, separator=", ", prefix="Tensor(")
        return f"Tensor({numbers}{', requires_grad=True' if self.requires_grad else ''})"

    def __lt__(self, other: Any) -> "Tensor":
        return _result(_entry_by_entry(np.less, self, _as_tensor(other, self)))

    def __le__(self, other: Any) -> "Tensor":
        return _result(_entry_by_entry(np.less_equal, self, _as_tensor(other, self)))

    def __gt__(self, other: Any) -> "Tensor":
        return _result(_entry_by_entry(np.greater, self, _as_tensor(other, self)))

    def __ge__(self, other: Any) -> "Tensor":
        return _result(_entry_by_entry(np.greater_equal, self, _as_tensor(other, self)))

    def __eq__(self, other: Any) -> "Tensor":
        return _result(_entry_by_entry(np.equal, self, _as_tensor(other, self)))

    def __ne__(self, other: Any) -> "Tensor":
        return _result(_entry_by_entry(np.not_equal, self, _as_tensor(other, self)))

    __hash__ = object.__hash__

    def __setitem__(self, key: Any, value: Any) -> None:
        raise TypeError(
            "The numbers of a tensor are not changed one by one: the graph may still need them. "
            "Compute a new tensor with where() or concatenate(), or, for numbers outside of any "
            "graph, assign to tensor.data[...]."
        )

    def __iadd__(self, other: Any) -> "Tensor":
        return self._in_place(np.add, other)

    def __isub__(self, other: Any) -> "Tensor":
        return self._in_place(np.subtract, other)

    def __imul__(self, other: Any) -> "Tensor":
        return self._in_place(np.multiply, other)

    def __itruediv__(self, other: Any) -> "Tensor":
        return self._in_place(np.divide, other)

    def _in_place(self, operation: np.ufunc, other: Any) -> "Tensor":
        """Change the numbers where they are, inside of no_grad(); make a new tensor elsewhere."""
        if not _recording.get():
            operation(self.data, other.data if isinstance(other, Tensor) else other, out=self.data)
            return self
        if self.is_leaf and self.requires_grad:
            raise RuntimeError(
                "A tensor with requires_grad=True was about to be changed while operations are "
                "recorded. Update weights inside of `with no_grad():`."
            )
        return NotImplemented  # Python then takes x += y for x = x + y


# Functions of several tensors ---------------------------------------------------------------------


def where(condition: Any, a: Any, b: Any) -> Tensor:
    """Choose entry by entry: from `a` where `condition` is true, from `b` elsewhere.

    Parameters
    ----------
    condition : Tensor or array_like of bool
    a, b : Tensor or array_like
        What to choose from; the three shapes are broadcast.
    """
    choose = np.asarray(condition.data if isinstance(condition, Tensor) else condition, dtype=bool)
    a, b = _as_tensor(a, b), _as_tensor(b, a)
    try:
        chosen = np.where(choose, a.data, b.data)
    except ValueError:
        raise ValueError(
            f"where: shapes {choose.shape}, {a.shape} and {b.shape} do not fit together. "
            f"{_BROADCASTING}"
        ) from None
    return _result(
        chosen,
        (a, lambda grad: np.where(choose, grad, 0)),
        (b, lambda grad: np.where(choose, 0, grad)),
    )


def concatenate(tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Join tensors along an axis that they have. Gradients are cut where the data were joined.

    Parameters
    ----------
    tensors : sequence of Tensor
        Of the same shape, but for the length of `axis`.
    axis : int
    """
    tensors = [_as_tensor(tensor) for tensor in tensors]
    try:
        joined = np.concatenate([tensor.data for tensor in tensors], axis=axis)
    except ValueError as error:
        shapes = ", ".join(str(tensor.shape) for tensor in tensors) or "no tensors"
        raise ValueError(f"Cannot join {shapes} along axis {axis}: {error}.") from None
    edges, start = [], 0
    for tensor in tensors:
        places = np.arange(start, start + tensor.shape[axis])
        edges.append((tensor, lambda grad, places=places: grad.take(places, axis=axis)))
        start += tensor.shape[axis]
    return _result(joined, *edges)


def stack(tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Put tensors of one shape side by side along a new axis.

    Parameters
    ----------
    tensors : sequence of Tensor
    axis : int
        The place of the new axis in the result.
    """
    tensors = [_as_tensor(tensor) for tensor in tensors]
    try:
        stacked = np.stack([tensor.data for tensor in tensors], axis=axis)
    except ValueError as error:
        shapes = ", ".join(str(tensor.shape) for tensor in tensors) or "no tensors"
        raise ValueError(f"Cannot stack {shapes} along axis {axis}: {error}.") from None
    return _result(
        stacked,
        *((tensor, lambda grad, i=i: grad.take(i, axis=axis)) for i, tensor in enumerate(tensors)),
    )


def undo_broadcasting(grad: Array, shape: tuple[int, ...]) -> Array:
    """Add up the gradients of the copies that broadcasting made of one entry.

    Parameters
    ----------
    grad : ndarray
        Slopes of the loss in an array to which another one was broadcast.
    shape : tuple of int
        The shape of that other one.

    Returns
    -------
    ndarray of this shape

    Examples
    --------
    >>> undo_broadcasting(np.ones((64, 3)), shape=(3,)).tolist()
    [64.0, 64.0, 64.0]
    """
    if grad.shape == shape:
        return grad
    new_axes = tuple(range(grad.ndim - len(shape)))
    grad = grad.sum(axis=new_axes)
    stretched = tuple(axis for axis, length in enumerate(shape) if length == 1)
    return grad.sum(axis=stretched, keepdims=True)


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without recording: for measuring a network, and for changing its weights.

    Examples
    --------
    >>> w = Tensor(2.0, requires_grad=True)
    >>> with no_grad():
    ...     print((w * w).requires_grad)
    False
    """
    before = _recording.set(False)
    try:
        yield
    finally:
        _recording.reset(before)


# What the operations share ------------------------------------------------------------------------


def _result(data: ArrayLike, *edges: Edge) -> Tensor:
    """Make what an operation returns, joined to those operands that need a gradient."""
    result = Tensor.__new__(Tensor)
    result.data = np.asarray(data)  # NumPy turns arrays without axes into scalars
    result.grad = None
    result._edges = (
        tuple(edge for edge in edges if edge[0]._requires_grad) if _recording.get() else ()
    )
    result._requires_grad = bool(result._edges)
    return result


def _spread(grad: Array, shape: tuple[int, ...], axis: Axes, keepdims: bool) -> Array:
    """Give every entry that was reduced the gradient of its result."""
    if axis is not None and not keepdims:
        grad = np.expand_dims(grad, axis)
    return np.broadcast_to(grad, shape)


def _count(shape: tuple[int, ...], axis: Axes) -> int:
    """Count the entries behind each entry of a reduction."""
    if axis is None:
        return math.prod(shape)
    return math.prod(shape[i] for i in (axis if isinstance(axis, tuple) else (axis,)))


_BROADCASTING = (
    "Shapes are compared from the right, and two lengths fit if they are equal or one of them "
    "is 1: insert an axis of length 1 with .reshape, or exchange axes with .transpose."
)


def _entry_by_entry(operation: np.ufunc, a: Tensor, b: Tensor) -> Array:
    try:
        return operation(a.data, b.data)
    except ValueError:
        raise ValueError(
            f"{operation.__name__}: shapes {a.shape} and {b.shape} do not fit together. "
            f"{_BROADCASTING}"
        ) from None


def _check_matmul(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    if not a or not b:
        raise ValueError(
            f"@ multiplies matrices, but the shapes are {a} and {b}. For numbers use *."
        )
    if a[-1] != b[-2:][0]:
        advice = "Each row of the left one is multiplied by each column of the right one."
        if len(a) > 1 and len(b) > 1 and a[-1] == b[-1]:
            advice += " The right one fits when it is transposed: b.transpose(-2, -1)."
        elif len(a) > 1 and a[-2] == b[-2:][0]:
            advice += " The left one fits when it is transposed: a.transpose(-2, -1)."
        raise ValueError(
            f"Cannot multiply shapes {a} and {b}: {a[-1]} columns on the left meet "
            f"{b[-2:][0]} rows on the right. {advice}"
        )
    if len(a) > 2 and len(b) > 2:
        try:
            np.broadcast_shapes(a[:-2], b[:-2])
        except ValueError:
            raise ValueError(
                f"Cannot multiply the stacks of matrices of shapes {a} and {b}: the axes before "
                f"the last two do not fit together. {_BROADCASTING}"
            ) from None


def _as_tensor(value: Any, partner: Any = None) -> Tensor:
    """Take tensors as they are, and make tensors of numbers and arrays.

    A single number does not decide the type of the result: a float32 tensor times 0.5 is float32.
    """
    if isinstance(value, Tensor):
        return value
    array = _as_numbers(value)
    if array.ndim == 0 and isinstance(partner, Tensor | np.ndarray):
        array = array.astype(np.result_type(partner.dtype, _weak(array)))
    return _result(array)


def _weak(number: Any) -> Any:
    """Turn a NumPy scalar into Python's number, whose type gives way to an array's."""
    return number.item() if isinstance(number, np.generic | np.ndarray) else number


def _as_numbers(data: ArrayLike) -> Array:
    if isinstance(data, Tensor):
        raise TypeError(
            "The data are a tensor already. For a copy outside of the graph write "
            "Tensor(tensor.detach().numpy())."
        )
    try:
        array = np.array(data)
    except ValueError as error:
        raise ValueError(
            f"NumPy cannot make an array of the data: {error}. Give every row the same length."
        ) from None
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"A tensor holds real numbers, but the data are of type {array.dtype}. Convert them "
            "first, for example with np.asarray(data, dtype=float)."
        )
    return array
