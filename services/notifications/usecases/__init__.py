"""What the notifications service can do, one file for each act."""
