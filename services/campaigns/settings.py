"""The settings of the campaigns service: what the kit needs, nothing more. Its rules are constants of the domain."""

from __future__ import annotations

from services.kit.settings import KitSettings


class CampaignsSettings(KitSettings):
    """The kit's settings under the service's own name."""
