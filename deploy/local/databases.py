"""Databases and roles: who may do what in the local stack's database server.

Owns the rule that a service has two roles: an owner, which migrates, and an application role,
which reads and writes rows and can define nothing; and that an auditor reads everything and
writes nothing. The services' own migrations take further rights away (the ledger's rows cannot be
changed). It cannot see what a migration grants.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import asyncpg

from deploy.local.apart import run_apart

AUDITOR = "auditor"
CONNECT_TIMEOUT_SECONDS = 20.0
STATEMENT_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Role:
    """A role's name and password."""

    name: str
    password: str


@dataclass(frozen=True, slots=True)
class ServiceDatabase:
    """One database with its owner's role and its application's."""

    name: str
    owner: Role
    app: Role

    def owner_url(self, admin_url: str) -> str:
        """Return the owner's address on the server that the administrator's address names."""
        return address(admin_url, self.name, self.owner)

    def app_url(self, admin_url: str) -> str:
        """Return the application's address on that server."""
        return address(admin_url, self.name, self.app)


def new_password() -> str:
    """Draw a password that needs no escaping in an address."""
    return secrets.token_hex(24)


def address(admin_url: str, database: str, role: Role) -> str:
    """Return the address of a database for a role, in the form SQLAlchemy takes."""
    host = urlsplit(admin_url).netloc.rpartition("@")[2]
    user = f"{quote(role.name, safe='')}:{quote(role.password, safe='')}"
    return f"postgresql+asyncpg://{user}@{host}/{quote(database, safe='')}"


def plain(url: str) -> str:
    """Return an address without the driver's name, as asyncpg itself takes it."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)


def ensure_databases(admin_url: str, databases: Sequence[ServiceDatabase], *, auditor: Role | None) -> None:
    """Make the databases and roles that are missing, and set every password anew."""
    run_apart(_ensure_all(admin_url, databases, auditor))


def recorded_revision(admin_url: str, database: str) -> str | None:
    """Return the migration revision a database says it is at; None when it says nothing."""

    async def ask() -> str | None:
        connection = await _connect(admin_url, database)
        try:
            found = await connection.fetchval("SELECT version_num FROM alembic_version")
        except asyncpg.UndefinedTableError:
            return None
        finally:
            await connection.close()
        return None if found is None else str(found)

    return run_apart(ask())


def clone_database(admin_url: str, source: str, name: str) -> None:
    """Make a database as a copy of another one, with its objects, owners and grants."""
    run_apart(_clone(admin_url, source, name))


def drop_database(admin_url: str, name: str) -> None:
    """Drop a database if it exists, ending the sessions that use it."""
    statement = f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)"
    run_apart(_execute(admin_url, None, [statement]))


async def _ensure_all(admin_url: str, databases: Sequence[ServiceDatabase], auditor: Role | None) -> None:
    connection = await _connect(admin_url, None)
    try:
        if auditor is not None:
            await _ensure_role(connection, auditor)
            await connection.execute(f"GRANT pg_read_all_data TO {_quoted(auditor.name)}")
        for database in databases:
            await _ensure_role(connection, database.owner)
            await _ensure_role(connection, database.app)
            exists = await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", database.name)
            if not exists:
                # Copying by file is cheaper than logging a copy of an almost empty database.
                await connection.execute(
                    f"CREATE DATABASE {_quoted(database.name)} OWNER {_quoted(database.owner.name)} STRATEGY file_copy"
                )
            await connection.execute(_database_grants(database, auditor))
    finally:
        await connection.close()
    for database in databases:
        await _execute(admin_url, database.name, _schema_grants(database.owner, database.app))


async def _ensure_role(connection: asyncpg.Connection, role: Role) -> None:
    exists = await connection.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = $1", role.name)
    verb = "ALTER" if exists else "CREATE"
    password = role.password.replace("'", "''")
    await connection.execute(
        f"{verb} ROLE {_quoted(role.name)} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '{password}'"
    )


def _database_grants(database: ServiceDatabase, auditor: Role | None) -> str:
    name = _quoted(database.name)
    readers = [role.name for role in (database.app, auditor) if role is not None]
    grants = [f"REVOKE ALL ON DATABASE {name} FROM PUBLIC"]
    grants += [f"GRANT CONNECT ON DATABASE {name} TO {_quoted(reader)}" for reader in readers]
    return "; ".join(grants)


def _schema_grants(owner: Role, app: Role) -> list[str]:
    """Return what lets the application role use, never define, whatever the owner creates."""
    defaults = f"ALTER DEFAULT PRIVILEGES FOR ROLE {_quoted(owner.name)}"
    role = _quoted(app.name)
    return [
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA public TO {role}",
        f"{defaults} GRANT USAGE ON SCHEMAS TO {role}",
        f"{defaults} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
        f"{defaults} GRANT USAGE, SELECT ON SEQUENCES TO {role}",
        f"{defaults} GRANT EXECUTE ON FUNCTIONS TO {role}",
    ]


async def _clone(admin_url: str, source: str, name: str) -> None:
    connection = await _connect(admin_url, None)
    try:
        # A database in use cannot be copied; sessions of a test that just ended may linger.
        await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", source)
        owner = await connection.fetchval("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = $1", source)
        await connection.execute(
            f"CREATE DATABASE {_quoted(name)} TEMPLATE {_quoted(source)} OWNER {_quoted(owner)} STRATEGY file_copy"
        )
        # A copy carries the objects' grants; those on the database itself stay behind.
        grants = await connection.fetch(
            "SELECT DISTINCT pg_get_userbyid(acl.grantee) AS grantee"
            " FROM pg_database, aclexplode(datacl) AS acl"
            " WHERE datname = $1 AND acl.grantee <> 0 AND acl.grantee <> datdba"
            " AND acl.privilege_type = 'CONNECT'",
            source,
        )
        await connection.execute(f"REVOKE ALL ON DATABASE {_quoted(name)} FROM PUBLIC")
        for grant in grants:
            await connection.execute(f"GRANT CONNECT ON DATABASE {_quoted(name)} TO {_quoted(grant['grantee'])}")
    finally:
        await connection.close()


async def _execute(admin_url: str, database: str | None, statements: list[str]) -> None:
    connection = await _connect(admin_url, database)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _connect(admin_url: str, database: str | None) -> asyncpg.Connection:
    return await asyncpg.connect(
        plain(admin_url),
        database=database,
        timeout=CONNECT_TIMEOUT_SECONDS,
        command_timeout=STATEMENT_TIMEOUT_SECONDS,
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
