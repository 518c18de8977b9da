"""The database file: objects by id, lists, and one flush to disk for many calls.

Owns durability. Handlers run one after the other inside an open transaction; the transaction is
committed once the event loop has no more calls ready, the log is flushed in a thread, and only
then are the answers of that batch sent. So a killed process loses nothing that was answered, and
sixteen calls at once cost one flush. It cannot survive a disk that lies about flushing.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from deploy.local.stripe_standin import schema

T = TypeVar("T")
Facts = dict[str, Any]
log = logging.getLogger(__name__)

FILE_NAME = "standin.sqlite3"
CHECKPOINT_PAGES = 4_000
CACHE_KIB = 65_536
FATAL_EXIT_STATUS = 70


class DataDirectoryError(Exception):
    """Another process has the database file open, or it is of another version."""


_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False)


def encode(value: object) -> str:
    """Compact JSON."""
    return _ENCODER.encode(value)


def _base36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    text = ""
    while number:
        number, rest = divmod(number, 36)
        text = digits[rest] + text
    return text.rjust(7, "0")


def _row_number(object_id: str) -> int:
    """The row number inside an id, or -1 where there is none."""
    _, _, rest = object_id.partition("_")
    head = rest[:7]
    if len(rest) != 23 or not head.isascii() or not head.isalnum():
        return -1
    return int(head, 36)


class Store:
    """One SQLite file in WAL mode, used from the event loop's thread only."""

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self.path = data_dir / FILE_NAME
        self.db = sqlite3.connect(
            self.path,
            isolation_level=None,
            timeout=0.2,
            cached_statements=256,
            check_same_thread=False,
        )
        try:
            self._prepare()
        except sqlite3.OperationalError as error:
            raise DataDirectoryError(f"{self.path}: {error}") from error
        self._wal = os.open(f"{self.path}-wal", os.O_RDWR)
        self._flusher = ThreadPoolExecutor(1, thread_name_prefix="flush")
        self._open_batch: asyncio.Event | None = None
        self._flushing: asyncio.Event | None = None
        self._flush_task: asyncio.Task[None] | None = None
        self._next_seq = {kind: self._value(collection.last) + 1 for kind, collection in schema.COLLECTIONS.items()}

    def _prepare(self) -> None:
        self.db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        self.db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        known = self._value("PRAGMA user_version")
        if known not in (0, schema.SCHEMA_VERSION):
            raise DataDirectoryError(f"{self.path} has the shape of version {known}; remove it")
        self.db.execute("BEGIN IMMEDIATE")
        for statement in schema.ddl():
            self.db.execute(statement)
        self.db.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('opened', '1')")
        self.db.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION}")
        self.db.execute("COMMIT")

    def _value(self, statement: str, values: Sequence[Any] = ()) -> Any:
        row = self.db.execute(statement, values).fetchone()
        return None if row is None else row[0]

    # -- transactions ------------------------------------------------------------------------

    async def transact(self, work: Callable[[], T]) -> T:
        """Run ``work`` whole or not at all; return when its effects are on disk."""
        result = self.apply(work)
        await self.settled()
        return result

    def apply(self, work: Callable[[], T]) -> T:
        """Run ``work`` whole or not at all; its effects reach the disk with the next batch."""
        if not self.db.in_transaction:
            self.db.execute("BEGIN")
        before = self.db.total_changes
        try:
            with self.savepoint("call"):
                result = work()
        finally:
            if self.db.total_changes != before:
                self._batch_up()
        return result

    @contextmanager
    def savepoint(self, name: str) -> Iterator[None]:
        """Undo what the block wrote if it raises."""
        self.db.execute(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            self.db.execute(f"ROLLBACK TO {name}")
            self.db.execute(f"RELEASE {name}")
            raise
        self.db.execute(f"RELEASE {name}")

    async def settled(self) -> None:
        """Wait until everything written so far is on disk."""
        batch = self._open_batch or self._flushing
        if batch is not None:
            await batch.wait()

    def _batch_up(self) -> None:
        if self._open_batch is None:
            self._open_batch = asyncio.Event()
        if self._flush_task is None:
            self._flush_task = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._open_batch is not None:
                self._flushing, self._open_batch = self._open_batch, None
                self.db.execute("COMMIT")
                await loop.run_in_executor(self._flusher, os.fdatasync, self._wal)
                self._flushing.set()
        except asyncio.CancelledError:
            raise
        except BaseException:
            # A commit or flush that fails leaves memory and disk apart. Ending the process is
            # the only state in which nothing that was answered is missing.
            log.critical("the database file cannot be written; stopping", exc_info=True)
            os._exit(FATAL_EXIT_STATUS)
        finally:
            self._flushing = None
            self._flush_task = None

    async def close(self) -> None:
        """Wait for the last batch and close the file."""
        while self._flush_task is not None:
            await self.settled()
            await asyncio.sleep(0)
        if self.db.in_transaction:
            self.db.execute("COMMIT")
        self._flusher.shutdown()
        self.db.close()
        os.close(self._wal)

    # -- objects -----------------------------------------------------------------------------

    def name(self, kind: str, facts: Facts, *, created: int) -> str:
        """Give a new object its id and date, written into ``facts``; ``save`` makes it last."""
        seq = self._next_seq[kind]
        self._next_seq[kind] = seq + 1
        facts["id"] = f"{schema.COLLECTIONS[kind].prefix}_{_base36(seq)}{secrets.token_hex(8)}"
        facts["created"] = created
        return str(facts["id"])

    def get(self, kind: str, object_id: str) -> Facts | None:
        """The object's facts, or None."""
        statement = schema.COLLECTIONS[kind].select
        row = self.db.execute(statement, (_row_number(object_id),)).fetchone()
        if row is None or row[0] != object_id:
            return None
        facts: Facts = json.loads(row[1])
        return facts

    def save(self, kind: str, facts: Facts) -> None:
        """Write a named object, new or changed; filter columns keep their first values."""
        collection = schema.COLLECTIONS[kind]
        object_id = facts["id"]
        values = [facts.get(name) for name in collection.filters]
        self.db.execute(
            collection.upsert, (_row_number(object_id), object_id, facts["created"], *values, encode(facts))
        )

    def first_since(self, kind: str, created: int) -> int:
        """The first row number dated at or after ``created``: rows are appended by date."""
        statement = schema.COLLECTIONS[kind].date
        low, high = 1, self._next_seq[kind]
        while low < high:
            middle = (low + high) // 2
            found = self._value(statement, (middle,))
            if found is None or found >= created:
                high = middle
            else:
                low = middle + 1
        return low

    def page(
        self,
        kind: str,
        *,
        filters: dict[str, list[str]],
        above: int,
        below: int,
        limit: int,
        oldest_first: bool = False,
    ) -> list[Facts]:
        """Objects with row numbers between the bounds (both excluded), newest first by default."""
        # One walk along an index for each wanted value, merged: a filter on several values costs
        # a few reads, however rare the values are.
        statement = schema.COLLECTIONS[kind].page(tuple(filters), oldest_first=oldest_first)
        rows: list[tuple[int, str]] = []
        for chosen in itertools.product(*filters.values()):
            rows += self.db.execute(statement, (above, below, *chosen, limit))
        rows.sort(reverse=not oldest_first)
        return [json.loads(facts) for _, facts in rows[:limit]]

    def row_number(self, kind: str, object_id: str) -> int | None:
        """The row number of an existing object, as a cursor for ``page``."""
        return _row_number(object_id) if self.get(kind, object_id) is not None else None

    def meta(self, name: str) -> str | None:
        """A named value of the stand-in itself."""
        value: str | None = self._value("SELECT value FROM meta WHERE name = ?", (name,))
        return value

    def set_meta(self, name: str, value: str) -> None:
        """Write a named value."""
        self.db.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (name, value))
