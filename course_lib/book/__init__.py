"""Building the book: its chapters, its site, and what its pages can do."""
