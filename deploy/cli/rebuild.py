"""`./alpmera rebuild gateway`: build the gateway's read model again from the first event, compare, switch."""

from __future__ import annotations

import asyncio

import typer

from deploy.cli.console import complain, say
from deploy.local.addresses import load_addresses

PROJECTIONS = ("gateway",)


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def rebuild(
        service: str = typer.Argument(help="The projection to rebuild; only the gateway keeps one."),
        accept_differences: bool = typer.Option(
            False, "--accept-differences", help="Switch although the new generation differs from the old one."
        ),
    ) -> int:
        """Build a projection again beside the old one, compare both, and switch in one transaction.

        The old generation serves meanwhile. Exit status 1 when the two differ, 2 for a service without a projection.
        """
        if service not in PROJECTIONS:
            complain(f"'{service}' keeps no projection; only these can be rebuilt: {', '.join(PROJECTIONS)}.")
            return 2
        from services.gateway.rebuild import RebuildError
        from services.gateway.rebuild import rebuild as build_again
        from services.kit.settings import KitSettings

        addresses = load_addresses()
        settings = KitSettings(
            database_url=addresses.app_url("gateway"),
            kafka=addresses.kafka_bootstrap,
            kafka_cluster_id=addresses.kafka_cluster_id,
        )
        try:
            done = asyncio.run(
                build_again(
                    addresses.owner_url("gateway"),
                    settings,
                    app_role="gateway_app",
                    accept_differences=accept_differences,
                    report=say,
                )
            )
        except RebuildError as error:
            complain(str(error))
            return 1
        for difference in done.differences:
            say(f"  {difference}")
        if not done.switched:
            complain("The new generation differs from the old one, which goes on serving; the differences are above.")
            return 1
        say(f"Generation {done.generation} serves now, in place of generation {done.before}.")
        return 0
