"""I21 and the steps of I12: every change of a state has its audit record, and the records tell one unbroken story.

For each kind of thing with a state its records are laid end to end: each begins where the one before it ended, the last
one ends where the row stands, and each step is one that the service's own table of steps allows. So a change without a
record is found whoever made it, by whatever statement. What it cannot see is a change that was taken back by a second
one without a record either.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from deploy.audit.findings import Finding, Findings
from deploy.audit.snapshot import SEQUENCE, Snapshot, rows, stream
from services.campaigns.domain.commitments import MOVES
from services.campaigns.domain.transitions import TRANSITIONS
from services.escrow.domain.payments import payment_state_after
from services.suppliers.domain.phases import STEPS

Step = tuple[str | None, str]


@dataclass(frozen=True, slots=True)
class Kept:
    """A kind of thing with a state. `begins` is the state of a new row that has no record of its own; None when its
    making is recorded. `actions` is a pattern of its records' actions; `steps` what is allowed, empty when only the
    records' unbroken sequence is judged."""

    service: str
    table: str
    key: str
    actions: str
    begins: str | None = None
    column: str = "state"
    word: str = "state"
    steps: frozenset[Step] = frozenset()


def _campaign_steps() -> Iterable[Step]:
    # The author may write the draft again as often as he likes.
    yield from ((None, "DRAFT"), ("DRAFT", "DRAFT"))
    for transition in TRANSITIONS:
        yield from ((source, transition.target) for source in transition.sources)


def _payment_steps() -> Iterable[Step]:
    # A payment that was never called, or whose decline is told by the call's answer, ends from its beginning.
    states = ("started", "action_required", "processing", "declined", "canceled", "succeeded")
    for before in states:
        for told in ("succeeded", "requires_action", "processing", "canceled", "failed"):
            after = payment_state_after(before, told)  # type: ignore[arg-type]
            if after is not None:
                yield before, after


KEPT: tuple[Kept, ...] = (
    Kept("campaigns", "campaign", "campaign_id", "^campaign[.]", steps=frozenset(_campaign_steps())),
    Kept(
        "campaigns",
        "commitment",
        "commitment_id",
        "^commitment[.]",
        steps=frozenset({(None, "PENDING_FUNDS"), *((move.source, move.target) for move in MOVES)}),
    ),
    Kept(
        "escrow",
        "reservation",
        "commitment_id",
        "^escrow[.](funds[.]held|reservation[.]|refund[.]decided)",
        begins="open",
    ),
    Kept(
        "escrow",
        "payment",
        "payment_id",
        "^escrow[.]payment[.]",
        begins="started",
        steps=frozenset(_payment_steps()),
    ),
    Kept("escrow", "refund_decision", "decision_id", "^escrow[.]refund[.]moved", begins="decided"),
    Kept("escrow", "clearing_plan", "plan_id", "^escrow[.]plan[.]"),
    Kept("escrow", "top_up", "top_up_id", "^escrow[.]float[.](topped_up|failed)", begins="recorded"),
    Kept("suppliers", "invitation", "invitation_id", "^invitation[.]"),
    Kept(
        "suppliers",
        "campaign",
        "campaign_id",
        "^campaign[.]phase",
        begins="joining",
        column="phase",
        word="phase",
        steps=frozenset((str(before), str(after)) for before, following in STEPS.items() for after in following),
    ),
    Kept("suppliers", "issue", "issue_id", "^issue[.]"),
)
"""Everything with a state, by service; a table with such a column that is missing here fails a test."""

_BROKEN = """
    WITH told AS (
        SELECT id, scope, subject, action, before->>CAST(:word AS text) AS was, after->>CAST(:word AS text) AS now,
            lag(after->>CAST(:word AS text), 1, CAST(:begins AS text)) OVER story AS last
        FROM audit_entry
        WHERE action ~ :actions AND jsonb_exists(after, CAST(:word AS text))
        WINDOW story AS (PARTITION BY subject ORDER BY id)
    )
    SELECT 'an audit record does not begin where the one before it ended' AS what, scope, subject,
        jsonb_build_object('record', id, 'action', action, 'begins', was, 'before_it', last) AS facts
    FROM told
    WHERE was IS DISTINCT FROM last
"""
_UNTOLD = """
    WITH told AS (
        SELECT DISTINCT ON (subject) subject, after->>CAST(:word AS text) AS now
        FROM audit_entry
        WHERE action ~ :actions AND jsonb_exists(after, CAST(:word AS text))
        ORDER BY subject, id DESC
    )
    SELECT 'a state was changed without an audit record' AS what, '' AS scope, CAST(kept.{key} AS text) AS subject,
        jsonb_build_object('kind', CAST(:table AS text), 'state', kept.{column}, 'recorded', told.now) AS facts
    FROM {table} kept
    LEFT JOIN told ON told.subject = CAST(kept.{key} AS text)
    WHERE kept.{column} IS DISTINCT FROM COALESCE(told.now, CAST(:begins AS text))
"""
_STEPS = """
    SELECT before->>CAST(:word AS text) AS was, after->>CAST(:word AS text) AS now, min(scope) AS scope,
        min(subject) AS subject, count(*) AS times
    FROM audit_entry
    WHERE action ~ :actions AND jsonb_exists(after, CAST(:word AS text))
    GROUP BY 1, 2
"""
_ANONYMOUS = """
    SELECT 'an audit record does not name its actor, reason or cause' AS what, scope, subject,
        jsonb_build_object('record', id, 'action', action) AS facts
    FROM audit_entry
    WHERE actor_id = '' OR actor_role = '' OR reason IS NULL OR cause_id IS NULL
"""
_CAUSELESS = """
    SELECT 'a transfer names no cause' AS what, scope, CAST(position AS text) AS subject,
        jsonb_build_object('kind', kind) AS facts
    FROM ledger_transfer
    WHERE cause = ''
"""


async def check_records(snapshot: Snapshot, findings: Findings, service: str) -> None:
    """I21 and I12 of one service."""
    connection = snapshot.of(service)
    findings.add_rows("I21", await rows(connection, _ANONYMOUS))
    for kept in KEPT:
        if kept.service != service:
            continue
        asked = {"actions": kept.actions, "word": kept.word}
        findings.add_rows("I21", await rows(connection, _BROKEN, **asked, begins=kept.begins))
        names = {"table": kept.table, "key": kept.key, "column": kept.column}
        query = _UNTOLD.format(**names)
        findings.add_rows("I21", await rows(connection, query, **asked, begins=kept.begins, table=kept.table))
        async for row in stream(connection, _STEPS, **asked):
            if kept.steps and row.was != row.now and (row.was, row.now) not in kept.steps:
                told = {"kind": kept.table, "from": row.was, "to": row.now, "times": row.times}
                findings.add("I12", Finding("a recorded step is not in the table", row.scope, row.subject, told))
    if service == "escrow":
        findings.add_rows("I21", await rows(connection, _CAUSELESS))


def judged() -> tuple[str, ...]:
    """The services whose records are judged."""
    return tuple(service for service in SEQUENCE if any(kept.service == service for kept in KEPT))
