"""Passkeys, authenticators, recovery codes, step-up: real HTTP, and a passkey in software that signs for real."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from services.gateway.domain.one_time_codes import STEP_SECONDS, code_at, matching_step
from services.gateway.domain.proofs import STEP_UP_ACTS
from services.gateway.settings import GatewaySettings
from services.kit.clock import wall_seconds
from tests.integration.gateway_accounts import Browser, invited
from tests.integration.gateway_passkeys import SoftPasskey
from tests.integration.gateway_support import Stage, gateway_settings, make_stage

pytestmark = pytest.mark.asyncio

SIGN_IN, STEP_UP = "/v1/sign-in/passkey", "/v1/step-up/passkey"
NOBODYS_ID = "0197a3c0-0000-7000-8000-0000000000ff"


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage() as made:
        yield made


async def with_passkey(stage: Stage, role: str = "participant") -> tuple[Browser, str, SoftPasskey]:
    browser, email = await invited(stage, role)
    passkey = SoftPasskey(stage.url)
    answer = await browser.add_passkey(passkey)
    assert answer.status_code == 201, answer.text
    return browser, email, passkey


async def age_proof(stage: Stage, browser: Browser, *, minutes: int = 5) -> None:
    """Time passes for a session's last proof; what gateways remember is forgotten."""
    (current,) = [each for each in (await browser.get("/v1/sessions")).json()["data"] if each["current"]]
    await stage.execute(
        "WITH aged AS (UPDATE session SET proven_at = proven_at - make_interval(mins => :minutes) WHERE session_id = :id "
        "RETURNING token_hash) SELECT pg_notify('gateway_session', encode(token_hash, 'hex')) FROM aged",
        id=current["id"],
        minutes=minutes,
    )
    for _ in range(200):
        if not (await browser.get("/v1/account/security")).json()["may_change"]:
            return
    raise AssertionError("the session is still fresh")


async def security(browser: Browser) -> dict[str, Any]:
    answer = await browser.get("/v1/account/security")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_passkey_is_added_named_used_and_removed(stage: Stage) -> None:
    browser, _, passkey = await with_passkey(stage)
    (kept,) = (await security(browser))["passkeys"]
    assert kept["name"] == "Phone"
    assert (await browser.post(f"/v1/account/passkeys/{kept['id']}/name", {"name": "Key ring"})).status_code == 204

    elsewhere = Browser(stage)
    signed = await elsewhere.prove(passkey, SIGN_IN)
    assert signed.status_code == 200, signed.text
    assert "token" not in signed.json()
    found = await security(elsewhere)
    assert (found["proof"], found["passkeys"][0]["name"]) == ("passkey", "Key ring")
    assert found["passkeys"][0]["last_used_at"] is not None

    removed = await elsewhere.send("DELETE", f"/v1/account/passkeys/{kept['id']}")
    assert removed.status_code == 204
    refused = await Browser(stage).prove(passkey, SIGN_IN)
    assert (refused.status_code, refused.json()["code"]) == (403, "passkey_not_accepted")


async def test_a_challenge_works_once_and_only_for_what_it_was_made_for(stage: Stage) -> None:
    browser, _, passkey = await with_passkey(stage)
    options = (await browser.post(f"{SIGN_IN}/options")).json()
    given = {"challenge_id": options["challenge_id"], "credential": passkey.prove(options["options"])}
    assert (await browser.post(STEP_UP, given)).json()["code"] == "passkey_not_accepted"
    assert (await browser.post(SIGN_IN, given)).status_code == 200
    assert (await browser.post(SIGN_IN, given)).json()["code"] == "passkey_not_accepted"


@pytest.mark.parametrize("wrong", ["origin", "domain", "verifies", "counter", "signature", "shape"])
async def test_an_answer_that_does_not_fit_is_not_accepted(stage: Stage, wrong: str) -> None:
    browser, _, passkey = await with_passkey(stage)
    await browser.prove(passkey, STEP_UP)
    if wrong == "origin":
        passkey.origin = "https://elsewhere.example"
    elif wrong == "domain":
        passkey.domain = "elsewhere.example"
    elif wrong == "verifies":
        passkey.verifies = False
    elif wrong == "counter":
        passkey.count = 0
    options = (await browser.post(f"{SIGN_IN}/options")).json()
    credential = passkey.prove(options["options"])
    if wrong == "signature":
        credential["response"]["signature"] = SoftPasskey(stage.url).prove(options["options"])["response"]["signature"]
    elif wrong == "shape":
        credential = {"rawId": credential["rawId"], "response": 7}
    answer = await browser.post(SIGN_IN, {"challenge_id": options["challenge_id"], "credential": credential})
    assert (answer.status_code, answer.json()["code"]) == (403, "passkey_not_accepted")


async def test_a_passkey_that_does_not_ask_its_person_is_not_kept(stage: Stage) -> None:
    browser, _ = await invited(stage)
    answer = await browser.add_passkey(SoftPasskey(stage.url, verifies=False))
    assert (answer.status_code, answer.json()["code"]) == (403, "passkey_not_accepted")


async def test_nobody_steps_up_with_or_changes_somebody_elses_passkey(stage: Stage) -> None:
    mine, _, _ = await with_passkey(stage)
    theirs, _, their_passkey = await with_passkey(stage)
    assert (await mine.prove(their_passkey, STEP_UP)).json()["code"] == "passkey_not_accepted"
    their_id = (await security(theirs))["passkeys"][0]["id"]
    assert (await mine.send("DELETE", f"/v1/account/passkeys/{their_id}")).status_code == 404
    assert (await mine.post(f"/v1/account/passkeys/{their_id}/name", {"name": "x"})).status_code == 404


async def test_staff_with_a_mail_alone_see_nothing_until_they_prove_more(stage: Stage) -> None:
    browser, email = await invited(stage, "escrow_auditor")
    for path in ("/v1/campaigns", "/v1/staff/overview", "/v1/cases", f"/v1/campaigns/{NOBODYS_ID}"):
        answer = await browser.get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required"), path
    assert (await security(browser))["must_prove_more"]
    passkey = SoftPasskey(stage.url)
    await browser.add_passkey(passkey)
    assert (await browser.get("/v1/staff/overview")).status_code == 200

    again = Browser(stage)
    await again.code_from_mail("/v1/sign-in/code", {"email": email})
    assert (await again.get("/v1/staff/overview")).json()["code"] == "second_factor_required"
    intruder = await again.add_passkey(SoftPasskey(stage.url))
    assert (intruder.status_code, intruder.json()["code"]) == (403, "step_up_required")
    assert (await again.prove(passkey, STEP_UP)).status_code == 200
    assert (await again.get("/v1/staff/overview")).status_code == 200


MONEY_ACTS = {
    "submit_clearing_plan": ("escrow_auditor", f"/v1/campaigns/{NOBODYS_ID}/clearing-plans"),
    "approve_clearing_plan": ("escrow_auditor", f"/v1/clearing-plans/{NOBODYS_ID}/approval"),
    "retry_plan_transfer": ("escrow_auditor", f"/v1/clearing-plans/{NOBODYS_ID}/transfer-retry"),
    "resolve_case": ("escrow_auditor", f"/v1/cases/{NOBODYS_ID}/resolution"),
    "top_up_float": ("escrow_auditor", "/v1/float/top-ups"),
    "sign_off_failure": ("trust_reviewer", f"/v1/campaigns/{NOBODYS_ID}/failure-sign-offs"),
    "register_supplier": ("gatekeeper", "/v1/suppliers"),
}


@pytest.mark.parametrize("act", sorted(STEP_UP_ACTS))
async def test_a_money_act_of_staff_wants_a_proof_of_the_last_five_minutes(stage: Stage, act: str) -> None:
    role, path = MONEY_ACTS[act]
    browser, _, passkey = await with_passkey(stage, role)
    key = {"Idempotency-Key": uuid4().hex}
    fresh = await browser.post(path, {"x": 1}, **key)
    assert fresh.json()["code"] != "step_up_required"
    assert fresh.status_code in {404, 422}
    await age_proof(stage, browser)
    stale = await browser.post(path, {"x": 1}, **key)
    assert (stale.status_code, stale.json()["code"]) == (403, "step_up_required")
    assert (await browser.prove(passkey, STEP_UP)).status_code == 200
    assert (await browser.post(path, {"x": 1}, **key)).status_code == fresh.status_code


async def test_erasure_wants_the_accounts_own_person_there(stage: Stage) -> None:
    browser, _, passkey = await with_passkey(stage)
    await age_proof(stage, browser)
    stale = await browser.post("/v1/me/erasure")
    assert (stale.status_code, stale.json()["code"]) == (403, "step_up_required")
    assert await stage.rows("SELECT 1 FROM erasure_request") == []
    await browser.prove(passkey, STEP_UP)
    assert (await browser.post("/v1/me/erasure")).json()["state"] == "waiting"
    await age_proof(stage, browser)
    assert (await browser.send("DELETE", "/v1/me/erasure")).status_code == 204

    by_mail, _ = await invited(stage)
    await age_proof(stage, by_mail, minutes=15)
    stale = await by_mail.post("/v1/me/erasure")
    assert (stale.status_code, stale.json()["code"]) == (403, "sign_in_again")


async def test_without_a_factor_a_sign_in_of_a_short_time_ago_is_enough_for_erasure(stage: Stage) -> None:
    browser, _ = await invited(stage)
    assert (await browser.post("/v1/me/erasure")).json()["state"] == "waiting"


async def test_stepping_up_rotates_the_token_and_the_old_one_is_over(stage: Stage) -> None:
    browser, _, passkey = await with_passkey(stage)
    before = browser.cookie
    await browser.prove(passkey, STEP_UP)
    assert browser.cookie != before
    for _ in range(200):
        old = await stage.client(Cookie=before).get("/v1/me")
        if old.status_code == 401:
            break
    assert old.status_code == 401
    assert (await browser.get("/v1/me")).status_code == 200
    assert len((await browser.get("/v1/sessions")).json()["data"]) == 1


async def test_the_first_commitment_wants_a_second_factor_and_a_withdrawal_never(stage: Stage) -> None:
    campaign_id, terms_hash = await stage.open_campaign()
    browser, _ = await invited(stage)
    body = {"quantity": 1, "terms_hash": terms_hash, "confirmation_token": "ctoken_ok"}
    headers = {"Prefer": "wait=0", "Idempotency-Key": uuid4().hex}
    path = f"/v1/campaigns/{campaign_id}/commitments"
    await stage.commands()
    refused = await browser.post(path, body, **headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "passkey_required")
    assert await stage.commands() == []
    assert (await browser.get("/v1/account/security")).json()["factor_needed_to_commit"]
    withdrawal = await browser.post(f"/v1/commitments/{NOBODYS_ID}/withdrawal", {}, **headers)
    assert withdrawal.json()["code"] == "not_found"

    await browser.add_passkey(SoftPasskey(stage.url))
    await age_proof(stage, browser)
    assert not (await browser.get("/v1/account/security")).json()["factor_needed_to_commit"]
    accepted = await browser.post(path, body, **headers)
    assert accepted.status_code == 202, accepted.text


async def test_a_participant_with_a_passkey_comes_back_by_mail_and_commits(stage: Stage) -> None:
    campaign_id, terms_hash = await stage.open_campaign()
    _, email, _ = await with_passkey(stage)
    again = Browser(stage)
    await again.code_from_mail("/v1/sign-in/code", {"email": email})
    body = {"quantity": 1, "terms_hash": terms_hash, "confirmation_token": "ctoken_ok"}
    headers = {"Prefer": "wait=0", "Idempotency-Key": uuid4().hex}
    assert (await again.post(f"/v1/campaigns/{campaign_id}/commitments", body, **headers)).status_code == 202


async def test_an_authenticator_is_the_second_way_and_its_code_works_once(stage: Stage) -> None:
    browser, email = await invited(stage, "operations")
    begun = (await browser.post("/v1/account/authenticator")).json()
    assert begun["uri"].startswith("otpauth://totp/Alpmera:")
    step = int(wall_seconds()) // STEP_SECONDS
    code = code_at(begun["secret"], step)
    wrong = await browser.post("/v1/account/authenticator/confirmation", {"code": "1234567"})
    assert (wrong.status_code, wrong.json()["code"]) == (403, "code_not_accepted")
    assert (await browser.post("/v1/account/authenticator/confirmation", {"code": code})).status_code == 200
    assert (await browser.get("/v1/staff/overview")).status_code == 200
    assert (await browser.post("/v1/account/authenticator")).json()["code"] == "authenticator_exists"

    again = Browser(stage)
    await again.code_from_mail("/v1/sign-in/code", {"email": email})
    assert (await again.post("/v1/step-up/authenticator", {"code": code})).json()["code"] == "code_not_accepted"
    newer = code_at(begun["secret"], step + 1)
    assert (await again.post("/v1/step-up/authenticator", {"code": newer})).status_code == 200
    assert (await again.get("/v1/staff/overview")).status_code == 200
    last = await again.send("DELETE", "/v1/account/authenticator")
    assert (last.status_code, last.json()["code"]) == (409, "last_second_factor")
    rows = await stage.rows("SELECT secret_sealed FROM authenticator")
    assert not any(begun["secret"] in row.secret_sealed for row in rows)


async def test_wrong_codes_of_an_authenticator_wait_longer_and_longer(stage: Stage) -> None:
    browser, _ = await invited(stage)
    begun = (await browser.post("/v1/account/authenticator")).json()
    assert len(begun["secret"]) == 32
    codes = [
        (await browser.post("/v1/account/authenticator/confirmation", {"code": "000"})).status_code for _ in range(6)
    ]
    assert codes == [403] * 5 + [429]


async def test_a_recovery_code_opens_the_way_to_a_new_passkey_once_and_nothing_else(stage: Stage) -> None:
    browser, email, _ = await with_passkey(stage, "operations")
    codes = (await browser.post("/v1/account/recovery-codes")).json()["codes"]
    assert (len(codes), len(set(codes))) == (10, 10)
    lost = Browser(stage)
    await lost.code_from_mail("/v1/sign-in/code", {"email": email})
    assert (await lost.add_passkey(SoftPasskey(stage.url))).json()["code"] == "step_up_required"
    assert (await lost.post("/v1/step-up/recovery-code", {"code": codes[0].lower()})).status_code == 200
    assert (await lost.get("/v1/staff/overview")).json()["code"] == "second_factor_required"
    assert (await lost.post("/v1/step-up/recovery-code", {"code": codes[0]})).json()["code"] == "code_not_accepted"
    assert (await lost.add_passkey(SoftPasskey(stage.url), "New phone")).status_code == 201
    assert (await lost.get("/v1/staff/overview")).status_code == 200
    assert (await security(lost))["recovery_codes_left"] == 9
    stored = await stage.rows("SELECT row::text AS words FROM recovery_code AS row")
    assert not any(codes[1].replace("-", "") in row.words for row in stored)
    renewed = (await lost.post("/v1/account/recovery-codes")).json()["codes"]
    assert (await lost.post("/v1/step-up/recovery-code", {"code": codes[1]})).json()["code"] == "code_not_accepted"
    assert (await lost.post("/v1/step-up/recovery-code", {"code": renewed[1]})).status_code == 200


async def test_a_supplier_and_staff_keep_at_least_one_factor(stage: Stage) -> None:
    browser, _, _ = await with_passkey(stage, "gatekeeper")
    only = (await security(browser))["passkeys"][0]["id"]
    answer = await browser.send("DELETE", f"/v1/account/passkeys/{only}")
    assert (answer.status_code, answer.json()["code"]) == (409, "last_second_factor")
    assert len((await security(browser))["passkeys"]) == 1


async def test_factors_change_only_after_a_fresh_proof(stage: Stage) -> None:
    browser, _, _ = await with_passkey(stage)
    kept = (await security(browser))["passkeys"][0]["id"]
    await age_proof(stage, browser)
    for method, path in (
        ("POST", "/v1/account/passkeys/options"),
        ("DELETE", f"/v1/account/passkeys/{kept}"),
        ("POST", "/v1/account/authenticator"),
        ("DELETE", "/v1/account/authenticator"),
        ("POST", "/v1/account/recovery-codes"),
    ):
        assert (await browser.send(method, path)).json()["code"] == "step_up_required", path


async def test_a_first_factor_wants_a_sign_in_of_the_last_quarter_of_an_hour(stage: Stage) -> None:
    browser, email = await invited(stage)
    assert (await security(browser))["may_change"]
    await age_proof(stage, browser, minutes=15)

    assert (await browser.add_passkey(SoftPasskey(stage.url))).json()["code"] == "sign_in_again"
    assert (await browser.post("/v1/account/authenticator")).json()["code"] == "sign_in_again"

    again = await browser.code_from_mail("/v1/sign-in/code", {"email": email})
    assert again.status_code == 200, again.text
    assert (await browser.add_passkey(SoftPasskey(stage.url))).status_code == 201


async def test_every_step_of_an_authenticator_is_thirty_seconds_and_a_neighbour_is_taken() -> None:
    # RFC 6238, appendix B, cut to six digits.
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert code_at(secret, 1111111109 // STEP_SECONDS) == "081804"
    assert matching_step(secret, "081804", now_seconds=1111111109 + 30) == 1111111109 // STEP_SECONDS
    assert matching_step(secret, "081804", now_seconds=1111111109 + 90) is None


async def test_production_wants_second_factors_and_takes_no_local_session(stage: Stage) -> None:
    changed = gateway_settings(stage.database, stage.settings.kafka_prefix).model_dump()
    production = changed | {
        "profile": "production",
        "stripe_kind": "stripe",
        "passkey_domain": "alpmera.example",
        "public_origins": ("https://alpmera.example",),
    }
    assert GatewaySettings(**production).second_factor_before_commitment
    for wrong in ({"second_factor_before_commitment": False}, {"passkey_domain": "localhost"}):
        with pytest.raises(ValueError, match="ALPMERA_PASSKEY_DOMAIN"):
            GatewaySettings(**(production | wrong))
