"""Count what somebody got wrong, under a keyed hash, and have them wait longer and longer. Known and unknown alike."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.gateway.domain.mail_codes import ASKING_FORGOTTEN_AFTER, WRONG_FORGOTTEN_AFTER
from services.gateway.problems import ProblemError
from services.gateway.settings import GatewaySettings
from services.gateway.store import sign_in_guard
from services.gateway.store.sign_in_guard import Guard


def keyed(settings: GatewaySettings, use: str, value: bytes) -> bytes:
    """A keyed hash for one use; equal values of two uses have different hashes."""
    key = base64.b64decode(settings.people_key_gateway.get_secret_value())
    return hmac.new(key, use.encode() + b"\0" + value, hashlib.sha256).digest()


def guard(settings: GatewaySettings, kind: str, value: bytes) -> Guard:
    """What is counted: a kind such as `wrong:account`, and whose."""
    forgotten = WRONG_FORGOTTEN_AFTER if kind == "wrong:account" else ASKING_FORGOTTEN_AFTER
    return Guard(keyed(settings, f"guard:{kind}", value), settings.codes_free_per_account, forgotten)


async def refuse_blocked(connection: AsyncConnection, guards: Sequence[Guard], now: datetime) -> None:
    """Raises ProblemError(rate_limited) with the seconds to wait while one of these blocks."""
    seconds = await sign_in_guard.seconds_to_wait(connection, guards, now=now)
    if seconds:
        raise ProblemError(
            "rate_limited", facts={"retry_after_seconds": seconds}, headers={"Retry-After": str(seconds)}
        )
