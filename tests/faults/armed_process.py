"""Run a service's own process with failpoints that a test arms while it runs: `python -m tests.faults.armed_process MODULE`.

Everything is imported at once, and the service starts at the line `go`, so that a test can hold the next process ready
while the last one dies. Each further line on standard input is armed as `ALPMERA_FAILPOINT` would be at the start, and
echoed. The service itself runs as `python -m MODULE` would run it.
"""

from __future__ import annotations

import importlib
import runpy
import sys
import threading

from services.kit import failpoint


def _arm_each_line() -> None:
    for line in sys.stdin:
        failpoint.arm(line.strip())
        sys.stdout.write(line)
        sys.stdout.flush()


def main() -> None:
    """Import, wait for the word, run."""
    module = sys.argv[1]
    importlib.import_module(f"{module}.__main__")
    if sys.stdin.readline().strip() != "go":
        return
    threading.Thread(target=_arm_each_line, daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
