"""I17 beyond the database: what was told and signed about the ledger, held against the ledger's rows.

One pass over all transfers in sequence makes each scope's history tree anew, compares every hash with the one that left
as an event, and every signed checkpoint with the tree at its position. So a row that was changed, put in or taken away is
named by its position, even when somebody with every right made all later hashes anew. The salts are escrow's secret: of
the state tree only the kept nodes and their sums are checked, the rest by the owners' proofs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.proofs import tree
from contracts.proofs.checkpoint import (
    FIRST_PREVIOUS_HASH,
    CheckpointBody,
    PlatformBody,
    SignedCheckpoint,
    SignedPlatformCheckpoint,
    body_hash,
    is_signed,
)
from contracts.proofs.sums import EMPTY_STATE, NODE_BYTES, STATE_CLASSES, SumOutOfRangeError, node_of, sum_node
from deploy.audit.evidence import Evidence
from deploy.audit.findings import Finding, Findings
from deploy.audit.snapshot import Snapshot, rows, stream

_TRANSFERS = "SELECT scope, position, hash FROM ledger_transfer ORDER BY scope, position"
_CHECKPOINTS = """
    SELECT scope, number, position, hash, body, signature, public_key FROM checkpoint ORDER BY scope, number
"""
_PLATFORM = "SELECT number, hash, body, signature, public_key FROM platform_checkpoint ORDER BY number"
_STATE_TILES = "SELECT scope, tile, number, leaves, node FROM state_tile ORDER BY scope, tile"
_SUMS = """
    SELECT e.scope, split_part(e.account, ':', 1) AS class, SUM(e.amount_minor)::bigint AS total
    FROM (SELECT scope, max(position) AS position FROM checkpoint GROUP BY scope) c
    JOIN ledger_entry e ON e.scope = c.scope AND e.position <= c.position
    GROUP BY 1, 2
"""
_COVERED = """
    SELECT DISTINCT ON (c.scope) c.scope, c.hash
    FROM platform_cover p JOIN checkpoint c ON c.scope = p.scope AND c.number = p.number
    WHERE p.platform_number <= (SELECT max(number) FROM platform_checkpoint)
    ORDER BY c.scope, c.number DESC
"""

Signed = SignedCheckpoint | SignedPlatformCheckpoint


@dataclass(slots=True)
class History:
    """One scope's history while its transfers pass by: the hashes of whole subtrees, the largest first, with their
    sizes; and the root at each position that is asked for."""

    wanted: frozenset[int]
    size: int = 0
    roots: dict[int, tuple[str, str]] = field(default_factory=dict)
    _whole: list[tuple[int, bytes]] = field(default_factory=list)

    def add(self, transfer_hash: str) -> None:
        """One transfer more."""
        self.size += 1
        leaves, node = 1, tree.leaf_hash(bytes.fromhex(transfer_hash))
        while self._whole and self._whole[-1][0] == leaves:
            node = tree.node_hash(self._whole.pop()[1], node)
            leaves *= 2
        self._whole.append((leaves, node))
        if self.size in self.wanted:
            self.roots[self.size] = (self._root(), transfer_hash)

    def _root(self) -> str:
        found = self._whole[-1][1]
        for _, node in reversed(self._whole[:-1]):
            found = tree.node_hash(node, found)
        return found.hex()


async def check_proofs(snapshot: Snapshot, findings: Findings, evidence: Evidence) -> None:
    """Every told hash and every checkpoint against the rows."""
    escrow = snapshot.of("escrow")
    kept = await _checkpoints(escrow, findings)
    histories = await _walk(escrow, findings, evidence, kept)
    for scope, checkpoints in kept.items():
        _judge_history(findings, histories.get(scope, History(frozenset())), checkpoints)
    newest = {scope: checkpoints[-1].body for scope, checkpoints in kept.items()}
    await _judge_state(escrow, findings, newest)
    await _judge_sums(escrow, findings, newest)
    lines = await _platform(escrow, findings)
    await _judge_cover(escrow, findings, lines)
    held = {scope: {each.body.number: body_hash(each.body) for each in found} for scope, found in kept.items()}
    _judge_told(findings, evidence.checkpoints, held, "a checkpoint")
    _judge_told(findings, evidence.platform, {"platform": {n.body.number: body_hash(n.body) for n in lines}},
                "a platform checkpoint")  # fmt: skip


async def _walk(
    escrow: AsyncConnection, findings: Findings, evidence: Evidence, kept: Mapping[str, Sequence[SignedCheckpoint]]
) -> dict[str, History]:
    """One pass over all transfers: histories of the scopes with checkpoints, and the comparison with what was told."""
    histories = {
        scope: History(frozenset(each.body.position for each in checkpoints)) for scope, checkpoints in kept.items()
    }
    last: dict[str, int] = {}
    differs: set[str] = set()
    async for row in stream(escrow, _TRANSFERS):
        if row.scope in histories and histories[row.scope].size == row.position - 1:
            histories[row.scope].add(row.hash)
        told = evidence.told_hash(row.scope, row.position)
        if told not in (None, row.hash) and row.scope not in differs:
            differs.add(row.scope)
            what = "a transfer's hash is not the one that was told"
            findings.add("I17", Finding(what, row.scope, str(row.position), {"told": told, "held": row.hash}))
        for gone in range(last.get(row.scope, 0) + 1, row.position):
            _gone(findings, row.scope, gone, evidence)
        last[row.scope] = row.position
    for scope, count in evidence.told_counts():
        for gone in range(last.get(scope, 0) + 1, count + 1):
            _gone(findings, scope, gone, evidence)
    return histories


def _gone(findings: Findings, scope: str, position: int, evidence: Evidence) -> None:
    told = {"told": evidence.told_hash(scope, position)}
    findings.add("I17", Finding("a transfer is not in the ledger any more", scope, str(position), told))


async def _checkpoints(escrow: AsyncConnection, findings: Findings) -> dict[str, list[SignedCheckpoint]]:
    """Each scope's checkpoints, with their own chain judged."""
    found: dict[str, list[SignedCheckpoint]] = {}
    async for row in stream(escrow, _CHECKPOINTS):
        signed = _read(findings, CheckpointBody, SignedCheckpoint, row, row.scope)
        if isinstance(signed, SignedCheckpoint):
            found.setdefault(row.scope, []).append(signed)
            body = signed.body
            if (body.scope, body.number, body.position) != (row.scope, row.number, row.position):
                findings.add("I17", Finding("a checkpoint is filed as another one", row.scope, str(row.number)))
    for scope, checkpoints in found.items():
        _judge_chain(findings, checkpoints, scope, "a checkpoint")
    return found


async def _platform(escrow: AsyncConnection, findings: Findings) -> list[SignedPlatformCheckpoint]:
    found: list[SignedPlatformCheckpoint] = []
    async for row in stream(escrow, _PLATFORM):
        signed = _read(findings, PlatformBody, SignedPlatformCheckpoint, row, "platform")
        if isinstance(signed, SignedPlatformCheckpoint):
            found.append(signed)
    _judge_chain(findings, found, "platform", "a platform checkpoint")
    return found


def _read(findings: Findings, body: type[BaseModel], signed: type[BaseModel], row: Any, scope: str) -> BaseModel | None:
    """A kept checkpoint; a finding when it cannot be read, is not signed by its key, or carries another hash."""
    what = ""
    found = None
    try:
        found = signed.model_validate(
            {"body": body.model_validate_json(row.body), "signature": row.signature, "public_key": row.public_key}
        )
    except ValidationError:
        what = "a checkpoint cannot be read"
    if isinstance(found, SignedCheckpoint | SignedPlatformCheckpoint):
        if not is_signed(found):
            what = "a checkpoint's signature is not its key's"
        elif body_hash(found.body) != row.hash:
            what = "a checkpoint's hash is not its content's"
    if what:
        findings.add("I17", Finding(what, scope, str(row.number)))
    return found


def _judge_chain(findings: Findings, checkpoints: Sequence[Signed], scope: str, name: str) -> None:
    previous = FIRST_PREVIOUS_HASH
    for number, signed in enumerate(checkpoints, start=1):
        if signed.body.number != number or signed.body.previous_hash != previous:
            findings.add("I17", Finding(f"{name} does not continue the one before it", scope, str(signed.body.number)))
            return
        previous = body_hash(signed.body)


def _judge_history(findings: Findings, history: History, checkpoints: Sequence[SignedCheckpoint]) -> None:
    for signed in checkpoints:
        body = signed.body
        told = {"checkpoint": body.number, "transfers": history.size}
        if body.position not in history.roots:
            what = "a checkpoint speaks of transfers that are not there"
        elif history.roots[body.position] != (body.history_root, body.chain_head):
            what = "a checkpoint's history is not the ledger's"
        else:
            continue
        findings.add("I17", Finding(what, body.scope, str(body.position), told))
        return


async def _judge_sums(escrow: AsyncConnection, findings: Findings, newest: Mapping[str, CheckpointBody]) -> None:
    held: dict[str, dict[str, int]] = {}
    for row in await rows(escrow, _SUMS):
        held.setdefault(row["scope"], {})[row["class"]] = row["total"]
    for scope, body in newest.items():
        found = held.get(scope, {})
        for name in sorted(found.keys() | body.sums.keys()):
            if found.get(name, 0) != body.sums.get(name, 0):
                told = {"class": name, "signed": body.sums.get(name, 0), "held": found.get(name, 0)}
                findings.add("I17", Finding("a checkpoint's sums are not the entries'", scope, str(body.number), told))


async def _judge_state(escrow: AsyncConnection, findings: Findings, newest: Mapping[str, CheckpointBody]) -> None:
    """The kept leaves lead to the signed root, with the signed sums, and number as many as was signed."""
    nodes: dict[str, list[Any]] = {}
    counts: dict[str, int] = {}
    async for row in stream(escrow, _STATE_TILES):
        leaves = [node_of(row.leaves[at : at + NODE_BYTES]) for at in range(0, len(row.leaves), NODE_BYTES)]
        counts[row.scope] = counts.get(row.scope, 0) + len(leaves)
        nodes.setdefault(row.scope, []).append(leaves)
    for scope, body in newest.items():
        totals = tuple(body.sums.get(name, 0) for name in STATE_CLASSES)
        try:
            found = [tree.fold(leaves, sum_node) for leaves in nodes.get(scope, [])]
            root = tree.fold(found, sum_node) if found else EMPTY_STATE
            fits = (root.hash.hex(), root.sums) == (body.state_root, totals)
        except SumOutOfRangeError:
            fits = False
        if not fits or counts.get(scope, 0) != body.leaf_count:
            findings.add("I17", Finding("the kept state tree is not the signed one", scope, str(body.number)))


async def _judge_cover(escrow: AsyncConnection, findings: Findings, lines: Sequence[SignedPlatformCheckpoint]) -> None:
    """The newest platform checkpoint is over the checkpoints that it is said to cover."""
    if not lines:
        return
    body = lines[-1].body
    covered = [bytes.fromhex(row["hash"]) for row in await rows(escrow, _COVERED)]
    if (len(covered), tree.root(covered).hex()) != (body.scope_count, body.checkpoints_root):
        what = "the newest platform checkpoint is not over the checkpoints that it covers"
        findings.add("I17", Finding(what, "platform", str(body.number)))


def _judge_told(
    findings: Findings,
    told: Mapping[str, Mapping[int, str]],
    held: Mapping[str, Mapping[int, str]],
    name: str,
) -> None:
    """What left as an event is what is kept."""
    for scope, number, hash_told in _each(told):
        found = held.get(scope, {}).get(number)
        if found != hash_told:
            what = f"{name} is gone" if found is None else f"{name} is not the one that was told"
            findings.add("I17", Finding(what, scope, str(number), {"told": hash_told, "held": found}))


def _each(told: Mapping[str, Mapping[int, str]]) -> Iterator[tuple[str, int, str]]:
    for scope, numbers in told.items():
        for number, hash_told in numbers.items():
            yield scope, number, hash_told
