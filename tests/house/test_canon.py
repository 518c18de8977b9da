"""What holds for the canon as a whole: its pages are listed, its decisions numbered, its words one."""

import json
import re

from contracts.language import QUOTATION_END, QUOTATION_START, RULES_PATH
from tests.house.repository import matching

PAGES = (
    "overview",
    "phase-roadmap",
    "language-rules",
    "glossary",
    "money-flows",
    "domain-states",
    "architecture",
    "security",
    "cases",
)
RULE_FILE = json.loads(RULES_PATH.read_text(encoding="utf-8"))


def _page(name: str) -> str:
    (source,) = matching(f"docs/canon/{name}.md")
    return source.text


def test_the_overview_leads_to_every_page_of_the_canon() -> None:
    overview = _page("overview")
    missing = [name for name in PAGES[1:] if f"]({name}.md)" not in overview]
    assert missing == []
    listed = {f"docs/canon/{name}.md" for name in PAGES}
    flat = {s.path for s in matching("docs/canon/*.md") if s.path.count("/") == 2}
    assert flat == listed


def test_decisions_are_numbered_without_gap_or_repetition() -> None:
    decisions = matching("docs/canon/decisions/*.md")
    numbers = [int(source.path.rpartition("/")[2][:4]) for source in decisions]
    assert numbers == list(range(1, len(decisions) + 1))


def test_a_decision_carries_its_number_in_its_title() -> None:
    wrong = [
        source.path
        for source in matching("docs/canon/decisions/*.md")
        if not source.text.startswith(f"# {source.path.rpartition('/')[2][:4]} ")
    ]
    assert wrong == []


def test_the_rule_page_quotes_the_rule_file_word_for_word() -> None:
    page = _page("language-rules")
    quoted = re.findall(re.escape(QUOTATION_START) + "(.*?)" + re.escape(QUOTATION_END), page, re.DOTALL)
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \| (.+) \|$", "\n".join(quoted), re.MULTILINE)
    expected = [
        (rule["id"], ", ".join(rule["forms"]).replace("{count}", "N"), rule["advice"]) for rule in RULE_FILE["rules"]
    ]
    assert rows == expected
    assert f"- Version: {RULE_FILE['version']}\n- Date: {RULE_FILE['date']}" in page


def test_the_rule_page_names_every_allowed_term() -> None:
    page = _page("language-rules").lower()
    assert [term for term in RULE_FILE["allowed"] if term not in page] == []
