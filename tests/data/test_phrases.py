"""Numbers and dates in words: counted, read back by another rule, and never twice."""

import doctest
from datetime import date, timedelta

import pytest

from course_lib.data import phrases

ONES = {word: n for n, word in enumerate(phrases._ONES)}
TENS = {word: 10 * n for n, word in enumerate(phrases._TENS, start=2)}


def test_examples():
    result = doctest.testmod(phrases)
    assert result.attempted and not result.failed


def heard(text):
    """Read a number back: words add up, hundred and thousand multiply what came before."""
    total = part = 0
    for word in text.split():
        if word == "thousand":
            total, part = total + 1000 * part, 0
        elif word == "hundred":
            part *= 100
        elif word != "and":
            part += ONES[word] if word in ONES else TENS[word]
    return total + part


@pytest.mark.parametrize("american", [True, False])
def test_every_number_can_be_read_back(american):
    said = [phrases.say_number(n, american=american) for n in range(10_000)]
    assert [heard(text) for text in said] == list(range(10_000))
    assert len(set(said)) == 10_000
    assert any(" and " in text for text in said) != american


def test_numbers_out_of_range_are_refused():
    for n in (-1, 10_000):
        with pytest.raises(ValueError, match="from 0 to 9,999"):
            phrases.say_number(n)
    for year in (1099, 2100):
        with pytest.raises(ValueError, match="from 1100 to 2099"):
            phrases.say_year(year)


def test_every_year_can_be_read_back():
    for year in range(1100, 2100):
        assert heard(phrases.say_year(year, in_full=True)) == year
        words = phrases.say_year(year).replace(" oh ", " ").split()
        if "thousand" in words or "hundred" in words:
            assert heard(" ".join(words)) == year
        else:
            halves = [heard(" ".join(words[:k])) * 100 + heard(" ".join(words[k:])) for k in (1, 2)]
            assert year in halves


def test_each_way_says_all_of_the_date_and_each_word_has_its_field():
    for k in range(0, 36_000, 71):
        day = date(1950, 1, 1) + timedelta(days=k)
        said = [phrases.say_date(day, way) for way in range(phrases.WAYS)]
        texts = [text for text, _ in said]
        # Two ways of saying 2000 are the same; otherwise all differ.
        assert len(set(texts)) == (9 if day.year == 2000 else 18)
        for way, (text, fields) in enumerate(said):
            words = text.split()
            assert len(words) == len(fields)
            parts = {
                f: " ".join(w for w, g in zip(words, fields, strict=True) if g == f) for f in "ymd"
            }
            assert parts["y"] == phrases.say_year(day.year, in_full=bool(way % 2))
            assert phrases._MONTHS.index(parts["m"]) == day.month - 1
            assert parts["d"] == phrases._say_day(day.day)
            short, _ = phrases.say_date(day, way, with_year=False)
            assert text.startswith(f"{short} ")


def test_all_days_of_a_month_are_said_differently():
    assert len({phrases._say_day(day) for day in range(1, 32)}) == 31


def test_there_are_eighteen_ways():
    for way in (-1, 18):
        with pytest.raises(ValueError, match="from 0 to 17"):
            phrases.say_date(date(2021, 3, 23), way)


def test_pairs_belong_together_and_come_once():
    made = phrases.numbers(3000, seed=1)
    assert len(set(made.written)) == 3000
    assert all(heard(s) == int(w.replace(" ", "")) for s, w in zip(*made, strict=True))
    assert 0.4 < sum(" and " in text for text in made.said) / 3000 < 0.6
    days = phrases.dates(2000, seed=1, omit=0.25, since=2000)
    assert len(set(days.written)) == 2000
    short = 0
    for said, written in zip(*days, strict=True):
        day = date.fromisoformat(written.replace(" ", ""))
        assert 2000 <= day.year <= 2049
        ways = {phrases.say_date(day, way)[0] for way in range(18)}
        without = {phrases.say_date(day, way, with_year=False)[0] for way in range(18)}
        assert said in ways | without
        short += said in without
    assert 0.2 < short / 2000 < 0.3
    assert phrases.dates(50, seed=2) == phrases.dates(50, seed=2) != phrases.dates(50, seed=3)
