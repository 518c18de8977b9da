"""How the tool speaks: progress and complaints to standard error, answers to standard output.

Owns the two streams and the bound on a complaint's length. `print` is allowed nowhere else.
"""

import json
import sys
from typing import Any

from rich.console import Console

progress_console = Console(stderr=True, highlight=False)
answer_console = Console(highlight=False)


def complain(text: str) -> None:
    """Say in one go what went wrong and what helps."""
    progress_console.print("alpmera:", style="bold red", end=" ")
    progress_console.print(text, markup=False, soft_wrap=True)


def say(text: str) -> None:
    """Tell how far the work is."""
    progress_console.print(text, markup=False, soft_wrap=True)


def answer_json(value: Any) -> None:
    """Answer a machine: the JSON alone, on standard output."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
    sys.stdout.flush()
