"""Build the site from the chapters that have run: Sphinx through Jupyter Book, no warnings."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from course_lib.book.chapters import chapter_pages, executed_path
from course_lib.paths import CourseError, toc_entries

#: Where npm puts what `package.json` names.
_NODE_STAMP = "node_modules/.package-lock.json"


def site_path(root: Path) -> Path:
    """Return the folder of the built site."""
    return root / "_build" / "html"


def build_site(root: Path, *, force: bool = False) -> bool:
    """Build the site, if anything that it is made of has changed.

    Returns
    -------
    bool
        Whether it was built.

    Raises
    ------
    CourseError
        With Sphinx's warnings, each of which is an error here.
    """
    stamp = root / "_build" / "site.stamp"
    made_of = site_fingerprint(root)
    there = (site_path(root) / "index.html").is_file()
    if not force and there and stamp.is_file() and stamp.read_text() == made_of:
        return False
    install_node_packages(root)
    stamp.unlink(missing_ok=True)
    # Without the index of an earlier build (one that was interrupted never wrote it), Sphinx would
    # index the changed pages alone, and warn.
    whole = force or not (site_path(root) / "searchindex.js").is_file()
    run_sphinx(root, site_path(root) / "index.html", ["--all"] if whole else [])
    stamp.write_text(made_of)
    return True


def run_sphinx(root: Path, wanted: Path, options: Iterable[str] = ()) -> None:
    """Run Jupyter Book, warnings as errors.

    Parameters
    ----------
    root : Path
        The course.
    wanted : Path
        What it is to make.
    options : iterable of str
        Further options of ``jupyter-book build``.

    Raises
    ------
    CourseError
        With Sphinx's warnings, or when what is wanted is not there afterwards.
    """
    # Jupyter Book has no __main__, and its script may not be on PATH.
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build"]
    command += [".", "--path-output", ".", "-W", "-n", "--keep-going", "--quiet", *options]
    done = subprocess.run(
        command,
        cwd=root,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore", "NO_COLOR": "1"},
    )
    if done.returncode or not wanted.is_file():
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        telling = [line for line in said if "WARNING" in line or "ERROR" in line]
        raise CourseError(
            f"{wanted.relative_to(root)} was not built:\n" + "\n".join(telling or said[-30:])
        )


def install_node_packages(root: Path) -> None:
    """Fetch the scripts that the site serves (MathJax), at the pinned versions.

    Raises
    ------
    CourseError
        When npm is missing or fails, with its own words.
    """
    lock, stamp = root / "package-lock.json", root / _NODE_STAMP
    if not lock.is_file():
        return
    if stamp.is_file() and stamp.stat().st_mtime >= lock.stat().st_mtime:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise CourseError(
            "npm is missing, and the site's formulas need MathJax from it. Install Node.js 18 or "
            "newer (with npm), then run this again."
        )
    done = subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=root,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise CourseError(
            f"npm could not install what package.json names. Without a network the site cannot be "
            f"built the first time. npm says:\n{last}"
        )
    if stamp.is_file():
        stamp.touch()


def site_fingerprint(root: Path) -> str:
    """Return a text that changes when anything that the site is made of changes."""
    total = hashlib.sha256()
    for path in _ingredients(root):
        total.update(str(path.relative_to(root)).encode())
        total.update(path.read_bytes() if path.is_file() else b"missing")
    return total.hexdigest()


def _ingredients(root: Path) -> Iterator[Path]:
    for name in ("_config.yml", "_toc.yml", "requirements.txt", "package-lock.json"):
        yield root / name
    for page in toc_entries(root):
        yield root / f"{page}.md"
    for page in chapter_pages(root):
        yield executed_path(root, page)
    yield from sorted(path for path in (root / "_static").rglob("*") if path.is_file())
    yield from sorted((root / "book").rglob("*.bib"))
    # The pages of course_lib are made from its docstrings.
    yield from sorted((root / "course_lib").rglob("*.py"))
    yield from sorted((root / "course_lib" / "book").glob("*.js"))
