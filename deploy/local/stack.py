"""The plan of the local stack: which parts there are, where they answer, what waits for what.

Owns the composition: providers of the broker and the database, ports, addresses, and the graph of
units that the supervisor runs. Addresses given in the environment replace the embedded parts one
by one. What it writes on the board is for everyone to read and so holds no secret; the tool's own
verbs get the addresses with passwords from `deploy.local.addresses`.
"""

import os
import secrets as random_secrets
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from deploy.local.addresses import (
    ADMINISTRATOR,
    app_database_url,
    owner_database_url,
    role_name,
    service_database,
)
from deploy.local.board import Board
from deploy.local.databases import AUDITOR, Role, ensure_databases, recorded_revision
from deploy.local.errors import StackError
from deploy.local.kafka import Kafka, cluster_id_of
from deploy.local.keys import Secrets
from deploy.local.mailbox import Mailbox
from deploy.local.node import ensure_built, has_web
from deploy.local.part import Launch, Part
from deploy.local.paths import TRACES_SWITCH
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.postgres import Postgres
from deploy.local.preparation import (
    may_skip,
    migration_digest,
    migration_launch,
    topics_digest,
    topics_launch,
)
from deploy.local.providers import choose_provider, start_containers
from deploy.local.services import SERVICES, ServicePart, ServiceSpec, own_environment, service_url, shared_environment
from deploy.local.standin import STRIPE_URL, StandIn, StripeKeys, real_stripe_key
from deploy.local.units import PartUnit, Plan, TaskUnit
from deploy.local.zipkin import Zipkin

GATEWAY_MODULE = "services.gateway"
KAFKA_WAIT_SECONDS_MAX = 30.0
KAFKA_WAIT_PAUSE_SECONDS = 0.5
STAGE_INFRASTRUCTURE, STAGE_AROUND, STAGE_SERVICE = 0, 1, 2


class Stack:
    """One local stack in one state folder."""

    def __init__(self, folder: Path, board: Board, *, services: Sequence[ServiceSpec] = SERVICES) -> None:
        """Take the state folder, the board and the services; ports are chosen here."""
        self.folder = folder
        self.board = board
        self.services = services
        self.record = board.record
        self.secrets = Secrets(folder)
        self.containers = ExitStack()
        self.provider = "given"
        self.admin_url = ""
        self.kafka = Kafka(
            folder / "kafka",
            port=self._port("kafka"),
            controller_port=self._port("kafka_controller"),
        )
        self.postgres = Postgres(folder / "postgres", port=self._port("postgres"))
        self.shows_traces = os.environ.get(TRACES_SWITCH) != "off"
        self.zipkin = Zipkin(port=self._port("traces"))
        self.mailbox = Mailbox(folder / "mailbox", smtp_port=self._port("smtp"), page_port=self._port("mailbox"))
        self.service_ports = {spec.name: self._port(spec.name) for spec in services}
        self.public_url = f"http://localhost:{self.service_ports.get('gateway', 0)}"
        self.stripe, self.standin = self._choose_stripe()
        self.owners = {spec.name: owner_database_url(spec.name) for spec in services if spec.migrated}

    def plan(self) -> Plan:
        """Return the units; every address is on the board when the last one is ready."""
        units = [*self._infrastructure(), *self._around(), *self._prepared(), *self._served()]
        self.secrets.save()
        self.record.provider = self.provider
        return Plan(units=units, on_stopped=[self.containers.close])

    def _port(self, name: str) -> int:
        self.record.ports[name] = free_port(self.record.ports.get(name))
        return self.record.ports[name]

    def _choose_stripe(self) -> tuple[dict[str, str], StandIn | None]:
        key = real_stripe_key()
        if key is not None:
            given = {
                "url": STRIPE_URL,
                "kind": "stripe",
                "api_key": key,
                "publishable_key": os.environ.get("ALPMERA_STRIPE_PUBLISHABLE_KEY", ""),
                "webhook_secret": os.environ.get("ALPMERA_STRIPE_WEBHOOK_SECRET", ""),
            }
            if not given["webhook_secret"]:
                raise StackError(
                    "With ALPMERA_STRIPE_API_KEY set, ALPMERA_STRIPE_WEBHOOK_SECRET is needed too: "
                    "the secret of the webhook endpoint that Stripe sends to."
                )
            return given, None
        keys = StripeKeys(
            api_key=self.secrets.token("stripe_api", "sk_test_"),
            publishable_key=self.secrets.token("stripe_form", "pk_test_"),
            webhook_secret=self.secrets.token("stripe_webhook", "whsec_"),
        )
        standin = StandIn(self.folder / "stripe", port=self._port("stripe"), gateway_url=self.public_url, keys=keys)
        chosen = {
            "url": standin.url,
            "kind": "stand-in",
            "api_key": keys.api_key,
            "publishable_key": keys.publishable_key,
            "webhook_secret": keys.webhook_secret,
        }
        return chosen, standin

    def _infrastructure(self) -> list[PartUnit | TaskUnit]:
        kafka_given = os.environ.get("ALPMERA_KAFKA")
        postgres_needed = any(url is None for url in self.owners.values())
        wanted = set() if kafka_given else {"kafka"}
        wanted |= {"postgres"} if postgres_needed else set()
        if wanted:
            self.provider = choose_provider()
        units: list[PartUnit | TaskUnit] = []
        if self.provider == "docker":
            units.append(TaskUnit("containers", call=lambda: self._run_containers(wanted)))
        elif "postgres" in wanted:
            units.append(PartUnit("postgres", part=lambda: self.postgres, after=self._postgres_ready))
        if kafka_given:
            units.append(TaskUnit("kafka", call=lambda: self._kafka_found(kafka_given)))
        elif self.provider != "docker":
            units.append(PartUnit("kafka", part=lambda: self.kafka, after=self._kafka_ready))
        if not postgres_needed:
            self.record.parts["postgres"] = {"kind": "given"}
        return units

    def _around(self) -> list[PartUnit | TaskUnit]:
        units: list[PartUnit | TaskUnit] = [PartUnit("mailbox", part=lambda: self.mailbox, stage=STAGE_AROUND)]
        if self.shows_traces:
            units.append(PartUnit("zipkin", part=lambda: self.zipkin, stage=STAGE_AROUND))
        if self.standin is not None:
            standin = self.standin
            units.append(PartUnit("stripe", part=lambda: standin, stage=STAGE_AROUND))
        self.record.parts["traces"] = {"url": self.zipkin.url if self.shows_traces else None}
        self.record.parts["mailbox"] = {"url": self.mailbox.url, "smtp": self.mailbox.smtp}
        self.record.parts["stripe"] = {"url": self.stripe["url"], "kind": self.stripe["kind"]}
        return units

    def _prepared(self) -> list[PartUnit | TaskUnit]:
        base = self._source("postgres")
        units: list[PartUnit | TaskUnit] = []
        if base:
            units.append(TaskUnit("databases", needs=base, call=self._make_databases))
        for spec in self.services:
            if spec.migrated:
                needs = frozenset({"databases"}) if self.owners[spec.name] is None else frozenset()
                units.append(self._migration(spec.name, needs))
        units.append(
            TaskUnit(
                "topics",
                needs=self._source("kafka"),
                launch=self._topics,
                after=lambda: self._remember("topics", topics_digest(self._cluster_id())),
            )
        )
        return units

    def _source(self, part: str) -> frozenset[str]:
        """Return the unit that provides a part."""
        if part == "postgres" and all(url is not None for url in self.owners.values()):
            return frozenset()
        if part == "kafka" and os.environ.get("ALPMERA_KAFKA"):
            return frozenset({"kafka"})
        return frozenset({"containers" if self.provider == "docker" else part})

    def _served(self) -> list[PartUnit | TaskUnit]:
        pages = frozenset({"web"}) if self._serves_pages() else frozenset()
        units: list[PartUnit | TaskUnit] = []
        if pages:
            units.append(TaskUnit("web", call=ensure_built, optional=True))
        for spec in self.services:
            self.record.services[spec.name] = {"url": service_url(spec, self.service_ports[spec.name])}
            needs = {"topics"} | ({f"migrate-{spec.name}"} if spec.migrated else set())
            unit = PartUnit(
                spec.name,
                part=partial(self._service, spec),
                needs=frozenset(needs) | (pages if spec.is_gateway else frozenset()),
                stage=STAGE_SERVICE,
            )
            units.append(unit)
        return units

    def _serves_pages(self) -> bool:
        """Return whether the gateway of this stack is ours, with pages to build for it."""
        return has_web() and any(spec.module == GATEWAY_MODULE for spec in self.services)

    def _service(self, spec: ServiceSpec) -> ServicePart:
        port = self.service_ports[spec.name]
        environment = shared_environment(
            kafka=self.record.parts["kafka"],
            traces_url=self.zipkin.spans_url if self.shows_traces else None,
            smtp=self.mailbox.smtp,
            stripe=self.stripe,
            public_url=self.public_url,
        ) | own_environment(spec, self.secrets, port=port, stripe=self.stripe)
        if spec.migrated:
            environment["ALPMERA_DATABASE_URL"] = app_database_url(
                spec.name, admin_url=self.admin_url, secrets=self.secrets
            )
        return ServicePart(spec, port=port, environment=environment)

    def _postgres_ready(self, _part: Part) -> None:
        self._use_postgres(self.postgres.admin_url, "embedded", self.postgres.port)
        self.secrets.put(ADMINISTRATOR, self.postgres.password)

    def _use_postgres(self, admin_url: str, kind: str, port: int) -> None:
        self.admin_url = admin_url
        names = {spec.name: f"alpmera_{spec.name}" for spec in self.services if spec.migrated}
        self.record.parts["postgres"] = {
            "kind": kind,
            "host": LOOPBACK,
            "port": port,
            "databases": names,
        }

    def _kafka_ready(self, _part: Part) -> None:
        self._use_kafka(self.kafka.bootstrap, self.kafka.cluster_id, "embedded")

    def _kafka_found(self, bootstrap: str, kind: str = "given") -> None:
        end = time.monotonic() + KAFKA_WAIT_SECONDS_MAX
        while (cluster_id := cluster_id_of(bootstrap)) is None:
            if time.monotonic() > end:
                raise StackError(f"No broker answers on {bootstrap}, which ALPMERA_KAFKA names.")
            time.sleep(KAFKA_WAIT_PAUSE_SECONDS)
        self._use_kafka(bootstrap, cluster_id, kind)

    def _use_kafka(self, bootstrap: str, cluster_id: str, kind: str) -> None:
        self.record.parts["kafka"] = {
            "kind": kind,
            "bootstrap": bootstrap,
            "cluster_id": cluster_id,
        }

    def _cluster_id(self) -> str:
        return str(self.record.parts["kafka"]["cluster_id"])

    def _run_containers(self, wanted: set[str]) -> None:
        volumes = self.secrets.token("volumes", f"alpmera-{random_secrets.token_hex(4)}-")
        password = self.secrets.password("postgres_container")
        self.secrets.put(ADMINISTRATOR, password)
        addresses = self.containers.enter_context(start_containers(wanted, volumes=volumes, postgres_password=password))
        if addresses.postgres_admin_url:
            port = int(addresses.postgres_admin_url.rpartition(":")[2].partition("/")[0])
            self._use_postgres(addresses.postgres_admin_url, "docker", port)
        if addresses.kafka:
            self._kafka_found(addresses.kafka, "docker")

    def _make_databases(self) -> None:
        databases = [
            service_database(spec.name, self.secrets)
            for spec in self.services
            if spec.migrated and self.owners[spec.name] is None
        ]
        auditor = Role(AUDITOR, self.secrets.password(AUDITOR))
        self.secrets.save()
        ensure_databases(self.admin_url, databases, auditor=auditor)

    def _migration(self, service: str, needs: frozenset[str]) -> TaskUnit:
        name = f"migrate-{service}"
        given = self.owners[service]

        def digest() -> str:
            revision = recorded_revision(self.admin_url, f"alpmera_{service}")
            return migration_digest(service, revision)

        def launch() -> Launch | None:
            if given is not None:
                app = app_database_url(service, admin_url="", secrets=self.secrets)
                return migration_launch(service, owner_url=given, app_role=role_name(app))
            if may_skip(self.record.digests, name, digest()):
                return None
            owner = service_database(service, self.secrets).owner_url(self.admin_url)
            return migration_launch(service, owner_url=owner, app_role=f"{service}_app")

        def after() -> None:
            if given is None:
                self._remember(name, digest())

        return TaskUnit(name, needs=needs, launch=launch, after=after)

    def _topics(self) -> Launch | None:
        if may_skip(self.record.digests, "topics", topics_digest(self._cluster_id())):
            return None
        return topics_launch(str(self.record.parts["kafka"]["bootstrap"]))

    def _remember(self, name: str, digest: str) -> None:
        self.record.digests[name] = digest
