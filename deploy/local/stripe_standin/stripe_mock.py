"""Stripe's own mock server and its OpenAPI description, pinned, for the contract test.

Owns where both come from: the Go toolchain builds the one and keeps the other among the module's
sources. The mock keeps no state; it only knows which requests are well formed. Its description is
a little older than the SDK's version of the API.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

MODULE = "github.com/stripe/stripe-mock"
VERSION = "v0.203.0"
INSTALL_TIMEOUT_SECONDS = 300
GOBIN = Path(__file__).resolve().parents[3] / ".alpmera" / "gobin"


def _go(*arguments: str) -> str:
    go = shutil.which("go")
    if go is None:
        raise FileNotFoundError("the Go toolchain is not on the PATH")
    with tempfile.TemporaryDirectory() as elsewhere:
        done = subprocess.run(  # noqa: S603 - fixed arguments
            [go, *arguments],
            cwd=elsewhere,
            env={**os.environ, "GOBIN": str(GOBIN), "GOFLAGS": "-mod=mod"},
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_SECONDS,
            check=False,
        )
    if done.returncode != 0:
        raise RuntimeError(f"go {' '.join(arguments)} failed: {done.stderr.strip()[-400:]}")
    return done.stdout


def stripe_mock_binary() -> Path | None:
    """The pinned mock server, built on first use; None on a machine without Go."""
    if shutil.which("go") is None:
        return None
    binary = GOBIN / f"stripe-mock-{VERSION}"
    if not binary.exists():
        GOBIN.mkdir(parents=True, exist_ok=True)
        _go("install", f"{MODULE}@{VERSION}")
        (GOBIN / "stripe-mock").replace(binary)
    return binary


def openapi() -> dict[str, Any]:
    """Stripe's OpenAPI description as the pinned mock carries it."""
    found = json.loads(_go("mod", "download", "-json", f"{MODULE}@{VERSION}"))
    description = Path(found["Dir"]) / "embedded" / "openapi" / "spec3.json"
    read: dict[str, Any] = json.loads(description.read_text())
    return read
