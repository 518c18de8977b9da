"""What people do to their accounts leaves one record each, with who did it and in which trace, and nothing personal."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from structlog.testing import CapturingLogger

from services.gateway.domain.one_time_codes import STEP_SECONDS, code_at
from services.gateway.invite_founder import invite_founder
from services.gateway.routes import sign_in
from services.gateway.store import session_list
from services.kit.clock import wall_seconds
from tests.integration.gateway_accounts import Browser, invited, staff_token
from tests.integration.gateway_passkeys import SoftPasskey
from tests.integration.gateway_support import Stage, make_stage

pytestmark = pytest.mark.asyncio

PASSKEY_NAME = "Phone in the blue coat"
NOTE = "For the neighbour upstairs"


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage() as made:
        yield made


class Scene:
    """One act: what was there before it, whose act it is, and what its record has to say."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.actor: tuple[str, str] = ("", "")
        self.secret: list[str] = [PASSKEY_NAME, NOTE, "python-httpx"]
        self.wanted: dict[str, Any] = {}
        self.browser = Browser(stage)
        self.email = ""
        self._before = 0

    async def somebody(self, role: str = "participant") -> Browser:
        """Somebody who signed up by an invitation and a mail."""
        self.browser, self.email = await invited(self.stage, role)
        self.secret += [self.email, self.email.partition("@")[0]]
        return self.browser

    async def with_passkey(self, role: str = "participant") -> SoftPasskey:
        await self.somebody(role)
        passkey = SoftPasskey(self.stage.url)
        assert (await self.browser.add_passkey(passkey, PASSKEY_NAME)).status_code == 201
        return passkey

    async def passkey_id(self) -> str:
        found: str = (await self.browser.get("/v1/account/security")).json()["passkeys"][0]["id"]
        return found

    async def begin(self, who: httpx.AsyncClient | Browser, **wanted: Any) -> None:
        """Everything from here on is the act."""
        account = (await who.get("/v1/me")).json()["account"]
        self.actor = (account["subject_id"], account["role"])
        self.wanted = wanted
        self._before = (await self.stage.rows("SELECT COALESCE(max(id), 0) AS id FROM audit_entry"))[0].id

    async def records(self) -> list[Any]:
        return await self.stage.rows("SELECT * FROM audit_entry WHERE id > :id ORDER BY id", id=self._before)

    async def session_id(self, browser: Browser) -> str:
        rows = (await browser.get("/v1/sessions")).json()["data"]
        (current,) = [row["id"] for row in rows if row["current"]]
        return str(current)


Act = Callable[[Scene], Awaitable[httpx.Response]]


async def signs_up(scene: Scene) -> httpx.Response:
    founder = await staff_token(scene.stage, "founder")
    invitation = (await founder.post("/v1/member-invitations", json={"role": "operations"})).json()
    scene.secret += ["new.person@people.test", invitation["token"]]
    await scene.begin(founder)
    given = {"token": invitation["token"], "email": "new.person@people.test"}
    answer = await scene.browser.code_from_mail("/v1/sign-up/code", given)
    account = answer.json()["account"]
    scene.actor = (account["subject_id"], "operations")
    scene.wanted = {
        "subject": account["subject_id"],
        "after": {"role": "operations", "kind": "person", "invitation_id": invitation["id"]},
        "beside": ["member_invitation.used", "session.opened"],
    }
    return answer


async def signs_in_by_mail(scene: Scene) -> httpx.Response:
    await scene.begin(await scene.somebody(), after={"proof": "mail_code"})
    again = Browser(scene.stage)
    answer = await again.code_from_mail("/v1/sign-in/code", {"email": scene.email})
    scene.wanted["subject"] = await scene.session_id(again)
    return answer


async def signs_in_by_passkey(scene: Scene) -> httpx.Response:
    passkey = await scene.with_passkey()
    await scene.begin(scene.browser, after={"proof": "passkey"})
    return await Browser(scene.stage).prove(passkey, "/v1/sign-in/passkey")


async def signs_in_locally(scene: Scene) -> httpx.Response:
    await scene.begin(await scene.stage.sign_in("maya@demo.test"), after={"proof": "local"})
    scene.secret.append("maya")
    return await scene.stage.client().post("/v1/dev/sign-in", json={"email": "maya@demo.test"})


async def confirms(scene: Scene) -> httpx.Response:
    passkey = await scene.with_passkey()
    again = Browser(scene.stage)
    await again.code_from_mail("/v1/sign-in/code", {"email": scene.email})
    await scene.begin(again, before={"proof": "mail_code"}, after={"proof": "passkey"})
    scene.wanted["subject"] = await scene.session_id(again)
    return await again.prove(passkey, "/v1/step-up/passkey")


async def signs_out(scene: Scene) -> httpx.Response:
    browser = await scene.somebody()
    await scene.begin(browser, subject=await scene.session_id(browser), reason="signed_out")
    return await browser.send("DELETE", "/v1/session")


async def ends_a_session(scene: Scene) -> httpx.Response:
    browser = await scene.somebody()
    other = Browser(scene.stage)
    await other.code_from_mail("/v1/sign-in/code", {"email": scene.email})
    subject = await scene.session_id(other)
    await scene.begin(browser, subject=subject, reason="ended_from_the_list")
    return await browser.send("DELETE", f"/v1/sessions/{subject}")


async def signs_in_again(scene: Scene) -> httpx.Response:
    browser = await scene.somebody()
    subject = await scene.session_id(browser)
    await scene.begin(browser, subject=subject, reason="signed_in_again", beside=["session.opened"])
    return await browser.code_from_mail("/v1/sign-in/code", {"email": scene.email})


async def ends_the_others(scene: Scene) -> httpx.Response:
    browser = await scene.somebody()
    for _ in range(2):
        await Browser(scene.stage).code_from_mail("/v1/sign-in/code", {"email": scene.email})
    kept = await scene.session_id(browser)
    await scene.begin(browser, after={"sessions_ended": 2, "session_kept": kept})
    scene.wanted["subject"] = scene.actor[0]
    return await browser.send("DELETE", "/v1/sessions")


async def adds_a_passkey(scene: Scene) -> httpx.Response:
    browser = await scene.somebody()
    await scene.begin(browser, before={"passkeys": 0}, after={"passkeys": 1})
    answer = await browser.add_passkey(SoftPasskey(scene.stage.url), PASSKEY_NAME)
    scene.wanted["subject"] = await scene.passkey_id()
    return answer


async def renames_a_passkey(scene: Scene) -> httpx.Response:
    await scene.with_passkey()
    subject = await scene.passkey_id()
    await scene.begin(scene.browser, subject=subject, before=None, after=None)
    return await scene.browser.post(f"/v1/account/passkeys/{subject}/name", {"name": f"{PASSKEY_NAME} 2"})


async def removes_a_passkey(scene: Scene) -> httpx.Response:
    await scene.with_passkey()
    subject = await scene.passkey_id()
    await scene.begin(scene.browser, subject=subject, before={"passkeys": 1}, after={"passkeys": 0})
    return await scene.browser.send("DELETE", f"/v1/account/passkeys/{subject}")


async def confirms_an_authenticator(scene: Scene) -> httpx.Response:
    browser = await scene.somebody()
    secret = (await browser.post("/v1/account/authenticator")).json()["secret"]
    scene.secret.append(secret)
    await scene.begin(browser, before={"state": "begun"}, after={"state": "confirmed"})
    scene.wanted["subject"] = scene.actor[0]
    code = code_at(secret, int(wall_seconds()) // STEP_SECONDS)
    return await browser.post("/v1/account/authenticator/confirmation", {"code": code})


async def removes_an_authenticator(scene: Scene) -> httpx.Response:
    await confirms_an_authenticator(scene)
    await scene.begin(scene.browser, before={"state": "confirmed"}, after={"state": "removed"})
    return await scene.browser.send("DELETE", "/v1/account/authenticator")


async def renews_recovery_codes(scene: Scene) -> httpx.Response:
    await scene.with_passkey()
    await scene.begin(scene.browser, before={"codes_left": 0}, after={"codes_left": 10})
    answer = await scene.browser.post("/v1/account/recovery-codes")
    scene.secret += answer.json()["codes"]
    return answer


async def uses_a_recovery_code(scene: Scene) -> httpx.Response:
    await renews_recovery_codes(scene)
    code = scene.secret[-1]
    await scene.begin(scene.browser, before={"codes_left": 10}, after={"codes_left": 9})
    return await scene.browser.post("/v1/step-up/recovery-code", {"code": code})


async def invites(scene: Scene) -> httpx.Response:
    campaign_id, _ = await scene.stage.open_campaign(visibility="private")
    gus = await scene.stage.sign_in("gus@alpmera.test")
    after = {"state": "open", "role": "participant", "bound": True, "campaign_id": str(campaign_id)}
    await scene.begin(gus, scope=str(campaign_id), after=after)
    body = {"campaign_id": str(campaign_id), "email": "guest@people.test", "note": NOTE}
    answer = await gus.post("/v1/member-invitations", json=body)
    scene.secret += ["guest@people.test", answer.json()["token"]]
    scene.wanted["subject"] = answer.json()["id"]
    return answer


async def revokes_an_invitation(scene: Scene) -> httpx.Response:
    gus = await scene.stage.sign_in("gus@alpmera.test")
    subject = (await gus.post("/v1/member-invitations", json={"note": NOTE})).json()["id"]
    await scene.begin(gus, subject=subject, before={"state": "open"}, after={"state": "revoked"})
    path = f"/v1/member-invitations/{subject}/revocation"
    answer = await gus.post(path)
    assert (await gus.post(path)).status_code == 200, "a repeat changes nothing and is not recorded"
    return answer


async def uses_an_invitation(scene: Scene) -> httpx.Response:
    campaign_id, _ = await scene.stage.open_campaign(visibility="private")
    gus = await scene.stage.sign_in("gus@alpmera.test")
    issued = (await gus.post("/v1/member-invitations", json={"campaign_id": str(campaign_id)})).json()
    scene.secret.append(issued["token"])
    browser = await scene.somebody()
    wanted = {"before": {"state": "open"}, "after": {"state": "used"}}
    await scene.begin(browser, scope=str(campaign_id), subject=issued["id"], **wanted)
    answer = await browser.post("/v1/member-invitations/redemption", {"token": issued["token"]})
    repeated = await browser.post("/v1/member-invitations/redemption", {"token": issued["token"]})
    assert repeated.status_code == 200
    return answer


async def makes_a_token(scene: Scene) -> httpx.Response:
    client, _ = await scene.stage.participant()
    await scene.begin(client, after={"scopes": ["campaigns"]})
    answer = await client.post("/v1/access-tokens", json={"scopes": ["campaigns"]})
    scene.secret += [answer.json()["secret"], answer.json()["hint"]]
    scene.wanted["subject"] = answer.json()["id"]
    return answer


async def ends_a_token(scene: Scene) -> httpx.Response:
    client, _ = await scene.stage.participant()
    subject = (await client.post("/v1/access-tokens", json={"scopes": ["campaigns"]})).json()["id"]
    await scene.begin(client, subject=subject)
    return await client.delete(f"/v1/access-tokens/{subject}")


async def renews_the_calendar(scene: Scene) -> httpx.Response:
    client, subject_id = await scene.stage.participant()
    await scene.begin(client, subject=str(subject_id))
    answer = await client.post("/v1/me/calendar")
    scene.secret.append(answer.json()["url"].rpartition("/")[2])
    return answer


ACTS: Mapping[Act, str] = {
    signs_up: "account.signed_up",
    signs_in_by_mail: "session.opened",
    signs_in_by_passkey: "session.opened",
    signs_in_locally: "session.opened",
    confirms: "session.confirmed",
    signs_out: "session.ended",
    ends_a_session: "session.ended",
    signs_in_again: "session.ended",
    ends_the_others: "session.others_ended",
    adds_a_passkey: "passkey.added",
    renames_a_passkey: "passkey.renamed",
    removes_a_passkey: "passkey.removed",
    confirms_an_authenticator: "authenticator.confirmed",
    removes_an_authenticator: "authenticator.removed",
    renews_recovery_codes: "recovery_codes.renewed",
    uses_a_recovery_code: "recovery_code.used",
    invites: "member_invitation.issued",
    revokes_an_invitation: "member_invitation.revoked",
    uses_an_invitation: "member_invitation.used",
    makes_a_token: "access_token.made",
    ends_a_token: "access_token.ended",
    renews_the_calendar: "calendar.renewed",
}


@pytest.mark.parametrize(("act", "action"), ACTS.items(), ids=lambda each: getattr(each, "__name__", ""))
async def test_an_act_on_an_account_leaves_one_record_of_who_did_it_with_nothing_personal(
    stage: Stage, act: Act, action: str
) -> None:
    scene = Scene(stage)
    answer = await act(scene)
    assert answer.status_code < 300, answer.text
    rows = await scene.records()
    beside = scene.wanted.pop("beside", [])
    assert sorted(row.action for row in rows) == sorted([action, *beside])
    assert {(row.actor_id, row.actor_role) for row in rows} == {scene.actor}
    (row,) = [row for row in rows if row.action == action]
    assert row.trace_id == answer.headers["traceparent"].split("-")[1]
    found = {name: getattr(row, name) for name in scene.wanted}
    assert found == scene.wanted
    words = str(rows)
    assert not [secret for secret in scene.secret if secret in words]


async def test_an_act_that_is_refused_leaves_no_record(stage: Stage) -> None:
    scene = Scene(stage)
    await scene.with_passkey("gatekeeper")
    only = await scene.passkey_id()
    await scene.begin(scene.browser)
    assert (await scene.browser.send("DELETE", f"/v1/account/passkeys/{only}")).status_code == 409
    assert await scene.records() == []


async def test_sessions_beyond_the_bound_end_with_a_record_each(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_list.end_sessions_beyond, "__kwdefaults__", {"kept": 1})
    scene = Scene(stage)
    browser = await scene.somebody()
    oldest = await scene.session_id(browser)
    await scene.begin(browser)
    await Browser(stage).code_from_mail("/v1/sign-in/code", {"email": scene.email})
    ended = [row for row in await scene.records() if row.action == "session.ended"]
    assert [(row.subject, row.reason) for row in ended] == [(oldest, "too_many_sessions")]


async def test_the_first_founders_invitations_are_the_platforms_own_acts(stage: Stage) -> None:
    await stage.execute("UPDATE account SET role = 'operations' WHERE role = 'founder'")
    scene = Scene(stage)
    await scene.begin(await stage.sign_in("maya@demo.test"))
    older = await invite_founder(stage.owner)
    newer = await invite_founder(stage.owner)
    rows = await scene.records()
    assert [(row.action, row.actor_id, row.actor_role) for row in rows] == [
        ("member_invitation.issued", "system", "system"),
        ("member_invitation.revoked", "system", "system"),
        ("member_invitation.issued", "system", "system"),
    ]
    assert rows[0].subject == rows[1].subject
    assert UUID(rows[2].subject) != UUID(rows[0].subject)
    assert rows[2].after == {"state": "open", "role": "founder", "bound": False}
    assert older is not None
    assert newer is not None
    assert older not in str(rows)
    assert newer not in str(rows)


async def test_a_failed_sign_in_is_logged_by_its_kind_and_names_nobody(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(stage)
    passkey = await scene.with_passkey()
    other = Browser(stage)
    await scene.begin(scene.browser)
    lines = CapturingLogger()
    monkeypatch.setattr(sign_in, "log", lines)
    asked = await other.post("/v1/sign-in/code", {"email": scene.email})
    wrong = {"challenge": asked.json()["challenge"], "code": "WRONGONE"}
    assert (await other.post("/v1/sign-in/code/answer", wrong)).status_code == 403
    passkey.origin = "https://elsewhere.example"
    assert (await other.prove(passkey, "/v1/sign-in/passkey")).status_code == 403
    refused = await scene.browser.post("/v1/step-up/recovery-code", {"code": "AAAA-AAAA"})
    assert refused.status_code == 403
    told = [call.kwargs for call in lines.calls if call.args == ("gateway.sign_in.refused",)]
    assert [line["proof"] for line in told] == ["mail_code", "passkey", "recovery_code"]
    assert told[2]["trace_id"] == refused.headers["traceparent"].split("-")[1]
    assert not [secret for secret in (*scene.secret, "127.0.0.1", scene.actor[0]) if secret in str(told)]
    assert await scene.records() == []
