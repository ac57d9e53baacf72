"""The student's errors on the judge's side, made again so that a test catches them as theirs."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Iterable
from typing import Any

from course_lib.grading.engine.proxies import Remote, own_class


class StudentGone(BaseException):
    """The student's process ended, or was stopped, in the middle of a test.

    No exception that a test expects: `except Exception` must not take it for one of the student's.
    """


def rebuild_error(
    description: Any,
    classes: dict[tuple[str, ...], type[BaseException]],
    own: Callable[[str], Any] = {}.get,
) -> BaseException:
    """Make an error of the judge's that the test can catch as it would the student's.

    `classes` are those that stand for the student's, and grow by what is new.
    """
    try:
        names, message, lines = description
        base = error_class(texts(names), classes, own)
        name = base.__name__
        error = _saying(base, str(message))
        error.student_lines = [str(line)[:500] for line in lines[:40]]
    except Exception as problem:
        return StudentGone(f"an error of the student's cannot be read: {problem}")
    if not isinstance(error, Exception):
        return StudentGone(f"the student's code raised {name}")
    return error


def _says(error: BaseException, message: str) -> bool:
    try:
        return str(error) == message
    except Exception:
        return False


def texts(names: list[Any]) -> tuple[str, ...]:
    """Return the names that a student's process gave, as texts."""
    return tuple(str(name) for name in names[:20])


def error_class(
    names: tuple[str, ...],
    classes: dict[tuple[str, ...], type[BaseException]],
    own: Callable[[str], Any],
) -> type[BaseException]:
    """Return the class of these names, of itself and of what it is a kind of.

    One of a library is the judge's own; one of the student's stands for theirs, each time the same.
    """
    if names in classes:
        return classes[names]
    base = _error_base(names, own)
    name = names[0].rpartition(":")[2].rpartition(".")[2]
    if name != base.__name__ and name.isidentifier():
        # What it is a kind of comes behind it, but for what has several bases.
        parent = error_class(names[1:], classes, own)
        kind = parent if issubclass(parent, base) else base
        parts = {"__module__": "__main__", "_entry_": names[0], "__getattr__": _of_made}
        classes[names] = _kind_of_kind(kind)(name, (kind,), parts)
        return classes[names]
    return base


class ErrorKind(type):
    """The kind of the classes that stand for the student's own kinds of errors.

    `except` takes them, and what is asked of them otherwise is asked of the student's class, whose
    stand-in is `_twin_`, if the test knows it by name.
    """

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Let the student's class make an error; return one of the judge's that knows it."""
        twin = vars(cls).get("_twin_")
        if twin is None:
            return super().__call__(*args, **kwargs)
        made = twin(*args, **kwargs)
        error = _saying(cls, str(made))
        error._made_ = made
        return error

    def __getattr__(cls, name: str) -> Any:
        twin = vars(cls).get("_twin_")
        if twin is None or name.startswith("__"):
            raise AttributeError(name)
        return getattr(twin, name)

    def __instancecheck__(cls, value: Any) -> bool:
        if issubclass(type(value), Remote):
            return cls._entry_ in value._mro_
        return super().__instancecheck__(value)


def _kind_of_kind(base: type) -> type:
    return ErrorKind if issubclass(ErrorKind, type(base)) else type(base)


def _of_made(error: BaseException, name: str) -> Any:
    made = vars(error).get("_made_")
    if made is None or name.startswith("__"):
        raise AttributeError(f"{type(error).__name__!r} object has no attribute {name!r}")
    return getattr(made, name)


def _saying(kind: type[BaseException], message: str) -> BaseException:
    """Make an error of a kind that says just this, without its own `__init__`."""
    error = _blank(kind)
    error.args = (message,)
    if not _says(error, message):
        # Errors of keys, and NumPy's own, make their text of what they were given.
        parts = {"__module__": "__main__", "__str__": _only_text}
        kind = type(kind)(kind.__name__, (kind,), parts)
        error = _blank(kind)
        error.args = (message,)
    return error


def _blank(kind: type[BaseException]) -> BaseException:
    error = kind.__new__(kind)
    if isinstance(error, StopIteration):
        # Where a generator ends, Python reads the value, which nothing else sets: it would crash.
        StopIteration.__init__(error)
    return error


def _only_text(error: BaseException) -> str:
    return str(error.args[0])


def _error_base(names: Iterable[str], own: Callable[[str], Any]) -> type[BaseException]:
    for entry in names:
        module, _, name = entry.partition(":")
        if module.startswith("course_lib.grading"):
            continue  # what the judge says by them is its own
        if module == "builtins":
            found = getattr(builtins, name, None)
        else:
            known = getattr(sys.modules.get(module), name, None)
            found = own_class(entry, own) if module == "__main__" else known
        if isinstance(found, type) and issubclass(found, BaseException):
            return found
    return Exception
