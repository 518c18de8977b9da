"""A running stack for the journeys: the one that runs already, or one started for this run."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.local.addresses import StackAddresses
from tests.fixtures.stack import stack_for_tests
from tests.fixtures.world import World


@pytest.fixture(scope="session")
def stack() -> StackAddresses:
    """The addresses of a running stack."""
    return stack_for_tests()


@pytest_asyncio.fixture
async def world(stack: StackAddresses) -> AsyncIterator[World]:
    """People at work on the running stack."""
    async with World(stack) as made:
        yield made
