"""Hidden inputs that differ from student to student, and are the same when one is graded again."""

from __future__ import annotations

import copy
from typing import Any, NoReturn

import numpy as np

from course_lib.exercises import asserts

__all__ = ["rng"]


class _Kept(np.random.Generator):
    """A generator that cannot be handed to the student's code, which could draw ahead from it."""

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "The generator of rng() stays with the tests: draw the values, and hand those to the "
            "student's code."
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> _Kept:
        return _Kept(copy.deepcopy(self.bit_generator, memo))


def rng() -> np.random.Generator:
    """Return a generator to draw the hidden inputs of a test cell from.

    When a class is graded, its numbers follow from a secret of the course, the assignment, the
    student, the answers and the test cell: each student meets others, and others again after
    handing in another answer; nobody can know them beforehand, and grading the same once more
    brings the same. The student's process never holds what they follow from. In a
    notebook, in `course check` and in nbgrader's *Validate*, the numbers are the same for
    everybody. A second call in a cell starts another stream.

    Returns
    -------
    numpy.random.Generator
        Draw from it in the test cell itself. A function that `probe` runs beside the student's
        objects gets values, and not the generator.

    Examples
    --------
    >>> x = rng().normal(size=3)  # the student's function is given x, and the test knows it, too
    >>> x.shape
    (3,)
    """
    seed = int.from_bytes(asserts.student.seed(), "big")
    return _Kept(np.random.PCG64(np.random.SeedSequence(seed)))
