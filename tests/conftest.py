"""What every run shares: real infrastructure once per run, markers for what a machine may lack.

It is loaded for the quick groups too, which need nothing of it: what takes long to load stands with the tests that use it.
"""

from __future__ import annotations

import os

import pytest

from deploy.cli.absent import missing_markers
from tests.fixtures.infra import PARTS


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the heavy tests too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Heavy tests run with --full only; tests that need what this machine lacks are left out by the printed list."""
    lacking = missing_markers()
    wanted = []
    left_out = []
    for item in items:
        heavy = item.get_closest_marker("full") is not None and not config.getoption("--full")
        absent = any(item.get_closest_marker(marker) is not None for marker in lacking)
        (left_out if heavy or absent else wanted).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = wanted


def pytest_configure(config: pytest.Config) -> None:
    """With several workers the parts are started once, here, and the workers attach by the environment."""
    if getattr(config.option, "numprocesses", None) and not os.environ.get("PYTEST_XDIST_WORKER"):
        PARTS.start_for_workers()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not os.environ.get("PYTEST_XDIST_WORKER"):
        PARTS.stop()
