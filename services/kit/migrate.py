"""`python -m services.kit.migrate SERVICE`: bring one service's database to the newest revision.

The database is `ALPMERA_<SERVICE>_OWNER_DATABASE_URL` (the owner's role, which may change tables). One alembic chain per
service lives in `services/<service>/migrations/versions`; the kit supplies the environment, so a chain is only its
revisions. Two migrations at once are serialised by an advisory lock.
"""

from __future__ import annotations

import asyncio
import os
import sys

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from services.kit.revisions import SERVICES_FOLDER

MIGRATION_LOCK_KEY = 7_120_310
LOCK_TIMEOUT_MILLISECONDS = 30_000


def script_directory(service: str) -> ScriptDirectory:
    """The chain of a service's revisions. Raises FileNotFoundError for a service without one."""
    versions = SERVICES_FOLDER / service / "migrations" / "versions"
    if not versions.is_dir():
        raise FileNotFoundError(f"{service} has no migrations")
    config = Config()
    config.set_main_option("script_location", str(versions.parent))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def upgrade(connection: Connection, service: str) -> list[str]:
    """Apply what is missing, each revision in the caller's transaction; returns the applied revisions."""
    script = script_directory(service)
    connection.execute(text(f"SET lock_timeout = {LOCK_TIMEOUT_MILLISECONDS}"))
    connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK_KEY})"))
    context = MigrationContext.configure(connection, opts={"transactional_ddl": True})
    context._ensure_version_table()
    current = context.get_current_revision()
    applied: list[str] = []
    revisions = list(script.iterate_revisions("head", current or "base"))
    with Operations.context(context):
        for revision in reversed(revisions):
            revision.module.upgrade()
            if current is None and not applied:
                connection.execute(text("INSERT INTO alembic_version VALUES (:r)"), {"r": revision.revision})
            else:
                connection.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision.revision})
            applied.append(revision.revision)
    return applied


async def migrate(service: str, url: str) -> list[str]:
    """Upgrade the database at `url`; returns the applied revisions."""
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            applied = await connection.run_sync(upgrade, service)
            await connection.execute(
                text(
                    "DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'auditor') THEN "
                    "GRANT SELECT ON alembic_version TO PUBLIC; END IF; END $$"
                )
            )
            return applied
    finally:
        await engine.dispose()


def main() -> int:
    """Command line entry. Exit status 0 when the database is at the newest revision."""
    service = sys.argv[1]
    variable = f"ALPMERA_{service.upper()}_OWNER_DATABASE_URL"
    url = os.environ.get(variable)
    if not url:
        sys.stderr.write(f"{variable} is not set\n")
        return 2
    os.environ.setdefault("ALPMERA_MIGRATE_APP_ROLE", f"{service}_app")
    applied = asyncio.run(migrate(service, url))
    sys.stderr.write(f"{service}: {', '.join(applied) or 'nothing to apply'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
