"""How often somebody may ask: the limits by name and profile, in the notation of the `limits` library.

They are counted on the wall clock, in sliding windows, and shared by every gateway. A name that is missing in a profile
is not limited there. Production's figures are for people and their scripts; the local ones hold back only a runaway loop,
so that a replay of recorded demand and the tests run at full speed.
"""

from __future__ import annotations

from typing import Literal

LimitName = Literal["address", "account", "write", "commit", "sign_in_address", "sign_in_account", "report"]

LIMITS: dict[str, dict[LimitName, str]] = {
    "production": {
        "address": "1200/minute",
        "account": "600/minute",
        "write": "120/minute",
        "commit": "10/minute",
        "sign_in_address": "30/minute",
        "sign_in_account": "5/minute",
        "report": "30/minute",
    },
    "local": {
        "address": "1000000/minute",
        "account": "200000/minute",
        "write": "100000/minute",
        "commit": "100000/minute",
        "sign_in_address": "100000/minute",
        "sign_in_account": "10000/minute",
        "report": "10000/minute",
    },
}
LIMITS["test"] = LIMITS["local"]
"""Profile → name → limit. `address`: everything from one network address; `account`: everything of one account; `write`:
its writes; `commit`: joins of one participant; `sign_in_*`: attempts to sign in; `report`: browsers' reports."""
