"""The audit: the invariants of the platform, checked over databases, topics and the payment journal."""
