"""The notifications service: what was told to whom, when, in which words, and what became of it."""
