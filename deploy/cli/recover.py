"""`./alpmera recover escrow`: bring escrow's database back to where topics and Stripe are, after it was set back."""

from __future__ import annotations

import asyncio

import typer
from pydantic import SecretStr

from deploy.cli.console import complain, say
from deploy.local.addresses import load_addresses

RECOVERABLE = ("escrow",)


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def recover(
        service: str = typer.Argument(help="The service whose database was set back; only escrow holds money."),
    ) -> int:
        """Take over what the service's own topic, the others' messages and Stripe know beyond its database.

        The service must be stopped, or refuse to start because of this. It can be run again at any time; what is done
        stays done. Exit status 1 when it cannot go on (the reason has a code), 2 for another service.
        """
        if service not in RECOVERABLE:
            complain(f"'{service}' cannot be recovered; only these can: {', '.join(RECOVERABLE)}.")
            return 2
        from services.escrow.recover.errors import RecoverError
        from services.escrow.recover.run import recover as bring_back
        from services.escrow.settings import EscrowSettings

        addresses = load_addresses()
        secrets = addresses.recovery_secrets()
        settings = EscrowSettings(
            database_url=SecretStr(addresses.owner_url("escrow")),
            kafka=addresses.kafka_bootstrap,
            kafka_cluster_id=addresses.kafka_cluster_id,
            stripe_url=addresses.stripe_url,
            stripe_key=SecretStr(addresses.stripe_key),
            stripe_kind="stand-in" if addresses.stripe_kind == "stand-in" else "stripe",
            checkpoint_salt_key=SecretStr(secrets["checkpoint_salt_key"]),
            assertion_public_key=secrets["assertion_public_key"],
        )
        try:
            done = asyncio.run(bring_back(settings, say))
        except RecoverError as error:
            complain(str(error))
            return 1
        say(
            f"Recovered: {done.counts.get('topic', 0)} own events taken over, {done.counts.get('stripe', 0)} objects of "
            f"Stripe applied, {done.counts.get('calls', 0)} calls to be asked about. Now: ./alpmera audit"
        )
        return 0
