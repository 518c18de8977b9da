"""The records of one commitment: what was committed and how it stands, and what was refunded.

Both are composed from the same rows as the pages, at the moment they are asked for, and say so. They are records of the
platform's ledger, not tax documents. A proof is named only where one exists; none is made up here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from contracts.payment_rail import disclosure, refund_words
from services.gateway.documents.document import Document, Fact, Part, Table
from services.gateway.domain.fee_words import fee_part, percent
from services.gateway.domain.money_movements import ROLE_WORDS, proof_words, sentence, words_of
from services.gateway.domain.money_next import next_step
from services.gateway.domain.money_text import minute, money
from services.gateway.domain.money_words import REFUND_REASONS, money_now
from services.gateway.domain.words import commitment_words

Row = Mapping[str, Any]

RECORD_TITLE = "Commitment record"
REFUND_TITLE = "Refund record"
HASH_SHOWN = 16
PAID_STATES = frozenset({"sent", "paid_outside"})


def commitment_record(
    commitment: Row, terms: Mapping[str, Any], movements: Sequence[Row], made_at: datetime
) -> Document:
    """What was committed, under which terms, where the money is, and every movement so far."""
    coming = next_step(commitment, movements)
    money_lines = (money_now(commitment),) + ((f"Next: {coming.words}",) if coming is not None else ())
    return Document(
        RECORD_TITLE,
        reference_of(commitment),
        made_at,
        (
            Part("The commitment", facts=_facts(commitment)),
            Part("Where the money is", money_lines),
            Part("What lies inside the amount", facts=_inside(commitment, terms)),
            Part("Every movement", (_READ,), table=movement_table(movements)) if movements else _NOTHING_MOVED,
            *(_proof_part(commitment) if movements else ()),
            Part("Who holds the money", disclosure()),
        ),
        (commitment["campaign_title"],),
    )


def refund_record(commitment: Row, movements: Sequence[Row], refunds: Sequence[Row], made_at: datetime) -> Document:
    """What was decided and what was paid, apart; a refund is called paid only when the payment processor said so."""
    own = [row for row in movements if row["kind"].startswith("refund_") or row["kind"] in {"late_receipt", "goodwill"}]
    parts = [Part("The commitment", facts=_facts(commitment))]
    parts += [Part(f"Refund {number}", facts=_refund_facts(refund)) for number, refund in enumerate(refunds, 1)]
    if not refunds:
        parts.append(Part("Refunds", ("No refund was decided for this commitment.",)))
    if own:
        parts.append(Part("Its movements", (_READ,), table=movement_table(own)))
        parts += _proof_part(commitment)
    parts.append(Part("How long a refund takes", (refund_words(),)))
    return Document(REFUND_TITLE, reference_of(commitment), made_at, tuple(parts), (commitment["campaign_title"],))


def reference_of(commitment: Row) -> str:
    """The commitment's reference code; its id before there is one."""
    return str(commitment["reference"] or commitment["id"])


def movement_table(movements: Sequence[Row]) -> Table:
    """The movements, the oldest first."""
    return Table(
        "Movements in the ledger, the oldest first",
        ("When (UTC)", "What and why", "Approved", "Amount", "Ledger", "Trace", "Proof"),
        tuple(
            (
                minute(row["at"]).removesuffix(" UTC"),
                sentence(row),
                _approved(row),
                money(row["amount_minor"], row["currency"]) + f" {row['currency'].upper()}",
                f"no. {row['position']}, {row['hash'][:HASH_SHOWN]}",
                row["trace_id"] or "none",
                proof_words(row),
            )
            for row in movements
        ),
        numeric=frozenset({3}),
    )


def _approved(row: Row) -> str:
    words = words_of(row)
    roles = " and ".join(ROLE_WORDS[role] for role in words.roles)
    return f"{words.approval} Roles: {roles}." if roles else words.approval


def _proof_part(commitment: Row) -> tuple[Part, ...]:
    where = f"/v1/me/commitments/{commitment['id']}/proof"
    return (
        Part(
            "Proof",
            (
                "What lies in a checkpoint can be proven to anybody: the file under the address below shows each of these "
                "movements inside a signed checkpoint. It is checked on the commitment's page, in the reader's own browser, "
                "or without this platform by the program in the project's contracts, verify_proof.",
            ),
            facts=(Fact("Address of the proof on this site", where),),
        ),
    )


_READ = (
    "Each line is one transfer in the campaign's ledger, with its number there, the beginning of its hash, the trace under "
    "which it was recorded, and the checkpoint that proves it. Amounts of a transfer to the supplier are those of the whole "
    "release, this commitment's part among them; such a line lies in the chain and in no single commitment's proof."
)
_NOTHING_MOVED = Part("Every movement", ("No money has moved for this commitment.",))


def _facts(commitment: Row) -> tuple[Fact, ...]:
    currency = commitment["currency"].upper()
    facts = [
        Fact("Reference", reference_of(commitment)),
        Fact("Campaign", commitment["campaign_title"]),
        Fact("Units", str(commitment["quantity"])),
        Fact(
            "Collective price per unit", f"{money(commitment['unit_price_minor'], commitment['currency'])} {currency}"
        ),
        Fact("Amount, all included", f"{money(commitment['amount_minor'], commitment['currency'])} {currency}"),
        Fact("State", commitment_words(commitment["state"], refund_state=commitment["refund_state"])),
        Fact("Made", minute(commitment["created_at"])),
    ]
    if commitment["locked_at"] is not None:
        facts.append(Fact("Funds held since", minute(commitment["locked_at"])))
    if commitment["terms_hash"] is not None:
        facts.append(Fact("Terms agreed to (SHA-256)", commitment["terms_hash"]))
    return tuple(facts)


def _inside(commitment: Row, terms: Mapping[str, Any]) -> tuple[Fact, ...]:
    amount, currency = commitment["amount_minor"], commitment["currency"]
    rate = terms["fee_basis_points"]
    fee = fee_part(amount, rate)
    code = currency.upper()
    return (
        Fact("For the supplier, after completion", f"{money(amount - fee, currency)} {code}"),
        Fact(f"Platform's fee, {percent(rate)}, taken only at completion", f"{money(fee, currency)} {code}"),
        Fact("Delivery and tax named in the terms", "included"),
        Fact("Total; nothing is added to it", f"{money(amount, currency)} {code}"),
    )


def _refund_facts(refund: Row) -> tuple[Fact, ...]:
    why = REFUND_REASONS.get(refund["reason"] or "", "of a correction")
    is_paid = refund["state"] in PAID_STATES and refund["sent_at"] is not None
    by_card = refund["state"] != "paid_outside"
    facts = [
        Fact("Amount", f"{money(refund['amount_minor'], refund['currency'])} {refund['currency'].upper()}"),
        Fact("Because", why),
        Fact("Decided", minute(refund["decided_at"]) if refund["decided_at"] is not None else "not told"),
        Fact(
            "Paid, as the payment processor says" if by_card else "Paid another way, with proof",
            minute(refund["sent_at"]) if is_paid else "not paid so far",
        ),
    ]
    if refund["state"] == "failed":
        facts.append(Fact("Standing", "the card refund did not arrive; it stays owed until paid another way"))
    if refund["state"] == "charged_back":
        facts.append(Fact("Standing", "the card's bank gave the money back, so it is owed no longer"))
    return tuple(facts)
