"""The audit is able to fail: a small real world is clean as it is, and each thing broken on purpose is reported."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from deploy.audit import check_records
from deploy.audit.journal import Line
from deploy.audit.run import NotQuietError, Report, run_audit
from deploy.audit.topics import KafkaTopics, Record
from tests.fixtures.infra import PARTS
from tests.integration.audit_breakages import BROKEN, LONG_AGO
from tests.integration.audit_support import (
    Recorded,
    Remembered,
    Still,
    audited,
    producing,
    rewrite_history,
    tamper,
    told,
    violated,
)
from tests.integration.audit_world import still_world


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def still(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Still]:
    async with still_world(tmp_path_factory.mktemp("audit")) as made:
        yield made


async def test_an_untouched_world_is_clean_and_was_quiet(still: Still) -> None:
    report = await audited(still.world(journal=still.live, topics=still.broker))
    answer = report.answer()
    assert violated(report) == {}, {name: entry["examples"] for name, entry in answer["invariants"].items()}
    assert answer["clean"] is True
    assert answer["quiet"]["noise"] == []
    assert (answer["counts"]["campaigns"], answer["counts"]["records"]) == (3, len(still.records))
    assert answer["counts"]["payment_facts"] == len(still.journal.money) > 10
    assert json.dumps(answer)


# -- one database, changed past every guard ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", BROKEN)
async def test_what_is_broken_in_a_database_is_reported(still: Still, name: str) -> None:
    invariant, service, statements = BROKEN[name]
    scopes = {"completed": str(still.completed), "closed": str(still.closed), "opened": str(still.opened)}
    report = await audited(await still.broken(service, *statements, **scopes))
    assert invariant in violated(report), report.answer()
    assert told(report, invariant)
    assert not report.findings.clean


async def test_a_hash_other_than_the_one_that_was_told_is_reported(still: Still) -> None:
    """Somebody who rewrites a whole chain cannot take back what has left the database."""
    last = [record for record in still.records if b'"transfers":[' in (record.body or b"")][-1]
    body = json.loads(last.body or b"{}")
    body["transfers"][-1]["hash"] = "f" * 64
    other = dataclasses.replace(last, body=json.dumps(body).encode())
    records = [other if record is last else record for record in still.records]
    report = await audited(still.world(topics=Remembered(records)))
    assert violated(report) == {"I17": 1}
    assert told(report, "I17") == ["a transfer's hash is not the one that was told"]


# -- the ledger, changed by somebody with every right -----------------------------------------------------------------


def named(report: Report, what: str) -> list[tuple[str, str]]:
    """(scope, subject) of the findings with these words."""
    return [(each.scope, each.subject) for each in report.findings.entries["I17"].examples if each.what == what]


async def test_one_changed_row_is_found_and_named_by_its_position(still: Still) -> None:
    scope = str(still.closed)
    (row,) = await still.rows(
        "escrow", "SELECT min(position) AS position FROM ledger_transfer WHERE scope = :s AND kind = 'refund_decided'",
        s=scope,
    )  # fmt: skip
    change = "UPDATE ledger_transfer SET reason = 'cancelled' WHERE scope = :s AND position = :p"
    report = await audited(await still.broken("escrow", change, s=scope, p=row.position))
    assert named(report, "a transfer's content does not give its hash") == [(scope, str(row.position))]


async def test_a_chain_that_was_made_anew_is_named_where_it_begins_to_differ(still: Still) -> None:
    """Somebody who recomputes every hash after a change cannot take back what was told and signed."""
    scope = str(still.closed)
    name = still.copy("escrow")
    await rewrite_history(name, scope, position=2)
    report = await audited(still.world(databases={"escrow": name}))
    assert named(report, "a transfer's content does not give its hash") == []
    assert named(report, "a transfer's hash is not the one that was told") == [(scope, "2")]
    assert [each for each, _ in named(report, "a checkpoint's history is not the ledger's")] == [scope]


async def test_a_row_removed_at_the_end_is_named_though_the_head_was_put_back(still: Still) -> None:
    scope = str(still.opened)
    (row,) = await still.rows("escrow", "SELECT transfer_count AS n FROM ledger_scope WHERE scope = :s", s=scope)
    report = await audited(
        await still.broken(
            "escrow",
            "DELETE FROM ledger_entry WHERE scope = :s AND position = :n",
            "DELETE FROM ledger_transfer WHERE scope = :s AND position = :n",
            "UPDATE ledger_scope SET transfer_count = CAST(:n AS bigint) - 1, chain_head = ("
            "SELECT hash FROM ledger_transfer WHERE scope = :s AND position = CAST(:n AS bigint) - 1) WHERE scope = :s",
            s=scope,
            n=row.n,
        )
    )
    assert named(report, "a transfer is not in the ledger any more") == [(scope, str(row.n))]


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE checkpoint SET body = replace(body, 'usd', 'eur') WHERE scope = :s AND number = 2",
         "a checkpoint's signature is not its key's"),
        ("DELETE FROM checkpoint WHERE scope = :s AND number = 2", "a checkpoint is gone"),
        ("DELETE FROM checkpoint WHERE scope = :s AND number = 1", "a checkpoint does not continue the one before it"),
        ("DELETE FROM platform_checkpoint WHERE number = 2", "a platform checkpoint is gone"),
        ("UPDATE state_tile SET leaves = substr(leaves, 1, 64) WHERE scope = :s",
         "the kept state tree is not the signed one"),
    ],
)  # fmt: skip
async def test_a_changed_or_removed_checkpoint_is_named(still: Still, statement: str, what: str) -> None:
    scope = str(still.opened)
    report = await audited(await still.broken("escrow", statement, s=scope))
    assert [each for each, _ in named(report, what)] == ["platform" if "platform" in what else scope]


# -- topics -----------------------------------------------------------------------------------------------------------


async def test_an_event_missing_in_its_topic_is_named(still: Still) -> None:
    last = [record for record in still.records if record.topic == "escrow.events"][-1]
    left = [record for record in still.records if record is not last]
    report = await audited(still.world(topics=Remembered(left)))
    assert told(report, "I4") == ["an event was sent and is not in its topic"]
    assert report.findings.entries["I4"].examples[0].subject == last.header("ce_id")


async def test_a_gate_below_what_was_published_is_reported(still: Still) -> None:
    follower, producer = still.copy("suppliers"), still.copy("campaigns")
    await tamper(
        follower, "UPDATE gate SET last_seq = last_seq - 1 WHERE stream = :name", name=f"campaigns:{still.closed}"
    )
    await tamper(producer, f"UPDATE outbox SET published_at = {LONG_AGO} WHERE stream IS NOT NULL")
    report = await audited(still.world(databases={"suppliers": follower, "campaigns": producer}))
    assert told(report, "I4") == ["a gate stands below its stream's published events, without a case"]


async def test_a_command_that_was_never_received_is_reported(still: Still) -> None:
    receiver, sender = still.copy("campaigns"), still.copy("gateway")
    await tamper(receiver, "DELETE FROM inbox WHERE message_id = (SELECT min(message_id::text)::uuid FROM inbox)")
    await tamper(sender, f"UPDATE outbox SET published_at = {LONG_AGO}")
    report = await audited(still.world(databases={"campaigns": receiver, "gateway": sender}))
    assert told(report, "I4") == ["a message was sent and never received"]


async def test_a_rogue_producer_breaks_the_sequence(still: Still) -> None:
    prefix = await still.topics_again()
    record = next(each for each in still.records if each.header("stream") == f"campaigns:{still.opened}")
    headers = dict(record.headers) | {"seq": b"900", "ce_id": str(uuid4()).encode()}
    forked = dict(record.headers) | {"ce_id": str(uuid4()).encode()}
    async with producing() as producer:
        for each in (headers, forked):
            await producer.send_and_wait(
                prefix + record.topic,
                value=record.body,
                key=record.key.encode(),
                headers=list(each.items()),
                partition=record.partition,
            )
    report = await audited(still.world(topics=KafkaTopics(PARTS.infra.kafka_bootstrap, prefix)))
    assert violated(report) == {"I11": 2}
    assert told(report, "I11") == ["a number of a stream is missing before this one", "one number, two events"]


async def test_records_delivered_again_are_no_violation(still: Still) -> None:
    report = await audited(still.world(topics=Remembered([*still.records, *still.records])))
    assert violated(report) == {}


async def test_what_must_not_lie_open_is_found_in_events(still: Still) -> None:
    def leak(record: Record, **changes: str) -> Record:
        body = json.loads(record.body or b"{}") | changes
        return dataclasses.replace(record, body=json.dumps(body).encode())

    first, *rest = still.records
    leaking = leak(first, note="ctoken_1Nabc maya@demo.test pi_1_secret_2 4242 4242 4242 4242", name="Maya")
    report = await audited(still.world(topics=Remembered([leaking, *rest])))
    assert violated(report) == {"I25": 5}


# -- the payment side -------------------------------------------------------------------------------------------------

Change = Callable[[list[Line]], object]


def _first(lines: list[Line], kind: str) -> Line:
    return next(
        line for line in lines if line["kind"] == kind and line["object"].get("status", "succeeded") == "succeeded"
    )


def _another(lines: list[Line], kind: str, **changes: Any) -> None:
    line = _first(lines, kind)
    lines.append({**line, "seq": lines[-1]["seq"] + 1, "object": {**line["object"], **changes}})


JOURNALS: dict[str, tuple[set[str], Change]] = {
    "another fee": ({"I3"}, lambda lines: _first(lines, "balance_transaction")["object"].update(fee=9, net=1)),
    "a movement gone": ({"I3"}, lambda lines: lines.remove(_first(lines, "balance_transaction"))),
    "a charge nobody booked": (
        {"I3"},
        lambda lines: _another(lines, "charge", id="ch_other", metadata={}, payment_intent="pi_x"),
    ),
    "a refund of another amount": ({"I3"}, lambda lines: _first(lines, "refund")["object"].update(amount=1)),
    "a refund paid twice": ({"I3", "I5"}, lambda lines: _another(lines, "refund", id="re_other")),
    "a plan paid twice": ({"I3", "I5", "I10"}, lambda lines: _another(lines, "transfer", id="tr_other")),
    "a top-up gone": ({"I3"}, lambda lines: lines.remove(_first(lines, "topup"))),
}


@pytest.mark.parametrize("name", JOURNALS)
async def test_a_journal_that_differs_from_the_ledger_is_reported(still: Still, name: str) -> None:
    expected, change = JOURNALS[name]
    journal = still.journal.copy()
    change(journal.money)
    report = await audited(still.world(journal=journal))
    assert set(violated(report)) == expected, report.answer()


async def test_another_balance_at_stripe_is_reported(still: Still) -> None:
    journal = dataclasses.replace(still.journal, sums={"usd": still.journal.sums["usd"] - 1})
    report = await audited(still.world(journal=journal))
    assert violated(report) == {"I3": 2}


async def test_a_key_executed_twice_is_reported(still: Still) -> None:
    journal: Recorded = still.journal.copy()
    journal.keyed.append({**next(line for line in journal.keyed if line["status"] == 200), "seq": 10_000})
    report = await audited(still.world(journal=journal))
    assert violated(report) == {"I5": 1}


# -- quiet, logs, real Stripe -----------------------------------------------------------------------------------------


async def test_a_platform_that_is_not_quiet_is_judged_without_what_needs_quiet(still: Still) -> None:
    name = still.copy("suppliers")
    await tamper(name, "UPDATE outbox SET published_at = NULL, created_at = clock_timestamp() WHERE id = 1")
    world = still.world(databases={"suppliers": name})
    report = await audited(world)
    answer = report.answer()
    assert answer["quiet"]["noise"] == ["suppliers has 1 messages to send"]
    assert answer["invariants"]["I23"]["left_out"]
    with pytest.raises(NotQuietError):
        await run_audit(world, wait_seconds=0, quiet_only=True)


async def test_a_secret_in_a_log_is_reported_by_its_line(still: Still, tmp_path: Path) -> None:
    (tmp_path / "escrow.log").write_text('{"event": "started"}\n{"event": "ctoken_1Nabcdef"}\n')
    (tmp_path / "mailbox.log").write_text("to maya@demo.test\n")
    report = await audited(still.world(logs=tmp_path))
    (found,) = report.findings.entries["I25"].examples
    assert (found.what, found.subject, found.facts) == ("a confirmation token in a log", "escrow.log", {"line": 2})


async def test_with_real_stripe_the_journal_is_left_out_and_said_so(still: Still) -> None:
    report = await audited(still.world(journal=None))
    assert violated(report) == {}
    assert any("real Stripe" in why for why in report.findings.entries["I3"].left_out)


# -- the audit's own records ------------------------------------------------------------------------------------------


async def test_every_table_with_a_state_has_its_records_judged(still: Still) -> None:
    """A table that gains a state joins the judgement, or this fails. The kit's gates and calls are judged by I4, I5."""
    for service in check_records.judged():
        columns = await still.rows(
            service,
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
            "AND column_name IN ('state', 'phase') AND table_name NOT IN ('gate', 'intent')",
        )
        judged = {(kept.table, kept.column) for kept in check_records.KEPT if kept.service == service}
        assert {(row.table_name, row.column_name) for row in columns} == judged


@pytest.mark.parametrize(("service", "actor"), [("campaigns", "gatekeeper"), ("escrow", "escrow_auditor")])
async def test_a_persons_act_is_recorded_with_the_role_and_the_reason_given(
    still: Still, service: str, actor: str
) -> None:
    rows = await still.rows(
        service, "SELECT reason, before, after FROM audit_entry WHERE actor_role = :role AND after->>'state' IS NOT NULL",
        role=actor,
    )  # fmt: skip
    assert {"Looked at it", "All met"} & {row.reason for row in rows}
    assert all(row.after["state"] != (row.before or {}).get("state") for row in rows)
