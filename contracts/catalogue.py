"""Imports every message module, so that the registry is complete. Import this before decoding anything."""

from contracts import campaigns, clearing, escrow, gateway, housekeeping, notifications, suppliers

MODULES = (campaigns, escrow, clearing, suppliers, notifications, gateway, housekeeping)
"""The modules that define messages."""
