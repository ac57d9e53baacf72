"""Which classes an exercise asks for, and what of them: read from the teacher's notebook.

A class that the teacher's solution defines is one that the student is to write. Its operators are
part of what is tested, if the solution writes them; and in those test cells alone that have to do
with the class. All of this is read from the text: nothing runs.
"""

from __future__ import annotations

import ast
import contextlib
import functools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from nbformat import NotebookNode

from course_lib.grading.engine.influence import taken
from course_lib.grading.engine.names import bound, changed_parts, method_owners
from course_lib.grading.engine.notebooks import names_from_outside, role
from course_lib.grading.engine.operations import DATA_METHODS, GROUPS, ORDER
from course_lib.imports import parsed

__all__ = ["Asked", "are_cut", "classes", "in_reach"]

_EVERY = frozenset(name for names in GROUPS.values() for name in names)


@dataclass(frozen=True)
class Asked:
    """A class that the exercise asks for, as the teacher's solution writes it.

    Attributes
    ----------
    operations : set of str
        The special methods that are written in it, or in a class of the notebook it inherits from.
    names : set of str
        Its methods, and the attributes that it has or sets.
    fields : tuple of str, optional
        Of a dataclass, the fields that are compared.
    ordered : bool
        Whether objects of the dataclass have an order.
    bases : tuple of str
        The classes of libraries that it inherits from, such as ``"collections.UserList"``.
    cut : bool
        Whether only a release is at hand, in which the class is yet to be written. Whoever checks
        their own work so is believed.
    """

    operations: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    fields: tuple[str, ...] | None = None
    ordered: bool = False
    bases: tuple[str, ...] = ()
    cut: bool = False


def classes(source: NotebookNode) -> dict[str, Asked]:
    """Return the classes that the teacher's solution defines, by name."""
    return dict(_classes_in(tuple(_solutions(source))))


def are_cut(release: NotebookNode) -> list[str]:
    """Return the classes of which a release shows no more than that they are to be written."""
    return sorted(name for name, one in classes(release).items() if one.cut)


def _solutions(notebook: NotebookNode) -> Iterable[str]:
    return (cell.source for cell in notebook.cells if role(cell) == "solution")


@functools.lru_cache(maxsize=16)
def _classes_in(sources: tuple[str, ...]) -> dict[str, Asked]:
    found: dict[str, Asked] = {}
    places: dict[str, str] = {}
    for source in sources:
        tree = parsed(source)
        nodes = list(ast.walk(tree))
        functions = {n.name: n for n in nodes if isinstance(n, ast.FunctionDef)}
        places |= _imported(nodes)
        for node in nodes:
            match node:
                case ast.ClassDef():
                    found[node.name] = _asked(node, found, functions, places)
                case ast.Attribute(ast.Name(name), method, ast.Store()) if name in found:
                    found[name] = _with(found[name], {method})
                case ast.Call(ast.Name("setattr"), [ast.Name(name), method, *_]) if name in found:
                    named = method.value if isinstance(method, ast.Constant) else None
                    more = {named} if isinstance(named, str) else _EVERY
                    found[name] = _with(found[name], more)
    return found


def _imported(nodes: Iterable[ast.AST]) -> dict[str, str]:
    """Return what imported names stand for, with dots."""
    found = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                found[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return found


def _with(asked: Asked, names: Collection[str]) -> Asked:
    special = {name for name in names if name.startswith("__")}
    return replace(
        asked, operations=asked.operations | special, names=asked.names | frozenset(names)
    )


def _asked(
    node: ast.ClassDef,
    known: Mapping[str, Asked],
    functions: Mapping[str, ast.FunctionDef],
    places: Mapping[str, str],
) -> Asked:
    """Return what a class is asked for, given those before it and the functions of its cell."""
    names = {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute) and _is_own(n)}
    written: set[str] = set()
    for part in node.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            written.add(part.name)
        elif not isinstance(part, ast.Expr | ast.Pass | ast.Raise):
            # `__rmul__ = __mul__`, and the fields of a dataclass.
            written |= {
                n.id
                for n in ast.walk(part)
                if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            }
    bases: list[str] = []
    fields: list[str] = []
    for base in node.bases:
        text = ast.unparse(base.value if isinstance(base, ast.Subscript) else base)
        if text in known:
            inherited = known[text]
            written |= inherited.operations
            names |= inherited.names
            bases += inherited.bases
            fields += inherited.fields or ()
        else:
            first, dot, rest = text.partition(".")
            bases.append(f"{places.get(first, first)}{dot}{rest}")
    made = Asked(
        frozenset(name for name in written if name.startswith("__")),
        frozenset(names | written),
        bases=tuple(bases),
    )
    if any(isinstance(part, ast.Raise) for part in node.body):
        return replace(_with(made, _EVERY | DATA_METHODS), cut=True)
    for decorator in node.decorator_list:
        made = _decorated(made, decorator, node, fields, functions)
    return made


def _is_own(node: ast.Attribute) -> bool:
    """Tell whether a method sets an attribute of its object, or names one of its class."""
    return isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name)


def _decorated(
    asked: Asked,
    decorator: ast.expr,
    node: ast.ClassDef,
    inherited: list[str],
    functions: Mapping[str, ast.FunctionDef],
) -> Asked:
    """Return a class after one of its decorators."""
    call = decorator if isinstance(decorator, ast.Call) else None
    name = ast.unparse(call.func if call else decorator).rpartition(".")[2]
    settings = {k.arg: ast.unparse(k.value) for k in call.keywords} if call else {}
    if name in ("dataclass", "define", "frozen", "mutable", "attrs"):
        if settings.get("eq") == "False":
            return asked
        own = [
            part.target.id
            for part in node.body
            if isinstance(part, ast.AnnAssign)
            and isinstance(part.target, ast.Name)
            and "ClassVar" not in ast.unparse(part.annotation)
            and "compare=False" not in ast.unparse(part)
        ]
        fields = tuple(dict.fromkeys([*inherited, *own]))
        return replace(asked, fields=fields, ordered=settings.get("order") == "True")
    if name == "total_ordering":
        return _with(asked, ORDER)
    if name in functions:
        # One of the notebook's own: what it names, it may give to the class.
        inside = [n for n in ast.walk(functions[name]) if n is not functions[name]]
        texts = {n.value for n in inside if isinstance(n, ast.Constant)}
        texts |= {n.attr for n in inside if isinstance(n, ast.Attribute)}
        return _with(asked, {t for t in texts if isinstance(t, str) and t in _EVERY})
    return asked


# In which tests they count --------------------------------------------------------------------


def in_reach(asked: Mapping[str, Asked], source: NotebookNode, test: str) -> dict[str, Asked]:
    """Return those classes that a test cell can have to do with in the teacher's notebook.

    It mentions them, or something that the teacher makes with them: a function whose solution
    does, a variable of another cell. An object of such a class that comes from elsewhere is one
    that nobody asked for there.
    """
    if not asked:
        return {}
    texts = tuple(cell.source for cell in source.cells if role(cell) != "text")
    made = _made_with(texts)
    todo, seen = set(_mentioned(test)), set()
    while todo:
        name = todo.pop()
        seen.add(name)
        todo |= made.get(name, frozenset()) - seen
    return {name: one for name, one in asked.items() if name in seen or one.cut}


@functools.lru_cache(maxsize=512)
def _mentioned(source: str) -> frozenset[str]:
    """Return the names that a cell takes from elsewhere, also as a text or a keyword."""
    tree = parsed(source)
    nodes = list(ast.walk(tree))
    found = set(taken(getattr(tree, "body", [])))
    found |= {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    found |= {n.arg for n in nodes if isinstance(n, ast.keyword) and n.arg}
    return frozenset(found)


@functools.lru_cache(maxsize=16)
def _made_with(sources: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """Return, for each name of a notebook, those that statements which make or change it use."""
    found: dict[str, set[str]] = {}
    statements = [one for source in sources for one in getattr(parsed(source), "body", [])]
    kept = {one.name for one in statements if isinstance(one, ast.FunctionDef | ast.ClassDef)}
    kept |= _imported(statements).keys()
    for statement in statements:
        uses: frozenset[str] = frozenset()
        with contextlib.suppress(ValueError, RecursionError):
            uses = names_from_outside(ast.unparse(statement))
        makes = set(bound(statement)) | changed_parts(statement) | method_owners(statement)
        if isinstance(statement, ast.Expr):
            # What it is handed it may change, but for a function, which stays what it is.
            makes |= uses - kept
        for name in makes:
            found.setdefault(name, set()).update(uses)
    return {name: frozenset(uses) for name, uses in found.items()}
