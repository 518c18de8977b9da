"""What the gateway computes without input or output: words, roles, outcomes."""
