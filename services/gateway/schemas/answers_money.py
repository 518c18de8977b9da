"""The bodies of answers about where money is: a commitment's movements, the escrow of a campaign and of the platform."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.gateway.schemas.answers import Answer, MoneyView


class TransferRef(Answer):
    """The ledger transfer behind a sentence. `seq` is its place in its campaign's ledger."""

    id: UUID
    kind: str
    amount: MoneyView
    seq: int | None
    hash: str


class MovementProofRef(Answer):
    """Where the proof of a movement is: the commitment's proof shows it inside this signed checkpoint."""

    checkpoint: int
    href: str


class NextStepView(Answer):
    """What comes next, and its latest moment where there is one."""

    words: str
    by: datetime | None


class MovementView(Answer):
    """One movement: what happened and why, when, who approved it by role, its ledger transfer and its proof. `proof` is null
    until the next checkpoint, and for a transfer that is not this commitment's alone."""

    at: datetime
    sentence: str
    why: str
    approval: str
    approved_by: list[str]
    transfer: TransferRef
    trace_id: str | None
    proof: MovementProofRef | None
    next: NextStepView | None


class MoneyStoryView(Answer):
    """Where the money of one commitment is, the oldest movement first; the newest carries what comes next."""

    commitment_id: UUID
    reference: str | None
    campaign_id: UUID
    campaign_title: str
    currency: str
    pseudonym: str
    now: str
    movements: list[MovementView]


class LedgerTransferView(Answer):
    """A transfer without names: whose commitment it concerns is a pseudonym, who approved it are roles."""

    id: UUID
    at: datetime
    kind: str
    sentence: str
    amount: MoneyView
    reason: str | None
    approval: str
    approved_by: list[str]
    commitment: str | None
    campaign_id: UUID | None
    campaign_title: str | None
    seq: int | None
    hash: str


class LedgerTransferList(Answer):
    """A part of a list of transfers, the newest first."""

    data: list[LedgerTransferView]
    next_cursor: str | None


class FlowsView(Answer):
    """Sums of one currency, to the cent. What came in equals what is held, owed back and gone out."""

    currency: str
    received: MoneyView
    goodwill: MoneyView
    held: MoneyView
    frozen_by_disputes: MoneyView
    reserved_for_issues: MoneyView
    refund_owed: MoneyView
    cleared_not_sent: MoneyView
    refunded: MoneyView
    paid_outside: MoneyView
    released: MoneyView
    fees: MoneyView
    taken_by_disputes: MoneyView
    borne_by_platform: MoneyView
    at_processor: MoneyView
    owed: MoneyView
    transfers: int


class CheckView(Answer):
    """One comparison that was made, and whether it holds."""

    name: str
    words: str
    holds: bool


class EscrowView(Answer):
    """In, held, released, refunded and fees, with the comparison against the entries and when it was made."""

    campaign_id: UUID | None
    campaign_title: str | None
    sums: list[FlowsView]
    equal: bool
    checks: list[CheckView]
    checked_at: datetime
    head_hash: str | None
    explained: list[str]


class RailView(Answer):
    """The payment rail: who holds the money, its limits, and the text that every page shows about it."""

    name: str
    holder: str
    longest_hold_days: int
    refund_sent_within_hours: int
    refund_business_days_from: int
    refund_business_days_to: int
    refund_words: str
    disclosure: list[str]
    short: str


class FeesView(Answer):
    """A campaign's fee schedule."""

    campaign_id: UUID
    basis_points: int
    unit_price: MoneyView
    fee_in_unit_price: MoneyView
    fee_at_target: MoneyView
    taken: MoneyView
    frozen_since: datetime | None
    words: list[str]


class CampaignCostView(Answer):
    """What one ended campaign cost the platform: fee less the processor's fees, disputes and goodwill."""

    campaign_id: UUID
    campaign_title: str
    state: str
    fee: MoneyView
    processor_cost: MoneyView
    disputes: MoneyView
    goodwill: MoneyView
    result: MoneyView


class FloatView(Answer):
    """One currency: the platform's own money, what lies at the processor, what is owed, and what is left above it."""

    currency: str
    put_in: MoneyView
    at_processor: MoneyView
    owed: MoneyView
    above_owed: MoneyView
    fees: MoneyView
    processor_cost: MoneyView
    disputes: MoneyView
    goodwill: MoneyView


class GaugeView(Answer):
    """What the float can carry: money available, less the fees that payments under way may still cost, less the buffer for
    disputes, leaves the room. Joining goes on while the room covers one more unit of the dearest campaign."""

    currency: str
    available: MoneyView
    worst_case_fees: MoneyView
    buffer: MoneyView
    room: MoneyView
    next_fee: MoneyView
    admits: bool
    gauged_at: datetime


class PlatformMoneyView(Answer):
    """The platform's own money, for staff: what covers what is owed, what the float can carry, what ended campaigns cost."""

    sums: list[FloatView]
    gauges: list[GaugeView]
    campaigns: list[CampaignCostView]
    covered: bool
    checked_at: datetime
