"""The tables of the stand-in's one database file.

Owns the list of object kinds and their filter columns. Rows are appended in the sequence of their
dates, so a row's number sorts by date, is carried inside the object's id, and needs no index of
its own. Facts are small JSON; what is the same in every object of a kind lives in ``shapes``.
It cannot migrate a file of an older shape: the local stack's data is thrown away instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Collection:
    """One kind of object: its table, its id's prefix, and the columns its list filters by.

    Statements are built from these constants only; every value is a bound parameter.
    """

    table: str
    prefix: str
    filters: tuple[str, ...] = ()
    indexed: tuple[str, ...] = ()

    @cached_property
    def upsert(self) -> str:
        """seq, id, created, the filters, facts; a row that exists gets the new facts."""
        columns = ("seq", "id", "created", *self.filters, "facts")
        marks = ", ".join("?" * len(columns))
        return (
            f"INSERT INTO {self.table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
            " ON CONFLICT (seq) DO UPDATE SET facts = excluded.facts"
        )

    @cached_property
    def select(self) -> str:
        """id and facts of one row."""
        return f"SELECT id, facts FROM {self.table} WHERE seq = ?"  # noqa: S608

    @cached_property
    def last(self) -> str:
        """The highest row number, 0 for an empty table."""
        return f"SELECT COALESCE(MAX(seq), 0) FROM {self.table}"  # noqa: S608

    @cached_property
    def date(self) -> str:
        """The date of the first row at or after a row number."""
        return f"SELECT created FROM {self.table} WHERE seq >= ? ORDER BY seq LIMIT 1"  # noqa: S608

    def page(self, filters: tuple[str, ...], *, oldest_first: bool) -> str:
        """Row number and facts between two row numbers, for one value of each filter."""
        where = "".join(f" AND {name} = ?" for name in filters)
        direction = "ASC" if oldest_first else "DESC"
        return (
            f"SELECT seq, facts FROM {self.table} WHERE seq > ? AND seq < ?{where}"  # noqa: S608
            f" ORDER BY seq {direction} LIMIT ?"
        )


COLLECTIONS: dict[str, Collection] = {
    "account": Collection("accounts", "acct"),
    "customer": Collection("customers", "cus", ("email",), ("email",)),
    "payment_method": Collection("payment_methods", "pm"),
    "confirmation_token": Collection("confirmation_tokens", "ctoken"),
    "payment_intent": Collection("payment_intents", "pi", ("customer",), ("customer",)),
    "charge": Collection("charges", "ch", ("payment_intent",), ("payment_intent",)),
    "refund": Collection("refunds", "re", ("payment_intent", "charge"), ("payment_intent", "charge")),
    "transfer": Collection("transfers", "tr", ("transfer_group", "destination"), ("transfer_group", "destination")),
    "transfer_reversal": Collection("transfer_reversals", "trr", ("transfer",), ("transfer",)),
    "dispute": Collection("disputes", "du", ("payment_intent", "charge"), ("payment_intent", "charge")),
    "file": Collection("files", "file", ("purpose",)),
    "topup": Collection("topups", "tu", ("status",)),
    "balance_transaction": Collection(
        "balance_transactions", "txn", ("source", "type", "currency"), ("source", "type")
    ),
    "event": Collection("events", "evt", ("type",), ("type",)),
}

KIND_BY_PREFIX = {collection.prefix: kind for kind, collection in COLLECTIONS.items()}


def _collection_ddl(collection: Collection) -> list[str]:
    columns = "".join(f" {name} TEXT," for name in collection.filters)
    statements = [
        f"CREATE TABLE IF NOT EXISTS {collection.table} (seq INTEGER PRIMARY KEY,"
        f" id TEXT NOT NULL, created INTEGER NOT NULL,{columns} facts TEXT NOT NULL)"
    ]
    statements += [
        f"CREATE INDEX IF NOT EXISTS {collection.table}_{name} ON {collection.table} ({name}) WHERE {name} IS NOT NULL"
        for name in collection.indexed
    ]
    return statements


_OTHER_DDL = [
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE IF NOT EXISTS keyed_requests (
        seq INTEGER PRIMARY KEY, key TEXT NOT NULL, created INTEGER NOT NULL,
        method TEXT NOT NULL, path TEXT NOT NULL, digest BLOB NOT NULL,
        status INTEGER NOT NULL, replayed INTEGER NOT NULL, request_id TEXT NOT NULL, body TEXT)""",
    "CREATE INDEX IF NOT EXISTS keyed_requests_key ON keyed_requests (key)",
    """CREATE TABLE IF NOT EXISTS journal (
        seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, object_id TEXT NOT NULL,
        created INTEGER NOT NULL, facts TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS deliveries (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL, state TEXT NOT NULL,
        wall_not_before REAL NOT NULL, stack_not_before INTEGER NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS deliveries_event ON deliveries (event_id)",
    """CREATE TABLE IF NOT EXISTS dues (
        seq INTEGER PRIMARY KEY, due_at INTEGER NOT NULL, refund_id TEXT NOT NULL,
        outcome TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS dispute_dues (
        seq INTEGER PRIMARY KEY, due_at INTEGER NOT NULL, dispute_id TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS dispute_dues_due_at ON dispute_dues (due_at)",
    "CREATE INDEX IF NOT EXISTS dues_due_at ON dues (due_at)",
    "CREATE INDEX IF NOT EXISTS dues_refund ON dues (refund_id)",
    """CREATE TABLE IF NOT EXISTS balance_buckets (
        currency TEXT NOT NULL, available_on INTEGER NOT NULL, net_minor INTEGER NOT NULL,
        PRIMARY KEY (currency, available_on)) WITHOUT ROWID""",
]


def ddl() -> list[str]:
    """Every statement that makes an empty file ready; each may run twice."""
    statements = [statement for collection in COLLECTIONS.values() for statement in _collection_ddl(collection)]
    return statements + _OTHER_DDL
