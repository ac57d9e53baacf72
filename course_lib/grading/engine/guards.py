"""Comparisons of something with nothing, refused in the judge.

NumPy and PyTorch stretch arrays to each other's shapes, and an empty one fits to many: compared
with it, everything is close to everything. A student who returns no numbers has not given the
right ones, and a test that is not about empty arrays does not think of them.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from course_lib.grading.engine.proxies import Remote

__all__ = ["install"]

#: What compares two things, by module.
COMPARING = {
    "numpy": ("allclose", "isclose", "array_equiv"),
    "numpy.testing": (
        *("assert_allclose", "assert_almost_equal", "assert_approx_equal", "assert_array_equal"),
        *("assert_array_almost_equal", "assert_array_less", "assert_equal"),
    ),
    "torch": ("allclose", "isclose"),
}

#: What they call the two.
_NAMES = ("a", "b", "a1", "a2", "actual", "desired", "x", "y", "input", "other")


def install() -> None:
    """Put what refuses in the place of these functions, in this process."""
    for module, names in COMPARING.items():
        if module in sys.modules:
            for name in names:
                function = getattr(sys.modules[module], name)
                setattr(sys.modules[module], name, _guarded(function))


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def compare(*args: Any, **kwargs: Any) -> Any:
        # As arrays here and now: who is asked twice may say two things.
        args = tuple(_as_data(value) for value in args)
        kwargs = {name: _as_data(value) for name, value in kwargs.items()}
        named = [kwargs[name] for name in _NAMES if name in kwargs]
        sizes = [_size(value) for value in [*args, *named][:2]]
        if len(sizes) == 2 and None not in sizes and (sizes[0] == 0) != (sizes[1] == 0):
            raise AssertionError(
                "nothing was compared with something: one of the two holds no numbers"
            )
        return function(*args, **kwargs)

    return compare


def _as_data(value: Any) -> Any:
    if not issubclass(type(value), Remote):
        return value
    with contextlib.suppress(TypeError, ValueError, AttributeError):
        return np.asarray(value)
    return value


def _size(value: Any) -> int | None:
    """Return how many numbers a value holds; None if it is no array and no number."""
    if isinstance(value, np.ndarray | np.generic):
        return int(value.size)
    if hasattr(value, "numel") and not issubclass(type(value), Remote):
        return int(value.numel())
    if isinstance(value, bool | int | float | complex):
        return 1
    if isinstance(value, list | tuple):
        with contextlib.suppress(ValueError, TypeError):
            return int(np.size(np.asarray(value)))
    return None
