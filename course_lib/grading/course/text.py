"""Texts of students: how they are encoded, and made fit for terminals and logs."""

from __future__ import annotations

import codecs
import unicodedata

__all__ = ["decoded", "printable", "shown"]

# Control and formatting characters, halves of pairs, and what Unicode leaves to private use: they
# move the cursor, turn the direction of writing, or hide.
UNFIT = frozenset(("Cc", "Cf", "Cs", "Co"))


# The longer ones first: that of UTF-32 begins like that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decoded(content: bytes) -> str:
    """Return the text of a file, whichever of Unicode's encodings it says to be written in.

    Editors of Windows put a mark of the byte order first, and PowerShell writes UTF-16.

    Raises
    ------
    UnicodeDecodeError
        If it is no text.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding)
    return content.decode("utf-8")


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
