"""Texts of students, made fit for terminals and logs."""

from __future__ import annotations

import unicodedata

__all__ = ["printable", "shown"]

# Control and formatting characters, halves of pairs, and what Unicode leaves to private use: they
# move the cursor, turn the direction of writing, or hide.
UNFIT = frozenset(("Cc", "Cf", "Cs", "Co"))


def printable(text: str) -> str:
    """Return a text in which nothing acts on a terminal: such characters are shown as escapes.

    Line breaks stay.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char == "\n" or unicodedata.category(char) not in UNFIT else _escaped(char)
        for char in text
    )


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def shown(text: str, most: int) -> str:
    """Return a text as one printable line that is not too long."""
    line = printable(" ".join(text.split())).rstrip(".")
    return line if len(line) <= most else line[: most - 4] + " ..."
