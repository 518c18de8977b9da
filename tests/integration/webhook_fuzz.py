"""Webhooks that must have no effect, made by a seed: forged, stale, future, altered, re-signed, repeated, or not events.

Each names the answers that are right for it. What they have in common is judged by the test: no row of any table changes
and no message is written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from stripe import WebhookSignature

from services.kit.clock import wall_seconds

TOLERANCE_SECONDS = 300
YEAR_SECONDS = 31_536_000
BODY_BYTES_MAX = 256 * 1024

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Known:
    """What an attacker may have: events that were accepted with their headers, and a body that nobody has sent."""

    accepted: Sequence[tuple[bytes, str]]
    fresh: bytes
    secret: str
    older_secret: str


@dataclass(frozen=True)
class Attempt:
    """One request and the statuses that are right for it."""

    name: str
    body: bytes
    headers: Headers
    statuses: frozenset[int]


REFUSED = frozenset({400})
ACCEPTED_BEFORE = frozenset({200})
TOO_LARGE = frozenset({413})


def sign(body: bytes, secret: str, *, seconds: float = 0) -> str:
    """Stripe's header over a body."""
    stamp = int(wall_seconds() + seconds)
    return str(WebhookSignature.generate_signature_header(body.decode("utf-8", "replace"), secret, timestamp=stamp))


def _one(header: str | None, *, content_type: str = "application/json") -> Headers:
    signature = [("Stripe-Signature", header)] if header is not None else []
    return [("Content-Type", content_type), *signature]


def _altered(random: Random, known: Known) -> tuple[bytes, Headers]:
    body = bytearray(known.fresh)
    place = random.randrange(len(body))
    match random.randrange(4):
        case 0:
            body[place] ^= 1 << random.randrange(8)
        case 1:
            body.insert(place, random.randrange(256))
        case 2:
            del body[place]
        case _:
            del body[place:]
    return bytes(body), _one(sign(known.fresh, known.secret))


def _amount_altered(random: Random, known: Known) -> tuple[bytes, Headers]:
    amount = random.choice([b"0", b"-1", b"109801", b"9" * 30, b'"109800"', b"1.5"])
    return known.fresh.replace(b"109800", amount, 1), _one(sign(known.fresh, known.secret))


def _other_secret(random: Random, known: Known) -> tuple[bytes, Headers]:
    other = random.choice(["", "whsec_", known.secret[:-1], known.secret.upper(), f"whsec_{random.random()}"])
    return known.fresh, _one(sign(known.fresh, other))


def _other_scheme(random: Random, known: Known) -> tuple[bytes, Headers]:
    scheme = random.choice(["v0=", "v2=", "V1=", "v1:"])
    return known.fresh, _one(sign(known.fresh, known.secret).replace("v1=", scheme))


def _stale(random: Random, known: Known) -> tuple[bytes, Headers]:
    seconds = -random.randint(TOLERANCE_SECONDS + 1, YEAR_SECONDS)
    return known.fresh, _one(sign(known.fresh, known.secret, seconds=seconds))


def _future(random: Random, known: Known) -> tuple[bytes, Headers]:
    seconds = random.randint(TOLERANCE_SECONDS + 2, YEAR_SECONDS)
    return known.fresh, _one(sign(known.fresh, known.secret, seconds=seconds))


def _two_stamps(random: Random, known: Known) -> tuple[bytes, Headers]:
    """A signature over a far moment, with the present one named beside it."""
    far = sign(known.fresh, known.secret, seconds=random.choice([-1, 1]) * random.randint(1_000, YEAR_SECONDS))
    now = f"t={int(wall_seconds())}"
    return known.fresh, _one(
        random.choice([f"{now},{far}", f"v1=00, {now},{far}", f"{far},{now}", f"v1=00,{now},{far}"])
    )


def _unsigned(random: Random, known: Known) -> tuple[bytes, Headers]:
    now = int(wall_seconds())
    headers = [None, "", "v1=", f"t={now}", f"t={now},v1=", f"t={now},v1={'0' * 64}", "t=x,v1=y", f"t={now}" * 500]
    return known.fresh, _one(random.choice(headers))


def _doubled_header(random: Random, known: Known) -> tuple[bytes, Headers]:
    forged, stale = sign(known.fresh, "whsec_other"), sign(known.fresh, known.secret, seconds=-1_000)
    headers = [("Stripe-Signature", each) for each in random.sample([forged, stale, "", "t=1,v1=2"], 2)]
    return known.fresh, [("Content-Type", "application/json"), *headers]


def _other_content_type(random: Random, known: Known) -> tuple[bytes, Headers]:
    kinds = [
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "",
        "application/xml",
    ]
    return known.fresh, _one(sign(known.fresh, "whsec_other"), content_type=random.choice(kinds))


def _signature_of_another(random: Random, known: Known) -> tuple[bytes, Headers]:
    return known.fresh, _one(random.choice(known.accepted)[1])


def _no_event(random: Random, known: Known) -> tuple[bytes, Headers]:
    """Signed, and no event."""
    fresh = json.loads(known.fresh)
    lone = known.fresh.replace(b'"pi_1"', b'"\\ud800"', 1)
    nul = json.dumps({**fresh, "id": "evt_\u0000"}).encode()
    not_a_number = known.fresh.replace(b"109800", random.choice([b"NaN", b"Infinity"]), 1)
    bodies = [
        b"", b"{", b"null", b"[]", b"{}", b'"evt"', b"0", b'{"id": 1}', b'{"id": "evt_1", "type": "x"}',
        b'{"id": "evt_1", "type": "x", "data": {"object": 1}}', b'{"id": null, "type": "x", "data": {}}',
        known.fresh[: random.randrange(1, len(known.fresh))], b"[" * 100_000, lone, nul, not_a_number,
        known.fresh.replace(b"109800", b"9" * 5_000, 1),
    ]  # fmt: skip
    body = random.choice(bodies)
    return body, _one(sign(body, known.secret))


def _of_others(random: Random, known: Known) -> tuple[bytes, Headers]:
    """Signed, and about another account or the other mode."""
    changes: dict[str, Any] = random.choice([{"account": "acct_other"}, {"livemode": True}, {"livemode": "yes"}])
    body = json.dumps(json.loads(known.fresh) | changes).encode()
    return body, _one(sign(body, known.secret))


def _huge(random: Random, known: Known) -> tuple[bytes, Headers]:
    body = known.fresh + b" " * random.randint(BODY_BYTES_MAX, BODY_BYTES_MAX + 2_000)
    return body, _one(sign(body, known.secret))


def _repeated(random: Random, known: Known) -> tuple[bytes, Headers]:
    body, header = random.choice(known.accepted)
    return body, _one(header)


def _signed_again(random: Random, known: Known) -> tuple[bytes, Headers]:
    """An event that was accepted, signed anew, perhaps by the older secret; perhaps with another content."""
    body, _ = random.choice(known.accepted)
    if random.random() < 0.5:
        body = body.replace(b"109800", b"1", 1)
    return body, _one(sign(body, random.choice([known.secret, known.older_secret])))


KINDS: dict[str, tuple[Callable[[Random, Known], tuple[bytes, Headers]], frozenset[int]]] = {
    "an altered body": (_altered, REFUSED),
    "an altered amount": (_amount_altered, REFUSED),
    "another secret": (_other_secret, REFUSED),
    "another scheme": (_other_scheme, REFUSED),
    "a stale stamp": (_stale, REFUSED),
    "a stamp in the future": (_future, REFUSED),
    "two stamps": (_two_stamps, REFUSED),
    "no signature": (_unsigned, REFUSED),
    "two headers": (_doubled_header, REFUSED),
    "another content type": (_other_content_type, REFUSED),
    "the signature of another body": (_signature_of_another, REFUSED),
    "a signed body that is no event": (_no_event, REFUSED),
    "an event of others": (_of_others, ACCEPTED_BEFORE),
    "a body beyond the limit": (_huge, TOO_LARGE),
    "a repeated request": (_repeated, ACCEPTED_BEFORE),
    "an event that is signed again": (_signed_again, ACCEPTED_BEFORE),
}


def attempts(known: Known, *, seed: int, count: int) -> list[Attempt]:
    """So many requests, the kinds in turn."""
    random = Random(seed)
    names = list(KINDS)
    found = []
    for place in range(count):
        name = names[place % len(names)]
        make, statuses = KINDS[name]
        body, headers = make(random, known)
        found.append(Attempt(name, body, headers, statuses))
    return found
