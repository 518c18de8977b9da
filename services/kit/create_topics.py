"""`python -m services.kit.create_topics`: create every topic of `contracts.topics` that is missing.

A topic that exists with other partitions is refused loudly: growing a topic would move keys between partitions and so
break the sequence of a stream. Retention is set at creation.
"""

from __future__ import annotations

import asyncio
import os
import sys

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from contracts.topics import DAY_MILLISECONDS, TOPICS, Topic

CREATE_TIMEOUT_MILLISECONDS = 30_000


def _configuration(topic: Topic) -> dict[str, str]:
    configuration = {"retention.ms": str(topic.retention_ms), "max.message.bytes": str(1024 * 1024)}
    if topic.compacted:
        # What was replaced, or erased, is gone from the topic's files within a week.
        configuration |= {
            "cleanup.policy": "compact",
            "delete.retention.ms": str(30 * DAY_MILLISECONDS),
            "max.compaction.lag.ms": str(7 * DAY_MILLISECONDS),
            "segment.ms": str(DAY_MILLISECONDS),
        }
    return configuration


async def create_topics(bootstrap: str, *, prefix: str = "", replication: int = 1) -> list[str]:
    """Create what is missing; returns the names made. Raises ValueError when an existing topic has other partitions."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        wanted = [topic for topic in TOPICS if prefix + topic.name not in existing]
        known = [topic for topic in TOPICS if prefix + topic.name in existing]
        for description in await admin.describe_topics([prefix + topic.name for topic in known]) if known else []:
            topic = next(topic for topic in known if prefix + topic.name == description["topic"])
            if len(description["partitions"]) != topic.partitions:
                raise ValueError(f"{description['topic']} has other partitions than the contracts say")
        if wanted:
            await admin.create_topics(
                [
                    NewTopic(prefix + topic.name, topic.partitions, replication, topic_configs=_configuration(topic))
                    for topic in wanted
                ],
                timeout_ms=CREATE_TIMEOUT_MILLISECONDS,
            )
        return [topic.name for topic in wanted]
    finally:
        await admin.close()


def main() -> int:
    """Command line entry; the broker's address is `ALPMERA_KAFKA`."""
    bootstrap = os.environ.get("ALPMERA_KAFKA")
    if not bootstrap:
        sys.stderr.write("ALPMERA_KAFKA is not set\n")
        return 2
    replication = int(os.environ.get("ALPMERA_KAFKA_REPLICATION", "1"))
    made = asyncio.run(
        create_topics(bootstrap, prefix=os.environ.get("ALPMERA_KAFKA_PREFIX", ""), replication=replication)
    )
    sys.stderr.write(f"topics made: {', '.join(made) or 'none, all are there'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
