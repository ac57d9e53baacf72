"""Proxies: what stands in the judge for objects of the student's, which stay on their side.

Whatever the student's process says is data. A stand-in's comparison with the judge's own data is
therefore never asked of the student: an object that claims to equal everything equals nothing
here. Arithmetic and comparison are the student's to define only for classes that the exercise
itself asks for (`Link.asked_classes`).
"""

from __future__ import annotations

import builtins
import contextlib
import copy
import importlib
import operator
import sys
import weakref
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from course_lib.grading.engine import protocol
from course_lib.grading.engine.loops import awaited

if TYPE_CHECKING:
    from course_lib.grading.engine.link import Link


class JudgeLimit(TypeError):
    """The test asks a student's object for a verdict, which the judge does not take from it."""


class Remote:
    """Stands in for an object of the student's that stays on their side."""

    # Without a `__dict__`: `functools.wraps` would copy what is in it.
    __slots__ = ("__weakref__", "_link_", "_mro_", "_name_", "_number_", "_own_")

    def __init__(self, link: Link, number: int, name: str, mro: list[str], own: list[str]) -> None:
        fields = {"_link_": link, "_number_": number, "_name_": name, "_mro_": mro, "_own_": own}
        for field, value in fields.items():
            object.__setattr__(self, field, value)
        weakref.finalize(self, link.release, number).atexit = False

    def _ask_(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        return self._link_.call(function, self, *args, **kwargs)

    @property
    def __class__(self) -> type:
        # isinstance(model, torch.nn.Module) is a question of what the object is, not a verdict.
        return known_class(self._mro_, self._link_.own) or type(self)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") and name.endswith("_") and name not in _NAMES_OF_OBJECTS:
            raise AttributeError(name)
        return self._ask_(getattr, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._ask_(setattr, name, value)

    @property
    def __bases__(self) -> tuple[Any, ...]:
        # A class is asked for them by `issubclass`.
        if not self._own_:
            raise AttributeError("__bases__")
        known = (
            PLAIN_KINDS.get(entry) or known_class([entry], self._link_.own)
            for entry in self._own_[1:]
        )
        return (*(base for base in known if base is not None), object)

    def __copy__(self) -> Any:
        return self._ask_(copy.copy)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self._ask_(copy.deepcopy)

    def __delattr__(self, name: str) -> None:
        self._ask_(delattr, name)

    def __dir__(self) -> list[str]:
        return [str(name) for name in self._ask_(dir)]

    def __repr__(self) -> str:
        return str(self._ask_(repr))

    def __str__(self) -> str:
        return str(self._ask_(str))

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __hash__(self) -> int:
        return hash(self._number_)

    def __bool__(self) -> bool:
        return bool(self._ask_(bool))

    def __len__(self) -> int:
        return self._ask_(len)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._ask_(_all_or_iterator))

    def __getitem__(self, key: Any) -> Any:
        return self._ask_(operator.getitem, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._ask_(operator.setitem, key, value)

    def __delitem__(self, key: Any) -> None:
        self._ask_(operator.delitem, key)

    def __contains__(self, item: Any) -> bool:
        if self._is_asked_("contains"):
            return bool(self._ask_(operator.contains, item))
        return any(entry is item or entry == item for entry in self)

    def __float__(self) -> float:
        return of_type(self._ask_(float), float)

    def __int__(self) -> int:
        return of_type(self._ask_(int), int)

    def __index__(self) -> int:
        return of_type(self._ask_(operator.index), int)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array(of_type(self._ask_(np.asarray), np.ndarray), dtype=dtype)

    def __enter__(self) -> Any:
        return self._link_.call(_enter, self)

    def __exit__(self, *error: Any) -> bool:
        self._link_.call(_leave, self)
        return False

    def __await__(self) -> Iterator[Any]:
        # A coroutine runs to its end where it lives, in the loop of the student's cells.
        return self._ask_(awaited)
        yield

    def __aiter__(self) -> Any:
        return self._ask_(aiter)

    async def __anext__(self) -> Any:
        return self._ask_(_next_awaited)

    async def __aenter__(self) -> Any:
        return self._link_.call(_enter_awaited, self)

    async def __aexit__(self, *error: Any) -> bool:
        self._link_.call(_leave_awaited, self)
        return False

    def __instancecheck__(self, value: Any) -> bool:
        if not isinstance(value, Remote):
            return False
        return bool(self._link_.call(isinstance, value, self))

    def __subclasscheck__(self, value: Any) -> bool:
        return bool(self._link_.call(issubclass, value, self))

    def _is_asked_(self, *operators: str) -> bool:
        """Tell whether the exercise asks for a class with one of these operators."""
        entry = self._mro_[0] if self._mro_ else ""
        methods = self._link_.asked_classes.get(entry.rpartition(":")[2], ())
        return methods is None or any(f"__{name}__" in methods for name in operators)

    def __eq__(self, other: Any) -> Any:
        if isinstance(other, Remote) and object.__getattribute__(other, "_link_") is self._link_:
            return self._ask_(operator.eq, other)
        if self._is_asked_("eq"):
            return self._ask_(operator.eq, other)
        # A named tuple or a Counter is compared as the data that it is, and not by its own word.
        kind = next((PLAIN_KINDS[entry] for entry in self._mro_ if entry in PLAIN_KINDS), None)
        if kind is None and type(other).__module__ == "__main__" and type(other) is self.__class__:
            return NotImplemented  # a class of the teacher's: the judge compares, by its own means
        return kind is not None and of_type(self._ask_(kind), kind) == other

    def __ne__(self, other: Any) -> Any:
        if self._is_asked_("eq", "ne"):
            return self._ask_(operator.ne, other)
        same = self.__eq__(other)
        return same if same is NotImplemented else not same


#: Data that a student's class may be a kind of.
PLAIN_KINDS: dict[str, type] = {
    f"builtins:{kind.__name__}": kind
    for kind in (bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset)
}

#: Double-underscore attributes that are data about an object.
_NAMES_OF_OBJECTS = frozenset(("__name__", "__qualname__", "__doc__", "__module__", "__dict__"))


class RemoteCallable(Remote):
    """A function, method or class of the student's."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it where it lives."""
        return self._link_.call(self, *args, **kwargs)


class RemoteIterator(Remote):
    """A generator or iterator of the student's."""

    __slots__ = ()

    def __iter__(self) -> RemoteIterator:
        return self

    def __next__(self) -> Any:
        """Take the next item."""
        return self._ask_(next)


#: A class may define one of them, and Python answers the others by it.
_ORDER = ("lt", "le", "gt", "ge")


def _same_question(name: str) -> tuple[str, ...]:
    """Return the special methods by which Python may answer an operator."""
    return _ORDER if name in _ORDER else (name, f"r{name}", f"i{name}")


def _operator(name: str, function: Callable[..., Any], reflected: bool = False) -> Any:
    def method(self: Remote, *others: Any) -> Any:
        if not self._is_asked_(*_same_question(name)):
            raise JudgeLimit(
                f"the student's code gave an object of type {self._name_!r} where the test wants "
                f"data ({name} was asked of it)"
            )
        if reflected:
            return self._link_.call(function, *others, self)
        return self._ask_(function, *others)

    return method


for _name in "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split():  # noqa: SIM905
    _function = getattr(operator, _name + ("_" if _name in ("and", "or") else ""))
    setattr(Remote, f"__{_name}__", _operator(_name, _function))
    setattr(Remote, f"__r{_name}__", _operator(_name, _function, reflected=True))
for _name in ("lt", "le", "gt", "ge", "neg", "pos", "abs", "invert"):
    setattr(Remote, f"__{_name}__", _operator(_name, getattr(operator, _name)))


Remote.__round__ = _operator("round", round)


def _all_or_iterator(value: Any) -> Any:
    """Return a container's items at once, and an iterator's one at a time."""
    made = iter(value)
    return made if made is value or not hasattr(value, "__len__") else list(made)


def _enter(manager: Any) -> Any:
    return manager.__enter__()


def _leave(manager: Any) -> Any:
    return manager.__exit__(None, None, None)


def _next_awaited(items: Any) -> Any:
    return awaited(anext(items))


def _enter_awaited(manager: Any) -> Any:
    return awaited(manager.__aenter__())


def _leave_awaited(manager: Any) -> Any:
    return awaited(manager.__aexit__(None, None, None))


def of_type(value: Any, kind: type) -> Any:
    """Return what a student's object gave if it is of that very type."""
    if type(value) is not kind:
        raise TypeError(f"{kind.__name__} wanted; the student's object gave {type(value).__name__}")
    return value


def own_class(entry: str, own: Callable[[str], Any]) -> type | None:
    """Return the class of the tests that a class of the notebook is on the student's side."""
    module, _, name = entry.partition(":")
    found = own(name) if module == "__main__" else None
    return found if issubclass(type(found), type) and found.__module__ == "__main__" else None


def known_class(names: list[str], own: Callable[[str], Any] = {}.get) -> type | None:
    """Return the first class of these that the judge knows itself, except plain `object`."""
    for entry in names:
        module, _, name = entry.partition(":")
        mine = own_class(entry, own)
        if mine is not None:
            return mine
        if module in ("builtins", "__main__") or "." in name:
            if module == "builtins" and name not in ("object", "type", "function", "module"):
                # No kind of data: what says that it is a number is not taken for one.
                found = getattr(builtins, name, None)
                is_error = isinstance(found, type) and issubclass(found, BaseException)
                return found if is_error else None
            continue
        found = getattr(sys.modules.get(module), name, None)
        if isinstance(found, type):
            return found
    return None


def is_plain(known: type) -> bool:
    """Tell whether the judge may call a class that the student names with what the student gave.

    Layers, optimizers, numbers and errors do nothing but hold it. Others start processes, read
    files, or make objects that equal much: what these make stays on the student's side.
    """
    torch = sys.modules.get("torch")
    if torch is not None and issubclass(known, torch.nn.Module):
        return known.__module__.startswith("torch.nn.modules.")
    if torch is not None and issubclass(known, torch.optim.Optimizer):
        return known.__module__.startswith("torch.optim.")
    return issubclass(known, np.generic | Exception) or known in PLAIN_KINDS.values()


def is_imported(known: type, modules: Collection[str]) -> bool:
    """Tell whether the teacher's notebook imports a class by its name."""
    places = (name.rpartition(".") for name in modules)
    return any(getattr(sys.modules.get(place), name, None) is known for place, _, name in places)


def own_module(name: Any, modules: Collection[str]) -> Any:
    """Return the judge's own module of a name; what the student's is or does plays no part.

    Raises
    ------
    WireError
        When the teacher's notebook, whose imports these are, does not import it: an import can do
        anything.
    """
    with contextlib.suppress(Exception):
        for wanted in modules if type(name) is str else ():
            # Some go by another name than that by which they are imported (os.path).
            if name == wanted or name == getattr(sys.modules.get(wanted), "__name__", None):
                return importlib.import_module(wanted)
    raise protocol.WireError(
        f"the test uses a module {str(name)[:60]!r}, which the exercise does not import"
    )
