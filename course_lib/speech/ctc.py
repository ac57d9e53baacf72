r"""Connectionist temporal classification: a text is known, and when each letter was said is not.

At each step the network gives probabilities of all labels and of a *blank*, which says nothing. A
path is one choice per step. It spells a text once repeats are merged and blanks are then left out.
The probability of a text is the sum over all of its paths, and a recursion adds them up without
listing them.

References
----------
A. Graves, S. Fernández, F. Gomez and J. Schmidhuber, "Connectionist temporal classification", ICML
2006, doi:10.1145/1143844.1143891.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["collapse", "ctc_loss", "greedy"]


def collapse(path: Sequence[int], blank: int = 0) -> list[int]:
    """Turn a path into the labels that it spells: merge repeats first, then leave out blanks.

    Parameters
    ----------
    path : sequence of int
        A label, or the blank, at each step.
    blank : int

    Returns
    -------
    list of int

    Examples
    --------
    >>> collapse([0, 3, 3, 0, 3, 1, 1, 0])  # a blank keeps two equal labels apart
    [3, 3, 1]
    """
    merged = [label for t, label in enumerate(path) if t == 0 or label != path[t - 1]]
    return [int(label) for label in merged if label != blank]


def greedy(log_probs: ArrayLike, blank: int = 0) -> list[int]:
    """Read what a network says, by its likeliest label at each step.

    Parameters
    ----------
    log_probs : array_like, shape (T, K)
        Logarithms of the probabilities of K labels, the blank among them. Logits do as well.
    blank : int

    Returns
    -------
    list of int
        What the likeliest path spells. Another text may be likelier, as the sum over its paths.

    Examples
    --------
    >>> greedy([[0.1, 0.9], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]])
    [1, 1]
    """
    return collapse(np.asarray(log_probs).argmax(axis=1).tolist(), blank)


def ctc_loss(log_probs: ArrayLike, labels: Sequence[int], blank: int = 0) -> float:
    """Compute minus the logarithm of the probability of a text, over all of its paths.

    Parameters
    ----------
    log_probs : array_like, shape (T, K)
    labels : sequence of int
        The text, of any length, without blanks.
    blank : int

    Returns
    -------
    float
        Infinite when the text does not fit into T steps.

    Raises
    ------
    ValueError
        If the blank is among the labels.

    Examples
    --------
    >>> half = np.log([[0.5, 0.5], [0.5, 0.5]])
    >>> float(np.round(np.exp(-ctc_loss(half, [1])), 3))  # -a, a- and aa: three of four paths
    0.75
    """
    log_probs, labels = np.asarray(log_probs, dtype=float), list(labels)
    if blank in labels:
        raise ValueError(f"labels {labels} have the blank, {blank}, among them: leave it out")
    # The states of the recursion: blank, label, blank, label, ..., blank.
    states = np.full(2 * len(labels) + 1, blank)
    states[1::2] = labels
    # A step may come from two states back if that skips a blank between two different labels.
    skips = np.zeros(len(states), dtype=bool)
    skips[2:] = (states[2:] != blank) & (states[2:] != states[:-2])
    alpha = np.full(len(states), -np.inf)
    alpha[:2] = log_probs[0, states[:2]]
    for step in log_probs[1:]:
        one = np.concatenate([[-np.inf], alpha[:-1]])
        two = np.where(skips, np.concatenate([[-np.inf] * 2, alpha])[: len(states)], -np.inf)
        alpha = np.logaddexp(np.logaddexp(alpha, one), two) + step[states]
    return float(-np.logaddexp.reduce(alpha[-2:]))
