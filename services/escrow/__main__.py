"""The process of the escrow service."""

from services.escrow.handlers import SERVICE
from services.escrow.settings import escrow_settings
from services.kit.runtime import run

if __name__ == "__main__":
    run(SERVICE, escrow_settings())
