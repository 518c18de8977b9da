"""The kit's tables, the same in each service's database, and the helpers that migrations use.

The kit's statements are written against these names; a service's first migration calls `create_kit_tables`. The head
table (`stream_head`, or a service's own table with the columns `stream` and `seq`) is the lock of a scope.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from sqlalchemy import text

METADATA_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Naming convention for SQLAlchemy MetaData, so that constraint names are stable."""

_HEAD = "CREATE TABLE stream_head (stream text PRIMARY KEY, seq bigint NOT NULL DEFAULT 0 CHECK (seq >= 0))"

_TABLES = (
    """
    CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        message_id uuid NOT NULL UNIQUE,
        topic text NOT NULL,
        key text NOT NULL,
        type text NOT NULL,
        stream text,
        seq bigint,
        headers jsonb NOT NULL,
        payload text NOT NULL CHECK (octet_length(payload) <= 524288),
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        published_at timestamptz,
        CHECK ((stream IS NULL) = (seq IS NULL)),
        UNIQUE (stream, seq)
    )
    """,
    "CREATE INDEX outbox_unpublished ON outbox (id) WHERE published_at IS NULL",
    """
    CREATE TABLE relay_lease (
        shard integer PRIMARY KEY, holder text NOT NULL, epoch bigint NOT NULL, expires_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE gate (
        consumer text NOT NULL,
        stream text NOT NULL,
        last_seq bigint NOT NULL DEFAULT 0,
        last_event_id uuid,
        state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'gap', 'early', 'blocked', 'resuming')),
        state_since timestamptz NOT NULL DEFAULT clock_timestamp(),
        republish_asked_at timestamptz,
        PRIMARY KEY (consumer, stream)
    )
    """,
    "CREATE INDEX gate_not_open ON gate (consumer, state) WHERE state <> 'open'",
    """
    CREATE TABLE inbox (
        consumer text NOT NULL,
        message_id uuid NOT NULL,
        handled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (consumer, message_id)
    )
    """,
    """
    CREATE TABLE parked (
        consumer text NOT NULL,
        message_id uuid NOT NULL,
        stream text,
        seq bigint,
        topic text NOT NULL,
        key text NOT NULL,
        headers jsonb NOT NULL,
        payload bytea,
        reason text NOT NULL CHECK (reason IN ('poison', 'behind', 'gap', 'early')),
        error text,
        parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        discarded_by text,
        discard_approved_by text,
        discard_reason text,
        CHECK (discard_approved_by IS NULL OR discard_approved_by <> discarded_by),
        PRIMARY KEY (consumer, message_id)
    )
    """,
    "CREATE INDEX parked_stream ON parked (consumer, stream, seq)",
    """
    CREATE TABLE attempt (
        consumer text NOT NULL, message_id uuid NOT NULL, count integer NOT NULL, PRIMARY KEY (consumer, message_id)
    )
    """,
    """
    CREATE TABLE deadline (
        id uuid PRIMARY KEY,
        kind text NOT NULL,
        scope text NOT NULL,
        subject text NOT NULL,
        due_at timestamptz NOT NULL,
        acts_at timestamptz NOT NULL,
        payload jsonb NOT NULL DEFAULT '{}',
        traceparent text,
        correlation_id uuid,
        settled_at timestamptz,
        outcome text,
        UNIQUE (kind, subject)
    )
    """,
    "CREATE INDEX deadline_due ON deadline (acts_at) WHERE settled_at IS NULL",
    """
    CREATE TABLE cases (
        case_id uuid PRIMARY KEY,
        kind text NOT NULL,
        scope text NOT NULL,
        subject text NOT NULL,
        severity text NOT NULL,
        blocking boolean NOT NULL,
        facts jsonb NOT NULL DEFAULT '{}',
        opened_at timestamptz NOT NULL,
        closed_at timestamptz,
        resolution text
    )
    """,
    "CREATE UNIQUE INDEX cases_open ON cases (kind, subject) WHERE closed_at IS NULL",
    "CREATE INDEX cases_scope ON cases (scope) WHERE closed_at IS NULL",
    """
    CREATE TABLE frozen_scope (
        case_id uuid PRIMARY KEY, scope text NOT NULL, service text NOT NULL, frozen_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX frozen_scope_scope ON frozen_scope (scope)",
    """
    CREATE TABLE audit_entry (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz NOT NULL,
        actor_id text NOT NULL,
        actor_role text NOT NULL,
        action text NOT NULL,
        scope text NOT NULL,
        subject text NOT NULL,
        before jsonb,
        after jsonb,
        reason text,
        cause_id uuid,
        trace_id text,
        place bigint UNIQUE,
        previous_hash text,
        hash text
    )
    """,
    "CREATE INDEX audit_entry_unsealed ON audit_entry (id) WHERE hash IS NULL",
    "CREATE INDEX audit_entry_subject ON audit_entry (scope, subject)",
    """
    CREATE TABLE audit_head (
        singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton), last_place bigint NOT NULL, hash text NOT NULL
    )
    """,
    f"INSERT INTO audit_head (last_place, hash) VALUES (0, '{'0' * 64}')",  # noqa: S608 - a constant
    """
    CREATE TABLE stack_clock (
        singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
        offset_seconds bigint NOT NULL DEFAULT 0 CHECK (offset_seconds >= 0),
        version bigint NOT NULL DEFAULT 0,
        paused boolean NOT NULL DEFAULT false,
        paused_at timestamptz
    )
    """,
    "INSERT INTO stack_clock DEFAULT VALUES",
    """
    CREATE FUNCTION stack_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
        SELECT clock_timestamp() + make_interval(secs => offset_seconds) FROM stack_clock
    $$
    """,
    """
    CREATE FUNCTION stack_clock_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.offset_seconds < OLD.offset_seconds THEN
            RAISE EXCEPTION 'the stack clock never runs backwards';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER stack_clock_only_grows BEFORE UPDATE ON stack_clock
    FOR EACH ROW EXECUTE FUNCTION stack_clock_only_grows()
    """,
    """
    CREATE TABLE intent (
        id uuid PRIMARY KEY,
        purpose text NOT NULL,
        object_id text NOT NULL,
        ordinal integer NOT NULL CHECK (ordinal >= 1),
        scope text NOT NULL,
        request jsonb NOT NULL,
        secret text,
        state text NOT NULL DEFAULT 'recorded' CHECK (state IN ('recorded', 'attempted', 'answered', 'stopped')),
        waiting boolean NOT NULL DEFAULT false,
        attempts integer NOT NULL DEFAULT 0,
        recorded_at timestamptz NOT NULL,
        recorded_wall timestamptz NOT NULL DEFAULT clock_timestamp(),
        first_attempted_at timestamptz,
        first_attempted_wall timestamptz,
        last_attempted_wall timestamptz,
        prior_attempted_wall timestamptz,
        not_before timestamptz,
        lease_until timestamptz,
        lease_holder text,
        answer jsonb,
        answered_at timestamptz,
        cause_id uuid,
        correlation_id uuid,
        received_at timestamptz,
        traceparent text,
        UNIQUE (purpose, object_id, ordinal)
    )
    """,
    "CREATE INDEX intent_open ON intent (purpose, recorded_wall) WHERE state IN ('recorded', 'attempted')",
    "CREATE INDEX intent_scope ON intent (scope, purpose)",
)

_KIT_GRANTS = {
    "outbox": "SELECT, INSERT, UPDATE (published_at)",
    "relay_lease": "SELECT, INSERT, UPDATE",
    "gate": "SELECT, INSERT, UPDATE",
    "inbox": "SELECT, INSERT",
    "parked": "SELECT, INSERT, UPDATE, DELETE",
    "attempt": "SELECT, INSERT, UPDATE, DELETE",
    "deadline": "SELECT, INSERT, UPDATE, DELETE",
    "cases": "SELECT, INSERT, UPDATE",
    "frozen_scope": "SELECT, INSERT, DELETE",
    "audit_entry": "SELECT, INSERT, UPDATE (place, previous_hash, hash)",
    "audit_head": "SELECT, UPDATE",
    "stack_clock": "SELECT",
    "intent": "SELECT, INSERT, UPDATE",
}


def create_kit_tables(op: Any, *, head_table: str = "stream_head") -> None:
    """Create the kit's tables (for a service's first migration). A service with its own head table creates that itself
    with at least `stream text PRIMARY KEY, seq bigint NOT NULL DEFAULT 0` and defaults on every other column."""
    if head_table == "stream_head":
        op.execute(_HEAD)
        grant_app(op, {"stream_head": "SELECT, INSERT, UPDATE"})
    for statement in _TABLES:
        op.execute(statement)
    grant_app(op, _KIT_GRANTS)


def app_role() -> str:
    """The application's database role: no DDL, only what the migrations grant."""
    return os.environ.get("ALPMERA_MIGRATE_APP_ROLE", "")


def grant_app(op: Any, grants: Mapping[str, str]) -> None:
    """Grant the application's role its rights on tables; `auditor` may read all. Unknown roles are passed over, so that
    one migration serves a database with and without separate roles."""
    role = app_role()
    bind = op.get_bind()
    known = {row[0] for row in bind.execute(text("SELECT rolname FROM pg_roles"))}
    for table, rights in grants.items():
        if role in known:
            op.execute(f'REVOKE ALL ON {table} FROM "{role}"')
            op.execute(f'GRANT {rights} ON {table} TO "{role}"')
        if "auditor" in known:
            op.execute(f"GRANT SELECT ON {table} TO auditor")
