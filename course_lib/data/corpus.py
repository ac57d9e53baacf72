"""A small text corpus: the running text of this book's first ten chapters, 175,366 letters.

A frozen snapshot, so that editing a page changes nothing that was learned from it. It is plain
ASCII, 86 different characters. A chapter begins with ``# Title``, a section with ``## Title``, and
paragraphs, captions and descriptions of figures stand between blank lines, each on one line. Code,
tables, displayed formulas and citations are left out, and so are sentences with longer formulas.
`python -m course_lib.book.corpus` makes it anew from the pages as they are.

Its authors are those of the course, and its license is the course's (MIT).

Known faults: it is one subject in one voice. What learns from it speaks of networks and of nothing
else, says "see" and "predict" too often, and repeats claims without knowing whether they hold. Not
for ranking architectures for good: minutes of training learn it by heart, and it is no benchmark.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

__all__ = ["Characters", "Paragraph", "load", "paragraphs", "split"]


class Paragraph(NamedTuple):
    """A paragraph, and where it stands."""

    chapter: str
    section: str
    text: str


@cache
def load() -> str:
    """Return the whole text.

    Examples
    --------
    >>> load().splitlines()[0]
    '# Deep learning: what is it, and when is it worth it?'
    """
    return Path(__file__).with_name("book.txt").read_text(encoding="ascii")


def paragraphs() -> list[Paragraph]:
    """Return the paragraphs in reading order, without the headings.

    Returns
    -------
    list of Paragraph
        `chapter` is the subject in its title; `section` is "" before the first heading.

    Examples
    --------
    >>> first = paragraphs()[0]
    >>> first.chapter, first.section, first.text[:36]
    ('Deep learning', '', 'Some things that everyone can do, no')
    """
    found, chapter, section = [], "", ""
    for block in load().split("\n\n"):
        block = block.strip()
        if block.startswith("# "):
            chapter, section = block.removeprefix("# ").partition(":")[0], ""
        elif block.startswith("##"):
            section = block.lstrip("# ")
        elif block:
            found.append(Paragraph(chapter, section, block))
    return found


def split(*, seed: int = 0, validation: float = 0.1) -> tuple[str, str]:
    """Cut the text into a part to learn from and a part to validate on, by whole sections.

    Sections are shuffled before the cut, so that both parts have some of every chapter; within a
    part they follow in reading order.

    Parameters
    ----------
    seed : int
        The same seed gives the same parts.
    validation : float
        The share of the letters to validate on, met to within a section.

    Returns
    -------
    train, validation : str

    Raises
    ------
    ValueError
        If the share is not between 0 and 1.

    Examples
    --------
    >>> train, held_out = split()
    >>> 0.08 < len(held_out) / len(load()) < 0.12
    True
    """
    if not 0 < validation < 1:
        raise ValueError(f"validation must lie between 0 and 1, but is {validation}.")
    pieces = load().replace("\n\n## ", "\0\n\n## ").replace("\n\n# ", "\0\n\n# ").split("\0")
    wanted, held_out = validation * len(load()), set[int]()
    for piece in np.random.default_rng(seed).permutation(len(pieces)):
        if sum(len(pieces[i]) for i in held_out) >= wanted:
            break
        held_out.add(int(piece))
    parts = (
        "".join(piece for i, piece in enumerate(pieces) if (i in held_out) == chosen)
        for chosen in (False, True)
    )
    train, rest = (part.strip() + "\n" for part in parts)
    return train, rest


class Characters:
    """A vocabulary of single characters.

    Parameters
    ----------
    text : str
        Its characters, sorted, are the vocabulary.

    Examples
    --------
    >>> letters = Characters("hello")
    >>> len(letters), letters.encode("hole"), letters.decode([1, 0, 2, 3])
    (4, [1, 3, 2, 0], 'helo')
    """

    def __init__(self, text: str) -> None:
        self.vocabulary = sorted(set(text))
        self._index = {character: i for i, character in enumerate(self.vocabulary)}

    def __len__(self) -> int:
        return len(self.vocabulary)

    def encode(self, text: str) -> list[int]:
        """Return the number of each character.

        Raises
        ------
        ValueError
            If a character is not in the vocabulary.
        """
        unknown = sorted(set(text) - self._index.keys())
        if unknown:
            raise ValueError(
                f"{unknown[0]!r} is not in the vocabulary of {len(self)} characters. Make it from "
                "text that has every character you need, or leave this one out."
            )
        return [self._index[character] for character in text]

    def decode(self, indices: Iterable[int] | Sequence[int]) -> str:
        """Return the text that these numbers stand for."""
        return "".join(self.vocabulary[int(i)] for i in indices)
