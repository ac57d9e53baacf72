"""How an error of a student's code is told: its types, its message, the student's own lines."""

from __future__ import annotations

import contextlib
import traceback
from typing import Any

__all__ = ["describe", "describe_error", "str_of"]


def describe_error(error: BaseException) -> tuple[str, list[str]]:
    """Return an error's name and a traceback of the student's own lines."""
    render = getattr(error, "_render_traceback_", None)
    if render is not None:
        with contextlib.suppress(Exception):
            return type(error).__name__, [str(line) for line in render()]
    lines = []
    for frame in traceback.extract_tb(error.__traceback__):
        if "ipython-input" in frame.filename or "ipykernel" in frame.filename:
            lines.append(f"line {frame.lineno} in {frame.name}: {frame.line or ''}")
    if isinstance(error, SyntaxError):
        lines += [line.rstrip("\n") for line in traceback.format_exception_only(error)[:-1]]
    lines.append(f"{type(error).__name__}: {str_of(error)}")
    return type(error).__name__, lines


def str_of(error: BaseException) -> str:
    """Return an error's message, whatever its ``__str__`` does."""
    try:
        return str(error)[:20_000]
    except Exception:
        return "(its message cannot be shown)"


def describe(error: BaseException) -> list[Any]:
    """Describe an error: its types, its message, and the student's own lines."""
    names = [f"{c.__module__}:{c.__qualname__}" for c in type(error).__mro__[:20]]
    _, lines = describe_error(error)
    return [names, str_of(error), lines]
