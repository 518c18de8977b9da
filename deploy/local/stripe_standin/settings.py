"""Settings and named bounds of the stand-in.

Owns every number that limits something here, so that no loop, queue or timeout is unbounded by
accident. It cannot know whether the numbers suit a machine other than a developer's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

API_VERSION = "2026-10-28.endive"
PLATFORM_ACCOUNT = "acct_standin_platform"

# Stripe's own limits.
SMALLEST_CHARGE_MINOR = 50
LARGEST_AMOUNT_MINOR = 99_999_999
METADATA_KEYS_MAX = 50
METADATA_KEY_CHARS_MAX = 40
METADATA_VALUE_CHARS_MAX = 500
PAGE_DEFAULT = 10
PAGE_MAX = 100
IDEMPOTENCY_KEY_CHARS_MAX = 255
IDEMPOTENCY_KEEP_SECONDS = 86_400
CONFIRMATION_TOKEN_KEEP_SECONDS = 43_200
DAY_SECONDS = 86_400

# The processor's fee: 2.9 percent rounded half up, plus 30 minor units.
FEE_BASIS_POINTS = 290
FEE_FIXED_MINOR = 30
DISPUTE_FEE_MINOR = 1_500

# Disputes, as at Stripe: how long evidence is taken, and how much of it.
DISPUTE_EVIDENCE_SECONDS = 9 * DAY_SECONDS
EVIDENCE_TEXT_CHARACTERS_MAX = 20_000
EVIDENCE_CHARACTERS_MAX = 150_000

# Our own bounds.
BODY_BYTES_MAX = 262_144
FILE_BYTES_MAX = 524_288
"""Of an uploaded file; Stripe takes 5 MB for evidence, this many suffice for what Alpmera sends."""
UPLOAD_BODY_BYTES_MAX = FILE_BYTES_MAX + 16_384
FORM_FIELDS_MAX = 1_000
HANGING_CALLS_MAX = 256
FAULT_RULES_MAX = 200
FAULT_HANG_DEFAULT_SECONDS = 80.0
FAULT_HANG_MAX_SECONDS = 600.0
TICK_SECONDS = 0.25
DUE_BATCH = 500
PRUNE_BATCH = 1_000
JOURNAL_PAGE_MAX = 10_000
KEEP_ALIVE_SECONDS = 120
STOP_SECONDS = 2
CLOCK_OFFSET_MAX_SECONDS = 100 * 366 * DAY_SECONDS

WEBHOOK_CONCURRENCY = 16
WEBHOOK_QUEUE_MAX = 512
WEBHOOK_TIMEOUT_SECONDS = 10.0
WEBHOOK_ATTEMPTS_MAX = 60
WEBHOOK_BACKOFF_FIRST_SECONDS = 0.2
WEBHOOK_BACKOFF_MAX_SECONDS = 10.0
WEBHOOK_COPIES_MAX = 100

EVENT_TYPES = (
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "payment_intent.requires_action",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "transfer.created",
    "transfer.reversed",
    "topup.succeeded",
    "account.updated",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line chooses; times are seconds of stack time."""

    data_dir: Path
    api_key: str
    publishable_key: str
    public_url: str
    webhook_url: str | None = None
    webhook_secrets: tuple[str, ...] = ()
    webhook_events: frozenset[str] = frozenset(EVENT_TYPES)
    allowed_origins: tuple[str, ...] = ()
    available_after_seconds: int = 2 * DAY_SECONDS
    refund_settles_after_seconds: int = DAY_SECONDS
