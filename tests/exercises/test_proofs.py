"""Every exercise is proven: reference, release, and every kept answer (see proofs.py).

The proofs run in the grading engine, where tests and answers are in different processes; the
reference runs in one process too, as it does in a student's notebook. Where walls cannot be built
(macOS, Windows) all of them run in one process.
"""

import ast
import re

import nbformat
import pytest

from course_lib.exercises import proofs
from course_lib.exercises.checking import grade_notebook
from course_lib.exercises.sources import release_notebook, source_notebook
from course_lib.paths import exercise_slugs, find_root, release_path, source_path

ROOT = find_root(__file__)
SLUGS = [slug for slug in exercise_slugs(ROOT) if source_path(ROOT, slug).is_file()]
ANSWERS = [(slug, answer) for slug in SLUGS for answer in proofs.answers(ROOT, slug)]

# Once in each process that runs these tests, and before any of them.
proofs.warm(ROOT, SLUGS)


@pytest.fixture(scope="module")
def grade():
    """Return how a notebook is graded: by the grading engine where there are walls."""
    from course_lib.grading.engine import runner, walls, zygote

    if walls.missing_walls():
        yield proofs.together
        return
    patient = runner.Times(cell=600, notebook=6000)
    with zygote.Zygote() as warm:
        yield lambda notebook, source: grade_notebook(
            notebook, runs=runner.run(notebook, warm, source=source, times=patient)
        )


def test_there_are_exercises():
    assert "activations" in SLUGS


@pytest.mark.slow
@pytest.mark.parametrize("slug", SLUGS)
def test_reference_has_full_marks_in_a_notebook(slug):
    assert proofs.prove_reference(ROOT, slug) == []


@pytest.mark.slow
@pytest.mark.parametrize("slug", SLUGS)
def test_reference_has_full_marks_when_graded(slug, grade):
    assert proofs.prove_reference(ROOT, slug, grade) == []


@pytest.mark.slow
@pytest.mark.parametrize("slug", SLUGS)
def test_untouched_release_has_no_points(slug, grade):
    assert proofs.prove_release(ROOT, slug, grade) == []


@pytest.mark.parametrize("slug", SLUGS)
def test_release_keeps_its_secrets(slug):
    assert proofs.prove_secrecy(ROOT, slug) == []


@pytest.mark.parametrize("slug", SLUGS)
def test_committed_release_is_what_the_source_generates(slug):
    committed = release_path(ROOT, slug).read_text(encoding="utf-8")
    generated = nbformat.writes(release_notebook(ROOT, slug)).rstrip("\n") + "\n"
    assert committed == generated, "run `course build` and commit exercises/"


@pytest.mark.parametrize("slug", SLUGS)
def test_hints_name_sections_that_are_there(slug):
    chapters = [path.read_text(encoding="utf-8") for path in ROOT.glob("book/*/*.md")]
    headings = set(re.findall(r"^#+ (.+)$", "\n".join(chapters), re.MULTILINE))
    texts = [
        node.value
        for cell in source_notebook(ROOT, slug).cells
        if cell.cell_type == "code"
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    named = {section for text in texts for section in re.findall(r"[Ss]ee '([^']+)'", text)}
    assert named, "no hint names a section of a chapter"
    assert named <= headings


@pytest.mark.parametrize("slug", SLUGS)
def test_enough_answers_are_kept(slug):
    kept = proofs.answers(ROOT, slug)
    assert sum(bool(answer.loses) for answer in kept) >= 8
    assert sum(not answer.loses for answer in kept) >= 4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("slug", "answer"), ANSWERS, ids=[f"{slug}-{answer.name}" for slug, answer in ANSWERS]
)
def test_answer(slug, answer, grade):
    assert proofs.prove_answer(ROOT, slug, answer, grade) == []
