"""What the field counts: word errors of a transcript, and mistaken identities.

References
----------
V. I. Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals", Soviet
Physics Doklady 10(8), 1966.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["edit_distance", "equal_error_rate", "word_error_rate"]


def edit_distance(reference: Sequence[object], hypothesis: Sequence[object]) -> int:
    """Count the fewest edits that turn one sequence into the other.

    Parameters
    ----------
    reference, hypothesis : sequences
        Strings are sequences of characters, lists of words are sequences of words.

    Returns
    -------
    int
        Substitutions, deletions and insertions together.

    Examples
    --------
    >>> edit_distance("kitten", "sitting")
    3
    >>> edit_distance("to be or not".split(), "to be not".split())
    1
    """
    above = list(range(len(hypothesis) + 1))
    for i, wanted in enumerate(reference, start=1):
        row = [i]
        for j, came in enumerate(hypothesis, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (wanted != came)))
        above = row
    return above[-1]


def word_error_rate(references: Sequence[str], hypotheses: Sequence[str]) -> float:
    """Compute the word error rate of a set of transcripts.

    Parameters
    ----------
    references, hypotheses : sequences of str
        What was said, and what was understood; words are separated by spaces.

    Returns
    -------
    float
        All edits divided by all words *of the references*. It can be more than 1.

    Raises
    ------
    ValueError
        If there are not as many of one as of the other, or no words were said.

    Examples
    --------
    >>> word_error_rate(["turn left now"], ["turn right"])  # one wrong, one missing
    0.6666666666666666
    """
    if len(references) != len(hypotheses):
        raise ValueError(
            f"came {len(references)} references and {len(hypotheses)} hypotheses, expected one "
            "hypothesis for each reference"
        )
    words = sum(len(said.split()) for said in references)
    if not words:
        raise ValueError("the references hold no words, so there is nothing to divide by")
    pairs = zip(references, hypotheses, strict=True)
    return sum(edit_distance(said.split(), heard.split()) for said, heard in pairs) / words


def equal_error_rate(scores: ArrayLike, same: ArrayLike) -> tuple[float, float]:
    """Find the threshold at which a verifier errs as often in one direction as in the other.

    A pair is accepted if its score is at least the threshold.

    Parameters
    ----------
    scores : array_like, shape (n,)
        Similarity of each pair.
    same : array_like of bool, shape (n,)
        Whether it is the same speaker twice.

    Returns
    -------
    rate : float
        The share of impostors that are accepted, and of true speakers that are refused, where the
        two are equal. Between two thresholds both are joined by a straight line.
    threshold : float
        The highest score at which at least as many are accepted in error.

    Raises
    ------
    ValueError
        If there are no pairs of one of the two kinds.

    Examples
    --------
    >>> equal_error_rate([0.9, 0.8, 0.6, 0.4, 0.3, 0.1], [1, 1, 0, 1, 0, 0])
    (0.3333333333333333, 0.6)
    """
    scores, same = np.asarray(scores, dtype=float), np.asarray(same, dtype=bool)
    if same.all() or not same.any():
        raise ValueError("expected pairs of both kinds: the same speaker twice, and two speakers")
    thresholds = np.unique(scores)[::-1]
    true, false = np.sort(scores[same]), np.sort(scores[~same])
    accepted = 1 - np.searchsorted(false, thresholds) / len(false)
    refused = np.searchsorted(true, thresholds) / len(true)
    # Above the highest score nobody is accepted and everybody refused.
    accepted, refused = np.append(0.0, accepted), np.append(1.0, refused)
    after = int(np.flatnonzero(accepted >= refused)[0])
    before = after - 1
    gap, next_gap = refused[before] - accepted[before], accepted[after] - refused[after]
    share = gap / (gap + next_gap)
    rate = accepted[before] + share * (accepted[after] - accepted[before])
    return float(rate), float(thresholds[after - 1])
