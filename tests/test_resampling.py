"""Intervals and tests by drawing again: against SciPy, closed forms, and what they promise."""

import doctest
import itertools

import numpy as np
import pytest
from scipy import stats

from course_lib import resampling


def rng(seed=0):
    return np.random.default_rng(seed)


def test_the_examples_in_the_docstrings():
    assert doctest.testmod(resampling).failed == 0


# Errors of a mean ---------------------------------------------------------------------------------


def test_the_standard_error_is_scipys():
    values = rng().normal(size=17)
    assert resampling.standard_error(values) == pytest.approx(stats.sem(values))


def test_one_value_has_no_standard_error():
    with pytest.raises(ValueError, match="at least two"):
        resampling.standard_error([3.0])


@pytest.mark.parametrize(("right", "n"), [(0, 7), (7, 7), (3, 7), (93, 100), (1, 1)])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_wilson_is_scipys(right, n, level):
    theirs = stats.binomtest(right, n).proportion_ci(level, method="wilson")
    estimate, low, high = resampling.wilson(right, n, level)
    assert estimate == right / n
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert low <= estimate <= high


@pytest.mark.parametrize(("right", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_wilson_wants_a_share(right, n):
    with pytest.raises(ValueError, match="no share"):
        resampling.wilson(right, n)


@pytest.mark.parametrize("level", [0, 1, 95])
def test_a_level_is_a_share(level):
    with pytest.raises(ValueError, match="level"):
        resampling.wilson(3, 5, level)
    with pytest.raises(ValueError, match="level"):
        resampling.bootstrap([1.0, 2.0], rng=rng(), level=level)


# The bootstrap ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["percentile", "bca"])
@pytest.mark.parametrize("statistic", [np.mean, np.median, np.std])
def test_the_bootstrap_is_scipys(method, statistic):
    values = rng(1).exponential(size=80)
    theirs = stats.bootstrap(
        (values,),
        statistic,
        n_resamples=20_000,
        method={"bca": "BCa"}.get(method, method),
        rng=rng(2),
    ).confidence_interval
    estimate, low, high = resampling.bootstrap(
        values, statistic, rng=rng(3), times=20_000, method=method
    )
    assert estimate == statistic(values)
    width = theirs.high - theirs.low
    assert low == pytest.approx(theirs.low, abs=0.04 * width)
    assert high == pytest.approx(theirs.high, abs=0.04 * width)


def test_bca_is_another_interval_where_the_sample_is_skewed():
    values = rng(1).exponential(size=40) ** 2
    plain = resampling.bootstrap(values, rng=rng(3), times=20_000)
    corrected = resampling.bootstrap(values, rng=rng(3), times=20_000, method="bca")
    width = plain.high - plain.low
    assert corrected.low > plain.low + 0.04 * width
    assert corrected.high > plain.high + 0.08 * width


def test_bca_of_a_sample_without_a_spread_is_a_point():
    assert resampling.bootstrap(np.ones(9), rng=rng(), method="bca") == (1, 1, 1)


def test_the_bootstrap_of_shares_is_a_binomial():
    right = np.arange(60) < 51
    _, low, high = resampling.bootstrap(right, rng=rng(), times=40_000)
    expected = stats.binom.ppf([0.025, 0.975], 60, 51 / 60) / 60
    assert (low, high) == pytest.approx(expected, abs=1 / 60 + 1e-9)


def test_the_same_generator_gives_the_same_interval():
    values = rng().normal(size=30)
    assert resampling.bootstrap(values, rng=rng(5)) == resampling.bootstrap(values, rng=rng(5))
    assert resampling.bootstrap(values, rng=rng(5)) != resampling.bootstrap(values, rng=rng(6))


def test_a_higher_level_is_a_wider_interval():
    values = rng().normal(size=30)
    wide, narrow = (resampling.bootstrap(values, rng=rng(5), level=x) for x in (0.99, 0.5))
    assert wide.low < narrow.low < narrow.high < wide.high


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"times": 0}, "times"),
        ({"method": "basic"}, "method"),
        ({"method": "bca", "groups": [0, 0, 1]}, "groups"),
        ({"groups": [0, 1]}, "groups"),
    ],
)
def test_what_makes_no_sense_is_an_error(options, match):
    with pytest.raises(ValueError, match=match):
        resampling.bootstrap([1.0, 2.0, 3.0], rng=rng(), **options)


@pytest.mark.parametrize("values", [[], [[1.0, 2.0]], 3.0])
def test_a_sample_is_one_row_of_values(values):
    with pytest.raises(ValueError, match="one-dimensional"):
        resampling.bootstrap(values, rng=rng())


def test_nan_is_not_a_value():
    with pytest.raises(ValueError, match="nan"):
        resampling.bootstrap([1.0, np.nan], rng=rng())


# Units --------------------------------------------------------------------------------------------


def test_rows_of_a_unit_are_drawn_together():
    groups = np.array(["b", "a", "b", "c", "a", "b"])
    counts = resampling.resample(6, 500, rng(), groups)
    assert counts.shape == (500, 6)
    assert np.array_equal(counts[:, [0, 0]], counts[:, [2, 5]])
    assert np.array_equal(counts[:, 1], counts[:, 4])
    # As many units as there are, each as often as the others.
    assert np.all(counts[:, [0, 1, 3]].sum(axis=1) == 3)
    assert counts.mean(axis=0) == pytest.approx(np.ones(6), abs=0.15)


def test_without_groups_each_row_is_a_unit():
    counts = resampling.resample(5, 300, rng())
    assert np.all(counts.sum(axis=1) == 5)
    assert (counts[:, 0] != counts[:, 1]).any()


def test_groups_of_equal_rows_are_as_good_as_their_number():
    # Ten copies of each of 25 values tell as much as the 25.
    values = rng().normal(size=25)
    groups = np.repeat(np.arange(25), 10)
    _, low, high = resampling.bootstrap(np.repeat(values, 10), rng=rng(1), groups=groups)
    _, once_low, once_high = resampling.bootstrap(values, rng=rng(2), times=20_000)
    _, rows_low, rows_high = resampling.bootstrap(np.repeat(values, 10), rng=rng(3))
    width = once_high - once_low
    assert high - low == pytest.approx(width, rel=0.1)
    assert rows_high - rows_low < 0.4 * width


def test_a_statistic_sees_all_rows_of_the_units():
    lengths = []

    def note(samples, axis):
        lengths.append(samples.shape[axis])
        return np.mean(samples, axis=axis)

    resampling.bootstrap(np.arange(4.0), note, rng=rng(), times=50, groups=[0, 0, 0, 1])
    assert set(lengths) <= {2, 4, 6}
    assert len(set(lengths)) == 3


def test_intervals_cover_as_often_as_they_promise():
    g = rng(7)
    hits = np.mean(
        [
            low <= 0 <= high
            for _, low, high in (
                resampling.bootstrap(g.normal(size=60), rng=g, level=0.9, times=500)
                for _ in range(800)
            )
        ]
    )
    # The error of 800 trials is 1 point, and the percentile interval of 60 is a little narrow.
    assert 0.85 < hits < 0.93


# Pairs --------------------------------------------------------------------------------------------


def test_the_paired_interval_is_that_of_the_differences():
    a, b = rng().normal(size=(2, 40))
    got = resampling.paired_bootstrap(a, b, rng=rng(1))
    assert got == resampling.bootstrap(a - b, rng=rng(1))
    groups = np.arange(40) // 4
    assert resampling.paired_bootstrap(a, b, rng=rng(1), groups=groups) == resampling.bootstrap(
        a - b, rng=rng(1), groups=groups
    )


def test_pairs_take_out_what_they_share():
    hard = rng().normal(0, 5, size=50)
    a, b = hard + 1 + rng(1).normal(size=50), hard + rng(2).normal(size=50)
    _, low, high = resampling.paired_bootstrap(a, b, rng=rng(3))
    assert 0 < low < 1 < high < 2
    assert resampling.sign_flip_test(a, b, rng=rng(4)) < 0.01
    assert resampling.permutation_test(a, b, rng=rng(5), times=999) > 0.1


def test_pairs_must_be_pairs():
    with pytest.raises(ValueError, match="permutation_test"):
        resampling.paired_bootstrap([1.0, 2.0], [1.0, 2.0, 3.0], rng=rng())
    with pytest.raises(ValueError, match="pairs"):
        resampling.sign_flip_test([1.0, 2.0], [1.0], rng=rng())


@pytest.mark.parametrize("seed", range(4))
def test_flipping_few_signs_is_exact(seed):
    a, b = rng(seed).integers(0, 5, size=(2, 8))
    theirs = stats.permutation_test(
        (a, b), lambda x, y, axis: np.mean(x - y, axis=axis), permutation_type="samples"
    ).pvalue
    assert resampling.sign_flip_test(a, b, rng=rng()) == pytest.approx(theirs)


def test_flipping_many_signs_is_drawn():
    a = rng(3).normal(0.35, 1, size=40)
    theirs = stats.ttest_1samp(a, 0).pvalue
    drawn = resampling.sign_flip_test(a, np.zeros(40), rng=rng(1), times=40_000)
    assert drawn == pytest.approx(theirs, abs=0.01)
    assert 0.005 < drawn < 0.2


def test_a_p_value_is_never_zero_and_equal_models_get_one():
    assert resampling.sign_flip_test(np.ones(50), np.zeros(50), rng=rng(), times=99) == 0.01
    assert resampling.sign_flip_test([1.0, 2.0], [1.0, 2.0], rng=rng()) == 1
    assert resampling.permutation_test([1.0] * 9, [1.0] * 9, rng=rng(), times=99) == 1


def test_units_are_flipped_together():
    # Twelve rows of three units: 2 ** 3 exchanges, of which 2 are as extreme.
    groups = np.repeat(["a", "b", "c"], 4)
    p = resampling.sign_flip_test(np.ones(12), np.zeros(12), rng=rng(), groups=groups)
    assert p == 2 / 8


def test_p_values_of_equal_models_are_below_five_percent_five_times_in_a_hundred():
    g = rng(9)
    for test in (resampling.sign_flip_test, resampling.permutation_test):
        p = [test(*g.normal(size=(2, 15)), rng=g, times=199) for _ in range(1000)]
        assert 0.03 < np.mean(np.array(p) <= 0.05) < 0.075


@pytest.mark.parametrize("sizes", [(4, 4), (3, 5)])
def test_dealing_anew_is_scipys(sizes):
    a, b = rng(1).normal(size=sizes[0]), rng(2).normal(1, 1, size=sizes[1])
    both, n = np.concatenate([a, b]), len(a)
    deals = [
        both[list(chosen)].mean() - np.delete(both, chosen).mean()
        for chosen in itertools.combinations(range(len(both)), n)
    ]
    exact = np.mean(np.abs(deals) >= abs(a.mean() - b.mean()) - 1e-12)
    theirs = stats.permutation_test(
        (a, b), lambda x, y, axis: np.mean(x, axis=axis) - np.mean(y, axis=axis)
    ).pvalue
    ours = resampling.permutation_test(a, b, rng=rng(), times=40_000)
    assert ours == pytest.approx(exact, abs=0.012)
    if sizes[0] == sizes[1]:  # SciPy doubles the smaller tail, which is the same where they mirror.
        assert ours == pytest.approx(theirs, abs=0.012)


# Many tests ---------------------------------------------------------------------------------------


def test_holm_by_hand():
    assert resampling.holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx(
        [0.03, 0.06, 0.06, 0.02]
    )
    assert resampling.holm([0.9, 0.8]).tolist() == [1, 1]
    assert resampling.holm([0.2]).tolist() == [0.2]


def test_holm_rejects_what_stepping_down_rejects():
    g = rng(3)
    for _ in range(50):
        p = g.random(6) ** 3
        rejected = np.zeros(6, dtype=bool)
        for step, i in enumerate(np.argsort(p)):
            if p[i] > 0.05 / (6 - step):
                break
            rejected[i] = True
        assert np.array_equal(resampling.holm(p) <= 0.05, rejected)


@pytest.mark.parametrize("p", [[], [0.5, 1.2], [-0.1]])
def test_holm_wants_p_values(p):
    with pytest.raises(ValueError, match="one-dimensional|p values"):
        resampling.holm(p)
