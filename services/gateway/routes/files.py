"""Files to keep: CSV whose cells no spreadsheet takes for a formula, JSON, and the header that names a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response
from pydantic import BaseModel

from services.gateway.routes.replying import PRIVATE

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would take for a formula."""


def cell(value: object) -> str:
    """A value as a cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text


def goes_on_at(request: Request, query: BaseModel, cursor: str | None) -> dict[str, str]:
    """The header that names the address where a file that was cut goes on; none for a whole one."""
    if cursor is None:
        return {}
    again = query.model_dump(mode="json", by_alias=True, exclude_none=True) | {"cursor": cursor}
    return {"Link": f'<{request.url.path}?{urlencode(again)}>; rel="next"'}


def attachment(name: str) -> dict[str, str]:
    """The header that has a browser keep an answer under this name."""
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def csv_answer(
    columns: Sequence[str], rows: Iterable[Mapping[str, Any]], *, name: str, headers: Mapping[str, str] | None = None
) -> Response:
    """A CSV file (RFC 4180, UTF-8) with these columns."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(row[column]) for column in columns])
    return Response(
        out.getvalue().encode(),
        media_type="text/csv; charset=utf-8",
        headers={**PRIVATE, **attachment(name), **(headers or {})},
    )


def decimal(amount_minor: int) -> str:
    """An amount of minor units as a plain figure for a spreadsheet: `1098.00`."""
    sign = "-" if amount_minor < 0 else ""
    whole, rest = divmod(abs(amount_minor), 100)
    return f"{sign}{whole}.{rest:02d}"
