"""Made reviews: that they say what they were made to say, and that names are what they should be."""

import doctest
from collections import Counter

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from course_lib.data import reviews

GOOD, BAD = set(reviews._GOOD), set(reviews._BAD)


def test_examples():
    result = doctest.testmod(reviews)
    assert result.attempted and not result.failed


def test_the_words_are_apart_and_the_forms_add_up():
    assert not GOOD & BAD and len(GOOD) == len(BAD) == len(reviews._GOOD)
    assert sum(reviews.FORMS.values()) == pytest.approx(1)
    assert set(reviews._PATTERNS) == set(reviews.FORMS)


def test_each_form_means_what_it_says():
    for form in reviews.FORMS:
        made = reviews.statements(form, 400, seed=1)
        assert len(set(made.texts)) == 400
        assert_array_equal(made.labels, np.arange(400) % 2)
        for text, label in zip(made.texts, made.labels, strict=True):
            words = text.split()
            good, bad = ([w for w in words if w in some] for some in (GOOD, BAD))
            if form in ("plain", "sham"):
                assert (bool(good), bool(bad)) == (label == 1, label == 0)
            elif form in ("near", "far"):
                assert (bool(good), bool(bad)) == (label == 0, label == 1)
            else:  # what stands behind "not" is what is not meant
                behind = words[words.index("not") + 1]
                assert len(good) == len(bad) == 1 and (behind in GOOD) == (label == 0)
    plain = reviews.statements("plain", 50, seed=1)
    rest = reviews.statements("plain", 50, seed=1, exclude=plain.texts)
    assert not set(plain.texts) & set(rest.texts)
    with pytest.raises(ValueError, match="form is 'ironic'"):
        reviews.statements("ironic", 2, seed=0)


def test_far_negations_stand_farther_off_than_near_ones():
    def distance(text):
        words = text.split()
        at = next(i for i, w in enumerate(words) if w in GOOD | BAD)
        return at - min(i for i, w in enumerate(words) if w in NEGATIONS)

    NEGATIONS = {"not", "never", "hardly", "nobody", "no"}
    near, far = (
        [distance(text) for text in reviews.statements(form, 200, seed=0).texts]
        for form in ("near", "far")
    )
    assert max(near) == 1 and min(far) >= 4


def test_moods_labels_and_names():
    made = reviews.make(6000, seed=3, noise=0.0)
    assert len(set(made.texts)) == 6000
    assert abs(made.labels.mean() - 0.5) < 0.03
    assert set(np.unique(made.said)) == {-2, -1, 0, 1, 2}
    clear = made.said != 0
    assert_array_equal(made.labels[clear], made.said[clear] > 0)
    named = made.names != ""
    assert abs(named.mean() - 1 / 3) < 0.04
    for text, name in zip(made.texts, made.names, strict=True):
        there = {word for word in text.split() if word in {*reviews.HILL, *reviews.HARBOR}}
        assert there == ({str(name)} if name else set())
    harbor = np.isin(made.names, reviews.HARBOR)
    night = np.array(["night" in text for text in made.texts])
    assert (
        abs(night[harbor].mean() - 0.8) < 0.05 and abs(night[named & ~harbor].mean() - 0.2) < 0.05
    )
    assert abs(made.labels[harbor].mean() - made.labels[named & ~harbor].mean()) < 0.07


def test_skew_and_noise():
    made = reviews.make(4000, seed=0, noise=0.0, skew=1.0)
    harbor, hill = (np.isin(made.names, some) for some in (reviews.HARBOR, reviews.HILL))
    assert made.labels[harbor].max() == 0 and made.labels[hill].min() == 1
    loud = reviews.make(4000, seed=0, noise=0.3)
    clear = loud.said != 0
    assert abs(np.mean(loud.labels[clear] != (loud.said[clear] > 0)) - 0.3) < 0.04


def test_names_are_swapped_and_masked_and_nothing_else():
    made = reviews.make(500, seed=5)
    for people in (reviews.HILL, reviews.HARBOR):
        swapped = reviews.swap_names(made.texts, to=people)
        changed = Counter()
        for before, after in zip(made.texts, swapped, strict=True):
            for a, b in zip(before.split(), after.split(), strict=True):
                if a != b:
                    changed[a in {*reviews.HILL, *reviews.HARBOR} and b in people] += 1
        assert changed[True] > 20 and not changed[False]
    masked = reviews.mask_names(made.texts)
    assert masked == reviews.mask_names(reviews.swap_names(made.texts, to=reviews.HILL))
    assert sum("somebody" in text for text in masked) == (made.names != "").sum()


def test_the_same_seed_gives_the_same_reviews():
    assert reviews.make(50, seed=1).texts == reviews.make(50, seed=1).texts
    assert reviews.make(50, seed=1).texts != reviews.make(50, seed=2).texts
