"""What a campaign's terms and its review take as a moment and as an answer: written out, never something that resembles it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.terms import ReviewAnswers, Terms
from services.gateway.schemas.examples import TERMS

YES = {"doctrine_fit": True, "risks_stated": True, "operable": True, "precedent_safe": True}


def terms(close_at: Any) -> Terms:
    return Terms.model_validate_json(json.dumps(TERMS | {"close_at": close_at}))


@pytest.mark.parametrize("written", ["2026-12-05T00:00:00Z", "2026-12-05T01:30:00+01:30", "2026-12-05T00:00:00.000Z"])
def test_a_close_date_is_written_out_with_its_zone(written: str) -> None:
    assert terms(written).close_at == datetime(2026, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [0, 1_796_428_800, "1796428800", "2026-12-05", "2026-12-05T00:00:00", "0001-01-01T00:00:00+06:20", True, None, ""],
)
def test_a_close_date_that_only_resembles_one_is_refused(written: Any) -> None:
    with pytest.raises(ValidationError):
        terms(written)


@pytest.mark.parametrize("answer", [1, 0, "yes", "true", None])
def test_a_review_question_is_answered_by_yes_or_no_alone(answer: Any) -> None:
    assert ReviewAnswers.model_validate_json(json.dumps(YES)).operable
    with pytest.raises(ValidationError):
        ReviewAnswers.model_validate_json(json.dumps(YES | {"operable": answer}))
