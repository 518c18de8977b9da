"""What is printed when the stack is ready: what to open, and as whom.

Owns the words and their sequence. Addresses come from the board, the demo logins from the gateway
itself, so the list cannot differ from what its sign-in page takes.
"""

from rich.console import Console
from rich.table import Table

from deploy.local.board import StackRecord
from deploy.local.http_probe import get_json

CLIENT_CONFIG = "/v1/client-config"


def show_summary(console: Console, record: StackRecord) -> None:
    """Print the addresses and the demo logins of a stack that is ready."""
    gateway = str(record.services.get("gateway", {}).get("url", ""))
    stripe = record.parts.get("stripe", {})
    rows = [
        ("Site", gateway),
        ("API", f"{gateway}/openapi.json" if gateway else ""),
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
    _show_logins(console, gateway)
    for notice in record.notices:
        console.print("\n  [yellow]Left out:[/]", end=" ")
        console.print(notice, markup=False, soft_wrap=True)
    console.print()


def _show_logins(console: Console, gateway: str) -> None:
    logins = (get_json(f"{gateway}{CLIENT_CONFIG}") or {}).get("demo_logins") if gateway else None
    if not logins:
        return
    console.print("\n  Demo logins, on the sign-in page of the site:")
    people = Table.grid(padding=(0, 2))
    for login in logins:
        people.add_row(f"  {login.get('email', '')}", f"[dim]{login.get('words', '')}[/]")
    console.print(people)
