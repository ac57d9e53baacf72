"""Shapley values: each player's fair share of what all of them reach together.

The *players* are parts of an input, such as the columns of a table. A *coalition* is a set of
players who are present, a row of zeros and ones, and the *value* of a coalition is what the network
says when it sees only them. A player's Shapley value is what its arrival adds, averaged over all
orders in which the players could arrive.

References
----------
L. S. Shapley, "A value for n-person games", Contributions to the Theory of Games II, 1953,
doi:10.1515/9781400881970-018.
S. M. Lundberg and S.-I. Lee, "A unified approach to interpreting model predictions", NIPS 2017,
arXiv:1705.07874.
"""

from collections.abc import Callable
from math import comb

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from course_lib.training import measuring

__all__ = ["all_coalitions", "exact", "sampled", "values_of"]

Value = Callable[[NDArray[np.bool_]], NDArray[np.float64]]


def all_coalitions(players: int) -> NDArray[np.bool_]:
    """List every coalition.

    Parameters
    ----------
    players : int
        Up to 20: there are ``2 ** players`` coalitions.

    Returns
    -------
    ndarray of bool, shape (2 ** players, players)
        Row r holds the binary digits of r: player j is present if bit j is set.

    Raises
    ------
    ValueError
        If there would be more than a million.

    Examples
    --------
    >>> all_coalitions(2).astype(int).tolist()
    [[0, 0], [1, 0], [0, 1], [1, 1]]
    """
    if not 1 <= players <= 20:
        raise ValueError(
            f"{players} players have 2 ** {players} coalitions. List them for 1 to 20 players, "
            "and use `sampled` for more."
        )
    return (np.arange(2**players)[:, np.newaxis] >> np.arange(players)) & 1 == 1


def exact(value: Value, players: int) -> NDArray[np.float64]:
    """Compute Shapley values from the values of all coalitions.

    Parameters
    ----------
    value : callable
        ``value(coalitions)`` for an array of bool, shape (m, players), gives shape (m,).
    players : int
        Up to 20.

    Returns
    -------
    ndarray, shape (players,)
        They add up to the value of all players minus the value of none.

    Examples
    --------
    >>> both = lambda coalitions: 6.0 * coalitions.all(axis=1)  # worth 6 only together
    >>> exact(both, 2).tolist()
    [3.0, 3.0]
    """
    coalitions = all_coalitions(players)
    values, sizes = np.asarray(value(coalitions), dtype=float), coalitions.sum(axis=1)
    # In a share 1 / (d * C(d - 1, s)) of all orders, exactly these s players come before j.
    share = np.array([1 / (players * comb(players - 1, s)) for s in range(players)])
    shapley = np.empty(players)
    for j in range(players):
        without = np.flatnonzero(~coalitions[:, j])
        gains = values[without + 2**j] - values[without]
        shapley[j] = np.sum(share[sizes[without]] * gains)
    return shapley


def sampled(value: Value, players: int, permutations: int, seed: int) -> NDArray[np.float64]:
    """Estimate Shapley values from random orders of arrival.

    Parameters
    ----------
    value : callable
        As in `exact`. It is called once, with ``permutations * (players + 1)`` rows.
    players : int
    permutations : int
        How many orders to draw.
    seed : int
        The same seed draws the same orders.

    Returns
    -------
    ndarray, shape (players,)
        Unbiased. They add up exactly, whichever orders were drawn.

    Raises
    ------
    ValueError
        If no order is to be drawn.
    """
    if permutations < 1:
        raise ValueError(f"permutations must be 1 or more, but is {permutations}.")
    rng = np.random.default_rng(seed)
    orders = rng.permuted(np.tile(np.arange(players), (permutations, 1)), axis=1)
    arrival = np.argsort(orders, axis=1)  # (permutations, players): when each player comes
    # After t arrivals, those are present whose place in the order is below t.
    present = arrival[:, np.newaxis, :] < np.arange(players + 1)[:, np.newaxis]
    values = np.asarray(value(present.reshape(-1, players)), dtype=float)
    gains = np.diff(values.reshape(permutations, players + 1), axis=1)
    return np.take_along_axis(gains, arrival, axis=1).mean(axis=0)


def values_of(
    model: nn.Module, sample: Tensor, background: Tensor, target: int, *, batch_size: int = 65536
) -> Value:
    """Make the game of a sample: what the network says when it sees only some columns.

    Columns of absent players are taken from rows of other samples, and the logit is averaged over
    those rows.

    Parameters
    ----------
    model : nn.Module
        Rows (n, d) to logits (n, k).
    sample : Tensor, shape (d,)
    background : Tensor, shape (b, d)
        Rows to fill in what is absent. A single row is a fixed baseline.
    target : int
        The class whose logit is the value.
    batch_size : int
        Rows that go through the network at a time.

    Returns
    -------
    callable
        The value of coalitions, as `exact` and `sampled` want it.
    """

    def value(coalitions: NDArray[np.bool_]) -> NDArray[np.float64]:
        present = torch.as_tensor(coalitions, device=sample.device)
        means = []
        with measuring(model):
            for part in present.split(max(1, batch_size // len(background))):
                mixed = torch.where(part[:, None], sample, background)  # (m, b, d)
                logits = model(mixed.flatten(0, 1))[:, target]
                means.append(logits.view(len(part), -1).mean(dim=1))
        return torch.cat(means).double().cpu().numpy()

    return value
