"""What supplier, participants and staff do after the demand: answer, deliver, report, plan, approve, decide.

Owns the acts that follow a campaign's state, one round at a time; between the rounds time walks on. The state is read
from the platform in each round and every act has its key, so a round may be broken off and done again. Who does what is
said in `rules`; what is allowed is decided by the platform alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from deploy.replay import rules
from deploy.replay.acting import Acts
from deploy.replay.joining import Made
from deploy.replay.opening import Campaign
from deploy.replay.people import OPERATIONS, PLAN_CHECKER, PLAN_MAKER, SUPPLIER, TRUST_REVIEWER, People

LIST_LIMIT = 200
DELIVERIES_PER_REQUEST_MAX = 1_000
INVITATION_ROUNDS_MAX = 50
SIGN_OFFS = (
    (OPERATIONS, "operations"),
    (PLAN_MAKER, "escrow_auditor"),
    (TRUST_REVIEWER, "trust_reviewer"),
)
ON_HOLD = "fulfillment_on_hold"


@dataclass(slots=True)
class File:
    """What the desk remembers of one campaign, to ask less; the platform remains the one who knows."""

    campaign: Campaign
    state: str = "ACTIVE"
    closed_reason: str | None = None
    answered: bool = False
    reported: bool = False
    inspection_until: datetime | None = None
    settled: bool = False
    money: dict[str, int] = field(default_factory=dict)


class Desk:
    """The people after the demand. `made` gives a product's commitments."""

    def __init__(
        self, acts: Acts, people: People, campaigns: dict[str, Campaign], made: Callable[[str], list[Made]]
    ) -> None:
        self.files = {campaign.id: File(campaign) for campaign in campaigns.values()}
        self._acts = acts
        self._people = people
        self._made = made

    @property
    def unsettled(self) -> list[File]:
        """The campaigns that are not at their end yet."""
        return [each for each in self.files.values() if not each.settled]

    async def round(self, now: datetime) -> None:
        """Do all that can be done at this moment."""
        await self._people.sign_in_staff()
        await self._answer_invitations()
        await self._read_states()
        acts: list[Coroutine[Any, Any, None]] = []
        for each in self.unsettled:
            if each.state == "FULFILLMENT":
                acts.append(self._deliver(each))
            elif each.state == "INSPECTION":
                acts.append(self._inspect(each, now))
            elif each.state in {"COMPLETED", "CLOSED"}:
                acts.append(self._settle(each))
        await asyncio.gather(*acts)

    # The supplier.

    async def _answer_invitations(self) -> None:
        supplier = self._people.staff[SUPPLIER]
        for _ in range(INVITATION_ROUNDS_MAX):
            listed = await self._acts.client.read("/v1/invitations?state=open", token=supplier.token)
            waiting = [
                (file, each)
                for each in listed["data"]
                if (file := self.files.get(UUID(each["campaign_id"]))) is not None and not file.answered
            ]
            if not waiting:
                return
            await asyncio.gather(*(self._answer(file, invitation) for file, invitation in waiting))

    async def _answer(self, file: File, invitation: dict[str, Any]) -> None:
        file.answered = True
        supplier = self._people.staff[SUPPLIER]
        path = f"/v1/invitations/{invitation['id']}"
        answer = rules.supplier_answer(file.campaign.product.code)
        if answer == "accept":
            body = {"terms_hash": invitation["terms_hash"]}
            await self._acts.require(supplier, f"{path}/acceptance", body, key=self._key(file, "accept"))
        elif answer == "decline":
            body = {"reason": "No capacity for this quantity."}
            await self._acts.require(supplier, f"{path}/decline", body, key=self._key(file, "decline"))

    async def _deliver(self, file: File) -> None:
        """Dispatch and deliver every held commitment, then let participants report what is faulty."""
        supplier = self._people.staff[SUPPLIER]
        path = f"/v1/campaigns/{file.campaign.id}"
        ids = sorted(each["id"] for each in await self._pages(f"{path}/commitments?state=LOCKED", supplier.token))
        for number, begin in enumerate(range(0, len(ids), DELIVERIES_PER_REQUEST_MAX)):
            some = ids[begin : begin + DELIVERIES_PER_REQUEST_MAX]
            dispatch = {"commitment_ids": some, "tracking": f"batch {number + 1}"}
            key = self._key(file, f"dispatch-{number}")
            await self._acts.require(supplier, f"{path}/dispatches", dispatch, key=key)
            delivery = {"commitment_ids": some, "evidence": "Signed for at the hand-over."}
            await self._acts.require(supplier, f"{path}/deliveries", delivery, key=self._key(file, f"deliver-{number}"))
        await self._report_faults(file)

    # Participants.

    async def _report_faults(self, file: File) -> None:
        code = file.campaign.product.code
        faulty = [
            made for made in self._made(code) if not made.withdrawn and rules.reports_fault(code, made.line.number)
        ]
        await asyncio.gather(*(self._report(made) for made in faulty))
        file.reported = True

    async def _report(self, made: Made) -> None:
        body = {"description": "The delivered piece is broken.", "photo_digests": []}
        account = self._people.participants[made.line.participant]
        key = self._acts.key(made.line.number, "report")
        await self._acts.require(account, f"/v1/commitments/{made.id}/issues", body, key=key)

    # Staff.

    async def _inspect(self, file: File, now: datetime) -> None:
        if not file.reported:
            await self._report_faults(file)
        if file.inspection_until is None:
            file.inspection_until = await self._read_inspection_end(file)
        if file.inspection_until is None or now < file.inspection_until:
            return
        page = await self._page(file)
        if "submit_plan" in page["staff"]["next_acts"]:
            await self._clear(file, "release", "Delivered, inspected, and the share of faults allows it.")
        elif any(case["kind"] == ON_HOLD and case["state"] == "open" for case in page["staff"]["cases"]):
            for email, role in SIGN_OFFS:
                body = {"role": role, "reason": "Too many of the delivered pieces are faulty."}
                path = f"/v1/campaigns/{file.campaign.id}/failure-sign-offs"
                await self._acts.require(self._people.staff[email], path, body, key=self._key(file, f"fail-{role}"))

    async def _read_inspection_end(self, file: File) -> datetime | None:
        """When the last inspection ends; None while the pages do not show the deliveries yet."""
        supplier = self._people.staff[SUPPLIER]
        rows = await self._pages(f"/v1/campaigns/{file.campaign.id}/commitments?state=LOCKED", supplier.token)
        ends = [row["delivery"]["inspection_until"] for row in rows if row["delivery"] is not None]
        return max((datetime.fromisoformat(end) for end in ends if end is not None), default=None)

    async def _clear(self, file: File, kind: str, reason: str) -> None:
        """One auditor makes the plan, another approves exactly that plan."""
        maker, checker = self._people.staff[PLAN_MAKER], self._people.staff[PLAN_CHECKER]
        key = self._key(file, f"plan-{kind}")
        path = f"/v1/campaigns/{file.campaign.id}/clearing-plans"
        await self._acts.require(maker, path, {"kind": kind, "reason": reason}, key=key)
        plan_id = self._acts.created_id(maker, key)
        async with self._acts.client.places:
            plan = await self._acts.client.read(f"/v1/clearing-plans/{plan_id}", token=checker.token)
        body = {"plan_hash": plan["plan_hash"]}
        key = self._key(file, f"approve-{kind}")
        await self._acts.require(checker, f"/v1/clearing-plans/{plan_id}/approval", body, key=key)

    async def _settle(self, file: File) -> None:
        """Decide what was reported after a release; a campaign is settled when all that came in went out."""
        page = await self._page(file)
        money = {name: int(each["amount"]) for name, each in page["money"].items()}
        if file.state == "COMPLETED" and money["reserved_for_issues"]:
            decided_now = await self._decide_issues(file)
            # What was decided in an earlier round has reached the ledger by now: the platform was quiet in between.
            if not decided_now and not money["refund_owed"]:
                await self._clear(file, "reserve_release", "The reported faults are decided.")
        file.money = money
        made = self._made(file.campaign.product.code)
        paid_in = sum(each.line.quantity for each in made) * file.campaign.product.price_minor
        file.settled = money["refunded"] + money["released"] + money["fees"] == paid_in

    async def _decide_issues(self, file: File) -> int:
        """Decide what is open; returns how many that were."""
        operations = self._people.staff[OPERATIONS]
        code = file.campaign.product.code
        numbers = {str(made.id): made.line.number for made in self._made(code)}
        path = f"/v1/campaigns/{file.campaign.id}/issues"
        async with self._acts.client.places:
            listed = await self._acts.client.read(path, token=operations.token)
        decided = 0
        for issue in listed["data"]:
            if issue["state"] == "open":
                decided += 1
                number = numbers[issue["commitment_id"]]
                body = {
                    "verdict": rules.verdict_on_fault(code, number),
                    "reason": "Photos and the sample were compared.",
                }
                key = self._acts.key(number, "decide")
                await self._acts.require(operations, f"/v1/issues/{issue['id']}/decision", body, key=key)
        return decided

    # Reading.

    async def _read_states(self) -> None:
        """The states of all our campaigns, from the list that staff see."""
        missing = {each.campaign.id for each in self.unsettled}
        operations = self._people.staff[OPERATIONS]
        path = f"/v1/campaigns?limit={LIST_LIMIT}"
        cursor: str | None = ""
        while missing and cursor is not None:
            listed = await self._acts.client.read(
                path + (f"&cursor={cursor}" if cursor else ""), token=operations.token
            )
            for each in listed["data"]:
                file = self.files.get(UUID(each["id"]))
                if file is not None:
                    file.state, file.closed_reason = each["state"], each["closed_reason"]
                    missing.discard(file.campaign.id)
            cursor = listed["next_cursor"]

    async def _page(self, file: File) -> dict[str, Any]:
        operations = self._people.staff[OPERATIONS]
        async with self._acts.client.places:
            page = await self._acts.client.read(f"/v1/campaigns/{file.campaign.id}", token=operations.token)
        return dict(page)

    async def read_money(self) -> None:
        """The money of every campaign, as its page shows it."""

        async def one(file: File) -> None:
            page = await self._page(file)
            file.state, file.closed_reason = page["state"], page["closed_reason"]
            file.money = {name: int(each["amount"]) for name, each in page["money"].items()}

        await asyncio.gather(*map(one, self.files.values()))

    async def _pages(self, path: str, token: str) -> Sequence[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            async with self._acts.client.places:
                address = f"{path}&limit={LIST_LIMIT}" + (f"&cursor={cursor}" if cursor else "")
                listed = await self._acts.client.read(address, token=token)
            rows += listed["data"]
            cursor = listed["next_cursor"]
        return rows

    def _key(self, file: File, act: str) -> str:
        return self._acts.key(file.campaign.product.first.number, act)
