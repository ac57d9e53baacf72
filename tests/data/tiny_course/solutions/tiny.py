# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Tiny

# %%
import numpy as np

from course_lib.exercises import assert_close, given


# %% nbgrader={"grade": false, "grade_id": "double", "locked": false, "schema_version": 3, "solution": true, "task": false}
def double(z):
    """Twice z."""
    ### BEGIN SOLUTION
    return 2 * np.asarray(z)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-double", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
assert_close(double(2), 4, what="double(2)", hint="Multiply by two.")

# %% nbgrader={"grade": true, "grade_id": "test-double-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: negative numbers
### BEGIN HIDDEN TESTS
assert_close(double([-2.0, 3.0]), [-4, 6], what="double([-2, 3])", hint="Negative numbers too.")
### END HIDDEN TESTS


# %% nbgrader={"grade": false, "grade_id": "quad", "locked": false, "schema_version": 3, "solution": true, "task": false}
def quad(z):
    """Four times z."""
    ### BEGIN SOLUTION
    return double(double(z))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-quad", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
with given(double=lambda z: 2 * np.asarray(z)):
    assert_close(quad(2), 8, what="quad(2)", hint="Double twice.")

# %% [markdown] nbgrader={"grade": true, "grade_id": "why", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# Why?
#
# === BEGIN MARK SCHEME ===
# Because of the secret.
# === END MARK SCHEME ===
