"""The language guard on plain text: what it finds, what it leaves alone, what it suggests."""

import json

import pytest

from contracts.language import LEAVE_OUT, RULES_PATH, Violation, find_violations, suggest

RULE_FILE = json.loads(RULES_PATH.read_text(encoding="utf-8"))
RULES = RULE_FILE["rules"]
FORMS = [(rule["id"], form.replace("{count}", "3 units")) for rule in RULES for form in rule["forms"]]


@pytest.mark.parametrize(("rule", "form"), FORMS)
def test_every_form_of_every_rule_is_found_in_any_letter_case(rule: str, form: str) -> None:
    for written in (form, form.upper(), form.title().replace("'T", "'t")):
        found = find_violations(f"Please: {written}.")
        assert [(v.rule, v.term) for v in found] == [(rule, written)]


@pytest.mark.parametrize(
    ("text", "term", "rule"),
    [
        ("Buy now and be quick", "Buy now", "buy"),
        ("a group-buy of lamps", "group-buy", "buy"),
        ("Pre-order the lamp", "Pre-order", "order"),
        ("a shop\n  and more", "shop", "shop"),
        ("limited\u00a0time only", "limited\u00a0time", "limited-time"),
        ("limited-time", "limited-time", "limited-time"),
        ("Only 7 left", "Only 7 left", "only-n-left"),
        ("only a few spots left", "only a few spots left", "only-n-left"),
        ("Don\u2019t miss out", "Don\u2019t miss out", "dont-miss"),
        ("The buyer's view", "buyer", "buyer"),
        ("a dis\u00adcount", "dis\u00adcount", "discount"),
        ("che\u200bckout", "che\u200bckout", "checkout"),
        ("ＳＡＬＥ", "ＳＡＬＥ", "sale"),
        ("Purchased from Alpmera in May", "Purchased from Alpmera", "purchase"),
    ],
)
def test_a_term_is_found_where_it_stands(text: str, term: str, rule: str) -> None:
    (violation,) = find_violations(text)
    assert (violation.term, violation.rule) == (term, rule)
    assert text[violation.start : violation.end] == term


@pytest.mark.parametrize(
    "text",
    [
        "A collective buying platform for communities",
        "Collective-buying, and COLLECTIVE\nBUYING",
        "Across the border, in an orderly manner, with the restored recorder.",
        "sort_order, order_id and OrderedDict are names in code",
        "The workshop is promiscuous about storage; the cartographer shortens it.",
        "Only the funds left in escrow are counted.",
        "Join a campaign, commit funds to escrow, withdraw before the close date.",
        "The deadline is stored and the reservation is restored.",
        "",
    ],
)
def test_allowed_words_and_longer_words_are_left_alone(text: str) -> None:
    assert find_violations(text) == []


def test_the_exception_covers_its_phrase_and_nothing_beside_it() -> None:
    found = find_violations("Collective buying is not buying.")
    assert [(v.term, v.start) for v in found] == [("buying", 25)]


def test_several_terms_are_reported_in_the_sequence_of_the_text() -> None:
    found = find_violations("Hurry, this deal ends: buy it from our store.")
    assert [v.rule for v in found] == ["hurry", "deal", "buy", "store"]


def test_a_violation_says_where_it_is_and_what_to_write() -> None:
    assert find_violations("Dear customers") == [
        Violation(term="customers", start=5, end=14, suggestion="participants", rule="customer")
    ]


def test_a_term_without_a_substitute_is_to_be_left_out() -> None:
    (violation,) = find_violations("An amazing lamp")
    assert violation.suggestion == LEAVE_OUT


@pytest.mark.parametrize("name", ["General Store Supply LLC", "Bargain & Sons"])
def test_a_legal_name_may_stand_as_its_bearer_writes_it(name: str) -> None:
    assert find_violations(f"{name} accepted.", exempt_names=[name]) == []
    assert find_violations(f"{name} has a store.", exempt_names=[name])[0].term == "store"
    assert find_violations(f"{name.lower()} accepted.", exempt_names=[name]) != []


def test_an_empty_exempt_name_exempts_nothing() -> None:
    assert [v.term for v in find_violations("our shop", exempt_names=["", "  "])] == ["shop"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dear Customer, an order arrived.", "Dear Participant, a commitment arrived."),
        ("a seller and an offer", "a supplier and an offer"),
        ("Hurry, it closes.", ", it closes."),
        ("BUY NOW", "JOIN CAMPAIGN"),
        ("What an amazing lamp", "What a lamp"),
        ("only 3 hurry left", "the remaining quantity is shown"),
        ("Nothing to change", "Nothing to change"),
    ],
)
def test_the_suggested_wording_replaces_each_term(text: str, expected: str) -> None:
    assert suggest(text) == expected


@pytest.mark.parametrize(("rule", "form"), FORMS)
def test_a_suggested_wording_holds_no_forbidden_term(rule: str, form: str) -> None:
    offer = suggest(f"We say {form} here")
    assert find_violations(offer) == [], rule


def test_the_rule_file_gives_every_rule_its_source_advice_and_forms() -> None:
    assert {rule["source"] for rule in RULES} == {"founding", "house"}
    assert len({rule["id"] for rule in RULES}) == len(RULES)
    assert all(rule["advice"].endswith(".") and rule["forms"] for rule in RULES)
    forms = [form for rule in RULES for form in rule["forms"]]
    assert len(set(forms)) == len(forms)
    assert all(form == form.lower().strip() for form in forms)


def test_the_rule_file_obeys_itself() -> None:
    texts = [rule["advice"] for rule in RULES] + RULE_FILE["allowed"]
    assert [v.term for text in texts for v in find_violations(text)] == []


def test_the_founding_terms_are_all_there() -> None:
    founding = {rule["id"] for rule in RULES if rule["source"] == "founding"}
    assert founding == {"buy", "order", "discount", "purchase", "checkout", "deal-site"}
