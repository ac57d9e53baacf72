"""Exercises: what a test cell and a student's notebook import.

Nothing here knows the rest of the course; what is done with exercises lies in `assignments`.
"""

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
    quiet,
)
from course_lib.exercises.calls import (
    KINDS,
    call,
    check,
    check_keyword,
    check_kinds,
    check_raises,
    side_by_side,
)
from course_lib.exercises.variation import rng

__all__ = [
    "KINDS",
    "CheckFailed",
    "assert_close",
    "assert_equal",
    "assert_finite",
    "assert_raises",
    "assert_shape",
    "assert_true",
    "call",
    "check",
    "check_keyword",
    "check_kinds",
    "check_raises",
    "given",
    "probe",
    "quiet",
    "rng",
    "side_by_side",
]
