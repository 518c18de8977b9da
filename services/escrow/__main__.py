"""The process of the escrow service, or with the word `recover` the recovery of a database that was set back."""

import asyncio
import sys

from services.escrow.handlers import SERVICE
from services.escrow.recover.errors import RecoverError
from services.escrow.recover.guard import check_may_start
from services.escrow.recover.run import recover
from services.escrow.settings import escrow_settings
from services.kit import telemetry
from services.kit.runtime import run

REFUSED = 78
"""Exit status of a start that this database does not allow (a configuration error, by the usual numbers)."""

log = telemetry.logger("escrow.process")


def main(arguments: list[str]) -> None:
    """Serve, or recover; a refusal is logged with its code and ends the process with a status of its own."""
    telemetry.configure_logs("escrow")
    settings = escrow_settings()
    try:
        if arguments == ["recover"]:
            asyncio.run(recover(settings, lambda line: log.info("escrow.recover", step=line)))
            return
        asyncio.run(check_may_start(settings))
    except RecoverError as error:
        log.error("escrow.refused", code=error.code, why=str(error))
        sys.exit(REFUSED)
    run(SERVICE, settings)


if __name__ == "__main__":
    main(sys.argv[1:])
