"""What happens next with a refund that is owed, and the rule about how long it may take, in words."""

from __future__ import annotations

ATTEMPTS_BY_ITSELF = 3
"""Attempts that are made without a person; as the escrow service makes them."""

REFUND_RULE = (
    "A refund is decided within a minute of its trigger and is with the payment processor within 24 hours; when one is not, "
    "no new funds are collected until it is."
)


def next_act(state: str, failures: int) -> str:
    """What happens with a refund of this state, refused so often, next."""
    if state == "pending":
        return "The payment processor is paying it; it stays owed until that is told."
    if state == "decided":
        return "It goes to the payment processor next."
    if failures < ATTEMPTS_BY_ITSELF:
        return "It is tried again a day after it was refused; two people may decide to pay it another way."
    return "It was refused too often: two people pay it another way, with proof."
