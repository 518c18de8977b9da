"""`./alpmera bench NAME`: the figures of the platform, each beside a baseline measured in the same run.

Quote ratios: machines differ and are noisy. `ledger` and `ledger-depth` need a database only, `http` a database and a broker; `replay` and `up` start a stack of their own
in a folder of their own; `commit` and `memory` ask the running stack, or one of their own where none runs.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from deploy.cli.console import answer_json, complain, say
from deploy.local.addresses import StackAddresses, load_addresses
from deploy.local.errors import StackError


@dataclass(frozen=True, slots=True)
class Demand:
    """What `replay` reads: a file of invoice lines, and how many of them; no file means a made-up one."""

    file: Path | None = None
    limit: int | None = None


def _ledger(_demand: Demand) -> dict[str, Any]:
    from deploy.bench.ledger import bench_ledger

    return _in_a_folder(bench_ledger)


def _ledger_depth(_demand: Demand) -> dict[str, Any]:
    from deploy.bench.ledger_depth import bench_ledger_depth

    return _in_a_folder(bench_ledger_depth)


def _commit(_demand: Demand) -> dict[str, Any]:
    from deploy.bench.commit import bench_commit

    return _on_a_stack(lambda addresses: asyncio.run(bench_commit(addresses)))


def _memory(_demand: Demand) -> dict[str, Any]:
    from deploy.bench.memory import bench_memory

    return _on_a_stack(bench_memory)


def _replay(demand: Demand) -> dict[str, Any]:
    from deploy.bench.replay import bench_replay

    return bench_replay(demand.file, limit=demand.limit)


def _http(_demand: Demand) -> dict[str, Any]:
    from deploy.bench.http import bench_http

    return bench_http()


def _up(_demand: Demand) -> dict[str, Any]:
    from deploy.bench.up import bench_up

    return bench_up()


def _in_a_folder(measure: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    with TemporaryDirectory(prefix="alpmera-bench-") as folder:
        # The database server runs as another user, who has to come through.
        Path(folder).chmod(0o755)
        return measure(Path(folder))


def _on_a_stack(measure: Callable[[StackAddresses], dict[str, Any]]) -> dict[str, Any]:
    """Measure on the running stack, or on one of our own where none runs."""
    from deploy.bench.own_stack import own_stack

    with ExitStack() as cleanup:
        try:
            addresses = load_addresses()
        except StackError:
            say("no stack runs: starting one in a folder of its own …")
            stack = cleanup.enter_context(own_stack())
            stack.up()
            addresses = stack.addresses()
        return measure(addresses)


FIGURES: dict[str, tuple[Callable[[Demand], dict[str, Any]], str]] = {
    "ledger": (
        _ledger,
        "transfers per second into one hot campaign, batched against one per transaction; two instances",
    ),
    "ledger-depth": (_ledger_depth, "what five million entries cost a posting, and the audit of a million (minutes)"),
    "commit": (_commit, "milliseconds from commit to held funds on an idle stack, against an accepted act"),
    "http": (_http, "what the gateway costs beside an interface that does one statement, and a long list"),
    "memory": (_memory, "resident memory of the five services, against one interpreter with the libraries"),
    "up": (_up, "seconds of ./alpmera up in an empty folder (cold: no data, artifacts there) and again (warm)"),
    "replay": (_replay, "commitments per second of a replay on a stack of its own, against merely accepted acts"),
}

_HELP = "\n".join(
    [
        "Measure figures beside their baselines; the baseline is of the same run, so that ratios can be quoted.",
        "",
        "Exit status: 0 measured, 1 it could not be measured, 2 an unknown name or a file that is not there.",
        "",
        "\b",
        *(f"{name:12} {words}" for name, (_, words) in FIGURES.items()),
    ]
)


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command(help=_HELP, short_help="Measure figures beside their baselines.")
    def bench(
        name: Annotated[str | None, typer.Argument(help=f"{', '.join(FIGURES)}; none runs all.")] = None,
        json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
        file: Annotated[
            Path | None, typer.Option("--file", help="For replay: a CSV file of invoice lines; made up by default.")
        ] = None,
        limit: Annotated[
            int | None, typer.Option("--limit", min=1, help="For replay: read only so many lines.")
        ] = None,
        record: Annotated[bool, typer.Option("--record", help="Write the figures into docs/figures.md.")] = False,
    ) -> int:
        if name is not None and name not in FIGURES:
            complain(f"There is no figure '{name}'. Known: {', '.join(FIGURES)}.")
            return 2
        if file is not None and not file.is_file():
            complain(f"There is no file {file}.")
            return 2
        found = _measure([name] if name else list(FIGURES), Demand(file, limit), record=record)
        if json:
            answer_json(found)
        else:
            for key, value in found.items():
                typer.echo(f"{key}: {value}")
        return 0


def _measure(names: list[str], demand: Demand, *, record: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in names:
        measure, words = FIGURES[each]
        # The load is read before, because a measurement is a load itself.
        load = os.getloadavg()[0]
        say(f"measuring {each}: {words} (load {load:.1f})")
        fresh = measure(demand)
        found |= fresh
        if record:
            from deploy.bench.figures import machine_words
            from deploy.bench.figures import record as write_down

            say(f"recorded in docs/figures.md: {', '.join(write_down(fresh, load=load, machine=machine_words()))}")
    return found
