"""How a run of checks and tests is shown: a line when a step ends, a table and a count at the end.

Owns the words. The counts are what the steps reported; nothing is judged here.
"""

from rich.table import Table

from deploy.cli.absent import MAY_BE_ABSENT
from deploy.cli.checks import Result
from deploy.cli.console import answer_console, progress_console, say


def say_result(result: Result) -> None:
    """Say in one line how a step went."""
    mark = "[red]✗[/]" if result.failed else "[green]✓[/]"
    detail = f"  {result.detail}" if result.detail else ""
    progress_console.print(f"{mark} {result.name}  {result.seconds:.1f} s{detail}", soft_wrap=True)


def show_failures(results: list[Result]) -> None:
    """Show the whole output of each step that failed and kept its output."""
    for result in results:
        if result.output:
            progress_console.rule(result.name)
            progress_console.print(result.output.rstrip(), markup=False, soft_wrap=True)


def show_absent() -> None:
    """Say what this machine lacks and what is left out of the run for that reason."""
    for entry in MAY_BE_ABSENT:
        if not entry.present():
            say(f"absent here: {entry.name}; left out: {entry.left_out}")


def show_table(results: list[Result]) -> None:
    """Show every step with its time and result, and the count of all as the last line."""
    table = Table(box=None, pad_edge=False)
    for heading in ("step", "time", "passed", "failed", ""):
        table.add_column(heading, justify="right" if heading in ("time", "passed", "failed") else "left")
    for result in results:
        style = "red" if result.failed else None
        table.add_row(
            result.name,
            f"{result.seconds:.1f} s",
            str(result.passed),
            str(result.failed),
            result.detail,
            style=style,
        )
    answer_console.print(table)
    passed, failed = sum(one.passed for one in results), sum(one.failed for one in results)
    answer_console.print(f"{passed} passed, {failed} failed", style="bold red" if failed else "bold green")
