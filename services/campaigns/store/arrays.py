"""One way to ask for many ids: a single array parameter, so that the statement's text, and with it the prepared
statement, is the same for every number of ids."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute


def among(column: InstrumentedAttribute[UUID], ids: Collection[UUID]) -> ColumnElement[bool]:
    """`column = ANY(ids)`."""
    return column == any_(literal(list(ids), ARRAY(Uuid())))
