"""The container, the dev container and Binder's files name things that exist here.

None of them is built here: that takes a container engine. What they name is what changes.
"""

import json
import os
import re
import shlex
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS = {"FROM", "RUN", "USER", "WORKDIR", "COPY", "EXPOSE", "CMD"}


def instructions():
    """Return the Dockerfile as pairs of instruction and argument, lines put together."""
    whole = re.sub(r"\\\n\s*", " ", re.sub(r"(?m)^\s*#.*\n", "", DOCKERFILE))
    return [tuple(line.split(maxsplit=1)) for line in whole.splitlines() if line.strip()]


def supported(version):
    with open(ROOT / "pyproject.toml", "rb") as file:
        return SpecifierSet(tomllib.load(file)["project"]["requires-python"]).contains(version)


def make_lines(text):
    """Return the calls of make in a text, as words."""
    return [shlex.split(call) for call in re.findall(r"(?:^|&& |\()(make [a-z][\w= -]*)", text)]


def check_make(words):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    names = [word for word in words[1:] if "=" not in word]
    settings = [word.split("=")[0] for word in words[1:] if "=" in word]
    assert names, words
    for name in names:
        assert re.search(rf"(?m)^{name}:", makefile), name
    for name in settings:
        assert f"$({name})" in makefile, name


def check_course(words):
    """See that a `course` command can be parsed: its name, its options."""
    import typer

    from course_lib.cli import app

    command = typer.main.get_command(app).commands[words[0]]
    command.make_context(words[0], list(words[1:]))


def test_the_container_is_written_in_instructions_that_exist():
    found = instructions()
    assert found[0][0] == "FROM"
    assert {name for name, _ in found} == INSTRUCTIONS


def test_the_container_has_a_python_that_the_course_takes_and_what_make_course_needs():
    (image,) = (rest for name, rest in instructions() if name == "FROM")
    assert supported(re.fullmatch(r"python:(3\.\d+)-slim-bookworm", image)[1])
    (installed,) = re.findall(
        r"apt-get install -y --no-install-recommends ([\w -]+?) &&",
        " ".join(rest for name, rest in instructions() if name == "RUN"),
    )
    assert set(installed.split()) == {"git", "make", "nodejs", "npm"}


def test_the_container_builds_and_starts_what_the_course_has():
    found = instructions()
    runs = " && ".join(rest for name, rest in found if name == "RUN")
    (call,) = make_lines(runs)
    check_make(call)
    (start,) = (json.loads(rest) for name, rest in found if name == "CMD")
    assert start[0] == ".venv/bin/course"
    check_course(start[1:])
    (exposed,) = (rest.split() for name, rest in found if name == "EXPOSE")
    assert start[-1] in exposed
    # And what its head tells to type.
    (served,) = re.findall(r"\.venv/bin/course (serve .*)", DOCKERFILE)
    check_course(shlex.split(served))
    json.loads(re.search(r"echo '([^']+)'", runs)[1])


def test_nothing_that_is_made_or_secret_is_copied_into_the_container():
    ignored = set((ROOT / ".dockerignore").read_text(encoding="utf-8").split())
    for name in ("course.secret", "gradebook.db*", ".venv", "_build", "node_modules", "submitted"):
        assert name in ignored


def test_the_dev_container_makes_the_course():
    found = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert supported(re.search(r":(3\.\d+)-bookworm$", found["image"])[1])
    check_make(shlex.split(found["postCreateCommand"]))
    assert {str(port) for port in found["forwardPorts"]} == set(found["portsAttributes"])
    for told in found["portsAttributes"].values():
        (call,) = make_lines(told["label"])
        check_make(call)


def test_binder_makes_the_environment_and_opens_chapters():
    folder = ROOT / ".binder"
    version = (folder / "runtime.txt").read_text(encoding="utf-8").strip()
    assert supported(version.removeprefix("python-"))
    lines = (folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    named = {Requirement(line).name for line in lines if line and not line.startswith("#")}
    assert named == {"jupyterlab", "jupytext"}
    script = folder / "postBuild"
    assert os.access(script, os.X_OK)
    (call,) = re.findall(r"(?m)^python (tools/environment\.py .*)$", script.read_text("utf-8"))
    path, target, *options = shlex.split(call)
    source = (ROOT / path).read_text(encoding="utf-8")
    assert target == ".venv"
    for option in options[::2]:
        assert f'"{option}"' in source


@pytest.mark.parametrize("words", [["make", "nothing"], ["make", "course", "WEIGHT=1"]])
def test_a_target_or_setting_that_does_not_exist_is_found(words):
    with pytest.raises(AssertionError):
        check_make(words)
