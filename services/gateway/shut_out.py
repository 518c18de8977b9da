"""End sessions from outside: one person's, everybody's, or with every way back in for somebody who leaves.

Run by whoever runs the platform, with the gateway's environment: `python -m services.gateway.shut_out`. It works while no
founder can sign in, and every gateway obeys at once. A participant's account is never closed here: it is the way to
one's own money.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncEngine

from services.gateway.auth.sessions import NOTIFY_CHANNEL
from services.gateway.domain.roles import PARTICIPANT
from services.gateway.settings import GatewaySettings
from services.gateway.store.accounts import account_by_email, email_lookup
from services.gateway.store.shutting_out import close_account, end_every_session
from services.kit.clock import wall_now
from services.kit.database import create_engine


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose sessions end; None for everybody's. `close` takes the ways of signing in, too."""

    email: str | None = field(repr=False)
    close: bool = False


class UnknownPersonError(Exception):
    """No account that this may be done to has the address."""


async def shut_out(engine: AsyncEngine, settings: GatewaySettings, wanted: Wanted) -> int:
    """Do it in one transaction; how many sessions were ended. Raises UnknownPersonError."""
    now, subject_id = wall_now(), None
    async with engine.begin() as connection:
        if wanted.email is not None:
            lookup = email_lookup(settings.people_key_gateway.get_secret_value(), wanted.email)
            account = await account_by_email(connection, lookup)
            if account is None or (wanted.close and account.role == PARTICIPANT):
                raise UnknownPersonError
            subject_id = account.subject_id
            if wanted.close:
                await close_account(connection, subject_id, now=now)
        return await end_every_session(connection, subject_id, channel=NOTIFY_CHANNEL, now=now)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line entry. Exit status 1 when nobody has the address."""
    parser = argparse.ArgumentParser(prog="shut_out", description="End sessions at once, at every gateway.")
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--email", help="The address of one account.")
    whose.add_argument("--everybody", action="store_true", help="Every session there is.")
    parser.add_argument(
        "--close", action="store_true", help="Take every way of signing in, too. Staff and suppliers only."
    )
    given = parser.parse_args(arguments)
    if given.close and given.everybody:
        parser.error("--close is about one account")
    try:
        ended = asyncio.run(_run(GatewaySettings(), Wanted(given.email, given.close)))
    except UnknownPersonError:
        sys.stderr.write(
            "No account of staff or of a supplier has this address.\n" if given.close else "Nobody has it.\n"
        )
        return 1
    sys.stdout.write(f"{ended} sessions were ended.\n")
    return 0


async def _run(settings: GatewaySettings, wanted: Wanted) -> int:
    engine = create_engine(settings.database_url.get_secret_value(), pool_size=1, application_name="gateway-shut-out")
    try:
        return await shut_out(engine, settings, wanted)
    finally:
        await engine.dispose()


if __name__ == "__main__":
    sys.exit(main())
