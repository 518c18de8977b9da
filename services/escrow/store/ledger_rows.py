"""How a batch of transfers travels to the database: its columns as text, and the statements that read them.

Owns the layout of the ledger's bulk statements. A column is one text, its values joined by the unit separator, because
the driver looks at every element of an array twice, which took a quarter of the time of a posting. A column that says
nothing (no plan in the whole batch, one scope for all) is not sent. What this cannot carry: a name that holds the
separator itself; the rules of a posting refuse such a name (`unreadable`). Reasons are words of people and may hold
anything, so they go as an array.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text

from services.escrow.domain.ledger import UNIT_SEPARATOR

_TRANSFER_COLUMNS = (
    "scope",
    "position",
    "kind",
    "cause",
    "commitment_id",
    "plan_id",
    "reverses",
    "reason",
    "event_at",
    "hash",
)
_WORDS = ("t_reason", "t_event_at")
_ENTRY_COLUMNS = ("account", "amount_minor", "balance_minor", "version", "object_id")


def account_columns(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The parameters of SELECT_ACCOUNTS for these (scope, account) pairs, one at least."""
    return {
        "scopes": UNIT_SEPARATOR.join([scope for scope, _ in pairs]),
        "accounts": UNIT_SEPARATOR.join([account for _, account in pairs]),
    }


def cause_columns(causes: Sequence[str]) -> dict[str, Any]:
    """The parameters of SELECT_CAUSES, for one cause at least."""
    return {"causes": UNIT_SEPARATOR.join(causes)}


def transfer_columns(transfers: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """The columns of numbered and hashed transfers (`t_…`) and of their entries (`e_…`)."""
    entries = [entry for transfer in transfers for entry in transfer["entries"]]
    columns = {f"t_{name}": [transfer[name] for transfer in transfers] for name in _TRANSFER_COLUMNS}
    columns["t_relied_on"] = ["{" + ",".join(transfer["relied_on"]) + "}" for transfer in transfers]
    columns["e_scope"] = [transfer["scope"] for transfer in transfers for _ in transfer["entries"]]
    columns["e_position"] = [transfer["position"] for transfer in transfers for _ in transfer["entries"]]
    return columns | {f"e_{name}": [entry[name] for entry in entries] for name in _ENTRY_COLUMNS}


def insert_parameters(columns: dict[str, list[Any]], now: datetime) -> dict[str, Any]:
    """The parameters of INSERT for these columns. `now` is the moment of posting."""
    scope = columns["t_scope"][0] if columns["t_scope"] else ""
    said = {
        name: _joined(_unless_all(values, scope) if name.endswith("_scope") else values)
        for name, values in columns.items()
        if name not in _WORDS
    }
    return said | {
        "scope": scope,
        "created_at": now,
        "t_event_at": _unless_all(columns["t_event_at"], now),
        "t_reason": _unless_all(columns["t_reason"], None),
    }


def _joined(values: list[Any] | None) -> str | None:
    """The values as one text, an absent one as nothing between two separators; None when all are absent."""
    if values is None or values.count(None) == len(values):
        return None
    if None in values:
        values = ["" if value is None else value for value in values]
    return UNIT_SEPARATOR.join(map(str, values))


def _unless_all(values: list[Any], same: object) -> list[Any] | None:
    """The values, or None when each of them is the given one."""
    return None if values.count(same) == len(values) else values


def _array(parameter: str, kind: str = "text") -> str:
    """The SQL that makes an array of a joined column again; nothing between two separators is null."""
    made = f"string_to_array(CAST(:{parameter} AS text), chr({ord(UNIT_SEPARATOR)}), '')"
    return made if kind == "text" else f"CAST({made} AS {kind}[])"


def _arrays(columns: Iterable[tuple[str, str]]) -> str:
    return ", ".join(_array(name, kind) for name, kind in columns)


SELECT_ACCOUNTS = text(
    f"""
    SELECT scope, account, balance_minor, version
    FROM ledger_find_accounts({_array("scopes")}, {_array("accounts")})
    """  # noqa: S608 - constants
)

SELECT_CAUSES = text(f"SELECT cause FROM ledger_find_causes({_array('causes')}) AS cause")  # noqa: S608 - constants

_TRANSFER_ARRAYS = _arrays(
    (
        ("t_scope", "text"),
        ("t_position", "bigint"),
        ("t_kind", "text"),
        ("t_cause", "text"),
        ("t_commitment_id", "uuid"),
        ("t_plan_id", "uuid"),
        ("t_reverses", "bigint"),
        ("t_relied_on", "text"),
        ("t_hash", "text"),
    )
)
_ENTRY_ARRAYS = _arrays(
    (
        ("e_scope", "text"),
        ("e_position", "bigint"),
        ("e_account", "text"),
        ("e_amount_minor", "bigint"),
        ("e_balance_minor", "bigint"),
        ("e_version", "bigint"),
        ("e_object_id", "text"),
    )
)

# Both inserts are one statement on purpose: the triggers at its end see whole transfers, and refuse anything else.
# The entries stand outermost so that their trigger, which seals the transfers, runs before the transfers' own.
INSERT = text(
    f"""
    WITH moved AS (
        INSERT INTO ledger_transfer (
            scope, position, kind, cause, commitment_id, plan_id, reverses, reason, relied_on, event_at, created_at,
            hash
        )
        SELECT
            COALESCE(t.scope, CAST(:scope AS text)), t.position, t.kind, t.cause, t.commitment_id, t.plan_id,
            t.reverses, t.reason, CAST(t.relied_on AS uuid[]), COALESCE(t.event_at, CAST(:created_at AS timestamptz)),
            CAST(:created_at AS timestamptz), t.hash
        FROM unnest(
            {_TRANSFER_ARRAYS}, CAST(:t_event_at AS timestamptz[]), CAST(:t_reason AS text[])
        ) AS t (scope, position, kind, cause, commitment_id, plan_id, reverses, relied_on, hash, event_at, reason)
    )
    INSERT INTO ledger_entry (scope, position, account, amount_minor, balance_minor, version, object_id)
    SELECT
        COALESCE(e.scope, CAST(:scope AS text)), e.position, e.account, e.amount_minor, e.balance_minor, e.version,
        e.object_id
    FROM unnest({_ENTRY_ARRAYS}) AS e (scope, position, account, amount_minor, balance_minor, version, object_id)
    """  # noqa: S608 - constants
)
