"""Answers: what the body of a function does to the reference solution."""

import pytest

from course_lib.assignments.answers import answer_cells, apply, load_answers, right, wrong
from course_lib.assignments.sources import source_notebook
from course_lib.paths import CourseError


@pytest.fixture
def source(tiny_course):
    return source_notebook(tiny_course, "tiny")


@right
def with_helper():
    """Needs an import and a helper."""
    import math

    def twice(z):
        return math.fsum([z, z])

    def double(z):
        # a comment of the answer
        return twice(z)


@right
def unrelated():
    """Defines nothing that is asked for."""

    def treble(z):
        return 3 * z


def test_an_answer_replaces_only_what_it_defines(source):
    cells = answer_cells(source, with_helper)
    assert set(cells) == {"double"}
    names = {}
    exec(cells["double"], names)
    assert names["double"](4) == 8
    assert "a comment of the answer" in cells["double"]
    assert "np.asarray" not in cells["double"]


def test_the_source_is_not_changed(source):
    before = source.copy()
    apply(source, with_helper)
    assert source == before


def test_an_answer_to_nothing_is_refused(source):
    with pytest.raises(CourseError, match=r"unrelated.*double, quad"):
        apply(source, unrelated)


def test_an_answer_needs_a_reason():
    with pytest.raises(ValueError, match="no docstring"):

        @right
        def silent():
            def double(z):
                return z


def test_a_wrong_answer_needs_tests_and_words():
    with pytest.raises(ValueError, match="would prove nothing|needs the tests"):
        wrong(loses=[], says="sign")
    with pytest.raises(ValueError, match="needs the tests"):
        wrong(loses=["test-double"], says=" ")


def test_two_answers_of_one_name_are_refused(tmp_path):
    path = tmp_path / "twice.py"
    path.write_text("def same():\n    pass\n\n\ndef same():\n    pass\n")
    with pytest.raises(CourseError, match="same twice"):
        load_answers(path)
