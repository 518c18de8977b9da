"""From a request to an act: the key, the hash that makes a repeat recognisable, the trace it belongs to."""

from __future__ import annotations

from uuid import UUID

from fastapi import Request
from pydantic import BaseModel

from services.gateway.auth.identity import Identity
from services.gateway.middleware import traceparent_of
from services.gateway.usecases.accept_act import Act, Commands, check_key, request_hash


def asked(  # noqa: PLR0913 - one keyword for each thing an act may name
    request: Request,
    identity: Identity,
    kind: str,
    body: BaseModel,
    commands: Commands,
    *,
    resource_id: UUID | None = None,
    campaign_id: UUID | None = None,
    baseline: int = 0,
    issue_text: str | None = None,
    address_id: UUID | None = None,
) -> Act:
    """The act that a request asks for. Raises Rejected when its Idempotency-Key is missing or cannot be used."""
    return Act(
        identity=identity,
        key=check_key(request.headers.get("idempotency-key")),
        kind=kind,
        request_hash=request_hash(request.method, request.scope["path"], body.model_dump(mode="json")),
        commands=commands,
        resource_id=resource_id,
        campaign_id=campaign_id,
        baseline=baseline,
        issue_text=issue_text,
        address_id=address_id,
        traceparent=traceparent_of(request.scope),
    )
