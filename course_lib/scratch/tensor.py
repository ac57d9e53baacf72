r"""Arrays that remember how they were computed, and so can compute every gradient.

A `Tensor` holds a NumPy array. Each operation returns a new tensor and joins it by an *edge* to
every tensor that it was computed from. An edge carries a function that *pulls* a gradient back
through the operation: given the gradient of the loss with respect to the result, it returns the
gradient with respect to the operand. That is the chain rule, one factor at a time.
:meth:`Tensor.backward` follows the edges from the loss to the weights, visits each tensor after
all tensors that were computed from it, and adds up what arrives.

What a function needs on the backward pass (the other factor of a product, say) must still be what
it was on the forward pass. An operation keeps a fingerprint of those arrays, and
:meth:`Tensor.backward` refuses to start if one has changed since. PyTorch counts changes instead;
its counter does not see what is done to ``tensor.data``, where our weights are updated.

>>> w = Tensor([1.0, -2.0], requires_grad=True)
>>> loss = (w * w).sum()
>>> loss.backward()
>>> w.grad.tolist()
[2.0, -4.0]

Names and meanings are PyTorch's, with three differences: ``data`` and ``grad`` are NumPy arrays,
types mix by NumPy's rules (Python's floats make float64), and `Tensor.max` along an axis returns
the values alone. The chapter *Backpropagation* builds a small version of this file step by step.
"""

import functools
import math
import operator
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
# The operand, how a gradient is pulled back to it, and the arrays that this needs unchanged.
Edge = tuple["Tensor", Callable[[Array], Array], *tuple[Array, ...]]

_recording = ContextVar("recording", default=True)


class Tensor:
    """An array, its gradient, and the edges to what it was computed from.

    Parameters
    ----------
    data : array_like
        Numbers. They are copied and keep their type.
    requires_grad : bool
        Whether :meth:`backward` computes the gradient of the loss with respect to these numbers.

    Attributes
    ----------
    data : ndarray, any shape
        The numbers. An optimizer changes them in place.
    grad : ndarray of the same shape and type, or None
        The sum of all gradients that have arrived since it was last set to None. Only tensors that
        were created with ``requires_grad=True`` keep one; tensors computed from them do not.

    Raises
    ------
    TypeError
        If `data` does not hold real numbers, is already a tensor, or holds integers although a
        gradient is required: a derivative is about small changes, and integers have none.
    ValueError
        If the rows of `data` differ in length.

    Examples
    --------
    >>> x = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    >>> (x * [10.0, 1.0]).sum().backward()
    >>> x.grad.tolist()
    [[10.0, 1.0], [10.0, 1.0]]
    """

    __slots__ = ("__weakref__", "_edges", "_kept", "_requires_grad", "data", "grad")

    # NumPy's arrays leave `array + tensor` to the tensor.
    __array_ufunc__ = None

    def __init__(self, data: ArrayLike, requires_grad: bool = False):
        self.data = _as_numbers(data)
        self.grad: Array | None = None
        # Operands, the functions that pull gradients back to them, and their shapes. None once
        # backward has used them up.
        self._edges: (
            tuple[tuple[Tensor, Callable[[Array], Array], tuple[int, ...]], ...] | None
        ) = ()
        # The arrays that these functions need, each with its fingerprint.
        self._kept: tuple[tuple[Array, bytes], ...] = ()
        self._requires_grad = False
        self.requires_grad = requires_grad

    # The graph ------------------------------------------------------------------------------------

    def backward(self, gradient: "ArrayLike | Tensor | None" = None) -> None:
        """Compute the gradient of this tensor with respect to every tensor that it depends on.

        It is *added* to the ``grad`` of every tensor that was created with ``requires_grad=True``.
        Afterwards the graph is freed, and so is everything that the operations had kept.

        Parameters
        ----------
        gradient : array_like of the shape of this tensor, optional
            The gradient of some final loss with respect to this tensor. Without it, this tensor is
            the loss: it must be one number, and its derivative with respect to itself is 1.

        Raises
        ------
        RuntimeError
            If this tensor depends on no tensor that requires a gradient; if it holds several
            numbers and `gradient` is missing; if a part of its graph was freed by an earlier call;
            or if numbers that the gradient depends on have changed since the forward pass. No
            ``grad`` has been changed then.
        ValueError
            If `gradient` has another shape.
        """
        gradients = {id(self): self._first_gradient(gradient)}
        for tensor in reversed(self._in_order()):
            gradient = gradients.pop(id(tensor))
            if tensor.is_leaf:
                tensor._accumulate(gradient)
                continue
            for parent, pull, shape in tensor._edges:
                share = undo_broadcasting(pull(gradient), shape)
                so_far = gradients.get(id(parent))
                gradients[id(parent)] = share if so_far is None else so_far + share
            tensor._edges, tensor._kept = None, ()

    def _in_order(self) -> "list[Tensor]":
        """List this tensor's graph, each tensor after all those that it was computed from.

        An explicit stack replaces recursion, which would hit Python's limit after about a thousand
        operations. Each tensor is entered once, however many paths lead to it.
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
                        "backward() reached a part of the graph that an earlier backward() has "
                        "freed. Compute the loss again before the second backward(), or add the "
                        "losses and call it once."
                    )
                tensor._check_kept()
                stack.append((tensor, True))
                for parent, _, shape in tensor._edges:
                    parent._check_shape(shape)
                    stack.append((parent, False))
        return order

    def _check_kept(self) -> None:
        for array, before in self._kept:
            if _fingerprint(array) != before:
                raise RuntimeError(
                    f"backward() needs an array of shape {np.shape(array)} as it was when the loss "
                    "was computed, but its numbers have been changed since. Call backward() before "
                    "optimizer.step() and before any other change to weights or data, or compute "
                    "the loss again after the change."
                )

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        if self.shape != shape:
            raise RuntimeError(
                f"A tensor had shape {shape} when the loss was computed, but its data now have "
                f"shape {self.shape}. Call backward() before assigning other data, or compute the "
                "loss again."
            )

    def _first_gradient(self, gradient: "ArrayLike | Tensor | None") -> Array:
        if not self.requires_grad:
            raise RuntimeError(
                "backward() was called on a tensor that depends on no tensor with "
                "requires_grad=True. Create the weights with Tensor(..., requires_grad=True), and "
                "compute the loss outside no_grad() and without detach()."
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
                "Pass one number for each number of the tensor."
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
        """Whether backward computes a gradient with respect to this tensor."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value and self.dtype.kind != "f":
            raise TypeError(
                f"A tensor of {self.dtype} cannot require a gradient: derivatives need numbers "
                "that can change by a little, so the dtype must be a float. Write 1.0 for 1, or "
                "convert the data with .astype(np.float64)."
            )
        if not self.is_leaf:
            raise RuntimeError(
                "requires_grad can be set only on a tensor that was not computed from others with "
                "requires_grad=True. Call .detach() first, and set it on the result."
            )
        self._requires_grad = bool(value)

    @property
    def is_leaf(self) -> bool:
        """Whether the graph begins here, as it does at a weight."""
        return self._edges == ()

    def detach(self) -> "Tensor":
        """Return a tensor with the same numbers, in the same memory, and no graph."""
        return _result(self.data)

    def item(self) -> float:
        """Return the only number as a Python number.

        Raises
        ------
        ValueError
            If there are several numbers or none.
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
            If the tensor requires a gradient: what happens to an array is not recorded.
        """
        if self.requires_grad:
            raise RuntimeError(
                "This tensor requires a gradient, and what NumPy does with its array is not "
                "recorded. If that is what you want, write tensor.detach().numpy()."
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
        a, b = self.data, other.data
        return _result(
            _entry_by_entry(np.multiply, self, other),
            (self, lambda grad: grad * b, b),
            (other, lambda grad: grad * a, a),
        )

    def __truediv__(self, other: Any) -> "Tensor":
        other = _as_tensor(other, self)
        a, b = self.data, other.data
        return _result(
            _entry_by_entry(np.divide, self, other),
            (self, lambda grad: grad / b, b),
            (other, lambda grad: -grad * (a / b) / b, a, b),
        )

    def __pow__(self, exponent: float) -> "Tensor":
        if isinstance(exponent, Tensor) or np.ndim(exponent):
            raise TypeError(
                f"The exponent must be one plain number, but has shape {np.shape(exponent)}. For "
                "x ** y with a tensor y, write (y * x.log()).exp()."
            )
        exponent, base = _weak(exponent), self.data

        def pull(grad: Array) -> Array:
            if exponent == 0:  # 0 * 0 ** -1 would be nan
                return np.zeros_like(grad)
            return grad * (exponent * base ** (exponent - 1))

        return _result(base**exponent, (self, pull, base))

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
        a, b = self.data, other.data

        def pull(grad: Array, mine: Array, yours: Array) -> Array:
            return np.where(mine > yours, grad, np.where(mine == yours, grad / 2, 0))

        return _result(
            _entry_by_entry(np.maximum, self, other),
            (self, lambda grad: pull(grad, a, b), a, b),
            (other, lambda grad: pull(grad, b, a), a, b),
        )

    def clip(self, min: float | None = None, max: float | None = None) -> "Tensor":
        """Limit each number to [min, max]; the derivative is 1 inside and 0 outside."""
        clipped = np.clip(self.data, min, max)
        inside = clipped == self.data
        return _result(clipped, (self, lambda grad: grad * inside))

    # Functions of each entry ----------------------------------------------------------------------

    def exp(self) -> "Tensor":
        """Exponential, which is its own derivative."""
        power = np.exp(self.data)
        return _result(power, (self, lambda grad: grad * power, power))

    def log(self) -> "Tensor":
        """Natural logarithm, with derivative 1 / x."""
        x = self.data
        return _result(np.log(x), (self, lambda grad: grad / x, x))

    def abs(self) -> "Tensor":
        """Absolute value, with derivative -1 or 1, and 0 at the corner."""
        x = self.data
        return _result(np.abs(x), (self, lambda grad: grad * np.sign(x), x))

    def tanh(self) -> "Tensor":
        """Hyperbolic tangent, with derivative 1 - tanh²."""
        a = activations.tanh(self.data)
        return _result(a, (self, lambda grad: grad * (1 - a * a), a))

    def sigmoid(self) -> "Tensor":
        """Sigmoid, with derivative a (1 - a) for an activation a."""
        a = activations.sigmoid(self.data)
        return _result(a, (self, lambda grad: grad * a * (1 - a), a))

    def relu(self) -> "Tensor":
        """Rectified linear unit, with derivative 1 for positive numbers and 0 otherwise."""
        a = activations.relu(self.data)
        return _result(a, (self, lambda grad: grad * (a > 0), a))

    def gelu(self) -> "Tensor":
        """Gaussian error linear unit in its exact form."""
        x = self.data
        return _result(
            activations.gelu(x), (self, lambda grad: grad * activations.gelu_derivative(x), x)
        )

    def softplus(self) -> "Tensor":
        """Smooth ReLU, log(1 + exp(x)), finite for every finite x; its derivative is sigmoid."""
        x = self.data
        return _result(np.logaddexp(x, 0), (self, lambda grad: grad * activations.sigmoid(x), x))

    # Matrix products ------------------------------------------------------------------------------

    def __matmul__(self, other: Any) -> "Tensor":
        """Multiply matrices, or stacks of matrices along the axes before the last two.

        For C = A B the gradients are grad Bᵀ and Aᵀ grad. Where all lengths differ, no other
        product of these matrices has the shape of A or of B; with square matrices every order fits.
        """
        other = _as_tensor(other, self)
        _check_matmul(self.shape, other.shape)
        if self.ndim == 1:  # a vector on the left is a matrix with one row
            product = self.reshape(1, len(self)) @ other
            return product.reshape(product.shape[:-2] + product.shape[-1:] * (other.ndim > 1))
        if other.ndim == 1:  # a vector on the right is a matrix with one column
            product = self @ other.reshape(len(other), 1)
            return product.reshape(product.shape[:-1])
        A, B = self.data, other.data
        return _result(
            A @ B,
            (self, lambda grad: grad @ B.swapaxes(-1, -2), B),
            (other, lambda grad: A.swapaxes(-1, -2) @ grad, A),
        )

    def __rmatmul__(self, other: Any) -> "Tensor":
        return _as_tensor(other, self) @ self

    # Reductions -----------------------------------------------------------------------------------

    def sum(self, axis: Axes = None, keepdims: bool = False) -> "Tensor":
        """Add up along one axis, several, or all; each entry gets the gradient of its sum."""
        shape = self.shape
        _check_axes(shape, axis)
        return _result(
            self.data.sum(axis=axis, keepdims=keepdims),
            (self, lambda grad: _spread(grad, shape, axis, keepdims)),
        )

    def mean(self, axis: Axes = None, keepdims: bool = False) -> "Tensor":
        """Average along one axis, several, or all."""
        shape = self.shape
        count = max(_count(shape, axis), 1)  # a mean over no entries has no gradient to divide
        return _result(
            self.data.mean(axis=axis, keepdims=keepdims),
            (self, lambda grad: _spread(grad / count, shape, axis, keepdims)),
        )

    def var(self, axis: Axes = None, keepdims: bool = False, correction: int = 1) -> "Tensor":
        """Sum of the squared distances from the mean, divided by the count minus `correction`."""
        x = self.data
        count = max(_count(x.shape, axis) - correction, 0)

        def pull(grad: Array) -> Array:
            distance = x - x.mean(axis=axis, keepdims=True)
            return _spread(grad, x.shape, axis, keepdims) * (2 * distance / count)

        return _result(x.var(axis=axis, keepdims=keepdims, ddof=correction), (self, pull, x))

    def max(self, axis: Axes = None, keepdims: bool = False) -> "Tensor":
        """Return the largest entries, as ``torch.amax`` does; equal ones share the gradient."""
        x = self.data
        if _count(x.shape, axis) == 0:
            raise ValueError(
                f"max needs at least one number to choose from, but the shape is {x.shape} and the "
                f"axis {axis}. Choose another axis, or leave out empty batches."
            )
        largest = x.max(axis=axis, keepdims=True)

        def pull(grad: Array) -> Array:
            winners = x == largest
            shares = winners / winners.sum(axis=axis, keepdims=True)
            return _spread(grad, x.shape, axis, keepdims) * shares

        return _result(x.max(axis=axis, keepdims=keepdims), (self, pull, x))

    def argmax(self, axis: int | None = None) -> "Tensor":
        """Return the index of the largest entry. Indices are integers and have no gradient."""
        if _count(self.shape, axis) == 0:
            raise ValueError(
                f"argmax needs at least one number to choose from, but the shape is {self.shape} "
                f"and the axis {axis}. Choose another axis, or leave out empty batches."
            )
        return _result(self.data.argmax(axis=axis))

    def logsumexp(self, axis: int = -1, keepdims: bool = False) -> "Tensor":
        """Logarithm of the sum of exponentials, safe from overflow; its gradient is softmax."""
        x = self.data
        _check_axes(x.shape, axis)
        largest = x.max(axis=axis, keepdims=True, initial=-np.inf)
        shift = np.where(np.isfinite(largest), largest, np.zeros_like(largest))
        # The logarithm of an empty sum is -inf; beside an infinite entry the others do not matter.
        with np.errstate(divide="ignore", over="ignore"):
            value = shift + np.log(np.exp(x - shift).sum(axis=axis, keepdims=True))

        def pull(grad: Array) -> Array:
            return _spread(grad, x.shape, axis, keepdims) * activations.softmax(x, axis)

        return _result(value if keepdims else value.squeeze(axis), (self, pull, x))

    def softmax(self, axis: int = -1) -> "Tensor":
        """Turn scores into probabilities along an axis."""
        p = activations.softmax(self.data, axis)
        return _result(
            p, (self, lambda grad: p * (grad - (grad * p).sum(axis=axis, keepdims=True)), p)
        )

    def log_softmax(self, axis: int = -1) -> "Tensor":
        """Logarithms of the softmax probabilities, computed without the probabilities."""
        log_p = activations.log_softmax(self.data, axis)

        def pull(grad: Array) -> Array:
            return grad - np.exp(log_p) * grad.sum(axis=axis, keepdims=True)

        return _result(log_p, (self, pull, log_p))

    # Moving entries -------------------------------------------------------------------------------

    def reshape(self, *shape: int | tuple[int, ...]) -> "Tensor":
        """Give the entries, read row by row, another shape. One length may be -1: what remains."""
        if len(shape) == 1 and isinstance(shape[0], tuple | list):
            shape = tuple(shape[0])
        try:
            reshaped = self.data.reshape(shape)
        except ValueError:
            raise ValueError(
                f"Shape {self.shape} has {self.data.size} numbers, which do not fill {shape}. "
                "Choose lengths with the same product."
            ) from None
        before = self.shape
        return _result(reshaped, (self, lambda grad: grad.reshape(before)))

    def permute(self, *axes: int | tuple[int, ...]) -> "Tensor":
        """Put the axes in another order: axis i of the result is axis ``axes[i]`` of this."""
        if len(axes) == 1 and isinstance(axes[0], tuple | list):
            axes = tuple(axes[0])
        _check_axes(self.shape, axes)
        if sorted(axis % max(self.ndim, 1) for axis in axes) != list(range(self.ndim)):
            raise ValueError(
                f"permute{axes} must name each of the {self.ndim} axes of shape {self.shape} once. "
                "To exchange two axes, use .transpose."
            )
        back = np.argsort([axis % max(self.ndim, 1) for axis in axes])
        return _result(
            self.data.transpose(axes), (self, lambda grad: grad.transpose(back.tolist()))
        )

    def transpose(self, axis0: int, axis1: int) -> "Tensor":
        """Exchange two axes."""
        _check_axes(self.shape, (axis0, axis1))
        return _result(
            self.data.swapaxes(axis0, axis1), (self, lambda grad: grad.swapaxes(axis0, axis1))
        )

    @property
    def T(self) -> "Tensor":  # noqa: N802
        """The transpose of a matrix."""
        if self.ndim != 2:
            raise ValueError(
                f".T is for matrices, but this tensor has shape {self.shape}. "
                "Name the axes to exchange: .transpose(-2, -1)."
            )
        return self.transpose(0, 1)

    def __getitem__(self, key: Any) -> "Tensor":
        """Select entries as in NumPy: by integers, slices, masks or arrays of indices."""
        shape = self.shape
        keys = tuple(map(_as_key, key if type(key) is tuple else (key,)))

        def pull(grad: Array) -> Array:
            everywhere = np.zeros(shape, grad.dtype)
            if all(isinstance(k, int | slice | EllipsisType | None) for k in keys):
                everywhere[keys] = grad
            else:
                # An entry that was selected twice gets both gradients. Assignment would keep only
                # the last one, and so would everywhere[keys] += grad.
                np.add.at(everywhere, keys, grad)
            return everywhere

        arrays = (k for k in keys if isinstance(k, np.ndarray))
        return _result(self.data[keys], (self, pull, *arrays))

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
            raise TypeError(
                "A tensor of shape () is a single number and has no length. Use .item() for the "
                "number, or .reshape(1) for an axis of length 1."
            )
        return len(self.data)

    def __iter__(self) -> "Iterator[Tensor]":
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        if self.data.size != 1:
            raise ValueError(
                f"The truth value of a tensor of shape {self.shape} is ambiguous: only a single "
                "number is true or false. Use .data.all() or .data.any()."
            )
        return bool(self.data.item())

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
            "The entries of a tensor cannot be assigned to: the graph may still need the old "
            "numbers. Compute a new tensor with where() or concatenate(), or, for numbers outside "
            "any graph, assign to tensor.data[...]."
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
        """Change the numbers in place inside no_grad(); elsewhere return a new tensor."""
        if not _recording.get():
            other = other.data if isinstance(other, Tensor) else other
            try:
                operation(self.data, other, out=self.data)
            except (TypeError, ValueError) as error:
                kind = TypeError if isinstance(error, TypeError) else ValueError
                raise kind(
                    f"A tensor of shape {self.shape} and {self.dtype} cannot take the result of "
                    f"{operation.__name__} with shape {np.shape(other)} in place: {error}. "
                    "Write x = x + y instead of x += y."
                ) from None
            return self
        if self.is_leaf and self.requires_grad:
            raise RuntimeError(
                "A tensor with requires_grad=True cannot be changed in place while operations are "
                "being recorded. Update weights inside `with no_grad():`."
            )
        return NotImplemented  # Python then takes x += y for x = x + y


# Functions of several tensors ---------------------------------------------------------------------


def where(condition: Any, a: Any, b: Any) -> Tensor:
    """Choose entry by entry: from `a` where `condition` is true, from `b` elsewhere.

    Parameters
    ----------
    condition : Tensor or array_like of bool
        True where the entry of `a` is wanted.
    a, b : Tensor or array_like
        What to choose from; the three shapes are broadcast.

    Returns
    -------
    Tensor
        In the common shape. Each entry passes its gradient on to the one that was chosen.

    Raises
    ------
    ValueError
        If the three shapes do not fit together.

    Examples
    --------
    >>> where([True, False], Tensor([1.0, 2.0]), 0.0).data.tolist()
    [1.0, 0.0]
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
        (a, lambda grad: np.where(choose, grad, 0), choose),
        (b, lambda grad: np.where(choose, 0, grad), choose),
    )


def concatenate(tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Join tensors along an existing axis. Gradients are split where the data were joined.

    Parameters
    ----------
    tensors : sequence of Tensor
        At least one, of the same shape except for the length of `axis`.
    axis : int
        The axis along which to join them.

    Returns
    -------
    Tensor

    Raises
    ------
    ValueError
        If there are no tensors, or their shapes do not fit.

    Examples
    --------
    >>> concatenate([Tensor([1.0]), Tensor([2.0, 3.0])]).data.tolist()
    [1.0, 2.0, 3.0]
    """
    tensors = [_as_tensor(tensor) for tensor in tensors]
    try:
        joined = np.concatenate([tensor.data for tensor in tensors], axis=axis)
    except ValueError as error:
        shapes = ", ".join(str(tensor.shape) for tensor in tensors) or "no tensors"
        raise ValueError(
            f"Cannot join {shapes} along axis {axis}: {error}. Pass tensors that have this axis "
            "and the same lengths along all others."
        ) from None
    edges, start = [], 0
    for tensor in tensors:
        places = np.arange(start, start + tensor.shape[axis])
        edges.append((tensor, lambda grad, places=places: grad.take(places, axis=axis)))
        start += tensor.shape[axis]
    return _result(joined, *edges)


def stack(tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Stack tensors of the same shape along a new axis.

    Parameters
    ----------
    tensors : sequence of Tensor
        At least one.
    axis : int
        The position of the new axis in the result.

    Returns
    -------
    Tensor

    Raises
    ------
    ValueError
        If there are no tensors, their shapes differ, or there is no such position.

    Examples
    --------
    >>> stack([Tensor([1.0, 2.0]), Tensor([3.0, 4.0])], axis=1).data.tolist()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    tensors = [_as_tensor(tensor) for tensor in tensors]
    try:
        stacked = np.stack([tensor.data for tensor in tensors], axis=axis)
    except ValueError as error:
        shapes = ", ".join(str(tensor.shape) for tensor in tensors) or "no tensors"
        raise ValueError(
            f"Cannot stack {shapes} along axis {axis}: {error}. Pass tensors of the same shape, "
            "and an axis of the result."
        ) from None
    return _result(
        stacked,
        *((tensor, lambda grad, i=i: grad.take(i, axis=axis)) for i, tensor in enumerate(tensors)),
    )


def undo_broadcasting(grad: Array, shape: tuple[int, ...]) -> Array:
    """Add up the gradients of the copies that broadcasting made of one entry.

    Parameters
    ----------
    grad : ndarray
        The gradient with respect to the broadcast array.
    shape : tuple of int
        The shape before broadcasting.

    Returns
    -------
    ndarray of this shape
        The gradient with respect to the array before broadcasting.

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
    """Compute without recording: for evaluating a network, and for updating its weights.

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
    """Create what an operation returns, joined to those operands that need a gradient."""
    result = Tensor.__new__(Tensor)
    result.data = np.asarray(data)  # NumPy turns arrays without axes into scalars
    result.grad = None
    result._edges, result._kept, result._requires_grad = (), (), False
    if _recording.get():
        edges = tuple(edge for edge in edges if edge[0]._requires_grad)
        result._edges = tuple((parent, pull, parent.data.shape) for parent, pull, *_ in edges)
        result._kept = tuple((array, _fingerprint(array)) for edge in edges for array in edge[2:])
        result._requires_grad = bool(edges)
    return result


_SMALL = 1 << 16  # bytes


def _fingerprint(array: Array) -> bytes:
    """Return bytes that change when a number changes.

    For a small array they are its own. A copy of a large one would cost a tenth of a matrix
    product; instead, two passes over its memory make a sum along the last axis with random weights
    (which sees entries that trade places or signs) and an integer sum of the bits along the first
    (which sees a change in any digit).
    """
    if array.nbytes <= _SMALL or array.itemsize > 8:
        return array.tobytes()
    with np.errstate(all="ignore"):  # infinite numbers are allowed here
        weighted = np.einsum("...j,j->...", array, _weights(array.shape[-1]))
    return weighted.tobytes() + np.add.reduce(array.view(f"u{array.itemsize}"), axis=0).tobytes()


@functools.cache
def _weights(n: int) -> Array:
    return np.random.default_rng(n).uniform(1, 2, size=n)


def _spread(grad: Array, shape: tuple[int, ...], axis: Axes, keepdims: bool) -> Array:
    """Give every entry the gradient of the result that it was reduced to."""
    if axis is not None and not keepdims:
        grad = np.expand_dims(grad, axis)
    return np.broadcast_to(grad, shape)


def _count(shape: tuple[int, ...], axis: Axes) -> int:
    """Count how many entries are reduced to one."""
    _check_axes(shape, axis)
    if axis is None:
        return math.prod(shape)
    return math.prod(shape[i] for i in (axis if isinstance(axis, tuple) else (axis,)))


def _check_axes(shape: tuple[int, ...], axis: Axes) -> None:
    for one in () if axis is None else axis if isinstance(axis, tuple) else (axis,):
        try:
            exists = -len(shape) <= operator.index(one) < len(shape)
        except TypeError:
            raise TypeError(
                f"axis must be an integer or a tuple of integers, but is {axis!r}. Use -1 for the "
                "last axis."
            ) from None
        if not exists:
            fix = f"Choose from {-len(shape)} to {len(shape) - 1}." if shape else "Leave it out."
            raise ValueError(f"axis {one} does not exist in a tensor of shape {shape}. {fix}")


def _as_key(key: Any) -> Any:
    """Take the array out of a tensor, and copy a list, which may change before backward."""
    if isinstance(key, Tensor):
        return key.data
    return np.array(key, dtype=None if key else np.intp) if isinstance(key, list) else key


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
            f"@ multiplies matrices, but the shapes are {a} and {b}. For single numbers use *."
        )
    if a[-1] != b[-2:][0]:
        advice = "Each row of the left matrix is multiplied by each column of the right one."
        if len(a) > 1 and len(b) > 1 and a[-1] == b[-1]:
            advice += " The right matrix fits when transposed: b.transpose(-2, -1)."
        elif len(a) > 1 and a[-2] == b[-2:][0]:
            advice += " The left matrix fits when transposed: a.transpose(-2, -1)."
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
    """Leave tensors as they are, and turn numbers and arrays into tensors.

    A single number does not decide the type of the result: a float32 tensor times 0.5 is float32.
    """
    if isinstance(value, Tensor):
        return value
    array = _as_numbers(value)
    if array.ndim == 0 and isinstance(partner, Tensor | np.ndarray):
        array = array.astype(np.result_type(partner.dtype, _weak(array)))
    return _result(array)


def _weak(number: Any) -> Any:
    """Turn a NumPy scalar into a Python number, whose type gives way to that of an array."""
    return number.item() if isinstance(number, np.generic | np.ndarray) else number


def _as_numbers(data: ArrayLike) -> Array:
    if isinstance(data, Tensor):
        raise TypeError(
            "The data are already a tensor. For a copy outside the graph, write "
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
