"""Listing and ending sessions, and how long they last, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from tests.integration.gateway_support import Stage, gateway_settings, make_stage, serving

pytestmark = pytest.mark.asyncio

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage() as made:
        yield made


async def signed_in_twice(stage: Stage) -> tuple[httpx.AsyncClient, httpx.AsyncClient]:
    external_id = uuid4().hex
    return (await stage.participant(external_id))[0], (await stage.participant(external_id))[0]


async def listed(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    answer = await client.get("/v1/sessions")
    assert answer.status_code == 200, answer.text
    sessions: list[dict[str, Any]] = answer.json()["data"]
    return sessions


async def test_sessions_are_listed_with_their_program_and_the_own_one_is_marked(stage: Stage) -> None:
    answer = await stage.client(**{"User-Agent": FIREFOX}).post("/v1/dev/sign-in", json={"email": "theo@demo.test"})
    client = stage.client(answer.json()["token"])
    (current,) = [each for each in await listed(client) if each["current"]]
    assert (current["client"], current["proof"]) == ("Firefox on Linux", "local")
    assert (await stage.client().get("/v1/sessions")).status_code == 401


@pytest.mark.parametrize(("email", "hours"), [("ana@alpmera.test", 12), ("maya@demo.test", 60 * 24)])
async def test_a_session_lives_as_long_as_its_role_allows(stage: Stage, email: str, hours: int) -> None:
    (current,) = [each for each in await listed(await stage.sign_in(email)) if each["current"]]
    lived = datetime.fromisoformat(current["expires_at"]) - datetime.fromisoformat(current["created_at"])
    assert lived.total_seconds() == hours * 3600


async def test_an_ended_session_is_over_at_once_also_at_another_gateway(stage: Stage) -> None:
    here, lost = await signed_in_twice(stage)
    async with (
        serving(gateway_settings(stage.database, stage.settings.kafka_prefix)) as other_url,
        httpx.AsyncClient(base_url=other_url, headers=dict(lost.headers)) as elsewhere,
    ):
        assert (await elsewhere.get("/v1/me")).status_code == 200
        (other,) = [each for each in await listed(here) if not each["current"]]
        assert (await here.delete(f"/v1/sessions/{other['id']}")).status_code == 204
        assert (await lost.get("/v1/me")).status_code == 401
        for _ in range(100):
            answer = await elsewhere.get("/v1/me")
            if answer.status_code == 401:
                break
        assert answer.status_code == 401
    assert [each["current"] for each in await listed(here)] == [True]
    assert (await here.delete(f"/v1/sessions/{other['id']}")).status_code == 404


async def test_every_other_session_can_be_ended_together(stage: Stage) -> None:
    here, other = await signed_in_twice(stage)
    assert (await here.delete("/v1/sessions")).status_code == 204
    assert (await here.get("/v1/me")).status_code == 200
    assert (await other.get("/v1/me")).status_code == 401


async def test_nobody_sees_or_ends_somebody_elses_session(stage: Stage) -> None:
    mine, _ = await stage.participant()
    theirs, _ = await stage.participant()
    (their_session,) = await listed(theirs)
    assert their_session["id"] not in {each["id"] for each in await listed(mine)}
    answer = await mine.delete(f"/v1/sessions/{their_session['id']}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await theirs.get("/v1/me")).status_code == 200


async def test_a_session_that_is_idle_or_too_old_is_not_listed(stage: Stage) -> None:
    here, _ = await signed_in_twice(stage)
    (other,) = [each for each in await listed(here) if not each["current"]]
    await stage.execute(
        "UPDATE session SET last_seen_at = last_seen_at - interval '15 days' WHERE session_id = :id", id=other["id"]
    )
    assert len(await listed(here)) == 1


async def test_a_cookie_ends_no_session_without_its_csrf_token(stage: Stage) -> None:
    answer = await stage.client().post("/v1/dev/sign-in", json={"email": "maya@demo.test"})
    browser = stage.client(Cookie=answer.headers["set-cookie"].split(";")[0])
    refused = await browser.delete("/v1/sessions")
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
    csrf = {"X-Alpmera-CSRF": answer.json()["csrf_token"]}
    assert (await browser.delete("/v1/sessions", headers=csrf)).status_code == 204
