"""Rules of escrow as pure functions: no input, no output, no clock."""
