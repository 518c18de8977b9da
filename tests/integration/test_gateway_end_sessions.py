"""The operator ends sessions from outside and shuts somebody out who leaves: by the command, seen over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import create_async_engine

from services.gateway import shut_out as command
from services.gateway.shut_out import UnknownPersonError, Wanted, shut_out
from tests.integration.gateway_accounts import Browser, invited
from tests.integration.gateway_passkeys import SoftPasskey
from tests.integration.gateway_support import Stage, make_stage

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage() as made:
        yield made


async def end(stage: Stage, email: str | None, *, close: bool = False) -> int:
    """What the command does, as the gateway's own role in the database; how many sessions it ended."""
    engine = create_async_engine(stage.database.app)
    try:
        ended = await shut_out(engine, stage.settings, Wanted(email, close))
        return sum(each.sessions for each in ended.values())
    finally:
        await engine.dispose()


async def statuses(browsers: Sequence[Browser], *, until: int) -> set[int]:
    """What `/v1/me` answers, once the notice has arrived."""
    found: set[int] = set()
    for _ in range(200):
        found = {(await browser.get("/v1/me")).status_code for browser in browsers}
        if found == {until}:
            break
    return found


async def test_the_operator_ends_one_persons_sessions_or_everybodys(stage: Stage) -> None:
    mine, email = await invited(stage)
    theirs, _ = await invited(stage)
    assert await statuses([mine, theirs], until=200) == {200}
    assert await end(stage, email.upper()) == 1
    assert await statuses([mine], until=401) == {401}
    assert await statuses([theirs], until=200) == {200}
    assert await end(stage, None) >= 1
    assert await statuses([theirs], until=401) == {401}
    again = await mine.code_from_mail("/v1/sign-in/code", {"email": email})
    assert again.status_code == 200


async def test_what_read_in_the_accounts_name_ends_too_and_each_account_has_its_record(stage: Stage) -> None:
    mine, email = await invited(stage)
    token = (await mine.post("/v1/access-tokens", {"scopes": ["commitments"]})).json()["secret"]
    calendar = (await mine.post("/v1/me/calendar")).json()["url"].removeprefix(stage.url)
    subject_id = (await mine.get("/v1/me")).json()["account"]["subject_id"]
    reader = stage.client(token)
    assert (await reader.get("/v1/commitments")).status_code == 200
    assert await end(stage, email) == 1
    assert (await reader.get("/v1/commitments")).status_code == 401
    assert (await stage.client().get(calendar)).status_code == 404
    await end(stage, email)
    rows = await stage.rows(
        "SELECT actor_role, before, after, reason FROM audit_entry "
        "WHERE action = 'account.shut_out' AND subject = :id ORDER BY id",
        id=subject_id,
    )
    nothing = {"sessions": 0, "access_tokens": 0, "calendars": 0}
    assert [(row.before, row.after) for row in rows] == [
        ({"sessions": 1, "access_tokens": 1, "calendars": 1}, nothing),
        (nothing, nothing),
    ]
    assert {(row.actor_role, row.reason) for row in rows} == {("system", "operator")}


async def test_somebody_who_leaves_the_staff_has_no_session_and_no_way_back(stage: Stage) -> None:
    browser, email = await invited(stage, "gatekeeper")
    passkey = SoftPasskey(stage.url)
    await browser.add_passkey(passkey)
    invitation = (await browser.post("/v1/member-invitations", {"role": "participant"})).json()["token"]
    asked = await stage.client().post("/v1/sign-in/code", json={"email": email})
    assert await end(stage, email, close=True) == 1
    assert await statuses([browser], until=401) == {401}
    assert (await Browser(stage).prove(passkey, "/v1/sign-in/passkey")).json()["code"] == "passkey_not_accepted"
    given = {"challenge": asked.json()["challenge"], "code": "12345678"}
    assert (await stage.client().post("/v1/sign-in/code/answer", json=given)).json()["code"] == "code_not_accepted"
    preview = await stage.client().post("/v1/member-invitations/preview", json={"token": invitation})
    assert preview.json()["code"] == "member_invitation_unusable"
    with pytest.raises(UnknownPersonError):
        await end(stage, email)
    (told,) = await stage.rows("SELECT before, after FROM audit_entry WHERE action = 'account.closed'")
    assert (told.before["sessions"], told.after["sessions"]) == (1, 0)


async def test_nobody_is_shut_out_by_a_wrong_address_and_no_participant_from_their_money(stage: Stage) -> None:
    browser, email = await invited(stage)
    for wrong, close in (("nobody-here@people.test", False), ("nobody-here@people.test", True), (email, True)):
        with pytest.raises(UnknownPersonError):
            await end(stage, wrong, close=close)
    assert (await browser.get("/v1/me")).status_code == 200


@pytest.mark.parametrize("arguments", [[], ["--email", "a@b.test", "--everybody"], ["--everybody", "--close"]])
async def test_the_command_wants_to_know_whom(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 2
