"""`./alpmera bench NAME`: the figures of the platform, each beside a baseline measured in the same run.

Quote ratios: machines differ and are noisy. `ledger` needs no running stack; `commit` and `memory` need one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import typer

from deploy.cli.console import answer_json, complain, say
from deploy.local.addresses import load_addresses


def _ledger() -> dict[str, Any]:
    from deploy.cli.bench_ledger import bench_ledger

    with TemporaryDirectory(prefix="alpmera-bench-") as folder:
        Path(folder).chmod(0o755)
        return bench_ledger(Path(folder))


def _commit() -> dict[str, Any]:
    from deploy.bench.commit import bench_commit

    return asyncio.run(bench_commit(load_addresses()))


def _memory() -> dict[str, Any]:
    from deploy.bench.memory import bench_memory

    return bench_memory(load_addresses())


FIGURES: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "ledger": (_ledger, "transfers per second into one hot campaign, batched against one per transaction"),
    "commit": (_commit, "milliseconds from commit to held funds on an idle stack"),
    "memory": (_memory, "resident memory of the five services"),
}


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def bench(
        name: str = typer.Argument(None, help="ledger, commit or memory; none runs all."),
        json: bool = typer.Option(False, "--json", help="One JSON object on standard output."),
    ) -> int:
        """Measure figures beside their baselines. Exit status 2 for an unknown name."""
        if name is not None and name not in FIGURES:
            complain(f"There is no figure '{name}'. Known: {', '.join(FIGURES)}.")
            return 2
        found: dict[str, Any] = {}
        for each in [name] if name else FIGURES:
            say(f"measuring {each}: {FIGURES[each][1]}")
            found |= FIGURES[each][0]()
        if json:
            answer_json(found)
        else:
            for key, value in found.items():
                typer.echo(f"{key}: {value}")
        return 0
