"""Alert rules over HTTP: set and removed by commands, listed from what the notifications service told of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from contracts.alerts import (
    AlertFired,
    AlertRuleEnded,
    AlertRuleRemoved,
    AlertRuleSet,
    EndAlertRules,
    RemoveAlertRule,
    SetAlertRule,
)
from contracts.envelope import Message
from contracts.housekeeping import NotificationsCommandRefused
from tests.integration.gateway_support import Sent, Stage, key, make_stage

pytestmark = pytest.mark.asyncio

ALERTS = "/v1/me/alerts"


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage() as made:
        yield made


async def send(stage: Stage, client: httpx.AsyncClient, body: dict[str, Any]) -> tuple[asyncio.Task[Any], Sent]:
    """A request under way, and the command that it wrote."""
    await stage.commands()
    sending = asyncio.create_task(client.post(ALERTS, json={"rule": body}, headers=key()))
    return sending, await stage.command(SetAlertRule)


async def set_rule(stage: Stage, client: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    """Set a rule, with the notifications service played here."""
    sending, sent = await send(stage, client, body)
    assert isinstance(sent.message, SetAlertRule)
    told = AlertRuleSet(
        participant_id=sent.message.participant_id, rule_id=sent.message.rule_id, rule=sent.message.rule
    )
    await stage.tell(told, cause=sent.id)
    answer = await sending
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def listed(stage: Stage, client: httpx.AsyncClient, *states: str) -> list[dict[str, Any]]:
    """The rules, once they have these states."""
    rows: list[dict[str, Any]] = []
    for _ in range(200):
        rows = (await client.get(ALERTS)).json()["data"]
        if sorted(each["state"] for each in rows) == sorted(states):
            return rows
        await asyncio.sleep(0.05)
    raise AssertionError(f"never {states}: {rows}")


async def test_a_rule_is_set_listed_fires_and_is_over(stage: Stage) -> None:
    client, subject_id = await stage.participant()
    campaign_id, _ = await stage.open_campaign()
    about = {"kind": "target_percent", "campaign_id": str(campaign_id), "percent": 80}
    made = await set_rule(stage, client, about)
    assert (made["rule"], made["state"], made["campaign_title"]) == (about, "waiting", "Dryers for Ballard")
    ids = {"campaign_id": campaign_id, "participant_id": subject_id, "rule_id": UUID(made["id"])}
    ended = await set_rule(stage, client, {"kind": "closes_within", "campaign_id": str(campaign_id), "days": 3})
    await stage.tell(AlertFired(**ids, occurrence=ids["rule_id"]))
    await stage.tell(AlertRuleEnded(**ids | {"rule_id": UUID(ended["id"])}, reason="joining_ended"))
    rows = await listed(stage, client, "ended", "fired")
    assert {each["id"] for each in rows} == {made["id"], ended["id"]}
    kept = (await client.get("/v1/me/data", params={"section": "alerts"})).json()
    assert {each["id"] for each in kept["alerts"]} == {made["id"], ended["id"]}


async def test_a_rule_about_refunds_goes_on_waiting_after_it_fired(stage: Stage) -> None:
    client, subject_id = await stage.participant()
    made = await set_rule(stage, client, {"kind": "refund_unsettled", "hours": 24})
    for _ in range(2):
        await stage.tell(
            AlertFired(campaign_id=uuid4(), participant_id=subject_id, rule_id=UUID(made["id"]), occurrence=uuid4())
        )
    for _ in range(200):
        (row,) = await listed(stage, client, "waiting")
        if row["firings"] == 2:
            break
    assert (row["firings"], row["rule"]) == (2, {"kind": "refund_unsettled", "hours": 24})


async def test_a_rule_is_removed_by_its_person_alone(stage: Stage) -> None:
    client, subject_id = await stage.participant()
    other, _ = await stage.participant()
    made = await set_rule(stage, client, {"kind": "refund_unsettled", "hours": 24})
    path = f"{ALERTS}/{made['id']}/removal"
    refused = await other.post(path, json={}, headers=key())
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert (await other.get(ALERTS)).json()["data"] == []
    sending = asyncio.create_task(client.post(path, json={}, headers=key()))
    sent = await stage.command(RemoveAlertRule)
    await stage.tell(AlertRuleRemoved(participant_id=subject_id, rule_id=UUID(made["id"])), cause=sent.id)
    answer = await sending
    assert (answer.status_code, answer.json()["state"]) == (200, "removed")
    assert (await client.get(ALERTS)).json()["data"] == []


async def test_what_the_service_refuses_is_told_with_its_code(stage: Stage) -> None:
    client, subject_id = await stage.participant()
    sending, sent = await send(stage, client, {"kind": "refund_unsettled", "hours": 1})
    refusal: Message = NotificationsCommandRefused(
        scope_id=str(subject_id), command_id=sent.id, command_type=SetAlertRule.type, code="alert_rules_used_up",
        subject_id=None, facts={"rules_max": 20},
    )  # fmt: skip
    await stage.tell(refusal, cause=sent.id)
    answer = await sending
    assert (answer.status_code, answer.json()["code"]) == (409, "alert_rules_used_up")


async def test_no_rule_is_set_for_a_campaign_that_the_person_may_not_see(stage: Stage) -> None:
    client, _ = await stage.participant()
    campaign_id, _ = await stage.open_campaign(visibility="private")
    await stage.commands()
    body = {"rule": {"kind": "campaign_state", "campaign_id": str(campaign_id), "state": "COMPLETED"}}
    answer = await client.post(ALERTS, json=body, headers=key())
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert await stage.commands() == []


async def test_an_admission_that_is_taken_back_ends_the_rules_about_its_campaign(stage: Stage) -> None:
    campaign_id, _ = await stage.open_campaign(visibility="private")
    client, subject_id = await stage.participant()
    staff = await stage.sign_in("olga@alpmera.test")
    issued = (await staff.post("/v1/member-invitations", json={"campaign_id": str(campaign_id)})).json()
    used = await client.post("/v1/member-invitations/redemption", json={"token": issued["token"]})
    assert used.status_code == 200, used.text
    await stage.commands()
    revoked = await staff.post(f"/v1/member-invitations/{issued['id']}/revocation", json={})
    assert revoked.status_code == 200, revoked.text
    (sent,) = await stage.commands()
    assert sent.message == EndAlertRules(participant_id=subject_id, campaign_id=campaign_id)


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "target_percent", "campaign_id": str(uuid4()), "percent": 0},
        {"kind": "closes_within", "campaign_id": str(uuid4()), "days": 61},
        {"kind": "campaign_state", "campaign_id": str(uuid4()), "state": "ACTIVE"},
        {"kind": "refund_unsettled", "hours": 1, "campaign_id": str(uuid4())},
        {"kind": "price_drops"},
    ],
    ids=lambda rule: str(rule["kind"]),
)
async def test_a_rule_that_is_none_is_not_taken(stage: Stage, rule: dict[str, Any]) -> None:
    client, _ = await stage.participant()
    answer = await client.post(ALERTS, json={"rule": rule}, headers=key())
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert [each["pointer"] for each in answer.json()["errors"]] in (["/rule"], [f"/rule/{[*rule][-1]}"])
