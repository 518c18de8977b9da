"""Passkeys, authenticators and recovery codes, as stored. What is single use is used in one statement. Wall time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

CHALLENGES_REMOVED_MAX = 100
PASSKEYS_MAX = 20

_PUT_CHALLENGE = text(
    "INSERT INTO passkey_challenge (id, challenge, purpose, subject_id, expires_at) "
    "VALUES (:id, :challenge, :purpose, :subject_id, :expires_at)"
)
_CLEAR_CHALLENGES = text(
    """
    DELETE FROM passkey_challenge WHERE id IN (
        SELECT id FROM passkey_challenge WHERE expires_at < :now ORDER BY expires_at LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    """
)
_TAKE_CHALLENGE = text(
    """
    DELETE FROM passkey_challenge
    WHERE id = :id AND purpose = :purpose AND expires_at > :now
      AND subject_id IS NOT DISTINCT FROM CAST(:subject_id AS uuid)
    RETURNING challenge
    """
)
_INSERT_PASSKEY = text(
    """
    INSERT INTO passkey (id, credential_id, subject_id, public_key, sign_count, name, created_at)
    VALUES (:id, :credential_id, :subject_id, :public_key, :sign_count, :name, :created_at)
    ON CONFLICT (credential_id) DO NOTHING
    """
)
_PASSKEYS = text(
    "SELECT id, credential_id, name, created_at, last_used_at FROM passkey WHERE subject_id = :subject_id "
    "ORDER BY created_at, id"
)
_BY_CREDENTIAL = text(
    """
    SELECT p.id, p.public_key, p.sign_count, p.subject_id, a.role, a.supplier_id, a.label, a.external_id
    FROM passkey AS p
    JOIN account AS a ON a.subject_id = p.subject_id
    WHERE p.credential_id = :credential_id
    FOR UPDATE OF p
    """
)
_PUT_AUTHENTICATOR = text(
    """
    INSERT INTO authenticator (subject_id, secret_sealed, created_at) VALUES (:subject_id, :secret_sealed, :now)
    ON CONFLICT (subject_id) DO UPDATE SET secret_sealed = EXCLUDED.secret_sealed, created_at = EXCLUDED.created_at
    WHERE authenticator.confirmed_at IS NULL
    """
)
_USE_STEP = text(
    """
    UPDATE authenticator SET last_step = :step, confirmed_at = COALESCE(confirmed_at, :now)
    WHERE subject_id = :subject_id AND last_step < :step
    """
)
_FACTORS = text(
    """
    SELECT
        (SELECT count(*) FROM passkey WHERE subject_id = :subject_id) AS passkeys,
        EXISTS (SELECT FROM authenticator WHERE subject_id = :subject_id AND confirmed_at IS NOT NULL) AS authenticator,
        (SELECT count(*) FROM recovery_code WHERE subject_id = :subject_id AND used_at IS NULL) AS recovery_codes
    """
)


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey to be stored."""

    id: UUID
    credential_id: bytes
    subject_id: UUID
    public_key: bytes = field(repr=False)
    sign_count: int
    name: str


@dataclass(frozen=True, slots=True)
class Factors:
    """What somebody can sign in with beside a mail."""

    passkeys: int
    authenticator: bool
    recovery_codes: int

    @property
    def count(self) -> int:
        """How many second factors there are; recovery codes are none."""
        return self.passkeys + int(self.authenticator)


async def lock_account(connection: AsyncConnection, subject_id: UUID) -> None:
    """Have changes of one account's factors follow each other."""
    statement = text("SELECT subject_id FROM account WHERE subject_id = :subject_id FOR UPDATE")
    await connection.execute(statement, {"subject_id": subject_id})


async def factors_of(connection: AsyncConnection, subject_id: UUID) -> Factors:
    """The second factors of an account."""
    row = (await connection.execute(_FACTORS, {"subject_id": subject_id})).one()
    return Factors(row.passkeys, row.authenticator, row.recovery_codes)


async def put_challenge(connection: AsyncConnection, row: Mapping[str, Any], *, now: datetime) -> None:
    """Store a challenge and clear away what is out of date."""
    await connection.execute(_PUT_CHALLENGE, dict(row))
    await connection.execute(_CLEAR_CHALLENGES, {"now": now, "limit": CHALLENGES_REMOVED_MAX})


async def take_challenge(
    connection: AsyncConnection, challenge_id: UUID, *, purpose: str, subject_id: UUID | None, now: datetime
) -> bytes | None:
    """Use a challenge up; None when it is unknown, used, out of date or for something else."""
    parameters = {"id": challenge_id, "purpose": purpose, "subject_id": subject_id, "now": now}
    found = (await connection.execute(_TAKE_CHALLENGE, parameters)).scalar_one_or_none()
    return bytes(found) if found is not None else None


async def insert_passkey(connection: AsyncConnection, passkey: NewPasskey, *, now: datetime) -> bool:
    """Store a passkey; False when its credential is known already."""
    changed = await connection.execute(
        _INSERT_PASSKEY,
        {
            "id": passkey.id,
            "credential_id": passkey.credential_id,
            "subject_id": passkey.subject_id,
            "public_key": passkey.public_key,
            "sign_count": passkey.sign_count,
            "name": passkey.name,
            "created_at": now,
        },
    )
    return changed.rowcount == 1


async def passkeys_of(connection: AsyncConnection, subject_id: UUID) -> Sequence[Mapping[str, Any]]:
    """The passkeys of an account, the oldest first."""
    return [dict(row) for row in (await connection.execute(_PASSKEYS, {"subject_id": subject_id})).mappings()]


async def passkey_by_credential(connection: AsyncConnection, credential_id: bytes) -> Mapping[str, Any] | None:
    """A passkey with its account, locked, so that its counter moves one step at a time."""
    row = (await connection.execute(_BY_CREDENTIAL, {"credential_id": credential_id})).mappings().one_or_none()
    return dict(row) if row is not None else None


async def use_passkey(connection: AsyncConnection, passkey_id: UUID, sign_count: int, *, now: datetime) -> None:
    """A passkey was used."""
    statement = text("UPDATE passkey SET sign_count = :sign_count, last_used_at = :now WHERE id = :id")
    await connection.execute(statement, {"id": passkey_id, "sign_count": sign_count, "now": now})


async def rename_passkey(connection: AsyncConnection, passkey_id: UUID, subject_id: UUID, *, name: str) -> bool:
    """Give a passkey of this account another name; False when it has none with this id."""
    statement = text("UPDATE passkey SET name = :name WHERE id = :id AND subject_id = :subject_id")
    parameters = {"id": passkey_id, "subject_id": subject_id, "name": name}
    return (await connection.execute(statement, parameters)).rowcount == 1


async def delete_passkey(connection: AsyncConnection, passkey_id: UUID, subject_id: UUID) -> bool:
    """Remove a passkey of this account; False when it has none with this id."""
    statement = text("DELETE FROM passkey WHERE id = :id AND subject_id = :subject_id")
    return (await connection.execute(statement, {"id": passkey_id, "subject_id": subject_id})).rowcount == 1


async def put_authenticator(
    connection: AsyncConnection, subject_id: UUID, *, secret_sealed: str, now: datetime
) -> bool:
    """Begin with an authenticator; False when a confirmed one is there already."""
    parameters = {"subject_id": subject_id, "secret_sealed": secret_sealed, "now": now}
    return (await connection.execute(_PUT_AUTHENTICATOR, parameters)).rowcount == 1


async def sealed_secret(connection: AsyncConnection, subject_id: UUID, *, confirmed: bool) -> str | None:
    """The sealed secret of an account's authenticator, confirmed or not yet."""
    statement = text(
        "SELECT secret_sealed FROM authenticator WHERE subject_id = :subject_id "
        "AND (confirmed_at IS NOT NULL) = :confirmed"
    )
    parameters = {"subject_id": subject_id, "confirmed": confirmed}
    found: str | None = (await connection.execute(statement, parameters)).scalar_one_or_none()
    return found


async def use_step(connection: AsyncConnection, subject_id: UUID, step: int, *, now: datetime) -> bool:
    """Use an authenticator's step up; False when it or a later one was used before."""
    parameters = {"subject_id": subject_id, "step": step, "now": now}
    return (await connection.execute(_USE_STEP, parameters)).rowcount == 1


async def delete_authenticator(connection: AsyncConnection, subject_id: UUID) -> bool:
    """Remove an account's authenticator; False when there is none."""
    statement = text("DELETE FROM authenticator WHERE subject_id = :subject_id")
    return (await connection.execute(statement, {"subject_id": subject_id})).rowcount == 1


async def replace_recovery_codes(
    connection: AsyncConnection, subject_id: UUID, hashes: Sequence[bytes], *, now: datetime
) -> None:
    """Give an account new recovery codes in the place of all old ones."""
    await connection.execute(text("DELETE FROM recovery_code WHERE subject_id = :id"), {"id": subject_id})
    await connection.execute(
        text(
            "INSERT INTO recovery_code (code_hash, subject_id, created_at) "
            "SELECT hash, :id, :now FROM unnest(CAST(:hashes AS bytea[])) AS hash"
        ),
        {"id": subject_id, "hashes": list(hashes), "now": now},
    )


async def use_recovery_code(connection: AsyncConnection, subject_id: UUID, code_hash: bytes, *, now: datetime) -> bool:
    """Use a recovery code up; False when it is not this account's, or used."""
    statement = text(
        "UPDATE recovery_code SET used_at = :now "
        "WHERE code_hash = :code_hash AND subject_id = :subject_id AND used_at IS NULL"
    )
    parameters = {"subject_id": subject_id, "code_hash": code_hash, "now": now}
    return (await connection.execute(statement, parameters)).rowcount == 1
