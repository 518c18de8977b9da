"""Which methods an address of the interface has: what `Allow` names when another one was used.

An address may belong to several operations, one for each method, and the site takes every address left over; so neither
the framework's own `Allow` nor its own 404 tells the whole. The policy knows every operation. An address that is written
out there is that address for every method, also where a pattern of another operation would take its last part for an
id. It cannot know which operations this profile has: where one is missing, the address answers like one that does not
exist.
"""

from __future__ import annotations

import re
from functools import cache

from services.gateway.domain.policy import RULES, Rule

SITE = "site"
"""The operation that takes every address left over."""


def methods_at(path: str) -> list[str]:
    """The methods of an address, sorted; none when nothing of the interface is there."""
    return sorted(_written_out().get(path) or {method for pattern, method in _patterns() if pattern.match(path)})


def wrong_methods_at(path: str, method: str) -> list[str]:
    """The methods of an address that is written out and lacks this method, which a pattern would take; none elsewhere."""
    own = _written_out().get(path, frozenset())
    asked = "GET" if method == "HEAD" else method
    return sorted(own) if path in _shadowed() and asked not in own else []


@cache
def _written_out() -> dict[str, frozenset[str]]:
    """Every address without a parameter, with its methods."""
    plain = {rule.path for rule in _rules() if "{" not in rule.path}
    return {path: frozenset(rule.method for rule in _rules() if rule.path == path) for path in plain}


@cache
def _shadowed() -> frozenset[str]:
    """The addresses without a parameter that a pattern fits too."""
    patterns = [_pattern(rule) for rule in _rules() if "{" in rule.path]
    return frozenset(path for path in _written_out() if any(pattern.match(path) for pattern in patterns))


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    return [(_pattern(rule), rule.method) for rule in _rules()]


@cache
def _rules() -> tuple[Rule, ...]:
    return tuple(rule for rule in RULES if rule.operation != SITE)


def _pattern(rule: Rule) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(rule.path)) + r"\Z")
