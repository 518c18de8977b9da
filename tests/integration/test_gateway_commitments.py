"""Joining a campaign over HTTP: the outcome comes from the read model, a key names one act, refusals take no money."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
import pytest_asyncio

from contracts.campaigns import (
    CommitFunds,
    CommitmentFundsFailed,
    CommitmentRefused,
    CommitmentWithdrawn,
    WithdrawCommitment,
)
from contracts.escrow import (
    FloatGauged,
    PaymentActionAddress,
    PaymentActionRequired,
    PaymentDeclined,
    PaymentStarted,
    RefundDecided,
    RefundSent,
    UsePaymentMethod,
)
from contracts.housekeeping import CampaignsCommandRefused, EscrowCommandRefused
from services.gateway.usecases import joining_pause
from tests.integration.gateway_joining import Joining, both_commands
from tests.integration.gateway_support import STARTED, Stage, make_stage

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage() as made:
        yield made


@pytest_asyncio.fixture
async def joining(stage: Stage) -> Joining:
    client, participant_id = await stage.participant()
    made = await Joining(stage, client, participant_id).open()
    # What was written while people and campaign were made is none of a test's own commands.
    await stage.commands()
    return made


async def test_a_join_answers_201_when_the_read_model_shows_the_funds_held(joining: Joining, stage: Stage) -> None:
    sending = joining.send()
    commit, pay = await both_commands(stage)
    commitment_id = commit.message.commitment_id
    assert pay.message.commitment_id == commitment_id
    assert pay.message.confirmation_token == "ctoken_ok"
    assert pay.message.return_url == f"{stage.url}/commitments/{commitment_id}"
    assert commit.headers["actor_id"] == str(joining.participant_id)
    assert commit.headers["assertion"].count(".") == 2

    await joining.reserved(commitment_id, cause=commit.id)
    await asyncio.sleep(0.3)
    assert not sending.done(), "reserved is not held"
    await joining.held(commitment_id)

    answer = await sending
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/commitments/{commitment_id}"
    assert answer.headers["preference-applied"] == "wait=15"
    body = answer.json()
    assert (body["state"], body["state_words"], body["reference"]) == ("LOCKED", "Funds held in escrow", "R-7K2M")
    assert body["amount"] == {"amount": 109_800, "currency": "USD"}
    assert body["money_now"].startswith("$1,098.00 is held in escrow.")
    assert body["acts"] == {"pay": False, "withdraw": True, "report_issue": False}
    page = (await joining.client.get(f"/v1/campaigns/{joining.campaign_id}")).json()
    assert page["progress"]["held_units"] == 2


async def test_past_the_wait_the_answer_is_202_with_an_operation_that_ends_as_done(
    joining: Joining, stage: Stage
) -> None:
    answer = await joining.send(wait=0)
    assert answer.status_code == 202
    operation = answer.json()
    assert operation["state"] == "running"
    assert answer.headers["location"] == f"/v1/operations/{operation['id']}"

    sent = await stage.command(CommitFunds)
    assert operation["resource"]["id"] == str(sent.message.commitment_id)
    await joining.reserved(sent.message.commitment_id, cause=sent.id)
    await joining.held(sent.message.commitment_id)
    waited = await joining.client.get(answer.headers["location"], headers={"Prefer": "wait=15"})
    assert waited.json()["state"] == "done"
    assert waited.headers["preference-applied"] == "wait=15"
    listed = await joining.client.get("/v1/operations", params={"ids": f"{operation['id']},{uuid4()}"})
    assert [each["state"] for each in listed.json()["data"]] == ["done"]


async def test_a_repeat_with_the_same_key_is_the_same_act_and_answers_the_present(
    joining: Joining, stage: Stage
) -> None:
    key = uuid4().hex
    first = await joining.send(key, wait=0)
    sent = await stage.command(CommitFunds)
    again = await joining.send(key, wait=0)
    assert again.status_code == 202
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers

    await joining.reserved(sent.message.commitment_id, cause=sent.id)
    await joining.held(sent.message.commitment_id)
    third = await joining.send(key)
    assert third.status_code == 201
    assert third.json()["id"] == str(sent.message.commitment_id)
    assert [each.message for each in await stage.commands()] == []


async def test_a_key_used_for_another_request_is_refused_and_writes_nothing(joining: Joining, stage: Stage) -> None:
    key = uuid4().hex
    await joining.send(key, wait=0)
    await stage.command(CommitFunds)
    answer = await joining.send(key, wait=0, quantity=3)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    elsewhere = await joining.client.post(
        f"/v1/commitments/{uuid4()}/withdrawal", json={}, headers={"Idempotency-Key": key}
    )
    assert elsewhere.status_code == 404
    assert await stage.commands() == []


async def test_many_requests_at_once_with_one_key_are_one_act(joining: Joining, stage: Stage) -> None:
    key = uuid4().hex
    answers = await asyncio.gather(*[joining.send(key, wait=0) for _ in range(25)])
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    written = [each for each in await stage.commands() if isinstance(each.message, CommitFunds)]
    assert len(written) == 1


async def test_two_people_may_use_the_same_key(joining: Joining, stage: Stage) -> None:
    other_client, other_id = await stage.participant()
    other = Joining(stage, other_client, other_id)
    other.campaign_id, other.terms_hash = joining.campaign_id, joining.terms_hash
    key = uuid4().hex
    first, second = await asyncio.gather(joining.send(key, wait=0), other.send(key, wait=0))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["resource"]["id"] != second.json()["resource"]["id"]
    await stage.commands()


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "idempotency_key_missing"),
        ("short", "idempotency_key_invalid"),
        ("with a space", "idempotency_key_invalid"),
    ],
)
async def test_a_join_without_a_usable_key_is_refused(
    joining: Joining, stage: Stage, key: str | None, code: str
) -> None:
    answer = await joining.client.post(
        f"/v1/campaigns/{joining.campaign_id}/commitments",
        json={"quantity": 1, "terms_hash": joining.terms_hash, "confirmation_token": "ctoken_ok"},
        headers={"Idempotency-Key": key} if key else {},
    )
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert await stage.commands() == []


async def test_a_refused_join_answers_with_the_rules_code_and_takes_no_money(joining: Joining, stage: Stage) -> None:
    sending = joining.send()
    sent = await stage.command(CommitFunds)
    await stage.tell(
        CommitmentRefused(
            **joining.names(sent.message.commitment_id), quantity=2, code="over_capacity", facts={"units_left": 1}
        ),
        cause=sent.id,
    )
    answer = await sending
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["facts"]) == (409, "over_capacity", {"units_left": 1})
    assert problem["detail"]
    assert (await joining.client.get("/v1/commitments")).json()["data"] == []
    own = await joining.client.get(f"/v1/commitments/{sent.message.commitment_id}")
    assert own.json()["money_now"] == "No money was taken: the join was not accepted."


async def test_the_cause_of_a_refusal_is_told_and_not_its_consequence_at_escrow(joining: Joining, stage: Stage) -> None:
    sending = joining.send()
    commit, pay = await both_commands(stage)
    await stage.tell(
        EscrowCommandRefused(
            scope_id=str(joining.campaign_id), command_id=pay.id, command_type=UsePaymentMethod.type,
            code="payment_not_expected",
        ),
        cause=pay.id,
    )  # fmt: skip
    await asyncio.sleep(0.5)
    assert not sending.done()
    await stage.tell(
        CampaignsCommandRefused(
            scope_id=str(joining.campaign_id), command_id=commit.id, command_type=CommitFunds.type,
            code="terms_hash_stale",
        ),
        cause=commit.id,
    )  # fmt: skip
    answer = await sending
    assert (answer.status_code, answer.json()["code"]) == (409, "terms_hash_stale")


async def test_a_declined_card_answers_402_and_another_card_pays(joining: Joining, stage: Stage) -> None:
    key = uuid4().hex
    sending = joining.send(key)
    sent = await stage.command(CommitFunds)
    commitment_id = sent.message.commitment_id
    await joining.reserved(commitment_id, cause=sent.id)
    intent_id = uuid4()
    await stage.tell(PaymentStarted(**joining.names(commitment_id), intent_id=intent_id, attempt=1))
    await stage.tell(
        PaymentDeclined(
            **joining.names(commitment_id), intent_id=intent_id, decline_code="insufficient_funds",
            retry_until=STARTED + timedelta(minutes=15),
        )
    )  # fmt: skip
    answer = await sending
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (402, "payment_declined")
    assert problem["facts"]["decline_code"] == "insufficient_funds"
    assert problem["resource"]["href"] == f"/v1/commitments/{commitment_id}"

    retry_key = uuid4().hex
    path = f"/v1/commitments/{commitment_id}/payment"
    retrying = asyncio.create_task(
        joining.client.post(path, json={"confirmation_token": "ctoken_other"}, headers={"Idempotency-Key": retry_key})
    )
    pay = await stage.command(UsePaymentMethod)
    assert (pay.message.attempt, pay.message.confirmation_token) == (2, "ctoken_other")
    await asyncio.sleep(0.3)
    assert not retrying.done(), "the first card's decline is not the second card's outcome"
    await stage.tell(PaymentStarted(**joining.names(commitment_id), intent_id=uuid4(), attempt=2))
    await joining.held(commitment_id)
    paid = await retrying
    assert (paid.status_code, paid.json()["state"]) == (200, "LOCKED")
    assert (await joining.send(key)).status_code == 201, "the first key now answers the present"


async def test_a_bank_that_asks_is_answered_with_an_address_and_then_with_the_outcome(
    joining: Joining, stage: Stage
) -> None:
    key = uuid4().hex
    sending = joining.send(key)
    sent = await stage.command(CommitFunds)
    commitment_id = sent.message.commitment_id
    await joining.reserved(commitment_id, cause=sent.id)
    address = "https://bank.example/confirm?secret=abc"
    await stage.reply(PaymentActionAddress(**joining.names(commitment_id), redirect_url=address))
    await stage.tell(PaymentActionRequired(**joining.names(commitment_id), intent_id=uuid4(), payment_intent_id="pi_2"))
    answer = await sending
    assert answer.status_code == 202
    assert (answer.json()["state"], answer.json()["next_action"]) == (
        "action_required", {"type": "redirect", "url": address},
    )  # fmt: skip
    own = (await joining.client.get(f"/v1/commitments/{commitment_id}")).json()
    assert own["next_action"] == {"type": "redirect", "url": address}
    staff = await stage.sign_in("olga@alpmera.test")
    assert (await staff.get(f"/v1/commitments/{commitment_id}")).json()["next_action"] is None
    stored = await stage.rows("SELECT count(*) AS count FROM outbox WHERE payload LIKE '%bank.example%'")
    assert stored[0].count == 0

    await joining.held(commitment_id)
    after = await stage.seen(joining.client, f"/v1/commitments/{commitment_id}", state="LOCKED")
    assert after["next_action"] is None
    assert (await joining.send(key)).status_code == 201


async def test_a_reservation_that_ends_without_funds_is_told_as_such(joining: Joining, stage: Stage) -> None:
    sending = joining.send()
    sent = await stage.command(CommitFunds)
    names = joining.names(sent.message.commitment_id)
    await joining.reserved(sent.message.commitment_id, cause=sent.id)
    await stage.tell(CommitmentFundsFailed(**names, quantity=2, reason="expired", reserved_units=0))
    answer = await sending
    assert (answer.status_code, answer.json()["code"]) == (409, "payment_expired")


async def test_a_withdrawal_answers_with_where_the_money_is(joining: Joining, stage: Stage) -> None:
    commitment_id = await joining.locked()
    path = f"/v1/commitments/{commitment_id}"
    leaving = asyncio.create_task(
        joining.client.post(f"{path}/withdrawal", json={}, headers={"Idempotency-Key": uuid4().hex})
    )
    sent = await stage.command(WithdrawCommitment)
    await stage.tell(
        CommitmentWithdrawn(
            **joining.names(commitment_id), was="LOCKED", quantity=2, amount_minor=109_800, held_units=0,
            reserved_units=0, held_commitments=0,
        ),
        cause=sent.id,
    )  # fmt: skip
    answer = await leaving
    assert (answer.status_code, answer.json()["state"]) == (200, "WITHDRAWN")

    decision = {"decision_id": uuid4(), "reason": "withdrawn", "amount_minor": 109_800, "currency": "usd"}
    await stage.tell(RefundDecided(**joining.names(commitment_id), **decision), time=STARTED)
    owed = await stage.seen(joining.client, path, state_words="Withdrawn: refund on its way")
    assert owed["money_now"].startswith("$1,098.00 is on its way back to your card since 21 November 2026")
    await stage.tell(RefundSent(**joining.names(commitment_id), **decision, refund_id="re_1"), time=STARTED)
    paid = await stage.seen(joining.client, path, state_words="Withdrawn and refunded")
    assert paid["refund"]["state"] == "sent"
    assert "was refunded to your card on 21 November 2026" in paid["money_now"]


async def test_a_refused_withdrawal_answers_with_its_code(joining: Joining, stage: Stage) -> None:
    commitment_id = await joining.locked()
    path = f"/v1/commitments/{commitment_id}/withdrawal"
    leaving = asyncio.create_task(joining.client.post(path, headers={"Idempotency-Key": uuid4().hex}))
    sent = await stage.command(WithdrawCommitment)
    await stage.tell(
        CampaignsCommandRefused(
            scope_id=str(joining.campaign_id), command_id=sent.id, command_type=WithdrawCommitment.type,
            code="withdrawal_closed", subject_id=str(commitment_id),
        ),
        cause=sent.id,
    )  # fmt: skip
    answer = await leaving
    assert (answer.status_code, answer.json()["code"]) == (409, "withdrawal_closed")


async def test_the_page_of_own_commitments_goes_on_where_it_ended(joining: Joining, stage: Stage) -> None:
    made = [str(await joining.locked()) for _ in range(3)]
    first = (await joining.client.get("/v1/commitments", params={"limit": 2})).json()
    assert len(first["data"]) == 2
    rest = (await joining.client.get("/v1/commitments", params={"cursor": first["next_cursor"]})).json()
    assert {each["id"] for each in first["data"] + rest["data"]} == set(made)
    assert rest["next_cursor"] is None
    bad = await joining.client.get("/v1/commitments", params={"cursor": "nonsense"})
    assert (bad.status_code, bad.json()["code"]) == (400, "malformed_request")


async def test_a_return_address_elsewhere_is_refused(joining: Joining, stage: Stage) -> None:
    answer = await joining.send(wait=0, return_url="https://elsewhere.example/steal")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/return_url"
    assert await stage.commands() == []


async def test_while_the_clock_is_moved_nothing_is_written(joining: Joining, stage: Stage) -> None:
    await stage.execute("UPDATE stack_clock SET paused = true")
    try:
        answer = await joining.send()
    finally:
        await stage.execute("UPDATE stack_clock SET paused = false")
    assert (answer.status_code, answer.json()["code"]) == (503, "clock_moving")
    assert answer.headers["retry-after"] == "1"
    assert await stage.commands() == []
    assert (await joining.send(wait=0)).status_code == 202
    await stage.commands()


def gauge(room_minor: int) -> FloatGauged:
    """The float as escrow measured it, with so much room."""
    return FloatGauged(
        currency="usd", available_minor=room_minor + 6_000, worst_case_fees_minor=5_000, buffer_minor=1_000,
        room_minor=room_minor, next_fee_minor=1_622, admits=room_minor >= 1_622,
    )  # fmt: skip


async def test_while_the_float_has_no_room_a_join_is_refused_before_the_card_is_asked(
    joining: Joining, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining_pause, "KEPT_SECONDS", 0.0)
    accepted = uuid4().hex
    assert (await joining.send(accepted, wait=0)).status_code == 202
    await stage.commands()
    page = f"/v1/campaigns/{joining.campaign_id}"
    await stage.tell(gauge(1_621))
    assert (await stage.seen(joining.client, page, joining_paused=True))["joining"] is True
    refused = await joining.send()
    assert (refused.status_code, refused.json()["code"]) == (409, "collections_paused")
    assert [each for each in await stage.commands() if each.topic.endswith(".commands")] == []
    again = await joining.send(accepted, wait=0)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (202, "true")
    (told,) = (await (await stage.sign_in("ana@alpmera.test")).get("/v1/staff/money")).json()["gauges"]
    figures = [told[name]["amount"] for name in ("available", "worst_case_fees", "buffer", "room", "next_fee")]
    assert (figures, told["admits"]) == ([7_621, 5_000, 1_000, 1_621, 1_622], False)
    await stage.tell(gauge(1_622))
    await stage.seen(joining.client, page, joining_paused=False)
    assert (await joining.send(wait=0)).status_code == 202
