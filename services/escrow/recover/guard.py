"""Whether the service may start on this database: not while a recovery is under way, not when its topic knows more.

A database that was set back would otherwise act on what it does not know: it would number new events as old ones were
numbered, and call with what it takes for new. The relay asks the same and refuses to send; this asks before anything
acts. A database without any stream is new and passes. It cannot see that the database is set back under a running
process.
"""

from __future__ import annotations

from services.escrow.recover.errors import RecoverError
from services.escrow.settings import EscrowSettings
from services.escrow.store import recovering as store
from services.kit.database import create_engine
from services.kit.relay import Relay, TopicAheadError
from services.kit.statements import Direct


async def check_may_start(settings: EscrowSettings) -> None:
    """Raise RecoverError `recover_unfinished` or `recover_needed`."""
    url = settings.database_url.get_secret_value()
    engine = create_engine(url, pool_size=2, application_name="escrow-start")
    direct = Direct(url, size=1, application_name="escrow-start")
    try:
        if await store.marks(engine):
            raise RecoverError("recover_unfinished", "a recovery of this database is not over: run recover again")
        if not await store.heads(engine):
            return
        relay = Relay(
            service="escrow",
            direct=direct,
            bootstrap=settings.kafka,
            instance=settings.instance,
            prefix=settings.kafka_prefix,
        )
        await relay.refuse_if_topic_ahead()
    except TopicAheadError as error:
        raise RecoverError("recover_needed", str(error)) from None
    finally:
        await direct.close()
        await engine.dispose()
