"""Audit records for those who audit: a list with filters, and the same as a file.

Records name people by random ids only. The export is bounded; it says how to go on where it ends.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from contracts.audit_trail import AUDIT_ROWS_MAX, AuditFilter, AuditRecord, Word
from contracts.topics import SERVICES
from services.gateway.auth.requests import allowed
from services.gateway.domain.audit_pages import cursor_of, position_of
from services.gateway.middleware import traceparent_of
from services.gateway.parts import gateway_of
from services.gateway.routes.files import attachment, csv_answer, goes_on_at
from services.gateway.routes.replying import json_answer
from services.gateway.schemas.answers_audit import AuditRecordList
from services.gateway.schemas.describing import answers
from services.gateway.store.cursors import LIMIT_DEFAULT, LIMIT_MAX
from services.gateway.usecases.read_audit import Question, Row

EXPORT_ROWS_MAX = 5_000
ServiceName = Literal["campaigns", "escrow", "suppliers", "notifications", "gateway"]
COLUMNS = (
    "id",
    "service",
    "at",
    "actor_id",
    "actor_role",
    "action",
    "scope",
    "subject",
    "before",
    "after",
    "reason",
    "cause_id",
    "trace_id",
    "place",
    "hash",
)

router = APIRouter(prefix="/v1/audit", tags=["staff"])


class AuditQuery(BaseModel):
    """Which records: `scope` is a campaign's id or `platform`, `subject` is what was changed, `action` the beginning of
    an action's name (`commitment.`), `from` and `to` bound the stack's time."""

    service: ServiceName | None = None
    scope: Word | None = None
    subject: Word | None = None
    actor_id: Word | None = None
    actor_role: Word | None = None
    action: Word | None = None
    from_at: Annotated[AwareDatetime | None, Field(alias="from")] = None
    to_at: Annotated[AwareDatetime | None, Field(alias="to")] = None
    cursor: Annotated[str | None, Field(max_length=2000)] = None

    @property
    def services(self) -> tuple[str, ...]:
        """The services that are asked."""
        return SERVICES if self.service is None else (self.service,)


class AuditListQuery(AuditQuery):
    """Which records, and how many of them."""

    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT


class AuditExportQuery(AuditQuery):
    """Which records, and in which form."""

    format: Literal["csv", "json"] = "json"


@router.get(
    "",
    operation_id="audit_list",
    summary="Audit records of every service, the newest first",
    responses=answers(AuditRecordList, 401, 403, 422, 503),
)
async def audit_list(request: Request, query: Annotated[AuditListQuery, Query()]) -> Response:
    """A part of the records. That they were read is recorded too."""
    question = await _question(request, "audit_list", query)
    trail = gateway_of(request).audit_trail
    rows, position = await trail.read(question, position_of(query.cursor), limit=query.limit)
    return json_answer(_list(rows, cursor_of(position, query.services)))


@router.get(
    "/export",
    operation_id="audit_export",
    summary="Audit records as a file, JSON or CSV",
    responses=answers(AuditRecordList, 401, 403, 422, 503),
)
async def audit_export(request: Request, query: Annotated[AuditExportQuery, Query()]) -> Response:
    """At most 5,000 records; where there are older ones, a `Link` header names the address that goes on."""
    question = await _question(request, "audit_export", query)
    trail = gateway_of(request).audit_trail
    rows: list[Row] = []
    position = position_of(query.cursor)
    while len(rows) < EXPORT_ROWS_MAX:
        more, position = await trail.read(question, position, limit=min(AUDIT_ROWS_MAX, EXPORT_ROWS_MAX - len(rows)))
        rows += more
        if not more:
            break
    cursor = cursor_of(position, query.services)
    headers = goes_on_at(request, query, cursor)
    name = f"alpmera-audit.{query.format}"
    if query.format == "json":
        return json_answer(_list(rows, cursor), headers=attachment(name) | headers)
    return csv_answer(COLUMNS, map(_line, rows), name=name, headers=headers)


async def _question(request: Request, operation: str, query: AuditQuery) -> Question:
    identity = await allowed(request, operation)
    wanted = AuditFilter(**query.model_dump(include=set(AuditFilter.model_fields)))
    return Question(identity, wanted, query.services, traceparent_of(request.scope))


def _list(rows: Sequence[Row], cursor: str | None) -> dict[str, Any]:
    return {"data": [_view(*row) for row in rows], "next_cursor": cursor}


def _view(service: str, record: AuditRecord) -> dict[str, Any]:
    return record.model_dump() | {"id": f"{service}:{record.id}", "service": service}


def _line(row: Row) -> dict[str, Any]:
    line = _view(*row)
    for name in ("before", "after"):
        line[name] = None if line[name] is None else json.dumps(line[name], sort_keys=True, ensure_ascii=False)
    return line | {"at": line["at"].isoformat()}
