"""How the requirements of ASVS are verified: reads the rows, finds what is wrong with them, and writes the page.

It can see that a named test exists, not that it verifies what its row says: that was read by whoever wrote the row. The
standard's own sentences are not repeated here; the ids and levels are.
"""

from __future__ import annotations

import ast
import csv
import functools
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DATA = Path("docs/security/asvs.toml")
IDS = Path("docs/security/asvs-5.0.0.csv")
PAGE = Path("docs/security/asvs.md")
LEVEL_TWO_CHAPTERS = frozenset({"V4", "V6", "V7", "V8", "V14"})
ASKS_CHARACTERS_MAX = 90
FIELDS = frozenset({"id", "asks", "tests", "review", "modules", "on", "not_applicable", "decided", "why", "open"})
VERDICTS = ("open", "decided", "not_applicable", "tests", "review")
"""What a row counts as is the first of these that it has: a gap is a gap, however much of it is tested."""

CHAPTERS = {
    "V1": "Encoding and sanitization",
    "V2": "Validation and business logic",
    "V3": "Web frontend",
    "V4": "API and web service",
    "V5": "File handling",
    "V6": "Authentication",
    "V7": "Session management",
    "V8": "Authorization",
    "V9": "Self-contained tokens",
    "V10": "OAuth and OIDC",
    "V11": "Cryptography",
    "V12": "Secure communication",
    "V13": "Configuration",
    "V14": "Data protection",
    "V15": "Secure coding and architecture",
}
WORDS = {
    "tests": "verified by tests",
    "review": "verified by review",
    "not_applicable": "not applicable",
    "decided": "not followed, by decision",
    "open": "open",
}

Row = Mapping[str, Any]


def official() -> dict[str, int]:
    """Every id of the standard with its level."""
    with (ROOT / IDS).open(encoding="utf-8", newline="") as file:
        return {row["id"]: int(row["level"]) for row in csv.DictReader(file)}


def scope(levels: Mapping[str, int]) -> list[str]:
    """The ids that have to be verified: level 1 whole, level 2 of the chapters named above."""
    return sorted(
        (each for each, level in levels.items() if level == 1 or (level == 2 and chapter(each) in LEVEL_TWO_CHAPTERS)),
        key=position,
    )


def rows() -> list[Row]:
    """The rows as written."""
    found: list[Row] = tomllib.loads((ROOT / DATA).read_text(encoding="utf-8"))["requirement"]
    return found


def chapter(requirement_id: str) -> str:
    """The chapter of a requirement."""
    return requirement_id.partition(".")[0]


def position(requirement_id: str) -> tuple[int, ...]:
    """Where a requirement stands in the standard."""
    return tuple(int(part) for part in requirement_id.removeprefix("V").split("."))


def verdict(row: Row) -> str | None:
    """What a row counts as, or None when nothing verifies it."""
    return next((each for each in VERDICTS if row.get(each)), None)


def problems(written: Sequence[Row], wanted: Sequence[str], root: Path = ROOT) -> list[str]:
    """What is wrong with the rows; nothing when they are complete and all that they name exists."""
    ids = [str(row.get("id")) for row in written]
    found = [f"{each}: has no row" for each in wanted if each not in ids]
    found += [f"{each}: is not in the scope" for each in ids if each not in wanted]
    found += [f"{each}: has more than one row" for each in sorted(set(ids)) if ids.count(each) > 1]
    if not found and ids != list(wanted):
        found.append("the rows are not in the sequence of the standard")
    for row in written:
        found += [f"{row.get('id')}: {what}" for what in _problems_of(row, root)]
    return found


def _problems_of(row: Row, root: Path) -> Iterator[str]:
    for name in sorted(row.keys() - FIELDS):
        yield f"the field {name} is unknown"
    if not 0 < len(str(row.get("asks", ""))) <= ASKS_CHARACTERS_MAX:
        yield f"says what it asks in no words, or in more than {ASKS_CHARACTERS_MAX} characters"
    if verdict(row) is None:
        yield "is not verified"
    if sum(1 for name in ("open", "decided", "not_applicable") if row.get(name)) > 1:
        yield "cannot be open, decided and not applicable at once"
    if row.get("review"):
        if not row.get("modules") or not isinstance(row.get("on"), date):
            yield "a review names what was read, and when"
    elif row.get("modules") or row.get("on"):
        yield "names what was read without a review"
    if bool(row.get("decided")) is not bool(row.get("why")):
        yield "a decision has its reason in a sentence"
    for name in [*row.get("modules", ()), *([row["decided"]] if row.get("decided") else ())]:
        if not (root / name).exists():
            yield f"{name} does not exist"
    for test in row.get("tests", ()):
        if (missing := _missing(test, root)) is not None:
            yield missing


def _missing(test: str, root: Path) -> str | None:
    """Why a named test does not exist; None when it does."""
    path, _, rest = test.partition("::")
    name, _, case = rest.partition("[")
    if not (path.startswith("tests/") and path.endswith(".py") and name.startswith("test_")):
        return f"{test} does not name a test"
    if not (root / path).is_file():
        return f"{path} does not exist"
    names, _ = _content(root / path)
    if name not in names:
        return f"{path} has no test {name}"
    if case and not any(case.removesuffix("]") in words for words in _folder_words((root / path).parent)):
        return f"{test} has no such case"
    return None


@functools.lru_cache(maxsize=512)
def _content(file: Path) -> tuple[frozenset[str], frozenset[str]]:
    """The tests of a file, by their functions' names; and every name and text in it, out of which cases are made."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return frozenset(name for name in functions if name.startswith("test_")), frozenset(functions | texts)


def _folder_words(folder: Path) -> Iterator[frozenset[str]]:
    return (_content(file)[1] for file in sorted(folder.glob("*.py")))


def counts(written: Sequence[Row]) -> dict[str, int]:
    """How many rows count as what."""
    return {each: sum(1 for row in written if verdict(row) == each) for each in reversed(VERDICTS)}


def page() -> str:
    """The page: a table per chapter, and what is open at the top."""
    written, levels = rows(), official()
    lines = [
        "# How ASVS 5.0.0 is verified",
        "",
        "Written by `./alpmera contracts` from [asvs.toml](asvs.toml); a test checks that it is complete and that",
        "everything it names exists. In scope are level 1 whole and level 2 of the chapters on the interface,",
        "authentication, sessions, authorization and data protection. What a requirement asks is told in a few words",
        "of ours; the [standard](https://owasp.org/www-project-application-security-verification-standard/) is the",
        "text that counts. No outside party has checked this.",
        "",
        "| Counts as | Requirements |",
        "|---|---|",
    ]
    lines += [f"| {WORDS[name]} | {number} |" for name, number in counts(written).items()]
    lines += [f"| together | {len(written)} |", "", "## What is open", ""]
    lines += [f"- **{row['id']}** (level {levels[row['id']]}): {row['open']}" for row in written if row.get("open")]
    for number, title in CHAPTERS.items():
        lines += ["", f"## {number} {title}", "", "| Id | Level | Asks to | Verified by |", "|---|---|---|---|"]
        lines += [
            f"| {row['id']} | {levels[row['id']]} | {row['asks']} | {'<br>'.join(_verified(row))} |"
            for row in written
            if chapter(row["id"]) == number
        ]
    return "\n".join(lines) + "\n"


def _verified(row: Row) -> Iterator[str]:
    if row.get("open"):
        yield f"**Open:** {row['open']}"
    if row.get("decided"):
        number = Path(row["decided"]).name[:4]
        yield f"**Not followed**, [{number}]({_from_page(row['decided'])}): {row['why']}"
    if row.get("not_applicable"):
        yield f"**Not applicable:** {row['not_applicable']}"
    for test in row.get("tests", ()):
        path, _, name = test.partition("::")
        words = re.sub(r"^test_", "", name).replace("_", " ")
        yield (
            f"[{words}]({_from_page(path)})"
            if "[" not in words
            else f"`{name}` in [{Path(path).stem}]({_from_page(path)})"
        )
    if row.get("review"):
        read = ", ".join(f"[`{Path(name).name}`]({_from_page(name)})" for name in row["modules"])
        yield f"Read on {row['on']}: {row['review']} ({read})"


def _from_page(path: str) -> str:
    return "../../" + path
