"""Made card payments with fraud in one of a thousand, whose kinds change over the weeks.

`draw` makes the log of a bank: payments of cards with habits of their own (how often, how much, at
what hours, where), and among them fraud of three kinds (`KINDS`). A *spree* buys expensive things
in an hour or two. *Night* buys on the internet while the holder sleeps. *Small* takes a euro or
two, again and again, where nobody looks. Which kind is common changes from week to week (`mix`),
and the bank learns of a fraud only when the holder complains, two weeks later on average.
`features` computes what a detector may see of a payment: numbers about it and about the card's
past, nothing later.

Made by these functions, so there is no license to mind. The generator is known: in truth, whether a
payment is a fraud depends on nothing but what is written here. Known faults: cards do not influence
each other, honest customers never change their habits (except for `later`), a complaint always
comes and is always right, fraud is spread evenly over all cards, and three kinds are few. Not for
saying how common fraud is, what it looks like, or how well any detector finds real fraud.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "DAY",
    "FEATURES",
    "KINDS",
    "MERCHANTS",
    "WEEK",
    "Log",
    "draw",
    "features",
    "mix",
    "past_count_and_mean",
    "take",
]

DAY: Final = 24.0  # hours
WEEK: Final = 7 * DAY

#: What a payment is: 0 is honest, the others are kinds of fraud.
KINDS: Final = ("honest", "spree", "night", "small")

#: The trades in which cards are used.
MERCHANTS: Final = (
    "groceries", "fuel", "restaurants", "clothes", "pharmacy", "travel", "tickets", "books",
    "furniture", "electronics", "online", "digital",
)  # fmt: skip

#: The columns of `features`, in order.
FEATURES: Final = (
    "log amount",
    "log amount, against the card's past",
    "hours from noon",
    "hours from the card's usual hour",
    "share of the trade in the card's past",
    "electronics",
    "online",
    "digital",
    "log hours since the last payment",
    "payments in the last 24 hours",
    "log amount of the last 24 hours",
    "payments so far, up to 10",
)

#: Which share of the honest payments is in which trade.
_POPULAR: Final = np.array([27, 11, 16, 8, 5, 4, 4, 4, 2, 3, 12, 4]) / 100

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Log(NamedTuple):
    """Payments, one a row, in the order of their times.

    Attributes
    ----------
    time : ndarray, shape (n,)
        Hours since the first midnight, in whole minutes.
    card : ndarray of int, shape (n,)
        Who paid.
    amount : ndarray, shape (n,)
        Euros.
    merchant : ndarray of int, shape (n,)
        A place in `MERCHANTS`.
    night_owl : ndarray of int, shape (n,)
        1 for holders who work at night and live by it, 0 for all others. A detector does not see
        it.
    kind : ndarray of int, shape (n,)
        A place in `KINDS`.
    known : ndarray, shape (n,)
        The hour in which the bank learns that the payment was a fraud; infinite for honest ones.
    """

    time: Floats
    card: Integers
    amount: Floats
    merchant: Integers
    night_owl: Integers
    kind: Integers
    known: Floats

    @property
    def fraud(self) -> Integers:
        """1 for each fraud, 0 for each honest payment: shape (n,)."""
        return (self.kind > 0).astype(np.int64)

    @property
    def week(self) -> Integers:
        """The week of each payment, from 0: shape (n,)."""
        return (self.time // WEEK).astype(np.int64)


def mix(week: ArrayLike, drift: float = 1.0) -> Floats:
    """Compute which share of the fraud of a week is of which kind.

    Parameters
    ----------
    week : array_like, shape (w,)
        Weeks, from 0.
    drift : float
        1 for fraud that moves, 0 for fraud that stays as it was in week 0, and all between.

    Returns
    -------
    ndarray, shape (w, 3)
        Shares of spree, night and small; each row adds up to 1.

    Examples
    --------
    >>> mix([0, 18, 24]).round(2).tolist()
    [[0.6, 0.4, 0.0], [0.4, 0.3, 0.3], [0.2, 0.2, 0.6]]
    """
    # Nothing changes for fourteen weeks, and everything has changed after twenty-two.
    moved = drift * np.clip((np.asarray(week, dtype=float)[:, np.newaxis] - 14) / 8, 0, 1)
    return (1 - moved) * np.array([0.6, 0.4, 0.0]) + moved * np.array([0.2, 0.2, 0.6])


def draw(
    seed: int,
    *,
    weeks: int = 28,
    cards: int = 4000,
    share: float = 0.001,
    drift: float = 1.0,
    later: float = 0.0,
) -> Log:
    """Draw the log of a bank.

    Parameters
    ----------
    seed : int
        The same seed gives the same log. Logs that differ in `drift` alone share their honest
        payments.
    weeks, cards : int
        How long, and how many cards. A card pays about five times a week.
    share : float
        About which share of the payments is a fraud.
    drift : float
        See `mix`.
    later : float
        By how many hours honest payments have moved later in the day by the last week, in equal
        steps from week to week.

    Returns
    -------
    Log

    Raises
    ------
    ValueError
        If a number makes no sense.

    Examples
    --------
    >>> log = draw(seed=0, weeks=2, cards=500)
    >>> len(log.time), int(log.fraud.sum()), bool(np.all(np.diff(log.time) >= 0))
    (4937, 4, True)
    """
    if weeks < 1 or cards < 1:
        raise ValueError(f"weeks and cards must be 1 or more, but are {weeks} and {cards}.")
    if not (0 <= share < 0.5 and 0 <= drift <= 1 and 0 <= later < DAY):
        raise ValueError(
            "share must be from 0 to below 0.5, drift from 0 to 1 and later from 0 to below 24, "
            f"but they are {share}, {drift} and {later}."
        )
    habits, honest_rng, fraud_rng = np.random.default_rng(seed).spawn(3)
    owl = (habits.random(cards) < 0.06).astype(np.int64)
    level = habits.normal(np.log(25), 0.5, cards)  # of log amounts
    peak = np.where(owl == 1, habits.normal(2, 1.5, cards), habits.normal(14, 2, cards))
    taste = habits.dirichlet(11 * _POPULAR, cards)  # (cards, 12)
    pace = habits.gamma(4, 0.72 / 4, cards)  # payments a day

    honest = _honest(honest_rng, weeks, level, peak, taste, pace, later)
    n_fraud = round(share / (1 - share) * len(honest[0]))
    stolen = _stolen(fraud_rng, weeks, cards, n_fraud, drift)
    time, card, amount, merchant, kind = (
        np.concatenate(pair) for pair in zip(honest, stolen, strict=True)
    )
    inside = (time >= 0) & (time < weeks * WEEK)
    time, card, amount, merchant, kind = (
        column[inside] for column in (time, card, amount, merchant, kind)
    )
    known = np.full(len(time), np.inf)
    fraud = kind > 0
    known[fraud] = time[fraud] + fraud_rng.gamma(2, WEEK, fraud.sum())  # two weeks on average
    minute = np.floor(time * 60)
    time = minute / 60
    amount = np.maximum(np.round(amount, 2), 0.5)
    # Two stable sorts by small numbers, low digits first, are four times as fast as one by large.
    digits = minute.astype(np.uint32)
    order = np.argsort(digits.astype(np.uint16), kind="stable")
    order = order[np.argsort((digits >> 16).astype(np.uint16)[order], kind="stable")]
    log = Log(time, card, amount, merchant, owl[card], kind, known)
    return take(log, order)


def take(log: Log, rows: ArrayLike) -> Log:
    """Take some rows of a log.

    Parameters
    ----------
    log : Log
    rows : array_like of int or bool
        Which, as NumPy indexes.

    Returns
    -------
    Log
    """
    chosen = np.asarray(rows)
    return Log(*(column[chosen] for column in log))


def past_count_and_mean(
    card: ArrayLike, time: ArrayLike, value: ArrayLike
) -> tuple[Integers, Floats]:
    """Count a card's earlier payments, and take the mean of a number over them.

    Earlier means at an earlier time: payments in the same minute do not see each other.

    Parameters
    ----------
    card : array_like of int, shape (n,)
    time : array_like, shape (n,)
        In any order.
    value : array_like, shape (n,)

    Returns
    -------
    count : ndarray of int, shape (n,)
    mean : ndarray, shape (n,)
        nan where there is nothing earlier.

    Examples
    --------
    >>> past_count_and_mean([7, 7, 7, 8], [1.0, 2.0, 2.0, 3.0], [10.0, 20.0, 40.0, 5.0])
    (array([0, 1, 1, 0]), array([nan, 10., 10., nan]))
    """
    places = _places(np.asarray(card), np.asarray(time))
    total, count = _totals(places, np.asarray(value, dtype=float))
    mean = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
    return count, mean


def features(log: Log) -> Floats:
    """Compute what a detector may see of each payment: nothing that happened later.

    Parameters
    ----------
    log : Log
        The whole log up to the last payment of interest: a card's past must be in it.

    Returns
    -------
    ndarray, shape (n, 12)
        The columns of `FEATURES`. A card's first payment is compared with the mean of all cards'
        habits.
    """
    size, turn = np.log(log.amount), 2 * np.pi * (log.time % DAY) / DAY
    places = order, start, tie = _places(log.card, log.time)
    # Means of few payments are drawn toward what is usual, with the weight of three payments.
    total, count = _totals(places, size)
    usual = (total + 3 * np.log(25)) / (count + 3)
    # Hours go in circles: the usual hour is where the hands of all clocks together point.
    east, _ = _totals(places, np.cos(turn))
    north, _ = _totals(places, np.sin(turn))
    noon = 2 * np.pi * 14 / DAY
    habit = np.arctan2(north + 3 * np.sin(noon), east + 3 * np.cos(noon))
    apart = np.abs((turn - habit + np.pi) % (2 * np.pi) - np.pi) * DAY / (2 * np.pi)
    _, there = _totals(_places(log.card * len(MERCHANTS) + log.merchant, log.time), size)
    when = log.time[order]
    last = np.where(tie > start, when - when[np.maximum(tie - 1, 0)], 30 * DAY)
    # Where a day ago is, among the payments of the same card.
    far = log.card[order] * 1e6 + when
    since = np.maximum(np.searchsorted(far, far - DAY), start)
    spent = np.concatenate([[0.0], np.cumsum(log.amount[order])])
    since_last, recent, recently = np.empty((3, len(order)))
    since_last[order] = np.log(last + 0.1)
    recent[order] = tie - since
    recently[order] = np.log1p(np.maximum(spent[tie] - spent[since], 0))
    trades = [log.merchant == MERCHANTS.index(name) for name in FEATURES[5:8]]
    return np.column_stack(
        [
            size,
            size - usual,
            np.abs(log.time % DAY - 12),
            apart,
            (there + 3 * _POPULAR[log.merchant]) / (count + 3),
            *trades,
            since_last,
            recent,
            recently,
            np.minimum(count, 10),
        ]
    )


def _honest(rng, weeks, level, peak, taste, pace, later):
    """Draw what the holders themselves pay: time, card, amount, merchant, kind."""
    number = rng.poisson(pace * 7 * weeks)
    card = np.repeat(np.arange(len(pace)), number)
    n = len(card)
    day = rng.integers(7 * weeks, size=n)
    hour = rng.normal(peak[card], 2.8) % DAY
    size = rng.normal(level[card], 0.7)
    dear = rng.random(n) < 0.03  # a new bicycle, once in a while
    size = np.where(dear, size + rng.normal(1.8, 0.5, n), size)
    # A card's trades, by inverting the distribution function of each card.
    # All of them at once: card k has the numbers from k to k + 1.
    steps = np.cumsum(taste, axis=1) + np.arange(len(pace))[:, np.newaxis]
    merchant = np.searchsorted(steps.ravel(), card + rng.random(n)) - len(MERCHANTS) * card
    merchant = np.clip(merchant, 0, len(MERCHANTS) - 1)
    digital = merchant == MERCHANTS.index("digital")
    size = np.where(digital, rng.normal(np.log(6), 0.8, n), size)
    time = day * DAY + hour + later * (day // 7) / max(weeks - 1, 1)
    return time, card, np.exp(size), merchant, np.zeros(n, dtype=np.int64)


def _stolen(rng, weeks, cards, n, drift):
    """Draw the fraud: time, card, amount, merchant, kind. An episode is of one card and kind."""
    # Episodes of each kind have about these many payments, see below.
    sizes = np.array([3.5, 1.5, 5.0])
    parts = []
    for week, shares in enumerate(mix(np.arange(weeks), drift)):
        episodes = rng.poisson(shares * n / weeks / sizes)
        for kind, number in enumerate(episodes, start=1):
            parts.extend(_episode(rng, kind, week, cards) for _ in range(number))
    if not parts:
        empty = np.zeros(0)
        return empty, empty.astype(np.int64), empty, empty.astype(np.int64), empty.astype(np.int64)
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _episode(rng, kind, week, cards):
    midnight = (7 * week + rng.integers(7)) * DAY
    if kind == 1:
        n = rng.integers(2, 6)
        times = midnight + rng.uniform(9, 21) + np.sort(rng.uniform(0, 2, n))
        amounts = np.exp(rng.normal(np.log(120), 0.7, n))
        trades = rng.choice([9, 9, 8, 3, 10], n)
    elif kind == 2:
        n = rng.integers(1, 3)
        times = midnight + rng.uniform(0, 5) + np.sort(rng.uniform(0, 1, n))
        amounts = np.exp(rng.normal(np.log(80), 0.7, n))
        trades = rng.choice([10, 10, 10, 9, 6], n)
    else:
        n = rng.integers(3, 8)
        times = midnight + rng.uniform(7, 15) + np.cumsum(rng.uniform(0.5, 5, n))
        amounts = np.exp(rng.normal(np.log(1.8), 0.35, n))
        trades = np.full(n, 11)
    card = np.full(n, rng.integers(cards))
    return times, card, amounts, trades.astype(np.int64), np.full(n, kind)


def _totals(places: tuple[Integers, ...], value: Floats) -> tuple[Floats, Integers]:
    """Add up a number over a card's earlier payments, and count them: two of shape (n,)."""
    order, start, tie = places
    running = np.concatenate([[0.0], np.cumsum(value[order])])
    total, count = np.empty(len(order)), np.empty(len(order), dtype=np.int64)
    total[order], count[order] = running[tie] - running[start], tie - start
    return total, count


def _places(card: NDArray, time: NDArray) -> tuple[Integers, Integers, Integers]:
    """Sort payments by card and time; say where each card, and each tie in time, begins.

    Returns
    -------
    order, start, tie : ndarray of int, shape (n,)
        ``order[i]`` is the row at place i. The card of that row begins at place ``start[i]``, and
        its payments of the same time at place ``tie[i]``.
    """
    if not len(card):
        return (np.zeros(0, dtype=np.int64),) * 3
    order = _by_card(card, time)
    who, when = card[order], time[order]
    place = np.arange(len(order))
    new_card = np.append(True, who[1:] != who[:-1])
    new_time = new_card | np.append(True, when[1:] != when[:-1])
    start = np.maximum.accumulate(np.where(new_card, place, 0))
    tie = np.maximum.accumulate(np.where(new_time, place, 0))
    return order, start, tie


def _by_card(card: NDArray, time: NDArray) -> Integers:
    """Return the rows in the order of cards and, within a card, of time."""
    key = card - card.min()
    if np.any(time[1:] < time[:-1]) or key.max() >= 2**16:
        return np.lexsort((time, card))
    # A log is in the order of time: a stable sort by small numbers is ten times as fast.
    return np.argsort(key.astype(np.uint16), kind="stable")
