"""The rules of chance after the demand: they always fall alike, and in the stated shares."""

from __future__ import annotations

from collections import Counter

from deploy.replay import rules

CODES = [str(number) for number in range(10_000, 20_000)]


def near(found: float, wanted: float) -> bool:
    """Within a tenth, or two thousandths for small shares."""
    return abs(found - wanted) < max(0.1 * wanted, 0.002)


def test_a_rule_decides_the_same_about_the_same() -> None:
    assert [rules.supplier_answer(code) for code in CODES] == [rules.supplier_answer(code) for code in CODES]
    assert [rules.reports_fault("22423", number) for number in range(500)] == [
        rules.reports_fault("22423", number) for number in range(500)
    ]


def test_suppliers_accept_decline_and_stay_silent_in_the_stated_shares() -> None:
    shares = Counter(map(rules.supplier_answer, CODES))
    assert near(shares["accept"] / len(CODES), 0.80)
    assert near(shares["decline"] / len(CODES), 0.12)
    assert near(shares["silence"] / len(CODES), 0.08)


def test_faults_are_rare_except_in_bad_batches() -> None:
    bad = [code for code in CODES if rules.has_bad_batch(code)]
    good = [code for code in CODES if not rules.has_bad_batch(code)]
    assert near(len(bad) / len(CODES), 0.04)
    faults = [rules.reports_fault(code, number) for code in good for number in range(5)]
    assert near(sum(faults) / len(faults), 0.02)
    bad_faults = [rules.reports_fault(code, number) for code in bad for number in range(50)]
    assert near(sum(bad_faults) / len(bad_faults), 0.30)


def test_half_of_the_decided_faults_are_upheld() -> None:
    verdicts = Counter(rules.verdict_on_fault(code, 7) for code in CODES)
    assert near(verdicts["upheld"] / len(CODES), 0.5)
    assert set(verdicts) == {"upheld", "rejected"}
