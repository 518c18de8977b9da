"""What the log says about a fault: which kind and which route, never the address itself."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from services.gateway.problems import answer_error


@pytest.mark.parametrize(("error", "status"), [(RuntimeError("broken"), 500), (ConnectionRefusedError(), 503)])
def test_a_fault_is_logged_by_its_route_without_what_its_address_holds(
    error: Exception, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    scope = {"path": "/v1/calendar/s3cret", "route": SimpleNamespace(path="/v1/calendar/{feed}")}
    assert answer_error(scope, error).status_code == status
    logged = "".join(capsys.readouterr())
    assert "/v1/calendar/{feed}" in logged
    assert "s3cret" not in logged
