"""Which revision a service's database should be at, read from the names of its migrations.

A revision's file is named `NNNN_what.py` and its revision is `NNNN`; a contract test compares this with the chain itself.
It is apart from `kit.migrate` so that a starting service does not load the migration library.
"""

from __future__ import annotations

from pathlib import Path

SERVICES_FOLDER = Path(__file__).resolve().parent.parent


def head_revision(service: str) -> str:
    """The newest revision of a service's chain. Raises ValueError for a service without migrations."""
    versions = SERVICES_FOLDER / service / "migrations" / "versions"
    return max(path.name.split("_")[0] for path in versions.glob("[0-9]*_*.py"))
