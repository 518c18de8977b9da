"""The rows about ASVS: complete, nothing left unverified, and everything that they name exists. And that the check can fail."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from deploy.contracts_files import asvs

WANTED = ["V1.2.1", "V1.2.2"]
TESTS = "tests/unit/test_things.py"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small repository with two tests, a decision and a module."""
    (tmp_path / "tests/unit").mkdir(parents=True)
    (tmp_path / TESTS).write_text(
        "import pytest\n@pytest.mark.parametrize('x', ['first', 'second'])\ndef test_a(x):\n    assert x\n"
        "class TestThings:\n    async def test_b(self):\n        assert 1\ndef helper():\n    assert 2\n"
    )
    (tmp_path / "page.md").write_text("# Page\n")
    return tmp_path


def row(requirement_id: str, **fields: Any) -> dict[str, Any]:
    return {"id": requirement_id, "asks": "do a thing"} | (fields or {"tests": [f"{TESTS}::test_a"]})


def test_every_requirement_in_scope_is_verified_and_what_is_named_exists() -> None:
    assert asvs.problems(asvs.rows(), asvs.scope(asvs.official())) == []


def test_the_scope_is_level_one_whole_and_level_two_of_five_chapters() -> None:
    levels = asvs.official()
    assert (len(levels), sorted(set(levels.values()))) == (345, [1, 2, 3])
    assert sum(1 for level in levels.values() if level == 1) == 70
    scope = asvs.scope(levels)
    assert len(scope) == 122
    assert {asvs.chapter(each) for each in scope if levels[each] == 2} == {"V4", "V6", "V7", "V8", "V14"}
    assert {asvs.chapter(each) for each in scope} == set(asvs.CHAPTERS)
    assert 3 not in {levels[each] for each in scope}


def test_the_page_says_what_is_open_and_counts_every_row_once() -> None:
    page, rows = asvs.page(), asvs.rows()
    assert sum(asvs.counts(rows).values()) == len(rows)
    for each in rows:
        assert f"| {each['id']} |" in page
        if each.get("open"):
            assert page.count(each["open"]) == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"tests": [f"{TESTS}::test_a", f"{TESTS}::test_b", f"{TESTS}::test_a[second]"]},
        {"review": "Read.", "modules": ["page.md"], "on": date(2026, 11, 21)},
        {"not_applicable": "There is none."},
        {"decided": "page.md", "why": "So."},
        {"open": "It is missing.", "tests": [f"{TESTS}::test_a"]},
    ],
)
def test_a_row_that_is_complete_is_left_alone(root: Path, fields: dict[str, Any]) -> None:
    assert asvs.problems([row("V1.2.1", **fields), row("V1.2.2")], WANTED, root) == []


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([row("V1.2.1")], "V1.2.2: has no row"),
        ([row("V1.2.1"), row("V1.2.2"), row("V9.9.9")], "V9.9.9: is not in the scope"),
        ([row("V1.2.1"), row("V1.2.1"), row("V1.2.2")], "V1.2.1: has more than one row"),
        ([row("V1.2.2"), row("V1.2.1")], "not in the sequence"),
    ],
)
def test_rows_that_do_not_fit_the_standard_are_found(root: Path, rows: list[dict[str, Any]], told: str) -> None:
    assert any(told in found for found in asvs.problems(rows, WANTED, root))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"tests": []}, "is not verified"),
        ({"review": ""}, "is not verified"),
        ({"tests": [f"{TESTS}::test_c"]}, "has no test test_c"),
        ({"tests": [f"{TESTS}::helper"]}, "does not name a test"),
        ({"tests": [TESTS]}, "does not name a test"),
        ({"tests": ["services/kit/work.py::test_a"]}, "does not name a test"),
        ({"tests": ["tests/unit/test_gone.py::test_a"]}, "does not exist"),
        ({"tests": [f"{TESTS}::test_a[third]"]}, "has no such case"),
        ({"review": "Read.", "on": date(2026, 11, 21)}, "names what was read"),
        ({"review": "Read.", "modules": ["page.md"]}, "names what was read"),
        ({"review": "Read.", "modules": ["page.md"], "on": "some day"}, "names what was read"),
        ({"review": "Read.", "modules": ["gone.md"], "on": date(2026, 11, 21)}, "gone.md does not exist"),
        ({"not_applicable": "None.", "modules": ["page.md"]}, "without a review"),
        ({"decided": "page.md"}, "its reason"),
        ({"decided": "gone.md", "why": "So."}, "gone.md does not exist"),
        ({"open": "Missing.", "not_applicable": "None."}, "at once"),
        ({"not_applicable": "None.", "asks": ""}, "in no words"),
        ({"not_applicable": "None.", "asks": "x" * 200}, "in no words"),
        ({"not_applicable": "None.", "verified": True}, "verified is unknown"),
    ],
)
def test_a_row_that_is_broken_is_found(root: Path, fields: dict[str, Any], told: str) -> None:
    found = asvs.problems([row("V1.2.1", **fields), row("V1.2.2")], WANTED, root)
    assert len(found) == 1
    assert found[0].startswith("V1.2.1: ")
    assert told in found[0]


def test_a_gap_counts_as_a_gap_however_much_of_it_is_tested() -> None:
    assert asvs.verdict(row("V1.2.1", open="Missing.", tests=["x"], review="Read.")) == "open"
    assert asvs.verdict(row("V1.2.1", decided="page.md", tests=["x"])) == "decided"
    assert asvs.verdict(row("V1.2.1", not_applicable="None.", tests=["x"])) == "not_applicable"
    assert asvs.verdict(row("V1.2.1", tests=["x"], review="Read.")) == "tests"
    assert asvs.verdict({"id": "V1.2.1", "asks": "x"}) is None
