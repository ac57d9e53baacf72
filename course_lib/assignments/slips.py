"""What mutants do: small faults that students make, each applied to what a right function does.

The code of a mutant (see `mutants`) calls these. Whatever really makes a difference is noted in
`acted`: a mutant that never did was not tried by any test.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = [
    "acts",
    "begin",
    "change",
    "changed",
    "copied",
    "copied_into",
    "extra_axis",
    "first",
    "float32",
    "frozen",
    "has_acted",
    "instead",
    "keep",
    "like",
    "needs_array",
    "one_less",
    "one_more",
    "part_of",
    "share",
    "tenth_more",
    "transposed",
    "truncated",
    "zero_last",
]

#: Where one value is in what a function returns: "" for the whole, else an index or a key.
Place = str | int

_state: dict[str, Any] = {"acted": False, "firsts": {}, "shared": {}}


def begin() -> None:
    """Forget what earlier mutants did in this process."""
    _state.update(acted=False, firsts={}, shared={})


def has_acted() -> bool:
    """Tell whether a slip made a difference since `begin`."""
    return bool(_state["acted"])


def acts() -> None:
    """Note that a slip makes a difference."""
    _state["acted"] = True


# What becomes of a result --------------------------------------------------------------------


def part_of(result: Any, place: Place) -> Any:
    """Return one part of a result.

    Raises
    ------
    LookupError
        If there is no such part.
    """
    if place == "":
        return result
    if isinstance(place, int) and isinstance(result, tuple):
        return result[place]
    if isinstance(place, str) and isinstance(result, Mapping):
        return result[place]
    raise LookupError(place)


def changed(result: Any, place: Place, slip: Callable[[Any], Any]) -> Any:
    """Return a result with one part of it changed; note whether that makes a difference."""
    try:
        before = part_of(result, place)
    except LookupError:
        return result
    after = slip(before)
    if frozen(after) == frozen(before):
        return result
    acts()
    if place == "":
        return after
    if isinstance(result, tuple):
        items = [after if index == place else item for index, item in enumerate(result)]
        return type(result)(*items) if hasattr(result, "_fields") else tuple(items)
    return type(result)({**result, place: after})


def each(value: Any, slip: Callable[[Any], Any]) -> Any:
    """Apply a slip to a number or an array, or to each one in a list, tuple or dictionary."""
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return type(value)(each(item, slip) for item in value)
    if isinstance(value, dict):
        return {name: each(item, slip) for name, item in value.items()}
    return slip(value)


def is_float(value: Any) -> bool:
    """Tell whether a value is a float, or an array of them."""
    return isinstance(value, float | np.floating) or (
        isinstance(value, np.ndarray) and value.dtype.kind == "f"
    )


def float32(value: Any) -> Any:
    """Return arrays as float32."""
    return each(value, lambda v: v.astype(np.float32) if is_array(v) and is_float(v) else v)


def truncated(value: Any) -> Any:
    """Cut off what stands behind the point; the type remains."""

    def cut(v: Any) -> Any:
        with np.errstate(all="ignore"):
            return type(v)(np.trunc(v)) if not is_array(v) else np.trunc(v)

    return each(value, lambda v: cut(v) if is_float(v) else v)


def tenth_more(value: Any) -> Any:
    """Make numbers larger by a tenth."""

    def more(v: Any) -> Any:
        with np.errstate(all="ignore"):
            return type(v)(v * 1.1) if not is_array(v) else (v * 1.1).astype(v.dtype)

    return each(value, lambda v: more(v) if is_float(v) else v)


def transposed(value: Any) -> Any:
    """Exchange rows and columns of square arrays."""
    return each(
        value,
        lambda v: v.T if is_array(v) and v.ndim == 2 and v.shape[0] == v.shape[1] else v,
    )


def extra_axis(value: Any) -> Any:
    """Return (n, 1) for (n,), and (1,) for a number, as keepdims does."""
    if is_array(value) or isinstance(value, int | float | np.number):
        return np.asarray(value)[..., np.newaxis]
    return value


def zero_last(value: Any) -> Any:
    """Leave 0 in the last place, where a loop that ends too early never comes."""
    if is_array(value):
        if not len(value) or value.dtype.kind not in "biufc":
            return value
        value = value.copy()
        value[-1] = 0
        return value
    if isinstance(value, list) and value:
        last = value[-1]
        zero = np.zeros_like(last) if is_array(last) else 0
        numeric = is_array(last) or isinstance(last, int | float | np.number)
        return [*value[:-1], zero] if numeric else value
    return value


def one_more(value: Any) -> Any:
    """Return the next integer, or a list with its last element twice."""
    if isinstance(value, list):
        return [*value, *copy.deepcopy(value[-1:])]
    return type(value)(value + 1) if _is_integer(value) else value


def one_less(value: Any) -> Any:
    """Return the integer before, or a list without its last element."""
    if isinstance(value, list):
        return value[:-1]
    return type(value)(value - 1) if _is_integer(value) else value


def like(result: Any, argument: Any) -> Any:
    """Return results as if they had been written into ``zeros_like(argument)``."""
    if not is_array(argument) or argument.dtype.kind not in "iu":
        return result

    def cut(v: Any) -> Any:
        if not (is_array(v) and is_float(v) and v.shape == argument.shape):
            return v
        with np.errstate(all="ignore"):
            whole = v.astype(argument.dtype)
        if not np.array_equal(whole, v):
            acts()
        return whole

    return each(result, cut)


# What becomes of arguments -------------------------------------------------------------------


def change(value: Any) -> None:
    """Write into an argument that belongs to the caller."""
    before = frozen(value)
    _write(value)
    if frozen(value) != before:
        acts()


def _write(value: Any) -> bool:
    """Change the first thing that can be changed in a value; tell whether there was one."""
    if is_array(value) and value.size:
        # A read-only array raises here, as it does in a student's code.
        acts()
        if value.dtype.kind == "b":
            np.logical_not(value, out=value)
        elif value.dtype.kind in "iufc":
            np.copyto(value, value + 1, casting="unsafe")
        else:
            value[...] = value[::-1].copy() if value.ndim else value
        return True
    if isinstance(value, dict):
        if any(_write(item) for item in value.values()):
            return True
        for name in list(value)[:1]:
            value.pop(name)
            return True
    if isinstance(value, list | tuple):
        # All of them, as a loop over layers does.
        written = [_write(item) for item in value]
        if any(written) or isinstance(value, tuple) or not value:
            return any(written)
        value.append(value[0])
        return True
    return False


def instead(value: Any, other: Any) -> Any:
    """Return another value than the one that was asked for."""
    if frozen(value) != frozen(other):
        acts()
    return other


def first(name: str, value: Any) -> Any:
    """Return the first value that was ever given for a parameter."""
    if not is_plain(value):
        return value
    return instead(value, _state["firsts"].setdefault(name, value))


def needs_array(value: Any) -> None:
    """Fail on a list or tuple, as ``value.shape`` does.

    Raises
    ------
    AttributeError
        If it is one.
    """
    if isinstance(value, list | tuple):
        acts()
        raise AttributeError(f"{type(value).__name__!r} object has no attribute 'shape'")


def copied(value: Any) -> Any:
    """Return a copy, where changes were to reach the caller."""
    acts()
    return copy.deepcopy(value)


# Objects -------------------------------------------------------------------------------------


def share(instance: Any, arguments: Sequence[Any]) -> None:
    """Let an object use what the object before it had made for itself, where the shapes agree.

    That is what containers in the class body do.
    """
    own = {id(value) for value in arguments}
    for name, value in list(vars(instance).items()):
        if id(value) in own or not (is_array(value) or isinstance(value, list | dict | set)):
            continue
        if isinstance(value, list | dict) and any(id(v) in own for v in _items(value)):
            continue
        key = (type(instance).__qualname__, name, _shape(value))
        if key in _state["shared"]:
            acts()
        setattr(instance, name, _state["shared"].setdefault(key, value))


def keep(instance: Any, name: str, argument: Any) -> None:
    """Put the caller's own arrays and lists where an object keeps copies of them."""
    for attribute in copied_into(instance, {name: argument}).get(name, []):
        acts()
        setattr(instance, attribute, argument)


def copied_into(instance: Any, arguments: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return in which attributes an object keeps copies of its arguments, by their names."""
    found: dict[str, list[str]] = {}
    for name, argument in arguments.items():
        if not (is_array(argument) or isinstance(argument, list | dict)):
            continue
        wanted = frozen(argument)
        for attribute, value in vars(instance).items():
            same = type(value) is type(argument) and frozen(value) == wanted
            if same and value is not argument:
                found.setdefault(name, []).append(attribute)
    return found


def _items(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else list(value)


def _shape(value: Any) -> Any:
    """Return what two values must have in common for one to be used as the other."""
    if is_array(value):
        return value.shape
    if isinstance(value, dict):
        return tuple((repr(name), _shape(item)) for name, item in value.items())
    if isinstance(value, list | tuple):
        return tuple(_shape(item) for item in value)
    return type(value).__name__


# Values --------------------------------------------------------------------------------------


def is_array(value: Any) -> bool:
    """Tell whether this is a NumPy array with at least one axis."""
    return isinstance(value, np.ndarray) and value.ndim > 0


def is_plain(value: Any) -> bool:
    """Tell whether this is a number or a text."""
    return isinstance(value, bool | int | float | str | np.generic)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool | np.bool_)


def frozen(value: Any) -> Any:
    """Return something that is equal for equal values, and stays what it is when they change."""
    if isinstance(value, np.ndarray):
        content = repr(value.tolist()) if value.dtype.hasobject else value.tobytes()
        return ("array", value.shape, value.dtype.str, content)
    if isinstance(value, list | tuple):
        return (type(value).__name__, *(frozen(item) for item in value))
    if isinstance(value, dict):
        return ("dict", *((repr(name), frozen(item)) for name, item in value.items()))
    if is_plain(value) or value is None:
        # nan is equal to nan here.
        return (type(value).__name__, repr(value))
    if isinstance(value, set | frozenset):
        return ("set", *sorted(map(repr, value)))
    return ("object", id(value))
