"""The five services as parts of the stack: their command, their environment, their readiness.

Owns the table of services and the names of the variables each receives. A variable that the
environment already has goes before the stack's own. Secrets reach a service by its environment
only, never by its command line, where every user of the machine could read them.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy.local.http_probe import answers_ok
from deploy.local.part import Launch
from deploy.local.paths import REPOSITORY
from deploy.local.ports import LOOPBACK

if TYPE_CHECKING:
    # The keys bring a cryptography library, which `status` need not wait for.
    from deploy.local.keys import Secrets

# Services that keep people's data, each under its own key; the gateway reads what all of them need.
PEOPLE_KEY_HOLDERS = ("gateway", "notifications", "suppliers")

# Where a service listens is the stack's own choice: one value cannot serve five of them.
CHOSEN_HERE = frozenset({"ALPMERA_HTTP_HOST", "ALPMERA_HTTP_PORT", "ALPMERA_HEALTH_PORT", "ALPMERA_DATABASE_URL"})


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One service: the module that runs it, and whether it has a database to migrate."""

    name: str
    module: str
    migrated: bool = True

    @property
    def is_gateway(self) -> bool:
        """Return whether people reach the stack through this service."""
        return self.name == "gateway"


SERVICES = tuple(
    ServiceSpec(name, f"services.{name}") for name in ("gateway", "campaigns", "escrow", "suppliers", "notifications")
)


def service_url(spec: ServiceSpec, port: int) -> str:
    """Return a service's address; the gateway's is the one people open, where an IP would not do."""
    return f"http://{'localhost' if spec.is_gateway else LOOPBACK}:{port}"


class ServicePart:
    """One service of one stack."""

    ready_seconds_max = 120.0
    stop_seconds_max = 15.0

    def __init__(self, spec: ServiceSpec, *, port: int, environment: Mapping[str, str]) -> None:
        """Take the service, the port it answers health questions on, and its variables."""
        self.name = spec.name
        self.spec = spec
        self.port = port
        self.environment = dict(environment)

    def prepare(self) -> Launch:
        """Return the command."""
        given = {key: os.environ[key] for key in self.environment.keys() - CHOSEN_HERE if key in os.environ}
        return Launch(
            command=[sys.executable, "-m", self.spec.module],
            module=self.spec.module,
            environment=self.environment | given,
            folder=str(REPOSITORY),
        )

    def is_ready(self) -> bool:
        """Return whether it reports itself ready to work."""
        return answers_ok(f"http://{LOOPBACK}:{self.port}/readyz")


def shared_environment(
    *,
    kafka: Mapping[str, str],
    traces_url: str | None,
    smtp: str,
    stripe: Mapping[str, str],
    public_url: str,
) -> dict[str, str]:
    """Return the variables that every service receives alike."""
    host, _, port = smtp.rpartition(":")
    traces = {"ALPMERA_TRACES_URL": traces_url} if traces_url else {}
    return traces | {
        "ALPMERA_PROFILE": "local",
        "ALPMERA_KAFKA": kafka["bootstrap"],
        "ALPMERA_KAFKA_CLUSTER_ID": kafka["cluster_id"],
        "ALPMERA_SMTP_HOST": host,
        "ALPMERA_SMTP_PORT": port,
        "ALPMERA_STRIPE_URL": stripe["url"],
        "ALPMERA_STRIPE_KIND": stripe["kind"],
        "ALPMERA_PUBLIC_URL": public_url,
        "PYTHONUNBUFFERED": "1",
        # glibc's pools per thread would cost each service some twenty megabytes for nothing.
        "MALLOC_ARENA_MAX": "2",
    }


def own_environment(spec: ServiceSpec, secrets: "Secrets", *, port: int, stripe: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of one service: its port and the secrets it, and only it, needs."""
    private_key, public_key = secrets.assertion_keys()
    own = {
        # One process at a time bears the name, so a restarted one takes over its leases at once.
        "ALPMERA_INSTANCE": f"{spec.name}-1",
        "ALPMERA_ASSERTION_PUBLIC_KEY": public_key,
        "ALPMERA_MASTER_KEY": secrets.key(f"master:{spec.name}"),
    }
    if spec.is_gateway:
        own["ALPMERA_HTTP_HOST"] = LOOPBACK
        own["ALPMERA_HTTP_PORT"] = str(port)
        own["ALPMERA_ASSERTION_PRIVATE_KEY"] = private_key
        # Nobody takes a request back here by tomorrow: it rests as long as the read model needs.
        own["ALPMERA_ERASURE_REST_SECONDS"] = "5"
        own["ALPMERA_STRIPE_WEBHOOK_SECRETS"] = stripe["webhook_secret"]
        own["ALPMERA_STRIPE_PUBLISHABLE_KEY"] = stripe["publishable_key"]
        if stripe["kind"] == "stand-in":
            own["ALPMERA_STRIPE_BROWSER_BASE"] = stripe["url"]
    else:
        own["ALPMERA_HEALTH_PORT"] = str(port)
    if spec.name == "escrow":
        own["ALPMERA_STRIPE_KEY"] = stripe["api_key"]
        own["ALPMERA_CHECKPOINT_KEY"] = secrets.checkpoint_key()
        own["ALPMERA_CHECKPOINT_SALT_KEY"] = secrets.key("checkpoint-salts")
        # Somebody who tries the stack looks for a proof at once.
        own["ALPMERA_CHECKPOINT_SECONDS"] = "10"
    for holder in PEOPLE_KEY_HOLDERS if spec.is_gateway else (spec.name,):
        if holder in PEOPLE_KEY_HOLDERS:
            own[f"ALPMERA_PEOPLE_KEY_{holder.upper()}"] = secrets.key(f"people:{holder}")
    return own
