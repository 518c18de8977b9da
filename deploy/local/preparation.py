"""Migrations and topics: what must be in place before a service starts, and when to skip it.

Owns the two commands and the rule for skipping them. Each costs two seconds of a core only to
find that nothing is to be done, so a run is remembered by a digest of the files that decide it
and by what the database or the broker says of itself. Anything unknown means: run it.
"""

import hashlib
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from deploy.local.part import Launch
from deploy.local.paths import REPOSITORY

MIGRATION_TOOL = "services/kit/migrate.py"
TOPIC_FILES = ("contracts/topics.py", "services/kit/create_topics.py")


def migration_launch(service: str, *, owner_url: str, app_role: str) -> Launch:
    """Return the command that brings a service's database to its newest revision."""
    return Launch(
        command=[sys.executable, "-m", "services.kit.migrate", service],
        environment={
            f"ALPMERA_{service.upper()}_OWNER_DATABASE_URL": owner_url,
            "ALPMERA_MIGRATE_APP_ROLE": app_role,
        },
        folder=str(REPOSITORY),
    )


def topics_launch(bootstrap: str) -> Launch:
    """Return the command that creates the topics of the contracts."""
    return Launch(
        command=[sys.executable, "-m", "services.kit.create_topics"],
        environment={"ALPMERA_KAFKA": bootstrap},
        folder=str(REPOSITORY),
    )


def migration_digest(service: str, revision: str | None) -> str:
    """Return a digest of a service's migrations together with the database's own revision."""
    folder = REPOSITORY / "services" / service / "migrations"
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".sql"))
    return _digest([REPOSITORY / MIGRATION_TOOL, *files], revision or "none")


def topics_digest(cluster_id: str) -> str:
    """Return a digest of the topics' definition together with the broker's identity."""
    return _digest([REPOSITORY / name for name in TOPIC_FILES], cluster_id)


def may_skip(digests: Mapping[str, str], name: str, digest: str) -> bool:
    """Return whether the step was done before with exactly this."""
    return digests.get(name) == digest


def _digest(files: Iterable[Path], salt: str) -> str:
    total = hashlib.sha256(salt.encode())
    for path in files:
        if path.exists():
            total.update(str(path.relative_to(REPOSITORY)).encode())
            total.update(path.read_bytes())
    return total.hexdigest()
