"""How long `./alpmera up` takes: cold in an empty folder, then warm on what the first start left.

Cold means no data: the databases are laid out, every table is made, the demo world is opened. What a machine fetches
and builds once (the Python environment, the artifacts, the pages) is there already; a first start ever takes the
fetching on top, which measures a network. Both times run until the command returns. The baseline of the same run is one
bare interpreter that imports the services' libraries: five of them start beside broker and database.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from typing import Any

from deploy.bench.memory import IMPORT_SECONDS_MAX, IMPORTS
from deploy.bench.own_stack import own_stack
from services.kit.clock import monotonic_seconds

WARM_STARTS = 3
BARE_STARTS = 5


def bench_up(*, warm_starts: int = WARM_STARTS) -> dict[str, Any]:
    """Seconds of one cold start and the median of some warm ones, beside the median of bare interpreters."""
    bare = [_bare() for _ in range(BARE_STARTS)]
    warm: list[float] = []
    with own_stack() as stack:
        cold = stack.up()
        for _ in range(warm_starts):
            stack.down()
            warm.append(stack.up())
    return {
        "up_cold_seconds": round(cold, 1),
        "up_warm_seconds": round(statistics.median(warm), 1),
        "each_up_warm_seconds": [round(seconds, 1) for seconds in warm],
        "baseline_bare_imports_seconds": round(statistics.median(bare), 2),
    }


def _bare() -> float:
    began = monotonic_seconds()
    subprocess.run([sys.executable, "-c", IMPORTS], check=True, timeout=IMPORT_SECONDS_MAX)
    return monotonic_seconds() - began
