"""Slide decks, made from chapters: what a teacher shows, with what to say in the notes."""
