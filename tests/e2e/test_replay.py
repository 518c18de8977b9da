"""A replay of invoice lines: the report to the cent, a file that is none, and stopping anything at any moment."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import gzip
import json
import logging
import os
import random
import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.addresses import StackAddresses, load_addresses
from deploy.replay.reading import COLUMNS

ROOT = Path(__file__).resolve().parents[2]
LINES = ROOT / "tests" / "fixtures" / "data" / "invoice_lines.csv"
TIMES = ("commitments_per_second", "commitments_per_second_within_slots", "simulated_time", "seconds")
REPLAY_SECONDS_MAX = 280
STORM_LINES = 250
CALM_SECONDS_MAX = 240
STORM_SECONDS_MAX = 480
AUDIT_SECONDS_MAX = 60
SERVICES = ("campaigns", "escrow", "gateway", "notifications", "suppliers")
KILLS_MIN, KILLS_MAX = 3, 4
KILLS_PER_LINE = 0.3
"""How often a service is killed after a line that the replay says; it says one for each simulated day."""
KILL_AFTER_SECONDS_MAX = 2.0
POLL_SECONDS = 0.1
SEED_VARIABLE = "ALPMERA_TEST_SEED"
"""Set it to repeat a run: which services are killed, and after which of the replay's steps."""

EXPECTED: dict[str, Any] = {
    "lines_read": 59,
    "campaigns_launched": 7,
    "campaigns_completed": 3,
    "campaigns_closed": {
        "acceptance_timeout": 1,
        "fulfillment_failed": 1,
        "supplier_declined": 1,
        "target_not_reached": 1,
    },
    "campaigns_unsettled": 0,
    "commitments_made": 43,
    "commitments_refused": {"campaign_not_open": 1, "over_capacity": 1},
    "commitments_withdrawn": 1,
    "withdrawals_refused": {},
    "lines_skipped": {
        "bad_date": 1,
        "bad_quantity": 1,
        "below_smallest_charge": 1,
        "campaign_over": 1,
        "missing_columns": 1,
        "no_earlier_line": 1,
        "no_participant": 1,
        "not_a_product": 2,
        "other_quantity": 1,
        "unknown_columns": 1,
        "zero_or_negative_price": 1,
        "zero_or_negative_quantity": 1,
    },
    "money": {"in": 49_668, "refunded": 26_088, "released": 22_874, "fees": 706, "held": 0},
    "money_adds_up": True,
    "time_to_target_hours": {"p10": 145.65, "p50": 145.65, "p90": 145.65},
}
"""What the hand-made file says: three products released, one each declined, unanswered, faulty, and too small; one of
those released ran full before two more lines came."""


class Running:
    """A replay in a process of its own, as its person starts it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said = ""
        self._phase = asyncio.Event()
        self._wanted = ""
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, path: Path, *options: str) -> Running:
        """`./alpmera replay FILE --json`."""
        command = [sys.executable, "-m", "deploy.cli", "replay", str(path), "--json", *options]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        return cls(process)

    async def _read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.said += line.decode()
            if self._wanted and self._wanted in self.said:
                self._phase.set()
        self._phase.set()

    async def until(self, words: str) -> None:
        """Wait until the replay says so, or ends."""
        self._wanted = words
        if words not in self.said:
            await asyncio.wait_for(self._phase.wait(), timeout=REPLAY_SECONDS_MAX)
        assert words in self.said, self.said

    async def kill(self) -> None:
        """As the kernel ends a process: without a word."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
        await self._reading

    async def report(self, *, timeout_seconds: float = REPLAY_SECONDS_MAX) -> dict[str, Any]:
        """Its report; standard output holds nothing else."""
        assert self.process.stdout is not None
        try:
            answer = await asyncio.wait_for(self.process.stdout.read(), timeout=timeout_seconds)
            await self.process.wait()
        finally:
            await self.kill()
        assert self.process.returncode == 0, self.said
        found: dict[str, Any] = json.loads(answer)
        return found


def without_times(report: dict[str, Any]) -> dict[str, Any]:
    """What must not depend on how fast a replay was."""
    return {name: value for name, value in report.items() if name not in TIMES}


def own_copy(tmp_path: Path) -> Path:
    """The hand-made file with other bytes, because the platform remembers a file that it has seen."""
    path = tmp_path / "lines.csv.gz"
    path.write_bytes(gzip.compress(LINES.read_text().replace("Gift Voucher", f"Voucher {uuid4().hex}").encode()))
    return path


async def test_a_replay_reports_every_line_and_every_cent(stack: StackAddresses, tmp_path: Path) -> None:
    report = await (await Running.start(own_copy(tmp_path))).report()
    assert without_times(report) == EXPECTED
    assert report["money"]["in"] == sum(report["money"][name] for name in ("refunded", "released", "fees", "held"))
    assert report["commitments_per_second"] > 0
    begins, ends = (datetime.fromisoformat(report["simulated_time"][name]) for name in ("from", "to"))
    assert ends - begins > timedelta(days=21)


async def test_a_replay_that_is_killed_twice_and_started_again_reports_the_same(
    stack: StackAddresses, tmp_path: Path
) -> None:
    path = own_copy(tmp_path)
    for moment in ("demand:", "settling campaigns:"):
        running = await Running.start(path)
        await running.until(moment)
        await asyncio.sleep(random.uniform(0, 2))
        await running.kill()
    report = await (await Running.start(path)).report()
    assert without_times(report) == EXPECTED


async def test_the_same_file_again_makes_nothing_new(stack: StackAddresses, tmp_path: Path) -> None:
    path = own_copy(tmp_path)
    first = await (await Running.start(path, "--limit", "12")).report()
    again = await (await Running.start(path, "--limit", "12")).report()
    assert first["commitments_made"] == 12
    assert without_times(again) == without_times(first)
    assert again["simulated_time"]["from"] == first["simulated_time"]["from"]
    assert again["commitments_per_second"] == 0


async def test_a_file_that_holds_no_invoice_lines_is_refused_in_one_sentence(
    stack: StackAddresses, tmp_path: Path
) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear reader,\nthere are no invoice lines in here.\n")
    running = await Running.start(path)
    assert running.process.stdout is not None
    assert await running.process.stdout.read() == b""
    assert await running.process.wait() == 1
    await running.kill()
    assert running.said.count("\n") == 1
    assert "is not a file of invoice lines" in running.said


def many_lines(path: Path, *, salt: str) -> None:
    """A week of demand for 12 products by 60 people, the same in every file but for one word that is not used."""
    chance = random.Random(20_101_201)
    begin = datetime(2010, 12, 1, 8)
    hours = [begin + timedelta(days=day, hours=hour) for day in (0, 1, 2, 6) for hour in (0, 3)]
    rows: list[tuple[Any, ...]] = [("536000", "POST", f"POSTAGE {salt}", 1, begin, "18.00", "1.0", "United Kingdom")]
    joined: list[tuple[Any, ...]] = []
    for number in range(STORM_LINES):
        at = hours[number * len(hours) // STORM_LINES] + timedelta(minutes=chance.randrange(60))
        if joined and chance.random() < 0.04:
            _, code, words, quantity, _, price, who, where = chance.choice(joined)
            rows.append((f"C{537_000 + number}", code, words, -quantity, at, price, who, where))
            continue
        product = min(int(chance.expovariate(0.25)), 11)
        price = f"{1 + product % 17}.{(product * 37) % 100:02}"
        row = (
            str(537_000 + number),
            str(21_000 + product),
            f"PRODUCT {product}",
            chance.choice((1, 1, 2, 3, 6, 12)),
            at,
            price,
            f"{13_000 + chance.randrange(60)}.0",
            "United Kingdom",
        )
        rows.append(row)
        joined.append(row)
    with gzip.open(path, "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows)


async def kill_services(running: Running, chance: random.Random) -> list[str]:
    """End random services, with no warning, a moment after the replay has come further; the supervisor starts them
    again. Returns their names."""
    killed: list[str] = []
    lines = 0
    while len(killed) < KILLS_MAX and running.process.returncode is None:
        await asyncio.sleep(POLL_SECONDS)
        for _ in range(lines, lines := running.said.count("\n")):
            if len(killed) == KILLS_MAX or chance.random() > KILLS_PER_LINE:
                continue
            name, wait_seconds = chance.choice(SERVICES), chance.uniform(0, KILL_AFTER_SECONDS_MAX)
            await asyncio.sleep(wait_seconds)
            pid = load_addresses().service_pids[name]
            if pid > 0:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed.append(name)
    return killed


async def audit() -> dict[str, Any]:
    """`./alpmera audit --json`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.cli", "audit", "--json", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    answer, _ = await process.communicate()
    found: dict[str, Any] = json.loads(answer)
    return found


@pytest.mark.full
@pytest.mark.timeout(CALM_SECONDS_MAX + STORM_SECONDS_MAX + AUDIT_SECONDS_MAX)
async def test_killing_services_during_a_replay_changes_nothing_but_its_time(
    stack: StackAddresses, tmp_path: Path
) -> None:
    seed = int(os.environ.get(SEED_VARIABLE) or random.randrange(1_000_000))
    # Shown by the run when the test fails, wherever it does.
    logging.getLogger(__name__).warning("%s=%s kills the same services at the same steps again", SEED_VARIABLE, seed)
    calm, stormy = tmp_path / "calm.csv.gz", tmp_path / "stormy.csv.gz"
    many_lines(calm, salt=uuid4().hex)
    many_lines(stormy, salt=uuid4().hex)
    expected = await reported(await Running.start(calm), CALM_SECONDS_MAX)
    report, killed = await under_fire(stormy, random.Random(seed))
    assert len(killed) >= KILLS_MIN, killed
    assert without_times(report) == without_times(expected), killed
    assert report["campaigns_completed"] > 0
    assert report["commitments_withdrawn"] > 0
    audited = await audit()
    assert audited["clean"], {name: one for name, one in audited["invariants"].items() if one["violations"]}


async def reported(running: Running, seconds: int) -> dict[str, Any]:
    """Its report; what it said so far, when it takes longer."""
    try:
        return await running.report(timeout_seconds=seconds)
    except TimeoutError:
        raise AssertionError(f"no report after {seconds} seconds:\n{running.said[-2000:]}") from None


async def under_fire(file: Path, chance: random.Random) -> tuple[dict[str, Any], list[str]]:
    """The report of a replay whose services are killed meanwhile, and their names."""
    running = await Running.start(file)
    killing = asyncio.create_task(kill_services(running, chance))
    report = await reported(running, STORM_SECONDS_MAX)
    return report, await killing
