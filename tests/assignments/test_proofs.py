"""Every exercise is proven: reference, release, every kept answer and every mutant.

The proofs (see proofs.py) run in the grading engine, where tests and answers are in different
processes. Where no sandbox can be built (macOS, Windows) all of them run in one process. Mutants
(see mutants.py) run in one process everywhere. In an ordinary kernel, as in a student's JupyterLab,
the reference is run by nbval, from beginning to end (`make test-notebooks`).
"""

import ast
import re

import nbformat
import pytest

from course_lib.assignments import answers, mutants, proofs
from course_lib.assignments.sources import (
    grade_id,
    is_solution,
    is_test,
    release_notebook,
    source_notebook,
)
from course_lib.paths import exercise_slugs, find_root, release_path, source_path

ROOT = find_root(__file__)
SLUGS = [slug for slug in exercise_slugs(ROOT) if source_path(ROOT, slug).is_file()]
ANSWERS = [(slug, answer) for slug in SLUGS for answer in proofs.answers(ROOT, slug)]

# Exercises that say which modules hold their answers are on the helpers for test cells
# (course_lib.exercises.check and its relatives), by which a mutant dies. The others are older.
ON_HELPERS = [
    slug for slug in SLUGS if "answers_in" in source_notebook(ROOT, slug).metadata.get("course", {})
]

# Once in each process that runs these tests, and before any of them.
proofs.warm(ROOT, SLUGS)


# Answers of which each exercise shows that grading them side by side changes nothing.
TWICE = [(slug, answer) for slug in SLUGS for answer in proofs.answers(ROOT, slug)[::25]]


@pytest.fixture(scope="module")
def graders():
    """Return the grading engine, or None where there can be no sandbox."""
    from course_lib.grading.engine import sandbox_check

    if sandbox_check.missing_for_sandbox():
        yield None
        return
    with proofs.Graders(ROOT, SLUGS) as warm:
        yield warm


def grade_for(graders, slug):
    """Return how answers to an exercise are graded."""
    return graders.sharing(slug) if graders else proofs.together


def test_there_are_exercises():
    assert "activations" in SLUGS


@pytest.mark.parametrize("slug", SLUGS)
def test_only_what_no_test_can_notice_is_left_out_of_the_graded_reference(slug):
    source = source_notebook(ROOT, slug)
    kept = proofs.up_to_the_last_test(source).cells
    assert kept == source.cells[: len(kept)]
    assert is_test(kept[-1])
    assert not any(map(is_test, source.cells[len(kept) :]))


@pytest.mark.slow
@pytest.mark.parametrize("slug", SLUGS)
def test_reference_has_full_marks_when_graded(slug, graders):
    grade = graders.alone if graders else proofs.together
    assert proofs.prove_reference(ROOT, slug, grade, whole=False) == []


@pytest.mark.slow
@pytest.mark.parametrize("slug", SLUGS)
def test_untouched_release_has_no_points(slug, graders):
    assert proofs.prove_release(ROOT, slug, grade_for(graders, slug)) == []


@pytest.mark.slow
@pytest.mark.parametrize("slug", ON_HELPERS)
def test_every_mutant_is_killed_or_accepted(slug):
    problems = mutants.problems(ROOT, slug)
    assert not problems, "\n".join(["", *problems])


@pytest.mark.parametrize("slug", SLUGS)
def test_release_keeps_its_secrets(slug):
    assert proofs.prove_secrecy(ROOT, slug) == []


@pytest.mark.parametrize("slug", SLUGS)
def test_committed_release_is_what_the_source_generates(slug):
    committed = release_path(ROOT, slug).read_text(encoding="utf-8")
    generated = nbformat.writes(release_notebook(ROOT, slug)).rstrip("\n") + "\n"
    assert committed == generated, "run `course build` and commit exercises/"


@pytest.mark.parametrize("slug", SLUGS)
def test_what_is_left_to_write_stands_inside_the_definitions(slug):
    """A second solution in a cell would leave a raise that runs whatever the student writes."""
    for cell in release_notebook(ROOT, slug).cells:
        if is_solution(cell) and cell.cell_type == "code":
            kinds = {type(statement) for statement in ast.parse(cell.source).body}
            defines = kinds & {ast.FunctionDef, ast.ClassDef}
            assert not (defines and ast.Raise in kinds), grade_id(cell)


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
def test_answer(slug, answer, graders):
    assert proofs.prove_answer(ROOT, slug, answer, grade_for(graders, slug)) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("slug", "answer"), TWICE, ids=[f"{slug}-{answer.name}" for slug, answer in TWICE]
)
def test_answer_gets_the_same_when_it_is_graded_by_itself(slug, answer, graders):
    if graders is None:
        pytest.skip("there can be no sandbox here")
    source = source_notebook(ROOT, slug)
    notebook = proofs.graded(answers.apply(source, answer))
    side_by_side, by_itself = (
        graders.sharing(slug)(notebook, source),
        graders.alone(notebook, source),
    )
    assert told(side_by_side) == told(by_itself)


def told(checked):
    """Return what a student is told, without what an answer may draw by chance."""
    found = []
    for result in checked.results:
        first = result.message.partition("\n")[0]
        found.append((result.grade_id, result.points, re.sub("0x[0-9a-f]+", "0x", first)))
    return found, sorted(checked.broken)
