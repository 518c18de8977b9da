"""The verb `replay`: read invoice lines as demand and run them through the whole platform.

Owns the options, the progress bar and the exit status; the work is done in `deploy.replay`. Progress and the table go
to standard error, the JSON alone to standard output.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.cli.console import answer_json, complain, progress_console, say


def register(app: typer.Typer) -> None:
    """Add the verb to the tool."""

    @app.command()
    def replay(
        file: Annotated[Path, typer.Argument(help="A CSV file of invoice lines, gzipped or plain.")],
        limit: Annotated[int | None, typer.Option("--limit", min=1, help="Read only so many lines.")] = None,
        json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    ) -> int:
        """Read invoice lines as demand and run them through the platform, up to release or refund.

        Each stock code becomes a campaign, each line a commitment, a line of a withdrawn invoice a withdrawal. It may
        be stopped and started again at any line. Exit status 1 when the money does not add up or a campaign is not
        settled.
        """
        report = asyncio.run(_run(file, limit))
        _show(report)
        if json:
            answer_json(report)
        if not report["money_adds_up"]:
            complain("the money does not add up: run ./alpmera audit.")
            return 1
        if report["campaigns_unsettled"]:
            complain(f"{report['campaigns_unsettled']} campaigns are not settled: see ./alpmera audit and the cases.")
            return 1
        return 0


async def _run(file: Path, limit: int | None) -> dict[str, Any]:
    from deploy.local.addresses import load_addresses
    from deploy.replay.driver import replay

    with _Bar() as bar:
        return await replay(file, load_addresses(), bar, limit=limit)


def _show(report: dict[str, Any]) -> None:
    from deploy.replay.report import report_table

    progress_console.print(report_table(report))


class _Bar:
    """A bar on a terminal, a line per phase and simulated day elsewhere."""

    def __init__(self) -> None:
        self._rich = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[moment]}"),
            TimeElapsedColumn(),
            console=progress_console,
            disable=not progress_console.is_terminal,
        )
        self._task = self._rich.add_task("reading", total=None, moment="")
        self._phase, self._day, self._done, self._total = "reading", "", 0, 0

    def __enter__(self) -> _Bar:
        self._rich.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._rich.stop()

    def begin(self, phase: str, total: int) -> None:
        """A phase with so many steps begins."""
        self._phase, self._done, self._total = phase, 0, total
        self._rich.remove_task(self._task)
        self._task = self._rich.add_task(phase, total=total, moment="")
        if self._rich.disable:
            say(f"{phase}: {total}")

    def step(self, count: int = 1) -> None:
        """So many steps were done."""
        self._done += count
        self._rich.advance(self._task, count)

    def at(self, moment: datetime) -> None:
        """The simulated time is here now."""
        self._rich.update(self._task, moment=f"{moment:%Y-%m-%d %H:%M} UTC (simulated)")
        day = f"{moment:%Y-%m-%d}"
        if self._rich.disable and day != self._day:
            say(f"  {self._phase}: {self._done} of {self._total}, {day} UTC (simulated)")
        self._day = day
