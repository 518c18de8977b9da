"""The payment side's own record, read in pages: money facts, keyed requests, the balance.

With the stand-in this is its journal. Real Stripe keeps none that could be read so; then the audit compares the ledger
with escrow's mirror of Stripe's lists and says so.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Protocol, Self

import httpx

PAGE_LINES = 1_000
TIMEOUT_SECONDS = 60.0

Line = dict[str, Any]


class JournalUnreadableError(RuntimeError):
    """The payment side does not answer as expected."""


class Journal(Protocol):
    """What the checks need of the payment side."""

    def facts(self) -> AsyncIterator[list[Line]]:
        """Money facts in pages: `seq`, `kind`, `at`, `object`."""

    def requests(self) -> AsyncIterator[list[Line]]:
        """Keyed requests in pages: method, path, key, status, replayed."""

    async def balance(self) -> Mapping[str, int]:
        """Available and pending money together, minor units by currency."""


class StandinJournal:
    """The stand-in's journal over HTTP. Use as an async context manager."""

    def __init__(self, url: str, key: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=TIMEOUT_SECONDS
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    def facts(self) -> AsyncIterator[list[Line]]:
        """Money facts in pages."""
        return self._pages("/_standin/journal")

    def requests(self) -> AsyncIterator[list[Line]]:
        """Keyed requests in pages."""
        return self._pages("/_standin/requests")

    async def balance(self) -> Mapping[str, int]:
        """Available and pending money together, minor units by currency."""
        body = (await self._get("/v1/balance")).json()
        sums: dict[str, int] = {}
        for part in [*body["available"], *body["pending"]]:
            sums[part["currency"]] = sums.get(part["currency"], 0) + int(part["amount"])
        return sums

    async def _pages(self, path: str) -> AsyncIterator[list[Line]]:
        after = 0
        while True:
            answer = await self._get(path, after=after, limit=PAGE_LINES)
            page = [json.loads(line) for line in answer.text.splitlines() if line]
            if not page:
                return
            after = page[-1]["seq"]
            yield page

    async def _get(self, path: str, **query: int) -> httpx.Response:
        try:
            answer = await self._http.get(path, params=query)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise JournalUnreadableError(f"the payment side does not answer {path}: {type(error).__name__}") from error
        return answer
