"""The judge's connection to the student's process: requests, answers, and what calls changed.

What is sent is pickled, for the judge trusts itself; what comes back is data (`protocol`), of which
`proxies` and `proxy_errors` are made.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import itertools
import pickle
import socket
import sys
import weakref
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import GeneratorType, MappingProxyType
from typing import Any

import cloudpickle
import numpy as np

from course_lib.exercises import asserts
from course_lib.grading.engine import objects, protocol
from course_lib.grading.engine.asked import Asked
from course_lib.grading.engine.objects import (
    arrive,
    arrive_at_home,
    error_again,
    fingerprint,
    mutable_arguments,
    with_gradient,
)
from course_lib.grading.engine.proxies import (
    PLAIN_KINDS,
    JudgeLimit,
    Remote,
    RemoteCallable,
    RemoteIterator,
    is_imported,
    is_plain,
    known_class,
    of_type,
    own_module,
)
from course_lib.grading.engine.proxy_errors import (
    ErrorKind,
    StudentGone,
    error_class,
    rebuild_error,
    texts,
)
from course_lib.grading.engine.randomness import random_state, set_random_state


class Link:
    """A connection to the student's process, and what the judge has of its objects.

    It serves one test cell after the other, for as long as the process has the same objects.

    Parameters
    ----------
    connection : socket
    asked : mapping of str to Asked
        The classes that the exercise asks for, as far as this test has to do with them.
    kept : collection of str
        The names of all such classes: also where they are kinds of arrays, objects of theirs stay
        with the student.
    modules : set of str
        Modules that the teacher's notebook imports: the only ones that a student's name may mean.
    """

    def __init__(
        self,
        connection: socket.socket,
        asked: Mapping[str, Asked] = MappingProxyType({}),
        kept: Collection[str] = (),
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
        self.asked, self.kept = asked, kept
        # What the test lends: called here, by the student's code.
        self.functions: dict[int, Callable[..., Any]] = {}
        self.lent_as: dict[str, list[int]] = {}
        self.numbers = itertools.count(1)
        # How often something was asked that may change what the student's objects hold.
        self.calls = 0
        self.modules = modules
        self.released: list[int] = []
        self.tied: dict[int, weakref.ref[Any]] = {}
        # What stands for the student's objects, by number: one object, one stand-in.
        self.known: weakref.WeakValueDictionary[int, Remote] = weakref.WeakValueDictionary()
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
        _refuse_transforms()
        kwargs = kwargs or {}
        state = random_state()
        lent: list[int | None] = []
        if what == "call":
            args = tuple(map(self.for_travel, args))
            kwargs = {name: self.for_travel(value) for name, value in kwargs.items()}
            arguments = mutable_arguments(args, kwargs)
            self.guests = [value for value in arguments if _wants_gradient(value)]
            # What is the student's own is not lent: it is told of as all their objects are.
            lent = [None if issubclass(type(v), Remote) else id(v) for v in arguments]
            self.lent.update(zip(lent, arguments, strict=True))
        packed, guests = self.packed(what, function, args, kwargs, lent, state), self.guests
        answer = self.exchanged(packed)
        while answer[0] == "lent":
            answer = self.exchanged(objects.RETURNS + self.called(self.take(answer)))
        # Those of this call: others may have been made while it ran.
        self.guests = guests
        return self.take(answer)

    def packed(
        self, what: str, function: Any, args: Any, kwargs: Any, lent: list[Any], state: Any
    ) -> bytes:
        """Pack a message to the student's process, with what the test has changed."""
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
            "kept": self.kept,
        }
        try:
            packed = self.dumps(message)
        except BaseException as error:
            # Something among it cannot travel. What else was to be said is said next time.
            self.released += released
            self.seen.update({number: (b"", False) for number, *_ in message["updates"]})
            self.copies.update({number: (b"", False) for number, *_ in guests})
            if isinstance(error, _CANNOT_TRAVEL):
                raise JudgeLimit(_cannot_travel(function, args, kwargs, error)) from error
            raise
        if what == "call":
            self.copies.update({id(guest): _print_of(guest) for guest in self.guests})
        self.student_random = state
        return packed

    def exchanged(self, packed: bytes) -> Any:
        """Send a message, and return what is said to it; what it tells is not taken over yet."""
        answer: Any = None
        try:
            protocol.send(self.connection, packed)
            message = protocol.receive(self.connection)
            answer = protocol.unpack(message, self.resolve)
            if type(answer) is not list or not answer:
                raise protocol.WireError("an answer that is no list")
        except protocol.Closed:
            self.gone = "the student's code ended the process or was stopped"
        except protocol.WireError as error:
            self.gone = f"what came from the student cannot be read: {error}"
        if self.gone:
            raise StudentGone(self.gone)
        return answer

    def lend(self, name: str, function: Any) -> objects.Lent:
        """Return what stands for a function on the student's side, until it is taken back."""
        number = next(self.numbers)
        self.functions[number] = function
        self.lent_as.setdefault(name, []).append(number)
        signature = None
        with contextlib.suppress(TypeError, ValueError):
            parameters = inspect.signature(function).parameters.values()
            plain = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
            signature = inspect.Signature(plain)
        return objects.Lent(number, name, signature)

    def for_travel(self, value: Any) -> Any:
        """Return what travels in the place of an iterator: items are taken from it here.

        What `net.parameters()` gives is a list in truth.
        """
        kind = type(value)
        if kind is GeneratorType and value.gi_code.co_filename == _module_file():
            return iter(list(value))
        if not objects.is_plain_iterator(kind):
            return value
        number = next(self.numbers)
        self.functions[number] = value.__next__
        return objects.LentIterator(number, kind.__name__)

    def take_back(self, name: str) -> None:
        """Answer no more calls of what was lent last by this name."""
        if self.lent_as.get(name):
            del self.functions[self.lent_as[name].pop()]

    def called(self, asked: Any) -> bytes:
        """Call a function that was lent, and pack what came of it."""
        number, args, kwargs = asked
        function = self.functions.get(number if type(number) is int else None)
        parts = objects.parts_of(args, kwargs)
        before = objects.copies_of(parts)
        try:
            if function is None:
                raise RuntimeError("a test lent this, and has taken it back")
            with asserts.quiet():
                said: tuple[Any, ...] = ("ok", function(*args, **kwargs))
        except Exception as error:
            said = ("error", error)
        changed = objects.filled(parts, before)
        try:
            return self.packed("return", None, (*said, changed), {}, [], random_state())
        except Exception as error:
            problem = RuntimeError(f"{type(said[1]).__name__}: {said[1]} ({error})")
            return self.packed("return", None, ("error", problem, []), {}, [], random_state())

    def of_next_test(self, connection: socket.socket, asked: Mapping[str, Asked]) -> None:
        """Go on with the same objects over another connection."""
        self.connection, self.asked = connection, asked
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
        if status in ("ok", "lent"):
            return value
        if status == "error":
            raise rebuild_error(value, self.errors, self.own)
        self.gone = f"the student's process cannot answer: {str(value)[:500]}"
        raise StudentGone(self.gone)

    def can_send(self, value: Any) -> bool:
        """Tell whether a value can travel."""
        try:
            self.dumps({"value": value})
        except Exception:
            return False
        return True

    def call(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Run a function beside the student's objects."""
        self.calls += 1
        return self.request("call", function, args, kwargs)

    def ask(self, function: Any, *args: Any) -> Any:
        """Run a function that only looks at the student's objects."""
        return self.request("call", function, args)

    def get(self, name: str) -> Any:
        """Return what the student's name means; KeyError if it means nothing."""
        found = self.request("find", args=(name,))
        if type(found) is not list or len(found) != 1:
            raise KeyError(name)
        (value,) = found
        # Of another name for Python's AssertionError, a test would catch its own.
        is_error = isinstance(value, type) and issubclass(value, BaseException)
        if is_error and name in self.asked and type(value) is not ErrorKind:
            raise JudgeLimit(
                f"{name} is to be a class of the student's own, and is {value.__name__}, which "
                "Python or a library defines"
            )
        return value

    def release(self, number: int) -> None:
        """Note that a stand-in is gone; the student hears of it with the next request."""
        self.released.append(number)

    def dumps(self, message: dict[str, Any]) -> bytes:
        """Pickle a message; what is the student's goes as its number."""
        tied = {id(reference()): number for number, reference in self.tied.items()}
        tied.pop(id(None), None)
        buffer = io.BytesIO()
        _Pickler(buffer, self.guests, tied).dump(message)
        return buffer.getvalue()

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
        if number == "lent":
            # An object of the test's own, as it was handed over.
            lent = self.lent.get(kind) if type(kind) is int else None
            if not objects.has_parts(lent):
                raise protocol.WireError("an object that was not lent")
            return lent
        if type(number) is not int:
            raise protocol.WireError("an object without its number")
        if kind == "module":
            self.released.append(number)
            return own_module(rest[0], self.modules)
        name, mro, traits, own_mro = rest
        if "class" in traits and own_mro:
            local = PLAIN_KINDS.get(own_mro[0]) or known_class([own_mro[0]])
            if local is not None and (is_plain(local) or is_imported(local, self.modules)):
                self.released.append(number)
                return local
            if "builtins:Exception" in own_mro:
                # A class that `except` takes, and that the student's errors are made of here.
                kind = error_class(texts(own_mro), self.errors, self.own)
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
        found = cls(self, number, str(name), [str(entry) for entry in mro], own_mro)
        known = self.known.get(number)
        if known is not None and type(known) is cls and known._described_() == found._described_():
            # The new one lets go of the object once, as often as the student was told to count.
            return known
        self.known[number] = found
        return found


@dataclass(frozen=True)
class _Original:
    """Stands in a message for a tensor of the student's, by its number."""

    number: int


class _Pickler(cloudpickle.Pickler):
    """Writes the judge's values: whole functions, numbers for what is the student's."""

    def __init__(self, file: io.BytesIO, guests: list[Any], tied: Mapping[int, int]) -> None:
        super().__init__(file, protocol=5)
        self.guests = {id(guest): guest for guest in guests}
        # The numbers of those tensors of which the judge has copies.
        self.tied = tied

    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, Remote):
            return value._number_
        if type(value) is _Original:
            return value.number
        if id(value) in self.tied and id(value) not in self.guests:
            return self.tied[id(value)]
        if type(value) is ErrorKind:
            twin = vars(value).get("_twin_")
            return None if twin is None else twin._number_
        if type(type(value)) is ErrorKind and "_made_" in vars(value):
            return value._made_._number_
        return None

    def reducer_override(self, value: Any) -> Any:
        if id(value) in self.guests and id(value) in self.tied:
            return arrive_at_home, (id(value), _Original(self.tied[id(value)]))
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


#: How it shows that a value cannot be pickled: PyTorch raises what it has at hand.
_CANNOT_TRAVEL = (pickle.PicklingError, TypeError, AttributeError, RuntimeError, ValueError)


def _cannot_travel(
    function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], error: BaseException
) -> str:
    """Say what of a call's arguments has no way to the student's process, and what has."""
    found = "a value"
    for place, value in [*enumerate(args, 1), *kwargs.items()]:
        try:
            _Pickler(io.BytesIO(), [], {}).dump(value)
        except _CANNOT_TRAVEL:
            found = f"an argument ({place}, of type {type(value).__name__!r})"
            break
    return (
        f"the test hands {found} to the student's code, which runs in another process, and it "
        f"cannot travel there ({str(error)[:200]}). Let it be made there: "
        "probe(function, ...) runs a whole function of the test beside the student's objects"
    )


def _module_file() -> str:
    torch = sys.modules.get("torch")
    return "" if torch is None else torch.nn.Module.parameters.__code__.co_filename


def _refuse_transforms() -> None:
    """Say so where a transform of `torch.func`'s would have to follow the student's code."""
    torch = sys.modules.get("torch")
    if torch is not None and torch._C._functorch.peek_interpreter_stack() is not None:
        raise JudgeLimit(
            "torch.func's transforms (grad, vmap, jacrev, ...) cannot look into the student's "
            "code, which runs in another process. Let the whole of it run there: "
            "probe(lambda f, x: torch.func.grad(f)(x), function, x)"
        )


def _print_of(value: Any) -> tuple[bytes, bool]:
    return fingerprint(value), value.is_leaf and value.grad is not None


def _change(argument: Any, content: list[Any]) -> None:
    """Give an argument the content that the student's call left in its copy."""
    kind, *rest = content
    if kind == "left":
        while argument.__length_hint__() > of_type(rest[0], int):
            next(argument)
    elif kind == "attributes":
        objects.set_parts(argument, *rest)
    elif kind == "module":
        training, tensors, changed, gone = rest
        objects.set_parts(argument, changed, gone)
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
    return of_type(data, sys.modules["torch"].Tensor)


def _set_optimizer(mine: Any, states: list[dict[str, Any]]) -> None:
    parameters = [p for group in mine.param_groups for p in group["params"]]
    for parameter, state in zip(parameters, states, strict=False):
        mine.state[parameter] = dict(state)


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
            found = link.request("backward", args=([original], [gradient.detach()], wanted))
            back = [
                None if g is None else _tensor_of(g).reshape(guest.shape)
                for g, guest in zip(found, guests, strict=True)
            ]
            if torch.is_grad_enabled():
                back = [None if g is None else Once.apply(g, *guests) for g in back]
            return (torch.zeros_like(gradient), *back)

    class Once(Through):
        @staticmethod
        def backward(context: Any, gradient: Any) -> Any:
            raise JudgeLimit(
                "a test differentiates twice through the student's code, which runs in another "
                "process, where the graph of the gradient stays. Let the whole of it run there: "
                "probe(function, ...) with a function of the test that returns the numbers"
            )

    # An anchor makes the result want gradients when no guest does (a network of the student's).
    return Through.apply(data.requires_grad_(True), *guests)


class _Handle(Remote):
    """Keeps hold of a tensor of the student's, for as long as a graph of the judge's needs it."""

    __slots__ = ()

    def __init__(self, link: Link, number: int) -> None:
        super().__init__(link, number, "Tensor", [], [])
