"""Register a passkey and prove who one is with it. User verification is required each time; a challenge works once.

What the browser sends is checked by the webauthn library: challenge, origin, domain, flags, counter, signature. What it
cannot tell: whether two people share a device.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, options_to_json_dict
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from contracts.errors import Rejected
from services.gateway.auth.identity import Identity
from services.gateway.settings import GatewaySettings
from services.gateway.store import second_factors as stored
from services.gateway.store.accounts import Account
from services.kit.clock import wall_now

CHALLENGE_LIFE = timedelta(minutes=5)
TIMEOUT_MILLISECONDS = 300_000
SITE_NAME = "Alpmera"
BAD_ANSWER = (WebAuthnException, ValueError, TypeError, KeyError, IndexError, AttributeError, struct.error)
"""What the library raises about an answer that is malformed or does not fit."""

Purpose = Literal["register", "sign_in", "step_up"]


@dataclass(frozen=True, slots=True)
class Given:
    """A browser's answer to a challenge, and the origins that are ours."""

    challenge_id: UUID
    credential: dict[str, Any] = field(repr=False)
    origins: Sequence[str]


async def registration_options(
    connection: AsyncConnection, settings: GatewaySettings, identity: Identity, *, shown_name: str
) -> dict[str, Any]:
    """What a browser needs for making a passkey; those that the account has already are left out."""
    known = await stored.passkeys_of(connection, identity.subject_id)
    if len(known) >= stored.PASSKEYS_MAX:
        raise Rejected("passkeys_full", limit=stored.PASSKEYS_MAX)
    options = generate_registration_options(
        rp_id=settings.passkey_domain,
        rp_name=SITE_NAME,
        user_id=identity.subject_id.bytes,
        user_name=shown_name,
        timeout=TIMEOUT_MILLISECONDS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=bytes(each["credential_id"])) for each in known],
    )
    return await _open(connection, options, purpose="register", subject_id=identity.subject_id)


async def register_passkey(
    connection: AsyncConnection, settings: GatewaySettings, identity: Identity, given: Given, *, name: str
) -> None:
    """Keep a new passkey. Raises Rejected(passkey_not_accepted)."""
    challenge = await _take(connection, given, purpose="register", subject_id=identity.subject_id)
    try:
        verified = verify_registration_response(
            credential=given.credential,
            expected_challenge=challenge,
            expected_rp_id=settings.passkey_domain,
            expected_origin=list(given.origins),
            require_user_verification=True,
        )
    except BAD_ANSWER:
        raise Rejected("passkey_not_accepted") from None
    passkey = stored.NewPasskey(
        id=uuid4(),
        credential_id=verified.credential_id,
        subject_id=identity.subject_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        name=name,
    )
    if not await stored.insert_passkey(connection, passkey, now=wall_now()):
        raise Rejected("passkey_not_accepted")


async def proof_options(
    connection: AsyncConnection, settings: GatewaySettings, identity: Identity | None
) -> dict[str, Any]:
    """What a browser needs for proving with a passkey: any of this site's for signing in, one's own for stepping up."""
    own = await stored.passkeys_of(connection, identity.subject_id) if identity is not None else []
    options = generate_authentication_options(
        rp_id=settings.passkey_domain,
        timeout=TIMEOUT_MILLISECONDS,
        allow_credentials=[PublicKeyCredentialDescriptor(id=bytes(each["credential_id"])) for each in own],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    subject_id = identity.subject_id if identity is not None else None
    return await _open(connection, options, purpose="step_up" if identity else "sign_in", subject_id=subject_id)


async def prove_by_passkey(
    connection: AsyncConnection, settings: GatewaySettings, given: Given, *, identity: Identity | None
) -> Account:
    """The account whose passkey answered; with `identity` it has to be that account's. Raises
    Rejected(passkey_not_accepted), which tells nobody why."""
    subject_id = identity.subject_id if identity is not None else None
    challenge = await _take(connection, given, purpose="step_up" if identity else "sign_in", subject_id=subject_id)
    try:
        row = await stored.passkey_by_credential(connection, base64url_to_bytes(str(given.credential["rawId"])))
        if row is None or (subject_id is not None and row["subject_id"] != subject_id):
            raise Rejected("passkey_not_accepted")
        verified = verify_authentication_response(
            credential=given.credential,
            expected_challenge=challenge,
            expected_rp_id=settings.passkey_domain,
            expected_origin=list(given.origins),
            credential_public_key=bytes(row["public_key"]),
            credential_current_sign_count=row["sign_count"],
            require_user_verification=True,
        )
    except BAD_ANSWER:
        raise Rejected("passkey_not_accepted") from None
    await stored.use_passkey(connection, row["id"], verified.new_sign_count, now=wall_now())
    return Account(row["subject_id"], row["role"], row["supplier_id"], row["label"], row["external_id"])


async def _open(
    connection: AsyncConnection, options: Any, *, purpose: Purpose, subject_id: UUID | None
) -> dict[str, Any]:
    now, challenge_id = wall_now(), uuid4()
    row = {
        "id": challenge_id,
        "challenge": options.challenge,
        "purpose": purpose,
        "subject_id": subject_id,
        "expires_at": now + CHALLENGE_LIFE,
    }
    await stored.put_challenge(connection, row, now=now)
    return {"challenge_id": challenge_id, "options": options_to_json_dict(options)}


async def _take(connection: AsyncConnection, given: Given, *, purpose: Purpose, subject_id: UUID | None) -> bytes:
    challenge = await stored.take_challenge(
        connection, given.challenge_id, purpose=purpose, subject_id=subject_id, now=wall_now()
    )
    if challenge is None:
        raise Rejected("passkey_not_accepted")
    return challenge
