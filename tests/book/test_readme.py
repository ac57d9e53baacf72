"""What the README says in numbers and names is so."""

import re

from course_lib.paths import exercise_slugs, find_root

ROOT = find_root(__file__)
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_chapters_and_kept_answers_are_counted():
    slugs = exercise_slugs(ROOT)
    kept = "".join(path.read_text() for path in (ROOT / "tests" / "misconceptions").glob("*.py"))
    counts = [len(re.findall(rf"^@{kind}\b", kept, re.MULTILINE)) for kind in ("wrong", "right")]
    assert f"in {len(slugs)} chapters" in README
    found = re.search(r"more than ([\d,]+) wrong answers and ([\d,]+) unusual right ones", README)
    said = [int(number.replace(",", "")) for number in found.groups()]
    # No more than there are, and not long out of date.
    for number, there in zip(said, counts, strict=True):
        assert 0.9 * there < number <= there


def test_every_command_is_one_that_exists():
    import typer

    from course_lib.cli import app

    known = set(typer.main.get_command(app).commands)
    named = set(re.findall(r"`(?:\.venv/bin/)?course ([a-z]+)", README))
    named |= set(re.findall(r"^(?:\.venv/bin/)?course ([a-z]+)", README, re.MULTILINE))
    assert named, "the README names no command"
    assert named <= known


def test_every_target_is_one_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", README, re.MULTILINE))
    assert "course" in named
    assert named <= targets
