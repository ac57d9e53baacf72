"""Chapters run again when something that they depend on has changed, and only then."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from jupyter_cache import get_cache

from course_lib.book import chapters
from course_lib.book.chapters import run_chapters
from course_lib.imports import ImportGraph, helper_files, imported_modules, python_of
from course_lib.paths import CourseError

TINY, OTHER = "book/part/tiny", "book/part/other"


@pytest.fixture
def book(tiny_course, monkeypatch):
    """Return a small book whose two pages import a module each of a small library."""
    library = tiny_course / "small_lib"
    library.mkdir()
    (library / "__init__.py").write_text("")
    (library / "shared.py").write_text("factor = 2\n")
    (library / "unused.py").write_text("")
    for page in ("tiny", "other"):
        (library / f"{page}.py").write_text("def double(z):\n    return 2 * z\n")
    (library / "tiny.py").write_text(
        "def double(z):\n    from small_lib.shared import factor\n\n    return factor * z\n"
    )
    (tiny_course / "requirements.txt").write_text("numpy==1\n")
    monkeypatch.setenv("PYTHONPATH", str(tiny_course))
    monkeypatch.syspath_prepend(str(tiny_course))
    monkeypatch.setattr(chapters, "PACKAGE", "small_lib")
    return tiny_course


def ran(book, **options):
    return sorted(run.page for run in run_chapters(book, **options) if run.ran)


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.slow
def test_only_what_changed_runs_again(book):
    assert ran(book) == [OTHER, TINY]
    assert ran(book) == []

    edit(book / "small_lib/unused.py", "", "x = 1\n")
    assert ran(book) == []

    # Imported by the page's module, inside a function.
    edit(book / "small_lib/shared.py", "factor = 2", "factor = 2.0")
    assert ran(book) == [TINY]

    edit(book / f"{OTHER}.md", "Twice two is four.", "Two and two are four.")
    assert ran(book) == []
    kept = nbformat.read(chapters.executed_path(book, OTHER), as_version=4)
    assert "Two and two are four." in "".join(cell.source for cell in kept.cells)
    assert kept.cells[1].outputs[0].data["text/plain"] == "4"

    # A page may import from beside it.
    (book / "book/part/aside.py").write_text("two = 2\n")
    edit(book / f"{OTHER}.md", "double(2)", "double(2.0)")
    edit(book / f"{OTHER}.md", "import double\n", "import double\nimport aside\n")
    assert ran(book) == [OTHER]
    edit(book / "book/part/aside.py", "two = 2", "two = 2.0")
    assert ran(book) == [OTHER]

    (book / "small_lib/table.csv").write_text("1,2\n")
    assert ran(book) == [OTHER, TINY]


@pytest.mark.slow
def test_a_broken_claim_fails_the_build_and_spares_the_others(book):
    edit(book / f"{OTHER}.md", "result == 4", "result == 5")
    with pytest.raises(CourseError) as caught:
        run_chapters(book)
    told = str(caught.value)
    assert "book/part/other.md: a claim of the page does not hold" in told
    assert "assert result == 5" in told
    assert TINY not in told
    assert not chapters.executed_path(book, OTHER).exists()
    # The other page was kept, and the broken one is tried again.
    edit(book / f"{OTHER}.md", "result == 5", "result == 4")
    assert ran(book) == [OTHER]


@pytest.mark.slow
def test_a_killed_build_can_be_run_again(book):
    assert ran(book, pages=[TINY]) == [TINY]
    # Killed after the notebook was kept and before the cache had it: the cache still has the old.
    edit(book / "small_lib/shared.py", "factor = 2", "factor = 2.0")
    hand_over = chapters._cache
    try:
        chapters._cache = lambda root, page: None
        assert ran(book, pages=[TINY]) == [TINY]
    finally:
        chapters._cache = hand_over
    assert ran(book, pages=[TINY]) == []
    cache = get_cache(str(chapters.cache_path(book)))
    _, merged = cache.merge_match_into_notebook(chapters.read_chapter(book, TINY))
    values = [out.data["text/plain"] for c in merged.cells for out in c.get("outputs", [])]
    assert values == ["4.0"]

    # Killed while writing: what is half there is no notebook, and the page runs again.
    path = chapters.executed_path(book, TINY)
    path.write_text(path.read_text()[:100])
    assert ran(book, pages=[TINY]) == [TINY]


@pytest.mark.parametrize(
    ("cell", "names", "python"),
    [
        ("import a.b as c", "a.b", "import a.b as c"),
        ("def f():\n    from d import e", "d d.e", "def f():\n    from d import e"),
        ("%matplotlib inline\nimport a", "a", "pass\nimport a"),
        ("import a\na.ones?", "a", "import a\npass"),
        ("files = !ls\nimport a", "a", "files = get_ipython().getoutput('ls')\nimport a"),
        ("%time import a\nx = %time f(1)", "a", "import a\nx = f(1)"),
        ("\n%%time\nimport a", "a", "import a"),
        ("%%timeit import a\nf(2)", "a", "import a\nf(2)"),
        ("%%capture out\nimport a", "a", "out = None\nimport a"),
        ("%timeit -n 10 -r3 f(x)", "", "f(x)"),
        ("%run -i sub/helper.py 3", "sub.helper", "import sub.helper"),
        ("import_module('a'), __import__('b')", "a b", "import_module('a'), __import__('b')"),
        (">>> import a", "a", "import a"),
        ("%%bash\nimport a", "", ""),
        ("this is no Python", "", ""),
        # What IPython would take minutes for.
        ("!ls\n" * 50 + "import a", "a", "pass\n" * 50 + "import a"),
        ("a, b = !ls\nx?\nimport a\n" + "x = 1\n" * 4000, "a", None),
        ("%timeit -" + "1" * 100_000, "", "pass"),
    ],
)
def test_a_cell_is_read_as_ipython_makes_it(cell, names, python):
    assert imported_modules([cell]) == set(names.split())
    if python is not None:
        assert python_of(cell).strip() == python


def test_what_lies_beside_is_read_too(tmp_path):
    (tmp_path / "helper.py").write_text("import torch\nimport package.part\n")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "part.py").write_text("import helper, numpy\n")
    cells = ["%run helper", "import json"]
    assert imported_modules(cells, tmp_path) == {
        *("helper", "json", "torch", "package.part", "numpy")
    }
    names = [path.name for path in helper_files(cells, tmp_path)]
    assert names == ["helper.py", "part.py"]


def test_a_package_counts_with_its_init(root):
    graph = ImportGraph(root)
    behind = graph.behind({"course_lib.scratch.activations"})
    assert {"course_lib", "course_lib.scratch", "course_lib.scratch.activations"} <= behind
    assert not any(
        name.startswith(("course_lib.assignments", "course_lib.cli", "course_lib.grading"))
        for name in behind
    )


@pytest.mark.slow
def test_an_activation_changes_exactly_the_chapters_that_import_it(root, tmp_path):
    """The same on the real book: fingerprints before and after a change, in a copy."""
    copy = tmp_path / "copy"
    copy.mkdir()
    # What a fingerprint reads, and nothing that comes and goes while other tests run.
    for name in ("_toc.yml", "requirements.txt", "index.md"):
        shutil.copy(root / name, copy)
    for name in ("book", "course_lib"):
        shutil.copytree(root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    script = (
        "import json; from pathlib import Path; from course_lib.book.chapters import *; "
        "root = Path.cwd(); "
        "print(json.dumps({p: fingerprint(root, p) for p in chapter_pages(root)}))"
    )

    def prints():
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy)},
            capture_output=True,
            text=True,
            check=True,
        )
        return chapters.json.loads(done.stdout)

    before = prints()
    with (copy / "course_lib/doctor.py").open("a") as module:
        module.write("\n# changed\n")
    assert prints() == before
    with (copy / "course_lib/scratch/activations.py").open("a") as module:
        module.write("\n# changed\n")
    changed = {page for page, print_ in prints().items() if print_ != before[page]}
    importing = {page for page in before if "scratch.activations" in _all_modules(root, page)}
    assert changed == importing
    assert "book/foundations/activations" in changed


def _all_modules(root, page):
    code = [c.source for c in chapters.read_chapter(root, page).cells if c.cell_type == "code"]
    return " ".join(ImportGraph(root).behind(imported_modules(code)))


def test_a_page_that_is_not_there_is_named(tiny_course):
    (tiny_course / f"{TINY}.md").unlink()
    with pytest.raises(CourseError, match=r"_toc.yml names book/part/tiny"):
        chapters.read_chapter(tiny_course, TINY)
