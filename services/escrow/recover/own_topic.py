"""The first step: every own event that the topic holds and this database does not is taken over, stream by stream.

A stream is one transaction: its messages go back into the outbox as sent, its counter continues after them, its ledger
transfers are inserted as they were told (their hashes must continue the chain here), its checkpoints are kept with trees
that must come to the signed roots, and then each event sets the rows that it tells of. What cannot be told apart from a
forked history stops the recovery.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from contracts.envelope import PLATFORM_SCOPE, Message, parse
from contracts.escrow import FundsHeld, LateFundsReceived, LedgerTransfersPosted
from contracts.ledger import LedgerTransfer, chain_fault
from contracts.topics import events_topic
from contracts.transparency import CheckpointSigned, PlatformCheckpointSigned
from services.escrow.calls.client import StripeCalls, StripeUnavailableError
from services.escrow.recover.checkpoints import take_checkpoint, take_platform
from services.escrow.recover.errors import RecoverError
from services.escrow.recover.fold import fold_event
from services.escrow.recover.fold_plans import go_on
from services.escrow.recover.folding import Folding, Inputs, Receipt
from services.escrow.recover.topics import read_topic
from services.escrow.store import recovering as store
from services.escrow.store.ledger_rows import INSERT, insert_parameters, transfer_columns
from services.escrow.store.objects import objects_of
from services.kit.received import Received
from services.kit.service import Service
from services.kit.transaction import finish_work, lock_heads, make_work
from services.kit.work import Work

ROWS_AT_ONCE = 500
FIND_PAGES_MAX = 100


@dataclass
class OwnEvents:
    """What the topic knows beyond the database: by stream, in sequence; and the causes of all of it."""

    streams: dict[str, list[Received]] = field(default_factory=dict)
    causes: set[UUID] = field(default_factory=set)

    @property
    def count(self) -> int:
        """How many events."""
        return sum(len(records) for records in self.streams.values())


async def read_own(engine: AsyncEngine, bootstrap: str, *, prefix: str) -> OwnEvents:
    """Read the own topic from its first record; what the outbox has and does not know to be sent is marked so."""
    heads = await store.heads(engine)
    newer: dict[str, dict[int, Received]] = defaultdict(dict)
    last: dict[str, UUID] = {}
    async for records in read_topic(bootstrap, events_topic("escrow"), prefix=prefix):
        await store.mark_published(engine, [record.envelope.id for record in records])
        for record in records:
            _sort_in(record, heads, newer, last)
    known = await store.known_ids(engine, last.values())
    forked = [stream for stream, identity in last.items() if identity not in known]
    if forked:
        raise RecoverError("recover_forked", f"the topic has other events than the database in {sorted(forked)[:5]}")
    found = OwnEvents()
    for stream, by_seq in newer.items():
        seqs = sorted(by_seq)
        if seqs != list(range(heads.get(stream, 0) + 1, seqs[-1] + 1)):
            raise RecoverError(
                "recover_gap", f"{stream}: the topic does not hold every event after the database's last"
            )
        found.streams[stream] = [by_seq[seq] for seq in seqs]
    for records in found.streams.values():
        found.causes |= {each.envelope.causation_id for each in records if each.envelope.causation_id is not None}
    return found


def _sort_in(
    record: Received, heads: Mapping[str, int], newer: dict[str, dict[int, Received]], last: dict[str, UUID]
) -> None:
    stream, seq = record.envelope.stream, record.envelope.seq
    if stream is None or seq is None:
        return
    head = heads.get(stream, 0)
    if seq == head:
        last.setdefault(stream, record.envelope.id)
    elif seq > head:
        there = newer[stream].setdefault(seq, record)
        if there.envelope.id != record.envelope.id:
            raise RecoverError("recover_forked", f"{stream} has two events of the number {seq} in the topic")


async def look_up_receipts(stripe: StripeCalls, own: OwnEvents) -> dict[UUID, Receipt]:
    """What Stripe has of the payments that were received in the lost time, by call; outside every transaction."""
    receipts: dict[UUID, Receipt] = {}
    for records in own.streams.values():
        for record in records:
            message = _message(record)
            if isinstance(message, FundsHeld):
                body = await stripe.read(f"/v1/payment_intents/{message.payment_intent_id}")
            elif isinstance(message, LateFundsReceived):
                body = await _find_late(stripe, message, record)
            else:
                continue
            if body is not None:
                receipts[message.intent_id] = Receipt(str(body["id"]), body.get("latest_charge"))
    return receipts


async def _find_late(stripe: StripeCalls, message: LateFundsReceived, record: Received) -> dict[str, object] | None:
    # A payment starts at most some days before its money comes; the list is by creation.
    since = int(record.envelope.time.timestamp()) - 7 * 86_400
    try:
        return await stripe.find(
            "/v1/payment_intents",
            {"created": {"gte": since}},
            intent_id=str(message.intent_id),
            pages_max=FIND_PAGES_MAX,
        )
    except StripeUnavailableError as error:
        raise RecoverError("recover_stripe_unavailable", str(error)) from None


async def take_over(  # noqa: PLR0913 - the parts of one step, all named
    engine: AsyncEngine,
    service: Service,
    own: OwnEvents,
    inputs: Inputs,
    *,
    receipts: Mapping[UUID, Receipt],
    salt_key: bytes | None,
) -> None:
    """Take over every stream, the platform's last, because its checkpoints cover the others'."""
    platform = f"escrow:{PLATFORM_SCOPE}"
    for stream in sorted(own.streams, key=lambda name: (name == platform, name)):
        await _take_stream(engine, service, stream, own.streams[stream], inputs, receipts=receipts, salt_key=salt_key)


async def _take_stream(  # noqa: PLR0913 - the parts of one step, all named
    engine: AsyncEngine,
    service: Service,
    stream: str,
    records: Sequence[Received],
    inputs: Inputs,
    *,
    receipts: Mapping[UUID, Receipt],
    salt_key: bytes | None,
) -> None:
    scope = stream.split(":", 1)[1]
    told = [(record, _message(record)) for record in records]
    async with engine.begin() as connection, store.guards_off(connection):
        await lock_heads(connection, service, [scope])
        await _adopt(records, connection=connection)
        await store.set_head(connection, stream, records[-1].envelope.seq or 0)
        work = await make_work(connection, service, [scope])
        await _insert_transfers(work, scope, told)
        for _, message in told:
            if isinstance(message, CheckpointSigned):
                await take_checkpoint(connection, message, salt_key=salt_key)
            elif isinstance(message, PlatformCheckpointSigned):
                await take_platform(connection, message)
        fold = Folding(work, scope, inputs, receipts)
        for record, message in told:
            work.for_cause(record.envelope)
            work.now = record.envelope.time
            await fold_event(fold, message)
        await go_on(fold)
        await finish_work(work, service)
        await store.answer_intents(connection, fold.answered, work.now)
        await store.mark_lines(connection, scope)


async def _adopt(records: Sequence[Received], *, connection: object) -> None:
    rows = [
        {
            "message_id": record.envelope.id,
            "topic": record.topic,
            "key": record.envelope.key,
            "type": record.envelope.type,
            "stream": record.envelope.stream,
            "seq": record.envelope.seq,
            "headers": json.dumps(record.envelope.to_headers() | dict(record.envelope.extra)),
            "payload": (record.body or b"").decode(),
        }
        for record in records
    ]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        await store.adopt_outbox(connection, rows[start : start + ROWS_AT_ONCE])  # type: ignore[arg-type]


async def _insert_transfers(work: Work, scope: str, told: Sequence[tuple[Received, Message]]) -> None:
    """Insert told transfers verbatim. Raises RecoverError when they do not continue the chain that is here."""
    for record, message in told:
        if not isinstance(message, LedgerTransfersPosted):
            continue
        head, count = await store.ledger_head(work.connection, scope)
        fresh = [transfer for transfer in message.transfers if transfer.position > count]
        for transfer in message.transfers:
            if transfer.position <= count and await store.hash_at(work.connection, scope, transfer.position) != (
                transfer.hash
            ):
                raise RecoverError("recover_hash_mismatch", f"transfer {transfer.position} of {scope} differs here")
        fault = chain_fault(fresh, head, count)
        if fault is not None:
            raise RecoverError("recover_hash_mismatch", f"transfer {fault} of {scope} does not continue the chain")
        if fresh:
            columns = transfer_columns([_values(transfer) for transfer in fresh])
            await work.connection.execute(INSERT, insert_parameters(columns, record.envelope.time))
            for transfer in fresh:
                for entry in transfer.entries:
                    if entry.object_id is not None and entry.account == "psp_clearing":
                        objects_of(work).clearing[scope, entry.object_id] += entry.amount_minor


def _values(transfer: LedgerTransfer) -> dict[str, object]:
    values = dict(transfer)
    values["commitment_id"] = None if transfer.commitment_id is None else str(transfer.commitment_id)
    values["plan_id"] = None if transfer.plan_id is None else str(transfer.plan_id)
    values["relied_on"] = [str(event_id) for event_id in transfer.relied_on]
    values["entries"] = [dict(entry) for entry in transfer.entries]
    return values


def _message(record: Received) -> Message:
    message = parse(record.envelope.type, record.body or b"")
    if message is None:
        raise RecoverError(
            "recover_unknown_event", f"{record.envelope.type} is not known to this version of the service"
        )
    return message
