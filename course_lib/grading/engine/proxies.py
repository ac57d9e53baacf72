"""The judge's side of a student's objects: copies of data, and stand-ins for everything else.

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
import io
import operator
import socket
import sys
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import GeneratorType, MappingProxyType
from typing import Any

import cloudpickle
import numpy as np

from course_lib.grading.engine import protocol
from course_lib.grading.engine.objects import (
    arrive,
    error_again,
    fingerprint,
    mutable_arguments,
    with_gradient,
)
from course_lib.grading.engine.randomness import random_state, set_random_state


class StudentGone(BaseException):
    """The student's process ended, or was stopped, in the middle of a test.

    No exception that a test expects: `except Exception` must not take it for one of the student's.
    """


class JudgeLimit(TypeError):
    """The test asks a student's object for a verdict, which the judge does not take from it."""


class Link:
    """A connection to the student's process, and what the judge has of its objects.

    It serves one test cell after the other, for as long as the process has the same objects.

    Parameters
    ----------
    connection : socket
    asked_classes : mapping of str to set of str
        Classes that the exercise asks the student to write, and the special methods that the
        teacher's have: these are under test. None stands for all special methods.
    modules : set of str
        Modules that the teacher's notebook imports: the only ones that a student's name may mean.
    """

    def __init__(
        self,
        connection: socket.socket,
        asked_classes: Mapping[str, Collection[str] | None] = MappingProxyType({}),
        modules: Collection[str] = (),
        taken: Collection[str] = frozenset(),
        own: Callable[[str], Any] = {}.get,
    ) -> None:
        # Gives what the tests have by a name: the teacher's classes, which the student has, too.
        self.own = own
        self.connection = connection
        # The names of Python's that the exercise asks for.
        self.taken = taken
        # Why nothing can be asked any more, if so: a test may have caught the error that said it.
        self.gone = ""
        self.asked_classes = asked_classes
        self.modules = modules
        self.released: list[int] = []
        self.tied: dict[int, weakref.ref[Any]] = {}
        self.seen: dict[int, tuple[bytes, bool]] = {}
        self.student_random: bytes | None = None
        # Tensors of the judge's that the current call was given, and that want gradients.
        self.guests: list[Any] = []
        # What the student's copies of such tensors look like, by number, in this test.
        self.copies: dict[int, tuple[bytes, bool]] = {}
        # What the student was lent and may still change: a generator may hold on to it.
        self.lent: dict[int, Any] = {}
        # What stands for the student's own kinds of errors, which a test may want to catch.
        self.errors: dict[tuple[str, ...], type[BaseException]] = {}
        # Copies that the test has only just got: `net.weight.fill_(0)` keeps no name for one.
        self.fresh: list[Any] = []

    # Requests --------------------------------------------------------------------------------

    def request(
        self, what: str, function: Any = None, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        """Ask the student's process to do something; return the result, or raise its error.

        Raises
        ------
        StudentGone
            When the process is gone or talks nonsense.
        """
        if self.connection.fileno() < 0:
            # Between the tests. What there is to say is said in the next one.
            raise StudentGone("the student's process is asked outside of a test")
        kwargs = kwargs or {}
        state = random_state()
        lent: list[int | None] = []
        if what == "call":
            args = tuple(map(_listed, args))
            kwargs = {name: _listed(value) for name, value in kwargs.items()}
            arguments = mutable_arguments(args, kwargs)
            self.guests = [value for value in arguments if _wants_gradient(value)]
            # What is the student's own is not lent: it is told of as all their objects are.
            lent = [None if issubclass(type(v), Remote) else id(v) for v in arguments]
            self.lent.update(zip(lent, arguments, strict=True))
        released, self.released = self.released, []
        guests = self.changed_guests()
        message = {
            "what": what,
            "function": function,
            "args": args,
            "kwargs": kwargs,
            "lent": lent,
            "released": released,
            "updates": self.updates(),
            "guests": guests,
            "random": state if state != self.student_random else None,
            "taken": self.taken,
        }
        try:
            packed = _dumps(message, self.guests)
        except BaseException:
            # Something among it cannot travel. What else was to be said is said next time.
            self.released += released
            self.seen.update({number: (b"", False) for number, *_ in message["updates"]})
            self.copies.update({number: (b"", False) for number, *_ in guests})
            raise
        if what == "call":
            self.copies.update({id(guest): _print_of(guest) for guest in self.guests})
        self.student_random = state
        try:
            protocol.send(self.connection, packed)
            answer = protocol.unpack(protocol.receive(self.connection), self.resolve)
        except protocol.Closed:
            self.gone = "the student's code ended the process or was stopped"
        except protocol.WireError as error:
            self.gone = f"what came from the student cannot be read: {error}"
        if self.gone:
            raise StudentGone(self.gone)
        return self.take(answer)

    def of_next_test(self, connection: socket.socket) -> None:
        """Go on with the same objects over another connection."""
        self.connection = connection
        self.gone, self.student_random, self.guests = "", None, []
        self.copies.clear()

    def take(self, answer: Any) -> Any:
        """Take an answer over: changes first, then the result."""
        try:
            status, value, changed, news, state = answer
            for number, content in changed:
                _change(self.lent[number], content)
                if number in self.copies:
                    self.copies[number] = _print_of(self.lent[number])
            for number, data, gradient in news:
                self.renew(number, data, gradient)
            if state:
                set_random_state(state)
                self.student_random = state
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            self.gone = f"what came from the student cannot be used: {problem}"
            raise StudentGone(self.gone) from None
        if status == "ok":
            return value
        if status == "error":
            raise rebuild_error(value, self.errors, self.own)
        self.gone = f"the student's process cannot answer: {str(value)[:500]}"
        raise StudentGone(self.gone)

    def can_send(self, value: Any) -> bool:
        """Tell whether a value can travel."""
        try:
            _dumps({"value": value}, self.guests)
        except Exception:
            return False
        return True

    def call(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Run a function beside the student's objects."""
        return self.request("call", function, args, kwargs)

    def get(self, name: str) -> Any:
        """Return what the student's name means; KeyError if it means nothing."""
        found = self.request("find", args=(name,))
        if type(found) is not list or len(found) != 1:
            raise KeyError(name)
        return found[0]

    def release(self, number: int) -> None:
        """Note that a stand-in is gone; the student hears of it with the next request."""
        self.released.append(number)

    # Copies of arrays and tensors --------------------------------------------------------------

    def tie(self, number: int, value: Any) -> None:
        """Remember that `value` is a copy of the student's object `number`."""

        def gone(_: Any) -> None:
            self.tied.pop(number, None)
            self.seen.pop(number, None)
            self.released.append(number)

        self.tied[number] = weakref.ref(value, gone)
        self.fresh.append(value)
        self.seen[number] = _print_of(value)

    def updates(self) -> list[tuple[int, Any, Any]]:
        """Return what the test has changed in its copies since the student last heard."""
        found = []
        for number, reference in list(self.tied.items()):
            value = reference()
            if value is None:
                continue
            now = _print_of(value)
            if now != self.seen[number]:
                self.seen[number] = now
                gradient = value.grad if value.is_leaf else None
                data = value.detach().clone()
                found.append((number, data, "none" if gradient is None else gradient.clone()))
        self.fresh.clear()
        return found

    def changed_guests(self) -> list[tuple[int, Any, Any]]:
        """Return what the test has changed in tensors of its own that the student has copies of."""
        found = []
        for number, old in self.copies.items():
            value = self.lent[number]
            now = _print_of(value)
            if now != old:
                self.copies[number] = now
                gradient = value.grad if value.is_leaf else None
                copy_of = None if gradient is None else gradient.detach().clone()
                found.append((number, value.detach().clone(), copy_of))
        return found

    def renew(self, number: int, data: Any, gradient: Any) -> None:
        """Take over what the student's side has changed in an object that we hold a copy of."""
        reference = self.tied.get(number)
        value = reference() if reference else None
        if value is None:
            return
        _set_tensor(value, data, gradient)
        self.seen[number] = _print_of(value)

    # From the wire -----------------------------------------------------------------------------

    def resolve(self, description: list[Any]) -> Any:
        """Make what stands in for a handle."""
        kind, *rest = description
        if kind == "tensor":
            return self.tensor(*rest)
        return self.stand_in(rest)

    def tensor(
        self,
        data: Any,
        requires_grad: bool,
        parameter: bool,
        description: list[Any],
        gradient: Any,
    ) -> Any:
        """Make a copy of a student's tensor, tied to the original."""
        import torch

        number, leaf, guest_number = description
        if type(number) is not int:
            raise protocol.WireError("a tensor without its number")
        if guest_number in self.copies:
            # It gives back what it was given.
            self.released.append(number)
            return self.lent[guest_number]
        known = self.tied.get(number)
        value = known() if known else None
        if value is not None and value.shape == data.shape:
            self.released.append(number)
            return value
        if parameter:
            value = torch.nn.Parameter(data, requires_grad=requires_grad)
        elif requires_grad and not leaf:
            # A result of a computation on the student's side: backward() continues there.
            return _through(_Handle(self, number), data, self.guests)
        else:
            value = data.requires_grad_(requires_grad) if requires_grad else data
        if gradient is not None and requires_grad:
            value.grad = _tensor_of(gradient).reshape(value.shape)
        self.tie(number, value)
        return value

    def stand_in(self, description: list[Any]) -> Any:
        """Make a stand-in for an object of the student's."""
        number, kind, *rest = description
        if type(number) is not int:
            raise protocol.WireError("an object without its number")
        if kind == "module":
            self.released.append(number)
            return own_module(rest[0], self.modules)
        name, mro, traits, own_mro = rest
        if "class" in traits and own_mro:
            local = _PLAIN_KINDS.get(own_mro[0]) or _known_class([own_mro[0]])
            if local is not None and (_is_plain(local) or _is_imported(local, self.modules)):
                self.released.append(number)
                return local
            if "builtins:Exception" in own_mro:
                # A class that `except` takes, and that the student's errors are made of here.
                kind = _error_class(_texts(own_mro), self.errors, self.own)
                if type(kind) is ErrorKind:
                    mro = [str(entry) for entry in mro]
                    kind._twin_ = RemoteCallable(self, number, str(name), mro, own_mro)
                else:
                    self.released.append(number)
                return kind
        cls = Remote
        if "callable" in traits:
            cls = RemoteCallable
        if "iterator" in traits:
            cls = RemoteIterator
        return cls(self, number, str(name), [str(entry) for entry in mro], own_mro)


def _dumps(message: dict[str, Any], guests: list[Any]) -> bytes:
    buffer = io.BytesIO()
    _Pickler(buffer, guests).dump(message)
    return buffer.getvalue()


class _Pickler(cloudpickle.Pickler):
    """Writes the judge's values: whole functions, numbers for what is the student's."""

    def __init__(self, file: io.BytesIO, guests: list[Any]) -> None:
        super().__init__(file, protocol=5)
        self.guests = {id(guest): guest for guest in guests}

    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, Remote):
            return value._number_
        if type(value) is ErrorKind:
            twin = vars(value).get("_twin_")
            return None if twin is None else twin._number_
        if type(type(value)) is ErrorKind and "_made_" in vars(value):
            return value._made_._number_
        return None

    def reducer_override(self, value: Any) -> Any:
        if id(value) in self.guests:
            parameter = type(value).__name__ == "Parameter"
            gradient = value.grad if value.is_leaf else None
            gradient = None if gradient is None else protocol.raw_tensor(gradient)
            return arrive, (id(value), protocol.raw_tensor(value), parameter, gradient)
        if _is_tensor(value) and value.is_leaf and value.grad is not None:
            return with_gradient, (*value.__reduce_ex__(5)[:2], value.grad)
        if type(type(value)) is ErrorKind:
            return error_again, (type(value), str(value))
        return super().reducer_override(value)


def _is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and type(value) in (torch.Tensor, torch.nn.Parameter)


def _wants_gradient(value: Any) -> bool:
    return _is_tensor(value) and value.requires_grad


def _listed(value: Any) -> Any:
    """Return what can travel in the place of what `net.parameters()` gives."""
    if type(value) is GeneratorType and value.gi_code.co_filename == _module_file():
        return iter(list(value))
    return value


def _module_file() -> str:
    torch = sys.modules.get("torch")
    return "" if torch is None else torch.nn.Module.parameters.__code__.co_filename


# Stand-ins ----------------------------------------------------------------------------------------


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
        return _known_class(self._mro_, self._link_.own) or type(self)

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
            _PLAIN_KINDS.get(entry) or _known_class([entry], self._link_.own)
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
        return _of_type(self._ask_(float), float)

    def __int__(self) -> int:
        return _of_type(self._ask_(int), int)

    def __index__(self) -> int:
        return _of_type(self._ask_(operator.index), int)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array(_of_type(self._ask_(np.asarray), np.ndarray), dtype=dtype)

    def __enter__(self) -> Any:
        return self._link_.call(_enter, self)

    def __exit__(self, *error: Any) -> bool:
        self._link_.call(_leave, self)
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
        kind = next((_PLAIN_KINDS[entry] for entry in self._mro_ if entry in _PLAIN_KINDS), None)
        if kind is None and type(other).__module__ == "__main__" and type(other) is self.__class__:
            return NotImplemented  # a class of the teacher's: the judge compares, by its own means
        return kind is not None and _of_type(self._ask_(kind), kind) == other

    def __ne__(self, other: Any) -> Any:
        if self._is_asked_("eq", "ne"):
            return self._ask_(operator.ne, other)
        same = self.__eq__(other)
        return same if same is NotImplemented else not same


#: Data that a student's class may be a kind of.
_PLAIN_KINDS: dict[str, type] = {
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


def _of_type(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{kind.__name__} wanted; the student's object gave {type(value).__name__}")
    return value


def _own_class(entry: str, own: Callable[[str], Any]) -> type | None:
    """Return the class of the tests that a class of the notebook is on the student's side."""
    module, _, name = entry.partition(":")
    found = own(name) if module == "__main__" else None
    return found if issubclass(type(found), type) and found.__module__ == "__main__" else None


def _known_class(names: list[str], own: Callable[[str], Any] = {}.get) -> type | None:
    """Return the first class of these that the judge knows itself, except plain `object`."""
    for entry in names:
        module, _, name = entry.partition(":")
        mine = _own_class(entry, own)
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


def _is_plain(known: type) -> bool:
    """Tell whether the judge may call a class that the student names with what the student gave.

    Layers, optimizers, numbers and errors do nothing but hold it. Others start processes, read
    files, or make objects that equal much: what these make stays on the student's side.
    """
    torch = sys.modules.get("torch")
    if torch is not None and issubclass(known, torch.nn.Module):
        return known.__module__.startswith("torch.nn.modules.")
    if torch is not None and issubclass(known, torch.optim.Optimizer):
        return known.__module__.startswith("torch.optim.")
    return issubclass(known, np.generic | Exception) or known in _PLAIN_KINDS.values()


def _is_imported(known: type, modules: Collection[str]) -> bool:
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


# Errors -------------------------------------------------------------------------------------------


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
        base = _error_class(_texts(names), classes, own)
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


def _texts(names: list[Any]) -> tuple[str, ...]:
    return tuple(str(name) for name in names[:20])


def _error_class(
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
        parent = _error_class(names[1:], classes, own)
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
    error = kind.__new__(kind)
    error.args = (message,)
    if not _says(error, message):
        # Errors of keys, and NumPy's own, make their text of what they were given.
        parts = {"__module__": "__main__", "__str__": _only_text}
        kind = type(kind)(kind.__name__, (kind,), parts)
        error = kind.__new__(kind)
        error.args = (message,)
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
            found = _own_class(entry, own) if module == "__main__" else known
        if isinstance(found, type) and issubclass(found, BaseException):
            return found
    return Exception


# Changes ------------------------------------------------------------------------------------------


def _print_of(value: Any) -> tuple[bytes, bool]:
    return fingerprint(value), value.is_leaf and value.grad is not None


def _change(argument: Any, content: list[Any]) -> None:
    """Give an argument the content that the student's call left in its copy."""
    kind, *rest = content
    if kind == "module":
        training, tensors = rest
        argument.train(bool(training))
        for mine, (data, gradient) in zip(
            [*argument.parameters(), *argument.buffers()], tensors, strict=True
        ):
            _set_tensor(mine, data, gradient)
    elif kind == "optimizer":
        _set_optimizer(argument, rest[0])
    elif kind == "tensor":
        _set_tensor(argument, *rest[0])
    elif isinstance(argument, np.ndarray):
        argument[...] = rest[0]
    elif isinstance(argument, dict | set):
        argument.clear()
        argument.update(rest[0])
    else:
        argument[:] = rest[0]


def _set_tensor(mine: Any, data: Any, gradient: Any) -> None:
    import torch

    with torch.no_grad():
        mine.data.copy_(_tensor_of(data))
    if mine.is_leaf:
        mine.grad = None if gradient is None else _tensor_of(gradient)


def _tensor_of(data: Any) -> Any:
    return _of_type(data, sys.modules["torch"].Tensor)


def _set_optimizer(mine: Any, states: list[dict[str, Any]]) -> None:
    parameters = [p for group in mine.param_groups for p in group["params"]]
    for parameter, state in zip(parameters, states, strict=False):
        mine.state[parameter] = dict(state)


# Gradients ----------------------------------------------------------------------------------------


def _through(original: _Handle, data: Any, guests: list[Any]) -> Any:
    """Return a tensor whose backward() goes on in the student's process.

    Its inputs are the judge's tensors that the call was given: the gradients that reach their
    copies there come back, and flow on here.
    """
    import torch

    class Through(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, value: Any, *inputs: Any) -> Any:
            return value.clone()

        @staticmethod
        def backward(context: Any, gradient: Any) -> Any:
            wanted = [id(guest) for guest in guests]
            link = original._link_
            found = link.request("backward", args=([original], [gradient], wanted))
            back = [
                None if g is None else _tensor_of(g).reshape(guest.shape)
                for g, guest in zip(found, guests, strict=True)
            ]
            return (torch.zeros_like(gradient), *back)

    # An anchor makes the result want gradients when no guest does (a network of the student's).
    return Through.apply(data.requires_grad_(True), *guests)


class _Handle(Remote):
    """Keeps hold of a tensor of the student's, for as long as a graph of the judge's needs it."""

    __slots__ = ()

    def __init__(self, link: Link, number: int) -> None:
        super().__init__(link, number, "Tensor", [], [])
