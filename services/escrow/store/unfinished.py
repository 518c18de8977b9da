"""Which of these objects say something that our records do not know yet: a cheap sieve before any lock is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.escrow.domain.psp import metadata_id

_NAMES = {"payment_intent": "payment_id", "refund": "decision_id", "transfer": "plan_id", "topup": "top_up_id"}


async def unfinished_objects(engine: AsyncEngine, bodies: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those objects whose status may change a record of ours."""
    named = [(body, metadata_id(body, _NAMES.get(str(body.get("object")), ""))) for body in bodies]
    ids = [identity for _, identity in named if identity is not None]
    if not ids:
        return []
    async with engine.connect() as connection:
        states = await connection.execute(_STATES, {"ids": ids})
        known: dict[UUID, str] = {row.id: row.state for row in states}
        reversals = {each for body in bodies for each in _reversals(body)}
        found = await connection.execute(
            text("SELECT object_id FROM psp_object WHERE object_id = ANY (CAST(:ids AS text[]))"),
            {"ids": sorted(reversals)},
        )
        settled_reversals = {row.object_id for row in found}
    return [
        body for body, identity in named if identity in known and _says_more(body, known[identity], settled_reversals)
    ]


def _says_more(body: Mapping[str, Any], state: str, settled_reversals: set[str]) -> bool:
    status = body.get("status")
    match body.get("object"):
        case "payment_intent":
            final = status == "succeeded" or state not in ("canceled", "declined")
            return state != "succeeded" and final
        case "refund":
            if status == "succeeded":
                return state in ("decided", "pending", "paid_outside")
            return status in ("failed", "canceled") and state != "failed"
        case "transfer":
            return state == "SENDING" or any(each not in settled_reversals for each in _reversals(body))
        case "topup":
            return state == "recorded"
        case _:
            return False


def _reversals(body: Mapping[str, Any]) -> list[str]:
    rows = (body.get("reversals") or {}).get("data") or ()
    return [str(row["id"]) for row in rows]


_STATES = text(
    """
    SELECT payment_id AS id, state FROM payment WHERE payment_id = ANY (CAST(:ids AS uuid[]))
    UNION ALL
    SELECT decision_id, state FROM refund_decision WHERE decision_id = ANY (CAST(:ids AS uuid[]))
    UNION ALL
    SELECT plan_id, state FROM clearing_plan WHERE plan_id = ANY (CAST(:ids AS uuid[]))
    UNION ALL
    SELECT top_up_id, state FROM top_up WHERE top_up_id = ANY (CAST(:ids AS uuid[]))
    """
)
