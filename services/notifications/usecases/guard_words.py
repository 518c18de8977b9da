"""The guard on mails: a rendered mail that holds a word Alpmera does not use is withheld, and a case opens.

Thousands of mails differ only in figures, which the language rules do not tell apart; so the verdict is remembered for a
text with its digits made equal. Proper names stand as their bearers write them.
"""

from __future__ import annotations

from functools import lru_cache

from contracts.language import find_violations, visible_text
from services.notifications.usecases.render_mail import Rendered

VERDICTS_REMEMBERED_MAX = 1024

_SAME_DIGITS = str.maketrans("123456789", "000000000")


def forbidden_terms(rendered: Rendered, *, proper_names: tuple[str, ...]) -> tuple[str, ...]:
    """The forbidden terms a reader of this mail would meet, as written, figures apart."""
    names = tuple(name.translate(_SAME_DIGITS) for name in proper_names)
    texts = [rendered.subject, rendered.body_text]
    if rendered.html is not None:
        texts.append(visible_text(rendered.html))
    return tuple(term for text in texts for term in _verdict(text.translate(_SAME_DIGITS), names))


@lru_cache(maxsize=VERDICTS_REMEMBERED_MAX)
def _verdict(text: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(violation.term for violation in find_violations(text, exempt_names=names))
