"""Made viewers and films, for which what everybody likes is known.

Each viewer has a taste and each film a character, both a few numbers, and how much a viewer would
enjoy a film is their dot product plus the film's quality. What is *taken* also depends on what is
shown: some films stand on the front page and most do not, whatever their quality, and a film is
shown less as it ages. A taken film gets stars, with some noise. One viewer in eight belongs to a
minority whose taste points the other way along the first direction.

Made by these functions, so there is no license to mind. Known faults: tastes never change, nobody
is influenced by anybody, the chance to take a film is exactly a softmax, which is what two of the
chapter's models assume, and there are a few hundred of everything where real services have
millions. Not for saying how well a method does on real viewers, nor what real minorities like.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["DAYS", "HALF_LIFE", "MINORITY", "Log", "World", "enjoyment", "live", "make", "shown"]

#: How many days the service is watched.
DAYS = 720

#: After how many days a film is shown half as often.
HALF_LIFE = 240

#: The share of viewers in the minority.
MINORITY = 0.125


class World(NamedTuple):
    """Viewers and films, and what no service ever sees: their tastes, characters and qualities."""

    tastes: NDArray[np.float64]
    characters: NDArray[np.float64]
    quality: NDArray[np.float64]
    placement: NDArray[np.float64]
    released: NDArray[np.float64]
    tags: NDArray[np.int64]
    minority: NDArray[np.bool_]


class Log(NamedTuple):
    """What a service does see: who took what, when, and the stars they gave. Ordered by time."""

    user: NDArray[np.int64]
    item: NDArray[np.int64]
    day: NDArray[np.float64]
    stars: NDArray[np.float64]


def make(users: int = 600, items: int = 240, directions: int = 3, seed: int = 0) -> World:
    """Make viewers and films.

    Parameters
    ----------
    users, items, directions : int
        How many of each; directions are the numbers in a taste.
    seed : int
        The same seed gives the same world.

    Returns
    -------
    World
        `tastes` (users, directions), `characters` (items, directions), `quality` (items,),
        `placement` (items,): the logarithm of how prominently a film is shown when it is new,
        `released` (items,): the day, 0 for the films that were there at the start, `tags`
        (items, 4 directions): 0 or 1, what a description says of a film, and `minority` (users,).

    Examples
    --------
    >>> world = make(seed=0)
    >>> world.tastes.shape, world.tags.shape, int(world.minority.sum())
    ((600, 3), (240, 12), 75)
    """
    rng = np.random.default_rng(seed)
    minority = np.arange(users) < round(MINORITY * users)
    tastes = rng.normal(size=(users, directions))
    # The majority leans one way, the minority the other, and farther.
    tastes[:, 0] = 0.6 * tastes[:, 0] + np.where(minority, -1.8, 0.9)
    characters = 0.8 * rng.normal(size=(items, directions))
    quality = 0.5 * rng.normal(size=items)
    placement = 1.2 * rng.normal(size=items)
    released = np.maximum(0, rng.uniform(-DAYS, DAYS, size=items))
    # Each tag asks for one direction of character, from one side, and is now and then wrong.
    asked = rng.normal(size=(directions, 4 * directions))
    asked /= np.linalg.norm(asked, axis=0)
    tags = (characters @ asked + 0.4 * rng.normal(size=(items, asked.shape[1])) > 0.4).astype(int)
    return World(tastes, characters, quality, placement, released, tags, minority)


def enjoyment(world: World) -> NDArray[np.float64]:
    """Compute how much each viewer would enjoy each film.

    Returns
    -------
    ndarray, shape (users, items)
        The dot product of taste and character, plus the quality of the film.

    Examples
    --------
    >>> enjoyment(make(users=5, items=7)).shape
    (5, 7)
    """
    return world.tastes @ world.characters.T + world.quality


def shown(world: World, day: float) -> NDArray[np.float64]:
    """Compute the logarithm of how prominently each film is shown on a day.

    Returns
    -------
    ndarray, shape (items,)
        The placement, less one half-life after another; minus infinity before the release.

    Examples
    --------
    >>> world = make(users=2, items=3)
    >>> decay = shown(world, DAYS) - shown(world, DAYS - HALF_LIFE)
    >>> float(np.round(np.exp(decay[world.released == 0][0]), 6))
    0.5
    """
    age = day - world.released
    return np.where(age >= 0, world.placement - np.log(2) * age / HALF_LIFE, -np.inf)


def live(world: World, takes: int = 24, seed: int = 0) -> Log:
    """Let the viewers use a service that shows everybody the same, and keep its log.

    A viewer joins on some day of the first four fifths, and takes films on random days after that,
    none twice. The chance of a film is proportional to how prominently it is shown that day times
    the exponential of the enjoyment. The stars, from 1 to 5, are 3 plus two thirds of the
    enjoyment, with noise of half a star.

    Parameters
    ----------
    world : World
    takes : int
        The mean number of films that a viewer takes.
    seed : int

    Returns
    -------
    Log

    Examples
    --------
    >>> log = live(make(seed=0), seed=0)
    >>> bool(np.all(np.diff(log.day) >= 0)), 23 < len(log.user) / 600 < 25
    (True, True)
    """
    rng = np.random.default_rng(seed)
    likes = enjoyment(world)
    users, items = likes.shape
    joined = np.maximum(0, rng.uniform(-0.6, 0.8, size=users)) * DAYS
    count = np.clip(rng.poisson(takes * rng.gamma(4, 1 / 4, size=users)), 2, items // 3)
    days = np.where(np.arange(count.max()) < count[:, None], 0.0, np.inf)
    days = np.sort(days + joined[:, None] + rng.random(days.shape) * (DAYS - joined[:, None]))
    free, rows = np.zeros((users, items)), []
    for step in range(days.shape[1]):
        who = np.flatnonzero(np.isfinite(days[:, step]))
        day = days[who, step]
        age = day[:, None] - world.released
        front = np.where(age >= 0, world.placement - np.log(2) * age / HALF_LIFE, -np.inf)
        # The largest of logits plus Gumbel noise is a draw from their softmax.
        score = front + likes[who] + free[who] + rng.gumbel(size=(len(who), items))
        what = score.argmax(axis=1)
        free[who, what] = -np.inf
        stars = 3 + 2 / 3 * likes[who, what] + 0.5 * rng.normal(size=len(who))
        rows.append((who, what, day, np.clip(stars, 1, 5)))
    log = [np.concatenate(column) for column in zip(*rows, strict=True)]
    order = np.argsort(log[2], kind="stable")
    return Log(*(column[order] for column in log))
