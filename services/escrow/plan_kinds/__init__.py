"""What each kind of plan does to the ledger: one small module per kind, and the registry that the machine asks."""
