"""The site and what machines ask: the page with its nonce, its files, health, and an interface that describes itself."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from contracts.errors import PROBLEMS
from services.gateway.openapi import document
from services.gateway.routes.machine import installed_version
from services.gateway.site import NONCE_PLACEHOLDER, Site
from services.kit.revisions import head_revision
from tests.integration.gateway_support import Stage, make_stage

pytestmark = pytest.mark.asyncio


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("web")
    (folder / "assets").mkdir()
    (folder / "index.html").write_text(f'<script nonce="{NONCE_PLACEHOLDER}" src="/assets/app-1a2b.js"></script>')
    (folder / "assets" / "app-1a2b.js").write_text("export {};")
    (folder / "icon.svg").write_text("<svg/>")
    (folder.parent / "secret.txt").write_text("outside")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("outside")
    (folder / "assets" / ".env").write_text("outside")
    (folder / "notes.txt").write_text("words")
    return folder


@pytest_asyncio.fixture(scope="module")
async def stage(dist: Path) -> AsyncIterator[Stage]:
    async with make_stage(web_dist=dist) as made:
        yield made


async def test_every_page_carries_a_nonce_of_its_own_and_no_foreign_script(stage: Stage) -> None:
    nonces: set[str] = set()
    for path in ("/", "/campaigns/1", "/commitments"):
        answer = await stage.client().get(path)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        (nonce,) = re.findall(r'nonce="([\w-]+)"', answer.text)
        policy = answer.headers["content-security-policy"]
        assert f"script-src 'nonce-{nonce}' http://localhost:4242;" in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        nonces.add(nonce)
    assert len(nonces) == 3


async def test_with_real_stripe_only_stripes_own_hosts_are_named(stage: Stage) -> None:
    settings = stage.settings.model_copy(update={"stripe_kind": "stripe"})
    policy = Site(settings).policy("abc")
    assert "script-src 'nonce-abc' https://js.stripe.com;" in policy
    assert "connect-src 'self' https://api.stripe.com;" in policy
    assert "localhost" not in policy


async def test_files_are_served_by_name_and_nothing_outside_the_folder_is(stage: Stage) -> None:
    client = stage.client()
    script = await client.get("/assets/app-1a2b.js")
    assert (script.status_code, script.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    assert (await client.get("/icon.svg")).headers["cache-control"] == "no-cache"
    assert (await client.get("/assets/gone.js")).status_code == 404
    assert (await client.get("/icon.svg")).headers["content-type"] == "image/svg+xml; charset=utf-8"
    assert (await client.get("/notes.txt")).headers["content-type"] == "text/plain; charset=utf-8"
    for path in (
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/%00",
        "/.git/config",
        "/assets/.env",
    ):
        answer = await client.get(path)
        assert "outside" not in answer.text


async def test_health_readiness_and_version_answer(stage: Stage) -> None:
    client = stage.client()
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    assert set(ready.json()["checks"]) == {"database", "migrations", "broker", "consumer"}
    version = (await client.get("/version")).json()
    assert version == {"version": installed_version(), "profile": "test", "generation": 1}


async def test_readiness_tells_when_the_migrations_are_behind(stage: Stage) -> None:
    await stage.execute("UPDATE alembic_version SET version_num = '0000'")
    try:
        answer = await stage.client().get("/readyz")
    finally:
        await stage.execute("UPDATE alembic_version SET version_num = :newest", newest=head_revision("gateway"))
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert answer.json()["checks"]["migrations"] is False


async def test_the_interface_describes_itself_and_its_problems(stage: Stage) -> None:
    described = (await stage.client().get("/openapi.json")).json()
    assert described == document()
    listed = (await stage.client().get("/v1/problems")).json()["data"]
    assert {each["code"] for each in listed} == set(PROBLEMS)


async def test_before_anybody_signs_in_the_site_knows_what_it_needs(stage: Stage) -> None:
    config = (await stage.client().get("/v1/client-config")).json()
    assert (config["test_money"], config["simulated_time"], config["clock_moving"]) == (True, False, False)
    assert config["stripe"]["api_base"] == "http://localhost:4242"
    assert {login["email"] for login in config["demo_logins"]} >= {"maya@demo.test", "ben@alpmera.test"}
    await stage.execute("UPDATE stack_clock SET offset_seconds = 86400, version = version + 1")
    moved = (await stage.client().get("/v1/client-config")).json()
    assert moved["simulated_time"] is True
    assert moved["stack_time"] > config["stack_time"]
