"""The student's objects, on their side: what the judge's calls are run on.

The judge sends whole functions and arguments (cloudpickle), in which the student's objects are
numbers of handles. The answer is plain data (`wire`): the result, what the call changed in its
arguments and in the arrays that the judge holds copies of, and the state of the random numbers.
"""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import dis
import functools
import io
import pickle
import random
import socket
import struct
import sys
import types
import weakref
from collections.abc import Iterable
from typing import Any

import numpy as np

from course_lib.grading.engine import wire

#: How many objects the judge may hold at a time.
MAX_HANDLES = 1_000_000


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
            raise wire.WireError("too many objects are held")
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
        # What the judge was last told of the arrays and tensors that it holds copies of.
        self.told: dict[int, bytes] = {}
        # What the judge lent: how to get at it, what it looked like, whether it is a container.
        self.borrowed: dict[int, tuple[Any, Any, bool]] = {}
        # The random numbers that the judge goes on with, as far as it has been told.
        self.random: bytes | None = None

    def serve(self, link: socket.socket) -> None:
        """Answer until the judge hangs up."""
        GUESTS.clear()
        _GUEST_NUMBERS.clear()
        while True:
            try:
                message = wire.receive(link)
            except wire.Closed:
                return
            answer = self.answer(message)
            try:
                wire.send(link, answer)
            except wire.Closed:
                return

    def answer(self, message: bytes) -> bytes:
        """Run one request; return the packed answer."""
        try:
            request = _Unpickler(io.BytesIO(message), self.handles).load()
            for number in self.handles.release(request["released"]):
                self.told.pop(number, None)
            self.take_updates(request["updates"])
            if request["random"]:
                self.random = request["random"]
                set_random_state(self.random)
            self.borrow(request["lent"], mutable_arguments(request["args"], request["kwargs"]))
            try:
                value = self.perform(request)
                status = "ok"
            except BaseException as error:
                if isinstance(error, wire.WireError):
                    raise
                status, value = "error", describe(error)
            told = self.random
            self.random = random_state()
            news = None if self.random == told else self.random
            return self.packed([status, value, self.changed(), self.news(), news])
        except BaseException as error:
            self.random = None
            problem = f"{type(error).__name__}: {error}"
            return wire.pack(["broken", problem[:1000], [], [], None], lambda value: ["?"])

    def borrow(self, numbers: list[int | None], values: list[Any]) -> None:
        """Note what the judge lent to this call, and how it looks before."""
        self.borrowed = {n: entry for n, entry in self.borrowed.items() if not entry[2]}
        for number, value in zip(numbers, values, strict=False):
            if number is None:
                continue
            plain = type(value) in (list, dict, set, bytearray)
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
                found.append([number, _content(value)])
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
        function = request["function"]
        for guest in (function, *args, *kwargs.values()):
            _at_home(guest, self.namespace, set())
        return function(*args, **kwargs)

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
        return wire.pack(answer, self.describe_handle)

    def describe_handle(self, value: Any) -> list[Any]:
        """Describe an object that stays here."""
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


#: Copies of the judge's tensors that want gradients, by the judge's numbers.
GUESTS: dict[int, Any] = {}
_GUEST_NUMBERS: dict[int, int] = {}


def arrive(number: int, raw: tuple[str, list[int], bytes], parameter: bool) -> Any:
    """Make the student's copy of a tensor of the judge's that wants gradients."""
    import torch

    value = wire.tensor_of_raw(*raw)
    value = torch.nn.Parameter(value) if parameter else value.requires_grad_(True)
    GUESTS[number] = value
    _GUEST_NUMBERS[id(value)] = number
    return value


def _guest_number(value: Any) -> int | None:
    """Return the number of a tensor that is a copy of one of the judge's: a call gave it back."""
    number = _GUEST_NUMBERS.get(id(value))
    return number if number is not None and GUESTS.get(number) is value else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, handles: Handles) -> None:
        super().__init__(file)
        self.handles = handles

    def persistent_load(self, pid: Any) -> Any:
        return self.handles.objects[pid]


def _numbers(tensor: Any) -> Any:
    return None if tensor is None else wire.Numbers(tensor)


def _pairs(names: list[list[str]]) -> list[str]:
    return [f"{module}:{name}" for module, name in names]


def _at_home(function: Any, namespace: dict[str, Any], seen: set[int]) -> None:
    """Let a function of the judge's that runs here see the student's names as it would at home.

    And the functions that it uses, too. A name of Python's is not the student's to choose.
    """
    if not _came_along(function) or id(function) in seen or function.__globals__ is namespace:
        return
    seen.add(id(function))
    held = _held(function)
    for value in held.values():
        _at_home(value, namespace, seen)
    for name in _names_in(function.__code__):
        if name not in held and name in namespace and not hasattr(builtins, name):
            function.__globals__[name] = namespace[name]


def _came_along(value: Any) -> bool:
    """Tell whether a value is a function of a notebook, which travels whole."""
    return type(value) is types.FunctionType and value.__module__ == "__main__"


def _names_in(code: types.CodeType) -> list[str]:
    """Return the names that code uses, and the code of what it defines."""
    inner = [part for part in code.co_consts if isinstance(part, types.CodeType)]
    return [*code.co_names, *(name for part in inner for name in _names_in(part))]


def _held(function: types.FunctionType) -> dict[str, Any]:
    """Return what a function knows by name: of its module, and of where it was defined."""
    names = function.__globals__
    found = {name: names[name] for name in _names_in(function.__code__) if name in names}
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
    found, names, last, assigns = set(), set(), None, False
    for one in dis.get_instructions(code):
        if one.opname in ("LOAD_METHOD", "LOAD_ATTR") and last and one.argval in _FILLING:
            found.add(last)
        last = one.argval if one.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF") else None
        names.add(last)
        assigns = assigns or one.opname in ("STORE_SUBSCR", "DELETE_SUBSCR")
    inner = [part for part in code.co_consts if isinstance(part, types.CodeType)]
    return frozenset(found.union(names if assigns else (), *map(_filled_by, inner)))


def mutable_arguments(args: Any, kwargs: Any) -> list[Any]:
    """Return the arguments, and parts of them, that a call may change and that are copied back.

    A function among them may record what it is called with in a container that it knows by name.
    """
    found: list[Any] = []
    seen: set[int] = set()
    torch = sys.modules.get("torch")

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
        elif _came_along(value) and id(value) not in seen and depth < 3:
            seen.add(id(value))
            filled = _filled_by(value.__code__)
            for name, held in _held(value).items():
                if _came_along(held) or (name in filled and type(held) in (list, dict, set)):
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
    total.update(wire.raw_tensor(value)[2])
    if value.is_leaf and value.grad is not None:
        total.update(b"grad")
        total.update(wire.raw_tensor(value.grad)[2])
    return total.digest()


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
        )
    if torch is not None and isinstance(value, torch.optim.Optimizer):
        return [fingerprint(p) for group in value.param_groups for p in group["params"]]
    if type(value) is dict:
        return _Items(part for pair in value.items() for part in pair)
    if type(value) in (list, set):
        return _Items(value)
    if isinstance(value, bytearray):
        return bytes(value)
    return (fingerprint(value), tuple(value.shape))


def _content(value: Any) -> Any:
    """Return what an argument holds now, as data that the wire can carry."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.nn.Module):
        tensors = [*value.parameters(), *value.buffers()]
        return ["module", value.training, [_tensor_content(t) for t in tensors]]
    if torch is not None and isinstance(value, torch.optim.Optimizer):
        return ["optimizer", [_plain_state(s) for s in value.state.values()]]
    if torch is not None and isinstance(value, torch.Tensor):
        return ["tensor", _tensor_content(value)]
    return ["value", value]


def _tensor_content(tensor: Any) -> list[Any]:
    gradient = tensor.grad if tensor.is_leaf else None
    return [_numbers(tensor), _numbers(gradient)]


def _plain_state(state: dict[str, Any]) -> dict[str, Any]:
    return {
        str(key): wire.Numbers(value) if hasattr(value, "detach") else value
        for key, value in state.items()
    }


def describe(error: BaseException) -> list[Any]:
    """Describe an error: its types, its message, and the student's own lines."""
    from course_lib.grading.engine.student import describe_error, str_of

    names = [f"{c.__module__}:{c.__qualname__}" for c in type(error).__mro__[:20]]
    _, lines = describe_error(error)
    return [names, str_of(error), lines]


def random_state() -> bytes:
    """Return the state of the random numbers, so that both sides draw from one stream."""
    global _packed
    version, internal, gauss = random.getstate()
    torch = sys.modules.get("torch")
    numbers = _PYTHONS.pack(*internal)
    numpys = _numpys_state()
    torchs = None if torch is None else torch.get_rng_state().numpy().tobytes()
    now = (version, numbers, gauss, torchs)
    if _packed is None or _packed[0] != now or _packed[1] is not numpys:
        state = [
            [version, np.frombuffer(numbers, np.uint32), gauss],
            numpys,
            None if torchs is None else np.frombuffer(torchs, np.uint8),
        ]
        _packed = (now, numpys, wire.pack(state, lambda value: ["?"]))
    return _packed[2]


# The last state and how it was packed: mostly, nothing was drawn since.
_packed: tuple[tuple[Any, ...], list[Any], bytes] | None = None
_PYTHONS = struct.Struct("=625I")
# The numbers of NumPy's generator and the place among them, as they lie in memory.
_NUMPYS_BYTES = 625 * 4
_numpys: tuple[bytes, list[Any]] | None = None


def _numpys_state() -> list[Any]:
    """Return the state of NumPy's random numbers.

    Asking NumPy takes longer than all the rest of an answer. Where the memory of its generator is
    what it was when it had no second normal number in store, nothing has been drawn since.
    """
    global _numpys
    generator = np.random.get_bit_generator()
    raw = b""
    if type(generator) is np.random.MT19937:
        raw = ctypes.string_at(generator.ctypes.state_address, _NUMPYS_BYTES)
        if _numpys is not None and _numpys[0] == raw:
            return _numpys[1]
    kind, keys, position, has_gauss, cached = np.random.get_state()  # noqa: NPY002
    state = [kind, keys, int(position), int(has_gauss), float(cached)]
    _numpys = (raw, state) if raw and not has_gauss else None
    return state


def _forget() -> None:
    global _numpys
    _numpys = None


def set_random_state(packed: bytes | None) -> None:
    """Continue the other side's random numbers.

    Raises
    ------
    WireError, ValueError, TypeError, RuntimeError
        When it is no such state.
    """
    if not packed or packed == random_state():
        return
    (version, internal, gauss), numpys, torchs = wire.unpack(packed, _nothing)
    _, keys, position, *_ = numpys
    if not 0 <= position <= len(keys):
        # NumPy would read whatever lies behind its numbers.
        raise wire.WireError(f"the random numbers have no place {position}")
    random.setstate((version, tuple(internal.tolist()), gauss))
    if wire.pack(numpys, _nothing) != wire.pack(_numpys_state(), _nothing):
        _forget()
        np.random.set_state(tuple(numpys))  # noqa: NPY002
    torch = sys.modules.get("torch")
    if torch is not None and torchs is not None:
        torch.set_rng_state(torch.from_numpy(torchs))


def follow_random_state(packed: Any) -> None:
    """Continue the other side's random numbers, or one's own where it says what is no such state.

    It may come from a process of the student's that speaks for itself: a test runs all the same.
    """
    with contextlib.suppress(Exception):
        set_random_state(packed)


def _nothing(description: list[Any]) -> Any:
    raise wire.WireError("objects do not travel here")
