"""A person's own data: what the file holds, how erasure waits, what it destroys, and how long everything else stays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from contracts.campaigns import CommitmentLocked, CommitmentReserved, CommitmentSettled
from contracts.envelope import Actor
from contracts.escrow import RefundDecided, RefundSent
from contracts.notices import NOTICES_MAX, Notice, NoticesTold, TellNotices
from services.gateway.auth.person_keys import contact_of
from services.gateway.domain.retention import RETENTION
from services.gateway.store import read_person
from services.gateway.usecases import ask_services, erase_people, sweep_expired
from services.kit.audit_seal import seal, verify
from services.kit.clock import wall_now
from services.notifications.handlers import SERVICE as NOTIFICATIONS
from tests.fixtures.harness import make_harness
from tests.integration.gateway_support import STARTED, Stage, make_stage

pytestmark = pytest.mark.asyncio

EMAIL = "canary.wren@example.test"
KEYS = ("subject_id", "participant_id", "actor_id", "issued_by", "used_by", "email_lookup", "email_sealed")
"""Names of columns by which a table names a person."""


@pytest_asyncio.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setattr(erase_people, "SWEEP_SECONDS", 0.1)
    async with make_stage(erasure_rest_seconds=0) as made:
        yield made


async def member(stage: Stage) -> tuple[httpx.AsyncClient, UUID]:
    """Somebody with an address, signed in."""
    answer = await stage.client().post(
        "/v1/dev/participants", json={"participants": [{"external_id": uuid4().hex, "email": EMAIL}]}
    )
    assert answer.status_code == 200, answer.text
    (made,) = answer.json()["participants"]
    return stage.client(made["token"]), UUID(made["subject_id"])


async def commit(stage: Stage, client: httpx.AsyncClient, subject_id: UUID) -> dict[str, Any]:
    """A commitment whose funds are held, told by the other services; the ids of it."""
    campaign_id, terms_hash = await stage.open_campaign()
    ids = {"campaign_id": campaign_id, "commitment_id": uuid4(), "participant_id": subject_id}
    figures = {"quantity": 1, "amount_minor": 54_900, "currency": "usd"}
    await stage.tell(
        CommitmentReserved(
            **ids, **figures, terms_hash=terms_hash, reference="R-9", reserved_until=STARTED + timedelta(days=1),
            reserved_units=1, held_units=0,
        )
    )  # fmt: skip
    await stage.tell(CommitmentLocked(**ids, **figures, held_units=1, reserved_units=0, held_commitments=1))
    await stage.seen(client, f"/v1/commitments/{ids['commitment_id']}", state="LOCKED")
    return ids


async def refund(stage: Stage, ids: dict[str, Any]) -> None:
    """The commitment's money goes back and arrives."""
    decision = {"decision_id": uuid4(), "amount_minor": 54_900, "currency": "usd", "reason": "delay_exit"}
    await stage.tell(RefundDecided(**ids, **decision))
    await stage.tell(CommitmentSettled(**ids, state="REFUNDED"))
    sent = {name: value for name, value in decision.items() if name in RefundSent.model_fields}
    await stage.tell(RefundSent(**ids, **sent, refund_id="re_1"))


async def answer_notices(stage: Stage, *, more: bool = False) -> None:
    """Play the notifications service."""
    asked = await stage.command(TellNotices)
    notice = Notice(
        message_id=uuid4(), campaign_id=uuid4(), template="funds_held", subject="<b>Held</b>", recorded_at=STARTED,
        result="sent",
    )  # fmt: skip
    who = asked.message.participant_id
    await stage.reply(NoticesTold(question_id=asked.id, participant_id=who, notices=(notice,), more=more))


# -- the file ---------------------------------------------------------------------------------------------------------


async def test_the_file_holds_every_part_that_is_kept_of_a_person(stage: Stage) -> None:
    client, subject_id = await member(stage)
    ids = await commit(stage, client, subject_id)
    answering = asyncio.create_task(answer_notices(stage))
    answer = await client.get("/v1/me/data")
    await answering
    body = answer.json()
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["content-disposition"] == 'attachment; filename="alpmera-my-data.json"'
    assert (body["account"]["email"], body["account"]["subject_id"]) == (EMAIL, str(subject_id))
    assert [each["id"] for each in body["commitments"]] == [str(ids["commitment_id"])]
    assert body["commitments"][0]["money_now"]
    assert [each["campaign_id"] for each in body["consents"]] == [str(ids["campaign_id"])]
    assert len(body["sessions"]) == 1
    assert [each["subject"] for each in body["notices"]] == ["<b>Held</b>"]
    assert (body["issues"], body["acts"]) == ([], [])


async def test_the_file_says_of_every_part_whether_a_bound_cut_something_off(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_person, "ROWS_MAX", 1)
    client, subject_id = await member(stage)
    await commit(stage, client, subject_id)
    for _ in range(2):
        await client.post("/v1/access-tokens", json={"scopes": ["campaigns"]})
    answering = asyncio.create_task(answer_notices(stage, more=True))
    body = (await client.get("/v1/me/data")).json()
    await answering
    told = body["completeness"]
    assert {name for name, value in body.items() if value is not None} == {*told, "made_at", "completeness"}
    assert {name for name, each in told.items() if not each["complete"]} == {"access_tokens", "notices"}
    assert (told["access_tokens"]["rows_max"], len(body["access_tokens"])) == (1, 1)
    assert told["notices"]["rows_max"] == NOTICES_MAX
    asked = {"format": "html", "section": ["access_tokens", "sessions"]}
    page = (await client.get("/v1/me/data", params=asked)).text
    assert page.count("This part is complete.") == page.count("This part is not complete: the file has 1 entries") == 1


async def test_the_page_says_the_same_and_runs_nothing(stage: Stage) -> None:
    client, _ = await member(stage)
    answering = asyncio.create_task(answer_notices(stage))
    answer = await client.get("/v1/me/data", params={"format": "html"})
    await answering
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-store"
    assert EMAIL in answer.text
    assert "&lt;b&gt;Held&lt;/b&gt;" in answer.text
    assert "<script" not in answer.text


async def test_a_file_without_one_part_is_only_given_to_who_asked_for_that(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask_services, "ANSWER_SECONDS_MAX", 0.3)
    client, _ = await member(stage)
    answer = await client.get("/v1/me/data")
    assert (answer.status_code, answer.json()["facts"]) == (503, {"silent": ["notifications"]})
    body = (await client.get("/v1/me/data", params={"section": ["account", "sessions"]})).json()
    assert body["account"]["email"] == EMAIL
    assert body["notices"] is None


async def test_notices_are_told_to_their_person_and_to_nobody_else() -> None:
    harness = await make_harness(NOTIFICATIONS)
    somebody, other = uuid4(), Actor(str(uuid4()), "participant")
    question = TellNotices(participant_id=somebody, limit=5)
    (refused,) = await harness.deliver(question, actor=other)
    (told,) = await harness.deliver(question, actor=Actor(str(somebody), "participant"))
    assert refused.message.code == "not_allowed"
    assert isinstance(told.message, NoticesTold)
    assert (told.topic, told.message.notices) == ("gateway.replies", ())
    await harness.close()


# -- erasure ----------------------------------------------------------------------------------------------------------


async def erased(stage: Stage, subject_id: UUID) -> bool:
    """Whether it was carried out, after some sweeps."""
    for _ in range(50):
        (row,) = await stage.rows("SELECT erased_at FROM account WHERE subject_id = :id", id=subject_id)
        if row.erased_at is not None:
            return True
        await asyncio.sleep(0.05)
    return False


async def test_erasure_is_recorded_at_once_and_waits_for_money_that_is_open(stage: Stage) -> None:
    client, subject_id = await member(stage)
    ids = await commit(stage, client, subject_id)
    before = (await client.get("/v1/me/erasure")).json()
    assert (before["state"], [each["kind"] for each in before["waits_for"]]) == ("not_requested", ["funds"])
    asked = (await client.post("/v1/me/erasure")).json()
    assert asked["state"] == "waiting"
    assert asked["waits_for"][0]["commitment_id"] == str(ids["commitment_id"])
    again = (await client.post("/v1/me/erasure")).json()
    assert again["requested_at"] == asked["requested_at"]
    assert not await erased(stage, subject_id)
    await refund(stage, ids)
    assert await erased(stage, subject_id)
    assert (await client.get("/v1/me")).status_code == 401


async def test_a_refund_that_has_not_arrived_is_money_that_is_open(stage: Stage) -> None:
    client, subject_id = await member(stage)
    ids = await commit(stage, client, subject_id)
    decision = {"decision_id": uuid4(), "amount_minor": 54_900, "currency": "usd", "reason": "delay_exit"}
    await stage.tell(CommitmentSettled(**ids, state="REFUNDED"))
    await stage.tell(RefundDecided(**ids, **decision))
    await stage.seen(client, f"/v1/commitments/{ids['commitment_id']}", state="REFUNDED")
    asked = (await client.post("/v1/me/erasure")).json()
    assert [each["kind"] for each in asked["waits_for"]] == ["refund"]
    assert not await erased(stage, subject_id)


async def test_a_request_can_be_taken_back_while_it_waits(stage: Stage) -> None:
    client, subject_id = await member(stage)
    await commit(stage, client, subject_id)
    await client.post("/v1/me/erasure")
    assert (await client.delete("/v1/me/erasure")).status_code == 204
    assert (await client.delete("/v1/me/erasure")).status_code == 204
    assert (await client.get("/v1/me/erasure")).json()["state"] == "not_requested"
    rows = await stage.rows("SELECT action FROM audit_entry WHERE subject = :id ORDER BY id", id=str(subject_id))
    assert [row.action for row in rows] == ["person.erasure_requested", "person.erasure_withdrawn"]


async def test_erasure_destroys_the_key_the_rows_and_the_sessions_and_leaves_a_tombstone(stage: Stage) -> None:
    client, subject_id = await member(stage)
    own_key = stage.settings.people_key_gateway.get_secret_value()
    (kept,) = await stage.rows("SELECT email_sealed FROM account WHERE subject_id = :id", id=subject_id)
    async with stage.owner.connect() as connection:
        assert (await contact_of(connection, own_key, subject_id))["email"] == EMAIL
    await client.post("/v1/me/erasure")
    assert await erased(stage, subject_id)
    # An older copy of the row opens with nothing any more.
    await stage.execute(
        "UPDATE account SET email_sealed = :sealed, email_lookup = :lookup WHERE subject_id = :id",
        sealed=kept.email_sealed, lookup=b"x", id=subject_id,
    )  # fmt: skip
    async with stage.owner.connect() as connection:
        assert await contact_of(connection, own_key, subject_id) == {}
    for table in ("session", "person_key"):
        assert await stage.rows(f"SELECT 1 FROM {table} WHERE subject_id = :id", id=subject_id) == []
    sent = await stage.rows(
        "SELECT payload FROM outbox WHERE topic = 'gateway.people' AND key = :id ORDER BY id", id=str(subject_id)
    )
    assert [row.payload for row in sent] == ["", ""]
    (record,) = await stage.rows("SELECT actor_role, after FROM audit_entry WHERE action = 'person.erased'")
    assert (record.actor_role, record.after) == ("system", {"erasure": "erased"})
    async with stage.owner.begin() as connection:
        await seal(connection)
        assert await verify(connection) is None


async def test_the_application_can_empty_nothing_but_one_persons_messages(stage: Stage) -> None:
    _, subject_id = await member(stage)
    (rights,) = await stage.rows(
        "SELECT has_column_privilege(:app, 'outbox', 'payload', 'UPDATE') AS may",
        app=stage.database.app.split("//")[1].split(":")[0],
    )
    assert rights.may is False
    (emptied,) = await stage.rows("SELECT empty_person_messages(:id) AS rows", id=uuid4())
    assert emptied.rows == 0
    (kept,) = await stage.rows("SELECT payload FROM outbox WHERE key = :id", id=str(subject_id))
    assert kept.payload


# -- retention --------------------------------------------------------------------------------------------------------


async def test_every_table_that_names_a_person_has_its_retention(stage: Stage) -> None:
    """A table that gains a person joins the table of retention, and erasure with it, or this fails."""
    rows = await stage.rows(
        "SELECT DISTINCT table_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND column_name = ANY(:names)",
        names=list(KEYS),
    )
    told = {table for kept in RETENTION for table in kept.tables}
    assert {row.table_name for row in rows} <= told


async def test_what_has_expired_is_removed_and_what_lives_stays(stage: Stage) -> None:
    client, subject_id = await member(stage)
    (kept,) = [each for each in RETENTION if each.what == "Sessions"]
    assert kept.days is not None
    long_ago = wall_now() - timedelta(days=kept.days + 1)
    await stage.execute(
        "INSERT INTO session (token_hash, session_id, subject_id, csrf_token, created_at, last_seen_at, idle_seconds, "
        "expires_at) VALUES (:hash, :id, :subject, 'x', :at, :at, 60, :at)",
        hash=b"h" * 32, id=uuid4(), subject=subject_id, at=long_ago,
    )  # fmt: skip
    assert await sweep_expired.sweep_once(stage.owner) == 1
    assert (await client.get("/v1/me")).status_code == 200
