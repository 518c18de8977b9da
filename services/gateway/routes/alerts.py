"""A participant's alert rules: what to be told of by mail. Whether a rule comes true is decided elsewhere."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from contracts.alerts import RemoveAlertRule, SetAlertRule, campaign_of
from contracts.envelope import Command
from contracts.errors import Rejected
from services.gateway.auth.identity import Identity
from services.gateway.auth.requests import allowed
from services.gateway.domain.operation import Operation, Outcome
from services.gateway.parts import Gateway, gateway_of
from services.gateway.routes.acting import asked
from services.gateway.routes.reading import read_body
from services.gateway.routes.replying import Present, list_answer, perform
from services.gateway.schemas.answers_kit import AlertRuleBody, AlertRuleList, AlertRuleView
from services.gateway.schemas.bodies import EmptyBody
from services.gateway.schemas.describing import act, answers
from services.gateway.schemas.views import alert_rule_view
from services.gateway.store.read_alerts import own_alert, own_alerts

router = APIRouter(prefix="/v1/me/alerts", tags=["participant kit"])


@router.get(
    "",
    operation_id="alerts_list",
    summary="Your alert rules",
    responses=answers(AlertRuleList, 401, 403),
)
async def alerts_list(request: Request) -> Response:
    """Those that wait first, then the newest that are over; without those that you removed."""
    identity = await allowed(request, "alerts_list")
    return list_answer(await own_alerts(gateway_of(request).reads, identity.subject_id), alert_rule_view)


@router.post("", summary="Set an alert rule", **act("set_alert_rule", AlertRuleBody, AlertRuleView))
async def set_alert_rule(request: Request) -> Response:
    """You get a mail when it comes true: once for a rule about a campaign, once for each refund otherwise. What is so
    already is refused (`alert_true_already`). A rule about a campaign is over with the campaign."""
    identity, gateway = await allowed(request, "set_alert_rule"), gateway_of(request)
    body = await read_body(request, AlertRuleBody)
    campaign_id = campaign_of(body.rule)
    if campaign_id is not None:
        await gateway.visibility.check(campaign_id, identity)

    def commands(operation: Operation) -> list[Command]:
        return [SetAlertRule(participant_id=identity.subject_id, rule_id=operation.resource_id, rule=body.rule)]

    wanted = asked(request, identity, "set_alert_rule", body, commands, campaign_id=campaign_id)
    return await perform(request, wanted, _present(gateway, identity, wanted.created_id))


@router.post(
    "/{rule_id}/removal",
    summary="Remove one of your alert rules",
    **act("remove_alert_rule", EmptyBody, AlertRuleView),
)
async def remove_alert_rule(request: Request, rule_id: UUID) -> Response:
    """A rule that waits; one that is over stays in the list as what was."""
    identity, gateway = await allowed(request, "remove_alert_rule"), gateway_of(request)
    body = await read_body(request, EmptyBody)
    row = await own_alert(gateway.reads, identity.subject_id, rule_id)
    if row is None:
        raise Rejected("not_found")
    command = RemoveAlertRule(participant_id=identity.subject_id, rule_id=rule_id)
    wanted = asked(
        request, identity, "remove_alert_rule", body,
        lambda _: [command], resource_id=rule_id, campaign_id=row["campaign_id"],
    )  # fmt: skip
    return await perform(request, wanted, _present(gateway, identity, rule_id))


def _present(gateway: Gateway, identity: Identity, rule_id: UUID) -> Present:
    async def present(_: Outcome) -> dict[str, Any]:
        row = await own_alert(gateway.reads, identity.subject_id, rule_id)
        if row is None:
            raise Rejected("not_found")
        return alert_rule_view(row)

    return present
