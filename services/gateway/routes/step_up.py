"""Prove more: sign in with a passkey, and confirm a session again with a passkey, an authenticator or a recovery code.

Every proof gives the session a new token. A failed one answers alike, whatever the reason.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.errors import Rejected
from services.gateway.auth.identity import Identity
from services.gateway.auth.requests import account_session, count, count_sign_in, record_act
from services.gateway.domain.proofs import Proof
from services.gateway.parts import gateway_of
from services.gateway.routes.reading import read_body
from services.gateway.routes.replying import json_answer
from services.gateway.routes.second_factors import origins_of
from services.gateway.routes.session import session_answer
from services.gateway.routes.sign_in import begin_session, note_refused
from services.gateway.schemas.answers_account import PasskeyOptions, SignedInByCookie
from services.gateway.schemas.bodies_account import OneTimeCodeBody, PasskeyProofBody
from services.gateway.schemas.describing import answers, body_of
from services.gateway.store.accounts import Account, OpenedSession
from services.gateway.store.second_factors import factors_of
from services.gateway.usecases.use_one_time_codes import prove_by_authenticator, prove_by_recovery_code
from services.gateway.usecases.use_passkeys import Given, proof_options, prove_by_passkey

router = APIRouter(prefix="/v1", tags=["accounts"])


@router.post(
    "/sign-in/passkey/options",
    operation_id="sign_in_passkey_options",
    summary="Begin to sign in with a passkey",
    responses=answers(PasskeyOptions, 403, 429, 503),
)
async def sign_in_passkey_options(request: Request) -> Response:
    """The same for everybody: no account is named, the device offers the passkeys that it holds."""
    await count_sign_in(request)
    gateway = gateway_of(request)
    async with gateway.engine.begin() as connection:
        options = await proof_options(connection, gateway.settings, None)
    return json_answer(options)


@router.post(
    "/sign-in/passkey",
    operation_id="sign_in_passkey",
    summary="Sign in with a passkey",
    responses=answers(SignedInByCookie, 400, 403, 413, 422, 429, 503),
    openapi_extra=body_of(PasskeyProofBody),
)
async def sign_in_passkey(request: Request) -> Response:
    """The session's token is in the cookie alone, where no script reads it."""
    await count_sign_in(request)
    body = await read_body(request, PasskeyProofBody)
    gateway = gateway_of(request)
    given = Given(body.challenge_id, body.credential, origins_of(request))
    async with gateway.engine.begin() as connection:
        account = await _by_passkey(request, connection, given)
        session = await begin_session(request, connection, account, "passkey")
    return session_answer(account, session)


@router.post(
    "/step-up/passkey/options",
    operation_id="step_up_passkey_options",
    summary="Begin to confirm with a passkey",
    responses=answers(PasskeyOptions, 401, 403, 503),
)
async def step_up_passkey_options(request: Request) -> Response:
    """The passkeys of your account."""
    identity, gateway = await account_session(request), gateway_of(request)
    async with gateway.engine.begin() as connection:
        options = await proof_options(connection, gateway.settings, identity)
    return json_answer(options)


@router.post(
    "/step-up/passkey",
    operation_id="step_up_passkey",
    summary="Confirm with a passkey",
    responses=answers(SignedInByCookie, 400, 401, 403, 413, 422, 503),
    openapi_extra=body_of(PasskeyProofBody),
)
async def step_up_passkey(request: Request) -> Response:
    """Good for five minutes; the session gets a new token."""
    identity, gateway = await account_session(request), gateway_of(request)
    body = await read_body(request, PasskeyProofBody)
    given = Given(body.challenge_id, body.credential, origins_of(request))
    async with gateway.engine.begin() as connection:
        await _by_passkey(request, connection, given, identity)
        session = await _confirm(request, connection, identity, "passkey")
    return session_answer(identity, session)


@router.post(
    "/step-up/authenticator",
    operation_id="step_up_authenticator",
    summary="Confirm with a code of your authenticator",
    responses=answers(SignedInByCookie, 400, 401, 403, 413, 422, 429, 503),
    openapi_extra=body_of(OneTimeCodeBody),
)
async def step_up_authenticator(request: Request) -> Response:
    """Good for five minutes; the session gets a new token. A code works once."""
    identity, gateway = await account_session(request), gateway_of(request)
    await count(request, "sign_in_account", str(identity.subject_id), exactly=True)
    body = await read_body(request, OneTimeCodeBody)
    session = None
    async with gateway.engine.begin() as connection:
        if await prove_by_authenticator(connection, gateway.settings, identity, body.code, confirmed=True):
            session = await _confirm(request, connection, identity, "totp")
    if session is None:
        note_refused(request, "totp")
        raise Rejected("code_not_accepted")
    return session_answer(identity, session)


@router.post(
    "/step-up/recovery-code",
    operation_id="step_up_recovery_code",
    summary="Use a recovery code when every device is lost",
    responses=answers(SignedInByCookie, 400, 401, 403, 413, 422, 429, 503),
    openapi_extra=body_of(OneTimeCodeBody),
)
async def step_up_recovery_code(request: Request) -> Response:
    """For five minutes a new passkey or authenticator can be set up; nothing else opens by it. A code works once."""
    identity, gateway = await account_session(request), gateway_of(request)
    await count(request, "sign_in_account", str(identity.subject_id), exactly=True)
    body = await read_body(request, OneTimeCodeBody)
    session = None
    async with gateway.engine.begin() as connection:
        if await prove_by_recovery_code(connection, gateway.settings, identity, body.code):
            session = await gateway.sessions.step_up(connection, identity, "recovery_code")
            left = (await factors_of(connection, identity.subject_id)).recovery_codes
            await record_act(
                request, connection, identity, "recovery_code.used", subject=identity.subject_id,
                before={"codes_left": left + 1}, after={"codes_left": left},
            )  # fmt: skip
    if session is None:
        note_refused(request, "recovery_code")
        raise Rejected("code_not_accepted")
    return session_answer(identity, session)


async def _by_passkey(
    request: Request, connection: AsyncConnection, given: Given, identity: Identity | None = None
) -> Account:
    try:
        return await prove_by_passkey(connection, gateway_of(request).settings, given, identity=identity)
    except Rejected:
        note_refused(request, "passkey")
        raise


async def _confirm(request: Request, connection: AsyncConnection, identity: Identity, proof: Proof) -> OpenedSession:
    session = await gateway_of(request).sessions.step_up(connection, identity, proof)
    await record_act(
        request, connection, identity, "session.confirmed", subject=identity.session_id,
        before={"proof": identity.proof}, after={"proof": proof},
    )  # fmt: skip
    return session
