"""The chain of the gateway's database revisions."""
