"""Rates, predictive values and net benefit: by counting people, and by scikit-learn."""

import doctest

import numpy as np
import pytest
from sklearn.metrics import recall_score

from course_lib import diagnosis
from course_lib.metrics import auroc


def people(seed, n=200, share=0.3):
    rng = np.random.default_rng(seed)
    ill = (rng.random(n) < share).astype(int)
    risks = np.clip(rng.integers(0, 24, n) + 8 * ill, 0, 32) / 32
    return risks, ill


def test_the_examples_in_the_docstrings():
    result = doctest.testmod(diagnosis)
    assert result.attempted and not result.failed


@pytest.mark.parametrize("seed", range(3))
def test_rates_are_scikit_learns_recalls(seed):
    risks, ill = people(seed)
    answers = (risks >= 0.5).astype(int)
    found = diagnosis.rates(answers, ill)
    assert found.sensitivity == pytest.approx(recall_score(ill, answers))
    assert found.specificity == pytest.approx(recall_score(ill, answers, pos_label=0))
    assert np.isnan(diagnosis.rates([1, 0], [0, 0]).sensitivity)


@pytest.mark.parametrize("prevalence", [0.002, 0.3, 0.9])
def test_predictive_values_count_people(prevalence):
    rng = np.random.default_rng(1)
    n = 400_000
    ill = rng.random(n) < prevalence
    alarm = rng.random(n) < np.where(ill, 0.8, 0.1)
    positive, negative = diagnosis.predictive_values(0.8, 0.9, prevalence)
    assert ill[alarm].mean() == pytest.approx(positive, abs=0.01)
    assert 1 - ill[~alarm].mean() == pytest.approx(negative, abs=0.01)


def test_of_nobody_there_is_no_share():
    assert np.isnan(diagnosis.predictive_values(0.0, 1.0, 0.2).positive)
    assert np.isnan(diagnosis.predictive_values(1.0, 0.0, 0.2).negative)
    assert diagnosis.predictive_values(0.5, 0.5, 0.0).positive == 0.0
    with pytest.raises(ValueError, match="sensitivity must lie between 0 and 1, but is 90"):
        diagnosis.predictive_values(90, 0.9, 0.1)


@pytest.mark.parametrize("seed", range(3))
def test_net_benefit_counts_patients(seed):
    risks, ill = people(seed)
    thresholds = [0.0, 0.125, 0.5, 0.9]
    for t, found in zip(thresholds, diagnosis.net_benefit(risks, ill, thresholds), strict=True):
        gain = sum(1 for p, k in zip(risks, ill, strict=True) if p >= t and k)
        loss = sum(1 for p, k in zip(risks, ill, strict=True) if p >= t and not k)
        assert found == pytest.approx((gain - loss * t / (1 - t)) / len(ill))
    everybody = diagnosis.net_benefit(np.ones(len(ill)), ill, thresholds)
    assert diagnosis.net_benefit_of_all(ill.mean(), thresholds) == pytest.approx(everybody)
    assert not diagnosis.net_benefit(np.zeros(len(ill)), ill, [0.1, 0.9]).any()
    assert diagnosis.net_benefit_of_all(0.25, [0.25])[0] == pytest.approx(0)


def test_net_benefit_at_another_prevalence_is_that_of_people_drawn_there():
    risks, ill = people(5, n=400)
    rng = np.random.default_rng(0)
    drawn = np.concatenate(
        [rng.choice(np.flatnonzero(ill == k), n) for k, n in ((1, 4000), (0, 96_000))]
    )
    wanted = diagnosis.net_benefit(risks[drawn], ill[drawn], [0.2, 0.6])
    found = diagnosis.net_benefit(risks, ill, [0.2, 0.6], prevalence=0.04)
    assert found == pytest.approx(wanted, abs=0.005)
    assert found != pytest.approx(diagnosis.net_benefit(risks, ill, [0.2, 0.6]), abs=0.05)


@pytest.mark.parametrize(
    ("risks", "ill", "thresholds", "said"),
    [
        ([0.5], [0, 1], [0.1], "must both have shape"),
        ([0.5, 0.5], [0, 2], [0.1], "targets must be 0 and 1"),
        ([0.5, 0.5], [0, 1], [1.0], "below 1"),
        ([0.5, 0.5], [0, 1], 0.5, "list of numbers"),
    ],
)
def test_net_benefit_says_what_does_not_fit(risks, ill, thresholds, said):
    with pytest.raises(ValueError, match=said):
        diagnosis.net_benefit(risks, ill, thresholds)


def test_a_class_that_is_missing_cannot_be_weighed():
    with pytest.raises(ValueError, match="Nobody among the targets is ill"):
        diagnosis.net_benefit([0.5], [0], [0.1], prevalence=0.1)
    assert diagnosis.net_benefit([0.5], [0], [0.5]).tolist() == [-1.0]


def test_chances_that_are_moved_are_calibrated_there():
    # One measurement, shifted among the ill: the risk is known at every prevalence.
    z = np.linspace(-3, 4, 50)

    def risk(q):
        ill, healthy = q * np.exp(-((z - 1.5) ** 2) / 2), (1 - q) * np.exp(-(z**2) / 2)
        return ill / (ill + healthy)

    moved = diagnosis.at_prevalence(risk(0.4), old=0.4, new=0.01)
    np.testing.assert_allclose(moved, risk(0.01), rtol=1e-9)
    assert diagnosis.at_prevalence([0.0, 1.0], old=0.4, new=0.01).tolist() == [0.0, 1.0]
    risks, ill = people(2)
    assert auroc(diagnosis.at_prevalence(risks, 0.3, 0.02), ill) == auroc(risks, ill)
    with pytest.raises(ValueError, match="new must lie between 0 and 1"):
        diagnosis.at_prevalence([0.5], old=0.5, new=0.0)
