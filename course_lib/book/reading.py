"""How much there is to read on a page, and how long that takes."""

from __future__ import annotations

import math
import re

__all__ = ["code_lines", "minutes", "prose"]

#: Words a minute of technical prose, read to understand it.
WORDS_A_MINUTE = 200

#: Lines of code a minute: a line is read more slowly than the words in it.
LINES_A_MINUTE = 12

#: Times are rounded up to a multiple of this many minutes.
STEP = 5

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_FENCED = re.compile(r"^(`{3,})(.*?)\n(.*?)^\1$", re.DOTALL | re.MULTILINE)
_FORMULA = re.compile(r"\$\$.*?\$\$", re.DOTALL)


def prose(text: str) -> str:
    """Return what is there to be read in a row: no code, formulas, options or boxes.

    Parameters
    ----------
    text : str
        A page in MyST.
    """
    boxes = re.compile(r"^(:{3,}).*?^\1$", re.DOTALL | re.MULTILINE)
    return boxes.sub("", _written(text))


def code_lines(text: str) -> int:
    """Count the lines of code that a page shows: of no cell that is folded or removed.

    Parameters
    ----------
    text : str
        A page in MyST.
    """
    count = 0
    for _, info, body in _FENCED.findall(text):
        if not info.startswith(("{code-cell}", "python")):
            continue
        # A cell's options stand before its code: between dashes, or a line each.
        options = re.match(r"\A---\n.*?\n---\n|\A(?::\S+:.*\n)*", body, re.DOTALL)
        given = options.group() if options else ""
        if not re.search(r"\b(hide|remove)-(input|cell)\b", given):
            count += sum(bool(line.strip()) for line in body[len(given) :].splitlines())
    return count


def minutes(text: str) -> int:
    """Estimate how long a page takes to read, without trying anything out.

    Words and lines of code each have a pace, and questions and boxes count as well as running
    text. The sum is rounded up to a multiple of five.

    Parameters
    ----------
    text : str
        A page in MyST.

    Returns
    -------
    int
        Minutes.
    """
    words = len(_written(text).split())
    needed = words / WORDS_A_MINUTE + code_lines(text) / LINES_A_MINUTE
    return STEP * max(1, math.ceil(needed / STEP))


def _written(text: str) -> str:
    """Return a page without front matter, fenced blocks and displayed formulas."""
    return _FORMULA.sub("", _FENCED.sub("", _FRONT_MATTER.sub("", text)))
