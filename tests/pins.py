"""Compile the pins from pyproject.toml: every package at one version.

``requirements.txt`` holds the course's, ``requirements-frameworks.txt`` what the extra of the
frameworks adds to them, and ``requirements-clouds.txt`` an environment of its own.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HEADER = """\
# {what}
# Made from pyproject.toml by `make pins`; not edited by hand.
"""

BASE = Path("requirements.txt")
FRAMEWORKS = Path("requirements-frameworks.txt")
CLOUDS = Path("requirements-clouds.txt")


def compiled(path: Path, source: list[str], given: str | None = None) -> dict[str, str]:
    """Return what pip-compile makes: a package's name to its line and the comments below it.

    The versions that `path` names stay where nothing asks for others.
    """
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "pins.txt")
        if path.is_file():
            shutil.copy(path, output)
        command = [sys.executable, "-m", "piptools", "compile", "--quiet", "--strip-extras"]
        command += ["--allow-unsafe", "--no-header", "--no-emit-find-links"]
        command += ["--no-emit-index-url", "--output-file", str(output), *source]
        subprocess.run(command, check=True, input=given, text=True)
        text = output.read_text(encoding="utf-8")
    # A label such as +cpu names one build of a version; most indexes carry the version alone.
    text = re.sub(r"^(\S+==[^\s+]+)\+\S+", r"\1", text, flags=re.MULTILINE)
    entries = re.findall(r"^\S+==.*\n(?: .*\n)*", text, re.MULTILINE)
    return {entry.partition("==")[0]: entry for entry in entries}


def write(path: Path, what: str, entries: dict[str, str]) -> None:
    """Write a file of pins."""
    path.write_text(HEADER.format(what=what) + "".join(entries.values()), encoding="utf-8")


extras = ["--extra=dev", "--extra=postgres"]
base = compiled(BASE, [*extras, "pyproject.toml"])
write(BASE, "Every package of the course at the version that it was tested with.", base)

fixed = [f"--constraint={BASE}", *extras, "--extra=frameworks", "pyproject.toml"]
both = compiled(FRAMEWORKS, fixed)
added = {name: entry for name, entry in both.items() if name not in base}
write(FRAMEWORKS, "What the frameworks add to requirements.txt.", added)

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
asked = "\n".join(project["optional-dependencies"]["clouds"])
clouds = compiled(CLOUDS, ["-"], asked)
write(CLOUDS, "The clients of the clouds, in an environment of their own.", clouds)
