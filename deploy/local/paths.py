"""Where the local stack keeps its files.

Owns the folder layout under `.alpmera`: fetched artifacts, the state of one stack, its logs.
Tests point the state elsewhere with `ALPMERA_STATE`, and share fetched artifacts, because these
are verified by checksum and never written twice. It cannot tell whether a folder is readable for
the database's own user; `deploy.local.postgres` checks that.
"""

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
# Set to "off", this variable leaves the trace viewer out of the stack.
TRACES_SWITCH = "ALPMERA_TRACES"
HOME = REPOSITORY / ".alpmera"


def artifacts_folder() -> Path:
    """Return the folder of fetched and verified artifacts (`ALPMERA_ARTIFACTS` replaces it)."""
    return Path(os.environ.get("ALPMERA_ARTIFACTS") or HOME / "artifacts")


def state_folder() -> Path:
    """Return the folder of the running stack's data (`ALPMERA_STATE` replaces it)."""
    return Path(os.environ.get("ALPMERA_STATE") or HOME / "state")


def logs_folder() -> Path:
    """Return the folder of the parts' logs: beside the state folder."""
    return state_folder().parent / "logs"
