"""The verb `reset`: delete the data of the local platform, and nothing else.

Owns what counts as data: the state folder, wherever the database's files had to be put, the logs,
the volumes of containers. Fetched artifacts and the Python environment stay, since they hold
nothing of the platform's.
"""

import shutil
from typing import Annotated

import typer

from deploy.cli.console import complain, say
from deploy.cli.down import stop_stack
from deploy.local.board import read_record
from deploy.local.keys import Secrets
from deploy.local.paths import logs_folder, state_folder
from deploy.local.postgres import Postgres


def register(app: typer.Typer) -> None:
    """Add the verb to the tool."""

    @app.command()
    def reset(
        yes: Annotated[bool, typer.Option("--yes", help="Really delete; there is no undo.")] = False,
    ) -> int:
        """Delete the data of the local platform. A running one is stopped first."""
        if not yes:
            complain("this deletes every campaign, ledger entry and mail of the local platform; say --yes.")
            return 2
        folder = state_folder()
        record = read_record(folder)
        if record.is_alive() or record.processes():
            status = stop_stack(record)
            if status != 0:
                return status
        volumes = Secrets(folder).get("token:volumes")
        if volumes:
            from deploy.local.providers import remove_volumes

            remove_volumes(volumes)
        Postgres(folder / "postgres", port=0).remove()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(logs_folder(), ignore_errors=True)
        say("The data is deleted. Fetched artifacts stay.")
        return 0
