"""One service as a real process on a database and topics of its own, killed and started again as a test says.

The test plays the other services: their events come with streams numbered without gaps, their commands signed. What a
crash would only cost in time is cut short here and nowhere else: the broker is told at once that the dead consumer is
gone, instead of after its session's ten seconds.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from uuid import UUID, uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.group import LeaveGroupRequest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from contracts.envelope import SYSTEM, Actor, Envelope, Message, stream_name
from services.kit.assertion import load_private, new_key_pair, sign
from services.kit.clock import wall_now
from services.kit.create_topics import create_topics
from tests.faults.nursery import Nursery
from tests.fixtures.infra import PARTS, Database

WAIT_SECONDS = 40.0
POLL_SECONDS = 0.05
READ_TIMEOUT_MILLISECONDS = 2000
LOG_CHARACTERS_MAX = 4000


class Rig:
    """A service under test. `group` is the consumer group of its inputs, `beside` are other groups that it joins (both
    without the prefix). Use as an async context manager."""

    def __init__(
        self,
        service: str,
        *,
        nursery: Nursery,
        database: Database,
        folder: Path,
        environment: Mapping[str, str],
        module: str | None = None,
        group: str | None = None,
        beside: Sequence[str] = (),
    ) -> None:
        self.service = service
        self.database = database
        self.module = module or f"services.{service}"
        self.prefix = f"f{uuid4().hex[:8]}."
        self.group = self.prefix + (group or service)
        self._groups = [self.group, *(self.prefix + name for name in beside)]
        self.owner: AsyncEngine = create_async_engine(database.owner)
        self._nursery = nursery
        self._log = folder / f"{service}.log"
        self.wait_seconds = WAIT_SECONDS
        self._seqs: dict[str, int] = defaultdict(int)
        self._fed: set[str] = set()
        self._producer = AIOKafkaProducer(bootstrap_servers=PARTS.infra.kafka_bootstrap, acks="all")
        self._admin = AIOKafkaAdminClient(bootstrap_servers=PARTS.infra.kafka_bootstrap)
        self._reader = AIOKafkaConsumer(bootstrap_servers=PARTS.infra.kafka_bootstrap, enable_auto_commit=False)
        private, public = new_key_pair()
        self._key = load_private(private)
        self.environment = {
            "ALPMERA_PROFILE": "local",
            "ALPMERA_DATABASE_URL": database.app,
            "ALPMERA_DATABASE_POOL_SIZE": "5",
            "ALPMERA_KAFKA": PARTS.infra.kafka_bootstrap,
            "ALPMERA_KAFKA_CLUSTER_ID": PARTS.infra.kafka_cluster_id,
            "ALPMERA_KAFKA_PREFIX": self.prefix,
            "ALPMERA_ASSERTION_PRIVATE_KEY": base64.b64encode(private).decode(),
            "ALPMERA_ASSERTION_PUBLIC_KEY": base64.b64encode(public).decode(),
            # The same name at each start, so that the relay's lease is its own again.
            "ALPMERA_INSTANCE": f"{service}-under-test",
            **environment,
        }

    async def __aenter__(self) -> Self:
        await create_topics(PARTS.infra.kafka_bootstrap, prefix=self.prefix)
        await self._producer.start()
        await self._admin.start()
        await self._reader.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._nursery.is_alive:
            self._nursery.kill()
            await self._nursery.ended(WAIT_SECONDS)
        await self._reader.stop()
        await self._admin.close()
        await self._producer.stop()
        await self.owner.dispose()
        await asyncio.to_thread(PARTS.drop, self.database)

    # -- the process --------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the service, with no failpoint armed."""
        await self._nursery.start(self.module, self.environment, self._log)

    async def arm(self, failpoints: str) -> None:
        """Arm failpoints in the running process; returns when they are."""
        await self._nursery.arm(failpoints)

    async def died(self) -> None:
        """Wait for the process to be killed by SIGKILL, and make what the crash would only delay happen now."""
        try:
            code = await self._nursery.ended(WAIT_SECONDS)
        except TimeoutError:
            raise AssertionError(f"{self.service} was not killed\n{self.log()}") from None
        assert code == -9, f"{self.service} ended with {code}\n{self.log()}"
        await self._bury()

    async def kill(self) -> None:
        """Kill it from outside, now."""
        self._nursery.kill()
        await self.died()

    async def _bury(self) -> None:
        coordinator = await self._coordinator()
        for group in self._groups:
            for member_id in await self._members(group):
                await self._admin._send_request(LeaveGroupRequest(group, member_id), coordinator)

    async def _coordinator(self) -> int:
        """The broker that keeps the group. A new broker makes the topic for it at the first question and says so."""
        end = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                return int(await self._admin.find_coordinator(self.group))
            except KafkaError as error:
                if not error.retriable or time.monotonic() > end:
                    raise
            await asyncio.sleep(POLL_SECONDS)

    async def _members(self, group: str) -> list[str]:
        (described,) = await self._admin.describe_consumer_groups([group])
        return [member[0] for found in described.groups for member in found[5]]

    def log(self) -> str:
        """The end of what the processes logged."""
        return self._log.read_text(errors="replace")[-LOG_CHARACTERS_MAX:]

    # -- messages in --------------------------------------------------------------------------------------------

    async def command(self, message: Message, *, actor: Actor = SYSTEM, topic: str | None = None) -> UUID:
        """Send a command as the gateway does, signed; returns its id."""
        body = message.model_dump_json().encode()
        envelope = self._envelope(message, actor=actor, source="gateway")
        headers = envelope.to_headers() | {"assertion": sign(self._key, envelope, body)}
        await self._send(topic or f"{message.service}.commands", envelope.key, headers, body)
        return envelope.id

    async def event(self, message: Message, *, topic: str | None = None, streamed: bool = True) -> UUID:
        """Tell an event of another service, the next of its stream; returns its id."""
        stream = stream_name(message.service, message.scope) if streamed else None
        envelope = self._envelope(message, actor=SYSTEM, source=message.service, stream=stream)
        body = message.model_dump_json().encode()
        await self._send(topic or f"{message.service}.events", envelope.key, envelope.to_headers(), body)
        return envelope.id

    def _envelope(self, message: Message, *, actor: Actor, source: str, stream: str | None = None) -> Envelope:
        if stream is not None:
            self._seqs[stream] += 1
        now = wall_now()
        return Envelope(
            id=uuid4(), type=message.type, source=source, time=now, key=message.scope, actor=actor, received_at=now,
            stream=stream, seq=self._seqs[stream] if stream is not None else None,
        )  # fmt: skip

    async def _send(self, topic: str, key: str, headers: Mapping[str, str], body: bytes) -> None:
        self._fed.add(self.prefix + topic)
        await self._producer.send_and_wait(
            self.prefix + topic,
            value=body,
            key=key.encode(),
            headers=[(name, value.encode()) for name, value in headers.items()],
        )

    # -- what is there afterwards -------------------------------------------------------------------------------

    async def rows(self, query: str, **parameters: Any) -> list[Any]:
        """Read the service's database."""
        async with self.owner.connect() as connection:
            return list((await connection.execute(text(query), parameters)).all())

    async def told_because_of(self, cause: UUID) -> list[str]:
        """The types of what the service wrote to its outbox because of a message, in sequence."""
        query = "SELECT type FROM outbox WHERE headers ->> 'causation_id' = :cause ORDER BY id"
        return [row.type for row in await self.rows(query, cause=str(cause))]

    async def until(self, condition: Callable[[], Awaitable[bool]], words: str) -> None:
        """Wait for a condition while the service lives."""
        end = time.monotonic() + self.wait_seconds
        while time.monotonic() < end:
            if await condition():
                return
            assert self._nursery.is_alive, f"{self.service} ended while waiting: {words}\n{self.log()}"
            await asyncio.sleep(POLL_SECONDS)
        raise AssertionError(f"{self.service}: did not come true: {words}\n{self.log()}")

    async def quiet(self) -> None:
        """Wait until every input is behind the committed offset, every output sent, no call open, nothing parked."""
        await self.until(self.at_the_end_of_its_input, "the committed offsets are at the end of the topics")
        await self.until(self.nothing_open, "the outbox is sent and no call is open")
        await self.until(self.at_the_end_of_its_input, "the committed offsets are at the end of the topics")
        assert await self.rows("SELECT reason, error FROM parked") == []

    async def nothing_open(self) -> bool:
        """Whether the outbox is sent and no call is open."""
        (row,) = await self.rows(
            "SELECT (SELECT count(*) FROM outbox WHERE published_at IS NULL) + "
            "(SELECT count(*) FROM intent WHERE state IN ('recorded', 'attempted') AND NOT waiting) AS open"
        )
        return bool(row.open == 0)

    async def at_the_end_of_its_input(self) -> bool:
        """Whether the group's committed offsets are the ends of every topic that was fed."""
        committed = await self._committed()
        ends = await self._ends(self._fed)
        return all(end == 0 or (place in committed and committed[place].offset >= end) for place, end in ends.items())

    async def _committed(self) -> dict[TopicPartition, Any]:
        """The group's offsets."""
        coordinator = await self._coordinator()
        return dict(await self._admin.list_consumer_group_offsets(self.group, group_coordinator_id=coordinator))

    async def rewind(self) -> None:
        """Set the dead service's offsets to the start, as when a group's offsets are lost: everything comes again."""
        committed = await self._committed()
        member = AIOKafkaConsumer(
            bootstrap_servers=PARTS.infra.kafka_bootstrap, group_id=self.group, enable_auto_commit=False
        )
        await member.start()
        try:
            member.assign(list(committed))
            await member.commit(dict.fromkeys(committed, 0))
        finally:
            await member.stop()

    async def sent(self, topic: str) -> list[dict[str, str]]:
        """The headers of every record of a topic, in offset sequence per partition."""
        ends = await self._ends({self.prefix + topic})
        self._reader.assign(list(ends))
        await self._reader.seek_to_beginning()
        found: list[dict[str, str]] = []
        while len(found) < sum(ends.values()):
            batches = await self._reader.getmany(timeout_ms=READ_TIMEOUT_MILLISECONDS)
            assert batches, f"{topic} ended after {len(found)} records"
            for records in batches.values():
                found += [{name: value.decode() for name, value in record.headers} for record in records]
        return found

    async def _ends(self, topics: set[str]) -> dict[TopicPartition, int]:
        described = await self._admin.describe_topics(sorted(topics))
        places = [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in described
            for partition in topic["partitions"]
        ]
        ends: dict[TopicPartition, int] = await self._reader.end_offsets(places)
        return ends

    async def assert_told_in_sequence(self) -> None:
        """In the topic of the service's events, the first occurrences of each stream are 1, 2, 3 …; a number has one
        id; and what the outbox knows is what the topic holds."""
        firsts: dict[str, list[int]] = defaultdict(list)
        ids: dict[tuple[str, int], set[str]] = defaultdict(set)
        records = await self.sent(f"{self.service}.events")
        for headers in records:
            stream, seq = headers["stream"], int(headers["seq"])
            if not ids[stream, seq]:
                firsts[stream].append(seq)
            ids[stream, seq].add(headers["ce_id"])
        assert {stream: list(range(1, len(seqs) + 1)) for stream, seqs in firsts.items()} == firsts
        assert [place for place, found in ids.items() if len(found) > 1] == []
        rows = await self.rows("SELECT message_id FROM outbox WHERE stream IS NOT NULL")
        assert {str(row.message_id) for row in rows} == {headers["ce_id"] for headers in records}
