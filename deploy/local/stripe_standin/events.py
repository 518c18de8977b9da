"""The list of events, for whoever missed a webhook.

Owns reading and filtering events; they are written where the change happens, in ``core``. An event
shows its object as it was then. It records only the types in ``settings.EVENT_TYPES``.
"""

from __future__ import annotations

from deploy.local.stripe_standin import settings
from deploy.local.stripe_standin.core import Call, Standin
from deploy.local.stripe_standin.errors import invalid
from deploy.local.stripe_standin.lists import list_objects
from deploy.local.stripe_standin.store import Facts


def list_events(standin: Standin, call: Call) -> Facts:
    """GET /v1/events by ``type`` (``refund.*`` works) or ``types``."""
    params = call.params
    single, several = params.text("type"), params.texts("types")
    if single and several:
        raise invalid("Give type or types, not both.", param="types")
    if single and single.endswith(".*"):
        several = [name for name in settings.EVENT_TYPES if name.startswith(single[:-1])]
        several = several or [single]
    elif single:
        several = [single]
    return list_objects(standin, call, "event", {"type": several or None})
