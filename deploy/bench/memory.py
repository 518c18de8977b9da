"""How much memory the five services hold, beside an interpreter that only imports the same libraries."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from deploy.local.addresses import StackAddresses

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
MEGABYTE = 1024 * 1024
IMPORTS = "import sqlalchemy, asyncpg, aiokafka, faststream.kafka, pydantic, opentelemetry.sdk.trace"
IMPORT_SECONDS_MAX = 60


def resident_bytes(pid: int) -> int:
    """Resident memory of one process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES


def bench_memory(addresses: StackAddresses) -> dict[str, Any]:
    """Resident megabytes per service and together; the baseline is one interpreter with the libraries imported."""
    each = {name: round(resident_bytes(pid) / MEGABYTE, 1) for name, pid in addresses.service_pids.items()}
    program = f"{IMPORTS}\nprint(int(open('/proc/self/statm').read().split()[1]) * {PAGE_BYTES})"
    bare = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=IMPORT_SECONDS_MAX
    )
    return {
        "services_resident_megabytes": round(sum(each.values()), 1),
        "each_resident_megabytes": each,
        "baseline_imports_resident_megabytes": round(int(bare.stdout) / MEGABYTE, 1),
    }
