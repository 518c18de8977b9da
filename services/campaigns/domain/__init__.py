"""The rules of campaigns as pure functions over plain values; the standard library and contracts only."""
