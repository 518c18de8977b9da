"""The paper of a dispute's evidence over HTTP: read, prepared, and read again as the very bytes that the bank gets."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from hashlib import sha256
from uuid import UUID

import pytest
import pytest_asyncio

from contracts.disputes import DisputeEvidencePrepared, DisputeOpened, PrepareDisputeEvidence
from services.gateway.usecases.fold_disputes import id_of
from tests.fixtures.papers import pdf_text
from tests.integration.gateway_joining import Joining
from tests.integration.gateway_support import STARTED, Sent, Stage, key, make_stage

pytestmark = pytest.mark.asyncio

DISPUTE = "du_1Nexample"


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage() as made:
        yield made


async def disputed(stage: Stage) -> tuple[Joining, UUID]:
    """A commitment with held funds and a dispute about it."""
    client, participant_id = await stage.participant()
    joining = await Joining(stage, client, participant_id).open()
    commitment_id = await joining.locked()
    await stage.tell(
        DisputeOpened(
            **joining.names(commitment_id), dispute_id=DISPUTE, round=1, amount_minor=109_800, frozen_minor=109_800,
            currency="usd", status="needs_response", reason="product_not_received", evidence_due_by=STARTED,
        )
    )  # fmt: skip
    return joining, commitment_id


async def test_what_is_prepared_is_kept_sealed_and_read_back_byte_for_byte(stage: Stage) -> None:
    joining, commitment_id = await disputed(stage)
    olga = await stage.sign_in("olga@alpmera.test")
    ana = await stage.sign_in("ana@alpmera.test")
    path = f"/v1/disputes/{id_of(DISPUTE)}"
    shown = await stage.seen(ana, path, state="open")
    read = await ana.get(f"{path}/evidence")
    assert read.headers["content-type"] == "application/pdf"
    printed = " ".join(pdf_text(read.content).split())
    for words in ("Evidence for a dispute", "R-7K2M", joining.terms_hash[:20], "product not received"):
        assert words in printed
    assert (await ana.get(f"{path}/evidence?format=html")).headers["content-type"].startswith("text/html")
    assert (await ana.get(f"{path}/evidence-file")).status_code == 404

    async def prepare() -> Sent:
        preparing = asyncio.create_task(olga.post(f"{path}/evidence", json={}, headers=key()))
        sent = await stage.command(PrepareDisputeEvidence)
        content = base64.b64decode(sent.message.paper)
        await stage.tell(
            DisputeEvidencePrepared(
                **joining.names(commitment_id), dispute_id=DISPUTE, evidence_hash=sent.message.evidence.hash(),
                prepared_by="olga", paper_digest=sha256(content).hexdigest(),
            ),
            cause=sent.id,
        )  # fmt: skip
        answer = (await preparing).json()
        assert (answer["evidence_state"], answer["paper_digest"]) == ("prepared", sha256(content).hexdigest())
        return sent

    first = await prepare()
    assert (await prepare()).message.paper == first.message.paper
    content = base64.b64decode(first.message.paper)
    assert (await ana.get(f"{path}/evidence-file")).content == content
    assert first.message.evidence.hash() == shown["evidence_hash"]
    (kept,) = await stage.rows("SELECT sealed, digest FROM evidence_paper")
    assert kept.digest == sha256(content).hexdigest()
    assert b"%PDF" not in kept.sealed
