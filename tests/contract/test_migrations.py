"""The chains of migrations: one head each, and what a service takes for the newest is the chain's own newest."""

from __future__ import annotations

import pytest

from contracts.topics import SERVICES
from services.kit.migrate import script_directory
from services.kit.revisions import head_revision


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_knows_the_newest_revision_of_its_chain(service: str) -> None:
    script = script_directory(service)
    assert script.get_heads() == [head_revision(service)]
