"""What a computation costs, and what the machine that runs it can do."""
