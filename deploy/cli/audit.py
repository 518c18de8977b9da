"""The verb `audit`: check the invariants over the running stack's databases, topics and payment journal.

Owns the options, the table and the exit status; the checks live in `deploy.audit`. It reads only, with the auditor's
role, and changes nothing.
"""

from __future__ import annotations

import asyncio
import json as json_module
from typing import Annotated, Any

import httpx
import typer
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from contracts.topics import SERVICES
from deploy.audit.catalogue import catalogue_lines
from deploy.audit.journal import JournalUnreadableError, StandinJournal
from deploy.audit.run import WAIT_SECONDS_DEFAULT, Report, World, run_audit
from deploy.audit.topics import KafkaTopics, TopicUnreadableError
from deploy.cli.console import answer_console, answer_json, complain, say
from deploy.local.addresses import StackAddresses, load_addresses
from deploy.local.errors import StackError
from deploy.local.paths import logs_folder
from deploy.quiet import NotQuietError

EXIT_VIOLATED = 1
EXIT_CANNOT_RUN = 2
STAND_IN = "stand-in"

_HELP = "\n".join(
    [
        "Check the invariants over databases, topics and the payment journal.",
        "",
        "Exit status: 0 clean, 1 something is violated, 2 it cannot run.",
        "",
        "\b",
        *catalogue_lines(),
    ]
)


def register(app: typer.Typer) -> None:
    """Add the verb to the tool."""

    @app.command(help=_HELP, short_help="Check the invariants over databases, topics and the payment journal.")
    def audit(
        json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
        wait: Annotated[
            float, typer.Option("--wait", min=0, help="Seconds to wait for the platform to become quiet.")
        ] = WAIT_SECONDS_DEFAULT,
        no_wait: Annotated[bool, typer.Option("--no-wait", help="Judge this very moment.")] = False,
        quiet_only: Annotated[
            bool, typer.Option("--quiet-only", help="Judge nothing unless the platform is quiet.")
        ] = False,
    ) -> int:
        try:
            report = asyncio.run(_run(0.0 if no_wait else wait, quiet_only=quiet_only))
        except NotQuietError as error:
            complain(f"The platform did not become quiet, so nothing was judged: {error}.")
            return EXIT_CANNOT_RUN
        except (StackError, JournalUnreadableError, TopicUnreadableError, SQLAlchemyError, OSError) as error:
            complain(f"The audit cannot run: {_first_line(error)}")
            return EXIT_CANNOT_RUN
        if json:
            answer_json(report.answer())
        else:
            show(report)
        return 0 if report.findings.clean else EXIT_VIOLATED


async def _run(wait_seconds: float, *, quiet_only: bool) -> Report:
    addresses = load_addresses()
    say("Auditing …")
    if addresses.stripe_kind != STAND_IN:
        return await run_audit(world_of(addresses, None), wait_seconds=wait_seconds, quiet_only=quiet_only)
    async with StandinJournal(addresses.stripe_url, addresses.stripe_key) as journal:
        return await run_audit(world_of(addresses, journal), wait_seconds=wait_seconds, quiet_only=quiet_only)


def world_of(addresses: StackAddresses, journal: StandinJournal | None) -> World:
    """What is audited of a running stack."""
    return World(
        databases={service: addresses.auditor_url(service) for service in SERVICES},
        topics=KafkaTopics(addresses.kafka_bootstrap),
        journal=journal,
        logs=logs_folder(),
        traces_url=viewer_url(addresses.traces_url),
    )


def viewer_url(traces_url: str) -> str | None:
    """The root of the trace viewer, whatever page of it the address names; None without one."""
    if not traces_url:
        return None
    address = httpx.URL(traces_url)
    return str(address.copy_with(raw_path=b"/")).rstrip("/")


def show(report: Report) -> None:
    """Show a table for people, then what was found and what was left out."""
    answer = report.answer()
    table = Table(box=None, pad_edge=False)
    for heading in ("", "invariant", "violations", ""):
        table.add_column(heading, justify="right" if heading == "violations" else "left")
    for identity, entry in answer["invariants"].items():
        violated = entry["violations"] > 0
        mark = "[red]✗[/]" if violated else "[green]✓[/]"
        left_out = "in part" if "left_out" in entry else ""
        style = "red" if violated else None
        table.add_row(mark, f"{identity}  {entry['title']}", str(entry["violations"]), left_out, style=style)
    answer_console.print(table)
    for identity, entry in answer["invariants"].items():
        for example in entry["examples"]:
            answer_console.print(f"{identity}  {_sentence(example)}", markup=False, soft_wrap=True)
        for why in entry.get("left_out", ()):
            answer_console.print(f"{identity}  left out: {why}", markup=False, soft_wrap=True)
    if not answer["quiet"]["quiet"]:
        noise = "; ".join(answer["quiet"]["noise"])
        answer_console.print(f"The platform was not quiet: {noise}", markup=False, soft_wrap=True)
    counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in answer["counts"].items())
    verdict = "clean" if answer["clean"] else "violated"
    colour = "bold green" if answer["clean"] else "bold red"
    answer_console.print(f"{verdict}: {counts}, {answer['seconds']:.1f} s", style=colour, highlight=False)


def _sentence(example: dict[str, Any]) -> str:
    where = " ".join(part for part in (example["scope"], example["subject"]) if part)
    facts = json_module.dumps(example["facts"], ensure_ascii=False) if example["facts"] else ""
    return f"{example['what']}: {where} {facts}".rstrip()


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
