"""Fetches the Java and database artifacts of the local stack and proves each is the locked one.

Owns `artifacts.lock.json` (coordinates and sha256 of every file) and the folder they are fetched
into. `jgo` does the fetching; its own check is a sha1 beside the file, so every file is hashed
here against our lock before anything may use it. Later starts compare size and modification time
only, which catches a truncated or replaced file but not one altered with its times put back.

`python -m deploy.local.artifacts lock` resolves the artifacts again and writes the lock.
"""

import fcntl
import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deploy.local.errors import StackError
from deploy.local.paths import artifacts_folder

LOCK_FILE = Path(__file__).with_name("artifacts.lock.json")
KAFKA_VERSION = "4.2.1"
SLF4J_VERSION = "1.7.36"
ZIPKIN_VERSION = "3.6.1"
POSTGRES_VERSION = "18.6.0"
POSTGRES_PLATFORMS = ("linux-amd64", "linux-arm64v8", "darwin-amd64", "darwin-arm64v8")
FETCHES_AT_ONCE = 8
FETCH_ATTEMPTS = 3
FETCH_TIMEOUT_SECONDS = 120
HASH_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Artifact:
    """One locked file of a Maven repository; `group` says which part of the stack needs it."""

    group: str
    group_id: str
    artifact_id: str
    version: str
    classifier: str
    packaging: str
    sha256: str

    @property
    def filename(self) -> str:
        """Return the file's name, as the repository spells it."""
        suffix = f"-{self.classifier}" if self.classifier else ""
        return f"{self.artifact_id}-{self.version}{suffix}.{self.packaging}"


def read_lock() -> list[Artifact]:
    """Read the committed lock."""
    return [Artifact(**entry) for entry in json.loads(LOCK_FILE.read_text())["artifacts"]]


def postgres_group() -> str:
    """Return the artifact group of this machine's PostgreSQL; an unknown platform is an error."""
    machine = {"x86_64": "amd64", "aarch64": "arm64v8", "arm64": "arm64v8"}.get(platform.machine(), platform.machine())
    name = f"{platform.system().lower()}-{machine}"
    if name not in POSTGRES_PLATFORMS:
        raise StackError(
            f"There is no embedded PostgreSQL for {name}: give the addresses of your own in "
            "ALPMERA_DATABASE_URL_<SERVICE>, or set ALPMERA_STACK=docker."
        )
    return f"postgres-{name}"


def fetch(groups: Iterable[str], *, report: Callable[[str], None] = lambda _text: None) -> dict[str, list[Path]]:
    """Return the files of each group, fetched when missing and verified against the lock.

    Safe to call from several processes at once: one fetches, the others wait for it.
    """
    wanted = set(groups)
    artifacts = [artifact for artifact in read_lock() if artifact.group in wanted]
    folder = artifacts_folder()
    if missing_artifacts(wanted):
        folder.mkdir(parents=True, exist_ok=True)
        with _folder_lock(folder):
            _complete(artifacts, folder, report)
    found: dict[str, list[Path]] = {group: [] for group in wanted}
    for artifact in artifacts:
        found[artifact.group].append(folder / artifact.filename)
    return found


def missing_artifacts(groups: Iterable[str]) -> list[Artifact]:
    """Return the artifacts of the groups that a next start would fetch or verify again."""
    wanted = set(groups)
    folder = artifacts_folder()
    index = _read_index(folder)
    return [
        artifact for artifact in read_lock() if artifact.group in wanted and not _is_verified(artifact, folder, index)
    ]


def _complete(artifacts: list[Artifact], folder: Path, report: Callable[[str], None]) -> None:
    index = _read_index(folder)
    missing = []
    for artifact in artifacts:
        path = folder / artifact.filename
        if path.exists() and sha256_of(path) == artifact.sha256:
            index[artifact.filename] = _fingerprint(path, artifact)
        else:
            missing.append(artifact)
    if missing:
        report(f"fetching {len(missing)} artifacts")
        with (
            tempfile.TemporaryDirectory(dir=folder, prefix="fetch-") as scratch,
            ThreadPoolExecutor(FETCHES_AT_ONCE) as pool,
        ):
            for artifact, path in zip(
                missing,
                pool.map(lambda one: _fetch_one(one, Path(scratch), folder), missing),
                strict=True,
            ):
                index[artifact.filename] = _fingerprint(path, artifact)
    _write_index(folder, index)


def _fetch_one(artifact: Artifact, scratch: Path, folder: Path) -> Path:
    for attempt in range(1, FETCH_ATTEMPTS + 1):
        # Each attempt has a fresh cache: jgo asserts that the file is not there yet, and an
        # interrupted fetch leaves a part of it behind.
        cache = scratch / f"{artifact.filename}.{attempt}"
        try:
            project = _maven(cache).project(artifact.group_id, artifact.artifact_id)
            component = project.at_version(artifact.version)
            found = component.artifact(artifact.classifier, artifact.packaging).resolve()
        except Exception as error:  # jgo lets every transport error through as it comes
            if attempt == FETCH_ATTEMPTS:
                raise StackError(
                    f"{artifact.filename} could not be fetched ({error}). Check the network, or "
                    "name a reachable Maven repository in ALPMERA_MAVEN_URL."
                ) from error
            continue
        digest = sha256_of(found)
        if digest != artifact.sha256:
            raise StackError(
                f"{artifact.filename} has the sha256 {digest}, the lock says {artifact.sha256}: "
                "the repository served another file. Nothing of it was kept."
            )
        target = folder / artifact.filename
        os.replace(found, target)
        return target
    raise AssertionError("the loop above returns or raises")


def _maven(cache: Path) -> Any:
    # jgo is imported only where something has to be fetched: it costs a third of a second.
    from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415

    url = os.environ.get("ALPMERA_MAVEN_URL")
    return MavenContext(
        resolver=PythonResolver(),
        repo_cache=cache,
        remote_repos={"given": url} if url else None,
        timeout=FETCH_TIMEOUT_SECONDS,
    )


def _is_verified(artifact: Artifact, folder: Path, index: dict[str, list[Any]]) -> bool:
    path = folder / artifact.filename
    return path.exists() and index.get(artifact.filename) == _fingerprint(path, artifact)


def _fingerprint(path: Path, artifact: Artifact) -> list[Any]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, artifact.sha256]


def _read_index(folder: Path) -> dict[str, list[Any]]:
    try:
        index: dict[str, list[Any]] = json.loads((folder / "verified.json").read_text())
    except (OSError, ValueError):
        return {}
    return index


def _write_index(folder: Path, index: dict[str, list[Any]]) -> None:
    scratch = folder / f"verified.json.{os.getpid()}"
    scratch.write_text(json.dumps(index, indent=1, sort_keys=True))
    os.replace(scratch, folder / "verified.json")


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(HASH_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def _folder_lock(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def make_lock() -> list[Artifact]:
    """Resolve every artifact at the versions named above and return the new lock's entries."""
    scratch = Path(tempfile.mkdtemp(prefix="alpmera-lock-"))
    try:
        context = _maven(scratch)
        wanted: list[tuple[str, Any]] = []
        root = context.create_dependency(f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}")
        # Kafka's jars name the logging interface only; without a binding the broker is mute.
        binding = context.create_dependency(f"org.slf4j:slf4j-simple:{SLF4J_VERSION}")
        resolved, transitive = context.resolver.resolve([root])
        for dependency in [*resolved, *transitive, binding]:
            wanted.append(("kafka", dependency.artifact))
        zipkin = context.project("io.zipkin", "zipkin-server").at_version(ZIPKIN_VERSION)
        wanted.append(("zipkin", zipkin.artifact("exec", "jar")))
        for name in POSTGRES_PLATFORMS:
            project = context.project("io.zonky.test.postgres", f"embedded-postgres-binaries-{name}")
            artifact = project.at_version(POSTGRES_VERSION).artifact("", "jar")
            wanted.append((f"postgres-{name}", artifact))
        entries = {
            (group, artifact.filename): Artifact(
                group=group,
                group_id=artifact.groupId,
                artifact_id=artifact.artifactId,
                version=artifact.version,
                classifier=artifact.classifier or "",
                packaging=artifact.packaging or "jar",
                sha256=sha256_of(artifact.resolve()),
            )
            for group, artifact in wanted
        }
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return [entries[key] for key in sorted(entries)]


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main(arguments: list[str]) -> int:
    """Re-make the lock (`lock`) or fetch what this machine needs (`fetch`)."""
    if arguments == ["lock"]:
        entries = [asdict(artifact) for artifact in make_lock()]
        LOCK_FILE.write_text(json.dumps({"artifacts": entries}, indent=1) + "\n")
        sys.stderr.write(f"{len(entries)} artifacts locked\n")
        return 0
    if arguments == ["fetch"]:
        fetch(
            ["kafka", "zipkin", postgres_group()],
            report=_say,
        )
        return 0
    sys.stderr.write("usage: python -m deploy.local.artifacts lock|fetch\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
