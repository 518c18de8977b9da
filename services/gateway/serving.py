"""How the gateway is reached: over TLS with a certificate of its own, and in the clear only to be led away from there.

Production listens beyond its own machine over TLS alone (the settings see to it); a part in front of it on the same
machine may end TLS instead. Whoever asks for a page in the clear is led to the same address over HTTPS; the interface
does not exist there, because a script that once sent its token in the clear should notice. It cannot tell whether the
public trusts the certificate, and it does not renew one.
"""

from __future__ import annotations

import asyncio
import ssl
from http import HTTPStatus
from pathlib import Path
from typing import Any

import uvicorn
from fastapi.responses import RedirectResponse

from contracts.errors import Rejected
from services.gateway.app import API_NAMES, create_app
from services.gateway.middleware import App, Receive, RequestLayer, Scope, Send
from services.gateway.problems import answer_error
from services.gateway.settings import GatewaySettings

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2: a key of its own for each connection, and encryption that notices changes. TLS 1.3 has nothing else."""


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.2 and 1.3 with a certificate (PEM, with what leads to its authority) and its key (PEM). Raises OSError or
    ssl.SSLError when they cannot be read or do not belong together."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.load_cert_chain(certificate, key)
    return context


def lead_to_https(origin: str) -> App:
    """The application in the clear: pages are led to `origin`, the address of the site, and nothing else is there."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        page = scope["method"] in {"GET", "HEAD"} and scope["path"].split("/")[1] not in API_NAMES
        if not page:
            await answer_error(scope, Rejected("not_found"))(scope, receive, send)
            return
        query = b"?" + scope["query_string"] if scope["query_string"] else b""
        address = origin.rstrip("/") + (scope["raw_path"] + query).decode("latin-1")
        await RedirectResponse(address, HTTPStatus.PERMANENT_REDIRECT)(scope, receive, send)

    return answer


def servers(settings: GatewaySettings, options: dict[str, Any]) -> tuple[uvicorn.Server, uvicorn.Server | None]:
    """The server of the whole application, and the one in the clear where there is to be one."""
    if settings.tls_certificate is not None and settings.tls_key is not None:
        context = tls_context(settings.tls_certificate, settings.tls_key)
        options = {**options, "ssl_context_factory": lambda _config, _default: context}
    whole = uvicorn.Config(create_app(settings), host=settings.http_host, port=settings.http_port, **options)
    if settings.clear_port is None:
        return uvicorn.Server(whole), None
    options = {name: value for name, value in options.items() if name != "ssl_context_factory"}
    away = RequestLayer(lead_to_https(settings.public_origins[0]), https=False)
    clear = uvicorn.Config(away, host=settings.http_host, port=settings.clear_port, lifespan="off", **options)
    return uvicorn.Server(whole), uvicorn.Server(clear)


def serve(settings: GatewaySettings, options: dict[str, Any]) -> None:
    """Serve until told to stop."""
    whole, clear = servers(settings, options)
    with asyncio.Runner(loop_factory=whole.config.get_loop_factory()) as runner:
        runner.run(_serve(whole, clear))


async def _serve(whole: uvicorn.Server, clear: uvicorn.Server | None) -> None:
    # Only one of the two may take the signals; it ends the other one.
    beside = asyncio.create_task(clear._serve()) if clear is not None else None
    await whole.serve()
    if clear is not None and beside is not None:
        clear.should_exit = True
        await beside
