"""What is printed when the stack is ready: what to open, and as whom.

Owns the words and their sequence. Addresses come from the board; none of them holds a secret.
"""

from rich.console import Console
from rich.table import Table

from deploy.cli.demo_logins import DEMO_LOGINS
from deploy.local.board import StackRecord


def show_summary(console: Console, record: StackRecord) -> None:
    """Print the addresses and the demo logins of a stack that is ready."""
    gateway = str(record.services.get("gateway", {}).get("url", ""))
    stripe = record.parts.get("stripe", {})
    rows = [
        ("Site", gateway),
        ("API", f"{gateway}/docs" if gateway else ""),
        ("Mailbox", record.parts.get("mailbox", {}).get("url", "")),
        ("Traces", record.parts.get("traces", {}).get("url", "")),
        ("Payments", f"{stripe.get('url', '')} ({stripe.get('kind', '')}, test money only)"),
        ("Kafka", record.parts.get("kafka", {}).get("bootstrap", "")),
    ]
    table = Table.grid(padding=(0, 2))
    for name, address in rows:
        if address:
            table.add_row(f"  [bold]{name}[/]", str(address))
    console.print("\n[bold green]Alpmera is ready.[/]\n")
    console.print(table)
    console.print("\n  Sign in as, with the code from the mailbox or directly on the sign-in page:")
    people = Table.grid(padding=(0, 2))
    for address, role in DEMO_LOGINS:
        people.add_row(f"  {address}", f"[dim]{role}[/]")
    console.print(people)
    for notice in record.notices:
        console.print("\n  [yellow]Left out:[/]", end=" ")
        console.print(notice, markup=False, soft_wrap=True)
    console.print()
