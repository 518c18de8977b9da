"""Reading the audit records: who may, what comes back from whom, filters, cursors, files, and what happens in silence."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from contracts.audit_trail import (
    AUDIT_ROLES,
    AuditFilter,
    AuditRecord,
    CampaignsReadAudit,
    EscrowReadAudit,
    ReadAuditShape,
)
from contracts.campaigns import DraftCampaign, SubmitCampaign
from contracts.envelope import Actor, message_class
from services.campaigns.handlers import SERVICE as CAMPAIGNS
from services.gateway.domain.policy import POLICY
from services.gateway.usecases import ask_services
from services.kit.service import Service
from services.notifications.handlers import SERVICE as NOTIFICATIONS
from tests.fixtures.harness import Harness
from tests.integration.campaigns_support import PRODUCT, READINESS, make_terms
from tests.integration.gateway_support import STARTED, Stage, make_stage

pytestmark = pytest.mark.asyncio

AUTHOR = Actor(str(uuid4()), "operations")
READER = Actor(str(uuid4()), "escrow_auditor")
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def record_of(number: int, **changes: Any) -> AuditRecord:
    """A service's record; the higher its number, the younger."""
    values: dict[str, Any] = {
        "id": number,
        "at": STARTED + timedelta(minutes=number),
        "actor_id": READER.id,
        "actor_role": "escrow_auditor",
        "action": "escrow.plan.moved",
        "scope": "platform",
        "subject": f"s{number}",
        "before": {"state": "DRAFT"},
        "after": {"state": "SENT"},
        "reason": "All met",
        "cause_id": uuid4(),
        "trace_id": None,
        "place": number,
        "hash": "a" * 64,
    }
    return AuditRecord(**(values | changes))


class Services:
    """The other services: each answers from its records, as far as it is not told to be silent."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.records: dict[str, list[AuditRecord]] = {}
        self.silent: set[str] = set()
        self.asked: list[ReadAuditShape] = []

    async def run(self) -> None:
        """Answer questions until cancelled."""
        while True:
            for sent in await self.stage.commands():
                if isinstance(sent.message, ReadAuditShape) and sent.message.service not in self.silent:
                    await self._answer(sent.id, sent.message)
            await asyncio.sleep(0.02)

    async def _answer(self, question_id: UUID, question: ReadAuditShape) -> None:
        self.asked.append(question)
        kept = sorted(self.records.get(question.service, []), key=lambda record: -record.id)
        older = [record for record in kept if question.before_id is None or record.id < question.before_id]
        reply = message_class(f"{question.service}.audit_records.v1")
        assert reply is not None
        records = tuple(older[: question.limit])
        answer = reply(question_id=question_id, records=records, more=len(older) > len(records))  # type: ignore[call-arg]
        await self.stage.reply(answer)


@pytest_asyncio.fixture
async def services() -> AsyncIterator[Services]:
    async with make_stage() as stage:
        services = Services(stage)
        answering = asyncio.create_task(services.run())
        yield services
        answering.cancel()


async def ana(services: Services) -> httpx.AsyncClient:
    return await services.stage.sign_in("ana@alpmera.test")


async def test_only_the_auditing_roles_may_ask() -> None:
    assert POLICY["audit_list"].roles == POLICY["audit_export"].roles == AUDIT_ROLES


async def test_records_of_all_services_come_together_each_once_the_newest_first(services: Services) -> None:
    services.records = {
        "campaigns": [record_of(number) for number in range(1, 40, 2)],
        "escrow": [record_of(number) for number in range(2, 40, 3)],
        "suppliers": [record_of(7)],
    }
    client = await ana(services)
    wanted = {(name, record.id) for name, records in services.records.items() for record in records}
    seen: list[dict[str, Any]] = []
    cursor = None
    for _ in range(20):
        params = {"limit": 7} | ({"cursor": cursor} if cursor else {})
        body = (await client.get("/v1/audit", params=params)).json()
        seen += body["data"]
        cursor = body["next_cursor"]
        if cursor is None:
            break
    others = [row for row in seen if row["service"] != "gateway"]
    assert [row["at"] for row in others] == sorted((row["at"] for row in others), reverse=True)
    assert len(others) == len(wanted)
    assert {(row["service"], int(row["id"].split(":")[1])) for row in others} == wanted


async def test_a_reading_is_itself_recorded_with_who_read_and_what(services: Services) -> None:
    client = await ana(services)
    me = (await client.get("/v1/me")).json()["account"]["subject_id"]
    await client.get("/v1/audit", params={"scope": "platform", "service": "gateway"})
    body = (await client.get("/v1/audit", params={"action": "audit.read", "service": "gateway"})).json()
    (row,) = body["data"]
    assert (row["actor_id"], row["actor_role"]) == (me, "escrow_auditor")
    assert row["after"] == {"wanted": {"scope": "platform"}}
    assert row["trace_id"] is not None


async def test_filters_reach_the_services_that_are_asked(services: Services) -> None:
    client = await ana(services)
    params = {"service": "escrow", "subject": "s1", "action": "escrow.", "from": "2026-11-21T00:00:00Z"}
    answer = await client.get("/v1/audit", params=params)
    assert answer.status_code == 200, answer.text
    (asked,) = services.asked
    assert isinstance(asked, EscrowReadAudit)
    assert asked.wanted == AuditFilter(subject="s1", action="escrow.", from_at=STARTED)


@pytest.mark.parametrize(
    "params",
    [{"cursor": "nonsense"}, {"cursor": "eyJub2JvZHkiOjF9"}, {"from": "yesterday"}, {"limit": 0}],
)
async def test_what_cannot_be_asked_is_refused(services: Services, params: dict[str, Any]) -> None:
    answer = await (await ana(services)).get("/v1/audit", params=params)
    assert answer.status_code in {400, 422}
    assert services.asked == []


async def test_a_silent_service_is_named_and_nothing_is_shown_in_part(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask_services, "ANSWER_SECONDS_MAX", 0.5)
    services.records = {"campaigns": [record_of(1)]}
    services.silent = {"escrow"}
    answer = await (await ana(services)).get("/v1/audit")
    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
    assert answer.json()["facts"] == {"silent": ["escrow"]}


async def test_a_file_has_every_record_and_no_cell_that_a_spreadsheet_would_run(services: Services) -> None:
    services.records = {"escrow": [record_of(number, reason='=HYPERLINK("x")') for number in range(1, 1_201)]}
    client = await ana(services)
    answer = await client.get("/v1/audit/export", params={"format": "csv", "service": "escrow"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-store"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["id"] for row in rows] == [f"escrow:{number}" for number in range(1_200, 0, -1)]
    assert {row["reason"] for row in rows} == {'\'=HYPERLINK("x")'}
    assert rows[0]["before"] == '{"state": "DRAFT"}'
    body = (await client.get("/v1/audit/export", params={"service": "escrow"})).json()
    assert [row["id"] for row in body["data"]] == [row["id"] for row in rows]


# -- a service's side -------------------------------------------------------------------------------------------------


async def told(harness: Harness, question: ReadAuditShape, actor: Actor = READER) -> Any:
    (reply,) = await harness.deliver(question, actor=actor)
    return reply


async def test_a_service_tells_its_records_with_actor_role_reason_and_trace(
    harness: Callable[[Service], Awaitable[Harness]],
) -> None:
    campaigns = await harness(CAMPAIGNS)
    campaign_id = uuid4()
    terms = make_terms(await campaigns.now() + timedelta(days=14))
    draft = DraftCampaign(
        campaign_id=campaign_id, product=PRODUCT, terms=terms, supplier_ids=(uuid4(),), visibility="open",
        readiness=READINESS,
    )  # fmt: skip
    await campaigns.deliver(draft, actor=AUTHOR)
    await campaigns.deliver(SubmitCampaign(campaign_id=campaign_id), actor=AUTHOR, traceparent=TRACEPARENT)
    reply = await told(campaigns, CampaignsReadAudit(wanted=AuditFilter(scope=str(campaign_id)), limit=1))
    assert reply.topic == "gateway.replies"
    (newest,) = reply.message.records
    assert reply.message.more is True
    assert (newest.actor_id, newest.actor_role) == (AUTHOR.id, "operations")
    assert (newest.before["state"], newest.after["state"]) == ("DRAFT", "IN_REVIEW")
    assert (newest.reason, newest.trace_id) == ("campaigns.submit_campaign.v1", TRACEPARENT.split("-")[1])
    older = CampaignsReadAudit(wanted=AuditFilter(actor_id=AUTHOR.id, action="campaign."), before_id=newest.id)
    reply = await told(campaigns, older)
    assert [record.action for record in reply.message.records] == ["campaign.draft"]
    assert reply.message.more is False


@pytest.mark.parametrize("service", [CAMPAIGNS, NOTIFICATIONS], ids=lambda service: service.name)
async def test_a_service_refuses_whoever_does_not_audit(
    harness: Callable[[Service], Awaitable[Harness]], service: Service
) -> None:
    question = message_class(f"{service.name}.read_audit.v1")
    assert question is not None
    refusal = await told(await harness(service), question(wanted=AuditFilter()), Actor(str(uuid4()), "operations"))  # type: ignore[call-arg, arg-type]
    assert refusal.message.code == "not_allowed"
