"""Settings of the escrow service: where Stripe is, how fast it may be called, how large the float is.

The same code speaks to the stand-in and to Stripe; only address and key differ. It cannot tell whether a key belongs
to the account that holds the money; reconciliation finds out.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from services.kit.settings import KitSettings

StripeKind = Literal["stand-in", "stripe"]

STRIPE_URL = "https://api.stripe.com"
STRIPE_FILES_URL = "https://files.stripe.com"

STRIPE_CALLS_PER_SECOND = 25
"""Stripe's published limit per endpoint in its test mode, and a good citizen's pace in live mode."""

STAND_IN_CALLS_PER_SECOND = 2_000
CONCLUDE_AFTER_SECONDS = 300
STAND_IN_CONCLUDE_AFTER_SECONDS = 5


class EscrowSettings(KitSettings):
    """What escrow needs beside the kit's settings. Amounts are minor units of `float_currency`."""

    stripe_url: str = STRIPE_URL
    stripe_key: SecretStr = SecretStr("")
    stripe_kind: StripeKind = "stand-in"
    stripe_timeout_seconds: int = Field(default=30, ge=1, le=80)
    float_top_up_minor: int = Field(default=99_999_999, ge=0)
    """The first top-up that escrow records itself, in the local profile with the stand-in only."""
    float_buffer_minor: int = Field(default=10_000, ge=0)
    """What of the float is kept back for disputes: new funds are collected only while the float carries the worst-case fees
    and this as well. Refunds always go on."""
    float_currency: str = "usd"
    refund_calls_per_second: int | None = Field(default=None, ge=1, le=10_000)
    """How many refunds may be sent per second, and as many transfers and reversals; unset: 25 with Stripe, 2,000 with the stand-in."""
    reconcile_seconds: int = Field(default=3, ge=1, le=3600)
    """Pause between two passes of reconciliation while something is unsettled (wall time)."""
    checkpoint_key: SecretStr | None = None
    """Base64 of the PEM of the Ed25519 key that signs checkpoints."""
    checkpoint_salt_key: SecretStr | None = None
    """Base64 of 32 bytes, from which the salts of the state trees are made; never told to anybody."""
    checkpoint_seconds: int = Field(default=60, ge=1, le=86_400)
    """Pause between two looks at what has moved since its checkpoint (wall time)."""

    @model_validator(mode="after")
    def _production_speaks_to_stripe(self) -> Self:
        if self.profile == "production" and self.stripe_kind != "stripe":
            raise ValueError("the stand-in holds no real money: ALPMERA_STRIPE_KIND must be 'stripe' in production")
        if self.profile == "production" and not self.stripe_url.startswith("https://"):
            raise ValueError("ALPMERA_STRIPE_URL must begin with https:// in production")
        return self

    @model_validator(mode="after")
    def _production_signs_checkpoints(self) -> Self:
        if self.profile == "production" and (self.checkpoint_key is None or self.checkpoint_salt_key is None):
            raise ValueError("production needs ALPMERA_CHECKPOINT_KEY and ALPMERA_CHECKPOINT_SALT_KEY")
        return self

    @property
    def files_url(self) -> str:
        """Where files are uploaded: Stripe has an address of its own for them, the stand-in has one for everything."""
        return STRIPE_FILES_URL if self.stripe_url == STRIPE_URL else self.stripe_url

    @property
    def conclude_after_seconds(self) -> int:
        """How long after its last attempt an object that is in no list is taken as not made."""
        return CONCLUDE_AFTER_SECONDS if self.stripe_kind == "stripe" else STAND_IN_CONCLUDE_AFTER_SECONDS

    @property
    def calls_per_second(self) -> int:
        """How many calls of one kind (refunds, transfers, reversals) may be sent per second."""
        if self.refund_calls_per_second is not None:
            return self.refund_calls_per_second
        return STRIPE_CALLS_PER_SECOND if self.stripe_kind == "stripe" else STAND_IN_CALLS_PER_SECOND


@lru_cache(maxsize=1)
def escrow_settings() -> EscrowSettings:
    """The settings of this process, read once from the environment."""
    return EscrowSettings()
