"""Rates by group: against Fairlearn, by hand, and thresholds against trying all of them."""

import doctest
import itertools

import numpy as np
import pytest

from course_lib import fairness


def people(n=400, seed=0, groups=("a", "b", "c")):
    rng = np.random.default_rng(seed)
    group = rng.choice(groups, size=n)
    targets = (rng.random(n) < 0.3 + 0.2 * (group == "b")).astype(int)
    scores = np.clip(0.5 * rng.random(n) + 0.3 * targets + 0.2 * rng.random(n), 0, 1)
    return scores.round(2), targets, group


def test_the_examples_in_the_docstrings():
    assert doctest.testmod(fairness).failed == 0


def test_rates_are_fairlearns():
    theirs = pytest.importorskip("fairlearn.metrics")
    metrics = pytest.importorskip("sklearn.metrics")
    scores, targets, group = people()
    answers = (scores > 0.5).astype(int)
    frame = theirs.MetricFrame(
        metrics={
            "count": theirs.count,
            "selection_rate": theirs.selection_rate,
            "accuracy": metrics.accuracy_score,
            "false_positive_rate": theirs.false_positive_rate,
            "false_negative_rate": theirs.false_negative_rate,
            "precision": metrics.precision_score,
        },
        y_true=targets,
        y_pred=answers,
        sensitive_features=group,
    )
    ours = fairness.rates_by_group(answers, targets, group)
    assert list(ours) == ["a", "b", "c"]
    for name, rates in ours.items():
        for rate, value in frame.by_group.loc[name].items():
            assert getattr(rates, rate) == pytest.approx(value), (name, rate)
        assert rates.base_rate == pytest.approx(targets[group == name].mean())
    assert fairness.gap(ours, "accuracy") == pytest.approx(frame.difference()["accuracy"])
    for name in ("equalized_odds_difference", "demographic_parity_difference"):
        expected = getattr(theirs, name)(targets, answers, sensitive_features=group)
        assert getattr(fairness, name)(answers, targets, group) == pytest.approx(expected)


def test_the_larger_gap_of_the_two_error_rates_counts():
    targets, groups = [1, 1, 0, 0] * 2, [0] * 4 + [1] * 4
    assert fairness.equalized_odds_difference([1, 0, 0, 0, 1, 1, 0, 0], targets, groups) == 0.5
    assert fairness.equalized_odds_difference([1, 1, 1, 1, 1, 1, 0, 0], targets, groups) == 1


def test_a_rate_of_nothing_is_nan():
    rates = fairness.rates_by_group([0, 0], [1, 1], ["a", "a"])["a"]
    assert np.isnan(rates.precision)
    assert np.isnan(rates.false_positive_rate)
    assert rates.false_negative_rate == 1


@pytest.mark.parametrize(
    ("answers", "targets", "groups", "match"),
    [
        ([0, 1], [0, 1], ["a"], "one group per sample"),
        ([[0, 1]], [[0, 1]], [["a", "a"]], "shape"),
        ([], [], [], "shape"),
        ([0.3, 1], [0, 1], ["a", "a"], "answers"),
        ([0, 1], [0, 2], ["a", "a"], "targets"),
    ],
)
def test_what_does_not_fit_is_an_error(answers, targets, groups, match):
    with pytest.raises(ValueError, match=match):
        fairness.rates_by_group(answers, targets, groups)


def test_the_identity_of_the_rates():
    scores, targets, group = people(seed=3)
    for rates in fairness.rates_by_group((scores > 0.55).astype(int), targets, group).values():
        implied = fairness.implied_false_positive_rate(
            rates.base_rate, rates.precision, rates.false_negative_rate
        )
        assert implied == pytest.approx(rates.false_positive_rate)


# Calibration --------------------------------------------------------------------------------------


def test_chances_that_come_true_are_calibrated():
    p = np.repeat([0.05, 0.45, 0.85], 20)
    targets = np.concatenate([np.arange(20) < 20 * chance for chance in (0.05, 0.45, 0.85)])
    found = fairness.reliability_of_scores(p, targets.astype(int))
    assert found.confidence == pytest.approx([0.05, 0.45, 0.85])
    assert found.accuracy == pytest.approx([0.05, 0.45, 0.85])
    assert found.count.tolist() == [20, 20, 20]
    assert fairness.calibration_error(p, targets) == pytest.approx(0, abs=1e-12)


def test_an_edge_belongs_to_the_part_below():
    found = fairness.reliability_of_scores([0.0, 0.5, 0.500001, 1.0], [0, 0, 1, 1], bins=2)
    assert found.count.tolist() == [2, 2]
    assert found.accuracy.tolist() == [0, 1]


def test_bins_weigh_as_many_as_they_hold():
    # 0.3 off for one sample, 0.1 off for three.
    assert fairness.calibration_error([0.7, 0.1, 0.1, 0.1], [1, 0, 0, 0]) == pytest.approx(0.15)


def test_logits_are_not_chances():
    with pytest.raises(ValueError, match="sigmoid"):
        fairness.calibration_error([-1.0, 2.0], [0, 1])


# Thresholds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", ["false_positive_rate", "selection_rate"])
@pytest.mark.parametrize("at_most", [0, 0.1, 0.25, 1])
def test_the_lowest_threshold_within_the_limit(rate, at_most):
    scores, targets, group = people(seed=1)
    found = fairness.thresholds_for_rate(scores, targets, group, at_most=at_most, rate=rate)
    for name, threshold in found.items():
        inside = group == name
        tried = np.append(np.unique(scores[inside]), np.inf)
        counted = inside & (targets == 0) if rate == "false_positive_rate" else inside
        allowed = [t for t in tried if np.mean(scores[counted] >= t) <= at_most]
        assert threshold == min(allowed)


def test_limits_and_names_are_looked_at():
    columns = [0.2, 0.8], [0, 1], ["a", "a"]
    with pytest.raises(ValueError, match="at_most"):
        fairness.thresholds_for_rate(*columns, at_most=20)
    with pytest.raises(ValueError, match="rate"):
        fairness.thresholds_for_rate(*columns, at_most=0.2, rate="recall")


@pytest.mark.parametrize("gap", [0, 0.07, 0.2, 1])
@pytest.mark.parametrize("prices", [(1, 1), (5, 1), (1, 3)])
@pytest.mark.parametrize("groups", ["ab", "abc"])
def test_no_choice_within_the_gap_is_cheaper(gap, prices, groups):
    scores, targets, group = people(90, seed=2, groups=list(groups))
    scores = scores.round(1)
    miss, alarm = prices
    thresholds, cost = fairness.thresholds_within(
        scores, targets, group, gap=gap, miss=miss, alarm=alarm
    )
    tried = [-np.inf, *np.unique(scores), np.inf]

    def priced(choice):
        line = np.array([choice[groups.index(name)] for name in group])
        answers = (scores >= line).astype(int)
        rates = fairness.rates_by_group(answers, targets, group)
        price = np.where(targets == 1, miss * (answers == 0), alarm * (answers == 1)).mean()
        return fairness.gap(rates, "false_positive_rate"), price

    best = min(
        price
        for apart, price in map(priced, itertools.product(tried, repeat=len(groups)))
        if apart <= gap + 1e-9
    )
    apart, price = priced([thresholds[name] for name in groups])
    assert apart <= gap + 1e-9
    assert cost == pytest.approx(price)
    assert price == pytest.approx(best)


def test_a_group_needs_somebody_healthy():
    with pytest.raises(ValueError, match="no target 0"):
        fairness.thresholds_within([0.1, 0.2, 0.3], [0, 1, 1], ["a", "b", "b"], gap=0.1)
    with pytest.raises(ValueError, match="gap"):
        fairness.thresholds_within([0.1, 0.2], [0, 0], ["a", "b"], gap=3)
    with pytest.raises(ValueError, match="candidates"):
        fairness.thresholds_within([0.1, 0.9], [0, 0], ["a", "b"], gap=0.1, candidates=[0.5])
