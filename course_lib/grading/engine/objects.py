"""The student's objects, on their side: what the judge's calls are run on.

The judge sends whole functions and arguments (cloudpickle), in which the student's objects are
numbers of handles. The answer is plain data (`protocol`): the result, what the call changed in its
arguments and in the arrays that the judge holds copies of, and the state of the random numbers.
"""

from __future__ import annotations

import builtins
import contextlib
import dis
import functools
import inspect
import io
import pickle
import socket
import sys
import types
import weakref
from collections.abc import Container, Iterable, Iterator
from typing import Any

import numpy as np

from course_lib.grading.engine import protocol
from course_lib.grading.engine.errors import describe
from course_lib.grading.engine.limits import MAX_HANDLES
from course_lib.grading.engine.randomness import random_state, set_random_state


class Handles:
    """Numbers for objects that stay where they are."""

    def __init__(self) -> None:
        self.objects: dict[int, Any] = {}
        self.numbers: dict[int, int] = {}
        # How often the judge was told of each: it lets go as often.
        self.counts: dict[int, int] = {}
        self.next = 1

    def number(self, value: Any) -> int:
        """Return the object's number; the same object has the same number while it is held."""
        known = self.numbers.get(id(value))
        if known is not None and self.objects.get(known) is value:
            self.counts[known] += 1
            return known
        if len(self.objects) >= MAX_HANDLES:
            raise protocol.WireError("too many objects are held")
        number, self.next = self.next, self.next + 1
        self.objects[number] = value
        self.numbers[id(value)] = number
        self.counts[number] = 1
        return number

    def release(self, numbers: list[int]) -> list[int]:
        """Let go of objects; return those that the judge no longer holds at all."""
        gone = []
        for number in numbers:
            self.counts[number] -= 1
            if not self.counts[number]:
                del self.counts[number]
                value = self.objects.pop(number)
                self.numbers.pop(id(value), None)
                gone.append(number)
        return gone


class Server:
    """Runs the judge's calls in the student's namespace."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace
        self.handles = Handles()
        # The names of the classes that the exercise asks for.
        self.kept: Container[str] = ()
        # What the judge was last told of the arrays and tensors that it holds copies of.
        self.told: dict[int, bytes] = {}
        # What the judge lent: how to get at it, what it looked like, whether it is a container.
        self.borrowed: dict[int, tuple[Any, Any, bool]] = {}
        # The random numbers that the judge goes on with, as far as it has been told.
        self.random: bytes | None = None
        self.link: socket.socket | None = None

    def serve(self, link: socket.socket) -> None:
        """Answer until the judge hangs up."""
        global _serving
        _serving, self.link = self, link
        GUESTS.clear()
        _GUEST_NUMBERS.clear()
        while True:
            try:
                message = protocol.receive(link)
            except protocol.Closed:
                return
            answer = self.answer(message)
            try:
                protocol.send(link, answer)
            except protocol.Closed:
                return

    def answer(self, message: bytes) -> bytes:
        """Run one request; return the packed answer."""
        try:
            request = self.read(message)
            try:
                value = self.perform(request)
                status = "ok"
            except BaseException as error:
                if isinstance(error, protocol.WireError):
                    raise
                status, value = "error", describe(error)
            return self.message(status, value, self.changed(), self.news())
        except BaseException as error:
            self.random = None
            problem = f"{type(error).__name__}: {error}"
            return protocol.pack(["broken", problem[:1000], [], [], None], lambda value: ["?"])

    def read(self, message: bytes) -> dict[str, Any]:
        """Read what the judge says, and take over what it has changed."""
        reader = _Unpickler(io.BytesIO(message), self.handles)
        request = reader.load()
        for number in self.handles.release(request["released"]):
            self.told.pop(number, None)
        self.kept = request["kept"]
        self.take_updates(request["updates"])
        self.take_guests(request["guests"])
        if request["random"]:
            self.random = request["random"]
            set_random_state(self.random)
        arguments = mutable_arguments(request["args"], request["kwargs"], reader.own)
        self.borrow(request["lent"], arguments)
        for function in reader.functions:
            _at_home(function, self.namespace, request["taken"])
        return request

    def message(self, status: str, value: Any, changed: list[Any], news: list[Any]) -> bytes:
        """Pack what the judge is told, and the state of the random numbers if that is another."""
        told = self.random
        self.random = random_state()
        random = None if self.random == told else self.random
        return self.packed([status, value, changed, news, random])

    def ask_judge(self, number: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function that a test has lent, where it is; answer what the judge asks meanwhile.

        Raises
        ------
        Exception
            What the function raised.
        """
        assert self.link is not None
        parts = parts_of(args, kwargs)
        # Containers are followed for one call, and this one is not over.
        lent = {n: entry for n, entry in self.borrowed.items() if entry[2]}
        # What the call has changed so far is told at its end, with all the rest.
        message = self.message("lent", [number, list(args), kwargs], [], [])
        while True:
            protocol.send(self.link, message)
            said = protocol.receive(self.link)
            if not said.startswith(RETURNS):
                message = self.answer(said)
                continue
            request = self.read(said[len(RETURNS) :])
            self.borrowed = {**lent, **self.borrowed}
            status, value, changed = request["args"]
            for place, content in changed:
                fill(parts[place], content)
            if status == "error":
                raise value
            return value

    def borrow(self, numbers: list[int | None], values: list[Any]) -> None:
        """Note what the judge lent to this call, and how it looks before."""
        self.borrowed = {n: entry for n, entry in self.borrowed.items() if not entry[2]}
        for number, value in zip(numbers, values, strict=False):
            if number is None:
                continue
            plain = type(value) in (list, dict, set, bytearray, _LIST_ITERATOR)
            reference = (lambda value=value: value) if plain else weakref.ref(value)
            # Containers cannot be watched from afar: they are followed for this call alone.
            self.borrowed[number] = (reference, _snapshot(value), plain)

    def changed(self) -> list[Any]:
        """Tell what has changed in what the judge lent."""
        found = []
        for number, (reference, old, plain) in list(self.borrowed.items()):
            value = reference()
            if value is None:
                del self.borrowed[number]
                continue
            new = _snapshot(value)
            if new != old:
                self.borrowed[number] = (reference, new, plain)
                found.append([number, _content(value, old)])
        return found

    def perform(self, request: dict[str, Any]) -> Any:
        """Do what is asked."""
        what, args, kwargs = request["what"], request["args"], request["kwargs"]
        if what == "find":
            # Nothing, or a list of one: a name may mean None.
            return [self.namespace[args[0]]] if args[0] in self.namespace else None
        if what == "push":
            self.namespace.update(kwargs)
            return None
        if what == "remove":
            for name in args:
                self.namespace.pop(name, None)
            return None
        if what == "backward":
            return self.backward(*args)
        return request["function"](*args, **kwargs)

    def backward(self, outputs: list[Any], gradients: list[Any], wanted: list[int]) -> list[Any]:
        """Send gradients through the student's graph.

        They gather in the student's own leaves; those that reach copies of the judge's tensors are
        returned, for the judge's side of the graph.
        """
        import torch

        guests = [GUESTS[number] for number in wanted]
        kept = [guest.grad for guest in guests]
        for guest in guests:
            guest.grad = None
        torch.autograd.backward(outputs, gradients, retain_graph=True)
        found = [_numbers(guest.grad) for guest in guests]
        for guest, old in zip(guests, kept, strict=True):
            guest.grad = old
        return found

    def packed(self, answer: list[Any]) -> bytes:
        """Encode an answer, and note what it tells of arrays and tensors."""
        return protocol.pack(answer, self.describe_handle)

    def describe_handle(self, value: Any) -> Any:
        """Describe an object that stays here; what is a kind of array goes as the array."""
        if not any(base.__name__ in self.kept for base in type(value).__mro__):
            array = _array_of(value)
            if array is not None:
                return protocol.Instead(array)
        if has_parts(value):
            for lent, (reference, *_) in self.borrowed.items():
                if reference() is value:
                    return ["lent", lent]
        number = self.handles.number(value)
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.Tensor):
            self.told[number] = fingerprint(value)
            return [number, bool(value.is_leaf), _guest_number(value)]
        kind = type(value)
        if isinstance(value, types.ModuleType):
            return [number, "module", str(value.__name__)]
        names = [[str(c.__module__), str(c.__qualname__)] for c in kind.__mro__[:20]]
        flags = {
            "callable": callable(value),
            "iterator": hasattr(kind, "__next__"),
            "class": isinstance(value, type),
        }
        own = []
        if isinstance(value, type):
            own = [[str(c.__module__), str(c.__qualname__)] for c in value.__mro__[:20]]
        traits = [name for name, there in flags.items() if there]
        return [number, "object", str(kind.__qualname__), _pairs(names), traits, _pairs(own)]

    def take_updates(self, updates: list[tuple[int, Any, Any]]) -> None:
        """Take over what the judge changed in its copies."""
        torch = sys.modules.get("torch")
        for number, value, gradient in updates:
            mine = self.handles.objects.get(number)
            if torch is not None and isinstance(mine, torch.Tensor):
                if value is not None:
                    with torch.no_grad():
                        mine.data.copy_(value)
                if gradient == "none":
                    mine.grad = None
                elif gradient is not None:
                    mine.grad = gradient.clone()
            elif isinstance(mine, np.ndarray) and value is not None:
                mine[...] = value
            if mine is not None:
                self.told[number] = fingerprint(mine)

    def take_guests(self, guests: list[tuple[int, Any, Any]]) -> None:
        """Take over what the judge changed in tensors of its own that have copies here."""
        for number, data, gradient in guests:
            value = GUESTS.get(number)
            if value is None:
                continue
            value.data.copy_(data)
            value.grad = gradient
            if number in self.borrowed:
                reference, _, plain = self.borrowed[number]
                self.borrowed[number] = (reference, _snapshot(value), plain)

    def news(self) -> list[Any]:
        """Tell what has changed in the arrays that the judge holds copies of."""
        changed = []
        for number, old in list(self.told.items()):
            value = self.handles.objects.get(number)
            if value is None:
                continue
            new = fingerprint(value)
            if new != old:
                self.told[number] = new
                gradient = value.grad.detach() if value.is_leaf and value.grad is not None else None
                changed.append([number, _numbers(value), _numbers(gradient)])
        return changed


#: What stands before the judge's message that a function it was asked to call has returned.
RETURNS = b"returns "

#: What answers in this process while a test runs.
_serving: Server | None = None


class Lent:
    """Stands on the student's side for a function that a test lends, and that stays with the test.

    It can be called while it is lent, and neither read nor kept.
    """

    def __init__(self, number: int, name: str, signature: Any) -> None:
        self._number, self.__name__, self.__qualname__ = number, name, name
        if signature is not None:
            self.__signature__ = signature

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Let the judge call the function."""
        return _ask_judge(self._number, self.__name__, args, kwargs)


class LentIterator:
    """Stands on the student's side for an iterator of a test's: the judge takes its items."""

    def __init__(self, number: int, name: str) -> None:
        self._number, self._name = number, name

    def __iter__(self) -> LentIterator:
        return self

    def __next__(self) -> Any:
        """Let the judge take the next item."""
        return _ask_judge(self._number, self._name, (), {})


def _ask_judge(number: int, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if _serving is None or _serving.link is None or _serving.link.fileno() < 0:
        raise RuntimeError(f"{name} was lent by a test, which is over")
    return _serving.ask_judge(number, args, kwargs)


def is_plain_iterator(kind: type) -> bool:
    """Tell whether a class is one of Python's kinds of iterators, whose place is to be kept.

    A list's travels with what it holds, which may want gradients.
    """
    pythons = kind.__module__ in ("builtins", "itertools") and kind is not _LIST_ITERATOR
    return pythons and issubclass(kind, Iterator)


def parts_of(args: Iterable[Any], kwargs: dict[str, Any]) -> list[Any]:
    """Return the arrays and containers among arguments that a function may change, in order.

    Tensors are followed otherwise: the judge's copy of a student's is tied to it.
    """
    found: list[Any] = []

    def walk(value: Any, depth: int) -> None:
        if isinstance(value, np.ndarray) or type(value) in (list, dict, set):
            found.append(value)
        if type(value) in (list, tuple, dict) and depth < 4:
            for item in value.values() if type(value) is dict else value:
                walk(item, depth + 1)

    for value in [*args, *kwargs.values()]:
        walk(value, 0)
    return found


def fill(part: Any, content: Any) -> None:
    """Give an array or a container another content."""
    if isinstance(part, np.ndarray):
        part[...] = content
    elif isinstance(part, list):
        part[:] = content
    else:
        part.clear()
        part.update(content)


def copies_of(parts: list[Any]) -> list[Any]:
    """Return what arrays and containers hold now, for `filled` to compare with."""
    return [p.copy() if isinstance(p, np.ndarray) else _Items(_flat(p)) for p in parts]


def filled(parts: list[Any], before: list[Any]) -> list[tuple[int, Any]]:
    """Return the places and contents of those that have changed."""
    found: list[tuple[int, Any]] = []
    for place, (part, old) in enumerate(zip(parts, before, strict=True)):
        if isinstance(part, np.ndarray):
            if part.tobytes() != old.tobytes():
                found.append((place, part))
        elif _Items(_flat(part)) != old:
            found.append((place, part))
    return found


def _flat(container: Any) -> Iterable[Any]:
    if isinstance(container, dict):
        return [part for pair in container.items() for part in pair]
    return list(container)


#: Copies of the judge's tensors that want gradients, by the judge's numbers.
GUESTS: dict[int, Any] = {}
_GUEST_NUMBERS: dict[int, int] = {}


def arrive(number: int, raw: _Raw, parameter: bool, gradient: _Raw | None) -> Any:
    """Make the student's copy of a tensor of the judge's that wants gradients.

    The same tensor has the same copy as long as a test lasts: graphs and objects keep it.
    """
    import torch

    data, value = protocol.tensor_of_raw(*raw), GUESTS.get(number)
    kind = torch.nn.Parameter if parameter else torch.Tensor
    if type(value) is not kind or (value.shape, value.dtype) != (data.shape, data.dtype):
        value = torch.nn.Parameter(data) if parameter else data.requires_grad_(True)
        GUESTS[number] = value
        _GUEST_NUMBERS[id(value)] = number
    elif protocol.raw_tensor(value)[2] != raw[2]:
        value.data.copy_(data)
    value.grad = None if gradient is None else protocol.tensor_of_raw(*gradient)
    return value


def arrive_at_home(number: int, value: Any) -> Any:
    """Take a tensor of the student's own, of which the judge has a copy that wants gradients."""
    GUESTS[number] = value
    _GUEST_NUMBERS[id(value)] = number
    return value


_Raw = tuple[str, list[int], bytes]


def with_gradient(make: Any, parts: tuple[Any, ...], gradient: Any) -> Any:
    """Make the student's copy of another tensor of the judge's, with its gradient."""
    value = make(*parts)
    value.grad = gradient
    return value


def error_again(kind: type[BaseException], message: str) -> BaseException:
    """Make an error that a test hands over."""
    error = kind.__new__(kind)
    error.args = (message,)
    return error


def _guest_number(value: Any) -> int | None:
    """Return the number of a tensor that is a copy of one of the judge's: a call gave it back."""
    number = _GUEST_NUMBERS.get(id(value))
    return number if number is not None and GUESTS.get(number) is value else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, handles: Handles) -> None:
        super().__init__(file)
        self.handles = handles
        # The functions that came along whole, and the student's objects that go with them.
        self.functions: list[types.FunctionType] = []
        self.own: set[int] = set()

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        if name != "_make_function" or not module.startswith("cloudpickle"):
            return found

        def make(*parts: Any) -> types.FunctionType:
            self.functions.append(found(*parts))
            return self.functions[-1]

        return make

    def persistent_load(self, pid: Any) -> Any:
        self.own.add(id(self.handles.objects[pid]))
        return self.handles.objects[pid]


def _array_of(value: Any) -> Any:
    """Return the array or tensor that an object of a subclass is; None if it is none of these."""
    kind, torch = type(value), sys.modules.get("torch")
    if issubclass(kind, np.ndarray) and kind is not np.ndarray:
        plain = np.ndarray.view(value, np.ndarray)
        return plain if plain.dtype.kind in "biufcmMU" else None
    if torch is None or not issubclass(kind, torch.Tensor):
        return None
    if kind is torch.Tensor or issubclass(kind, torch.nn.Parameter):
        return None
    with contextlib.suppress(Exception), torch._C.DisableTorchFunctionSubclass():
        return torch.Tensor.as_subclass(value, torch.Tensor)
    return None


def _numbers(tensor: Any) -> Any:
    return None if tensor is None else protocol.Numbers(tensor)


def _pairs(names: list[list[str]]) -> list[str]:
    return [f"{module}:{name}" for module, name in names]


def _at_home(
    function: types.FunctionType, namespace: dict[str, Any], taken: Container[str]
) -> None:
    """Let a function of the judge's that runs here see the student's names as it would at home.

    A name of Python's is not the student's to choose, but for those `taken` by a solution.
    """
    names = function.__globals__
    for name in _names_in(function.__code__):
        pythons = hasattr(builtins, name) and name not in taken
        if name in namespace and name not in names and not pythons:
            names[name] = namespace[name]


def _names_in(code: types.CodeType) -> list[str]:
    """Return the names that code uses, and the code of what it defines."""
    return [*code.co_names, *(name for part in _inner(code) for name in _names_in(part))]


def _inner(code: types.CodeType) -> list[types.CodeType]:
    return [part for part in code.co_consts if isinstance(part, types.CodeType)]


@functools.lru_cache(maxsize=256)
def _globals_in(code: types.CodeType) -> tuple[str, ...]:
    """Return those names of a module that travel with a function: no names of attributes."""
    own = (one.argval for one in dis.get_instructions(code) if one.opname in _GLOBAL)
    return tuple(dict.fromkeys([*own, *(n for part in _inner(code) for n in _globals_in(part))]))


_GLOBAL = ("LOAD_GLOBAL", "STORE_GLOBAL", "DELETE_GLOBAL")


def _held(function: types.FunctionType) -> dict[str, Any]:
    """Return what a function knows by name: of its module, and of where it was defined."""
    names = function.__globals__
    found = {name: names[name] for name in _globals_in(function.__code__) if name in names}
    cells = function.__closure__ or ()
    for name, cell in zip(function.__code__.co_freevars, cells, strict=True):
        with contextlib.suppress(ValueError):  # a variable without a value yet
            found[name] = cell.cell_contents
    return found


#: Methods that put something into a container, or take it out.
_FILLING = frozenset(
    "add append appendleft clear discard extend insert pop popitem remove setdefault update".split()  # noqa: SIM905
)


@functools.lru_cache(maxsize=256)
def _filled_by(code: types.CodeType) -> frozenset[str]:
    """Return the names of containers that code puts something into.

    What it only reads stays the judge's: who calls it must not be asked what it holds.
    """
    loaded: dict[Any, set[str]] = {}
    found: set[str] = set()
    for one in dis.get_instructions(code):
        # `log["x"].append` and `log["x"] =` begin where the name does.
        begin = one.positions and (one.positions.lineno, one.positions.col_offset)
        if one.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF"):
            loaded.setdefault(begin, set()).add(one.argval)
        elif one.opname in ("STORE_SUBSCR", "DELETE_SUBSCR") or (
            one.opname in ("LOAD_METHOD", "LOAD_ATTR") and one.argval in _FILLING
        ):
            found |= loaded.get(begin, set())
    return frozenset(found.union(*map(_filled_by, _inner(code))))


def changes_itself(kind: type) -> bool:
    """Tell whether objects of a class of the notebook change by their own methods, once made.

    Others are data: vectors, settings, what measures an error.
    """
    methods = [
        method
        for base in kind.__mro__
        if base.__module__ == "__main__"
        for name, method in vars(base).items()
        if name not in ("__init__", "__new__", "__post_init__")
    ]
    return any(type(m) is types.FunctionType and _sets_parts(m.__code__) for m in methods)


@functools.lru_cache(maxsize=256)
def _sets_parts(code: types.CodeType) -> bool:
    """Tell whether code sets attributes, or puts something into them."""
    attributes = set()
    for one in dis.get_instructions(code):
        begin = one.positions and (one.positions.lineno, one.positions.col_offset)
        fills = one.opname in ("LOAD_METHOD", "LOAD_ATTR") and one.argval in _FILLING
        if one.opname in ("STORE_ATTR", "DELETE_ATTR") or (
            (fills or one.opname in ("STORE_SUBSCR", "DELETE_SUBSCR")) and begin in attributes
        ):
            return True
        if one.opname == "LOAD_ATTR" and not fills:
            attributes.add(begin)
    return any(map(_sets_parts, _inner(code)))


def mutable_arguments(args: Any, kwargs: Any, own: Container[int] = ()) -> list[Any]:
    """Return the arguments, and parts of them, that a call may change and that are copied back.

    A function among them may record what it is called with in a container that it knows by name.
    On the student's side, `own` holds the ids of what is the student's own, and a stand-in on the
    other side: both must find the same things in the same order.
    """
    found: list[Any] = []
    seen: set[int] = set()
    torch = sys.modules.get("torch")

    def travels(value: Any) -> bool:
        # A function of a notebook travels whole.
        mine = _is_of_notebook(value)
        return mine and id(value) not in own

    def walk(value: Any, depth: int) -> None:
        if isinstance(value, np.ndarray | bytearray) or (
            torch is not None
            and isinstance(value, torch.Tensor | torch.nn.Module | torch.optim.Optimizer)
        ):
            found.append(value)
        elif type(value) in (list, dict, set):
            found.append(value)
            if depth < 3 and len(value) < 1000:
                for item in value.values() if type(value) is dict else value:
                    walk(item, depth + 1)
        elif type(value) is tuple and depth < 3:
            for item in value:
                walk(item, depth + 1)
        elif type(value) is _LIST_ITERATOR and id(value) not in own and depth < 3:
            # What it goes through, and how far it is: looked at, and not taken.
            found.append(value)
            for item in value.__reduce__()[1][0]:
                walk(item, depth + 1)
        elif type(value) is types.MethodType and id(value) not in own:
            walk(value.__self__, depth)
        elif has_parts(value) and id(value) not in own and id(value) not in seen:
            seen.add(id(value))
            found.append(value)
            if depth < 3:
                for held in vars(value).values():
                    walk(held, depth + 1)
        elif travels(value) and id(value) not in seen and depth < 3:
            seen.add(id(value))
            if _stored_by(value.__code__):
                found.append(value)
            filled = _filled_by(value.__code__)
            for name, held in _held(value).items():
                changes = has_parts(held) and changes_itself(type(held))
                if travels(held) or changes or (name in filled and type(held) in _PLAIN):
                    walk(held, depth + 1)

    for value in [*args, *kwargs.values()]:
        walk(value, 0)
    return found


def fingerprint(value: Any) -> bytes:
    """Return a text that changes when an array, or a tensor or its gradient, does."""
    import hashlib

    if isinstance(value, np.ndarray):
        return hashlib.blake2b(np.ascontiguousarray(value).tobytes(), digest_size=16).digest()
    total = hashlib.blake2b(digest_size=16)
    total.update(protocol.raw_tensor(value)[2])
    if value.is_leaf and value.grad is not None:
        total.update(b"grad")
        total.update(protocol.raw_tensor(value.grad)[2])
    return total.digest()


_LIST_ITERATOR = type(iter([]))
_PLAIN = (list, dict, set)
_TRAVEL = ("__reduce__", "__reduce_ex__", "__getstate__", "__setstate__", "__getattribute__")


def has_parts(value: Any) -> bool:
    """Tell whether a value is an object of a notebook's class, with attributes of its own.

    One that says itself how it travels arrives with others than it had.
    """
    kind = type(value)
    return (
        kind.__module__ == "__main__"
        and not issubclass(kind, type | BaseException)
        and kind.__dictoffset__ != 0
        and kind.__weakrefoffset__ != 0
        and all(getattr(kind, name, None) is getattr(object, name, None) for name in _TRAVEL)
    )


@functools.lru_cache(maxsize=256)
def _stored_by(code: types.CodeType) -> frozenset[str]:
    """Return the names outside of itself to which a function gives other values."""
    free = set(code.co_freevars)
    found = {
        one.argval
        for one in dis.get_instructions(code)
        if one.opname == "STORE_GLOBAL" or (one.opname == "STORE_DEREF" and one.argval in free)
    }
    inner = frozenset().union(*(_stored_by(part) for part in _inner(code)))
    # What an inner function changes may be a variable of this one's own.
    return frozenset(found | (inner - set(code.co_cellvars)))


def _parts(value: Any) -> dict[str, Any]:
    """Return the attributes of an object, or what a function may give other values to."""
    if type(value) is types.FunctionType:
        held = _held(value)
        return {name: held[name] for name in _stored_by(value.__code__) if name in held}
    return {name: part for name, part in vars(value).items() if _may_be_set(value, name)}


def _may_be_set(value: Any, name: str) -> bool:
    """Tell whether an attribute is one that a student's code may change for a test.

    What its class does stays the test's, and so does all of what measures an error.
    """
    kind, torch = type(value), sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.nn.Module):
        # What PyTorch keeps in it is told of otherwise.
        kept = name[:1] == "_" or name == "training"
        if kept or kind.__module__ != "__main__" or isinstance(value, torch.nn.modules.loss._Loss):
            return False
    of_class = inspect.getattr_static(kind, name, None)
    return not callable(of_class) and not hasattr(type(of_class), "__get__")


def set_parts(value: Any, changed: dict[str, Any], gone: list[str]) -> None:
    """Give attributes of an object, or names of a function's, other values.

    The names come from a student's process: those that are not theirs to change are passed over.
    """
    if type(value) is types.FunctionType:
        cells = dict(zip(value.__code__.co_freevars, value.__closure__ or (), strict=True))
        for name in _stored_by(value.__code__) & changed.keys():
            if name in cells:
                cells[name].cell_contents = changed[name]
            else:
                value.__globals__[name] = changed[name]
        return
    vars(value).update({n: content for n, content in changed.items() if _may_be_set(value, n)})
    for name in gone:
        if _may_be_set(value, name):
            vars(value).pop(name, None)


class _Parts:
    """The parts of an object, compared by identity, and what has become of them since."""

    def __init__(self, value: Any) -> None:
        self.parts = _parts(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Parts) and self.since(other) == ({}, [])

    __hash__ = None  # type: ignore[assignment]

    def since(self, old: _Parts) -> tuple[dict[str, Any], list[str]]:
        """Return the parts that have changed, and the names of those that are gone."""
        missing = object()
        changed = {n: v for n, v in self.parts.items() if old.parts.get(n, missing) is not v}
        return changed, [name for name in old.parts if name not in self.parts]


def _is_of_notebook(value: Any) -> bool:
    # `functools.wraps` gives a function another's `__module__`.
    return type(value) is types.FunctionType and value.__globals__.get("__name__") == "__main__"


class _Items:
    """What a container holds, compared by identity: what is gone would leave its id to another."""

    def __init__(self, items: Iterable[Any]) -> None:
        self.items = list(items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Items) and [*map(id, self.items)] == [*map(id, other.items)]

    __hash__ = None  # type: ignore[assignment]


def _snapshot(value: Any) -> Any:
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.nn.Module):
        return (
            value.training,
            [fingerprint(p) for p in [*value.parameters(), *value.buffers()]],
            _Parts(value),
        )
    if torch is not None and isinstance(value, torch.optim.Optimizer):
        return [fingerprint(p) for group in value.param_groups for p in group["params"]]
    if type(value) is dict:
        return _Items(part for pair in value.items() for part in pair)
    if type(value) in (list, set):
        return _Items(value)
    if isinstance(value, bytearray):
        return bytes(value)
    if type(value) is _LIST_ITERATOR:
        return value.__length_hint__()
    if type(value) is types.FunctionType or has_parts(value):
        return _Parts(value)
    return (fingerprint(value), tuple(value.shape))


def _content(value: Any, old: Any) -> Any:
    """Return what an argument holds now, as data that the wire can carry.

    Of an object it is what has changed since an `old` snapshot.
    """
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.nn.Module):
        tensors = [*value.parameters(), *value.buffers()]
        parts = _Parts(value).since(old[2])
        return ["module", value.training, [_tensor_content(t) for t in tensors], *parts]
    if torch is not None and isinstance(value, torch.optim.Optimizer):
        return ["optimizer", [_plain_state(s) for s in value.state.values()]]
    if torch is not None and isinstance(value, torch.Tensor):
        return ["tensor", _tensor_content(value)]
    if type(value) is _LIST_ITERATOR:
        return ["left", value.__length_hint__()]
    if isinstance(old, _Parts):
        return ["attributes", *_Parts(value).since(old)]
    return ["value", value]


def _tensor_content(tensor: Any) -> list[Any]:
    gradient = tensor.grad if tensor.is_leaf else None
    return [_numbers(tensor), _numbers(gradient)]


def _plain_state(state: dict[str, Any]) -> dict[str, Any]:
    return {
        str(key): protocol.Numbers(value) if hasattr(value, "detach") else value
        for key, value in state.items()
    }
