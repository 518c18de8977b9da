"""Real demand through the local platform: invoice lines become campaigns, commitments and withdrawals."""
