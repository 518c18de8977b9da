"""The audit as a whole: wait for quiet, take one moment of everything, run every check, tell the result.

Checks take a snapshot, records and a journal, so that each can be tried on a small world; here they meet. A check that
needs a quiet platform is left out, and said to be, when the platform does not become quiet within the bound.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.audit import check_campaigns, check_content, check_ledger, check_proofs, check_records, check_streams
from deploy.audit.campaign_fold import CampaignFold
from deploy.audit.catalogue import BY_ID, INVARIANTS
from deploy.audit.check_repeats import check_repeats
from deploy.audit.check_stripe import check_clearing, check_journal
from deploy.audit.findings import Findings
from deploy.audit.journal import Journal
from deploy.audit.levels import held_up, noise, overdue_objects
from deploy.audit.snapshot import Snapshot, event_producers, heads, take_snapshot
from deploy.audit.tally import Tally
from deploy.audit.topics import TopicSource
from deploy.audit.walk import Walk
from deploy.quiet import NotQuietError

WAIT_SECONDS_DEFAULT = 60.0
LOOK_PAUSE_SECONDS = 0.5


@dataclass(frozen=True)
class World:
    """What is audited: databases by service, topics, the payment side (None: real Stripe), logs, traces."""

    databases: Mapping[str, str]
    topics: TopicSource
    journal: Journal | None = None
    logs: Path | None = None
    traces_url: str | None = None


@dataclass(frozen=True)
class Report:
    """The result."""

    findings: Findings
    noise: list[str]
    waited_seconds: float
    seconds: float
    counts: Mapping[str, int]

    def answer(self) -> dict[str, Any]:
        """The result as scripts read it."""
        return {
            "clean": self.findings.clean,
            "invariants": {each.id: self._entry(each.id) for each in INVARIANTS},
            "quiet": {"quiet": not self.noise, "noise": self.noise, "waited_seconds": round(self.waited_seconds, 1)},
            "counts": dict(self.counts),
            "seconds": round(self.seconds, 2),
        }

    def _entry(self, identity: str) -> dict[str, Any]:
        entry = self.findings.entries[identity]
        told = {
            "title": BY_ID[identity].title,
            "violations": entry.violations,
            "examples": [each.shown() for each in entry.examples],
        }
        return told | ({"left_out": entry.left_out} if entry.left_out else {})


async def run_audit(world: World, *, wait_seconds: float = WAIT_SECONDS_DEFAULT, quiet_only: bool = False) -> Report:
    """Run every check. Raises NotQuietError when only a quiet platform was to be judged and it is not."""
    began = time.monotonic()
    findings = Findings()
    async with AsyncExitStack() as stack:
        snapshot, noises = await _quiet_snapshot(world, stack, wait_seconds)
        waited = time.monotonic() - began
        if noises and quiet_only:
            raise NotQuietError("; ".join(noises))
        counts = await _run_checks(world, snapshot, findings, quiet=not noises)
    return Report(findings, noises, waited, time.monotonic() - began, counts)


async def _quiet_snapshot(world: World, stack: AsyncExitStack, wait_seconds: float) -> tuple[Snapshot, list[str]]:
    """A snapshot of a quiet moment; the last one tried when there was none within the bound."""
    end = time.monotonic() + wait_seconds
    while True:
        async with AsyncExitStack() as attempt:
            snapshot = await attempt.enter_async_context(take_snapshot(world.databases))
            found = await noise(snapshot)
            if time.monotonic() >= end or not (found or await overdue_objects(snapshot)):
                stack.push_async_exit(attempt.pop_all())
                return snapshot, found
        await asyncio.sleep(LOOK_PAUSE_SECONDS)


async def _run_checks(world: World, snapshot: Snapshot, findings: Findings, *, quiet: bool) -> dict[str, int]:
    published = await check_streams.published(snapshot)
    tops = {name: top for producer in event_producers() for name, top in (await heads(snapshot, producer)).items()}
    fold = CampaignFold(findings, tops)
    walk = Walk(findings, Tally(findings, published), fold)
    await _side_by_side(
        walk.over(world.topics),
        _of_escrow(snapshot, findings),
        _of_campaigns(snapshot, findings),
        *(_of_kit(snapshot, findings, name) for name in ("gateway", "suppliers", "notifications")),
        check_content.check_logs(findings, world.logs),
        check_content.check_traces(findings, world.traces_url),
    )
    await _of_topics(world, snapshot, findings, walk)
    await check_streams.check_outboxes(snapshot, findings)
    await check_streams.check_gates(snapshot, findings, quiet=quiet)
    await check_campaigns.check_charged(snapshot, findings)
    await check_content.check_types(snapshot, findings)
    await _of_quiet(snapshot, findings, quiet=quiet)
    facts = await _of_stripe(world, snapshot, findings, quiet=quiet)
    return {
        "records": walk.tally.records,
        "streams": len(walk.tally.streams),
        "campaigns": len(fold.campaigns),
        "payment_facts": facts,
    }


async def _side_by_side(*parts: Coroutine[Any, Any, None]) -> None:
    """Run checks at once; each works on connections of its own. The first failure ends them all and is raised itself."""
    try:
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(part)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from failures


async def _of_kit(snapshot: Snapshot, findings: Findings, service: str) -> None:
    await check_ledger.check_kit_tables(snapshot, findings, service)
    await check_records.check_records(snapshot, findings, service)
    await check_content.check_record_texts(snapshot, findings, service)


async def _of_escrow(snapshot: Snapshot, findings: Findings) -> None:
    await check_ledger.check_ledger(snapshot, findings)
    await _of_kit(snapshot, findings, "escrow")
    await check_content.check_ledger_texts(snapshot, findings)


async def _of_campaigns(snapshot: Snapshot, findings: Findings) -> None:
    await check_campaigns.check_units(snapshot, findings)
    await check_campaigns.check_terms(snapshot, findings)
    await _of_kit(snapshot, findings, "campaigns")


async def _of_topics(world: World, snapshot: Snapshot, findings: Findings, walk: Walk) -> None:
    await check_streams.check_ids(snapshot, findings, walk.tally, world.topics)
    await check_streams.check_forks(snapshot, findings, walk.tally)
    await check_campaigns.check_states(snapshot, findings, walk.fold)
    await check_campaigns.check_invitations(snapshot, findings, walk.evidence)
    await check_ledger.check_evidence(snapshot, findings, walk.evidence)
    await check_ledger.check_people(snapshot, findings, walk.evidence, walk.is_level)
    await check_proofs.check_proofs(snapshot, findings, walk.evidence)


async def _of_quiet(snapshot: Snapshot, findings: Findings, *, quiet: bool) -> None:
    if not quiet:
        for invariant in INVARIANTS:
            if invariant.quiet_part:
                findings.leave_out(invariant.id, f"the platform was not quiet: {invariant.quiet_part}")
        return
    aside = await held_up(snapshot)
    await check_campaigns.check_projection(snapshot, findings, aside)
    await check_campaigns.check_funded(snapshot, findings, aside)
    await check_streams.check_commands(snapshot, findings)


async def _of_stripe(world: World, snapshot: Snapshot, findings: Findings, *, quiet: bool) -> int:
    if world.journal is None:
        findings.leave_out(
            "I3", "real Stripe keeps no journal that can be read: its lists are compared by reconciliation"
        )
        await check_clearing(snapshot, findings)
        return 0
    books = await check_journal(snapshot, findings, world.journal, quiet=quiet)
    await check_repeats(findings, world.journal)
    if books.waiting:
        findings.leave_out("I3", f"{books.waiting} facts are younger than their clock and not in the ledger yet")
    return books.facts
