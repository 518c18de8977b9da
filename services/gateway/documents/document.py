"""What a paper consists of, before it becomes a page or a PDF: a title, parts with headings, facts and tables.

Composed from the read model by the modules beside it and written by `html.py` and `pdf.py`, so that both forms say the
same words. `texts` yields every word that is ours, for the language check; what people and suppliers wrote is `proper`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and its value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings; `numeric` names the columns that hold figures, counted from 0."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a paper with a heading of its own."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A paper. `reference` names it; `made_at` is the stack's time; `proper` are names as their bearers write them."""

    title: str
    reference: str
    made_at: datetime
    parts: tuple[Part, ...]
    proper: tuple[str, ...] = ()

    @property
    def file_name(self) -> str:
        """The name of its file without an ending: visible ASCII only."""
        kept = "".join(
            c if c.isascii() and (c.isalnum() or c == "-") else "-" for c in f"{self.title} {self.reference}"
        )
        return "alpmera-" + "-".join(part for part in kept.lower().split("-") if part)

    def texts(self) -> Iterator[str]:
        """Every text of the paper, headings first."""
        yield self.title
        for part in self.parts:
            yield part.heading
            yield from part.paragraphs
            for fact in part.facts:
                yield f"{fact.label}: {fact.value}"
            if part.table is not None:
                yield part.table.caption
                yield from part.table.headings
                for row in part.table.rows:
                    yield from row
