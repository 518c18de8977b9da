"""The verb `down`: end the stack and see that nothing of it is left.

Owns the asking and the checking. Processes are known by number and start, so a number that the
system gave to another program meanwhile is never touched.
"""

import signal

import typer

from deploy.cli.console import complain, say
from deploy.local.board import StackRecord, read_record
from deploy.local.identity import end_process
from deploy.local.paths import state_folder
from deploy.local.run import clear_leftovers

# The supervisor ends the services, then what is around them, then broker and database.
SUPERVISOR_SECONDS_MAX = 90.0


def register(app: typer.Typer) -> None:
    """Add the verb to the tool."""

    @app.command()
    def down() -> int:
        """Stop the platform; data stays. It is no error when nothing runs."""
        record = read_record(state_folder())
        if not record.is_alive() and not record.processes():
            say("Nothing is running.")
            return 0
        return stop_stack(record)


def stop_stack(record: StackRecord) -> int:
    """End the supervisor and whatever is left; 1 when something could not be ended."""
    if record.is_alive():
        say("Stopping …")
        forced = end_process(record.pid, record.start, first=signal.SIGTERM, seconds_max=SUPERVISOR_SECONDS_MAX)
        if forced:
            say("The supervisor did not end in time and was ended by force.")
    for name in clear_leftovers(record):
        say(f"{name} was left over and was ended by force.")
    left = record.processes()
    if record.is_alive() or left:
        complain(f"these still run: {', '.join(left) or 'the supervisor'}; end them by hand.")
        return 1
    say("Stopped.")
    return 0
