"""What the service can do: one file per ability, named for it."""
