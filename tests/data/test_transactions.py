"""The made bank: what its card says of habits, fraud and labels holds; features see no future."""

import doctest

import numpy as np
import pytest

from course_lib.data import transactions as bank


@pytest.fixture(scope="module")
def log():
    return bank.draw(seed=5, weeks=26, cards=2000)


def test_the_examples_in_the_docstrings():
    assert doctest.testmod(bank).failed == 0


def test_a_seed_gives_the_same_log_and_another_one_another():
    one, again, other = (bank.draw(seed, weeks=2, cards=200) for seed in (3, 3, 4))
    for a, b in zip(one, again, strict=True):
        assert np.array_equal(a, b)
    assert len(one.time) != len(other.time) or not np.array_equal(one.amount, other.amount)


def test_the_log_is_what_it_is_said_to_be(log):
    assert (
        np.all(np.diff(log.time) >= 0) and log.time.min() >= 0 and log.time.max() < 26 * bank.WEEK
    )
    assert np.allclose(log.time * 60, np.round(log.time * 60))
    assert 0.0006 < log.fraud.mean() < 0.0014
    assert len(log.time) / 26 / 2000 == pytest.approx(5, abs=0.3)
    assert log.night_owl.mean() == pytest.approx(0.06, abs=0.02)
    assert log.amount.min() >= 0.5 and log.merchant.max() == len(bank.MERCHANTS) - 1
    assert np.array_equal(np.isinf(log.known), log.fraud == 0)


def test_trades_are_as_common_as_the_features_take_them_to_be(log):
    shares = np.bincount(log.merchant[log.fraud == 0], minlength=12) / np.sum(log.fraud == 0)
    assert shares == pytest.approx(bank._POPULAR, abs=0.02)
    assert bank._POPULAR.sum() == pytest.approx(1)


def test_labels_arrive_two_weeks_late(log):
    late = (log.known - log.time)[log.fraud == 1]
    assert late.min() >= -1 / 60 and late.mean() / bank.WEEK == pytest.approx(2, abs=0.4)


def test_kinds_move_and_stay():
    shares = bank.mix(np.arange(26))
    assert shares.sum(axis=1) == pytest.approx(np.ones(26))
    assert np.array_equal(shares[:15], np.tile(shares[0], (15, 1)))
    assert shares[22:, 2] == pytest.approx(0.6) and shares[0, 2] == 0
    assert np.array_equal(bank.mix([25], drift=0)[0], shares[0])


def test_drift_changes_fraud_alone(log):
    still = bank.draw(seed=5, weeks=26, cards=2000, drift=0)
    for a, b in ((log, still),):
        honest = [bank.take(each, each.fraud == 0) for each in (a, b)]
        for one, other in zip(*honest, strict=True):
            assert np.array_equal(one, other)
    assert not np.any(still.kind == 3)
    late = log.kind[(log.week >= 20) & (log.fraud == 1)]
    assert np.mean(late == 3) > 0.35 and not np.any(log.kind[log.week < 14] == 3)


def test_honest_payments_move_later():
    plain, late = (bank.draw(7, weeks=11, cards=500, drift=0, later=h) for h in (0.0, 5.0))
    for week, hours in ((0, 0.0), (10, 5.0), (5, 2.5)):
        means = []
        for log in (plain, late):
            turn = 2 * np.pi * log.time[(log.week == week) & (log.fraud == 0)] / bank.DAY
            means.append(np.angle(np.exp(1j * turn).mean()) * 24 / (2 * np.pi))
        assert (means[1] - means[0]) % 24 == pytest.approx(hours, abs=0.35)
    assert np.array_equal(plain.time[plain.fraud == 1], late.time[late.fraud == 1])


def by_loops(card, time, value):
    counts, means = [], []
    for c, t in zip(card, time, strict=True):
        past = [v for k, s, v in zip(card, time, value, strict=True) if k == c and s < t]
        counts.append(len(past))
        means.append(np.mean(past) if past else np.nan)
    return np.array(counts), np.array(means)


def test_past_count_and_mean_are_those_of_loops():
    rng = np.random.default_rng(0)
    card, time, value = rng.integers(4, size=60), rng.integers(20, size=60) / 2, rng.normal(size=60)
    count, mean = bank.past_count_and_mean(card, time, value)
    wanted = by_loops(card, time, value)
    assert np.array_equal(count, wanted[0])
    assert np.allclose(mean, wanted[1], equal_nan=True)


def test_features_see_no_future(log):
    some = bank.take(log, log.card < 60)
    X = bank.features(some)
    assert X.shape == (len(some.time), len(bank.FEATURES)) and np.isfinite(X).all()
    for now in (5 * bank.WEEK, 20.5 * bank.WEEK):
        past = some.time < now
        assert np.allclose(bank.features(bank.take(some, past)), X[past])
    # Nor do they see the labels.
    blind = some._replace(kind=np.zeros_like(some.kind), known=np.full_like(some.known, np.inf))
    assert np.array_equal(bank.features(blind), X)


def test_features_by_hand():
    card, amount = np.zeros(4, int), np.array([10.0, 20.0, 40.0, 80.0])
    log = bank.Log(
        np.array([12.0, 30.0, 40.0, 40.0]), card, amount, np.array([0, 0, 9, 0]), card, card,
        np.full(4, np.inf),
    )  # fmt: skip
    X = dict(zip(bank.FEATURES, bank.features(log).T, strict=True))
    assert np.allclose(X["log amount"], np.log(amount))
    assert np.allclose(X["payments so far, up to 10"], [0, 1, 2, 2])
    assert np.allclose(X["payments in the last 24 hours"], [0, 1, 1, 1])
    assert np.allclose(np.expm1(X["log amount of the last 24 hours"]), [0, 10, 20, 20])
    hours = np.exp(X["log hours since the last payment"]) - 0.1
    assert np.allclose(hours, [720, 18, 10, 10])
    assert np.allclose(
        X["share of the trade in the card's past"], [0.27, (1 + 0.81) / 4, 0.09 / 5, (2 + 0.81) / 5]
    )
    assert np.allclose(X["electronics"], [0, 0, 1, 0])
    usual = (3 * np.log(25) + np.log(10)) / 4
    assert X["log amount, against the card's past"][1] == pytest.approx(np.log(20) - usual)
    assert X["hours from the card's usual hour"][0] == pytest.approx(2)
    assert X["hours from noon"][1] == pytest.approx(6)


@pytest.mark.parametrize("wrong", [{"weeks": 0}, {"share": 0.7}, {"drift": 2.0}, {"later": -1.0}])
def test_numbers_that_make_no_sense(wrong):
    with pytest.raises(ValueError, match="must be"):
        bank.draw(0, **wrong)


def test_no_fraud_at_all():
    assert bank.draw(0, weeks=1, cards=50, share=0).fraud.sum() == 0
