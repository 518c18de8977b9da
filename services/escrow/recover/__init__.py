"""Bringing escrow back from a database that was set back to an earlier moment, while topics and Stripe know more."""
