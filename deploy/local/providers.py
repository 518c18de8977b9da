"""Chooses who provides the broker and the database, and runs them in containers when asked.

Owns the sequence: addresses given in the environment (read by the callers, part by part), then a
container engine, then the embedded parts. `ALPMERA_STACK=docker` or `=embedded` decides outright;
otherwise an engine counts only when it answers a ping, because a client without an engine is
common. Containers are tied to this process by the reaper that testcontainers starts; with the
reaper switched off a killed process leaves them running.
"""

import os
import socket
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from deploy.local.apart import run_apart
from deploy.local.databases import new_password, plain
from deploy.local.errors import StackError
from deploy.local.kafka import cluster_id_of
from deploy.local.ports import LOOPBACK, free_port

DEFAULT_ENGINE = "unix:///var/run/docker.sock"
PING_TIMEOUT_SECONDS = 1.0
READY_SECONDS_MAX = 180.0
POLL_SECONDS = 0.25
KAFKA_IMAGE = "apache/kafka:4.2.1"
POSTGRES_IMAGE = "postgres:18.6"


@dataclass
class ContainerAddresses:
    """Where the containers' parts answer; empty for a part that was not asked for."""

    kafka: str = ""
    postgres_admin_url: str = ""


def choose_provider() -> str:
    """Return "docker" or "embedded"."""
    asked = os.environ.get("ALPMERA_STACK", "")
    if asked not in ("", "docker", "embedded"):
        raise StackError(f"ALPMERA_STACK is {asked!r}; it can be 'docker' or 'embedded'.")
    if asked == "embedded":
        return "embedded"
    engine = engine_answers()
    if asked == "docker" and not engine:
        raise StackError(
            "ALPMERA_STACK=docker, but no container engine answers: start one, name it in "
            "DOCKER_HOST, or unset ALPMERA_STACK for the embedded parts."
        )
    return "docker" if engine else "embedded"


def engine_answers() -> bool:
    """Return whether a container engine answers a ping on its socket."""
    target = urlsplit(os.environ.get("DOCKER_HOST") or DEFAULT_ENGINE)
    try:
        if target.scheme == "unix":
            engine = socket.socket(socket.AF_UNIX)
            engine.settimeout(PING_TIMEOUT_SECONDS)
            engine.connect(target.path)
        elif target.scheme == "tcp" and target.hostname:
            engine = socket.create_connection((target.hostname, target.port or 2375), timeout=PING_TIMEOUT_SECONDS)
        else:
            return False
        with engine:
            engine.sendall(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
            return b" 200 " in engine.recv(64)
    except OSError:
        return False


@contextmanager
def start_containers(
    parts: Collection[str], *, volumes: str | None = None, postgres_password: str | None = None
) -> Iterator[ContainerAddresses]:
    """Run the parts in containers, wait until they answer, and remove them at the end.

    `volumes` names the volumes that keep the data between runs; without it the data goes too.
    """
    # Both libraries are slow to import and needed only where an engine is.
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415

    addresses = ContainerAddresses()
    with ExitStack() as cleanup:
        if "kafka" in parts:
            port = free_port()
            cleanup.enter_context(_kafka(DockerContainer(KAFKA_IMAGE), port, volumes))
            addresses.kafka = f"{LOOPBACK}:{port}"
        if "postgres" in parts:
            port = free_port()
            password = postgres_password or new_password()
            container = DockerContainer(POSTGRES_IMAGE)
            cleanup.enter_context(_postgres(container, port, password=password, volumes=volumes))
            addresses.postgres_admin_url = f"postgresql+asyncpg://postgres:{password}@{LOOPBACK}:{port}/postgres"
        if addresses.kafka:
            _wait("kafka", lambda: cluster_id_of(addresses.kafka) is not None)
        if addresses.postgres_admin_url:
            _wait("postgres", lambda: _postgres_answers(addresses.postgres_admin_url))
        yield addresses


def remove_volumes(volumes: str) -> None:
    """Delete the data volumes of a stack that ran in containers."""
    import docker  # noqa: PLC0415

    engine = docker.from_env()
    for name in (f"{volumes}-kafka", f"{volumes}-postgres"):
        try:
            engine.volumes.get(name).remove()
        except docker.errors.NotFound:
            continue


def _kafka(container: Any, port: int, volumes: str | None) -> Any:
    # A client is sent to the advertised address, so the port outside must be known before.
    container.with_bind_ports(9092, port)
    container.with_envs(
        KAFKA_NODE_ID="1",
        KAFKA_PROCESS_ROLES="broker,controller",
        KAFKA_LISTENERS="BROKER://:19092,OUTSIDE://:9092,CONTROLLER://:9093",
        KAFKA_ADVERTISED_LISTENERS=f"BROKER://localhost:19092,OUTSIDE://{LOOPBACK}:{port}",
        KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=("BROKER:PLAINTEXT,OUTSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT"),
        KAFKA_INTER_BROKER_LISTENER_NAME="BROKER",
        KAFKA_CONTROLLER_LISTENER_NAMES="CONTROLLER",
        KAFKA_CONTROLLER_QUORUM_VOTERS="1@localhost:9093",
        KAFKA_AUTO_CREATE_TOPICS_ENABLE="false",
        KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS="4",
        KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR="1",
        KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR="1",
        KAFKA_TRANSACTION_STATE_LOG_MIN_ISR="1",
        KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS="0",
        KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS="1000",
        KAFKA_LOG_RETENTION_MS="-1",
        KAFKA_LOG_MESSAGE_TIMESTAMP_AFTER_MAX_MS="9223372036854775807",
        KAFKA_LOG_DIRS="/var/lib/kafka/data",
        KAFKA_HEAP_OPTS="-Xmx512m -Xms128m",
    )
    if volumes:
        container.with_volume_mapping(f"{volumes}-kafka", "/var/lib/kafka/data", "rw")
    return container


def _postgres(container: Any, port: int, *, password: str, volumes: str | None) -> Any:
    container.with_bind_ports(5432, port)
    container.with_envs(
        POSTGRES_PASSWORD=password,
        POSTGRES_INITDB_ARGS="--locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C -E UTF8",
    )
    container.with_command("postgres -c max_connections=200 -c shared_buffers=256MB -c jit=off")
    if volumes:
        container.with_volume_mapping(f"{volumes}-postgres", "/var/lib/postgresql", "rw")
    return container


def _postgres_answers(url: str) -> bool:
    async def ask() -> bool:
        try:
            connection = await asyncpg.connect(plain(url), timeout=3.0)
        except (OSError, asyncpg.PostgresError, TimeoutError):
            return False
        await connection.close()
        return True

    return run_apart(ask())


def _wait(name: str, ready: Callable[[], bool]) -> None:
    end = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < end:
        if ready():
            return
        time.sleep(POLL_SECONDS)
    raise StackError(f"The {name} container is not ready after {READY_SECONDS_MAX:.0f} s.")
