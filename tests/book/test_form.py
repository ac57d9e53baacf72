"""The form that every chapter has, so that a reader finds the same things at the same places."""

import ast
import re
from pathlib import Path

import nbformat
import pytest
import yaml

from course_lib.book.chapters import executed_path, read_chapter
from course_lib.book.prerequisites import read_chapters
from course_lib.book.reading import minutes, prose

ROOT = Path(__file__).parents[2]
PAGES = [chapter.page for chapter in read_chapters(ROOT)]

#: As many letters as a line of code shows on a laptop without scrolling.
COLUMNS = 79


def shown(notebook):
    """Return the code cells that a reader sees, outputs or code."""
    return [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and "remove-cell" not in cell.metadata.get("tags", [])
    ]


def code(cell):
    """Return a cell's lines without the options for its figure."""
    return re.sub(r"\A---\n.*?\n---\n", "", cell.source, flags=re.DOTALL).splitlines()


def sections(text):
    """Return the names of a page's sections and what stands in each."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.fixture(params=PAGES, ids=lambda page: page.rsplit("/", 1)[-1])
def page(request):
    return request.param


@pytest.fixture
def text(page):
    return (ROOT / f"{page}.md").read_text()


def test_a_page_is_read_in_one_sitting(text):
    assert 1500 <= len(prose(text).split()) <= 3000


def test_the_sidebar_shows_the_subject_alone(page, text):
    subject = re.search(r"^# (.+?):", text, re.MULTILINE)[1]
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    entries = {entry["file"]: entry for part in toc["parts"] for entry in part["chapters"]}
    assert entries[page].get("title") == subject


def test_other_chapters_are_called_by_their_subject(text):
    # Sphinx would put the whole title there, question and all.
    slugs = {name.rsplit("/", 1)[-1] for name in PAGES}
    bare = re.findall(r"\{doc\}`([^`<]+)`", text)
    assert [name for name in bare if name.rsplit("/", 1)[-1] in slugs] == []


def test_imports_are_folded(page):
    first = shown(read_chapter(ROOT, page))[0]
    assert "import" in first.source
    assert "hide-input" in first.metadata.get("tags", [])


def test_a_reader_predicts_before_the_page_shows(text):
    boxes = re.findall(r"^:::+\{admonition\} Predict, then try\n:class: tip\n", text, re.MULTILINE)
    assert len(boxes) >= 2


def test_cells_fit_the_screen(page):
    cells = shown(read_chapter(ROOT, page))
    # Code to read, and folded code that draws: a page may have some pictures more than that.
    read = [cell for cell in cells if "hide-input" not in cell.metadata.get("tags", [])]
    assert 12 <= len(cells) <= 30 and len(read) <= 25
    for cell in cells:
        if "hide-input" not in cell.metadata.get("tags", []):
            lines = code(cell)
            assert len(lines) <= 25, lines[0]
            assert [line for line in lines if len(line) > COLUMNS] == []


@pytest.mark.site
def test_outputs_fit_the_screen(page):
    cells = shown(nbformat.read(executed_path(ROOT, page), as_version=4))
    outputs = [output for cell in cells for output in cell.outputs]
    for output in outputs:
        lines = output.get("text", "").splitlines()
        assert len(lines) <= 15, lines[0]
        assert [line for line in lines if len(line) > COLUMNS] == []
    figures = [output for output in outputs if "image/svg+xml" in output.get("data", {})]
    assert len(figures) >= 2


def test_every_claim_could_be_false(page):
    for cell in read_chapter(ROOT, page).cells:
        if "remove-cell" in cell.metadata.get("tags", []):
            asserts = [n for n in ast.walk(ast.parse(cell.source)) if isinstance(n, ast.Assert)]
            assert asserts, cell.source
            assert not any(isinstance(claim.test, ast.Constant) for claim in asserts)


def test_a_page_begins_with_what_it_takes_and_what_it_gives(text):
    head = prose(text).lstrip().split("\n\n")
    assert re.fullmatch(r"# [A-Z][^:?]+: [^:]+\?", head[0])
    assert head[1].startswith(f"*Time to read:* {minutes(text)} minutes.")
    assert "*Needs:*" in head[1]
    able = head[1].split("*You will be able to:*")[1]
    assert len(re.findall(r"\*\*\w+\*\*", able)) == 3


def test_a_page_ends_with_what_is_taken_along(page, text):
    parts = sections(text)
    assert list(parts)[-4:] == ["What to take away", "Check yourself", "Exercise", "Going further"]
    assert 3 <= len(re.findall(r"^- ", parts["What to take away"], re.MULTILINE)) <= 5
    questions = re.findall(r"^:::\{question\}(.*?)^:::$", parts["Check yourself"], re.M | re.S)
    assert 3 <= len(questions) <= 5
    for question in questions:
        choices = re.split(r"^- \(([x ])\) ", question, flags=re.MULTILINE)
        assert choices[1::2].count("x") == 1
        for choice in choices[2::2]:
            assert len(choice.strip().split("\n\n")) >= 2, f"not explained: {choice}"
    slug = page.rsplit("/", 1)[-1]
    assert f"course start {slug}" in parts["Exercise"]
    further = re.findall(r"^- .*", parts["Going further"], re.MULTILINE)
    assert len(further) >= 3
    assert all("{cite" in line for line in further)


def test_code_quoted_from_the_library_stands_there(page, text):
    for name, quoted in re.findall(
        r"^```python\n# (course_lib/\S+\.py).*?\n(.*?)^```$", text, re.M | re.S
    ):
        there = [line.strip() for line in (ROOT / name).read_text().splitlines()]
        wanted = [line.strip() for line in quoted.splitlines()]
        runs = [there[i : i + len(wanted)] for i in range(len(there))]
        assert wanted in runs, f"{page} quotes {name} otherwise than it is:\n{quoted}"


def test_the_voice(text):
    read = prose(text)
    assert re.findall(r"\b[Ss]imply\b|[\U0001F300-\U0001FAFF\u2600-\u27BF]", read) == []
    # An exclamation mark may stand in a formula (n!) or a picture's Markdown, not after a word.
    assert re.findall(r"[a-z]{2,}!(?!\[)", read) == []
