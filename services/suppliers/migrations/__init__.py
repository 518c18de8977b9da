"""The chain of this service's database revisions."""
