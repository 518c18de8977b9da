"""Invitations to the platform and the admissions they gave, as stored: hashes of tokens, sealed notes, wall time.

An invitation is used in one statement, so that two people with the same link cannot both come in.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_COLUMNS = """
    id, role, supplier_id, campaign_id, email_lookup IS NOT NULL AS bound, note_sealed, created_at, expires_at,
    used_at, revoked_at, issued_by, used_by
"""
_OPEN = "used_at IS NULL AND revoked_at IS NULL AND expires_at > :now"

_INSERT = text(
    """
    INSERT INTO member_invitation (
        id, token_hash, issued_by, role, supplier_id, campaign_id, email_lookup, note_sealed, created_at, expires_at
    )
    VALUES (
        :id, :token_hash, :issued_by, :role, :supplier_id, :campaign_id, :email_lookup, :note_sealed, :created_at,
        :expires_at
    )
    """
)
_COUNT_STANDING = text(
    "SELECT count(*) FROM member_invitation WHERE issued_by = :subject_id AND revoked_at IS NULL "
    "AND (used_at IS NOT NULL OR expires_at > :now)"
)
_LOCK_ISSUER = text("SELECT subject_id FROM account WHERE subject_id = :subject_id FOR UPDATE")
_LIST = text(
    f"""
    SELECT {_COLUMNS}
    FROM member_invitation
    WHERE (CAST(:issued_by AS uuid) IS NULL OR issued_by = CAST(:issued_by AS uuid))
      AND (
          CAST(:after_at AS timestamptz) IS NULL
          OR (created_at, id) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid))
      )
    ORDER BY created_at DESC, id DESC
    LIMIT :limit
    """  # noqa: S608 - constants of this module
)
_REVOKE = text(
    """
    UPDATE member_invitation SET revoked_at = :now
    WHERE id = :id AND revoked_at IS NULL
      AND (CAST(:issued_by AS uuid) IS NULL OR issued_by = CAST(:issued_by AS uuid))
    """
)
_SELECT = text(
    f"""
    SELECT {_COLUMNS} FROM member_invitation
    WHERE id = :id AND (CAST(:issued_by AS uuid) IS NULL OR issued_by = CAST(:issued_by AS uuid))
    """  # noqa: S608 - constants of this module
)
_OPEN_BY_TOKEN = text(
    f"SELECT {_COLUMNS}, email_lookup FROM member_invitation WHERE token_hash = :token_hash AND {_OPEN}"  # noqa: S608
)
_USE = text(
    f"""
    UPDATE member_invitation SET used_at = :now, used_by = :subject_id
    WHERE token_hash = :token_hash AND {_OPEN}
      AND (email_lookup IS NULL OR email_lookup = (SELECT email_lookup FROM account WHERE subject_id = :subject_id))
      AND (NOT :opens_campaign OR campaign_id IS NOT NULL)
    RETURNING id, campaign_id
    """  # noqa: S608 - constants of this module
)
_USED_BY = text(
    "SELECT id, campaign_id FROM member_invitation "
    "WHERE token_hash = :token_hash AND used_by = :subject_id AND revoked_at IS NULL AND campaign_id IS NOT NULL"
)
_ADMIT = text(
    """
    INSERT INTO campaign_admission (campaign_id, subject_id, invitation_id, admitted_at)
    VALUES (:campaign_id, :subject_id, :invitation_id, :now)
    ON CONFLICT (campaign_id, subject_id) DO NOTHING
    """
)

_LOCK_FIRST = text("SELECT pg_advisory_xact_lock(:key)")
_FOUNDER_EXISTS = text("SELECT EXISTS (SELECT FROM account WHERE role = 'founder')")
_REVOKE_FIRST = text(
    "UPDATE member_invitation SET revoked_at = :now WHERE issued_by IS NULL AND used_at IS NULL AND revoked_at IS NULL "
    "RETURNING id"
)
FIRST_INVITATION_LOCK_KEY = 7_120_317

Row = Mapping[str, Any]


async def insert_invitation(connection: AsyncConnection, row: Row) -> None:
    """Write a new invitation."""
    await connection.execute(_INSERT, dict(row))


async def standing_invitations(connection: AsyncConnection, subject_id: UUID, *, now: datetime) -> int:
    """How many invitations of a person count against its number: the open and the used ones. Locks the person's row,
    so that two requests at the same time cannot both take the last one."""
    await connection.execute(_LOCK_ISSUER, {"subject_id": subject_id})
    found = await connection.execute(_COUNT_STANDING, {"subject_id": subject_id, "now": now})
    return int(found.scalar_one())


async def list_invitations(
    connection: AsyncConnection, *, issued_by: UUID | None, after: tuple[datetime, UUID] | None, limit: int
) -> list[Row]:
    """Invitations, the newest first; of one person, or of everybody when `issued_by` is None."""
    parameters = {
        "issued_by": issued_by,
        "after_at": after[0] if after else None,
        "after_id": after[1] if after else None,
        "limit": limit,
    }
    return [dict(row) for row in (await connection.execute(_LIST, parameters)).mappings()]


async def revoke_invitation(
    connection: AsyncConnection, invitation_id: UUID, *, issued_by: UUID | None, now: datetime
) -> Row | None:
    """Revoke an invitation and the admission it gave; the invitation as it is now, or None when there is none that this
    person may revoke. A repeat changes nothing; `changed` tells it from the first time, `no_more_admitted` whose admission it took."""
    parameters = {"id": invitation_id, "issued_by": issued_by}
    changed = await connection.execute(_REVOKE, parameters | {"now": now})
    admitted = None
    if changed.rowcount:
        query = text("DELETE FROM campaign_admission WHERE invitation_id = :id RETURNING subject_id")
        admitted = (await connection.execute(query, {"id": invitation_id})).scalar_one_or_none()
    row = (await connection.execute(_SELECT, parameters)).mappings().one_or_none()
    return {**row, "changed": bool(changed.rowcount), "no_more_admitted": admitted} if row is not None else None


async def open_invitation(connection: AsyncConnection, token_hash: bytes, *, now: datetime) -> Row | None:
    """The invitation behind a token, while it can be used."""
    row = (await connection.execute(_OPEN_BY_TOKEN, {"token_hash": token_hash, "now": now})).mappings().one_or_none()
    return dict(row) if row is not None else None


async def use_invitation(
    connection: AsyncConnection, token_hash: bytes, subject_id: UUID, *, opens_campaign: bool, now: datetime
) -> Row | None:
    """Use an invitation for an account and admit it to the campaign it opens; None when it cannot be used by it. With
    `opens_campaign` only one that opens a campaign is used. The same person may repeat it; `changed` tells the two apart."""
    parameters = {"token_hash": token_hash, "subject_id": subject_id}
    used = await connection.execute(_USE, parameters | {"now": now, "opens_campaign": opens_campaign})
    row = used.mappings().one_or_none()
    changed = row is not None
    if row is None:
        row = (await connection.execute(_USED_BY, parameters)).mappings().one_or_none()
    if row is None:
        return None
    if row["campaign_id"] is not None:
        await connection.execute(
            _ADMIT,
            {
                "campaign_id": row["campaign_id"],
                "subject_id": subject_id,
                "invitation_id": row["id"],
                "now": now,
            },
        )
    return {**row, "changed": changed}


async def make_way_for_founder(connection: AsyncConnection, *, now: datetime) -> list[UUID] | None:
    """Revoke what was made for the first founder before, in the caller's transaction, and tell which; None when there is
    a founder already. Two callers follow each other."""
    await connection.execute(_LOCK_FIRST, {"key": FIRST_INVITATION_LOCK_KEY})
    if (await connection.execute(_FOUNDER_EXISTS)).scalar_one():
        return None
    return list((await connection.execute(_REVOKE_FIRST, {"now": now})).scalars())
