"""The words that people read for states: campaigns, commitments, invitations, plans. One sentence each where needed.

Words are computed when something is read and are stored nowhere, so that no page can show yesterday's wording beside
today's state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.gateway.domain.money_text import minute

CAMPAIGN_WORDS: dict[str, str] = {
    "DRAFT": "Draft campaign",
    "IN_REVIEW": "In review",
    "ACTIVE": "Active campaign",
    "TARGET_ACHIEVED": "Target achieved",
    "PENDING_ACCEPTANCE": "Pending acceptance",
    "FULFILLMENT": "Fulfillment phase",
    "INSPECTION": "Fulfillment phase: inspection",
    "COMPLETED": "Campaign completed",
    "CLOSED": "Campaign closed",
}

ALERT_WORDS: dict[str, str] = {
    "waiting": "Waits. You get a mail when it comes true.",
    "fired": "Came true and is over. A mail was written.",
    "removed": "You removed it.",
}
ALERT_END_WORDS: dict[str, str] = {
    "campaign_final": "Over: the campaign is final, and it did not come true before.",
    "joining_ended": "Over: joining ended before its date, because the capacity was reached.",
    "not_visible": "Over: you do not see this campaign any more.",
}

CLOSE_WORDS: dict[str, str] = {
    "target_not_reached": "the target quantity was not reached",
    "supplier_declined": "the supplier declined",
    "acceptance_timeout": "the supplier did not answer inside the acceptance window",
    "fulfillment_failed": "fulfillment was not completed",
    "cancelled": "the campaign was cancelled by staff",
    "rejected": "the review did not accept it",
}

COMMITMENT_WORDS: dict[str, str] = {
    "PENDING_FUNDS": "Waiting for funds",
    "LOCKED": "Funds held in escrow",
    "FUNDS_FAILED": "No funds held",
    "WITHDRAWN": "Withdrawn",
    "REFUNDED": "Refund on its way",
    "RELEASED": "Released to the supplier",
    "REFUSED": "Not accepted",
}

INVITATION_WORDS: dict[str, str] = {
    "invited": "Invited: the acceptance window opens when the campaign closes for joining",
    "open": "Waiting for your answer",
    "accepted": "Accepted",
    "declined": "Declined",
    "timed_out": "The acceptance window passed without an answer",
    "withdrawn": "Withdrawn",
}

PLAN_WORDS: dict[str, str] = {
    "SUBMITTED": "Waiting for the second approval",
    "APPROVED": "Approved by two people: its lines are worked off",
    "SENDING": "The transfer to the supplier is under way",
    "RELEASED": "Funds released to the supplier",
    "DONE": "Done",
    "STOPPED": "Stopped: nothing was released",
}

_REFUNDING = {"SENDING": "Decided: its refunds are on their way", "DONE": "Done: every refund of it is paid"}
_BY_HAND_WORDS: dict[str, dict[str, str]] = {
    "manual_refund": _REFUNDING,
    "partial_refund": _REFUNDING,
    "goodwill": _REFUNDING,
    "outside_payout": {"DONE": "Done: recorded as paid another way"},
    "recovery": {
        "SENDING": "The money is being called back from the supplier's account",
        "DONE": "Done: the money came back",
    },
    "correction": {"DONE": "Done: taken back and put right"},
    "give_up": {"DONE": "Done: the funds are back where they were"},
}

PLAN_KIND_WORDS: dict[str, str] = {
    "release": "Release to the supplier",
    "reserve_release": "Release of the reserve",
    "manual_refund": "Refund by hand",
    "partial_refund": "Partial refund by hand",
    "outside_payout": "Refund paid another way",
    "goodwill": "Goodwill after a release",
    "recovery": "Recovery from the supplier",
    "correction": "Correction of a ledger transfer",
    "give_up": "Giving up a refused transfer",
}


def plan_words(kind: str, state: str, code: str | None = None) -> str:
    """A plan's state as people read it; `code` says why it stopped."""
    if (state, code) == ("STOPPED", "taken_back"):
        return "Taken back by its maker; nothing was moved"
    if state == "STOPPED" and kind in _BY_HAND_WORDS:
        return "Stopped before anything was moved"
    return _BY_HAND_WORDS.get(kind, {}).get(state, PLAN_WORDS[state])


def campaign_words(state: str, close_reason: str | None) -> str:
    """The state as people read it, with its reason when the campaign is closed."""
    words = CAMPAIGN_WORDS[state]
    if state == "CLOSED" and close_reason:
        return f"{words}: {CLOSE_WORDS.get(close_reason, close_reason)}"
    return words


def commitment_words(state: str, *, refund_state: str | None, in_dispute: bool = False) -> str:
    """The commitment's state as people read it; a refund is paid only when the payment processor says so."""
    if in_dispute and state in {"LOCKED", "WITHDRAWN", "REFUNDED", "RELEASED"}:
        return "In dispute with the card's bank"
    if refund_state == "charged_back":
        return "Returned by the card's bank"
    if refund_state == "sent" and state in {"WITHDRAWN", "REFUNDED", "FUNDS_FAILED"}:
        return "Withdrawn and refunded" if state == "WITHDRAWN" else "Refunded"
    if refund_state is not None and state == "WITHDRAWN":
        return "Withdrawn: refund on its way"
    return COMMITMENT_WORDS[state]


def campaign_explained(campaign: Mapping[str, Any]) -> str:
    """What the state means for a participant and what comes next, in one sentence."""
    state = campaign["state"]
    close_at = minute(campaign["close_at"])
    if state == "CLOSED":
        reason = CLOSE_WORDS.get(campaign["close_reason"] or "", "it ended")
        return f"The campaign is closed because {reason}; every commitment with held funds is refunded in full."
    if campaign["joining_ended"] is not None and state in {"ACTIVE", "TARGET_ACHIEVED"}:
        return "Joining has ended; the held units are counted once no payment is open any more."
    window = campaign.get("window_closes_at")
    until = f" until {minute(window)}" if window is not None else ""
    return {
        "DRAFT": "Staff are preparing this campaign; nobody can join yet.",
        "IN_REVIEW": "A gatekeeper reviews this campaign; nobody can join yet.",
        "ACTIVE": f"People can join until {close_at}; funds are held in escrow and refunded in full if the target "
        "quantity is not reached.",
        "TARGET_ACHIEVED": f"The target quantity is reached; joining goes on until {close_at} or until capacity, then "
        "the supplier is asked to accept.",
        "PENDING_ACCEPTANCE": f"The supplier decides on the exact terms{until}; without an acceptance every commitment "
        "is refunded in full.",
        "FULFILLMENT": "The supplier has accepted and fulfills; funds stay held until delivery and inspection are over.",
        "INSPECTION": "Every commitment is delivered; faults can be reported while the inspection runs, and funds stay "
        "held.",
        "COMPLETED": "Delivery and inspection are over and two people have approved the release of the funds.",
    }[state]


def what_happens_if(close_at_words: str, delivery_window_days: int) -> list[dict[str, str]]:
    """The endings a campaign can have besides completion, worst included, each with what it means for held funds."""
    return [
        {
            "case": "target_not_reached",
            "words": f"If the target quantity is not reached by {close_at_words}, the campaign closes and every "
            "commitment is refunded in full.",
        },
        {
            "case": "supplier_declined",
            "words": "If the supplier declines, or does not answer inside the acceptance window, every commitment is "
            "refunded in full.",
        },
        {
            "case": "withdrawal",
            "words": "You can withdraw until the campaign closes for joining; the refund is in full and nobody asks "
            "why.",
        },
        {
            "case": "late_delivery",
            "words": f"Delivery is expected within {delivery_window_days} days of acceptance. That is the supplier's "
            "stated window and can be missed; a delay is told as it is, and funds stay held meanwhile.",
        },
        {
            "case": "fault",
            "words": "Faults can be reported inside the inspection window after delivery; an upheld report is refunded "
            "in full.",
        },
        {
            "case": "fulfillment_failed",
            "words": "If fulfillment is not completed, three staff roles determine it and every commitment is refunded "
            "in full. The refund can take days to reach your card.",
        },
    ]
