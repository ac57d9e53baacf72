import numpy as np
import pytest

from course_lib.data import sums


def test_pairs_are_divided_and_none_is_lost():
    train, held_out = sums.split()
    assert train.shape == (7290, 2) and held_out.shape == (810, 2)
    pairs = {tuple(pair) for pair in np.concatenate([train, held_out]).tolist()}
    assert pairs == {(a, b) for a in range(10, 100) for b in range(10, 100)}


def test_both_parts_are_alike():
    train, held_out = sums.split()
    assert np.abs(train.mean(axis=0) - held_out.mean(axis=0)).max() < 3
    assert not np.array_equal(sums.split(seed=1)[1], held_out)


def test_every_right_reply_is_read_as_right():
    for pair in ((47, 38), (10, 10), (99, 99)):
        assert len(sums.question(pair)) == 15
        for kind in sums.REPLIES:
            reply = sums.reply(pair, kind)
            assert sums.read(reply, pair) == (kind, kind != "unsure")
            assert sums.read(reply + "What is 1", pair) == (kind, kind != "unsure")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("86.\n", "plain"),
        ("085.\n", "plain"),
        ("85.", "other"),
        ("85. 86.\n", "other"),
        (".\n", "plain"),
        ("It is 85.\n", "other"),
        ("", "other"),
        ("Not sure. 85.\n", "other"),
        ("\n85.\n", "other"),
    ],
)
def test_wrong_replies_are_not(text, kind):
    assert sums.read(text, (47, 38)) == (kind, False)


def test_a_kind_that_is_none_is_refused():
    with pytest.raises(ValueError, match="plain, unsure"):
        sums.reply((47, 38), "loud")
