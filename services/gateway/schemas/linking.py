"""Where an answer leads: links of the interface description, from what an answer names to the operations that take it.

A developer sees from them how the parts hang together, and the tests that explore the interface follow them. They hold
no authority: whether somebody may follow one is the policy's question.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_ONE = "$response.body#/id"
_FIRST = "$response.body#/data/0/id"
_COMMITMENT_ID = "$response.body#/commitment_id"

_CAMPAIGN = (
    "campaigns_read",
    "campaigns_progress",
    "campaign_checkpoints",
    "campaign_clearing_plans",
    "campaign_commitments",
    "campaign_delivery_addresses",
    "campaign_escrow",
    "campaign_escrow_export",
    "campaign_escrow_transfers",
    "campaign_fees",
    "campaign_issues",
    "supplier_statement",
    "commit_funds",
    "revise_draft",
    "submit_campaign",
    "review_campaign",
    "sign_off_failure",
    "submit_clearing_plan",
    "record_dispatch",
    "record_delivery",
)
_COMMITMENT = (
    "commitments_read",
    "commitments_delivery_address",
    "commitment_proof",
    "commitment_record",
    "my_money",
    "refund_record",
    "pay_commitment",
    "withdraw_commitment",
    "report_issue",
)
_ADDRESS = ("addresses_read", "addresses_change", "addresses_remove")
_INVITATION = ("accept_invitation", "decline_invitation")
_ALERT = ("remove_alert_rule",)
_PASSKEY = ("passkeys_name", "passkeys_remove")
_PLAN = ("clearing_plans_read", "clearing_plan_lines", "approve_clearing_plan", "take_plan_back", "retry_plan_transfer")
_DISPUTE = ("disputes_read", "dispute_evidence", "dispute_evidence_file", "prepare_evidence", "submit_evidence")
_OF_CAMPAIGN = ("campaign_id", "$response.body#/campaign_id", ("campaigns_read", "campaign_escrow", "campaign_fees"))

Link = tuple[str, str, tuple[str, ...]]
LINKS: dict[str, tuple[Link, ...]] = {
    "AccessTokenList": (("token_id", _FIRST, ("end_access_token",)),),
    "AddressList": (("address_id", _FIRST, _ADDRESS),),
    "AddressView": (("address_id", _ONE, _ADDRESS),),
    "AlertRuleList": (("rule_id", _FIRST, _ALERT),),
    "AlertRuleView": (("rule_id", _ONE, _ALERT),),
    "CampaignList": (("campaign_id", _FIRST, _CAMPAIGN),),
    "CampaignView": (("campaign_id", _ONE, _CAMPAIGN),),
    "CaseList": (("case_id", _FIRST, ("resolve_case",)),),
    "CaseView": (("case_id", _ONE, ("resolve_case",)),),
    "CommitmentList": (("commitment_id", _FIRST, _COMMITMENT),),
    "CommitmentRowList": (("commitment_id", _FIRST, ("commitments_read",)),),
    "CommitmentView": (("commitment_id", _ONE, _COMMITMENT), _OF_CAMPAIGN),
    "DisputeList": (("dispute_id", _FIRST, _DISPUTE),),
    "DisputeView": (("dispute_id", _ONE, _DISPUTE), ("commitment_id", _COMMITMENT_ID, ("commitments_read",))),
    "InvitationList": (("invitation_id", _FIRST, _INVITATION),),
    "IssueList": (("issue_id", _FIRST, ("decide_issue",)),),
    "IssueView": (("issue_id", _ONE, ("decide_issue",)),),
    "MemberInvitationIssued": (("member_invitation_id", _ONE, ("member_invitations_revoke",)),),
    "MemberInvitationList": (("member_invitation_id", _FIRST, ("member_invitations_revoke",)),),
    "MoneyStoryView": (
        _OF_CAMPAIGN,
        ("commitment_id", _COMMITMENT_ID, ("commitments_read", "commitment_record", "my_money_export")),
    ),
    "NewAccessTokenView": (("token_id", _ONE, ("end_access_token",)),),
    "OperationList": (("operation_id", _FIRST, ("operations_read",)),),
    "OperationView": (("operation_id", _ONE, ("operations_read",)),),
    "PlanList": (("plan_id", _FIRST, _PLAN),),
    "PlanView": (("plan_id", _ONE, _PLAN), _OF_CAMPAIGN),
    "SecurityView": (("passkey_id", "$response.body#/passkeys/0/id", _PASSKEY),),
    "SessionList": (("session_id", _FIRST, ("sessions_end",)),),
}
"""Name of an answer's model → links: the parameter that one fills, where in the answer the value stands, the operations."""


def links_of(response: Json, *, known: frozenset[str]) -> Json:
    """The links of one described answer, for operations that are `known`."""
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    return {
        operation: {"operationId": operation, "parameters": {parameter: place}}
        for parameter, place, operations in LINKS.get(str(schema.get("$ref", "")).rsplit("/", 1)[-1], ())
        for operation in operations
        if operation in known
    }
