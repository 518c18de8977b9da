"""Shut out from outside: one person, everybody, or with every way back in somebody who leaves.

Sessions, access tokens and the calendar's address end, so that nothing acts or reads in the account's name any more; each
account's audit record is written in the same transaction, as the platform's own act.

Run by whoever runs the platform, with the gateway's environment: `python -m services.gateway.shut_out`. It works while no
founder can sign in, and every gateway obeys at once. A participant's account is never closed here: it is the way to
one's own money.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from contracts.envelope import PLATFORM_SCOPE
from services.gateway.auth.sessions import NOTIFY_CHANNEL
from services.gateway.domain.roles import PARTICIPANT
from services.gateway.settings import GatewaySettings
from services.gateway.store.accounts import account_by_email, email_lookup
from services.gateway.store.own_records import OwnRecord, record_all
from services.gateway.store.shutting_out import Ended, close_account, end_every_secret
from services.kit.clock import wall_now
from services.kit.database import create_engine


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is shut out; None for everybody. `close` takes the ways of signing in, too."""

    email: str | None = field(repr=False)
    close: bool = False


class UnknownPersonError(Exception):
    """No account that this may be done to has the address."""


async def shut_out(engine: AsyncEngine, settings: GatewaySettings, wanted: Wanted) -> Mapping[UUID, Ended]:
    """Do it in one transaction; what was ended of whom. Raises UnknownPersonError."""
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
        ended = await end_every_secret(connection, subject_id, channel=NOTIFY_CHANNEL, now=now)
        if subject_id is not None:
            ended = {subject_id: ended.get(subject_id, Ended())}
        await record_all(connection, [_told(whose, each, closed=wanted.close) for whose, each in ended.items()])
    return ended


def _told(subject_id: UUID, ended: Ended, *, closed: bool) -> OwnRecord:
    return OwnRecord(
        "account.closed" if closed else "account.shut_out",
        PLATFORM_SCOPE,
        str(subject_id),
        asdict(ended),
        asdict(Ended()),
        reason="operator",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line entry. Exit status 1 when nobody has the address."""
    parser = argparse.ArgumentParser(
        prog="shut_out", description="End sessions, access tokens and calendar addresses at once, at every gateway."
    )
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--email", help="The address of one account.")
    whose.add_argument("--everybody", action="store_true", help="Every account there is.")
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
    totals = Counter[str]()
    for each in ended.values():
        totals.update(asdict(each))
    sys.stdout.write(
        f"{totals['sessions']} sessions, {totals['access_tokens']} access tokens and "
        f"{totals['calendars']} calendar addresses were ended.\n"
    )
    return 0


async def _run(settings: GatewaySettings, wanted: Wanted) -> Mapping[UUID, Ended]:
    engine = create_engine(settings.database_url.get_secret_value(), pool_size=1, application_name="gateway-shut-out")
    try:
        return await shut_out(engine, settings, wanted)
    finally:
        await engine.dispose()


if __name__ == "__main__":
    sys.exit(main())
