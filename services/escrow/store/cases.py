"""Cases as a person closes them: the case's row, and who has said what about it.

What was said is only ever added. The database refuses a second word of the same person, and the end of a blocking case
by hand that fewer than two people spoke for.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def find_case(connection: AsyncConnection, case_id: UUID) -> Any:
    """The case's row, or None."""
    found = await connection.execute(
        text("SELECT case_id, kind, scope, subject, blocking, closed_at FROM cases WHERE case_id = :case_id"),
        {"case_id": case_id},
    )
    return found.one_or_none()


async def open_case_fact(connection: AsyncConnection, kind: str, subject: str, name: str) -> str | None:
    """One fact of the open case of this kind about this subject; None when no such case is open."""
    found = await connection.execute(
        text("SELECT facts ->> :name FROM cases WHERE kind = :kind AND subject = :subject AND closed_at IS NULL"),
        {"kind": kind, "subject": subject, "name": name},
    )
    return found.scalar_one_or_none()


async def resolved_by(connection: AsyncConnection, case_id: UUID) -> list[str]:
    """The people who have given a resolution, the first one first."""
    found = await connection.execute(
        text("SELECT given_by FROM case_resolution WHERE case_id = :case_id ORDER BY given_at, given_by"),
        {"case_id": case_id},
    )
    return list(found.scalars())


async def insert_resolution(  # noqa: PLR0913 - one keyword for each column
    connection: AsyncConnection,
    case_id: UUID,
    *,
    given_by: str,
    resolution: str,
    evidence: Sequence[str],
    given_at: datetime,
) -> None:
    """Keep what a person found. The same again, as recovery may bring it, is a no-op."""
    await connection.execute(
        text(
            "INSERT INTO case_resolution (case_id, given_by, resolution, evidence, given_at) "
            "VALUES (:case_id, :given_by, :resolution, CAST(:evidence AS jsonb), :given_at) ON CONFLICT DO NOTHING"
        ),
        {
            "case_id": case_id,
            "given_by": given_by,
            "resolution": resolution,
            "evidence": json.dumps(list(evidence)),
            "given_at": given_at,
        },
    )
