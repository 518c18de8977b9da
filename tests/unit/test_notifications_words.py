"""Amounts, moments, reasons, templates, the guard and the vault. No database."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args
from uuid import uuid4

import pytest

from contracts.alerts import AlertState, ClosesWithin, RefundUnsettled, StateReached, TargetPercent
from contracts.escrow import RefundReason
from contracts.language import find_violations, find_violations_in_html
from contracts.ledger import PlanKind
from services.notifications.domain import mails
from services.notifications.domain.mails import VERSIONS, CampaignFacts, HeldFunds, Mail
from services.notifications.domain.wording import (
    REFUND_REASONS,
    WordingError,
    moment_words,
    money_words,
    refund_reason_words,
)
from services.notifications.settings import mail_settings
from services.notifications.store.vault import VaultError, lock_away, take_out
from services.notifications.usecases.guard_words import forbidden_terms
from services.notifications.usecases.render_mail import TEMPLATES_FOLDER, IncompleteMailError, render_mail

HAPPENED = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
CAMPAIGN = CampaignFacts(uuid4(), "Cast-iron stoves", "Stove", datetime(2026, 12, 5, tzinfo=UTC))
HELD = HeldFunds(uuid4(), CAMPAIGN.campaign_id, uuid4(), 109_800, "usd")


def key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ALPMERA_MASTER_KEY", key())
    monkeypatch.setenv("ALPMERA_PEOPLE_KEY_NOTIFICATIONS", key())
    monkeypatch.setenv("ALPMERA_PROFILE", "local")
    monkeypatch.setenv("ALPMERA_PUBLIC_URL", "http://127.0.0.1:8000/")
    mail_settings.cache_clear()
    yield
    mail_settings.cache_clear()


def every_mail() -> list[Mail]:
    refunds = [
        mails.refund_paid(
            CAMPAIGN,
            HELD.participant_id,
            amount_minor=109_800,
            currency="usd",
            reason=reason,
            outside=outside,
            happened_at=HAPPENED,
        )
        for reason in get_args(RefundReason)
        for outside in (False, True)
    ]
    releases = [
        mails.funds_released(CAMPAIGN, share, supplier_name="Emerald Supply", plan_kind=kind, happened_at=HAPPENED)
        for kind in get_args(PlanKind)
        for share in (*mails.shares([HELD]), *mails.shares([HELD, HELD]))
    ]
    rules: list[mails.AlertRule] = [
        TargetPercent(kind="target_percent", campaign_id=CAMPAIGN.campaign_id, percent=80),
        ClosesWithin(kind="closes_within", campaign_id=CAMPAIGN.campaign_id, days=1),
        *(
            StateReached(kind="campaign_state", campaign_id=CAMPAIGN.campaign_id, state=state)
            for state in get_args(AlertState)
        ),
        RefundUnsettled(kind="refund_unsettled", hours=24),
    ]
    alerts = [mails.alert(CAMPAIGN, HELD.participant_id, rule, happened_at=HAPPENED) for rule in rules]
    return [mails.funds_held(CAMPAIGN, HELD, happened_at=HAPPENED), *refunds, *releases, *alerts]


@pytest.mark.parametrize(
    ("amount_minor", "words"),
    [(0, "$0.00 USD"), (5, "$0.05 USD"), (109_800, "$1,098.00 USD"), (123_456_789, "$1,234,567.89 USD")],
)
def test_an_amount_is_written_to_the_cent(amount_minor: int, words: str) -> None:
    assert money_words(amount_minor, "usd") == words


def test_what_cannot_be_said_exactly_is_not_said() -> None:
    for say in (
        lambda: money_words(1, "jpy"),
        lambda: money_words(-1, "usd"),
        lambda: refund_reason_words("other"),
        lambda: moment_words(datetime(2026, 1, 1)),
    ):
        with pytest.raises(WordingError):
            say()


def test_a_moment_is_written_in_utc() -> None:
    assert moment_words(datetime(2026, 12, 5, tzinfo=timezone(timedelta(hours=-8)))) == "05 December 2026, 08:00 UTC"


def test_every_reason_of_a_refund_has_its_words() -> None:
    assert set(REFUND_REASONS) == {*get_args(RefundReason), "goodwill"}


def test_a_person_with_several_commitments_has_one_share() -> None:
    second = replace(HELD, commitment_id=uuid4(), amount_minor=200)
    other = replace(HELD, participant_id=uuid4())
    assert [(s.commitments, s.amount_minor) for s in mails.shares([HELD, other, second])] == [
        (2, 110_000),
        (1, 109_800),
    ]
    with pytest.raises(ValueError, match="two currencies"):
        mails.shares([HELD, replace(HELD, currency="eur")])


def test_every_mail_renders_whole_and_in_allowed_words() -> None:
    for mail in every_mail():
        rendered = render_mail(mail, with_html=True)
        assert rendered.html is not None
        for words in (rendered.subject, rendered.body_text):
            assert find_violations(words) == []
            assert "{" not in words
            assert "None" not in words
        assert find_violations_in_html(rendered.html) == []
        assert CAMPAIGN.title in rendered.subject
        for part in ("WHAT HAPPENED", "WHERE THE MONEY IS", "WHAT HAPPENS NEXT"):
            assert part in rendered.body_text
            assert part.capitalize() in rendered.html
        assert moment_words(HAPPENED) in rendered.body_text
        assert "http://127.0.0.1:8000/commitments" in rendered.body_text


def test_every_money_mail_prints_the_head_of_the_public_file_in_allowed_words() -> None:
    head = mails.ProofHead(number=17, hash="ab" * 32)
    for mail in (each for each in every_mail() if each.template != "alert"):
        rendered = render_mail(mail, with_html=True, proof_head=head)
        assert rendered.html is not None
        assert "number 17, abababababababab," in rendered.body_text
        assert "<code>abababababababab</code>" in rendered.html
        assert find_violations(rendered.body_text) == []
        assert find_violations_in_html(rendered.html) == []


def test_the_mails_say_where_the_money_is_without_a_claim_too_many() -> None:
    text = render_mail(mails.funds_held(CAMPAIGN, HELD, happened_at=HAPPENED), with_html=False).body_text
    assert "charged $1,098.00 USD" in text
    assert "not a hold on your card" in text
    assert "not legally an escrow account" in text
    assert "05 December 2026" in text


def test_outside_of_production_every_mail_says_that_the_money_is_test_money(monkeypatch: pytest.MonkeyPatch) -> None:
    for mail in every_mail():
        rendered = render_mail(mail, with_html=True)
        assert rendered.body_text.startswith("TEST MONEY")
        assert "TEST MONEY" in (rendered.html or "")
    monkeypatch.setenv("ALPMERA_PROFILE", "production")
    monkeypatch.setenv("ALPMERA_SMTP_SECURITY", "tls")
    mail_settings.cache_clear()
    for mail in every_mail():
        rendered = render_mail(mail, with_html=True)
        assert "TEST MONEY" not in rendered.body_text + (rendered.html or "")


def test_production_refuses_to_send_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPMERA_PROFILE", "production")
    mail_settings.cache_clear()
    with pytest.raises(ValueError, match="SMTP_SECURITY"):
        mail_settings()


@pytest.mark.parametrize("mail", every_mail()[:: len(get_args(RefundReason))])
def test_a_missing_variable_stops_the_mail(mail: Mail) -> None:
    for name in mail.facts:
        incomplete = replace(mail, facts={key: value for key, value in mail.facts.items() if key != name})
        with pytest.raises(IncompleteMailError, match=name):
            render_mail(incomplete, with_html=True)


def test_an_unknown_currency_or_reason_stops_the_mail() -> None:
    mail = every_mail()[1]
    for change in ({"currency": "jpy"}, {"reason": "other"}):
        with pytest.raises(IncompleteMailError):
            render_mail(replace(mail, facts={**mail.facts, **change}), with_html=False)


def test_a_title_cannot_write_markup_or_a_second_header() -> None:
    campaign = replace(CAMPAIGN, title="Stoves\r\nBcc: x@y.test <b>bold</b>")
    rendered = render_mail(mails.funds_held(campaign, HELD, happened_at=HAPPENED), with_html=True)
    assert "\n" not in rendered.subject
    assert "\r" not in rendered.subject
    assert "<b>bold" not in (rendered.html or "")
    assert "&lt;b&gt;bold" in (rendered.html or "")


def test_each_template_in_use_has_its_three_files() -> None:
    for template, version in VERSIONS.items():
        for part in ("subject", "txt", "html"):
            assert (TEMPLATES_FOLDER / f"{template}.v{version}.{part}.j2").is_file()


def guarded(title: str, product_name: str = "Stove") -> tuple[str, ...]:
    campaign = replace(CAMPAIGN, title=title, product_name=product_name)
    mail = mails.funds_held(campaign, HELD, happened_at=HAPPENED)
    return forbidden_terms(render_mail(mail, with_html=True), proper_names=mail.proper_names)


def test_the_guard_finds_a_forbidden_word_in_subject_text_and_html() -> None:
    assert guarded("Cast-iron stoves") == ()
    # The title stands in the subject, in the text, and in the HTML's head and body.
    assert guarded("A great deal on stoves") == ("deal",) * 4


def test_figures_do_not_hide_a_forbidden_phrase_from_the_guard() -> None:
    assert set(guarded("Only 3 left")) == set(guarded("Only 7 left")) != set()


def test_a_products_own_name_stands_as_its_maker_writes_it() -> None:
    assert guarded("JUMBO SHOPPER 12 PAISLEY", "JUMBO SHOPPER 12 PAISLEY") == ()
    assert guarded("Stoves for shoppers", "JUMBO SHOPPER 12 PAISLEY") != ()


def test_the_vault_gives_back_what_was_locked_away_for_that_person_only() -> None:
    secret, person = os.urandom(32), uuid4()
    token = lock_away(secret, person, {"email": "maya@demo.test"})
    assert "maya" not in token
    assert take_out(secret, person, token) == {"email": "maya@demo.test"}
    wrong: list[tuple[Any, ...]] = [
        (secret, uuid4(), token),
        (os.urandom(32), person, token),
        (secret, person, token[:-8]),
        (secret, person, "not base64!"),
        (secret, person, ""),
    ]
    for attempt in wrong:
        with pytest.raises(VaultError):
            take_out(*attempt)
