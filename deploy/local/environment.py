"""Makes the Python environment under `.alpmera/venv` exactly what `requirements.lock` says.

A stand-alone script for the launcher (standard library only): it runs before anything is
installed. Owns the steps: an environment by `venv`, the installer `uv` by `pip` at the hash that
the lock gives, everything else by `uv`, and a copy of the lock as the mark of completion, which is
written last. Two starts at once wait for each other by a lock on a file. It cannot repair an
environment that was changed by hand after its mark was written: delete the folder then.
"""

import fcntl
import filecmp
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

UV_TIMEOUT_SECONDS = 900


class SetupError(Exception):
    """The environment cannot be made; the message names the remedy."""


def main(root: Path) -> int:
    """Bring the environment up to date; 1 and one sentence when that is impossible."""
    home = root / ".alpmera"
    lock, venv = root / "requirements.lock", home / "venv"
    stamp = venv / ".locked"
    with (home / "venv.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if _python(venv).exists() and stamp.exists() and filecmp.cmp(lock, stamp, shallow=False):
            return 0
        try:
            _make(venv)
            _sync(venv, lock)
        except SetupError as error:
            sys.stderr.write(f"alpmera: {error}\n")
            return 1
        scratch = stamp.with_name(".locked.new")
        shutil.copyfile(lock, scratch)
        os.replace(scratch, stamp)
    return 0


def uv_stanza(lock: str) -> str:
    """Return the lines of the lock that pin the installer, hashes included."""
    found = re.search(r"^uv==[^\n]*\\\n(?:[ \t]+--hash=[^\n]*\n?)+", lock, re.MULTILINE)
    if found is None:
        raise SetupError("requirements.lock does not pin uv: compile it again.")
    return found[0]


def _python(venv: Path) -> Path:
    return venv / "bin" / "python"


def _make(venv: Path) -> None:
    if _python(venv).exists() and _works(_python(venv)):
        return
    sys.stderr.write("alpmera: making the environment (once; about a minute)\n")
    shutil.rmtree(venv, ignore_errors=True)
    _run(
        [sys.executable, "-m", "venv", str(venv)],
        "the environment could not be made: is python3-venv installed and the disk not full?",
    )


def _works(python: Path) -> bool:
    run = subprocess.run([str(python), "-c", ""], capture_output=True, check=False)
    return run.returncode == 0


def _sync(venv: Path, lock: Path) -> None:
    text = lock.read_text()
    stanza = uv_stanza(text)
    pinned = re.match(r"uv==(\S+)", stanza)
    uv = venv / "bin" / "uv"
    if pinned is None or _version(uv) != pinned[1]:
        with tempfile.TemporaryDirectory() as folder:
            requirement = Path(folder) / "uv.txt"
            requirement.write_text(stanza)
            _run(
                [str(_python(venv)), "-m", "pip", "install", "--quiet", "--no-deps"]
                + ["--disable-pip-version-check", "--require-hashes", "-r", str(requirement)],
                "the installer could not be fetched: check the network and pip's settings.",
            )
    sys.stderr.write("alpmera: completing the environment from requirements.lock\n")
    _run(
        [str(uv), "pip", "sync", "--quiet", "--require-hashes"] + ["--python", str(_python(venv)), str(lock)],
        "the environment could not be completed: check the network and the disk, then try again.",
    )


def _version(uv: Path) -> str:
    if not uv.exists():
        return ""
    run = subprocess.run([str(uv), "--version"], capture_output=True, text=True, check=False)
    words = run.stdout.split()
    return words[1] if len(words) > 1 else ""


def _run(command: list[str], remedy: str) -> None:
    # Settings of an environment that happens to be active must not steer this one.
    left_out = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
    environment = {key: value for key, value in os.environ.items() if key not in left_out}
    run = subprocess.run(
        command,
        stdout=sys.stderr,
        env=environment,
        timeout=UV_TIMEOUT_SECONDS,
        check=False,
    )
    if run.returncode != 0:
        raise SetupError(remedy)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
