"""Signed checkpoints for everybody to keep, and the proof of an own commitment to download."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from contracts.proofs.checkpoint import SHORT_CHARACTERS
from contracts.proofs.files import CommitmentProof
from contracts.proofs.sums import SUM_MAX
from services.gateway.auth.requests import allowed, identify
from services.gateway.parts import gateway_of
from services.gateway.routes.files import attachment
from services.gateway.routes.replying import json_answer
from services.gateway.schemas.answers_transparency import CheckpointList, PlatformCheckpointList, PlatformHead
from services.gateway.schemas.describing import answers
from services.gateway.store import read_transparency
from services.gateway.store.read_commitments import own_commitment

LINES_MAX = 10_000
CHECKPOINTS_MAX = 500

KEPT_BRIEFLY = {"Cache-Control": "public, max-age=10"}
"""Lines are never changed, only added: whoever has an answer of ten seconds ago lacks the newest at most."""

_FILE = answers(PlatformCheckpointList, 422)
_FILE[200]["content"] = {
    "application/x-ndjson": {"schema": {"type": "string"}, "example": '{"body":{…},"public_key":"…","signature":"…"}\n'}
}

router = APIRouter(prefix="/v1", tags=["transparency"])


@router.get(
    "/transparency/checkpoints",
    operation_id="platform_checkpoints",
    summary="The public file of platform checkpoints, to keep and to compare",
    responses=_FILE,
)
async def platform_checkpoints(
    request: Request,
    after: Annotated[int, Query(ge=0, le=SUM_MAX, description="Only lines after this number.")] = 0,
    format: Annotated[Literal["json", "ndjson"], Query()] = "json",  # noqa: A002 - the parameter's name
) -> Response:
    """At most 10,000 lines in one answer; a `Link` header names the address that goes on. `ndjson` is the file itself, one
    signed checkpoint per line, as the offline check reads it."""
    rows = await read_transparency.platform_lines(gateway_of(request).reads, after=after, limit=LINES_MAX + 1)
    shown, more = rows[:LINES_MAX], len(rows) > LINES_MAX
    headers = dict(KEPT_BRIEFLY)
    if more:
        headers["Link"] = f'<{request.url.path}?after={shown[-1]["number"]}&format={format}>; rel="next"'
    if format == "json":
        return json_answer({"data": [row["signed"] for row in shown], "next_cursor": None}, headers=headers)
    headers |= attachment("alpmera-checkpoints.ndjson")
    lines = "".join(json.dumps(row["signed"], separators=(",", ":"), sort_keys=True) + "\n" for row in shown)
    return Response(lines.encode(), media_type="application/x-ndjson", headers=headers)


@router.get(
    "/transparency/head",
    operation_id="platform_head",
    summary="The newest platform checkpoint, whose hash pages and mails print",
    responses=answers(PlatformHead),
)
async def platform_head(request: Request) -> Response:
    """Compare it with what other people see: two heads of one number that differ are two histories."""
    row = await read_transparency.platform_head(gateway_of(request).reads)
    body: Mapping[str, Any] = row or {"number": None, "hash": None, "signed": None}
    short = None if row is None else row["hash"][:SHORT_CHARACTERS]
    return json_answer({**body, "short": short}, headers=KEPT_BRIEFLY)


@router.get(
    "/campaigns/{campaign_id}/checkpoints",
    operation_id="campaign_checkpoints",
    summary="The signed checkpoints of a campaign's ledger, the newest first",
    responses=answers(CheckpointList, 404),
)
async def campaign_checkpoints(
    request: Request,
    campaign_id: UUID,
    before: Annotated[int | None, Query(ge=1, le=SUM_MAX, description="Only those below this number.")] = None,
) -> Response:
    """At most 500; `before` goes on."""
    identity = await identify(request)
    gateway = gateway_of(request)
    await gateway.visibility.check(campaign_id, identity)
    rows = await read_transparency.campaign_checkpoints(
        gateway.reads, campaign_id, before=before, limit=CHECKPOINTS_MAX
    )
    return json_answer({"data": list(rows), "next_cursor": None})


@router.get(
    "/me/commitments/{commitment_id}/proof",
    operation_id="commitment_proof",
    summary="The proof of an own commitment, as a file",
    responses=answers(CommitmentProof, 401, 403, 404, 409, 422, 503),
)
async def commitment_proof(
    request: Request,
    commitment_id: UUID,
    since: Annotated[
        int | None, Query(ge=1, le=SUM_MAX, description="An earlier checkpoint that the newest must continue.")
    ] = None,
) -> Response:
    """Amounts and movements in the newest checkpoint, and that history only grew. Check it with
    `python -m contracts.verify_proof`, or on the commitment's page. It holds a salt that is yours alone."""
    identity = await allowed(request, "commitment_proof")
    gateway = gateway_of(request)
    row = await own_commitment(gateway.reads, commitment_id, identity.subject_id)
    proof = await gateway.proofs.ask(identity, row["campaign_id"], commitment_id, since=since)
    headers = attachment(f"alpmera-proof-{commitment_id}.json")
    return json_answer(proof.model_dump(mode="json"), headers=headers)
