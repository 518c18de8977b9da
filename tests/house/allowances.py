"""The one table of exceptions to the house rules, each with its reason.

An exception names a rule, the files it is for and, where that is narrower, a pattern of what the
finding says. A test fails on an exception whose files are gone.
"""

import fnmatch
from dataclasses import dataclass

from tests.house.repository import Finding


@dataclass(frozen=True)
class Allowance:
    """One exception: rule, files (`*` spans folders), reason, and which findings it covers."""

    rule: str
    files: str
    reason: str
    message: str = "*"

    def covers(self, rule: str, finding: Finding) -> bool:
        """Say whether the exception is for this finding of this rule."""
        return (
            rule == self.rule
            and fnmatch.fnmatchcase(finding.path, self.files)
            and fnmatch.fnmatchcase(finding.message, self.message)
        )


ALLOWANCES = (
    Allowance(
        "imports_stand_at_the_top",
        "deploy/cli/*",
        "Each verb of the tool loads only what it needs, so that --help answers at once.",
    ),
    Allowance(
        "imports_stand_at_the_top",
        "deploy/local/providers.py",
        "The container libraries are slow to load and needed only where an engine is.",
    ),
    Allowance(
        "imports_stand_at_the_top",
        "deploy/local/artifacts.py",
        "The resolver is slow to load and needed only where a part has to be fetched.",
        "jgo*",
    ),
    Allowance(
        "imports_stand_at_the_top",
        "services/kit/telemetry.py",
        "A process loads the one exporter that its settings name; both together cost half a second of every start.",
    ),
    Allowance(
        "imports_stand_at_the_top",
        "services/kit/runtime.py",
        "uvloop is not on every platform.",
    ),
    Allowance(
        "imports_stand_at_the_top",
        "services/kit/broker.py",
        "The administration client is needed for one question at start.",
    ),
    Allowance(
        "imports_stand_at_the_top",
        "services/kit/intent_store.py",
        "The executor imports its store; the envelope of an answer lives beside the executor.",
    ),
    Allowance(
        "hashes_and_ciphers_are_strong",
        "services/gateway/domain/one_time_codes.py",
        "Codes of an authenticator are HMAC-SHA-1 in every program that people have (RFC 6238); HMAC needs no more of it.",
        "*SHA1 is too weak",
    ),
    Allowance(
        "imports_stand_at_the_top",
        "deploy/contracts_files/generate.py",
        "The gateway's routes are loaded only when the interface description is generated.",
    ),
)


def allowed(rule: str, finding: Finding) -> bool:
    """Say whether the table holds an exception for a finding."""
    return any(allowance.covers(rule, finding) for allowance in ALLOWANCES)
