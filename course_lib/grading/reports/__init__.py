"""What grading came to, for a person: report, terminal, findings, logs, similar submissions."""
