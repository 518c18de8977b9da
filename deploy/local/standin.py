"""The stand-in for Stripe as a part of the stack; its code is `deploy.local.stripe_standin`.

Owns its command line and the choice between it and Stripe itself: with a test key in
`ALPMERA_STRIPE_API_KEY` the same services speak to Stripe. A live key is refused here, because a
local stack moves its clock and invents people.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.http_probe import answers_ok
from deploy.local.part import Launch
from deploy.local.paths import REPOSITORY
from deploy.local.ports import LOOPBACK

STRIPE_URL = "https://api.stripe.com"
WEBHOOK_PATH = "/v1/webhooks/stripe"
TEST_KEY_PREFIXES = ("sk_test_", "rk_test_")


@dataclass(frozen=True, slots=True)
class StripeKeys:
    """The key the services call with, the card form's key, and the secret that signs webhooks."""

    api_key: str
    publishable_key: str
    webhook_secret: str


def real_stripe_key() -> str | None:
    """Return the given key of Stripe's test mode; None means the stand-in."""
    key = os.environ.get("ALPMERA_STRIPE_API_KEY")
    if key and not key.startswith(TEST_KEY_PREFIXES):
        raise StackError(
            "ALPMERA_STRIPE_API_KEY is not a key of Stripe's test mode (sk_test_…): a local stack "
            "never touches real money. Unset it to use the stand-in."
        )
    return key or None


class StandIn:
    """The stand-in of one stack."""

    name = "stripe"
    ready_seconds_max = 60.0
    stop_seconds_max = 10.0

    def __init__(self, folder: Path, *, port: int, gateway_url: str, keys: StripeKeys) -> None:
        """Take the folder of its one file, its port, and the gateway that hears of its events."""
        self.folder = folder
        self.port = port
        self.gateway_url = gateway_url
        self.keys = keys

    @property
    def url(self) -> str:
        """Return the address that stands for Stripe's."""
        return f"http://localhost:{self.port}"

    def prepare(self) -> Launch:
        """Make the folder and return the command."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return Launch(
            command=[sys.executable, "-m", "deploy.local.stripe_standin"]
            + ["--host", LOOPBACK, "--port", str(self.port), "--data-dir", str(self.folder)]
            + ["--public-url", self.url, "--allow-origin", self.gateway_url]
            + ["--webhook-url", f"{self.gateway_url}{WEBHOOK_PATH}"]
            + ["--webhook-secret", self.keys.webhook_secret, "--api-key", self.keys.api_key]
            + ["--publishable-key", self.keys.publishable_key],
            folder=str(REPOSITORY),
        )

    def is_ready(self) -> bool:
        """Return whether it reports itself healthy."""
        return answers_ok(f"{self.url}/healthz")
