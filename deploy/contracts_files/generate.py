"""What the files of `contracts/` should say, made from the message classes and the gateway's routes; and one page of docs.

`expected_files()` is the whole generated content by path; the verb writes it, a test compares it with what is committed.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import contracts.catalogue  # noqa: F401 - fills the registry of messages
from contracts.envelope import Command, Message, Reply, known_messages
from contracts.topics import TOPICS, Topic, commands_topic, events_topic
from deploy.contracts_files import asvs, proof_vectors

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = Path("contracts/schemas")
CATALOGUE = Path("contracts/asyncapi/alpmera.json")
OPENAPI = Path("contracts/openapi.json")
EXAMPLES = Path("contracts/examples")
SPECIAL_TOPICS = {"escrow.receive_psp_event.v1": "escrow.psp", "gateway.person_recorded.v1": "gateway.people"}


def topic_of(cls: type[Message]) -> str:
    """The topic a message class travels on."""
    if cls.type in SPECIAL_TOPICS:
        return SPECIAL_TOPICS[cls.type]
    if issubclass(cls, Reply):
        return "gateway.replies"
    return commands_topic(cls.service) if issubclass(cls, Command) else events_topic(cls.service)


def schema_of(cls: type[Message]) -> dict[str, Any]:
    """The JSON schema of a message body, titled by its type."""
    return cls.model_json_schema(mode="validation") | {"$id": cls.type}


def schema_path(message_type: str) -> Path:
    """Where a message's schema is committed."""
    return SCHEMAS / f"{message_type}.json"


def example_path(message_type: str) -> Path:
    """Where a message's hand-written example stands."""
    return EXAMPLES / f"{message_type}.json"


def catalogue() -> dict[str, Any]:
    """One AsyncAPI 3.0 document over every topic and message."""
    by_topic: dict[str, list[type[Message]]] = {topic.name: [] for topic in TOPICS}
    for _, cls in sorted(known_messages().items()):
        by_topic[topic_of(cls)].append(cls)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Alpmera messages",
            "version": "1",
            "description": "Every topic, its producer and consumer groups, and the messages on it. Bodies are JSON; "
            "CloudEvents attributes and our own travel as headers.",
        },
        "channels": {topic.name: _channel(topic, by_topic[topic.name]) for topic in TOPICS},
        "operations": {
            f"{topic.producer}.sends.{topic.name}": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{topic.name}"},
                "x-consumers": list(topic.consumers),
            }
            for topic in TOPICS
        },
        "components": {
            "messages": {
                cls.type: {
                    "name": cls.type,
                    "summary": inspect.cleandoc(cls.__doc__ or "").split("\n\n")[0].replace("\n", " "),
                    "contentType": "application/json",
                    "payload": {"$ref": f"../schemas/{cls.type}.json"},
                    "x-kind": cls.kind,
                    "x-example": f"../examples/{cls.type}.json",
                }
                for _, cls in sorted(known_messages().items())
            }
        },
    }


def _channel(topic: Topic, classes: list[type[Message]]) -> dict[str, Any]:
    return {
        "address": topic.name,
        "messages": {cls.type: {"$ref": f"#/components/messages/{cls.type}"} for cls in classes},
        "x-producer": topic.producer,
        "x-consumers": list(topic.consumers),
        "x-retention-ms": topic.retention_ms,
        "x-partitions": topic.partitions,
        "x-compacted": topic.compacted,
    }


def expected_files() -> dict[Path, str]:
    """Every generated file's content by its path from the root."""
    from services.gateway.openapi import document  # imports the whole gateway

    files = {schema_path(name): _text(schema_of(cls)) for name, cls in known_messages().items()}
    files[CATALOGUE] = _text(catalogue())
    files[OPENAPI] = _text(document())
    files[asvs.PAGE] = asvs.page()
    files[proof_vectors.VECTORS] = _text(proof_vectors.vectors())
    return files


def committed_schemas() -> dict[str, dict[str, Any]]:
    """The committed schemas by message type."""
    return {path.stem: json.loads(path.read_text()) for path in sorted((ROOT / SCHEMAS).glob("*.json"))}


def _text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
