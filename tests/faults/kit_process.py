"""The kit's test service as a process: `python -m tests.faults.kit_process`."""

from __future__ import annotations

from services.kit.runtime import run
from services.kit.settings import KitSettings
from tests.fixtures.kit_service import KIT_SERVICE

if __name__ == "__main__":
    run(KIT_SERVICE, KitSettings())
