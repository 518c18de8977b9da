"""How far the services have read, at the snapshot, and what was still under way then.

Gates and heads are compared by their sums per producer, which costs a few numbers. A stream that is blocked, with its
case, is no noise; what follows from it is left out where services are compared (`held_up`). What a service itself has
left is the question of `deploy.quiet`, asked in the snapshot; deadlines and waiting streams are judged by their own
checks here, and are no noise.
"""

from __future__ import annotations

from contracts.topics import TOPICS
from deploy.audit.snapshot import SEQUENCE, Snapshot, event_producers, followers, heads, rows, value
from deploy.quiet import noise_of, service_state
from services.escrow.domain.reconciliation import clock_of

FRESH_SECONDS = 60
"""A message sent less long ago (wall time) may be on its way; an older one that nobody received is lost, not noise."""


async def noise(snapshot: Snapshot) -> list[str]:
    """What was still under way, in words; empty when the platform was quiet."""
    found: list[str] = []
    for service in SEQUENCE:
        state = await service_state(snapshot.of(service))
        found += noise_of(service, {"unsent": state.unsent, "calls": state.calls})
        if await unread(snapshot, service) and await _sent_lately(snapshot, service):
            found.append(f"{service} has messages to receive")
        unsealed = await value(snapshot.of(service), "SELECT count(*) FROM audit_entry WHERE hash IS NULL")
        if unsealed:
            found.append(f"{service} has {unsealed} audit records to seal")
    for producer in event_producers():
        tops = await heads(snapshot, producer)
        for follower in followers(producer):
            behind = await _behind(snapshot, follower, producer, tops)
            if behind:
                found.append(f"{follower} has {behind} events of {producer} to read")
    return found


async def _behind(snapshot: Snapshot, follower: str, producer: str, tops: dict[str, int]) -> int:
    """How many events a follower has yet to pass, blocked streams aside."""
    connection, consumer = snapshot.of(follower), snapshot.consumer(follower)
    like = f"{producer}:%"
    passed = await value(
        connection,
        "SELECT COALESCE(SUM(last_seq), 0)::bigint FROM gate WHERE consumer = :consumer AND stream LIKE :like",
        consumer=consumer,
        like=like,
    )
    behind = sum(tops.values()) - int(passed)
    if behind:
        blocked = await rows(
            connection,
            "SELECT stream, last_seq FROM gate WHERE consumer = :consumer AND stream LIKE :like AND state = 'blocked'",
            consumer=consumer,
            like=like,
        )
        behind -= sum(tops.get(row["stream"], 0) - row["last_seq"] for row in blocked)
    return behind


def inbox_topics(receiver: str) -> list[str]:
    """The topics whose messages a service notes in its inbox: those without numbers."""
    return [topic.name for topic in TOPICS if receiver in topic.consumers and not topic.name.endswith(".events")]


async def unread(snapshot: Snapshot, receiver: str) -> int:
    """How many messages without a number were written for a service and are neither in its inbox nor parked."""
    topics, sent = inbox_topics(receiver), 0
    for sender in SEQUENCE:
        query = "SELECT count(*) FROM outbox WHERE topic = ANY (CAST(:topics AS text[])) AND stream IS NULL"
        sent += await value(snapshot.of(sender), query, topics=topics)
    query = """
        SELECT (SELECT count(*) FROM inbox WHERE consumer = :consumer) + (
            SELECT count(*) FROM parked p
            WHERE p.consumer = :consumer AND p.stream IS NULL AND NOT EXISTS (
                SELECT FROM inbox i WHERE i.consumer = p.consumer AND i.message_id = p.message_id))
    """
    received = await value(snapshot.of(receiver), query, consumer=snapshot.consumer(receiver))
    return max(0, sent - int(received))


async def _sent_lately(snapshot: Snapshot, receiver: str) -> bool:
    query = """
        SELECT count(*) FROM outbox
        WHERE topic = ANY (CAST(:topics AS text[])) AND stream IS NULL
            AND published_at > clock_timestamp() - make_interval(secs => :seconds)
    """
    for sender in SEQUENCE:
        if await value(snapshot.of(sender), query, topics=inbox_topics(receiver), seconds=FRESH_SECONDS):
            return True
    return False


async def overdue_objects(snapshot: Snapshot) -> int:
    """Objects in clearing past their clock: after the simulated time jumped, reconciliation may be about to settle them."""
    query = "SELECT object_id, since FROM clearing_object ORDER BY since LIMIT 1000"
    found = await rows(snapshot.of("escrow"), query)
    return sum(snapshot.now - row["since"] > clock_of(row["object_id"]) for row in found)


async def held_up(snapshot: Snapshot) -> set[str]:
    """Scopes whose services cannot agree at present, for a reason that is told: a blocked stream, a withheld step."""
    scopes: set[str] = set()
    for service in SEQUENCE:
        found = await rows(
            snapshot.of(service),
            "SELECT stream FROM gate WHERE consumer = :consumer AND state <> 'open'",
            consumer=snapshot.consumer(service),
        )
        scopes.update(row["stream"].partition(":")[2] for row in found)
    waiting = await rows(
        snapshot.of("campaigns"), "SELECT campaign_id::text AS scope FROM campaign WHERE waiting_step IS NOT NULL"
    )
    scopes.update(row["scope"] for row in waiting)
    return scopes
