"""Starts every unit of a plan when what it needs is ready, keeps the parts running, ends them.

Owns the life of the stack's processes: the restart of a crashed part, with a growing pause and a
bound after which the stack calls itself degraded; the end in sequence; and the record of all that
on the board. Every process is started in this loop's own thread, because the kernel ends a
child with the thread that made it. A part that hangs without dying is not restarted: it is shown
as not ready by `status`, and judging it is a person's act.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deploy.local.board import Board, UnitRecord
from deploy.local.errors import StackError
from deploy.local.forked import ForkServer, can_fork
from deploy.local.identity import started_at
from deploy.local.part import Launch, Part, Running, last_lines, spawn
from deploy.local.units import PartUnit, Plan, TaskUnit, check_units

# The name under which the whole stack is reported ready.
STACK = "stack"
POLL_SECONDS = 0.1
PROBE_PAUSE_SECONDS = 0.1
BLOCKING_CALLS_MAX = 24
RESTARTS_MAX = 20
RESTART_WINDOW_SECONDS = 300.0
RESTART_PAUSE_FIRST_SECONDS = 0.2
RESTART_PAUSE_MAX_SECONDS = 5.0
# A part that ends this often before it was ever ready has a reason that a further try won't cure.
FIRST_STARTS_MAX = 3
NOTICE_LENGTH_MAX = 200


class Supervisor:
    """Runs one plan."""

    def __init__(self, plan: Plan, board: Board, *, logs: Path) -> None:
        """Take the plan, the board to record on, and the folder of the parts' logs."""
        check_units(plan.units)
        self.plan = plan
        self.board = board
        self.logs = logs
        self._done = {unit.name: asyncio.Event() for unit in plan.units}
        self._stopping = asyncio.Event()
        self._running: dict[str, tuple[PartUnit, Part, Launch, Running]] = {}
        self._forks: ForkServer | None = None
        self._failure: StackError | None = None

    def stop(self) -> None:
        """Ask for the end; `run` returns when all has ended."""
        self._stopping.set()

    async def run(self) -> None:
        """Start everything and keep it until asked to stop; StackError when it cannot start."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(BLOCKING_CALLS_MAX))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.stop)
        for unit in self.plan.units:
            self.board.set(unit.name, "waiting", pid=0, start="", restarts=0)
        self._fork_server()
        tasks = [asyncio.create_task(self._guard(unit)) for unit in self.plan.units]
        announcement = asyncio.create_task(self._announce_ready())
        try:
            await self._stopping.wait()
        finally:
            self._stopping.set()
            for task in [*tasks, announcement]:
                task.cancel()
            await asyncio.gather(*tasks, announcement, return_exceptions=True)
            await self._end_all()
        if self._failure is not None:
            raise self._failure

    async def _announce_ready(self) -> None:
        for event in self._done.values():
            await event.wait()
        self.board.record.ready = True
        self.board.write()
        self.board.report(STACK, UnitRecord(state="ready"))

    async def _guard(self, unit: PartUnit | TaskUnit) -> None:
        """Run one unit; its failure is the stack's."""
        try:
            for need in unit.needs:
                await self._done[need].wait()
            if isinstance(unit, TaskUnit):
                await self._run_task(unit)
            else:
                await self._keep(unit)
        except StackError as error:
            if isinstance(unit, TaskUnit) and unit.optional:
                self._note(unit.name, error)
            else:
                self._fail(unit.name, error)
        except Exception as error:
            self._fail(unit.name, StackError(f"{unit.name} failed: {error!r}"))
            raise

    def _note(self, name: str, error: StackError) -> None:
        """Go on without the result of an optional step, and say so for as long as the stack lives."""
        self._log(name).write_text(f"{error}\n")
        headline = str(error).splitlines()[0].rstrip(":")[:NOTICE_LENGTH_MAX]
        self.board.record.notices.append(f"{name}: {headline} (see ./alpmera logs {name})")
        self.board.set(name, "failed", str(error).splitlines()[0])
        self._done[name].set()

    def _fail(self, name: str, error: StackError) -> None:
        self.board.set(name, "failed", str(error).splitlines()[0])
        if self._failure is None:
            self._failure = error
            self.board.record.failure = str(error)
            self.board.write()
        self._stopping.set()

    async def _run_task(self, unit: TaskUnit) -> None:
        self.board.set(unit.name, "starting")
        if unit.call is not None:
            await asyncio.to_thread(unit.call)
        launch = await asyncio.to_thread(unit.launch) if unit.launch is not None else None
        if launch is not None:
            log = self._log(unit.name)
            process = spawn(launch, log)
            try:
                status = await _ended(process, seconds_max=unit.seconds_max)
            finally:
                if process.poll() is None:
                    process.kill()
            if status != 0:
                raise StackError(f"{unit.name} ended with status {status}; its last lines:\n{last_lines(log)}")
        if unit.after is not None:
            await asyncio.to_thread(unit.after)
        self.board.set(unit.name, "ready")
        self._done[unit.name].set()

    async def _keep(self, unit: PartUnit) -> None:
        """Keep one part running, for as long as the stack lives."""
        ends: deque[float] = deque()
        while not self._stopping.is_set():
            state = "starting" if not self._done[unit.name].is_set() else "restarting"
            self.board.set(unit.name, state)  # type: ignore[arg-type]
            status = await self._run_once(unit)
            now = time.monotonic()
            ends.append(now)
            while ends and now - ends[0] > RESTART_WINDOW_SECONDS:
                ends.popleft()
            if not self._done[unit.name].is_set() and len(ends) >= FIRST_STARTS_MAX:
                raise StackError(
                    f"{unit.name} ended with status {status} before it was ready; its last lines:\n"
                    f"{last_lines(self._log(unit.name))}"
                )
            if len(ends) > RESTARTS_MAX:
                self._give_up(unit.name, status)
                return
            pause = min(RESTART_PAUSE_FIRST_SECONDS * 2 ** (len(ends) - 1), RESTART_PAUSE_MAX_SECONDS)
            self.board.set(
                unit.name,
                "restarting",
                f"ended with status {status}; starting again in {pause:.1f} s",
                pid=0,
                start="",
                restarts=self.board.record.units[unit.name].restarts + 1,
            )
            await asyncio.sleep(pause)

    def _give_up(self, name: str, status: int) -> None:
        minutes = RESTART_WINDOW_SECONDS / 60
        text = f"ended {RESTARTS_MAX + 1} times in {minutes:.0f} minutes (status {status}); given up"
        self.board.record.degraded.append(name)
        self.board.set(name, "failed", f"{text}: the stack is degraded", pid=0, start="")

    async def _run_once(self, unit: PartUnit) -> int:
        """Start the part, see it become ready, and return the status it ends with."""
        part = unit.part()
        launch = await asyncio.to_thread(part.prepare)
        process = await self._start(launch, self._log(unit.name))
        self._running[unit.name] = (unit, part, launch, process)
        state = self.board.record.units[unit.name].state
        self.board.set(unit.name, state, pid=process.pid, start=started_at(process.pid) or "")
        ready = asyncio.create_task(self._see_ready(unit, part, process))
        try:
            status = await _ended(process)
        finally:
            ready.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ready
        del self._running[unit.name]
        return status

    async def _start(self, launch: Launch, log: Path) -> Running:
        server = self._fork_server() if launch.module is not None else None
        if server is None:
            return spawn(launch, log)
        return await asyncio.to_thread(server.start, launch, log)

    def _fork_server(self) -> ForkServer | None:
        """The server that forks services: made with the stack, and again when it has ended. In the loop's thread."""
        if can_fork() and (self._forks is None or self._forks.is_gone):
            self._forks = ForkServer(self._log("fork-server"))
        return self._forks

    async def _see_ready(self, unit: PartUnit, part: Part, process: Running) -> None:
        end = time.monotonic() + part.ready_seconds_max
        late = False
        while process.poll() is None:
            try:
                ready = await asyncio.to_thread(part.is_ready)
            except StackError as error:
                self._fail(unit.name, error)
                return
            if ready:
                break
            if time.monotonic() > end and not late:
                late = True
                text = f"is not ready after {part.ready_seconds_max:.0f} s"
                if not self._done[unit.name].is_set():
                    lines = last_lines(self._log(unit.name))
                    self._fail(unit.name, StackError(f"{unit.name} {text}; its last lines:\n{lines}"))
                    return
                self.board.set(unit.name, "restarting", text)
            await asyncio.sleep(PROBE_PAUSE_SECONDS)
        else:
            return
        if not self._done[unit.name].is_set() and unit.after is not None:
            unit.after(part)
        self.board.set(unit.name, "ready")
        self._done[unit.name].set()

    async def _end_all(self) -> None:
        self.board.record.ready = False
        stages = sorted({entry[0].stage for entry in self._running.values()}, reverse=True)
        for stage in stages:
            names = [name for name, entry in self._running.items() if entry[0].stage == stage]
            await asyncio.gather(*(self._end(name) for name in names))
        if self._forks is not None:
            await asyncio.to_thread(self._forks.close)
        for hook in self.plan.on_stopped:
            await asyncio.to_thread(hook)

    async def _end(self, name: str) -> None:
        _, part, launch, process = self._running[name]
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(launch.stop_signal)
        try:
            await _ended(process, seconds_max=part.stop_seconds_max)
        except StackError:
            # Its own session holds whatever it started, so nothing of it is left either.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await _ended(process)
        self.board.set(name, "stopped", pid=0, start="")

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"


async def _ended(process: Running, *, seconds_max: float | None = None) -> int:
    """Wait for a process to end and return its status; StackError past the time."""
    end = None if seconds_max is None else time.monotonic() + seconds_max
    while (status := process.poll()) is None:
        if end is not None and time.monotonic() > end:
            raise StackError(f"process {process.pid} did not end within {seconds_max:.0f} s")
        await asyncio.sleep(POLL_SECONDS)
    return status
