"""Where my money is, and the escrow that everybody can check: events in, answers and files out, over HTTP."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from contracts.campaigns import CampaignCompleted, CommitmentLocked, CommitmentReserved
from contracts.clearing import ClearingPlanSubmitted
from contracts.escrow import FundsHeld, RefundDecided
from contracts.ledger import chain_fault
from services.escrow.domain import postings
from services.escrow.domain.dispute_postings import dispute_opened, dispute_withdrawn
from services.gateway.rebuild import rebuild
from services.gateway.schemas.money_views import pseudonym
from tests.fixtures.books import BEGAN, Books
from tests.fixtures.papers import pdf_text
from tests.integration.gateway_support import STARTED, Stage, gateway_settings, make_stage

pytestmark = pytest.mark.asyncio

PRICE = 54_900


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage() as made:
        yield made


class Story:
    """A campaign with its ledger, told by the services."""

    def __init__(self, stage: Stage, campaign_id: UUID, terms_hash: str) -> None:
        self.stage, self.campaign_id, self.terms_hash = stage, campaign_id, terms_hash
        self.books = Books(str(campaign_id))
        self.joined = 0

    @property
    def path(self) -> str:
        return f"/v1/campaigns/{self.campaign_id}/escrow"

    async def tell(self, *wanted: postings.Posting) -> None:
        await self.stage.tell(self.books.post(*wanted), time=BEGAN)

    async def join(self, participant_id: UUID, units: int = 1) -> UUID:
        """Somebody joins, the funds are held and settled."""
        self.joined += units
        names = {"campaign_id": self.campaign_id, "commitment_id": uuid4(), "participant_id": participant_id}
        figures: dict[str, Any] = {"quantity": units, "amount_minor": units * PRICE, "currency": "usd"}
        await self.stage.tell(
            CommitmentReserved(
                **names, **figures, terms_hash=self.terms_hash, reference=f"R-{self.joined}", reserved_until=STARTED,
                reserved_units=units, held_units=self.joined - units,
            )
        )  # fmt: skip
        held = FundsHeld(
            **names, amount_minor=units * PRICE, currency="usd", intent_id=uuid4(), payment_intent_id="pi_1"
        )
        await self.stage.tell(held)
        commitment_id: UUID = names["commitment_id"]
        charge = f"ch_{commitment_id}"
        await self.tell(
            postings.lock(self.books.scope, commitment_id, units * PRICE, intent_id=uuid4(), object_id=charge),
            postings.psp_settle(
                self.books.scope, bt_id=f"txn_{commitment_id}", amount_minor=units * PRICE, fee_minor=1_600,
                object_id=charge,
            ),
        )  # fmt: skip
        await self.stage.tell(
            CommitmentLocked(**names, **figures, held_units=self.joined, reserved_units=0, held_commitments=1)
        )
        return commitment_id

    async def seen(self, client: httpx.AsyncClient, path: str = "") -> dict[str, Any]:
        """The campaign's escrow once everything told is in it."""
        return await self.stage.seen(
            client, self.path + path, head_hash=self.books.transfers[-1].hash if self.books.transfers else None
        )


async def story(stage: Stage, **changes: Any) -> Story:
    campaign_id, terms_hash = await stage.open_campaign(**changes)
    return Story(stage, campaign_id, terms_hash)


async def test_a_participant_reads_every_movement_of_an_own_commitment_and_nobody_else_does(stage: Stage) -> None:
    told = await story(stage)
    client, me = await stage.participant()
    other, _ = await stage.participant()
    mine = await told.join(me, 2)
    decision = uuid4()
    await told.tell(
        postings.refund_decided(told.books.scope, mine, 2 * PRICE, decision_id=decision, reason="withdrawn")
    )
    await stage.tell(
        RefundDecided(
            campaign_id=told.campaign_id, commitment_id=mine, participant_id=me, amount_minor=2 * PRICE,
            currency="usd", decision_id=decision, reason="withdrawn",
        )
    )  # fmt: skip
    await told.seen(client)
    path = f"/v1/me/commitments/{mine}/money"
    await stage.seen(client, f"/v1/commitments/{mine}", state="LOCKED")
    found = (await client.get(path)).json()
    assert [each["transfer"]["kind"] for each in found["movements"]] == ["lock", "psp_settle", "refund_decided"]
    assert [each["transfer"]["seq"] for each in found["movements"]] == [1, 2, 3]
    assert [each["transfer"]["hash"] for each in found["movements"]] == [each.hash for each in told.books.transfers]
    assert chain_fault(told.books.transfers) is None
    first, _, last = found["movements"]
    assert first["sentence"] == (
        "$1,098.00 was taken from the card and is held in escrow, because the participant joined and the payment succeeded."
    )
    assert last["next"]["words"].startswith("The refund goes to the payment processor by ")
    assert first["next"] is None
    assert found["pseudonym"] == pseudonym(mine)

    for stranger in (other, await stage.sign_in("gus@alpmera.test"), stage.client()):
        for address in (path, f"{path}/export"):
            refused = await stranger.get(address)
            assert refused.status_code in {401, 403, 404}
            assert "$1,098.00" not in refused.text

    file = await client.get(f"{path}/export", params={"format": "csv"})
    assert file.headers["content-disposition"] == 'attachment; filename="alpmera-money-R-2.csv"'
    lines = list(csv.DictReader(io.StringIO(file.text)))
    assert [line["amount"] for line in lines] == ["1098.00"] * 3
    assert [line["hash"] for line in lines] == [each.hash for each in told.books.transfers]
    assert (await client.get(f"{path}/export")).json() == found


async def test_the_transfer_of_a_plan_stands_among_the_movements_of_each_commitment_it_released(stage: Stage) -> None:
    told = await story(stage)
    client, me = await stage.participant()
    mine, theirs = await told.join(me), await told.join(uuid4())
    plan, scope = uuid4(), told.books.scope
    await told.tell(
        postings.clear(scope, mine, PRICE, plan_id=plan, to_reserve=False),
        postings.clear(scope, theirs, PRICE, plan_id=plan, to_reserve=True),
        postings.transfer_sent(scope, PRICE - 1_647, plan_id=plan, transfer_id="tr_1"),
        postings.fee(scope, 1_647, plan_id=plan),
    )
    page = await told.seen(client)
    movements = (await client.get(f"/v1/me/commitments/{mine}/money")).json()["movements"]
    assert [each["transfer"]["kind"] for each in movements] == ["lock", "psp_settle", "clear", "transfer_sent", "fee"]
    assert movements[2]["approved_by"] == ["escrow auditor", "escrow auditor"]
    assert movements[-1]["next"] == {"words": "Nothing further: the release is final.", "by": None}
    (sums,) = page["sums"]
    figures = {name: value["amount"] for name, value in sums.items() if isinstance(value, dict)}
    assert figures["received"] == 2 * PRICE
    assert figures["reserved_for_issues"] == PRICE
    assert figures["fees"] == 1_647
    assert figures["released"] == PRICE - 1_647
    assert figures["held"] == figures["refunded"] == figures["cleared_not_sent"] == 0
    assert page["equal"] is True
    assert [check["holds"] for check in page["checks"]] == [True] * 4


async def test_a_campaigns_sums_equal_its_entries_with_disputes_goodwill_and_corrections(stage: Stage) -> None:
    told = await story(stage)
    client, me = await stage.participant()
    first, second = await told.join(me), await told.join(uuid4())
    scope, plan = told.books.scope, uuid4()
    opened = dispute_opened(scope, first, PRICE, dispute_id="dp_1", left_minor={"escrow": PRICE})
    assert opened is not None
    wrong = postings.refund_decided(scope, second, PRICE, decision_id=uuid4(), reason="duplicate")
    await told.tell(
        opened,
        dispute_withdrawn(scope, first, PRICE + 100, bt_id="txn_w", object_id="dp_1", hold_minor=PRICE),
        wrong,
        postings.correction(wrong, plan_id=plan, position=7, reason="the wrong commitment"),
        postings.goodwill(scope, second, 2_000, plan_id=plan, reason="late by a month"),
        postings.refund_paid_outside(scope, second, 500, plan_id=plan, reason="by bank"),
    )
    page = await told.seen(client)
    figures = {name: value["amount"] for name, value in page["sums"][0].items() if isinstance(value, dict)}
    assert (page["equal"], figures["received"], figures["taken_by_disputes"]) == (True, 2 * PRICE, PRICE)
    assert (figures["borne_by_platform"], figures["goodwill"], figures["paid_outside"]) == (100, 2_000, 500)
    assert (figures["held"], figures["refund_owed"]) == (PRICE, 1_500)


async def test_a_difference_is_shown_as_one(stage: Stage) -> None:
    told = await story(stage)
    client, me = await stage.participant()
    await told.join(me)
    await told.seen(client)
    rows = "UPDATE read_1.ledger_transfer SET escrow_minor = escrow_minor + {0}"
    sums = "UPDATE read_1.campaign_ledger SET"
    one, all_of = " WHERE scope_id = :scope AND kind = 'lock'", " WHERE scope_id = :scope"
    changes = {
        "balances_equal_entries": f"{sums} escrow_minor = escrow_minor + {{0}}{all_of}",
        "in_equals_out": f"{rows}, goodwill_minor = NULLIF(COALESCE(goodwill_minor, 0) - 2 * {{0}}, 0){one}",
        "nothing_left_out": f"{sums} position = position + {{0}}{all_of}",
        "transfers_balance": f"{rows}{one}",
    }
    for name, statement in changes.items():
        await stage.execute(statement.format(1), scope=told.books.scope)
        shown = await stage.seen(client, told.path, equal=False)
        assert name in [check["name"] for check in shown["checks"] if not check["holds"]]
        await stage.execute(statement.format(-1), scope=told.books.scope)
        assert (await stage.seen(client, told.path, equal=True))["checked_at"]


async def test_transfers_are_listed_part_by_part_without_names_and_exported(stage: Stage) -> None:
    told = await story(stage)
    client, me = await stage.participant()
    commitments = [await told.join(me) for _ in range(3)]
    await told.seen(client)
    listed: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        query = {"limit": 4} | ({"cursor": cursor} if cursor else {})
        part = (await client.get(f"{told.path}/transfers", params=query)).json()
        listed += part["data"]
        cursor = part["next_cursor"]
        if cursor is None:
            break
    assert [each["seq"] for each in listed] == [6, 5, 4, 3, 2, 1]
    assert {each["commitment"] for each in listed} == {None, *(pseudonym(each) for each in commitments)}
    assert not any(str(each) in str(listed) for each in commitments)
    file = await client.get(f"{told.path}/export", params={"format": "csv"})
    lines = list(csv.DictReader(io.StringIO(file.text)))
    assert sum(line["kind"] == "lock" for line in lines) == 3
    assert "link" not in file.headers
    assert (await client.get(f"{told.path}/transfers", params={"cursor": "bm90IGE="})).status_code == 400


async def test_the_platforms_escrow_is_public_and_names_no_campaign_that_the_viewer_may_not_see(stage: Stage) -> None:
    hidden, shown = await story(stage, visibility="private"), await story(stage, visibility="open", title="=1+1")
    client, me = await stage.participant()
    for each in (hidden, shown):
        await each.join(me)
        await each.seen(client)
    anonymous = stage.client()
    assert (await anonymous.get(hidden.path)).status_code == 404
    assert (await anonymous.get(shown.path)).status_code == 200

    transfers = (await anonymous.get("/v1/transparency/transfers", params={"limit": 200})).json()["data"]
    by_hash = {each["hash"]: each for each in transfers}
    secret, known = by_hash[hidden.books.transfers[0].hash], by_hash[shown.books.transfers[0].hash]
    assert (secret["campaign_id"], secret["campaign_title"], secret["seq"]) == (None, None, None)
    assert (known["campaign_id"], known["seq"]) == (str(shown.campaign_id), 1)
    own = (await client.get("/v1/transparency/transfers", params={"limit": 200})).json()["data"]
    assert {each["hash"]: each["campaign_id"] for each in own}[secret["hash"]] == str(hidden.campaign_id)

    page = (await anonymous.get("/v1/transparency")).json()
    assert page["campaign_id"] is None
    assert {check["name"]: check["holds"] for check in page["checks"]}["nothing_left_out"] is True
    assert page["explained"][0].startswith("Your money is held by ")
    file = await anonymous.get("/v1/transparency/export", params={"format": "csv"})
    assert str(hidden.campaign_id) not in file.text
    assert "'=1+1" in file.text, "no spreadsheet takes a title for a formula"
    assert ",=1+1" not in file.text


async def test_records_and_statements_are_kept_as_page_and_as_pdf(stage: Stage) -> None:
    told = await story(stage)
    client, me = await stage.participant()
    mine = await told.join(me, 2)
    await told.seen(client)
    await stage.seen(client, f"/v1/commitments/{mine}", state="LOCKED")
    base = f"/v1/me/commitments/{mine}"
    addresses = {
        f"{base}/record": ("alpmera-commitment-record-r-2", ["R-2", "$1,098.00 USD", "Stripe"]),
        f"{base}/refund-record": ("alpmera-refund-record-r-2", ["No refund was decided"]),
        "/v1/me/statement?year=2026": ("alpmera-yearly-statement-2026", ["R-2", "$1,098.00", "Total"]),
        "/v1/me/statement?year=2027": ("alpmera-yearly-statement-2027", ["$0.00", "$1,098.00"]),
    }
    for address, (name, words) in addresses.items():
        for form in ("html", "pdf"):
            answer = await client.get(f"{address}{'&' if '?' in address else '?'}format={form}")
            assert answer.status_code == 200, answer.text[:300]
            assert answer.headers["content-disposition"] == f'attachment; filename="{name}.{form}"'
            text = pdf_text(answer.content) if form == "pdf" else answer.text
            assert [word for word in words if word not in text] == []
    other, _ = await stage.participant()
    assert (await other.get(f"{base}/record")).status_code == 404
    assert "R-2" not in (await other.get("/v1/me/statement", params={"year": 2026, "format": "html"})).text
    assert (await other.get("/v1/me/statement", params={"year": 1})).status_code == 422


async def test_a_fee_schedule_is_public_where_the_campaign_is_and_a_suppliers_statement_adds_up(stage: Stage) -> None:
    told = await story(stage, visibility="open")
    mine = await told.join(uuid4())
    plan, scope = uuid4(), told.books.scope
    await stage.tell(
        ClearingPlanSubmitted(
            campaign_id=told.campaign_id, plan_id=plan, plan_kind="release", plan_hash="c" * 64, maker_id=str(uuid4()),
            reason="All conditions are met.", supplier_id=uuid4(), gross_minor=PRICE, reserve_minor=0, fee_minor=1_647,
            net_minor=PRICE - 1_647, currency="usd", line_count=1, conditions=(),
        )
    )  # fmt: skip
    await told.tell(
        postings.clear(scope, mine, PRICE, plan_id=plan, to_reserve=False),
        postings.transfer_sent(scope, PRICE - 1_647, plan_id=plan, transfer_id="tr_1"),
        postings.fee(scope, 1_647, plan_id=plan),
    )
    await stage.tell(CampaignCompleted(campaign_id=told.campaign_id, plan_id=plan, supplier_id=uuid4()))
    ana = await stage.sign_in("ana@alpmera.test")
    await stage.seen(ana, f"/v1/campaigns/{told.campaign_id}", state="COMPLETED")
    await told.seen(ana)
    fees = (await stage.client().get(f"/v1/campaigns/{told.campaign_id}/fees")).json()
    assert (fees["basis_points"], fees["fee_in_unit_price"]["amount"], fees["taken"]["amount"]) == (300, 1_647, 1_647)
    text = (await ana.get(f"/v1/campaigns/{told.campaign_id}/supplier-statement", params={"format": "html"})).text
    assert [word for word in ("$549.00 USD", "$16.47 USD", "$532.53 USD") if word not in text] == []

    money = (await ana.get("/v1/staff/money")).json()
    (cost,) = [each for each in money["campaigns"] if each["campaign_id"] == str(told.campaign_id)]
    assert (cost["fee"]["amount"], cost["processor_cost"]["amount"], cost["result"]["amount"]) == (1_647, 1_600, 47)
    rail = (await stage.client().get("/v1/payment-rail")).json()
    assert rail["disclosure"][0] == f"Your money is held by {rail['holder']}."


async def test_a_rebuilt_read_model_tells_the_same_story(stage: Stage) -> None:
    told = await story(stage)
    client, me = await stage.participant()
    mine = await told.join(me)
    await told.seen(client)
    await stage.seen(client, f"/v1/commitments/{mine}", state="LOCKED")
    before = (await client.get(f"/v1/me/commitments/{mine}/money")).json()
    settings = gateway_settings(stage.database, stage.settings.kafka_prefix)
    role = stage.database.app.split("//")[1].split(":")[0]
    result = await rebuild(stage.database.owner, settings, app_role=role)
    assert (result.switched, result.differences) == (True, ())
    await stage.seen(client, "/version", generation=2)
    assert (await client.get(f"/v1/me/commitments/{mine}/money")).json() == before
