"""Sums of money over a campaign's or the platform's transfers, and what compares them, in one statement and snapshot.

Two figures that grew apart are put side by side: flows, added up from every transfer by its kind, and account balances,
which the projection keeps event by event. A reversal counts as the kind it takes back, its signs being turned already.
It cannot see a transfer that the escrow service never told; the audit and the published checkpoints do.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.gateway.store.account_classes import ACCOUNT_CLASSES, HELD_CLASSES, OWED_CLASSES
from services.gateway.store.read_model import ReadModel, Row

_ALL = " + ".join(f"COALESCE(t.{name}_minor, 0)" for name in (*ACCOUNT_CLASSES, "other"))
_STANDING = ("escrow", "refund_payable", "dispute_hold", "reserve", "supplier_payable", "platform_fee")
_STOCKS = ",\n    ".join(f"COALESCE(SUM(m.{name}_minor), 0) AS {name}" for name in (*_STANDING, "suspense"))
_APART = " + ".join(f"ABS(s.{name} - COALESCE(l.{name}_minor, 0))" for name in _STANDING)
_HELD = " + ".join(f"COALESCE(m.{name}_minor, 0)" for name in HELD_CLASSES)
_OWED = " + ".join(f"s.{name}" for name in OWED_CLASSES)


def _of(kinds: str, column: str) -> str:
    return f"COALESCE(SUM(m.{column}_minor) FILTER (WHERE m.counts_as IN ({kinds})), 0)"


_FLOWS = f"""
    -{_of("'lock', 'late_receipt'", "psp_clearing")} AS received,
    -COALESCE(SUM(m.goodwill_minor), 0) AS goodwill,
    {_of("'refund_sent', 'refund_failed'", "psp_clearing")} AS refunded,
    COALESCE(SUM(m.house_paid_minor), 0) AS paid_outside,
    {_of("'transfer_sent'", "psp_clearing")} - {_of("'transfer_back'", "supplier_payable")} AS released,
    -{_of("'dispute_withdrawn', 'dispute_reinstated'", "dispute_hold")} AS taken_by_disputes,
    {_of("'dispute_shifted'", "refund_payable")} AS shifted,
    -COALESCE(SUM(m.dispute_loss_minor), 0) AS dispute_loss,
    -COALESCE(SUM(m.psp_cost_minor), 0) AS psp_cost,
    -COALESCE(SUM({_HELD}), 0) AS at_processor,
    COALESCE(SUM(m.platform_float_minor), 0) AS platform_float
"""

_SUMS = f"""
WITH m AS (
    SELECT t.*, COALESCE(original.kind, t.kind) AS counts_as, ({_ALL}) AS total
    FROM ledger_transfer AS t
    LEFT JOIN ledger_transfer AS original ON original.scope_id = t.scope_id AND original.position = t.reverses
    WHERE [scope]
), s AS (
    SELECT m.scope_id, m.currency, count(*) AS transfers, max(m.position) AS last,
        count(*) FILTER (WHERE m.total <> 0) AS unbalanced,
    {_STOCKS},
    {_FLOWS}
    FROM m
    GROUP BY m.scope_id, m.currency
), compared AS (
    SELECT s.*, head.hash AS head_hash, ({_OWED}) AS owed,
        ({_APART}) AS apart,
        s.transfers <> s.last OR head.hash IS DISTINCT FROM l.head_hash OR s.last IS DISTINCT FROM l.position AS gap,
        CASE WHEN s.scope_id = 'platform' THEN 0 ELSE
            s.received + s.goodwill + s.shifted - ({_OWED}) - s.platform_fee - s.refunded - s.paid_outside - s.released
            - s.taken_by_disputes
        END AS missing
    FROM s
    LEFT JOIN campaign_ledger AS l ON l.scope_id = s.scope_id
    LEFT JOIN ledger_transfer AS head ON head.scope_id = s.scope_id AND head.position = s.last
)
SELECT currency, SUM(transfers) AS transfers, SUM(unbalanced) AS unbalanced, SUM(apart) AS apart,
    COUNT(*) FILTER (WHERE gap) AS gaps, COUNT(*) FILTER (WHERE missing <> 0) AS missing,
    SUM(owed) + GREATEST(SUM(suspense), 0) AS owed, SUM(at_processor) AS at_processor, SUM(platform_float) AS platform_float,
    SUM(received) AS received, SUM(goodwill) AS goodwill, SUM(refunded) AS refunded, SUM(released) AS released,
    SUM(paid_outside) AS paid_outside, SUM(taken_by_disputes) AS taken_by_disputes, SUM(dispute_loss) AS dispute_loss,
    SUM(psp_cost) AS psp_cost, SUM(platform_fee) AS fees, SUM(escrow) AS escrow, SUM(refund_payable) AS refund_payable,
    SUM(dispute_hold) AS dispute_hold, SUM(reserve) AS reserve, SUM(supplier_payable) AS supplier_payable,
    (array_agg(head_hash))[1] AS head_hash
FROM compared GROUP BY currency ORDER BY currency
"""  # noqa: S608 - constants of this module

# Two statements, so that the sums of one campaign are found by its index.
_SUMS_OF_ALL = _SUMS.replace("[scope]", "true")
_SUMS_OF_SCOPE = _SUMS.replace("[scope]", "t.scope_id = :scope")

_LAST_WITHOUT_ROWS = """
SELECT count(*) AS lost FROM campaign_ledger AS l
WHERE (CAST(:scope AS text) IS NULL OR l.scope_id = :scope) AND COALESCE(l.position, 0) > 0
  AND NOT EXISTS (SELECT FROM ledger_transfer AS t WHERE t.scope_id = l.scope_id)
"""


async def sums(reads: ReadModel, scope: str | None) -> Sequence[Row]:
    """The sums of a scope, or of everything, one row per currency; sums are whole minor units."""
    if scope is None:
        return await reads.all(_SUMS_OF_ALL)
    return await reads.all(_SUMS_OF_SCOPE, scope=scope)


async def scopes_without_rows(reads: ReadModel, scope: str | None) -> int:
    """Scopes whose balances were told of while none of their transfers is here."""
    row = await reads.one(_LAST_WITHOUT_ROWS, scope=scope)
    return int(row["lost"]) if row is not None else 0


async def stack_time(reads: ReadModel) -> Row:
    """The stack's time, which every date on the pages is."""
    row = await reads.one("SELECT stack_now() AS now")
    if row is None:
        raise RuntimeError("the database tells no time")
    return row


CAMPAIGNS_MAX = 200

_COSTS = """
SELECT c.id, c.title, c.state, c.currency,
    COALESCE(SUM(t.platform_fee_minor), 0) AS fee,
    -COALESCE(SUM(t.psp_cost_minor), 0) AS processor_cost,
    -COALESCE(SUM(t.dispute_loss_minor), 0) AS disputes,
    -COALESCE(SUM(t.goodwill_minor), 0) AS goodwill
FROM (
    SELECT id, title, state, currency, state_since FROM campaign
    WHERE state IN ('COMPLETED', 'CLOSED') AND opened_at IS NOT NULL
    ORDER BY state_since DESC, id LIMIT :limit
) AS c
LEFT JOIN ledger_transfer AS t ON t.scope_id = CAST(c.id AS text)
GROUP BY c.id, c.title, c.state, c.currency, c.state_since
ORDER BY c.state_since DESC, c.id
"""


async def campaign_costs(reads: ReadModel) -> Sequence[Row]:
    """What the campaigns that ended last brought and cost the platform, minor units."""
    return await reads.all(_COSTS, limit=CAMPAIGNS_MAX)
