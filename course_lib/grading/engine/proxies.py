"""Proxies: what stands in the judge for objects of the student's, which stay on their side.

Whatever the student's process says is data. Which operations on a stand-in are asked of the
student, which the judge answers itself, and which nobody does, says one table: see `operations`.
"""

from __future__ import annotations

import builtins
import contextlib
import copy
import importlib
import inspect
import math
import operator
import sys
import types
import weakref
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from course_lib.grading.engine import operations, protocol
from course_lib.grading.engine.loops import awaited
from course_lib.grading.engine.operations import Answer, Group, Kind

if TYPE_CHECKING:
    from course_lib.grading.engine.asked import Asked
    from course_lib.grading.engine.link import Link


class JudgeLimit(TypeError):
    """The test asks a student's object for a verdict, which the judge does not take from it."""


class Remote:
    """Stands in for an object of the student's that stays on their side."""

    # Without a `__dict__`: `functools.wraps` would copy what is in it.
    __slots__ = ("__weakref__", "_link_", "_mro_", "_name_", "_number_", "_own_", "_told_")

    def __init__(self, link: Link, number: int, name: str, mro: list[str], own: list[str]) -> None:
        fields = {"_link_": link, "_number_": number, "_name_": name, "_mro_": mro, "_own_": own}
        # How long it said that it is, and how many calls had been made by then.
        for field, value in {**fields, "_told_": None}.items():
            object.__setattr__(self, field, value)
        weakref.finalize(self, link.release, number).atexit = False

    # What it is ---------------------------------------------------------------------------------

    def _ask_(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        return self._link_.call(function, self, *args, **kwargs)

    def _look_(self, function: Any, *args: Any) -> Any:
        return self._link_.ask(function, self, *args)

    def _asked_(self) -> Asked | None:
        """Return what the exercise asks of its class, if it asks for it in this test."""
        names = (entry.rpartition(":")[2].rpartition(".")[2] for entry in self._mro_ + self._own_)
        return next(filter(None, map(self._link_.asked.get, names)), None)

    def _plain_(self) -> str:
        """Return the kind of Python's data that it is; empty if it is none."""
        return next((entry for entry in self._mro_ if entry in PLAIN_KINDS), "")

    def _data_(self) -> Any:
        """Return the data that it is, by the means of the data's own type."""
        kind = self._plain_()
        return of_type(self._look_(_by_kind, kind), PLAIN_KINDS[kind])

    def _kind_(self, operation: str) -> Kind:
        """Return what it is for an operation, by the table's kinds."""
        one, method = self._asked_(), operation in operations.METHODS
        if one is not None:
            names = (operation,) if method else operations.same_question(operation)
            written = one.names if method else one.operations
            bases = list(filter(None, map(_library_class, one.bases)))
            if any(n in written or any(_has(base, n) for base in bases) for n in names):
                return Kind.WRITTEN
            compares = operation in operations.GROUPS[Group.EQUALITY]
            compares |= one.ordered and operation in operations.ORDER
            if one.fields is not None and compares:
                return Kind.FIELDS
        if self._plain_():
            return Kind.DATA
        if method and any(_is_librarys(e, operation, self._link_.modules) for e in self._mro_):
            return Kind.LIBRARY
        return Kind.OTHER

    def _answer_(self, operation: str) -> Answer:
        return operations.answer(operation, self._kind_(operation))

    def _described_(self) -> tuple[Any, ...]:
        """Return what the student's process has said that it is."""
        return self._name_, self._mro_, self._own_

    def _type_(self) -> Any:
        """Return its class: the judge's own of a library or of the teacher's, or the student's."""
        known = known_class(self._mro_[:1], self._link_.own)
        return known or _KINDS_OF_CODE.get(self._mro_[0]) or self._look_(type)

    def _refuse_(self, operation: str) -> NoReturn:
        raise JudgeLimit(
            f"the student's code gave an object of type {self._name_!r} where the test wants "
            f"data ({operation.strip('_')} was asked of it)"
        )

    @property
    def __class__(self) -> type:
        # isinstance(model, torch.nn.Module) is a question of what the object is, not a verdict.
        return known_class(self._mro_, self._link_.own) or type(self)

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

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        # `class Mine(Theirs)` in a test: the class is made where the student's is.
        return (_OfStudents,)

    def __instancecheck__(self, value: Any) -> bool:
        if not isinstance(value, Remote):
            return False
        return bool(self._link_.call(isinstance, value, self))

    def __subclasscheck__(self, value: Any) -> bool:
        return bool(self._link_.call(issubclass, value, self))

    def __hash__(self) -> int:
        judges = self._answer_("__hash__") is Answer.JUDGE
        return hash(self._data_() if judges else self._number_)

    # What it is for -----------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        if name == "__signature__" and issubclass(type(self), RemoteCallable):
            return self._signature_()
        if name.startswith("_") and name.endswith("_") and name not in _NAMES_OF_OBJECTS:
            raise AttributeError(name)
        found = self._look_(getattr, name)
        if not issubclass(type(found), RemoteCallable):
            return found
        kind = self._kind_(name) if name in operations.METHODS else Kind.OTHER
        plain = PLAIN_KINDS.get(self._plain_(), object) if kind is Kind.DATA else object
        if name in operations.READING and hasattr(plain, name):
            return getattr(self._data_(), name)
        if name in operations.DATA_METHODS and self._answer_(name) is Answer.JUDGE:
            return self._of_array_(name)
        return found

    def _signature_(self) -> inspect.Signature:
        """Return what the student's function takes; values of defaults stay where they are."""
        signature = inspect.Signature()
        try:
            parameters = [
                inspect.Parameter(
                    of_type(name, str),
                    inspect._ParameterKind(place),
                    default=... if has_default else inspect.Parameter.empty,
                )
                for name, place, has_default in of_type(self._look_(_parameters), list)
            ]
            return signature.replace(parameters=parameters)
        except (TypeError, ValueError):
            raise AttributeError("__signature__") from None

    def _of_array_(self, name: str) -> Any:
        """Return a method of the array that it can be made, in the place of its own."""
        with contextlib.suppress(TypeError, ValueError):
            numbers = np.asarray(self)
            if hasattr(numbers, name):
                return getattr(numbers, name)
        self._refuse_(name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._ask_(setattr, name, value)

    def __delattr__(self, name: str) -> None:
        self._ask_(delattr, name)

    def __dir__(self) -> list[str]:
        return [str(name) for name in self._look_(dir)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        # `torch.save(net.state_dict(), file)`. What goes to the student goes as a number.
        if self._answer_("__reduce_ex__") is not Answer.JUDGE:
            self._refuse_("pickle")
        data = self._data_()
        if isinstance(data, dict):
            # By what PyTorch reads again, too, where only weights are to be loaded.
            return OrderedDict, (), None, None, iter(data.items())
        return _same, (data,)

    def __copy__(self) -> Any:
        return self._ask_(copy.copy)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self._ask_(copy.deepcopy)

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

    # What it is as data -------------------------------------------------------------------------

    def __repr__(self) -> str:
        return str(self._look_(repr))

    def __str__(self) -> str:
        return str(self._look_(str))

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __bool__(self) -> bool:
        return self._as_number_("__bool__", bool)

    def __float__(self) -> float:
        return self._as_number_("__float__", float)

    def __complex__(self) -> complex:
        return self._as_number_("__complex__", complex)

    def __int__(self) -> int:
        return self._as_number_("__int__", int)

    def __index__(self) -> int:
        return self._as_number_("__index__", int, operator.index)

    def _as_number_(self, operation: str, kind: type, function: Any = None) -> Any:
        function = function or kind
        if self._answer_(operation) is Answer.JUDGE:
            return function(self._data_())
        return of_type(self._look_(function), kind)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        if self._answer_("__array__") is Answer.JUDGE:
            return np.array(self._data_(), dtype=dtype)
        numbers = of_type(self._look_(np.asarray), np.ndarray)
        if numbers.ndim:
            self._must_be_as_long_(len(numbers))
        return np.array(numbers, dtype=dtype)

    # What it holds ------------------------------------------------------------------------------

    def __len__(self) -> int:
        if self._answer_("__len__") is Answer.JUDGE:
            return len(self._data_())
        length = of_type(self._look_(len), int)
        object.__setattr__(self, "_told_", (length, self._link_.calls))
        return length

    def _must_be_as_long_(self, length: int) -> None:
        """Hold what it gives against the length that it has told, unless it may have changed."""
        if self._told_ and self._told_[1] == self._link_.calls and self._told_[0] != length:
            self._disagree_(self._told_[0], length)

    def _disagree_(self, told: Any, given: int) -> NoReturn:
        raise JudgeLimit(
            f"the student's object of type {self._name_!r} says that its length is {told}, and "
            f"gives {given}"
        )

    def __iter__(self) -> Iterator[Any]:
        if self._answer_("__iter__") is Answer.JUDGE:
            return iter(self._data_())
        length, found = of_type(self._look_(_all_or_iterator), list)
        if type(found) is list:
            self._must_be_as_long_(len(found))
            if length not in (None, len(found)) and self._asked_() is None:
                self._disagree_(length, len(found))
        return iter(found)

    def __reversed__(self) -> Iterator[Any]:
        if self._answer_("__reversed__") is Answer.JUDGE:
            return reversed(self._data_())
        found = of_type(self._look_(_backwards), list)
        self._must_be_as_long_(len(found))
        return iter(found)

    def __getitem__(self, key: Any) -> Any:
        if self._answer_("__getitem__") is Answer.JUDGE:
            return self._look_(_item_by_kind, self._plain_(), key)
        return self._look_(operator.getitem, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._ask_(operator.setitem, key, value)

    def __delitem__(self, key: Any) -> None:
        self._ask_(operator.delitem, key)

    def __contains__(self, item: Any) -> bool:
        kind = self._kind_("__contains__")
        if operations.answer("__contains__", kind) is Answer.STUDENT:
            return of_type(self._look_(operator.contains, item), bool)
        if kind is Kind.DATA:
            return item in self._data_()
        return any(entry is item or entry == item for entry in self)

    # Comparison ---------------------------------------------------------------------------------

    def __eq__(self, other: Any) -> Any:
        return self._same_(operator.eq, other)

    def __ne__(self, other: Any) -> Any:
        return self._same_(operator.ne, other)

    def _same_(self, function: Callable[[Any, Any], Any], other: Any) -> Any:
        """Answer == or !=."""
        differs = function is operator.ne
        kind = self._kind_("__eq__")
        theirs = _is_of(other, self._link_)
        if theirs and Kind.FIELDS in (kind, other._kind_("__eq__")):
            if self._mro_[:1] != other._mro_[:1]:
                return differs
            return function(self._fields_(), other._fields_())
        if theirs and (self._asked_() is None) == (other._asked_() is None):
            return self._look_(function, other)
        answer = operations.answer("__eq__", kind)
        if answer is Answer.STUDENT:
            if theirs and not other._plain_():
                return differs
            return self._look_(function, other._data_() if theirs else other)
        if answer is Answer.JUDGE and kind is Kind.DATA:
            # A named tuple or a Counter is compared as the data that it is, not by its own word.
            return function(self._data_(), other)
        if not theirs and type(other).__module__ == "__main__" and type(other) is self.__class__:
            return NotImplemented  # a class of the teacher's: the judge compares, by its own means
        return differs

    def _fields_(self) -> tuple[Any, ...]:
        """Return the values of the fields that the teacher's dataclass of this name compares."""
        one = self._asked_()
        return tuple(self._look_(_attributes, list(one.fields or ()))) if one else ()

    def _computed_(self, operation: str, function: Any, others: Any, reflected: bool) -> Any:
        """Answer an operator that computes, or an order."""
        kind = self._kind_(operation)
        answer = operations.answer(operation, kind)
        if answer is Answer.STUDENT:
            orders = operation in operations.ORDER and _is_of(others[0], self._link_)
            if orders and others[0]._asked_() is None and not others[0]._plain_():
                others[0]._refuse_(operation)
            operands = (*others, self) if reflected else (self, *others)
            return self._link_.call(function, *operands)
        if answer is Answer.JUDGE and kind is Kind.DATA:
            mine = self._data_()
            return function(*others, mine) if reflected else function(mine, *others)
        if answer is Answer.JUDGE:
            if not _is_of(others[0], self._link_) or self._mro_[:1] != others[0]._mro_[:1]:
                return NotImplemented
            return function(self._fields_(), others[0]._fields_())
        self._refuse_(operation)


#: What Python calls the classes of classes, functions and what they give.
_KINDS_OF_CODE: dict[str, type] = {
    f"builtins:{kind.__name__}": kind
    for kind in (type, types.FunctionType, types.MethodType, types.GeneratorType)
}


class _ClassOfStudents(type):
    """Makes a test's class that inherits from a student's: beside theirs, in their process."""

    def __new__(mcs, name: str, bases: tuple[Any, ...], parts: dict[str, Any], **options: Any):
        if "__orig_bases__" not in parts:  # the one class here that is a class of the judge's
            return super().__new__(mcs, name, bases, parts)
        given = parts.pop("__orig_bases__")
        parts.pop("__classcell__", None)
        theirs = next(base for base in given if issubclass(type(base), Remote))
        return theirs._link_.call(_class_of, name, given, parts, options)

    def __init__(cls, *args: Any, **options: Any) -> None:
        super().__init__(*args)


class _OfStudents(metaclass=_ClassOfStudents):
    """Stands among the bases of a class for a class of the student's."""


def _class_of(
    name: str, bases: tuple[Any, ...], parts: dict[str, Any], options: dict[str, Any]
) -> type:
    made = types.new_class(name, bases, options, lambda names: names.update(parts))
    for part in parts.values():
        # What `super()` looks at in the class's own methods, each of which came by itself.
        function = getattr(part, "__func__", part)
        if type(function) is types.FunctionType and "__class__" in function.__code__.co_freevars:
            place = function.__code__.co_freevars.index("__class__")
            function.__closure__[place].cell_contents = made
    return made


def type_of(kind: Any, value: Any) -> Any:
    """Return the class of a value for `type(value)` in a test; of a stand-in, what it stands for.

    `kind` is what the test calls `type`; None where it asks for `value.__class__`.
    """
    if kind in (None, type) and issubclass(type(value), Remote):
        return value._type_()
    return value.__class__ if kind is None else kind(value)


def _is_of(value: Any, link: Link) -> bool:
    """Tell whether a value stands for an object in the student's process of this link."""
    return issubclass(type(value), Remote) and object.__getattribute__(value, "_link_") is link


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
        told = self._told_ if self._told_ and self._told_[1] == self._link_.calls else None
        try:
            item = self._ask_(next)
        except StopIteration:
            if told and told[0] > 0:
                self._disagree_(told[0], 0)
            raise
        if told:
            object.__setattr__(self, "_told_", (told[0] - 1, self._link_.calls))
        return item


def _operator(name: str, function: Callable[..., Any], reflected: bool = False) -> Any:
    def method(self: Remote, *others: Any) -> Any:
        return self._computed_(name, function, others, reflected)

    return method


def _in_place(name: str, function: Callable[..., Any]) -> Any:
    def method(self: Remote, other: Any) -> Any:
        one = self._asked_()
        if one is None or name not in one.operations:
            return NotImplemented  # Python computes `a = a + b`
        return self._link_.call(function, self, other)

    return method


_FUNCTIONS = {"__round__": round, "__divmod__": divmod} | {
    f"__{name}__": getattr(math, name) for name in ("trunc", "floor", "ceil")
}

for _name in operations.REFLECTED:
    _function = _FUNCTIONS.get(_name) or getattr(operator, _name)
    setattr(Remote, _name, _operator(_name, _function))
    setattr(Remote, _name.replace("__", "__r", 1), _operator(_name, _function, reflected=True))
    if _name != "__divmod__":
        _other = _name.replace("__", "__i", 1)
        setattr(Remote, _other, _in_place(_other, getattr(operator, _other)))
for _name in (*operations.ORDER, "__neg__", "__pos__", "__abs__", "__invert__"):
    setattr(Remote, _name, _operator(_name, getattr(operator, _name)))
for _name in ("__round__", "__trunc__", "__floor__", "__ceil__"):
    setattr(Remote, _name, _operator(_name, _FUNCTIONS[_name]))


#: How the data of an object is had that is a kind of it, whatever methods it has of its own.
_BY_KIND: dict[str, Callable[[Any], Any]] = {
    "builtins:bool": bool,
    "builtins:int": int.__int__,
    "builtins:float": float.__float__,
    "builtins:complex": complex.__complex__,
    "builtins:str": str.__str__,
    "builtins:bytes": lambda value: bytes.__getitem__(value, slice(None)),
    "builtins:list": list.copy,
    "builtins:tuple": lambda value: tuple.__getitem__(value, slice(None)),
    "builtins:dict": dict.copy,
    "builtins:set": lambda value: set(set.__iter__(value)),
    "builtins:frozenset": lambda value: frozenset(frozenset.__iter__(value)),
}


def _same(value: Any) -> Any:
    return value


def _by_kind(value: Any, kind: str) -> Any:
    """Return the data of an object, on the student's side."""
    return _BY_KIND[kind](value)


def _item_by_kind(value: Any, kind: str, key: Any) -> Any:
    return PLAIN_KINDS[kind].__getitem__(value, key)  # type: ignore[attr-defined]


def _parameters(function: Any) -> list[list[Any]]:
    found = inspect.signature(function).parameters.values()
    return [[p.name, int(p.kind), p.default is not p.empty] for p in found]


def _attributes(value: Any, names: list[str]) -> list[Any]:
    return [getattr(value, name) for name in names]


def _backwards(value: Any) -> list[Any]:
    return list(reversed(value))


def _all_or_iterator(value: Any) -> list[Any]:
    """Return a container's length and all its items; None and the iterator of what has no end."""
    made = iter(value)
    if made is value or not hasattr(value, "__len__"):
        return [None, made]
    items = list(made)
    try:
        return [len(value), items]
    except TypeError:
        return [None, items]


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


def _library_class(dotted: str) -> type | None:
    """Return a class of a library by its place, if it is loaded, and is no kind of plain data."""
    module, _, name = dotted.rpartition(".")
    found = getattr(sys.modules.get(module or "builtins"), name, None)
    is_class = isinstance(found, type) and found is not object
    return found if is_class and found not in PLAIN_KINDS.values() else None


def _has(known: type, name: str) -> bool:
    """Tell whether a class has a method that is not every object's."""
    return getattr(known, name, None) not in (None, getattr(object, name, None))


def _is_librarys(entry: str, method: str, modules: Collection[str]) -> bool:
    """Tell whether a class, by its place, is one that the teacher's notebook imports.

    One that is not loaded here is believed to have the method.
    """
    module, _, name = entry.partition(":")
    if module in ("__main__", "builtins"):
        return False
    known = getattr(sys.modules.get(module), name, None)
    if isinstance(known, type):
        there = any(getattr(sys.modules.get(m), name, None) is known for m in modules)
        return there and callable(getattr(known, method, None))
    top = module.partition(".")[0]
    return any(m.partition(".")[0] == top and m.endswith(f".{name}") for m in modules)


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
