"""A Sphinx extension: what is documented leads to its source, on pages that are quick to write.

Sphinx's own `viewcode` sets a page of the theme, with all its navigation, for each module, which
takes as long as the chapters do. Here a module's page is its text, with the line that a link names.
"""

from __future__ import annotations

import ast
import hashlib
import html
import importlib
import inspect
import posixpath
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

__all__ = ["lines_of", "setup", "source_page"]

_FOLDER = "_modules"
#: Raise this when pages are written in another way.
_FORMAT = 1


@cache
def lines_of(path: Path) -> dict[str, int]:
    """Return where the classes, functions and methods of a module begin: ``Class.method`` to line.

    A decorator belongs to what it decorates.
    """
    found: dict[str, int] = {}

    def look(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                name = f"{prefix}{node.name}"
                found[name] = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                if isinstance(node, ast.ClassDef):
                    look(node.body, f"{name}.")

    look(ast.parse(path.read_text(encoding="utf-8")).body, "")
    return found


def source_page(module: str, text: str, depth: int) -> str:
    """Return the page of a module.

    Parameters
    ----------
    module : str
        Its dotted name.
    text : str
        Its source.
    depth : int
        How many folders the page lies below the site.
    """
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    code = highlight(text, PythonLexer(), HtmlFormatter(lineanchors="line", cssclass="highlight"))
    top = "../" * depth
    name = html.escape(module)
    return (
        f'<!DOCTYPE html>\n<html lang="en" data-theme="light">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{name}</title>\n"
        f'<link rel="stylesheet" href="{top}_static/pygments.css">\n'
        f'<link rel="icon" href="{top}_static/favicon.svg">\n'
        "<style>body { margin: 1rem auto; max-width: 60rem; padding: 0 1rem; "
        "font-family: system-ui, sans-serif } pre { line-height: 1.45; overflow-x: auto } "
        "html { background: #fff; color: #111 } "
        'html[data-theme="dark"] { background: #121212; color: #ddd } '
        'html[data-theme="dark"] a { color: #8ab4f8 }</style>\n'
        "<script>document.documentElement.dataset.theme = "
        'localStorage.getItem("theme") === "dark" ? "dark" : "light";</script>\n'
        f"</head>\n<body>\n<main>\n<h1>{name}</h1>\n"
        f'<p><a href="{top}index.html">The book</a></p>\n{code}</main>\n</body>\n</html>\n'
    )


def _path(app: Sphinx, module: str) -> Path | None:
    """Return the file of a module or a package in this folder."""
    stem = Path(app.srcdir, *module.split("."))
    return next((p for p in (stem.with_suffix(".py"), stem / "__init__.py") if p.is_file()), None)


def _place(app: Sphinx, module: str, name: str) -> tuple[str, int] | None:
    """Return the module and the line where something begins, wherever it is documented."""
    path = _path(app, module)
    if path is None:
        return None
    if name not in lines_of(path):
        # A package shows what its modules hold.
        try:
            found = importlib.import_module(module)
            for part in name.split("."):
                found = getattr(found, part)
            module, name = inspect.unwrap(found).__module__, found.__qualname__
        except (AttributeError, ImportError):
            return None
        path = _path(app, module)
    line = lines_of(path).get(name) if path else None
    return None if line is None else (module, line)


def _link(app: Sphinx, tree: nodes.document, page: str) -> None:
    """Put a link behind the signatures of what lies in a module of this folder."""
    if app.builder.name != "html":
        return
    for signature in tree.findall(addnodes.desc_signature):
        module, name = signature.get("module"), signature.get("fullname")
        place = _place(app, module, name) if module and name else None
        if place is None:
            continue
        module, line = place
        _linked(app).add(module)
        target = f"{_FOLDER}/{module.replace('.', '/')}.html#line-{line}"
        uri = posixpath.relpath(target, posixpath.dirname(page) or ".")
        words = nodes.inline("", "[source]", classes=["viewcode-link"])
        signature += nodes.reference("", "", words, internal=True, refuri=uri)


def _linked(app: Sphinx) -> set[str]:
    """Return the modules that pages written in this build lead to, to be added to."""
    builder: Any = app.builder
    builder.linked_sources = getattr(builder, "linked_sources", set())
    return builder.linked_sources


def _write(app: Sphinx, failure: Exception | None) -> None:
    """Write a page for each module that the book documents."""
    if failure or app.builder.name != "html":
        return
    documented = app.env.get_domain("py").modules  # type: ignore[attr-defined]
    for module in sorted({*documented, *_linked(app)}):
        path = _path(app, module)
        if path is None:
            continue
        text = path.read_text(encoding="utf-8")
        target = Path(app.outdir, _FOLDER, *module.split(".")).with_suffix(".html")
        note = f"<!-- {hashlib.sha256(f'{_FORMAT} {text}'.encode()).hexdigest()} -->\n"
        if target.is_file() and target.read_text(encoding="utf-8").endswith(note):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        page = source_page(module, text, len(module.split(".")))
        target.write_text(page + note, encoding="utf-8")


def _begin(_: Sphinx) -> None:
    lines_of.cache_clear()


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect to Sphinx's events."""
    app.connect("builder-inited", _begin)
    app.connect("doctree-resolved", _link)
    app.connect("build-finished", _write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
