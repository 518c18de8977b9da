"""Mails about accounts, as kept: which template, when, with what result. No address, no code, no person's id."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from sqlalchemy import text

from services.kit.work import Work

Result = Literal["pending", "sent", "bounced", "expired"]

_INSERT = text(
    """
    INSERT INTO account_mail (mail_id, template, template_version, result, recorded_at, settled_at)
    VALUES (
        :mail_id, :template, :version, :result, :now,
        CASE WHEN :result = 'pending' THEN NULL ELSE CAST(:now AS timestamptz) END
    )
    ON CONFLICT (mail_id) DO NOTHING
    """
)
_SETTLE = text(
    "UPDATE account_mail SET result = :result, settled_at = :now, server_answer = :server_answer "
    "WHERE mail_id = :mail_id AND result = 'pending'"
)


async def insert_account_mail(work: Work, mail_id: UUID, *, template: str, version: int, result: Result) -> bool:
    """Keep a mail; False when it is known already."""
    parameters = {"mail_id": mail_id, "template": template, "version": version, "result": result, "now": work.now}
    return (await work.connection.execute(_INSERT, parameters)).rowcount == 1


async def settle_account_mail(work: Work, mail_id: UUID, *, result: Result, server_answer: str | None) -> None:
    """Keep the outcome of a pending mail; one that has an outcome keeps it."""
    parameters = {"mail_id": mail_id, "result": result, "server_answer": server_answer, "now": work.now}
    await work.connection.execute(_SETTLE, parameters)
