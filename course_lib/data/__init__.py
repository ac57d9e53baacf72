"""The data sets of the course, one module each: what it is, its license, its shapes.

Nothing here is downloaded: a set is made, or it comes with scikit-learn. `splits` cuts any of them
into the rows that a model learns from, those that it is chosen by, and those that it is judged by.
"""
