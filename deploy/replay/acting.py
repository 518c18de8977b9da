"""An act under a key: send it, or find what became of it, until its outcome is known.

Owns how an outcome is read from the gateway's answers. A key is a function of the file and the line, and an act's id a
function of account and key; so a replay that was stopped finds its own acts on the platform and keeps no state.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from deploy.replay.client import Answer, Client
from deploy.replay.errors import ReplayError
from services.gateway.domain.operation import operation_id, resource_id

WAIT_SECONDS = 20
OUTCOME_SECONDS_MAX = 600
OPERATIONS_PER_REQUEST_MAX = 100
KEY_USED = "idempotency_key_reused"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody signed in."""

    subject_id: UUID
    token: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an act: done, or refused with a stable code. `body` is the answer to a request that did it now;
    `fresh` says that this run was answered, not an earlier one."""

    done: bool
    code: str = ""
    fresh: bool = False
    body: bytes = b""

    def json(self) -> Any:
        """The resource as answered."""
        return json.loads(self.body)


class Acts:
    """Sends the acts of one replay."""

    def __init__(self, client: Client, digest: str) -> None:
        self.client = client
        self._prefix = digest[:40]

    def key(self, number: int, act: str) -> str:
        """The Idempotency-Key of an act that a line causes."""
        return f"{self._prefix}-{number}-{act}"

    def operation_id(self, account: Account, key: str) -> UUID:
        """The act's id on the platform."""
        return operation_id(account.subject_id, key)

    def created_id(self, account: Account, key: str) -> UUID:
        """The id of what the act creates."""
        return resource_id(operation_id(account.subject_id, key))

    async def perform(self, account: Account, path: str, body: Any, *, key: str) -> Outcome:
        """Send an act with a JSON body and wait for its outcome."""
        async with self.client.places:
            return await self.send(account, path, json.dumps(body).encode(), key=key)

    async def require(self, account: Account, path: str, body: Any, *, key: str) -> Outcome:
        """As `perform`, for an act that must succeed. Raises ReplayError."""
        outcome = await self.perform(account, path, body, key=key)
        if not outcome.done:
            raise ReplayError(f"the platform refused POST {path}: {outcome.code}.")
        return outcome

    async def send(self, account: Account, path: str, body: bytes, *, key: str) -> Outcome:
        """Send an act; the caller holds one of the client's places."""
        answer = await self.client.post(path, body, token=account.token, key=key, wait_seconds=WAIT_SECONDS)
        if answer.status in (200, 201):
            return Outcome(done=True, fresh=True, body=answer.body)
        if answer.status == 202 or answer.code == KEY_USED:
            return await self.await_outcome(account, self.operation_id(account, key))
        return Outcome(done=False, code=answer.code, fresh=True)

    async def await_outcome(self, account: Account, operation: UUID) -> Outcome:
        """Wait until an accepted act has its outcome. Raises ReplayError when it gets none."""
        loop = asyncio.get_running_loop()
        end = loop.time() + OUTCOME_SECONDS_MAX
        while loop.time() < end:
            answer = await self.client.get(
                f"/v1/operations/{operation}", token=account.token, wait_seconds=WAIT_SECONDS
            )
            outcome = _outcome(answer)
            if outcome is not None:
                return outcome
        raise ReplayError(f"operation {operation} had no outcome after {OUTCOME_SECONDS_MAX} s.")

    async def known(self, account: Account, operations: Sequence[UUID]) -> dict[UUID, Outcome]:
        """What became of those of these acts that the platform knows."""
        found: dict[UUID, Outcome] = {}
        for begin in range(0, len(operations), OPERATIONS_PER_REQUEST_MAX):
            ids = ",".join(map(str, operations[begin : begin + OPERATIONS_PER_REQUEST_MAX]))
            async with self.client.places:
                listed = await self.client.read(f"/v1/operations?ids={ids}", token=account.token)
                for each in listed["data"]:
                    operation = UUID(each["id"])
                    found[operation] = _of(each) or await self.await_outcome(account, operation)
        return found


def _outcome(answer: Answer) -> Outcome | None:
    if answer.status != 200:
        raise ReplayError(f"the gateway answered {answer.status} ({answer.code}) about an operation.")
    return _of(answer.json())


def _of(operation: dict[str, Any]) -> Outcome | None:
    if operation["state"] == "done":
        return Outcome(done=True)
    if operation["state"] == "refused":
        return Outcome(done=False, code=str(operation["problem"]["code"]))
    return None
