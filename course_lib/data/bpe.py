"""Byte-pair encoding: from text to tokens that are longer than a letter, and back.

A text is a row of bytes. The pair of neighbors that occurs most often becomes a token of its own,
then the most frequent pair of what is there now, and so on: frequent words end up as one token, and
rare ones as a few pieces. Since every byte is a token, there is no text that cannot be written.

Pairs are counted within pieces, never across them: a word with the space before it, a single digit,
a run of signs. So no token spans two words, and a number is written digit by digit.

References
----------
Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with Subword Units", 2016,
https://doi.org/10.18653/v1/P16-1162.
Radford et al., "Language Models are Unsupervised Multitask Learners", 2019 (bytes in place of
letters).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

__all__ = ["BytePairs", "merge", "pieces"]

_PIECES = re.compile(r" ?[A-Za-z]+|\d| ?[^A-Za-z\d\s]+|\s")


class BytePairs:
    """A vocabulary of the 256 bytes and what was merged from them.

    Parameters
    ----------
    merges : sequence of (int, int)
        Which two tokens become one, in order: the first makes token 256, the next 257.

    Examples
    --------
    >>> tokens = BytePairs.train("low lower lowest", merges=3)
    >>> [tokens.vocabulary[token] for token in tokens.encode("slow low")]
    [b's', b'low', b' low']
    >>> tokens.decode(tokens.encode("slow low"))
    'slow low'
    """

    def __init__(self, merges: Sequence[tuple[int, int]]) -> None:
        self.merges = [(int(first), int(second)) for first, second in merges]
        self.vocabulary = [bytes([byte]) for byte in range(256)]
        for first, second in self.merges:
            self.vocabulary.append(self.vocabulary[first] + self.vocabulary[second])
        self._rank = {pair: rank for rank, pair in enumerate(self.merges)}
        self._known: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self.vocabulary)

    @classmethod
    def train(cls, text: str, merges: int) -> BytePairs:
        """Learn merges from a text.

        Parameters
        ----------
        text : str
        merges : int
            How many, at most: it ends early when no pair is left.

        Returns
        -------
        BytePairs
            Of equally frequent pairs, the one with the smaller numbers comes first.
        """
        counted = Counter(pieces(text))
        words, times = [list(word.encode()) for word in counted], list(counted.values())
        counts: Counter[tuple[int, int]] = Counter()
        where = defaultdict(set)  # in which words a pair has been seen
        for i, word in enumerate(words):
            for pair in pairwise(word):
                counts[pair] += times[i]
                where[pair].add(i)
        learned: list[tuple[int, int]] = []
        while len(learned) < merges and counts:
            best = min(counts, key=lambda pair: (-counts[pair], pair))
            # Only words that hold the pair change: take out their pairs, and put in the new ones.
            for i in where.pop(best):
                for pair in pairwise(words[i]):
                    counts[pair] -= times[i]
                words[i] = merge(words[i], best, 256 + len(learned))
                for pair in pairwise(words[i]):
                    counts[pair] += times[i]
                    where[pair].add(i)
            counts = +counts  # leaves out what no longer occurs
            learned.append(best)
        return cls(learned)

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text: in each piece, the earliest merges come first."""
        found: list[int] = []
        for piece in pieces(text):
            if piece not in self._known:
                self._known[piece] = self._encode_piece(piece)
            found += self._known[piece]
        return found

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of tokens. Bytes that are no text (half a letter) become U+FFFD."""
        return b"".join(self.vocabulary[int(token)] for token in tokens).decode(errors="replace")

    def _encode_piece(self, piece: str) -> list[int]:
        tokens = list(piece.encode())
        while len(tokens) > 1:
            first = min(pairwise(tokens), key=lambda pair: self._rank.get(pair, len(self._rank)))
            if first not in self._rank:
                break
            tokens = merge(tokens, first, 256 + self._rank[first])
        return tokens


def pieces(text: str) -> list[str]:
    """Cut a text into the pieces within which pairs are merged.

    Examples
    --------
    >>> pieces("A sum: 47+38 = 85.")
    ['A', ' sum', ':', ' ', '4', '7', '+', '3', '8', ' =', ' ', '8', '5', '.']
    """
    return _PIECES.findall(text)


def merge(tokens: Sequence[int], pair: tuple[int, int], new: int) -> list[int]:
    """Replace a pair of neighbors by one token, from left to right.

    Examples
    --------
    >>> merge([1, 1, 1, 2], (1, 1), 9)
    [9, 1, 2]
    """
    merged: list[int] = []
    i = 0
    while i < len(tokens):
        if i + 1 < len(tokens) and (tokens[i], tokens[i + 1]) == pair:
            merged.append(new)
            i += 2
        else:
            merged.append(tokens[i])
            i += 1
    return merged
