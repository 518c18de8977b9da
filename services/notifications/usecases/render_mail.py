"""Put a mail into words: versioned templates, compiled once, in which only variables change.

A variable that is missing, or a fact that cannot be said exactly, stops the mail (IncompleteMailError). The HTML is
rendered only for people with an address, because nobody else will read it. What no template can catch: words that are
wrong although every variable is there; the guard and a person read those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, TemplateError, select_autoescape

from contracts.payment_rail import RAIL, short_disclosure
from services.notifications.domain.mails import Mail, ProofHead
from services.notifications.domain.wording import (
    WordingError,
    moment_words,
    money_words,
    refund_reason_words,
    state_words,
)
from services.notifications.settings import mail_settings

TEMPLATES_FOLDER = Path(__file__).resolve().parent.parent / "templates"


class IncompleteMailError(Exception):
    """A mail cannot be written in full: a variable is missing, or a fact has no exact words."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail in words; `html` only when it was asked for."""

    subject: str
    body_text: str
    html: str | None


def render_mail(mail: Mail, *, with_html: bool, proof_head: ProofHead | None = None) -> Rendered:
    """Render a mail; `proof_head` is printed below it when there is one. Raises IncompleteMailError."""
    facts = {**mail.facts, "proof_head": proof_head}
    return render(f"{mail.template}.v{mail.version}", facts, with_html=with_html)


def render(name: str, facts: Mapping[str, Any], *, with_html: bool) -> Rendered:
    """Fill the templates of a name and version. Raises IncompleteMailError."""
    settings = mail_settings()
    public_url = settings.public_url.rstrip("/") if settings.public_url else None
    first, last = RAIL.refund_business_days
    variables = {
        **facts,
        "test_money": settings.test_money,
        "public_url": public_url,
        "rail_words": short_disclosure(),
        "refund_days": f"{first} to {last} business days",
    }
    try:
        # A line break in a title must not become a second mail header.
        subject = " ".join(_template(f"{name}.subject.j2").render(variables).split())
        body_text = _template(f"{name}.txt.j2").render(variables).strip() + "\n"
        html = _template(f"{name}.html.j2").render(variables) if with_html else None
    except (TemplateError, WordingError) as error:
        raise IncompleteMailError(f"{name}: {error}") from error
    return Rendered(subject, body_text, html)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES_FOLDER),
        undefined=StrictUndefined,
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "money": money_words,
        "moment": moment_words,
        "refund_reason": refund_reason_words,
        "state_words": state_words,
    }
    return environment


@lru_cache(maxsize=64)
def _template(name: str) -> Template:
    template = _environment().get_template(name)
    # The templates use no globals, and a plain empty mapping spares each rendering the merge of the default ones.
    template.globals = {}
    return template
