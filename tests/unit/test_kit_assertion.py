"""A command's signature: it holds for one message of one gateway, whatever else a sender writes into it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from contracts.envelope import Actor, Envelope
from services.kit.assertion import load_private, make_verifier, new_key_pair, sign
from services.kit.received import Received, UnverifiedError

PRIVATE, PUBLIC = new_key_pair()
BODY = b'{"quantity":1}'


def envelope() -> Envelope:
    return Envelope(
        id=uuid4(), type="campaigns.commit_funds.v1", source="gateway", time=None, key=str(uuid4()),
        actor=Actor(str(uuid4()), "participant"),
    )  # fmt: skip


def received(about: Envelope, body: bytes = BODY, *, assertion: str | None) -> Received:
    return Received("campaigns.commands", replace(about, assertion=assertion), body)


def signed(about: Envelope) -> str:
    return sign(load_private(PRIVATE), about, BODY)


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_a_signed_command_carries_the_actor_of_its_signature_and_not_of_its_headers() -> None:
    about = envelope()
    claimed = replace(about, actor=Actor(str(uuid4()), "founder"))
    verified = make_verifier(PUBLIC)(received(claimed, assertion=signed(about)))
    assert verified.actor == about.actor


def test_a_command_without_a_signature_or_with_a_broken_one_is_refused() -> None:
    about = envelope()
    header, payload, signature = signed(about).split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    promoted = base64url(json.dumps(claims | {"role": "founder"}).encode())
    for wrong in (None, "", "a.b", f"{header}.{promoted}.{signature}", f"{header}.{payload}.", f"{header}.{payload}"):
        with pytest.raises(UnverifiedError):
            make_verifier(PUBLIC)(received(about, assertion=wrong))


@pytest.mark.parametrize("change", ["id", "type", "key", "body"])
def test_a_signature_is_about_one_message(change: str) -> None:
    about = envelope()
    assertion = signed(about)
    others = {"id": uuid4(), "type": "escrow.approve_clearing_plan.v1", "key": str(uuid4())}
    other = replace(about, **{change: others[change]}) if change in others else about
    body = BODY if change != "body" else b'{"quantity":9}'
    with pytest.raises(UnverifiedError, match="another message"):
        make_verifier(PUBLIC)(received(other, body, assertion=assertion))


def test_a_sender_chooses_neither_the_algorithm_nor_the_key() -> None:
    about = envelope()
    _, payload, _ = signed(about).split(".")
    foreign, foreign_public = new_key_pair()
    for algorithm, signature in (
        ({"alg": "none"}, b""),
        ({"alg": "HS256"}, None),
        ({"alg": "EdDSA", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": base64url(foreign_public)}}, b"own"),
        ({"alg": "EdDSA", "jku": "https://elsewhere.example/keys"}, b"own"),
    ):
        header = base64url(json.dumps(algorithm).encode())
        said = f"{header}.{payload}".encode()
        if signature is None:
            signature = hmac.new(PUBLIC, said, hashlib.sha256).digest()
        elif signature == b"own":
            signature = load_private(foreign).sign(said)
        with pytest.raises(UnverifiedError, match="does not fit"):
            make_verifier(PUBLIC)(received(about, assertion=f"{said.decode()}.{base64url(signature)}"))
    with pytest.raises(UnverifiedError, match="does not fit"):
        make_verifier(PUBLIC)(received(about, assertion=sign(load_private(foreign), about, BODY)))


def test_a_key_of_another_kind_is_refused_at_the_start() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(TypeError, match="Ed25519"):
        load_private(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(TypeError, match="Ed25519"):
        make_verifier(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
