"""The gateway's settings, from the environment (prefix `ALPMERA_`), checked at start.

It owns every bound of the gateway: how many requests may wait, how large a body may be, how long a session lives. It
cannot tell whether a key is the right one; the first use does.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from services.gateway.domain.limits import LimitName
from services.kit.settings import KitSettings

LOOPBACKS = frozenset({"127.0.0.1", "::1", "localhost"})
WEB_DIST = Path(__file__).parent / "web" / "dist"


class GatewaySettings(KitSettings):
    """What the gateway needs beside the kit's settings. Durations in seconds, sizes in bytes."""

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8000, ge=0, le=65_535)
    tls_certificate: Path | None = None
    """A PEM file: the certificate of the site and what leads to its authority. With it the gateway itself ends TLS."""
    tls_key: Path | None = None
    """A PEM file: the certificate's key."""
    clear_port: int | None = Field(default=None, ge=0, le=65_535)
    """The port where people who ask in the clear are led to the first of the origins; none without it."""
    public_origins: tuple[str, ...] = ()
    """Origins that a browser may write from, beside the one it asked for (`scheme://host:port`)."""

    trusted_proxies: tuple[str, ...] = ()
    """Addresses of our own proxies: only what they say about a client's address is believed."""

    assertion_private_key: SecretStr
    """Base64 of the PEM of the Ed25519 key that signs commands."""
    people_key_gateway: SecretStr
    """Base64 of 32 bytes: seals and finds the accounts' e-mail addresses in the gateway's own table."""
    people_key_notifications: SecretStr
    """Base64 of 32 bytes: seals contact data for the notifications service."""

    stripe_webhook_secrets: SecretStr
    """The endpoint secrets that are live, separated by commas: two while one is being replaced."""
    stripe_kind: Literal["stand-in", "stripe"] = "stand-in"
    stripe_publishable_key: str = "pk_test_standin"
    stripe_browser_base: str | None = None
    """Where the stand-in's card form lives for a browser; None with real Stripe."""

    participant_invitations_max: int = Field(default=5, ge=0, le=1_000)
    """How many people one participant may invite; 0 leaves inviting to staff."""

    passkey_domain: str = "localhost"
    """The domain that passkeys belong to: the site's, without scheme and port."""
    second_factor_before_commitment: bool = True
    """Whether a participant needs a passkey or an authenticator before the first commitment; production has to."""

    codes_free_per_account: int = Field(default=5, ge=1, le=1_000)
    """How many codes, and how many wrong answers, an address has before each further one waits twice as long."""
    rate_limits: dict[LimitName, str] = {}
    """Limits that differ from the profile's in `domain/limits.py`, as JSON: {"commit": "20/minute"}; "" lifts one."""

    erasure_rest_seconds: float = Field(default=3_600, ge=0, le=7 * 24 * 3_600)
    """How long a request to erase a person rests at least: it can be taken back, and what the person has just done
    becomes visible."""

    waiting_requests_max: int = Field(default=512, ge=1, le=10_000)
    progress_streams_max: int = Field(default=1_000, ge=1, le=20_000)
    session_cache_seconds: float = Field(default=30, ge=0, le=300)
    web_dist: Path = WEB_DIST

    @model_validator(mode="after")
    def _test_money_stays_local(self) -> Self:
        if self.profile == "production" and self.stripe_kind != "stripe":
            raise ValueError("production needs ALPMERA_STRIPE_KIND=stripe")
        return self

    @model_validator(mode="after")
    def _production_proves_people(self) -> Self:
        if self.profile == "production" and (
            not self.second_factor_before_commitment or "." not in self.passkey_domain
        ):
            raise ValueError(
                "production needs ALPMERA_PASSKEY_DOMAIN and keeps ALPMERA_SECOND_FACTOR_BEFORE_COMMITMENT on"
            )
        return self

    @model_validator(mode="after")
    def _production_is_served_over_https(self) -> Self:
        clear = [origin for origin in self.public_origins if not origin.startswith("https://")]
        if self.profile == "production" and (clear or not self.public_origins):
            raise ValueError("production needs ALPMERA_PUBLIC_ORIGINS, each with https://")
        return self

    @model_validator(mode="after")
    def _nobody_is_reached_in_the_clear(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("ALPMERA_TLS_CERTIFICATE and ALPMERA_TLS_KEY belong together")
        if self.profile == "production" and self.tls_certificate is None and self.http_host not in LOOPBACKS:
            raise ValueError("production listens beyond this machine with ALPMERA_TLS_CERTIFICATE only")
        if self.clear_port is not None and not self.public_origins:
            raise ValueError("ALPMERA_CLEAR_PORT needs ALPMERA_PUBLIC_ORIGINS: where to lead people")
        return self

    def webhook_secrets(self) -> tuple[str, ...]:
        """The live endpoint secrets, the newest first."""
        return tuple(part.strip() for part in self.stripe_webhook_secrets.get_secret_value().split(",") if part.strip())

    def stripe_is_live(self) -> bool:
        """Whether the keys are those of real money: Stripe marks them, and its events, alike."""
        return self.stripe_publishable_key.startswith("pk_live_")

    def private_key_pem(self) -> bytes:
        """The PEM of the key that signs commands."""
        return base64.b64decode(self.assertion_private_key.get_secret_value())
