"""Statements for the driver: named parameters become numbers, and nothing else of the text changes."""

from __future__ import annotations

import pytest

from services.kit.statements import numbered


@pytest.mark.parametrize(
    ("statement", "text", "names"),
    [
        ("SELECT 1", "SELECT 1", ()),
        ("SELECT :b, :a, :b", "SELECT $1, $2, $1", ("b", "a")),
        (
            "SELECT headers::jsonb FROM outbox WHERE id = :id",
            "SELECT headers::jsonb FROM outbox WHERE id = $1",
            ("id",),
        ),
        ("SELECT (holder <> :holder)::int", "SELECT (holder <> $1)::int", ("holder",)),
        ("SELECT make_interval(secs => :seconds)", "SELECT make_interval(secs => $1)", ("seconds",)),
        ("SELECT 'campaigns:' || id, :ids", "SELECT 'campaigns:' || id, $1", ("ids",)),
    ],
)
def test_a_named_parameter_has_one_number_and_a_cast_is_none(statement: str, text: str, names: tuple[str, ...]) -> None:
    assert numbered(statement) == (text, names)
