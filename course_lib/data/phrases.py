"""Numbers and dates as people say them, and as a form wants them: pairs to translate.

"three hundred and twelve" is 312, and "the third of march twenty twenty one" is 2021-03-03. Several
ways of saying a thing have the same meaning, so one side has many right answers and the other has
one. Words are lower case and separated by spaces; "twenty-one" is two words.

Made by these functions, so there is no license to mind. Known faults: there are no misspelled
words, no digits among the words, no "last friday" and no dates that a person could read in two
ways; numbers end below 10,000, and years lie between 1950 and 2049. Not for saying how well a
method reads what people type, nor how well it translates between two languages.
"""

from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

__all__ = ["WAYS", "Pairs", "dates", "numbers", "say_date", "say_number", "say_year"]


def _words(text: str) -> list[str]:
    """Cut a text into words."""
    return text.split()


_ONES = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_TENS = _words("twenty thirty forty fifty sixty seventy eighty ninety")
_ORDINALS = _words(
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh "
    "twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth "
    "twentieth"
)
_MONTHS = _words(
    "january february march april may june july august september october november december"
)


class Pairs(NamedTuple):
    """What was said, and how a form wants it; both as tokens with spaces between them."""

    said: list[str]
    written: list[str]


def say_number(n: int, *, american: bool = False) -> str:
    """Say a whole number.

    Parameters
    ----------
    n : int
        From 0 to 9,999.
    american : bool, optional
        Whether "and" is left out.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        When `n` is outside of the range.

    Examples
    --------
    >>> say_number(312), say_number(4021, american=True)
    ('three hundred and twelve', 'four thousand twenty one')
    """
    if not 0 <= n < 10_000:
        raise ValueError(f"n is {n}, expected a whole number from 0 to 9,999")
    if n < 20:
        return _ONES[n]
    words, rest = [], n
    for size, name in ((1000, "thousand"), (100, "hundred")):
        if rest >= size:
            words += [_ONES[rest // size], name]
            rest %= size
    if rest and words and not american:
        words.append("and")
    if rest >= 20:
        words.append(_TENS[rest // 10 - 2])
        rest %= 10
    if rest:
        words.append(_ONES[rest])
    return " ".join(words)


def say_year(year: int, *, in_full: bool = False) -> str:
    """Say a year, in two halves or in full.

    Parameters
    ----------
    year : int
        From 1100 to 2099.
    in_full : bool, optional
        Whether thousands or hundreds are said.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        When `year` is outside of the range.

    Examples
    --------
    >>> [say_year(year) for year in (1969, 2005, 2021)]
    ['nineteen sixty nine', 'twenty oh five', 'twenty twenty one']
    >>> [say_year(year, in_full=True) for year in (1969, 2005, 2021)]
    ['nineteen hundred sixty nine', 'two thousand five', 'two thousand twenty one']
    """
    if not 1100 <= year < 2100:
        raise ValueError(f"year is {year}, expected a year from 1100 to 2099")
    century, rest = divmod(year, 100)
    if century % 10 == 0 and (in_full or not rest):
        return say_number(year, american=True)
    half = say_number(rest) if rest else ""
    if in_full or not rest:
        return f"{say_number(century)} hundred {half}".strip()
    return f"{say_number(century)} {'oh ' if rest < 10 else ''}{half}"


def _say_day(day: int) -> str:
    """Return the ordinal of a day of the month."""
    if day <= 20:
        return _ORDINALS[day]
    return "thirtieth" if day == 30 else f"{_TENS[day // 10 - 2]} {_ORDINALS[day % 10]}"


# What is said, part by part.
_ORDERS = (("month", "day"), ("month", "the", "day"), ("the", "day", "of", "month"))
_LINKS = ((), ("in",), ("in", "the", "year"))

#: How many ways of saying a date `say_date` knows: three orders, three links, two kinds of years.
WAYS = 18


def say_date(day: date, way: int, *, with_year: bool = True) -> tuple[str, str]:
    """Say a date.

    Parameters
    ----------
    day : datetime.date
    way : int
        From 0 to 17.
    with_year : bool, optional
        Whether the year is said at all. Without it there are three ways, each known by six numbers.

    Returns
    -------
    words : str
    fields : str
        One letter for each word: y, m or d for the year, the month and the day, and a point for
        any other.

    Raises
    ------
    ValueError
        When there is no such way.

    Examples
    --------
    >>> say_date(date(2021, 3, 23), 12)
    ('the twenty third of march twenty twenty one', '.dd.myyy')
    >>> say_date(date(2021, 3, 23), 5, with_year=False)
    ('march twenty third', 'mdd')
    """
    if not 0 <= way < WAYS:
        raise ValueError(f"way is {way}, expected a whole number from 0 to {WAYS - 1}")
    order, link, in_full = way // 6, way % 6 // 2, bool(way % 2)
    said = {
        "month": (_MONTHS[day.month - 1], "m"),
        "day": (_say_day(day.day), "d"),
        "year": (say_year(day.year, in_full=in_full), "y"),
    }
    parts = _ORDERS[order] + ((*_LINKS[link], "year") if with_year else ())
    # The word "year" of a link is no year, and neither is "the".
    words, fields = [], ""
    for place, part in enumerate(parts):
        is_field = part in said and (part != "year" or place == len(parts) - 1)
        text, letter = said[part] if is_field else (part, ".")
        words.append(text)
        fields += letter * len(text.split())
    return " ".join(words), fields


def numbers(n: int, seed: int, *, below: int = 10_000) -> Pairs:
    """Draw different numbers, each said in one of two ways.

    Parameters
    ----------
    n : int
    seed : int
        The same seed gives the same pairs.
    below : int, optional
        Numbers are drawn evenly from those below it.

    Returns
    -------
    Pairs
        `said` in words, `written` as digits with spaces between them.

    Examples
    --------
    >>> pairs = numbers(500, seed=0)
    >>> len(set(pairs.written)), pairs.said[0], pairs.written[0]
    (500, 'three thousand five hundred seventy seven', '3 5 7 7')
    """
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(below)[:n]
    american = rng.random(n) < 0.5
    said = [say_number(int(x), american=bool(a)) for x, a in zip(drawn, american, strict=True)]
    return Pairs(said, [" ".join(str(x)) for x in drawn])


def dates(n: int, seed: int, *, omit: float = 0.0, since: int = 1950) -> Pairs:
    """Draw different dates, each said in one of the ways.

    Parameters
    ----------
    n : int
    seed : int
        The same seed gives the same pairs.
    omit : float, optional
        The share of sayings that leave the year out, as people do. It is written all the same.
    since : int, optional
        The first year; the last one is 2049.

    Returns
    -------
    Pairs
        `said` in words, `written` as the characters of the ISO form with spaces between them.

    Examples
    --------
    >>> pairs = dates(500, seed=0)
    >>> pairs.said[0], pairs.written[0]
    ('the twentieth of september in nineteen hundred fifty eight', '1 9 5 8 - 0 9 - 2 0')
    """
    rng = np.random.default_rng(seed)
    first, last = date(since, 1, 1), date(2049, 12, 31)
    drawn = rng.permutation((last - first).days + 1)[:n]
    ways, short = rng.integers(WAYS, size=n), rng.random(n) < omit
    days = [first + timedelta(days=int(d)) for d in drawn]
    said = [
        say_date(day, int(way), with_year=not without)[0]
        for day, way, without in zip(days, ways, short, strict=True)
    ]
    return Pairs(said, [" ".join(day.isoformat()) for day in days])
