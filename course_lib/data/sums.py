"""Sums of two numbers with two digits, as a worksheet and as questions with replies.

A worksheet is text such as a language model may have met among other texts: ``47+38=85``, a sum a
line. A question is what somebody types who wants to know, and the reply is the number (``plain``)
or that one is not sure (``unsure``). Each reply ends with its line.

There are 8,100 pairs of numbers. A tenth of them is held out, and is in no worksheet, question or
reply that anything is trained on.

Made by these functions, so there is no license to mind. Known faults: both numbers have exactly two
digits, every line is right, and ``38+47`` may be trained on where ``47+38`` is held out, so a right
answer to a held-out sum can be a remembered one turned around. Not for telling how well a language
model reckons: one format, one length, one operation.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["REPLIES", "question", "read", "reply", "split", "worksheet"]

REPLIES = {"plain": "{}.\n", "unsure": "Not sure.\n"}
"""How each kind of reply is written, with {} where the sum goes."""


def split(*, seed: int = 0) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs to learn from and those that are held out, both shuffled.

    Returns
    -------
    train : ndarray of int, shape (7290, 2)
    held_out : ndarray of int, shape (810, 2)

    Examples
    --------
    >>> [len(part) for part in split()]
    [7290, 810]
    """
    pairs = np.stack(np.divmod(np.arange(90 * 90), 90), axis=1) + 10
    np.random.default_rng(seed).shuffle(pairs)
    return pairs[810:], pairs[:810]


def worksheet(pairs: Iterable[Iterable[int]]) -> str:
    r"""Write sums below each other.

    Examples
    --------
    >>> worksheet([(47, 38), (10, 20)])
    '47+38=85\n10+20=30\n'
    """
    return "".join(f"{a}+{b}={a + b}\n" for a, b in pairs)


def question(pair: Iterable[int]) -> str:
    r"""Ask for a sum: always 15 letters, the last of them the end of the line.

    Examples
    --------
    >>> question((47, 38))
    'What is 47+38?\n'
    """
    a, b = pair
    return f"What is {a}+{b}?\n"


def reply(pair: Iterable[int], kind: str = "plain") -> str:
    r"""Write the right reply of a kind.

    Raises
    ------
    ValueError
        If there is no such kind.

    Examples
    --------
    >>> reply((47, 38)), reply((47, 38), "unsure")
    ('85.\n', 'Not sure.\n')
    """
    if kind not in REPLIES:
        raise ValueError(f"kind must be one of {', '.join(REPLIES)}, not {kind!r}.")
    return REPLIES[kind].format(sum(pair))


def read(text: str, pair: Iterable[int]) -> tuple[str, bool]:
    r"""Read a reply up to the end of its line: of which kind it is, and whether its sum is right.

    Returns
    -------
    kind : str
        One of `REPLIES`, or "other".
    right : bool
        Whether it is, letter by letter, the reply of its kind with the right sum.

    Examples
    --------
    >>> read("84.\nWhat", (47, 38)), read("85.\n", (47, 38)), read("85", (47, 38))
    (('plain', False), ('plain', True), ('other', False))
    """
    line = text.partition("\n")[0] + "\n" if "\n" in text else text
    number = "".join(letter for letter in line if letter.isdigit())
    for kind, written in REPLIES.items():
        if line == written.format(number):
            return kind, kind != "unsure" and line == reply(pair, kind)
    return "other", False
