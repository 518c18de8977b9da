"""The generations of the read model: their schemas, made from the specification of the tables, and which one answers.

A generation is a schema `read_<n>` with all tables of `read_tables`. One is active; a rebuild fills the next one from the first
event beside it and switches in one transaction.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.gateway.store.read_tables import SCOPE_OF, TABLES

GENERATION_MAX = 1_000_000
CONSUMER_PREFIX = "gateway-g"


def scope_of(table: str) -> str:
    """The SQL expression of a row's scope."""
    return SCOPE_OF.get(table, "CAST(campaign_id AS text)")


def schema_name(generation: int) -> str:
    """The schema of a generation."""
    if not 1 <= generation <= GENERATION_MAX:
        raise ValueError("a generation is a number from 1")
    return f"read_{generation}"


def consumer_name(generation: int) -> str:
    """The consumer group and gate name of a generation."""
    return f"{CONSUMER_PREFIX}{generation}"


def create_statements(generation: int) -> list[str]:
    """The DDL of a generation's schema, for the first migration and for a rebuild (as the owner)."""
    schema = schema_name(generation)
    statements = [f"CREATE SCHEMA {schema}"]
    for name, table in TABLES.items():
        columns = ", ".join(
            [
                f"{table.key} {table.key_type} PRIMARY KEY",
                *(f"{column} {kind}" for column, kind in table.columns.items()),
            ]
        )
        # Rows of a hot table are changed several times; room in the page keeps those changes off the indexes.
        storage = " WITH (fillfactor = 70)" if table.hot else ""
        statements.append(f"CREATE TABLE {schema}.{name} ({columns}){storage}")
        statements.extend(f"CREATE INDEX ON {schema}.{name} ({columns})" for columns in table.indexes)
    return statements


def grant_statements(generation: int, *, app_role: str | None, auditor_role: str | None) -> list[str]:
    """The rights on a generation: the application changes its rows, the auditor reads them."""
    schema = schema_name(generation)
    statements: list[str] = []
    if app_role:
        statements += [
            f'GRANT USAGE ON SCHEMA {schema} TO "{app_role}"',
            f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO "{app_role}"',
        ]
    if auditor_role:
        statements += [
            f'GRANT USAGE ON SCHEMA {schema} TO "{auditor_role}"',
            f'GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO "{auditor_role}"',
        ]
    return statements


async def active_generation(connection: AsyncConnection) -> int:
    """The number of the generation that answers reads."""
    row = await connection.execute(text("SELECT number FROM read_generation WHERE state = 'active'"))
    return int(row.scalar_one())


async def newest_generation(connection: AsyncConnection) -> int:
    """The highest number ever given to a generation."""
    row = await connection.execute(text("SELECT max(number) FROM read_generation"))
    return int(row.scalar_one())


def drop_statements(generation: int) -> list[str]:
    """What removes a generation's tables."""
    return [f"DROP SCHEMA IF EXISTS {schema_name(generation)} CASCADE"]
