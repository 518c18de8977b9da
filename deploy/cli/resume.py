"""`./alpmera resume`: what waits behind a message that could not be handled, and letting it go on after a mend.

Discarding a message takes two people and a reason; the database refuses the same person twice.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import typer
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from contracts.topics import SERVICES
from deploy.cli.console import complain, say
from deploy.local.addresses import load_addresses

_PARKED = text(
    "SELECT consumer, stream, message_id, seq, headers ->> 'ce_type' AS type, reason, error, parked_at, discarded_by "
    "FROM parked ORDER BY consumer, stream, seq"
)
_RESUME_STREAM = text(
    "UPDATE gate SET state = 'resuming', state_since = clock_timestamp() WHERE stream = :wanted AND state = 'blocked'"
)
_RESUME_MESSAGE = text(
    "UPDATE parked SET reason = 'behind' WHERE stream IS NULL AND message_id::text = :wanted AND reason = 'poison'"
)
_ASK_DISCARD = text(
    "UPDATE parked SET discarded_by = :person, discard_reason = :reason WHERE message_id = :id AND discarded_by IS NULL"
)
_APPROVE_DISCARD = text(
    "UPDATE parked SET discard_approved_by = :person WHERE message_id = :id AND discarded_by IS NOT NULL "
    "AND discard_approved_by IS NULL"
)


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def resume(
        stream: str = typer.Argument(
            None, help="The stream (campaigns:<id>) or the message id; none lists what waits."
        ),
        discard: str = typer.Option(None, "--discard", help="Give up one message (its id) instead; needs two people."),
        person: str = typer.Option(None, "--by", help="Who discards or approves, by a name of your own records."),
        reason: str = typer.Option(None, "--reason", help="Why the message is given up (first person)."),
    ) -> int:
        """List what waits, or let a blocked stream go on after its cause was mended.

        Handling what waits twice changes nothing. Exit status 1 when there was nothing to do.
        """
        addresses = load_addresses()
        engines = {service: create_async_engine(addresses.owner_url(service)) for service in SERVICES}
        if discard is not None:
            return asyncio.run(_discard(engines, discard, person, reason))
        return asyncio.run(_list(engines) if stream is None else _resume(engines, stream))


async def _list(engines: dict[str, AsyncEngine]) -> int:
    """Print every waiting message; nothing waiting is fine."""
    count = 0
    for engine in engines.values():
        async with engine.connect() as connection:
            for row in await connection.execute(_PARKED):
                count += 1
                typer.echo(
                    f"{row.consumer}  {row.stream or row.message_id}  {row.seq or ''}  {row.type}  {row.reason}"
                    f"  {row.error or ''}  {'discard asked by ' + row.discarded_by if row.discarded_by else ''}".rstrip()
                )
    say(f"{count} messages wait." if count else "Nothing waits.")
    return 0


async def _resume(engines: dict[str, AsyncEngine], wanted: str) -> int:
    changed = await _everywhere(engines, _RESUME_STREAM, {"wanted": wanted})
    changed += await _everywhere(engines, _RESUME_MESSAGE, {"wanted": wanted})
    if not changed:
        complain(f"Nothing is blocked under '{wanted}'. `./alpmera resume` lists what waits.")
        return 1
    say(f"{wanted} goes on in {changed} place(s); its case closes when everything that waited is handled.")
    return 0


async def _discard(engines: dict[str, AsyncEngine], message: str, person: str | None, reason: str | None) -> int:
    if not person:
        complain("Say who acts with --by.")
        return 2
    try:
        identity = UUID(message)
    except ValueError:
        complain(f"'{message}' is not a message id; `./alpmera resume` lists them.")
        return 2
    if reason:
        asked = await _everywhere(engines, _ASK_DISCARD, {"person": person, "reason": reason, "id": identity})
        if asked:
            say("Asked. A second person approves with: ./alpmera resume --discard ID --by NAME")
            return 0
    try:
        approved = await _everywhere(engines, _APPROVE_DISCARD, {"person": person, "id": identity})
    except IntegrityError:
        complain("The person who asked cannot approve; a second person is needed.")
        return 1
    if not approved:
        complain("No such message waits for this. The first person gives --reason, the second approves without it.")
        return 1
    say("Discarded. Resume its stream now, so that what waited behind it is handled.")
    return 0


async def _everywhere(engines: dict[str, AsyncEngine], statement: Any, parameters: dict[str, Any]) -> int:
    changed = 0
    for engine in engines.values():
        async with engine.begin() as connection:
            changed += (await connection.execute(statement, parameters)).rowcount
    return changed
