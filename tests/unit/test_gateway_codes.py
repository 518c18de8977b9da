"""How much chance is in what proves a person, and how long it is good: the figures that the security page names."""

from __future__ import annotations

import base64
import math
import re
import secrets
from datetime import timedelta

import pytest

from services.gateway.domain.inviting import VALID_DAYS_MAX
from services.gateway.domain.mail_codes import CODE_DIGITS, CODE_LIFE, CODE_TRIES, new_code
from services.gateway.domain.one_time_codes import (
    RECOVERY_BYTES,
    SECRET_BYTES,
    STEP_SECONDS,
    new_recovery_codes,
    new_secret,
    plain_recovery_code,
)
from services.gateway.store.accounts import CSRF_BYTES, OTHERS_IDLE, OTHERS_LIFE, STAFF_IDLE, STAFF_LIFE, TOKEN_BYTES
from services.gateway.usecases.sign_in_by_code import CHALLENGE_BYTES
from services.gateway.usecases.use_passkeys import CHALLENGE_LIFE


def test_a_recovery_code_has_enough_chance_for_a_plain_hash_and_can_be_copied_by_hand() -> None:
    codes = new_recovery_codes()
    assert len(set(codes)) == 10
    assert RECOVERY_BYTES * 8 >= 112
    for code in codes:
        assert re.fullmatch(r"(?:[A-Z2-7]{4}-){5}[A-Z2-7]{4}", code)
        assert len(base64.b32decode(plain_recovery_code(code.lower()))) == RECOVERY_BYTES


def test_a_code_from_a_mail_has_more_than_twenty_bits_and_ten_minutes() -> None:
    assert CODE_DIGITS * math.log2(10) > 20
    assert timedelta(minutes=10) >= CODE_LIFE
    assert CODE_TRIES == 5
    assert all(re.fullmatch(r"\d{8}", new_code()) for _ in range(100))


def test_tokens_have_at_least_128_bits() -> None:
    assert min(TOKEN_BYTES, CSRF_BYTES, CHALLENGE_BYTES, SECRET_BYTES) * 8 >= 128
    assert len(base64.b32decode(new_secret())) == SECRET_BYTES


def test_what_proves_a_person_is_drawn_from_the_systems_own_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    real_bytes, real_below = secrets.token_bytes, secrets.randbelow

    def token_bytes(count: int | None = None) -> bytes:
        asked.append((count or 0) * 8)
        return real_bytes(count)

    def randbelow(limit: int) -> int:
        asked.append(int(math.log2(limit)))
        return real_below(limit)

    monkeypatch.setattr(secrets, "token_bytes", token_bytes)
    monkeypatch.setattr(secrets, "randbelow", randbelow)
    new_code()
    new_secret()
    new_recovery_codes()
    assert asked == [26, 160] + [120] * 10


def test_sessions_challenges_and_invitations_last_as_long_as_the_security_page_says() -> None:
    assert (timedelta(minutes=30), timedelta(hours=12)) == (STAFF_IDLE, STAFF_LIFE)
    assert (timedelta(days=14), timedelta(days=60)) == (OTHERS_IDLE, OTHERS_LIFE)
    assert (timedelta(minutes=5), 30, 60) == (CHALLENGE_LIFE, STEP_SECONDS, VALID_DAYS_MAX)
