"""One Kafka broker (KRaft: broker and controller in one process) for one machine.

Owns the broker's configuration, its storage folder and its cluster id. The id is drawn once and
kept with the data, so a client can prove that the broker it reached is this one. The storage is
laid out here from Kafka's own bootstrap snapshot, which its storage tool writes once per version:
the tool itself would cost a second and a half of Java at every first start.

One broker has one copy of everything: it shows that the services survive a broker's restart, and
cannot show that they survive a broker's loss.
"""

import asyncio
import base64
import os
import shutil
import subprocess
import uuid
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local.apart import run_apart
from deploy.local.artifacts import KAFKA_VERSION, fetch
from deploy.local.errors import StackError
from deploy.local.java import find_java
from deploy.local.part import Launch
from deploy.local.paths import artifacts_folder
from deploy.local.ports import LOOPBACK, answers

HEAP_MAX = "512m"
FORMAT_TIMEOUT_SECONDS = 60
DESCRIBE_TIMEOUT_SECONDS = 5.0
# The serial collector and the first compiler tier halve start-up and memory; on two cores shared
# with five services the second tier's threads would cost more than its code gains.
JAVA_OPTIONS = ("-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")


class Kafka:
    """The broker of one stack, its data under `folder`."""

    name = "kafka"
    ready_seconds_max = 90.0
    stop_seconds_max = 20.0

    def __init__(self, folder: Path, *, port: int, controller_port: int) -> None:
        """Take the data folder and the two ports; nothing is touched before `prepare`."""
        self.folder = folder
        self.port = port
        self.controller_port = controller_port
        self.cluster_id = ""

    @property
    def bootstrap(self) -> str:
        """Return the broker's address as clients take it."""
        return f"{LOOPBACK}:{self.port}"

    def prepare(self) -> Launch:
        """Lay out the storage at the first start, write the configuration, return the command."""
        java = find_java()
        jars = fetch(["kafka"])["kafka"]
        classpath = os.pathsep.join(str(jar) for jar in jars)
        data = self.folder / "data"
        if not (data / "meta.properties").exists():
            _lay_out(data, _bootstrap_snapshot(java, classpath))
        self.cluster_id = _cluster_id(data / "meta.properties")
        configuration = self.folder / "server.properties"
        configuration.write_text(_configuration(data, self.port, self.controller_port))
        return Launch(
            command=[
                java,
                f"-Xmx{HEAP_MAX}",
                *JAVA_OPTIONS,
                "-Djava.awt.headless=true",
                "-Dorg.slf4j.simpleLogger.showDateTime=true",
                "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
                "-cp",
                classpath,
                "kafka.Kafka",
                str(configuration),
            ],
        )

    def is_ready(self) -> bool:
        """Return whether the broker answers; another broker on the port is an error."""
        if not answers(self.port):
            return False
        found = cluster_id_of(self.bootstrap)
        if found is None:
            return False
        if found != self.cluster_id:
            raise StackError(
                f"The broker on {self.bootstrap} is another one (cluster {found}, ours is "
                f"{self.cluster_id}): another program took the port. Start again."
            )
        return True


def cluster_id_of(bootstrap: str) -> str | None:
    """Ask a broker for its cluster id; None when nothing answers in time."""

    async def ask() -> str | None:
        client = AIOKafkaAdminClient(
            bootstrap_servers=bootstrap,
            request_timeout_ms=int(DESCRIBE_TIMEOUT_SECONDS * 1000),
        )
        try:
            await client.start()
            found = await client.describe_cluster()
        except (KafkaError, OSError):
            return None
        finally:
            await client.close()
        # A broker that is not yet registered with the controller answers, but can do nothing.
        return str(found["cluster_id"]) if found["brokers"] else None

    return run_apart(_bounded(ask()))


async def _bounded(work: Coroutine[Any, Any, str | None]) -> str | None:
    try:
        return await asyncio.wait_for(work, DESCRIBE_TIMEOUT_SECONDS)
    except TimeoutError:
        return None


def _new_id() -> str:
    # Kafka's ids are 16 bytes in URL-safe base 64; one that begins with a dash would be read as
    # an option by its tools, so Kafka never makes such a one and neither do we.
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[:22]
        if not text.startswith("-"):
            return text


def _lay_out(data: Path, snapshot: Path) -> None:
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    shutil.copyfile(snapshot, data / "bootstrap.checkpoint")
    _write_meta(data / "meta.properties", _new_id())


def _write_meta(path: Path, cluster_id: str) -> None:
    lines = {"version": "1", "cluster.id": cluster_id, "node.id": "1", "directory.id": _new_id()}
    path.write_text("".join(f"{key}={value}\n" for key, value in lines.items()))


def _cluster_id(meta: Path) -> str:
    for line in meta.read_text().splitlines():
        key, _, value = line.partition("=")
        if key == "cluster.id":
            return value
    raise StackError(f"{meta} names no cluster id: run ./alpmera reset --yes.")


def _bootstrap_snapshot(java: str, classpath: str) -> Path:
    kept = artifacts_folder() / f"kafka-{KAFKA_VERSION}-bootstrap.checkpoint"
    if kept.exists():
        return kept
    scratch = artifacts_folder() / f"kafka-format-{os.getpid()}"
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        configuration = scratch / "server.properties"
        configuration.write_text(_configuration(scratch / "data", 9092, 9093))
        run = subprocess.run(
            [java, *JAVA_OPTIONS, "-cp", classpath, "kafka.tools.StorageTool", "format"]
            + ["--cluster-id", _new_id(), "--config", str(configuration)],
            capture_output=True,
            text=True,
            timeout=FORMAT_TIMEOUT_SECONDS,
            check=False,
        )
        if run.returncode != 0:
            raise StackError(f"Kafka's storage could not be laid out: {run.stderr.strip()[-800:]}")
        os.replace(scratch / "data" / "bootstrap.checkpoint", kept)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return kept


def _configuration(data: Path, port: int, controller_port: int) -> str:
    values = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
        "listeners": f"BROKER://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"BROKER://{LOOPBACK}:{port}",
        "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "BROKER",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": data,
        # Topics come from the contracts alone; a misspelt name must fail.
        "auto.create.topics.enable": "false",
        "num.partitions": 2,
        "default.replication.factor": 1,
        "min.insync.replicas": 1,
        "offsets.topic.num.partitions": 4,
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.num.partitions": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        # Events are the system's memory: without a retention of its own, a topic keeps all.
        "log.retention.ms": -1,
        "offsets.retention.minutes": 525_600,
        # Simulated time may be years ahead of the broker's clock.
        "log.message.timestamp.after.max.ms": 9_223_372_036_854_775_807,
        # A lone developer's consumer should not wait three seconds for others to join.
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1_000,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "background.threads": 4,
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        "metadata.max.idle.interval.ms": 5_000,
        "initial.broker.registration.timeout.ms": 60_000,
    }
    return "".join(f"{key}={value}\n" for key, value in values.items())
