"""Tell a person's own notices to that person, and to nobody else."""

from __future__ import annotations

from contracts.errors import Rejected
from contracts.notices import Notice, NoticesTold, TellNotices
from services.kit.work import Work
from services.notifications.store.messages import notices_of


async def tell_notices(work: Work, message: TellNotices) -> None:
    """Answer a question. Raises Rejected(not_allowed) when somebody asks about another person."""
    if work.actor.id != str(message.participant_id):
        raise Rejected("not_allowed")
    rows = await notices_of(work.connection, message.participant_id, rows_max=message.limit + 1)
    work.reply(
        NoticesTold(
            question_id=work.cause.id,
            participant_id=message.participant_id,
            notices=tuple(Notice(**row._mapping) for row in rows[: message.limit]),
            more=len(rows) > message.limit,
        )
    )
