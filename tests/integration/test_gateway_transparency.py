"""Signed checkpoints for everybody, and the proof of an own commitment, asked of escrow by message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from contracts.proofs.checking import check_platform_file
from contracts.proofs.checkpoint import FIRST_PREVIOUS_HASH, SignedCheckpoint, body_hash
from contracts.proofs.files import CommitmentProof, read_proof_file
from contracts.transparency import (
    CheckpointSigned,
    CommitmentProven,
    PlatformCheckpointSigned,
    ProveCommitment,
    Refusal,
)
from deploy.contracts_files.proof_vectors import made_up_checkpoint, made_up_platform, made_up_transfers, vectors
from services.gateway.usecases import ask_services
from tests.integration.gateway_joining import Joining
from tests.integration.gateway_support import Stage, make_stage

pytestmark = pytest.mark.asyncio

TRANSFERS = made_up_transfers(3)
FIRST = made_up_checkpoint(TRANSFERS[:3], number=1, previous_hash=FIRST_PREVIOUS_HASH)
SECOND = made_up_checkpoint(TRANSFERS, number=2, previous_hash=body_hash(FIRST.body))
LINES = made_up_platform([FIRST, SECOND])
PROOF = CommitmentProof.model_validate(vectors()["commitment_proof"])


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage() as made:
        for line in LINES:
            await made.tell(PlatformCheckpointSigned(checkpoint=line, hash=body_hash(line.body)))
        await made.seen(made.client(), "/v1/transparency/head", number=2)
        yield made


def of_campaign(signed: SignedCheckpoint, campaign_id: UUID) -> SignedCheckpoint:
    return signed.model_copy(update={"body": signed.body.model_copy(update={"scope": str(campaign_id)})})


async def committed(stage: Stage) -> tuple[Joining, UUID, str]:
    """Somebody with a commitment in a campaign, and where its proof is."""
    client, participant_id = await stage.participant()
    joining = await Joining(stage, client, participant_id).open()
    commitment_id = uuid4()
    await joining.reserved(commitment_id)
    await stage.seen(client, f"/v1/commitments/{commitment_id}", state="PENDING_FUNDS")
    return joining, commitment_id, f"/v1/me/commitments/{commitment_id}/proof"


async def sign(stage: Stage, joining: Joining) -> list[Any]:
    """The campaign's two checkpoints, seen by the gateway."""
    for each in (FIRST, SECOND):
        signed = of_campaign(each, joining.campaign_id)
        event = CheckpointSigned(scope_id=str(joining.campaign_id), checkpoint=signed, hash=body_hash(signed.body))
        await stage.tell(event)
    for _ in range(200):
        rows: list[Any] = (await joining.client.get(f"/v1/campaigns/{joining.campaign_id}/checkpoints")).json()["data"]
        if len(rows) == 2:
            return rows
        await asyncio.sleep(0.05)
    raise AssertionError("the checkpoints were never seen")


async def answer(stage: Stage, *, refusal: Refusal | None = None) -> ProveCommitment:
    """Play escrow: answer the next question."""
    asked = await stage.command(ProveCommitment)
    assert isinstance(asked.message, ProveCommitment)
    assert asked.topic == "escrow.commands"
    told = CommitmentProven(
        campaign_id=asked.message.campaign_id,
        question_id=asked.id,
        refusal=refusal,
        proof=None if refusal else PROOF,
    )
    await stage.reply(told)
    return asked.message


async def test_anybody_can_read_the_public_file_and_check_it_offline(stage: Stage) -> None:
    anybody = stage.client()
    told = await anybody.get("/v1/transparency/checkpoints")
    assert told.headers["cache-control"] == "public, max-age=10"
    assert told.json()["data"] == [line.model_dump(mode="json") for line in LINES]
    file = await anybody.get("/v1/transparency/checkpoints", params={"format": "ndjson"})
    assert file.headers["content-type"] == "application/x-ndjson"
    read = read_proof_file(file.content)
    assert isinstance(read, tuple)
    assert all(step.holds for step in check_platform_file(read))
    later = await anybody.get("/v1/transparency/checkpoints", params={"after": 1})
    assert [each["body"]["number"] for each in later.json()["data"]] == [2]
    assert (await anybody.get("/v1/transparency/checkpoints", params={"after": -1})).status_code == 422


async def test_the_head_is_what_pages_and_mails_print(stage: Stage) -> None:
    answered = await stage.client().get("/v1/transparency/head")
    head = answered.json()
    assert (head["number"], head["hash"], head["short"]) == (2, body_hash(LINES[1].body), head["hash"][:16])


async def test_a_campaigns_checkpoints_are_seen_by_those_who_see_the_campaign(stage: Stage) -> None:
    joining, _, _ = await committed(stage)
    rows = await sign(stage, joining)
    assert [row["number"] for row in rows] == [2, 1]
    path = f"/v1/campaigns/{joining.campaign_id}/checkpoints"
    assert [row["number"] for row in (await joining.client.get(path, params={"before": 2})).json()["data"]] == [1]
    assert (await stage.client().get(path)).status_code == 404


async def test_an_owner_downloads_the_proof_that_escrow_gives(stage: Stage) -> None:
    joining, commitment_id, path = await committed(stage)
    early = await joining.client.get(path)
    assert (early.status_code, early.json()["code"]) == (409, "proof_not_ready")
    await sign(stage, joining)
    asking = asyncio.create_task(joining.client.get(path, params={"since": 1}))
    question = await answer(stage)
    answered: httpx.Response = await asking
    assert (question.commitment_id, question.since_number) == (commitment_id, 1)
    assert answered.json() == PROOF.model_dump(mode="json")
    assert answered.headers["cache-control"] == "private, no-store"
    assert "attachment" in answered.headers["content-disposition"]
    stranger, _ = await stage.participant()
    assert (await stranger.get(path)).json()["code"] == "not_found"


async def test_what_escrow_refuses_or_leaves_unanswered_is_said(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    joining, _, path = await committed(stage)
    await sign(stage, joining)
    asking = asyncio.create_task(joining.client.get(path, params={"since": 9}))
    await answer(stage, refusal="checkpoint_unknown")
    refused = await asking
    assert (refused.status_code, refused.json()["code"]) == (409, "checkpoint_unknown")
    monkeypatch.setattr(ask_services, "ANSWER_SECONDS_MAX", 0.2)
    silent = await joining.client.get(path)
    assert (silent.status_code, silent.json()["facts"]) == (503, {"silent": ["escrow"]})
    assert (await joining.client.get(path, params={"since": 0})).status_code == 422
