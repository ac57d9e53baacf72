"""What belongs to a chapter, to take it out of the course, and what belongs to none any more.

A chapter has one name in many folders (*Begin a chapter* in CONTRIBUTING.md).
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from course_lib.paths import CourseError, chapter_order, toc_entries

__all__ = ["Removed", "orphans", "parts_of", "remove"]

#: What belongs to a chapter, by its name and by that of its Python modules.
_PARTS = (
    "solutions/{slug}.py",
    "exercises/{slug}",
    "tests/misconceptions/{slug}.py",
    "sample_class/{slug}.py",
    "tests/plotting/test_{name}_figures.py",
)

#: The same, of what is made and can be made anew.
_MADE = ("_build/source/{slug}", "_build/executed/{page}.ipynb")

#: Where other pages and code may name a chapter.
_NAMED_IN = ("book/**/*.md", "index.md", "README.md", "course_lib/**/*.py", "tests/**/*.py")


@dataclass(frozen=True)
class Removed:
    """What became of a chapter.

    Attributes
    ----------
    gone : list of Path
        Files and folders that were removed.
    left : list of str
        What a person still has to look at, a sentence each.
    """

    gone: list[Path]
    left: list[str]


def parts_of(root: Path, slug: str) -> list[Path]:
    """Return the files and folders of a chapter that are there, but for what is made of them."""
    names = {"slug": slug, "name": slug.replace("-", "_")}
    pages = [page for page in toc_entries(root) if page.rpartition("/")[2] == slug]
    pages += [
        str(path.relative_to(root).with_suffix("")) for path in root.glob(f"book/**/{slug}.md")
    ]
    found = [root / f"{page}.md" for page in pages]
    found += [root / "outputs" / f"{page}.ipynb" for page in pages]
    found += [root / part.format(**names) for part in _PARTS]
    # As JupyterLab keeps what is pasted into a chapter (`lab_files`).
    found += root.glob(f"book/*/pictures/{slug}-????????.*")
    figures = root / "course_lib" / "plotting" / f"{names['name']}.py"
    if figures.is_file() and not list(_users(root, figures, found)):
        found.append(figures)
    return sorted({path for path in found if path.exists()})


def remove(root: Path, slug: str, *, force: bool = False) -> Removed:
    """Take a chapter out of the course, with its exercise and all that belongs to them.

    What readers and classes have done stays: `work/`, submissions and the gradebook.

    Parameters
    ----------
    root : Path
        The course.
    slug : str
        The chapter.
    force : bool
        Remove also what git does not hold as it is, and so cannot bring back.

    Raises
    ------
    CourseError
        If there is no such chapter, another page stands below it in ``_toc.yml``, or something of
        it is not committed. Nothing is removed then.
    """
    parts = parts_of(root, slug)
    pages = [page for page in toc_entries(root) if page.rpartition("/")[2] == slug]
    if slug == "index" or not (parts or pages):
        raise CourseError(
            f"No chapter is called {slug!r}, and nothing else bears its name. The chapters are in "
            "_toc.yml."
        )
    toc = root / "_toc.yml"
    text = toc.read_text(encoding="utf-8")
    for page in pages:
        text = _without_page(text, page)
    if not force and (loose := _not_committed(root, parts)):
        raise CourseError(
            f"{', '.join(loose[:5])} is not in git as it stands, so that nothing could bring it "
            "back. Commit it first, or say --force."
        )
    toc.write_text(text, encoding="utf-8")
    made = [
        root / part.format(slug=slug, page=page) for part in _MADE for page in (pages or [slug])
    ]
    gone = [*parts, *(path for path in dict.fromkeys(made) if path.exists())]
    for path in gone:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    return Removed(gone, list(_left(root, slug)))


def orphans(root: Path) -> list[str]:
    """Return what bears the name of a chapter that ``_toc.yml`` does not have, as sentences."""
    pages, slugs = set(toc_entries(root)), set(chapter_order(root))
    lost: dict[str, list[str]] = {}

    def look(pattern: str, known: set[str]) -> None:
        for path in sorted(root.glob(pattern)):
            inside = path.relative_to(root)
            if "/" in pattern and "**" in pattern:
                name = str(inside.with_suffix("")).removeprefix("outputs/")
            else:
                name = inside.stem
            if name not in known and not path.name.startswith(("_", ".")):
                lost.setdefault(name.rpartition("/")[2], []).append(inside.as_posix())

    look("book/**/*.md", pages)
    look("outputs/**/*.ipynb", pages)
    for folder in ("solutions/*.py", "exercises/*", "tests/misconceptions/*.py"):
        look(folder, slugs)
    look("sample_class/*.py", slugs)
    return [
        f"{', '.join(files)} {'belongs' if len(files) == 1 else 'belong'} to no chapter of "
        f"_toc.yml: put it there, or run `course remove {name}`."
        for name, files in lost.items()
    ]


def _without_page(text: str, page: str) -> str:
    """Return the text of ``_toc.yml`` without a page."""
    lines = text.splitlines()
    (row,) = [n for n, line in enumerate(lines) if line.strip().rstrip("'\"").endswith(f": {page}")]
    indent = len(lines[row]) - len(lines[row].lstrip())
    after = row + 1
    while after < len(lines) and len(lines[after]) - len(lines[after].lstrip()) > indent:
        if "file:" in lines[after]:
            raise CourseError(
                f"In _toc.yml other pages stand below {page}. Give them another place first."
            )
        after += 1
    return "\n".join([*lines[:row], *lines[after:]]) + "\n"


def _not_committed(root: Path, paths: list[Path]) -> list[str]:
    """Return those of some paths that git could not bring back; all of them where there is none."""
    names = [path.relative_to(root).as_posix() for path in paths]
    if not names:
        return []
    try:
        done = subprocess.run(
            ["git", "status", "--porcelain", "--ignored", "-z", "--", *names],
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return names
    return [line[3:] for line in done.stdout.split("\0") if line[3:]]


def _users(root: Path, module: Path, besides: list[Path]) -> Iterator[Path]:
    """Yield the files that import a module of figures, besides some."""
    dotted = ".".join(module.relative_to(root).with_suffix("").parts)
    package, _, name = dotted.rpartition(".")
    for pattern in _NAMED_IN:
        for path in root.glob(pattern):
            if path in besides or path == module:
                continue
            text = path.read_text(encoding="utf-8")
            lines = [line for line in text.splitlines() if f"from {package} import" in line]
            if dotted in text or any(name in line.replace(",", " ").split() for line in lines):
                yield path


def _left(root: Path, slug: str) -> Iterator[str]:
    """Yield what a person still has to look at."""
    figures = root / "course_lib" / "plotting" / f"{slug.replace('-', '_')}.py"
    if figures.is_file():
        yield f"{figures.relative_to(root)} stays: other pages or tests use it."
    named = sorted(
        {
            path.relative_to(root).as_posix()
            for pattern in _NAMED_IN
            for path in root.glob(pattern)
            if _names(path.read_text(encoding="utf-8"), slug)
        }
    )
    if named:
        yield f"{slug} is still named in {', '.join(named)}."
    for folder in ("work", "submitted", "autograded", "feedback"):
        kept = [*root.glob(f"{folder}/{slug}"), *root.glob(f"{folder}/*/{slug}")]
        if kept:
            yield f"{folder}/ keeps what was done in {slug}."


def _names(text: str, slug: str) -> bool:
    """Tell whether a text names a chapter: as a page, in emphasis or as a text in code."""
    return any(
        form in text for form in (f"/{slug}.md", f"/{slug}>", f"*{slug}*", f'"{slug}"', f"({slug}")
    )
