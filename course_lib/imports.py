"""What pieces of code import, read from their text; what imports what in this library."""

from __future__ import annotations

import ast
import functools
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

_Read = TypeVar("_Read")

#: Magics whose line or cell is Python that runs here.
_RUN_PYTHON = frozenset(("capture", "prun", "time", "timeit"))

#: `%timeit -n 10 -r3 f(x)`
_LONGEST_LINE = 1_000
_OPTIONS = re.compile(r"(?:-\w+ *[0-9.]*\s+)*")

_CELL_MAGIC = re.compile(r"\s*%%(\w+)([^\n]*)\n?")

#: A line of IPython's own: `%x`, `!x`, `a = !x`, `x?`.
_LINE = re.compile(
    r"^([ \t]*)(?:[%!].*|[\w.,*]+(?:[ \t]*,[ \t]*[\w.*]+)*[ \t]*=[ \t]*[%!].*|[^\n#'\"]*\?{1,2})$",
    re.MULTILINE,
)

#: Characters, and lines of its own: IPython reads a cell anew for each of these, in 40 milliseconds
#: where there are hundreds.
_LONGEST = 20_000
_MOST_LINES = 40

#: Characters of a text that is kept with what was read in it: a class's are the same, and the long
#: ones of somebody would fill the memory.
_REMEMBERED = 10_000

#: What is read when a text is no Python, or too deep for a parser.
_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


#: What jsonschema imports, if it is there, to check web addresses: reading their grammar takes most
#: of a second, and it does without where these are missing. Nothing here checks a web address.
WEB_ADDRESSES = ("rfc3986_validator", "rfc3987_syntax")


@contextmanager
def without(names: Iterable[str]) -> Iterator[None]:
    """Let modules be missing inside, unless they are loaded already.

    Parameters
    ----------
    names : iterable of str
        Modules that others import only if they are installed.
    """
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def remembered(maxsize: int) -> Callable[[Callable[[str], _Read]], Callable[[str], _Read]]:
    """Return a decorator that remembers what a function reads in texts, but for long ones."""

    def decorate(function: Callable[[str], _Read]) -> Callable[[str], _Read]:
        known = functools.lru_cache(maxsize)(function)

        @functools.wraps(function)
        def read(source: str) -> _Read:
            return known(source) if len(source) <= _REMEMBERED else function(source)

        return read

    return decorate


@remembered(1024)
def parsed(source: str) -> ast.Module:
    """Return the syntax tree of what IPython makes of a cell; an empty one if that is no Python.

    What stands behind ``%time``, or below ``%%time``, is read as it runs; ``%run helper.py`` counts
    as an import.
    """
    with suppress(*_UNREADABLE):
        return ast.parse(source)
    if (magic := _CELL_MAGIC.match(source)) is not None:
        name, line = magic.groups()
        if name not in _RUN_PYTHON:
            return ast.Module([], [])  # files, shells and other languages
        setup = _behind(line) if name == "timeit" else []
        if name == "capture" and line.split() and line.split()[0].isidentifier():
            setup = ast.parse(f"{line.split()[0]} = None").body
        return ast.Module([*setup, *parsed(source[magic.end() :]).body], [])
    with suppress(*_UNREADABLE):
        return ast.fix_missing_locations(_Magics().visit(ast.parse(_transformed(source))))
    return ast.Module([], [])


def _transformed(source: str) -> str:
    """Return a cell as IPython hands it to Python."""
    if len(source) > _LONGEST or len(_LINE.findall(source)) > _MOST_LINES:
        return _LINE.sub(r"\1pass", source)
    # It takes a tenth of a second to import, and few cells need it.
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        return TransformerManager().transform_cell(source)
    except RuntimeError as error:
        raise SyntaxError(str(error)) from error  # more lines of its own than it takes


@remembered(1024)
def python_of(source: str) -> str:
    """Return what IPython makes of a cell as plain Python; empty if that is none."""
    with suppress(*_UNREADABLE):
        ast.parse(source)
        return source
    return ast.unparse(parsed(source))


def _behind(line: str) -> list[ast.stmt]:
    """Return the statements behind the name of a magic."""
    if len(line) > _LONGEST_LINE:
        return []
    with suppress(*_UNREADABLE):
        return ast.parse(_OPTIONS.sub("", line.strip() + " ", count=1).strip()).body
    return []


class _Magics(ast.NodeTransformer):
    """Put what magics run in their places."""

    def visit_Expr(self, node: ast.Expr) -> Any:
        found = self._run_by(node.value)
        return self.generic_visit(node) if found is None else found or ast.Pass()

    def visit_Call(self, node: ast.Call) -> Any:
        match self._run_by(node):
            case [ast.Expr(value)]:
                return value
        return self.generic_visit(node)

    def _run_by(self, node: ast.expr) -> list[ast.stmt] | None:
        """Return the statements that a call of a magic runs, None for another call."""
        match node:
            case ast.Call(
                ast.Attribute(ast.Call(ast.Name("get_ipython")), "run_line_magic"),
                [ast.Constant(str(name)), ast.Constant(str(line))],
            ):
                short = len(line) <= _LONGEST_LINE
                if name == "run" and short and (path := _OPTIONS.sub("", line, count=1)).split():
                    module = path.split()[0].removesuffix(".py").removeprefix("./")
                    return ast.parse(f"import {module.replace('/', '.')}").body
                return _behind(line) if name in _RUN_PYTHON else []
        return None


def imported_modules(sources: Iterable[str], folder: Path | None = None) -> set[str]:
    """Return the dotted names that pieces of code import, ``from a import b`` as ``a.b``.

    Parameters
    ----------
    sources : iterable of str
        Cells, or the texts of modules.
    folder : Path, optional
        Where they run: what they import from there is read, too.
    """
    sources = list(sources)
    helpers = [] if folder is None else helper_files(sources, folder)
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in helpers]
    return set().union(*map(_imports_of, [*sources, *texts]))


def helper_files(sources: Iterable[str], folder: Path) -> list[Path]:
    """Return the files in a folder that pieces of code import, also through each other."""
    found: dict[Path, None] = {}
    waiting = list(sources)
    while waiting:
        for name in sorted(_imports_of(waiting.pop())):
            path = folder.joinpath(*name.split("."))
            for file in (path.with_suffix(".py"), path / "__init__.py"):
                if file not in found and file.is_file():
                    found[file] = None
                    waiting.append(file.read_text(encoding="utf-8", errors="replace"))
    return list(found)


@remembered(1024)
def _imports_of(source: str) -> frozenset[str]:
    names: set[str] = set()
    for node in ast.walk(parsed(source)):
        match node:
            case ast.Import():
                names.update(alias.name for alias in node.names)
            case ast.ImportFrom(str(module), _, 0 | None):
                names.add(module)
                names.update(f"{module}.{alias.name}" for alias in node.names)
            case ast.Call(
                ast.Name("__import__" | "import_module") | ast.Attribute(_, "import_module"),
                [ast.Constant(str(name)), *_],
            ):
                names.add(name)
    return frozenset(names)


def is_module(name: str) -> bool:
    """Tell whether a dotted name is a module here; nothing is imported to find out."""
    top, *parts = name.split(".")
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):  # `__main__` has none
        return False
    for part in parts:
        if spec is None or spec.submodule_search_locations is None:
            return False
        spec = PathFinder.find_spec(f"{spec.name}.{part}", spec.submodule_search_locations)
    return spec is not None


class ImportGraph:
    """Which module of course_lib, or of another package, imports which."""

    def __init__(self, root: Path, package: str = "course_lib", *, types: bool = True) -> None:
        import grimp

        self.root = root
        # Imports that are there for the sake of types alone run nothing.
        self._graph = grimp.build_graph(
            package, cache_dir=None, exclude_type_checking_imports=not types
        )

    @property
    def modules(self) -> set[str]:
        """The names of all modules of the package."""
        return set(self._graph.modules)

    def behind(self, names: Iterable[str]) -> set[str]:
        """Return the package's modules that importing `names` runs or may run."""
        found: set[str] = set()
        waiting = [name for name in names if name in self._graph.modules]
        while waiting:
            module = waiting.pop()
            if module in found:
                continue
            found.add(module)
            waiting.extend(self._graph.find_modules_directly_imported_by(module))
            if "." in module:
                waiting.append(module.rpartition(".")[0])
        return found

    def files(self, modules: Iterable[str]) -> list[tuple[str, Path]]:
        """Return the modules' source files, and the data files beside those that are packages."""
        files = []
        for module in sorted(modules):
            path = self.root.joinpath(*module.split("."))
            if not path.is_dir():
                files.append((module, path.with_suffix(".py")))
                continue
            files.append((module, path / "__init__.py"))
            files += [
                (f"{module}:{entry.name}", entry)
                for entry in sorted(path.iterdir())
                if entry.is_file() and entry.suffix not in (".py", ".pyc")
            ]
        return files
