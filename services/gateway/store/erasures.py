"""Erasing: the keys per person, the requests, what a request waits for, and what goes when it is carried out.

What stays of a person is a random id, in the ledger and in the records of acts, because accounting law asks for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.gateway.store.read_model import ReadModel, Row
from services.kit.database import sql

WAITS_MAX = 200
REQUESTS_MAX = 100

_INSERT_KEYS = sql(
    "INSERT INTO person_key (subject_id, wrapped) "
    "SELECT * FROM unnest(CAST(:subjects AS uuid[]), CAST(:wrapped AS text[])) "
    "ON CONFLICT DO NOTHING"
)
_REQUEST = sql(
    "INSERT INTO erasure_request (subject_id, requested_at, not_before) VALUES (:subject_id, :now, :not_before) "
    "ON CONFLICT DO NOTHING RETURNING subject_id"
)

# Money is open while funds are held or may still come, and until a refund has reached the person's bank.
_WAITS = """
SELECT c.id, c.campaign_id, campaign.title AS campaign_title,
    CASE
        WHEN c.state IN ('PENDING_FUNDS', 'LOCKED') THEN 'funds'
        WHEN i.id IS NOT NULL THEN 'issue'
        WHEN k.case_id IS NOT NULL THEN 'case'
        ELSE 'refund'
    END AS kind
FROM commitment AS c
JOIN campaign ON campaign.id = c.campaign_id
LEFT JOIN commitment_money AS m ON m.commitment_id = c.id
LEFT JOIN LATERAL (
    SELECT id FROM issue WHERE issue.commitment_id = c.id AND issue.state = 'open' LIMIT 1
) AS i ON true
LEFT JOIN LATERAL (
    SELECT case_id FROM case_record
    WHERE case_record.scope = CAST(c.campaign_id AS text) AND case_record.subject_id = CAST(c.id AS text)
        AND case_record.state = 'open' LIMIT 1
) AS k ON true
WHERE c.participant_id = :subject_id AND (
    c.state IN ('PENDING_FUNDS', 'LOCKED')
    OR i.id IS NOT NULL
    OR k.case_id IS NOT NULL
    OR EXISTS (SELECT FROM refund WHERE refund.commitment_id = c.id AND refund.state NOT IN ('sent', 'paid_outside', 'charged_back'))
    OR EXISTS (SELECT FROM dispute WHERE dispute.commitment_id = c.id AND dispute.state = 'open')
    OR (
        (c.state = 'REFUNDED' OR (c.state = 'WITHDRAWN' AND c.withdrawn_was = 'LOCKED'))
        AND NOT EXISTS (
            SELECT FROM refund WHERE refund.commitment_id = c.id AND refund.state IN ('sent', 'paid_outside', 'charged_back')
        )
        AND NOT EXISTS (SELECT FROM dispute WHERE dispute.commitment_id = c.id AND dispute.charged_back)
    )
    OR (c.state = 'WITHDRAWN' AND c.withdrawn_was <> 'LOCKED' AND m.payment_state IS DISTINCT FROM 'ended'
        AND NOT EXISTS (SELECT FROM refund WHERE refund.commitment_id = c.id AND refund.state IN ('sent', 'paid_outside', 'charged_back')))
)
ORDER BY c.created_at, c.id
LIMIT :rows
"""
_ERASE = (
    "DELETE FROM person_key WHERE subject_id = :subject_id",
    "DELETE FROM mail_code WHERE email_lookup = (SELECT email_lookup FROM account WHERE subject_id = :subject_id)",
    "UPDATE member_invitation SET email_lookup = NULL, note_sealed = NULL "
    "WHERE used_by = :subject_id OR email_lookup = (SELECT email_lookup FROM account WHERE subject_id = :subject_id)",
    "UPDATE member_invitation SET note_sealed = NULL, revoked_at = COALESCE(revoked_at, used_at, :now) "
    "WHERE issued_by = :subject_id",
    "DELETE FROM passkey WHERE subject_id = :subject_id",
    "DELETE FROM passkey_challenge WHERE subject_id = :subject_id",
    "DELETE FROM authenticator WHERE subject_id = :subject_id",
    "DELETE FROM recovery_code WHERE subject_id = :subject_id",
    "DELETE FROM campaign_admission WHERE subject_id = :subject_id",
    "DELETE FROM address WHERE subject_id = :subject_id",
    "DELETE FROM commitment_address WHERE subject_id = :subject_id",
    "UPDATE account SET email_lookup = NULL, email_sealed = NULL, label = NULL, external_id = NULL, "
    "display_name_sealed = NULL, erased_at = :now WHERE subject_id = :subject_id",
    "DELETE FROM access_token WHERE subject_id = :subject_id",
    "DELETE FROM calendar_feed WHERE subject_id = :subject_id",
    "DELETE FROM issue_text WHERE participant_id = :subject_id",
    "UPDATE erasure_request SET carried_out_at = :now WHERE subject_id = :subject_id",
)


async def insert_person_keys(connection: AsyncConnection, wrapped: Mapping[UUID, str]) -> None:
    """Store keys; whoever has one keeps it."""
    if wrapped:
        await connection.execute(_INSERT_KEYS, {"subjects": list(wrapped), "wrapped": list(wrapped.values())})


async def insert_request(connection: AsyncConnection, subject_id: UUID, *, now: datetime, not_before: datetime) -> bool:
    """Record a request (wall time); False when there is one."""
    found = await connection.execute(_REQUEST, {"subject_id": subject_id, "now": now, "not_before": not_before})
    return found.one_or_none() is not None


async def delete_request(connection: AsyncConnection, subject_id: UUID) -> bool:
    """Take a request back that was not carried out; False when there is none."""
    found = await connection.execute(
        sql(
            "DELETE FROM erasure_request WHERE subject_id = :subject_id AND carried_out_at IS NULL RETURNING subject_id"
        ),
        {"subject_id": subject_id},
    )
    return found.one_or_none() is not None


async def request_of(connection: AsyncConnection, subject_id: UUID) -> Any:
    """A person's request, or None."""
    found = await connection.execute(
        sql("SELECT requested_at, not_before FROM erasure_request WHERE subject_id = :subject_id"),
        {"subject_id": subject_id},
    )
    return found.one_or_none()


async def due_requests(connection: AsyncConnection, *, now: datetime) -> Sequence[UUID]:
    """Whose request may be carried out now, as far as its rest is concerned."""
    found = await connection.execute(
        sql(
            "SELECT subject_id FROM erasure_request WHERE carried_out_at IS NULL AND not_before <= :now "
            "ORDER BY not_before LIMIT :rows"
        ),
        {"now": now, "rows": REQUESTS_MAX},
    )
    return [row.subject_id for row in found]


async def lock_request(connection: AsyncConnection, subject_id: UUID) -> bool:
    """Take a request for carrying it out; False when another gateway has it, or it was taken back."""
    found = await connection.execute(
        sql(
            "SELECT subject_id FROM erasure_request WHERE subject_id = :subject_id AND carried_out_at IS NULL "
            "FOR UPDATE SKIP LOCKED"
        ),
        {"subject_id": subject_id},
    )
    return found.one_or_none() is not None


async def newest_act(connection: AsyncConnection, subject_id: UUID, *, since: datetime) -> bool:
    """Whether the person did something since a moment (wall time) that the read model may not show yet."""
    found = await connection.execute(
        sql("SELECT EXISTS (SELECT FROM operation WHERE actor_id = :subject_id AND created_at > :since)"),
        {"subject_id": subject_id, "since": since},
    )
    return bool(found.scalar_one())


async def waits(reads: ReadModel, subject_id: UUID) -> Sequence[Row]:
    """The commitments whose money or dispute is open, the oldest first."""
    return await reads.all(_WAITS, subject_id=subject_id, rows=WAITS_MAX)


async def erase_rows(connection: AsyncConnection, subject_id: UUID, *, now: datetime) -> list[bytes]:
    """Destroy a person's key and everything that is kept about the person; returns the hashes of the ended sessions."""
    sessions = await connection.execute(
        sql("DELETE FROM session WHERE subject_id = :subject_id RETURNING token_hash"), {"subject_id": subject_id}
    )
    hashes = [bytes(row.token_hash) for row in sessions]
    for statement in _ERASE:
        await connection.execute(sql(statement), {"subject_id": subject_id, "now": now})
    await connection.execute(sql("SELECT empty_person_messages(:subject_id)"), {"subject_id": subject_id})
    return hashes
