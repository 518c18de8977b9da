"""Who acts in a replay: the demo staff, the demo supplier, and one account per participant of the file."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from deploy.replay.acting import Account, Acts
from deploy.replay.client import Client

OPERATIONS = "olga@alpmera.test"
GATEKEEPER = "gus@alpmera.test"
PLAN_MAKER = "ana@alpmera.test"
PLAN_CHECKER = "ben@alpmera.test"
TRUST_REVIEWER = "tess@alpmera.test"
SUPPLIER = "dock@emeraldsupply.test"
STAFF = (OPERATIONS, GATEKEEPER, PLAN_MAKER, PLAN_CHECKER, TRUST_REVIEWER, SUPPLIER)

PARTICIPANTS_PER_REQUEST = 1_000
SIGN_IN_EVERY_SECONDS = 600
"""Staff sessions end when they are idle; whoever comes back to the desk signs in again."""
PAYOUT_ACCOUNT = b"type=express&country=US&capabilities[transfers][requested]=true"


@dataclass(slots=True)
class People:
    """The accounts of a replay."""

    client: Client
    staff: dict[str, Account] = field(default_factory=dict)
    participants: dict[str, Account] = field(default_factory=dict)
    supplier_id: str = ""
    _signed_in_at: float = float("-inf")

    async def sign_in_staff(self) -> None:
        """Sign in the demo staff, unless that was done a moment ago."""
        if time.monotonic() - self._signed_in_at < SIGN_IN_EVERY_SECONDS:
            return
        for email in STAFF:
            found = await self.client.call("/v1/dev/sign-in", {"email": email})
            self.staff[email] = Account(UUID(found["account"]["subject_id"]), found["token"])
            if email == SUPPLIER:
                self.supplier_id = str(found["account"]["supplier_id"])
        self._signed_in_at = time.monotonic()

    async def make_participants(self, names: Iterable[str]) -> None:
        """Make or find the participants' accounts; the file's own number is all that is known of anybody."""
        wanted = sorted(set(names))
        for begin in range(0, len(wanted), PARTICIPANTS_PER_REQUEST):
            some = wanted[begin : begin + PARTICIPANTS_PER_REQUEST]
            body = {"participants": [{"external_id": f"invoice-lines:{name}", "email": None} for name in some]}
            for each in (await self.client.call("/v1/dev/participants", body))["participants"]:
                name = each["external_id"].removeprefix("invoice-lines:")
                self.participants[name] = Account(UUID(each["subject_id"]), each["token"])

    async def register_supplier(self, acts: Acts) -> None:
        """Register the demo supplier with a payout account, when it is not yet."""
        operations = self.staff[OPERATIONS]
        known = await self.client.read("/v1/suppliers", token=operations.token)
        if self.supplier_id in {each["id"] for each in known["data"]}:
            return
        account = await self.client.standin("/v1/accounts", PAYOUT_ACCOUNT)
        body = {
            "supplier_id": self.supplier_id,
            "display_name": "Emerald Supply",
            "payout_account_id": account["id"],
            "tier": "provisional",
        }
        await acts.require(operations, "/v1/suppliers", body, key=f"replay-supplier-{uuid4().hex}")
