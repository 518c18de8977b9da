"""Checkpoints: what escrow signs about one scope's ledger, and about all scopes together.

Owns the fields, the canonical bytes, their hash and their signature (Ed25519). A checkpoint speaks of a position whose
events have left the database, so it cannot be taken back quietly. Its sums say what the ledger says; what the payment
processor holds is a figure somebody read, never a proof.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field

from contracts.common import Hash, ShortText
from contracts.envelope import canonical_json
from contracts.ledger import GENESIS_HASH
from contracts.money import Currency
from contracts.proofs.sums import SUM_MAX

CHECKPOINT_VERSION = "alpmera.checkpoint.1"
PLATFORM_VERSION = "alpmera.platform_checkpoint.1"
FIRST_PREVIOUS_HASH = GENESIS_HASH
"""The previous hash of a scope's, or the platform's, first checkpoint."""

SHORT_CHARACTERS = 16
"""How much of a hash is printed where people compare it by eye."""

Count = Annotated[int, Field(strict=True, ge=0, le=SUM_MAX)]
Number = Annotated[int, Field(strict=True, ge=1, le=SUM_MAX)]
Total = Annotated[int, Field(strict=True, ge=0, le=SUM_MAX)]
SignedTotal = Annotated[int, Field(strict=True, ge=-SUM_MAX, le=SUM_MAX)]
Instant = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$")]
"""A moment in its canonical form, UTC (`contracts.ledger.canonical_time`)."""
AccountClassName = Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]
Signature = Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]


class CheckpointBody(BaseModel):
    """What is signed about one scope: its ledger up to `position`.

    `number` runs 1, 2, 3 … per scope; `chain_head` is the hash of the last transfer; `sums` are the balances per account
    class (credit +, debit −, minor units), of which those in the state tree equal its root's. `key_id` is the SHA-256 of
    the public key.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal["alpmera.checkpoint.1"] = "alpmera.checkpoint.1"
    scope: ShortText
    number: Number
    position: Count
    chain_head: Hash
    history_root: Hash
    state_root: Hash
    leaf_count: Count
    sums: dict[AccountClassName, SignedTotal]
    currency: Currency
    stack_time: Instant
    wall_time: Instant
    previous_hash: Hash
    key_id: Hash


class SignedCheckpoint(BaseModel):
    """A checkpoint with its signature and the key that made it; `body.key_id` binds the key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    body: CheckpointBody
    signature: Signature
    public_key: Hash


class SeenBalance(BaseModel):
    """What the payment processor said it holds, and when it was asked: a figure read, not a proof."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    balance_minor: SignedTotal
    seen_at: Instant


class PlatformBody(BaseModel):
    """What is signed about the platform: the newest checkpoint of every scope, and what they add up to per currency.

    `checkpoints_root` is the tree hash over the hashes of those checkpoints, scopes in alphabetical sequence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal["alpmera.platform_checkpoint.1"] = "alpmera.platform_checkpoint.1"
    number: Number
    scope_count: Count
    checkpoints_root: Hash
    owed: dict[Currency, Total]
    held: dict[Currency, SignedTotal]
    psp_balance: dict[Currency, SeenBalance]
    stack_time: Instant
    wall_time: Instant
    previous_hash: Hash
    key_id: Hash


class SignedPlatformCheckpoint(BaseModel):
    """A line of the public file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    body: PlatformBody
    signature: Signature
    public_key: Hash


AnyBody = CheckpointBody | PlatformBody
AnySigned = SignedCheckpoint | SignedPlatformCheckpoint


def signed_bytes(body: AnyBody) -> bytes:
    """What is hashed and signed: the version, a line feed, and the canonical JSON of all fields."""
    return body.version.encode() + b"\n" + canonical_json(body.model_dump())


def body_hash(body: AnyBody) -> str:
    """The hash that the next checkpoint, and the platform's, names: lower-case hex."""
    return hashlib.sha256(signed_bytes(body)).hexdigest()


def public_key_of(key: Ed25519PrivateKey) -> str:
    """The public half, 32 bytes in hex."""
    return key.public_key().public_bytes_raw().hex()


def key_id_of(public_key: str) -> str:
    """The id of a public key given in hex."""
    return hashlib.sha256(bytes.fromhex(public_key)).hexdigest()


def sign_checkpoint(body: CheckpointBody, key: Ed25519PrivateKey) -> SignedCheckpoint:
    """Sign a scope's checkpoint. Raises ValueError when it names another key."""
    return SignedCheckpoint(body=body, signature=_signature(body, key), public_key=public_key_of(key))


def sign_platform(body: PlatformBody, key: Ed25519PrivateKey) -> SignedPlatformCheckpoint:
    """Sign the platform's checkpoint. Raises ValueError when it names another key."""
    return SignedPlatformCheckpoint(body=body, signature=_signature(body, key), public_key=public_key_of(key))


def _signature(body: AnyBody, key: Ed25519PrivateKey) -> str:
    if body.key_id != key_id_of(public_key_of(key)):
        raise ValueError("the checkpoint names another key")
    return key.sign(signed_bytes(body)).hex()


def is_signed(signed: AnySigned) -> bool:
    """Whether the key is the one that the checkpoint names, and the signature is that key's."""
    if key_id_of(signed.public_key) != signed.body.key_id:
        return False
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signed.public_key))
        public.verify(bytes.fromhex(signed.signature), signed_bytes(signed.body))
    except (InvalidSignature, ValueError):
        return False
    return True
