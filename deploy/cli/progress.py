"""Shows the parts of the stack while they start, and says it when one is restarted later.

Owns the table on a terminal and the plain lines elsewhere (a log, a pipe). It draws what the
board says and decides nothing.
"""

from rich.console import Console
from rich.live import Live
from rich.table import Table

from deploy.local.board import UnitRecord

MARKS = {
    "waiting": "[dim]·[/]",
    "starting": "[yellow]…[/]",
    "ready": "[green]✓[/]",
    "restarting": "[yellow]↻[/]",
    "failed": "[red]✗[/]",
    "stopped": "[dim]–[/]",
}
WORDS = {
    "waiting": "waits",
    "starting": "starting",
    "ready": "ready",
    "restarting": "restarting",
    "failed": "failed",
    "stopped": "stopped",
}
REFRESHES_PER_SECOND = 8


class StartView:
    """The view of one start; `update` may be called at any time, also after `close`."""

    def __init__(self, console: Console) -> None:
        """Take the console of standard error."""
        self.console = console
        self.units: dict[str, UnitRecord] = {}
        self.live: Live | None = None
        if console.is_terminal:
            self.live = Live(console=console, refresh_per_second=REFRESHES_PER_SECOND, transient=False)
            self.live.start()

    def update(self, name: str, unit: UnitRecord) -> None:
        """Show a unit's new state."""
        known = self.units.get(name)
        changed = known is None or (known.state, known.detail) != (unit.state, unit.detail)
        self.units[name] = UnitRecord(
            state=unit.state, detail=unit.detail, seconds=unit.seconds, restarts=unit.restarts
        )
        if self.live is not None:
            self.live.update(self._table())
        elif changed and unit.state not in ("waiting", "starting"):
            self.console.print(self._line(name, unit), soft_wrap=True)

    def close(self) -> None:
        """Leave the table as it is; later changes are plain lines."""
        if self.live is not None:
            self.live.stop()
            self.live = None

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for name, unit in self.units.items():
            seconds = f"{unit.seconds:.1f} s" if unit.state == "ready" and unit.seconds else ""
            table.add_row(MARKS[unit.state], name, WORDS[unit.state], seconds, unit.detail)
        return table

    def _line(self, name: str, unit: UnitRecord) -> str:
        seconds = f" ({unit.seconds:.1f} s)" if unit.state == "ready" and unit.seconds else ""
        detail = f": {unit.detail}" if unit.detail else ""
        return f"{MARKS[unit.state]} {name} {WORDS[unit.state]}{seconds}{detail}"
