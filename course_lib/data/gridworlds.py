"""Small worlds of squares for reinforcement learning, written as text and read as arrays.

A world is a Markov decision process that is small enough to be a table: from each square there are
four moves, `P` says where they lead and `R` what they earn. A model of the world is what *planning*
needs. An agent that *learns* does not look at these arrays: it has `make` hand it the world as
Gymnasium does, with `reset` and `step`, and finds out.

The letters of a map:

====== =====================================================================
``S``  where an episode begins
``.``  floor
``#``  a wall, and so is the edge of the map: a move against it stays in place
``G``  a goal, which ends the episode
``X``  a hole, which ends it as well
others floor by another name, so that a reward can be paid there
====== =====================================================================

Three worlds come with the module, all made for this course, so there is no license to mind. *ice*
is slippery: three moves in ten go off to the side. *cliff* is laid out as in Sutton and Barto's
example 6.6; there a fall sends the walker back to the start, and here it ends the episode.
*crumbs* is a short way home on which somebody has put a well-meant reward.

Known faults: few squares, all of them seen in any training, and the agent always knows where it is.
Not for telling how an algorithm will do where there are more states than a table can hold.

References
----------
R. S. Sutton and A. G. Barto, "Reinforcement Learning: An Introduction", second edition, 2018,
chapters 3 to 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ACTIONS", "GridEnv", "GridWorld", "load", "parse"]

#: The moves, numbered as in Gymnasium's CliffWalking.
ACTIONS = ("up", "right", "down", "left")

_MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))
_ENDS = "GX"

_WORLDS: dict[str, tuple[str, dict[str, float], float, float]] = {
    "ice": (
        """
        .......
        .##.##.
        ..X.X..
        S.....G
        ..X.X..
        """,
        {"G": 1.0, "X": -1.0},
        -0.02,
        0.3,
    ),
    "cliff": (
        """
        ............
        ............
        ............
        SXXXXXXXXXXG
        """,
        {"X": -99.0},
        -1.0,
        0.0,
    ),
    "crumbs": (
        """
        S..o...G
        .##.##..
        ........
        """,
        {"G": 1.0},
        0.0,
        0.0,
    ),
}


@dataclass(frozen=True)
class GridWorld:
    """A world as arrays. Squares are numbered row by row, walls included.

    Attributes
    ----------
    letters : ndarray of str, shape (height, width)
        The map.
    P : ndarray, shape (S, 4, S)
        ``P[s, a, t]`` is the chance that move `a` in square `s` ends in square `t`. Whoever is in a
        terminal square (or a wall) stays there.
    R : ndarray, shape (S, 4, S)
        What that move earns; 0 in terminal squares.
    terminal : ndarray of bool, shape (S,)
        Where an episode ends.
    start : int
        Where it begins.
    """

    letters: NDArray[np.str_]
    P: NDArray[np.float64]
    R: NDArray[np.float64]
    terminal: NDArray[np.bool_]
    start: int

    def make(self, max_steps: int | None = None) -> GridEnv:
        """Hand out the world as an environment, in which an agent acts step by step.

        Parameters
        ----------
        max_steps : int, optional
            Break an episode off after so many steps. It is *truncated* then, and not terminated.

        Returns
        -------
        GridEnv
        """
        return GridEnv(self, max_steps)


class GridEnv:
    """A world to act in, with the methods of Gymnasium's environments.

    Parameters
    ----------
    world : GridWorld
    max_steps : int, optional
        Break an episode off after so many steps.

    Examples
    --------
    >>> env = load("cliff").make()
    >>> state, info = env.reset(seed=0)
    >>> env.step(ACTIONS.index("right"))  # into the hole beside the start
    (37, -100.0, True, False, {})
    """

    def __init__(self, world: GridWorld, max_steps: int | None = None) -> None:
        if max_steps is not None and max_steps < 1:
            raise ValueError(f"max_steps must be at least 1; came {max_steps}")
        self.world, self.max_steps = world, max_steps
        # A search in a sorted list is ten times as fast as a draw from an array of chances.
        self._chances = np.cumsum(world.P, axis=2)
        self._chances[..., -1] = 1.0
        self._floor = np.flatnonzero(~world.terminal & (world.letters.ravel() != "#"))
        self._random: np.random.Generator | None = None
        self._state: int | None = None
        self._steps = 0

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Begin an episode.

        Parameters
        ----------
        seed : int, optional
            Where chance comes from, from now on. Without one it goes on from where it was.
        options : mapping, optional
            ``{"anywhere": True}`` draws the first square from all that are floor.

        Returns
        -------
        state : int
            The start.
        info : dict
            Empty.
        """
        if seed is not None or self._random is None:
            self._random = np.random.default_rng(seed)
        anywhere = bool((options or {}).get("anywhere", False))
        self._state = int(self._random.choice(self._floor)) if anywhere else self.world.start
        self._steps = 0
        return self._state, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Make a move.

        Parameters
        ----------
        action : int
            0 up, 1 right, 2 down, 3 left.

        Returns
        -------
        state : int
            Where it led.
        reward : float
        terminated : bool
            Whether the episode is over: there is nothing more to earn.
        truncated : bool
            Whether it was broken off after `max_steps`: there would have been.
        info : dict
            Empty.

        Raises
        ------
        RuntimeError
            When no episode has begun, or the last one is over.
        ValueError
            When there is no such move.
        """
        if self._state is None or self._random is None:
            raise RuntimeError("No episode is under way: call reset() before step().")
        if not 0 <= action < len(ACTIONS):
            raise ValueError(f"action must be 0, 1, 2 or 3; came {action!r}")
        before = self._state
        after = int(self._chances[before, action].searchsorted(self._random.random(), "right"))
        self._steps += 1
        terminated = bool(self.world.terminal[after])
        truncated = not terminated and self._steps == self.max_steps
        self._state = None if terminated or truncated else after
        return after, float(self.world.R[before, action, after]), terminated, truncated, {}


def parse(
    text: str, rewards: Mapping[str, float] | None = None, *, step: float = 0.0, slip: float = 0.0
) -> GridWorld:
    """Read a map.

    Parameters
    ----------
    text : str
        One row of letters a line; blank lines and indents do not count.
    rewards : mapping of str to float, optional
        What is paid for arriving on a letter's squares, each time; a move that stays in place
        arrives there as well.
    step : float
        Paid for every move on top of that: below 0, it is a price.
    slip : float
        The chance that a move goes off at a right angle, half of it to either side.

    Returns
    -------
    GridWorld

    Raises
    ------
    ValueError
        When rows differ in length, there is not exactly one start, `slip` is no probability, or a
        reward is for a letter that the map does not have.

    Examples
    --------
    >>> world = parse("S.G", {"G": 1.0}, step=-0.1)
    >>> world.P.shape, world.terminal.tolist()
    ((3, 4, 3), [False, False, True])
    >>> round(float(world.R[1, ACTIONS.index("right"), 2]), 6)
    0.9
    """
    letters = _letters(text)
    rewards = dict(rewards or {})
    unknown = sorted(set(rewards) - set(letters.flat))
    if unknown:
        raise ValueError(f"rewards names {', '.join(unknown)}, which the map does not have")
    if not 0 <= slip <= 1:
        raise ValueError(f"slip must lie in 0 ... 1; came {slip}")
    flat = letters.ravel()
    squares = np.arange(flat.size)
    terminal = np.isin(flat, list(_ENDS))
    stays = terminal | (flat == "#")
    P = np.zeros((flat.size, len(ACTIONS), flat.size))
    for s in squares:
        ways = [s if stays[s] else _arrive(letters, int(s), move) for move in _MOVES]
        for a in range(len(ACTIONS)):
            P[s, a, ways[a]] += 1 - slip
            P[s, a, ways[a - 1]] += slip / 2
            P[s, a, ways[(a + 1) % 4]] += slip / 2
    paid = step + np.array([rewards.get(str(letter), 0.0) for letter in flat])
    R = np.where(stays[:, None, None], 0.0, np.broadcast_to(paid, P.shape))
    return GridWorld(letters, P, R, terminal, int(squares[flat == "S"][0]))


def load(
    name: str, *, rewards: Mapping[str, float] | None = None, slip: float | None = None
) -> GridWorld:
    """Load one of the worlds that come with the course.

    Parameters
    ----------
    name : {"ice", "cliff", "crumbs"}
        *ice*: 5 by 7 squares, +1 at the goal, -1 in a hole, -0.02 for each move, and three in
        ten slip. *cliff*: 4 by 12 squares, -1 for each move and -100 for the one over the edge.
        *crumbs*: 3 by 8 squares, +1 at the goal, and a square ``o`` on the way.
    rewards : mapping of str to float, optional
        Rewards to change or to add, as in `parse`: ``{"o": 0.1}`` pays for the crumbs.
    slip : float, optional
        Another chance to slip.

    Returns
    -------
    GridWorld

    Raises
    ------
    ValueError
        When there is no such world.

    Examples
    --------
    >>> load("ice").letters.shape
    (5, 7)
    """
    if name not in _WORLDS:
        raise ValueError(f"There is no world {name!r}; choose one of {', '.join(_WORLDS)}")
    text, usual, step, slippery = _WORLDS[name]
    chance = slippery if slip is None else slip
    return parse(text, {**usual, **(rewards or {})}, step=step, slip=chance)


def _letters(text: str) -> NDArray[np.str_]:
    """Split a map into letters."""
    rows = [line.strip() for line in text.splitlines() if line.strip()]
    if not rows or len({len(row) for row in rows}) > 1:
        raise ValueError(f"All rows of a map have the same length; came {list(map(len, rows))}")
    letters = np.array([list(row) for row in rows])
    starts = int((letters == "S").sum())
    if starts != 1:
        raise ValueError(f"A map has one start, S; this one has {starts}")
    return letters


def _arrive(letters: NDArray[np.str_], square: int, move: tuple[int, int]) -> int:
    """Find the square that a move leads to."""
    height, width = letters.shape
    row, column = divmod(square, width)
    row, column = row + move[0], column + move[1]
    if not (0 <= row < height and 0 <= column < width) or letters[row, column] == "#":
        return square
    return row * width + column
