"""Alert rules and the facts they are decided from: where campaigns stand, which refunds are open. Read and written in bulk.

Whoever decides a rule holds its row: rules that wait are read with their lock. What a transaction changes is written at
its end, one statement per table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from contracts.alerts import AlertTerms, ClosesWithin, RefundUnsettled, StateReached, TargetPercent, campaign_of
from services.kit.database import sql
from services.kit.work import Work
from services.notifications.domain.alert_rules import Standing

Rule = TargetPercent | ClosesWithin | StateReached | RefundUnsettled
REFUNDS_LOCK = 0x616C6572
"""Who sets a rule about refunds waits for the batches that are keeping decisions, so that none is missed between them."""

_CACHE_KEY = "notifications.alerts"
_RULES: TypeAdapter[Rule] = TypeAdapter(AlertTerms)

_SELECT_STANDINGS = sql(
    "SELECT campaign_id, target_units, held_units, state, close_at, joining_ended FROM campaign_standing "
    "WHERE campaign_id = ANY(CAST(:ids AS uuid[]))"
)
_UPSERT_STANDINGS = sql(
    """
    INSERT INTO campaign_standing (campaign_id, target_units, held_units, state, close_at, joining_ended)
    SELECT campaign_id, target_units, held_units, state, close_at, joining_ended
    FROM unnest(
        CAST(:campaign_ids AS uuid[]), CAST(:targets AS integer[]), CAST(:held AS integer[]), CAST(:states AS text[]),
        CAST(:close_ats AS timestamptz[]), CAST(:endings AS boolean[])
    ) AS rows (campaign_id, target_units, held_units, state, close_at, joining_ended)
    ON CONFLICT (campaign_id) DO UPDATE
    SET held_units = EXCLUDED.held_units, state = EXCLUDED.state, joining_ended = EXCLUDED.joining_ended
    """
)
_RULE = "SELECT rule_id, participant_id, campaign_id, rule FROM alert_rule "
_SELECT_BY_CAMPAIGN = sql(
    _RULE + "WHERE campaign_id = ANY(CAST(:ids AS uuid[])) AND state = 'waiting' ORDER BY rule_id FOR UPDATE"
)
_SELECT_BY_PERSON = sql(
    _RULE + "WHERE participant_id = ANY(CAST(:ids AS uuid[])) AND kind = 'refund_unsettled' AND state = 'waiting' "
    "ORDER BY rule_id FOR UPDATE"
)
_SELECT_ONE = sql(_RULE + "WHERE rule_id = :rule_id AND state = 'waiting' FOR UPDATE")
_COUNT = sql("SELECT count(*) FROM alert_rule WHERE participant_id = :participant_id AND state = 'waiting'")
_INSERT = sql(
    """
    INSERT INTO alert_rule (rule_id, participant_id, campaign_id, kind, rule, state, set_at)
    VALUES (:rule_id, :participant_id, :campaign_id, :kind, CAST(:rule AS jsonb), 'waiting', :now)
    ON CONFLICT (rule_id) DO NOTHING RETURNING rule_id
    """
)
_SETTLE = sql("UPDATE alert_rule SET state = :state, settled_at = :now WHERE rule_id = :rule_id AND state = 'waiting'")
_FIRE = sql(
    "INSERT INTO alert_firing (rule_id, occurrence, fired_at) VALUES (:rule_id, :occurrence, :now) "
    "ON CONFLICT DO NOTHING RETURNING rule_id"
)
_ERASE = sql("DELETE FROM alert_rule WHERE participant_id = :participant_id")
_INSERT_REFUNDS = sql(
    """
    INSERT INTO open_refund (decision_id, campaign_id, participant_id, decided_at)
    SELECT decision_id, campaign_id, participant_id, decided_at
    FROM unnest(
        CAST(:decision_ids AS uuid[]), CAST(:campaign_ids AS uuid[]), CAST(:participant_ids AS uuid[]),
        CAST(:moments AS timestamptz[])
    ) AS rows (decision_id, campaign_id, participant_id, decided_at)
    ON CONFLICT (decision_id) DO NOTHING
    """
)
_DELETE_REFUNDS = sql("DELETE FROM open_refund WHERE decision_id = ANY(CAST(:ids AS uuid[]))")
_REFUNDS_OF = sql(
    "SELECT decision_id, campaign_id, participant_id, decided_at FROM open_refund WHERE participant_id = :participant_id"
)
_REFUND = sql(
    "SELECT decision_id, campaign_id, participant_id, decided_at FROM open_refund WHERE decision_id = :decision_id"
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A rule that waits."""

    rule_id: UUID
    participant_id: UUID
    campaign_id: UUID | None
    rule: Rule


@dataclass(frozen=True, slots=True)
class OpenRefund:
    """A refund that is decided and not sent."""

    decision_id: UUID
    campaign_id: UUID
    participant_id: UUID
    decided_at: datetime


class Alerts:
    """What one transaction knows and changes of all this."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self.standings: dict[UUID, Standing] = {}
        self._by_campaign: dict[UUID, dict[UUID, Waiting]] = {}
        self._by_person: dict[UUID, dict[UUID, Waiting]] = {}
        self._changed: set[UUID] = set()
        self._opened: dict[UUID, OpenRefund] = {}
        self._settled: set[UUID] = set()

    async def load_campaigns(self, ids: Collection[UUID]) -> None:
        """Read where campaigns stand, and the rules that wait for them."""
        if not ids:
            return
        for row in await self._rows(_SELECT_STANDINGS, ids):
            self.standings[row.campaign_id] = Standing(*row)
        for row in await self._rows(_SELECT_BY_CAMPAIGN, ids):
            self._by_campaign.setdefault(row.campaign_id, {})[row.rule_id] = _waiting(row)

    async def load_people(self, ids: Collection[UUID]) -> None:
        """Read the rules about refunds of these people."""
        if not ids:
            return
        await self._work.connection.execute(sql("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": REFUNDS_LOCK})
        for row in await self._rows(_SELECT_BY_PERSON, ids):
            self._by_person.setdefault(row.participant_id, {})[row.rule_id] = _waiting(row)

    def people(self) -> set[UUID]:
        """Whose rules were read."""
        return {each.participant_id for rules in self._by_campaign.values() for each in rules.values()}

    def of_campaign(self, campaign_id: UUID) -> Sequence[Waiting]:
        """The rules that wait for a campaign."""
        return list(self._by_campaign.get(campaign_id, {}).values())

    def of_person(self, participant_id: UUID) -> Sequence[Waiting]:
        """The rules about refunds of a person."""
        return list(self._by_person.get(participant_id, {}).values())

    def stand(self, standing: Standing) -> None:
        """Keep where a campaign stands now."""
        self.standings[standing.campaign_id] = standing
        self._changed.add(standing.campaign_id)

    def move(self, campaign_id: UUID, **changes: Any) -> Standing | None:
        """Change where a campaign stands; None when it is not known here."""
        before = self.standings.get(campaign_id)
        if before is None:
            return None
        after = replace(before, **changes)
        if after != before:
            self.stand(after)
        return after

    async def set(self, waiting: Waiting) -> bool:
        """Keep a new rule; False when it is there already."""
        found = await self._work.connection.execute(
            _INSERT,
            {
                "rule_id": waiting.rule_id,
                "participant_id": waiting.participant_id,
                "campaign_id": waiting.campaign_id,
                "kind": waiting.rule.kind,
                "rule": waiting.rule.model_dump_json(),
                "now": self._work.now,
            },
        )
        if found.one_or_none() is None:
            return False
        if waiting.campaign_id is not None:
            self._by_campaign.setdefault(waiting.campaign_id, {})[waiting.rule_id] = waiting
        else:
            self._by_person.setdefault(waiting.participant_id, {})[waiting.rule_id] = waiting
        return True

    async def one(self, rule_id: UUID) -> Waiting | None:
        """A rule that waits, with its lock."""
        row = (await self._work.connection.execute(_SELECT_ONE, {"rule_id": rule_id})).one_or_none()
        return _waiting(row) if row is not None else None

    async def count(self, participant_id: UUID) -> int:
        """How many rules of a person wait."""
        found = await self._work.connection.execute(_COUNT, {"participant_id": participant_id})
        return int(found.scalar_one())

    async def settle(self, waiting: Waiting, state: str) -> None:
        """The rule waits no more."""
        self._by_campaign.get(waiting.campaign_id or waiting.rule_id, {}).pop(waiting.rule_id, None)
        self._by_person.get(waiting.participant_id, {}).pop(waiting.rule_id, None)
        await self._work.connection.execute(
            _SETTLE, {"rule_id": waiting.rule_id, "state": state, "now": self._work.now}
        )

    async def fire(self, waiting: Waiting, occurrence: UUID) -> bool:
        """Keep that a rule came true; False when it did for this occurrence already."""
        found = await self._work.connection.execute(
            _FIRE, {"rule_id": waiting.rule_id, "occurrence": occurrence, "now": self._work.now}
        )
        return found.one_or_none() is not None

    async def erase(self, participant_id: UUID) -> None:
        """Every rule of a person goes."""
        await self._work.connection.execute(_ERASE, {"participant_id": participant_id})

    def refund_opened(self, refund: OpenRefund) -> None:
        """A refund is decided, or owed again."""
        self._settled.discard(refund.decision_id)
        self._opened[refund.decision_id] = refund

    def refund_settled(self, decision_id: UUID) -> None:
        """A refund is sent."""
        self._opened.pop(decision_id, None)
        self._settled.add(decision_id)

    async def hold_refunds(self) -> None:
        """Wait for the batches that are keeping refunds; later ones wait for this transaction."""
        await self._write_refunds()
        await self._work.connection.execute(sql("SELECT pg_advisory_xact_lock(:key)"), {"key": REFUNDS_LOCK})

    async def refunds_of(self, participant_id: UUID) -> Sequence[OpenRefund]:
        """A person's refunds that are open."""
        await self._write_refunds()
        rows = await self._work.connection.execute(_REFUNDS_OF, {"participant_id": participant_id})
        return [OpenRefund(*row) for row in rows]

    async def refund(self, decision_id: UUID) -> OpenRefund | None:
        """A refund that is open, or None."""
        row = (await self._work.connection.execute(_REFUND, {"decision_id": decision_id})).one_or_none()
        return OpenRefund(*row) if row is not None else None

    async def write(self) -> None:
        """Write what changed."""
        standings = [self.standings[each] for each in sorted(self._changed)]
        self._changed.clear()
        if standings:
            await self._work.connection.execute(
                _UPSERT_STANDINGS,
                {
                    "campaign_ids": [each.campaign_id for each in standings],
                    "targets": [each.target_units for each in standings],
                    "held": [each.held_units for each in standings],
                    "states": [each.state for each in standings],
                    "close_ats": [each.close_at for each in standings],
                    "endings": [each.joining_ended for each in standings],
                },
            )
        await self._write_refunds()

    async def _write_refunds(self) -> None:
        opened, self._opened = list(self._opened.values()), {}
        settled, self._settled = list(self._settled), set()
        if settled:
            await self._work.connection.execute(_DELETE_REFUNDS, {"ids": settled})
        if opened:
            await self._work.connection.execute(
                _INSERT_REFUNDS,
                {
                    "decision_ids": [each.decision_id for each in opened],
                    "campaign_ids": [each.campaign_id for each in opened],
                    "participant_ids": [each.participant_id for each in opened],
                    "moments": [each.decided_at for each in opened],
                },
            )

    async def _rows(self, query: Any, ids: Iterable[UUID]) -> Sequence[Any]:
        return (await self._work.connection.execute(query, {"ids": list(ids)})).all()


def alerts(work: Work) -> Alerts:
    """The alerts of the transaction in hand."""
    found = work.cache.get(_CACHE_KEY)
    if not isinstance(found, Alerts):
        found = work.cache[_CACHE_KEY] = Alerts(work)
    return found


def _waiting(row: Any) -> Waiting:
    rule: Mapping[str, Any] = row.rule
    read = _RULES.validate_python({**rule})
    assert campaign_of(read) == row.campaign_id
    return Waiting(row.rule_id, row.participant_id, row.campaign_id, read)
