"""Run the suppliers service: `python -m services.suppliers`."""

from __future__ import annotations

from services.kit.runtime import run
from services.suppliers.handlers import SERVICE
from services.suppliers.settings import SuppliersSettings

if __name__ == "__main__":
    run(SERVICE, SuppliersSettings())
