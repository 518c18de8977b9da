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
)


def allowed(rule: str, finding: Finding) -> bool:
    """Say whether the table holds an exception for a finding."""
    return any(allowance.covers(rule, finding) for allowance in ALLOWANCES)
