"""`course reproduce` as it is typed."""

import re
from pathlib import Path

from typer.testing import CliRunner

from course_lib import cli
from course_lib.reproduce import CHAPTERS


def test_help_names_the_chapters_and_options(course, root):
    text = course("reproduce", "--help", cwd=root).stdout
    named = re.search(r"chapter.*?\s(\w+(?:, \w+)* or \w+)\.", text, re.S)[1]
    assert re.split(r", | or ", named) == list(CHAPTERS)
    for option in ("--device", "--seed", "--small", "--card", "--fresh"):
        assert option in text


def test_an_unknown_chapter_is_told_in_one_line(course, root):
    done = course("reproduce", "layers", cwd=root)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.strip() == (
        f"course: No experiment to reproduce is called 'layers'. There are: {', '.join(CHAPTERS)}."
    )


def test_a_toy_run_ends_with_a_card(tiny_course, monkeypatch):
    monkeypatch.chdir(tiny_course)
    # In this process: another one would import PyTorch again.
    options = ["reinforcement", "--small", "--device", "cpu", "--card", "cards/mine.md"]
    done = CliRunner().invoke(cli.app, ["reproduce", *options])
    assert done.exit_code == 0, done.output
    assert done.stdout.endswith("Card: cards/mine.md\n")
    assert "This is no reproduction" in Path("cards/mine.md").read_text(encoding="utf-8")
    folders = [path.name for path in (tiny_course / "_build" / "reproduced").iterdir()]
    assert len(folders) == 1 and folders[0].startswith("reinforcement-small-")
