"""Decide a reported fault: upheld (escrow refunds the participant) or rejected. A decision is final."""

from __future__ import annotations

from contracts.errors import Rejected
from contracts.suppliers import DecideIssue, IssueDecided
from services.kit.work import Work
from services.suppliers.domain.roles import ISSUE_DECIDER_ROLES, require_role
from services.suppliers.store.records import records
from services.suppliers.usecases.find_campaign import campaign_of_command
from services.suppliers.usecases.judge_fulfillment import judge_again


async def decide_issue(work: Work, command: DecideIssue) -> None:
    """Decide. Refuses `not_allowed`, `issue_unknown`, `issue_decided`."""
    require_role(work.actor, ISSUE_DECIDER_ROLES)
    campaign = await campaign_of_command(work, command.campaign_id, code="issue_unknown")
    issue = await records(work).issue(command.issue_id)
    if issue is None or issue.campaign_id != campaign.campaign_id:
        raise Rejected("issue_unknown")
    if issue.state != "open":
        raise Rejected("issue_decided", verdict=issue.state)
    issue.state = command.verdict
    issue.decided_at = work.now
    issue.decided_by = work.actor.id
    issue.reason = command.reason
    work.audit(
        "issue.decided",
        scope=command.scope,
        subject=str(command.issue_id),
        before={"state": "open"},
        after={"state": command.verdict},
        reason=command.reason,
    )
    work.publish(
        IssueDecided(
            campaign_id=issue.campaign_id,
            commitment_id=issue.commitment_id,
            participant_id=issue.participant_id,
            issue_id=issue.issue_id,
            verdict=command.verdict,
        )
    )
    await judge_again(work, campaign)
