"""The pages for teachers: short paragraphs, commands that exist, an old address that leads on."""

import re
from pathlib import Path

import pytest
import typer

from course_lib.cli import app
from course_lib.paths import toc_entries

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "book" / "teaching"
PAGES = sorted(page.stem for page in FOLDER.glob("*.md"))


@pytest.fixture(params=PAGES)
def text(request):
    return (FOLDER / f"{request.param}.md").read_text(encoding="utf-8")


def without_code(text):
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def test_every_page_is_in_the_table_of_contents():
    listed = [entry for entry in toc_entries(ROOT) if entry.startswith("book/teaching/")]
    assert sorted(Path(entry).name for entry in listed) == PAGES
    assert listed[0] == "book/teaching/index"


def test_no_paragraph_is_long(text):
    for part in re.split(r"\n\s*\n|\n(?=- |\d+\. )", without_code(text)):
        if not part.lstrip().startswith("|"):
            assert len(part.split()) <= 90, part


def test_commands_and_options_are_there(text):
    commands = typer.main.get_command(app).commands
    named = re.findall(r"(?:^|[`$] ?)course ([a-z]+)([^`\n]*)", text, re.MULTILINE)
    for name, rest in named:
        assert name in commands, name
        known = {option for p in commands[name].params for option in [*p.opts, *p.secondary_opts]}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known, (name, rest)


def test_the_quick_start_is_one_screen():
    text = (FOLDER / "index.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 75 and len(without_code(text).split()) <= 330
    steps = re.findall(r"^\d\. \*\*(\w+)", text, re.MULTILINE)
    assert steps == ["Roster", "Release", "Hand", "Collect", "Grade", "Mark", "Return"]


def test_the_old_address_leads_to_every_page():
    old = (ROOT / "book" / "appendix" / "instructors.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\.\./teaching/([\w-]+)\.md", old)) == set(PAGES)
    assert "book/appendix/instructors" in toc_entries(ROOT)
