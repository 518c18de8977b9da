"""Cases of other services, as every service keeps them: which scopes are frozen by an open blocking case."""

from __future__ import annotations

from contracts.common import CaseClosedShape, CaseOpenedShape
from contracts.envelope import Message
from services.kit.database import sql
from services.kit.flush import freeze
from services.kit.work import Work


def is_case_event(message: Message) -> bool:
    """Whether the message tells of a case."""
    return isinstance(message, (CaseOpenedShape, CaseClosedShape))


async def apply_case_event(work: Work, message: Message) -> None:
    """Freeze or unfreeze the scope of a blocking case."""
    if isinstance(message, CaseOpenedShape) and message.blocking:
        await freeze(work.connection, message.case_id, message.scope_id, work.cause.source)
        work.set_frozen(message.scope_id, frozen=True)
    elif isinstance(message, CaseClosedShape) and message.blocking:
        await work.connection.execute(
            sql("DELETE FROM frozen_scope WHERE case_id = :case_id"), {"case_id": message.case_id}
        )
        left = (
            await work.connection.execute(
                sql("SELECT EXISTS (SELECT FROM frozen_scope WHERE scope = :scope)"), {"scope": message.scope_id}
            )
        ).scalar_one()
        work.set_frozen(message.scope_id, frozen=bool(left))
