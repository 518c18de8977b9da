"""`python -m services.gateway.invite_founder`: the invitation of the first founder, for a platform where nobody is yet.

Everybody comes in by an invitation, and founders invite staff; somebody has to be the first. Whoever can run this with
the gateway's settings holds its database and its keys anyway. The link works once, for an hour; a newer one voids the
older, and once there is a founder the command refuses. It cannot tell who reads the terminal.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
from datetime import timedelta
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from services.gateway.settings import GatewaySettings
from services.gateway.store import member_invitations
from services.gateway.store.accounts import token_hash
from services.gateway.usecases.invite_members import TOKEN_BYTES
from services.kit.clock import wall_now
from services.kit.database import create_engine

VALID_FOR = timedelta(hours=1)


async def invite_founder(engine: AsyncEngine) -> str | None:
    """Make the invitation; its token, which is stored hashed, or None when there is a founder already."""
    now, token = wall_now(), secrets.token_urlsafe(TOKEN_BYTES)
    row = {
        "id": uuid4(),
        "token_hash": token_hash(token),
        "issued_by": None,
        "role": "founder",
        "supplier_id": None,
        "campaign_id": None,
        "email_lookup": None,
        "note_sealed": None,
        "created_at": now,
        "expires_at": now + VALID_FOR,
    }
    async with engine.begin() as connection:
        if not await member_invitations.make_way_for_founder(connection, now=now):
            return None
        await member_invitations.insert_invitation(connection, row)
    return token


def main() -> int:
    """Command line entry. The link goes to standard output; exit status 1 when there is a founder already."""
    settings = GatewaySettings()
    token = asyncio.run(_run(settings.database_url.get_secret_value()))
    if token is None:
        sys.stderr.write("There is a founder already: founders invite further ones on the page about invitations.\n")
        return 1
    site = settings.public_origins[0] if settings.public_origins else ""
    minutes = int(VALID_FOR.total_seconds()) // 60
    sys.stderr.write(f"Open this on the site within {minutes} minutes; it works once and is not shown again.\n")
    sys.stdout.write(f"{site}/sign-up#{token}\n")
    return 0


async def _run(url: str) -> str | None:
    engine = create_engine(url, pool_size=1, application_name="gateway-invite-founder")
    try:
        return await invite_founder(engine)
    finally:
        await engine.dispose()


if __name__ == "__main__":
    sys.exit(main())
