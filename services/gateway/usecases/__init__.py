"""What the gateway does with a request: store an act, wait for its outcome, present it."""
