"""Pages that the gateway writes itself: what a problem means, and the reference for those who build on the interface.

They need no script, no font and nothing from another host, so that they open wherever the gateway answers, and their
content policy allows less than the site's: one style with a nonce of the request, and nothing else. What a page shows is
the same for everybody; only its nonce differs.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from fastapi import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

NONCE_BYTES = 16
NONCE_MARK = "@@nonce@@"
TEMPLATES = Path(__file__).parent / "templates"

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES),
    undefined=StrictUndefined,
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(name: str, **facts: Any) -> str:
    """A page by its template, with a mark where the nonce of a request belongs."""
    return _ENVIRONMENT.get_template(name).render(nonce=NONCE_MARK, **facts)


def page_response(page: str, *, status: int = 200) -> Response:
    """The answer of a rendered page, with a nonce of its own."""
    nonce = secrets.token_urlsafe(NONCE_BYTES)
    return Response(
        page.replace(NONCE_MARK, nonce),
        status_code=status,
        media_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": policy(nonce), "Cache-Control": "no-store"},
    )


def policy(nonce: str) -> str:
    """The content policy of such a page."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src 'nonce-{nonce}'",
            "img-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
