"""What every answer carries for a browser's safety, and what no request may say about itself.

One place for both directions. Outwards: no guessing of types, no framing, no referrer to other sites, nothing of an
answer kept that is not named keepable, and a content policy. Inwards: headers by which a proxy would speak are removed,
so that nothing behind this layer can believe a client that writes them; the address of a client is taken from a proxy
only where the settings name the proxy. It cannot see whether the named proxy itself is honest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, MutableMapping
from typing import Any

HeaderList = list[tuple[bytes, bytes]]

SAFETY: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    # What is worth keeping says so itself; everything else is private.
    (b"cache-control", b"no-store"),
    # Whatever a browser takes an answer for, it runs nothing of it and gives it none of the site's rights.
    (
        b"content-security-policy",
        b"default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
)
"""Headers of every answer that does not set them itself."""
HTTPS_ONLY: tuple[bytes, bytes] = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
"""Where the site is served over HTTPS: for a year no browser asks it in the clear."""

_PROXYS_PREFIXES = (b"x-forwarded", b"x-user", b"x-real-", b"x-remote-", b"x-original-", b"x-rewrite-", b"x-actor-")
_PROXYS_NAMES = frozenset({b"forwarded", b"x-client-ip", b"true-client-ip", b"x-http-method-override"})
FORWARDED_FOR = b"x-forwarded-for"


def added(present: Iterable[tuple[bytes, bytes]], *, https: bool) -> HeaderList:
    """The safety headers that an answer lacks."""
    names = {name.lower() for name, _ in present}
    lacking = [header for header in SAFETY if header[0] not in names]
    return [*lacking, HTTPS_ONLY] if https else lacking


def without_claims(headers: HeaderList) -> HeaderList:
    """A request's headers without those by which only a proxy may speak."""
    return [
        header for header in headers if header[0] not in _PROXYS_NAMES and not header[0].startswith(_PROXYS_PREFIXES)
    ]


def client_address(scope: MutableMapping[str, Any], trusted_proxies: Collection[str]) -> str:
    """The address a request comes from: the peer's, or what a named proxy says about its own peer.

    Of a chain of proxies the last address that is no named proxy counts: everything before it the client could have
    written.
    """
    client = scope.get("client")
    address = str(client[0]) if client else ""
    if address not in trusted_proxies:
        return address
    said = ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == FORWARDED_FOR)
    for part in reversed([part.strip() for part in said.split(",") if part.strip()]):
        if part not in trusted_proxies:
            return part
    return address
