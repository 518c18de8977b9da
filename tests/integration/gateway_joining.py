"""One participant in one campaign, as a test plays it: the requests, and the other services' words about them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx

from contracts.campaigns import CommitFunds, CommitmentLocked, CommitmentReserved
from contracts.escrow import FundsHeld, UsePaymentMethod
from tests.integration.gateway_support import STARTED, Sent, Stage


class Joining:
    """One participant in one campaign, and the other services' words about it."""

    def __init__(self, stage: Stage, client: httpx.AsyncClient, participant_id: UUID) -> None:
        self.stage = stage
        self.client = client
        self.participant_id = participant_id
        self.campaign_id = uuid4()
        self.terms_hash = ""

    async def open(self) -> Joining:
        self.campaign_id, self.terms_hash = await self.stage.open_campaign()
        return self

    def send(self, key: str | None = None, *, wait: int = 15, **changes: Any) -> asyncio.Task[httpx.Response]:
        """Commit funds in the background."""
        body = {"quantity": 2, "terms_hash": self.terms_hash, "confirmation_token": "ctoken_ok"} | changes
        headers = {"Idempotency-Key": key or uuid4().hex, "Prefer": f"wait={wait}"}
        path = f"/v1/campaigns/{self.campaign_id}/commitments"
        return asyncio.create_task(self.client.post(path, json=body, headers=headers))

    def names(self, commitment_id: UUID) -> dict[str, Any]:
        return {
            "campaign_id": self.campaign_id,
            "commitment_id": commitment_id,
            "participant_id": self.participant_id,
        }

    async def reserved(self, commitment_id: UUID, *, cause: UUID | None = None) -> None:
        await self.stage.tell(
            CommitmentReserved(
                **self.names(commitment_id), quantity=2, amount_minor=109_800, currency="usd",
                terms_hash=self.terms_hash, reference="R-7K2M", reserved_until=STARTED + timedelta(minutes=15),
                reserved_units=2, held_units=0,
            ),
            cause=cause,
        )  # fmt: skip

    async def held(self, commitment_id: UUID) -> None:
        await self.stage.tell(
            FundsHeld(
                **self.names(commitment_id), amount_minor=109_800, currency="usd", intent_id=uuid4(),
                payment_intent_id="pi_1",
            )
        )  # fmt: skip
        await self.stage.tell(
            CommitmentLocked(
                **self.names(commitment_id), quantity=2, amount_minor=109_800, currency="usd", held_units=2,
                reserved_units=0, held_commitments=1,
            )
        )  # fmt: skip

    async def locked(self) -> UUID:
        """A commitment whose funds are held; its id."""
        sending = self.send()
        sent = await self.stage.command(CommitFunds)
        await self.reserved(sent.message.commitment_id, cause=sent.id)
        await self.held(sent.message.commitment_id)
        answer = await sending
        assert answer.status_code == 201, answer.text
        return UUID(answer.json()["id"])


async def both_commands(stage: Stage) -> tuple[Sent, Sent]:
    """The two commands of one join; they are written together."""
    for _ in range(500):
        sent = [each for each in await stage.commands() if each.topic.endswith(".commands")]
        if sent:
            commit = next(each for each in sent if isinstance(each.message, CommitFunds))
            pay = next(each for each in sent if isinstance(each.message, UsePaymentMethod))
            return commit, pay
        await asyncio.sleep(0.02)
    raise AssertionError("no command was written")
