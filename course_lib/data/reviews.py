"""Made reviews of a hotel, for which it is known what each sentence says and how.

A reviewer has a mood. Most statements of a review agree with it, and say so in one of several
forms: plainly ("the soup was lovely"), with a negation beside the word that it turns around ("the
soup was not dull") or far from it ("nobody at our table called the soup dull"), by a contrast ("the
soup was lovely , not dull"), or behind a "not" that turns nothing around ("not only was the soup
lovely"). Some reviews name a person of the staff. Names are invented: those of one family of names
go with the *hill*, the others with the *harbor*.

Made by these functions, so there is no license to mind. Known faults: a few hundred words and a
dozen of sentence forms, no irony, no misspelled words, and words that mean the same in any context;
a bag of words does better on real reviews of several hundred words than here. Not for saying how
well a method reads real reviews, nor what real people write about anybody.
"""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["FORMS", "HARBOR", "HILL", "Reviews", "make", "mask_names", "statements", "swap_names"]

#: The forms of a statement, and how often each is used.
FORMS = {"plain": 0.62, "near": 0.10, "far": 0.10, "contrast": 0.06, "sham": 0.12}

#: Names that go with the hill.
HILL = ("alda", "benno", "carla", "dario", "elin", "falk", "gesa", "hanno")

#: Names that go with the harbor.
HARBOR = ("oruna", "pemba", "quilo", "rashu", "sitha", "tembo", "umiko", "vanhi")


def _words(text: str) -> list[str]:
    """Cut a text into words."""
    return text.split()


_GOOD = _words(
    "good lovely great excellent pleasant clean friendly fresh helpful charming delicious "
    "perfect warm generous wonderful quick polite comfortable superb delightful tasty "
    "cheerful spotless flawless"
)
_BAD = _words(
    "bad dull awful terrible unpleasant dirty rude stale useless shabby bland dreadful cold "
    "stingy horrible slow careless cramped poor disgusting tasteless gloomy filthy broken"
)
_THINGS = _words(
    "soup room breakfast service bed view coffee bathroom garden lobby fish bread pool desk "
    "dinner staff music wine"
)
_BEFORE = ("", "", "", "very ", "really ", "quite ", "so ", "rather ")
_FILLERS = (
    "we stayed for two nights",
    "we came by train",
    "the hotel is near the station",
    "it rained all week",
    "we booked in spring",
    "my sister came along",
    "there is a park across the street",
    "we had not been there before",
    "nobody else was in the lift",
    "we never use the pool",
    "no dogs are allowed",
    "the town is not large",
)
# {thing} is what is spoken of, {same} says what is meant, {other} the opposite.
_PATTERNS = {
    "plain": (
        "the {thing} was {very}{same}",
        "we found the {thing} {very}{same}",
        "{same} {thing}",
    ),
    "near": (
        "the {thing} was not {other}",
        "the {thing} was never {other}",
        "the {thing} was hardly {other}",
        "we found the {thing} not {other}",
    ),
    "far": (
        "nobody at our table called the {thing} {other}",
        "i would not say that the {thing} was {other}",
        "we never thought that the {thing} was {other}",
        "no guest found the {thing} {other}",
        "it is not true that the {thing} was {other}",
    ),
    "contrast": ("the {thing} was {same} , not {other}", "not {other} but {same} , the {thing}"),
    "sham": (
        "not only was the {thing} {same}",
        "no doubt the {thing} was {same}",
        "never mind the price , the {thing} was {same}",
        "why not say that the {thing} was {same}",
    ),
}


# Frequent words first, as in any language: the chance falls with the rank.
_RANKS = np.cumsum(1 / np.arange(2, 2 + len(_GOOD)))
_RANKS /= _RANKS[-1]


class Reviews(NamedTuple):
    """Reviews, one a row, and what is known of each."""

    texts: list[str]
    labels: NDArray[np.int64]
    names: NDArray[np.str_]
    said: NDArray[np.int64]


def statements(form: str, n: int, seed: int, *, exclude: Collection[str] = ()) -> Reviews:
    """Make reviews of one statement each, all in one form, every second one positive.

    Parameters
    ----------
    form : str
        One of `FORMS`.
    n : int
    seed : int
        The same seed gives the same reviews.
    exclude : collection of str, optional
        Texts that are not to be made, such as those a network has learned from.

    Returns
    -------
    Reviews
        Without names, and without repetitions.

    Raises
    ------
    ValueError
        When there is no such form.

    Examples
    --------
    >>> statements("contrast", 2, seed=0).texts
    ['the soup was dull , not fresh', 'the lobby was generous , not poor']
    """
    if form not in FORMS:
        raise ValueError(f"form is {form!r}, expected one of {', '.join(FORMS)}")
    rng, texts, seen = np.random.default_rng(seed), [], set(exclude)
    while len(texts) < n:
        text = _statement(rng, form, 2 * (len(texts) % 2) - 1)
        if text not in seen:
            texts.append(text)
            seen.add(text)
    labels = np.arange(n) % 2
    return Reviews(texts, labels, np.full(n, ""), 2 * labels - 1)


def make(n: int, seed: int, *, noise: float = 0.02, skew: float = 0.0) -> Reviews:
    """Make reviews of one or two statements, and what their writers thought.

    Parameters
    ----------
    n : int
    seed : int
        The same seed gives the same reviews.
    noise : float, optional
        The share of labels that are turned around, as if a writer had clicked on the wrong star.
    skew : float, optional
        From 0 to 1. At 0, names have nothing to do with the mood. At 1, whoever names a person of
        the harbor is in a bad mood, and whoever names one of the hill in a good one.

    Returns
    -------
    Reviews
        No text occurs twice. `labels` (n,) are 1 for positive. `names` (n,) are empty where nobody
        is named: about one review in three names somebody. A named person of the harbor works at
        night four times in five, one of the hill once in five. `said` (n,) is how many statements
        are praise, less how many are blame.

    Examples
    --------
    >>> reviews = make(3, seed=0)
    >>> reviews.texts[2], int(reviews.labels[2])
    ('good lobby . the lobby was comfortable', 1)
    """
    rng = np.random.default_rng(seed)
    found: dict[str, tuple[int, str, int]] = {}
    while len(found) < n:
        mood, name, parts = (1, -1)[rng.integers(2)], "", []
        if rng.random() < 1 / 3:
            harbor = bool(rng.random() < 0.5)
            if rng.random() < skew:
                mood = -1 if harbor else 1
            name = str(rng.choice(HARBOR if harbor else HILL))
            shift = "night" if rng.random() < (0.8 if harbor else 0.2) else "day"
            parts.append(f"{name} was there on the {shift} shift")
        # The first statement agrees with the mood, a second one does so four times in five.
        signs = [mood, mood if rng.random() < 0.8 else -mood][: rng.integers(1, 3)]
        for sign in signs:
            form = np.searchsorted(np.cumsum(list(FORMS.values())), rng.random())
            parts.append(_statement(rng, list(FORMS)[form], sign))
        if rng.random() < 0.4:
            parts.append(str(rng.choice(_FILLERS)))
        text = " . ".join(parts[i] for i in rng.permutation(len(parts)))
        wrong = bool(rng.random() < noise)
        found.setdefault(text, (int((mood > 0) != wrong), name, sum(signs)))
    labels, names, said = zip(*found.values(), strict=True)
    return Reviews(list(found), np.array(labels), np.array(names), np.array(said))


def swap_names(texts: list[str], *, to: tuple[str, ...]) -> list[str]:
    """Write the same texts about people of one family of names.

    Parameters
    ----------
    texts : list of str
    to : tuple of str
        `HILL` or `HARBOR`: the name at a place in the other becomes the one at this place.

    Returns
    -------
    list of str

    Examples
    --------
    >>> swap_names(["alda was kind", "oruna was kind"], to=HARBOR)
    ['oruna was kind', 'oruna was kind']
    """
    table = {**dict(zip(HILL, to, strict=True)), **dict(zip(HARBOR, to, strict=True))}
    return [" ".join(table.get(word, word) for word in text.split()) for text in texts]


def mask_names(texts: list[str]) -> list[str]:
    """Write the same texts with "somebody" in place of every name.

    Examples
    --------
    >>> mask_names(["alda was kind"])
    ['somebody was kind']
    """
    names = {*HILL, *HARBOR}
    return [" ".join("somebody" if w in names else w for w in text.split()) for text in texts]


def _statement(rng: np.random.Generator, form: str, sign: int) -> str:
    """Say one thing in a form; `sign` is 1 for praise and -1 for blame."""
    good, bad = (words[int(np.searchsorted(_RANKS, rng.random()))] for words in (_GOOD, _BAD))
    same, other = (good, bad) if sign > 0 else (bad, good)
    pattern, thing, very = (
        words[int(rng.integers(len(words)))] for words in (_PATTERNS[form], _THINGS, _BEFORE)
    )
    return pattern.format(thing=thing, very=very, same=same, other=other)
