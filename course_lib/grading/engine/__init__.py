"""The grading engine: student and judge apart, forked from a warm process, in a sandbox."""
