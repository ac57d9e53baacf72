"""Exercises: what their test cells use, how they are generated, checked and proven.

A test cell imports from here; everything else lives in the modules of this package, which are
imported when they are needed.
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
)
from course_lib.exercises.variation import rng

__all__ = [
    "CheckFailed",
    "assert_close",
    "assert_equal",
    "assert_finite",
    "assert_raises",
    "assert_shape",
    "assert_true",
    "given",
    "probe",
    "rng",
]
