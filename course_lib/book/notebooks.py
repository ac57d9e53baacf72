"""A Sphinx extension: each chapter as a notebook to download, and buttons that open it elsewhere.

The notebook is the page: its text as plain Markdown, with the numbers of figures and the names of
citations, and its cells with the outputs that the page shows. What belongs to the build (cells that
test claims, names of figures) is left out. It lies under ``_sources``, where the theme's button for
downloads finds it.

``repository: url`` in ``_config.yml`` switches on the buttons for Binder and Colab, and nothing
else does. Binder opens the chapter itself in the course's environment (``.binder/``). Colab opens
notebooks alone, and takes them from the branch that the site is published on
(``notebook_branch``); their first cell then installs what is missing.
"""

from __future__ import annotations

import base64
import copy
import mimetypes
import posixpath
from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

from course_lib.book.chapters import PACKAGE, executed_path
from course_lib.book.markdown import Markdown, UnknownNode
from course_lib.book.prerequisites import is_chapter

__all__ = ["install_cell", "launch_links", "needed_packages", "page_notebook", "setup"]

logger = logging.getLogger(__name__)

#: Tags that a reader's notebook keeps.
_TAGS = ("hide-input", "raises-exception")

_ABOUT = (
    "*This notebook is a chapter of {book}, with the outputs that the book shows. To run it, open "
    "it in JupyterLab in the course's environment (`make course` makes it, `make lab` opens "
    "it){extra}. The cells that test the chapter's claims are in the chapter's source.*"
)

_INSTALL = """\
# Fetches what this page needs, where it is missing. The course's own environment has it all.
import subprocess
import sys
from importlib.util import find_spec

packages = {packages}


def install(*what):
    command = [sys.executable, "-m", "pip", "install", "--quiet", *what]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        reason = done.stderr.strip()[-1000:]
        raise RuntimeError(
            f"{{what[-1]}} was not installed. Is there a network? pip says:\\n{{reason}}"
        )


if find_spec("course_lib") is None:
    # Without its pins, which would replace the PyTorch that is here.
    install("--no-deps", "{address}")
for module, package in packages.items():
    if find_spec(module) is None:
        install(package)
"""


# The notebook -------------------------------------------------------------------------------------


def page_notebook(
    tree: nodes.document,
    executed: Any,
    writer: Markdown,
    *,
    opening: Any,
    attachments: dict[str, dict[str, str]] | None = None,
) -> Any:
    """Make a notebook of a page.

    Parameters
    ----------
    tree : document
        The page as Sphinx has resolved it.
    executed : NotebookNode
        The page's executed notebook, whose cells the page's own count.
    writer : Markdown
        Writes what stands between the cells.
    opening : NotebookNode
        The first cell.
    attachments : dict of dict, optional
        Pictures that `writer` has asked for, by name, as notebooks hold them; filled meanwhile.

    Returns
    -------
    NotebookNode

    Raises
    ------
    UnknownNode
        Where the page holds something that has no form in a notebook.
    """
    from nbformat import v4

    cells = [opening]
    waiting: list[str] = []

    def flush() -> None:
        text = "\n\n".join(part for part in waiting if part.strip())
        waiting.clear()
        if text:
            cell = v4.new_markdown_cell(text)
            used = {name: data for name, data in (attachments or {}).items() if name in text}
            if used:
                cell["attachments"] = used
            cells.append(cell)

    def walk(node: nodes.Element, level: int) -> None:
        for child in node.children:
            if isinstance(child, nodes.section):
                # Each section is a cell of its own, as an author would write it.
                flush()
                walk(child, level + 1)
            elif isinstance(child, nodes.container) and child.get("nb_element") == "cell_code":
                flush()
                cells.append(_reader_cell(executed.cells[child["cell_index"]]))
                waiting.extend(_captions(child, writer))
            else:
                waiting.append(writer.block(child, level))

    walk(tree, 1)
    flush()
    _count(cells)
    notebook = v4.new_notebook(cells=cells)
    known = executed.metadata
    notebook.metadata = {key: known[key] for key in ("kernelspec", "language_info") if key in known}
    return notebook


def _reader_cell(cell: Any) -> Any:
    """Return a cell of code without what is for the build."""
    if cell.cell_type != "code":
        raise UnknownNode("the page counts its cells otherwise than its executed notebook")
    made = copy.deepcopy(cell)
    tags = [tag for tag in cell.metadata.get("tags", []) if tag in _TAGS]
    made.metadata = {"tags": tags} if tags else {}
    if "hide-input" in tags:
        made.metadata["jupyter"] = {"source_hidden": True}
    return made


def _captions(cell: nodes.Element, writer: Markdown) -> list[str]:
    """Return the captions of what a cell has drawn, with their numbers."""
    found = []
    for figure in cell.findall(nodes.figure):
        alone = nodes.figure("", ids=figure["ids"])
        alone += [child.deepcopy() for child in figure.children if isinstance(child, nodes.caption)]
        found.append(writer.block(alone))
    return found


def _count(cells: list[Any]) -> None:
    """Give cells their names, and those of code their numbers, without the gaps of what is gone."""
    number = 0
    for place, cell in enumerate(cells):
        cell["id"] = f"cell-{place}"
        if cell.cell_type == "code" and cell.get("execution_count"):
            number += 1
            cell.execution_count = number
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = number


# What it needs elsewhere --------------------------------------------------------------------------


def install_cell(address: str, packages: dict[str, str]) -> str:
    """Return the code of a first cell that installs what is missing.

    Parameters
    ----------
    address : str
        What pip takes for the library, such as ``git+https://HOST/OWNER/NAME@BRANCH``.
    packages : dict of str
        What pip takes for each module that must be there.
    """
    listed = "".join(f'    "{module}": "{line}",\n' for module, line in sorted(packages.items()))
    return _INSTALL.format(address=address, packages=f"{{\n{listed}}}" if listed else "{}")


def needed_packages(root: Path, sources: Iterable[str]) -> dict[str, str]:
    """Return the packages that pieces of code need, the library's own imports included.

    Parameters
    ----------
    root : Path
        The course; ``pyproject.toml`` there says which versions.
    sources : iterable of str
        The cells of a page.

    Returns
    -------
    dict of str
        For each module, what pip takes for it.
    """
    from importlib.metadata import packages_distributions

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    from course_lib.imports import imported_modules

    graph = _graph(root)
    modules = imported_modules(sources)
    files = [path for _, path in graph.files(graph.behind(modules)) if path.suffix == ".py"]
    modules |= imported_modules(path.read_text(encoding="utf-8") for path in files)
    homes = packages_distributions()
    found = {}
    for module in {name.partition(".")[0] for name in modules}:
        for home in homes.get(module, ()):
            line = _declared(root).get(canonicalize_name(home))
            if line is not None:
                found[module] = str(Requirement(line))
    return found


@cache
def _graph(root: Path) -> Any:
    from course_lib.imports import ImportGraph

    return ImportGraph(root, PACKAGE, types=False)


@cache
def _declared(root: Path) -> dict[str, str]:
    """Return what ``pyproject.toml`` asks for, by the names of packages."""
    import tomllib

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project.get("optional-dependencies", {})
    lines = [*project.get("dependencies", []), *extras.get("frameworks", [])]
    return {canonicalize_name(Requirement(line).name): line for line in lines}


# Buttons ------------------------------------------------------------------------------------------


def launch_links(
    page: str, *, url: str, branch: str, notebook_branch: str, binder: str = "", colab: str = ""
) -> list[tuple[str, str]]:
    """Return where a chapter can be opened: names of services with addresses.

    Parameters
    ----------
    page : str
        Such as ``book/part/slug``.
    url : str
        The repository, such as ``https://HOST/OWNER/NAME``.
    branch, notebook_branch : str
        Where the course lies, and where the built site does.
    binder, colab : str
        The services' addresses; without one, there is no button for it. Colab knows GitHub alone.

    Raises
    ------
    ValueError
        When the address of the repository names no owner and no repository.
    """
    host, *parts = url.removesuffix("/").removesuffix(".git").partition("://")[2].split("/")
    if not host or len(parts) < 2:
        raise ValueError(
            f"repository: url is {url!r} in _config.yml; wanted: an address with an owner and a "
            "name, such as https://github.com/OWNER/NAME, or nothing."
        )
    owner, name = "/".join(parts[:-1]), parts[-1]
    found = []
    if binder:
        place = {
            "github.com": f"gh/{owner}/{name}",
            "gitlab.com": f"gl/{quote(owner, '')}%2F{name}",
        }
        there = place.get(host) or f"git/{quote(f'https://{host}/{owner}/{name}', '')}"
        urlpath = quote(f"lab/tree/{page}.md", safe="")
        found.append(("Binder", f"{binder.rstrip('/')}/v2/{there}/{branch}?urlpath={urlpath}"))
    if colab and host == "github.com":
        path = f"{owner}/{name}/blob/{notebook_branch}/_sources/{page}.ipynb"
        found.append(("Colab", f"{colab.rstrip('/')}/github/{path}"))
    return found


def _settings(config: Config) -> dict[str, str]:
    """Return the repository's address and what depends on it; empty where there is none."""
    options = config.html_theme_options
    url = str(options.get("repository_url") or "").strip()
    if not url:
        return {}
    return {
        "url": url,
        "branch": options.get("repository_branch") or "main",
        "notebook_branch": config.notebook_branch,
        "binder": config.notebook_launchers.get("binderhub_url") or "",
        "colab": config.notebook_launchers.get("colab_url") or "",
    }


def _take_launchers(app: Sphinx, config: Config) -> None:
    """Take the buttons from the theme, which knows no notebooks that are made of text."""
    options = config.html_theme_options
    config["notebook_launchers"] = options.pop("launch_buttons", None) or {}
    settings = _settings(config)
    if settings:
        try:
            launch_links("page", **settings)
        except ValueError as error:
            raise ExtensionError(str(error)) from None


# The page -----------------------------------------------------------------------------------------


def _offer(
    app: Sphinx, page: str, _template: str, context: dict[str, Any], tree: nodes.document | None
) -> None:
    """Write a page's notebook, and tell the theme of it."""
    if app.builder.name != "html" or tree is None or not is_chapter(page):
        return
    path = executed_path(Path(app.srcdir), page)
    if not path.is_file():
        return
    try:
        _write(app, page, path, tree)
    except UnknownNode as error:
        logger.warning(f"There is no notebook of this page: {error}.", location=page)
        return
    context["ipynb_source"] = f"{page}.ipynb"


def _write(app: Sphinx, page: str, path: Path, tree: nodes.document) -> None:
    import nbformat
    from nbformat import v4

    root = Path(app.srcdir)
    executed = nbformat.read(path, as_version=4)
    attachments: dict[str, dict[str, str]] = {}
    # The page has been written, and its images have the site's addresses by now.
    builder: Any = app.builder
    sources = {name: root / uri.lstrip("/") for uri, name in builder.images.items()}
    writer = Markdown(
        partial(_figure_number, app, page), partial(_attach, sources, attachments), _link
    )
    settings = _settings(app.config)
    if settings:
        code = [cell.source for cell in executed.cells if cell.cell_type == "code"]
        address = f"git+{settings['url']}@{settings['branch']}"
        opening = v4.new_code_cell(install_cell(address, needed_packages(root, code)))
    else:
        more = executed.metadata.get("course", {}).get("extra", "")
        extra = f"; it needs the extra packages, `make env LIGHT=0`, {more}" if more else ""
        book = app.config.project
        opening = v4.new_markdown_cell(_ABOUT.format(book=book, extra=extra))
    made = page_notebook(tree, executed, writer, opening=opening, attachments=attachments)
    target = Path(app.outdir, "_sources", f"{page}.ipynb")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(nbformat.writes(made) + "\n", encoding="utf-8")


def _figure_number(app: Sphinx, page: str, figure: nodes.Element) -> str:
    numbers = app.env.toc_fignumbers.get(page, {}).get("figure", {})
    number = next((numbers[name] for name in figure["ids"] if name in numbers), None)
    return app.config.numfig_format["figure"] % ".".join(map(str, number)) if number else ""


def _attach(sources: dict[str, Path], attachments: dict[str, dict[str, str]], uri: str) -> str:
    """Take a picture of the page into the notebook."""
    path = sources.get(posixpath.basename(uri))
    if path is None:
        return uri
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    attachments[path.name] = {kind: base64.b64encode(path.read_bytes()).decode()}
    return f"attachment:{path.name}"


def _link(node: nodes.reference) -> str:
    """Return where a reference leads, if it leads somewhere without the site around it."""
    address = node.get("refuri", "")
    return address if "://" in address else ""


def _begin(_: Sphinx) -> None:
    _graph.cache_clear()
    _declared.cache_clear()


def _add_buttons(
    app: Sphinx, page: str, _template: str, context: dict[str, Any], tree: nodes.document | None
) -> None:
    """Add the buttons that open a chapter elsewhere."""
    settings = _settings(app.config)
    if not settings or not context.get("ipynb_source") or app.builder.name != "html":
        return
    pictures = {"Binder": "logo_binder.svg", "Colab": "logo_colab.png"}
    buttons = [
        {
            "type": "link",
            "text": name,
            "tooltip": f"Open this chapter in {name}",
            "icon": f"_static/images/{pictures[name]}",
            "url": url,
        }
        for name, url in launch_links(page, **settings)
    ]
    if buttons:
        context["header_buttons"].append(
            {
                "type": "group",
                "tooltip": "Open this chapter elsewhere",
                "icon": "fas fa-rocket",
                "buttons": buttons,
                "label": "launch-buttons",
            }
        )


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect to Sphinx's events."""
    app.add_config_value("notebook_branch", "gh-pages", "html", str)
    app.add_config_value("notebook_launchers", {}, "html", dict)
    app.connect("config-inited", _take_launchers)
    app.connect("builder-inited", _begin)
    # Before the theme makes its buttons, at 501, and behind it.
    app.connect("html-page-context", _offer, priority=490)
    app.connect("html-page-context", _add_buttons, priority=510)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
