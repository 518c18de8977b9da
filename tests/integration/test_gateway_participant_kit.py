"""Access tokens and calendars: shown once, stored hashed, reading only what was chosen, ended at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from icalendar import Calendar

from contracts.campaigns import CommitmentLocked, CommitmentReserved
from services.gateway.auth import requests
from services.gateway.domain.policy import POLICY
from services.gateway.domain.token_scopes import SCOPES, scopes_of
from services.gateway.schemas.examples import BODY_EXAMPLES
from services.gateway.store.access_tokens import TOKENS_MAX
from services.gateway.store.accounts import token_hash
from tests.integration.gateway_support import STARTED, Stage, make_stage

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage() as made:
        yield made


async def token_of(client: httpx.AsyncClient, *scopes: str) -> dict[str, str]:
    answer = await client.post("/v1/access-tokens", json={"scopes": list(scopes)})
    assert answer.status_code == 201, answer.text
    made: dict[str, str] = answer.json()
    return made


async def commit(stage: Stage, client: httpx.AsyncClient, subject_id: object) -> str:
    """A commitment with held funds in a campaign that closes in two weeks."""
    campaign_id, terms_hash = await stage.open_campaign()
    ids = {"campaign_id": campaign_id, "commitment_id": uuid4(), "participant_id": subject_id}
    figures = {"quantity": 1, "amount_minor": 54_900, "currency": "usd"}
    await stage.tell(
        CommitmentReserved(
            **ids, **figures, terms_hash=terms_hash, reference="R-1", reserved_until=STARTED, reserved_units=1,
            held_units=0,
        )
    )  # fmt: skip
    await stage.tell(CommitmentLocked(**ids, **figures, held_units=1, reserved_units=0, held_commitments=1))
    await stage.seen(client, f"/v1/commitments/{ids['commitment_id']}", state="LOCKED")
    return str(ids["commitment_id"])


async def test_a_token_reads_what_its_scopes_name_and_nothing_else(stage: Stage) -> None:
    client, subject_id = await stage.participant()
    commitment_id = await commit(stage, client, subject_id)
    reader = stage.client((await token_of(client, "commitments"))["secret"])
    shown = (await reader.get("/v1/commitments")).json()
    assert [each["id"] for each in shown["data"]] == [commitment_id]
    assert (await reader.get(f"/v1/commitments/{commitment_id}")).status_code == 200
    for path in ("/v1/me", "/v1/campaigns", "/v1/me/data", "/v1/me/erasure", "/v1/access-tokens"):
        answer = await reader.get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), path
    writes = ("/v1/access-tokens", "/v1/me/erasure", f"/v1/commitments/{commitment_id}/withdrawal")
    for path in writes:
        answer = await reader.post(path, json={}, headers={"Idempotency-Key": uuid4().hex})
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), path


async def test_a_token_proves_nothing_that_an_act_asks_for_even_where_a_scope_let_it_through(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id, terms_hash = await stage.open_campaign()
    client, _ = await stage.participant()
    reader = stage.client((await token_of(client, "campaigns"))["secret"])
    monkeypatch.setattr(requests, "may_ask", lambda *_: True)
    body = {"quantity": 1, "terms_hash": terms_hash, "confirmation_token": "ctoken_ok"}
    for path, given, code in (
        (f"/v1/campaigns/{campaign_id}/commitments", body, "passkey_required"),
        ("/v1/me/erasure", {}, "sign_in_again"),
        ("/v1/account/passkeys/options", {}, "sign_in_again"),
    ):
        answer = await reader.post(path, json=given, headers={"Idempotency-Key": uuid4().hex})
        assert (answer.status_code, answer.json()["code"]) == (403, code), path


async def test_nothing_but_drafts_is_written_by_a_token_and_no_scope_gives_more_than_the_role() -> None:
    writes = {name for operations in SCOPES.values() for name in operations if POLICY[name].access == "write"}
    assert writes == {"draft_campaign", "revise_draft"}
    offered = {
        role: set(scopes_of(role)) for role in ("participant", "operations", "escrow_auditor", "support_readonly")
    }
    assert offered == {
        "participant": {"campaigns", "commitments"},
        "operations": {"campaigns", "work", "drafts"},
        "escrow_auditor": {"campaigns", "work", "audit"},
        "support_readonly": {"campaigns", "work"},
    }


async def test_a_script_of_staff_keeps_drafts_and_does_nothing_else(stage: Stage) -> None:
    made = await token_of(await stage.sign_in("olga@alpmera.test"), "drafts")
    life = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["created_at"])
    assert life == timedelta(days=90)
    script = stage.client(made["secret"])
    key = {"Idempotency-Key": uuid4().hex, "Prefer": "wait=0"}
    drafted = await script.post("/v1/campaigns", json=BODY_EXAMPLES["CampaignBody"], headers=key)
    assert drafted.status_code == 202, drafted.text
    for path in ("/v1/cases", "/v1/audit", "/v1/me"):
        assert (await script.get(path)).json()["code"] == "not_allowed", path
    top_up = await script.post("/v1/float/top-ups", json={"amount": 1}, headers=key)
    assert (top_up.status_code, top_up.json()["code"]) == (403, "not_allowed")
    for login, scope in (("olga", "audit"), ("olga", "commitments"), ("ana", "drafts")):
        client = await stage.sign_in(f"{login}@alpmera.test")
        answer = await client.post("/v1/access-tokens", json={"scopes": [scope]})
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), (login, scope)


async def test_a_scope_that_the_role_lost_is_gone_with_it(stage: Stage) -> None:
    client = await stage.sign_in("ana@alpmera.test")
    subject_id = (await client.get("/v1/me")).json()["account"]["subject_id"]
    script = stage.client((await token_of(client, "work", "audit"))["secret"])
    await stage.execute("UPDATE account SET role = 'operations' WHERE subject_id = :id", id=subject_id)
    try:
        assert (await script.get("/v1/cases")).status_code == 200
        assert (await script.get("/v1/audit")).json()["code"] == "not_allowed"
    finally:
        await stage.execute("UPDATE account SET role = 'escrow_auditor' WHERE subject_id = :id", id=subject_id)


async def test_a_token_never_reads_what_is_anothers(stage: Stage) -> None:
    client, subject_id = await stage.participant()
    commitment_id = await commit(stage, client, subject_id)
    other, _ = await stage.participant()
    reader = stage.client((await token_of(other, "commitments"))["secret"])
    assert (await reader.get("/v1/commitments")).json()["data"] == []
    assert (await reader.get(f"/v1/commitments/{commitment_id}")).status_code == 404


async def test_a_token_is_shown_once_stored_hashed_and_ended_at_once(stage: Stage) -> None:
    client, subject_id = await stage.participant()
    made = await token_of(client, "campaigns", "commitments")
    secret = made["secret"]
    (row,) = await stage.rows("SELECT * FROM access_token WHERE subject_id = :id", id=subject_id)
    assert bytes(row.token_hash) == token_hash(secret)
    assert secret not in str(row)
    listed = (await client.get("/v1/access-tokens")).json()["data"]
    assert [(each["id"], each["hint"], each["last_used_at"]) for each in listed] == [(made["id"], secret[:8], None)]
    assert secret not in str(listed)
    reader = stage.client(secret)
    assert (await reader.get("/v1/campaigns")).status_code == 200
    assert (await client.get("/v1/access-tokens")).json()["data"][0]["last_used_at"] is not None
    assert (await client.delete(f"/v1/access-tokens/{made['id']}")).status_code == 204
    assert (await reader.get("/v1/commitments")).status_code == 401
    rows = await stage.rows("SELECT action FROM audit_entry WHERE subject = :id ORDER BY id", id=made["id"])
    assert [row.action for row in rows] == ["access_token.made", "access_token.ended"]


async def test_an_expired_token_and_one_too_many_are_refused(stage: Stage) -> None:
    client, subject_id = await stage.participant()
    made = [await token_of(client, "campaigns") for _ in range(TOKENS_MAX)]
    answer = await client.post("/v1/access-tokens", json={"scopes": ["campaigns"]})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    await stage.execute(
        "UPDATE access_token SET expires_at = clock_timestamp() - interval '1 second' WHERE subject_id = :id",
        id=subject_id,
    )
    assert (await stage.client(made[0]["secret"]).get("/v1/commitments")).status_code == 401


async def test_a_calendar_shows_the_dates_of_its_person_by_a_secret_that_can_be_renewed(stage: Stage) -> None:
    client, subject_id = await stage.participant()
    commitment_id = await commit(stage, client, subject_id)
    url = (await client.post("/v1/me/calendar")).json()["url"]
    path = "/v1/calendar/" + url.rpartition("/")[2]
    anonymous = stage.client()
    answer = await anonymous.get(path + ".ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-store"
    (entry,) = Calendar.from_ical(answer.content).walk("VEVENT")
    assert str(entry["uid"]) == f"{commitment_id}.close@alpmera"
    assert str(entry["summary"]) == "Joining closes: Dryers for Ballard"
    assert entry.decoded("dtstart") == STARTED + timedelta(days=14)
    assert str(subject_id) not in answer.text
    renewed = (await client.post("/v1/me/calendar")).json()["url"]
    assert renewed != url
    gone = await anonymous.get(path)
    assert (gone.status_code, gone.json()["instance"]) == (404, "/v1/calendar/…")
    assert (await client.get("/v1/me/calendar")).json()["url"] is None
    assert (await client.delete("/v1/me/calendar")).status_code == 204
    assert (await anonymous.get("/v1/calendar/" + renewed.rpartition("/")[2])).status_code == 404
