"""Pages whose packages may be missing show what was committed, say so, and nothing stale."""

from itertools import groupby

import nbformat
import pytest

from course_lib import extras
from course_lib.book import chapters, kept
from course_lib.book.chapters import chapter_pages, executed_path, read_chapter
from course_lib.paths import CourseError, find_root

ROOT = find_root()
TINY = "book/part/tiny"


def pages_with_extras():
    found = []
    for page in chapter_pages(ROOT):
        if kept.extra_of(read_chapter(ROOT, page), page):
            found.append(page)
    return found


@pytest.fixture
def course(tiny_course, monkeypatch):
    """Return a course whose only page needs an extra that is not there."""
    path = tiny_course / f"{TINY}.md"
    text = path.read_text()
    assert text.startswith("---\n")
    path.write_text(text.replace("---\n", "---\ncourse:\n  extra: frameworks\n", 1))
    monkeypatch.setattr(extras, "missing", lambda *names: ["tensorflow", "cv2"])
    return tiny_course


def commit(course, change=lambda cells: None):
    """Commit outputs for the page, each cell's its number, as the author's build would."""
    notebook = read_chapter(course, TINY)
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.outputs = [nbformat.v4.new_output("stream", text=f"kept {number}")]
        cell.execution_count = number + 1
    change(notebook.cells)
    path = kept.kept_path(course, TINY)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def test_what_cannot_run_here_shows_what_was_committed(course):
    commit(course)
    run = chapters._execute(str(course), TINY, "print")
    assert not run.ran
    built = nbformat.read(executed_path(course, TINY), as_version=4)
    assert built.metadata["course_build"]["kept"] == "frameworks"
    code = [cell for cell in built.cells if cell.cell_type == "code"]
    assert [c.outputs[0]["text"] for c in code] == [f"kept {n}" for n in range(len(code))]
    # nbval would run them.
    assert code and all("nbval-skip" in cell.metadata["tags"] for cell in code)
    assert len(built.cells) == len(read_chapter(course, TINY).cells)


def test_what_is_installed_is_run_again(course, monkeypatch):
    before = chapters.fingerprint(course, TINY)
    monkeypatch.setattr(extras, "missing", lambda *names: [])
    assert chapters.fingerprint(course, TINY) != before


def test_outputs_of_other_code_are_refused(course):
    commit(course, lambda cells: cells[0].update(source="1 + 1"))
    with pytest.raises(CourseError, match=r"tiny.md cannot run here.*no longer that of.*LIGHT=0"):
        chapters._execute(str(course), TINY, "print")


def test_a_page_without_committed_outputs_says_what_to_install(course):
    with pytest.raises(CourseError, match=r"cannot be read.*tensorflow, cv2.*make env LIGHT=0"):
        chapters._execute(str(course), TINY, "print")


def test_a_page_cannot_need_an_extra_that_there_is_not(course):
    path = course / f"{TINY}.md"
    path.write_text(path.read_text().replace("extra: frameworks", "extra: framework"))
    with pytest.raises(CourseError, match="extra 'framework'; there are frameworks and clouds"):
        chapters.fingerprint(course, TINY)


def test_outputs_are_committed_from_a_run_of_the_page_as_it_stands(course, monkeypatch):
    monkeypatch.setattr(chapters, "chapter_pages", lambda root: [TINY])
    with pytest.raises(CourseError, match="has not been run"):
        kept.make(course)
    commit(course)
    chapters._execute(str(course), TINY, "print")
    # What was kept is not kept again.
    with pytest.raises(CourseError, match="cannot run here"):
        kept.make(course)
    monkeypatch.setattr(extras, "missing", lambda *names: [])
    with pytest.raises(CourseError, match="cannot run here"):
        kept.make(course)
    notebook = nbformat.read(executed_path(course, TINY), as_version=4)
    del notebook.metadata["course_build"]["kept"]
    nbformat.write(notebook, executed_path(course, TINY))
    (written,) = kept.make(course)
    assert written == kept.kept_path(course, TINY)
    made = nbformat.read(written, as_version=4)
    assert kept.matches(made, read_chapter(course, TINY))
    assert {cell.cell_type for cell in made.cells} == {"code"}
    path = course / f"{TINY}.md"
    path.write_text(
        path.read_text().replace("```{code-cell} ipython3\n", "```{code-cell} ipython3\n1\n", 1)
    )
    with pytest.raises(CourseError, match="has changed since it was run"):
        kept.make(course)


def test_the_committed_outputs_of_the_book_belong_to_its_pages():
    pages = pages_with_extras()
    for page in pages:
        made = nbformat.read(kept.kept_path(ROOT, page), as_version=4)
        assert kept.matches(made, read_chapter(ROOT, page)), (
            f"{page}.md has changed: `course build`, then `python -m course_lib.book.kept`"
        )
    there = (ROOT / "outputs").rglob("*.ipynb")
    assert {str(p.relative_to(ROOT / "outputs").with_suffix("")) for p in there} == set(pages)


@pytest.mark.site
def test_the_committed_outputs_of_the_book_are_of_the_kinds_that_a_run_gives():
    def kinds(notebook):
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        found = [[(o.output_type, *sorted(o.get("data", {}))) for o in c.outputs] for c in code]
        # What a cell prints comes in one piece or in several, as time has it.
        return [[kind for kind, _ in groupby(cell)] for cell in found]

    for page in pages_with_extras():
        made = nbformat.read(kept.kept_path(ROOT, page), as_version=4)
        ran = nbformat.read(executed_path(ROOT, page), as_version=4)
        assert kinds(made) == kinds(ran), page
