"""Report a fault of a delivered commitment inside its inspection. The person's words stay with the gateway."""

from __future__ import annotations

import hashlib

from contracts.errors import Rejected
from contracts.suppliers import IssueReported, ReportIssue
from services.kit.work import Work
from services.suppliers.domain.fulfillment import ReportArrivedLate, judge_report
from services.suppliers.domain.phases import Phase
from services.suppliers.domain.roles import PARTICIPANT_ROLES, require_role
from services.suppliers.store.records import records
from services.suppliers.store.tables import Campaign, Commitment, Issue
from services.suppliers.usecases.find_campaign import campaign_of_command

REPORT_ARRIVED_LATE = "report_arrived_late"


async def report_issue(work: Work, command: ReportIssue) -> None:
    """Keep the report. Refuses `not_allowed`, `commitment_unknown`, `inspection_not_open`, `arrived_late`,
    `validation_failed` (the id is another report's). The same report again changes nothing."""
    require_role(work.actor, PARTICIPANT_ROLES)
    campaign = await campaign_of_command(work, command.campaign_id, code="commitment_unknown")
    commitment = await records(work).commitment(command.commitment_id)
    if (
        commitment is None
        or commitment.campaign_id != campaign.campaign_id
        or commitment.participant_id != command.participant_id
    ):
        raise Rejected("commitment_unknown")
    digest = command.description_digest or hashlib.sha256(command.description.encode()).hexdigest()
    known = await records(work).issue(command.issue_id)
    if known is not None:
        if known.commitment_id == command.commitment_id and known.description_digest == digest:
            return
        raise Rejected("validation_failed", field="issue_id")
    try:
        _judge(work, campaign, commitment)
    except ReportArrivedLate as late:
        _refuse_as_late(work, late, command)
        return
    _keep(work, command, digest)


def _judge(work: Work, campaign: Campaign, commitment: Commitment) -> None:
    phase = Phase(campaign.phase)
    if phase is Phase.CLOSED:
        raise Rejected("inspection_not_open")
    judge_report(
        inspection_until=commitment.inspection_until,
        received_at=work.received_at,
        verdict_told=phase in (Phase.INSPECTED, Phase.COMPLETED),
    )


def _keep(work: Work, command: ReportIssue, digest: str) -> None:
    records(work).add_issue(
        Issue(
            issue_id=command.issue_id,
            campaign_id=command.campaign_id,
            commitment_id=command.commitment_id,
            participant_id=command.participant_id,
            description_digest=digest,
            photo_digests=list(command.photo_digests),
            state="open",
            received_at=work.received_at,
            reported_at=work.now,
        )
    )
    work.audit(
        "issue.reported",
        scope=command.scope,
        subject=str(command.issue_id),
        before=None,
        after={"state": "open", "commitment_id": str(command.commitment_id)},
    )
    work.publish(
        IssueReported(
            campaign_id=command.campaign_id,
            commitment_id=command.commitment_id,
            participant_id=command.participant_id,
            issue_id=command.issue_id,
            description_digest=digest,
        )
    )


def _refuse_as_late(work: Work, late: ReportArrivedLate, command: ReportIssue) -> None:
    """The verdict did not count a report that was made in time. The case holds the campaign's release until a person
    has looked at it: in doubt the participant is right."""
    work.refuse(late, subject_id=str(command.issue_id))
    work.open_case(
        REPORT_ARRIVED_LATE,
        scope=command.scope,
        subject=str(command.commitment_id),
        severity="critical",
        blocking=True,
        facts={"issue_id": command.issue_id, "received_at": work.received_at},
    )
