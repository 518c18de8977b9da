"""The files of the repository as the house rules see them, and what a rule answers with.

A file counts when git tracks it or would: new files are checked before they are committed, ignored
ones never. It cannot see what exists only in an earlier commit.
"""

import ast
import fnmatch
import functools
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

Snippet = tuple[str, str]
Check = Callable[["Source"], Iterable["Finding"]]


@dataclass(frozen=True)
class Source:
    """One text file: its path from the repository's root, and its text."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        """The syntax tree of a Python file."""
        return _parse(self.path, self.text)

    def matches(self, patterns: Iterable[str]) -> bool:
        """Say whether one of the patterns names this file; `*` spans folders."""
        return any(fnmatch.fnmatchcase(self.path, pattern) for pattern in patterns)


@dataclass(frozen=True)
class Finding:
    """One breach of a rule: where it is and what is wrong."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Rule:
    """A check with the files it is for; the check's docstring tells the rule's reason."""

    check: Check
    where: tuple[str, ...]

    @property
    def name(self) -> str:
        """The rule's name, the same as its function's."""
        return self.check.__name__

    def findings(self, source: Source) -> list[Finding]:
        """Return what the rule finds in one file, nothing where it does not apply."""
        return list(self.check(source)) if source.matches(self.where) else []


@dataclass(frozen=True)
class Example:
    """Snippets that break and that keep one rule, each with the path it would stand at."""

    rule: str
    bad: tuple[Snippet, ...]
    good: tuple[Snippet, ...]


@functools.cache
def sources() -> tuple[Source, ...]:
    """Return all text files of the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    paths = sorted({path for path in listed if path and (ROOT / path).is_file()})
    read = ((path, (ROOT / path).read_bytes()) for path in paths)
    return tuple(Source(path, text) for path, data in read if (text := _decoded(data)) is not None)


def matching(*patterns: str) -> list[Source]:
    """Return the files that one of the patterns names."""
    return [source for source in sources() if source.matches(patterns)]


def line_of(text: str, position: int) -> int:
    """Return the line, counted from one, of a position in a text."""
    return text.count("\n", 0, position) + 1


def _decoded(data: bytes) -> str | None:
    """Return the text of a file, or None for one that is not text (a picture, an archive)."""
    if b"\0" in data[:8192]:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


@functools.lru_cache(maxsize=4096)
def _parse(path: str, text: str) -> ast.Module:
    return ast.parse(text, filename=path)
