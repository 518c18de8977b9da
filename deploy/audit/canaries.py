"""What must never lie open: patterns of addresses, secrets and card numbers, and the names of the demo people.

One search serves events, ledger texts, logs and traces. It cannot know every name; it knows the shapes of what leaks
first (mail addresses, confirmation tokens, client secrets, keys, card numbers) and the people of the demonstration.
Numbers are tried by Luhn's sum, and ids of traces are taken out first, because one in ten long numbers passes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

LINE_BYTES_MAX = 64 * 1024

OUTSIDE_LOGS = frozenset({"mailbox", "stripe"})
"""Logs of stand-ins for the outside world: a mail server and a payment processor know addresses and tokens."""

DEMO_NAMES = ("maya", "theo", "ana", "ben", "gus", "olga", "tess")
"""The demo people, as the gateway's local sign-in calls them; a value that is exactly such a name is one of theirs."""

_NAMES = tuple(f'"{name}"'.encode() for name in DEMO_NAMES)
_NAME_HEADERS = frozenset(name.encode() for name in DEMO_NAMES)

_PATTERNS = (
    ("a mail address", re.compile(rb"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b"), b"@"),
    ("a confirmation token", re.compile(rb"ctoken_[A-Za-z0-9]+"), b"ctoken_"),
    ("a client secret", re.compile(rb"\b(?:pi|seti|src|cs)_[A-Za-z0-9]+_secret_[A-Za-z0-9]+"), b"_secret_"),
    ("a secret key", re.compile(rb"\b(?:sk|rk)_[A-Za-z0-9_]{8,}"), b"k_"),
    ("a webhook secret", re.compile(rb"\bwhsec_[A-Za-z0-9_]{8,}"), b"whsec_"),
)
_CARD = re.compile(rb"[2-6]\d{3}([ -]?)(?:\d{4}\1\d{4}\1\d{4}|\d{6}\1\d{5})(?![\w-])")
_ISSUERS = re.compile(rb"(?:4|5[1-5]|2[2-7]|6011|65)\d{12,}\Z|3[47]\d{13}\Z")
"""How card numbers begin, and how many digits they have; tried on the few numbers that look like one."""
_PART_OF_A_WORD = re.compile(rb"[\w.-]")
_TRACE_IDS = re.compile(
    rb'"?(?:trace_?id|span_?id|parent_?id|id|traceparent|timestamp|duration)"?\s*[:=]\s*"?[0-9a-f-]{12,}"?',
    re.IGNORECASE,
)
_HEADERS_LEFT_OUT = frozenset({"traceparent", "assertion"})


def canaries_in(data: bytes) -> Iterator[tuple[str, str]]:
    """What lies open in some bytes: what it is, and where it begins; the thing itself is not told again."""
    for what, pattern, sign in _PATTERNS:
        if sign in data:
            for match in pattern.finditer(data):
                yield what, f"at byte {match.start()}"
    plain = data.lower()
    for name in _NAMES:
        if name in plain:
            yield "a person's name", f"at byte {plain.index(name)}"
    for match in _CARD.finditer(data):
        before = data[match.start() - 1 : match.start()]
        digits = re.sub(rb"\D", b"", match[0])
        if not _PART_OF_A_WORD.match(before) and _ISSUERS.match(digits) and passes_luhn(digits):
            yield "a card number", f"at byte {match.start()}"


def canaries_in_record(headers: Mapping[str, bytes], body: bytes | None) -> Iterator[tuple[str, str]]:
    """What lies open in a record."""
    if body:
        yield from canaries_in(body)
    # All headers at once first: almost none holds anything, and there are many of them.
    told = [value for name, value in headers.items() if name not in _HEADERS_LEFT_OUT]
    if next(canaries_in(b"\n".join(told)), None) is None and _NAME_HEADERS.isdisjoint(told):
        return
    for name, value in headers.items():
        if name not in _HEADERS_LEFT_OUT:
            for what, _ in canaries_in(value):
                yield what, f"in header {name}"
            if value in _NAME_HEADERS:
                yield "a person's name", f"in header {name}"


def canaries_in_text(line: bytes) -> Iterator[tuple[str, str]]:
    """What lies open in a line of a log or in a trace, ids of traces aside."""
    yield from canaries_in(_TRACE_IDS.sub(b"", line))


def log_files(folder: Path) -> list[Path]:
    """The logs that are searched."""
    return sorted(path for path in folder.glob("*.log*") if path.name.partition(".")[0] not in OUTSIDE_LOGS)


def canaries_in_file(path: Path) -> Iterator[tuple[str, int]]:
    """What lies open in a log: what it is, and in which line."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LINE_BYTES_MAX):
            number += 1
            for what, _ in canaries_in_text(line):
                yield what, number


def passes_luhn(digits: bytes) -> bool:
    """Whether a number carries a card's check digit."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = digit - 48
        if place % 2:
            number = number * 2 - 9 * (number > 4)
        total += number
    return total % 10 == 0
