"""Shared fixtures of the integration tests: the real parts, and a factory of harnesses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from services.kit.service import Service
from tests.fixtures.harness import Harness, make_harness
from tests.fixtures.infra import PARTS, Parts


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
