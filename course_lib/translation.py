"""Write a translation word by word, and judge translations against references.

`Words` turns words into numbers and back. `beam_search` and `greedy_search` know no network: they
ask a function for the log-probabilities of the next token. `bleu` and `chrf` are two scores of the
field, over a whole test set at a time. The chapter *Language* says what they see and what they
miss.

References
----------
Papineni et al., "BLEU: a method for automatic evaluation of machine translation", 2002,
doi:10.3115/1073083.1073135. Popović, "chrF: character n-gram F-score for automatic MT evaluation",
2015, doi:10.18653/v1/W15-3049. Wu et al., arXiv:1609.08144, for the length normalization.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "END",
    "PAD",
    "START",
    "UNKNOWN",
    "Hypothesis",
    "Words",
    "beam_search",
    "bleu",
    "brevity_penalty",
    "chrf",
    "greedy_search",
    "ngrams",
]

#: The tokens of every vocabulary: padding, the start and the end of a sentence, an unknown word.
PAD, START, END, UNKNOWN = range(4)

#: Log-probabilities (k, vocabulary) of the token after each of k prefixes of equal length.
Next = Callable[[list[list[int]]], NDArray[np.float64]]


class Hypothesis(NamedTuple):
    """A translation, without start and end, the log of its probability, and its score."""

    tokens: list[int]
    log_probability: float
    score: float


class Words:
    """A vocabulary of the words of some texts.

    Parameters
    ----------
    texts : sequence of str
        Words with spaces between them.

    Attributes
    ----------
    vocabulary : list of str
        Padding, start, end and unknown, then the words in alphabetical order.

    Examples
    --------
    >>> words = Words(["the soup was cold"])
    >>> len(words), words.encode(["the cold soup", "was bad"]).tolist()
    (8, [[1, 6, 4, 5, 2], [1, 7, 3, 2, 0]])
    >>> words.decode([6, 4, 5, 2, 0])
    'the cold soup'
    """

    def __init__(self, texts: Sequence[str]) -> None:
        found = sorted({word for text in texts for word in text.split()})
        self.vocabulary = ["<pad>", "<start>", "<end>", "<unknown>", *found]
        self._index = {word: i for i, word in enumerate(self.vocabulary)}

    def __len__(self) -> int:
        return len(self.vocabulary)

    def encode(self, texts: Sequence[str], *, ends: bool = True) -> NDArray[np.int64]:
        """Return the numbers of each text's words, filled up with padding.

        Parameters
        ----------
        texts : sequence of str
        ends : bool, optional
            Whether each row begins with the start and goes on to the end.

        Returns
        -------
        ndarray of int, shape (n, longest)
        """
        rows = [[self._index.get(word, UNKNOWN) for word in text.split()] for text in texts]
        rows = [[START, *row, END] for row in rows] if ends else rows
        out = np.full((len(rows), max(map(len, rows), default=0)), PAD)
        for line, row in zip(out, rows, strict=True):
            line[: len(row)] = row
        return out

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the words up to the first end, without start and padding."""
        words = []
        for token in map(int, tokens):
            if token == END:
                break
            if token not in (PAD, START):
                words.append(self.vocabulary[token])
        return " ".join(words)


def greedy_search(next_token: Next, start: int, end: int, max_length: int) -> Hypothesis:
    """Take the likeliest token, again and again: a beam of one.

    Parameters
    ----------
    next_token, start, end, max_length
        As in `beam_search`.

    Returns
    -------
    Hypothesis
    """
    return beam_search(next_token, start, end, max_length, size=1)[0]


def beam_search(
    next_token: Next, start: int, end: int, max_length: int, *, size: int, alpha: float = 0.0
) -> list[Hypothesis]:
    """Keep the best few beginnings, and go on with each.

    In every step each beginning is continued by every token, and the `size` continuations with the
    highest probability are kept. Those that end are finished, and take up no place any more. The
    search stops when `size` are finished or `max_length` is reached.

    Parameters
    ----------
    next_token : callable
        From k prefixes, lists of equal length that begin with `start`, to the log-probabilities of
        the next token, (k, vocabulary).
    start, end : int
        The tokens that begin and end a translation.
    max_length : int
        So many tokens at most, the end included. What has not ended by then counts as it is.
    size : int
        How many beginnings are kept.
    alpha : float, optional
        The score of a translation of n tokens (the end included) is its log-probability divided by
        n to the power alpha. With 0, long translations are at a disadvantage.

    Returns
    -------
    list of Hypothesis
        From the highest score to the lowest, at least one and no more than `size`.

    Raises
    ------
    ValueError
        When `size` or `max_length` is less than 1.

    Examples
    --------
    >>> table = np.log([[0.0001, 0.0001, 0.5, 0.4998], [0.0001, 0.9, 0.05, 0.0499]])
    >>> def next_token(prefixes):  # tokens: start 0, end 1
    ...     return np.array([table[min(len(prefix) - 1, 1)] for prefix in prefixes])
    >>> [h.tokens for h in beam_search(next_token, 0, 1, 5, size=2)]
    [[2], [3]]
    """
    if size < 1 or max_length < 1:
        raise ValueError(f"size is {size} and max_length {max_length}, expected 1 or more")
    beams, finished = [([start], 0.0)], []
    for _ in range(max_length):
        scores = np.asarray(next_token([tokens for tokens, _ in beams]), dtype=float)
        total = scores + np.array([[before] for _, before in beams])
        vocabulary = total.shape[1]
        order = np.argsort(-total, axis=None, kind="stable")[: size - len(finished)]
        kept = []
        for flat in order:
            row, token = divmod(int(flat), vocabulary)
            made = (beams[row][0] + [token], float(total[row, token]))
            (finished if token == end else kept).append(made)
        beams = kept
        if not beams:
            break
    found = [(tokens[1:-1], p, len(tokens) - 1) for tokens, p in finished]
    found += [(tokens[1:], p, len(tokens) - 1) for tokens, p in beams]
    made = [Hypothesis(tokens, p, p / n**alpha) for tokens, p, n in found]
    return sorted(made, key=lambda hypothesis: -hypothesis.score)


def ngrams(tokens: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    """Count the runs of n tokens.

    Parameters
    ----------
    tokens : sequence of str
        Words, or the characters of a string.
    n : int

    Returns
    -------
    Counter

    Examples
    --------
    >>> dict(ngrams("the cat the cat".split(), 2))
    {('the', 'cat'): 2, ('cat', 'the'): 1}
    """
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))


def brevity_penalty(length: int, reference_length: int) -> float:
    """Return what too short a translation is multiplied by: 1 if it is not, else exp(1 - r / c).

    Examples
    --------
    >>> brevity_penalty(10, 8), round(brevity_penalty(5, 10), 3), brevity_penalty(0, 3)
    (1.0, 0.368, 0.0)
    """
    if length >= reference_length:
        return 1.0
    return math.exp(1 - reference_length / length) if length else 0.0


def bleu(translations: Sequence[str], references: Sequence[Sequence[str]], max_n: int = 4) -> float:
    """Compute BLEU of a test set: clipped n-gram precisions, and a penalty for brevity.

    Parameters
    ----------
    translations : sequence of str
        Tokens with spaces between them.
    references : sequence of sequences of str
        One or more for each translation.
    max_n : int, optional
        Runs of 1 to so many tokens are counted.

    Returns
    -------
    float
        From 0 to 100. It is 0 where any of the precisions is: there is no smoothing.

    Raises
    ------
    ValueError
        When there are not as many lists of references as translations, or one of them is empty.

    Examples
    --------
    >>> bleu(["the cat sat on the mat"], [["the cat sat on the mat", "a cat sat"]])
    100.0
    >>> bleu(["the the the"], [["the cat is on the mat"]], max_n=1).__round__(1)  # too short
    24.5
    """
    _check(translations, references)
    right, made = np.zeros(max_n), np.zeros(max_n)
    length = reference_length = 0
    for translation, known in zip(translations, references, strict=True):
        tokens, others = translation.split(), [reference.split() for reference in known]
        length += len(tokens)
        # The reference whose length is closest; of two, the shorter one.
        closest = min(others, key=lambda other: (abs(len(other) - len(tokens)), len(other)))
        reference_length += len(closest)
        for n in range(1, max_n + 1):
            found, allowed = ngrams(tokens, n), Counter()
            for other in others:
                allowed |= ngrams(other, n)
            right[n - 1] += (found & allowed).total()
            made[n - 1] += found.total()
    if not right.all():
        return 0.0
    mean = math.exp(np.log(right / made).mean())
    return 100 * brevity_penalty(length, reference_length) * mean


def chrf(
    translations: Sequence[str],
    references: Sequence[Sequence[str]],
    max_n: int = 6,
    beta: float = 2.0,
) -> float:
    """Compute chrF of a test set: an F-score of character n-grams.

    Spaces are left out. Precision and recall are means over the lengths 1 to `max_n`, of those
    that occur, and recall counts beta times as much as precision. Where there are several
    references, each translation is compared with the one for which its own score is highest.

    Parameters
    ----------
    translations : sequence of str
    references : sequence of sequences of str
        One or more for each translation.
    max_n : int, optional
    beta : float, optional

    Returns
    -------
    float
        From 0 to 100.

    Raises
    ------
    ValueError
        When there are not as many lists of references as translations, or one of them is empty.

    Examples
    --------
    >>> chrf(["the cat"], [["thecat"]])
    100.0
    """
    _check(translations, references)
    total = np.zeros((max_n, 3))
    for translation, known in zip(translations, references, strict=True):
        counts = [_character_counts(translation, reference, max_n) for reference in known]
        total += max(counts, key=lambda count: _f_score(count, beta))
    return _f_score(total, beta)


def _character_counts(translation: str, reference: str, max_n: int) -> NDArray[np.float64]:
    """Count n-grams in both, in the translation and in the reference: (max_n, 3)."""
    counts = []
    for n in range(1, max_n + 1):
        ours, theirs = (ngrams("".join(text.split()), n) for text in (translation, reference))
        # A length that the reference does not have counts in neither.
        counts.append(((ours & theirs).total(), ours.total() if theirs else 0, theirs.total()))
    return np.array(counts, dtype=float)


def _f_score(counts: NDArray[np.float64], beta: float) -> float:
    """Compute the F-score of counts (max_n, 3), in percent."""
    counts = counts[(counts[:, 1] > 0) & (counts[:, 2] > 0)]
    if not len(counts):
        return 0.0
    both, ours, theirs = counts.T
    precision, recall = (both / ours).mean(), (both / theirs).mean()
    if not precision + recall:
        return 0.0
    return float(100 * (1 + beta**2) * precision * recall / (beta**2 * precision + recall))


def _check(translations: Sequence[str], references: Sequence[Sequence[str]]) -> None:
    if isinstance(translations, str) or any(isinstance(known, str) for known in references):
        raise ValueError("expected a list of translations, and for each a list of references")
    if len(translations) != len(references) or not all(references):
        raise ValueError(
            f"came {len(translations)} translations and {len(references)} lists of references, "
            "expected one list of one or more for each translation"
        )
