"""I24 and I25 where no event tells them: column types, currencies, texts of the ledger and of audit records, logs, traces."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx

from deploy.audit.canaries import canaries_in, canaries_in_file, canaries_in_text, log_files
from deploy.audit.findings import Finding, Findings
from deploy.audit.snapshot import SEQUENCE, Snapshot, rows, stream

TRACES_SAMPLED_MAX = 100
TRACES_TIMEOUT_SECONDS = 20.0

_COLUMNS = """
    SELECT 'a column of money has no whole type' AS what, table_schema AS scope,
        table_name || '.' || column_name AS subject, jsonb_build_object('type', data_type) AS facts
    FROM information_schema.columns
    WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
        AND (
            data_type IN ('real', 'double precision', 'money')
            OR (column_name LIKE '%\\_minor' OR table_name = 'balance_transaction' AND column_name IN ('amount', 'fee', 'net'))
                AND data_type NOT IN ('bigint', 'integer')
        )
"""
_CURRENCIES = """
    WITH told AS (
        SELECT CAST(campaign_id AS text) AS scope, 'campaign_fact' AS source, currency FROM campaign_fact
        UNION ALL SELECT CAST(campaign_id AS text), 'reservation', currency FROM reservation
        UNION ALL SELECT CAST(campaign_id AS text), 'payment', currency FROM payment
        UNION ALL SELECT CAST(campaign_id AS text), 'refund_decision', currency FROM refund_decision
        UNION ALL SELECT scope, 'clearing_plan', currency FROM clearing_plan
        UNION ALL SELECT scope, 'balance_transaction', currency FROM balance_transaction WHERE scope IS NOT NULL
    )
    SELECT 'a campaign has two currencies' AS what, s.scope, t.source AS subject,
        jsonb_build_object('currency', t.currency, 'scope_currency', s.currency, 'rows', count(*)) AS facts
    FROM told t
    JOIN ledger_scope s ON s.scope = t.scope
    WHERE t.currency <> s.currency
    GROUP BY s.scope, t.source, t.currency, s.currency
"""
_LEDGER_TEXTS = """
    SELECT scope, position, concat_ws(' ', kind, cause, reason) AS told FROM ledger_transfer
    WHERE reason IS NOT NULL OR cause ~ '@|_secret_|ctoken'
    UNION ALL
    SELECT scope, position, concat_ws(' ', account, object_id) FROM ledger_entry
    WHERE account ~ '@|_secret_|ctoken' OR object_id ~ '@|_secret_|ctoken'
"""


_RECORD_TEXTS = """
    SELECT id, scope, concat_ws(' ', subject, reason, before, after) AS told FROM audit_entry
    WHERE concat_ws(' ', subject, reason, before, after) ~ '@|_secret_|ctoken|whsec_|[sr]k_[A-Za-z0-9]|"[a-z]{3,4}"'
"""


async def check_types(snapshot: Snapshot, findings: Findings) -> None:
    """I24: money columns are whole, and each scope has one currency."""
    for service in SEQUENCE:
        for row in await rows(snapshot.of(service), _COLUMNS):
            told: dict[str, Any] = {"service": service, **row["facts"]}
            findings.add("I24", Finding(row["what"], row["scope"], row["subject"], told))
    findings.add_rows("I24", await rows(snapshot.of("escrow"), _CURRENCIES))


async def check_ledger_texts(snapshot: Snapshot, findings: Findings) -> None:
    """I25: texts of the ledger."""
    async for row in stream(snapshot.of("escrow"), _LEDGER_TEXTS):
        for what, _ in canaries_in(row.told.encode()):
            findings.add("I25", Finding(f"{what} in the ledger", row.scope, str(row.position)))


async def check_record_texts(snapshot: Snapshot, findings: Findings, service: str) -> None:
    """I25: texts of one service's audit records."""
    async for row in stream(snapshot.of(service), _RECORD_TEXTS):
        for what, _ in canaries_in(row.told.encode()):
            told = {"service": service}
            findings.add("I25", Finding(f"{what} in an audit record", row.scope, str(row.id), told))


async def check_logs(findings: Findings, folder: Path | None) -> None:
    """I25: the logs of the platform's own parts."""
    if folder is None:
        findings.leave_out("I25", "no folder of logs")
        return
    found = await asyncio.to_thread(_search_logs, folder)
    for name, what, line in found:
        findings.add("I25", Finding(f"{what} in a log", "", name, {"line": line}))


async def check_traces(findings: Findings, url: str | None) -> None:
    """I25: a sample of the newest traces, through the viewer's own API."""
    if not url:
        findings.leave_out("I25", "no trace viewer")
        return
    async with httpx.AsyncClient(base_url=url, timeout=TRACES_TIMEOUT_SECONDS) as client:
        try:
            answer = await client.get("/api/v2/traces", params={"limit": TRACES_SAMPLED_MAX, "lookback": 86_400_000})
            answer.raise_for_status()
            traces = answer.json()
        except (httpx.HTTPError, json.JSONDecodeError) as error:
            findings.leave_out("I25", f"the trace viewer does not answer: {type(error).__name__}")
            return
    for trace in traces:
        for span in trace:
            told = json.dumps([span.get("name"), span.get("tags"), span.get("annotations"), span.get("remoteEndpoint")])
            for what, _ in canaries_in_text(told.encode()):
                findings.add("I25", Finding(f"{what} in a trace", "", f"{span.get('traceId')}/{span.get('id')}"))


def _search_logs(folder: Path) -> list[tuple[str, str, int]]:
    return [(path.name, what, line) for path in log_files(folder) for what, line in canaries_in_file(path)]
