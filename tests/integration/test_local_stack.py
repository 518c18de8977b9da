"""The local stack on this machine: its database and broker, its supervisor, its end.

Owns the promises about processes, data and rights; the services in it are small stand-ins. It
cannot show what happens on a machine with a container engine, where other parts are used.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local.board import read_record
from deploy.local.databases import plain
from deploy.local.identity import is_running, started_at
from deploy.local.infra import Infra, remove_infra, start_infra
from deploy.local.kafka import cluster_id_of
from deploy.local.part import GUARD
from deploy.local.postgres import Postgres
from tests.integration.local_stack_support import SmallStack, wait_until_gone

GIVEN = ("ALPMERA_KAFKA", "ALPMERA_POSTGRES_ADMIN_URL")


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in GIVEN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALPMERA_STACK", "embedded")


@pytest.fixture
def infra(embedded: None, tmp_path: Path) -> Iterator[Infra]:
    with start_infra(tmp_path / "infra", parts={"postgres"}) as started:
        yield started
    remove_infra(tmp_path / "infra")


@pytest.fixture
def small_stack(tmp_path: Path) -> Iterator[SmallStack]:
    stack = SmallStack(tmp_path)
    yield stack
    stack.verb("reset", "--yes")
    stack.kill()


async def _run(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(plain(url))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _value(url: str, query: str) -> object:
    connection = await asyncpg.connect(plain(url))
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_an_application_role_changes_rows_and_defines_nothing(infra: Infra) -> None:
    owner, app = infra.create_database("escrow_rights")
    await _run(owner, "CREATE TABLE ledger (amount_minor bigint NOT NULL)")

    await _run(app, "INSERT INTO ledger VALUES (1)", "UPDATE ledger SET amount_minor = 2")

    refused = []
    for statement in (
        "CREATE TABLE other (id int)",
        "CREATE TEMPORARY TABLE other (id int)",
        "CREATE SCHEMA other",
        "ALTER TABLE ledger ADD COLUMN note text",
        "DROP TABLE ledger",
        "TRUNCATE ledger",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await _run(app, statement)
        refused.append(statement)
    assert len(refused) == 6
    assert await _value(app, "SELECT amount_minor FROM ledger") == 2


async def test_an_auditor_reads_everything_and_writes_nothing(infra: Infra) -> None:
    owner, _ = infra.create_database("escrow_audit")
    await _run(owner, "CREATE TABLE ledger (amount_minor bigint)", "INSERT INTO ledger VALUES (7)")

    auditor = infra.auditor_url("escrow_audit")

    assert await _value(auditor, "SELECT sum(amount_minor) FROM ledger") == 7
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _run(auditor, "INSERT INTO ledger VALUES (1)")


async def test_a_service_cannot_enter_the_database_of_another(infra: Infra) -> None:
    infra.create_database("first")
    _, app_of_second = infra.create_database("second")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _run(app_of_second.rpartition("/")[0] + "/first", "SELECT 1")


async def test_a_copied_database_has_the_rows_and_rights_of_its_source(infra: Infra) -> None:
    owner, _ = infra.create_database("template_of_escrow")
    await _run(owner, "CREATE TABLE ledger (amount_minor bigint)", "INSERT INTO ledger VALUES (5)")

    _, app = infra.clone_database("template_of_escrow", "copy_of_escrow")

    assert await _value(app, "SELECT amount_minor FROM ledger") == 5
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _run(app, "DROP TABLE ledger")


async def test_text_is_stored_as_unicode_and_sorted_the_same_everywhere(infra: Infra) -> None:
    assert await _value(infra.postgres_admin_url, "SHOW server_encoding") == "UTF8"
    query = "SELECT datlocale FROM pg_database WHERE datname = current_database()"
    assert await _value(infra.postgres_admin_url, query) == "C.UTF-8"


def test_a_second_start_finds_the_broker_and_the_rows_of_the_first(embedded: None, tmp_path: Path) -> None:
    with start_infra(tmp_path / "infra") as first:
        owner, _ = first.create_database("escrow")
        asyncio.run(_run(owner, "CREATE TABLE kept (id int)", "INSERT INTO kept VALUES (3)"))
        assert cluster_id_of(first.kafka_bootstrap) == first.kafka_cluster_id

    with start_infra(tmp_path / "infra") as second:
        owner, _ = second.create_database("escrow")
        assert asyncio.run(_value(owner, "SELECT id FROM kept")) == 3
        assert cluster_id_of(second.kafka_bootstrap) == first.kafka_cluster_id
    remove_infra(tmp_path / "infra")


def test_given_addresses_replace_the_embedded_parts(
    infra: Infra, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALPMERA_POSTGRES_ADMIN_URL", infra.postgres_admin_url)

    with start_infra(tmp_path / "other", parts={"postgres"}) as given:
        owner, _ = given.create_database("made_through_the_given_address")

    assert given.processes == {}
    assert asyncio.run(_value(owner, "SELECT 1")) == 1


def test_a_killed_supervisor_leaves_no_process_and_the_next_one_goes_on(
    small_stack: SmallStack,
) -> None:
    before = small_stack.start_ready()
    processes = before.processes()
    assert {"kafka", "mailbox", "stripe", "gateway", "escrow"} <= processes.keys()

    small_stack.kill()

    assert wait_until_gone(processes) == []
    assert small_stack.status()["ready"] is False
    after = small_stack.start_ready()
    assert after.parts["kafka"]["cluster_id"] == before.parts["kafka"]["cluster_id"]
    assert after.services["gateway"]["url"] == before.services["gateway"]["url"]


def test_a_crashed_service_is_started_again_and_said(small_stack: SmallStack) -> None:
    pid, start = small_stack.start_ready().processes()["escrow"]

    os.kill(pid, signal.SIGKILL)

    assert wait_until_gone({"escrow": (pid, start)}) == []
    _wait(lambda: small_stack.status()["ready"])
    record = read_record(small_stack.state)
    assert record.units["escrow"].restarts == 1
    assert record.units["escrow"].pid != pid
    assert "escrow restarting ended with status -9" in small_stack.said()


def test_when_the_fork_server_dies_its_services_end_with_it_and_start_again(small_stack: SmallStack) -> None:
    before = small_stack.start_ready().processes()
    pid, start = before["escrow"]
    server = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    assert "fork_server" in Path(f"/proc/{server}/cmdline").read_text()

    os.kill(server, signal.SIGKILL)

    assert wait_until_gone({name: before[name] for name in ("gateway", "escrow")}) == []
    _wait(lambda: small_stack.status()["ready"])
    assert read_record(small_stack.state).units["gateway"].restarts == 1
    assert is_running(*before["kafka"])
    small_stack.kill()
    assert wait_until_gone(read_record(small_stack.state).processes()) == []


def test_a_forked_service_is_a_process_of_its_own(small_stack: SmallStack) -> None:
    pid, _ = small_stack.start_ready().processes()["escrow"]

    assert os.getsid(pid) == pid
    assert Path(f"/proc/{pid}/comm").read_text().strip() == "small_service"
    environment = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"ALPMERA_MASTER_KEY" not in environment
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    # Above 31 are the C library's own.
    ignored, handled = (int(status[name], 16) & 0x7FFFFFFF for name in ("SigIgn", "SigCgt"))
    quiet = 1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1)
    # Whoever starts the tests in the background may have more signals ignored.
    assert ignored & quiet == quiet, "a client that goes away ends no service"
    assert handled == 1 << (signal.SIGINT - 1)
    assert int(status["SigBlk"], 16) == 0


def test_down_ends_every_process_and_says_so(small_stack: SmallStack) -> None:
    record = small_stack.start_ready()
    processes = record.processes()
    answer = small_stack.status()
    assert answer["ready"] is True
    assert set(answer["services"]["gateway"]) >= {"ready", "url"}
    assert answer["parts"]["stripe"]["kind"] == "stand-in"

    ended = small_stack.verb("down")

    assert ended.returncode == 0, ended.stderr
    assert [name for name, (pid, start) in processes.items() if is_running(pid, start)] == []
    assert small_stack.verb("status", "--json").returncode == 3
    assert small_stack.verb("down").returncode == 0


def test_a_service_that_cannot_start_ends_the_start_with_its_last_words(
    small_stack: SmallStack,
) -> None:
    small_stack.start(REFUSE_TO_START="yes")
    assert small_stack.process is not None

    status = small_stack.process.wait(timeout=120)

    assert status != 0
    assert "this service refuses to start" in small_stack.said()
    assert read_record(small_stack.state).processes() == {}


def test_where_the_kernel_gives_no_signal_the_guard_watches_its_parent(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    child = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    parent = (
        "import os, subprocess, sys, time;"
        f"subprocess.Popen([sys.executable, '-I', '-S', {str(GUARD)!r}, str(os.getpid()), '15', '-',"
        f" sys.executable, '-c', {child!r}]);"
        "time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], env={**os.environ, "ALPMERA_GUARD": "poll"})
    _wait(lambda: note.exists() and note.read_text() != "")
    pid = int(note.read_text())
    start = started_at(pid)
    assert start is not None

    process.kill()
    process.wait()

    assert wait_until_gone({"child": (pid, start)}) == []


def _wait(done: Callable[[], bool], *, seconds_max: float = 60.0) -> None:
    end = time.monotonic() + seconds_max
    while not done():
        assert time.monotonic() < end, "it did not come to pass in time"
        time.sleep(0.1)


def test_a_first_start_asks_who_may_enter_a_folder_that_is_made_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALPMERA_ARTIFACTS", str(tmp_path / "not" / "there" / "yet"))
    (tmp_path / "state").mkdir()
    server = Postgres(tmp_path / "state", port=1)
    asked: list[Path] = []
    monkeypatch.setattr("deploy.local.postgres._unpacked", lambda target: asked.append(target) or target)
    server._binaries((65534, 65534))
    server.remove()
    assert (tmp_path / "not" / "there" / "yet").is_dir()
    assert [path.name.startswith("postgres-") for path in asked] == [True]
