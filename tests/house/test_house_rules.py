"""The house rules over the whole repository, one test per rule."""

import pytest

from tests.house import (
    examples_code,
    examples_security,
    examples_words,
    rules_canon,
    rules_language,
    rules_messaging,
    rules_python,
    rules_security,
    rules_size,
    rules_tests,
    rules_text,
)
from tests.house.allowances import ALLOWANCES, Allowance, allowed
from tests.house.repository import Example, Finding, Rule, Source, sources

RULES: dict[str, Rule] = {
    rule.name: rule
    for module in (
        rules_size,
        rules_python,
        rules_messaging,
        rules_tests,
        rules_text,
        rules_language,
        rules_canon,
        rules_security,
    )
    for rule in module.RULES
}
EXAMPLES = (*examples_code.EXAMPLES, *examples_security.EXAMPLES, *examples_words.EXAMPLES)
BAD = [(e, i) for e in EXAMPLES for i in range(len(e.bad))]
GOOD = [(e, i) for e in EXAMPLES for i in range(len(e.good))]


def _found(rule: Rule) -> list[Finding]:
    findings = [finding for source in sources() for finding in rule.findings(source)]
    return [finding for finding in findings if not allowed(rule.name, finding)]


@pytest.mark.parametrize("name", RULES)
def test_the_repository_keeps_the_rule(name: str) -> None:
    rule = RULES[name]
    found = "\n".join(str(finding) for finding in _found(rule))
    assert not found, f"{rule.check.__doc__}\n{found}"


@pytest.mark.parametrize("name", RULES)
def test_every_rule_tells_its_reason(name: str) -> None:
    assert (RULES[name].check.__doc__ or "").rstrip().endswith(".")


def test_every_rule_has_an_example_that_breaks_it_and_one_that_keeps_it() -> None:
    assert sorted(e.rule for e in EXAMPLES) == sorted(RULES)
    assert [e.rule for e in EXAMPLES if not (e.bad and e.good)] == []


@pytest.mark.parametrize(("example", "index"), BAD, ids=lambda v: getattr(v, "rule", str(v)))
def test_a_rule_finds_what_breaks_it(example: Example, index: int) -> None:
    path, text = example.bad[index]
    findings = RULES[example.rule].findings(Source(path, text))
    assert findings, text
    assert all(f.path == path and 1 <= f.line <= text.count("\n") + 1 for f in findings)


@pytest.mark.parametrize(("example", "index"), GOOD, ids=lambda v: getattr(v, "rule", str(v)))
def test_a_rule_leaves_alone_what_keeps_it(example: Example, index: int) -> None:
    path, text = example.good[index]
    assert RULES[example.rule].findings(Source(path, text)) == []


@pytest.mark.parametrize("allowance", ALLOWANCES, ids=lambda a: f"{a.rule}: {a.files}")
def test_an_exception_has_a_rule_a_reason_and_files(allowance: Allowance) -> None:
    assert allowance.rule in RULES
    assert allowance.reason.endswith(".")
    assert any(source.matches([allowance.files]) for source in sources())


def test_an_exception_covers_its_rule_and_its_files_only() -> None:
    exception = Allowance("a_rule", "deploy/cli/*", "Because.", "x is*")
    assert exception.covers("a_rule", Finding("deploy/cli/up.py", 3, "x is imported"))
    assert not exception.covers("a_rule", Finding("deploy/local/up.py", 3, "x is imported"))
    assert not exception.covers("a_rule", Finding("deploy/cli/up.py", 3, "y is imported"))
    assert not exception.covers("another", Finding("deploy/cli/up.py", 3, "x is imported"))


def test_the_repository_is_seen() -> None:
    paths = {source.path for source in sources()}
    assert {"README.md", "contracts/language.py", "tests/house/repository.py"} <= paths
    assert not any(".alpmera/" in path or "node_modules/" in path for path in paths)
