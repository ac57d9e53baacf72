"""What the test cells of an exercise use to compare, and to say kindly what is wrong.

A test cell calls the student's functions by name, and compares what comes back. It never looks at
their source or into their variables, so the same cell works in a notebook, where the student's
functions live in the same process, and in a grader that keeps the student in another process.
"""

from __future__ import annotations

import inspect
import io
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from typing import Any

import numpy as np

__all__ = [
    "CheckFailed",
    "Here",
    "assert_close",
    "assert_equal",
    "assert_finite",
    "assert_raises",
    "assert_shape",
    "assert_true",
    "given",
    "probe",
    "quiet",
]


_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class CheckFailed(AssertionError):
    """A test that the student's code did not pass.

    The message is written for the student. A stack trace through the test would only bury it, so
    IPython is told to show the message alone.
    """

    def _render_traceback_(self) -> list[str]:
        return ["Not yet.", *str(self).splitlines()]


class Here:
    """The student's names, when their code runs in this process: a notebook, or a plain script."""

    # The cell that `rng` was last called in, and how often it was.
    cell: int | None = None
    calls = 0

    def seed(self) -> bytes:
        """Return what `rng` draws from: no secret, another at each call, the same in each run."""
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython else None
        cell = shell.execution_count if shell else None
        if cell != self.cell:
            self.cell, self.calls = cell, 0
        self.calls += 1
        return b"notebook %d" % self.calls

    def namespace(self) -> dict[str, Any]:
        """Return the dictionary that holds the student's names."""
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython else None
        return shell.user_ns if shell else vars(sys.modules["__main__"])

    def probe(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call the function."""
        return function(*args)

    def replace(self, functions: dict[str, Any]) -> dict[str, Any]:
        """Put functions in the place of the student's, and return what stood there."""
        names = self.namespace()
        before = {name: names[name] for name in functions if name in names}
        names.update(functions)
        return before

    def restore(self, functions: dict[str, Any], before: dict[str, Any]) -> None:
        """Undo `replace`."""
        names = self.namespace()
        for name in functions:
            if name in before:
                names[name] = before[name]
            else:
                names.pop(name, None)


#: Where the student's code lives. A grader that keeps it in another process puts its own here.
student: Here = Here()


def probe(function: Callable[..., Any], *args: Any) -> Any:
    """Run a whole function where the student's objects live, and return plain data.

    In a notebook this calls ``function(*args)``. In a grader the function travels to the student's
    process and runs there, so it may use what cannot travel back (an object of the student's class,
    NumPy's error state, gradients). It must not close over the student's names: pass them. It runs
    in `quiet`: a right answer that warns costs nothing.

    Parameters
    ----------
    function : callable
        Written by the author of the test; returns numbers, strings, arrays, or containers of them.
    *args
        The student's functions or objects, and plain data.

    Examples
    --------
    >>> def quietly(function, z):
    ...     with np.errstate(all="raise"):
    ...         return function(z)
    >>> float(probe(quietly, np.exp, 0.0))
    1.0
    """
    return student.probe(_quietly, function, *args)


@contextmanager
def quiet() -> Iterator[None]:
    """While the block runs, floating-point errors, warnings and stderr are silent.

    nbgrader gives no points for a test cell that wrote to stderr, whatever the answer is.

    Examples
    --------
    >>> with quiet():
    ...     np.log(np.zeros(1)).tolist()
    [-inf]
    """
    with (
        np.errstate(all="ignore"),
        warnings.catch_warnings(),
        redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield


def _quietly(function: Callable[..., Any], *args: Any) -> Any:
    with quiet():
        return function(*args)


@contextmanager
def given(**functions: Any) -> Iterator[None]:
    """While the block runs, these functions stand in the place of the student's.

    A wrong early step must not sink a later one: the test of the later step gives it the
    reference's version of the earlier one.

    Parameters
    ----------
    **functions
        The student's name, and what it shall mean inside the block.

    Examples
    --------
    >>> from course_lib.scratch import activations
    >>> with given(sigmoid=activations.sigmoid):
    ...     pass  # here sigmoid_derivative(0.0) would call the reference's sigmoid
    """
    before = student.replace(functions)
    try:
        yield
    finally:
        student.restore(functions, before)


def assert_close(
    got: Any,
    expected: Any,
    *,
    rtol: float = 1e-6,
    atol: float = 1e-8,
    what: str = "The result",
    hint: str = "",
) -> None:
    """Check that numbers are close: first that there are any, then shape, finiteness, values.

    Parameters
    ----------
    got : array-like
        What the student's code returned: a number, list, NumPy array or PyTorch tensor.
    expected : array-like
        What is right. Where it is infinite or nan, `got` must be so too.
    rtol, atol : float
        ``|got - expected| <= atol + rtol * |expected|``, as in NumPy's ``assert_allclose``.
    what : str
        What was computed, in the words of the exercise, such as ``"softmax([1, 2])"``.
    hint : str
        The idea that was probably missed, and where the chapter explains it.

    Raises
    ------
    CheckFailed
        With what came, what was expected, where they differ first, and the hint.
    """
    wanted = as_array(expected, what, hint)
    came = as_array(got, what, hint)
    _check_shape(came, wanted.shape, what, hint)
    wrong_kind = ~np.isfinite(came) & ~(
        (np.isnan(came) & np.isnan(wanted)) | (np.isinf(wanted) & (came == wanted))
    )
    if wrong_kind.any():
        _fail(what, _difference(came, wanted, wrong_kind), hint)
    with np.errstate(invalid="ignore"):
        far = ~np.isclose(came, wanted, rtol=rtol, atol=atol, equal_nan=True)
    if far.any():
        _fail(what, _difference(came, wanted, far), hint)


def assert_equal(got: Any, expected: Any, *, what: str = "The result", hint: str = "") -> None:
    """Check that two values are exactly equal: counts, names, lists, booleans, integer arrays.

    Raises
    ------
    CheckFailed
        With what came, what was expected, and the hint.
    """
    if isinstance(expected, np.ndarray):
        came = as_array(got, what, hint)
        _check_shape(came, expected.shape, what, hint)
        differs = came != expected
        if differs.any():
            _fail(what, _difference(came, expected, differs), hint)
        return
    if hasattr(got, "detach"):
        got = as_array(got)
    if type(got).__module__ == "numpy" and getattr(got, "ndim", None) == 0:
        got = got.item()
    try:
        same = bool(got == expected)
    except (TypeError, ValueError):
        same = False
    if not same:
        _fail(what, f"came      {_short(got)}\nexpected  {_short(expected)}", hint)


def assert_true(condition: Any, *, what: str = "The result", hint: str = "") -> None:
    """Check that a statement about the student's result holds.

    Raises
    ------
    CheckFailed
        With `what`, which should be the statement, and the hint.
    """
    if not bool(condition):
        _fail(what, "does not hold", hint)


def assert_shape(
    got: Any, shape: tuple[int, ...], *, what: str = "The result", hint: str = ""
) -> None:
    """Check the shape of an array.

    Raises
    ------
    CheckFailed
        With the shape that came, the shape that was expected, and the hint.
    """
    _check_shape(as_array(got, what, hint), tuple(shape), what, hint)


def assert_finite(got: Any, *, what: str = "The result", hint: str = "") -> None:
    """Check that there are numbers, and none of them is infinite or nan.

    Raises
    ------
    CheckFailed
        With the first place and value that is not finite, and the hint.
    """
    came = as_array(got, what, hint)
    if not came.size:
        _fail(what, f"came      no numbers (shape {came.shape})\nexpected  finite numbers", hint)
    bad = ~np.isfinite(came)
    if bad.any():
        _fail(what, _places(came, bad, "expected  a finite number"), hint)


def assert_raises(
    error: type[BaseException],
    function: Callable[..., Any],
    *args: Any,
    match: str = "",
    what: str = "The call",
    hint: str = "",
) -> None:
    """Check that a call is refused with the right kind of error.

    Parameters
    ----------
    error : exception type
        The type that the exercise asks for (subclasses count).
    function, *args
        What is called, and with what.
    match : str
        A text that the error's message must contain, whatever the case of its letters.

    Raises
    ------
    CheckFailed
        When nothing was raised, another type, or a message without `match`.
    """
    try:
        result = function(*args)
    except error as raised:
        if match.lower() not in str(raised).lower():
            _fail(what, f"raised    {error.__name__}: {raised}\nexpected  {match!r} in it", hint)
    except Exception as raised:
        _fail(
            what, f"raised    {type(raised).__name__}: {raised}\nexpected  {error.__name__}", hint
        )
    else:
        _fail(what, f"came      {_short(result)}\nexpected  {error.__name__} to be raised", hint)


def as_array(value: Any, what: str = "The result", hint: str = "") -> np.ndarray:
    """Return what a student's function gave as a NumPy array, or say why it is none.

    Raises
    ------
    CheckFailed
        For None (a missing return), functions, texts, sets, dictionaries, iterators, ragged lists.
    """
    if value is None:
        _fail(what, "came      None: does the function end in a return?", hint)
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        if value.dtype.is_floating_point and value.element_size() < 4:
            value = value.float()
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError):
        rows = "numbers, in rows of the same length" if isinstance(value, list) else "numbers"
        _fail(what, f"came      {_short(value)}\nexpected  {rows}", hint)
    if array.dtype.kind not in "biufc":
        _fail(what, f"came      {_short(value)}\nexpected  {_numbers_for(value)}", hint)
    return array


def _numbers_for(value: Any) -> str:
    """Say which numbers are wanted in place of a value that is none."""
    if isinstance(value, set | frozenset):
        return "numbers in an order, as in a list or an array"
    if isinstance(value, Iterator):
        return "numbers in a list or an array: list(...) makes one of an iterator"
    if isinstance(value, Mapping):
        return "numbers in a list or an array"
    if inspect.isroutine(value) or inspect.isclass(value) or isinstance(value, np.ufunc):
        return "numbers: is it to be called, with parentheses?"
    return "numbers"


def _check_shape(came: np.ndarray, shape: tuple[int, ...], what: str, hint: str) -> None:
    if came.shape != shape:
        _fail(what, f"came      shape {came.shape}\nexpected  shape {shape}", hint)


def _difference(came: np.ndarray, wanted: np.ndarray, differs: np.ndarray) -> str:
    """Say what came and what was expected: whole if small, else the first places that differ."""
    if came.size <= 6:
        return f"came      {_short(came)}\nexpected  {_short(wanted)}"
    return _places(came, differs, "", wanted)


def _places(
    came: np.ndarray, marked: np.ndarray, expected: str, wanted: np.ndarray | None = None
) -> str:
    lines = []
    for index in np.argwhere(marked)[:3]:
        place = tuple(int(i) for i in index)
        at = f"at {list(place)}: " if place else ""
        right = f"expected  {_number(wanted[place])}" if wanted is not None else expected
        lines.append(f"{at}came {_number(came[place])}, {' '.join(right.split())}")
    rest = int(marked.sum()) - len(lines)
    if rest > 0:
        lines.append(f"and {rest} more of {came.size} differ")
    return "\n".join(lines)


def _number(value: Any) -> str:
    return f"{value:.7g}" if np.asarray(value).dtype.kind == "f" else str(value)


def _short(value: Any, limit: int = 200) -> str:
    if isinstance(value, np.ndarray | np.generic):
        text = np.array2string(np.asarray(value), precision=7, threshold=12, separator=", ")
    else:
        try:
            text = repr(value)
        except Exception as error:  # a student's __repr__ may raise
            text = f"an object whose repr raises {type(error).__name__}"
        # Where an object lies says nothing, and is another number in each run.
        text = _ADDRESS.sub("", text)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _fail(what: str, difference: str, hint: str) -> None:
    separator = " " if difference == "does not hold" else "\n"
    body = difference.replace("\n", "\n  ")
    text = f"{what}{separator}{'' if separator == ' ' else '  '}{body}"
    if hint:
        text += f"\nHint: {hint}"
    raise CheckFailed(text) from None
