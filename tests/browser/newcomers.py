"""People who come in by an invitation in a role that no demo login has, and the passing of the time since their proof.

Acts want a proof of the last five minutes. A test that waited for them to pass would be a slow one, so the moment of the
proof is moved back in the gateway's database, and the gateways are told as when a session ends.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from services.gateway.auth.sessions import NOTIFY_CHANNEL
from services.gateway.domain.proofs import STEP_UP_WITHIN
from tests.fixtures.world import World

WAIT_SECONDS_MAX = 60.0
POLL_SECONDS = 0.2


async def _execute(world: World, statement: str, **parameters: Any) -> int:
    """Change the gateway's database as its owner; how many rows the statement returned."""
    engine = create_async_engine(world.addresses.owner_url("gateway"))
    try:
        async with engine.begin() as connection:
            return len((await connection.execute(text(statement), parameters)).all())
    finally:
        await engine.dispose()


async def invite_staff(world: World, role: str) -> tuple[UUID, str]:
    """An invitation into a staff role from a founder: its id and its token."""
    (founder,) = await world.participants(1)
    await _execute(
        world, "UPDATE account SET role = 'founder' WHERE subject_id = :id RETURNING role", id=UUID(founder.subject_id)
    )
    issued = (await founder.post("/v1/member-invitations", {"role": role}, expect=201)).json()
    return UUID(issued["id"]), str(issued["token"])


async def let_the_proof_age(world: World, invitation_id: UUID) -> None:
    """Wait until whoever used the invitation has proven a passkey, then have that be too long ago."""
    statement = (
        "WITH aged AS (UPDATE session SET proven_at = proven_at - CAST(:span AS interval) WHERE proof = 'passkey' "
        "AND subject_id = (SELECT used_by FROM member_invitation WHERE id = :id) RETURNING token_hash) "
        f"SELECT pg_notify('{NOTIFY_CHANNEL}', encode(token_hash, 'hex')) FROM aged"
    )
    for _ in range(int(WAIT_SECONDS_MAX / POLL_SECONDS)):
        if await _execute(world, statement, id=invitation_id, span=STEP_UP_WITHIN):
            return
        await asyncio.sleep(POLL_SECONDS)
    raise AssertionError("nobody proved a passkey")
