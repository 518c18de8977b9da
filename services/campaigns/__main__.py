"""Run the campaigns service: `python -m services.campaigns`."""

from __future__ import annotations

from services.campaigns.handlers import SERVICE
from services.campaigns.settings import CampaignsSettings
from services.kit.runtime import run

if __name__ == "__main__":
    run(SERVICE, CampaignsSettings())  # the fields come from the environment
