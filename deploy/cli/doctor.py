"""The verb `doctor`: what this machine has and lacks, each with a remedy of one line.

Owns the checks. Everything needed must be found or obtainable; what is merely useful is told
apart. It looks and changes nothing; it cannot know whether a download will succeed.
"""

import os
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from deploy.cli.absent import MAY_BE_ABSENT
from deploy.cli.console import answer_console, answer_json
from deploy.local.errors import StackError

Verdict = Literal["ok", "note", "missing"]
MARKS = {"ok": "[green]✓[/]", "note": "[yellow]·[/]", "missing": "[red]✗[/]"}
PYTHON_VERSION_MIN = (3, 11)
DISK_FREE_BYTES_MIN = 2 * 1024**3
MEMORY_BYTES_MIN = 3 * 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    name: str
    verdict: Verdict
    text: str


def register(app: typer.Typer) -> None:
    """Add the verb to the tool."""

    @app.command()
    def doctor(
        json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    ) -> int:
        """Check what this machine has and lacks. Exit status 1 when something needed is missing."""
        with ThreadPoolExecutor(len(CHECKS)) as pool:
            findings = [found for group in pool.map(_looked, CHECKS) for found in group]
        if json:
            answer_json({one.name: {"verdict": one.verdict, "text": one.text} for one in findings})
        else:
            table = Table.grid(padding=(0, 2))
            for one in findings:
                table.add_row(MARKS[one.verdict], one.name, one.text)
            answer_console.print(table)
        return 1 if any(one.verdict == "missing" for one in findings) else 0


def _looked(check: Callable[[], list[Finding]]) -> list[Finding]:
    name = check.__name__.lstrip("_").replace("_", " ")
    try:
        return check()
    except StackError as error:
        return [Finding(name, "missing", str(error))]


def _python() -> list[Finding]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    venv = find_spec("venv") is not None and find_spec("ensurepip") is not None
    if sys.version_info[:2] < PYTHON_VERSION_MIN:
        return [Finding("python", "missing", f"{version}: 3.11 or newer is needed; name one in ALPMERA_PYTHON.")]
    if not venv:
        return [Finding("python", "note", f"{version} without venv: install python3-venv before a new setup.")]
    return [Finding("python", "ok", version)]


def _java() -> list[Finding]:
    from deploy.local.java import find_java, java_version

    java = find_java()
    return [Finding("java", "ok", f"{java_version(java)} at {java}")]


def _postgresql() -> list[Finding]:
    from deploy.local.artifacts import postgres_group
    from deploy.local.postgres import server_user

    user = server_user()
    who = "this user" if user is None else f"user number {user[0]}, since it refuses root"
    return [Finding("postgresql", "ok", f"{postgres_group()}, run as {who}")]


def _artifacts() -> list[Finding]:
    from deploy.local.artifacts import missing_artifacts, postgres_group

    missing = missing_artifacts(["kafka", "zipkin", postgres_group()])
    if missing:
        return [Finding("artifacts", "note", f"{len(missing)} to fetch at the next start")]
    return [Finding("artifacts", "ok", "all fetched and verified")]


def _containers() -> list[Finding]:
    from deploy.local.providers import choose_provider

    provider = choose_provider()
    text = "an engine answers and is used" if provider == "docker" else "the embedded broker and database are used"
    return [Finding("containers", "ok", text)]


def _node() -> list[Finding]:
    from deploy.local.node import find_node

    node = find_node()
    return [Finding("node", "ok", f"{'.'.join(map(str, node.version))} ({node.origin})")]


def _room() -> list[Finding]:
    from deploy.local.paths import REPOSITORY

    free = shutil.disk_usage(REPOSITORY).free
    disk: Verdict = "ok" if free >= DISK_FREE_BYTES_MIN else "missing"
    remedy = "" if disk == "ok" else ": free at least 2 GB"
    findings = [Finding("disk", disk, f"{free / 1024**3:.1f} GB free{remedy}")]
    memory = _memory_available()
    if memory is not None:
        enough = memory >= MEMORY_BYTES_MIN
        text = f"{memory / 1024**3:.1f} GB available"
        findings.append(
            Finding("memory", "ok" if enough else "note", text if enough else f"{text}: 3 GB are comfortable")
        )
    findings.append(Finding("cores", "ok", str(os.cpu_count())))
    return findings


def _memory_available() -> int | None:
    table = Path("/proc/meminfo")
    if not table.exists():
        return None
    for line in table.read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _state_folder() -> list[Finding]:
    from deploy.local.board import read_record
    from deploy.local.paths import state_folder
    from deploy.local.ports import is_free

    folder = state_folder()
    near = folder
    while not near.exists():
        near = near.parent
    if not os.access(near, os.W_OK):
        return [Finding("state folder", "missing", f"{near} cannot be written: check who owns it.")]
    record = read_record(folder)
    if record.is_alive():
        return [Finding("state folder", "ok", f"{folder}, a stack runs in it")]
    busy = [name for name, port in record.ports.items() if not is_free(port)]
    if busy:
        return [Finding("ports", "note", f"taken by others since the last run, so these will move: {', '.join(busy)}")]
    return [Finding("state folder", "ok", str(folder))]


def _optional() -> list[Finding]:
    return [
        Finding(entry.name, "ok", "present")
        if entry.present()
        else Finding(entry.name, "note", f"absent; without it is left out: {entry.left_out}")
        for entry in MAY_BE_ABSENT
    ]


CHECKS: tuple[Callable[[], list[Finding]], ...] = (
    _python,
    _java,
    _postgresql,
    _artifacts,
    _containers,
    _node,
    _room,
    _state_folder,
    _optional,
)
