"""People of the gateway's tests who came in by invitation and mail, with what their browsers hold. Test code."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx

from contracts.notifications import SendAccountMail
from services.kit.people import unseal
from tests.integration.gateway_passkeys import SoftPasskey
from tests.integration.gateway_support import Stage


class Browser:
    """A browser: its cookie, its CSRF token, and passkeys in software."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.cookie = ""
        self.csrf = ""

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """One request, as a page of ours would send it; a new session is kept."""
        headers |= {"Cookie": self.cookie, "X-Alpmera-CSRF": self.csrf}
        answer = await self.stage.client().request(method, path, json=body, headers=headers)
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].split(";")[0]
            self.csrf = answer.json()["csrf_token"] if answer.content else ""
        return answer

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self.send("POST", path, {} if body is None else body, **headers)

    async def get(self, path: str) -> httpx.Response:
        return await self.send("GET", path)

    async def code_from_mail(self, path: str, body: dict[str, str]) -> httpx.Response:
        """Ask for a code and give it."""
        await self.stage.commands()
        asked = await self.post(path, body)
        assert asked.status_code == 200, asked.text
        sent = await self.stage.command(SendAccountMail)
        said = unseal(self.stage.settings.people_key_notifications.get_secret_value(), sent.message.sealed)
        given = {"challenge": asked.json()["challenge"], "code": said["code"]}
        return await self.post("/v1/sign-in/code/answer", given)

    async def add_passkey(self, passkey: SoftPasskey, name: str = "Phone") -> httpx.Response:
        options = await self.post("/v1/account/passkeys/options")
        if options.status_code != 200:
            return options
        body = options.json()
        return await self.post(
            "/v1/account/passkeys",
            {"challenge_id": body["challenge_id"], "name": name, "credential": passkey.register(body["options"])},
        )

    async def prove(self, passkey: SoftPasskey, path: str) -> httpx.Response:
        """Sign in or step up with a passkey."""
        body = (await self.post(f"{path}/options")).json()
        return await self.post(
            path, {"challenge_id": body["challenge_id"], "credential": passkey.prove(body["options"])}
        )


async def invited(stage: Stage, role: str = "participant", **fields: Any) -> tuple[Browser, str]:
    """Somebody who signed up in a role by a mail alone; the browser and the address."""
    founder = await staff_token(stage, "founder")
    answer = await founder.post("/v1/member-invitations", json={"role": role, **fields})
    assert answer.status_code == 201, answer.text
    browser, email = Browser(stage), f"{uuid4().hex}@people.test"
    signed = await browser.code_from_mail("/v1/sign-up/code", {"token": answer.json()["token"], "email": email})
    assert signed.status_code == 200, signed.text
    return browser, email


async def staff_token(stage: Stage, role: str) -> httpx.AsyncClient:
    """A client of the local sign-in in a role that no demo login has."""
    client, subject_id = await stage.participant()
    await stage.execute("UPDATE account SET role = :role WHERE subject_id = :id", role=role, id=subject_id)
    return client
