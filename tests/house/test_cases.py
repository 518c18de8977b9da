"""Every kind of case that a service can open stands in the canon with owner, clock and what to do, and no other does.

The kinds are read from the source. Where a kind is a variable, the constants it takes its value from are named here, so that
a new variable is noticed; it cannot see a kind that is put together from parts.
"""

import ast
import re
from collections.abc import Iterator, Mapping

from contracts.cases import CLOSED_BY_PEOPLE
from services.escrow.domain.cases import CLOSED_BY
from tests.house.repository import Source, matching

PAGE = "docs/canon/cases.md"
ROW = re.compile(r"^\| `([a-z_]+)`( †)?( ‡)? \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
CLOCKS = {"critical": "1 hour", "high": "8 hours", "medium": "2 business days"}
OWNERS = {"escrow auditor", "operations", "trust reviewer", "gatekeeper", "risk analyst", "founder"}
WORDS_MIN = 8
VARIABLE = {
    "services/escrow/reconcile_disputes.py": ("RATE_CASES",),
    "services/escrow/reconcile_watch.py": ("HOLD_COLLECTIONS", "CLEARING_OVERDUE"),
    "services/notifications/usecases/write_mail.py": ("INCOMPLETE_MAIL", "FORBIDDEN_WORDS"),
}
"""Where a kind is a variable → the constants that it can be."""

Constants = Mapping[str, ast.expr]


def _constants(source: Source) -> dict[str, ast.expr]:
    found: dict[str, ast.expr] = {}
    for node in source.tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if not isinstance(node, ast.Assign | ast.AnnAssign) or value is None:
            continue
        if isinstance(target, ast.Name):
            found[target.id] = value
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = zip(target.elts, value.elts, strict=True)
            found |= {name.id: each for name, each in pairs if isinstance(name, ast.Name)}
    return found


def _strings(node: ast.expr, known: Constants) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Name) and node.id in known:
        yield from _strings(known[node.id], known)
    elif isinstance(node, ast.Tuple):
        for each in node.elts:
            yield from _strings(each, known)
    elif isinstance(node, ast.Dict):
        for each in node.values:
            yield from _strings(each, known)


def _opened(*folders: str) -> set[str]:
    sources = [
        source
        for folder in folders or ("services",)
        for source in matching(f"{folder}/*.py")
        if "open_case(" in source.text
    ]
    everywhere = {name: value for source in matching("services/*.py") for name, value in _constants(source).items()}
    kinds: set[str] = set()
    for source in sources:
        known = everywhere | _constants(source)
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
                continue
            if node.func.attr != "open_case":
                continue
            found = set(_strings(node.args[0], known))
            if not found:
                names = VARIABLE.get(source.path, ())
                found = {kind for name in names for kind in _strings(known[name], known)}
            assert found, f"{source.path}:{node.lineno}: name the constants of this kind in VARIABLE"
            kinds |= found
    return kinds


def _listed() -> list[tuple[str, ...]]:
    (page,) = matching(PAGE)
    return ROW.findall(page.text)


def test_every_kind_of_case_is_in_the_canon_and_the_canon_names_no_other() -> None:
    listed = [row[0] for row in _listed()]
    assert len(listed) == len(set(listed))
    assert set(listed) == _opened()


def test_each_kind_has_an_owner_a_clock_and_what_to_do() -> None:
    for kind, _, _, severity, owner, clock, words in _listed():
        assert owner in OWNERS, kind
        assert clock == CLOCKS[severity.rpartition(", ")[2].split()[0]], kind
        assert len(words.split()) >= WORDS_MIN, kind


def test_each_kind_that_escrow_opens_says_who_closes_it_and_the_canon_marks_those_that_people_do() -> None:
    assert set(CLOSED_BY) == _opened("services/escrow", "services/kit")
    by_people = {kind for kind, closed_by in CLOSED_BY.items() if closed_by == "person"}
    assert by_people == CLOSED_BY_PEOPLE
    assert {row[0] for row in _listed() if row[2]} == by_people
