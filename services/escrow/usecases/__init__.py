"""What the escrow service does, one file per use case."""
