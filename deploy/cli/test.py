"""The verb `test`: every check and test of the repository, in one run with one answer.

Owns the table of test groups and what belongs to a quick run. What needs no running part, checks and test groups
alike, runs two at a time; the other groups follow one by one, because they share the machine's cores with the real broker
and database. Only what mostly waits for processes of its own runs beside the groups on the platform, which mostly wait
too. A group that collects nothing counts as failed.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated
from xml.etree import ElementTree

import typer

from deploy.cli.checks import STATIC_CHECKS, Result, run_check, run_side_by_side, step_environment
from deploy.cli.console import complain, say
from deploy.cli.report import say_result, show_absent, show_failures, show_table
from deploy.local.board import read_record
from deploy.local.paths import REPOSITORY, state_folder

GROUP_SECONDS_MAX = 3600
PYTEST_FAILED = 1


@dataclass(frozen=True, slots=True)
class Group:
    """One group of tests: a folder, and what is special about running it. A quick one needs no running part."""

    name: str
    folder: str
    quick: bool = False
    # Its tests use one running platform, which the groups that do share: starting it takes half a minute.
    on_stack: bool = False
    # Runs beside those, in their pauses.
    beside_stack: bool = False
    options: tuple[str, ...] = ()


GROUPS = (
    Group("house", "tests/house", quick=True),
    Group("contract", "tests/contract", quick=True),
    Group("unit", "tests/unit", quick=True),
    # One file stays with one worker, so that a file may keep a server of its own for its tests. They wait as much as they
    # work, so there are more workers than cores. Their sequence is the one that the tests themselves choose.
    Group("integration", "tests/integration", options=("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")),
    Group("faults", "tests/faults", beside_stack=True, options=("-n", "2", "--dist", "loadfile")),
    Group("journeys", "tests/e2e", on_stack=True),
    Group("browser", "tests/browser", on_stack=True),
)


def register(app: typer.Typer) -> None:
    """Add the verb to the tool."""

    @app.command()
    def test(
        quick: Annotated[bool, typer.Option("--quick", help="Only what needs no running part.")] = False,
        full: Annotated[bool, typer.Option("--full", help="The heavy tests too.")] = False,
        only: Annotated[list[str] | None, typer.Option("--only", help="Only this step; may be given again.")] = None,
    ) -> int:
        """Run the checks and tests. Exit status 1 when one failed.

        The last line counts the tests, each static check as one.
        """
        if quick and full:
            complain("--quick and --full exclude each other.")
            return 2
        chosen = set(only or ())
        unknown = chosen - {step.name for step in (*STATIC_CHECKS, *GROUPS)}
        if unknown:
            names = ", ".join(step.name for step in (*STATIC_CHECKS, *GROUPS))
            complain(f"there is no step {', '.join(sorted(unknown))}; there are: {names}.")
            return 2
        return run_all(quick=quick, full=full, chosen=chosen)


def run_all(*, quick: bool, full: bool, chosen: set[str]) -> int:
    """Run the chosen steps, all of them when none is named, and return the exit status."""
    show_absent()
    checks = [one for one in STATIC_CHECKS if _wanted(one.name, quick=one.quick or not quick, chosen=chosen)]
    groups = [one for one in GROUPS if _wanted(one.name, quick=one.quick or not quick, chosen=chosen)]
    for group in groups:
        if not _has_tests(group):
            say(f"· {group.name}  no tests in {group.folder}")
    groups = [group for group in groups if _has_tests(group)]
    with tempfile.TemporaryDirectory(prefix="alpmera-test-") as folder:
        run = partial(_run_group, full=full, folder=Path(folder))
        steps: list[Callable[[], Result]] = [partial(run_check, check) for check in checks if check.applies()]
        steps += [partial(run, group, aside=True) for group in groups if group.quick]
        results = run_side_by_side(steps, say_result)
        show_failures(results)
        results += _run_on_parts([group for group in groups if not group.quick], run)
    show_table(results)
    return 1 if any(result.failed for result in results) else 0


def _run_on_parts(groups: list[Group], run: Callable[..., Result]) -> list[Result]:
    """Run the groups that need real parts, and return their results in the groups' sequence."""
    on_stack = [group for group in groups if group.on_stack]
    beside = [group for group in groups if group.beside_stack and on_stack]
    results: dict[str, Result] = {}

    def run_one(group: Group, *, aside: bool = False) -> None:
        say(f"… {group.name}" + (", beside the next ones" if aside else ""))
        results[group.name] = run(group, aside=aside)
        say_result(results[group.name])

    for group in groups:
        if group not in (*on_stack, *beside):
            run_one(group)
    with ThreadPoolExecutor(1) as lane:
        waiting = [lane.submit(run_one, group, aside=True) for group in beside]
        with ExitStack() as started:
            for group in on_stack:
                _start_stack(started)
                run_one(group)
        for one in waiting:
            one.result()
    show_failures([results[group.name] for group in beside])
    return [results[group.name] for group in groups]


def _start_stack(until: ExitStack) -> None:
    """Start the platform unless it runs, and stop it again when the groups are through. A start that fails is left to
    the tests: they try again, and tell why."""
    if read_record(state_folder()).is_alive():
        return
    run = partial(subprocess.run, cwd=REPOSITORY, env=step_environment(), stdin=subprocess.DEVNULL, check=False)
    run(_verb("up", "--detach"))
    until.callback(run, _verb("down"))


def _verb(*arguments: str) -> list[str]:
    return [str(REPOSITORY / "alpmera"), *arguments]


def _wanted(name: str, *, quick: bool, chosen: set[str]) -> bool:
    return name in chosen if chosen else quick


def _has_tests(group: Group) -> bool:
    return any((REPOSITORY / group.folder).rglob("test_*.py"))


def _run_group(group: Group, *, full: bool, folder: Path, aside: bool = False) -> Result:
    """Run a group to its end. One that runs aside keeps its output for itself, and gives it when something failed."""
    report = folder / f"{group.name}.xml"
    command = [sys.executable, "-m", "pytest", group.folder, f"--junit-xml={report}"]
    command += [*group.options, *(["--full"] if full else [])]
    began = time.monotonic()
    try:
        run = subprocess.run(
            command,
            cwd=REPOSITORY,
            env=step_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if aside else None,
            stderr=subprocess.STDOUT if aside else None,
            text=True,
            timeout=GROUP_SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Result(group.name, time.monotonic() - began, 0, 1, f"not done after {GROUP_SECONDS_MAX} s")
    status = run.returncode
    passed, failed = read_counts(report)
    detail = ""
    if status not in (0, PYTEST_FAILED) or (status == PYTEST_FAILED and failed == 0):
        # The run itself broke (an error of usage, a crash, nothing collected): that is a failure
        # which no test can report.
        failed, detail = max(failed, 1), f"pytest ended with status {status}"
    output = run.stdout if aside and failed else ""
    return Result(group.name, time.monotonic() - began, passed, failed, detail, output)


def read_counts(report: Path) -> tuple[int, int]:
    """Return how many tests passed and failed by a report; errors count as failed."""
    if not report.exists():
        return 0, 0
    passed = failed = 0
    # The file was written by our own pytest a moment ago, so nobody else's XML is parsed here.
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):  # noqa: S314
        bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        failed += bad
        passed += int(suite.get("tests", 0)) - bad - int(suite.get("skipped", 0))
    return passed, failed
