"""A build with nothing changed asks nothing, and one with anything changed looks closely."""

import subprocess
import sys

import nbformat
import pytest
from myst_nb.core.read import is_myst_markdown_notebook

from course_lib.assignments import sources
from course_lib.book import chapters, unchanged
from course_lib.book import exercises as book_exercises
from course_lib.paths import built_source_path, release_path, source_path, toc_entries

PAGES = [PAGE, OTHER] = ["book/part/tiny", "book/part/other"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# A page",
        "---\nfile_format: mystnb\n---\n# A page",
        "---\njupytext:\n  text_representation:\n    format_name: myst\n---\n",
        "---\njupytext:\n  text_representation:\n    format_name: light\n---\n",
        "---\ntitle: A page\n---\n",
        "---\n- a list\n---\n",
        "---\nnot: [yaml\n---\n",
        "---\nfile_format: mystnb\n...\nnot: [yaml\n",
        "---\nfile_format: mystnb\n",
        "\n---\nfile_format: mystnb\n---\n",
    ],
)
def test_a_notebook_is_what_myst_nb_takes_for_one(tmp_path, text):
    (tmp_path / "page.md").write_text(text)
    assert chapters._is_notebook(tmp_path / "page.md") == is_myst_markdown_notebook(text)


def test_the_pages_of_the_book_are_what_myst_nb_takes_them_for(root):
    for page in toc_entries(root):
        path = root / f"{page}.md"
        assert chapters._is_notebook(path) == is_myst_markdown_notebook(path.read_text()), page


@pytest.fixture
def book(tiny_course):
    """The tiny course with its pages as if they had run: notebooks that are kept."""
    (tiny_course / "requirements.txt").write_text("numpy==1\n")
    (tiny_course / "points.csv").write_text("1\n")
    page = tiny_course / f"{PAGE}.md"
    page.write_text(page.read_text().replace("---\n", "---\ncourse:\n  data: [points.csv]\n", 1))
    for name in PAGES:
        print_ = chapters.fingerprint(tiny_course, name)
        notebook = chapters.read_chapter(tiny_course, name)
        notebook.metadata["course_build"] = {"fingerprint": print_, "seconds": 1.0}
        for number, cell in enumerate(notebook.cells):
            cell.id = f"cell-{number}"
        chapters._keep(chapters.executed_path(tiny_course, name), notebook)
    return tiny_course


def looked_closely(book, monkeypatch):
    """Build, and tell whether each page was read and compared."""
    asked = []
    original = chapters.ImportGraph

    def graph(root, package):
        asked.append(root)
        return original(root, package)

    monkeypatch.setattr(chapters, "ImportGraph", graph)
    monkeypatch.setattr(chapters, "_run_side_by_side", lambda root, stale, *_: [])
    runs = chapters.run_chapters(book)
    monkeypatch.undo()
    return bool(asked), [run.page for run in runs if not run.ran]


def test_chapters_are_read_only_when_a_file_has_changed(book, monkeypatch):
    assert looked_closely(book, monkeypatch) == (True, PAGES)
    assert looked_closely(book, monkeypatch) == (False, PAGES)
    for name in (f"{PAGE}.md", "requirements.txt", "points.csv", "_toc.yml"):
        path = book / name
        path.write_text(path.read_text() + "\n")
        assert looked_closely(book, monkeypatch)[0], name
        assert not looked_closely(book, monkeypatch)[0], name
    executed = chapters.executed_path(book, PAGE)
    text = executed.read_text()
    executed.write_text(text + "\n")
    assert looked_closely(book, monkeypatch)[0]
    executed.unlink()
    assert looked_closely(book, monkeypatch)[0]


def test_a_cache_that_is_gone_is_filled_again(book, monkeypatch):
    looked_closely(book, monkeypatch)
    cache = chapters.cache_path(book)
    kept, _ = (cache / "executed").iterdir()
    kept.rename(cache / "elsewhere")
    assert looked_closely(book, monkeypatch)[0]


def test_a_chapter_that_fails_leaves_no_yes(book, monkeypatch):
    def fail(*_):
        raise chapters.CourseError("a claim does not hold")

    page = book / f"{PAGE}.md"
    page.write_text(
        page.read_text().replace("```{code-cell}", "```{code-cell}\n1\n```\n\n```{code-cell}")
    )
    for _ in range(2):
        monkeypatch.setattr(chapters, "_run_side_by_side", fail)
        with pytest.raises(chapters.CourseError):
            chapters.run_chapters(book)


def test_what_was_asked_for_by_force_or_by_name_is_looked_at(book, monkeypatch):
    looked_closely(book, monkeypatch)
    ran = []

    def run(root, stale, *_):
        ran.extend(stale)
        return []

    monkeypatch.setattr(chapters, "_run_side_by_side", run)
    chapters.run_chapters(book, force=True)
    assert ran == PAGES
    assert [run.page for run in chapters.run_chapters(book, [PAGE])] == [PAGE]


def test_a_damaged_stamp_is_none(book, monkeypatch):
    looked_closely(book, monkeypatch)
    for text in ("", "{", "[]", "null"):
        (book / "_build" / "stamps" / "chapters.json").write_text(text)
        assert looked_closely(book, monkeypatch)[0], text


def test_exercises_are_generated_when_their_files_have_changed(tiny_course, monkeypatch):
    asked = []

    def generate(root, slugs):
        asked.append(slugs)
        return original(root, slugs)

    original = sources.generate
    monkeypatch.setattr(sources, "generate", generate)
    assert book_exercises.generate_changed(tiny_course) == {"tiny": True}
    assert book_exercises.generate_changed(tiny_course) == {"tiny": False}
    assert asked == [["tiny"]]
    release, built = release_path(tiny_course, "tiny"), built_source_path(tiny_course, "tiny")
    right = release.read_text()
    for path in (release, built):
        path.write_text("{}")
        book_exercises.generate_changed(tiny_course)
        assert release.read_text() == right
        assert nbformat.read(built, as_version=4).cells
    release.unlink()
    assert book_exercises.generate_changed(tiny_course) == {"tiny": True}
    source = source_path(tiny_course, "tiny")
    source.write_text(source.read_text().replace("# ", "# Now: ", 1))
    book_exercises.generate_changed(tiny_course)
    (tiny_course / "nbgrader_config.py").write_text("c = get_config()\n")
    assert book_exercises.generate_changed(tiny_course) == {"tiny": False}
    assert book_exercises.generate_changed(tiny_course, force=True) == {"tiny": False}
    assert len(asked) == 7
    assert book_exercises.generate_changed(tiny_course) == {"tiny": False}
    assert len(asked) == 7


def test_each_exercise_is_looked_at_by_itself(tiny_course, monkeypatch):
    other = source_path(tiny_course, "other")
    other.write_text(source_path(tiny_course, "tiny").read_text())
    book_exercises.generate_changed(tiny_course)
    asked = []
    monkeypatch.setattr(sources, "generate", lambda root, slugs: asked.append(slugs) or {})
    other.write_text(other.read_text() + "\n")
    book_exercises.generate_changed(tiny_course)
    assert asked == [["other"]]


def test_a_digest_knows_names_contents_and_what_is_missing(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("ab")
    two.write_text("c")
    found = [unchanged.digest([one, two]), unchanged.digest([two, one])]
    one.write_text("a")
    two.write_text("bc")
    found += [unchanged.digest([one, two]), unchanged.digest([one, two], "word")]
    two.write_text("missing")
    found.append(unchanged.digest([one, two]))
    two.unlink()
    found.append(unchanged.digest([one, two]))
    assert len(set(found)) == 6


def test_nothing_heavy_is_imported_to_see_that_nothing_has_changed(book, monkeypatch):
    looked_closely(book, monkeypatch)
    book_exercises.generate_changed(book)
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from course_lib.book.chapters import run_chapters\n"
        "from course_lib.book.exercises import generate_changed\n"
        "from course_lib.book.site import site_fingerprint\n"
        f"root = Path({str(book)!r})\n"
        "run_chapters(root), generate_changed(root), site_fingerprint(root)\n"
        "print('\\n'.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    heavy = {"grimp", "myst_nb", "nbformat", "nbgrader", "jupyter_cache", "jupytext", "sphinx"}
    assert heavy & set(done.stdout.split()) == set()
