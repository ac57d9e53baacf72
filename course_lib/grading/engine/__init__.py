"""The grading engine: student and judge apart, forked from a warm process, walled in."""
