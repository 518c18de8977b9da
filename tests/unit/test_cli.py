"""The command-line tool: its verbs, its answers to machines, its exit statuses."""

import json
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Event

import pytest
import typer

from contracts.language import find_violations
from deploy.cli import test as verb_test
from deploy.cli.__main__ import VERBS, main
from deploy.cli.checks import STATIC_CHECKS, Check, Result, run_checks
from deploy.cli.seed import CAMPAIGNS, seed_world
from deploy.cli.test import GROUPS, Group, read_counts
from deploy.local.addresses import StackAddresses
from deploy.local.board import Board, StackRecord, read_record
from deploy.local.errors import StackError
from deploy.local.keys import Secrets
from deploy.local.paths import REPOSITORY

HELP_SECONDS_MAX = 10


def _run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    monkeypatch.setenv("ALPMERA_STATE", str(folder))
    return folder


def test_the_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = _run(["--help"], capsys)

    assert status == 0
    assert [verb for verb in VERBS if f"  {verb} " not in out] == []


def test_the_help_loads_no_verb() -> None:
    code = (
        "import sys; from deploy.cli.__main__ import build; build(['--help']);"
        "sys.exit('deploy.cli.up' in sys.modules or 'asyncpg' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, timeout=HELP_SECONDS_MAX, check=False)
    assert run.returncode == 0


@pytest.mark.parametrize("verb", [verb for verb in VERBS if find_spec(f"deploy.cli.{verb}")])
def test_a_verb_registers_itself_under_its_name_with_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    app = typer.Typer()
    import_module(f"deploy.cli.{verb}").register(app)
    assert len(app.registered_commands) + len(app.registered_groups) >= 1

    status, out, _ = _run([verb, "--help"], capsys)

    assert status == 0
    assert len(out.splitlines()) > 3


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["no-such-verb"], "no-such-verb"),
        (["logs"], "service"),
        (["up", "--no-such-option"], "--no-such-option"),
        (["test", "--only", "no-such-step"], "no-such-step"),
        (["test", "--quick", "--full"], "exclude each other"),
        (["reset"], "--yes"),
    ],
)
def test_a_wrong_call_is_status_2_and_says_what_is_wrong(
    arguments: list[str], expected: str, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = _run(arguments, capsys)

    assert status == 2
    assert out == ""
    assert expected in err


def test_status_of_nothing_is_json_with_status_3(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = _run(["status", "--json"], capsys)

    answer = json.loads(out)
    assert status == 3
    assert answer["ready"] is False
    assert set(answer["services"]) == {"gateway", "campaigns", "escrow", "suppliers", "notifications"}
    assert answer["services"]["gateway"] == {"ready": False, "url": None}
    assert answer["parts"] == {}


def test_a_record_of_a_dead_supervisor_counts_as_not_running(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state.mkdir()
    record = StackRecord(pid=1, start="another start", ready=True)
    Board(state, record, lambda _name, _unit: None).write()

    status, out, _ = _run(["status", "--json"], capsys)

    assert status == 3
    assert json.loads(out)["ready"] is False


def test_down_and_reset_of_nothing_are_no_error(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["down"], capsys)[0] == 0
    state.mkdir()
    (state / "state.json").write_text("{}")
    assert _run(["reset", "--yes"], capsys)[0] == 0
    assert not state.exists()


def test_a_damaged_record_reads_as_an_empty_one(state: Path) -> None:
    state.mkdir()
    (state / "state.json").write_text('{"pid": 1, "units":')

    assert read_record(state) == StackRecord()


def test_the_log_of_an_unknown_part_is_refused_with_the_known_names(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = state.parent / "logs"
    logs.mkdir()
    (logs / "escrow.log").write_text("first\nsecond\n")

    status, _, err = _run(["logs", "ledger"], capsys)
    assert status == 1
    assert "escrow" in err
    status, out, _ = _run(["logs", "escrow", "--lines", "1"], capsys)
    assert (status, out) == (0, "second\n")


def test_a_report_of_tests_is_counted_with_errors_as_failures(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text('<testsuites><testsuite tests="10" failures="2" errors="1" skipped="1"/></testsuites>')

    assert read_counts(report) == (6, 3)
    assert read_counts(tmp_path / "absent.xml") == (0, 0)


def test_a_failing_check_keeps_its_output_and_one_that_does_not_apply_is_left_out() -> None:
    failing = Check("failing", (sys.executable, "-c", "import sys; sys.exit('because')"))
    good = Check("good", (sys.executable, "-c", ""))
    absent = Check("absent", ("true",), applies=lambda: False)

    results = run_checks([failing, good, absent], lambda _result: None)

    assert [(one.name, one.passed, one.failed) for one in results] == [("failing", 0, 1), ("good", 1, 0)]
    assert "because" in results[0].output


def test_no_step_compiles_again_what_another_one_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    asks = "import sys; sys.exit(f'{sys.dont_write_bytecode} {sys.pycache_prefix}')"

    (told,) = run_checks([Check("asking", (sys.executable, "-c", asks))], lambda _result: None)

    assert told.output.strip() == f"False {REPOSITORY / '.alpmera' / 'bytecode'}"


def test_a_group_beside_the_platform_is_waited_for_and_its_failure_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It begins with the first group on the platform and ends after the last one here; its output is kept until then."""
    monkeypatch.setattr(verb_test, "_start_stack", lambda _until: None)
    others_ended = Event()

    def run(group: Group, *, aside: bool = False) -> Result:
        if aside:
            assert others_ended.wait(timeout=10)
            return Result(group.name, 0.0, 1, 1, output="it broke")
        if group.name == "second":
            others_ended.set()
        return Result(group.name, 0.0, 1, 0)

    groups = [Group("alone", "a"), Group("beside", "b", beside_stack=True)]
    groups += [Group("first", "c", on_stack=True), Group("second", "d", on_stack=True)]
    found = verb_test._run_on_parts(groups, run)

    assert [(each.name, each.failed) for each in found] == [("alone", 0), ("beside", 1), ("first", 0), ("second", 0)]
    said = capsys.readouterr().err
    assert said.index("✓ second") < said.index("it broke")


def test_without_the_platform_no_group_runs_aside() -> None:
    def run(group: Group, *, aside: bool = False) -> Result:
        return Result(group.name, 0.0, int(not aside), int(aside))

    (found,) = verb_test._run_on_parts([Group("beside", "b", beside_stack=True)], run)

    assert (found.passed, found.failed) == (1, 0)


def test_every_folder_of_tests_belongs_to_a_group() -> None:
    folders = {path.parent for path in (REPOSITORY / "tests").rglob("test_*.py")}
    groups = [REPOSITORY / group.folder for group in GROUPS]
    assert [str(folder) for folder in folders if not any(folder.is_relative_to(one) for one in groups)] == []
    assert {"types", "format", "lint", "imports"} <= {check.name for check in STATIC_CHECKS}


def test_every_text_of_the_demo_world_keeps_the_language_rules() -> None:
    texts = [value for facts in CAMPAIGNS for value in facts.values() if isinstance(value, str)]
    assert len(texts) == 15
    assert [(text, findings) for text in texts if (findings := find_violations(text))] == []


def test_the_demo_world_is_left_out_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = StackAddresses(
        gateway_url="http://127.0.0.1:9",
        service_urls={},
        kafka_bootstrap="",
        kafka_cluster_id="",
        traces_url="",
        mailbox_url="",
        smtp="",
        stripe_url="http://127.0.0.1:9",
        stripe_kind="stand-in",
        stripe_key="",
        service_pids={},
        _admin_url="",
        _secrets=Secrets(Path("/nowhere")),
    )
    monkeypatch.setenv("ALPMERA_SEED", "none")
    assert seed_world(nowhere) == 0
    monkeypatch.delenv("ALPMERA_SEED")
    with pytest.raises(StackError, match="demo world could not be made"):
        seed_world(nowhere)
