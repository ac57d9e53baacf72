"""From an exercise's text to its notebooks."""

import json

import nbformat
import pytest

from course_lib import paths
from course_lib.assignments import proofs, sources
from course_lib.paths import CourseError


def test_the_same_text_gives_the_same_notebook(tiny_course):
    once, again = (sources.source_notebook(tiny_course, "tiny") for _ in range(2))
    assert nbformat.writes(once) == nbformat.writes(again)
    nbformat.validate(once)


def test_cells_are_called_by_their_grade_id_or_by_what_they_follow(tiny_course):
    ids = [cell.id for cell in sources.source_notebook(tiny_course, "tiny").cells]
    assert ids[:4] == ["start-1", "start-2", "double", "test-double"]
    assert len(set(ids)) == len(ids)


def test_generate_writes_only_what_changed(tiny_course):
    assert sources.generate(tiny_course) == {"tiny": True}
    assert sources.generate(tiny_course) == {"tiny": False}
    text = paths.source_path(tiny_course, "tiny")
    text.write_text(text.read_text().replace("# # Tiny", "# # Small"))
    assert sources.generate(tiny_course) == {"tiny": True}


def test_a_release_holds_tests_but_no_secret(tiny_course):
    release = sources.release_notebook(tiny_course, "tiny")
    text = json.dumps(release)
    assert "raise NotImplementedError()" in text
    assert "test-double-hidden" in text
    assert proofs.prove_secrecy(tiny_course, "tiny") == []
    for secret in ("return 2 * np", "double([-2, 3])", "Because of the secret"):
        assert secret not in text


def test_secrecy_sees_a_leak(tiny_course, monkeypatch):
    leaky = sources.source_notebook(tiny_course, "tiny")
    monkeypatch.setattr(proofs, "release_notebook", lambda root, slug: leaky)
    problems = "\n".join(proofs.prove_secrecy(tiny_course, "tiny"))
    for secret in ("return 2 * np", "double([-2, 3])", "Because of the secret", "BEGIN SOLUTION"):
        assert secret in problems


def test_a_shared_grade_id_is_refused(tiny_course):
    path = paths.source_path(tiny_course, "tiny")
    path.write_text(path.read_text().replace('"quad"', '"double"'))
    with pytest.raises(CourseError, match="two cells with the grade_id 'double'"):
        sources.source_notebook(tiny_course, "tiny")


def test_nothing_to_grade_is_refused(tiny_course):
    paths.source_path(tiny_course, "tiny").write_text("# %%\n1 + 1\n")
    with pytest.raises(CourseError, match="nothing to grade"):
        sources.source_notebook(tiny_course, "tiny")


def test_what_nbgrader_refuses_is_told_in_its_words(tiny_course):
    path = paths.source_path(tiny_course, "tiny")
    path.write_text(path.read_text().replace("    ### END SOLUTION\n", "", 1))
    with pytest.raises(CourseError, match="(?s)cannot make a release.*[Ss]olution"):
        sources.release_notebook(tiny_course, "tiny")


def test_an_unknown_name_lists_the_nearest(tiny_course):
    with pytest.raises(CourseError, match="No exercise is called 'tinny'. Did you mean tiny"):
        sources.source_notebook(tiny_course, "tinny")


def test_a_release_says_which_modules_hold_its_answers(tiny_course):
    text = paths.source_path(tiny_course, "tiny")
    header = "# jupyter:\n#   course: {answers_in: [course_lib.scratch.layers]}\n"
    text.write_text(text.read_text().replace("# jupyter:\n", header))
    for make in (sources.source_notebook, sources.release_notebook):
        assert make(tiny_course, "tiny").metadata.course == {
            "answers_in": ["course_lib.scratch.layers"]
        }
