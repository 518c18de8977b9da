"""Rules about the tests themselves."""

import ast
from collections.abc import Iterator

from tests.house.repository import Finding, Rule, Source
from tests.house.syntax import Function, called_name, functions, used_names

WAYS_TO_SKIP = frozenset(
    {
        "pytest.skip",
        "pytest.xfail",
        "pytest.importorskip",
        "pytest.mark.skip",
        "pytest.mark.skipif",
        "pytest.mark.xfail",
        "unittest.skip",
        "unittest.skipIf",
        "unittest.skipUnless",
        "unittest.expectedFailure",
        "unittest.SkipTest",
    }
)
ASSERTING_CALLS = ("assert_", "expect")
ASSERTING_BLOCKS = frozenset({"raises", "warns", "RaisesGroup"})


def no_test_is_skipped(source: Source) -> Iterator[Finding]:
    """A skipped test reads as green and tests nothing. What a machine may lack is one list, which
    the run prints."""
    for line, name in used_names(source.tree):
        if name in WAYS_TO_SKIP:
            yield Finding(source.path, line, f"{name} hides a test")


def every_test_asserts(source: Source) -> Iterator[Finding]:
    """A test that asserts nothing passes whatever the product does."""
    asserting = _asserting_helpers(source.tree)
    for function in functions(source.tree):
        if function.name.startswith("test_") and not _asserts(function, asserting):
            yield Finding(source.path, function.lineno, f"{function.name} asserts nothing")


def _asserting_helpers(tree: ast.Module) -> set[str]:
    """Return the module's functions that assert, themselves or through each other."""
    helpers = [f for f in functions(tree) if not f.name.startswith("test_")]
    found: set[str] = set()
    for _ in helpers:
        more = {f.name for f in helpers if _asserts(f, found)}
        if more == found:
            break
        found = more
    return found


def _asserts(function: Function, helpers: set[str]) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Assert) and not isinstance(node.test, ast.Constant):
            return True
        if isinstance(node, ast.Call):
            name = called_name(node)
            if name in ASSERTING_BLOCKS or name in helpers or name.startswith(ASSERTING_CALLS):
                return True
    return False


RULES = (
    Rule(no_test_is_skipped, ("tests/*.py",)),
    Rule(every_test_asserts, ("tests/*test_*.py",)),
)
