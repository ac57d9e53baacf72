"""A chapter goes with all that bears its name, and what bears none is told of."""

import subprocess

import pytest

from course_lib import paths
from course_lib.book.removing import orphans, parts_of, remove
from course_lib.paths import CourseError, find_root, toc_entries


@pytest.fixture
def course(tiny_course):
    """Return a course in git whose chapter `tiny` has everything that one can have."""
    for name in (
        "exercises/tiny/tiny.ipynb",
        "tests/misconceptions/tiny.py",
        "tests/plotting/test_tiny_figures.py",
        "sample_class/tiny.py",
        "outputs/book/part/tiny.ipynb",
        "course_lib/plotting/tiny.py",
    ):
        path = tiny_course / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n")
    (tiny_course / ".gitignore").write_text("/_build/\n/work/\n")
    toc = tiny_course / "_toc.yml"
    toc.write_text(toc.read_text().replace("part/tiny\n", "part/tiny\n        title: Tiny\n"))
    for command in (["init", "-q"], ["add", "-A"], ["-c", "user.name=a", "commit", "-qm", "a"]):
        settings = ["-c", "user.email=a@b.example"]
        subprocess.run(["git", *settings, *command], cwd=tiny_course, check=True)
    return tiny_course


def files(root):
    return {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and ".git" not in path.parts
    }


def test_a_chapter_goes_with_all_that_bears_its_name(course):
    made, mine = course / "_build/source/tiny/tiny.ipynb", course / "work/tiny/tiny.ipynb"
    for path in (made, mine):
        path.parent.mkdir(parents=True)
        path.touch()
    other = course / "book/part/other.md"
    other.write_text(other.read_text() + "\nSee [it](../part/tiny.md).\n")

    done = remove(course, "tiny")
    assert files(course) == {
        ".gitignore",
        "_toc.yml",
        "index.md",
        "book/part/other.md",
        "work/tiny/tiny.ipynb",
    }
    assert toc_entries(course) == ["index", "book/part/other"]
    assert "Tiny" not in (course / "_toc.yml").read_text()
    assert done.left == [
        "tiny is still named in book/part/other.md.",
        "work/ keeps what was done in tiny.",
    ]
    assert len(done.gone) == 9
    with pytest.raises(CourseError, match="No chapter is called 'tiny'"):
        remove(course, "tiny")


def test_figures_that_others_use_stay(course):
    user = course / "course_lib/plotting/other.py"
    user.write_text("from course_lib.plotting import style, tiny\n")
    figures = course / "course_lib/plotting/tiny.py"
    assert figures not in parts_of(course, "tiny")
    user.write_text("from course_lib.plotting import tiny_things\n")
    assert figures in parts_of(course, "tiny")


def test_what_git_cannot_bring_back_is_not_removed(course):
    (course / "solutions/tiny.py").write_text("# more\n")
    (course / "exercises/tiny/new.csv").touch()
    before = files(course), (course / "_toc.yml").read_text()
    with pytest.raises(CourseError, match=r"solutions/tiny.py.*Commit it first"):
        remove(course, "tiny")
    with pytest.raises(CourseError, match="No chapter is called 'index'"):
        remove(course, "index", force=True)
    toc = course / "_toc.yml"
    toc.write_text(before[1] + "        sections:\n          - file: book/part/below\n")
    with pytest.raises(CourseError, match="other pages stand below book/part/other"):
        remove(course, "other", force=True)
    toc.write_text(before[1])
    assert (files(course), toc.read_text()) == before
    assert remove(course, "tiny", force=True).gone


def test_orphans_are_named(course):
    assert orphans(course) == []
    toc = course / "_toc.yml"
    toc.write_text(
        toc.read_text().replace("      - file: book/part/tiny\n        title: Tiny\n", "")
    )
    (told,) = orphans(course)
    assert told == (
        "book/part/tiny.md, outputs/book/part/tiny.ipynb, solutions/tiny.py, exercises/tiny, "
        "tests/misconceptions/tiny.py, sample_class/tiny.py belong to no chapter of _toc.yml: put "
        "it there, or run `course remove tiny`."
    )


def test_this_course_has_no_orphans(root):
    assert orphans(root) == []


def test_a_command_acts_on_the_course_that_it_is_called_in(course, monkeypatch, tmp_path):
    monkeypatch.delenv("COURSE_ROOT", raising=False)
    inside = course / "book" / "part"
    assert find_root(inside) == course
    # A student's copy: the exercises alone.
    copy = course / "work" / "copy"
    (copy / "exercises").mkdir(parents=True)
    (copy / "_toc.yml").touch()
    assert find_root(copy) == copy
    (copy / "exercises").rmdir()
    with pytest.raises(CourseError, match="neither solutions nor exercises"):
        find_root(copy)
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()
    monkeypatch.chdir(nowhere)
    installed = paths.Path(paths.__file__).parents[1]
    with pytest.raises(CourseError, match=f"No course here.*comes from the one in {installed}"):
        find_root()
    monkeypatch.setenv("COURSE_ROOT", str(nowhere))
    with pytest.raises(CourseError, match="COURSE_ROOT is .* is no course"):
        find_root()
    monkeypatch.setenv("COURSE_ROOT", str(course))
    assert find_root() == course
