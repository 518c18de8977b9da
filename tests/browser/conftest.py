"""A running stack with its built site, and a browser on it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.local.addresses import StackAddresses
from deploy.local.node import ensure_built, ensure_packages
from tests.browser.site import Site
from tests.fixtures.stack import stack_for_tests
from tests.fixtures.world import World


@pytest.fixture(scope="session")
def stack() -> StackAddresses:
    """The addresses of a running stack that serves the site as its sources are now."""
    ensure_packages()
    ensure_built()
    return stack_for_tests()


@pytest.fixture(scope="session")
def site(stack: StackAddresses) -> Site:
    """The stack's site in a browser."""
    return Site(stack.gateway_url, card_origin=stack.stripe_url)


@pytest_asyncio.fixture
async def world(stack: StackAddresses) -> AsyncIterator[World]:
    """People at work on the running stack, beside those in the browser."""
    async with World(stack) as made:
        yield made
