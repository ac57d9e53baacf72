"""Walks: what is made, what is missing, and that people can be told apart."""

import doctest

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from course_lib.data import walks


def test_examples_and_data_card():
    result = doctest.testmod(walks)
    assert result.attempted and not result.failed
    assert "License" in walks.__doc__ and "faults" in walks.__doc__


def test_a_table_has_the_shapes_it_says():
    table = walks.record(30, 4, seed=1, limping=0.2)
    assert table.person.tolist() == [k for k in range(30) for _ in range(4)]
    assert table.wave.shape == (120, 4 * walks.RATE) and table.wave.dtype == np.float32
    assert len(table.note) == 120
    assert set(table.shoes) == {*walks.SHOES, ""}
    by_person = table.limps.reshape(30, 4)
    assert_array_equal(by_person, by_person[:, :1].repeat(4, axis=1))
    assert by_person[:, 0].sum() == 6


def test_a_share_is_missing_and_the_rest_is_the_same_for_a_person():
    table = walks.record(200, 10, seed=2)
    missing = np.isnan(table.age)
    assert 0.16 < missing.mean() < 0.24
    assert 0.12 < np.mean(table.shoes == "") < 0.18
    for ages in table.age.reshape(200, 10):
        assert len(set(ages[~np.isnan(ages)])) <= 1
    assert np.nanmin(table.age) >= 18 and np.nanmax(table.age) <= 90


def test_a_seed_gives_the_same_walks_and_another_one_others():
    first, again, other = (walks.record(5, 3, seed=seed) for seed in (3, 3, 4))
    for part, same in zip(first, again, strict=True):
        assert_array_equal(part, same)
    assert np.abs(first.wave - other.wave).max() > 0.1


def test_limping_is_half_the_pace():
    # The strength at each frequency, averaged over walks, for one pace: a limp has more below it.
    table = walks.record(400, 2, seed=5)
    strength = np.abs(np.fft.rfft(table.wave * np.hanning(4 * walks.RATE), axis=1)) ** 2
    hertz = np.fft.rfftfreq(4 * walks.RATE, 1 / walks.RATE)
    below = strength[:, (hertz > 0.6) & (hertz < 1.2)].sum(axis=1)
    assert np.median(below[table.limps == 1]) > 3 * np.median(below[table.limps == 0])


def test_notes_say_something_and_are_untidy():
    table = walks.record(300, 5, seed=6)
    tells = np.array(["uneven" in n.lower() or "favors" in n.lower() for n in table.note])
    assert table.limps[tells].mean() > 0.65
    assert any(note.isupper() for note in table.note) and any("." in note for note in table.note)
    assert any(note.islower() for note in table.note)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_lies_between_0_and_1(share):
    with pytest.raises(ValueError, match="share from 0 to 1"):
        walks.record(10, 1, seed=0, limping=share)
