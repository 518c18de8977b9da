"""Messages that every service has, one class per service: refused commands, cases, requests to send events again.

The kit finds them by type (`<service>.case_opened.v1`), so a service gains them by being listed here.
"""

from __future__ import annotations

from typing import ClassVar

from contracts.common import CaseClosedShape, CaseOpenedShape, CommandRefusedShape, RepublishEventsShape
from contracts.envelope import register


@register
class CampaignsCommandRefused(CommandRefusedShape):
    """The campaigns service refused a command."""

    type: ClassVar[str] = "campaigns.command_refused.v1"
    service: ClassVar[str] = "campaigns"


@register
class CampaignsCaseOpened(CaseOpenedShape):
    """The campaigns service opened a case."""

    type: ClassVar[str] = "campaigns.case_opened.v1"
    service: ClassVar[str] = "campaigns"


@register
class CampaignsCaseClosed(CaseClosedShape):
    """The campaigns service closed a case."""

    type: ClassVar[str] = "campaigns.case_closed.v1"
    service: ClassVar[str] = "campaigns"


@register
class CampaignsRepublishEvents(RepublishEventsShape):
    """Ask the campaigns service to send kept events of one stream again."""

    type: ClassVar[str] = "campaigns.republish_events.v1"
    service: ClassVar[str] = "campaigns"


@register
class EscrowCommandRefused(CommandRefusedShape):
    """The escrow service refused a command."""

    type: ClassVar[str] = "escrow.command_refused.v1"
    service: ClassVar[str] = "escrow"


@register
class EscrowCaseOpened(CaseOpenedShape):
    """The escrow service opened a case."""

    type: ClassVar[str] = "escrow.case_opened.v1"
    service: ClassVar[str] = "escrow"


@register
class EscrowCaseClosed(CaseClosedShape):
    """The escrow service closed a case."""

    type: ClassVar[str] = "escrow.case_closed.v1"
    service: ClassVar[str] = "escrow"


@register
class EscrowRepublishEvents(RepublishEventsShape):
    """Ask the escrow service to send kept events of one stream again."""

    type: ClassVar[str] = "escrow.republish_events.v1"
    service: ClassVar[str] = "escrow"


@register
class SuppliersCommandRefused(CommandRefusedShape):
    """The suppliers service refused a command."""

    type: ClassVar[str] = "suppliers.command_refused.v1"
    service: ClassVar[str] = "suppliers"


@register
class SuppliersCaseOpened(CaseOpenedShape):
    """The suppliers service opened a case."""

    type: ClassVar[str] = "suppliers.case_opened.v1"
    service: ClassVar[str] = "suppliers"


@register
class SuppliersCaseClosed(CaseClosedShape):
    """The suppliers service closed a case."""

    type: ClassVar[str] = "suppliers.case_closed.v1"
    service: ClassVar[str] = "suppliers"


@register
class SuppliersRepublishEvents(RepublishEventsShape):
    """Ask the suppliers service to send kept events of one stream again."""

    type: ClassVar[str] = "suppliers.republish_events.v1"
    service: ClassVar[str] = "suppliers"


@register
class NotificationsCommandRefused(CommandRefusedShape):
    """The notifications service refused a command."""

    type: ClassVar[str] = "notifications.command_refused.v1"
    service: ClassVar[str] = "notifications"


@register
class NotificationsCaseOpened(CaseOpenedShape):
    """The notifications service opened a case."""

    type: ClassVar[str] = "notifications.case_opened.v1"
    service: ClassVar[str] = "notifications"


@register
class NotificationsCaseClosed(CaseClosedShape):
    """The notifications service closed a case."""

    type: ClassVar[str] = "notifications.case_closed.v1"
    service: ClassVar[str] = "notifications"


@register
class NotificationsRepublishEvents(RepublishEventsShape):
    """Ask the notifications service to send kept events of one stream again."""

    type: ClassVar[str] = "notifications.republish_events.v1"
    service: ClassVar[str] = "notifications"
