"""The offline check: what a proof file shows, step by step, and where two files contradict each other.

Needs nothing but the files: no network, no service, no database. Each step says in plain words what holds or fails. What
it cannot show stands in `NOT_PROVEN` and is said every time. Whose key signed is for the reader to compare with the
key that the platform names elsewhere; the check says which key it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from contracts.ledger import transfer_hash
from contracts.proofs import tree
from contracts.proofs.checkpoint import (
    FIRST_PREVIOUS_HASH,
    SHORT_CHARACTERS,
    SignedCheckpoint,
    SignedPlatformCheckpoint,
    body_hash,
    is_signed,
)
from contracts.proofs.files import CommitmentProof, EarlierProof, MovementProof, PlatformFile, PlatformProof
from contracts.proofs.sums import EMPTY_STATE, STATE_CLASSES, SumNode, SumOutOfRangeError, state_leaf, sum_node

NOT_PROVEN = (
    "what Stripe really holds: the balance in a platform checkpoint is a figure that was read there",
    "that everybody else has a place in the totals, or that the others are real",
    "that the key belongs to Alpmera: compare its id with the one that other people see",
)
"""What no such proof can show."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was checked, in plain words."""

    holds: bool
    words: str


def check_commitment(proof: CommitmentProof) -> list[Step]:
    """Every step of a commitment's proof; all must hold."""
    body = proof.checkpoint.body
    steps = [
        _signed(f"checkpoint {body.number} of campaign {body.scope}", proof.checkpoint),
        Step(str(proof.campaign_id) == body.scope, "the checkpoint is this campaign's"),
        Step(sum(body.sums.values()) == 0, "the checkpoint's sums over all account classes balance to zero"),
        _state(proof),
        _adds_up(proof),
    ]
    steps += [_movement(proof, movement) for movement in proof.movements]
    if proof.earlier is not None:
        steps += _earlier(proof.checkpoint, proof.earlier)
    if proof.platform is not None:
        steps += _platform(proof.checkpoint, proof.platform)
    return steps


def check_platform_file(lines: PlatformFile) -> list[Step]:
    """A platform file: every line signed, numbered and chained to the one before."""
    steps: list[Step] = []
    previous = FIRST_PREVIOUS_HASH
    for place, line in enumerate(lines, start=1):
        body = line.body
        if not is_signed(line):
            steps.append(Step(False, f"line {place}: the signature is not the named key's"))
        if body.number != place:
            steps.append(
                Step(False, f"line {place} carries number {body.number}: a line is missing or out of sequence")
            )
        if body.previous_hash != previous:
            steps.append(Step(False, f"line {place} does not continue the line before it"))
        previous = body_hash(body)
    if not steps:
        steps.append(
            Step(True, f"all {len(lines)} lines are signed, numbered and chained; none was removed in between")
        )
    keys = {line.body.key_id for line in lines}
    steps += [Step(True, f"lines are signed by key {key_id[:SHORT_CHARACTERS]}") for key_id in sorted(keys)]
    steps.append(Step(True, f"the head is {previous[:SHORT_CHARACTERS]} (number {len(lines)})"))
    return steps


def check_together(platform_files: Mapping[str, PlatformFile], proofs: Mapping[str, CommitmentProof]) -> list[Step]:
    """What several files say of each other: forks of platform files, and checkpoints that contradict each other."""
    names = list(platform_files)
    steps = [_compared(one, other, platform_files) for at, one in enumerate(names) for other in names[at + 1 :]]
    for name, proof in proofs.items():
        if proof.platform is not None:
            steps += [
                _stands_in(name, proof.platform.checkpoint, file, lines) for file, lines in platform_files.items()
            ]
    return steps + list(_contradictions(proofs))


def first_difference(one: PlatformFile, other: PlatformFile) -> int | None:
    """The first line number at which two platform files differ, or None when one continues the other."""
    for place, (left, right) in enumerate(zip(one, other, strict=False), start=1):
        if body_hash(left.body) != body_hash(right.body):
            return place
    return None


# -- the steps ----------------------------------------------------------------------------------------------------------


def _signed(what: str, signed: SignedCheckpoint | SignedPlatformCheckpoint) -> Step:
    return Step(is_signed(signed), f"{what} is signed by key {signed.body.key_id[:SHORT_CHARACTERS]}")


def _state(proof: CommitmentProof) -> Step:
    body, state = proof.checkpoint.body, proof.state
    words = f"its amounts ({_amounts(state.amounts.sums)}) are inside the totals of checkpoint {body.number}"
    try:
        leaf = state_leaf(proof.commitment_id, state.amounts.sums, bytes.fromhex(state.salt))
        path = [step.node for step in state.path]
        root = tree.fold_path(leaf, state.index, body.leaf_count, path, sum_node)
    except (tree.BadProofError, SumOutOfRangeError) as error:
        return Step(False, f"{words}: {error}")
    total = tuple(body.sums.get(name, 0) for name in STATE_CLASSES)
    return Step(_is_root(root, body.state_root) and root.sums == total, words)


def _is_root(root: SumNode, state_root: str) -> bool:
    return root.hash.hex() == state_root and root != EMPTY_STATE


def _adds_up(proof: CommitmentProof) -> Step:
    if proof.movements_left_out:
        left_out = proof.movements_left_out
        return Step(True, f"{left_out} older movements are left out of the file, so its amounts are not added up here")
    found = dict.fromkeys(STATE_CLASSES, 0)
    for movement in proof.movements:
        for entry in movement.transfer.entries:
            name, _, owner = entry.account.partition(":")
            if owner == str(proof.commitment_id) and name in found:
                found[name] += entry.amount_minor
    return Step(tuple(found.values()) == proof.state.amounts.sums, "its movements add up to these amounts")


def _movement(proof: CommitmentProof, movement: MovementProof) -> Step:
    body, transfer = proof.checkpoint.body, movement.transfer
    words = f"movement {transfer.position} ({transfer.kind}) is in the history of checkpoint {body.number}"
    holds = (
        transfer.commitment_id == proof.commitment_id
        and transfer.scope == body.scope
        and transfer.currency == body.currency
        and 1 <= transfer.position <= body.position
        and sum(entry.amount_minor for entry in transfer.entries) == 0
        and _has_own_hash(movement)
        and tree.is_included(
            tree.leaf_hash(bytes.fromhex(transfer.hash)),
            transfer.position - 1,
            body.position,
            _nodes(movement.path),
            bytes.fromhex(body.history_root),
        )
        and (transfer.position < body.position or transfer.hash == body.chain_head)
    )
    return Step(holds, words)


def _has_own_hash(movement: MovementProof) -> bool:
    try:
        return transfer_hash(movement.transfer) == movement.transfer.hash
    except (ValueError, OverflowError):
        return False


def _earlier(checkpoint: SignedCheckpoint, earlier: EarlierProof) -> list[Step]:
    old, new = earlier.checkpoint.body, checkpoint.body
    words = f"history up to position {old.position} was not rewritten between checkpoints {old.number} and {new.number}"
    holds = (
        old.scope == new.scope
        and old.number < new.number
        and (old.number != new.number - 1 or new.previous_hash == body_hash(old))
        and tree.is_consistent(
            old_size=old.position,
            old_root=bytes.fromhex(old.history_root),
            new_size=new.position,
            new_root=bytes.fromhex(new.history_root),
            path=_nodes(earlier.path),
        )
    )
    return [_signed(f"checkpoint {old.number} of campaign {old.scope}", earlier.checkpoint), Step(holds, words)]


def _platform(checkpoint: SignedCheckpoint, platform: PlatformProof) -> list[Step]:
    body = platform.checkpoint.body
    holds = tree.is_included(
        tree.leaf_hash(bytes.fromhex(body_hash(checkpoint.body))),
        platform.index,
        body.scope_count,
        _nodes(platform.path),
        bytes.fromhex(body.checkpoints_root),
    )
    head = body_hash(body)[:SHORT_CHARACTERS]
    return [
        _signed(f"platform checkpoint {body.number}", platform.checkpoint),
        Step(holds, f"the checkpoint is among those of platform checkpoint {body.number}, whose hash begins {head}"),
    ]


def _nodes(path: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(node) for node in path]


def _amounts(sums: Sequence[int]) -> str:
    return ", ".join(f"{name} {amount}" for name, amount in zip(STATE_CLASSES, sums, strict=True))


def _compared(one: str, other: str, files: Mapping[str, PlatformFile]) -> Step:
    place = first_difference(files[one], files[other])
    if place is not None:
        return Step(False, f"FORK: {one} and {other} differ from line {place} on: two histories were shown")
    return Step(True, f"{one} and {other} tell one history as far as both go")


def _stands_in(name: str, checkpoint: SignedPlatformCheckpoint, file: str, lines: PlatformFile) -> Step:
    number = checkpoint.body.number
    if number > len(lines):
        return Step(True, f"{file} ends before platform checkpoint {number} of {name}: not compared")
    holds = body_hash(lines[number - 1].body) == body_hash(checkpoint.body)
    return Step(holds, f"platform checkpoint {number} of {name} is line {number} of {file}")


def _contradictions(proofs: Mapping[str, CommitmentProof]) -> Iterator[Step]:
    """Two checkpoints of one scope that bear one number, or speak of one position, must say the same."""
    known: dict[tuple[str, str, int], tuple[str, str]] = {}
    for name, proof in proofs.items():
        for signed in (proof.checkpoint, *([proof.earlier.checkpoint] if proof.earlier else [])):
            body = signed.body
            told = {
                (body.scope, "number", body.number): body_hash(body),
                (body.scope, "position", body.position): f"{body.history_root} {body.chain_head}",
            }
            for key, value in told.items():
                other, before = known.setdefault(key, (name, value))
                if before != value:
                    words = f"FORK: {other} and {name} differ at {key[1]} {key[2]} of campaign {body.scope}"
                    yield Step(False, words)
