"""Assignments: an exercise's life around grading, from its source to a reader's progress.

`sources` generates notebooks, `answers` keeps right and wrong ones, `proofs` and `mutants` show
that tests tell them apart, `checking` and `progress` serve readers, `sample` is a class to try
grading on.
"""
