"""Check that code quoted in the chapter is the code of the library."""

import inspect
import re
import textwrap
from pathlib import Path

import pytest

from course_lib.scratch import activations

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = ROOT / "book/foundations/activations.md"
QUOTE = re.compile(r"```python\n# (?P<path>\S+), the body of (?P<name>\w+)\n(?P<code>.*?)```", re.S)


def body(function) -> str:
    """Return the source below the docstring, without indentation and comments."""
    source = inspect.getsource(function).split('"""')[-1]
    lines = [line for line in source.splitlines() if not line.strip().startswith("#")]
    return textwrap.dedent("\n".join(lines)).strip()


QUOTES = [match.groupdict() for match in QUOTE.finditer(CHAPTER.read_text())]


def test_every_listing_says_where_it_comes_from():
    assert QUOTES
    assert CHAPTER.read_text().count("```python\n") == len(QUOTES)


@pytest.mark.parametrize("quote", QUOTES, ids=lambda quote: quote["name"])
def test_quoted_code_is_the_code_of_the_library(quote):
    assert (ROOT / quote["path"]).samefile(activations.__file__)
    assert quote["code"].strip() == body(getattr(activations, quote["name"]))
