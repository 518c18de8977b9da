"""The built web application: its page with a fresh nonce per request, its files for as long as they are named by hash.

Any address that is not one of the interface's opens the page, so that a link into the application works. When nothing
is built there is no site and the interface works alone.
"""

from __future__ import annotations

import mimetypes
import secrets
from pathlib import Path

from fastapi import Response
from fastapi.responses import FileResponse

from contracts.errors import Rejected
from services.gateway.settings import GatewaySettings

NONCE_PLACEHOLDER = "__CSP_NONCE__"
NONCE_BYTES = 16
IMMUTABLE = "public, max-age=31536000, immutable"
STRIPE_SCRIPT = "https://js.stripe.com"
STRIPE_FRAMES = "https://js.stripe.com https://hooks.stripe.com"
STRIPE_CONNECT = "https://api.stripe.com"
REPORTS_PATH = "/v1/csp-reports"
REPORTS_NAME = "policy"


def media_type_of(file: Path) -> str:
    """What a file is, by its name; whatever is text says that it is UTF-8."""
    media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    textual = media_type.startswith("text/") or media_type.endswith("xml")
    return f"{media_type}; charset=utf-8" if textual else media_type


class Site:
    """The built site in a folder."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._root = settings.web_dist.resolve()
        self._standin = settings.stripe_browser_base if settings.stripe_kind == "stand-in" else None
        self._real_stripe = settings.stripe_kind == "stripe"

    def answer(self, path: str) -> Response:
        """The file at a path, or the application's page. Raises Rejected(not_found) when nothing is built."""
        found = self._file(path)
        if found is not None:
            immutable = path.startswith("assets/")
            headers = {"Cache-Control": IMMUTABLE if immutable else "no-cache"}
            return FileResponse(found, headers=headers, media_type=media_type_of(found))
        if path.startswith("assets/"):
            raise Rejected("not_found")
        return self._page()

    def policy(self, nonce: str) -> str:
        """The content security policy of the page: our own files, and the card form's origin, nothing else."""
        script, frames, connect = [f"'nonce-{nonce}'"], [], ["'self'"]
        if self._real_stripe:
            script.append(STRIPE_SCRIPT)
            frames.append(STRIPE_FRAMES)
            connect.append(STRIPE_CONNECT)
        elif self._standin is not None:
            for sources in (script, frames, connect):
                sources.append(self._standin)
        return "; ".join(
            (
                "default-src 'none'",
                f"script-src {' '.join(script)}",
                f"style-src 'self' 'nonce-{nonce}'",
                "img-src 'self'",
                "font-src 'self'",
                f"connect-src {' '.join(connect)}",
                f"frame-src {' '.join(frames) or chr(39) + 'none' + chr(39)}",
                "manifest-src 'self'",
                "object-src 'none'",
                "base-uri 'none'",
                "frame-ancestors 'none'",
                "form-action 'self'",
                f"report-uri {REPORTS_PATH}",
                f"report-to {REPORTS_NAME}",
            )
        )

    def _page(self) -> Response:
        index = self._root / "index.html"
        if not index.is_file():
            raise Rejected("not_found")
        nonce = secrets.token_urlsafe(NONCE_BYTES)
        return Response(
            index.read_text(encoding="utf-8").replace(NONCE_PLACEHOLDER, nonce),
            media_type="text/html; charset=utf-8",
            headers={
                "Content-Security-Policy": self.policy(nonce),
                "Reporting-Endpoints": f'{REPORTS_NAME}="{REPORTS_PATH}"',
                "Cache-Control": "no-store",
            },
        )

    def _file(self, path: str) -> Path | None:
        if not path or "\0" in path:
            return None
        if any(part.startswith(".") for part in path.split("/")):
            # A folder's own records (version control, editors) are no part of a site, wherever they were copied from.
            return None
        wanted = (self._root / path).resolve()
        inside = wanted.is_relative_to(self._root) and wanted.name != "index.html"
        return wanted if inside and wanted.is_file() else None
