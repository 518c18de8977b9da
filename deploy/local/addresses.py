"""The addresses of a running stack, passwords included, for the tool's own verbs and the tests.

Owns how a service's database address is made: given in the environment, or from the stack's own
server and kept passwords. `load_addresses` is what replay, audit, bench and the tests start from.
Whoever holds one can do what its role can: never print it, never log it.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from deploy.local.board import read_record
from deploy.local.databases import AUDITOR, Role, ServiceDatabase, address
from deploy.local.errors import StackError
from deploy.local.keys import Secrets
from deploy.local.paths import state_folder
from deploy.local.ports import LOOPBACK

ADMINISTRATOR = "database administrator"
NOT_RUNNING = "The stack is not running: start it with ./alpmera up --detach."


@dataclass(frozen=True)
class StackAddresses:
    """Where everything of a running stack answers."""

    gateway_url: str
    service_urls: dict[str, str]
    kafka_bootstrap: str
    kafka_cluster_id: str
    traces_url: str
    mailbox_url: str
    smtp: str
    stripe_url: str
    stripe_kind: str
    stripe_key: str
    service_pids: dict[str, int]
    _admin_url: str
    _secrets: Secrets

    def auditor_url(self, service: str) -> str:
        """Return the address that reads everything in a service's database and writes nothing."""
        given = owner_database_url(service)
        if given is not None:
            return given
        role = Role(AUDITOR, self._secrets.password(AUDITOR))
        return address(self._admin_url, f"alpmera_{service}", role)

    def app_url(self, service: str) -> str:
        """Return the address a service itself works with."""
        return app_database_url(service, admin_url=self._admin_url, secrets=self._secrets)

    def owner_url(self, service: str) -> str:
        """Return the address that may change a service's tables."""
        given = owner_database_url(service)
        if given is not None:
            return given
        return service_database(service, self._secrets).owner_url(self._admin_url)

    def recovery_secrets(self) -> dict[str, str]:
        """Return what a recovery of escrow needs beside addresses: the salts' key, and the key that checks commands."""
        _, public_key = self._secrets.assertion_keys()
        return {"checkpoint_salt_key": self._secrets.key("checkpoint-salts"), "assertion_public_key": public_key}


def load_addresses(folder: Path | None = None) -> StackAddresses:
    """Read the addresses of the running stack; StackError when none runs."""
    where = folder or state_folder()
    record = read_record(where)
    if not record.is_alive() or not record.ready:
        raise StackError(NOT_RUNNING)
    secrets = Secrets(where)
    postgres, kafka = record.parts.get("postgres", {}), record.parts["kafka"]
    password = secrets.get(ADMINISTRATOR)
    admin = f"postgresql+asyncpg://postgres:{password}@{LOOPBACK}:{postgres.get('port', 0)}/postgres"
    stripe = record.parts["stripe"]
    key = os.environ.get("ALPMERA_STRIPE_API_KEY") or secrets.get("token:stripe_api")
    return StackAddresses(
        gateway_url=str(record.services["gateway"]["url"]),
        service_urls={name: str(entry["url"]) for name, entry in record.services.items()},
        kafka_bootstrap=str(kafka["bootstrap"]),
        kafka_cluster_id=str(kafka["cluster_id"]),
        traces_url=str(record.parts["traces"]["url"] or ""),
        mailbox_url=str(record.parts["mailbox"]["url"]),
        smtp=str(record.parts["mailbox"]["smtp"]),
        stripe_url=str(stripe["url"]),
        stripe_kind=str(stripe["kind"]),
        stripe_key=key,
        service_pids={name: record.units[name].pid for name in record.services},
        _admin_url=admin,
        _secrets=secrets,
    )


def owner_database_url(service: str) -> str | None:
    """Return the owner's address that the environment gives for a service, None without one."""
    return os.environ.get(f"ALPMERA_DATABASE_URL_{service.upper()}") or None


def app_database_url(service: str, *, admin_url: str, secrets: Secrets) -> str:
    """Return the address a service works with: given, or the stack's own application role."""
    given = os.environ.get(f"ALPMERA_APP_DATABASE_URL_{service.upper()}")
    if given or owner_database_url(service):
        return str(given or owner_database_url(service))
    return service_database(service, secrets).app_url(admin_url)


def service_database(service: str, secrets: Secrets) -> ServiceDatabase:
    """Return a service's database with its roles and kept passwords."""
    owner, app = f"{service}_owner", f"{service}_app"
    return ServiceDatabase(
        name=f"alpmera_{service}",
        owner=Role(owner, secrets.password(owner)),
        app=Role(app, secrets.password(app)),
    )


def role_name(url: str) -> str:
    """Return the role that an address signs in as."""
    return unquote(urlsplit(url).username or "")
