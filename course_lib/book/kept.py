"""What a page shows where the packages that it needs are not installed.

A chapter that needs one of the extras says so in its front matter::

    course:
      extra: frameworks

Its executed notebook is committed in ``outputs/``. Where the extra is missing, the build takes that
one in place of running the page, and the page says so: this module is the Sphinx extension that
adds the sentence. ``python -m course_lib.book.kept`` makes the committed notebooks from the last
build; a test holds that they belong to their pages.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes

from course_lib import extras
from course_lib.paths import CourseError, find_root

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

__all__ = ["absent", "extra_of", "kept_path", "matches", "setup", "take"]

#: What a page may name, with what is said of it where it is missing.
EXTRAS = {
    "frameworks": "the frameworks beside PyTorch",
    "clouds": "the clients of the clouds",
}


def kept_path(root: Path, page: str) -> Path:
    """Return where the committed outputs of a page are."""
    return root / "outputs" / f"{page}.ipynb"


def extra_of(notebook: NotebookNode, page: str) -> str:
    """Return the extra that a page needs, empty where it needs none.

    Raises
    ------
    CourseError
        When the page names one that there is not.
    """
    extra = notebook.metadata.get("course", {}).get("extra", "")
    if extra and extra not in EXTRAS:
        raise CourseError(f"{page}.md needs the extra {extra!r}; there are {' and '.join(EXTRAS)}.")
    return extra


def absent(root: Path, extra: str) -> list[str]:
    """Return which modules or environments of an extra are missing; nothing for no extra."""
    if extra == "frameworks":
        return extras.missing()
    if extra == "clouds":
        try:
            extras.cloud_python(root)
        except ModuleNotFoundError:
            return [".venv-clouds"]
    return []


def matches(kept: NotebookNode, source: NotebookNode) -> bool:
    """Tell whether committed outputs were made by the code of a page as it stands."""
    return _code(kept) == _code(source)


def _code(notebook: NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def take(root: Path, page: str, source: NotebookNode) -> NotebookNode:
    """Put the committed outputs into a page's notebook; nbval is told to leave them alone.

    Raises
    ------
    CourseError
        When there are none, or when they are those of other code.
    """
    import nbformat

    path = kept_path(root, page)
    missing = ", ".join(absent(root, extra_of(source, page)))
    advice = f"Install what is missing ({missing}) with `make env LIGHT=0`."
    try:
        kept = nbformat.read(path, as_version=4)
    except (OSError, ValueError) as error:
        raise CourseError(
            f"{page}.md cannot run here, and its committed outputs cannot be read: {error}. "
            f"{advice}"
        ) from None
    if not matches(kept, source):
        raise CourseError(
            f"{page}.md cannot run here, and its code is no longer that of its committed outputs "
            f"in {path.relative_to(root)}. {advice}"
        )
    ran = iter([cell for cell in kept.cells if cell.cell_type == "code"])
    for cell in source.cells:
        if cell.cell_type == "code":
            old = next(ran)
            cell.outputs, cell.execution_count = old.outputs, old.execution_count
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "nbval-skip"]
    return source


def make(root: Path) -> list[Path]:
    """Write the committed outputs of every page that needs an extra, from the last build.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    CourseError
        When a page was not run here since its code changed, or could not be.
    """
    import nbformat

    from course_lib.book.chapters import chapter_pages, executed_path, read_chapter

    written = []
    for page in chapter_pages(root):
        source = read_chapter(root, page)
        extra = extra_of(source, page)
        if not extra:
            continue
        try:
            ran = nbformat.read(executed_path(root, page), as_version=4)
        except OSError:
            raise CourseError(f"{page} has not been run: `course build` first.") from None
        if absent(root, extra) or ran.metadata["course_build"].get("kept"):
            raise CourseError(f"{page} cannot run here: `make env LIGHT=0` first.")
        if not matches(ran, source):
            raise CourseError(f"{page} has changed since it was run: `course build` first.")
        # The prose is the page's; here is what its code gave.
        ran.cells = [cell for cell in ran.cells if cell.cell_type == "code"]
        ran.metadata.pop("course_build")
        for number, cell in enumerate(ran.cells):
            cell.id = f"cell-{number}"
        path = kept_path(root, page)
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(ran, path)
        written.append(path)
    return written


def _say(app: Sphinx, tree: nodes.document) -> None:
    """Add to a page that was not run here the sentence that says so."""
    from course_lib.book.chapters import executed_path

    path = executed_path(Path(app.srcdir), app.env.docname)
    try:
        built = json.loads(path.read_text(encoding="utf-8"))["metadata"]["course_build"]
    except (OSError, KeyError, ValueError):
        return
    if not built.get("kept"):
        return
    text = (
        f"This page needs {EXTRAS[built['kept']]}, which are not installed here. What it shows was "
        "computed elsewhere and kept. To run it yourself, install them with "
    )
    note = nodes.note(
        "", nodes.paragraph("", text, nodes.literal("", "make env LIGHT=0"), nodes.Text("."))
    )
    section = next(iter(tree.findall(nodes.section)), tree)
    section.insert(1, note)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect to Sphinx's events."""
    app.connect("doctree-read", _say)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    try:
        for made in make(find_root()):
            print(made)
    except CourseError as error:
        sys.exit(str(error))
