"""Mending a notebook: what grading needs is there again, and no word of a student's is lost."""

from __future__ import annotations

import copy
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell
from nbgrader.utils import compute_checksum

from course_lib.grading.submissions.repair import (
    RETYPED,
    WrongNotebookError,
    mend,
    metadata_of,
    whole_characters,
)

#: Name, kind, and nbgrader's flags of the cells of a release.
CELLS = [
    ("intro", "markdown", "locked"),
    ("tools", "code", "locked"),
    ("f", "code", "solution"),
    ("test-f", "code", "test"),
    ("g", "code", "solution"),
    ("test-g", "code", "test"),
    ("test-g-2", "code", "test"),
    ("why", "markdown", "written"),
]
FLAGS: dict[str, dict[str, Any]] = {
    "locked": {"grade": False, "solution": False, "locked": True},
    "solution": {"grade": False, "solution": True, "locked": False},
    "test": {"grade": True, "solution": False, "locked": True, "points": 1},
    "written": {"grade": True, "solution": True, "locked": False, "points": 2},
}
KINDS = {name: flags for name, _, flags in CELLS}


def release() -> NotebookNode:
    cells = []
    for name, kind, flags in CELLS:
        metadata = {"schema_version": 3, "grade_id": name, "task": False} | FLAGS[flags]
        make = new_code_cell if kind == "code" else new_markdown_cell
        cells.append(make(f"# {name}", id=name, metadata={"nbgrader": metadata}))
    return new_notebook(cells=cells)


def wanted() -> dict[str, dict[str, Any]]:
    return {
        cell.metadata.nbgrader.grade_id: {
            "metadata": dict(cell.metadata.nbgrader, cell_type=cell.cell_type, checksum="x"),
            "source": cell.source,
        }
        for cell in release().cells
    }


def mended(notebook: NotebookNode) -> list[str]:
    """Mend a notebook in place; return the notes."""
    notes: list[str] = []
    mend(notebook, wanted(), release().cells, notes)
    nbformat.validate(notebook, relax_add_props=True)
    return notes


def names(notebook: NotebookNode) -> list[str]:
    """Return what the cells are called; a student's own by their text."""
    return [metadata_of(cell).get("grade_id") or cell.source for cell in notebook.cells]


def arranged(*order: str) -> NotebookNode:
    """Return the release with its cells in this order; other names are cells of the student."""
    known = {cell.metadata.nbgrader.grade_id: cell for cell in release().cells}
    notebook = release()
    # Not new_notebook, which would mend what is to be mended here.
    notebook.cells = [copy.deepcopy(known.get(name) or new_code_cell(name)) for name in order]
    return notebook


def test_what_is_as_it_was_released_stays_so() -> None:
    notebook = release()
    assert mended(notebook) == []
    assert names(notebook) == [name for name, _, _ in CELLS]
    assert [cell.source for cell in notebook.cells] == [cell.source for cell in release().cells]


@pytest.mark.parametrize(
    ("before", "after", "note"),
    [
        (
            "intro f test-f g test-g test-g-2 why",
            "intro tools f test-f g test-g test-g-2 why",
            "tools was missing",
        ),
        (
            "intro f test-f g test-g test-g-2 why tools",
            "intro tools f test-f g test-g test-g-2 why",
            "tools was out of order",
        ),
        (
            "test-f intro tools f mine g test-g-2 test-g why",
            "intro tools f test-f mine g test-g test-g-2 why",
            "test-f and test-g-2 were out of order",
        ),
        # What the student wrote stays where it is: it may build on what stands above it.
        (
            "intro tools test-f g test-g test-g-2 why mine f",
            "intro tools g why mine f test-f test-g test-g-2",
            "test-f, test-g and test-g-2 were out of order",
        ),
        ("tools f test-f g test-g test-g-2 why", "tools f test-f g test-g test-g-2 why", ""),
        (
            "intro tools mine f test-f also-mine g test-g test-g-2",
            "intro tools mine f test-f also-mine g test-g test-g-2 why",
            "why was missing",
        ),
        (
            "intro tools f test-f test-g test-g-2 why def_g",
            "intro tools f test-f test-g test-g-2 why def_g",
            "g is missing. If its answer",
        ),
    ],
)
def test_places(before: str, after: str, note: str) -> None:
    notebook = arranged(*before.split())
    notes = mended(notebook)
    assert names(notebook) == after.split()
    assert note in " ".join(notes)
    assert bool(notes) == bool(note)


def test_of_several_answers_the_last_that_was_written_counts() -> None:
    notebook = arranged("intro", "tools", "f", "test-f", "f", "f", "g", "test-g", "test-g-2", "why")
    first, second, untouched = (cell for cell in notebook.cells if cell.id == "f")
    first.source, second.source = "one", "two"
    notes = mended(notebook)
    assert metadata_of(second)["grade_id"] == "f"
    assert [metadata_of(cell) for cell in (first, untouched)] == [{}, {}]
    assert "f was there 3 times; the one at place 5" in notes[0]
    # The test runs after the answer that counts, and the other answers are still there.
    found = names(notebook)
    assert found.index("f") < found.index("test-f")
    assert "one" in found


def test_of_several_tests_none_but_the_releases_counts() -> None:
    notebook = arranged("intro", "tools", "f", "test-f", "g", "test-g", "test-g-2", "why", "test-f")
    notebook.cells[-1].source = "pass"
    notes = mended(notebook)
    assert names(notebook)[-1] == "pass"
    assert "test-f was there 2 times; the one at place 4" in notes[0]


def test_what_was_changed_in_the_teachers_cells_is_said() -> None:
    notebook = release()
    notebook.cells[3].source = "assert True"
    notebook.cells[2].source = "def f(): ..."
    assert mended(notebook) == ["The cell test-f is not as it was released; the release's counts."]


def test_an_old_format_with_ids_is_known_by_them() -> None:
    notebook = release()
    for cell in notebook.cells:
        cell.metadata = {}
    notebook.nbformat_minor = 4
    assert len(mended(notebook)) == len(CELLS)
    assert names(notebook) == [name for name, _, _ in CELLS]
    assert notebook.nbformat_minor == 5


@pytest.mark.parametrize(
    ("place", "cell", "looked_at"),
    [
        (8, new_markdown_cell("Because of the overflow."), True),
        (7, new_raw_cell("Because of the overflow."), True),
        (8, new_code_cell("# Because of the overflow."), True),
        (8, new_code_cell("Because of the overflow."), True),
        (8, new_markdown_cell(" "), False),
        (8, new_code_cell("because = overflow"), False),
        (2, new_markdown_cell("My notes."), False),
    ],
)
def test_a_written_answer_in_a_cell_of_its_own_is_looked_at(
    place: int, cell: NotebookNode, looked_at: bool
) -> None:
    notebook = release()
    notebook.cells.insert(place, copy.deepcopy(cell))
    notes = mended(notebook)
    assert notebook.metadata.get(RETYPED) == (["why"] if looked_at else None)
    assert ["why is empty" in note for note in notes] == [True] * looked_at
    # Where the cell itself is answered, what stands beside it is a note.
    next(cell for cell in notebook.cells if cell.id == "why").source = "An answer."
    assert mended(notebook) == []
    assert RETYPED not in notebook.metadata


def test_everything_about_a_teachers_cell_is_the_releases() -> None:
    notebook = release()
    notebook.cells[3].metadata["tags"] = ["skip-execution"]
    notebook.cells[1].metadata["jupyter"] = {"source_hidden": True}
    assert mended(notebook) == ["The cell test-f had other tags; the release's count."]
    whole = release()
    mended(whole)
    assert [cell.metadata for cell in notebook.cells] == [cell.metadata for cell in whole.cells]


@pytest.mark.parametrize("lost", ["metadata", "nbgrader", "name"])
@pytest.mark.parametrize("name", [*KINDS])
def test_a_cell_without_its_name_is_known_by_its_id(name: str, lost: str) -> None:
    notebook = release()
    (cell,) = [cell for cell in notebook.cells if cell.id == name]
    if lost == "metadata":
        cell.metadata = {}
    elif lost == "nbgrader":
        del cell.metadata["nbgrader"]
    else:
        cell.metadata.nbgrader.grade_id = "mine"
    notes = mended(notebook)
    assert names(notebook) == [name for name, _, _ in CELLS]
    whole = release()
    mended(whole)
    assert [cell.metadata for cell in notebook.cells] == [cell.metadata for cell in whole.cells]
    assert notes == [f"The cell {name} had lost its name; known by its id."]


def test_a_name_that_is_there_is_not_given_again() -> None:
    notebook = release()
    notebook.cells[2].metadata.nbgrader.grade_id, notebook.cells[4].metadata.nbgrader.grade_id = (
        "mine",
        "f",
    )
    mended(notebook)
    assert [name for name in names(notebook) if name == "f"] == ["f"]


def test_a_notebook_that_lost_all_metadata_is_known_by_ids() -> None:
    notebook = release()
    for cell in notebook.cells:
        cell.metadata = {}
    assert len(mended(notebook)) == len(CELLS)
    assert names(notebook) == [name for name, _, _ in CELLS]


@pytest.mark.parametrize(
    ("merged", "after"),
    [
        ("{test}\n\nx = 1", "test-f, x = 1"),
        ("x = 1\n{test}", "x = 1, test-f"),
        ("x = 1\n{test}\ny = 2", "x = 1, test-f, y = 2"),
    ],
)
def test_what_was_merged_with_a_test_is_still_run(merged: str, after: str) -> None:
    notebook = release()
    test = notebook.cells[3]
    test.source = merged.format(test=test.source)
    notes = mended(notebook)
    assert ", ".join(names(notebook)) == f"intro, tools, f, {after}, g, test-g, test-g-2, why"
    assert notes == ["The cell test-f was merged with another; taken apart."]


def test_a_cell_that_was_split_keeps_both_parts() -> None:
    notebook = release()
    notebook.cells[2].source = "def f():"
    notebook.cells.insert(3, new_code_cell("    return 1"))
    assert mended(notebook) == []
    assert names(notebook)[2:4] == ["f", "    return 1"]


def test_a_notebook_of_another_exercise_is_refused() -> None:
    with pytest.raises(WrongNotebookError, match="none of the cells"):
        mended(new_notebook(cells=[new_code_cell("f = 1")]))


TEXTS = {
    "intro": "# Sums\n\nAdd them.",
    "tools": "import numpy as np\n\nNAMES = ['a', \"b\"]\n%time x = 'y'",
    "f": "def f(x):\n    # YOUR CODE HERE\n    raise NotImplementedError",
    "test-f": "def helper(x):\n    '''Do it.\n\n       Well.'''\n    return f(x, 'one')\n\n"
    "assert helper(1) == {'a': 2, }, f'no {NAMES[0]}'",
    "why": "*Write your answer here.*",
}


def with_texts(notebook: NotebookNode) -> NotebookNode:
    """Return a notebook whose cells say something, as a release that knows its checksums."""
    for cell in notebook.cells:
        cell.source = TEXTS.get(cell.id, cell.source)
        cell.metadata.nbgrader["checksum"] = compute_checksum(cell)
    return notebook


def by_windows(text: str) -> str:
    return text.replace("\n", "\r\n")


def by_an_editor(text: str) -> str:
    return text.replace("\n", "  \n") + "\n\n"


def by_a_formatter(text: str) -> str:
    return (
        text.replace("'''Do it.\n\n       Well.'''", '"""Do it.\n\n    Well."""')
        .replace("'", '"')
        .replace(" == {", " == (\n    {")
        .replace(", },", "}\n),")
    )


def test_what_programs_do_to_a_notebook_is_no_change() -> None:
    released = with_texts(release())
    known = wanted() | {
        cell.id: {
            "metadata": dict(cell.metadata.nbgrader, cell_type=cell.cell_type),
            "source": cell.source,
        }
        for cell in released.cells
    }

    def after(change: Any, *changed: str) -> tuple[list[str], dict[str, str]]:
        notebook = with_texts(release())
        for cell in notebook.cells:
            if not changed or cell.id in changed:
                cell.source = change(cell.source)
        notes: list[str] = []
        mend(notebook, known, released.cells, notes)
        return notes, {cell.id: cell.source for cell in notebook.cells}

    texts = {cell.id: cell.source for cell in released.cells}
    assert after(by_windows) == after(by_an_editor) == ([], texts)
    assert by_a_formatter(texts["test-f"]) != texts["test-f"]
    assert after(by_a_formatter, "tools", "test-f") == ([], texts)
    # What somebody did is seen, and what is an answer stays as it came.
    for name in ("test-f", "tools"):
        note, _ = after(lambda text: text.replace("'a'", "'c'"), name)[0]
        assert note == f"The cell {name} had its text changed by hand; restored."
    for name, answer in (("f", "# YOUR CODE HERE\r\n# is mine"), ("why", "Because.  \r\nSo.")):
        notes, sources = after(lambda text, answer=answer: answer, name)
        assert notes == []
        assert sources[name] == answer.replace("\r\n", "\n")


@pytest.mark.parametrize(
    "change",
    [
        lambda nb: nb.metadata.update(kernelspec="x", language_info=["y"], title=3),
        lambda nb: nb.update(metadata=[]),
        lambda nb: nb.cells[2].update(metadata=[]),
        lambda nb: nb.cells[2].metadata.update(tags=["a", "a"], name="", collapsed="no"),
        lambda nb: nb.cells[2].update(source=7),
        lambda nb: nb.cells[2].update(execution_count="x", outputs=[3]),
        lambda nb: nb.cells[2].pop("source"),
        lambda nb: nb.cells[0].update(attachments=[]),
        lambda nb: nb.cells[0].update(cell_type="heading"),
        lambda nb: nb.cells[2].update(id=7),
        lambda nb: nb.cells[2].update(id="f", source="\ud800"),
        lambda nb: nb.cells[2].pop("id"),
    ],
)
def test_what_no_notebook_may_hold_ends_nothing(change: Any) -> None:
    notebook = release()
    change(notebook)
    mended(notebook)  # it validates what comes out
    nbformat.writes(notebook).encode()
    assert {name for name in names(notebook) if name in KINDS} >= {*KINDS} - {"f"}


OWN = st.sampled_from(["x = 1", "def helper(): ...", "note = 'mine'"])


@given(st.lists(st.one_of(st.sampled_from([*KINDS]), OWN), min_size=1, max_size=14), st.data())
def test_any_disorder_is_mended_and_no_word_is_lost(order: list[str], data: st.DataObject) -> None:
    notebook = arranged(*order)
    written = []
    for cell in notebook.cells:
        if KINDS.get(metadata_of(cell).get("grade_id", "")) in ("solution", "written"):
            cell.source = data.draw(st.sampled_from([cell.source, "an answer", "another"]))
        if not metadata_of(cell) or KINDS[cell.metadata.nbgrader.grade_id] != "test":
            written.append(cell.source)
    if not any(metadata_of(cell) for cell in notebook.cells):
        with pytest.raises(WrongNotebookError):
            mended(notebook)
        return
    mended(notebook)
    found = names(notebook)
    # Each cell of the teacher's that grading needs is there once, behind what it tests.
    for number, (name, kind, flags) in enumerate(CELLS):
        if flags in ("test", "written") or (flags == "locked" and kind == "code"):
            assert found.count(name) == 1
        if flags == "test":
            before = [found.index(other) for other, _, _ in CELLS[:number] if other in found]
            assert found.index(name) > max(before)
    # What the student wrote is there still, as often as they wrote it.
    sources = [cell.source for cell in notebook.cells]
    assert all(sources.count(text) >= written.count(text) for text in written)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    # Mended once is mended.
    again = copy.deepcopy(notebook)
    told_again = ("is missing", "is empty")
    assert [n for n in mended(again) if not any(words in n for words in told_again)] == []
    assert again == notebook


def test_whole_characters() -> None:
    value = {"a\ud800": ["b\udfff", 1, None, "c\U0001f600"]}
    assert whole_characters(value) == {"a\ufffd": ["b\ufffd", 1, None, "c\U0001f600"]}
