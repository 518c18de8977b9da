"""Keep the paper of a dispute's evidence: made once for what is told, sealed, and read back as the very same bytes.

Whoever sends it reads this file before, and the bank gets this file. Its seal is the gateway's own key and binds the
content to its digest; a row that was changed or exchanged does not open.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Awaitable, Callable
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from contracts.errors import Rejected
from services.gateway.parts import Gateway
from services.gateway.settings import GatewaySettings
from services.gateway.store.evidence_papers import find_paper, insert_paper

NONCE_BYTES = 12


async def keep_paper(
    gateway: Gateway,
    psp_dispute_id: str,
    evidence_hash: str,
    *,
    make: Callable[[], Awaitable[bytes]],
    made_at: datetime,
) -> bytes:
    """The paper of this evidence: the one that was kept, or what `make` gives, kept now."""
    kept = await _read(gateway, psp_dispute_id, evidence_hash)
    if kept is None:
        content = await make()
        digest = hashlib.sha256(content).hexdigest()
        async with gateway.engine.begin() as connection:
            await insert_paper(
                connection, psp_dispute_id, evidence_hash,
                digest=digest, sealed=seal_paper(own_key(gateway.settings), content, digest), made_at=made_at,
            )  # fmt: skip
        kept = await _read(gateway, psp_dispute_id, evidence_hash)
    if kept is None:
        raise RuntimeError("a paper that was kept is there")
    return kept


async def kept_paper(gateway: Gateway, psp_dispute_id: str, evidence_hash: str, *, digest: str) -> bytes:
    """The paper with this digest, as it was prepared. Raises Rejected(not_found) when it is not kept here, or is another."""
    kept = await _read(gateway, psp_dispute_id, evidence_hash)
    if kept is None or hashlib.sha256(kept).hexdigest() != digest:
        raise Rejected("not_found")
    return kept


async def _read(gateway: Gateway, psp_dispute_id: str, evidence_hash: str) -> bytes | None:
    async with gateway.engine.connect() as connection:
        row = await find_paper(connection, psp_dispute_id, evidence_hash)
    return None if row is None else _open(own_key(gateway.settings), row.sealed, row.digest)


def own_key(settings: GatewaySettings) -> bytes:
    """The gateway's own key."""
    return base64.b64decode(settings.people_key_gateway.get_secret_value())


def seal_paper(key: bytes, content: bytes, digest: str) -> bytes:
    """A paper's content sealed together with its digest."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, digest.encode())


def _open(key: bytes, sealed: bytes, digest: str) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], digest.encode())
    except InvalidTag as error:
        raise RuntimeError("a kept paper does not open: it was changed, or the key is another") from error
