"""Where an answer leads: links of the interface description, from what an answer names to the operations that take it.

A developer sees from them how the parts hang together, and the tests that explore the interface follow them. They hold
no authority: whether somebody may follow one is the policy's question.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_ONE = "$response.body#/id"
_FIRST = "$response.body#/data/0/id"

_CAMPAIGN = (
    "campaigns_read",
    "campaign_commitments",
    "campaign_issues",
    "campaign_clearing_plans",
    "commit_funds",
    "revise_draft",
    "submit_campaign",
    "review_campaign",
)
_COMMITMENT = (
    "commitments_read",
    "commitments_delivery_address",
    "pay_commitment",
    "withdraw_commitment",
    "report_issue",
)
_ADDRESS = ("addresses_read", "addresses_change", "addresses_remove")
_INVITATION = ("accept_invitation", "decline_invitation")
_ALERT = ("remove_alert_rule",)
_PLAN = ("clearing_plans_read", "clearing_plan_lines", "approve_clearing_plan", "take_plan_back", "retry_plan_transfer")
_DISPUTE = ("disputes_read", "dispute_evidence", "prepare_evidence", "submit_evidence")

LINKS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "AddressView": ("address_id", _ONE, _ADDRESS),
    "AddressList": ("address_id", _FIRST, _ADDRESS),
    "OperationView": ("operation_id", _ONE, ("operations_read",)),
    "CampaignView": ("campaign_id", _ONE, _CAMPAIGN),
    "CampaignList": ("campaign_id", _FIRST, _CAMPAIGN),
    "CommitmentView": ("commitment_id", _ONE, _COMMITMENT),
    "CommitmentList": ("commitment_id", _FIRST, _COMMITMENT),
    "CommitmentRowList": ("commitment_id", _FIRST, ("commitments_read",)),
    "IssueView": ("issue_id", _ONE, ("decide_issue",)),
    "IssueList": ("issue_id", _FIRST, ("decide_issue",)),
    "InvitationList": ("invitation_id", _FIRST, _INVITATION),
    "DisputeView": ("dispute_id", _ONE, _DISPUTE),
    "DisputeList": ("dispute_id", _FIRST, _DISPUTE),
    "AlertRuleView": ("rule_id", _ONE, _ALERT),
    "AlertRuleList": ("rule_id", _FIRST, _ALERT),
    "PlanView": ("plan_id", _ONE, _PLAN),
    "PlanList": ("plan_id", _FIRST, _PLAN),
}
"""Name of an answer's model → the parameter that it fills, where in the answer the value stands, the operations."""


def links_of(response: Json, *, known: frozenset[str]) -> Json:
    """The links of one described answer, for operations that are `known`."""
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    found = LINKS.get(str(schema.get("$ref", "")).rsplit("/", 1)[-1])
    if found is None:
        return {}
    parameter, place, operations = found
    return {
        operation: {"operationId": operation, "parameters": {parameter: place}}
        for operation in operations
        if operation in known
    }
