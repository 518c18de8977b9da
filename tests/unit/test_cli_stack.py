"""The parts of the local stack that decide something, each without a running part."""

import json
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from deploy.local import artifacts
from deploy.local.board import Board, StackRecord
from deploy.local.errors import StackError
from deploy.local.identity import end_process, is_running, started_at
from deploy.local.keys import Secrets
from deploy.local.ports import free_port, is_free
from deploy.local.preparation import may_skip, migration_digest
from deploy.local.providers import choose_provider, engine_answers
from deploy.local.services import SERVICES, ServicePart, ServiceSpec, own_environment
from deploy.local.stack import Stack
from deploy.local.standin import real_stripe_key
from deploy.local.units import PartUnit, TaskUnit, check_units

STRIPE = {
    "url": "http://localhost:1",
    "kind": "stand-in",
    "api_key": "sk_test_1",
    "publishable_key": "pk_test_1",
    "webhook_secret": "whsec_1",
}


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def _stack(folder: Path) -> Stack:
    folder.mkdir(exist_ok=True)
    return Stack(folder, Board(folder, StackRecord(), lambda _name, _unit: None))


def test_a_process_with_a_reused_number_is_never_ended(sleeper: subprocess.Popen[bytes]) -> None:
    forced = end_process(sleeper.pid, "an earlier start", first=signal.SIGKILL, seconds_max=1)

    assert forced is False
    assert sleeper.poll() is None


def test_exactly_the_recorded_process_is_ended(sleeper: subprocess.Popen[bytes]) -> None:
    start = started_at(sleeper.pid)
    assert start is not None

    forced = end_process(sleeper.pid, start, first=signal.SIGTERM, seconds_max=10)

    assert forced is False
    assert not is_running(sleeper.pid, start)


def test_no_port_is_given_twice_and_a_busy_one_is_not_given() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        taken = busy.getsockname()[1]
        given = [free_port(taken) for _ in range(50)]
        assert taken not in given
        assert len(set(given)) == 50
        assert not is_free(taken)


def test_a_file_that_differs_from_the_lock_is_refused_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = replace(artifacts.read_lock()[0], sha256="0" * 64)
    lock = tmp_path / "lock.json"
    lock.write_text(json.dumps({"artifacts": [asdict(entry)]}))
    monkeypatch.setattr(artifacts, "LOCK_FILE", lock)
    monkeypatch.setenv("ALPMERA_ARTIFACTS", str(tmp_path / "fetched"))
    served = tmp_path / "served.jar"
    served.write_bytes(b"another file")
    monkeypatch.setattr(artifacts, "_maven", lambda _cache: _Repository(served))

    with pytest.raises(StackError, match="another file"):
        artifacts.fetch([entry.group])

    assert not (tmp_path / "fetched" / entry.filename).exists()


class _Repository:
    """Serves one file for whatever is asked."""

    def __init__(self, served: Path) -> None:
        self.served = served

    def project(self, _group: str, _artifact: str) -> "_Repository":
        return self

    def at_version(self, _version: str) -> "_Repository":
        return self

    def artifact(self, _classifier: str, _packaging: str) -> "_Repository":
        return self

    def resolve(self) -> Path:
        return self.served


def test_a_fetched_file_that_was_changed_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = tmp_path / "served.jar"
    served.write_bytes(b"the file")
    entry = replace(artifacts.read_lock()[0], sha256=artifacts.sha256_of(served))
    lock = tmp_path / "lock.json"
    lock.write_text(json.dumps({"artifacts": [asdict(entry)]}))
    monkeypatch.setattr(artifacts, "LOCK_FILE", lock)
    monkeypatch.setenv("ALPMERA_ARTIFACTS", str(tmp_path / "fetched"))
    monkeypatch.setattr(artifacts, "_maven", lambda _cache: _Repository(served))
    kept = artifacts.fetch([entry.group])[entry.group][0]
    assert artifacts.missing_artifacts([entry.group]) == []

    kept.write_bytes(b"the fi1e, longer")

    assert artifacts.missing_artifacts([entry.group]) == [entry]


def test_the_lock_covers_every_part_and_names_no_host() -> None:
    locked = artifacts.read_lock()

    groups = {one.group for one in locked}
    assert {"kafka", "zipkin", "postgres-linux-amd64", "postgres-darwin-arm64v8"} <= groups
    assert [one.filename for one in locked if len(one.sha256) != 64] == []
    assert "://" not in artifacts.LOCK_FILE.read_text()


def test_a_client_without_an_engine_does_not_count_as_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALPMERA_STACK", raising=False)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")

    assert choose_provider() == "embedded"
    monkeypatch.setenv("ALPMERA_STACK", "docker")
    with pytest.raises(StackError, match="no container engine answers"):
        choose_provider()
    monkeypatch.setenv("ALPMERA_STACK", "something")
    with pytest.raises(StackError, match="can be 'docker' or 'embedded'"):
        choose_provider()


def test_an_engine_that_answers_a_ping_is_chosen_unless_the_embedded_parts_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ALPMERA_STACK", raising=False)
    path = tmp_path / "engine.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        answering = threading.Thread(target=_answer_pings, args=(server, 2))
        answering.start()
        assert engine_answers()
        assert choose_provider() == "docker"
        answering.join()
        monkeypatch.setenv("ALPMERA_STACK", "embedded")
        assert choose_provider() == "embedded"


def _answer_pings(server: socket.socket, count: int) -> None:
    for _ in range(count):
        connection, _ = server.accept()
        with connection:
            connection.recv(1024)
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nOK")


def test_a_live_key_of_stripe_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPMERA_STRIPE_API_KEY", "sk_live_1")
    with pytest.raises(StackError, match="never touches real money"):
        real_stripe_key()
    monkeypatch.setenv("ALPMERA_STRIPE_API_KEY", "sk_test_1")
    assert real_stripe_key() == "sk_test_1"


def test_kept_secrets_are_stable_and_for_their_user_alone(tmp_path: Path) -> None:
    first = Secrets(tmp_path)
    drawn = (first.password("a"), first.key("b"), first.assertion_keys())
    first.save()

    again = Secrets(tmp_path)

    assert (again.password("a"), again.key("b"), again.assertion_keys()) == drawn
    assert stat.S_IMODE(again.path.stat().st_mode) == 0o600


def test_the_public_record_of_a_stack_holds_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPMERA_STACK", "embedded")
    monkeypatch.delenv("ALPMERA_STRIPE_API_KEY", raising=False)
    stack = _stack(tmp_path / "state")
    stack.plan()
    stack.board.write()

    kept = json.loads(stack.secrets.path.read_text()).values()

    public = (tmp_path / "state" / "state.json").read_text()
    assert kept
    assert [secret for secret in kept if secret in public] == []


def test_only_the_gateway_can_sign_and_only_holders_get_the_keys_of_people(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    given = {spec.name: own_environment(spec, secrets, port=1, stripe=STRIPE) for spec in SERVICES}

    signers = [name for name, values in given.items() if "ALPMERA_ASSERTION_PRIVATE_KEY" in values]
    assert signers == ["gateway"]
    holders = [name for name, values in given.items() if "ALPMERA_PEOPLE_KEY_NOTIFICATIONS" in values]
    assert sorted(holders) == ["gateway", "notifications"]
    assert [name for name, values in given.items() if "ALPMERA_STRIPE_KEY" in values] == ["escrow"]
    masters = {values["ALPMERA_MASTER_KEY"] for values in given.values()}
    assert len(masters) == len(SERVICES)


def test_a_given_variable_goes_before_the_stacks_own_but_not_for_ports(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALPMERA_MASTER_KEY", "given")
    monkeypatch.setenv("ALPMERA_HEALTH_PORT", "1")
    own = {"ALPMERA_MASTER_KEY": "own", "ALPMERA_HEALTH_PORT": "2"}

    launch = ServicePart(ServiceSpec("escrow", "services.escrow"), port=2, environment=own).prepare()

    assert launch.environment == {"ALPMERA_MASTER_KEY": "given", "ALPMERA_HEALTH_PORT": "2"}
    assert [word for word in launch.command if "given" in word or "own" in word] == []


def test_the_plan_starts_services_after_their_migration_and_the_topics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALPMERA_STACK", "embedded")
    monkeypatch.delenv("ALPMERA_KAFKA", raising=False)
    units = {unit.name: unit for unit in _stack(tmp_path / "state").plan().units}

    assert units["escrow"].needs >= {"migrate-escrow", "topics"}
    assert units["migrate-escrow"].needs == {"databases"}
    assert units["topics"].needs == {"kafka"}
    assert isinstance(units["kafka"], PartUnit)


def test_given_addresses_leave_the_embedded_parts_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPMERA_STACK", "embedded")
    monkeypatch.setenv("ALPMERA_KAFKA", "broker.test:9092")
    for spec in SERVICES:
        url = f"postgresql+asyncpg://role:word@db.test/{spec.name}"
        monkeypatch.setenv(f"ALPMERA_DATABASE_URL_{spec.name.upper()}", url)

    units = {unit.name: unit for unit in _stack(tmp_path / "state").plan().units}

    assert "postgres" not in units
    assert "databases" not in units
    assert isinstance(units["kafka"], TaskUnit)
    assert units["migrate-escrow"].needs == frozenset()


def test_units_that_wait_for_each_other_are_refused() -> None:
    circle = [
        TaskUnit("first", needs=frozenset({"second"})),
        TaskUnit("second", needs=frozenset({"first"})),
    ]
    with pytest.raises(ValueError, match="wait for each other"):
        check_units(list(circle))
    with pytest.raises(ValueError, match="unknown"):
        check_units([TaskUnit("first", needs=frozenset({"no such unit"}))])


def test_a_migration_is_skipped_only_at_the_same_files_and_the_same_revision() -> None:
    done = {"migrate-escrow": migration_digest("escrow", "0001")}

    assert may_skip(done, "migrate-escrow", migration_digest("escrow", "0001"))
    assert not may_skip(done, "migrate-escrow", migration_digest("escrow", "0002"))
    assert not may_skip(done, "migrate-escrow", migration_digest("campaigns", "0001"))
    assert not may_skip({}, "migrate-escrow", migration_digest("escrow", "0001"))
