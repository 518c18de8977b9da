"""A stack of small stand-in services over the real broker, for the tests of the supervisor.

Owns the program that runs such a stack in a process of its own, so that a test can kill it. The
services do nothing but answer that they are ready; what real ones do is tested elsewhere.
"""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.board import StackRecord, read_record
from deploy.local.identity import is_running
from deploy.local.paths import REPOSITORY

READY_SECONDS_MAX = 120.0
GONE_SECONDS_MAX = 20.0
POLL_SECONDS = 0.1

SERVICE = """
import http.server, os, sys

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()

if os.environ.get("REFUSE_TO_START"):
    sys.exit("this service refuses to start")
port = os.environ.get("ALPMERA_HTTP_PORT") or os.environ["ALPMERA_HEALTH_PORT"]
address = ("127.0.0.1", int(port))
http.server.ThreadingHTTPServer(address, Answer).serve_forever()
"""

STACK = """
import sys
from pathlib import Path
from deploy.local.errors import StackError
from deploy.local.run import log_line, run_stack
from deploy.local.services import ServiceSpec

services = [ServiceSpec(name, "small_service", migrated=False) for name in ("gateway", "escrow")]
folder = Path(sys.argv[1])
try:
    run_stack(folder / "state", folder / "logs", report=log_line, services=services)
except StackError as error:
    sys.exit(str(error))
"""


@dataclass
class SmallStack:
    """One stack in one folder, started and killed as often as a test likes."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def environment(self) -> dict[str, str]:
        given = {"ALPMERA_KAFKA", "ALPMERA_POSTGRES_ADMIN_URL", "ALPMERA_STRIPE_API_KEY"}
        kept = {key: value for key, value in os.environ.items() if key not in given}
        return kept | {
            "ALPMERA_STATE": str(self.state),
            "ALPMERA_STACK": "embedded",
            "ALPMERA_TRACES": "off",
            "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{self.folder}",
        }

    def start(self, **environment: str) -> None:
        (self.folder / "small_service.py").write_text(SERVICE)
        with (self.folder / "supervisor.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", STACK, str(self.folder)],
                env=self.environment | environment,
                stdout=log,
                stderr=log,
                cwd=REPOSITORY,
            )

    def start_ready(self) -> StackRecord:
        self.start()
        assert self.process is not None
        end = time.monotonic() + READY_SECONDS_MAX
        while time.monotonic() < end:
            record = read_record(self.state)
            if record.ready and record.pid == self.process.pid:
                return record
            assert self.process.poll() is None, self.said()
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"the stack is not ready:\n{self.said()}")

    def said(self) -> str:
        return (self.folder / "supervisor.log").read_text()

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def verb(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a verb of the tool against this stack."""
        return subprocess.run(
            [sys.executable, "-m", "deploy.cli", *arguments],
            env=self.environment,
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=READY_SECONDS_MAX,
            check=False,
        )

    def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.verb("status", "--json").stdout)
        return answer


def wait_until_gone(processes: dict[str, tuple[int, str]]) -> list[str]:
    """Wait for the processes to end; return the names of those that did not."""
    end = time.monotonic() + GONE_SECONDS_MAX
    while time.monotonic() < end:
        left = [name for name, (pid, start) in processes.items() if is_running(pid, start)]
        if not left:
            return []
        time.sleep(POLL_SECONDS)
    return left
