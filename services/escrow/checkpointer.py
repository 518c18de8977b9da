"""The loop that signs: a checkpoint for every scope that has moved, and one over all of them.

Made by wall time (`checkpoint_seconds`), because what protects it is that it leaves soon, whatever the simulated clock
does. A scope that rested gets none, so a quiet platform stays quiet. A moment is read without a lock, its trees are made
beside the loop, and it is signed under the scope's lock once every event up to it was acknowledged by the broker; a
moment that was overtaken meanwhile is dropped. Without a key the loop does nothing: only production insists on one.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from contextlib import suppress

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import SecretStr

from contracts.envelope import PLATFORM_SCOPE
from contracts.ledger import canonical_time
from contracts.proofs import tree
from contracts.proofs.checkpoint import (
    CheckpointBody,
    PlatformBody,
    SeenBalance,
    body_hash,
    key_id_of,
    public_key_of,
    sign_checkpoint,
    sign_platform,
)
from contracts.transparency import CheckpointSigned, PlatformCheckpointSigned
from services.escrow.domain.checkpoints import Moment, Trees, make_trees
from services.escrow.reconcile_watch import Host
from services.escrow.settings import EscrowSettings
from services.escrow.store import checkpoints as store
from services.kit import telemetry
from services.kit.clock import wall_now
from services.kit.runtime import Runtime
from services.kit.work import Work

UNBALANCED = "ledger_unbalanced"
SENT_LOOKS_MAX = 50
SENT_LOOK_SECONDS = 0.1

log = telemetry.logger("escrow.checkpointer")


class Checkpointer:
    """Signs what has moved. One per process; two of them do no harm, the second finds its moment overtaken."""

    def __init__(self, settings: Callable[[], EscrowSettings]) -> None:
        self._settings = settings
        self._key: Ed25519PrivateKey | None = None

    async def run(self, runtime: Runtime) -> None:
        """Sign until told to stop."""
        settings = self._settings()
        if settings.checkpoint_key is None or settings.checkpoint_salt_key is None:
            log.warning("escrow.checkpoints.off", why="no key is set")
            return
        while not runtime.stopping.is_set():
            await self.step(runtime)
            with suppress(TimeoutError):
                await asyncio.wait_for(runtime.stopping.wait(), timeout=settings.checkpoint_seconds)

    async def step(self, host: Host) -> int:
        """One pass; returns how many checkpoints were signed, the platform's not counted."""
        signed = 0
        for scope in await store.scopes_due(host.engine):
            signed += await self._sign_scope(host, scope)
        if await store.is_platform_due(host.engine):
            async with host.transaction([PLATFORM_SCOPE]) as work:
                await self._sign_platform(work)
        return signed

    async def _sign_scope(self, host: Host, scope: str) -> bool:
        moment = await store.read_moment(host.engine, scope)
        if moment.position <= moment.before.position:
            return False
        if sum(moment.sums.values()) != 0:
            await _refuse(host, moment)
            return False
        salt_key = base64.b64decode(_secret(self._settings().checkpoint_salt_key))
        trees = await asyncio.to_thread(make_trees, moment, salt_key=salt_key)
        if not await _all_sent(host, moment):
            log.warning("escrow.checkpoint.unsent", scope=scope, position=moment.position)
            return False
        async with host.transaction([scope]) as work:
            if (await store.newest_of(work.connection, scope)).number != moment.before.number:
                return False
            checkpoint = sign_checkpoint(self._body(work, moment, trees), self._signing_key())
            await store.add_checkpoint(work.connection, checkpoint, moment, trees)
            work.publish(CheckpointSigned(scope_id=scope, checkpoint=checkpoint, hash=body_hash(checkpoint.body)))
        return True

    def _body(self, work: Work, moment: Moment, trees: Trees) -> CheckpointBody:
        return CheckpointBody(
            scope=moment.scope,
            number=moment.before.number + 1,
            position=moment.position,
            chain_head=moment.chain_head,
            history_root=trees.history_root,
            state_root=trees.state_root.hash.hex(),
            leaf_count=len(moment.amounts),
            sums=dict(moment.sums),
            currency=moment.currency,
            stack_time=canonical_time(work.now),
            wall_time=canonical_time(wall_now()),
            previous_hash=moment.before.hash,
            key_id=self._key_id(),
        )

    async def _sign_platform(self, work: Work) -> None:
        """The next line of the public file. Any mixture of the scopes' moments is one state of the platform, because no
        transfer touches two scopes; so what is owed and held is the sum over the checkpoints that are covered."""
        newest = await store.newest_checkpoints(work.connection)
        uncovered = [each for each in newest if each.platform_number is None]
        if not uncovered:
            return
        number, previous_hash = await store.newest_platform(work.connection)
        owed: dict[str, int] = {}
        held: dict[str, int] = {}
        for each in newest:
            owed[each.currency] = owed.get(each.currency, 0) + each.owed_minor
            held[each.currency] = held.get(each.currency, 0) + each.held_minor
        seen = await store.balances_seen(work.connection)
        body = PlatformBody(
            number=number + 1,
            scope_count=len(newest),
            checkpoints_root=tree.root([bytes.fromhex(each.hash) for each in newest]).hex(),
            owed=owed,
            held=held,
            psp_balance={
                currency: SeenBalance(balance_minor=row.balance_minor, seen_at=canonical_time(row.seen_at))
                for currency, row in seen.items()
            },
            stack_time=canonical_time(work.now),
            wall_time=canonical_time(wall_now()),
            previous_hash=previous_hash,
            key_id=self._key_id(),
        )
        signed = sign_platform(body, self._signing_key())
        await store.add_platform(work.connection, signed, uncovered)
        work.publish(PlatformCheckpointSigned(checkpoint=signed, hash=body_hash(body)))

    def _signing_key(self) -> Ed25519PrivateKey:
        if self._key is None:
            pem = base64.b64decode(_secret(self._settings().checkpoint_key))
            key = load_pem_private_key(pem, password=None)
            if not isinstance(key, Ed25519PrivateKey):
                raise ValueError("ALPMERA_CHECKPOINT_KEY is not an Ed25519 key")
            self._key = key
        return self._key

    def _key_id(self) -> str:
        return key_id_of(public_key_of(self._signing_key()))


async def _refuse(host: Host, moment: Moment) -> None:
    """Accounts that do not balance are never signed: somebody has to look."""
    async with host.transaction([moment.scope]) as work:
        work.open_case(
            UNBALANCED,
            scope=moment.scope,
            subject=moment.scope,
            severity="critical",
            blocking=True,
            facts={"position": moment.position, "sums": dict(moment.sums)},
        )


async def _all_sent(host: Host, moment: Moment) -> bool:
    """Wait a little until the broker has every event up to the moment; False when it does not come to that."""
    for _ in range(SENT_LOOKS_MAX):
        if await store.has_left(host.engine, moment):
            return True
        await asyncio.sleep(SENT_LOOK_SECONDS)
    return False


def _secret(value: SecretStr | None) -> str:
    if value is None:
        raise ValueError("no key is set for checkpoints")
    return value.get_secret_value()
