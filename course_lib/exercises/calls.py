"""Calls of the student's functions, with what holds in every test.

`check` calls a function with copies of what it is given, and looks at what comes back in the order
in which a student would want to hear of it: a crash (with the call that crashed), the type, the
shape, arguments that were changed, the values. Warnings are silent unless they are the subject.
The helpers beside it try other kinds of numbers, each keyword, errors, and two objects at once.

All of them work in a notebook, in a grader that keeps the student's code in another process, and
inside a function that `probe` runs there. A call takes one message to that process and back.

Arguments are best written as a dictionary, in the order of the signature: their names make the
messages clear. A parameter that a student calls something else is given by position.
"""

from __future__ import annotations

import inspect
import traceback
import warnings as python_warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise, zip_longest
from typing import Any, Literal

import numpy as np

from course_lib.exercises import asserts
from course_lib.exercises.asserts import CheckFailed, assert_close, assert_equal, quiet

__all__ = [
    "KINDS",
    "call",
    "check",
    "check_keyword",
    "check_kinds",
    "check_raises",
    "side_by_side",
]

#: The kinds of numbers that `check_kinds` tries, and what a message calls them.
KINDS = {
    "float64": "",
    "float32": "for float32",
    "integers": "for integers",
    "lists": "for a list",
    "strided": "for an array that does not lie in one piece, such as X[:, 0]",
}

#: What single precision can promise of a result.
_FLOAT32 = {"rtol": 1e-4, "atol": 1e-5}

#: What is no array of numbers, and equal or not.
_EXACT = (str, bytes, bool, set, frozenset)

_Arguments = Mapping[str, Any] | Sequence[Any]
_Warnings = Literal["ignore", "error"]

_OWN_ARRAY = "Compute in an array of your own: `b = 2 * a` makes one, `a *= 2` changes what came."
_SHARED = (
    "What an object remembers belongs to it (self. ...), not to its class or to the module: a list "
    "or a dictionary in the class body is one for all objects."
)


def call(
    function: Callable[..., Any],
    args: _Arguments = (),
    *,
    changes: Iterable[str] = (),
    copies: bool = True,
    warnings: _Warnings = "ignore",
    hint: str = "",
) -> Any:
    """Call a function of the student's with copies, and return its result.

    Parameters
    ----------
    function : callable
        A function, class or method of the student's.
    args : mapping of str to object, or sequence
        The arguments by name, in the order of the signature, or by position. The function is
        given copies of arrays, tensors and containers of them.
    changes : iterable of str
        The arguments that the function may change. It is given these themselves.
    copies : bool
        False hands over all arguments themselves, and returns the result itself: to a student's
        object that must not rely on what the test changes later, or to see what shares memory.
        Arguments must stay as they are all the same.
    warnings : {"ignore", "error"}
        Whether a warning costs the points. Say so in the text of the step if it does.
    hint : str
        What to say beside an argument that was changed, or a warning.

    Raises
    ------
    CheckFailed
        When the function raises (the message names the call), changes another argument, or warns
        where that is the subject.
    NotImplementedError
        When it is not written yet.

    Examples
    --------
    >>> def smallest(values):
    ...     values.sort()
    ...     return values[0]
    >>> call(smallest, {"values": np.array([3, 1, 2])})
    Traceback (most recent call last):
    course_lib.exercises.asserts.CheckFailed: smallest(values=[3, 1, 2]): you changed values
      was       [3, 1, 2]
      is now    [1, 2, 3]
    Hint: Compute in an array of your own: `b = 2 * a` makes one, `a *= 2` changes what came.
    """
    made = _Call(function, args, changes, warnings, copies=copies)
    made.must_keep_arguments(hint)
    made.must_not_warn(hint)
    return _kept(made.result) if copies else made.result


def check(
    function: Callable[..., Any],
    args: _Arguments,
    expected: Any = None,
    *,
    changes: Mapping[str, Any] | Iterable[str] = (),
    dtype: Any = None,
    warnings: _Warnings = "ignore",
    rtol: float = 1e-6,
    atol: float = 1e-8,
    what: str = "",
    hint: str = "",
) -> None:
    """Call a function of the student's and compare what comes back.

    It returns nothing: nbgrader takes a number at the end of a test cell for partial credit.

    Parameters
    ----------
    function, args, warnings
        As in `call`.
    expected : object
        What is right. An array asks for an array; a list of numbers takes any sequence, a number
        any scalar; tuples, lists and dictionaries of these are compared part by part; texts, sets
        and whole numbers must be equal. None alone asks for no comparison; as a part it must be
        None.
    changes : mapping of str to object, or iterable of str
        The arguments that the function may change and, if it is a mapping, what they must be
        afterwards. The arrays themselves are looked at, so that new ones in their place are told.
    dtype : data type, optional
        Only where the text fixes it.
    rtol, atol : float
        As in `assert_close`.
    what : str
        What was computed; by default, the call.
    hint : str
        The idea that was probably missed, and where the chapter explains it.

    Raises
    ------
    CheckFailed
        For the first of: a crash, a wrong type, a wrong shape, a changed argument, a warning where
        that is the subject, wrong values.

    Examples
    --------
    >>> check(np.clip, [np.array([-1.0, 2.0]), 0, 1], np.array([0.0, 1.0]))
    >>> def halve(w):
    ...     w = w / 2
    >>> check(halve, {"w": np.ones(2)}, changes={"w": np.full(2, 0.5)}, hint="Write w /= 2.")
    Traceback (most recent call last):
    course_lib.exercises.asserts.CheckFailed: w after halve(w=[1., 1.]), which left it as it was
      came      [1., 1.]
      expected  [0.5, 0.5]
    Hint: Write w /= 2.
    """
    made = _Call(function, args, changes, warnings)
    made.must_give(expected, dtype, what, hint, {"rtol": rtol, "atol": atol})


def check_kinds(
    function: Callable[..., Any],
    args: _Arguments,
    expected: Any,
    *,
    kinds: Iterable[str] = tuple(KINDS),
    rtol: float = 1e-6,
    atol: float = 1e-8,
    what: str = "",
    hint: str = "",
) -> None:
    """`check` a function with the same numbers as float64, float32, integers, lists and views.

    Name the kinds that the text allows: all for `array_like`, all but lists for `ndarray`.

    Parameters
    ----------
    function, args, expected, rtol, atol, what, hint
        As in `check`. The arrays of floats among the arguments become each kind in turn ("lists":
        all arrays do); `expected` is the same for all. What comes from float32 has room for its
        rounding.
    kinds : iterable of str
        Some of `KINDS`. "strided" are arrays that do not lie in one piece, as `X[:, 0]` does not.

    Raises
    ------
    CheckFailed
        As `check`; the message names the kind.
    ValueError
        When integers are to be tried and the arguments are not whole numbers.

    Examples
    --------
    >>> def halves(z):
    ...     out = np.zeros_like(z)
    ...     out[...] = z / 2
    ...     return out
    >>> check_kinds(halves, {"z": np.array([1.0, 2.0])}, np.array([0.5, 1.0]))
    Traceback (most recent call last):
    course_lib.exercises.asserts.CheckFailed: halves(z=[1, 2]), for integers
      came      whole numbers (dtype int64): the fractions are lost
      expected  [0.5, 1. ]
    """
    settings = {"rtol": rtol, "atol": atol}
    for kind in kinds:
        near = {name: max(settings[name], least) for name, least in _FLOAT32.items()}
        given = _each_array(args, lambda array, kind=kind: _as_kind(array, kind))
        made = _Call(function, given, (), "ignore", kind=kind)
        made.must_give(expected, None, what, hint, near if kind == "float32" else settings)


def check_keyword(
    function: Callable[..., Any],
    args: Mapping[str, Any],
    name: str,
    expected: Sequence[tuple[Any, Any]],
    *,
    rtol: float = 1e-6,
    atol: float = 1e-8,
    hint: str = "",
) -> None:
    """`check` that an argument matters: two or more values of it, and what each must give.

    Parameters
    ----------
    function, args, rtol, atol, hint
        As in `check`; `args` are the other arguments.
    name : str
        The argument that is tried.
    expected : sequence of (value, expected result)

    Raises
    ------
    CheckFailed
        That the argument changes nothing, or as `check`.
    ValueError
        When two expected results are too close to tell apart: the test would show nothing.

    Examples
    --------
    >>> def power(x, exponent=2):
    ...     return x * x
    >>> check_keyword(power, {"x": 3.0}, "exponent", [(2, 9.0), (3, 27.0)])
    Traceback (most recent call last):
    course_lib.exercises.asserts.CheckFailed: power(x=3.0, exponent=3)
      came      9.0, as for exponent=2: exponent is ignored
      expected  27.0
    """
    for (value, right), (other, wrong) in pairwise(expected):
        if _agree(right, wrong, rtol=1e-2):
            raise ValueError(f"{name}={value!r} and {name}={other!r} are to give nearly the same")
    results: list[Any] = []
    for value, right in expected:
        made = _Call(function, {**args, name: value}, (), "ignore")
        for (other, _), before in zip(expected, results, strict=False):
            if _agree(made.result, before) and not _agree(made.result, right, rtol=1e-3):
                text = f"came      {_short(made.result)}, as for {name}={_word(other)}"
                text += f": {name} is ignored\nexpected  {_short(right)}"
                asserts._fail(made.described, text, hint)
        made.must_give(right, None, "", hint, {"rtol": rtol, "atol": atol})
        results.append(_kept(made.result))


def check_raises(
    error: type[BaseException],
    function: Callable[..., Any],
    args: _Arguments = (),
    *,
    match: str = "",
    hint: str = "",
) -> None:
    """Check that a call is refused with the right kind of error, and that nothing was changed.

    Parameters
    ----------
    error : exception type
        Subclasses count.
    function, args
        As in `call`.
    match : str
        A text that the error's message must contain, whatever the case of its letters.
    hint : str

    Examples
    --------
    >>> check_raises(ValueError, float, ["one"], match="convert")
    """
    try:
        made = _Call(function, args, (), "ignore", catch=error)
    except CheckFailed as failed:  # it raised something else
        hinted = f"\nHint: {hint}" if hint else ""
        raise CheckFailed(f"{failed}\n  expected  {error.__name__}{hinted}") from None
    made.must_keep_arguments("Look at the arguments before you change anything.")
    if made.error is None:
        text = f"came      {_short(made.result)}\nexpected  {error.__name__} to be raised"
        asserts._fail(made.described, text, hint)
    if match.lower() not in str(made.error).lower():
        text = f"raised    {_named(made.error)}\nexpected  {match!r} in it"
        asserts._fail(made.described, text, hint)


def side_by_side(
    scenario: Callable[..., Generator[Any, None, None]],
    kind: Callable[..., Any],
    first: Sequence[Any],
    second: Sequence[Any],
    *,
    expected: tuple[Any, Any] | None = None,
    rtol: float = 1e-6,
    atol: float = 1e-8,
    yields: str = "result",
    hint: str = "",
) -> tuple[list[Any], list[Any]]:
    """Check that two objects of a class do not disturb each other.

    Parameters
    ----------
    scenario : generator function
        ``scenario(kind, *arguments)`` makes an object, uses it step by step, and yields what is to
        be seen after each step.
    kind : class
        The student's.
    first, second : sequence
        The arguments of one object's scenario, and of the other's.
    expected : (list, list), optional
        What the two must yield.
    rtol, atol : float
        As in `assert_close`.
    yields : str
        What the scenario yields, for the message.
    hint : str
        For wrong values; what is shared has a hint of its own.

    Returns
    -------
    (list, list)
        What the two have yielded, taking turns.

    Raises
    ------
    CheckFailed
        When the first does something else beside the second than alone, or than it did before.

    Examples
    --------
    >>> class Counter:
    ...     seen = []
    ...
    ...     def count(self, x):
    ...         self.seen.append(x)
    ...         return len(self.seen)
    >>> def counting(kind, values):
    ...     counter = kind()
    ...     for x in values:
    ...         yield counter.count(x)
    >>> first, second = [[1, 1]], [[2, 2]]
    >>> side_by_side(counting, Counter, first, second, yields="n")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    course_lib.exercises.asserts.CheckFailed: One Counter while another one is at work, step 1: n
      came      3
      alone     1
    Hint: What an object remembers belongs to it (self. ...), not to its class or to the module...
    """
    name = _name(kind)
    with _errors_named(lambda: f"One {name} alone"):
        alone, beside, other, again = asserts.student.probe(
            _take_turns, scenario, kind, first, second
        )
    for seen, when in ((beside, "while another one is at work"), (again, "made after another one")):
        if isinstance(seen, str):
            text = f"raised    {seen}\nalone     nothing was raised"
            asserts._fail(f"One {name} {when}", text, _SHARED)
        for step, (came, before) in enumerate(zip(seen, alone, strict=False), start=1):
            if not _agree(came, before, rtol=1e-9):
                text = f"came      {_short(came)}\nalone     {_short(before)}"
                asserts._fail(f"One {name} {when}, step {step}: {yields}", text, _SHARED)
    for seen, right, which in zip(
        (beside, other), expected or (), ("first", "second"), strict=False
    ):
        for step, (came, wanted) in enumerate(zip(seen, right, strict=True), start=1):
            what = f"The {which} of two {name} objects, step {step}: {yields}"
            _compare(came, wanted, what, hint, {"rtol": rtol, "atol": atol})
    return beside, other


def _take_turns(
    scenario: Callable[..., Iterable[Any]],
    kind: Callable[..., Any],
    first: Sequence[Any],
    second: Sequence[Any],
) -> list[Any]:
    """Run a scenario alone, beside another one, and again. It runs beside the student's objects.

    Returns what was yielded; the name of the error where only the first time went well.
    """

    def run(*all_args: Sequence[Any]) -> list[list[Any]]:
        running = [iter(scenario(kind, *_copied(args))) for args in all_args]
        seen: list[list[Any]] = [[] for _ in running]
        for values in zip_longest(*running, fillvalue=_END):
            for own, value in zip(seen, values, strict=True):
                if value is not _END:
                    own.append(_copied(value))
        return seen

    with quiet():
        (alone,) = run(first)
        try:
            return [alone, *run(first, second), *run(first)]
        except Exception as error:
            return [alone, _named(error), [], []]


_END = object()


class _Call:
    """A call of the student's function that was made, and what came of it."""

    def __init__(
        self,
        function: Callable[..., Any],
        args: _Arguments,
        changes: Mapping[str, Any] | Iterable[str],
        warnings: _Warnings,
        *,
        copies: bool = True,
        kind: str = "float64",
        catch: type[BaseException] | tuple[()] = (),
    ) -> None:
        named = isinstance(args, Mapping)
        values = dict(args if named else enumerate(args))
        self.function, self.kind = function, kind
        self.changes = (
            changes if isinstance(changes, Mapping) else dict.fromkeys(changes, _ANYTHING)
        )
        unknown = sorted(self.changes.keys() - values.keys())
        if unknown:
            raise ValueError(f"changes names {unknown}, and args only {list(values)}")
        self.before = {name: _copied(value) for name, value in values.items()}
        self.given = {
            name: _copied(value) if copies and name not in self.changes else value
            for name, value in values.items()
        }
        # The arrays themselves, whatever the function puts in their place.
        self.held = {name: _holding(self.given[name]) for name in self.changes}
        self.result, self.warned, self.error = None, [], None
        settings = (list(values) if named else [], kind == "strided", warnings)
        with _errors_named(lambda: self.described):
            try:
                self.result, self.warned = asserts.student.probe(
                    _run, settings, function, *self.given.values()
                )
            except catch as error:
                self.error = error

    @property
    def described(self) -> str:
        """The call as one would write it, and the kind of numbers if it is not the usual one."""
        arguments = (
            _word(value) if isinstance(name, int) else f"{name}={_word(value)}"
            for name, value in self.before.items()
        )
        return self.with_kind(f"{_name(self.function)}({', '.join(arguments)})")

    def with_kind(self, what: str) -> str:
        """Add the kind of numbers to what was computed."""
        return ", ".join(filter(None, (what, KINDS[self.kind])))

    def must_give(
        self, expected: Any, dtype: Any, what: str, hint: str, near: dict[str, float]
    ) -> None:
        """Check the result, and what was to change: first types and shapes, last the values."""
        # What the call was is asked of the student's side, so not before something is wrong.
        with _called(lambda: self.with_kind(what) if what else self.described):
            if expected is not None:
                _compare_form(self.result, expected, _CALL, hint)
        self.must_keep_arguments("")
        self.must_not_warn(hint)
        with _called(lambda: self.with_kind(what) if what else self.described):
            if expected is not None:
                _compare(self.result, expected, _CALL, hint, near)
            if dtype is not None:
                _compare_dtype(self.result, np.dtype(dtype), _CALL, hint)
            for name, right in self.changes.items():
                if right is not _ANYTHING:
                    self.must_become(name, right, hint, near)

    def must_become(self, name: str, right: Any, hint: str, near: dict[str, float]) -> None:
        """Check what an argument has become that was to change."""
        before = _leaves(self.before[name], right, name, hint)
        after = _leaves(self.held[name], right, name, hint)
        for (old, *_), (new, wanted, path) in zip(before, after, strict=True):
            as_it_was = ", which left it as it was" if not _first_change("", old, new) else ""
            _compare(new, wanted, f"{path} after {_CALL}{as_it_was}", hint, near)

    def must_keep_arguments(self, hint: str) -> None:
        """Check that what must stay is as it was."""
        for name in (name for name in self.given if name not in self.changes):
            path = name if isinstance(name, str) else f"argument {name + 1}"
            found = _first_change(path, self.before[name], self.given[name])
            if found:
                path, was, now = found
                text = f"was       {_short(was)}\nis now    {_short(now)}"
                asserts._fail(f"{self.described}: you changed {path}", text, hint or _OWN_ARRAY)

    def must_not_warn(self, hint: str) -> None:
        """Check that nothing warned that should not."""
        if self.warned:
            text = "warned    " + "\n          ".join(dict.fromkeys(self.warned))
            asserts._fail(self.described, text, hint)


#: What stands for an argument that may become anything.
_ANYTHING = object()

#: What stands for the call in a message until somebody wants to read it.
_CALL = "\0call\0"


def _run(
    settings: tuple[list[str], bool, _Warnings], function: Callable[..., Any], *values: Any
) -> tuple[Any, list[str]]:
    """Call a function beside the student's objects; return its result, and what warned."""
    names, strided, warnings = settings
    lent: list[tuple[np.ndarray, np.ndarray]] = []
    given = (
        [_each_array(value, lambda a: _strided(a, lent)) for value in values] if strided else values
    )
    count = _by_position(function, names, len(values))
    arguments = given[:count], dict(zip(names[count:], given[count:], strict=True))
    with quiet():
        if warnings == "ignore":
            result, told = function(*arguments[0], **arguments[1]), []
        else:
            result, told = _listening(function, *arguments)
    for original, view in lent:
        original[...] = view
    return result, told


def _listening(
    function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[Any, list[str]]:
    """Call a function and keep what it warns of, as NumPy does by default."""
    with (
        np.errstate(all="warn", under="ignore"),
        python_warnings.catch_warnings(record=True) as told,
    ):
        python_warnings.simplefilter("always")
        result = function(*args, **kwargs)
    return result, [f"{one.category.__name__}: {one.message}" for one in told]


def _by_position(function: Callable[..., Any], names: list[str], count: int) -> int:
    """Return how many arguments go by position: all up to the last that the function names else."""
    if not names:
        return count
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # of a function of NumPy's, say
        return count
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return 0
    known = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    return max((i + 1 for i, name in enumerate(names) if name not in known), default=0)


# Copies, and what has changed in them -------------------------------------------------------------


def _each_array(value: Any, convert: Callable[[np.ndarray], Any]) -> Any:
    """Return a value with its arrays converted, and containers of their own around them."""
    if isinstance(value, np.ndarray):
        return convert(value)
    if type(value) is dict:
        return {key: _each_array(item, convert) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_each_array(item, convert) for item in value)
    if type(value) is set:
        return set(value)
    if hasattr(value, "detach") and hasattr(value, "clone"):  # a tensor of PyTorch's
        return value.detach().clone().requires_grad_(value.requires_grad)
    return value


def _copied(value: Any) -> Any:
    return _each_array(value, lambda array: np.array(array, copy=True, order="K"))


def _kept(value: Any) -> Any:
    """Return a result that stays as it is, whatever the student's code does to its own later.

    A tensor with gradients is itself: they flow through it.
    """
    if isinstance(value, np.ndarray):
        return value.copy() if type(value) is np.ndarray else value
    if type(value) in (list, tuple):
        return type(value)(map(_kept, value))
    if type(value) is dict:
        return {key: _kept(item) for key, item in value.items()}
    if type(value).__name__ == "Tensor" and hasattr(value, "clone") and not value.requires_grad:
        return value.clone()
    return value


def _holding(value: Any) -> Any:
    """Return containers of one's own around the very same arrays; what holds none, as it is."""
    arrays: list[np.ndarray] = []
    held = _each_array(value, lambda array: arrays.append(array) or array)
    return held if arrays else value


def _first_change(path: str, before: Any, now: Any) -> tuple[str, Any, Any] | None:
    """Return where a value differs from its copy, what it was and what it is; None if nowhere."""
    if isinstance(before, np.ndarray):
        if not isinstance(now, np.ndarray) or (now.dtype, now.shape) != (
            before.dtype,
            before.shape,
        ):
            return path, before, now
        places = np.argwhere((before != now) & ~((before != before) & (now != now)))
        if not len(places) or before.size <= 6:
            return (path, before, now) if len(places) else None
        place = tuple(map(int, places[0]))
        return f"{path}{list(place)}", before[place], now[place]
    if type(before) in (list, tuple, dict):
        pairs = before.items() if type(before) is dict else enumerate(before)
        if type(now) is not type(before) or len(now) != len(before):
            return path, before, now
        if type(before) is dict and now.keys() != before.keys():
            return path, before, now
        found = (_first_change(f"{path}[{key!r}]", item, now[key]) for key, item in pairs)
        return next(filter(None, found), None)
    if hasattr(before, "detach"):
        return _first_change(path, before.detach().numpy(), now.detach().numpy())
    if isinstance(before, str | int | float | complex | bool | set | None):
        same = type(now) is type(before) and (now == before or now != now)
        return None if same else (path, before, now)
    return None


def _as_kind(array: np.ndarray, kind: str) -> Any:
    if kind == "lists":
        return array.tolist()
    if array.dtype.kind != "f" or kind not in ("float32", "integers"):
        return array
    if kind == "float32":
        return array.astype(np.float32)
    if not np.array_equal(array, np.round(array)):
        raise ValueError(f"{_short(array)} are no whole numbers, and cannot be tried as integers")
    return array.astype(np.int64)


def _strided(array: np.ndarray, lent: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Return the same numbers in every other place of a larger array."""
    if array.ndim == 0:
        return array
    view = np.repeat(array, 2, axis=-1)[..., ::2]
    lent.append((array, view))
    return view


# Comparison ---------------------------------------------------------------------------------------


def _leaves(result: Any, expected: Any, what: str, hint: str) -> Iterator[tuple[Any, Any, str]]:
    """Pair the parts of a result with those of what is expected; say so where they do not match."""
    if isinstance(expected, Mapping):
        if not isinstance(result, Mapping):
            asserts._fail(what, f"came      {_kind(result)}\nexpected  a dictionary", hint)
        if result.keys() != expected.keys():
            text = f"came      the keys {list(result)}\nexpected  the keys {list(expected)}"
            asserts._fail(what, text, hint)
        for key, right in expected.items():
            yield from _leaves(result[key], right, f"{what}[{key!r}]", hint)
    elif isinstance(expected, list | tuple) and not _is_numbers(expected):
        if not isinstance(result, list | tuple):
            text = f"came      {_kind(result)}\nexpected  a {type(expected).__name__}"
            asserts._fail(what, text, hint)
        if len(result) != len(expected):
            text = f"came      {len(result)} parts\nexpected  {len(expected)}"
            asserts._fail(what, text, hint)
        for i, right in enumerate(expected):
            yield from _leaves(result[i], right, f"{what}[{i}]", hint)
    else:
        yield result, expected, what


def _is_numbers(values: Sequence[Any]) -> bool:
    """Tell whether a list holds numbers alone, in rows of one length."""
    try:
        return np.asarray(values).dtype.kind in "biufc" and not _holds_arrays(values)
    except ValueError:
        return False


def _holds_arrays(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_holds_arrays, value))
    return hasattr(value, "ndim") and value.ndim > 0


def _compare_form(result: Any, expected: Any, what: str, hint: str) -> None:
    """Compare types and shapes."""
    for came, right, path in _leaves(result, expected, what, hint):
        if right is None or isinstance(right, _EXACT):
            continue
        if isinstance(right, np.ndarray) and right.ndim and isinstance(came, list | tuple):
            asserts._fail(path, f"came      {_kind(came)}\nexpected  an array", hint)
        if hasattr(right, "detach") and not hasattr(came, "detach"):
            asserts._fail(path, f"came      {_kind(came)}\nexpected  a tensor", hint)
        # A tensor's shape is a tuple that calls itself torch.Size.
        wanted = tuple(np.shape(right))
        asserts._check_shape(asserts.as_array(came, path, hint), wanted, path, hint)


def _compare(result: Any, expected: Any, what: str, hint: str, near: dict[str, float]) -> None:
    """Compare values, after types and shapes."""
    _compare_form(result, expected, what, hint)
    for came, right, path in _leaves(result, expected, what, hint):
        if right is None or isinstance(right, _EXACT):
            assert_equal(came, right, what=path, hint=hint)
            continue
        numbers, wanted = asserts.as_array(came, path, hint), asserts.as_array(right)
        if numbers.dtype.kind in "biu" and wanted.dtype.kind in "biu":
            assert_equal(numbers, wanted, what=path, hint=hint)
            continue
        if numbers.dtype.kind in "iu" and not np.allclose(numbers, wanted, **near):
            text = f"came      whole numbers (dtype {numbers.dtype}): the fractions are lost"
            asserts._fail(path, f"{text}\nexpected  {_short(wanted)}", hint)
        assert_close(numbers, wanted, what=path, hint=hint, **near)


def _compare_dtype(result: Any, dtype: np.dtype, what: str, hint: str) -> None:
    for part in result if isinstance(result, list | tuple) else [result]:
        came = asserts.as_array(part, what, hint).dtype
        if came != dtype:
            asserts._fail(what, f"came      dtype {came}\nexpected  dtype {dtype}", hint)


def _agree(one: Any, other: Any, rtol: float = 1e-6) -> bool:
    """Tell whether two results are nearly the same."""
    try:
        _compare(one, other, "", "", {"rtol": rtol, "atol": 1e-12})
    except CheckFailed:
        return False
    return True


# Words --------------------------------------------------------------------------------------------


@contextmanager
def _called(described: Callable[[], str]) -> Iterator[None]:
    """Put the words for the call into a message that leaves the block."""
    try:
        yield
    except CheckFailed as failed:
        raise CheckFailed(str(failed).replace(_CALL, described())) from None


@contextmanager
def _errors_named(described: Callable[[], str]) -> Iterator[None]:
    """Say in which call an error of the student's code was raised."""
    try:
        yield
    except CheckFailed:
        raise
    except Exception as error:
        if isinstance(error, NotImplementedError) and not str(error).strip():
            # With a text it comes from a library, which cannot do what it was asked.
            raise
        place = _place(error)
        text = f"{described()} raised {_named(error)}"
        raise CheckFailed(f"{text}\n  at {place}" if place else text) from None


def _place(error: BaseException) -> str:
    """Return the student's line in which an error was raised; nothing where it is not known."""
    lines = getattr(error, "student_lines", None)
    if lines is not None:  # of an error in another process
        return str(lines[-2]) if len(lines) > 1 else ""
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "ipython-input" in frame.filename or "ipykernel" in frame.filename
    ]
    return f"line {own[-1].lineno} in {own[-1].name}: {own[-1].line}" if own else ""


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _name(function: Any) -> str:
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None)
    return str(name or type(function).__name__).rpartition("<locals>.")[2]


def _word(value: Any) -> str:
    """Return how a message writes an argument: whole if it is small."""
    if hasattr(value, "detach"):
        return f"tensor {_word(asserts.as_array(value))}"
    if isinstance(value, np.ndarray):
        if value.size > 6:
            return f"array of shape {value.shape}"
        return np.array2string(value, precision=4, separator=", ").replace("\n", "")
    if isinstance(value, list | tuple):
        text = ", ".join(map(_word, value[:6]))
        if len(value) > 6 or len(text) > 60:
            return f"{type(value).__name__} of {len(value)}"
        return f"[{text}]" if isinstance(value, list) else f"({text}{',' * (len(value) == 1)})"
    if isinstance(value, str | int | float | complex | dict | set | None):
        return asserts._short(value, limit=60)
    return _name(value)


def _kind(value: Any) -> str:
    """Return what a value is, for a message."""
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__}"
    return asserts._short(value)


def _short(value: Any) -> str:
    return asserts._short(value)
