"""Stripe's lists: newest first, cursors, filters on creation time.

Owns pagination. Lists are consistent at once, unlike Stripe's Search. It cannot sort by anything
but the sequence of creation, and neither can Stripe.
"""

from __future__ import annotations

from deploy.local.stripe_standin import settings
from deploy.local.stripe_standin.core import Call, Standin
from deploy.local.stripe_standin.errors import StripeError, missing
from deploy.local.stripe_standin.forms import Params
from deploy.local.stripe_standin.store import Facts

_NO_LIMIT = 1 << 60


def created_bounds(standin: Standin, kind: str, params: Params) -> tuple[int, int]:
    """Row numbers just outside the wanted span of creation times."""
    above, below = 0, _NO_LIMIT
    if not isinstance(params.tree.get("created"), dict):
        exact = params.integer("created")
        if exact is None:
            return above, below
        first, after = (standin.store.first_since(kind, moment) for moment in (exact, exact + 1))
        return first - 1, after
    span = params.group("created")
    if span is None:
        return above, below
    for name, later in (("gte", 0), ("gt", 1)):
        moment = span.integer(name)
        if moment is not None:
            above = max(above, standin.store.first_since(kind, moment + later) - 1)
    for name, later in (("lt", 0), ("lte", 1)):
        moment = span.integer(name)
        if moment is not None:
            below = min(below, standin.store.first_since(kind, moment + later))
    span.finish()
    return above, below


def _cursor(standin: Standin, kind: str, params: Params, name: str) -> int | None:
    object_id = params.text(name)
    if object_id is None:
        return None
    number = standin.store.row_number(kind, object_id)
    if number is None:
        raise missing(kind, object_id, param=name, status=400)
    return number


def list_objects(standin: Standin, call: Call, kind: str, filters: dict[str, list[str] | None]) -> Facts:
    """One page; ``filters`` holds the columns wanted and None for those not asked for."""
    params = call.params
    limit = params.integer("limit", minimum=1) or settings.PAGE_DEFAULT
    if limit > settings.PAGE_MAX:
        raise StripeError(f"This value must be at most {settings.PAGE_MAX}.", param="limit")
    above, below = created_bounds(standin, kind, params)
    after = _cursor(standin, kind, params, "starting_after")
    before = _cursor(standin, kind, params, "ending_before")
    params.finish()
    if after is not None and before is not None:
        raise StripeError("You cannot parameterize both starting_after and ending_before.")
    if after is not None:
        below = min(below, after)
    if before is not None:
        above = max(above, before)
    rows = standin.store.page(
        kind,
        filters={name: values for name, values in filters.items() if values},
        above=above,
        below=below,
        limit=limit + 1,
        oldest_first=before is not None,
    )
    page = rows[:limit]
    if before is not None:
        page.reverse()
    return {
        "object": "list",
        "data": [standin.show(kind, facts) for facts in page],
        "has_more": len(rows) > limit,
        "url": call.path,
    }


def one(value: str | None) -> list[str] | None:
    """A filter on a single value, or none at all."""
    return None if value is None else [value]
