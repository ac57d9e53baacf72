"""The pages for teachers: short paragraphs, commands that exist, an old address that leads on."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from traitlets.config import Config

from course_lib.cli import app
from course_lib.grading.course.config import configure
from course_lib.grading.engine import sandbox_faults
from course_lib.grading.reports import show
from course_lib.grading.running.sandboxed import Execute
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


def page(name):
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


def test_the_steps_of_the_week_take_another_course_as_the_page_says():
    text = page("week")
    assert "any of these commands but `course kit` the option `--course-dir DIR`" in text
    commands = typer.main.get_command(app).commands
    steps = re.findall(r"^\| [\w ]+ \| `course (\w+)", text.partition("## ")[0], re.MULTILINE)
    assert len(steps) == 7
    options = {name: [o for p in commands[name].params for o in p.opts] for name in steps}
    assert [name for name in steps if "--course-dir" not in options[name]] == ["kit"]


def test_limits_are_those_of_the_settings():
    said = re.findall(
        r"^\| `c\.Execute\.(\w+)` \| .* \| ([\d,]+) [\w ]+ \|$", page("honesty"), re.MULTILINE
    )
    assert len(said) == 4
    settings = Config()
    configure(settings)
    execute = Execute(config=settings)
    for name, number in said:
        assert getattr(execute, name) == int(number.replace(",", "")), name


def test_a_run_ends_with_the_line_that_the_quick_start_shows():
    two = ["ada", "ben"]
    report = SimpleNamespace(students=two, failed=[], waiting=two, seconds=25.0)
    assert f"\n   {show._count(report)}\n" in page("index")


def test_what_lets_a_sandbox_be_is_what_the_messages_say():
    text = page("honesty")
    assert f"`{sandbox_faults._DOCKER}`" in text
    assert all(command in text for _, _, command in sandbox_faults._SETTINGS)
    # In a comment, a line goes on after the next mark.
    docker = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\n#", "")
    for option in re.findall(r"--security-opt \S+", sandbox_faults._DOCKER):
        assert option in docker, option


def test_the_quick_start_is_one_screen():
    text = page("index")
    assert len(text.splitlines()) <= 75 and len(without_code(text).split()) <= 330
    steps = re.findall(r"^\d\. \*\*(\w+)", text, re.MULTILINE)
    assert steps == ["Roster", "Release", "Hand", "Collect", "Grade", "Mark", "Return"]


def test_the_old_address_leads_to_every_page():
    old = (ROOT / "book" / "appendix" / "instructors.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\.\./teaching/([\w-]+)\.md", old)) == set(PAGES)
    assert "book/appendix/instructors" in toc_entries(ROOT)
