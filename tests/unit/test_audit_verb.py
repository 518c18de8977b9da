"""The verb `audit`: its answer's shape, its exit statuses, its catalogue."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from deploy.audit.catalogue import INVARIANTS, catalogue_lines
from deploy.audit.check_ledger import LEDGER_QUESTIONS
from deploy.audit.findings import EXAMPLES_MAX, Finding, Findings
from deploy.audit.run import Report
from deploy.cli import audit
from services.escrow.store.invariants import QUERIES

WANTED = [*(f"I{number}" for number in range(1, 19)), "I21", "I23", "I24", "I25"]


def report(findings: Findings, *noise: str) -> Report:
    return Report(findings, list(noise), 0.0, 1.25, {"records": 3})


@pytest.fixture
def tool() -> typer.Typer:
    app = typer.Typer()
    app.callback()(lambda: None)
    audit.register(app)
    return app


def test_the_catalogue_names_the_invariants_and_every_ledger_question_is_asked() -> None:
    assert [each.id for each in INVARIANTS] == WANTED
    assert set(LEDGER_QUESTIONS) == set(QUERIES)
    assert len(catalogue_lines()) == len(WANTED)


def test_the_answer_counts_every_violation_and_shows_a_few() -> None:
    findings = Findings()
    for number in range(EXAMPLES_MAX + 3):
        findings.add("I3", Finding("a row differs", "scope", str(number), {"net_minor": number}))
    answer = report(findings, "escrow has 1 calls open").answer()
    assert answer["clean"] is False
    assert list(answer["invariants"]) == WANTED
    assert answer["invariants"]["I3"]["violations"] == EXAMPLES_MAX + 3
    assert len(answer["invariants"]["I3"]["examples"]) == EXAMPLES_MAX
    assert answer["quiet"] == {"quiet": False, "noise": ["escrow has 1 calls open"], "waited_seconds": 0.0}
    assert answer["seconds"] == 1.25
    assert json.loads(json.dumps(answer)) == answer


def test_nothing_found_is_clean() -> None:
    assert report(Findings()).answer()["clean"] is True


def test_without_a_running_stack_it_says_so_in_a_sentence(
    tool: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALPMERA_STATE", str(tmp_path / "state"))
    result = CliRunner().invoke(tool, ["audit", "--json"], standalone_mode=False)
    assert result.return_value == audit.EXIT_CANNOT_RUN
    assert result.stdout == ""
    assert "The stack is not running" in result.stderr


@pytest.mark.parametrize(("violated", "status"), [(False, 0), (True, audit.EXIT_VIOLATED)])
def test_the_exit_status_tells_whether_it_is_clean(
    tool: typer.Typer, monkeypatch: pytest.MonkeyPatch, violated: bool, status: int
) -> None:
    findings = Findings()
    if violated:
        findings.add("I9", Finding("what is held is less than what is owed", "platform", "usd", {"held_minor": 1}))

    async def ran(wait_seconds: float, *, quiet_only: bool) -> Report:
        return report(findings)

    monkeypatch.setattr(audit, "_run", ran)
    result = CliRunner().invoke(tool, ["audit", "--json"], standalone_mode=False)
    assert result.return_value == status
    assert json.loads(result.stdout)["clean"] is (status == 0)
    shown = CliRunner().invoke(tool, ["audit"], standalone_mode=False)
    assert ("violated" if violated else "clean") in shown.stdout


def test_the_viewers_address_is_its_root() -> None:
    assert audit.viewer_url("http://127.0.0.1:9411/zipkin/?serviceName=escrow") == "http://127.0.0.1:9411"
    assert audit.viewer_url("") is None
