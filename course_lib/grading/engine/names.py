"""What code does with names: which it takes from outside, gives values to, and changes."""

from __future__ import annotations

import ast
import contextlib
import functools
import symtable

__all__ = ["bound", "bound_in", "changed_parts", "loaded", "method_owners"]


def loaded(statement: ast.stmt) -> set[str]:
    """Return the names that a statement takes from outside."""
    names = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    own = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    own |= {node.arg for node in ast.walk(statement) if isinstance(node, ast.arg)}
    return {node.id for node in names if isinstance(node.ctx, ast.Load)} - own


def bound(statement: ast.stmt) -> frozenset[str]:
    """Return the names of the notebook that a statement gives values to, as `bound_in` does."""
    return bound_in(ast.unparse(statement))


@functools.lru_cache(maxsize=256)
def bound_in(source: str) -> frozenset[str]:
    """Return the names of the notebook that some code gives values to, but not those it imports.

    The variables of functions and of comprehensions are their own.
    """
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset(
            symbol.get_name()
            for symbol in symtable.symtable(source, "cell", "exec").get_symbols()
            if symbol.is_assigned() and not symbol.is_imported()
        )
    return frozenset()


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
