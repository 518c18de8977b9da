"""The stack's state, for everyone who asks: one JSON file, always whole.

Owns `state.json`: the supervisor's process, each part's process and state, ports and addresses.
Only the supervisor writes it, by replacing the file; every other verb reads it. It never holds a
secret. The file can be older than the truth when the supervisor was killed, so readers compare
the recorded processes with the running ones (`deploy.local.identity`).
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from deploy.local.identity import is_running

UnitState = Literal["waiting", "starting", "ready", "restarting", "failed", "stopped"]


@dataclass
class UnitRecord:
    """What is known of one part or task: its process, if it has one, and how it fares."""

    state: UnitState = "waiting"
    detail: str = ""
    pid: int = 0
    start: str = ""
    restarts: int = 0
    seconds: float = 0.0


@dataclass
class StackRecord:
    """The whole file."""

    pid: int = 0
    start: str = ""
    ready: bool = False
    failure: str = ""
    degraded: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    provider: str = ""
    ports: dict[str, int] = field(default_factory=dict)
    units: dict[str, UnitRecord] = field(default_factory=dict)
    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)

    def is_alive(self) -> bool:
        """Return whether the supervisor that wrote this still runs."""
        return self.pid > 0 and is_running(self.pid, self.start)

    def processes(self) -> dict[str, tuple[int, str]]:
        """Return the recorded processes that still run, by the name of their part."""
        return {
            name: (unit.pid, unit.start)
            for name, unit in self.units.items()
            if unit.pid and is_running(unit.pid, unit.start)
        }


def read_record(folder: Path) -> StackRecord:
    """Read the state folder's record; an absent or damaged one reads as an empty one."""
    try:
        raw = json.loads((folder / "state.json").read_text())
        units = {name: UnitRecord(**unit) for name, unit in raw.pop("units").items()}
        return StackRecord(**raw, units=units)
    except (OSError, ValueError, TypeError, KeyError):
        return StackRecord()


Reporter = Callable[[str, UnitRecord], None]


class Board:
    """The supervisor's side: changes the record, writes it, and tells whoever watches."""

    def __init__(self, folder: Path, record: StackRecord, report: Reporter) -> None:
        """Take the state folder, the record to keep, and the function told of each change."""
        self.folder = folder
        self.record = record
        self.report = report
        self._since = {name: time.monotonic() for name in record.units}

    def set(self, name: str, state: UnitState, detail: str = "", **changes: Any) -> None:
        """Record a unit's new state and tell the watcher."""
        unit = self.record.units.setdefault(name, UnitRecord())
        now = time.monotonic()
        if state == "starting":
            self._since[name] = now
        if state == "ready":
            unit.seconds = round(now - self._since.get(name, now), 2)
        changed = (unit.state, unit.detail) != (state, detail)
        unit.state, unit.detail = state, detail
        for key, value in changes.items():
            setattr(unit, key, value)
        self.write()
        if changed:
            self.report(name, unit)

    def write(self) -> None:
        """Replace the file by the present record."""
        scratch = self.folder / f"state.json.{os.getpid()}"
        scratch.write_text(json.dumps(asdict(self.record), indent=1))
        os.replace(scratch, self.folder / "state.json")
