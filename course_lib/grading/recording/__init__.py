"""Recording scores: the gradebook's one writer, digests of what was graded, changed points."""
