"""The calls to Stripe: outside any transaction, one intent in, one answer out."""
