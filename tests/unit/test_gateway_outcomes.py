"""What became of an act, decided from rows: final only when shown, and the cause before its consequence."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from contracts.errors import PROBLEMS, Rejected
from services.gateway.domain import outcome as decide
from services.gateway.domain.operation import KINDS, Operation, command_id, operation_id, resource_id
from services.gateway.domain.policy import POLICY, may
from services.gateway.domain.roles import PARTICIPANT, SIGNED_IN, STAFF, SUPPLIER
from services.gateway.store.cursors import cursor_after, page
from services.gateway.usecases.accept_act import check_key, request_hash
from services.gateway.usecases.coalesce import GATHER_ITEMS_MIN, GATHER_SECONDS, Coalescer, QueueFullError
from services.kit.clock import monotonic_seconds

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def operation(kind: str = "commit_funds", *, attempt: int = 1, baseline: int = 0) -> Operation:
    return Operation(uuid4(), uuid4(), kind, uuid4(), uuid4(), attempt, baseline, NOW)


def row(state: str = "PENDING_FUNDS", **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "state": state,
        "withdrawn_was": None,
        "fail_reason": None,
        "refusal_code": None,
        "refusal_facts": None,
        "payment_state": None,
        "attempt": None,
        "decline_code": None,
        "retry_until": None,
    }
    return values | changes


def refusal(code: str | None) -> dict[str, Any]:
    return {"code": code, "facts": {"figure": 1}}


@pytest.mark.parametrize(
    ("commitment", "state", "code"),
    [
        (row("PENDING_FUNDS"), "running", None),
        (row("PENDING_FUNDS", payment_state="started", attempt=1), "running", None),
        (row("PENDING_FUNDS", payment_state="declined", attempt=1), "refused", "payment_declined"),
        (row("LOCKED"), "done", None),
        (row("REFUNDED"), "done", None),
        (row("RELEASED"), "done", None),
        (row("WITHDRAWN", withdrawn_was="LOCKED"), "done", None),
        (row("WITHDRAWN", withdrawn_was="PENDING_FUNDS"), "refused", "payment_canceled"),
        (row("FUNDS_FAILED", fail_reason="expired"), "refused", "payment_expired"),
        (row("FUNDS_FAILED", fail_reason="canceled"), "refused", "payment_canceled"),
        (row("FUNDS_FAILED", fail_reason="refused"), "refused", "collections_frozen"),
        (row("FUNDS_FAILED", fail_reason="collections_paused"), "refused", "collections_paused"),
        (row("REFUSED", refusal_code="over_capacity"), "refused", "over_capacity"),
        (None, "running", None),
    ],
)
def test_the_outcome_of_a_join_follows_the_commitment(
    commitment: dict[str, Any] | None, state: str, code: str | None
) -> None:
    found = decide.of_payment(operation(), commitment, [], None)
    assert (found.state, found.code) == (state, code)
    assert code is None or code in PROBLEMS


def test_a_second_card_is_not_judged_by_the_first_ones_decline() -> None:
    declined = row("PENDING_FUNDS", payment_state="declined", attempt=1)
    second = operation("pay_commitment", attempt=2)
    assert decide.of_payment(second, declined, [], None).state == "running"
    declined_again = row("PENDING_FUNDS", payment_state="declined", attempt=2)
    assert decide.of_payment(second, declined_again, [], None).code == "payment_declined"


def test_a_bank_that_asks_is_an_action_only_once_its_address_is_known() -> None:
    asked = row("PENDING_FUNDS", payment_state="action_required")
    assert decide.of_payment(operation(), asked, [], None).state == "running"
    found = decide.of_payment(operation(), asked, [], "https://bank.example")
    assert (found.state, found.redirect_url) == ("action_required", "https://bank.example")
    assert "bank.example" not in repr(found)


def test_before_a_reservation_the_consequence_at_escrow_is_not_the_answer() -> None:
    assert decide.of_payment(operation(), None, [refusal("payment_not_expected")], None).state == "running"
    both = [refusal("payment_not_expected"), refusal("campaign_not_open")]
    assert decide.of_payment(operation(), None, both, None).code == "campaign_not_open"


def test_a_transfer_tried_again_ends_when_it_is_released_or_refused_once_more() -> None:
    retried = operation("retry_plan_transfer", baseline=1)
    refused_once = {"state": "SENDING", "refused_transfers": 1, "refused_code": "account_restricted"}
    assert decide.of_transfer_retry(retried, refused_once, []).state == "running"
    refused_twice = refused_once | {"refused_transfers": 2}
    assert decide.of_transfer_retry(retried, refused_twice, []).code == "plan_state_conflict"
    assert decide.of_transfer_retry(retried, {"state": "RELEASED", "refused_transfers": 1}, []).state == "done"
    assert decide.of_transfer_retry(retried, None, [refusal("plan_unknown")]).code == "plan_unknown"


def test_an_act_ends_with_the_event_or_the_refusal_of_its_command() -> None:
    assert decide.from_commands([]).state == "running"
    assert decide.from_commands([refusal(None)]).state == "done"
    assert decide.from_commands([refusal("campaign_state_conflict")]).code == "campaign_state_conflict"
    assert decide.of_row({"id": 1}, []).state == "done"
    assert decide.of_row(None, [refusal("not_allowed")]).code == "not_allowed"


def test_ids_are_functions_of_actor_and_key() -> None:
    actor, other = uuid4(), uuid4()
    assert operation_id(actor, "key-1234") == operation_id(actor, "key-1234")
    assert operation_id(actor, "key-1234") != operation_id(other, "key-1234")
    one = operation_id(actor, "key-1234")
    assert len({one, resource_id(one), command_id(one, 0), command_id(one, 1)}) == 4


def test_a_request_is_the_same_whatever_its_spacing_and_another_when_a_value_differs() -> None:
    first = request_hash("POST", "/v1/x", {"a": 1, "b": 2})
    assert first == request_hash("POST", "/v1/x", {"b": 2, "a": 1})
    assert first != request_hash("POST", "/v1/x", {"a": 1, "b": 3})
    assert first != request_hash("POST", "/v1/y", {"a": 1, "b": 2})


@pytest.mark.parametrize("key", ["short", "k" * 256, "with space", "umlaut-ä-key", "tab\tkey-1234"])
def test_a_key_that_cannot_be_used_is_refused(key: str) -> None:
    with pytest.raises(Rejected) as refused:
        check_key(key)
    assert refused.value.code == "idempotency_key_invalid"


def test_every_act_with_a_key_has_roles_and_no_act_is_for_everybody() -> None:
    assert KINDS.keys() <= POLICY.keys()
    for act in KINDS:
        assert POLICY[act].roles < SIGNED_IN
        assert not may("support_readonly", act)
        assert not may("founder", act)


def test_people_and_suppliers_do_not_reach_the_staffs_acts() -> None:
    for act in KINDS:
        if POLICY[act].roles & STAFF:
            assert not may(PARTICIPANT, act)
            assert not may(SUPPLIER, act)


def test_a_cursor_names_a_row_and_nonsense_is_refused() -> None:
    identity = uuid4()
    read = page(cursor_after(NOW, identity), 10)
    assert (read.after_at, read.after_id) == (NOW, identity)
    for nonsense in ("", "x", "AAAA", "bm90aGluZw=="):
        with pytest.raises(Rejected):
            page(nonsense, 10)


async def test_items_that_arrive_together_are_handled_together_and_answered_apart() -> None:
    batches: list[list[int]] = []

    async def handle(items: Any) -> list[int | Exception]:
        batches.append(list(items))
        await asyncio.sleep(0.01)
        return [Rejected("not_found") if item == 3 else item * 10 for item in items]

    coalescer: Coalescer[int, int] = Coalescer(handle, batch_max=100, queue_max=100)
    answers = await asyncio.gather(*[coalescer.submit(item) for item in range(6)], return_exceptions=True)
    assert isinstance(answers[3], Rejected)
    assert [answer for answer in answers if isinstance(answer, int)] == [0, 10, 20, 40, 50]
    assert len(batches) < 6


async def test_after_a_batch_of_several_the_next_waits_for_as_many_and_not_for_longer() -> None:
    batches: list[int] = []

    async def handle(items: Any) -> list[int | Exception]:
        batches.append(len(items))
        return list(items)

    async def ask_again_and_again(coalescer: Coalescer[int, int], times: int) -> None:
        for number in range(times):
            await coalescer.submit(number)
            await asyncio.sleep(0)

    coalescer: Coalescer[int, int] = Coalescer(handle, batch_max=100, queue_max=100)
    began = monotonic_seconds()
    await asyncio.gather(*[ask_again_and_again(coalescer, 50) for _ in range(GATHER_ITEMS_MIN)])
    assert set(batches) == {GATHER_ITEMS_MIN}
    assert monotonic_seconds() - began < 25 * GATHER_SECONDS


async def test_one_item_that_breaks_a_batch_does_not_fail_the_others() -> None:
    async def handle(items: Any) -> list[int | Exception]:
        if 2 in items:
            raise ValueError("this one breaks")
        return list(items)

    coalescer: Coalescer[int, int] = Coalescer(handle, batch_max=100, queue_max=100)
    answers = await asyncio.gather(*[coalescer.submit(item) for item in range(4)], return_exceptions=True)
    assert isinstance(answers[2], ValueError)
    assert [answer for answer in answers if isinstance(answer, int)] == [0, 1, 3]


async def test_past_its_bound_the_queue_refuses_and_does_nothing() -> None:
    handled: list[int] = []
    gate = asyncio.Event()

    async def handle(items: Any) -> list[int | Exception]:
        await gate.wait()
        handled.extend(items)
        return list(items)

    coalescer: Coalescer[int, int] = Coalescer(handle, batch_max=1, queue_max=2)
    waiting = [asyncio.create_task(coalescer.submit(item)) for item in range(2)]
    await asyncio.sleep(0.01)
    waiting.append(asyncio.create_task(coalescer.submit(2)))
    await asyncio.sleep(0.01)
    with pytest.raises(QueueFullError):
        await coalescer.submit(99)
    gate.set()
    await asyncio.gather(*waiting)
    assert sorted(handled) == [0, 1, 2]
