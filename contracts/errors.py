"""The catalogue of refusals: stable codes, HTTP status, words for people, and what to do next.

One place for every service: a service refuses with a code from here, the gateway turns it into a problem document and
the web application shows the same words. A code never changes its meaning; it may only be joined by another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal: HTTP status, a title, and the next step, both in words that people read."""

    status: int
    title: str
    next_step: str


class Rejected(Exception):  # noqa: N818 - it is a result of a rule, not an error of the program
    """The business said no. Carries a stable code from `PROBLEMS` and facts (numbers, ids, never personal data)."""

    def __init__(self, code: str, **facts: Any) -> None:
        if code not in PROBLEMS:
            raise KeyError(f"unknown refusal code {code}")
        super().__init__(code)
        self.code = code
        self.facts = facts


PROBLEMS: dict[str, Problem] = {
    # the request itself
    "malformed_request": Problem(400, "The request could not be read", "Send JSON that fits the described fields."),
    "validation_failed": Problem(
        422, "Some fields do not fit", "Correct the fields listed under errors and send again."
    ),
    "idempotency_key_missing": Problem(
        400,
        "This act needs an Idempotency-Key",
        "Send a key of your own choice, 8 to 255 characters, and repeat it when you retry.",
    ),
    "idempotency_key_reused": Problem(
        422, "This key was used for another request", "Use a new Idempotency-Key for a different request."
    ),
    "idempotency_key_invalid": Problem(
        400, "The Idempotency-Key cannot be used", "Use 8 to 255 visible ASCII characters."
    ),
    "version_missing": Problem(
        428, "A change must say which version it is based on", "Read it first, and send its ETag in If-Match."
    ),
    "version_stale": Problem(
        412,
        "It has changed since you read it",
        "Nothing was changed. Read it again, carry your change over, and send the new ETag in If-Match.",
    ),
    "not_signed_in": Problem(401, "You are not signed in", "Sign in and try again."),
    "not_allowed": Problem(403, "Your role does not allow this", "Ask a person whose role includes this act."),
    "csrf_failed": Problem(403, "The request did not prove where it came from", "Reload the page and try again."),
    "not_found": Problem(404, "There is nothing here that you can see", "Check the address, or ask for an invitation."),
    "method_not_allowed": Problem(
        405, "This address does not support that method", "See the interface description for the methods."
    ),
    "payload_too_large": Problem(
        413, "The request is too large", "Send a smaller one; the limit is in the interface description."
    ),
    "rate_limited": Problem(429, "Too many requests", "Wait for the seconds given in Retry-After."),
    "service_unavailable": Problem(
        503,
        "A part of the platform does not answer",
        "Nothing was changed. Try again after the seconds in Retry-After.",
    ),
    "clock_moving": Problem(
        503, "The simulated clock is being moved", "Nothing was changed. Try again after the seconds in Retry-After."
    ),
    "too_many_waiting": Problem(
        503,
        "Too many requests are waiting for an answer",
        "Send the request without Prefer: wait, or try again after the seconds in Retry-After.",
    ),
    "internal_error": Problem(
        500,
        "Something went wrong on our side",
        "Nothing half-done is kept. Try again; if it stays, tell us the trace id.",
    ),
    # accounts
    "member_invitation_unusable": Problem(
        404,
        "This invitation cannot be used",
        "It may be used already, revoked, out of date, or for somebody else. Ask for a new one.",
    ),
    "code_not_accepted": Problem(
        403,
        "This code is not accepted",
        "It may be mistyped, used, replaced by a newer one, or out of date. Check it, or ask for a new one.",
    ),
    "passkey_not_accepted": Problem(
        403, "This passkey is not accepted", "Try again, or sign in another way and look at your passkeys."
    ),
    "passkeys_full": Problem(
        409, "You have as many passkeys as an account can have", "Remove one that you do not use."
    ),
    "authenticator_exists": Problem(
        409, "Your account has an authenticator already", "Remove it before you set up another one."
    ),
    "last_second_factor": Problem(
        409,
        "Your role needs a passkey or an authenticator",
        "Add another passkey or an authenticator before you remove this one.",
    ),
    "second_factor_required": Problem(
        403,
        "Your role needs a passkey or an authenticator",
        "Confirm with yours, or set one up, on the page about signing in safely.",
    ),
    "passkey_required": Problem(
        403,
        "Before the first commitment your account needs a passkey or an authenticator",
        "Set one up on the page about signing in safely, then commit funds. Nothing was taken.",
    ),
    "step_up_required": Problem(
        403,
        "This act needs a fresh confirmation",
        "Confirm with your passkey or authenticator, then repeat the act within five minutes.",
    ),
    "sign_in_again": Problem(
        403,
        "Your sign-in is too long ago for this",
        "Sign in again with a new code, then repeat the act within 15 minutes.",
    ),
    "member_invitations_used_up": Problem(
        409, "You have no invitations left", "Revoke one that nobody has used, or ask staff to invite the person."
    ),
    # addresses and account kinds
    "addresses_full": Problem(
        409, "You have as many addresses as an account can have", "Remove one that you do not use."
    ),
    "address_required": Problem(
        422,
        "This campaign delivers to an address of yours",
        "Name one of your addresses; they are on the page of your account. Nothing was taken.",
    ),
    "address_unknown": Problem(
        404, "This address is not among yours", "Choose one of your addresses, or add it first. Nothing was taken."
    ),
    "address_out_of_region": Problem(
        422,
        "This address lies outside the Seattle metropolitan area",
        "Choose an address in King, Pierce or Snohomish County. Nothing was taken.",
    ),
    "address_not_needed": Problem(
        409,
        "This campaign hands units over at one point",
        "Send the commitment without an address; none is kept that is not needed. Nothing was taken.",
    ),
    "account_kind_fixed": Problem(
        409,
        "The kind of your account stays while a commitment is open",
        "Change it when every commitment of yours has ended. The name can be changed at any time.",
    ),
    # alert rules
    "alert_rule_unknown": Problem(404, "This alert rule is not known", "Read your rules again."),
    "alert_rules_used_up": Problem(409, "You have as many alert rules as one may have", "Remove one first."),
    "alert_true_already": Problem(
        409, "This is so already", "A rule tells what happens after it was made. See the campaign's page."
    ),
    "alert_cannot_come_true": Problem(
        409, "This can happen no more", "The campaign is final, or joining it has ended. See the campaign's page."
    ),
    # campaigns
    "campaign_unknown": Problem(404, "This campaign is not known", "Check the address, or ask for an invitation."),
    "campaign_exists": Problem(
        409, "A campaign with this id exists already", "Choose another id, or read the existing campaign."
    ),
    "campaign_not_open": Problem(
        409, "This campaign does not accept joins now", "See the campaign's state on its page."
    ),
    "campaign_frozen": Problem(
        409,
        "This campaign is held for a check by staff",
        "Nothing was taken. Try again when the notice on its page is gone.",
    ),
    "campaign_state_conflict": Problem(
        409,
        "The campaign's state does not allow this",
        "Read the campaign again; its page lists the possible next acts.",
    ),
    "readiness_incomplete": Problem(422, "The campaign is not ready for review", "Complete the listed items."),
    "hold_too_long": Problem(
        422,
        "Money would be held longer than the payment rail allows",
        "Set an earlier close date or a shorter delivery window; acceptance and inspection take 7 days each.",
    ),
    "author_is_reviewer": Problem(403, "The author cannot review the same campaign", "Ask another gatekeeper."),
    "review_answers_failed": Problem(
        422,
        "A campaign with a failed review question cannot be accepted",
        "Defer it with what is missing, or reject it with the reason.",
    ),
    "terms_hash_stale": Problem(
        409, "The terms have changed since you read them", "Read the current terms and accept those."
    ),
    "over_capacity": Problem(
        409,
        "The remaining capacity is smaller than the units asked for",
        "Ask for fewer units, or wait: units of an ended reservation become free again.",
    ),
    "quantity_below_minimum": Problem(
        422, "Fewer units than the campaign's minimum per participant", "Ask for at least the minimum."
    ),
    "quantity_above_maximum": Problem(
        422, "More units than the campaign's maximum per participant", "Ask for no more than the maximum."
    ),
    "amount_below_minimum": Problem(422, "The amount is below the smallest card charge", "Ask for more units."),
    "commitment_unknown": Problem(404, "This commitment is not known", "Check the address."),
    "commitment_not_withdrawable": Problem(
        409,
        "This commitment cannot be withdrawn any more",
        "See the commitment's page for its state and what happens next.",
    ),
    "withdrawal_closed": Problem(
        409,
        "Withdrawal ended when the campaign closed for joining",
        "See the campaign's page; every other ending refunds in full.",
    ),
    "sign_off_repeated": Problem(409, "This role has signed off already", "Another role must sign off."),
    "sign_off_same_person": Problem(403, "One person cannot sign off in two roles", "Ask another person."),
    # escrow
    "payment_declined": Problem(
        402, "The card was declined", "Nothing was charged. Try another card while the reservation lasts."
    ),
    "payment_expired": Problem(
        409, "The reservation ended before its funds arrived", "Nothing is held. Join again if units are free."
    ),
    "payment_canceled": Problem(409, "The payment was ended", "Nothing is held. Join again if units are free."),
    "payment_not_expected": Problem(
        409, "No payment is expected for this commitment", "See the commitment's page for its state."
    ),
    "payment_under_way": Problem(409, "A payment for this commitment is under way", "Wait for its outcome."),
    "dispute_unknown": Problem(404, "This dispute is not known", "Check the address."),
    "dispute_state_conflict": Problem(
        409, "The bank takes no evidence about this dispute now", "Read the dispute again; its date may be over."
    ),
    "evidence_hash_stale": Problem(
        409, "The evidence has changed since you read it", "Read the evidence again, and send the hash that it shows."
    ),
    "case_closed": Problem(409, "This case is closed", "Read the list of cases again."),
    "case_ends_otherwise": Problem(409, "People do not close such a case", "Mend its cause; the case ends with it."),
    "case_needs_another_person": Problem(403, "You have spoken for this case", "Another escrow auditor closes it."),
    "plan_unknown": Problem(404, "This clearing plan is not known", "Check the address."),
    "plan_state_conflict": Problem(409, "The clearing plan's state does not allow this", "Read the plan again."),
    "plan_hash_stale": Problem(
        409, "The clearing plan has changed since you read it", "Read the plan again and decide on what it says now."
    ),
    "not_the_maker": Problem(
        403, "Only its maker can take a plan back", "A plan that you do not agree with is left unapproved."
    ),
    "approver_is_maker": Problem(403, "The maker of a plan cannot approve it", "Ask another escrow auditor."),
    "release_conditions_unmet": Problem(409, "Not every release condition is met", "See the listed conditions."),
    "campaign_closing": Problem(
        409, "The campaign is closing with refunds", "Funds of this campaign can only be refunded."
    ),
    "release_under_way": Problem(409, "A release of this campaign's funds is under way", "Wait for its outcome."),
    "plan_under_way": Problem(
        409, "Another plan of this campaign is being worked off", "Wait until its lines are applied, then try again."
    ),
    "plan_lines_missing": Problem(
        422, "This kind of plan names the commitments it is about", "Select at least one commitment with its amount."
    ),
    "plan_lines_unexpected": Problem(
        422, "The lines of this kind of plan come from the records", "Send the plan without lines."
    ),
    "line_repeated": Problem(422, "A commitment is named twice", "Name each commitment once, with its whole amount."),
    "amount_not_positive": Problem(422, "An amount is not above zero", "Give each line an amount above zero."),
    "amount_out_of_range": Problem(422, "An amount is larger than any that is accepted", "Correct the amount."),
    "currency_mismatch": Problem(
        422, "The amounts are in another currency than the campaign's", "Use the campaign's currency."
    ),
    "commitment_not_in_campaign": Problem(
        422, "A commitment does not belong to this campaign", "Select commitments of this campaign only."
    ),
    "line_exceeds_balance": Problem(
        409, "A line asks for more than is there", "See what is held or owed for the commitment, and correct the line."
    ),
    "line_not_whole": Problem(
        422,
        "This kind of plan takes all that is there",
        "Give the whole amount, or make a plan for a partial refund.",
    ),
    "line_not_partial": Problem(
        422, "A partial refund leaves something held", "Give a smaller amount, or make a plan for a whole refund."
    ),
    "line_changed": Problem(
        409,
        "What a line is about has changed since the plan was made",
        "Make a new plan from what the records say now.",
    ),
    "reason_code_not_allowed": Problem(
        422, "This reason does not fit the kind of plan", "Choose one of the reasons that the kind lists."
    ),
    "evidence_missing": Problem(
        422, "This act needs evidence", "Name where the evidence lies: a document's id or digest, a bank's reference."
    ),
    "plan_target_missing": Problem(
        422, "The plan does not name what it is about", "Name the plan, or the ledger position, that it is about."
    ),
    "plan_target_unfit": Problem(
        409, "What the plan is about does not allow this", "Read the named plan or transfer, and its state, again."
    ),
    "refund_not_failed": Problem(
        409,
        "A refund can be paid another way only after the payment processor refused it",
        "Wait for the outcome of its present attempt.",
    ),
    "commitment_not_released": Problem(
        409, "Goodwill is for a commitment whose funds were released", "Refund what is still held instead."
    ),
    "goodwill_above_price": Problem(
        422, "Goodwill and refunds together would exceed what was paid", "Give a smaller amount."
    ),
    "float_too_low": Problem(
        409, "The platform's own money does not cover this", "Top up the float, then submit the plan again."
    ),
    "collections_frozen": Problem(
        409,
        "Collection of funds is held for a check",
        "Nothing was taken. Try again later; the campaign's page tells when collection goes on.",
    ),
    "collections_paused": Problem(
        409,
        "Joining pauses: the platform's own money has no room for the card processor's fees",
        "Nothing was taken, and funds that are held are not concerned. Joining goes on by itself when the platform has "
        "added money of its own; try again later.",
    ),
    # suppliers
    "supplier_exists": Problem(
        409,
        "A supplier with this id exists already with other facts",
        "Read the existing supplier, or choose another id.",
    ),
    "supplier_unknown": Problem(404, "This supplier is not known", "Check the address."),
    "invitation_unknown": Problem(404, "There is no such invitation", "Check the address."),
    "invitation_not_open": Problem(409, "This invitation cannot be answered now", "See the invitation's state."),
    "invitation_not_yours": Problem(
        403, "The invitation belongs to another supplier", "Sign in with the invited supplier's account."
    ),
    "arrived_late": Problem(
        409,
        "The answer came in time but was handled after the window's act",
        "A case is open; staff will tell you the outcome.",
    ),
    "delivery_not_expected": Problem(
        409, "No delivery is expected for this commitment", "Check the commitment's state."
    ),
    "inspection_not_open": Problem(
        409, "The inspection of this commitment is not open", "Contact staff about a later fault."
    ),
    "proof_not_ready": Problem(
        409,
        "There is no proof of this commitment yet",
        "A proof comes with the next signed checkpoint after its first movement. Ask again in a minute.",
    ),
    "checkpoint_unknown": Problem(
        409, "This campaign has no checkpoint with that number", "The campaign's list of checkpoints names them all."
    ),
    "issue_unknown": Problem(404, "This issue is not known", "Check the address."),
    "issue_decided": Problem(409, "This issue is decided already", "Read its decision."),
}


STATUS_MEANINGS: dict[int, str] = {
    400: "The request is not in a form that can be read, so nothing was decided about it.",
    401: "The platform does not know who is asking: nobody is signed in, or the session has ended.",
    402: "The payment processor or the bank did not let the payment through.",
    403: "The platform knows who is asking, and this act is for somebody else.",
    404: "Nothing is here, or nothing that you may see. Both answer alike, so that nobody learns what others have.",
    405: "Something is at this address, but it does not take this kind of request.",
    409: "The request is in good form, but what it is about stands differently now.",
    412: "Somebody changed it after you read it, so your change was not written over theirs.",
    413: "The request holds more than this address takes, so it was not read to its end.",
    422: "The request can be read, but something it says does not fit a rule.",
    428: "A change without the version it is based on could undo somebody else's, so it is not taken.",
    429: "More requests came from you than the limit allows in its window of time.",
    500: "The platform failed at something it should have been able to do. The fault is recorded under the trace id.",
    503: "A part of the platform cannot answer at this moment.",
}
"""Status → what it means that a request ended so, in words that people read."""

_AS_BEFORE = "The same request gets the same answer until what it is about has changed."
_AGAIN = "Send the same request again, with the same Idempotency-Key: under one key an act is done once."
STATUS_REPEATS: dict[int, str] = {
    **dict.fromkeys(STATUS_MEANINGS, _AS_BEFORE),
    402: "While the reservation lasts another card may be used; the same card gets the same answer.",
    429: f"{_AGAIN} Wait for the seconds that Retry-After names.",
    500: _AGAIN,
    503: f"{_AGAIN} Wait for the seconds that Retry-After names.",
}
"""Status → whether to send the same request again."""
