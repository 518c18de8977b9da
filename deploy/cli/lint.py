"""The verb `lint`: format, rules, types and imports of the Python code.

Owns the selection from the table in `deploy.cli.checks`; `test` runs the same and more.
"""

import typer

from deploy.cli.checks import STATIC_CHECKS, run_checks
from deploy.cli.report import say_result, show_failures


def register(app: typer.Typer) -> None:
    """Add the verb to the tool."""

    @app.command()
    def lint() -> int:
        """Check format, rules, types and imports. Exit status 1 when something is wrong."""
        results = run_checks([check for check in STATIC_CHECKS if check.quick], say_result)
        show_failures(results)
        return 1 if any(result.failed for result in results) else 0
