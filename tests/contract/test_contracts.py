"""The contracts keep their word: examples validate, nothing breaks unannounced, every topic has its people."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

import contracts.catalogue  # noqa: F401
from contracts.envelope import Command, Envelope, known_messages, parse
from contracts.topics import SERVICES, TOPICS
from deploy.contracts_files import generate
from deploy.contracts_files.compatibility import breaks
from services.campaigns.handlers import SERVICE as CAMPAIGNS
from services.escrow.handlers import SERVICE as ESCROW
from services.gateway.handlers import projection
from services.notifications.handlers import SERVICE as NOTIFICATIONS
from services.suppliers.handlers import SERVICE as SUPPLIERS

MESSAGES = sorted(known_messages().items())
CONSUMED = {
    each.name: set(each.topics)
    for each in (CAMPAIGNS, ESCROW, SUPPLIERS, NOTIFICATIONS, projection(1, instance="test"))
}


@pytest.mark.parametrize("name", [name for name, _ in MESSAGES])
def test_every_message_has_an_example_that_validates_and_survives_a_round_trip(name: str) -> None:
    text = (generate.ROOT / generate.example_path(name)).read_text()
    message = parse(name, text)
    assert message is not None
    assert parse(name, message.model_dump_json()) == message
    assert message.model_dump(mode="json").keys() >= json.loads(text).keys()


@pytest.mark.parametrize("name", [name for name, _ in MESSAGES])
def test_a_newer_producer_may_add_a_field(name: str) -> None:
    body = json.loads((generate.ROOT / generate.example_path(name)).read_text()) | {"added_later": 1}
    assert parse(name, json.dumps(body)) is not None


def test_the_generated_files_are_what_is_committed() -> None:
    stale = [
        str(path)
        for path, text in generate.expected_files().items()
        if not (generate.ROOT / path).exists() or (generate.ROOT / path).read_text() != text
    ]
    assert stale == []


def test_no_schema_or_example_speaks_of_a_message_that_is_gone() -> None:
    known = set(known_messages())
    kept = {
        path.stem
        for folder in ("schemas", "examples")
        for path in (generate.ROOT / "contracts" / folder).glob("*.v*.json")
    }
    assert kept == known


def test_no_message_breaks_its_committed_schema() -> None:
    found = {
        name: broken
        for name, old in generate.committed_schemas().items()
        if (broken := breaks(old, generate.schema_of(known_messages()[name])))
    }
    assert found == {}


def _field_gone(schema: dict[str, Any]) -> None:
    schema["properties"].pop("quantity")


def _newly_required(schema: dict[str, Any]) -> None:
    schema["properties"]["note"] = {"type": "string"}
    schema["required"].append("note")


def _other_type(schema: dict[str, Any]) -> None:
    schema["properties"]["quantity"]["type"] = "string"


def _tighter(schema: dict[str, Any]) -> None:
    schema["properties"]["quantity"]["maximum"] = 3


@pytest.mark.parametrize("change", [_field_gone, _newly_required, _other_type, _tighter])
def test_a_break_is_found(change: Any) -> None:
    old = generate.schema_of(known_messages()["campaigns.commit_funds.v1"])
    new = deepcopy(old)
    change(new)
    assert breaks(old, new)
    assert breaks(old, deepcopy(old)) == []


def test_every_topic_has_a_producer_and_named_consumers_that_really_subscribe() -> None:
    for topic in TOPICS:
        assert topic.producer in SERVICES
        assert topic.consumers
        for consumer in topic.consumers:
            if consumer in CONSUMED:
                assert topic.name in CONSUMED[consumer], f"{consumer} does not read {topic.name}"
    for consumer, topics in CONSUMED.items():
        for name in topics:
            assert consumer in next(topic for topic in TOPICS if topic.name == name).consumers


def test_only_the_service_named_in_a_type_owns_it() -> None:
    for name, cls in MESSAGES:
        assert name.split(".")[0] == cls.service
        assert cls.service in SERVICES


def test_an_envelope_survives_its_headers() -> None:
    original = Envelope.from_headers(
        {
            "ce_id": "0197a3c0-0000-7000-8000-000000000001",
            "ce_type": "campaigns.target_reached.v1",
            "ce_source": "campaigns",
            "ce_time": "2026-11-21T10:00:00+00:00",
            "stream": "campaigns:x",
            "seq": "7",
            "actor_id": "a",
            "actor_role": "participant",
            "received_at": "2026-11-21T09:59:59+00:00",
        },
        key="x",
    )
    headers = [(name, value.encode()) for name, value in original.to_headers().items()]
    assert Envelope.from_headers(headers, key="x") == original


@pytest.mark.parametrize(
    "headers",
    [{}, {"ce_id": "no uuid", "ce_type": "a", "ce_source": "b", "ce_time": "2026-11-21T10:00:00+00:00"}],
)
def test_headers_that_are_not_ours_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Envelope.from_headers(headers, key="x")


def test_secrets_travel_only_in_commands_and_replies() -> None:
    secret_fields = {"confirmation_token", "redirect_url", "client_secret"}
    carriers = [cls for _, cls in MESSAGES if secret_fields & cls.model_fields.keys()]
    assert carriers
    assert all(issubclass(cls, Command) or cls.kind == "reply" for cls in carriers)
