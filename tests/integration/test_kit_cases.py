"""Cases and the freeze: a scope is free again when the last blocking case is closed, not when the first one is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest_asyncio

from contracts.envelope import Envelope
from services.kit.transaction import work_on
from services.kit.work import Work
from tests.fixtures.harness import SYSTEM, Harness
from tests.fixtures.kit_service import KIT_SERVICE, kit_database


@pytest_asyncio.fixture
async def kit() -> AsyncIterator[Harness]:
    harness = Harness(KIT_SERVICE, await kit_database())
    yield harness
    await harness.close()


def in_hand(work: Work, scope: str) -> Work:
    return work.for_cause(Envelope(id=uuid4(), type="test", source="test", time=work.now, key=scope, actor=SYSTEM))


async def opened(kit: Harness, scope: str, *kinds: str) -> None:
    """Blocking cases about the scope, committed."""
    async with work_on(kit.engine, KIT_SERVICE, [scope]) as work:
        in_hand(work, scope)
        for kind in kinds:
            work.open_case(kind, scope=scope, subject=scope, blocking=True)


async def closed(kit: Harness, scope: str, *kinds: str, before: Callable[[Work], None] | None = None) -> list[bool]:
    """Close these cases in one transaction; after each, whether the scope is frozen there."""
    frozen = []
    async with work_on(kit.engine, KIT_SERVICE, [scope]) as work:
        in_hand(work, scope)
        if before is not None:
            before(work)
        for kind in kinds:
            assert await work.close_case(kind, subject=scope, resolution="mended")
            frozen.append(work.is_frozen(scope))
    return frozen


async def frozen_now(kit: Harness, scope: str) -> bool:
    async with work_on(kit.engine, KIT_SERVICE, [scope]) as work:
        return work.is_frozen(scope)


async def test_a_scope_stays_frozen_until_its_last_blocking_case_is_closed(kit: Harness) -> None:
    scope = str(uuid4())
    await opened(kit, scope, "first", "second")
    assert await closed(kit, scope, "first") == [True]
    assert await frozen_now(kit, scope)
    assert await closed(kit, scope, "second") == [False]
    assert not await frozen_now(kit, scope)


async def test_closing_both_cases_in_one_transaction_frees_the_scope_with_the_second(kit: Harness) -> None:
    scope = str(uuid4())
    await opened(kit, scope, "first", "second")
    assert await closed(kit, scope, "first", "second") == [True, False]


async def test_a_blocking_case_opened_in_the_same_transaction_holds_the_scope(kit: Harness) -> None:
    scope = str(uuid4())
    await opened(kit, scope, "first")
    frozen = await closed(
        kit, scope, "first", before=lambda work: work.open_case("new", scope=scope, subject=scope, blocking=True)
    )
    assert frozen == [True]
    assert await frozen_now(kit, scope)
    assert [case.kind for case in await kit.cases()] == ["new"]


async def test_a_case_opened_and_closed_in_one_transaction_leaves_no_freeze(kit: Harness) -> None:
    scope = str(uuid4())
    frozen = await closed(
        kit, scope, "brief", before=lambda work: work.open_case("brief", scope=scope, subject=scope, blocking=True)
    )
    assert frozen == [False]
    assert await kit.cases() == []


async def test_a_case_that_is_found_again_and_closed_in_one_transaction_is_closed(kit: Harness) -> None:
    scope = str(uuid4())
    await opened(kit, scope, "first")
    frozen = await closed(
        kit, scope, "first", before=lambda work: work.open_case("first", scope=scope, subject=scope, blocking=True)
    )
    assert frozen == [False]
    assert await kit.cases() == []
    assert not await frozen_now(kit, scope)
