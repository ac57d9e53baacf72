from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.data import corpus
from course_lib.data.bpe import BytePairs, merge, pieces

TEXT = "low low low lower lower newest newest newest newest widest widest"


@pytest.fixture(scope="module")
def book():
    return BytePairs.train(corpus.load()[:30_000], merges=200)


@given(st.text(max_size=60))
def test_every_text_comes_back(text):
    text = text.encode(errors="ignore").decode()  # half characters are no text
    tokens = BytePairs.train(TEXT, merges=20)
    assert "".join(pieces(text)) == text
    assert tokens.decode(tokens.encode(text)) == text


def test_the_book_comes_back_shorter(book):
    text = corpus.load()[30_000:60_000]
    assert book.decode(book.encode(text)) == text
    assert len(book.encode(text)) < 0.55 * len(text)


def slowly(text, merges):
    """Count all pairs of all pieces anew for each merge."""
    words, learned = [list(piece.encode()) for piece in pieces(text)], []
    for new in range(256, 256 + merges):
        counts = Counter(pair for word in words for pair in pairwise(word))
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        words = [merge(word, best, new) for word in words]
        learned.append(best)
    return learned, [token for word in words for token in word]


@pytest.mark.parametrize("text", [TEXT, corpus.load()[:3000], "aaaa aaaaa aaa", "a", ""])
def test_merges_are_those_of_counting_anew(text):
    learned, tokens = slowly(text, 60)
    trained = BytePairs.train(text, merges=60)
    assert trained.merges == learned
    assert trained.encode(text) == tokens


def test_the_first_merges_of_a_small_text():
    tokens = BytePairs.train(TEXT, merges=3)
    # "es" and "st" stand 6 times each, and e comes before s.
    assert [tokens.vocabulary[256 + i] for i in range(3)] == [b"es", b"est", b"lo"]


def test_earlier_merges_come_first():
    ab, bc = (ord("a"), ord("b")), (ord("b"), ord("c"))
    assert BytePairs([ab, bc]).encode("abc") == [256, ord("c")]
    assert BytePairs([bc, ab]).encode("abc") == [ord("a"), 256]


def test_pieces_are_not_merged_across(book):
    tokens = [book.vocabulary[token] for token in book.encode("the sum of 1234 networks")]
    assert [t for t in tokens if t.isdigit()] == [b"1", b"2", b"3", b"4"]
    assert not any(b" " in token[1:] for token in book.vocabulary)


def test_half_a_letter_is_marked():
    tokens = BytePairs([])
    assert tokens.decode(tokens.encode("ü")[:1]) == "\ufffd"


def test_a_token_merges_from_left_to_right():
    assert merge([1, 1, 1, 2, 1, 1], (1, 1), 9) == [9, 1, 2, 9]
    assert merge([], (1, 1), 9) == []
