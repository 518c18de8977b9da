"""Collecting: reservation and token in any sequence, answers, declines, deadlines, withdrawals, late money."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from contracts.campaigns import CommitmentRefused
from contracts.escrow import (
    FundsHeld,
    LateFundsReceived,
    PaymentActionAddress,
    PaymentDeclined,
    PaymentStarted,
    RefundDecided,
    RefundSent,
    ReservationEnded,
)
from contracts.housekeeping import CampaignsCaseOpened, EscrowCommandRefused
from services.kit.service import Answer
from tests.integration.escrow_support import Stage, kinds, of, staged_beside
from tests.integration.standin_support import Standin, running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def standin(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Standin]:
    async with running(tmp_path_factory.mktemp("collecting")) as made:
        yield made


@pytest_asyncio.fixture
async def stage(harness: Any, standin: Standin) -> AsyncIterator[Stage]:
    async with staged_beside(harness, standin) as made:
        yield made


async def test_a_succeeding_payment_is_held_in_escrow(stage: Stage) -> None:
    join = stage.join(2)
    assert kinds(await stage.start(join)) == ["PaymentStarted"]
    published = await stage.harness.execute()
    (held,) = of(published, FundsHeld)
    assert (held.commitment_id, held.amount_minor) == (join.commitment_id, 10_000)
    assert await stage.balance(f"escrow:{join.commitment_id}") == 10_000
    assert await stage.balance("psp_clearing") == -10_000


async def test_the_token_may_come_before_the_reservation(stage: Stage) -> None:
    join = stage.join()
    assert kinds(await stage.harness.deliver(await stage.method(join), actor=join.person)) == []
    assert kinds(await stage.harness.deliver(await stage.reserved(join))) == ["PaymentStarted"]
    assert of(await stage.harness.execute(), FundsHeld)
    assert await stage.harness.rows("SELECT * FROM waiting_method") == []


async def test_reservation_and_token_in_one_batch_start_one_payment(stage: Stage) -> None:
    join = stage.join()
    harness = stage.harness
    batch = [
        harness.wrap(await stage.method(join), actor=join.person),
        harness.wrap(await stage.reserved(join)),
    ]
    published = await harness.deliver_received(batch)
    assert len(of(published, PaymentStarted)) == 1
    assert await harness.deliver_received(batch) == []
    assert len(await harness.intents("payment")) == 1


async def test_a_waiting_token_is_deleted_when_the_join_is_refused(stage: Stage) -> None:
    join = stage.join()
    await stage.harness.deliver(await stage.method(join), actor=join.person)
    await stage.harness.deliver(
        CommitmentRefused(
            campaign_id=stage.campaign_id,
            commitment_id=join.commitment_id,
            participant_id=join.participant_id,
            quantity=1,
            code="over_capacity",
        )
    )
    assert await stage.harness.rows("SELECT * FROM waiting_method") == []


async def test_an_answer_posted_twice_and_its_webhook_change_nothing_more(stage: Stage) -> None:
    join = stage.join()
    await stage.start(join)
    (intent,) = await stage.harness.intents("payment")
    await stage.harness.execute()
    found = await stage.stripe.find("/v1/payment_intents", {}, intent_id=str(intent.id), pages_max=1)
    assert found is not None
    assert await stage.harness.answer(intent, Answer("done", found)) == []
    for event in await stage.webhooks("payment_intent.succeeded"):
        assert await stage.harness.deliver(event) == []
    assert await stage.balance(f"escrow:{join.commitment_id}") == join.amount_minor


async def test_a_webhook_before_the_answer_holds_the_funds_once(stage: Stage) -> None:
    join = stage.join()
    await stage.start(join)
    (intent,) = await stage.harness.intents("payment")
    answer = await stage.harness.service.purposes["payment"].call(intent)
    (event,) = await stage.webhooks("payment_intent.succeeded")
    assert len(of(await stage.harness.deliver(event), FundsHeld)) == 1
    assert await stage.harness.answer(intent, answer) == []
    assert await stage.balance(f"escrow:{join.commitment_id}") == join.amount_minor


async def test_a_declined_card_may_be_followed_by_another(stage: Stage) -> None:
    join = stage.join()
    (declined,) = of(await stage.fund(join, "pm_card_chargeDeclinedInsufficientFunds"), PaymentDeclined)
    assert declined.decline_code == "insufficient_funds"
    again = await stage.harness.deliver(await stage.method(join, attempt=2), actor=join.person)
    assert [each.attempt for each in of(again, PaymentStarted)] == [2]
    assert of(await stage.harness.execute(), FundsHeld)


async def test_a_second_card_while_a_payment_is_under_way_is_refused(stage: Stage) -> None:
    join = stage.join()
    await stage.start(join)
    (refused,) = of(
        await stage.harness.deliver(await stage.method(join, attempt=2), actor=join.person), EscrowCommandRefused
    )
    assert refused.code == "payment_under_way"


async def test_another_person_cannot_pay_a_reservation(stage: Stage) -> None:
    join, stranger = stage.join(), stage.join()
    await stage.harness.deliver(await stage.reserved(join))
    (refused,) = of(await stage.harness.deliver(await stage.method(join), actor=stranger.person), EscrowCommandRefused)
    assert refused.code == "not_allowed"
    assert await stage.harness.intents("payment") == []


async def test_the_address_of_the_bank_goes_to_the_browser_only(stage: Stage) -> None:
    join = stage.join()
    published = await stage.fund(join, "pm_card_threeDSecure2Required")
    assert kinds(published) == ["PaymentActionRequired", "PaymentActionAddress"]
    (reply,) = [each for each in published if isinstance(each.message, PaymentActionAddress)]
    assert reply.topic == "gateway.replies"
    assert reply.message.redirect_url.startswith(stage.standin.url)


async def test_an_abandoned_authentication_ends_the_reservation_after_its_time(stage: Stage) -> None:
    join = stage.join()
    await stage.fund(join, "pm_card_threeDSecure2Required")
    assert kinds(await stage.move_clock(minutes=17)) == []
    (ended,) = of(await stage.harness.execute(), ReservationEnded)
    assert (ended.commitment_id, ended.reason) == (join.commitment_id, "expired")
    assert kinds(await stage.harness.deliver(*await stage.webhooks("payment_intent.canceled"))) == []


async def test_a_payment_that_wins_against_its_cancellation_is_held(stage: Stage) -> None:
    join = stage.join()
    (reply,) = of(await stage.fund(join, "pm_card_threeDSecure2Required"), PaymentActionAddress)
    await stage.move_clock(minutes=17)
    async with stage.standin.http.post(
        f"{reply.redirect_url}", data={"outcome": "succeed"}, allow_redirects=False
    ) as page:
        assert page.status < 500
    published = await stage.harness.execute()
    assert kinds(published) == ["FundsHeld"]
    assert await stage.balance(f"escrow:{join.commitment_id}") == join.amount_minor


async def test_a_reservation_without_a_payment_ends_at_once_when_its_time_is_over(stage: Stage) -> None:
    join = stage.join()
    await stage.harness.deliver(await stage.reserved(join))
    (ended,) = of(await stage.move_clock(minutes=17), ReservationEnded)
    assert ended.reason == "expired"
    late = await stage.harness.deliver(await stage.method(join), actor=join.person)
    assert [each.code for each in of(late, EscrowCommandRefused)] == ["payment_not_expected"]


async def test_a_payment_that_was_never_called_is_stopped_when_its_reservation_ends(stage: Stage) -> None:
    join = stage.join()
    await stage.start(join)
    (ended,) = of(await stage.move_clock(minutes=17), ReservationEnded)
    assert ended.reason == "expired"
    assert await stage.harness.execute() == []
    page = await stage.standin.sdk.payment_intents.list_async({"limit": 100})
    assert [each for each in page.data if stage.scope in str(each.metadata)] == []


async def test_leaving_while_funds_are_pending_cancels_the_payment(stage: Stage) -> None:
    join = stage.join()
    await stage.fund(join, "pm_card_threeDSecure2Required")
    await stage.harness.deliver(stage.withdrawn(join, "PENDING_FUNDS"))
    (ended,) = of(await stage.harness.execute(), ReservationEnded)
    assert ended.reason == "left"


async def test_leaving_while_the_payment_wins_sends_the_money_back(stage: Stage) -> None:
    join = stage.join()
    await stage.start(join)
    (intent,) = await stage.harness.intents("payment")
    answer = await stage.harness.service.purposes["payment"].call(intent)
    async with stage.harness.owner.begin() as connection:
        await connection.exec_driver_sql("UPDATE intent SET state = 'attempted', attempts = 1")
    assert kinds(await stage.harness.deliver(stage.withdrawn(join, "PENDING_FUNDS"))) == []
    published = await stage.harness.answer(intent, answer)
    assert kinds(published) == ["LateFundsReceived", "RefundDecided", "ReservationEnded"]
    assert of(published, LateFundsReceived)[0].amount_minor == join.amount_minor
    assert of(published, RefundDecided)[0].reason == "late_receipt"
    assert await stage.class_balance("escrow") == 0
    assert of(await stage.harness.execute(), RefundSent)
    assert await stage.class_balance("refund_payable") == 0


async def test_leaving_told_as_pending_after_the_funds_were_held_refunds_them(stage: Stage) -> None:
    (join,) = await stage.funded()
    (decided,) = of(await stage.harness.deliver(stage.withdrawn(join, "PENDING_FUNDS")), RefundDecided)
    assert (decided.reason, decided.amount_minor) == ("withdrawn", join.amount_minor)


async def test_a_frozen_campaign_starts_no_payment(stage: Stage) -> None:
    join = stage.join()
    await stage.harness.deliver(
        CampaignsCaseOpened(
            scope_id=stage.scope,
            case_id=join.commitment_id,
            case_kind="check",
            severity="high",
            subject_id="x",
            blocking=True,
        )
    )
    (ended,) = of(await stage.harness.deliver(await stage.reserved(join)), ReservationEnded)
    assert ended.reason == "refused"


async def test_a_payment_whose_amount_differs_is_not_posted_and_opens_a_case(stage: Stage) -> None:
    join = stage.join()
    await stage.start(join)
    (intent,) = await stage.harness.intents("payment")
    body = {
        "id": "pi_1",
        "object": "payment_intent",
        "status": "succeeded",
        "amount": 1,
        "currency": "usd",
        "metadata": {},
    }
    published = await stage.harness.answer(intent, Answer("done", body))
    assert kinds(published) == ["EscrowCaseOpened"]
    assert await stage.case_kinds() == ["psp_mismatch"]
    assert await stage.class_balance("escrow") == 0


async def test_no_secret_reaches_an_event(stage: Stage) -> None:
    join = stage.join()
    method = await stage.method(join, "pm_card_threeDSecure2Required")
    await stage.harness.deliver(await stage.reserved(join))
    await stage.harness.deliver(method, actor=join.person)
    await stage.harness.execute()
    rows = await stage.harness.rows("SELECT payload FROM outbox WHERE topic = 'escrow.events'")
    text = " ".join(row.payload for row in rows)
    assert method.confirmation_token not in text
    assert "authenticate" not in text
    assert "_secret_" not in text
    kept = await stage.harness.rows("SELECT secret, answer::text AS answer FROM intent")
    assert [row.secret for row in kept] == [None]
    assert "_secret_" not in kept[0].answer
