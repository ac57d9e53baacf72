"""What was handed in: reading it, the files beside it, and mending it so that it can be graded."""
