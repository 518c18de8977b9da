"""The ways of signing in beside a mail: passkeys, an authenticator, recovery codes. Look, add, name, remove."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.errors import Rejected
from services.gateway.auth.identity import Identity
from services.gateway.auth.person_keys import contact_of
from services.gateway.auth.requests import account_session, lacks_factor, own_origin, record_act
from services.gateway.domain.proofs import may_change_factors, opens_the_account
from services.gateway.domain.roles import PARTICIPANT
from services.gateway.parts import Gateway, gateway_of
from services.gateway.routes.reading import read_body
from services.gateway.routes.replying import json_answer
from services.gateway.routes.session import session_answer
from services.gateway.schemas.answers_account import (
    AuthenticatorBegun,
    PasskeyOptions,
    RecoveryCodes,
    SecurityView,
    SignedInByCookie,
)
from services.gateway.schemas.bodies_account import OneTimeCodeBody, PasskeyBody, PasskeyNameBody
from services.gateway.schemas.describing import answers, body_of, created, problems
from services.gateway.store import second_factors as stored
from services.gateway.usecases.use_one_time_codes import begin_authenticator, new_codes, prove_by_authenticator
from services.gateway.usecases.use_passkeys import Given, register_passkey, registration_options
from services.kit.clock import wall_now

router = APIRouter(prefix="/v1/account", tags=["accounts"])


def origins_of(request: Request) -> Sequence[str]:
    """The origins that a passkey's answer may name."""
    return [own_origin(request), *gateway_of(request).settings.public_origins]


@router.get(
    "/security",
    operation_id="account_security",
    summary="How you can sign in, and how you are signed in now",
    responses=answers(SecurityView, 401, 503),
)
async def account_security(request: Request) -> Response:
    """A session that has to prove more may look, too."""
    identity = await account_session(request)
    async with gateway_of(request).engine.connect() as connection:
        passkeys = await stored.passkeys_of(connection, identity.subject_id)
        factors = await stored.factors_of(connection, identity.subject_id)
    return json_answer(
        {
            "passkeys": [{name: each[name] for name in _PASSKEY_FIELDS} for each in passkeys],
            "authenticator": factors.authenticator,
            "recovery_codes_left": factors.recovery_codes,
            "proof": identity.proof,
            "must_prove_more": not opens_the_account(identity.role, identity.proof),
            "may_change": may_change_factors(
                identity.proof, identity.proven_at, has_factor=factors.count > 0, now=wall_now()
            ),
            "factor_needed_to_commit": factors.count == 0 and lacks_factor(request, identity),
        }
    )


@router.post(
    "/passkeys/options",
    operation_id="passkeys_options",
    summary="Begin with a new passkey",
    responses=answers(PasskeyOptions, 401, 403, 409, 503),
)
async def passkeys_options(request: Request) -> Response:
    """What the browser needs. The first one can be made at once, a further one after a fresh confirmation."""
    identity, gateway = await account_session(request), gateway_of(request)
    async with gateway.engine.begin() as connection:
        await _check_change(connection, identity)
        name = await _shown_name(gateway, connection, identity)
        options = await registration_options(connection, gateway.settings, identity, shown_name=name)
    return json_answer(options)


@router.post(
    "/passkeys",
    operation_id="passkeys_add",
    summary="Keep a new passkey",
    status_code=201,
    responses=created(SignedInByCookie, 400, 401, 403, 409, 413, 422, 503),
    openapi_extra=body_of(PasskeyBody),
)
async def passkeys_add(request: Request) -> Response:
    """The session counts as confirmed by it and gets a new token."""
    identity, gateway = await account_session(request), gateway_of(request)
    body = await read_body(request, PasskeyBody)
    given = Given(body.challenge_id, body.credential, origins_of(request))
    async with gateway.engine.begin() as connection:
        had = await _check_change(connection, identity)
        passkey_id = await register_passkey(connection, gateway.settings, identity, given, name=body.name)
        after = {"passkeys": had.passkeys + 1}
        await record_act(
            request,
            connection,
            identity,
            "passkey.added",
            subject=passkey_id,
            before={"passkeys": had.passkeys},
            after=after,
        )
        await gateway.sessions.forget_account(connection, identity.subject_id)
        session = await gateway.sessions.step_up(connection, identity, "passkey")
    return session_answer(identity, session, created="/v1/account/security")


@router.post(
    "/passkeys/{passkey_id}/name",
    operation_id="passkeys_name",
    summary="Name one of your passkeys",
    status_code=204,
    responses=problems(400, 401, 403, 404, 413, 422, 503),
    openapi_extra=body_of(PasskeyNameBody),
)
async def passkeys_name(request: Request, passkey_id: UUID) -> Response:
    """A name that tells you which device holds it."""
    identity = await account_session(request)
    body = await read_body(request, PasskeyNameBody)
    async with gateway_of(request).engine.begin() as connection:
        if not await stored.rename_passkey(connection, passkey_id, identity.subject_id, name=body.name):
            raise Rejected("not_found")
        # The old and the new name are a person's own words.
        await record_act(request, connection, identity, "passkey.renamed", subject=passkey_id)
    return Response(status_code=204)


@router.delete(
    "/passkeys/{passkey_id}",
    operation_id="passkeys_remove",
    summary="Remove one of your passkeys",
    status_code=204,
    responses=problems(401, 403, 404, 409, 503),
)
async def passkeys_remove(request: Request, passkey_id: UUID) -> Response:
    """After a fresh confirmation. Staff and suppliers keep at least one passkey or an authenticator."""
    identity, gateway = await account_session(request), gateway_of(request)
    async with gateway.engine.begin() as connection:
        had = await _check_change(connection, identity)
        if not await stored.delete_passkey(connection, passkey_id, identity.subject_id):
            raise Rejected("not_found")
        after = {"passkeys": had.passkeys - 1}
        await record_act(
            request,
            connection,
            identity,
            "passkey.removed",
            subject=passkey_id,
            before={"passkeys": had.passkeys},
            after=after,
        )
        await _keep_one(connection, identity)
        await gateway.sessions.forget_account(connection, identity.subject_id)
    return Response(status_code=204)


@router.post(
    "/authenticator",
    operation_id="authenticator_begin",
    summary="Begin with an authenticator",
    responses=answers(AuthenticatorBegun, 401, 403, 409, 503),
)
async def authenticator_begin(request: Request) -> Response:
    """The secret is shown once; it counts after the first code of it."""
    identity, gateway = await account_session(request), gateway_of(request)
    async with gateway.engine.begin() as connection:
        await _check_change(connection, identity)
        name = await _shown_name(gateway, connection, identity)
        begun = await begin_authenticator(connection, gateway.settings, identity, shown_name=name)
    return json_answer(begun, headers={"Cache-Control": "no-store"})


@router.post(
    "/authenticator/confirmation",
    operation_id="authenticator_confirm",
    summary="Confirm a new authenticator with its first code",
    responses=answers(SignedInByCookie, 400, 401, 403, 413, 422, 429, 503),
    openapi_extra=body_of(OneTimeCodeBody),
)
async def authenticator_confirm(request: Request) -> Response:
    """The session counts as confirmed by it and gets a new token."""
    identity, gateway = await account_session(request), gateway_of(request)
    body = await read_body(request, OneTimeCodeBody)
    session = None
    async with gateway.engine.begin() as connection:
        await _check_change(connection, identity)
        if await prove_by_authenticator(connection, gateway.settings, identity, body.code, confirmed=False):
            await record_act(
                request, connection, identity, "authenticator.confirmed", subject=identity.subject_id,
                before={"state": "begun"}, after={"state": "confirmed"},
            )  # fmt: skip
            await gateway.sessions.forget_account(connection, identity.subject_id)
            session = await gateway.sessions.step_up(connection, identity, "totp")
    if session is None:
        raise Rejected("code_not_accepted")
    return session_answer(identity, session)


@router.delete(
    "/authenticator",
    operation_id="authenticator_remove",
    summary="Remove your authenticator",
    status_code=204,
    responses=problems(401, 403, 404, 409, 503),
)
async def authenticator_remove(request: Request) -> Response:
    """After a fresh confirmation. Staff and suppliers keep at least one passkey or an authenticator."""
    identity, gateway = await account_session(request), gateway_of(request)
    async with gateway.engine.begin() as connection:
        had = await _check_change(connection, identity)
        if not await stored.delete_authenticator(connection, identity.subject_id):
            raise Rejected("not_found")
        await record_act(
            request, connection, identity, "authenticator.removed", subject=identity.subject_id,
            before={"state": "confirmed" if had.authenticator else "begun"}, after={"state": "removed"},
        )  # fmt: skip
        await _keep_one(connection, identity)
        await gateway.sessions.forget_account(connection, identity.subject_id)
    return Response(status_code=204)


@router.post(
    "/recovery-codes",
    operation_id="recovery_codes_renew",
    summary="Get new recovery codes; the old ones are void",
    responses=answers(RecoveryCodes, 401, 403, 503),
)
async def recovery_codes_renew(request: Request) -> Response:
    """Shown once and stored hashed. Each works once, together with a code from a mail."""
    identity, gateway = await account_session(request), gateway_of(request)
    async with gateway.engine.begin() as connection:
        had = await _check_change(connection, identity)
        codes = await new_codes(connection, gateway.settings, identity)
        before, after = {"codes_left": had.recovery_codes}, {"codes_left": len(codes)}
        await record_act(
            request,
            connection,
            identity,
            "recovery_codes.renewed",
            subject=identity.subject_id,
            before=before,
            after=after,
        )
    return json_answer({"codes": codes}, headers={"Cache-Control": "no-store"})


_PASSKEY_FIELDS = ("id", "name", "created_at", "last_used_at")


async def _check_change(connection: AsyncConnection, identity: Identity) -> stored.Factors:
    """What there is now. Raises Rejected(step_up_required, sign_in_again) unless this session may add or remove ways of
    signing in."""
    await stored.lock_account(connection, identity.subject_id)
    factors = await stored.factors_of(connection, identity.subject_id)
    if not may_change_factors(identity.proof, identity.proven_at, has_factor=factors.count > 0, now=wall_now()):
        raise Rejected("step_up_required" if factors.count else "sign_in_again")
    return factors


async def _keep_one(connection: AsyncConnection, identity: Identity) -> None:
    if identity.role != PARTICIPANT and (await stored.factors_of(connection, identity.subject_id)).count == 0:
        raise Rejected("last_second_factor")


async def _shown_name(gateway: Gateway, connection: AsyncConnection, identity: Identity) -> str:
    """What a device shows beside the site's name: the person's own address."""
    own_key = gateway.settings.people_key_gateway.get_secret_value()
    contact = await contact_of(connection, own_key, identity.subject_id)
    return str(contact.get("email") or identity.label or identity.role)
