"""The chain of escrow's database revisions, with the statements of each."""
