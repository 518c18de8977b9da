"""Write a paper as one HTML file that needs nothing else."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.gateway.documents.document import Document
from services.gateway.domain.money_text import minute

TEMPLATES = Path(__file__).parents[1] / "templates"

_pages = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)


def to_html(document: Document) -> bytes:
    """The paper as a page, UTF-8."""
    page = _pages.get_template("paper.html.j2")
    return page.render(document=document, made=minute(document.made_at)).encode()
