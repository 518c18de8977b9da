"""Shared fixtures of the integration tests: the real parts, and a factory of harnesses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from services.kit.service import Service
from tests.fixtures.harness import Harness, make_harness
from tests.fixtures.infra import PARTS, Parts

LONG = (
    "test_gateway_exploring",
    "test_local_stack",
    "test_audit_breaks",
    "test_gateway_policy",
    "test_gateway_headers",
    "test_gateway_safety",
    "test_escrow_disputes",
    "test_gateway_first_founder",
)
"""The files that take longest, the longest first. A file stays with one worker, so one of them that began last would keep
a single worker busy while the others have nothing left."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files begin; all others follow as they are."""
    places = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


@pytest.fixture(scope="session")
def parts() -> Parts:
    """The real database server and broker."""
    return PARTS


@pytest_asyncio.fixture
async def harness() -> AsyncIterator[Callable[[Service], Awaitable[Harness]]]:
    """A factory of harnesses, all closed after the test."""
    made: list[Harness] = []

    async def make(service: Service) -> Harness:
        made.append(await make_harness(service))
        return made[-1]

    yield make
    for each in made:
        await each.close()
