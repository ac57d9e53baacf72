"""A table of walks: who, age, shoes, a note, a waveform, and who limps. All of it is invented.

Each person walks several times past a sensor in the floor, 64 numbers a second for four
seconds. Whether somebody limps belongs to the person, and so do pace, weight of step and habits,
by which a person can be told from others. The table is as untidy as real ones: ages are missing,
shoes were not always noted, and notes are written as people write. Since it is made, as many new
people can be had as are needed to see what an estimate was worth. License: CC BY 4.0, as the text
of this course.

Known faults: a limp is half the pace, louder or quieter, and nothing else; missing values are
missing by chance; notes are put together from fourteen phrases. Not for conclusions about people:
nothing that is found here says anything about them.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["RATE", "SHOES", "Walks", "record"]

#: Numbers per second in a waveform.
RATE: Final = 64

#: What people wore, where it was noted.
SHOES: Final = ("barefoot", "boots", "sneakers")

_BOTH = (
    "walks past the sensor",
    "second try",
    "in a hurry today",
    "talks while walking",
    "carries a bag",
    "asked to repeat",
)
_EVEN = ("even steps", "no complaints", "walks well", "runs on weekends")
_LIMPING = ("favors the left leg", "knee hurts on stairs", "stiff after sitting", "uneven steps")


class Walks(NamedTuple):
    """Walks, one a row.

    Attributes
    ----------
    person : ndarray of int, shape (n,)
        Who walked, from 0.
    age : ndarray of float, shape (n,)
        Years, nan where nobody asked.
    shoes : ndarray of str, shape (n,)
        One of `SHOES`, or "" where it was not noted.
    note : list of str, length n
    wave : ndarray of float32, shape (n, 256)
        How the floor shook, `RATE` numbers a second.
    limps : ndarray of int, shape (n,)
        1 or 0, the same for all walks of a person.
    """

    person: NDArray[np.int64]
    age: NDArray[np.float64]
    shoes: NDArray[np.str_]
    note: list[str]
    wave: NDArray[np.float32]
    limps: NDArray[np.int64]


def record(people: int, each: int, seed: int, *, limping: float = 0.5) -> Walks:
    """Have people walk past the sensor.

    Parameters
    ----------
    people : int
        How many people.
    each : int
        How often each walks. Rows come person by person.
    seed : int
        The same seed gives the same people and walks.
    limping : float
        The share of people who limp, rounded to whole people.

    Returns
    -------
    Walks

    Raises
    ------
    ValueError
        If the share is not between 0 and 1.

    Examples
    --------
    >>> walks = record(people=3, each=2, seed=0, limping=1 / 3)
    >>> walks.person.tolist(), walks.wave.shape
    ([0, 0, 1, 1, 2, 2], (6, 256))
    """
    if not 0 <= limping <= 1:
        raise ValueError(f"limping is a share from 0 to 1, but is {limping}.")
    rng = np.random.default_rng(seed)
    limps = np.zeros(people, dtype=np.int64)
    limps[rng.permutation(people)[: round(limping * people)]] = 1
    pace = rng.uniform(1.5, 2.2, people)  # steps per second
    strength = rng.lognormal(0.0, 0.5, (people, 6)) / np.arange(1, 7)
    # Two legs are never quite alike: that is felt once in two steps.
    uneven = rng.lognormal(np.where(limps == 1, -0.3, -1.6), 0.7)
    years = np.clip(rng.normal(48 + 8 * limps, 15), 18, 90).round()

    who = np.repeat(np.arange(people), each)
    n = len(who)
    time = np.arange(4 * RATE) / RATE + rng.uniform(0, 10, (n, 1))
    walked = pace[who] * rng.normal(1, 0.01, n)
    wave = rng.normal(0, 0.5, (n, len(time[0])))
    wave += _tone(0.5 * walked, uneven[who] * rng.lognormal(0, 0.15, n), time)
    for k in range(6):
        wave += _tone((k + 1) * walked, strength[who, k] * rng.lognormal(0, 0.15, n), time)
    age = np.where(rng.random(n) < 0.2, np.nan, years[who])
    shoes = np.where(rng.random(n) < 0.15, "", rng.choice(SHOES, n))
    notes = [_note(limps[person] == 1, rng) for person in who]
    return Walks(who, age, shoes, notes, wave.astype(np.float32), limps[who])


def _tone(
    frequency: NDArray[np.float64], strength: NDArray[np.float64], time: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return a tone for each row of times."""
    return strength[:, np.newaxis] * np.sin(2 * np.pi * frequency[:, np.newaxis] * time)


def _note(limping: bool, rng: np.random.Generator) -> str:
    """Write a note: a phrase or two that say little, and sometimes one that says something."""
    phrases = [_BOTH[k] for k in rng.permutation(len(_BOTH))[: rng.integers(1, 3)]]
    if rng.random() < 0.4:
        # A nurse sees an even walk in a person who limps, and the other way around.
        seen = _LIMPING if limping == (rng.random() < 0.8) else _EVEN
        phrases.append(seen[rng.integers(len(seen))])
    text = ", ".join(phrases[k] for k in rng.permutation(len(phrases)))
    style = rng.integers(3)
    return text.capitalize() + "." if style == 0 else text.upper() if style == 1 else text
