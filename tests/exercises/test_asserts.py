"""The comparisons that test cells use: what they accept, and what they tell a student."""

import numpy as np
import pytest
import torch

from course_lib.exercises import asserts
from course_lib.exercises.asserts import (
    CheckFailed,
    assert_close,
    assert_equal,
    assert_finite,
    assert_raises,
    assert_shape,
    assert_true,
    given,
    probe,
)


def message(check, *args, **kwargs):
    with pytest.raises(CheckFailed) as caught:
        check(*args, **kwargs)
    return str(caught.value)


@pytest.mark.parametrize(
    "got",
    [
        [1.0, 2.0],
        (1, 2),
        np.array([1, 2], dtype=np.int8),
        np.array([1, 2], dtype=np.float16),
        torch.tensor([1.0, 2.0], requires_grad=True),
        torch.tensor([1.0, 2.0], dtype=torch.bfloat16),
    ],
)
def test_close_takes_any_kind_of_numbers(got):
    assert_close(got, [1.0, 2.0])


def test_close_names_what_came_what_was_expected_and_the_hint():
    told = message(assert_close, 0.5, 0.25, what="slope(0)", hint="Multiply both factors.")
    assert told == "slope(0)\n  came      0.5\n  expected  0.25\nHint: Multiply both factors."


def test_close_says_where_large_arrays_differ():
    wanted = np.zeros((3, 4))
    came = wanted.copy()
    came[1, 2] = came[2, 3] = 7
    told = message(assert_close, came, wanted)
    assert "at [1, 2]: came 7, expected 0" in told
    assert "at [2, 3]: came 7, expected 0" in told


def test_close_counts_the_differences_that_it_does_not_show():
    assert "and 7 more of 10 differ" in message(assert_close, np.ones(10), np.zeros(10))


def test_close_checks_the_shape_before_values():
    told = message(assert_close, np.ones((2, 1)), np.ones(2))
    assert "came      shape (2, 1)" in told
    assert "expected  shape (2,)" in told


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_close_refuses_what_is_not_finite(bad):
    assert "expected" in message(assert_close, [bad, 1.0], [1.0, 1.0])


def test_close_wants_the_same_infinity_and_nan():
    assert_close([np.inf, -np.inf, np.nan], [np.inf, -np.inf, np.nan])
    message(assert_close, [np.inf], [-np.inf])
    message(assert_close, [0.0], [np.nan])


def test_close_tolerates_as_numpy_does():
    assert_close(1.0 + 9e-7, 1.0)
    message(assert_close, 1.0 + 2e-6, 1.0)
    assert_close(1e-9, 0.0)
    message(assert_close, 2e-8, 0.0)


@pytest.mark.parametrize(
    ("got", "told"),
    [
        (None, "does the function end in a return"),
        ("0.5", "expected  numbers"),
        ([[1], [1, 2]], "expected  numbers"),
        (lambda: 1, "expected  numbers"),
    ],
)
def test_close_says_when_no_numbers_came(got, told):
    assert told in message(assert_close, got, 0.5)


def test_close_survives_objects_that_claim_to_equal_everything():
    class Yes:
        def __eq__(self, other):
            return True

        def __array__(self, dtype=None, copy=None):
            return np.array([0.0])

    message(assert_close, Yes(), [1.0])


def test_equal():
    assert_equal(["a"], ["a"])
    assert_equal(np.int64(3), 3)
    assert_equal(torch.tensor(3), 3)
    assert_equal(np.array([True, False]), np.array([True, False]))
    assert "came      2" in message(assert_equal, 2, 3)
    assert "at [6]: came 1, expected 0" in message(
        assert_equal, np.eye(7, dtype=int)[6], np.zeros(7, dtype=int)
    )


def test_equal_survives_values_that_cannot_be_compared():
    class Odd:
        def __eq__(self, other):
            raise ValueError("no")

        def __repr__(self):
            raise RuntimeError("no")

    assert "RuntimeError" in message(assert_equal, Odd(), 3)


def test_true_says_which_statement_does_not_hold():
    assert_true(np.bool_(True))
    told = message(assert_true, False, what="The loss goes down", hint="Check the sign.")
    assert told == "The loss goes down does not hold\nHint: Check the sign."


def test_shape_and_finite():
    assert_shape(torch.zeros(2, 3), (2, 3))
    assert "shape (3, 2)" in message(assert_shape, np.zeros((3, 2)), (2, 3))
    assert_finite([0.0, 1e308])
    assert "at [1]: came nan" in message(assert_finite, [0.0, np.nan])
    assert "no numbers (shape (0, 2))" in message(assert_finite, np.zeros((0, 2)))


def test_raises():
    def refuse():
        raise ValueError("the temperature must be positive; came -1")

    assert_raises(ValueError, refuse, match="Temperature")
    assert "expected  TypeError" in message(assert_raises, TypeError, refuse)
    assert "'axis' in it" in message(assert_raises, ValueError, refuse, match="axis")
    assert "to be raised" in message(assert_raises, ValueError, lambda: 3)


def test_a_student_sees_the_message_and_no_stack():
    try:
        assert_close(1, 2, hint="Look again.")
    except CheckFailed as failed:
        shown = failed._render_traceback_()
    assert shown[0] == "Not yet."
    assert shown[-1] == "Hint: Look again."
    assert not any("asserts.py" in line for line in shown)


def test_given_replaces_and_puts_back(monkeypatch):
    names = {"early": lambda: "student's", "later": lambda: names["early"]()}
    monkeypatch.setattr(asserts.Here, "namespace", lambda self: names)
    with given(early=lambda: "reference's", new=1):
        assert names["later"]() == "reference's"
        assert names["new"] == 1
    assert names["later"]() == "student's"
    assert "new" not in names


def test_given_puts_back_after_a_failure(monkeypatch):
    names = {"early": 1}
    monkeypatch.setattr(asserts.Here, "namespace", lambda self: names)
    with pytest.raises(CheckFailed), given(early=2):
        assert_true(False)
    assert names == {"early": 1}


def test_probe_calls_with_the_arguments():
    assert probe(lambda function, z: function(z), np.sqrt, 4.0) == 2.0
