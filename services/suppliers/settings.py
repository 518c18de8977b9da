"""Settings of the suppliers service: what the kit needs, nothing of its own."""

from __future__ import annotations

from services.kit.settings import KitSettings


class SuppliersSettings(KitSettings):
    """The kit's settings. Windows and rates are rules of the domain, not settings: they are the same everywhere."""
