"""The entry of `./alpmera`: finds the verb, loads its module alone, and turns errors into words.

Owns the table of verbs. A verb's module is imported only when it is called, so that help and
status answer at once; the table carries each verb's line of help for the same reason. Exit
statuses: 0 done, 1 it failed, 2 wrong usage, 3 not running (status), 4 not ready (status),
130 interrupted. It cannot check that a verb's own help agrees with the table; a test does.
"""

import sys
from importlib import import_module
from importlib.util import find_spec

import typer

from deploy.cli.console import complain
from deploy.local.errors import StackError

VERBS = {
    "up": "Start the whole platform on this machine and keep it running.",
    "down": "Stop the platform; data stays.",
    "reset": "Delete the data of the local platform.",
    "status": "Say what runs, where, and whether it is ready.",
    "logs": "Show the log of a service or part.",
    "doctor": "Check what this machine has and lacks.",
    "test": "Run the checks and tests.",
    "lint": "Check format, rules, types and imports.",
    "contracts": "Generate the schemas and the catalogue of messages.",
    "clock": "Move the local platform's time forward.",
    "replay": "Read invoice lines as demand and run them through the platform.",
    "audit": "Check the invariants over databases, topics and the payment journal.",
    "rebuild": "Build a projection again from the events.",
    "recover": "Bring escrow's database back after it was set back to an earlier moment.",
    "resume": "Let a stream go on after its blocked message was dealt with.",
    "bench": "Measure the figures and their baselines.",
}
GLOBAL_FLAGS = ("--help", "-h")


def build(arguments: list[str]) -> typer.Typer:
    """Return the tool with the one verb that is called, or with all verbs' names for the help."""
    app = typer.Typer(
        name="alpmera",
        help="Alpmera on this machine: start it, look at it, test it.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": list(GLOBAL_FLAGS)},
    )
    # Without a callback the tool would take its only loaded verb for itself.
    app.callback(result_callback=_exit_with)(_no_operation)
    verb = next((word for word in arguments if not word.startswith("-")), None)
    if verb in VERBS:
        name = f"deploy.cli.{verb}"
        if find_spec(name) is None:
            raise StackError(f"the verb '{verb}' is not part of this installation.")
        import_module(name).register(app)
    else:
        for known, line in VERBS.items():
            app.command(name=known, help=line)(_no_operation)
    return app


def main(arguments: list[str] | None = None) -> None:
    """Run the tool; it always ends by SystemExit with the verb's status."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        build(given)(args=given, prog_name="alpmera")
    except KeyboardInterrupt:
        complain("interrupted")
        sys.exit(130)
    except StackError as error:
        complain(str(error))
        sys.exit(1)


def _exit_with(status: int | None, **_options: object) -> None:
    """Turn what a verb returns into the exit status."""
    raise typer.Exit(status or 0)


def _no_operation() -> None:
    """Alpmera on this machine: start it, look at it, test it."""


if __name__ == "__main__":
    main()
