"""Gather everything that the platform keeps of one person, for that person.

The gateway reads its own tables and the read model; the notices are asked of the service that keeps them. A part that
cannot be had is no reason to leave it out silently: the whole answer is refused then, unless only other parts were asked
for. Every part has a bound, and the answer says where one cut something off.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Literal, get_args
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from contracts.errors import Rejected
from contracts.notices import NOTICES_MAX, NoticesTold, TellNotices
from services.gateway.auth.identity import Identity
from services.gateway.auth.person_keys import contact_of
from services.gateway.schemas.views import commitment_view, issue_view
from services.gateway.settings import GatewaySettings
from services.gateway.store import read_person
from services.gateway.store.cursors import LIMIT_MAX, Page
from services.gateway.store.read_commitments import own_commitments
from services.gateway.store.read_model import ReadModel, Row
from services.gateway.usecases.ask_services import Questions, answered, put_questions

Section = Literal[
    "account",
    "commitments",
    "consents",
    "issues",
    "acts",
    "sessions",
    "passkeys",
    "invitations",
    "access_tokens",
    "notices",
]
_OWN_ROWS: dict[Section, Callable[[AsyncConnection, UUID], Awaitable[Sequence[Any]]]] = {
    "sessions": read_person.own_sessions,
    "passkeys": read_person.own_passkeys,
    "invitations": read_person.own_invitations,
    "access_tokens": read_person.own_tokens,
    "acts": read_person.own_acts,
}
SECTIONS: tuple[Section, ...] = get_args(Section)
PAGES_MAX = 50
_COMMITMENTS_MAX = PAGES_MAX * LIMIT_MAX
_ROWS_MAX: dict[Section, int] = {
    "account": 1,
    "commitments": _COMMITMENTS_MAX,
    "consents": _COMMITMENTS_MAX,
    "notices": NOTICES_MAX,
}


@dataclass(frozen=True, slots=True)
class Gathered:
    """The asked parts by name, None for the others; and of each asked part whether all of it is there, and how many
    rows it can have at most."""

    parts: Mapping[str, Any]
    completeness: Mapping[str, Mapping[str, Any]]


class OwnData:
    """Gathers. One per process."""

    def __init__(  # noqa: PLR0913 - the parts it gathers from
        self,
        engine: AsyncEngine,
        reads: ReadModel,
        key: Ed25519PrivateKey,
        settings: GatewaySettings,
        questions: Questions,
        *,
        kick: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._reads = reads
        self._key = key
        self._settings = settings
        self._questions = questions
        self._kick = kick

    async def gather(self, identity: Identity, sections: Sequence[Section]) -> Gathered:
        """The asked parts. Raises Rejected: clock_moving, service_unavailable."""
        found: dict[str, Any] = dict.fromkeys(SECTIONS)
        subject_id, more_notices = identity.subject_id, False
        if "notices" in sections:
            found["notices"], more_notices = await self._notices(identity)
        async with self._engine.connect() as connection:
            if "account" in sections:
                account = await read_person.own_account(connection, subject_id)
                own_key = self._settings.people_key_gateway.get_secret_value()
                contact = await contact_of(connection, own_key, subject_id)
                found["account"] = dict(account._mapping) | {"email": contact.get("email")}
            for section, rows_of in _OWN_ROWS.items():
                if section in sections:
                    found[section] = _plain(await rows_of(connection, subject_id))
        if "issues" in sections:
            rows = await read_person.own_issues(self._reads, subject_id)
            found["issues"] = [issue_view(row, with_text=True) for row in rows]
        if {"commitments", "consents"} & set(sections):
            commitments = await self._commitments(subject_id)
            if "commitments" in sections:
                found["commitments"] = [commitment_view(row, redirect_url=None) for row in commitments]
            if "consents" in sections:
                found["consents"] = [_consent(row) for row in commitments]
        return _bounded(found, more={"notices"} if more_notices else set())

    async def _commitments(self, subject_id: UUID) -> list[Row]:
        rows: list[Row] = []
        after = Page(LIMIT_MAX)
        for _ in range(PAGES_MAX):
            part = await own_commitments(self._reads, subject_id, state=None, campaign_id=None, page=after)
            rows += part[:LIMIT_MAX]
            if len(part) <= LIMIT_MAX:
                break
            after = Page(LIMIT_MAX, rows[-1]["created_at"], rows[-1]["id"])
        else:
            rows += part[LIMIT_MAX:]
        return rows

    async def _notices(self, identity: Identity) -> tuple[list[dict[str, Any]], bool]:
        question_id = uuid4()
        with self._questions.waiting([question_id]) as futures:
            async with self._engine.begin() as connection:
                question = TellNotices(participant_id=identity.subject_id, limit=NOTICES_MAX)
                await put_questions(
                    connection, self._key, {question_id: question}, identity, correlation_id=question_id
                )
            self._kick()
            if await answered(futures):
                raise Rejected("service_unavailable", silent=["notifications"])
            answer: NoticesTold = futures[question_id].result()
        return [notice.model_dump() for notice in answer.notices], answer.more


def _bounded(found: Mapping[str, Any], *, more: AbstractSet[str]) -> Gathered:
    """Cut every part at its bound, and say where that was done. `more`: parts that were cut where they come from."""
    parts, completeness = dict(found), dict[str, Mapping[str, Any]]()
    for section in SECTIONS:
        rows, bound = found[section], _ROWS_MAX.get(section, read_person.ROWS_MAX)
        if rows is None:
            continue
        if isinstance(rows, list):
            parts[section] = rows[:bound]
        whole = not isinstance(rows, list) or len(rows) <= bound
        completeness[section] = {"complete": whole and section not in more, "rows_max": bound}
    return Gathered(parts, completeness)


def _plain(rows: Sequence[Any]) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in rows]


def _consent(row: Row) -> dict[str, Any]:
    """Joining is agreeing to one exact version of a campaign's terms."""
    return {
        "campaign_id": row["campaign_id"],
        "campaign_title": row["campaign_title"],
        "terms_hash": row["terms_hash"],
        "agreed_at": row["created_at"],
    }
