"""Whether somebody may see a campaign, without a query for what cannot change any more.

A campaign's visibility and where it delivers to are fixed when it opens, so both are remembered of campaigns that every
participant may see. A refusal is never remembered: the campaign may open in the next moment.
"""

from __future__ import annotations

from collections import OrderedDict
from uuid import UUID

from contracts.errors import Rejected
from services.gateway.auth.identity import Identity
from services.gateway.store.read_campaigns import visible_progress
from services.gateway.store.read_model import ReadModel

REMEMBERED_MAX = 10_000
NOT_YET_OPEN = frozenset({"DRAFT", "IN_REVIEW"})


class Visibility:
    """Remembers campaigns that every participant may see."""

    def __init__(self, reads: ReadModel) -> None:
        self._reads = reads
        self._members: OrderedDict[UUID, bool] = OrderedDict()

    async def check(self, campaign_id: UUID, identity: Identity | None) -> bool:
        """Whether joining the campaign needs an address. Raises Rejected(not_found) when there is nothing that this person
        can see."""
        if identity is not None and identity.is_participant and campaign_id in self._members:
            return self._members[campaign_id]
        row = await visible_progress(self._reads, campaign_id, identity)
        if row is None:
            raise Rejected("not_found")
        needs_address = bool(row["needs_address"])
        if row["visibility"] in {"open", "members"} and row["state"] not in NOT_YET_OPEN:
            self._members[campaign_id] = needs_address
            while len(self._members) > REMEMBERED_MAX:
                self._members.popitem(last=False)
        return needs_address
