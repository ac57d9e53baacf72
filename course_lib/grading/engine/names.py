"""What code does with names: which it takes from outside, gives values to, and changes."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from course_lib.imports import parsed, remembered

__all__ = ["bound", "bound_in", "changed_parts", "loaded", "method_owners"]


def loaded(statement: ast.stmt) -> set[str]:
    """Return the names that a statement takes from outside."""
    names = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    own = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    own |= {node.arg for node in ast.walk(statement) if isinstance(node, ast.arg)}
    return {node.id for node in names if isinstance(node.ctx, ast.Load)} - own


def bound(statement: ast.stmt) -> frozenset[str]:
    """Return the names of the notebook that a statement gives values to, as `bound_in` does."""
    return frozenset(_bound(statement))


@remembered(256)
def bound_in(source: str) -> frozenset[str]:
    """Return the names of the notebook that some code gives values to, but not those it imports.

    The variables of functions and of comprehensions are their own, but for what a function
    declares global. (A table of symbols has those of comprehensions, too, from Python 3.12 on.)
    """
    return frozenset(_bound(parsed(source)))


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _bound(tree: ast.AST) -> Iterator[str]:
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            inner = list(ast.walk(node))
            public = {n for one in inner if isinstance(one, ast.Global) for n in one.names}
            yield from public & set(_stored(inner))
        elif isinstance(node, _COMPREHENSIONS):
            yield from _stored(n.target for n in ast.walk(node) if isinstance(n, ast.NamedExpr))
        else:
            yield from _stored([node])
            todo += ast.iter_child_nodes(node)


def _stored(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        match node:
            case ast.Name(name, ast.Store() | ast.Del()):
                yield name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                yield name
            case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield name


def changed_parts(statement: ast.stmt) -> set[str]:
    """Return the names whose attributes or items a statement assigns to or deletes."""
    return {
        name
        for node in ast.walk(statement)
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load)
        for name in _root(node)
    }


def method_owners(statement: ast.stmt) -> set[str]:
    """Return the names whose methods, or those of their parts, a statement calls."""
    return {
        name
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        for name in _root(node.func)
    }


def _root(node: ast.expr) -> list[str]:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return [node.id] if isinstance(node, ast.Name) else []
