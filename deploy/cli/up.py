"""The verb `up`: start the whole platform, in the foreground or in the background.

Owns the waiting and the showing; the starting is the supervisor's (`deploy.local.run`). With
`--detach` the supervisor is a process of its own whose progress is read from the board. A second
`up` finds the first one and says so.
"""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.console import answer_console, complain, progress_console, say
from deploy.cli.progress import StartView
from deploy.cli.summary import show_summary
from deploy.local.board import StackRecord, UnitRecord, read_record
from deploy.local.errors import StackError
from deploy.local.part import last_lines, rotate_log
from deploy.local.paths import REPOSITORY, TRACES_SWITCH, logs_folder, state_folder

START_SECONDS_MAX = 900.0
POLL_SECONDS = 0.2


def register(app: typer.Typer) -> None:
    """Add the verb to the tool."""

    @app.command()
    def up(
        detach: Annotated[bool, typer.Option("--detach", "-d", help="Return when everything is ready.")] = False,
        no_traces: Annotated[bool, typer.Option("--no-traces", help="Leave the trace viewer out.")] = False,
    ) -> int:
        """Start the whole platform on this machine and keep it running.

        In the foreground it runs until Ctrl-C. With --detach it returns when everything is ready.
        Data of an earlier run is reused.
        """
        record = read_record(state_folder())
        if record.is_alive():
            return _already(record)
        if no_traces:
            os.environ[TRACES_SWITCH] = "off"
        return _detached() if detach else _foreground()


def _foreground() -> int:
    # Loading the stack takes a moment, which a second `up` need not spend.
    from deploy.local.run import run_stack
    from deploy.local.supervisor import STACK

    view = StartView(progress_console)

    def report(name: str, unit: UnitRecord) -> None:
        if name == STACK:
            view.close()
            # In a thread of its own: this one runs the stack and must not wait for its answers.
            threading.Thread(target=greet, daemon=True).start()
        else:
            view.update(name, unit)

    def greet() -> None:
        _welcome()
        say("Ctrl-C stops it; the data stays.")

    try:
        run_stack(state_folder(), logs_folder(), report=report)
    except StackError as error:
        view.close()
        complain(str(error))
        return 1
    finally:
        view.close()
    say("stopped")
    return 0


def _detached() -> int:
    log = logs_folder() / "supervisor.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    rotate_log(log)
    with log.open("ab") as output:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "deploy.local.run"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=REPOSITORY,
        )
    try:
        return _wait_ready(supervisor, log)
    except KeyboardInterrupt:
        supervisor.terminate()
        supervisor.wait()
        raise


def _wait_ready(supervisor: "subprocess.Popen[bytes]", log: Path) -> int:
    view = StartView(progress_console)
    end = time.monotonic() + START_SECONDS_MAX
    began = time.time()
    try:
        while time.monotonic() < end:
            status = supervisor.poll()
            record = read_record(state_folder())
            if status is not None:
                view.close()
                if record.is_alive():
                    # Another `up` was a moment faster.
                    return _already(record)
                complain(_failure(began) or f"the start failed:\n{last_lines(log)}")
                return 1
            if record.pid == supervisor.pid:
                _follow(view, record)
                if record.ready:
                    view.close()
                    _welcome()
                    say("It runs in the background; ./alpmera down stops it.")
                    return 0
            time.sleep(POLL_SECONDS)
    finally:
        view.close()
    supervisor.terminate()
    supervisor.wait()
    complain(f"not ready after {START_SECONDS_MAX:.0f} s; it was stopped. See ./alpmera logs SERVICE.")
    return 1


def _welcome() -> None:
    """Make the demo world where there is none yet, and say what to open."""
    from deploy.cli.seed import seed_world
    from deploy.local.addresses import load_addresses

    try:
        opened = seed_world(load_addresses())
        if opened:
            say(f"The demo world is there: {opened} campaigns were opened.")
    except StackError as error:
        complain(str(error))
    show_summary(answer_console, read_record(state_folder()))


def _failure(began: float) -> str:
    """Return what the supervisor wrote down as its failure, unless that is from an earlier start."""
    path = state_folder() / "state.json"
    recent = path.exists() and path.stat().st_mtime >= began
    return read_record(state_folder()).failure if recent else ""


def _already(record: StackRecord) -> int:
    """Join a start that another `up` made; an answer at once when it is done."""
    view = StartView(progress_console)
    end = time.monotonic() + START_SECONDS_MAX
    while not record.ready and record.is_alive() and time.monotonic() < end:
        _follow(view, record)
        time.sleep(POLL_SECONDS)
        record = read_record(state_folder())
    view.close()
    if not record.ready:
        complain(record.failure or "the other start did not get ready; see ./alpmera status.")
        return 1
    say("The platform is already running.")
    show_summary(answer_console, record)
    return 0


def _follow(view: StartView, record: StackRecord) -> None:
    for name, unit in record.units.items():
        view.update(name, unit)
