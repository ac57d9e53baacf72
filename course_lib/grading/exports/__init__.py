"""Grades for other programs: tables (CSV, JSON), Canvas, Moodle, Gradescope.

The room is called after what it makes: `course_lib.grading.export` is the step, a function.
"""
