"""The two made clinics: what is said of them holds, and nothing else differs."""

import doctest

import numpy as np
import pytest

from course_lib.data import clinics


def test_the_examples_in_the_docstrings():
    assert doctest.testmod(clinics).failed == 0


def test_the_base_rates_are_what_they_are_said_to_be():
    _, clinic, ill = clinics.draw(40_000, seed=1)
    assert clinic.mean() == pytest.approx(0.5, abs=0.01)
    for k, rate in enumerate(clinics.BASE_RATES):
        assert ill[clinic == k].mean() == pytest.approx(rate, abs=0.015)


def test_measurements_depend_on_the_illness_and_not_on_the_clinic():
    X, clinic, ill = clinics.draw(40_000, seed=2)
    for sick in (0, 1):
        for k in (0, 1):
            chosen = X[(ill == sick) & (clinic == k)]
            assert chosen.mean(axis=0) == pytest.approx(sick * np.array(clinics.SHIFTS), abs=0.05)
            assert chosen.std(axis=0) == pytest.approx([1, 1], abs=0.03)
            assert np.corrcoef(chosen.T)[0, 1] == pytest.approx(0, abs=0.05)


def test_a_seed_gives_the_same_patients():
    for one, other in zip(clinics.draw(50, 3), clinics.draw(50, 3), strict=True):
        assert np.array_equal(one, other)
    assert not np.array_equal(clinics.draw(50, 3).X, clinics.draw(50, 4).X)
