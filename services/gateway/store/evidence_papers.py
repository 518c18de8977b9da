"""Papers of evidence: one per dispute and version of the evidence, sealed, written once and never changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.kit.database import sql

_FIND = sql(
    "SELECT digest, sealed FROM evidence_paper WHERE psp_dispute_id = :psp_dispute_id AND evidence_hash = :evidence_hash"
)
# Two who prepare at once write one paper: the later one reads the earlier one's.
_INSERT = sql(
    """
    INSERT INTO evidence_paper (psp_dispute_id, evidence_hash, digest, sealed, made_at)
    VALUES (:psp_dispute_id, :evidence_hash, :digest, :sealed, :made_at)
    ON CONFLICT (psp_dispute_id, evidence_hash) DO NOTHING
    """
)


async def find_paper(connection: AsyncConnection, psp_dispute_id: str, evidence_hash: str) -> Any | None:
    """Digest and sealed content of a paper, or None."""
    found = await connection.execute(_FIND, {"psp_dispute_id": psp_dispute_id, "evidence_hash": evidence_hash})
    return found.one_or_none()


async def insert_paper(
    connection: AsyncConnection,
    psp_dispute_id: str,
    evidence_hash: str,
    *,
    digest: str,
    sealed: bytes,
    made_at: datetime,
) -> None:
    """Keep a paper; nothing when there is one."""
    await connection.execute(
        _INSERT,
        {
            "psp_dispute_id": psp_dispute_id,
            "evidence_hash": evidence_hash,
            "digest": digest,
            "sealed": sealed,
            "made_at": made_at,
        },
    )
