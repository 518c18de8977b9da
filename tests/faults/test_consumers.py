"""Every consumer of every service states how it acknowledges, where it begins and which group it is in: the library's
defaults would acknowledge before the commit and begin at the end of a topic.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from sqlalchemy.ext.asyncio import create_async_engine

from services.campaigns.handlers import SERVICE as CAMPAIGNS
from services.escrow.handlers import SERVICE as ESCROW
from services.gateway.handlers import projection
from services.gateway.replies import subscribe_replies
from services.gateway.settings import GatewaySettings
from services.gateway.usecases.redirects import Redirects
from services.kit.assertion import make_verifier
from services.kit.batch import BatchHandler
from services.kit.broker import make_broker, subscribe
from services.kit.service import Service
from services.kit.settings import KitSettings
from services.notifications.handlers import SERVICE as NOTIFICATIONS
from services.suppliers.handlers import SERVICE as SUPPLIERS

PREFIX = "registry."
URL = "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"
SETTINGS: dict[str, Any] = {"database_url": URL, "kafka": "127.0.0.1:1", "kafka_prefix": PREFIX, "instance": "one"}


def broker_of(service: Service) -> KafkaBroker:
    settings = KitSettings(**SETTINGS)
    handler = BatchHandler(
        service,
        create_async_engine(URL),
        verifier=make_verifier(None),
        after_commit=lambda: None,
        stopping=asyncio.Event(),
    )
    broker = make_broker(settings, client_id=service.name)
    subscribe(broker, handler, settings, topics=service.topics)
    return broker


def replies_broker() -> KafkaBroker:
    settings = GatewaySettings(
        **SETTINGS,
        assertion_private_key="unused",
        people_key_gateway="unused",
        people_key_notifications="unused",
        stripe_webhook_secrets="unused",
    )
    broker = make_broker(settings, client_id="gateway-replies")
    subscribe_replies(broker, Redirects(), lambda _: None, settings)
    return broker


def assert_stated(broker: KafkaBroker, group: str) -> set[str]:
    """Each subscriber states its three choices; the topics they read."""
    assert broker.subscribers
    for subscriber in broker.subscribers:
        assert subscriber.ack_policy is AckPolicy.MANUAL
        assert subscriber._connection_args["auto_offset_reset"] == "earliest"
        assert subscriber.group_id == PREFIX + group
    return {topic.name for subscriber in broker.subscribers for topic in subscriber.topics}


@pytest.mark.parametrize(
    "service",
    [CAMPAIGNS, ESCROW, SUPPLIERS, NOTIFICATIONS, projection(1, instance="one")],
    ids=lambda service: service.name,
)
async def test_a_service_reads_from_the_earliest_in_its_group_and_acknowledges_by_hand(service: Service) -> None:
    topics = assert_stated(broker_of(service), service.consumer)
    assert topics == {PREFIX + topic for topic in service.topics}


async def test_the_gateway_reads_replies_in_a_group_of_its_own_and_acknowledges_by_hand() -> None:
    assert assert_stated(replies_broker(), "gateway.replies-one") == {PREFIX + "gateway.replies"}
