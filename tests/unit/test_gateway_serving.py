"""How the gateway is reached: which TLS it speaks, over real connections, and what is there in the clear."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.gateway.serving import servers
from services.gateway.settings import GatewaySettings
from services.kit.clock import wall_now

NOWHERE: dict[str, Any] = {
    "profile": "production",
    "database_url": "postgresql+asyncpg://nobody@127.0.0.1:1/nothing",
    "kafka": "127.0.0.1:1",
    "assertion_private_key": "AAAA",
    "assertion_public_key": "AAAA",
    "people_key_gateway": "AAAA",
    "people_key_notifications": "AAAA",
    "stripe_webhook_secrets": "whsec_one",
    "stripe_kind": "stripe",
    "passkey_domain": "alpmera.example",
    "public_origins": ("https://alpmera.example",),
    "http_port": 0,
}
"""Settings of a gateway whose parts are nowhere; nothing here reaches for them."""
Pair = tuple[Path, Path]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A certificate for this machine that only this test trusts, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = wall_now()
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "site.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )  # fmt: skip
    return folder / "site.pem", folder / "key.pem"


def settings(pair: Pair, **changes: Any) -> GatewaySettings:
    return GatewaySettings(**(NOWHERE | {"tls_certificate": pair[0], "tls_key": pair[1]} | changes))


@asynccontextmanager
async def running(server: uvicorn.Server) -> AsyncIterator[int]:
    """The server on a free port of its own; the port."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    task = asyncio.create_task(server._serve(sockets=[listener]))
    while not server.started:
        assert not task.done(), "the server ended while it started"
        await asyncio.sleep(0.01)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task


def asking(pair: Pair, version: ssl.TLSVersion, ciphers: str) -> ssl.SSLContext:
    """A client that speaks this version alone, and accepts weak ciphers where they are named."""
    context = ssl.create_default_context(cafile=str(pair[0]))
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    return context


SPOKEN = (
    (ssl.TLSVersion.TLSv1_3, "ALL", "TLSv1.3"),
    (ssl.TLSVersion.TLSv1_2, "ECDHE+AESGCM", "TLSv1.2"),
    (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA256", None),
    (ssl.TLSVersion.TLSv1_1, "ALL", None),
)
"""What a client speaks at most and at least, with which ciphers, and what is then spoken; None: refused."""


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
async def test_tls_of_today_is_spoken_and_binds_browsers_to_it_and_older_is_refused(pair: Pair) -> None:
    whole, _ = servers(settings(pair), {"lifespan": "off", "log_level": "critical"})
    async with running(whole) as port:
        for version, ciphers, spoken in SPOKEN:
            opening = asyncio.open_connection("127.0.0.1", port, ssl=asking(pair, version, ciphers))
            if spoken is None:
                with pytest.raises((ssl.SSLError, ConnectionResetError)):
                    await opening
                continue
            _, writer = await opening
            assert writer.get_extra_info("ssl_object").version() == spoken
            writer.close()
        async with httpx.AsyncClient(verify=ssl.create_default_context(cafile=str(pair[0]))) as client:
            answer = await client.get(f"https://127.0.0.1:{port}/v1/problems")
            assert answer.status_code == 200
            assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get(f"http://127.0.0.1:{port}/v1/problems")


async def test_in_the_clear_pages_are_led_to_https_and_the_interface_does_not_exist(pair: Pair) -> None:
    _, clear = servers(settings(pair, clear_port=0), {"log_level": "critical"})
    assert clear is not None
    async with running(clear) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        claimed = {"Host": "elsewhere.example"}
        led = await client.get("/campaigns/one%20two?from=mail", headers=claimed)
        assert (led.status_code, led.headers["location"]) == (
            308,
            "https://alpmera.example/campaigns/one%20two?from=mail",
        )
        led = await client.get(f"http://127.0.0.1:{port}//elsewhere.example/", headers=claimed)
        assert led.headers["location"].startswith("https://alpmera.example//")
        for method, path in (("GET", "/v1/me"), ("POST", "/v1/sign-in/code"), ("POST", "/"), ("GET", "/healthz")):
            answer = await client.request(method, path, headers={"Authorization": "Bearer once-in-the-clear"})
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
            assert "location" not in answer.headers
            assert answer.headers["x-content-type-options"] == "nosniff"


def test_production_is_reached_beyond_its_machine_over_tls_alone(pair: Pair) -> None:
    assert GatewaySettings(**NOWHERE).http_host == "127.0.0.1"
    with pytest.raises(ValueError, match="ALPMERA_TLS_CERTIFICATE only"):
        GatewaySettings(**NOWHERE, http_host="0.0.0.0")  # noqa: S104 - what is refused
    assert settings(pair, http_host="0.0.0.0").tls_key == pair[1]  # noqa: S104 - over TLS
    with pytest.raises(ValueError, match="belong together"):
        GatewaySettings(**NOWHERE, tls_certificate=pair[0])
    with pytest.raises(ValueError, match="ALPMERA_CLEAR_PORT"):
        GatewaySettings(**(NOWHERE | {"profile": "test", "public_origins": (), "clear_port": 80}))
