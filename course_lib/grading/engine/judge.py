"""The judge: runs the test cells of a notebook, and never a line of the student's.

A name that the tests use is looked up first among the judge's own: what the teacher's cells import
and define, and Python's built-in names. Only a name that is none of these is asked of the student.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import functools
import hmac
import inspect
import io
import os
import pickle
import random
import re
import socket
import sys
import traceback
import types
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from types import CodeType
from typing import Any

import numpy as np

from course_lib.exercises import asserts
from course_lib.grading.engine import credit, guards, loops, protocol
from course_lib.grading.engine.asked import Asked
from course_lib.grading.engine.link import Link
from course_lib.grading.engine.names import bound, changed_parts, loaded, method_owners
from course_lib.grading.engine.notebooks import BEGIN_HIDDEN
from course_lib.grading.engine.objects import changes_itself
from course_lib.grading.engine.proxies import Remote, type_of
from course_lib.grading.engine.proxy_errors import StudentGone
from course_lib.grading.engine.randomness import (
    follow_random_state,
    random_state,
    random_streams,
    scramble,
)
from course_lib.grading.engine.shells import forget_figures
from course_lib.grading.engine.streams import captured
from course_lib.grading.engine.student import (
    MAX_OUTPUT,
    branched,
    receive_with_descriptors,
)


def main(control: socket.socket) -> None:
    """Serve one submission until the supervisor hangs up.

    Commands: ``("prepare", sources, modules)`` runs the imports and definitions of the teacher's
    cells, and names the modules that the teacher's whole notebook imports;
    ``("locked", source, random)`` runs a locked cell, as far as it needs nothing of the student's;
    ``("solved", names)`` tells which names mean what a solution has just made of them;
    ``("test", source, asked, wanted, random, seed, state)``, with a socket to the student, runs a
    test cell, and hands those of its names that are `wanted` later to the student; its hidden
    inputs follow from `seed`, and `state` is another number where the student's process has other
    objects than before; ``("branch",)``, with a socket, lets a fork go on from here, which takes
    its commands from that socket. Each is answered by ``[status, error, outputs, random, handed]``:
    the last says whether the student was given names.
    """
    judge = Judge()
    guards.install()
    branches: list[int] = []
    # Its working folder holds the teacher's files alone, among them modules that tests may import.
    sys.path.insert(0, "")
    while True:
        try:
            message, descriptors = receive_with_descriptors(control)
        except protocol.Closed:
            os._exit(0)
        command, *arguments = pickle.loads(message)
        if command == "prepare":
            answer = judge.prepare(*arguments)
        elif command == "locked":
            answer = judge.locked(*arguments)
        elif command == "solved":
            answer = judge.solved(*arguments)
        elif command == "branch":
            if not branched(branches):
                control.close()
                control, branches = socket.socket(fileno=descriptors[0]), []
                continue
            os.close(descriptors[0])
            answer = ["ok", "", []]
        else:
            with socket.socket(fileno=descriptors[0]) as connection:
                answer = judge.test(*arguments, connection)
        try:
            message = [*answer, random_state(), judge.handed_over]
            protocol.send(control, protocol.pack(message, lambda value: ["?"]))
        except protocol.Closed:
            os._exit(0)


class Names(dict):
    """The names of the tests; a missing one is asked of the student."""

    link: Link | None = None

    def __init__(self, *args: Any, **names: Any) -> None:
        super().__init__(*args, **names)
        # The names of Python's that the exercise asks for.
        self.students: set[str] = set()

    def is_pythons(self, name: str) -> bool:
        """Tell whether a name that is not here means what Python calls so."""
        return hasattr(builtins, name) and name not in self.students

    def __missing__(self, name: str) -> Any:
        if self.is_pythons(name) or self.link is None:
            raise KeyError(name)
        return self.link.get(name)


class Judge:
    """Holds what the teacher's cells define, and runs their tests."""

    def __init__(self) -> None:
        self.names = Names(__name__="__main__", __builtins__=builtins, display=_display)
        self.names[_TYPE_OF] = type_of
        self.handed_over = False
        # What names meant before the hidden part of a test gave them another meaning.
        self.visible: dict[str, Any] = {}
        self.modules: frozenset[str] = frozenset()
        self.link: Link | None = None
        self.state = -1

    def prepare(self, sources: list[str], modules: list[str]) -> list[Any]:
        """Run the imports and definitions of the teacher's cells, and nothing else of them."""
        self.modules = frozenset(modules)
        for source in sources:
            for statement in _statements(source):
                if isinstance(statement, _DEFINITIONS):
                    self.attempt(statement)
        return ["ok", "", []]

    def locked(self, source: str, random: Any) -> list[Any]:
        """Run what a locked cell does without the student's names: data, seeds, constants.

        What the rest of it gives a value to or changes is the student's from then on: the tests
        ask for it. So are random numbers that are drawn after something was left out.
        """
        follow_random_state(random)
        # Those random numbers that something left out may have drawn from.
        unknown: set[int] = set()
        for statement in _statements(source):
            if isinstance(statement, _DEFINITIONS):
                self.attempt(statement)
                continue
            seeds = _is_seed(statement)
            if seeds:
                scramble(unknown)
            before = random_streams()
            known = all(n in self.names or self.names.is_pythons(n) for n in loaded(statement))
            if not (known and self.attempt(statement)):
                unknown = set(range(len(before)))
                self.forget(bound(statement) | self.changed(statement))
                continue
            drawn = {i for i, now in enumerate(random_streams()) if now != before[i]} & unknown
            if seeds:
                unknown -= drawn
            elif drawn:
                self.forget(bound(statement) | self.changed(statement) | self.filled(statement))
        forget_figures()
        return ["ok", "", []]

    def filled(self, statement: ast.stmt) -> set[str]:
        """Return the names of data that a statement may fill with random numbers."""
        torch = sys.modules.get("torch")
        kinds = (*_CONTAINERS, np.ndarray, *([torch.Tensor] if torch is not None else []))
        names = method_owners(statement)
        if isinstance(statement, ast.Expr):
            names |= loaded(statement)
        return {name for name in names if type(self.names.get(name)) in kinds}

    def solved(self, names: list[str]) -> list[Any]:
        """Let names mean what the student's solution makes of them, until a test says otherwise."""
        self.forget(names)
        self.names.students.update(name for name in names if hasattr(builtins, name))
        return ["ok", "", []]

    def forget(self, names: Iterable[str]) -> None:
        """Ask the student for these names from now on."""
        for name in names:
            self.names.pop(name, None)

    def changed(self, statement: ast.stmt) -> set[str]:
        """Return the names whose values a statement would have changed in place.

        Data that is only handed to somebody stays the judge's: a student's process must not be
        asked what a test compares with.
        """
        owners = method_owners(statement)
        return (
            changed_parts(statement)
            | {name for name in owners if isinstance(self.names.get(name), _CONTAINERS)}
            | {name for name in loaded(statement) if self.learns(self.names.get(name))}
        )

    def learns(self, value: Any) -> bool:
        """Tell whether a value is of a kind that is used by changing it."""
        if issubclass(type(value), Remote):
            return False  # it is asked of the student as it is
        torch, datasets = sys.modules.get("torch"), sys.modules.get("torch.utils.data")
        if datasets is not None and isinstance(value, datasets.Dataset):
            return False
        if torch is not None:
            if isinstance(value, torch.Tensor):
                return value.requires_grad
            if isinstance(value, torch.nn.Module):
                # What measures an error has nothing to learn, and is what a test judges by.
                measures = isinstance(value, torch.nn.modules.loss._Loss)
                return not measures and any(True for _ in [*value.parameters(), *value.buffers()])
            if isinstance(value, torch.optim.Optimizer | torch.Generator):
                return True
        generators = (np.random.Generator, np.random.RandomState, random.Random)
        return isinstance(value, generators) or changes_itself(type(value))

    def attempt(self, statement: ast.stmt) -> bool:
        """Run a statement; tell whether it went well.

        If not, the test that needs it will fail, with a message of its own.
        """
        with (
            # Of an object that an earlier test has made nothing can be asked between the tests.
            contextlib.suppress(Exception, StudentGone),
            captured(io.StringIO(), io.StringIO()),
        ):
            exec(_compiled(ast.Module([statement], [])), self.names)
            return True
        return False

    def test(
        self,
        source: str,
        asked: tuple[dict[str, Asked], list[str]],
        wanted: list[str],
        random: Any,
        seed: bytes,
        state: int,
        connection: socket.socket,
    ) -> list[Any]:
        """Run a test cell against the student's process at the other end of the connection."""
        follow_random_state(random)
        before = dict(self.names)
        if self.link is None or self.state != state:
            self.link = Link(connection, *asked, self.modules, self.names.students, self.names.get)
            self.state = state
        else:
            # What an earlier test made is still there, on both sides.
            self.link.of_next_test(connection, asked[0])
        link = self.link
        self.names.link = link
        asserts.student = There(link, self.names, seed)
        out, err = io.StringIO(), io.StringIO()
        outputs: list[list[Any]] = []
        status, error, value = "ok", "", None
        try:
            with captured(out, err), _warnings_shown():
                value = self.run(source)
                if link.gone:
                    # The test caught what said so, and went on.
                    raise StudentGone(link.gone)
        except BaseException as caught:
            raised = StudentGone(link.gone) if link.gone else caught
            status = "judge" if isinstance(raised, NotForJudges) else "error"
            error = f"{type(raised).__name__}: {_message(raised)}"
            failure = ["error", type(raised).__name__, _message(raised), _lines(raised, source)]
        finally:
            self.hand_over(link, before, wanted)
            self.names.link = None
            asserts.student = asserts.Here()
            forget_figures()
        for name, text in (("stdout", out.getvalue()), ("stderr", err.getvalue())):
            if text:
                outputs.append(["stream", name, text[:MAX_OUTPUT]])
        if status != "ok":
            outputs.append(failure)
        elif value is not None:
            with contextlib.suppress(Exception, StudentGone):
                text = credit.shown(value)[:MAX_OUTPUT]
                if issubclass(type(value), Remote):
                    # How it prints is the student's to say: it must be no number.
                    text = f"an object of the student's: {text}"
                outputs.append(["execute_result", {"text/plain": text}])
        return [status, error, outputs]

    def hand_over(self, link: Link, before: dict[str, Any], wanted: list[str]) -> None:
        """Give the student's later cells the names that this test defined and they use."""
        now = {**self.names, **self.visible}
        new = {
            name: now[name] for name in wanted if name in now and now[name] is not before.get(name)
        }
        self.handed_over = bool(new)
        if not new:
            return
        with contextlib.suppress(Exception, StudentGone):
            try:
                # Together: what two names share stays shared, as an optimizer and its network do.
                link.request("push", kwargs=new)
            except Exception:
                # One that cannot travel, a file or a generator, keeps none of the others.
                sent = {name: value for name, value in new.items() if link.can_send(value)}
                link.request("push", kwargs=sent)

    def run(self, source: str) -> Any:
        """Run a cell; return the value of its last line if that is an expression."""
        statements = _statements(source, strict=True)
        seen, hidden = _without_hidden(source, statements)
        awaits = loops.may_await(source)
        self.visible = {}
        if hidden:
            self._execute([(ast.Module(seen, []), False)], awaits)
            again = set().union(*map(bound, seen)) & set().union(*map(bound, hidden))
            self.visible = {name: self.names[name] for name in again if name in self.names}
            statements = statements[len(seen) :]
        *first, last = statements or [ast.Pass()]
        if isinstance(last, ast.Expr) and not credit.is_quiet(source):
            parts = [(ast.Module(first, []), False), (ast.Expression(last.value), True)]
        else:
            parts = [(ast.Module([*first, last], []), False)]
        return self._execute(parts, awaits)

    def _execute(
        self, parts: Sequence[tuple[ast.Module | ast.Expression, bool]], awaits: bool
    ) -> Any:
        """Run the parts of a cell; return the value of the one that counts, if one does."""
        codes = [(_compiled(part, awaits), counts) for part, counts in parts]
        if awaits:
            return loops.in_loop(partial(self._run_awaiting, codes))
        value = None
        for code, counts in codes:
            value = eval(code, self.names) if counts else exec(code, self.names)
        return value

    async def _run_awaiting(self, codes: list[tuple[CodeType, bool]]) -> Any:
        """Run the parts of a cell that may await something."""
        value = None
        for code, counts in codes:
            found = eval(code, self.names)
            if code.co_flags & inspect.CO_COROUTINE:
                found = await found
            value = found if counts else None
        return value


#: What the judge takes from the teacher's cells before anything is run.
_DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)

#: What is filled by calling its methods.
_CONTAINERS = (list, dict, set, bytearray, deque)


def _is_seed(statement: ast.stmt) -> bool:
    """Tell whether a statement is a call that begins random numbers anew, by what it is called."""
    match statement:
        case ast.Expr(ast.Call(function)):
            return "seed" in ast.unparse(function).lower()
    return False


#: What a test cell is called in tracebacks.
CELL = "<test cell>"


class There(asserts.Here):
    """The student's names, when their code runs in another process."""

    def __init__(self, link: Link, names: Names, seed: bytes = b"") -> None:
        self.link = link
        self.names = names
        self._seed = seed

    def seed(self) -> bytes:
        """Return what `rng` draws from: for this test of this student, another at each call."""
        call = super().seed()
        return hmac.digest(self._seed, call, "sha256") if self._seed else call

    def probe(self, function: Any, *args: Any) -> Any:
        """Run a function beside the student's objects."""
        return self.link.call(function, *args)

    def replace(self, functions: dict[str, Any]) -> dict[str, Any]:
        """Put functions in the place of the student's, on their side.

        They stay with the judge, which the student's code asks to call them: what a test lends is
        often the answer to another step. Classes go over, and so does what PyTorch's gradients may
        have to pass through.
        """
        before = {}
        for name in functions:
            with contextlib.suppress(KeyError):
                before[name] = self.link.get(name)
        lent = {
            name: self.link.lend(name, value) if self.stays(value) else value
            for name, value in functions.items()
        }
        self.link.request("push", kwargs=lent)
        return before

    def stays(self, value: Any) -> bool:
        """Tell whether a function stays here when it is lent."""
        plain = type(value) in (types.FunctionType, types.MethodType, functools.partial, np.ufunc)
        return plain and "torch" not in self.link.modules

    def restore(self, functions: dict[str, Any], before: dict[str, Any]) -> None:
        """Undo `replace`; a student who is gone has nothing to restore."""
        for name in functions:
            self.link.take_back(name)
        with contextlib.suppress(StudentGone):
            if before:
                self.link.request("push", kwargs=before)
            gone = tuple(name for name in functions if name not in before)
            if gone:
                self.link.request("remove", args=gone)


class NotForJudges(Exception):
    """A test cell that says nothing to a judge, and would pass whatever the answer is."""


# Magics that run what stands behind them, or the cell.
_TIMED_CELL = re.compile(r"\A(\s*)%%(?:time|timeit|capture)\b[^\n]*")
_TIMED_LINE = re.compile(r"^([ \t]*)%time[ \t]+(?=\S)", re.MULTILINE)


def _statements(source: str, strict: bool = False) -> list[ast.stmt]:
    """Return a cell's statements, without IPython's own lines (%, !).

    Raises
    ------
    NotForJudges
        Where it is `strict`, for a cell magic, which would leave nothing of a test.
    """
    source = _TIMED_LINE.sub(r"\1", _TIMED_CELL.sub(r"\1pass", source))
    if strict and source.lstrip().startswith("%%"):
        magic = source.split(maxsplit=1)[0]
        raise NotForJudges(f"the cell magic {magic} means nothing to the judge: take it away")
    if "get_ipython()" not in source:
        # What is plain Python already need not be looked through for IPython's.
        with contextlib.suppress(SyntaxError):
            return ast.parse(source, CELL).body
    from IPython.core.inputtransformer2 import TransformerManager

    plain = TransformerManager().transform_cell(source)
    # Magics (plots in the page, timing) have no meaning to a judge.
    lines = [
        line[: len(line) - len(line.lstrip())] + "pass" if "get_ipython()" in line else line
        for line in plain.splitlines()
    ]
    try:
        return ast.parse("\n".join(lines), CELL).body
    except SyntaxError:
        if strict:
            raise
        return []


def _without_hidden(
    source: str, statements: list[ast.stmt]
) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """Return the statements before the hidden part of a test, and those of it and behind it."""
    begin = next((n for n, line in enumerate(source.splitlines(), 1) if BEGIN_HIDDEN in line), None)
    if begin is None:
        return statements, []
    count = sum(one.lineno < begin for one in statements)
    return statements[:count], statements[count:]


def _compiled(part: ast.Module | ast.Expression, awaits: bool = False) -> CodeType:
    mode = "eval" if isinstance(part, ast.Expression) else "exec"
    part = ast.fix_missing_locations(_Types().visit(part))
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if awaits else 0
    return compile(part, CELL, mode, flags, dont_inherit=True)


class _Types(ast.NodeTransformer):
    """Lets a test ask for the class of what stands for an object: no object can say that itself."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """See to `type(value)`."""
        self.generic_visit(node)
        match node:
            case ast.Call(ast.Name("type"), [value], []) if not isinstance(value, ast.Starred):
                return self.asked(node.func, value, node)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """See to `value.__class__`."""
        self.generic_visit(node)
        if node.attr == "__class__" and isinstance(node.ctx, ast.Load):
            return self.asked(ast.Constant(None), node.value, node)
        return node

    def asked(self, kind: ast.expr, value: ast.expr, place: ast.expr) -> ast.AST:
        name = ast.Name(_TYPE_OF, ast.Load())
        return ast.copy_location(ast.Call(name, [kind, value], []), place)


#: What stands in the place of `type` in a test, among the names of the tests.
_TYPE_OF = "__type_of__"


@contextlib.contextmanager
def _warnings_shown() -> Iterator[None]:
    """Show the warnings that a notebook shows, each time.

    These are Python's own filters: nbgrader takes the points of a test that writes to stderr, and
    a file that somebody did not close must not cost any.
    """
    unseen = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        for category in unseen:
            warnings.simplefilter("ignore", category)
        warnings.filterwarnings("default", category=DeprecationWarning, module="__main__")
        yield


def _display(*values: Any, **_: Any) -> None:
    for value in values:
        print(repr(value))


def _message(error: BaseException) -> str:
    with contextlib.suppress(Exception):
        return str(error)[:20_000]
    return ""


def _lines(error: BaseException, source: str) -> list[str]:
    """Return what the student is shown: the test's own message, or where the error arose."""
    render = getattr(error, "_render_traceback_", None)
    if render is not None:
        return render()
    rows = source.splitlines()
    lines = []
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == CELL and 0 < (frame.lineno or 0) <= len(rows):
            lines.append(f"line {frame.lineno} of the test: {rows[frame.lineno - 1].strip()}")
    lines += [f"your code: {line}" for line in getattr(error, "student_lines", [])[:-1]]
    lines.append(f"{type(error).__name__}: {_message(error)}")
    return lines
