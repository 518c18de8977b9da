"""The read model: redelivery changes nothing, a bad event marks one campaign stale, a rebuild answers the same."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import text

from contracts.campaigns import CampaignClosed, CommitmentLocked, CommitmentReserved, TargetReached
from contracts.escrow import FundsHeld, RefundDecided
from contracts.suppliers import SupplierInvited
from services.gateway.rebuild import RebuildError, rebuild
from services.gateway.store.generations import consumer_name
from services.gateway.store.operations import PAUSE_LOCK_KEY
from services.gateway.store.projection import Rows, write
from services.gateway.store.read_tables import TABLES
from tests.integration.gateway_support import STARTED, Stage, gateway_settings, make_stage, serving

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    async with make_stage() as made:
        yield made


async def a_story(stage: Stage) -> UUID:
    """A campaign with two commitments, one of them refunded after the close, told by all services."""
    campaign_id, terms_hash = await stage.open_campaign()
    commitments = [await held(stage, campaign_id, terms_hash, ordinal) for ordinal in (1, 2)]
    await stage.tell(TargetReached(campaign_id=campaign_id, held_units=4, target_units=4))
    await stage.tell(
        SupplierInvited(
            campaign_id=campaign_id, invitation_id=uuid4(), supplier_id=uuid4(), units_so_far=4, terms_hash=terms_hash
        )
    )
    await stage.tell(
        CampaignClosed(
            campaign_id=campaign_id, reason="supplier_declined", from_state="TARGET_ACHIEVED", held_units=4,
            held_commitments=2,
        )
    )  # fmt: skip
    for names in commitments:
        await stage.tell(
            RefundDecided(**names, amount_minor=200, currency="usd", decision_id=uuid4(), reason="supplier_declined")
        )
    gus = await stage.sign_in("gus@alpmera.test")
    settlement = {
        "refunds_owed": 2,
        "refunds_paid": 0,
        "refunds_waiting": 0,
        "paid_lately": 0,
        "owed": {"amount": 400, "currency": "USD"},
        "paid": {"amount": 0, "currency": "USD"},
        "expected_by": None,
    }
    await stage.seen(gus, f"/v1/campaigns/{campaign_id}", settlement=settlement)
    return campaign_id


async def held(stage: Stage, campaign_id: UUID, terms_hash: str, ordinal: int) -> dict[str, Any]:
    names = {"campaign_id": campaign_id, "commitment_id": uuid4(), "participant_id": uuid4()}
    figures = {"quantity": 2, "amount_minor": 200, "currency": "usd"}
    await stage.tell(
        CommitmentReserved(
            **names, **figures, terms_hash=terms_hash, reference=f"R-{ordinal}", reserved_until=STARTED,
            reserved_units=2, held_units=2 * ordinal - 2,
        )
    )  # fmt: skip
    await stage.tell(FundsHeld(**names, amount_minor=200, currency="usd", intent_id=uuid4(), payment_intent_id="pi_1"))
    await stage.tell(
        CommitmentLocked(**names, **figures, held_units=2 * ordinal, reserved_units=0, held_commitments=ordinal)
    )
    return names


async def fingerprint(stage: Stage, generation: int) -> dict[str, str]:
    """A hash per table of everything a generation holds."""
    found: dict[str, str] = {}
    for name in TABLES:
        rows = await stage.rows(f"SELECT row::text AS text FROM read_{generation}.{name} AS row ORDER BY 1")
        found[name] = hashlib.sha256("\n".join(row.text for row in rows).encode()).hexdigest()
    return found


async def gates(stage: Stage, generation: int) -> dict[str, int]:
    rows = await stage.rows(
        "SELECT stream, last_seq FROM gate WHERE consumer = :consumer", consumer=consumer_name(generation)
    )
    return {row.stream: row.last_seq for row in rows}


async def test_reading_every_topic_again_changes_nothing(stage: Stage) -> None:
    await a_story(stage)
    before = await fingerprint(stage, 1)
    settings = gateway_settings(stage.database, stage.settings.kafka_prefix)
    again = await rebuild(stage.database.owner, settings, app_role=None, report=lambda _: None)
    assert again.switched
    assert await fingerprint(stage, 2) == before


async def test_a_rebuilt_generation_is_compared_and_taken_over_while_requests_are_served(stage: Stage) -> None:
    campaign_id = await a_story(stage)
    told: list[str] = []
    gus = await stage.sign_in("gus@alpmera.test")
    page = (await gus.get(f"/v1/campaigns/{campaign_id}")).json()
    settings = gateway_settings(stage.database, stage.settings.kafka_prefix)
    role = stage.database.app.split("//")[1].split(":")[0]
    result = await rebuild(stage.database.owner, settings, app_role=role, report=told.append)
    assert (result.before, result.generation, result.switched) == (1, 2, True)
    assert (result.differences, result.moving) == ((), ())
    assert result.scopes_compared >= 1
    assert told[-1] == "generation 2 answers from now on"
    assert await gates(stage, 1) == await gates(stage, 2)

    for _ in range(200):
        if (await gus.get("/version")).json()["generation"] == 2:
            break
        await asyncio.sleep(0.05)
    assert (await gus.get(f"/v1/campaigns/{campaign_id}")).json() == page
    later, _ = await stage.open_campaign()
    assert (await stage.rows("SELECT count(*) AS count FROM read_2.campaign WHERE id = :id", id=later))[0].count == 1
    assert (await stage.rows("SELECT count(*) AS count FROM read_1.campaign WHERE id = :id", id=later))[0].count == 0


async def test_a_difference_stops_the_switch_and_names_the_place(stage: Stage) -> None:
    campaign_id = await a_story(stage)
    await stage.execute(
        "UPDATE read_1.commitment SET amount_minor = amount_minor + 1 WHERE campaign_id = :id", id=campaign_id
    )
    settings = gateway_settings(stage.database, stage.settings.kafka_prefix)
    result = await rebuild(stage.database.owner, settings, app_role=None)
    assert not result.switched
    assert result.differences == (f"commitment {campaign_id}: 2 and 2 rows",)
    active = await stage.rows("SELECT number FROM read_generation WHERE state = 'active'")
    assert [row.number for row in active] == [1]

    again = await rebuild(stage.database.owner, settings, app_role=None, accept_differences=True)
    assert (again.generation, again.switched) == (3, True)
    remains = await stage.rows("SELECT count(*) AS count FROM pg_namespace WHERE nspname = 'read_2'")
    assert remains[0].count == 0, "what an earlier rebuild left unfinished is removed"


async def test_a_row_is_the_same_whether_its_events_came_together_or_one_by_one(stage: Stage) -> None:
    moves = [{"escrow_minor": 500}, {"refund_payable_minor": 200, "escrow_minor": -200}, {"position": 2}]
    together, singly = str(uuid4()), str(uuid4())
    batches = [[(together, move) for move in moves], *([(singly, move)] for move in moves)]
    async with stage.owner.begin() as connection:
        await connection.execute(text("SET LOCAL search_path TO read_1, public"))
        for batch in batches:
            rows = Rows()
            for scope, move in batch:
                (rows.put if "position" in move else rows.add)("campaign_ledger", scope, **move)
            await write(connection, rows)
    grown = {
        row.scope: row.rest
        for row in await stage.rows(
            "SELECT scope_id AS scope, to_jsonb(row) - 'scope_id' AS rest FROM read_1.campaign_ledger AS row"
        )
    }
    assert grown[together] == grown[singly]
    assert (grown[singly]["escrow_minor"], grown[singly]["refund_payable_minor"]) == (300, 200)
    assert None not in [grown[singly][name] for name in TABLES["campaign_ledger"].sums]


async def test_two_rebuilds_at_once_are_refused(stage: Stage) -> None:
    await stage.open_campaign()
    settings = gateway_settings(stage.database, stage.settings.kafka_prefix)
    results = await asyncio.gather(
        rebuild(stage.database.owner, settings, app_role=None),
        rebuild(stage.database.owner, settings, app_role=None),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["RebuildError", "Rebuilt"]
    assert any(isinstance(result, RebuildError) and "under way" in str(result) for result in results)


async def test_an_event_that_cannot_be_read_marks_its_campaign_stale_and_no_other(stage: Stage) -> None:
    gus = await stage.sign_in("gus@alpmera.test")
    first, _ = await stage.open_campaign()
    second, _ = await stage.open_campaign()
    await stage.tell(TargetReached(campaign_id=first, held_units=40, target_units=40), body=b'{"held_units": "many"}')
    await stage.tell(TargetReached(campaign_id=second, held_units=40, target_units=40))
    stale = await stage.seen(gus, f"/v1/campaigns/{first}", stale=True)
    assert stale["state"] == "ACTIVE"
    other = await stage.seen(gus, f"/v1/campaigns/{second}", state="TARGET_ACHIEVED")
    assert other["stale"] is False
    cases = (await gus.get("/v1/cases", params={"state": "open"})).json()["data"]
    assert [(case["service"], case["kind"], case["scope"]) for case in cases] == [("gateway", "poison", str(first))]
    await stage.tell(TargetReached(campaign_id=first, held_units=41, target_units=40))
    await asyncio.sleep(0.5)
    assert (await gus.get(f"/v1/campaigns/{first}")).json()["progress"]["held_units"] == 0


async def test_an_event_of_an_unknown_type_is_passed_over(stage: Stage) -> None:
    gus = await stage.sign_in("gus@alpmera.test")
    campaign_id, _ = await stage.open_campaign()

    class FromTomorrow(TargetReached):
        type = "campaigns.from_tomorrow.v1"

    await stage.tell(FromTomorrow(campaign_id=campaign_id, held_units=1, target_units=40))
    await stage.tell(TargetReached(campaign_id=campaign_id, held_units=40, target_units=40))
    page = await stage.seen(gus, f"/v1/campaigns/{campaign_id}", state="TARGET_ACHIEVED")
    assert page["stale"] is False


async def test_another_gateway_wakes_a_request_that_waits_here(stage: Stage) -> None:
    client, participant_id = await stage.participant()
    campaign_id, terms_hash = await stage.open_campaign()
    async with serving(gateway_settings(stage.database, stage.settings.kafka_prefix)):
        # Two members share the partitions now; whichever applies the events, this request is answered.
        await asyncio.sleep(4)
        answers = []
        for _ in range(3):
            sending = asyncio.create_task(
                client.post(
                    f"/v1/campaigns/{campaign_id}/commitments",
                    json={"quantity": 2, "terms_hash": terms_hash, "confirmation_token": "ctoken_ok"},
                    headers={"Idempotency-Key": uuid4().hex, "Prefer": "wait=15"},
                )
            )
            from_outbox = await _commitment_id(stage)
            names = {"campaign_id": campaign_id, "commitment_id": from_outbox, "participant_id": participant_id}
            figures = {"quantity": 2, "amount_minor": 200, "currency": "usd"}
            await stage.tell(
                CommitmentReserved(
                    **names, **figures, terms_hash=terms_hash, reference="R-1", reserved_until=STARTED,
                    reserved_units=2, held_units=0,
                )
            )  # fmt: skip
            await stage.tell(CommitmentLocked(**names, **figures, held_units=2, reserved_units=0, held_commitments=1))
            answers.append((await sending).status_code)
    assert answers == [201, 201, 201]


async def test_who_pauses_the_clock_can_wait_for_acts_that_are_being_stored(stage: Stage) -> None:
    assert PAUSE_LOCK_KEY == 7_120_311
    free = await stage.rows("SELECT pg_try_advisory_xact_lock(:key) AS free", key=PAUSE_LOCK_KEY)
    assert free[0].free


async def _commitment_id(stage: Stage) -> UUID:
    for _ in range(500):
        for sent in await stage.commands():
            commitment_id = getattr(sent.message, "commitment_id", None)
            if commitment_id is not None:
                return UUID(str(commitment_id))
        await asyncio.sleep(0.02)
    raise AssertionError("no join was written")
