"""Every topic: its name, producer, consumers, retention and partitions. Topics are created from here, never by accident.

The key of every message is its scope (the campaign's id), so that one campaign's messages keep their sequence. A feed
topic per supplier (`supplier-feed.<id>`) is made when that supplier is connected and is therefore not in the table.
"""

from __future__ import annotations

from dataclasses import dataclass

DAY_MILLISECONDS = 24 * 3600 * 1000
FOREVER = -1
PARTITIONS = 3

SERVICES = ("campaigns", "escrow", "suppliers", "notifications", "gateway")


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `retention_ms` of -1 keeps for ever; `consumers` are consumer groups by name."""

    name: str
    producer: str
    consumers: tuple[str, ...]
    retention_ms: int
    partitions: int = PARTITIONS
    compacted: bool = False


TOPICS: tuple[Topic, ...] = (
    Topic("campaigns.commands", "gateway", ("campaigns",), 7 * DAY_MILLISECONDS),
    Topic("escrow.commands", "gateway", ("escrow",), 7 * DAY_MILLISECONDS),
    Topic("suppliers.commands", "gateway", ("suppliers",), 7 * DAY_MILLISECONDS),
    Topic("notifications.commands", "gateway", ("notifications",), 7 * DAY_MILLISECONDS),
    Topic("campaigns.events", "campaigns", ("escrow", "suppliers", "notifications", "gateway"), FOREVER),
    Topic("escrow.events", "escrow", ("campaigns", "suppliers", "notifications", "gateway"), FOREVER),
    Topic("suppliers.events", "suppliers", ("campaigns", "escrow", "notifications", "gateway"), FOREVER),
    Topic("notifications.events", "notifications", ("gateway",), FOREVER),
    Topic("gateway.replies", "escrow", ("gateway.replies",), DAY_MILLISECONDS),
    Topic("escrow.psp", "gateway", ("escrow",), 30 * DAY_MILLISECONDS),
    Topic("gateway.people", "gateway", ("notifications",), FOREVER, compacted=True),
    *(Topic(f"{service}.dead", service, ("operators",), 30 * DAY_MILLISECONDS, partitions=1) for service in SERVICES),
)


def events_topic(service: str) -> str:
    """The topic of a service's events."""
    return f"{service}.events"


def commands_topic(service: str) -> str:
    """The topic of the commands to a service."""
    return f"{service}.commands"


def dead_topic(consumer: str) -> str:
    """The topic with copies, for people, of what a consumer could not handle."""
    return f"{consumer}.dead"
