"""Feedback as HTML pages that are safe to open: sanitized, hidden tests masked; their templates.

The room is called after what it makes: `course_lib.grading.feedback` is the step, a function.
"""
