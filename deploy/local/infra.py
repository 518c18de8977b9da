"""The real broker and database for tests: started, reached, and gone with the process.

Owns `start_infra`, which gives what the tests stand on by the same provider sequence as the stack:
addresses from the environment, then Docker, then the embedded parts. The embedded parts die with
the process that started them, even when it is killed. Start it in the main thread: the kernel ties
a child to the thread that made it.

    with start_infra(folder) as infra:
        owner_url, app_url = infra.create_database("escrow")
        infra.kafka_bootstrap
"""

import os
import shutil
import subprocess
import time
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from deploy.local.databases import (
    AUDITOR,
    Role,
    ServiceDatabase,
    address,
    clone_database,
    drop_database,
    ensure_databases,
    new_password,
)
from deploy.local.errors import StackError
from deploy.local.kafka import Kafka, cluster_id_of
from deploy.local.part import Launch, Part, last_lines, spawn
from deploy.local.ports import free_port
from deploy.local.postgres import Postgres
from deploy.local.providers import choose_provider, start_containers

PARTS = frozenset({"kafka", "postgres"})
POLL_SECONDS = 0.05


@dataclass
class Infra:
    """The addresses of running infrastructure, and the means to make databases in it."""

    kafka_bootstrap: str = ""
    kafka_cluster_id: str = ""
    postgres_admin_url: str = ""
    processes: dict[str, int] = field(default_factory=dict)
    _roles: dict[str, tuple[Role, Role]] = field(default_factory=dict, repr=False)
    _auditor: Role = field(default_factory=lambda: Role(f"{AUDITOR}_{os.getpid()}", new_password()), repr=False)

    def create_database(self, name: str) -> tuple[str, str]:
        """Make a database and its two roles; return the owner's and the application's address."""
        if name not in self._roles:
            owner = Role(f"{name}_owner", new_password())
            self._roles[name] = (owner, Role(f"{name}_app", new_password()))
        owner, app = self._roles[name]
        ensure_databases(
            self.postgres_admin_url,
            [ServiceDatabase(name=name, owner=owner, app=app)],
            auditor=self._auditor,
        )
        return self._addresses(name, owner, app)

    def clone_database(self, source: str, name: str) -> tuple[str, str]:
        """Copy a database made here, migrations and rows included; its roles are the source's."""
        clone_database(self.postgres_admin_url, source, name)
        self._roles[name] = self._roles[source]
        return self._addresses(name, *self._roles[name])

    def drop_database(self, name: str) -> None:
        """Drop a database made here, ending its sessions; its roles stay."""
        drop_database(self.postgres_admin_url, name)

    def auditor_url(self, name: str) -> str:
        """Return the address that can read everything in a database made here, and only read."""
        return address(self.postgres_admin_url, name, self._auditor)

    def _addresses(self, name: str, owner: Role, app: Role) -> tuple[str, str]:
        return (
            address(self.postgres_admin_url, name, owner),
            address(self.postgres_admin_url, name, app),
        )


@contextmanager
def start_infra(state_dir: Path, parts: Collection[str] = PARTS, *, durable: bool = False) -> Iterator[Infra]:
    """Start the named parts ("kafka", "postgres"), yield their addresses, and end them.

    The data under `state_dir` is kept and reused by a next start; `durable=False` lets the
    database skip waiting for the disk.
    """
    unknown = set(parts) - PARTS
    if unknown:
        raise ValueError(f"unknown parts: {sorted(unknown)}")
    infra = Infra()
    with ExitStack() as cleanup:
        wanted = set(parts) - _given(infra, parts)
        if wanted and choose_provider() == "docker":
            addresses = cleanup.enter_context(start_containers(wanted))
            infra.kafka_bootstrap = addresses.kafka or infra.kafka_bootstrap
            infra.postgres_admin_url = addresses.postgres_admin_url or infra.postgres_admin_url
        elif wanted:
            cleanup.enter_context(_Embedded(infra, state_dir, wanted, durable=durable))
        if "kafka" in parts and not infra.kafka_cluster_id:
            infra.kafka_cluster_id = cluster_id_of(infra.kafka_bootstrap) or ""
            if not infra.kafka_cluster_id:
                raise StackError(f"No broker answers on {infra.kafka_bootstrap}.")
        yield infra


def _given(infra: Infra, parts: Collection[str]) -> set[str]:
    """Take the addresses that the environment gives; return the parts they stand for."""
    found = set()
    if "kafka" in parts and os.environ.get("ALPMERA_KAFKA"):
        infra.kafka_bootstrap = os.environ["ALPMERA_KAFKA"]
        found.add("kafka")
    if "postgres" in parts and os.environ.get("ALPMERA_POSTGRES_ADMIN_URL"):
        infra.postgres_admin_url = os.environ["ALPMERA_POSTGRES_ADMIN_URL"]
        found.add("postgres")
    return found


class _Embedded:
    """The embedded parts as children of this process."""

    def __init__(self, infra: Infra, folder: Path, parts: set[str], *, durable: bool) -> None:
        self.infra = infra
        self.folder = folder
        self.kafka = (
            Kafka(folder / "kafka", port=free_port(), controller_port=free_port()) if "kafka" in parts else None
        )
        self.postgres = (
            Postgres(folder / "postgres", port=free_port(), durable=durable) if "postgres" in parts else None
        )
        self.running: list[tuple[Part, Launch, subprocess.Popen[bytes]]] = []

    def __enter__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        parts: list[Part] = [part for part in (self.kafka, self.postgres) if part is not None]
        try:
            # Preparing may fetch and unpack, so the parts do it at once; spawning stays in this
            # thread, whose end would otherwise be the end of the children.
            with ThreadPoolExecutor(len(parts)) as pool:
                launches = list(pool.map(lambda part: part.prepare(), parts))
            for part, launch in zip(parts, launches, strict=True):
                process = spawn(launch, self._log(part))
                self.running.append((part, launch, process))
                self.infra.processes[part.name] = process.pid
            for part, _, process in self.running:
                self._wait_ready(part, process)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        if self.kafka:
            self.infra.kafka_bootstrap = self.kafka.bootstrap
            self.infra.kafka_cluster_id = self.kafka.cluster_id
        if self.postgres:
            self.infra.postgres_admin_url = self.postgres.admin_url

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for _, launch, process in self.running:
            process.send_signal(launch.stop_signal)
        for part, _, process in self.running:
            try:
                process.wait(part.stop_seconds_max)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.clear()

    def _wait_ready(self, part: Part, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + part.ready_seconds_max
        while time.monotonic() < end:
            if process.poll() is not None:
                raise StackError(f"{part.name} ended at once:\n{last_lines(self._log(part))}")
            if part.is_ready():
                return
            time.sleep(POLL_SECONDS)
        raise StackError(f"{part.name} is not ready in time:\n{last_lines(self._log(part))}")

    def _log(self, part: Part) -> Path:
        return self.folder / "logs" / f"{part.name}.log"


def remove_infra(state_dir: Path) -> None:
    """Delete the data of an infrastructure that is down."""
    Postgres(state_dir / "postgres", port=0).remove()
    shutil.rmtree(state_dir, ignore_errors=True)
