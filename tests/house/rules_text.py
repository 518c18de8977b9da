"""Rules about any text file: open ends, addresses of registries, paths and records of one machine.

The words that are looked for are put together from parts, so that this file does not hold them.
A word that somebody else puts together from parts is not found.
"""

import re
from collections.abc import Iterator

from tests.house.repository import Finding, Rule, Source, line_of

_OPEN_ENDS = re.compile(
    "|".join(
        (
            r"\bTO" + r"DO\b",
            r"\bFIX" + r"ME\b",
            r"\bXX" + r"X\b",
            r"\bNotImplemented" + r"Error\b",
            r"(?i:\bcoming" + r"[ -]soon\b)",
            r"(?i:\bnot (?:yet )?" + r"implemented\b)",
        )
    )
)

_REGISTRY_NAMES = (
    ("pypi", "org"),
    ("pythonhosted", "org"),
    ("npmjs", "org"),
    ("npmjs", "com"),
    ("yarnpkg", "com"),
    ("maven", "org"),
    ("maven", "apache", "org"),
    ("sonatype", "org"),
    ("sonatype", "com"),
    ("jfrog", "io"),
    ("docker", "io"),
    ("ghcr", "io"),
    ("gcr", "io"),
    ("quay", "io"),
    ("azurecr", "io"),
    ("mcr.microsoft", "com"),
    ("ecr", "aws"),
    ("proxy", "golang", "org"),
    ("sum.golang", "org"),
    ("crates", "io"),
    ("rubygems", "org"),
    ("anaconda", "org"),
    ("jsdelivr", "net"),
    ("unpkg", "com"),
)
_REGISTRIES = re.compile(
    r"(?i)(?<![\w-])(?:[\w-]+\.)*(?:"
    + "|".join(re.escape(".".join(parts)) for parts in _REGISTRY_NAMES)
    + r")(?![\w-]|\.\w)"
)

_OPEN_END_SIGNS = ("to" + "do", "fix" + "me", "xx" + "x", "implemented" + "error", "coming", "implemented")
_REGISTRY_SIGNS = tuple(".".join(parts) for parts in _REGISTRY_NAMES)

_BEFORE_PATH = r"(?<![\w.\-/}~])"
_MACHINE_PATHS = re.compile(
    _BEFORE_PATH + r"/(?:wo" + r"rk|ro" + r"ot)/|" + _BEFORE_PATH + r"/(?:ho" + r"me|Us" + r"ers)/\w"
)
_SCRATCH_PATHS = re.compile(_BEFORE_PATH + "/t" + "mp/")
_WORK_RECORDS = re.compile(r"(?i)\biss" + r"ue #?\d+\b|\bshar" + r"ed/(?:design|seeds|data|hooks|tools)\b")


def nothing_is_left_open(source: Source) -> Iterator[Finding]:
    """A mark for later is a defect that nobody owns; the work is done, or it is not begun."""
    if _holds_any(source, _OPEN_END_SIGNS):
        yield from _matches(source, _OPEN_ENDS, "an open end")


def no_registry_is_named(source: Source) -> Iterator[Finding]:
    """Where packages come from is each machine's own setting: a mirror, a cache, a closed network.
    A name written here would reach past it."""
    if _holds_any(source, _REGISTRY_SIGNS):
        yield from _matches(source, _REGISTRIES, "the address of a registry")


def no_path_of_one_machine(source: Source) -> Iterator[Finding]:
    """A path of the machine it was written on exists nowhere else."""
    yield from _matches(source, _MACHINE_PATHS, "a path of one machine")
    if not source.path.startswith("tests/"):
        yield from _matches(source, _SCRATCH_PATHS, "a scratch folder")


def nothing_about_how_the_work_was_done(source: Source) -> Iterator[Finding]:
    """The repository speaks of the product; a reference to the work's own records leads nowhere."""
    yield from _matches(source, _WORK_RECORDS, "a record of the work")


def _holds_any(source: Source, signs: tuple[str, ...]) -> bool:
    """Whether a text holds a sign, in whatever capitals: most hold none, and need not be searched letter by letter."""
    lowered = source.text.lower()
    return any(sign in lowered for sign in signs)


def _matches(source: Source, pattern: re.Pattern[str], what: str) -> Iterator[Finding]:
    for match in pattern.finditer(source.text):
        yield Finding(source.path, line_of(source.text, match.start()), f"{what}: {match[0]!r}")


ALL_FILES = ("*",)

RULES = (
    Rule(nothing_is_left_open, ALL_FILES),
    Rule(no_registry_is_named, ALL_FILES),
    Rule(no_path_of_one_machine, ALL_FILES),
    Rule(nothing_about_how_the_work_was_done, ALL_FILES),
)
