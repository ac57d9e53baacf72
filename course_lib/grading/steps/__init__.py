"""The steps of a graded assignment, a module each: release, collect, grade, feedback, export.

They are nbgrader's steps on nbgrader's folders and gradebook, for any nbgrader course; its own
commands may be used before, between and after them. `mark` records what a person gives, `report`
says what grading came to.
"""
