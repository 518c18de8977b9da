"""The table of recorded figures: which are asked, how a measurement becomes a row, where the rows are kept.

Owns `docs/figures.md` below its heading; each measured figure replaces its own row and leaves the others. A row says
what was asked, what was measured, the baseline of the same run, when, and on which machine under which load, because a
figure without them cannot be compared. It cannot tell whether the machine was calm before the last minute.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.paths import REPOSITORY
from services.kit.clock import wall_now

FIGURES_FILE = REPOSITORY / "docs" / "figures.md"
HEADINGS = ("Figure", "Asked", "Measured", "Baseline of the same run", "Date", "Machine")
GIBIBYTE = 1024**3


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure that is recorded: the key it is measured under, its words, its unit, its baseline."""

    key: str
    words: str
    asked: str
    unit: str
    baseline: str
    baseline_words: str


RECORDED = (
    Figure(
        "replay_commitments_per_second",
        "Replay: commitments held, from first to last",
        "≥ 200",
        "/s",
        "baseline_accepted_commitments_per_second",
        "/s merely accepted",
    ),
    Figure(
        "commit_to_held_p50_milliseconds",
        "Commit to held funds on an idle stack, median",
        "≤ 80",
        "ms",
        "baseline_commit_accepted_p50_milliseconds",
        "ms merely accepted",
    ),
    Figure(
        "hot_transfers_per_second",
        "Ledger transfers into one hot campaign",
        "≥ 15,000",
        "/s",
        "baseline_hot_transfers_per_second",
        "/s one per transaction",
    ),
    Figure(
        "proof_p95_milliseconds",
        "Proof of one commitment among 100,000, 95th percentile",
        "≤ 50",
        "ms",
        "baseline_checkpoint_milliseconds",
        "ms for their whole checkpoint",
    ),
    Figure(
        "two_instances_ratio",
        "Two instances on 50 campaigns, as a multiple of one on one",
        "≥ 1.3",
        "×",
        "baseline_one_instance_transfers_per_second",
        "/s one instance",
    ),
    Figure(
        "posting_age_ratio",
        "A posting with 5 million entries, as a multiple of one with 10 thousand",
        "≤ 1.2",
        "×",
        "baseline_young_batch_milliseconds",
        "ms a batch of 500, young",
    ),
    Figure(
        "audit_million_seconds",
        "Audit of a ledger of 1 million entries",
        "≤ 60",
        "s",
        "baseline_young_batch_milliseconds",
        "ms a batch of 500, young",
    ),
    Figure(
        "http_get_ratio",
        "`GET` of a campaign, as a part of the baseline's rate",
        "≥ 0.8",
        "×",
        "baseline_http_get_per_second",
        "/s with one SELECT",
    ),
    Figure(
        "http_accept_ratio",
        "Accepting a join (202), as a part of the baseline's rate",
        "≥ 0.6",
        "×",
        "baseline_http_insert_per_second",
        "/s with one INSERT",
    ),
    Figure(
        "http_list_p95_milliseconds",
        "A page of 200 in a list of 100,000 commitments, 95th percentile",
        "≤ 150",
        "ms",
        "baseline_http_get_per_second",
        "/s with one SELECT",
    ),
    Figure(
        "sign_in_difference_milliseconds",
        "Sign-in with a known and with an unknown address: median difference",
        "≤ 10",
        "ms",
        "baseline_sign_in_ask_milliseconds",
        "ms an answer takes",
    ),
    Figure("up_warm_seconds", "`up`, warm", "≤ 20", "s", "baseline_bare_imports_seconds", "s one bare interpreter"),
    Figure(
        "up_cold_seconds",
        "`up`, cold: no data, artifacts there",
        "≤ 180",
        "s",
        "baseline_bare_imports_seconds",
        "s one bare interpreter",
    ),
    Figure(
        "services_resident_megabytes",
        "Memory of the five services together",
        "≤ 900",
        "MB",
        "baseline_imports_resident_megabytes",
        "MB one bare interpreter",
    ),
)


def machine_words() -> str:
    """What this machine is, in words that name nobody's."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{os.cpu_count()} cores, {round(memory / GIBIBYTE)} GiB, everything on one machine"


def record(found: Mapping[str, Any], *, load: float, machine: str, path: Path = FIGURES_FILE) -> list[str]:
    """Write the rows of these measurements into the table; returns the keys that were recorded. `load` is the machine's
    average of the minute before. Raises LookupError when the file has no table."""
    text = path.read_text(encoding="utf-8")
    begin = text.find(_row(HEADINGS))
    if begin < 0:
        raise LookupError(f"{path.name} has no table with the columns {', '.join(HEADINGS)}")
    kept = dict(_kept(text[begin:]))
    end = begin + _table_length(text[begin:])
    fresh = {figure.key: figure for figure in RECORDED if figure.key in found}
    for figure in fresh.values():
        cells = (
            figure.words,
            f"{figure.asked} {figure.unit}".replace(" /s", "/s"),
            f"{_number(found[figure.key])} {figure.unit}".replace(" /s", "/s"),
            f"{_number(found[figure.baseline])} {figure.baseline_words}".replace(" /s", "/s"),
            f"{wall_now():%Y-%m-%d}",
            f"{machine}; load before {load:.1f}",
        )
        kept[figure.words] = _row(cells)
    rows = [kept[figure.words] for figure in RECORDED if figure.words in kept]
    table = "\n".join([_row(HEADINGS), _row(("---",) * len(HEADINGS)), *rows])
    path.write_text(text[:begin] + table + text[end:], encoding="utf-8")
    return list(fresh)


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _table_length(text: str) -> int:
    length = 0
    for line in text.splitlines(keepends=True):
        if not line.startswith("|"):
            break
        length += len(line)
    return len(text[:length].rstrip("\n"))


def _kept(text: str) -> list[tuple[str, str]]:
    """The rows of the table that stands there, by their first cell."""
    lines = text[: _table_length(text)].splitlines()[2:]
    return [(line.split("|")[1].strip(), line) for line in lines]


def _number(value: float) -> str:
    return f"{value:,}"
