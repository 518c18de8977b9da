"""The invariants that the audit checks: their ids, titles, and what each compares.

Owns the words; the checks own the queries. The numbers are those of the platform's reliability catalogue and never
change their meaning. A check that is not named here does not run, and a name here without a check is refused by a test.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Invariant:
    """One rule that must hold. `quiet_part` says which comparison needs a quiet platform; empty when none does."""

    id: str
    title: str
    compares: str
    quiet_part: str = ""


INVARIANTS: tuple[Invariant, ...] = (
    Invariant("I1", "Every transfer balances", "ledger entries, summed per transfer"),
    Invariant(
        "I2",
        "Money is conserved",
        "per campaign: what was received with what is owed, paid, refunded; account classes with the read model",
        "account classes with the read model",
    ),
    Invariant(
        "I3",
        "Every cent at Stripe is matched both ways",
        "balance transactions, charges, refunds, transfers, reversals, top-ups with ledger rows; clearing per object",
        "the ledger's sums with Stripe's own balance",
    ),
    Invariant(
        "I4",
        "No event is lost",
        "outboxes with topics by id; consumers' gates with the streams' published heads; commands with inboxes",
        "commands with inboxes",
    ),
    Invariant("I5", "Every effect happens once", "causes, intents, objects at Stripe per intent, keys used twice"),
    Invariant(
        "I6", "Never more units than the capacity", "units recomputed from commitments with capacity and counters"
    ),
    Invariant("I7", "No release before accepted fulfillment", "evidence ids of clearing transfers with the events"),
    Invariant("I8", "Refunds are whole and bounded", "per commitment: received with refunded, paid outside, cleared"),
    Invariant("I9", "Cover", "all that is held at Stripe with all that is owed"),
    Invariant("I10", "A supplier is paid exactly, once", "per plan: lines, fee, net, transfers here and at Stripe"),
    Invariant(
        "I11", "Each stream keeps its sequence", "numbers of events in the sequence of the topic: 1, 2, 3 and on"
    ),
    Invariant(
        "I12",
        "Legal transitions only",
        "the fold of a campaign's events with its row and its commitments' rows; recorded steps with the tables of steps",
    ),
    Invariant("I13", "One answer to an invitation, in its window", "answers per invitation; when each was received"),
    Invariant("I14", "Settled final campaigns are empty", "owed accounts of settled campaigns"),
    Invariant("I15", "Terms are frozen", "a commitment's terms with those joined; what was charged with units × price"),
    Invariant("I16", "Two people", "makers and approvers of plans and discards, and their roles then"),
    Invariant(
        "I17",
        "Append-only and unbroken",
        "hash chains and trees recomputed, with what was told and signed; rights, guards, update and delete counters",
    ),
    Invariant("I18", "Running balances are true", "each entry's balance and version with the sums before it"),
    Invariant(
        "I21",
        "The audit is complete",
        "audit records with states: an unbroken story per thing, with actor, reason and cause; transfers with causes",
    ),
    Invariant(
        "I23",
        "Locked means funded",
        "commitments called locked with escrow and reserve balances; holds with open disputes",
        "commitments called locked with escrow and reserve balances",
    ),
    Invariant(
        "I24", "Money is whole minor units in one currency", "column types, amounts in events, currency per scope"
    ),
    Invariant(
        "I25",
        "Nothing personal and no secret",
        "events, ledger texts, audit records, logs and traces, searched for patterns",
    ),
)

BY_ID = {invariant.id: invariant for invariant in INVARIANTS}


def catalogue_lines() -> list[str]:
    """The catalogue as lines of text, for the verb's help."""
    return [f"{each.id}  {each.title}: {each.compares}." for each in INVARIANTS]
