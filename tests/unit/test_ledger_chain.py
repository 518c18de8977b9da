"""The canonical form and the chain: pinned by committed vectors, held against a general encoder."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.ledger import (
    GENESIS_HASH,
    TRANSFER_HASH_VERSION,
    LedgerTransfer,
    canonical_time,
    canonical_transfer,
    canonical_values,
    chain_fault,
    transfer_hash,
)

VECTORS = json.loads((Path(__file__).parents[2] / "contracts" / "examples" / "ledger_vectors.json").read_text())
CHAIN = [LedgerTransfer.model_validate(each["transfer"]) for each in VECTORS["chain"]]


def test_the_vectors_are_of_this_version() -> None:
    assert VECTORS["version"] == TRANSFER_HASH_VERSION
    assert VECTORS["genesis"] == GENESIS_HASH


@pytest.mark.parametrize("number", range(len(CHAIN)))
def test_a_vector_has_its_canonical_bytes_and_its_hash(number: int) -> None:
    assert canonical_transfer(CHAIN[number]).decode() == VECTORS["chain"][number]["canonical"]
    assert transfer_hash(CHAIN[number]) == CHAIN[number].hash


def test_the_vectors_are_one_unbroken_chain() -> None:
    assert chain_fault(CHAIN) is None
    assert chain_fault(CHAIN[2:], head=CHAIN[1].hash, count=2) is None


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "late_receipt"},
        {"cause": "clr:other"},
        {"scope": "platform"},
        {"currency": "eur"},
        {"commitment_id": UUID(int=1)},
        {"plan_id": None},
        {"reverses": 1},
        {"reason": "another"},
        {"event_at": CHAIN[3].event_at + timedelta(microseconds=1)},
        {"relied_on": ()},
        {"entries": CHAIN[3].entries[:1]},
        {"entries": (CHAIN[3].entries[0], CHAIN[3].entries[1].model_copy(update={"amount_minor": 9_999}))},
        {"entries": (CHAIN[3].entries[0], CHAIN[3].entries[1].model_copy(update={"object_id": "ch_2"}))},
        {"previous_hash": GENESIS_HASH},
        {"position": 5},
    ],
)
def test_a_changed_transfer_breaks_the_chain_where_it_stands(change: dict[str, object]) -> None:
    changed = [*CHAIN[:3], CHAIN[3].model_copy(update=change), CHAIN[4]]
    assert chain_fault(changed) == change.get("position", 4)


def test_a_removed_or_swapped_transfer_breaks_the_chain() -> None:
    assert chain_fault([CHAIN[0], *CHAIN[2:]]) == 3
    assert chain_fault([CHAIN[1], CHAIN[0]]) == 2


def test_entries_are_sorted_before_hashing() -> None:
    turned = CHAIN[0].model_copy(update={"entries": tuple(reversed(CHAIN[0].entries))})
    assert transfer_hash(turned) == CHAIN[0].hash


def test_a_time_is_canonical_in_utc_with_six_decimals() -> None:
    moment = datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=2)))
    assert canonical_time(moment) == "2026-03-29T00:30:00.000000Z"
    with pytest.raises(ValueError, match="without a zone"):
        canonical_time(datetime(2026, 3, 29))  # noqa: DTZ001


words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
entry = st.fixed_dictionaries(
    {
        "account": words,
        "amount_minor": st.integers(),
        "balance_minor": st.integers(),
        "version": st.integers(min_value=1),
        "object_id": st.none() | words,
    }
)
transfer = st.fixed_dictionaries(
    {
        "scope": words,
        "currency": words,
        "position": st.integers(min_value=1),
        "kind": words,
        "cause": words,
        "commitment_id": st.none() | st.uuids(),
        "plan_id": st.none() | st.uuids(),
        "reverses": st.none() | st.integers(min_value=1),
        "reason": st.none() | words,
        "event_at": st.datetimes(timezones=st.just(UTC)),
        "relied_on": st.lists(st.uuids(), max_size=3),
        "entries": st.lists(entry, min_size=1, max_size=4, unique_by=lambda each: each["account"]),
    }
)


@given(transfer)
def test_the_hand_written_form_is_what_a_general_encoder_writes(values: dict[str, object]) -> None:
    plain = dict(values)
    plain["event_at"] = canonical_time(values["event_at"])  # type: ignore[arg-type]
    plain["entries"] = sorted(values["entries"], key=lambda each: each["account"])  # type: ignore[call-overload]
    general = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    assert canonical_values(values).decode() == general
