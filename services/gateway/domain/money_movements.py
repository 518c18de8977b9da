"""What each movement in the ledger means, in one plain sentence, with its why and who approved it: one table.

The key is the kind of the transfer and its circumstances (which account it touches, which reason it names); a test walks
through every kind that the escrow service can post. Words are for everybody: no person is named, roles are. The table
says what the entries say and nothing about what a bank or a court may still do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.gateway.domain.money_text import money

AUTOMATIC = "The rule acts by itself; nobody has to approve it and nobody can stop it."
RECORDED = "Nobody approves it: it records what happened at the payment processor."
TWO_AUDITORS = "Two different escrow auditors approved it."
_TWO = ("escrow_auditor", "escrow_auditor")


@dataclass(frozen=True, slots=True)
class Words:
    """A movement in words. `what` is a whole sentence with {amount} in it; `why` goes on after "because"."""

    what: str
    why: str
    approval: str = AUTOMATIC
    roles: tuple[str, ...] = ()


_OWED_WHAT = "{amount} is owed back to the participant from now on; it no longer counts as held."


def _refund(why: str, approval: str = AUTOMATIC, roles: tuple[str, ...] = ()) -> Words:
    return Words(_OWED_WHAT, why, approval, roles)


def _recorded(what: str, why: str) -> Words:
    return Words(what, why, RECORDED)


def _planned(what: str, why: str) -> Words:
    return Words(what, why, TWO_AUDITORS, _TWO)


MOVEMENTS: Mapping[tuple[str, str], Words] = {
    ("lock", ""): Words(
        "{amount} was taken from the card and is held in escrow.", "the participant joined and the payment succeeded"
    ),
    ("late_receipt", ""): Words(
        "{amount} arrived and goes straight back; it was never counted as held.",
        "the reservation had ended, or it was paid already, when the payment succeeded",
    ),
    ("refund_decided", "target_not_reached"): _refund("the target quantity was not reached"),
    ("refund_decided", "supplier_declined"): _refund("the supplier declined"),
    ("refund_decided", "acceptance_timeout"): _refund("the supplier did not answer inside the acceptance window"),
    ("refund_decided", "withdrawn"): _refund("the participant withdrew"),
    ("refund_decided", "cancelled"): _refund(
        "the campaign was cancelled", "A gatekeeper and the founder cancelled it.", ("gatekeeper", "founder")
    ),
    ("refund_decided", "fulfillment_failed"): _refund(
        "fulfillment was not completed",
        "Three roles determined it: operations, an escrow auditor and a trust reviewer.",
        ("operations", "escrow_auditor", "trust_reviewer"),
    ),
    ("refund_decided", "quality_issue"): _refund(
        "a reported fault was upheld", "Operations or a trust reviewer decided the report.", ("operations",)
    ),
    ("refund_decided", "delivery_failure"): _refund(
        "the delivery was not completed", "Operations recorded it.", ("operations",)
    ),
    ("refund_decided", "delay_exit"): _refund("the participant chose to leave after a delay"),
    ("refund_decided", "partial"): _refund("a part of the commitment is not delivered"),
    ("refund_decided", "duplicate"): _refund("it was taken twice"),
    ("refund_decided", "chargeback"): _refund("the bank took the payment back"),
    ("refund_decided", "correction"): _refund("an earlier movement was wrong", TWO_AUDITORS, _TWO),
    ("refund_decided", "late_receipt"): _refund("it arrived after the reservation had ended"),
    ("refund_decided", ""): _refund("a refund was decided"),
    ("refund_sent", ""): _recorded(
        "{amount} was refunded to the card.", "the payment processor says that the refund succeeded"
    ),
    ("refund_failed", ""): _recorded(
        "{amount} is owed back once more: the refund did not arrive.", "the bank returned the refund"
    ),
    ("refund_paid_outside", ""): _planned(
        "{amount} was paid back by another way than the card.",
        "the card could not take the refund, and its payment is proven",
    ),
    ("clear", "payable"): _planned(
        "{amount} was cleared for the supplier; it is no longer held.",
        "delivery and inspection are over and every release condition was met",
    ),
    ("clear", "reserve"): _planned(
        "{amount} is kept in reserve and not released.", "a reported fault was still open when the rest was cleared"
    ),
    ("clear_undone", ""): Words(
        "{amount} stands where it stood before the release; nothing of it was sent to the supplier.",
        "it could not be released after all",
        "A line that cannot be released goes back by rule, or two escrow auditors gave the release up.",
    ),
    ("fee", ""): _planned(
        "{amount} was taken as the platform's fee out of what was cleared.",
        "the campaign completed; the fee lies inside the unit price",
    ),
    ("transfer_sent", ""): _planned(
        "{amount} was transferred to the supplier.", "it was cleared, less the platform's fee"
    ),
    ("transfer_back", "returned"): _recorded(
        "{amount} came back from the supplier's account.", "the transfer was reversed"
    ),
    ("transfer_back", "recovery"): _recorded(
        "{amount} was recovered from the supplier's account.", "a dispute had cost the platform as much"
    ),
    ("reserve_release", ""): _planned(
        "{amount} left the reserve for the supplier.", "the reported fault was decided and not upheld"
    ),
    ("goodwill", ""): _planned(
        "{amount} is owed to the participant out of the platform's own money.", "a remedy was granted after the release"
    ),
    ("dispute_opened", ""): _recorded(
        "{amount} is frozen while the bank looks at a dispute.", "the card's holder disputed the payment at the bank"
    ),
    ("dispute_withdrawn", "held"): _recorded(
        "{amount} was taken back by the bank out of the frozen funds.", "the bank took the disputed payment"
    ),
    ("dispute_withdrawn", "loss"): _recorded(
        "{amount} was taken back by the bank; the platform bears it.", "nothing of the payment was held any more"
    ),
    ("dispute_withdrawn", "both"): _recorded(
        "{amount} was taken back by the bank: first out of the frozen funds, the rest borne by the platform.",
        "the bank took the disputed payment",
    ),
    ("dispute_reinstated", "held"): _recorded(
        "{amount} came back from the bank and is frozen until the dispute is closed.", "the dispute was won"
    ),
    ("dispute_reinstated", "loss"): _recorded(
        "{amount} came back from the bank to the platform, which had borne it.", "the dispute was won"
    ),
    ("dispute_reinstated", "both"): _recorded(
        "{amount} came back from the bank: first to the platform, which had borne a part, the rest is frozen until the "
        "dispute is closed.",
        "the dispute was won",
    ),
    ("dispute_ended", "returned"): _recorded(
        "{amount} is no longer frozen and stands where it stood before the dispute.", "the dispute is closed"
    ),
    ("dispute_ended", "owed"): _recorded(
        "{amount} is no longer frozen and is owed back to the participant.", "the dispute and the campaign are closed"
    ),
    ("dispute_shifted", "refund"): _recorded(
        "{amount} is borne by the platform, so that the refund to the participant stands.",
        "the refund was paid although the bank had taken the payment back",
    ),
    ("dispute_shifted", "bank"): _recorded(
        "{amount} is no longer owed back: the participant got it from the bank.",
        "the bank took the disputed payment back while a refund was still owed",
    ),
    ("psp_settle", "in"): _recorded(
        "{amount} appeared in the payment processor's balance; its fee is the platform's cost.",
        "the processor settled the payment",
    ),
    ("psp_settle", "out"): _recorded(
        "{amount} left the payment processor's balance.", "the processor settled a refund, a transfer or a dispute"
    ),
    ("psp_sweep", ""): _recorded(
        "{amount} became available in the payment processor's balance.", "its waiting time is over"
    ),
    ("topup", ""): _recorded(
        "{amount} of the platform's own money was added.", "the platform covers the processor's fees"
    ),
    ("bank_payout", ""): Words(
        "{amount} of the platform's own money went to its bank.",
        "it is not needed to cover what is owed",
        "Two people approved it.",
    ),
    ("psp_fee_account", ""): _recorded(
        "{amount} was taken or returned by the payment processor as a fee of the whole account.",
        "the processor's own terms say so",
    ),
    ("psp_held", ""): _recorded(
        "{amount} is kept back by the payment processor.", "the processor holds a reserve of its own"
    ),
    ("psp_freed", ""): _recorded(
        "{amount} is no longer kept back by the payment processor.", "the processor gave its reserve free"
    ),
    ("suspense", ""): _recorded(
        "{amount} moved at the payment processor and is not explained yet.", "no record of ours fits it so far"
    ),
    ("explained", ""): _recorded("{amount} that was not explained is explained now.", "its record was found"),
    ("correction", ""): _planned(
        "{amount}: an earlier movement is taken back whole, and the right one follows.",
        "the earlier movement was wrong",
    ),
}
"""Kind and circumstances → words."""


def proven_in(row: Mapping[str, Any]) -> int | None:
    """The number of the newest signed checkpoint when the commitment's proof shows this movement inside it. None for what
    was posted after it, and for transfers that are not the commitment's alone: those lie in the chain, not in the proof."""
    position = row["checkpoint_position"]
    if row["commitment_id"] is None or position is None or row["position"] > position:
        return None
    return int(row["checkpoint_number"])


def proof_words(row: Mapping[str, Any]) -> str:
    """Where the proof of a movement is, in a few words."""
    if row["commitment_id"] is None:
        return "in the chain"
    number = proven_in(row)
    return "with the next checkpoint" if number is None else f"in checkpoint {number}"


UNKNOWN = Words("{amount} moved.", "the ledger records it under a kind that has no sentence yet", RECORDED)
"""For a kind that is younger than this table: it is shown, and called what it is."""

ROLE_WORDS: Mapping[str, str] = {
    "escrow_auditor": "escrow auditor",
    "operations": "operations",
    "trust_reviewer": "trust reviewer",
    "gatekeeper": "gatekeeper",
    "founder": "founder",
}


def circumstances(row: Mapping[str, Any]) -> str:
    """What of a transfer's entries or reason decides between the sentences of its kind."""
    kind = row["kind"]
    choose = _CHOICES.get(kind)
    return choose(row) if choose is not None else ""


def words_of(row: Mapping[str, Any]) -> Words:
    """The words of a transfer's row; a refund that two people approved in a plan says so whatever its reason."""
    kind, which = row["kind"], circumstances(row)
    found = MOVEMENTS.get((kind, which)) or MOVEMENTS.get((kind, "")) or UNKNOWN
    if kind == "refund_decided" and row["plan_id"] is not None:
        return Words(found.what, found.why, TWO_AUDITORS, _TWO)
    return found


def sentence(row: Mapping[str, Any]) -> str:
    """What happened and why, in one sentence."""
    found = words_of(row)
    what = found.what.format(amount=money(row["amount_minor"], row["currency"]))
    return f"{what[:-1]}, because {found.why}."


def _clear(row: Mapping[str, Any]) -> str:
    return "reserve" if row["reserve_minor"] else "payable"


def _transfer_back(row: Mapping[str, Any]) -> str:
    return "recovery" if row["dispute_loss_minor"] else "returned"


def _borne(row: Mapping[str, Any]) -> str:
    if row["dispute_hold_minor"] and row["dispute_loss_minor"]:
        return "both"
    return "loss" if row["dispute_loss_minor"] else "held"


def _ended(row: Mapping[str, Any]) -> str:
    only_owed = row["refund_payable_minor"] and not row["escrow_minor"] and not row["reserve_minor"]
    return "owed" if only_owed else "returned"


def _shifted(row: Mapping[str, Any]) -> str:
    return "refund" if (row["refund_payable_minor"] or 0) > 0 else "bank"


def _settled(row: Mapping[str, Any]) -> str:
    return "in" if (row["psp_clearing_minor"] or 0) > 0 else "out"


_CHOICES = {
    "refund_decided": lambda row: row["reason"] or "",
    "clear": _clear,
    "transfer_back": _transfer_back,
    "dispute_withdrawn": _borne,
    "dispute_reinstated": _borne,
    "dispute_ended": _ended,
    "dispute_shifted": _shifted,
    "psp_settle": _settled,
}
