"""The escrow service: the ledger, payment intents, refunds, clearing, transfers, reconciliation."""
