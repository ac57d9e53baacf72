"""What the last line of a test is worth: the one place that decides on partial credit.

nbgrader takes a number that a test ends with for its points, and reads it with ``float``: what
that cannot read gives all points without a word, such as NumPy's numbers as NumPy 2 prints them,
and one that is too large, be it by a rounding, ends the grading of the whole submission. So each
engine lets `settle` look at what a test has shown before anybody counts.
"""

from __future__ import annotations

import ast
import math
import re
import tokenize
from contextlib import suppress
from fractions import Fraction
from typing import Any

from nbformat import NotebookNode

from course_lib.imports import parsed

__all__ = ["as_told", "is_quiet", "number_in", "settle", "shown"]

#: What rounding may add to the points of a test, or take from 0.
ROUNDING = 1e-9

#: How libraries print a number, or an array of no dimensions: NumPy, PyTorch, JAX, Python itself.
_CALLED = re.compile(
    r"(?:Parameter containing:\s*)?"
    r"(?:(?:np|numpy)\.\w+|array|tensor|Array|Decimal|mpf)\(\s*'?([^\s,()']+)'?\s*(?:,[^()]*"
    r"(?:\([^()]*\)[^()]*)*)?\)",
)
_TENSORFLOW = re.compile(r"<tf\.(?:Tensor|Variable)\b[^\n]*\bshape=\(\),[^\n]*\bnumpy=([^\s,>]+)>")
_FRACTION = re.compile(r"(?:Fraction\()?(-?\d+)(?:, |/)(\d+)\)?")
_TRUTH = {"True": True, "np.True_": True, "False": False, "np.False_": False}

#: What a last line may be whose value is None for the reason that it is only there to be run.
_RUN = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom)


def settle(cell: NotebookNode) -> str:
    """Write what a test ended with so that nbgrader counts it for what it is.

    Parameters
    ----------
    cell : NotebookNode
        A test cell with the outputs of its run. A real number becomes one that Python reads, a
        truth value all points or none.

    Returns
    -------
    str
        What is wrong with the last line, if it is no number of points that the test can give; empty
        otherwise. That is the teacher's to mend, and must give nobody points.
    """
    most = float(cell.metadata.nbgrader["points"])
    for output in cell.outputs:
        if output.output_type == "error" or output.get("name") == "stderr":
            return ""
        if output.output_type == "execute_result":
            break
    else:
        return _no_number("None", most) if _ends_with_none(cell.source) else ""
    text = output.data.get("text/plain", "")
    text = ("".join(text) if isinstance(text, list) else str(text)).strip()
    number = number_in(text)
    if isinstance(number, bool):
        number = most if number else 0.0
    if number is None or math.isnan(number):
        return _no_number(text, most)
    if not -ROUNDING <= number <= most + ROUNDING * max(1.0, most):
        return (
            f"the test ends with {_short(text)}, and its points lie between 0 and {most:g}: count "
            "otherwise there, or give it more points"
        )
    number = min(max(float(number), 0.0), most)
    with suppress(ValueError):
        if float(text) == number:
            return ""
    output.data["text/plain"] = repr(number)
    return ""


def as_told(fault: str) -> str:
    """Return what a student is told of a test that is at fault itself."""
    return f"{fault[:1].upper()}{fault[1:].rstrip('.')}. Ask your teacher."


def number_in(text: str) -> float | bool | None:
    """Return the real number, or the truth value, that a text shows; None if it shows none."""
    called = _CALLED.fullmatch(text) or _TENSORFLOW.fullmatch(text)
    plain = called[1] if called else text
    if plain in _TRUTH:
        return _TRUTH[plain]
    with suppress(ValueError, OverflowError):
        return float(plain)
    fraction = _FRACTION.fullmatch(text)
    with suppress(ZeroDivisionError, OverflowError):
        return float(Fraction(int(fraction[1]), int(fraction[2]))) if fraction else None
    return None


def is_quiet(source: str) -> bool:
    """Tell whether a cell ends with a semicolon, but for comments, and so shows no value."""
    from IPython.core.displayhook import DisplayHook

    # What is no plain Python has lines of IPython's own, which end with no semicolon.
    with suppress(tokenize.TokenError, SyntaxError):
        return DisplayHook.semicolon_at_end_of_expression(source)
    return False


def shown(value: Any) -> str:
    """Return how a test's last value is shown, a number with all of its digits."""
    # An array or a tensor of no dimensions; of tensors, four digits would be printed.
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        item = value.item()
        if isinstance(item, float):
            return repr(item)
    return repr(value)


def _no_number(text: str, most: float) -> str:
    return (
        f"the test ends with {_short(text)}, which is no number of points (0 to {most:g}). End its "
        "last line with a semicolon if it is not meant for points"
    )


def _short(text: str) -> str:
    line = " ".join(text.split()) or "nothing"
    return line if len(line) <= 60 else f"{line[:60]} ..."


def _ends_with_none(source: str) -> bool:
    """Tell whether a cell that showed no value ends with one that it names: that is None then."""
    body = getattr(parsed(source), "body", [])
    if not body or not isinstance(body[-1], ast.Expr) or is_quiet(source):
        return False
    return not isinstance(body[-1].value, _RUN)
