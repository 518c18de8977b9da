"""`./alpmera clock`: look at the local platform's time and move it forward, from deadline to deadline."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta

import typer

from deploy.cli.console import complain, say
from deploy.clock.walk import StackClock
from deploy.local.addresses import load_addresses
from deploy.quiet import NotQuietError

_SPAN = re.compile(r"^(\d+)([smhdw])$")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
SPAN_MAX = timedelta(days=366)


def parse_span(value: str) -> timedelta:
    """Read `90s`, `15m`, `8h`, `8d` or `2w`. Raises typer.BadParameter on anything else."""
    found = _SPAN.match(value.strip().lower())
    if found is None:
        raise typer.BadParameter("give a number and a unit: 90s, 15m, 8h, 8d or 2w")
    span = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if not timedelta() < span <= SPAN_MAX:
        raise typer.BadParameter("the span lies between one second and 366 days")
    return span


def register(app: typer.Typer) -> None:
    """Add the verb."""
    clock = typer.Typer(help="Look at the local platform's time, or move it forward.", no_args_is_help=True)
    app.add_typer(clock, name="clock")

    @clock.command()
    def show() -> int:
        """Print the platform's present time."""

        async def ask() -> datetime:
            async with StackClock(load_addresses()) as stack:
                return await stack.now()

        typer.echo(asyncio.run(ask()).isoformat())
        return 0

    @clock.command()
    def advance(span: str = typer.Argument(help="How far: 90s, 15m, 8h, 8d or 2w.")) -> int:
        """Move the time forward, stopping at each deadline so that everything due acts in its turn.

        New writes are refused while the time moves. Exit status 1 when the platform does not become quiet.
        """
        distance = parse_span(span)

        async def walk() -> tuple[int, datetime]:
            async with StackClock(load_addresses()) as stack:
                steps = await stack.advance(distance, progress=lambda moment: say(f"  {moment:%Y-%m-%d %H:%M:%S} UTC"))
                return steps, await stack.now()

        try:
            steps, now = asyncio.run(walk())
        except NotQuietError as error:
            complain(str(error))
            return 1
        say(f"The platform's time is now {now:%Y-%m-%d %H:%M:%S} UTC (simulated), after {steps} steps.")
        return 0
