"""What the suppliers service can do, one file for each act."""
