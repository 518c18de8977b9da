"""The verb `status`: what runs, where it answers, and whether it is ready now.

Owns the answer's shape, which scripts rely on. Readiness is asked of each service at this moment;
what the board remembers only says where to ask.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import typer
from rich.table import Table

from deploy.cli.console import answer_console, answer_json
from deploy.local.board import StackRecord, read_record
from deploy.local.http_probe import answers_ok
from deploy.local.paths import state_folder
from deploy.local.services import SERVICES

EXIT_NOT_RUNNING = 3
EXIT_NOT_READY = 4


def register(app: typer.Typer) -> None:
    """Add the verb to the tool."""

    @app.command()
    def status(
        json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    ) -> int:
        """Say what runs, where, and whether it is ready.

        Exit status: 0 everything is ready, 3 nothing runs, 4 something is not ready.
        """
        record = read_record(state_folder())
        answer = status_answer(record)
        if json:
            answer_json(answer)
        else:
            _show(record, answer)
        if not record.is_alive():
            return EXIT_NOT_RUNNING
        return 0 if answer["ready"] else EXIT_NOT_READY


def status_answer(record: StackRecord) -> dict[str, Any]:
    """Return the status as scripts read it."""
    alive = record.is_alive()
    names = list(record.services) if alive else [spec.name for spec in SERVICES]
    urls = {name: record.services.get(name, {}).get("url") if alive else None for name in names}

    def ready(name: str) -> bool:
        url = urls[name]
        return url is not None and answers_ok(f"{url.replace('localhost', '127.0.0.1')}/readyz")

    with ThreadPoolExecutor(max(1, len(names))) as pool:
        answers = dict(zip(names, pool.map(ready, names), strict=True))
    services = {name: {"ready": answers[name], "url": urls[name]} for name in names}
    for name in names:
        if alive and name in record.units:
            services[name]["restarts"] = record.units[name].restarts
    # A service can answer while the broker beneath it is being started again.
    unsettled = any(unit.state in ("starting", "restarting") for unit in record.units.values())
    return {
        "ready": alive and record.ready and not record.degraded and not unsettled and all(answers.values()),
        "services": services,
        "parts": record.parts if alive else {},
        "degraded": record.degraded if alive else [],
        "notices": record.notices if alive else [],
    }


def _show(record: StackRecord, answer: dict[str, Any]) -> None:
    if not record.is_alive():
        answer_console.print("Nothing is running. Start it with ./alpmera up")
        return
    table = Table.grid(padding=(0, 2))
    for name, service in answer["services"].items():
        mark = "[green]✓[/]" if service["ready"] else "[red]✗[/]"
        restarts = service.get("restarts", 0)
        table.add_row(mark, name, service["url"] or "", f"{restarts} restarts" if restarts else "")
    for name, part in answer["parts"].items():
        unit = record.units.get({"traces": "zipkin"}.get(name, name))
        mark = "[green]✓[/]" if unit is None or unit.state == "ready" else "[yellow]…[/]"
        where = part.get("url") or part.get("bootstrap") or ""
        if "port" in part:
            where = f"{part['host']}:{part['port']}"
        table.add_row(mark, name, where, part.get("kind", ""))
    answer_console.print(table)
    if record.degraded:
        answer_console.print(f"[red]Degraded: {', '.join(record.degraded)} was given up.[/]")
    for notice in record.notices:
        answer_console.print(notice, markup=False, soft_wrap=True)
    answer_console.print("ready" if answer["ready"] else "not ready")
