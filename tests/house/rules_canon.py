"""Rules about the documents: the header each page of the canon carries, and links that lead on.

Addresses outside the repository are not followed: a test must not depend on somebody's server.
"""

import posixpath
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from tests.house.repository import ROOT, Finding, Rule, Source, line_of

HEADER = {
    "Version": r"\d+\.\d+\.\d+",
    "Date": r"\d{4}-\d{2}-\d{2}",
    "Owner": r"\S.*",
}
DECISION_STATUS = r"(?:proposed|accepted|superseded by \[\d{4}\]\(\S+\))"
DECISION_SECTIONS = ("Context", "Options", "Decision", "Consequences", "Revisit when")
DECISION_NAME = re.compile(r"docs/canon/decisions/\d{4}-[a-z0-9-]+\.md")
CHANGE_LOG = "Change log"

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"^ *```.*?^ *```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_ABROAD = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def canon_page_has_its_header(source: Source) -> Iterator[Finding]:
    """Whoever relies on a rule must see which version it is, from when, and whose."""
    if not source.text.startswith("# "):
        yield Finding(source.path, 1, "the first line is not the title")
    fields = dict(HEADER)
    if source.matches(DECISIONS):
        fields["Status"] = DECISION_STATUS
    for field, pattern in fields.items():
        if _field(source, field, pattern) is None:
            yield Finding(source.path, 3, f"no complete line '- {field}: …' under the title")


def canon_page_logs_its_changes(source: Source) -> Iterator[Finding]:
    """A rule that changes without a word cannot be relied on; the newest entry comes first."""
    version, date = (_field(source, name, HEADER[name]) for name in ("Version", "Date"))
    log = _section(source, CHANGE_LOG)
    newest = re.search(r"^- (\S+) \((\S+)\): \S", log or "", re.MULTILINE)
    if newest is None:
        yield Finding(source.path, 1, f"no '## {CHANGE_LOG}' with entries '- 1.0.0 (date): why'")
    elif newest.groups() != (version, date):
        message = f"the newest entry is {newest[1]} ({newest[2]}), the header says otherwise"
        yield Finding(source.path, line_of(source.text, source.text.find(newest[0])), message)


def decision_has_its_sections(source: Source) -> Iterator[Finding]:
    """A decision without its context cannot be questioned, one without a trigger never is."""
    if not DECISION_NAME.fullmatch(source.path):
        yield Finding(source.path, 1, "a decision's file is named NNNN-title.md")
    for section in DECISION_SECTIONS:
        if not (_section(source, section) or "").strip():
            yield Finding(source.path, 1, f"the section '## {section}' is missing or empty")


def links_lead_somewhere(source: Source) -> Iterator[Finding]:
    """A dead link is a claim without its proof."""
    prose = _CODE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), source.text)
    for match in _LINK.finditer(prose):
        problem = None if _ABROAD.match(match[1]) else _problem_of(source, match[1])
        if problem:
            yield Finding(source.path, line_of(prose, match.start()), problem)


def _problem_of(source: Source, target: str) -> str | None:
    path, _, anchor = target.partition("#")
    if path.startswith("/"):
        return f"the link {target} is not relative"
    folder = PurePosixPath(source.path).parent
    file = ROOT / (posixpath.normpath(folder / path) if path else source.path)
    if path and not file.exists():
        return f"the link {target} leads nowhere"
    if anchor and file.suffix == ".md":
        text = file.read_text(encoding="utf-8") if path else source.text
        if anchor not in {_slug(heading) for heading in _HEADING.findall(text)}:
            return f"the link {target} names no heading"
    return None


def _field(source: Source, name: str, pattern: str) -> str | None:
    head = source.text.partition("\n## ")[0]
    match = re.search(rf"^- {name}: ({pattern})$", head, re.MULTILINE)
    return match[1] if match else None


def _section(source: Source, title: str) -> str | None:
    match = re.search(rf"^## {re.escape(title)} *$(.*?)(?=^## |\Z)", source.text, re.MULTILINE | re.DOTALL)
    return match[1] if match else None


def _slug(heading: str) -> str:
    words = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
    return words.strip().replace(" ", "-")


CANON = ("docs/canon/*.md",)
DECISIONS = ("docs/canon/decisions/*.md",)

RULES = (
    Rule(canon_page_has_its_header, CANON),
    Rule(canon_page_logs_its_changes, CANON),
    Rule(decision_has_its_sections, DECISIONS),
    Rule(links_lead_somewhere, ("*.md",)),
)
