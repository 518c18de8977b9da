"""Sign up by invitation and sign in, by a code that is sent by mail."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.errors import Rejected
from services.gateway.auth.requests import count, count_sign_in, record_act, session_token
from services.gateway.domain.account_kinds import Kind
from services.gateway.domain.client_words import client_words
from services.gateway.domain.mail_codes import CODE_LIFE
from services.gateway.domain.proofs import Proof
from services.gateway.middleware import traceparent_of
from services.gateway.parts import gateway_of
from services.gateway.routes.reading import read_body
from services.gateway.routes.replying import json_answer
from services.gateway.routes.session import session_answer
from services.gateway.schemas.answers_account import CodeAsked, SignedInByCookie
from services.gateway.schemas.bodies_account import CodeAnswerBody, SignInCodeBody, SignUpCodeBody
from services.gateway.schemas.describing import answers, body_of
from services.gateway.store.accounts import Account, OpenedSession, email_lookup, open_sessions
from services.gateway.usecases.sign_in_by_code import GivenCode, answer_code, ask_sign_in_code, ask_sign_up_code
from services.kit import telemetry
from services.kit.clock import wall_now

router = APIRouter(prefix="/v1", tags=["accounts"])
log = telemetry.logger("gateway.sign_in")


@router.post(
    "/sign-in/code",
    operation_id="sign_in_code_ask",
    summary="Have a code sent for signing in",
    responses=answers(CodeAsked, 400, 403, 413, 422, 429, 503),
    openapi_extra=body_of(SignInCodeBody),
)
async def sign_in_code_ask(request: Request) -> Response:
    """The answer and its time are the same whether the address is known or not. A newer code voids the older."""
    await count_sign_in(request)
    body = await read_body(request, SignInCodeBody)
    await _count_account(request, body.email)
    return _asked(await ask_sign_in_code(gateway_of(request), body.email))


@router.post(
    "/sign-up/code",
    operation_id="sign_up_code_ask",
    summary="Have a code sent for signing up with an invitation",
    responses=answers(CodeAsked, 400, 403, 404, 413, 422, 429, 503),
    openapi_extra=body_of(SignUpCodeBody),
)
async def sign_up_code_ask(request: Request) -> Response:
    """The code proves the address. An address that has an account already is signed in by the same code."""
    await count_sign_in(request)
    body = await read_body(request, SignUpCodeBody)
    await _count_account(request, body.email)
    chosen = Kind(body.kind, body.display_name)
    return _asked(await ask_sign_up_code(gateway_of(request), body.token, body.email, chosen))


@router.post(
    "/sign-in/code/answer",
    operation_id="sign_in_code_answer",
    summary="Sign in, or finish signing up, with the code from the mail",
    responses=answers(SignedInByCookie, 400, 403, 404, 413, 422, 429, 503),
    openapi_extra=body_of(CodeAnswerBody),
)
async def sign_in_code_answer(request: Request) -> Response:
    """The session's token is in the cookie alone, where no script reads it."""
    await count_sign_in(request)
    body = await read_body(request, CodeAnswerBody)
    given = GivenCode(body.challenge, body.code)
    gateway = gateway_of(request)
    async with gateway.engine.begin() as connection:
        proven = await answer_code(gateway, connection, given, traceparent_of(request.scope))
        session = await begin_session(request, connection, proven.account, "mail_code") if proven is not None else None
    # Outside of the transaction: a wrong answer has cost its try.
    if proven is None or session is None:
        note_refused(request, "mail_code")
        raise Rejected("code_not_accepted")
    gateway.kick_relay()
    return session_answer(proven.account, session, campaign_id=proven.campaign_id)


async def begin_session(request: Request, connection: AsyncConnection, account: Account, proof: Proof) -> OpenedSession:
    """A new session with a new token; the one that the browser came with ends."""
    before, sessions, traceparent = session_token(request), gateway_of(request).sessions, traceparent_of(request.scope)
    if before is not None:
        await sessions.end_token(connection, before, acting=account, traceparent=traceparent)
    client = client_words(request.headers.get("user-agent"))
    (session,) = await open_sessions(connection, [account], now=wall_now(), proof=proof, client=client)
    await record_act(request, connection, account, "session.opened", subject=session.session_id, after={"proof": proof})
    await sessions.keep_newest(connection, account, traceparent)
    return session


def note_refused(request: Request, proof: Proof) -> None:
    """Log that somebody failed to prove who they are: by what, never who. Nothing was changed, so there is no record."""
    log.warning("gateway.sign_in.refused", proof=proof, trace_id=request.scope["alpmera"]["trace_id"])


async def _count_account(request: Request, email: str) -> None:
    """Count a code for an address, known or not. Raises ProblemError(rate_limited)."""
    lookup = email_lookup(gateway_of(request).settings.people_key_gateway.get_secret_value(), email)
    await count(request, "sign_in_account", lookup.hex(), exactly=True)


def _asked(challenge: str) -> Response:
    body = {"challenge": challenge, "expires_in_seconds": int(CODE_LIFE.total_seconds())}
    return json_answer(body, headers={"Cache-Control": "no-store"})
