"""What must not lie open is found, and what only looks like it is passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.audit.canaries import (
    DEMO_NAMES,
    canaries_in,
    canaries_in_file,
    canaries_in_record,
    canaries_in_text,
    log_files,
    passes_luhn,
)
from services.gateway.auth.local_sign_in import DEMO_PEOPLE


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b'{"note": "write to maya@demo.test"}', "a mail address"),
        (b'{"token": "ctoken_1NabcDEF"}', "a confirmation token"),
        (b'{"id": "pi_3Nxyz_secret_4abc"}', "a client secret"),
        (b"key sk_test_51Habcdef", "a secret key"),
        (b"whsec_a1b2c3d4", "a webhook secret"),
        (b'{"card": "4242424242424242"}', "a card number"),
        (b"4000 0025 0000 3155", "a card number"),
        (b"3782-822463-10005", "a card number"),
        (b'{"by": "Olga"}', "a person's name"),
    ],
)
def test_a_canary_is_found(data: bytes, what: str) -> None:
    assert what in {found for found, _ in canaries_in(data)}


@pytest.mark.parametrize(
    "data",
    [
        b'{"campaign_id": "42424242-4242-4242-8242-424242424242"}',
        b'{"amount_minor": 4242424242424241}',
        b'{"hash": "4242424242424242abcdef"}',
        b"postgresql://app:pass@127.0.0.1:5432/alpmera",
        b'{"title": "Benefits of a tessellated olgaite"}',
        b'{"event": "stripe_webhook_secret_missing"}',
    ],
)
def test_what_only_looks_like_one_is_passed_over(data: bytes) -> None:
    assert list(canaries_in(data)) == []


def test_ids_of_traces_are_no_card_numbers() -> None:
    span = b'{"traceId": "4242424242424242", "id": "4000002500003155", "timestamp": 4242424242424242}'
    assert list(canaries_in_text(span)) == []
    assert list(canaries_in_record({"traceparent": b"00-4242424242424242-1-01"}, None)) == []


def test_a_name_in_a_header_is_found() -> None:
    assert list(canaries_in_record({"actor_id": b"maya", "actor_role": b"participant"}, b"{}")) == [
        ("a person's name", "in header actor_id")
    ]


def test_a_log_is_searched_line_by_line_and_the_outside_worlds_logs_are_not(tmp_path: Path) -> None:
    for name in ("gateway.log", "mailbox.log", "stripe.log"):
        (tmp_path / name).write_text("started\nsent to theo@demo.test\n")
    (searched,) = log_files(tmp_path)
    assert searched.name == "gateway.log"
    assert list(canaries_in_file(searched)) == [("a mail address", 2)]


def test_the_names_are_those_of_the_demo_people() -> None:
    people = {person.label for person in DEMO_PEOPLE if person.role != "supplier"}
    assert set(DEMO_NAMES) == people


def test_the_check_digit_is_luhns() -> None:
    assert passes_luhn(b"4000000000000002")
    assert not passes_luhn(b"4000000000000003")
