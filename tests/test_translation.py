"""Search and scores of translations: against sacrebleu, against all translations, and by hand."""

import doctest
import itertools
import math

import numpy as np
import pytest
import sacrebleu
from numpy.testing import assert_allclose, assert_array_equal

from course_lib import translation
from course_lib.translation import END, PAD, START, UNKNOWN, Words


def test_examples():
    result = doctest.testmod(translation)
    assert result.attempted and not result.failed


# Words --------------------------------------------------------------------------------------------


def test_words_come_back():
    words = Words(["the soup was cold", "was the fish good"])
    tokens = words.encode(["the fish was cold", "good"])
    assert tokens.dtype == np.int64 and tokens.shape == (2, 6)
    assert_array_equal(tokens[:, 0], START)
    assert tokens[1].tolist()[2:] == [END, PAD, PAD, PAD]
    assert [words.decode(row) for row in tokens] == ["the fish was cold", "good"]
    bare = words.encode(["the fish was cold", "good"], ends=False)
    assert_array_equal(bare[0], tokens[0, 1:-1])
    assert bare[1].tolist()[1:] == [PAD] * 3


def test_words_that_are_new_are_unknown_and_no_text_is_no_rows():
    words = Words(["a b"])
    assert words.encode(["a z"], ends=False)[0].tolist() == [4, UNKNOWN]
    assert words.encode([]).shape == (0, 0)
    assert words.decode([4, 5, END, 4]) == "a b"


# Search -------------------------------------------------------------------------------------------


def by_prefix(seed, vocabulary=4):
    """Log-probabilities that depend on every token of a prefix."""

    def next_token(prefixes):
        rows = []
        for prefix in prefixes:
            rng = np.random.default_rng([seed, len(prefix), *prefix])
            rows.append(np.log(rng.dirichlet(np.ones(vocabulary))))
        return np.array(rows)

    return next_token


def everything(next_token, longest, start=0, end=1, vocabulary=4):
    """All translations of up to `longest` tokens, with their log-probabilities."""
    words = [token for token in range(vocabulary) if token != end]
    found = []
    for length in range(longest + 1):
        for text in itertools.product(words, repeat=length):
            steps = [[start, *text[:k]] for k in range(length + 1)]
            p = sum(next_token([s])[0][t] for s, t in zip(steps, text, strict=False))
            if length < longest:
                found.append((p + next_token([steps[-1]])[0][end], list(text), length + 1))
            else:
                found.append((p, list(text), length))
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_wide_beam_finds_everything_in_order(seed, alpha):
    every = everything(by_prefix(seed), 3)
    beam = translation.beam_search(by_prefix(seed), 0, 1, 3, size=1000, alpha=alpha)
    ranked = sorted(((p / n**alpha, text) for p, text, n in every), reverse=True)
    assert [h.tokens for h in beam] == [text for _, text in ranked]
    assert_allclose([h.score for h in beam], [score for score, _ in ranked])
    assert math.fsum(np.exp([h.log_probability for h in beam])) == pytest.approx(1)


@pytest.mark.parametrize("seed", range(6))
def test_greedy_takes_the_likeliest_and_a_beam_is_no_less_likely_when_it_is_wide(seed):
    next_token = by_prefix(seed)
    tokens = [0]
    for _ in range(5):
        tokens.append(int(next_token([tokens])[0].argmax()))
        if tokens[-1] == 1:
            break
    found = translation.greedy_search(next_token, 0, 1, 5)
    assert found.tokens == [token for token in tokens[1:] if token != 1]
    wide = translation.beam_search(next_token, 0, 1, 5, size=1000)
    assert wide[0].log_probability >= found.log_probability
    assert len(translation.beam_search(next_token, 0, 1, 5, size=3)) <= 3


def test_sizes_below_one_are_refused():
    for size, longest in ((0, 3), (2, 0)):
        with pytest.raises(ValueError, match="expected 1 or more"):
            translation.beam_search(by_prefix(0), 0, 1, longest, size=size)


# Scores -------------------------------------------------------------------------------------------


def sentences(rng, n, low, high):
    return [
        " ".join(rng.choice(["ab", "abc", "bca", "dd", "e"], rng.integers(low, high)))
        for _ in range(n)
    ]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("many", [1, 3])
def test_scores_are_those_of_sacrebleu(seed, many):
    rng = np.random.default_rng(seed)
    made = sentences(rng, 30, 1, 12)
    streams = [sentences(rng, 30, 2, 14) for _ in range(many)]
    known = list(zip(*streams, strict=True))
    theirs = sacrebleu.corpus_bleu(made, streams, tokenize="none", smooth_method="none")
    assert translation.bleu(made, known) == pytest.approx(theirs.score)
    assert translation.chrf(made, known) == pytest.approx(
        sacrebleu.corpus_chrf(made, streams).score
    )
    for n in (1, 2):
        metric = sacrebleu.BLEU(tokenize="none", smooth_method="none", max_ngram_order=n)
        ours = translation.bleu(made, known, n)
        assert ours == pytest.approx(metric.corpus_score(made, streams).score)
        metric = sacrebleu.CHRF(char_order=n, beta=3)
        ours = translation.chrf(made, known, n, beta=3)
        assert ours == pytest.approx(metric.corpus_score(made, streams).score)


def test_scores_at_the_edges():
    assert translation.bleu([""], [["a b"]]) == 0 == translation.chrf([""], [["a"]])
    assert translation.chrf(["ab"], [["cd"]]) == 0
    assert translation.bleu(["a b"], [["a b"]]) == 0  # no runs of three or four words at all
    assert translation.bleu(["a b"], [["a b"]], 2) == 100


@pytest.mark.parametrize("score", [translation.bleu, translation.chrf])
def test_references_in_another_form_are_refused(score):
    for made, known in ((["a"], []), (["a"], [[]]), (["a", "b"], [["a"]])):
        with pytest.raises(ValueError, match="expected one list of one or more"):
            score(made, known)
    for made, known in (("a", [["a"]]), (["a"], ["a"])):
        with pytest.raises(ValueError, match="expected a list of translations"):
            score(made, known)
