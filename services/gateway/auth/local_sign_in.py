"""Sign-in without proof, for the demo logins and for scripts. It exists in the local profile only.

The application loads this module by name when the profile is local or test and never otherwise; the production image
does not contain the file. Whoever reaches these addresses can act as any demo account: that is their purpose.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncEngine

from contracts.errors import Rejected
from services.gateway.auth.people import Person, record_people
from services.gateway.auth.requests import count, record_act
from services.gateway.domain.client_words import client_words
from services.gateway.parts import gateway_of
from services.gateway.routes.reading import read_body
from services.gateway.routes.replying import json_answer
from services.gateway.routes.session import account_view, session_cookie
from services.gateway.schemas.answers import DevParticipants, SignedIn
from services.gateway.schemas.bodies import DevParticipantsBody, SignInBody
from services.gateway.schemas.describing import answers, body_of
from services.gateway.settings import GatewaySettings
from services.gateway.store.accounts import (
    Account,
    account_by_email,
    accounts_by_external_id,
    email_lookup,
    open_sessions,
)
from services.kit.clock import wall_now

DEMO_SUPPLIER_ID = UUID("5e6a1d00-0000-4000-8000-00000000d0c1")

DEMO_PEOPLE: tuple[Person, ...] = (
    Person("participant", "maya", email="maya@demo.test"),
    Person("participant", "theo", email="theo@demo.test"),
    Person("supplier", "emerald supply", supplier_id=DEMO_SUPPLIER_ID, email="dock@emeraldsupply.test"),
    Person("escrow_auditor", "ana", email="ana@alpmera.test"),
    Person("escrow_auditor", "ben", email="ben@alpmera.test"),
    Person("gatekeeper", "gus", email="gus@alpmera.test"),
    Person("operations", "olga", email="olga@alpmera.test"),
    Person("trust_reviewer", "tess", email="tess@alpmera.test"),
)

ROLE_WORDS = {
    "participant": "participant",
    "supplier": "supplier",
    "escrow_auditor": "escrow auditor",
    "gatekeeper": "gatekeeper",
    "operations": "operations",
    "trust_reviewer": "trust reviewer",
}

router = APIRouter(prefix="/v1/dev", tags=["local"])


async def make_demo_accounts(engine: AsyncEngine, settings: GatewaySettings) -> None:
    """Make the demo accounts that are missing."""
    async with engine.begin() as connection:
        await record_people(connection, DEMO_PEOPLE, settings)


def demo_logins() -> Sequence[dict[str, str]]:
    """The demo logins as the sign-in page lists them."""
    return [
        {"email": person.email or "", "role": person.role, "words": ROLE_WORDS[person.role]} for person in DEMO_PEOPLE
    ]


@router.post(
    "/sign-in",
    operation_id="dev_sign_in",
    summary="Sign in as a demo account (local profile only)",
    responses=answers(SignedIn, 400, 404, 422),
    openapi_extra=body_of(SignInBody),
)
async def sign_in(request: Request) -> Response:
    """Open a session for a known address without any proof."""
    gateway = gateway_of(request)
    body = await read_body(request, SignInBody)
    await count(request, "sign_in_address", request.scope["client_address"])
    lookup = email_lookup(gateway.settings.people_key_gateway.get_secret_value(), body.email)
    async with gateway.engine.begin() as connection:
        account = await account_by_email(connection, lookup)
        if account is None:
            raise Rejected("not_found")
        client = client_words(request.headers.get("user-agent"))
        (session,) = await open_sessions(connection, [account], now=wall_now(), proof="local", client=client)
        await record_act(
            request, connection, account, "session.opened", subject=session.session_id, after={"proof": "local"}
        )
    answer = {
        "token": session.token,
        "csrf_token": session.csrf_token,
        "expires_at": session.expires_at,
        "account": account_view(account),
    }
    return json_answer(answer, headers={"Set-Cookie": session_cookie(session.token), "Cache-Control": "no-store"})


@router.post(
    "/participants",
    operation_id="dev_participants",
    summary="Make participant accounts for scripts, with a session each (local profile only)",
    responses=answers(DevParticipants, 400, 413, 422),
    openapi_extra=body_of(DevParticipantsBody),
)
async def make_participants(request: Request) -> Response:
    """Make or find accounts by a script's own ids; the same id is the same account, with a new session each time."""
    # A script's crowd is nobody's act: it leaves no records.
    gateway = gateway_of(request)
    body = await read_body(request, DevParticipantsBody)
    people = [Person("participant", external_id=person.external_id, email=person.email) for person in body.participants]
    wanted = list(dict.fromkeys(person.external_id for person in body.participants))
    async with gateway.engine.begin() as connection:
        await record_people(connection, people, gateway.settings)
        found = await accounts_by_external_id(connection, wanted)
        accounts: list[Account] = [found[external_id] for external_id in wanted if external_id in found]
        sessions = await open_sessions(connection, accounts, now=wall_now())
    gateway.kick_relay()
    return json_answer(
        {
            "participants": [
                {"external_id": account.external_id, "subject_id": account.subject_id, "token": session.token}
                for account, session in zip(accounts, sessions, strict=True)
            ]
        },
        headers={"Cache-Control": "no-store"},
    )
