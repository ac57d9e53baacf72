"""Run the chapters of the book, each only when something that it depends on has changed.

A chapter runs again when its code, a course_lib module that it imports (directly or through
others), a data file beside such a module, or a pinned version has changed. Editing its prose runs
nothing. Chapters run side by side, one process and one thread each; the executed notebooks are
kept in ``_build/executed`` and handed to the jupyter-cache that Sphinx reads.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import yaml

from course_lib.book import kept, unchanged
from course_lib.extras import PINS
from course_lib.imports import ImportGraph, helper_files, imported_modules
from course_lib.paths import CourseError, toc_entries

if TYPE_CHECKING:
    from nbformat import NotebookNode

#: A cell that runs longer than this, in seconds, is an error: no chapter may take that long.
SECONDS_PER_CELL = 900

#: The library whose modules chapters depend on.
PACKAGE = "course_lib"

#: Raise this when the way of running chapters changes what they give.
_FORMAT = 1


@dataclass(frozen=True)
class ChapterRun:
    """What became of one chapter: run again or kept, and how long it took (in seconds)."""

    page: str
    ran: bool
    seconds: float


def chapter_pages(root: Path) -> list[str]:
    """Return the pages of ``_toc.yml`` that hold code to run, such as ``book/part/slug``."""
    return [page for page in toc_entries(root) if _is_notebook(root / f"{page}.md")]


def executed_path(root: Path, page: str) -> Path:
    """Return where a chapter's executed notebook is kept."""
    return root / "_build" / "executed" / f"{page}.ipynb"


def cache_path(root: Path) -> Path:
    """Return the jupyter-cache that Sphinx takes the outputs from."""
    return root / "_build" / ".jupyter_cache"


def read_chapter(root: Path, page: str) -> NotebookNode:
    """Read a chapter as the notebook that Sphinx will see.

    Raises
    ------
    CourseError
        When the page cannot be read as a MyST notebook.
    """
    from myst_nb.core.read import read_myst_markdown_notebook
    from myst_parser.config.main import MdParserConfig

    path = root / f"{page}.md"
    try:
        return read_myst_markdown_notebook(
            path.read_text(encoding="utf-8"), config=MdParserConfig(), path=path
        )
    except FileNotFoundError:
        raise CourseError(
            f"_toc.yml names {page}, and there is no {path.relative_to(root)}."
        ) from None
    except Exception as error:
        raise CourseError(f"{path.relative_to(root)} is not a MyST notebook: {error}") from error


def run_chapters(
    root: Path,
    pages: list[str] | None = None,
    *,
    workers: int | None = None,
    force: bool = False,
    report: Callable[[ChapterRun], None] = lambda run: None,
) -> list[ChapterRun]:
    """Run the chapters that need it, side by side.

    Parameters
    ----------
    root : Path
        The course.
    pages : list of str, optional
        Which pages; all chapters of ``_toc.yml`` by default.
    workers : int, optional
        How many at a time; as many as there are processor cores by default.
    force : bool
        Run them whether they need it or not.
    report : callable
        Is told of each chapter when it is done.

    Raises
    ------
    CourseError
        When a chapter fails, naming every chapter that did, the cell and the error. The others
        are finished and kept.
    """
    whole = pages is None
    if whole and not force and (kept := _all_kept(root)) is not None:
        runs = [ChapterRun(page, False, 0.0) for page in kept]
        for run in runs:
            report(run)
        return runs
    pages = chapter_pages(root) if pages is None else pages
    graph = ImportGraph(root, PACKAGE)
    prints = {page: fingerprint(root, page, graph) for page in pages}
    done, stale = [], []
    for page in pages:
        (stale if force or _kept_print(root, page) != prints[page] else done).append(page)
    runs = []
    for page in done:
        _refresh(root, page)
        runs.append(ChapterRun(page, False, 0.0))
        report(runs[-1])
    if stale:
        runs += _run_side_by_side(root, stale, prints, workers, report)
    if whole:
        declared = sorted({name for page in pages for name in _declared(read_chapter(root, page))})
        unchanged.remember(
            root, "chapters", _digest_of_all(root, declared), pages=pages, declared=declared
        )
    return runs


def _all_kept(root: Path) -> list[str] | None:
    """Return the pages, when none can have changed since all of them were run or kept."""
    kept = unchanged.remembered(root, "chapters")
    if kept and kept["digest"] == _digest_of_all(root, kept["declared"]):
        return kept["pages"]
    return None


def _digest_of_all(root: Path, declared: list[str]) -> str:
    """Return a text that changes with anything that any chapter could depend on, or has become."""
    entries = toc_entries(root)
    files = [root / name for name in ("_toc.yml", "requirements.txt", *PINS)]
    files += [root / f"{page}.md" for page in entries]
    files += [executed_path(root, page) for page in entries]
    files += [kept.kept_path(root, page) for page in entries]
    files += [root / name for name in declared]
    # What pages may import from beside them.
    files += sorted((root / "book").rglob("*.py"))
    # The library, and the way of running chapters.
    files += unchanged.code(root / PACKAGE, Path(__file__).parent)
    # A folder for each notebook, whose name is its digest; their database changes when it is read.
    cached = sorted(path.name for path in (cache_path(root) / "executed").glob("*"))
    there = (cache_path(root) / "global.db").is_file()
    without = str([kept.absent(root, extra) for extra in kept.EXTRAS])
    return unchanged.digest(files, str(_FORMAT), str(there), without, *cached)


def _run_side_by_side(
    root: Path,
    stale: list[str],
    prints: dict[str, str],
    workers: int | None,
    report: Callable[[ChapterRun], None],
) -> list[ChapterRun]:
    """Run chapters, a process each, and hand them to the cache as they come."""
    runs = []
    # Whoever imports this first on a machine makes a list of its fonts, and says so in its output:
    # that must not be a page.
    import matplotlib.font_manager  # noqa: F401

    failures = []
    count = min(workers or os.cpu_count() or 1, len(stale))
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        jobs = {pool.submit(_execute, str(root), page, prints[page]): page for page in stale}
        for job in as_completed(jobs):
            try:
                run = job.result()
            except CourseError as error:
                failures.append(str(error))
                continue
            # One process writes the cache: its database does not like company.
            _cache(root, run.page)
            runs.append(run)
            report(run)
    if failures:
        raise CourseError("\n\n".join(sorted(failures)))
    return runs


def fingerprint(root: Path, page: str, graph: ImportGraph | None = None) -> str:
    """Return a text that changes when, and only when, the chapter must run again."""
    graph = graph or ImportGraph(root, PACKAGE)
    notebook = read_chapter(root, page)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    # A page runs in its own folder, and may import from there.
    folder = (root / page).parent
    modules = graph.behind(imported_modules(code, folder))
    parts = [
        f"format {_FORMAT}",
        f"python {platform.python_version()}",
        json.dumps(_stable(notebook), sort_keys=True),
        _digest(root / "requirements.txt"),
    ]
    parts += [f"{name} {_digest(path)}" for name, path in graph.files(modules)]
    parts += [f"{path.name} {_digest(path)}" for path in helper_files(code, folder)]
    parts += [f"{name} {_digest(root / name)}" for name in _declared(notebook)]
    if extra := kept.extra_of(notebook, page):
        parts += [f"without {kept.absent(root, extra)}", *(_digest(root / name) for name in PINS)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _declared(notebook: NotebookNode) -> list[str]:
    """Return the data files that a chapter names in its front matter."""
    return notebook.metadata.get("course", {}).get("data", [])


def _is_notebook(path: Path) -> bool:
    """Tell whether MyST-NB takes a page for a notebook; importing it would take a second."""
    if not path.is_file():
        return False
    first, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
    if not first.startswith("---"):
        return False
    end = next((n for n, line in enumerate(lines) if line.startswith(("---", "..."))), len(lines))
    try:
        matter = yaml.safe_load("\n".join(lines[:end]))
    except yaml.YAMLError:
        return False
    if not isinstance(matter, dict):
        return False
    text = matter.get("jupytext", {}).get("text_representation", {})
    return matter.get("file_format") == "mystnb" or text.get("format_name") == "myst"


def _stable(notebook: NotebookNode) -> dict[str, Any]:
    """Return what a run depends on: the code cells and the kernel."""
    return {
        "kernelspec": notebook.metadata.get("kernelspec", {}),
        "cells": [
            {"source": cell.source, "metadata": cell.metadata}
            for cell in notebook.cells
            if cell.cell_type == "code"
        ],
    }


def _execute(folder: str, page: str, print_: str) -> ChapterRun:
    """Run one chapter and keep the result. Called in a process of its own."""
    root = Path(folder)
    notebook = read_chapter(root, page)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
    built = {"fingerprint": print_}
    start = time.perf_counter()
    extra = kept.extra_of(notebook, page)
    if kept.absent(root, extra):
        notebook = kept.take(root, page, notebook)
        built["kept"] = extra
    else:
        _run(root, page, notebook)
    seconds = time.perf_counter() - start
    notebook.metadata.pop("language_info", None)
    notebook.metadata["course_build"] = {**built, "seconds": round(seconds, 2)}
    _keep(executed_path(root, page), notebook)
    return ChapterRun(page, "kept" not in built, seconds)


def _run(root: Path, page: str, notebook: NotebookNode) -> None:
    """Run a notebook's cells in a kernel of its own; the outputs go into the notebook."""
    from jupyter_client import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    # Before the kernel starts: the results must not depend on how many cores there are.
    os.environ.update(OMP_NUM_THREADS="1", PYTHONHASHSEED="0", PYDEVD_DISABLE_FILE_VALIDATION="1")
    path = root / f"{page}.md"
    with TemporaryDirectory(prefix="course-kernel-") as sockets:
        manager = AsyncKernelManager(kernel_name="python3")
        if os.name == "posix":
            # Sockets in a folder of one's own: kernels that start together take no port twice.
            manager.transport, manager.ip = "ipc", os.path.join(sockets, "kernel")
        client = NotebookClient(
            notebook,
            km=manager,
            timeout=SECONDS_PER_CELL,
            startup_timeout=SECONDS_PER_CELL,
            # Without this, an output that comes late is left out, and nobody is told.
            iopub_timeout=SECONDS_PER_CELL,
            raise_on_iopub_timeout=True,
            resources={"metadata": {"path": str(path.parent)}},
            record_timing=False,
        )
        try:
            client.execute(cleanup_kc=True)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise CourseError(_failure(root, path, notebook, error)) from None
        except RuntimeError as error:
            raise CourseError(
                f"{path.relative_to(root)}: no kernel would run it: {error}"
            ) from None


def _failure(root: Path, path: Path, notebook: NotebookNode, error: Exception) -> str:
    """Say which cell failed and why, in few lines."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    reached = [c for c in cells if c.get("execution_count") or c.outputs]
    cell = reached[-1] if reached else cells[0]
    for candidate in cells:
        if any(output.output_type == "error" for output in candidate.outputs):
            cell = candidate
    claim = "remove-cell" in cell.metadata.get("tags", [])
    what = "a claim of the page does not hold" if claim else "a cell fails"
    reason = str(getattr(error, "ename", type(error).__name__))
    value = str(getattr(error, "evalue", error)).strip()
    source = "\n".join(f"    {line}" for line in cell.source.splitlines())
    return f"{path.relative_to(root)}: {what}\n{source}\n  {reason}: {value}"


def _keep(path: Path, notebook: NotebookNode) -> None:
    """Write a notebook whole or not at all, so that a killed build leaves nothing half done."""
    import nbformat

    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    nbformat.write(notebook, partial)
    partial.replace(path)


def _kept_print(root: Path, page: str) -> str | None:
    import nbformat

    try:
        kept = nbformat.read(executed_path(root, page), as_version=4)
    except (OSError, ValueError, nbformat.ValidationError):
        return None
    return kept.metadata.get("course_build", {}).get("fingerprint")


def _refresh(root: Path, page: str) -> None:
    """Put edited prose into the kept notebook, whose outputs still hold."""
    import nbformat

    path = executed_path(root, page)
    kept, fresh = nbformat.read(path, as_version=4), read_chapter(root, page)
    ran = iter([cell for cell in kept.cells if cell.cell_type == "code"])
    for number, cell in enumerate(fresh.cells):
        cell.id = f"cell-{number}"
        if cell.cell_type == "code":
            old = next(ran)
            cell.outputs, cell.execution_count = old.outputs, old.execution_count
    fresh.metadata["course_build"] = kept.metadata["course_build"]
    if nbformat.writes(fresh) != nbformat.writes(kept):
        _keep(path, fresh)
    if not _is_cached(root, page):
        _cache(root, page)


def _is_cached(root: Path, page: str) -> bool:
    from jupyter_cache import get_cache

    try:
        record = get_cache(str(cache_path(root))).match_cache_notebook(read_chapter(root, page))
    except KeyError:
        return False
    return record.data.get("fingerprint") == _kept_print(root, page)


def _cache(root: Path, page: str) -> None:
    """Hand the executed notebook to the cache that Sphinx reads."""
    import nbformat
    from jupyter_cache import get_cache
    from jupyter_cache.base import CacheBundleIn

    executed = nbformat.read(executed_path(root, page), as_version=4)
    # The cache knows a notebook by its cells as they stand in the source.
    source = read_chapter(root, page)
    code = iter([cell for cell in executed.cells if cell.cell_type == "code"])
    for cell in source.cells:
        if cell.cell_type == "code":
            ran = next(code)
            cell.outputs, cell.execution_count = ran.outputs, ran.execution_count
    built = executed.metadata["course_build"]
    data = {"execution_seconds": built["seconds"], "fingerprint": built["fingerprint"]}
    get_cache(str(cache_path(root))).cache_notebook_bundle(
        CacheBundleIn(source, page, data=data),
        check_validity=False,
        overwrite=True,
    )


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return "missing"
