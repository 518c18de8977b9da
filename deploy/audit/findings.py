"""What the checks find: counts per invariant with a few short examples, so that a bad day stays readable.

Owns the bound on examples. A finding names ids, states and amounts only; it is printed, so nothing personal belongs in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from deploy.audit.catalogue import INVARIANTS

EXAMPLES_MAX = 5
"""Examples kept per invariant; the count goes on."""
TEXT_CHARACTERS_MAX = 400


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation: a sentence, the scope (a campaign or `platform`), the subject, and the figures behind it."""

    what: str
    scope: str = ""
    subject: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        """The finding as it is printed: short and plain."""
        return {
            "what": self.what,
            "scope": self.scope,
            "subject": self.subject,
            "facts": {name: _plain(value) for name, value in self.facts.items()},
        }


@dataclass(slots=True)
class Entry:
    """The state of one invariant's judgement."""

    violations: int = 0
    examples: list[Finding] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


class Findings:
    """Everything found so far."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {invariant.id: Entry() for invariant in INVARIANTS}

    def add(self, invariant: str, finding: Finding) -> None:
        """Count one violation, and keep it while there is room."""
        entry = self.entries[invariant]
        entry.violations += 1
        if len(entry.examples) < EXAMPLES_MAX:
            entry.examples.append(finding)

    def add_all(self, invariant: str, findings: Iterable[Finding]) -> None:
        """Count several violations."""
        for finding in findings:
            self.add(invariant, finding)

    def add_rows(self, invariant: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Count query rows of the shape what, scope, subject, facts."""
        self.add_all(invariant, map(finding_of, rows))

    def leave_out(self, invariant: str, why: str) -> None:
        """Say that a part of an invariant was not judged."""
        self.entries[invariant].left_out.append(why)

    @property
    def clean(self) -> bool:
        """Whether nothing is violated."""
        return not any(entry.violations for entry in self.entries.values())


def finding_of(row: Mapping[str, Any]) -> Finding:
    """A query's row as a finding."""
    return Finding(str(row["what"]), str(row["scope"] or ""), str(row["subject"] or ""), dict(row["facts"] or {}))


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value[:20]]
    return str(value)[:TEXT_CHARACTERS_MAX]
