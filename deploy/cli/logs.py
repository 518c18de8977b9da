"""The verb `logs`: show a part's log, as it was written.

Owns finding the file. Lines go to standard output unchanged; they hold nothing personal and no
secret, which is the services' own duty.
"""

import time
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.console import complain
from deploy.local.part import last_lines
from deploy.local.paths import logs_folder

FOLLOW_PAUSE_SECONDS = 0.3


def register(app: typer.Typer) -> None:
    """Add the verb to the tool."""

    @app.command()
    def logs(
        service: Annotated[str, typer.Argument(help="A service or part, such as escrow or kafka.")],
        lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many.")] = 100,
        follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines.")] = False,
    ) -> int:
        """Show the log of a service or part."""
        known = sorted(path.stem for path in logs_folder().glob("*.log"))
        if service not in known:
            complain(f"there is no log of '{service}'; there are: {', '.join(known) or 'none yet'}.")
            return 1
        path = logs_folder() / f"{service}.log"
        typer.echo(last_lines(path, lines))
        if follow:
            _follow(path)
        return 0


def _follow(path: Path) -> None:
    with path.open(errors="replace") as file:
        file.seek(0, 2)
        while True:
            line = file.readline()
            if line:
                typer.echo(line, nl=False)
            else:
                time.sleep(FOLLOW_PAUSE_SECONDS)
