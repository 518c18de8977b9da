"""Imports every message module, so that the registry is complete. Import this before decoding anything."""

from contracts import (
    alerts,
    audit_trail,
    campaigns,
    cases,
    clearing,
    disputes,
    escrow,
    gateway,
    housekeeping,
    notices,
    notifications,
    suppliers,
    transparency,
)

MODULES = (
    campaigns,
    alerts,
    escrow,
    clearing,
    cases,
    disputes,
    suppliers,
    notifications,
    gateway,
    housekeeping,
    audit_trail,
    notices,
    transparency,
)
"""The modules that define messages."""
