"""A test of the tests: mutants of the reference solution, of which each must fail a test.

A mutant is the reference with one small fault that students make: it writes into its argument,
ignores a keyword, shares state between two objects. Nobody writes mutants: each step of an
exercise (a function, class or method that its solution cells define) gets those that fit what the
tests were seen to hand to it and to get back. A mutant that no test kills is a survivor, and
fails the build unless the exercise accepts it, in ``tests/misconceptions/<slug>.py``, with the
reason why the text allows it::

    accepted = {("softmax", "float32"): "The text leaves the precision open."}

There a kind without a place stands for all parts of a result, and the step ``"*"`` for all steps.

The run is in three parts, in a process of its own: the reference, recorded; then the definitions of
the notebook from the top; and before each solution cell a fork for each of its mutants, which runs
the tests that call the step until one fails.
"""

from __future__ import annotations

import ast
import builtins
import copy
import functools
import inspect
import os
import pickle
import re
import resource
import runpy
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from course_lib.assignments import slips
from course_lib.assignments.answers import Answer, answer_cells
from course_lib.assignments.checking import counted
from course_lib.assignments.proofs import answers_path, up_to_the_last_test, warm
from course_lib.assignments.running import _context
from course_lib.assignments.sandboxed import takes_steps
from course_lib.assignments.sources import grade_id, is_solution, is_test, source_notebook
from course_lib.grading.course import nbgraders
from course_lib.grading.engine import judge, notebooks, runner, student
from course_lib.grading.engine.shells import new_shell
from course_lib.grading.engine.warmup import warm_torch
from course_lib.paths import CourseError

__all__ = ["Mutant", "Outcome", "Step", "compare", "load_accepted", "outcomes", "problems", "steps"]

#: Processor time after which a mutant that goes on and on counts as killed, in seconds.
MOST_SECONDS = 60

#: How many calls of a step are looked at closely in each test.
MOST_LOOKS = 30


@dataclass(frozen=True)
class Mutant:
    """The reference with one fault.

    Attributes
    ----------
    step : str
        The function, class or method that has it, such as ``"Adam.step"``.
    kind : str
        Which fault, such as ``"changes slopes"``. Step and kind are its name.
    does : str
        The fault in words.
    answer : Answer
        Its code.
    untried : str
        What to say if no test makes a difference between it and the reference. Empty if it is then
        no mutant at all.
    tests : tuple of str
        The grade ids of the tests that call the step, in the order of the notebook.
    """

    step: str
    kind: str
    does: str
    answer: Answer
    untried: str = ""
    tests: tuple[str, ...] = ()

    @property
    def name(self) -> tuple[str, str]:
        """By which it can be accepted."""
        return self.step, self.kind


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant.

    Attributes
    ----------
    mutant : Mutant
    killed_by : str
        The grade id of the test that failed; empty if none did.
    acted : bool
        Whether it ever did something else than the reference.
    """

    mutant: Mutant
    killed_by: str
    acted: bool

    @property
    def survives(self) -> bool:
        """Whether the tests let it pass."""
        return not self.killed_by and (self.acted or bool(self.mutant.untried))

    def __str__(self) -> str:
        """Return what the author of the tests has to know."""
        mutant = self.mutant
        why = f" {mutant.untried}" if not self.acted else ""
        tests = ", ".join(mutant.tests) or "none"
        return f"({mutant.step!r}, {mutant.kind!r}): {mutant.does}{why} Tests that ran: {tests}."


def problems(root: Path, slug: str) -> list[str]:
    """Return the mutants of an exercise that survive, and what is accepted without need.

    Returns
    -------
    list of str
        Empty if each mutant is killed or accepted, and each accepted one is there and survives.
    """
    return compare(outcomes(source_notebook(root, slug)), load_accepted(answers_path(root, slug)))


def compare(found: list[Outcome], accepted: Mapping[tuple[str, str], str]) -> list[str]:
    """Return what differs between the mutants that survive and those that may."""
    said = [
        f"No test kills {outcome}"
        for outcome in found
        if outcome.survives and not any(_covers(name, outcome.mutant) for name in accepted)
    ]
    for name in accepted:
        covered = [outcome for outcome in found if _covers(name, outcome.mutant)]
        if any(outcome.survives for outcome in covered):
            continue
        killers = sorted({outcome.killed_by for outcome in covered if outcome.killed_by})
        why = (
            f"{', '.join(killers)} kills it"
            if killers and name[0] != "*"
            else "there is no such mutant that survives"
        )
        said.append(f"{name} is accepted, but {why}: take it off the list.")
    return said


def _covers(name: tuple[str, str], mutant: Mutant) -> bool:
    """Tell whether what is accepted by a name is this mutant.

    The step ``"*"`` stands for all of an exercise, and a kind without a place, ``"float32"``, for
    all parts of a result.
    """
    step, kind = name
    return step in ("*", mutant.step) and kind in (mutant.kind, mutant.kind.partition(" [")[0])


def load_accepted(path: Path) -> dict[tuple[str, str], str]:
    """Return the mutants that an exercise's file of answers accepts, with the reasons.

    Raises
    ------
    CourseError
        If a reason is missing, or a name is not a pair of step and kind.
    """
    found = runpy.run_path(str(path)).get("accepted", {}) if path.is_file() else {}
    for name, reason in found.items():
        if not (isinstance(name, tuple) and len(name) == 2):
            raise CourseError(
                f"{path.name} accepts {name!r}. Name a step and a kind: ('softmax', 'float32')."
            )
        if not isinstance(reason, str) or len(reason.split()) < 3:
            raise CourseError(
                f"{path.name} accepts the mutant {name} because of {reason!r}. Say in a sentence "
                "why the text of the exercise allows what it does."
            )
    return dict(found)


# What the tests do with the steps ------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """A function, class or method that the exercise asks for."""

    name: str
    cell: str
    code: str
    node: ast.FunctionDef
    owner: ast.ClassDef | None = None

    @property
    def parameters(self) -> list[str]:
        """The names of the parameters, without ``self``."""
        own = self.node.args
        names = [a.arg for a in (*own.posonlyargs, *own.args, *own.kwonlyargs)]
        return names[1:] if self.owner else names

    @property
    def defaults(self) -> dict[str, str]:
        """Parameter to the text of its default."""
        own = self.node.args
        places = [*own.posonlyargs, *own.args]
        pairs = [
            *zip(places[len(places) - len(own.defaults) :], own.defaults, strict=True),
            *((a, d) for a, d in zip(own.kwonlyargs, own.kw_defaults, strict=True) if d),
        ]
        return {a.arg: ast.unparse(d) for a, d in pairs}

    @property
    def text(self) -> str:
        """Its docstring; of a constructor, the class's too."""
        nodes = [self.node, self.owner] if self.node.name == "__init__" else [self.node]
        return "\n".join(ast.get_docstring(node) or "" for node in nodes if node)


@dataclass
class Seen:
    """What the tests were seen to hand to a step, and to get back."""

    tests: dict[str, None] = field(default_factory=dict)
    arguments: dict[str, set[str]] = field(default_factory=dict)
    results: dict[slips.Place, set[str]] = field(default_factory=dict)
    alike: set[str] = field(default_factory=set)
    """The parameters that held an array of the shape of a result."""
    unlike: set[str] = field(default_factory=set)
    """Those that held an array when there was no result of its shape."""
    in_place: set[str] = field(default_factory=set)
    """The parameters that the step changes."""
    copies: dict[str, set[int]] = field(default_factory=dict)
    """The parameters of which an object keeps copies, with different contents."""
    raised: bool = False


def steps(source: NotebookNode) -> list[Step]:
    """Return what the solution cells of an exercise define, but for helpers of the solution."""
    found = []
    for cell in source.cells:
        if cell.cell_type != "code" or not is_solution(cell):
            continue
        name, code = grade_id(cell) or "", cell.source
        hidden = _hidden_rows(code)
        for node in ast.parse(code).body:
            if node.lineno in hidden:
                continue
            if isinstance(node, ast.FunctionDef):
                found.append(Step(node.name, name, code, node))
            elif isinstance(node, ast.ClassDef):
                found += [
                    Step(f"{node.name}.{part.name}", name, code, part, node)
                    for part in node.body
                    if isinstance(part, ast.FunctionDef)
                    and not part.decorator_list
                    and (part.name in ("__init__", "__call__") or not part.name.startswith("_"))
                ]
    return found


def _hidden_rows(code: str) -> set[int]:
    """Return the lines, from 1, between the marks of a solution."""
    rows, inside = set(), False
    for number, line in enumerate(code.splitlines(), start=1):
        if "### BEGIN SOLUTION" in line:
            inside = True
        elif "### END SOLUTION" in line:
            inside = False
        elif inside:
            rows.add(number)
    return rows


class Recorder:
    """Notes how the tests call each step, in a run of the reference."""

    def __init__(self) -> None:
        self.seen: dict[str, Seen] = {}
        self.test: str | None = None
        self._looks: dict[tuple[str, str], int] = {}
        # What the constructor of an object was given.
        self._given: dict[int, tuple[Any, dict[str, Any]]] = {}

    def watch(self, names: dict[str, Any], found: list[Step]) -> None:
        """Put a watched function in the place of each step that a cell has just defined."""
        for step in found:
            self.seen[step.name] = Seen()
            if step.owner is None:
                names[step.name] = self._watched(step, names[step.name])
            else:
                kind = names[step.owner.name]
                setattr(kind, step.node.name, self._watched(step, getattr(kind, step.node.name)))

    def _watched(self, step: Step, function: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            key = (step.name, self.test or "")
            looks = self._looks[key] = self._looks.get(key, 0) + 1
            if self.test is None:
                return function(*args, **kwargs)
            seen = self.seen[step.name]
            seen.tests[self.test] = None
            if looks > MOST_LOOKS:
                return function(*args, **kwargs)
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError:
                return function(*args, **kwargs)
            arguments = dict(bound.arguments)
            instance = arguments.pop("self", None) if step.owner else None
            before = {name: slips.frozen(value) for name, value in arguments.items()}
            built = self._built(step, instance)
            try:
                result = function(*args, **kwargs)
            except Exception:
                seen.raised = True
                raise
            if step.node.name == "__init__" and step.owner:
                self._given[id(instance)] = instance, arguments
            for name, value in arguments.items():
                _note_argument(seen.arguments.setdefault(name, set()), value)
                if slips.frozen(value) != before[name]:
                    seen.in_place.add(name)
            for name, (value, was) in built.items():
                if slips.frozen(value) != was:
                    self.seen[f"{step.owner.name}.__init__"].in_place.add(name)
            if step.owner is not None:
                for name in slips.copied_into(instance, arguments):
                    contents = hash(slips.frozen(arguments[name]))
                    seen.copies.setdefault(name, set()).add(contents)
            self._note_result(seen, result, arguments)
            return result

        return call

    def _built(self, step: Step, instance: Any) -> dict[str, tuple[Any, Any]]:
        """Return what the constructor was given, and what it is now."""
        known = self._given.get(id(instance))
        if step.owner is None or known is None or known[0] is not instance:
            return {}
        return {name: (value, slips.frozen(value)) for name, value in known[1].items()}

    def _note_result(self, seen: Seen, result: Any, arguments: dict[str, Any]) -> None:
        places: list[slips.Place] = [""]
        if isinstance(result, tuple):
            places = list(range(len(result)))
        elif isinstance(result, dict) and result and all(isinstance(n, str) for n in result):
            places = list(result)[:8]
        for place in places:
            _note_result(seen.results.setdefault(place, set()), slips.part_of(result, place))
        shapes = {v.shape for v in _leaves(result) if slips.is_array(v) and slips.is_float(v)}
        for name, value in arguments.items():
            if shapes and slips.is_array(value) and value.dtype.kind in "iuf":
                (seen.alike if value.shape in shapes else seen.unlike).add(name)


def _note_argument(kinds: set[str], value: Any) -> None:
    if slips.is_plain(value):
        kinds.add("plain")
    if _has_content(value):
        kinds.add("content")


def _has_content(value: Any) -> bool:
    """Tell whether there is something in a value that a function could change."""
    if slips.is_array(value):
        return value.size > 0
    if isinstance(value, tuple):
        return any(map(_has_content, value))
    return isinstance(value, list | dict) and bool(value)


def _note_result(kinds: set[str], value: Any) -> None:
    if value is not None:
        kinds.add("value")
    if slips._is_integer(value):
        kinds.add("countable")
    if isinstance(value, list):
        kinds.add("countable")
    if slips.frozen(slips.zero_last(value)) != slips.frozen(value):
        kinds.add("last")
    leaves = list(_leaves(value))
    if any(slips.is_array(v) and v.dtype == float for v in leaves):
        kinds.add("float64")
    if any(slips.is_float(v) for v in leaves):
        kinds.add("float")
    if any(slips.is_array(v) and v.ndim == 2 and v.shape[0] == v.shape[1] > 1 for v in leaves):
        kinds.add("square")
    if slips.extra_axis(value) is not value and not isinstance(value, bool):
        kinds.add("numbers")


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    else:
        yield value


# Mutants -------------------------------------------------------------------------------------

# What is done to a result: kind, function of `slips`, what must have been seen, in words.
_OF_RESULTS = (
    ("float32", "float32", "float64", "returns float32"),
    ("truncated", "truncated", "float", "cuts off the fractions of its result"),
    ("a tenth more", "tenth_more", "float", "returns a tenth too much"),
    ("transposed", "transposed", "square", "exchanges rows and columns where they are as many"),
    ("extra axis", "extra_axis", "numbers", "returns shape (n, 1) for (n,), or (1,) for a number"),
    ("last element", "zero_last", "last", "leaves the last element 0"),
    ("one more", "one_more", "countable", "counts one too many, or has its last element twice"),
    ("one less", "one_less", "countable", "counts one too few, or leaves out the last element"),
)

_PARAMETER = re.compile(r"^(\w+(?:, *\w+)*) ?: ?(.+)$", re.MULTILINE)


def mutants(step: Step, seen: Seen) -> Iterator[Mutant]:
    """Make the mutants of one step that fit what the tests were seen to do with it."""
    make = functools.partial(_mutant, step, seen)
    asked = {
        name: kind
        for names, kind in _PARAMETER.findall(step.text)
        for name in re.split(", *", names)
    }
    for name in step.parameters:
        kinds = seen.arguments.get(name, set())
        default = step.defaults.get(name)
        if "content" in kinds and name not in seen.in_place and not _is_constructor(step):
            yield make(f"changes {name}", f"writes into {name}.", after=f"slips.change({name})")
        if name in seen.alike - seen.unlike:
            yield make(
                f"whole numbers {name}",
                f"writes into zeros_like({name}): with integers, fractions are cut off.",
                result=f"slips.like({{}}, {name})",
                untried=f"No test gives integers for {name} where the result has fractions.",
            )
        if re.search("array[-_]like|or list|list or", asked.get(name, "")):
            yield make(
                f"lists {name}",
                f"fails where {name} is a list, which the docstring allows.",
                before=f"slips.needs_array({name})",
                untried=f"No test gives a list for {name}.",
            )
        if default is not None:
            yield make(
                f"ignores {name}",
                f"takes {default} for {name} whatever is asked for.",
                before=f"{name} = slips.instead({name}, {default})",
                untried=f"No test gives another {name}.",
            )
        elif "plain" in kinds:
            yield make(
                f"first {name}",
                f"goes on with the first {name} that it was ever given, as if it were a constant.",
                before=f'{name} = slips.first("{name}", {name})',
                untried=f"All tests give the same {name}.",
            )
        if name in seen.in_place:
            yield make(
                f"not in place {name}",
                f"works on a copy of {name}, so that the caller's does not change.",
                before=f"{name} = slips.copied({name})",
            )
    if step.owner is not None:
        if _is_constructor(step):
            given = ", ".join(step.parameters)
            yield make(
                "shared state",
                "has its arrays, lists and dictionaries in common with the object before it.",
                after=f"slips.share(self, [{given}])",
            )
        else:
            # More than one: that two small arrays are equal may be chance.
            for name in [name for name, contents in seen.copies.items() if len(contents) > 1]:
                yield make(
                    f"keeps {name}",
                    f"keeps the caller's {name} itself in place of a copy.",
                    after=f'slips.keep(self, "{name}", {name})',
                )
    for place, kinds in seen.results.items():
        where = "" if place == "" else f" [{place!r}]"
        for kind, slip, wanted, does in _OF_RESULTS:
            if wanted in kinds:
                yield make(
                    f"{kind}{where}",
                    f"{does}{where and ', at'}{where}.",
                    result=f"slips.changed({{}}, {place!r}, slips.{slip})",
                )
    if any("value" in kinds for kinds in seen.results.values()):
        yield make("None", "returns nothing.", result="slips.changed({}, '', lambda _: None)")
    if seen.raised or re.search(r"^Raises\n-+$", step.text, re.MULTILINE):
        yield make(
            "no error",
            "returns None where it is to raise an error.",
            handles=True,
            untried="No test gives what is to be refused.",
        )


def _is_constructor(step: Step) -> bool:
    return step.owner is not None and step.node.name == "__init__"


def _mutant(
    step: Step,
    seen: Seen,
    kind: str,
    does: str,
    *,
    before: str = "",
    after: str = "",
    result: str = "{}",
    handles: bool = False,
    untried: str = "",
) -> Mutant:
    """Write a mutant: the reference under another name, and a function or class around it."""
    node, owner = step.node, step.owner
    outer = owner or node
    right = f"right_{outer.name}"
    call = result.format(_call(node, f"super().{node.name}" if owner else right, owner is not None))
    body = [before, f"result = {call}", after, "return result"]
    if handles:
        body = [
            "try:",
            f"    return {call}",
            "except Exception:",
            "    slips.acts()",
            "return None",
        ]
    head = ast.unparse(node.args)
    function = [f"def {node.name}({head}):", *(f"    {line}" for line in body if line)]
    if owner:
        function = [f"class {owner.name}({right}):", *(f"    {line}" for line in function)]
    rows = step.code.splitlines()
    first = min([outer.lineno, *(d.lineno for d in outer.decorator_list)]) - 1
    reference = "\n".join(rows[first : outer.end_lineno])
    reference = re.sub(
        rf"^(def|class) {outer.name}\b", rf"\1 {right}", reference, count=1, flags=re.MULTILINE
    )
    code = "\n\n\n".join(
        ["from course_lib.assignments import slips", reference, "\n".join(function)]
    )
    name = f"{step.name}: {kind}"
    short = owner.name if owner and node.name == "__init__" else step.name
    return Mutant(short, kind, does, Answer(name, does, code), untried, tuple(seen.tests))


def _call(node: ast.FunctionDef, function: str, is_method: bool) -> str:
    """Return the call of a function with the arguments that its own parameters hold."""
    own = node.args
    given = [a.arg for a in (*own.posonlyargs, *own.args)][int(is_method) :]
    given += [f"*{own.vararg.arg}"] if own.vararg else []
    given += [f"{a.arg}={a.arg}" for a in own.kwonlyargs]
    given += [f"**{own.kwarg.arg}"] if own.kwarg else []
    return f"{function}({', '.join(given)})"


# Running them --------------------------------------------------------------------------------


def outcomes(source: NotebookNode) -> list[Outcome]:
    """Make the mutants of an exercise and run the tests on each of them.

    Raises
    ------
    CourseError
        If the reference itself does not pass the tests.
    """
    here, there = _context().Pipe(duplex=False)
    process = _context().Process(target=_work, args=(there, source))
    process.start()
    there.close()
    found: list[Outcome] = []
    try:
        while True:
            message = here.recv()
            if isinstance(message, str):
                raise CourseError(message)
            if message is None:
                return found
            found.append(message)
    except EOFError:
        raise CourseError("The process that runs the mutants has ended.") from None
    finally:
        process.kill()
        process.join()
        here.close()


def _work(connection: Any, source: NotebookNode) -> None:
    """Run the mutants of an exercise and send what becomes of each. Runs in a new process."""
    import faulthandler
    import sys

    faulthandler.disable()
    sys.argv = ["notebook"]
    with tempfile.TemporaryDirectory(prefix="course-mutants-") as home:
        os.environ["IPYTHONDIR"] = home
        os.chdir(home)
        try:
            for outcome in _Run(source).outcomes():
                connection.send(outcome)
            connection.send(None)
        except CourseError as error:
            connection.send(str(error))
        connection.close()
    os._exit(0)


def _as_graded(cell: NotebookNode) -> NotebookNode:
    """Return a cell; of one that nobody grades, what it imports and defines.

    So much of it the judge of the grading engine takes. What it does (a training, a picture at the
    end) shows nothing about the tests.
    """
    if grade_id(cell):
        return cell
    cell = copy.deepcopy(cell)
    kept = [s for s in judge._statements(cell.source) if isinstance(s, judge._DEFINITIONS)]
    cell.source = "\n".join(map(ast.unparse, kept))
    return cell


class _Run:
    """The notebook of an exercise in a shell, with a fork for each mutant."""

    def __init__(self, source: NotebookNode) -> None:
        self.source = source
        cells = [c for c in up_to_the_last_test(source).cells if c.cell_type == "code"]
        self.cells = list(map(_as_graded, cells))
        self.steps: dict[str, list[Step]] = {}
        for step in steps(source):
            self.steps.setdefault(step.cell, []).append(step)
        self.shell = new_shell()
        # Once, and not in every fork.
        nbgraders.load()
        if takes_steps(cell.source for cell in self.cells):
            warm_torch()

    def outcomes(self) -> Iterator[Outcome]:
        seen = _in_fork(self.record)
        if not isinstance(seen, dict):
            raise CourseError(seen or "The process that runs the reference has ended.")
        for place, cell in enumerate(self.cells):
            if is_test(cell):
                continue
            for step in self.steps.get(grade_id(cell) or "", []):
                for mutant in mutants(step, seen[step.name]):
                    done = _in_fork(functools.partial(self.kill, mutant, place))
                    killed_by, acted = done or ("its end", True)
                    yield Outcome(mutant, killed_by, acted)
            self.run(cell)

    def run(self, cell: NotebookNode, text: str | None = None) -> str:
        """Run a cell; return why it does not get its points, if it does not."""
        label = grade_id(cell) or ""
        status, error, outputs = student.run_cell(self.shell, label, text or cell.source)
        if status != "ok":
            return error or status
        if not is_test(cell):
            return ""
        return "" if _earned(cell, outputs) else "the test does not give all points"

    def record(self) -> dict[str, Seen] | str:
        """Run the reference, and note what the tests do with its steps."""
        recorder = Recorder()
        for cell in self.cells:
            name = grade_id(cell) or ""
            recorder.test = name if is_test(cell) else None
            error = self.run(cell)
            if error and name:
                return f"The reference fails at {name}: {error}"
            recorder.test = None
            recorder.watch(self.shell.user_ns, self.steps.get(name, []))
        return recorder.seen

    def kill(self, mutant: Mutant, place: int) -> tuple[str, bool]:
        """Run the tests that call a mutant's step; return which fails, and whether it acted."""
        changed = answer_cells(self.source, mutant.answer)
        wanted = self.with_their_names(mutant.tests)
        last = max((i for i, c in enumerate(self.cells) if grade_id(c) in wanted), default=-1)
        slips.begin()
        for cell in self.cells[place : last + 1]:
            name = grade_id(cell) or ""
            if is_test(cell) and name not in wanted:
                continue
            error = self.run(cell, changed.get(name))
            if error and name:
                return name, True
        return "", slips.has_acted()

    def with_their_names(self, tests: tuple[str, ...]) -> set[str]:
        """Return tests, and those that give them names that no other cell gives."""
        given = set()
        for cell in self.cells:
            if not is_test(cell):
                given |= notebooks.given_names(cell.source)
        wanted, lacking = set(), set()
        for cell in reversed([cell for cell in self.cells if is_test(cell)]):
            bound = notebooks.given_names(cell.source)
            if grade_id(cell) in tests or bound & lacking:
                wanted.add(grade_id(cell))
                lacking = lacking - bound | (
                    notebooks.names_from_outside(cell.source) - bound - given - _PYTHONS
                )
        return wanted


_PYTHONS = frozenset(dir(builtins))


def _earned(cell: NotebookNode, outputs: list[list[Any]]) -> bool:
    """Tell whether nbgrader would give all points for a test that showed this."""
    return counted(cell, runner.outputs_of(outputs))[0] >= float(cell.metadata.nbgrader.points)


def _in_fork(work: Callable[[], Any]) -> Any:
    """Return what a function gives in a fork of this process; None if the fork died."""
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        with suppress(BaseException):
            os.close(here)
            signal.signal(signal.SIGXCPU, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_CPU, (_used() + MOST_SECONDS,) * 2)
            with os.fdopen(there, "wb") as file:
                pickle.dump(work(), file)
            code = 0
        os._exit(code)
    os.close(there)
    with os.fdopen(here, "rb") as file:
        answer = file.read()
    os.waitpid(child, 0)
    return pickle.loads(answer) if answer else None


def _used() -> int:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return int(usage.ru_utime + usage.ru_stime) + 1


def main() -> None:
    """Print the surviving mutants of an exercise: ``python -m course_lib.assignments.mutants``."""
    import sys
    import time

    from course_lib.paths import find_root

    root, slug = find_root(Path.cwd()), sys.argv[1]
    warm(root, [slug])
    begin = time.monotonic()
    found = outcomes(source_notebook(root, slug))
    said = compare(found, load_accepted(answers_path(root, slug)))
    for line in said:
        print(f"- {line}")
    seconds = time.monotonic() - begin
    print(f"{slug}: {len(found)} mutants, {len(said)} problems, {seconds:.1f} s")
    sys.exit(bool(said))


if __name__ == "__main__":
    main()
