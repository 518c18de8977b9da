"""The measurements' own parts: the recorded table, the made-up demand, the environment of an own stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.bench.demand_file import LINES, write_demand
from deploy.bench.figures import FIGURES_FILE, HEADINGS, RECORDED, machine_words, record
from deploy.bench.own_stack import OwnStack
from deploy.cli.__main__ import main
from deploy.local.errors import StackError
from deploy.replay.products import make_products
from deploy.replay.reading import read_demand

LEDGER = {"hot_transfers_per_second": 10_500, "baseline_hot_transfers_per_second": 250, "transfers": 30_000}
MEMORY = {"services_resident_megabytes": 606.1, "baseline_imports_resident_megabytes": 90.5}
MACHINE = "2 cores, 24 GiB"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "figures.md"
    rows = ["| " + " | ".join(HEADINGS) + " |", "|" + " --- |" * len(HEADINGS)]
    path.write_text("# Figures\n\n" + "\n".join(rows) + "\n\n## How each is measured\n\nSo.\n", encoding="utf-8")
    return path


def rows_of(path: Path) -> list[list[str]]:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_a_measurement_becomes_a_row_with_its_baseline_and_the_load(table: Path) -> None:
    assert record(LEDGER, load=0.44, machine=MACHINE, path=table) == ["hot_transfers_per_second"]
    (row,) = rows_of(table)
    assert row[1:4] == ["≥ 15,000/s", "10,500/s", "250/s one per transaction"]
    assert row[5] == "2 cores, 24 GiB; load before 0.4"
    assert table.read_text(encoding="utf-8").endswith("|\n\n## How each is measured\n\nSo.\n")


def test_a_second_measurement_replaces_its_own_row_and_leaves_the_others(table: Path) -> None:
    record(MEMORY, load=1, machine=MACHINE, path=table)
    record(LEDGER, load=1, machine=MACHINE, path=table)
    record(LEDGER | {"hot_transfers_per_second": 11_000}, load=1, machine=MACHINE, path=table)
    assert [row[2] for row in rows_of(table)] == ["11,000/s", "606.1 MB"]


def test_figures_without_a_row_of_their_own_change_nothing(table: Path) -> None:
    before = table.read_text(encoding="utf-8")
    assert record({"replay_seconds": 4}, load=1, machine=MACHINE, path=table) == []
    assert table.read_text(encoding="utf-8") == before


def test_a_document_without_the_table_is_said(tmp_path: Path) -> None:
    path = tmp_path / "figures.md"
    path.write_text("# Figures\n", encoding="utf-8")
    with pytest.raises(LookupError, match="no table"):
        record(LEDGER, load=1, machine=MACHINE, path=path)


def test_the_committed_table_holds_only_known_figures() -> None:
    known = {figure.words for figure in RECORDED}
    assert {row[0] for row in rows_of(FIGURES_FILE)} <= known


def test_a_machine_is_described_without_a_name() -> None:
    cores, memory, words = machine_words().split(", ")
    assert cores.endswith(" cores")
    assert memory.endswith(" GiB")
    assert words == "everything on one machine"


def test_made_up_demand_is_clean_and_the_same_each_time(tmp_path: Path) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    write_demand(first)
    write_demand(second)
    assert first.read_bytes() == second.read_bytes()
    demand = read_demand(first)
    assert len(demand.lines) == LINES
    assert not demand.skipped


def test_most_made_up_campaigns_can_reach_their_target(tmp_path: Path) -> None:
    path = tmp_path / "demand.csv"
    write_demand(path)
    demand = read_demand(path)
    products = make_products(demand.lines, demand.skipped)
    reached = [sum(line.quantity for line in product.lines) >= product.target_units for product in products]
    assert sum(reached) > len(reached) / 2


def test_an_own_stack_keeps_away_from_what_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALPMERA_KAFKA", "somebody:9092")
    monkeypatch.setenv("ALPMERA_STATE", str(tmp_path / "another"))
    monkeypatch.setenv("ALPMERA_ARTIFACTS", "kept")
    found = OwnStack(tmp_path).environment()
    ours = {name: value for name, value in found.items() if name.startswith("ALPMERA_")}
    assert ours == {"ALPMERA_ARTIFACTS": "kept", "ALPMERA_STATE": str(tmp_path / "state")}
    assert found["PATH"]


def test_a_verb_that_fails_on_an_own_stack_is_said_with_its_words(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"clock ended with status 1.*not running"):
        OwnStack(tmp_path).run("clock", "show")


@pytest.mark.parametrize("arguments", [["bench", "speed"], ["bench", "replay", "--file", "nothing.csv"]])
def test_an_unknown_figure_or_file_is_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
