"""Where a browser says a request comes from: a write that another site's page sends is refused before anything reads it.

Browsers set `Origin` and `Sec-Fetch-Site` themselves and no script can change them. A request without either comes from
no page (a script, another company's machine) and is judged by its token alone. Stripe's webhook is judged by its
signature.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SAME_SITE = frozenset({b"same-origin", b"none"})
SIGNED_PATHS = "/v1/webhooks/"


def from_another_site(
    method: str, path: str, headers: Mapping[bytes, bytes], *, scheme: str, public_origins: Collection[str]
) -> bool:
    """Whether a page of another site sent this write. `headers` has lower-case names."""
    if method in SAFE_METHODS or path.startswith(SIGNED_PATHS):
        return False
    if headers.get(b"sec-fetch-site", b"none") not in SAME_SITE:
        return True
    origin = headers.get(b"origin")
    if origin is None:
        return False
    given = origin.decode("latin-1")
    own = f"{scheme}://{headers.get(b'host', b'').decode('latin-1')}"
    return given != own and given not in public_origins
