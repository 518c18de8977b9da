"""The authorization policy: every address of the interface, every kind of person who may ask, and what they get.

One table, so that it can be read in one sitting. The gateway takes from it which roles may ask an operation at all; whose
object is whose stands in the statement that reads it, and the tests hold the whole table, with every field below it,
against a running gateway. An address that is missing here fails the tests. It cannot see that one person holds two
accounts, and the services decide again by their own rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from services.gateway.domain.roles import PARTICIPANT, SUPPLIER

Access = Literal["read", "write"]

ROLE_OF: dict[str, str | None] = {
    "anonymous": None,
    "foreign_page": None,
    "owner": PARTICIPANT,
    "other_participant": PARTICIPANT,
    "bound_supplier": SUPPLIER,
    "other_supplier": SUPPLIER,
    "operations": "operations",
    "gatekeeper": "gatekeeper",
    "escrow_auditor": "escrow_auditor",
    "trust_reviewer": "trust_reviewer",
    "risk_analyst": "risk_analyst",
    "founder": "founder",
    "support_readonly": "support_readonly",
}
"""Kind of person → the role of the account, in the sequence of the table's letters.

`foreign_page` is a page of another site in the browser of the signed-in owner. The owner has a commitment in the campaign
in question, which is private; the bound supplier is invited to it; operations is the author of a draft beside it; the others
have nothing to do with it."""

ANSWERS: dict[str, tuple[int, str | None]] = {
    "y": (200, None),
    "e": (200, None),
    "A": (401, "not_signed_in"),
    "R": (403, "not_allowed"),
    "C": (403, "csrf_failed"),
    "N": (404, "not_found"),
    "M": (400, "malformed_request"),
    "U": (404, "member_invitation_unusable"),
    "W": (403, "code_not_accepted"),
    "K": (403, "passkey_not_accepted"),
    "P": (409, "proof_not_ready"),
}
"""Letter → status and problem code. `y`: answered, with the object in it (a write may be answered by any 2xx); `e`:
answered, and the object is not in it; `A`: sign in first; `R`: the role does not allow it; `C`: a page of another site
asked; `N`: as if it did not exist; `M`: Stripe's signature is missing; `U`: somebody else used the invitation; `W`, `K`:
the code or the passkey of the example proves nothing; `P`: allowed, but nothing is signed yet."""

MAY_ASK = frozenset("yeNUWKP")
"""The letters of those whose role allows the operation; with `N` and `U` the object was not theirs."""


@dataclass(frozen=True)
class Rule:
    """One operation: its address and one letter for each kind of person; blanks only part the groups."""

    operation: str
    method: str
    path: str
    letters: str

    @property
    def access(self) -> Access:
        """Whether it reads or writes."""
        return "read" if self.method == "GET" else "write"

    @cached_property
    def expected(self) -> dict[str, str]:
        """Kind of person → letter."""
        return dict(zip(ROLE_OF, self.letters.replace(" ", ""), strict=True))

    @cached_property
    def roles(self) -> frozenset[str]:
        """The roles that may ask."""
        return frozenset(
            role for person, role in ROLE_OF.items() if role is not None and self.expected[person] in MAY_ASK
        )

    @property
    def public(self) -> bool:
        """Whether it can be asked without being signed in."""
        return self.expected["anonymous"] != "A"


#        anonymous, foreign page | owner, other participant | bound, other supplier | operations, gatekeeper, escrow
#        auditor, trust reviewer | risk analyst, founder, support
RULES: tuple[Rule, ...] = (
    # the session
    Rule("me", "GET", "/v1/me", "Ay yy yy yyyy yyy"),
    Rule("sign_out", "DELETE", "/v1/session", "AC yy yy yyyy yyy"),
    Rule("client_config", "GET", "/v1/client-config", "yy yy yy yyyy yyy"),
    Rule("dev_sign_in", "POST", "/v1/dev/sign-in", "yC yy yy yyyy yyy"),
    Rule("dev_participants", "POST", "/v1/dev/participants", "yC yy yy yyyy yyy"),
    # one's own data
    Rule("my_data", "GET", "/v1/me/data", "Ay yy yy yyyy yyy"),
    Rule("erasure_read", "GET", "/v1/me/erasure", "Ay yy RR RRRR RRR"),
    Rule("request_erasure", "POST", "/v1/me/erasure", "AC yy RR RRRR RRR"),
    Rule("withdraw_erasure", "DELETE", "/v1/me/erasure", "AC yy RR RRRR RRR"),
    # what people's own programs use
    Rule("access_tokens_list", "GET", "/v1/access-tokens", "Ay yy RR yyyy yyy"),
    Rule("make_access_token", "POST", "/v1/access-tokens", "AC yy RR yyyy yyy"),
    Rule("end_access_token", "DELETE", "/v1/access-tokens/{token_id}", "AC yN RR NNNN NNN"),
    Rule("calendar_read", "GET", "/v1/me/calendar", "Ay yy RR RRRR RRR"),
    Rule("renew_calendar", "POST", "/v1/me/calendar", "AC yy RR RRRR RRR"),
    Rule("end_calendar", "DELETE", "/v1/me/calendar", "AC yy RR RRRR RRR"),
    Rule("alerts_list", "GET", "/v1/me/alerts", "Ay ye RR RRRR RRR"),
    Rule("set_alert_rule", "POST", "/v1/me/alerts", "AC yN RR RRRR RRR"),
    Rule("remove_alert_rule", "POST", "/v1/me/alerts/{rule_id}/removal", "AC yN RR RRRR RRR"),
    Rule("calendar_feed", "GET", "/v1/calendar/{feed}", "NN NN NN NNNN NNN"),
    # signing up and signing in
    Rule("sign_up_code_ask", "POST", "/v1/sign-up/code", "yC yy yy yyyy yyy"),
    Rule("sign_in_code_ask", "POST", "/v1/sign-in/code", "yC yy yy yyyy yyy"),
    Rule("sign_in_code_answer", "POST", "/v1/sign-in/code/answer", "WC WW WW WWWW WWW"),
    Rule("sign_in_passkey_options", "POST", "/v1/sign-in/passkey/options", "yC yy yy yyyy yyy"),
    Rule("sign_in_passkey", "POST", "/v1/sign-in/passkey", "KC KK KK KKKK KKK"),
    Rule("step_up_passkey_options", "POST", "/v1/step-up/passkey/options", "AC yy yy yyyy yyy"),
    Rule("step_up_passkey", "POST", "/v1/step-up/passkey", "AC KK KK KKKK KKK"),
    Rule("step_up_authenticator", "POST", "/v1/step-up/authenticator", "AC WW WW WWWW WWW"),
    Rule("step_up_recovery_code", "POST", "/v1/step-up/recovery-code", "AC WW WW WWWW WWW"),
    # one's own account
    Rule("sessions_list", "GET", "/v1/sessions", "Ay ye ee eeee eee"),
    Rule("sessions_end", "DELETE", "/v1/sessions/{session_id}", "AC yN NN NNNN NNN"),
    Rule("sessions_end_others", "DELETE", "/v1/sessions", "AC yy yy yyyy yyy"),
    Rule("account_security", "GET", "/v1/account/security", "Ay yy yy yyyy yyy"),
    Rule("passkeys_options", "POST", "/v1/account/passkeys/options", "AC yy yy yyyy yyy"),
    Rule("passkeys_add", "POST", "/v1/account/passkeys", "AC KK KK KKKK KKK"),
    Rule("passkeys_name", "POST", "/v1/account/passkeys/{passkey_id}/name", "AC yN NN NNNN NNN"),
    Rule("passkeys_remove", "DELETE", "/v1/account/passkeys/{passkey_id}", "AC yN NN NNNN NNN"),
    Rule("authenticator_begin", "POST", "/v1/account/authenticator", "AC yy yy yyyy yyy"),
    Rule("authenticator_confirm", "POST", "/v1/account/authenticator/confirmation", "AC WW WW WWWW WWW"),
    Rule("authenticator_remove", "DELETE", "/v1/account/authenticator", "AC yy yy yyyy yyy"),
    Rule("recovery_codes_renew", "POST", "/v1/account/recovery-codes", "AC yy yy yyyy yyy"),
    Rule("account_kind_read", "GET", "/v1/account/kind", "Ay yy RR RRRR RRR"),
    Rule("account_kind_choose", "PUT", "/v1/account/kind", "AC yy RR RRRR RRR"),
    Rule("addresses_list", "GET", "/v1/me/addresses", "Ay ye RR RRRR RRR"),
    Rule("addresses_add", "POST", "/v1/me/addresses", "AC yy RR RRRR RRR"),
    Rule("addresses_read", "GET", "/v1/me/addresses/{address_id}", "Ay yN RR RRRR RRR"),
    Rule("addresses_change", "PUT", "/v1/me/addresses/{address_id}", "AC yN RR RRRR RRR"),
    Rule("addresses_remove", "DELETE", "/v1/me/addresses/{address_id}", "AC yN RR RRRR RRR"),
    # invitations to the platform
    Rule("member_invitations_issue", "POST", "/v1/member-invitations", "AC yy RR yyRR RyR"),
    Rule("member_invitations_list", "GET", "/v1/member-invitations", "Ay ye RR yyRR RyR"),
    Rule("member_invitations_preview", "POST", "/v1/member-invitations/preview", "yC yy yy yyyy yyy"),
    Rule("member_invitations_redeem", "POST", "/v1/member-invitations/redemption", "AC yU RR RRRR RRR"),
    Rule(
        "member_invitations_revoke",
        "POST",
        "/v1/member-invitations/{member_invitation_id}/revocation",
        "AC yN RR yyRR RyR",
    ),  # fmt: skip
    # campaigns
    Rule("campaigns_list", "GET", "/v1/campaigns", "ey ye ye yyyy yyy"),
    Rule("campaigns_read", "GET", "/v1/campaigns/{campaign_id}", "Ny yN yN yyyy yyy"),
    Rule("campaigns_progress", "GET", "/v1/campaigns/{campaign_id}/events", "Ny yN yN yyyy yyy"),
    Rule("draft_campaign", "POST", "/v1/campaigns", "AC RR RR yRRR RRR"),
    Rule("revise_draft", "PUT", "/v1/campaigns/{campaign_id}", "AC RR RR yRRR RRR"),
    Rule("submit_campaign", "POST", "/v1/campaigns/{campaign_id}/submission", "AC RR RR yRRR RRR"),
    Rule("review_campaign", "POST", "/v1/campaigns/{campaign_id}/review", "AC RR RR RyRR RRR"),
    Rule("sign_off_failure", "POST", "/v1/campaigns/{campaign_id}/failure-sign-offs", "AC RR RR yRyy RRR"),
    # commitments
    Rule("commit_funds", "POST", "/v1/campaigns/{campaign_id}/commitments", "AC yN RR RRRR RRR"),
    Rule("commitments_list", "GET", "/v1/commitments", "Ay ye RR RRRR RRR"),
    Rule("commitments_read", "GET", "/v1/commitments/{commitment_id}", "Ay yN NN yyyy yyy"),
    Rule(
        "commitments_delivery_address", "GET", "/v1/commitments/{commitment_id}/delivery-address", "Ay yN RR RRRR RRR"
    ),
    Rule("pay_commitment", "POST", "/v1/commitments/{commitment_id}/payment", "AC yN RR RRRR RRR"),
    Rule("withdraw_commitment", "POST", "/v1/commitments/{commitment_id}/withdrawal", "AC yN RR RRRR RRR"),
    Rule("report_issue", "POST", "/v1/commitments/{commitment_id}/issues", "AC yN RR RRRR RRR"),
    Rule("campaign_commitments", "GET", "/v1/campaigns/{campaign_id}/commitments", "AR RR yN yyyy yyy"),
    Rule("campaign_delivery_addresses", "GET", "/v1/campaigns/{campaign_id}/delivery-addresses", "AR RR eN RRRR RRR"),
    Rule("campaign_issues", "GET", "/v1/campaigns/{campaign_id}/issues", "AR RR yN yyyy yyy"),
    # signed checkpoints and proofs
    Rule("platform_checkpoints", "GET", "/v1/transparency/checkpoints", "yy yy yy yyyy yyy"),
    Rule("platform_head", "GET", "/v1/transparency/head", "yy yy yy yyyy yyy"),
    Rule("campaign_checkpoints", "GET", "/v1/campaigns/{campaign_id}/checkpoints", "Ny yN yN yyyy yyy"),
    Rule("commitment_proof", "GET", "/v1/me/commitments/{commitment_id}/proof", "AP PN RR RRRR RRR"),
    # where the money is
    Rule("my_money", "GET", "/v1/me/commitments/{commitment_id}/money", "Ay yN RR RRRR RRR"),
    Rule("my_money_export", "GET", "/v1/me/commitments/{commitment_id}/money/export", "Ay yN RR RRRR RRR"),
    Rule("campaign_escrow", "GET", "/v1/campaigns/{campaign_id}/escrow", "Ny yN yN yyyy yyy"),
    Rule("campaign_escrow_transfers", "GET", "/v1/campaigns/{campaign_id}/escrow/transfers", "Ny yN yN yyyy yyy"),
    Rule("campaign_escrow_export", "GET", "/v1/campaigns/{campaign_id}/escrow/export", "Ny yN yN yyyy yyy"),
    Rule("platform_escrow", "GET", "/v1/transparency", "yy yy yy yyyy yyy"),
    Rule("platform_transfers", "GET", "/v1/transparency/transfers", "yy yy yy yyyy yyy"),
    Rule("platform_transfers_export", "GET", "/v1/transparency/export", "yy yy yy yyyy yyy"),
    Rule("payment_rail", "GET", "/v1/payment-rail", "yy yy yy yyyy yyy"),
    Rule("campaign_fees", "GET", "/v1/campaigns/{campaign_id}/fees", "Ny yN yN yyyy yyy"),
    Rule("commitment_record", "GET", "/v1/me/commitments/{commitment_id}/record", "Ay yN RR RRRR RRR"),
    Rule("refund_record", "GET", "/v1/me/commitments/{commitment_id}/refund-record", "Ay yN RR RRRR RRR"),
    Rule("yearly_statement", "GET", "/v1/me/statement", "Ay yy RR RRRR RRR"),
    Rule("supplier_statement", "GET", "/v1/campaigns/{campaign_id}/supplier-statement", "AR RR yN yyyy yyy"),
    Rule("platform_money", "GET", "/v1/staff/money", "AR RR RR yyyy yyy"),
    # suppliers
    Rule("register_supplier", "POST", "/v1/suppliers", "AC RR RR yyRR RRR"),
    Rule("suppliers_list", "GET", "/v1/suppliers", "AR RR RR yyyy yyy"),
    Rule("invitations_list", "GET", "/v1/invitations", "AR RR ye yyyy yyy"),
    Rule("accept_invitation", "POST", "/v1/invitations/{invitation_id}/acceptance", "AC RR yN RRRR RRR"),
    Rule("decline_invitation", "POST", "/v1/invitations/{invitation_id}/decline", "AC RR yN RRRR RRR"),
    Rule("record_dispatch", "POST", "/v1/campaigns/{campaign_id}/dispatches", "AC RR yN RRRR RRR"),
    Rule("record_delivery", "POST", "/v1/campaigns/{campaign_id}/deliveries", "AC RR yN RRRR RRR"),
    Rule("decide_issue", "POST", "/v1/issues/{issue_id}/decision", "AC RR RR yRRy RRR"),
    # clearing
    Rule("submit_clearing_plan", "POST", "/v1/campaigns/{campaign_id}/clearing-plans", "AC RR RR RRyR RRR"),
    Rule("campaign_clearing_plans", "GET", "/v1/campaigns/{campaign_id}/clearing-plans", "AR RR RR yyyy yyy"),
    Rule("clearing_plans_read", "GET", "/v1/clearing-plans/{plan_id}", "AR RR RR yyyy yyy"),
    Rule("clearing_plan_lines", "GET", "/v1/clearing-plans/{plan_id}/lines", "AR RR RR yyyy yyy"),
    Rule("approve_clearing_plan", "POST", "/v1/clearing-plans/{plan_id}/approval", "AC RR RR RRyR RRR"),
    Rule("take_plan_back", "POST", "/v1/clearing-plans/{plan_id}/withdrawal", "AC RR RR RRyR RRR"),
    Rule("retry_plan_transfer", "POST", "/v1/clearing-plans/{plan_id}/transfer-retry", "AC RR RR RRyR RRR"),
    # disputes
    Rule("disputes_list", "GET", "/v1/disputes", "AR RR RR yyyy yyy"),
    Rule("disputes_read", "GET", "/v1/disputes/{dispute_id}", "AR RR RR yyyy yyy"),
    Rule("dispute_evidence", "GET", "/v1/disputes/{dispute_id}/evidence", "AR RR RR yyyy yyy"),
    Rule("dispute_evidence_file", "GET", "/v1/disputes/{dispute_id}/evidence-file", "AR RR RR yyyy yyy"),
    Rule("prepare_evidence", "POST", "/v1/disputes/{dispute_id}/evidence", "AC RR RR yRRR RRR"),
    Rule("submit_evidence", "POST", "/v1/disputes/{dispute_id}/evidence-submission", "AC RR RR RRyR RRR"),
    # cases and the platform's own money
    Rule("refunds_unsettled", "GET", "/v1/refunds/unsettled", "AR RR RR yyyy yyy"),
    Rule("refunds_campaigns", "GET", "/v1/refunds/campaigns", "AR RR RR yyyy yyy"),
    Rule("transparency_refunds", "GET", "/v1/transparency/refunds", "yy yy yy yyyy yyy"),
    Rule("cases_list", "GET", "/v1/cases", "AR RR RR yyyy yyy"),
    Rule("resolve_case", "POST", "/v1/cases/{case_id}/resolution", "AC RR RR RRyR RRR"),
    Rule("top_up_float", "POST", "/v1/float/top-ups", "AC RR RR yRyR RRR"),
    Rule("staff_overview", "GET", "/v1/staff/overview", "AR RR RR yyyy yyy"),
    # the audit records
    Rule("audit_list", "GET", "/v1/audit", "AR RR RR RRyR yyR"),
    Rule("audit_export", "GET", "/v1/audit/export", "AR RR RR RRyR yyR"),
    # operations
    Rule("operations_read", "GET", "/v1/operations/{operation_id}", "Ay yN NN yyyy yyy"),
    Rule("operations_list", "GET", "/v1/operations", "Ay ye ee yyyy yyy"),
    # machines
    Rule("stripe_webhook", "POST", "/v1/webhooks/stripe", "MM MM MM MMMM MMM"),
    Rule("csp_report", "POST", "/v1/csp-reports", "yC yy yy yyyy yyy"),
    Rule("problems_list", "GET", "/v1/problems", "yy yy yy yyyy yyy"),
    Rule("healthz", "GET", "/healthz", "yy yy yy yyyy yyy"),
    Rule("readyz", "GET", "/readyz", "yy yy yy yyyy yyy"),
    Rule("version", "GET", "/version", "yy yy yy yyyy yyy"),
    Rule("openapi", "GET", "/openapi.json", "yy yy yy yyyy yyy"),
    Rule("reference", "GET", "/reference", "yy yy yy yyyy yyy"),
    Rule("problem_catalogue", "GET", "/problems", "yy yy yy yyyy yyy"),
    Rule("problem_page", "GET", "/problems/{code}", "yy yy yy yyyy yyy"),
    Rule("site", "GET", "/{path:path}", "yy yy yy yyyy yyy"),
)
POLICY: dict[str, Rule] = {rule.operation: rule for rule in RULES}
"""Operation → its rule."""

STAFF_PEOPLE = frozenset(person for person in ROLE_OF if person not in tuple(ROLE_OF)[:6])

SEEN_BY: dict[tuple[str, str], frozenset[str]] = {
    ("member_invitations_list", "/left"): frozenset({"foreign_page", "owner", "other_participant"}),
    ("campaigns_read", "/staff"): STAFF_PEOPLE,
    ("campaign_commitments", "/data/*/amount"): STAFF_PEOPLE,
    ("campaign_issues", "/data/*/description"): STAFF_PEOPLE,
}
"""Operation and field → who sees a value there; everybody else who is answered sees `null`. Every other described field
is for all who are answered. `*` stands for each member of a list."""


def may(role: str, operation: str) -> bool:
    """Whether a role may ask an operation. Raises KeyError for an operation that is not in the table."""
    return role in POLICY[operation].roles
