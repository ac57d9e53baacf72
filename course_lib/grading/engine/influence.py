"""Which tests the changes of a notebook can reach, and which they certainly cannot.

Two notebooks differ in some solution cells. A test that none of the changes can reach gives in the
one what it gives in the other. Changes travel by names: from a cell to what it defines, to every
cell that mentions that, to all values that such a cell could change in place. What could travel in
other ways (a setting of a library, a patched module, a file) is looked for in the text of the
changed cells, and where any of it is seen nothing is certain. Random numbers are not looked at
here: whoever runs the cells compares their state.
"""

from __future__ import annotations

import ast
import builtins
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nbformat import NotebookNode

from course_lib.grading.engine import notebooks
from course_lib.grading.engine.names import bound_in
from course_lib.imports import parsed

__all__ = ["needed", "stays_within", "taken"]

#: With these, code reaches for what it does not mention.
_REFLECTION = frozenset(
    """
    __builtins__ __import__ __main__ breakpoint compile delattr dir eval exec get_ipython
    globals input locals open setattr vars
    """.split()  # noqa: SIM905
)

#: These change something that all code of a process has in common.
_SETTINGS = frozenset(
    """
    errcall filterwarnings manual_seed resetwarnings seed set_default_device set_default_dtype
    set_default_tensor_type set_deterministic set_flush_denormal set_grad_enabled
    set_num_threads set_printoptions set_state set_string_function setbufsize seterr seterrcall
    showwarning simplefilter use_deterministic_algorithms
    """.split()  # noqa: SIM905
)

#: The modules that a changed cell may use, but for their settings.
_PURE = frozenset(
    """
    __future__ abc bisect cmath collections contextlib copy course_lib dataclasses decimal enum
    fractions functools heapq itertools math numbers numpy operator scipy statistics string
    torch typing warnings
    """.split()  # noqa: SIM905
)

_PYTHONS = frozenset(dir(builtins))


def needed(ours: Sequence[NotebookNode], theirs: Sequence[NotebookNode]) -> set[int] | None:
    """Return which cells of a notebook must run where the results of another are known.

    Parameters
    ----------
    ours : sequence of NotebookNode
        The code cells of the notebook.
    theirs : sequence of NotebookNode
        Those of the other, one for each.

    Returns
    -------
    set of int or None
        All places but those of tests that certainly give what they give there. None if the two
        cannot be compared, or nothing is certain.
    """
    kinds = [notebooks.role(cell) for cell in ours]
    if kinds != [notebooks.role(cell) for cell in theirs]:
        return None
    places = set(range(len(ours)))
    tests = {place for place in places if kinds[place] == "test"}
    changed = {place for place in places if ours[place].source != theirs[place].source}
    texts = {cell.source for place in changed for cell in (ours[place], theirs[place])}
    if changed & tests or not all(map(stays_within, texts)):
        return None
    cells = [_both(_read(a.source), _read(b.source)) for a, b in zip(ours, theirs, strict=True)]
    if any("*" in cell.imports for cell in cells):
        return None
    impure = frozenset().union(*(cell.impure for cell in cells))
    if any(cells[place].mentions & impure for place in changed):
        return None

    run = _reached(cells, changed, tests) | (places - tests)
    while True:
        more = {
            place for place in tests - run if cells[place].binds & _wanted(cells, run, tests, place)
        }
        if not more:
            return run
        run |= more


def _wanted(cells: Sequence[_Cell], run: set[int], tests: set[int], place: int) -> set[str]:
    """Return the names that the cells after a test need, if the test is what binds them.

    A test that runs takes them; a cell of the student's side is handed them, unless they are
    modules that it has from a cell of its own side.
    """
    found: set[str] = set()
    for later in range(place + 1, len(cells)):
        if later not in tests:
            found |= cells[later].mentions - (cells[place].imports & _elsewhere(cells, tests))
        elif later in run:
            found |= cells[later].takes
    return found


def _elsewhere(cells: Sequence[_Cell], tests: set[int]) -> set[str]:
    """Return the names that other cells than tests bind."""
    return set().union(*(cell.binds for i, cell in enumerate(cells) if i not in tests))


def _reached(cells: Sequence[_Cell], changed: set[int], tests: set[int]) -> set[int]:
    """Return the cells that the changed ones may change, themselves included."""
    values = frozenset().union(*(cell.values for cell in cells))
    own = frozenset().union(*(cell.binds - cell.imports for cell in cells))
    found: set[int] = set()
    more = changed | {place for place in tests if cells[place].reflects}
    reached: set[str] = set()
    # A test that ends early imports nothing more: that is of concern to the tests after it.
    imported: set[str] = set()
    # What is handed on as a text is what the exercise is about, and not some variable of a test.
    asked = frozenset().union(
        *(cell.binds - cell.imports for place, cell in enumerate(cells) if place not in tests)
    )
    while more:
        for place in more:
            cell = cells[place]
            reached |= cell.binds - cell.imports
            reached |= cell.mentions & values | cell.touches & own
            imported |= cell.imports if place in tests else set()
        found |= more
        more = {
            place
            for place, cell in enumerate(cells)
            if place not in found
            and (
                cell.takes & (reached | imported if place in tests else reached)
                or cell.spells & asked & reached
            )
        }
    return found


def stays_within(source: str) -> bool:
    """Tell whether a changed cell, and its functions, act on nothing but names and arguments.

    None of it declares names global, reaches for what it does not mention, changes a setting, or
    writes into anything but arguments (``self`` among them) and variables of its own.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return False
    for node in ast.walk(tree):
        match node:
            case ast.Global() | ast.Delete():
                return False
            case ast.Name(name) if name in _REFLECTION:
                return False
            case ast.Attribute(_, name) if name in _SETTINGS | _REFLECTION:
                return False
            case ast.Attribute(_, name) if name.startswith("__") and name != "__init__":
                return False
            case ast.Import(names) if any(a.name.partition(".")[0] not in _PURE for a in names):
                return False
            case ast.ImportFrom(module, names) if (module or "").partition(".")[0] not in _PURE:
                return False
            case ast.ImportFrom(_, names) if any(a.name in _SETTINGS | _REFLECTION for a in names):
                return False
    nodes = list(ast.walk(tree))
    own = {node.arg for node in nodes if isinstance(node, ast.arg)}
    own |= {node.id for node in nodes if _is_store(node)}
    # Another name for a module or a class is not one's own.
    for node in nodes:
        if isinstance(node, ast.Assign | ast.NamedExpr) and isinstance(
            node.value, ast.Name | ast.Attribute
        ):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            own -= {target.id for target in targets if isinstance(target, ast.Name)}
    return _changed(tree) <= own


def _is_store(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _changed(tree: ast.AST) -> set[str]:
    """Return the names whose attributes or items are assigned, and "" for what has no name."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            inner: ast.expr = node
            while isinstance(inner, ast.Attribute | ast.Subscript):
                inner = inner.value
            found.add(inner.id if isinstance(inner, ast.Name) else "")
    return found


@dataclass(frozen=True)
class _Cell:
    """What a cell does with the names of the notebook.

    Attributes
    ----------
    takes : frozenset of str
        Those that it may use before it gives them a meaning itself.
    mentions : frozenset of str
        Those that it uses anywhere.
    spells : frozenset of str
        Those that it hands on as texts, or as the keywords of ``given(softmax=...)``.
    touches : frozenset of str
        Those of which it uses attributes.
    binds : frozenset of str
        Those to which it gives a meaning.
    imports, values : frozenset of str
        Of these, those that it imports, and those that are no functions, classes or modules.
    impure : frozenset of str
        Those that it imports from elsewhere than `_PURE`.
    reflects : bool
        Whether it may use names that are not in its text.
    """

    takes: frozenset[str]
    mentions: frozenset[str]
    spells: frozenset[str]
    touches: frozenset[str]
    binds: frozenset[str]
    imports: frozenset[str]
    values: frozenset[str]
    impure: frozenset[str]
    reflects: bool


def _both(one: _Cell, other: _Cell) -> _Cell:
    """Return what a cell may do that has two versions."""
    if one is other:
        return one
    kinds = ("takes", "mentions", "spells", "touches", "binds", "imports", "values", "impure")
    unions = {kind: getattr(one, kind) | getattr(other, kind) for kind in kinds}
    return _Cell(**unions, reflects=one.reflects or other.reflects)


@functools.lru_cache(maxsize=1024)
def _read(source: str) -> _Cell:
    tree = parsed(source)
    nodes = list(ast.walk(tree))
    imports, impure = set(), set()
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                module = node.module if isinstance(node, ast.ImportFrom) else alias.name
                imports.add(name)
                if (module or "").partition(".")[0] not in _PURE:
                    impure.add(name)
    defined = {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    bound = bound_in(source)
    spelled = {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    spelled |= {
        part.arg
        for n in nodes
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "given"
        for part in n.keywords
        if part.arg
    }
    outside = notebooks.names_from_outside(source)
    body = getattr(tree, "body", [])
    return _Cell(
        takes=frozenset(taken(body) - _PYTHONS),
        mentions=frozenset(outside - _PYTHONS),
        spells=frozenset(spelled),
        touches=frozenset(
            n.value.id
            for n in nodes
            if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)
        ),
        binds=frozenset(bound | imports),
        imports=frozenset(imports - bound),
        values=frozenset(bound - defined),
        impure=frozenset(impure),
        reflects=any(isinstance(n, ast.Name) and n.id in _REFLECTION for n in nodes)
        or any(isinstance(n, ast.Global) for n in nodes),
    )


def taken(statements: Iterable[ast.stmt], own: set[str] | None = None) -> set[str]:
    """Return the names that statements may use before they have given them a meaning.

    Parameters
    ----------
    statements : iterable of ast.stmt
    own : set of str, optional
        Those that have one for certain; what the statements bind for certain is added.
    """
    own = set() if own is None else own
    found: set[str] = set()
    for statement in statements:
        match statement:
            case ast.For(target, iterable, body, orelse):
                found |= _loads(iterable) - own
                found |= taken(body, own | _stores(target)) | taken(orelse, set(own))
            case ast.While(test, body, orelse):
                found |= _loads(test) - own
                found |= taken(body, set(own)) | taken(orelse, set(own))
            case ast.If(test, body, orelse):
                found |= _loads(test) - own
                one, other = set(own), set(own)
                found |= taken(body, one) | taken(orelse, other)
                own |= one & other
            case ast.With(items, body):
                inside = set(own)
                for item in items:
                    found |= _loads(item.context_expr) - inside
                    if item.optional_vars is not None:
                        inside |= _stores(item.optional_vars)
                # A context may end an error that came before the names had their meaning.
                found |= taken(body, inside)
            case ast.Try(body, handlers, orelse, finalbody):
                for part in (body, orelse, finalbody):
                    found |= taken(part, set(own))
                for handler in handlers:
                    caught = {handler.name} if handler.name else set()
                    found |= taken(handler.body, own | caught)
                    found |= (_loads(handler.type) if handler.type else set()) - own
            case _:
                found |= _loads(statement) - own
                if isinstance(statement, ast.AugAssign):
                    found |= _stores(statement.target) - own
                own |= _certainly_bound(statement)
    return found


def _certainly_bound(statement: ast.stmt) -> set[str]:
    match statement:
        case ast.Assign(targets):
            return set().union(*map(_stores, targets))
        case ast.AnnAssign(target, value=ast.expr()):
            return _stores(target)
        case ast.FunctionDef(name) | ast.ClassDef(name):
            return {name}
        case ast.Import(names) | ast.ImportFrom(_, names):
            return {alias.asname or alias.name.partition(".")[0] for alias in names}
    return set()


def _stores(target: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(target) if _is_store(node)}


def _loads(node: ast.AST) -> set[str]:
    """Return the names that a statement or an expression takes from outside."""
    return set(notebooks.names_from_outside(ast.unparse(node)))
