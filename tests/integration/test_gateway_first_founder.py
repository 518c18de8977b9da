"""The first founder's invitation: made at the command line of whoever runs the platform, once, and used by real HTTP."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.gateway.domain.policy import POLICY
from services.gateway.invite_founder import VALID_FOR
from tests.integration.gateway_accounts import Browser
from tests.integration.gateway_support import Stage, make_stage

pytestmark = pytest.mark.asyncio

SITE = "https://alpmera.test"


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage(public_origins=(SITE,)) as made:
        yield made


async def run_command(stage: Stage) -> tuple[int, str, str]:
    """Run the command in a process of its own with the gateway's settings: its status, and both outputs."""
    settings = stage.settings
    environment = os.environ | {
        "ALPMERA_PROFILE": "test",
        "ALPMERA_DATABASE_URL": settings.database_url.get_secret_value(),
        "ALPMERA_PUBLIC_ORIGINS": f'["{SITE}"]',
        "ALPMERA_KAFKA": settings.kafka,
        "ALPMERA_ASSERTION_PUBLIC_KEY": settings.assertion_public_key,
        **{
            f"ALPMERA_{name.upper()}": getattr(settings, name).get_secret_value()
            for name in (
                "assertion_private_key", "people_key_gateway", "people_key_notifications", "stripe_webhook_secrets",
            )
        },
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.gateway.invite_founder", env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_the_first_founder_comes_in_by_a_link_that_works_once_and_then_there_is_no_other(stage: Stage) -> None:
    status, older, told = await run_command(stage)
    assert status == 0, told
    assert older.startswith(f"{SITE}/sign-up#")
    assert "60 minutes" in told
    (row,) = await stage.rows("SELECT expires_at - created_at AS life, role, issued_by FROM member_invitation")
    assert (row.life, row.role, row.issued_by) == (VALID_FOR, "founder", None)

    _, newer, _ = await run_command(stage)
    void, token = (link.strip().partition("#")[2] for link in (older, newer))
    browser = Browser(stage)
    refused = await browser.post("/v1/sign-up/code", {"token": void, "email": "fay@alpmera.test"})
    assert refused.json()["code"] == "member_invitation_unusable"
    signed = await browser.code_from_mail("/v1/sign-up/code", {"token": token, "email": "fay@alpmera.test"})
    assert signed.json()["account"]["role"] == "founder"
    assert (await browser.get("/v1/staff/overview")).json()["code"] == "second_factor_required"
    again = await Browser(stage).post("/v1/sign-up/code", {"token": token, "email": "eve@elsewhere.test"})
    assert again.json()["code"] == "member_invitation_unusable"

    status, out, told = await run_command(stage)
    assert (status, out) == (1, "")
    assert "There is a founder already" in told


async def test_everybody_else_is_invited_by_somebody(stage: Stage) -> None:
    with pytest.raises(Exception, match="member_invitation_check"):
        await stage.execute(
            "INSERT INTO member_invitation (id, token_hash, role, created_at, expires_at) VALUES "
            "(gen_random_uuid(), decode(repeat('00', 32), 'hex'), 'operations', now(), now() + interval '1 hour')"
        )
    assert "founder" in POLICY["member_invitations_issue"].roles
