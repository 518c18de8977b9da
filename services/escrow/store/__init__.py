"""Escrow's statements against its own database."""
