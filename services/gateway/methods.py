"""Which methods an address of the interface has: what `Allow` names when another one was used.

An address may belong to several operations, one for each method, and the site takes every address left over; so neither
the framework's own `Allow` nor its own 404 tells the whole. The policy knows every operation. It cannot know which of
them this profile has: where one is missing, the address answers like one that does not exist.
"""

from __future__ import annotations

import re
from functools import cache

from services.gateway.domain.policy import RULES

SITE = "site"
"""The operation that takes every address left over."""


def methods_at(path: str) -> list[str]:
    """The methods of an address, sorted; none when nothing of the interface is there."""
    return sorted({method for pattern, method in _patterns() if pattern.match(path)})


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    rules = [rule for rule in RULES if rule.operation != SITE]
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", rule.path) + r"\Z"), rule.method) for rule in rules]
