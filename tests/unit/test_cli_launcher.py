"""The launcher and the environment it makes, without fetching anything."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.environment import SetupError, main, uv_stanza
from deploy.local.paths import REPOSITORY

SECONDS_MAX = 30


def _launch(root: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(root / "alpmera"), "status"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    shutil.copy(REPOSITORY / "alpmera", tmp_path / "alpmera")
    shutil.copy(REPOSITORY / "requirements.lock", tmp_path / "requirements.lock")
    return tmp_path


def _python(folder: Path, script: str) -> str:
    program = folder / "a-python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


def test_a_python_that_is_too_old_is_one_sentence_with_the_remedy(clone: Path) -> None:
    run = _launch(clone, ALPMERA_PYTHON=_python(clone, "exit 1"))

    assert run.returncode == 1
    assert len(run.stderr.strip().splitlines()) == 1
    assert "ALPMERA_PYTHON" in run.stderr


def test_a_python_without_venv_is_one_sentence_with_the_remedy(clone: Path) -> None:
    script = 'case "$2" in *ensurepip*) exit 1;; *) exit 0;; esac'

    run = _launch(clone, ALPMERA_PYTHON=_python(clone, script))

    assert run.returncode == 1
    assert len(run.stderr.strip().splitlines()) == 1
    assert "python3-venv" in run.stderr


def test_a_complete_environment_is_used_without_any_setup(clone: Path) -> None:
    binaries = clone / ".alpmera" / "venv" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").write_text('#!/bin/sh\necho "$PYTHONPATH|$*"\n')
    (binaries / "python").chmod(0o755)
    shutil.copy(clone / "requirements.lock", binaries.parent / ".locked")

    run = _launch(clone, ALPMERA_PYTHON="/nowhere", PYTHONPATH="")

    assert run.stdout.strip() == f"{clone.resolve()}|-m deploy.cli status"


def test_a_changed_lock_leads_to_setup_again(clone: Path) -> None:
    binaries = clone / ".alpmera" / "venv" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").symlink_to(sys.executable)
    (binaries.parent / ".locked").write_text("another lock")

    run = _launch(clone, ALPMERA_PYTHON=_python(clone, "exit 1"))

    assert run.returncode == 1
    assert "ALPMERA_PYTHON" in run.stderr


def test_the_lock_pins_its_own_installer_with_hashes() -> None:
    stanza = uv_stanza((REPOSITORY / "requirements.lock").read_text())

    assert stanza.startswith("uv==")
    assert stanza.count("--hash=sha256:") > 3
    assert [line for line in stanza.splitlines()[1:] if "--hash=" not in line] == []


def test_a_lock_without_the_installer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="does not pin uv"):
        uv_stanza("uvicorn==1.0 \\\n    --hash=sha256:00\n")


def test_a_second_start_finds_the_mark_and_does_nothing(tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text("the lock")
    venv = tmp_path / ".alpmera" / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").write_text("")
    (venv / ".locked").write_text("the lock")

    assert main(tmp_path) == 0
    assert sorted(path.name for path in venv.iterdir()) == [".locked", "bin"]
