"""Compile requirements.txt from pyproject.toml: every package at one version."""

import re
import subprocess
import sys
from pathlib import Path

HEADER = """\
# Every package of the course at the version that it was tested with.
# Made from pyproject.toml by `make pins`; not edited by hand.
"""

path = Path("requirements.txt")
compile_pins = [sys.executable, "-m", "piptools", "compile", "--quiet"]
extras = ["--extra=dev", "--extra=postgres", "--strip-extras"]
form = ["--allow-unsafe", "--no-header", "--no-emit-find-links", "--no-emit-index-url"]
subprocess.run(
    [*compile_pins, *extras, *form, "--output-file", str(path), "pyproject.toml"], check=True
)
# A label such as +cpu names one build of a version; most indexes carry the version alone.
text = re.sub(r"^(\S+==[^\s+]+)\+\S+", r"\1", path.read_text(), flags=re.MULTILINE)
path.write_text(HEADER + text)
