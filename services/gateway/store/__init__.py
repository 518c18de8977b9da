"""The gateway's SQL: its own tables and the generations of the read model."""
