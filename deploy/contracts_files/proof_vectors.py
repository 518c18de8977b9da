"""The test vectors of proofs: trees, checkpoints and one whole proof, made from the same functions on made-up figures.

They pin the forms for every other reader, first of all the one in the browser. The key is made from public words and signs
nothing else. That the history tree is RFC 9162's is not shown here but by the vectors that others published
(`tests/unit/test_proof_trees.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.ledger import GENESIS_HASH, LedgerEntry, LedgerTransfer, canonical_time, transfer_hash
from contracts.proofs import tree
from contracts.proofs.checkpoint import (
    FIRST_PREVIOUS_HASH,
    CheckpointBody,
    PlatformBody,
    SeenBalance,
    SignedCheckpoint,
    SignedPlatformCheckpoint,
    body_hash,
    key_id_of,
    public_key_of,
    sign_checkpoint,
    sign_platform,
    signed_bytes,
)
from contracts.proofs.files import (
    Amounts,
    CommitmentProof,
    EarlierProof,
    MovementProof,
    PlatformProof,
    StateProof,
    StateStep,
)
from contracts.proofs.sums import (
    EMPTY_STATE,
    STATE_CLASSES,
    SumNode,
    leaf_salt,
    packed,
    scope_secret,
    state_leaf,
    sum_node,
)

VECTORS = Path("contracts/proofs/vectors.json")
PEOPLE = 5
"""Commitments of the made-up campaign: an uneven tree."""

KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"alpmera test vectors: no secret").digest())
SALT_KEY = hashlib.sha256(b"alpmera test vectors: no salt").digest()
SCOPE = "3d2f0a6e-1f9c-4c1e-8f0e-2a5b7c9d1e3f"
BEGIN = datetime(2026, 11, 21, 1, 2, 3, 4, tzinfo=UTC)


def vectors() -> dict[str, Any]:
    """Everything, as it is committed."""
    transfers = made_up_transfers(PEOPLE)
    first = made_up_checkpoint(transfers[:PEOPLE], number=1, previous_hash=FIRST_PREVIOUS_HASH)
    second = made_up_checkpoint(transfers, number=2, previous_hash=body_hash(first.body))
    platform = made_up_platform([first, second])
    owner = UUID(int=2)
    proof = made_up_proof(transfers, owner, (first, second), platform[-1])
    leaves = state_leaves(transfers, number=2)
    return {
        "history": {
            "leaves": [transfer.hash for transfer in transfers],
            "roots": [history_root(transfers[:count]) for count in range(len(transfers) + 1)],
            "rule": "leaf = SHA-256(00 hash), node = SHA-256(01 left right), shape as in RFC 9162",
        },
        "state": {
            "classes": list(STATE_CLASSES),
            "empty": EMPTY_STATE.hash.hex(),
            "leaves": [{"hash": leaf.hash.hex(), "sums": list(leaf.sums)} for leaf in leaves],
            "packed": packed((1, 2, 3, 2**53 - 1)).hex(),
            "root": {"hash": _sum_root(leaves).hash.hex(), "sums": list(_sum_root(leaves).sums)},
            "rule": "leaf = SHA-256(tag salt id sums), node = SHA-256(tag left sums right sums), leaves sorted by hash",
        },
        "checkpoint": {
            "signed": second.model_dump(mode="json"),
            "bytes": signed_bytes(second.body).decode(),
            "hash": body_hash(second.body),
        },
        "platform_file": [line.model_dump(mode="json") for line in platform],
        "platform_head": body_hash(platform[-1].body),
        "commitment_proof": proof.model_dump(mode="json"),
    }


def made_up_transfers(people: int) -> list[LedgerTransfer]:
    """So many commitments with held funds, and then a refund of the second of them: decided and sent."""
    transfers: list[LedgerTransfer] = []
    for number in range(1, people + 1):
        amount = 1_000 * number
        _append(transfers, "lock", f"pi:{UUID(int=100 + number)}", UUID(int=number),
                {"psp_clearing": -amount, f"escrow:{UUID(int=number)}": amount})  # fmt: skip
    if people > 1:
        who = UUID(int=2)
        _append(transfers, "refund_decided", f"ref:{UUID(int=201)}", who,
                {f"escrow:{who}": -1_500, f"refund_payable:{who}": 1_500}, "withdrawn")  # fmt: skip
        _append(transfers, "refund_sent", "refs:re_1", who, {f"refund_payable:{who}": -1_000, "psp_clearing": 1_000})
    return transfers


def _append(  # noqa: PLR0913 - the fields of a transfer
    transfers: list[LedgerTransfer],
    kind: str,
    cause: str,
    commitment_id: UUID,
    amounts: dict[str, int],
    reason: str | None = None,
) -> None:
    earlier = [entry for transfer in transfers for entry in transfer.entries]
    position = len(transfers) + 1
    transfer = LedgerTransfer(
        scope=SCOPE,
        currency="usd",
        position=position,
        kind=kind,
        cause=cause,
        commitment_id=commitment_id,
        reason=reason,
        event_at=BEGIN + timedelta(minutes=position),
        relied_on=(UUID(int=1_000 + position),),
        previous_hash=transfers[-1].hash if transfers else GENESIS_HASH,
        hash=GENESIS_HASH,
        entries=tuple(
            LedgerEntry(
                account=account,
                amount_minor=amount,
                balance_minor=sum(entry.amount_minor for entry in earlier if entry.account == account) + amount,
                version=sum(entry.account == account for entry in earlier) + 1,
                object_id=f"ch_{position}" if account == "psp_clearing" else None,
            )
            for account, amount in amounts.items()
        ),
    )
    transfers.append(transfer.model_copy(update={"hash": transfer_hash(transfer)}))


def class_sums(transfers: Sequence[LedgerTransfer]) -> dict[str, int]:
    """The balance of each account class after these transfers."""
    sums: dict[str, int] = {}
    for entry in (entry for transfer in transfers for entry in transfer.entries):
        name = entry.account.partition(":")[0]
        sums[name] = sums.get(name, 0) + entry.amount_minor
    return dict(sorted(sums.items()))


def history_root(transfers: Sequence[LedgerTransfer]) -> str:
    """The root over these transfers."""
    return tree.root([bytes.fromhex(transfer.hash) for transfer in transfers]).hex()


def amounts_of(transfers: Sequence[LedgerTransfer], commitment_id: UUID) -> tuple[int, int, int, int]:
    """A commitment's amounts in the sequence of the state tree."""
    own = [transfer for transfer in transfers if transfer.commitment_id == commitment_id]
    sums = class_sums([
        transfer.model_copy(update={"entries": tuple(e for e in transfer.entries if e.account.endswith(str(commitment_id)))})
        for transfer in own
    ])  # fmt: skip
    a, b, c, d = (sums.get(name, 0) for name in STATE_CLASSES)
    return (a, b, c, d)


def own_leaf(transfers: Sequence[LedgerTransfer], commitment_id: UUID, *, number: int) -> tuple[SumNode, bytes]:
    """A commitment's leaf at a checkpoint, and its salt."""
    salt = leaf_salt(scope_secret(SALT_KEY, SCOPE), checkpoint_number=number, commitment_id=commitment_id)
    return state_leaf(commitment_id, amounts_of(transfers, commitment_id), salt), salt


def state_leaves(transfers: Sequence[LedgerTransfer], *, number: int) -> list[SumNode]:
    """The leaves of a checkpoint, sorted."""
    everybody = {transfer.commitment_id for transfer in transfers if transfer.commitment_id is not None}
    return sorted(own_leaf(transfers, each, number=number)[0] for each in everybody)


def _sum_root(leaves: Sequence[SumNode]) -> SumNode:
    return tree.fold(leaves, sum_node) if leaves else EMPTY_STATE


def made_up_checkpoint(transfers: Sequence[LedgerTransfer], *, number: int, previous_hash: str) -> SignedCheckpoint:
    """The signed checkpoint after these transfers."""
    leaves = state_leaves(transfers, number=number)
    moment = canonical_time(BEGIN + timedelta(hours=number))
    body = CheckpointBody(
        scope=SCOPE,
        number=number,
        position=len(transfers),
        chain_head=transfers[-1].hash,
        history_root=history_root(transfers),
        state_root=_sum_root(leaves).hash.hex(),
        leaf_count=len(leaves),
        sums=class_sums(transfers),
        currency="usd",
        stack_time=moment,
        wall_time=moment,
        previous_hash=previous_hash,
        key_id=key_id_of(public_key_of(KEY)),
    )
    return sign_checkpoint(body, KEY)


def made_up_platform(checkpoints: Sequence[SignedCheckpoint], *, held: int = 20_000) -> list[SignedPlatformCheckpoint]:
    """A public file: one line after each checkpoint, beside a second scope that never changes."""
    lines: list[SignedPlatformCheckpoint] = []
    for number, checkpoint in enumerate(checkpoints, start=1):
        moment = canonical_time(BEGIN + timedelta(hours=number, minutes=1))
        body = PlatformBody(
            number=number,
            scope_count=2,
            checkpoints_root=tree.root([bytes.fromhex(body_hash(checkpoint.body)), bytes(32)]).hex(),
            owed={"usd": sum(checkpoint.body.sums.get(name, 0) for name in STATE_CLASSES)},
            held={"usd": held},
            psp_balance={"usd": SeenBalance(balance_minor=held, seen_at=moment)},
            stack_time=moment,
            wall_time=moment,
            previous_hash=body_hash(lines[-1].body) if lines else FIRST_PREVIOUS_HASH,
            key_id=key_id_of(public_key_of(KEY)),
        )
        lines.append(sign_platform(body, KEY))
    return lines


def made_up_proof(
    transfers: Sequence[LedgerTransfer],
    commitment_id: UUID,
    checkpoints: tuple[SignedCheckpoint, SignedCheckpoint],
    platform: SignedPlatformCheckpoint,
) -> CommitmentProof:
    """The proof of one commitment at the second checkpoint."""
    old, new = checkpoints
    history = [tree.leaf_hash(bytes.fromhex(transfer.hash)) for transfer in transfers]
    leaves = state_leaves(transfers, number=new.body.number)
    leaf, salt = own_leaf(transfers, commitment_id, number=new.body.number)

    def nodes(ranges: Sequence[tree.Range]) -> tuple[str, ...]:
        return tuple(tree.fold(history[low:high], tree.node_hash).hex() for low, high in ranges)

    index = leaves.index(leaf)
    return CommitmentProof(
        campaign_id=UUID(SCOPE),
        commitment_id=commitment_id,
        checkpoint=new,
        state=StateProof(
            salt=salt.hex(),
            amounts=Amounts.of(leaf.sums),
            index=index,
            path=tuple(
                StateStep.of(tree.fold(leaves[low:high], sum_node))
                for low, high in tree.inclusion_ranges(index, len(leaves))
            ),
        ),
        movements=tuple(
            MovementProof(transfer=transfer, path=nodes(tree.inclusion_ranges(transfer.position - 1, len(transfers))))
            for transfer in transfers
            if transfer.commitment_id == commitment_id
        ),
        movements_left_out=0,
        earlier=EarlierProof(checkpoint=old, path=nodes(tree.consistency_ranges(old.body.position, new.body.position))),
        platform=PlatformProof(checkpoint=platform, index=0, path=(tree.leaf_hash(bytes(32)).hex(),)),
    )
